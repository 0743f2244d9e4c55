"""A homework and its questions, as the file gives them, and a file that reads back as the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from report.autodiff.descent import METHODS, Plan
from report.autodiff.gates.definitions import opened
from report.editions import DETAILS
from report.errors import ReportError, nearest, shown
from report.homework import keys, toml

RATE = 0.1  # of steps, where none is given
HEADING = (*keys.LINES, "due", "paper", "detail", "seed")
TOP = (*HEADING, "require")
QUESTION = (
    "id", "title", "points", "statement", "function", "wrt", "unfold", "hessian", "programs", "program",
    "entry", "jacobian", "direction", "steps", "rate", "method", "require", "inputs",
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """One question as the file gives it.

    `inputs` maps names to numbers or nested lists or, for a random input, to a table, unchecked;
    `wrt` is None where the gradients of all inputs are asked for; `points` is None where there are
    none. `unfold` names gates that are derived through their elementary gates; `hessian` asks for
    second derivatives; `programs` are those of PROGRAMS that the report shows, None where their
    length decides; `require` are conditions on a variant.
    """

    id: str
    function: str
    inputs: Mapping[str, Any]
    wrt: tuple[str, ...] | None = None
    title: str = ""
    statement: str = ""  # Markdown with $math$
    points: int | float | None = None
    unfold: tuple[str, ...] | None = None
    hessian: bool = False
    programs: tuple[str, ...] | None = None
    require: tuple[str, ...] = ()
    entry: tuple[int, ...] | None = None  # of a result that is a vector, from which is gone back
    jacobian: bool = False
    direction: Mapping[str, Any] | None = None  # of forward mode: a tangent for some of the inputs
    steps: int | None = None  # of gradient descent, each of length `rate` times the gradient
    rate: float | None = None
    method: str | None = None
    program: tuple[str, ...] = ()  # files of the student's own, beside the homework file
    number: int = field(default=1, compare=False)  # from 1, in the file
    typed: tuple[str, ...] = field(default=(), compare=False)  # how texts were read as numbers
    lost: frozenset[str] = field(
        default=frozenset(), compare=False
    )  # keys of lines that are no TOML

    @property
    def unfolded(self) -> tuple[str, ...]:
        """The gates that are written out: those named, or where none are said those that a report opens."""
        return opened() if self.unfold is None else self.unfold

    @property
    def start(self) -> tuple[int, ...] | None:
        """The entry of the result from which is gone back: the one named, () for the first of a Jacobian."""
        return () if self.jacobian and self.entry is None else self.entry

    @property
    def plan(self) -> Plan | None:
        """The steps of gradient descent that are asked for."""
        if self.steps is None:
            return None
        return Plan(self.steps, self.rate or RATE, self.method or next(iter(METHODS)))


@dataclass(frozen=True)
class Homework:
    """A homework file with the overrides applied. Two are equal wherever their files lie.

    `detail` says whether the backward pass is told in short or with every step apart; `seed` decides the random inputs; in a homework that holds none it tells what they were drawn with.
    """

    path: Path = field(compare=False)
    title: str
    questions: tuple[Question, ...]
    course: str = ""
    author: str = ""
    student_id: str = ""
    due: dt.date | str = ""
    paper: str = "a4"
    detail: str = "brief"
    seed: str = ""
    require: tuple[str, ...] = ()
    source: str = field(default="", compare=False, repr=False)  # of the file, for messages

    @property
    def due_text(self) -> str:
        """The due date as a reader writes it: 21 October 2023, or the text of the file."""
        return date_text(self.due) if isinstance(self.due, dt.date) else self.due

    @property
    def byline(self) -> str:
        """Whose work it is and when it is due: Ada Lovelace · Student ID 1815 · Due 21 October 2023."""
        is_told = self.student_id in ("", self.author)  # it may stand in for a name
        number = "" if is_told else f"Student ID {self.student_id}"
        due = f"Due {self.due_text}" if self.due else ""
        return " · ".join(filter(None, (self.author, number, due)))

    def question(self, name: str | None) -> Question:
        """The question of that id; the only one for None. ReportError when there is no such one."""
        known = ", ".join(q.id for q in self.questions)
        if name is None and len(self.questions) > 1:
            raise ReportError(f"{self.path}: name a question; there are: {known}")
        for question in self.questions:
            if name is None or question.id == name:
                return question
        near = nearest(str(name), (q.id for q in self.questions))
        raise ReportError(
            f"{self.path}: there is no question {shown(name)}{near or f'; there are: {known}'}"
        )

    def to_toml(self) -> str:
        """A homework file that reads back as an equal homework, overrides included."""
        heading = {key: getattr(self, key) for key in TOP}
        if self.detail == DETAILS[0]:  # what a file need not say
            del heading["detail"]
        parts = [toml.write_pairs({k: v for k, v in heading.items() if v not in ("", ())})]
        for question in self.questions:
            pairs = {key: getattr(question, key) for key in QUESTION if key != "inputs"}
            given = {k: v for k, v in pairs.items() if v is not None and v is not False}
            kept = {k: _closed(v) for k, v in given.items() if v not in ("", ()) or k == "unfold"}
            parts.append("[[question]]\n" + toml.write_pairs(kept))
            if question.inputs:
                parts.append("[question.inputs]\n" + toml.write_pairs(question.inputs))
        return "\n".join(parts)


def _closed(value: Any) -> Any:
    """A text of several lines with its last line ended, so that the closing quotes get their own."""
    return value + "\n" if isinstance(value, str) and "\n" in value else value


def place(homework: Homework, question: Question) -> str:
    """Where a message about a question begins: problems/x.toml, question q1."""
    return f"{homework.path}, question {question.id}"


def date_text(due: dt.date) -> str:
    """A date as a reader writes it: 21 October 2023, with hour and zone where it has them."""
    months = "January February March April May June July August September October November December"
    date = f"{due.day} {months.split()[due.month - 1]} {due.year}"
    if isinstance(due, dt.datetime):
        zone = f" {due.tzname()}" if due.tzinfo else ""
        return f"{date}, {due.hour:02}:{due.minute:02}{zone}"
    return date
