"""What a caller hands over, copied into Python's plain types."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timezone
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from report.errors import ReportError, shown

MAX_ENTRIES = 1_000_000
MAX_NAMES = 100_000
MAX_AXES = 8
_PLAIN = frozenset({str, int, float, bool, type(None), date, time})
_LISTS = frozenset({list, tuple, set, frozenset, type({}.keys())})
_SCALARS = frozenset(np.sctypeDict.values())  # NumPy's own, no subclass


def as_text(value: Any) -> str | None:
    """A text as plain str, also that of a subclass such as np.str_; None for what is no text."""
    if type(value) is str:
        return value
    return str.__str__(value) if issubclass(type(value), str) else None


def as_list(value: Any) -> tuple[Any, ...] | None:
    """The entries of a list, tuple or set; None for anything else, such as a generator without an end."""
    return tuple(value) if type(value) in _LISTS else None


def as_table(value: Any, what: str) -> dict[Any, Any]:
    """A table as a plain dict; ReportError, beginning with `what`, for anything else."""

    def pairs() -> Any:
        if not issubclass(kind, Mapping):
            return None
        items = dict.items(value) if issubclass(kind, dict) else value.items()
        return dict(islice(items, MAX_NAMES + 1))

    kind = type(value)
    found = value if kind is dict else _told(pairs)
    if found is None:
        raise ReportError(f"{what} must be a table of names and values, not {shown(value)}")
    if len(found) > MAX_NAMES:
        raise ReportError(f"{what} has more than {MAX_NAMES} names")
    return found


def as_path(value: Any) -> Path:
    """The name of a file as a path; ReportError for what cannot be one."""
    own = _told(lambda: os.fsdecode(os.fsencode(os.fspath(value))))
    if not own or "\0" in own or isinstance(value, bytes):
        raise ReportError(f"{shown(value)} is no name of a file")
    return Path(own)


def _told(ask: Callable[[], Any]) -> Any:
    """What an object says of itself, None when that fails: the one place where foreign code is called."""
    try:
        return ask()
    except (Exception, SystemExit):  # noqa: BLE001 - it may raise anything
        return None


def plain(value: Any, what: str) -> Any:
    """A copy of numbers, text, dates, lists and tables in Python's own types, as a homework file holds them.

    Raises ReportError, beginning with `what`, for another kind of value and for too many of them.
    """
    return _copy(value, what, [MAX_ENTRIES], MAX_AXES)


def _copy(value: Any, what: str, left: list[int], depth: int) -> Any:
    kind = type(value)
    many = f"{what} has too many entries, or too many lists inside each other"
    if kind in (list, tuple, dict):
        left[0] -= 1 + len(value)
        if depth == 0 or left[0] < 0:
            raise ReportError(many)
        if kind is not dict and not value:
            raise ReportError(f"{what} is empty; give at least one number")
        if kind is dict:
            return {key: _copy(v, what, left, depth - 1) for key, v in value.items()}
        if _PLAIN.issuperset(map(type, value)):
            return list(value)
        return [_copy(v, what, left, depth - 1) for v in value]
    array = _numpy(value, what)
    if array is not None:
        left[0] -= array.size
        if array.ndim > depth or left[0] < 0:
            raise ReportError(many)
        return (array.astype(np.float64) if array.dtype.kind == "f" else array).tolist()
    if kind in _PLAIN or (kind is datetime and type(value.tzinfo) in (type(None), timezone)):
        return value
    raise ReportError(f"{what}: {shown(value)} is no number, text or list of numbers")


def _numpy(value: Any, what: str) -> Any:
    """A NumPy array or number as a plain array, that of a subclass too; None for anything else.

    Raises ReportError, beginning with `what`, for an array of what is no number.
    """
    kind = type(value)
    if kind not in _SCALARS and not issubclass(kind, np.ndarray):
        return None
    if any(c.__name__ == "MaskedArray" for c in kind.__mro__):
        raise ReportError(f"{what}: a masked array lacks some of its values; fill them in first")
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise ReportError(f"{what}: an array of {array.dtype} holds no real numbers")
    if array.dtype.kind == "b" and not array.ndim:
        raise ReportError(f"{what} is a truth value ({array}); give a number")
    return array
