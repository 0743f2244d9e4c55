"""What students answered + their own variants -> what is right, what is wrong, what follows from an error.

    id,q1.q3,q1.f,q1.d.q3,q1.d.w1,"q2.d.W[0,1]"
    1815,0.0199,0.336,-0.113,0.0315,0.162

A column is named as in the trace, behind the question: `q1.q3` is the value of gate q3 (a let-line has
its own name), `q1.f` the function's value, `q1.d.q3` and `q1.d.w1` are gradients; an entry of a tensor
is named by its place, counted from 0. What a question asks beyond these is named as in
`report.homework.further_answers`: `q1.H[0,1]`, `q1.step2.w`. Where there is one question its id may be left out.

An answer that rounding does not explain (see `report.rounding`) is computed again from the student's own
numbers: a value from the values of the gate's arguments, a gradient from the gradients that arrive. When
that gives the answer, the step itself was right, and the error was made before (error carried forward).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from report.autodiff.trace import Trace
from report.classroom import csv_tables, roster
from report.errors import ReportError, nearest, shown
from report.homework import variants, written_answers
from report.homework.further_answers import further_answers
from report.homework.homework import Homework, read_homework
from report.homework.keys import read_seed
from report.homework.written_answers import WrittenAnswer
from report.student.judge import FOLLOWS, RIGHT, WRONG, Place, judge
from report.student.walk import Key

MISSING, UNREADABLE = "missing", "unreadable"
VERDICTS = (RIGHT, FOLLOWS, WRONG, MISSING, UNREADABLE)
_COLUMN = re.compile(r"(?P<gradient>d\.)?(?P<name>[A-Za-z]\w*)(?P<place>(\[[\d, ]+\])*)")


@dataclass(frozen=True)
class Asked:
    """A column of the answers: a value or gradient, or one entry of it."""

    column: str
    question: str
    name: str
    gradient: bool
    place: Place
    further: bool = False  # `name` is that of a number of `further_answers`

    @property
    def gate(self) -> str:
        """The question and the column without the place of the entry."""
        bare = self.column.partition("[")[0].removeprefix(f"{self.question}.")
        return f"{self.question}.{bare}"


@dataclass(frozen=True)
class Mark:
    """One answer: what was written, the true value, what follows from the student's own numbers."""

    asked: Asked
    written: str
    true: float
    own: float
    verdict: str


@dataclass(frozen=True)
class Graded:
    """One student's marks, or the reason why there are none."""

    id: str
    name: str
    marks: tuple[Mark, ...] = ()
    error: str = ""

    def count(self, verdict: str) -> int:
        """How many answers have a verdict."""
        return sum(m.verdict == verdict for m in self.marks)


@dataclass(frozen=True)
class Grades:
    """The marks of a class, and the columns of the answers that mean nothing here."""

    homework: Homework
    students: tuple[Graded, ...]
    asked: tuple[Asked, ...]
    unused: tuple[str, ...] = field(default=())


def grade(
    homework: str | os.PathLike[str],
    answers: str | os.PathLike[str],
    students: str | os.PathLike[str] | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    inputs: str | os.PathLike[str] | None = None,
    tolerance: float = written_answers.TOLERANCE,
) -> Grades:
    """Grade the answers of a class, each by the student's own variant.

    `students` is the roster that the variants were built from; without one an id alone decides them.
    Raises ReportError for files that are of no use, an id that stands twice, and a column that names
    what a question does not have. A student who cannot be graded is told in the result.
    """
    work = read_homework(homework, overrides, inputs)
    variants.check(work)
    table = csv_tables.read_csv(answers, ("id",))
    if not table.rows:
        raise ReportError(
            f"{table.path} has no answers; under the first line stands one student a line"
        )
    seen: dict[str, int] = {}
    for row in table.rows:
        first = seen.setdefault(row.cells["id"], row.line)
        if first != row.line:
            raise ReportError(
                f"{table.path}: lines {first} and {row.line} have the same id {shown(row.cells['id'])}"
            )
    known = students_of(work, students)
    columns: tuple[Asked, ...] | None = None
    graded = []
    for row in table.rows:
        identity = row.cells["id"]
        try:
            name, own = homework_for(work, known, identity)
            traces = _traces(own)
            further = _further(own, traces)
            if columns is None:
                columns = tuple(_columns(table, traces, further))
        except _BadColumn:
            raise
        except ReportError as error:
            graded.append(Graded(identity, row.cells.get("name", ""), error=str(error)))
            continue
        cells = {a: row.cells[a.column] for a in columns}
        marks = _marks(columns, cells, traces, further, tolerance, comma=table.delimiter != ",")
        graded.append(Graded(identity, name or row.cells.get("name", ""), marks))
    used = {"id", "name", *(a.column for a in columns or ())}
    unused = tuple(c for c in table.columns if c not in used)
    return Grades(work, tuple(graded), columns or (), unused)


