r"""LaTeX as a function: text -> tokens -> lines -> trees -> values over the inputs -> Graph.

`is_latex` tells LaTeX from an expression, `parse` reads it into the same Graph that an expression makes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from report.autodiff.graph import Array, Graph
from report.autodiff.parser.latex.reader import _LatexReader
from report.autodiff.parser.source import Places

_COMMAND = re.compile(r"\\[A-Za-z,;:!|{\\]|\$|\\\[|\\\(")


def is_latex(text: str) -> bool:
    """Whether a function is LaTeX: it holds a command, or stands between signs of math."""
    return _COMMAND.search(text) is not None


def parse(
    text: Any,
    inputs: Mapping[str, Array],
    unfold: Collection[str] = (),
    entry: tuple[int, ...] | None = None,
) -> Graph:
    """Read LaTeX over `inputs` into a Graph; ReportError with line, column and a caret for what cannot be read."""
    latex = _LatexReader(Places(text), inputs, unfold)
    latex.reader.entry = entry
    return latex.graph()
