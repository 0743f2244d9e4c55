"""What reading back has found: how many formulas, which are false, and which nobody can read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from report.autodiff.graph import OutOfDomain
from report.autodiff.rounding_error import ROUNDING
from report.errors import ReportError

TOLERANCE = 1e-9
TINY = 1e-320  # below it a float64 has hardly a digit
NO_NUMBER = "no number at these inputs"
_UNREADABLE = (ReportError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_NO_NUMBERS = (OutOfDomain, np.linalg.LinAlgError)  # of a matrix without an inverse


@dataclass(frozen=True)
class ReadBack:
    """How many formulas were read back, and what is wrong with which."""

    formulas: int
    failures: tuple[str, ...]
    unread: tuple[str, ...] = ()

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The formulas that nobody can read; one that only has no number at these inputs is none of them."""
        return tuple(u for u in self.unread if not u.endswith(f"({NO_NUMBER})"))

    def __add__(self, other: ReadBack) -> ReadBack:
        return ReadBack(
            self.formulas + other.formulas,
            self.failures + other.failures,
            self.unread + other.unread,
        )


class TooMany(Exception):
    """A formula has more entries than are read: it is not counted."""


class Notes:
    """What is found while formulas are read."""

    def __init__(self) -> None:
        self.formulas = 0
        self.failures: list[str] = []
        self.unread: list[str] = []
        self.right: set[str] = set()  # what has been compared and does not fail

    @contextmanager
    def read(self, said: str) -> Iterator[None]:
        """A formula that is read meanwhile; one that cannot be read is noted."""
        self.formulas += 1
        try:
            yield
        except TooMany:
            self.formulas -= 1
        except _NO_NUMBERS:
            self.unread.append(f"{said} ({NO_NUMBER})")
        except _UNREADABLE as error:
            reason = str(error).partition("\n")[0]
            self.unread.append(f"{said} ({reason})")

    @contextmanager
    def if_read(self, said: str) -> Iterator[None]:
        """The same of a result, whose numbers are the trace's: where it cannot be read it is passed over."""
        known = len(self.unread)
        with self.read(said):
            yield
        self.formulas -= len(self.unread) - known
        del self.unread[known:]

    def compare_rounded(self, said: str, value: Any, room: Any, expected: Any) -> None:
        """Whether rounding of the numbers that are shown can be all that two sides differ by."""
        if np.size(value) not in (1, np.size(expected)):  # a vector beside a column looks like one
            raise ReportError("a vector or a column")
        value, room = shaped(value, expected), shaped(room, expected)
        wanted = np.asarray(expected, dtype=float)
        if not (np.isfinite(value).all() and np.isfinite(room).all() and np.isfinite(wanted).all()):
            raise ReportError(NO_NUMBER)
        what = f"the formula {said} does not have the numbers that it should"
        if np.any(np.abs(value - wanted) > 1.01 * room + TOLERANCE * np.abs(wanted) + TINY):
            self.failures.append(what)
        else:
            self.right.add(what)

    @contextmanager
    def by_convention(self, is_on_kink: bool) -> Iterator[None]:
        """What is said meanwhile need not hold on a kink, where a convention decides."""
        known = len(self.failures)
        yield
        if is_on_kink:
            self.formulas -= len(self.failures) - known
            del self.failures[known:]

    def compare(self, said: str, found: Any, expected: Any, scale: float) -> bool:
        """Whether two sides have the same numbers; a failure where they have not."""
        value, wanted = shaped(found, expected), np.asarray(expected, dtype=float)
        if is_lost(value, wanted):
            self.unread.append(f"{said} ({NO_NUMBER})")
            return False
        what = f"the formula {said} does not have the numbers that it should"
        good = are_close(value, wanted, scale)
        if good:
            self.right.add(what)
        else:
            self.failures.append(what)
        return good


def is_lost(value: Any, wanted: Any) -> bool:
    """Whether a formula gives no number where there is one; of what is not known there is none."""
    found, known = (np.isnan(np.asarray(n, dtype=float)).any() for n in (value, wanted))
    return bool(found and not known)


def are_close(value: Any, wanted: Any, scale: float) -> bool:
    """Whether numbers are the same but for rounding; `scale` is the size of what they were summed from."""
    largest = float(np.max(np.abs(wanted))) if np.size(wanted) else 0.0
    room = max(ROUNDING * scale, 1e-13 * largest, TINY)
    same = np.shape(value) == np.shape(wanted)
    return same and np.allclose(value, wanted, rtol=TOLERANCE, atol=room, equal_nan=True)


def shaped(found: Any, expected: Any) -> Any:
    """A number, a column for a vector, or an array that broadcasts to what is expected."""
    value, wanted = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    if value.size == wanted.size:
        return value.reshape(wanted.shape)
    try:
        return np.broadcast_to(value, wanted.shape)
    except ValueError:
        return value
