"""What a caller hands over: input values, names, tables. Here it is checked, and copied into plain types.

`read_inputs` turns values into float64 arrays and refuses what is not a finite, rectangular block of
numbers, with a message that names the input and the place in it. Values come from code as well as from
files: Python's own types and NumPy's arrays and numbers are taken. The methods of any other class, its
repr among them, may fail, never end or do anything, so they are not called.
"""

from __future__ import annotations

import keyword
import math
import re
import unicodedata
from typing import Any

import numpy as np

from report.autodiff.graph import Array, Shape
from report.errors import ReportError, shown
from report.plain_values import _SCALARS, MAX_AXES, MAX_ENTRIES, _numpy, as_table, as_text

MAX_TOTAL = 10_000_000  # entries of all inputs
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
LATEX_NAME = re.compile(
    r"[^\W\d_][\w\\{}^()\[\],'*+\-. |]{0,59}|\\[A-Za-z][\w\\{}^()\[\],'*+\-. |]{0,58}"
)
CONSTANTS = {"pi": math.pi}
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
_ACCENTS = {"\u0302": "_hat", "\u0303": "_tilde", "\u0304": "_bar", "\u0307": "_dot"}
ACCENTS = "".join(_ACCENTS)  # signs that stand over the letter before them
_TRUTH = {bool, np.bool_}
_NUMBERS = {int, float, *(k for k in _SCALARS if np.dtype(k).kind in "fiu")}


# ---------------------------------------------------------------- names, lists and tables


def ascii_name(name: str) -> str:
    """A name in ASCII: Greek letters by their English names, lowered digits as digits, accents behind (α, x₁, ŷ)."""
    return name if name.isascii() else "".join(map(_letter, unicodedata.normalize("NFD", name)))


def _letter(c: str) -> str:
    if c.isascii() or c in _LOWERED:
        return _LOWERED.get(c, c)
    if c in _ACCENTS:
        return _ACCENTS[c]
    known = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(c, ""))
    if known is None:
        return c
    name = known[2].lower().replace("lamda", "lambda")
    return name.capitalize() if known[1] == "CAPITAL" else name


def check_name(name: Any, what: str = "input", latex: bool = False) -> str:
    """A name that a formula may use; ReportError when it is not one or is already taken.

    α and x₁ are alpha and x1. In LaTeX a name may also be LaTeX (h_{t-1}), and words of Python are names as any other (lambda).
    """
    own = as_text(name)
    if latex and own is not None and LATEX_NAME.fullmatch(own):
        return own
    own = own if own is None else ascii_name(own)
    if own is None or not NAME.fullmatch(own):
        raise ReportError(
            f"{what} {shown(name if own is None else own)}: a name starts with a letter a-z or A-Z and "
            "goes on with letters, digits and _ (40 at most)"
        )
    if keyword.iskeyword(own) and own != "lambda":
        raise ReportError(f"{what} {own!r}: this word belongs to Python; choose another name")
    if own in CONSTANTS:
        raise ReportError(f"{what} {own!r}: this is the constant; choose another name")
    return own


# ---------------------------------------------------------------- values


def read_inputs(inputs: Any, latex: bool = False) -> dict[str, Array]:
    """Every input as np.float64 (scalar) or float64 array, in the order given, for LaTeX or an expression.

    Raises ReportError for a bad name, a value that is no number, NaN or infinity, rows of different
    lengths, an empty list, and more than a million entries in one input or ten million in all.
    """
    values: dict[str, Array] = {}
    entries = 0
    for name, value in as_table(inputs, "inputs").items():
        own = check_name(name, latex=latex)
        if own in values:
            raise ReportError(
                f"two inputs are called {own}: {shown(name)} is another way to write it"
            )
        values[own] = read_value(own, value)
        entries += values[own].size
        if entries > MAX_TOTAL:
            raise ReportError(f"the inputs have more than {MAX_TOTAL} entries together")
    return values


