"""A class: the roster as CSV -> students -> the homework of each.

    id,name,q1.x1
    1815,Ada Lovelace,
    1707,Leonhard Euler,2.5

`id` and `name` are needed. A column named as an input (q1.x1, or x1 where there is one question) gives
that input a value, which then wins over the draw; where the cell is empty the draw holds. Other columns
are left alone. A student's id is the seed of the variant; a seed in the homework file comes before it
(2026/1815), so that another year gets other numbers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from report.classroom import csv_tables
from report.errors import ReportError, shown
from report.homework import toml, variants
from report.homework.homework import Homework
from report.homework.keys import read_seed
from report.homework.overrides import override

MAX_REDRAWS = 1000  # of one student, until the numbers differ from those of all the others


@dataclass(frozen=True)
class Student:
    """A row of the roster. `inputs` maps "q1.x1" to the text of its cell."""

    id: str
    name: str
    line: int
    inputs: Mapping[str, str]


@dataclass(frozen=True)
class Roster:
    """The students in order, and the columns that mean nothing here."""

    path: str
    students: tuple[Student, ...]
    unused: tuple[str, ...]


Drawn = tuple[Student, Homework | ReportError]  # a student's own homework, or why there is none


def read_roster(path: str | os.PathLike[str], homework: Homework) -> Roster:
    """Read a roster for a homework.

    Raises ReportError for what `spreadsheet.read` refuses, for a roster without students, for an id
    that is missing or stands twice, and for a column of an input that the homework does not have.
    """
    table = csv_tables.read_csv(path, ("id", "name"))
    inputs: list[str] = []
    unused: list[str] = []
    for column in table.columns:
        if column not in ("id", "name"):
            is_input = _is_input(homework, column, f"{table.path}, column ")
            (inputs if is_input else unused).append(column)
    students: dict[str, Student] = {}
    for row in table.rows:
        identity = row.cells["id"]
        if not identity:
            raise ReportError(f"{table.path}, line {row.line} has no id")
        own = {column: row.cells[column] for column in inputs if row.cells[column]}
        student = Student(identity, row.cells["name"], row.line, own)
        first = students.setdefault(_seed(identity), student)
        if first is not student:
            raise ReportError(
                f"{table.path}: lines {first.line} and {row.line} have the same id {shown(identity)}"
            )
    if not students:
        raise ReportError(f"{table.path} has no students; under the first line stands one a line")
    return Roster(str(table.path), tuple(students.values()), tuple(unused))


def _seed(identity: str) -> str:
    """The id as a seed; two ids that give one seed would give two students the same numbers."""
    try:
        return read_seed(identity)
    except ReportError:
        return identity  # cannot be a seed; the student's own homework says why


def _is_input(homework: Homework, column: str, start: str) -> bool:
    """Whether a column gives an input values; ReportError for an input that there is not."""
    if "." not in column:
        return len(homework.questions) == 1 and column in homework.questions[0].inputs
    if re.fullmatch(r"[\w-]+\.\w+", column):
        override(homework, {column: 0}, start)
        return True
    return False


def homeworks(homework: Homework, roster: Roster) -> Iterator[Drawn]:
    """Each student's own homework with plain numbers, or why there is none.

    No two students get the same numbers where any are random; a student whose draw is another's gets a
    seed with a number behind it (1815.2), which the report then shows. Raises ReportError when there are
    fewer variants than students.
    """
    possible = variants.variety(homework)
    drawing = sum(not student.inputs for student in roster.students)
    if variants.has_random_inputs(homework) and possible < drawing:
        raise ReportError(
            f"{homework.path}: the random inputs allow {possible} different variants, and "
            f"{roster.path} has {drawing} students; widen the ranges or make more inputs random"
        )
    return _each(homework, roster)


def _each(homework: Homework, roster: Roster) -> Iterator[Drawn]:
    seen: set[tuple[Any, ...]] = set()
    for student in roster.students:
        try:
            found = _homework(homework, student, roster.path, seen)
        except ReportError as error:
            yield student, error
        else:
            seen.add(variants.numbers(found))
            yield student, found


def homework_of(homework: Homework, identity: str) -> Homework:
    """The homework of a student who is known by id only, as `homeworks` draws it first."""
    own = override(homework, {"student_id": identity})
    return _drawn(own, _joined(homework, identity))


def _homework(
    homework: Homework, student: Student, path: str, seen: set[tuple[Any, ...]]
) -> Homework:
    start = f"{path}, line {student.line}: "
    values = {
        name: toml.read_value(text, f"{start}{name}") for name, text in student.inputs.items()
    }
    for name, value in values.items():
        if not _is_numbers(value):
            raise ReportError(
                f"{start}{name} is {shown(student.inputs[name])}; give a number or a list"
            )
    own = override(homework, {"author": student.name, "student_id": student.id, **values}, start)
    seed = _joined(homework, student.id)
    for attempt in range(1, MAX_REDRAWS + 1):
        found = _drawn(own, seed if attempt == 1 else f"{seed}.{attempt}")
        if not variants.has_random_inputs(own) or variants.numbers(found) not in seen:
            return found
    raise ReportError(
        f"{start}{MAX_REDRAWS} draws gave only numbers that other students have; widen the ranges or "
        "make more inputs random"
    )


def _is_numbers(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_numbers, value))
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _joined(homework: Homework, identity: str) -> str:
    return f"{homework.seed}/{identity}" if homework.seed else identity


def _drawn(homework: Homework, seed: str) -> Homework:
    return variants.draw(homework, seed if variants.has_random_inputs(homework) else None)
