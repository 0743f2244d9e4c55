"""Text -> Graph: an expression or LaTeX is read by a closed list of what it may hold, and nothing is evaluated."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from typing import Any

from report.autodiff.graph import Array, Graph, uncollected
from report.autodiff.parser import latex, parser
from report.autodiff.parser.source import LARGE, Source
from report.errors import ReportError
from report.plain_values import as_text


def is_latex(function: Any) -> bool:
    """Whether a function is LaTeX: it holds a command, or stands between signs of math."""
    own = as_text(function)
    return own is not None and latex.is_latex(own)


def python_text(function: str, names: Container[str]) -> str:
    """An expression over inputs of these names in Python's syntax, however it was typed; "" for LaTeX."""
    return "" if is_latex(function) else "\n".join(Source(function, names).code)


def formula_faults(
    text: str,
    inputs: Mapping[str, Array],
    unfold: Collection[str],
    entry: tuple[int, ...] | None,
    missing: Collection[str],
) -> Sequence[ReportError]:
    """All that is wrong with a function of which some inputs are `missing`, as they cannot be read."""
    with uncollected():
        if not is_latex(text):
            return parser.faults(text, inputs, unfold, entry, missing)
        try:
            latex.parse(text, inputs, unfold, entry)
        except ReportError as error:
            first = str(error).split("\n", 1)[0]
            return () if any(name in first for name in missing) else (error,)
        return ()


def parse(
    text: str,
    inputs: Mapping[str, Array],
    unfold: Collection[str] = (),
    entry: tuple[int, ...] | None = None,
    infinity: float = LARGE,
) -> Graph:
    """Read a function, an expression or LaTeX, over `inputs` into a Graph.

    The gates named in `unfold` are written out in elementary ones (`report.autodiff.gates.definitions`).
    `infinity` stands for infinite numbers (see `differentiate`, which looks that nothing of them is left).
    Raises ReportError with line, column and a caret for what cannot be read.
    """
    if is_latex(text):
        with uncollected():
            return latex.parse(text, inputs, unfold, entry)
    return parser.parse(text, inputs, unfold, entry, infinity)
