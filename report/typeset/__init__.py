"""LaTeX -> broken lines, widths, glyphs, speech and MathML, and the HTML that stands for them.

Importing this package is free; its functions import what they need when they are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from report.typeset.addresses import listing, page_number, picture
    from report.typeset.formula_html import Formula, aligned, formula, img
    from report.typeset.line_breaking import fit, fitted_lines, split
    from report.typeset.mathml_writer import breakable, mathml

__all__ = [
    "Formula", "aligned", "breakable", "fit", "fitted_lines", "formula", "img", "listing", "mathml",
    "page_number", "picture", "split",
]  # fmt: skip

_HOMES = {
    **dict.fromkeys(("listing", "page_number", "picture"), "addresses"),
    **dict.fromkeys(("Formula", "aligned", "formula", "img"), "formula_html"),
    **dict.fromkeys(("fit", "fitted_lines", "split"), "line_breaking"),
    **dict.fromkeys(("breakable", "mathml"), "mathml_writer"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
