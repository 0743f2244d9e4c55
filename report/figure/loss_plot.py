"""The value of the function over the steps of a descent, as a small picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from report import number_format, resources
from report.derivation.latex.symbols import VALUE
from report.figure.font_metrics import load_matplotlib

WIDTH, HEIGHT = 80.0, 34.0  # millimetres
DOTS = 30  # steps up to which each is a dot


def loss_plot(values: Sequence[float], letter: str) -> tuple[str, str]:
    """SVG of the values over the steps, and what it shows in words."""
    mpl = load_matplotlib()
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    settings: dict[str, Any] = {
        "font.family": [text_family(), "DejaVu Sans"],
        "font.size": 8.0,
        "svg.fonttype": "none",
        "svg.hashsalt": "report",
        "svg.id": None,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(WIDTH / 25.4, HEIGHT / 25.4))
        axes = figure.add_axes((0.16, 0.27, 0.82, 0.68))
        figure.patch.set_visible(False)
        axes.patch.set_visible(False)
        mark = "o" if len(values) <= DOTS + 1 else ""
        axes.plot(
            range(len(values)),
            values,
            color=VALUE,
            clip_on=False,
            linewidth=1.0,
            marker=mark,
            markersize=2.5,
        )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
        axes.set_xlabel("step", labelpad=1.5)
        axes.set_ylabel(letter, rotation=0, labelpad=6, style="italic")
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        out = io.StringIO()
        figure.savefig(
            out, format="svg", metadata=dict.fromkeys(("Date", "Format", "Type", "Creator"))
        )
    words = (
        f"The value of {letter} over {len(values) - 1} steps: from {number_format.show(values[0])} "
        f"to {number_format.show(values[-1])}"
    )
    return out.getvalue(), words


def text_family() -> str:
    """The report's own text face, made known to matplotlib."""
    from matplotlib import font_manager

    path = str(resources.path("assets/fonts/STIXTwoText-Regular.otf"))
    if not any(font.fname == path for font in font_manager.fontManager.ttflist):
        font_manager.fontManager.addfont(path)
    return "STIX Two Text"
