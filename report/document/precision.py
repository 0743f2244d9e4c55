"""One precision for a number wherever it stands: in its column, among the numbers of a row, in a result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from report import number_format
from report.derivation.latex import Printed
from report.derivation.latex.printed import Shown
from report.derivation.latex.symbols import GRADIENT, VALUE

COLUMN_DIGITS = 7  # significant digits of the largest number in a column


@dataclass(frozen=True)
class Precision:
    """Scalars as their columns have them: values and gradients by number, and by colour and rounded number."""

    values: Mapping[float, str]
    gradients: Mapping[float, str]
    _rounded: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def __call__(self, numbers: Printed) -> Printed:
        """A formula with its numbers rounded as in their columns, without zeros that only align."""
        return numbers.with_shown(self._of)

    def alone(self, value: float) -> str:
        """A value as its column has it, as text."""
        found = self._rounded.get((VALUE, _rounded(float(value))))
        return found.replace("-", number_format.MINUS) if found else number_format.show(value)

    def product(self, numbers: Printed, result: float) -> Printed:
        """The same of a product beside its result; a factor that is the result but for its sign is as precise."""
        return numbers.with_shown(lambda text, shown: self._beside(result, text, shown))

    def _beside(self, result: float, text: str, shown: Shown) -> str:
        alike = isinstance(shown.numbers, float) and abs(shown.numbers) == abs(result)
        again = self._rounded.get((GRADIENT, _rounded(result))) if alike else None
        if again is None:
            return self._of(text, shown)
        return f"{'-' * (shown.numbers < 0)}{again.removeprefix('-')}"

    def _of(self, text: str, shown: Shown) -> str:
        return self._rounded.get((shown.colour, _rounded(shown.numbers)), text)


def precision(values: Iterable[float], gradients: Iterable[float]) -> Precision:
    """The precision of a column of values and of one of gradients."""
    columns = {VALUE: _column(values), GRADIENT: _column(gradients)}
    rounded = {
        (colour, _rounded(number)): _plain(text, number)
        for colour, column in columns.items()
        for number, text in column.items()
        if "×" not in text
    }
    return Precision(columns[VALUE], columns[GRADIENT], rounded)


def _column(numbers: Iterable[float]) -> dict[float, str]:
    listed = [float(n) for n in numbers]
    return dict(zip(listed, number_format.column(listed, COLUMN_DIGITS), strict=True))


def _rounded(number: Any) -> str:
    """A number as it stands alone; "" where there is none, or several."""
    return number_format.number_latex(number) if isinstance(number, float) else ""


def _plain(text: str, number: float) -> str:
    """A number of a column where no other one stands below it; zeros stay where it has more digits."""
    return number_format.bare(text.rstrip().replace(number_format.MINUS, "-"), number)
