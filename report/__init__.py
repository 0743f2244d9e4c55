"""Turn a formula into a finished, verified homework report about backpropagation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from report.errors import ReportError

if TYPE_CHECKING:
    from report.backprop import trace
    from report.pipeline import build

__version__ = "1.0.0"
__all__ = ["ReportError", "__version__", "build", "trace"]


def __getattr__(name: str) -> Any:
    # NumPy and WeasyPrint are imported when they are first needed.
    if name == "trace":
        from report.backprop import trace

        return trace
    if name == "build":
        from report.pipeline import build

        return build
    raise AttributeError(f"module 'report' has no attribute {name!r}")
