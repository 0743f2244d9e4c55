"""What a table of notation holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from report.graph import Node

if TYPE_CHECKING:
    from report.printers.latex import Printer

# (LaTeX, binding) of a gate over its arguments; None where its row's template will do
Sign = Callable[["Printer", Node], "tuple[str, int] | None"]
Signs = dict[str, Sign]
