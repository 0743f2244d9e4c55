"""A folder of students' programs + their own variants -> the first wrong gate of each, and what the class gets wrong.

    FOLDER/1815.py              one question: a program or notebook for each student's id
    FOLDER/1815/q1.py           several: a folder for each, a file for each question

Each program is run by itself, in its own limits (see `report.program.confined`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from report import student
from report.classroom import csv_tables
from report.classroom.grading import homework_for, students_of
from report.errors import ReportError, shown
from report.homework import variants
from report.homework.homework import Homework, read_homework
from report.homework.traces import traces_of
from report.student.sources import ENDINGS
from report.student.work import AGREES, DIFFERS, FOLLOWS, MISSING, SINGLE

MAX_FILES = 5000
_AT_ONCE = 4  # programs that run side by side, at most
_COUNTED = (AGREES, SINGLE, DIFFERS, FOLLOWS, MISSING)


@dataclass(frozen=True, eq=False)
class Checked:
    """One student's program for a question; `error` where there is no program, or no variant."""

    id: str
    name: str
    question: str
    run: student.OwnRun | None = None
    error: str = ""

    @property
    def fault(self) -> str:
        """Why there is nothing to say of it, or why it ended badly."""
        if self.run is None:
            return self.error
        return self.run.ended.fault or ("" if self.run.work.printed else self.run.fault)

    @property
    def kind(self) -> str:
        """The kind of the first mistake; "unknown" where none that is known gives the number."""
        first = None if self.run is None else self.run.work.first
        if first is None:
            return ""
        return first.causes[0].kind if first.causes else "unknown"


@dataclass(frozen=True, eq=False)
class Programs:
    """The programs of a class, checked."""

    homework: Homework
    checked: tuple[Checked, ...]


def check_programs(
    homework: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    students: str | os.PathLike[str] | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    inputs: str | os.PathLike[str] | None = None,
) -> Programs:
    """Run every program of a folder and hold it against its student's own variant.

    Raises ReportError for files that are of no use; a program that is none is told in the result.
    """
    work = read_homework(homework, overrides, inputs)
    variants.check(work)
    known = students_of(work, students)
    found = list(_files(work, Path(folder)))
    if not found:
        last = (
            "FOLDER/ID.py" if len(work.questions) == 1 else f"FOLDER/ID/{work.questions[0].id}.py"
        )
        raise ReportError(f"{folder} has no programs; they are named {last}, or .ipynb")
    if len(found) > MAX_FILES:
        raise ReportError(f"{folder} has {len(found)} programs; {MAX_FILES} are possible")

    def checked(identity: str, question: str, file: Path) -> Checked:
        name = ""
        try:
            name, own = homework_for(work, known, identity)
            trace = traces_of(own, own.question(question))[question]
            run = student.check_program(trace, student.read_program(file))
        except ReportError as error:
            return Checked(identity, name, question, error=str(error))
        return Checked(identity, name, question, run)

    with ThreadPoolExecutor(min(_AT_ONCE, os.cpu_count() or 1)) as pool:
        return Programs(work, tuple(pool.map(lambda f: checked(*f), found)))


def _files(work: Homework, folder: Path) -> Iterator[tuple[str, str, Path]]:
    """The id, the question and the file of every program, in the order of their names."""
    ids = {q.id for q in work.questions}
    for entry in sorted(folder.iterdir()):
        if entry.is_file() and entry.suffix.lower() in ENDINGS:
            if len(ids) > 1:
                raise ReportError(
                    f"{entry}: which question is it for? The homework has several; name it "
                    f"{shown(str(Path(entry.stem, f'{work.questions[0].id}{entry.suffix}')))}"
                )
            yield entry.stem, next(iter(ids)), entry
        elif entry.is_dir():
            for file in sorted(entry.iterdir()):
                if file.suffix.lower() in ENDINGS and file.stem in ids:
                    yield entry.name, file.stem, file


def programs_csv(programs: Programs) -> bytes:
    """A line for each program: how many numbers are right, the first wrong one, its kind, and why."""
    rows = []
    for c in programs.checked:
        work = None if c.run is None else c.run.work
        counts = ["" if work is None else work.count(v) for v in _COUNTED]
        first = work.first if work is not None else None
        why = "; ".join(map(str, first.causes)) if first is not None else ""
        rows.append(
            [c.id, c.name, c.question, *counts, first.name if first else "", c.kind, why, c.fault]
        )
    head = ["id", "name", "question", *_COUNTED, "first wrong", "kind", "mistake", "error"]
    return csv_tables.csv_bytes(head, rows)


def summary(programs: Programs) -> str:
    """How many programs are right, and which mistakes the class makes."""
    good = [c for c in programs.checked if c.run is not None and not c.run.fault]
    wrong = [c for c in programs.checked if c.kind]
    lines = [
        f"{len(programs.checked)} programs: {len(good)} right, {len(wrong)} with a wrong number"
    ]
    kinds = Counter((c.question, c.kind, _gate(c)) for c in wrong)
    for (question, kind, gate), count in sorted(kinds.items(), key=lambda item: -item[1])[:10]:
        what = "no known mistake" if kind == "unknown" else kind
        lines.append(f"  {count} x {what}, first at {question}: {gate}")
    lines += [f"{c.id}, {c.question}: {c.fault}" for c in programs.checked if c.fault]
    return "\n".join(lines)


def _gate(checked: Checked) -> str:
    assert checked.run is not None
    first = checked.run.work.first
    return "" if first is None else first.name
