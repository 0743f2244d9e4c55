"""Random inputs: a table such as {uniform = [-3, 3], digits = 1} and a key -> numbers.

    {uniform = [-3, 3], digits = 1}     every number of one decimal from −3 to 3 is equally likely
    {normal = [0, 1], digits = 2}       mean and standard deviation, rounded to two decimals
    {integers = [1, 9]}                 whole numbers, both ends included
    {choice = [0.5, 1, 2]}              one of these numbers or lists
    shape = 3 or shape = [3, 3]         beside any of them: so many, each drawn by itself

The numbers come from SHA-256 in counter mode and from integer and decimal arithmetic alone, which are
specified to the last digit: the same key gives the same numbers on every machine and with every version
of Python and NumPy. No binary floating-point function takes part, so that no rounding hangs on one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

from report.errors import ReportError, nearest, shown

MAX_ENTRIES = 100_000
MAX_DIGITS = 10
MAX_SIZE = 10**15  # of a bound
DIGITS = 2  # where the table names none
_KINDS = ("uniform", "normal", "integers", "choice")
_ROUNDED = ("uniform", "normal")
_CONTEXT = Context(prec=50, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999)


class Stream:
    """Whole numbers without end, decided by a key alone."""

    def __init__(self, *key: str) -> None:
        parts = [part.encode() for part in key]
        self._key = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        self._blocks = 0
        self._bytes = b""

    def below(self, n: int) -> int:
        """A whole number from 0 to n − 1, each as likely as the others."""
        bits = (n - 1).bit_length()
        size = (bits + 7) // 8
        while True:
            number = int.from_bytes(self._take(size), "big") >> (8 * size - bits)
            if number < n:
                return number

    def _take(self, size: int) -> bytes:
        while len(self._bytes) < size:
            counter = self._blocks.to_bytes(8, "big")
            self._bytes += hashlib.sha256(self._key + counter).digest()
            self._blocks += 1
        taken, self._bytes = self._bytes[:size], self._bytes[size:]
        return taken


@dataclass(frozen=True)
class Random:
    """A random input: how one entry is drawn, how many values it can take, and the shape."""

    entry: Callable[[Stream], Any]
    choices: int
    shape: tuple[int, ...] = ()

    @property
    def variety(self) -> int:
        """How many different values the input can take, at most."""
        return self.choices ** min(math.prod(self.shape), 64)

    def draw(self, *key: str) -> Any:
        """The number, or nested lists of numbers, that belongs to a key."""
        return _nested(self.entry, Stream(*key), self.shape)


def is_random(value: Any) -> bool:
    """Whether an input's value asks for a draw: whether it is a table."""
    return isinstance(value, Mapping)


def read_random(table: Mapping[str, Any], where: str) -> Random:
    """What a table of a homework file asks for; ReportError, beginning with `where`, for no such table."""
    kinds = [key for key in table if key in _KINDS]
    if len(kinds) != 1:
        raise ReportError(
            f"{where} is a table of {shown(', '.join(map(str, table))) if table else 'nothing'}; a "
            "random input names one of uniform = [-3, 3], normal = [0, 1], integers = [1, 9], "
            "choice = [1, 2, 5]"
        )
    kind = kinds[0]
    known = (kind, "shape", "digits") if kind in _ROUNDED else (kind, "shape")
    for key in table:
        if key not in known:
            near = nearest(str(key), known) or f"; beside {kind} stand: {', '.join(known[1:])}"
            raise ReportError(f"{where}: unknown key {shown(key)}{near}")
    shape = _shape(table.get("shape", []), where)
    if kind == "choice":
        return _choice(table[kind], shape, where)
    if kind == "integers":
        low, high = _pair(table[kind], f"{where}: integers", "[1, 9]")
        if low.denominator != 1 or high.denominator != 1:
            raise ReportError(f"{where}: integers takes two whole numbers, such as [1, 9]")
        return _grid(low, high, 0, shape, f"{where}: integers")
    digits = table.get("digits", DIGITS)
    if isinstance(digits, bool) or not isinstance(digits, int) or not 0 <= digits <= MAX_DIGITS:
        raise ReportError(
            f"{where}: digits is {shown(digits)}; it is a whole number from 0 to {MAX_DIGITS}"
        )
    if kind == "uniform":
        low, high = _pair(table[kind], f"{where}: uniform", "[-3, 3]")
        return _grid(low, high, digits, shape, f"{where}: uniform")
    mean, deviation = _pair(table[kind], f"{where}: normal", "[0, 1]")
    if deviation <= 0:
        raise ReportError(f"{where}: normal takes a mean and a positive standard deviation")
    within_six = 2 * math.ceil(6 * deviation * 10**digits) + 1
    return Random(_normal(mean, deviation, digits), within_six, shape)


