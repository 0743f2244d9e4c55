"""A homework file (TOML) -> Homework.

A homework has a heading (title, course, author, ...) and questions; a question has a function and the
values of its inputs. Overrides put other values in their place: `q1.x1=2` (or `x1=2` where there is
one question) an input's, `author=Ada` the heading's. What is read here is text and plain values;
the formula and the numbers are judged when the question is traced, and random inputs and the
conditions on them when they are drawn (see `report.variants`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from report.editions import DETAILS
from report.errors import CheckError, Faults, ReportError, joined, shown
from report.homework import keys, toml
from report.homework.overrides import override
from report.homework.questions import HEADING, QUESTION, TOP, Homework, Question, place
from report.plain_values import as_path

__all__ = [
    "FileFaults",
    "Homework",
    "Question",
    "located",
    "place",
    "read_homework",
    "read_homework_text",
    "with_detail",
]

MAX_QUESTIONS = 100
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


class FileFaults(ReportError):
    """What is wrong with a homework file, and `readable`, the homework of the questions that can be read."""

    def __init__(self, faults: list[ReportError], readable: Homework) -> None:
        super().__init__(str(joined(faults)))
        self.faults = faults
        self.readable = readable


def located(homework: Homework, question: Question, error: ReportError) -> ReportError:
    """An error about a question with the place in the file: also line, column and a caret if it has none."""
    said = str(error)
    if not isinstance(error, CheckError) and not re.search(r"^ *\^", said, re.MULTILINE):
        said += toml.pointed(homework.source, question.number, _key_of(said))
    return type(error)(f"{place(homework, question)}: {said}")


def _key_of(said: str) -> str:
    """The key of a question that a message is about."""
    keys_of_question = "|".join(QUESTION)
    found = re.match(rf"({keys_of_question})\b|input '?([\w\\{{}}^-]+)", said)
    if found is None:
        return "function"
    return found[1] or f"inputs.{found[2]}"


def read_homework(
    path: str | os.PathLike[str],
    overrides: Mapping[str, Any] | None = None,
    inputs_file: str | os.PathLike[str] | None = None,
) -> Homework:
    """Read a homework file; then put in the values of `inputs_file`, then those of `overrides`.

    An inputs file has a table of values for each question ([q1], x1 = 2) and may hold keys of the
    heading (author, student_id, ...). Raises ReportError for whatever is not a homework file, with
    file, table, key and remedy, and for overrides of what the homework does not have.
    """
    file = as_path(path)
    if file == Path("-"):
        file = toml.STANDARD_INPUT
    text = toml.text_of(file)
    homework = _homework(file, text)
    if inputs_file is not None:
        other = as_path(inputs_file)
        homework = override(homework, _flat(toml.read_file(other)), f"{other}: ")
    return override(homework, {} if overrides is None else overrides, "override ")


def read_homework_text(text: str, path: str | os.PathLike[str]) -> Homework:
    """The homework of a file's text; `path` is what messages name it by. Raises as `read_homework`."""
    file = as_path(path)
    return _homework(file, text)


# ---------------------------------------------------------------- the file


