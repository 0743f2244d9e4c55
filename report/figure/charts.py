"""Charts by matplotlib in the report's own letters, as SVG whose bytes are the same each time."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from report import resources
from report.figure.font_metrics import load_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def chart(width: float, height: float, letters: float, draw: Callable[[Figure], None]) -> str:
    """SVG of so many millimetres of what `draw` puts into a figure; its letters are so many points high."""
    mpl = load_matplotlib()
    from matplotlib.figure import Figure

    settings: dict[str, Any] = {
        "font.family": [_text_family(), "DejaVu Sans"],
        "font.size": letters,
        "svg.fonttype": "none",
        "svg.hashsalt": "report",
        "svg.id": None,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(width / 25.4, height / 25.4))
        draw(figure)
        out = io.StringIO()
        unsaid = dict.fromkeys(("Date", "Format", "Type", "Creator"))
        figure.savefig(out, format="svg", metadata=unsaid)
    return out.getvalue()


def _text_family() -> str:
    """The report's own text face, made known to matplotlib."""
    from matplotlib import font_manager

    path = str(resources.path("assets/fonts/STIXTwoText-Regular.otf"))
    if not any(font.fname == path for font in font_manager.fontManager.ttflist):
        font_manager.fontManager.addfont(path)
    return "STIX Two Text"