def read_value(name: str, value: Any) -> Array:
    """One input as np.float64 or float64 array; see `read_inputs` for the errors.

    Truth values are 1 and 0, as the entries of an array or a list: a mask.
    """
    block = _Block(name)
    array = block.array(block.read(value, "", 0))
    if array.size == 0:
        raise ReportError(f"input {name!r} is empty; give at least one number")
    if not np.isfinite(array).all():
        where = np.argwhere(~np.isfinite(array))[0]
        place = "".join(f"[{i}]" for i in where)
        raise ReportError(f"input {name}{place} is {array[tuple(where)]}; give a finite number")
    return array if array.ndim else np.float64(array)


class _Block:
    """Collects the numbers of nested lists and arrays, row by row."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.numbers: Any = []  # or an array

    def read(self, value: Any, place: str, depth: int) -> Shape:
        """The shape of a value, whose numbers are added to those before."""
        kind = type(value)
        if kind is list or kind is tuple:
            return self._row(value, place, depth)
        what = f"input {self.name}{place}"
        if depth and kind in _TRUTH:
            self.numbers.append(float(value))
            return ()
        array = _numpy(value, f"input {self.name!r}")
        if array is not None:
            self._room(array.size)
            if depth + array.ndim > MAX_AXES:
                raise ReportError(f"input {self.name!r} has more than {MAX_AXES} axes")
            if depth:
                self.numbers += array.ravel().tolist()
            else:
                self.numbers = array  # the whole of it
            return array.shape
        if kind not in (int, float):
            known = {str: "text", bool: "a truth value", dict: "a table"}.get(kind, "no number")
            raise ReportError(f"{what} is {known} ({shown(value)}); give a number")
        self.numbers.append(value)
        return ()

    def _row(self, value: Any, place: str, depth: int) -> Shape:
        if depth == MAX_AXES:
            raise ReportError(f"input {self.name!r} has more than {MAX_AXES} axes")
        if not value:  # at once: of empty lists there may be many without a single number
            raise ReportError(f"input {self.name!r} is empty; give at least one number")
        self._room(len(value))
        kinds = set(map(type, value))
        if kinds <= _NUMBERS or kinds <= _TRUTH:
            self.numbers += value
            return (len(value),)
        first: Shape = ()
        for i, entry in enumerate(value):
            if kinds & _TRUTH and kinds & _NUMBERS and type(entry) in _TRUTH:
                raise ReportError(
                    f"input {self.name}{place}[{i}] is a truth value among numbers; write 1 or 0"
                )
            shape = self.read(entry, f"{place}[{i}]", depth + 1)
            first = shape if i == 0 else first
            if shape != first:
                raise ReportError(
                    f"input {self.name}{place} is ragged: entry 0 has {_size(first)}, entry {i} has "
                    f"{_size(shape)}; all rows need the same length"
                )
        return (len(value), *first)

    def _room(self, more: int) -> None:
        if len(self.numbers) + more > MAX_ENTRIES:
            raise ReportError(f"input {self.name!r} has more than {MAX_ENTRIES} entries")

    def array(self, shape: Shape) -> Array:
        """All numbers in this shape."""
        try:
            with np.errstate(over="ignore"):  # a longdouble may be too large: infinity, refused
                return np.array(self.numbers, dtype=np.float64).reshape(shape)
        except OverflowError:
            at = next(i for i, n in enumerate(self.numbers) if not _fits(n))
            place = "".join(f"[{i}]" for i in np.unravel_index(at, shape))
            raise ReportError(
                f"input {self.name}{place} is too large for a float64 number"
            ) from None


def _fits(number: Any) -> bool:
    try:
        float(number)
    except OverflowError:
        return False
    return True


def _size(shape: Shape) -> str:
    if not shape:
        return "a single number"
    return (
        f"{shape[0]} entr{'y' if shape[0] == 1 else 'ies'}" if len(shape) == 1 else f"shape {shape}"
    )
