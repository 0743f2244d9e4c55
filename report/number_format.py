"""How numbers are shown: one format everywhere, with a true minus sign. Rounding happens here only.

A number is shown to six significant digits, in powers of ten when it is very large or very small:
0.335561, −3, 1.2 × 10⁻⁷. Zeros at its end are left out where it has no more digits: −3, but 0.960170
for 0.96017028. A column of numbers gets one precision for all.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

DIGITS = 6
MINUS = "−"
_ROUNDING = 1e-13  # relative, of the few gates before a number such as 0.1 + 0.2
POINT_SPACE, DIGIT_SPACE = "\N{PUNCTUATION SPACE}", "\N{FIGURE SPACE}"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def parts(x: float, digits: int = DIGITS) -> tuple[str, int | None]:
    """The mantissa and the power of ten (None: none is written), with ASCII signs."""
    if x == 0 or not math.isfinite(x):
        return ("0" if x == 0 else str(x)), None
    mantissa, _, exponent = f"{_half_up(x):.{digits - 1}e}".partition("e")
    power = int(exponent)
    if -5 < power < max(digits, 6):
        return bare(f"{_half_up(x):.{max(digits - 1 - power, 0)}f}", x), None
    return bare(mantissa, x, f"e{exponent}"), power


def _half_up(x: float) -> float:
    """A number to be rounded as people round, 1.0625 to 1.063: Python takes the even digit of a tie."""
    return math.nextafter(x, math.copysign(sys.float_info.max, x)) if x else x


def bare(decimal: str, x: float, exponent: str = "") -> str:
    """A decimal of a number without the zeros at its end, where the number has no more digits."""
    only_zeros = "." in decimal and _says_all(decimal + exponent, x)
    return decimal.rstrip("0").rstrip(".") if only_zeros else decimal


def _says_all(written: str, x: float) -> bool:
    """Whether a number has no more digits than are written, but for rounding."""
    return math.isclose(float(written), x, rel_tol=_ROUNDING)


def show(x: Any, digits: int = DIGITS) -> str:
    """A number as text: −0.552, 1.2 × 10⁻⁷."""
    mantissa, power = parts(float(x), digits)
    text = mantissa.replace("-", MINUS)
    return text if power is None else f"{text} × 10{str(power).translate(_SUPERSCRIPT)}"


def number_latex(x: Any, digits: int = DIGITS) -> str:
    r"""A number as LaTeX: -0.552, 1.2 \times 10^{-7}."""
    mantissa, power = parts(float(x), digits)
    return mantissa if power is None else rf"{mantissa} \times 10^{{{power}}}"


def written_latex(x: float) -> str:
    """A number of a formula as LaTeX: with all the digits that it was written with, up to 15; 10^{-5}."""
    return re.sub(r"^(-?)1 \\times ", r"\1", number_latex(x, written_digits(x)))


def written_digits(x: float) -> int:
    """With how many significant digits a number of a formula is written: all that it has, up to 15."""
    return next((d for d in range(DIGITS, 15) if float(f"{x:.{d - 1}e}") == x), 15)


def column(values: Iterable[Any], digits: int = DIGITS) -> list[str]:
    """Numbers for one column: all with the same decimals, so that their points align.

    The largest gets `digits` significant digits, the smallest at least four, and zeros that all of
    them end in are left out where they have no more digits. An exact zero is 0 and the room of the decimals. Numbers that span too much
    for that are shown each by itself.
    """
    numbers = [float(v) for v in values]
    if not all(map(math.isfinite, numbers)):
        return [show(v, digits) for v in numbers]
    sizes = [math.floor(math.log10(abs(v))) for v in numbers if v]
    if not sizes:
        return ["0"] * len(numbers)
    if max(sizes) >= max(digits, 6) or min(sizes) < -7 or max(sizes) - min(sizes) > digits:
        return [show(v, digits) for v in numbers]
    decimals = max(digits - 1 - max(sizes), 3 - min(sizes), 0)
    shown = [f"{_half_up(v):.{decimals}f}" if v else "0" for v in numbers]
    said = all(map(_says_all, shown, numbers))
    while said and decimals and all(s.endswith("0") for s in shown):
        decimals -= 1
        shown = [s[:-1].rstrip(".") or "0" for s in shown]
    room = POINT_SPACE + decimals * DIGIT_SPACE if decimals else ""
    return [s.replace("-", MINUS) if v else f"0{room}" for s, v in zip(shown, numbers, strict=True)]


def with_room(shown: str) -> tuple[str, str]:
    """A number of a column, and what it keeps room for, if anything: 0 and .000, say.

    Spaces are as wide as digits in few fonts: those digits, unseen, keep the room on paper.
    """
    number = shown.rstrip(POINT_SPACE + DIGIT_SPACE)
    places = len(shown) - len(number) - 1
    return number, f".{places * '0'}" if places > 0 else ""


def together(values: Iterable[Any], digits: int = DIGITS) -> list[str]:
    """The entries of one tensor: all to the decimals that give the largest its `digits`.

    One or two more show the smallest one. Where that is not enough, or all are very large or very
    small, every one has a mantissa of `digits` and a power of ten. Zeros that all of them end in are
    left out where they have no more digits.
    """
    numbers = [float(v) + 0.0 for v in values]  # without the sign of a zero
    sizes = [math.floor(math.log10(abs(v))) for v in numbers if v]
    if not sizes:
        return ["0"] * len(numbers)
    decimals = max(digits - 1 - max(sizes), 0)
    more = max(-min(sizes) - decimals, 0)
    if -5 < max(sizes) < max(digits, 6) and more <= 2:
        decimals += more
        pairs = [(f"{_half_up(v):.{decimals}f}" if v else "0", "", "") for v in numbers]
    else:
        decimals = digits - 1
        pairs = [
            f"{_half_up(v):.{decimals}e}".partition("e") if v else ("0", "", "") for v in numbers
        ]
    shown = [mantissa for mantissa, _, _ in pairs]
    exponents = [e + power for _, e, power in pairs]
    powers = [f" × 10{str(int(p)).translate(_SUPERSCRIPT)}" if p else "" for _, _, p in pairs]
    said = all(map(_says_all, map(str.__add__, shown, exponents), numbers))
    while said and decimals and all(s[-1] == "0" for s in shown):
        decimals -= 1
        shown = [s[:-1].rstrip(".") or "0" for s in shown]
    return [s.replace("-", MINUS) + power for s, power in zip(shown, powers, strict=True)]


def as_fraction(x: float) -> tuple[int, int] | None:
    """Numerator and denominator of a constant such as 1/3 that has no short decimal; None if none."""
    if not math.isfinite(x) or len(repr(x)) < 10 or abs(x) > 1e6:
        return None
    fraction = Fraction(x).limit_denominator(10_000)
    return (fraction.numerator, fraction.denominator) if float(fraction) == x else None


def entries(value: Any) -> list[float]:
    """All entries of a number or tensor in row-major order."""
    return [float(v) for v in np.asarray(value).reshape(-1)]
