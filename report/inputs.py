"""Input values: numbers, vectors, matrices, as a homework file or a caller gives them.

`read_inputs` turns them into float64 arrays and refuses what is not a finite, rectangular block of
numbers, with a message that names the input and the place in it.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from report.errors import ReportError
from report.graph import Array, Shape

MAX_ENTRIES = 1_000_000
MAX_AXES = 8
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
CONSTANTS = {"pi": math.pi}


def check_name(name: Any, what: str = "input") -> str:
    """A name that a formula may use; ReportError when it is not one or is already taken."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ReportError(
            f"{what} {name!r}: a name starts with a letter a-z or A-Z and goes on with letters, "
            "digits and _ (40 at most)"
        )
    if keyword.iskeyword(name):
        raise ReportError(f"{what} {name!r}: this word belongs to Python; choose another name")
    if name in CONSTANTS:
        raise ReportError(f"{what} {name!r}: this is the constant; choose another name")
    return name


def read_inputs(inputs: Mapping[str, Any]) -> dict[str, Array]:
    """Every input as np.float64 (scalar) or float64 array, in the order given.

    Raises ReportError for a bad name, a value that is no number, NaN or infinity, rows of different
    lengths, an empty list, or more than a million entries.
    """
    if not isinstance(inputs, Mapping):
        raise ReportError("inputs must be a table of names and values")
    return {check_name(name): read_value(name, value) for name, value in inputs.items()}


def read_value(name: str, value: Any) -> Array:
    """One input as np.float64 or float64 array; see `read_inputs` for the errors."""
    if isinstance(value, (np.ndarray, np.generic)):
        if not (np.issubdtype(value.dtype, np.floating) or np.issubdtype(value.dtype, np.integer)):
            raise ReportError(f"input {name!r}: an array of {value.dtype} holds no real numbers")
        with np.errstate(over="ignore"):  # a longdouble may be too large: infinity, refused below
            array = np.array(value, dtype=np.float64)
    else:
        flat: list[float] = []
        shape = _read(name, value, "", flat, 0)
        array = np.array(flat, dtype=np.float64).reshape(shape)
    if array.ndim > MAX_AXES:
        raise ReportError(f"input {name!r} has more than {MAX_AXES} axes")
    if array.size == 0:
        raise ReportError(f"input {name!r} is empty; give at least one number")
    if array.size > MAX_ENTRIES:
        raise ReportError(f"input {name!r} has {array.size} entries; {MAX_ENTRIES} are possible")
    if not np.isfinite(array).all():
        where = np.argwhere(~np.isfinite(array))[0]
        place = "".join(f"[{i}]" for i in where)
        raise ReportError(f"input {name}{place} is {array[tuple(where)]}; give a finite number")
    return array if array.ndim else np.float64(array)


def _read(name: str, value: Any, place: str, flat: list[float], depth: int) -> Shape:
    if isinstance(value, (list, tuple)):
        if depth == MAX_AXES:
            raise ReportError(f"input {name!r} has more than {MAX_AXES} axes")
        if len(flat) + len(value) > MAX_ENTRIES:
            raise ReportError(f"input {name!r} has more than {MAX_ENTRIES} entries")
        shapes = [_read(name, v, f"{place}[{i}]", flat, depth + 1) for i, v in enumerate(value)]
        for i, shape in enumerate(shapes):
            if shape != shapes[0]:
                raise ReportError(
                    f"input {name}{place} is ragged: entry 0 has {_size(shapes[0])}, entry {i} has "
                    f"{_size(shape)}; all rows need the same length"
                )
        return (len(value), *(shapes[0] if shapes else ()))
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
        if isinstance(value, list):
            return _read(name, value, place, flat, depth)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        kind = {str: "text", bool: "a truth value", dict: "a table"}.get(type(value), "no number")
        raise ReportError(f"input {name}{place} is {kind} ({_short(value)}); give a number")
    try:
        flat.append(float(value))
    except OverflowError:
        raise ReportError(f"input {name}{place} is too large for a float64 number") from None
    return ()


def _size(shape: Shape) -> str:
    if not shape:
        return "a single number"
    return (
        f"{shape[0]} entr{'y' if shape[0] == 1 else 'ies'}" if len(shape) == 1 else f"shape {shape}"
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
