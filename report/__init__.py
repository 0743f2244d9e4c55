"""Turn a formula into a finished, verified homework report about backpropagation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from report.errors import ReportError
from report.version import __version__

if TYPE_CHECKING:
    from report.notebook import show, trace
    from report.pipeline import build

__all__ = ["ReportError", "__version__", "build", "show", "trace"]


def __getattr__(name: str) -> Any:
    # NumPy and WeasyPrint are imported when they are first needed.
    if name in ("show", "trace"):
        from report import notebook

        return getattr(notebook, name)
    if name == "build":
        from report.pipeline import build

        return build
    raise AttributeError(f"module 'report' has no attribute {name!r}")
