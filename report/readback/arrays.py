"""Numbers, columns and matrices as a formula has them: 𝟏 as long as need be, products side by side, options below."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

import numpy as np

from report.autodiff.gates import GATES


class Unread(Exception):
    """A formula with something that this reader does not know."""


class Identity:
    """c 𝐈, as large as what it stands beside."""

    def __init__(self, c: Any = 1.0) -> None:
        self.c = c


def _times_identity(a: Any, b: Any) -> Any:
    if isinstance(a, Identity) and isinstance(b, Identity):
        return Identity(a.c * b.c)
    one, other = (a, b) if isinstance(a, Identity) else (b, a)
    if isinstance(other, Ones | Repeated):
        raise Unread("how large I is")
    return Identity(one.c * other) if np.ndim(other) == 0 else one.c * other


def _plus_identity(a: Any, b: Any) -> Any:
    if isinstance(a, Identity) and isinstance(b, Identity):
        return Identity(a.c + b.c)
    one, other = (a, b) if isinstance(a, Identity) else (b, a)
    if np.ndim(other) != 2 or np.shape(other)[0] != np.shape(other)[1]:
        raise Unread("how large I is")
    return other + one.c * np.eye(len(other))


class Repeated:
    """x 𝟏ᵀ, a matrix with the same column again and again (axis 1), or 𝟏 xᵀ with the same row (axis 0)."""

    def __init__(self, c: Any, axis: int) -> None:
        self.c, self.axis = c, axis


class Ones:
    """c 𝟏, as long as what it stands beside; `row`: 𝟏ᵀ."""

    def __init__(self, c: Any = 1.0, row: bool = False) -> None:
        self.c, self.row = c, row


@lru_cache(maxsize=4096)
def bare(name: str) -> str:
    """A name without fonts."""
    return re.sub(r"\\operatorname\{(\w+)\}", r"\1", name).replace("\\", "")


def plain(x: Any) -> Any:
    """An array, where 𝟏 stands alone."""
    if isinstance(x, Identity):
        raise Unread("how large I is")
    return x.c if isinstance(x, Ones | Repeated) else x


def turned(x: Ones | Repeated) -> Any:
    """The transpose of 𝟏 or of a matrix with the same rows."""
    if isinstance(x, Ones):
        return Ones(x.c, not x.row)
    return Repeated(np.transpose(x.c), 1 - x.axis)


def is_nan(x: Any) -> bool:
    """Whether a number of either kind is none."""
    return math.isnan(float(x))


def _is_nothing(x: Any) -> bool:
    """Whether a number of either kind is 0, beside which another need not exist."""
    return bool(getattr(x, "stored", x) == 0)


def inverse(a: Any) -> Any:
    """The inverse of a matrix; numbers of more digits know their own."""
    return GATES["inv"].forward(a) if np.asarray(a).dtype == object else np.linalg.inv(a)


def determinant(a: Any) -> Any:
    """The determinant of a matrix."""
    return GATES["det"].forward(a) if np.asarray(a).dtype == object else np.linalg.det(a)


def rank(value: Any) -> int:
    """The axes with more than one entry."""
    return sum(n != 1 for n in np.shape(value))


def entry(value: Any, places: list[Any]) -> Any:
    """An entry by labels that count from 1; beside a bracket that is 0 it need not exist."""
    array = np.squeeze(value)
    if any(map(is_nan, places)):
        return math.nan
    at = [round(float(p)) - 1 for p in places]
    if any(not 0 <= p < n for p, n in zip(at, array.shape, strict=True)):
        return math.nan
    return array[tuple(at)]


def plus(a: Any, b: Any) -> Any:
    """A sum; 𝟏 and 𝐈 are as large as need be."""
    if isinstance(a, Identity) or isinstance(b, Identity):
        return _plus_identity(a, b)
    if isinstance(a, Ones) and isinstance(b, Ones) and a.row == b.row:
        return Ones(a.c + b.c, a.row)
    return np.add(*fitted(plain(a), plain(b)))


def hadamard(a: Any, b: Any) -> Any:
    """A product entry by entry."""
    if isinstance(a, Identity) or isinstance(b, Identity):
        one, other = (a, b) if isinstance(a, Identity) else (b, a)
        if np.ndim(other) != 2:
            raise Unread("how large I is")
        return np.eye(len(other)) * one.c * other
    for x, other in ((a, b), (b, a)):
        if isinstance(x, Repeated) and x.axis == 0 and np.shape(other) == np.shape(x.c)[::-1]:
            return Repeated(x.c * other.T, 0)
    return np.multiply(*fitted(plain(a), plain(b)))


def fitted(a: Any, b: Any) -> tuple[Any, Any]:
    """A vector beside a matrix, in NumPy's reading: one number for each column."""
    if np.ndim(a) != 2 or np.ndim(b) != 2 or a.shape == b.shape:
        return a, b
    if a.shape[1] == 1 and a.shape[0] == b.shape[1] != b.shape[0] > 1:
        return a.T, b
    if b.shape[1] == 1 and b.shape[0] == a.shape[1] != a.shape[0] > 1:
        return a, b.T
    return a, b


