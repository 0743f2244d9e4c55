"""What a student's numbers are worth, and why the wrong ones are wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from report.autodiff.graph import Array
from report.student.ruler import Own
from report.student.walk import Key

AGREES, SINGLE, FOLLOWS, DIFFERS, MISSING = (
    "agrees",
    "single precision",
    "follows",
    "differs",
    "not printed",
)


@dataclass(frozen=True)
class Cause:
    """A mistake that gives the student's number: its kind, where it is, and what it is in words."""

    kind: str
    gate: str  # the name of the gate where it is made
    backward: bool
    where: str  # "gate 2, q2 = sin(q1)"
    words: str
    at: Key | None = field(default=None, repr=False)  # the number that it makes wrong

    def __str__(self) -> str:
        return f"{self.where}: {self.words}"


@dataclass(frozen=True, eq=False)
class Line:
    """One value or gradient: the true number, the student's, and what it is worth."""

    key: Key
    name: str  # q3, or df/dq3
    true: Array
    own: Own | None
    verdict: str
    causes: tuple[Cause, ...] = ()  # of a number that differs, the likeliest first
    after: str = ""  # the wrong number that one follows from
    close: Array | None = None  # of each entry, whether it agrees
    asked: bool = True  # a value of a gate, or a gradient that leads to one asked for


@dataclass(frozen=True, eq=False)
class OwnWork:
    """A student's numbers of one question, in the order of a trace; `other` are numbers of something else."""

    lines: tuple[Line, ...]
    other: int

    @property
    def printed(self) -> tuple[Line, ...]:
        """The lines that the student has a number for."""
        return tuple(line for line in self.lines if line.own is not None)

    def agrees_at(self, name: str, place: tuple[int, ...]) -> bool | None:
        """Whether an entry of a value's gradient is right; None where it is not printed."""
        for line in self.lines:
            if line.own is not None and line.key[1] and line.key[0].name == name:
                if line.close is None:
                    return False
                return None if np.isnan(line.own.value[place]) else bool(line.close[place])
        return None

    @property
    def wrong(self) -> tuple[Line, ...]:
        """The numbers that differ and do not follow from earlier ones, in order."""
        return tuple(line for line in self.lines if line.verdict == DIFFERS)

    @property
    def first(self) -> Line | None:
        """The first wrong number."""
        return next(iter(self.wrong), None)

    def count(self, verdict: str) -> int:
        """How many lines have a verdict."""
        return sum(line.verdict == verdict for line in self.lines)

    @property
    def agrees(self) -> bool:
        """Whether numbers were found, and none of them differs."""
        return bool(self.printed) and not any(
            line.verdict in (DIFFERS, FOLLOWS) for line in self.lines
        )