class _Keys(Faults):
    """Reads the keys of a file one by one; what is wrong is noted with its line."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source

    @contextmanager
    def of(self, key: str, question: int = 0) -> Iterator[None]:
        """The block reads this key, of the heading or of a question."""
        with self.collected():
            try:
                yield
            except ReportError as error:
                raise ReportError(f"{error}{toml.pointed(self.source, question, key)}") from None


def _homework(path: Path, source: str) -> Homework:
    table, not_toml, lost = toml.read_lines(source, str(path))
    faults = _Keys(source)
    faults.found += not_toml
    for key in table:
        with faults.of(key):
            if key in QUESTION and key not in TOP:
                raise ReportError(f"{path}: {key} belongs to a question; put it under [[question]]")
            keys.check_known([key], (*TOP, "question"), str(path))
    heading: dict[str, Any] = {"title": "", "require": ()}
    for key in HEADING:
        with faults.of(key):
            heading |= keys.read_heading({k: table[k] for k in (key,) if k in table}, f"{path}: ")
    with faults.of("require"):
        heading["require"] = keys.read_conditions(table, f"{path}: ")
    with faults.of("title"):
        if not (heading["title"] or "title" in lost) and isinstance(table.get("title", ""), str):
            raise ReportError(f'{path}: the title is missing; begin with title = "Homework 1"')
    questions: list[Question] = []
    with faults.of("question"):
        tables = _tables(path, table)
        for number, own in enumerate(tables, 1):
            question = _question(str(path), own, number, faults, lost)
            questions += [] if question is None else [question]
    with faults.collected():
        _check_ids(path, questions)
    found = Homework(path=path, questions=tuple(questions), source=source, **heading)
    if faults.found:
        raise FileFaults(faults.found, found)
    return found


def _tables(path: Path, table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    tables = table.get("question", [])
    if isinstance(tables, Mapping):
        raise ReportError(f"{path}: write [[question]] with two brackets on each side")
    if not isinstance(tables, list) or not all(isinstance(t, Mapping) for t in tables):
        raise ReportError(
            f"{path}: question must be a table; write [[question]] on a line of its own"
        )
    if not tables:
        raise ReportError(f"{path}: there is no question; add [[question]] with a function")
    if len(tables) > MAX_QUESTIONS:
        raise ReportError(f"{path}: {len(tables)} questions; {MAX_QUESTIONS} are possible")
    return tables


def _check_ids(path: Path, questions: Iterable[Question]) -> None:
    seen: dict[str, int] = {}
    for number, question in enumerate(questions, 1):
        first = seen.setdefault(question.id.casefold(), number)  # ids become file names
        if first != number:
            raise ReportError(
                f"{path}: questions {first} and {number} have the same id {question.id!r}; "
                "ids must differ, also without regard to case"
            )


def _question(
    path: str, table: Mapping[str, Any], number: int, faults: _Keys, lost: frozenset[str]
) -> Question | None:
    """A question, of which what cannot be read is left out; None without a function or inputs."""
    where = f"{path}, question {number}"
    identity = table.get("id", f"q{number}")
    with faults.of("id", number):
        if not isinstance(identity, str) or not _ID.fullmatch(identity):
            raise ReportError(
                f"{where}: id {shown(identity)} is not possible; it is text of letters a-z, digits, - and "
                '_ (40 at most, the first a letter or digit), such as "q1"'
            )
        where = f"{path}, question {identity}"
    for key in table:
        with faults.of(key, number):
            if key in TOP and key not in QUESTION:
                raise ReportError(
                    f"{where}: {key} belongs at the top of the file, before [[question]]"
                )
            keys.check_known(
                [key], QUESTION, where, "; values of inputs stand under [question.inputs]"
            )
    start = f"{where}: "
    typed = keys.typed_inputs(table)
    read: dict[str, Any] = {"id": str(identity), "number": number, "lost": lost, "typed": typed}
    for key, reader in keys.READERS.items():
        if key in lost and key not in table:
            continue
        with faults.of(key, number):
            read[key] = reader(table, start)
    with faults.of("program", number):
        read["program"] = keys.read_own_programs(table, str(identity), start)
    return Question(**read) if {"function", "inputs"} <= read.keys() else None


def with_detail(homework: Homework, detail: Any) -> Homework:
    """The homework told in short ("brief") or with every step apart ("full"); None leaves it as it is."""
    if detail is None:
        return homework
    return replace(homework, detail=keys.read_choice({"detail": detail}, "detail", "", DETAILS))


def _flat(table: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of an inputs file as overrides: [q1] with x1 becomes q1.x1."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat.update({f"{key}.{name}": v for name, v in value.items()})
        else:
            flat[key] = value
    return flat