def times_repeated(a: Any, b: Any) -> Any:
    """A product with x 𝟏ᵀ, with 𝟏 xᵀ or with 𝟏𝟏ᵀ."""
    for x, other in ((a, b), (b, a)):
        if np.ndim(plain(other)) == 0 and not isinstance(other, Ones | Repeated):
            return Repeated(x.c * other, x.axis)
    if isinstance(a, Repeated) and not isinstance(b, Ones | Repeated):
        if a.axis == 0:
            return Repeated(a.c @ b, 0)
        row = np.sum(b, axis=0, keepdims=True)
        return Repeated(a.c * row, 0) if np.ndim(a.c) == 0 else a.c @ row
    if isinstance(b, Repeated) and not isinstance(a, Ones | Repeated) and b.axis == 1:
        return Repeated(np.sum(a, axis=1, keepdims=True) * b.c if np.ndim(b.c) == 0 else a @ b.c, 1)
    raise Unread("how often 1 is added")


def times(a: Any, b: Any) -> Any:
    """Side by side: a number and anything, or a product of matrices."""
    if isinstance(a, Identity) or isinstance(b, Identity):
        return _times_identity(a, b)
    if (
        np.ndim(plain(a)) == 0
        and np.ndim(plain(b)) == 0
        and not isinstance(a, Ones) | isinstance(b, Ones)
    ):
        return 0.0 if _is_nothing(a) or _is_nothing(b) else a * b
    if isinstance(a, Repeated) or isinstance(b, Repeated):
        return times_repeated(a, b)
    of_ones = isinstance(a, Ones) or isinstance(b, Ones)
    if of_ones and max(np.ndim(plain(a)), np.ndim(plain(b))) > 2:
        raise Unread("how wide 𝟏 is beside a stack of matrices")
    if isinstance(b, Ones):
        if b.row and (isinstance(a, Ones) or np.ndim(a) == 2):
            return Repeated(plain(a) * b.c, 1)
        return Ones(a * b.c, b.row) if np.ndim(a) == 0 else np.sum(a, axis=1, keepdims=True) * b.c
    if isinstance(a, Ones):
        if np.ndim(b) == 0:
            return Ones(a.c * b, a.row)
        summed = np.sum(b, axis=0, keepdims=True) * a.c
        return summed if a.row else Repeated(summed, 0)
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    if a.shape[-1] != b.shape[-2]:
        raise Unread(f"a product of {a.shape} and {b.shape}")
    product = a @ b
    return product[0, 0] if product.shape == (1, 1) else product


def axis_of(note: str) -> int | None:
    """The axis that a note below a name tells: rows, columns, or a number from 1."""
    if note in (r"\text{rows}", r"\text{columns}"):
        return int(note == r"\text{columns}")
    found = re.fullmatch(r"(?:\\text\{axis })?([1-9])", note)
    return int(found[1]) - 1 if found else None


def reduced(name: str, note: str, x: Any) -> Any:
    """A reduction along an axis, or of all entries; softmax takes rows, or a whole vector."""
    options: dict[str, Any] = {}
    is_kept = False
    for part in note.split(",") if note else ():
        if (axis := axis_of(part)) is not None:
            options["axis"] = (*options.get("axis", ()), axis)
        elif found := re.fullmatch(r"n-(\d)", part):
            options["ddof"] = int(found[1])
        elif part == r"\text{kept}":
            is_kept = True
        else:
            raise Unread(part)
    if len(options.get("axis", ())) == 1:
        (options["axis"],) = options["axis"]
    is_column = np.ndim(x) == 2 and x.shape[1] == 1
    if name == "softmax" and "axis" not in options:
        options["axis"] = 0 if is_column else -1
    if name not in ("softmax", "cumsum") and "axis" in options:
        options["keepdims"] = is_kept
    value = GATES[name].forward(x, **options)
    if "axis" in options and np.ndim(value) == 1:
        value = value.reshape(-1, 1)  # a vector is a column
    return value.reshape(np.shape(x)) if name == "cumsum" else value
