"""One precision for a number wherever it stands: in its column, among the numbers of a row, in a result."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from report import number_format
from report.derivation.latex import Printed
from report.derivation.latex.symbols import GRADIENT, VALUE

COLUMN_DIGITS = 7  # significant digits of the largest number in a column
_COLOURED = re.compile(r"(\\textcolor\{(#\w+)\}\{)([^{}]+)\}")


@dataclass(frozen=True)
class Precision:
    """Scalars as their columns have them: values and gradients by number, and by colour and LaTeX."""

    values: Mapping[float, str]
    gradients: Mapping[float, str]
    _by_latex: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def __call__(self, latex: str) -> Printed:
        """A formula with its numbers rounded as in their columns, without zeros that only align."""
        return Printed(
            _COLOURED.sub(lambda m: f"{m[1]}{self._by_latex.get((m[2], m[3]), m[3])}}}", latex)
        )


def precision(values: Iterable[float], gradients: Iterable[float]) -> Precision:
    """The precision of a column of values and of one of gradients."""
    columns = {VALUE: _column(values), GRADIENT: _column(gradients)}
    by_latex = {
        (colour, number_format.number_latex(number)): _plain(text)
        for colour, column in columns.items()
        for number, text in column.items()
        if "×" not in text
    }
    return Precision(columns[VALUE], columns[GRADIENT], by_latex)


def _column(numbers: Iterable[float]) -> dict[float, str]:
    listed = [float(n) for n in numbers]
    return dict(zip(listed, number_format.column(listed, COLUMN_DIGITS), strict=True))


def _plain(text: str) -> str:
    bare = text.rstrip("0").rstrip(".") if "." in text else text
    return bare.replace(number_format.MINUS, "-")