def _shape(shape: Any, where: str) -> tuple[int, ...]:
    sizes = [shape] if isinstance(shape, int) else shape
    if (
        not isinstance(sizes, (list, tuple))
        or len(sizes) > 8
        or any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in sizes)
    ):
        raise ReportError(f"{where}: shape is {shown(shape)}; write shape = 3 or shape = [3, 3]")
    if math.prod(sizes) > MAX_ENTRIES:
        raise ReportError(f"{where}: shape {shown(shape)} has more than {MAX_ENTRIES} entries")
    return tuple(sizes)


def _pair(value: Any, what: str, example: str) -> tuple[Fraction, Fraction]:
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(map(_is_number, value)):
        raise ReportError(f"{what} is {shown(value)}; it takes two numbers, such as {example}")
    if any(abs(v) > MAX_SIZE for v in value):
        raise ReportError(f"{what} is {shown(value)}; numbers up to {MAX_SIZE:.0e} are possible")
    first, second = (Fraction(repr(v)) for v in value)  # 0.1 is a tenth, as it was written
    return first, second


def _is_number(value: Any) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool)
    return isinstance(value, float) and math.isfinite(value)


# ---------------------------------------------------------------- one entry


def _grid(low: Fraction, high: Fraction, digits: int, shape: tuple[int, ...], what: str) -> Random:
    """The numbers of so many decimals from `low` to `high`, each equally likely."""
    unit = 10**digits
    first, last = math.ceil(low * unit), math.floor(high * unit)
    if first > last:
        raise ReportError(
            f"{what}: there is no number of {digits} decimals from {float(low):g} to {float(high):g}"
        )

    def entry(stream: Stream) -> int | float:
        number = first + stream.below(last - first + 1)
        return number / unit if digits else number  # a quotient of integers is rounded correctly

    return Random(entry, last - first + 1, shape)


def _normal(mean: Fraction, deviation: Fraction, digits: int) -> Callable[[Stream], float]:
    def entry(stream: Stream) -> float:
        with localcontext(_CONTEXT):
            middle, spread = (Decimal(n.numerator) / n.denominator for n in (mean, deviation))
            unit = Decimal(1).scaleb(-digits)
            return float((middle + spread * _standard_normal(stream)).quantize(unit)) + 0.0

    return entry


def _standard_normal(stream: Stream) -> Decimal:
    """The polar method (Marsaglia and Bray 1964), in decimal arithmetic of fifty digits."""
    half = 1 << 63
    while True:
        u, v = (Decimal(2 * stream.below(2 * half) + 1 - 2 * half) / (2 * half) for _ in range(2))
        s = u * u + v * v
        if s < 1:
            return u * (-2 * s.ln() / s).sqrt()


def _choice(values: Any, shape: tuple[int, ...], where: str) -> Random:
    what = f"{where}: choice"
    if not isinstance(values, (list, tuple)) or not values:
        raise ReportError(f"{what} is {shown(values)}; it takes a list, such as [0.5, 1, 2]")
    for value in values:
        if not (_is_number(value) or (isinstance(value, (list, tuple)) and not shape)):
            more = " beside shape" if isinstance(value, (list, tuple)) else ""
            raise ReportError(f"{what} holds {shown(value)}; it is a list of finite numbers{more}")
    kept = list(values)
    different = len({repr(value) for value in kept})
    return Random(lambda stream: kept[stream.below(len(kept))], different, shape)


def _nested(entry: Callable[[Stream], Any], stream: Stream, shape: tuple[int, ...]) -> Any:
    if not shape:
        return entry(stream)
    return [_nested(entry, stream, shape[1:]) for _ in range(shape[0])]
