"""HTML -> PDF by WeasyPrint, with math as text, closed fonts, and one file that is PDF/A-3a and PDF/UA-1.

Importing this package is free; its functions import what they need when they are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from report.pdf.conformance import Attachment
    from report.pdf.html_to_pdf import render

__all__ = ["Attachment", "render"]

_HOMES = {"Attachment": "conformance", "render": "html_to_pdf"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