# ---------------------------------------------------------------- whose variant


class _BadColumn(ReportError):
    """A column that is wrong for every student."""


Known = Mapping[str, tuple[str, Homework | ReportError]]


def students_of(work: Homework, path: str | os.PathLike[str] | None) -> Known | None:
    """The name and the homework of each student of a roster, by id; None without one."""
    if path is None:
        return None
    found = roster.homeworks(work, roster.read_roster(path, work))
    return {_plain(student.id): (student.name, own) for student, own in found}


def _plain(identity: str) -> str:
    """An id as it is compared: as a seed, and without the ' that keeps a spreadsheet from computing it."""
    bare = identity[1:] if identity[:1] == "'" and len(identity) > 1 else identity
    try:
        return read_seed(bare)
    except ReportError:
        return bare


def homework_for(work: Homework, known: Known | None, identity: str) -> tuple[str, Homework]:
    """A student's name and variant. ReportError for who is not in the roster or has no variant."""
    if not identity:
        raise ReportError("there is no id")
    if known is None:
        return "", roster.homework_of(work, _plain(identity))
    if _plain(identity) not in known:
        raise ReportError(f"{shown(identity)} is not in the roster{nearest(identity, known)}")
    name, own = known[_plain(identity)]
    if isinstance(own, ReportError):
        raise own
    return name, own


def _traces(own: Homework) -> dict[str, Trace]:
    from report.homework.traces import traces_of

    return traces_of(own)


# ---------------------------------------------------------------- the columns


Numbers = Mapping[str, Mapping[str, float]]  # of each question, by column


def _further(own: Homework, traces: Mapping[str, Trace]) -> Numbers:
    """The numbers of each question beyond its values and gradients."""
    return {
        q.id: {f.column: f.value for f in further_answers(q, traces[q.id])} for q in own.questions
    }


def _columns(
    table: csv_tables.CsvTable, traces: Mapping[str, Trace], further: Numbers
) -> Iterator[Asked]:
    only = next(iter(traces)) if len(traces) == 1 else None
    for column in table.columns:
        if column in ("id", "name"):
            continue
        first, _, rest = column.partition(".")
        if first in traces and rest:
            yield _asked(
                f"{table.path}, column {column}", column, first, rest, traces[first], further[first]
            )
        elif only is not None and (column in further[only] or _COLUMN.fullmatch(column)):
            try:
                yield _asked("", column, only, column, traces[only], further[only])
            except ReportError:
                continue  # a column of the teacher's own


def _asked(
    where: str, column: str, question: str, text: str, trace: Trace, further: Mapping[str, float]
) -> Asked:
    named = {q.name for q in trace.quantities.values()}
    if (bare := text.replace(" ", "")) in further and bare.partition("[")[0] not in named:
        return Asked(column, question, bare, False, (), further=True)
    match = _COLUMN.fullmatch(text)
    if not match:
        raise _BadColumn(f"{where}: write q1.q3, q1.d.q3 or q1.d.W[0,1]")
    name, gradient = match["name"], bool(match["gradient"])
    quantities = {q.name: q for q in trace.quantities.values()}
    if trace.result is not None:
        quantities = {"f": trace.result, trace.letter: trace.result} | quantities
    if name not in quantities:
        near = nearest(name, quantities) or f"; there are: {', '.join(quantities)}"
        raise _BadColumn(f"{where}: question {question} has no {name}{near}")
    quantity = quantities[name]
    if gradient and quantity.gradient is None:
        raise _BadColumn(f"{where}: {name} has no gradient")
    place = tuple(int(n) for n in re.findall(r"\d+", match["place"]))
    shape = quantity.node.shape
    if len(place) != len(shape) or any(i >= n for i, n in zip(place, shape, strict=True)):
        last = ",".join(str(n - 1) for n in shape)
        remedy = (
            f"write {name}[{','.join('0' * len(shape))}] to {name}[{last}]"
            if shape
            else "leave it out"
        )
        raise _BadColumn(f"{where}: there is no such entry, the shape is {shape}; {remedy}")
    return Asked(column, question, quantity.name, gradient, place)


# ---------------------------------------------------------------- the marks


