"""HTML to PDF, with math as text, closed fonts, and one file that is PDF/A-3a and PDF/UA-1.

Importing this package is free; its functions import what they need when they are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from report.pdf.blocks import listing, page_number
    from report.pdf.breaking import fit, fitted_lines, split
    from report.pdf.browser import mathml
    from report.pdf.conform import Attachment
    from report.pdf.document import render
    from report.pdf.layout import Formula, aligned, formula, img
    from report.pdf.vectors import picture

__all__ = [
    "Attachment", "Formula", "aligned", "fit", "fitted_lines", "formula",
    "img", "listing", "mathml", "page_number", "picture", "render", "split",
]  # fmt: skip

_HOMES = {
    "Attachment": "conform",
    "Formula": "layout",
    "fit": "breaking",
    "fitted_lines": "breaking",
    "formula": "layout",
    "img": "layout",
    "listing": "blocks",
    "page_number": "blocks",
    "mathml": "browser",
    "picture": "vectors",
    "render": "document",
    "aligned": "layout",
    "split": "breaking",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
