"""How far off an answer may be: what rounding explains is right, what it does not is wrong.

An answer is right when it differs from the true value by no more than one unit of the last digit that it
was written with. Nobody needs to write many digits (a relative difference of a tenth of the tolerance is
always right), and nobody gets away with few (one of more than the tolerance is never right, unless the
answer is exact).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from report.errors import ReportError

TOLERANCE = 0.005  # relative
ZERO = 1e-9  # what is smaller is 0 but for rounding of the computation itself
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,3})?", re.IGNORECASE)
MAX_LENGTH = 60


@dataclass(frozen=True)
class WrittenAnswer:
    """A number as it was written: its value and the size of one unit of its last digit."""

    value: float
    unit: float


def read_answer(text: str, *, comma: bool = False) -> WrittenAnswer:
    """A number that a student wrote: -0.0629, −6.29e-2, 6.29 × 10^-2, and 0,0629 where `comma`.

    Raises ReportError for anything else.
    """
    plain = text.strip().replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-")
    plain = re.sub(r"\s*(?:×|\*|x)\s*10\s*(?:\^|\*\*)\s*", "e", plain)
    if comma and plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    if len(plain) > MAX_LENGTH or not _NUMBER.fullmatch(plain):
        raise ReportError(f"{text[:40]!r} is no number")
    number = Decimal(plain)
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    value, unit = float(number), float(Decimal(1).scaleb(exponent))
    if value in (float("inf"), float("-inf")):
        raise ReportError(f"{text[:40]!r} is too large")
    return WrittenAnswer(value, unit)


def allowed(true: float, unit: float, tolerance: float = TOLERANCE) -> float:
    """How far an answer whose last digit is worth `unit` may be from the true value."""
    most = tolerance * abs(true)
    return max(min(unit, most), most / 10, ZERO)


def is_right(answer: WrittenAnswer, true: float, tolerance: float = TOLERANCE) -> bool:
    """Whether rounding explains the difference."""
    # A hair more than the bound: 0.3 is one unit from 0.2, though not in binary.
    return abs(answer.value - true) <= allowed(true, answer.unit, tolerance) * (1 + 1e-9)