def _marks(
    columns: Iterable[Asked],
    cells: Mapping[Asked, str],
    traces: Mapping[str, Trace],
    further: Numbers,
    tolerance: float,
    *,
    comma: bool,
) -> tuple[Mark, ...]:
    read: dict[Asked, WrittenAnswer] = {}
    marks: dict[Asked, Mark] = {}
    for asked in columns:
        if asked.further:
            true = further[asked.question][asked.name]
        else:
            true = _true(traces[asked.question], asked)
        try:
            read[asked] = written_answers.read_answer(cells[asked], comma=comma)
        except ReportError:
            verdict = UNREADABLE if cells[asked] else MISSING
            marks[asked] = Mark(asked, cells[asked], true, true, verdict)
            continue
        if asked.further:
            is_right = written_answers.is_right(read[asked], true, tolerance)
            marks[asked] = Mark(asked, cells[asked], true, true, RIGHT if is_right else WRONG)

    def agrees(asked: Asked, number: float) -> bool:
        return written_answers.is_right(read[asked], number, tolerance)

    for question, trace in traces.items():
        nodes = {q.name: node for node, q in trace.quantities.items()}
        written: dict[Key, dict[Asked, tuple[Place, float]]] = {}
        for asked in (a for a in read if a.question == question and not a.further):
            key = (nodes[asked.name], asked.gradient)
            written.setdefault(key, {})[asked] = (asked.place, read[asked].value)
        for asked, (own, verdict) in judge(trace, written, agrees).items():
            marks[asked] = Mark(asked, cells[asked], _true(trace, asked), own, verdict)
    return tuple(marks[asked] for asked in columns)


def _true(trace: Trace, asked: Asked) -> float:
    quantity = next(q for q in trace.quantities.values() if q.name == asked.name)
    return float(np.asarray(quantity.gradient if asked.gradient else quantity.value)[asked.place])


# ---------------------------------------------------------------- what is written


def write(grades: Grades, folder: Path) -> list[Path]:
    """Write grades.csv, answers.csv and gates.pdf into a folder; their paths."""
    from report import files, pdf
    from report.classroom.class_pages import class_errors

    made = {
        "grades.csv": _grades_csv(grades),
        "answers.csv": _answers_csv(grades),
        "gates.pdf": pdf.render(
            class_errors(grades.homework, sum(not s.error for s in grades.students), tally(grades))
        ),
    }
    for name, data in made.items():
        files.write(folder / name, data)
    return [folder / name for name in made]


def tally(grades: Grades) -> dict[str, dict[str, int]]:
    """How many answers about each gate or gradient have each verdict."""
    counts = {a.gate: dict.fromkeys(VERDICTS, 0) for a in grades.asked}
    for student in grades.students:
        for mark in student.marks:
            counts[mark.asked.gate][mark.verdict] += 1
    return counts


def _grades_csv(grades: Grades) -> bytes:
    rows = [
        [s.id, s.name, *(s.count(v) for v in VERDICTS), _credit(s), s.error]
        for s in grades.students
    ]
    return csv_tables.csv_bytes(["id", "name", *VERDICTS, "credit", "error"], rows)


def _credit(student: Graded) -> str:
    """The share of steps that are right, those that follow from an earlier error included."""
    if not student.marks:
        return ""
    return f"{(student.count(RIGHT) + student.count(FOLLOWS)) / len(student.marks):.4f}"


def _answers_csv(grades: Grades) -> bytes:
    rows = [
        [s.id, m.asked.column, m.written, repr(m.true), repr(m.own), m.verdict]
        for s in grades.students
        for m in s.marks
    ]
    head = ["id", "quantity", "answer", "value", "from own numbers", "verdict"]
    return csv_tables.csv_bytes(head, rows)


def summary(grades: Grades, written: Iterable[Path]) -> str:
    """The grades in a few lines: how much is right, and what most students have wrong."""
    good = [s for s in grades.students if not s.error]
    total = sum(len(s.marks) for s in good)
    counts = {v: sum(s.count(v) for s in good) for v in VERDICTS}
    said = ", ".join(f"{n} {v}" for v, n in counts.items() if n) or "nothing to grade"
    lines = [f"{len(good)} students, {len(grades.asked)} quantities, {total} answers: {said}"]
    hardest = sorted(tally(grades).items(), key=lambda item: -item[1][WRONG])
    for gate, verdicts in hardest[:5]:
        if verdicts[WRONG]:
            lines.append(
                f"  {gate}: {verdicts[WRONG]} wrong, {verdicts[FOLLOWS]} follow from earlier"
            )
    lines += [f"not graded: {s.id}: {s.error}" for s in grades.students if s.error]
    if grades.unused:
        lines.append(f"columns not used: {', '.join(grades.unused)}")
    return "\n".join([*lines, "written: " + ", ".join(map(str, written))])
