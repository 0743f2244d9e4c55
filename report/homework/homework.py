"""A homework file (TOML) -> Homework.

A homework has a heading (title, course, author, ...) and questions; a question has a function and the
values of its inputs. Overrides put other values in their place: `q1.x1=2` (or `x1=2` where there is
one question) an input's, `author=Ada` the heading's. What is read here is text and plain values;
the formula and the numbers are judged when the question is traced, and random inputs and the
conditions on them when they are drawn (see `report.variants`).
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from report.autodiff.descent import METHODS, Plan
from report.autodiff.gates.definitions import opened
from report.editions import DETAILS
from report.errors import CheckError, Faults, ReportError, joined, nearest, shown
from report.homework import keys, toml
from report.homework.typed_numbers import as_numbers
from report.plain_values import as_path, as_table, plain

RATE = 0.1  # of steps, where none is given
PAPERS = ("a4", "letter")
MAX_QUESTIONS = 100
_LINES = ("title", "course", "author", "student_id")
_HEADING = (*_LINES, "due", "paper", "detail", "seed")
_TOP = (*_HEADING, "require")
_QUESTION = (
    "id", "title", "points", "statement", "function", "wrt", "unfold", "hessian", "programs", "program",
    "entry", "jacobian", "direction", "steps", "rate", "method", "require", "inputs",
)  # fmt: skip
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_NAME = re.compile(r"[\w.-]+")


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
        heading = {key: getattr(self, key) for key in _TOP}
        if self.detail == DETAILS[0]:  # what a file need not say
            del heading["detail"]
        parts = [toml.write_pairs({k: v for k, v in heading.items() if v not in ("", ())})]
        for question in self.questions:
            pairs = {key: getattr(question, key) for key in _QUESTION if key != "inputs"}
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
    keys_of_question = "|".join(_QUESTION)
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
            if key in _QUESTION and key not in _TOP:
                raise ReportError(f"{path}: {key} belongs to a question; put it under [[question]]")
            keys.check_known([key], (*_TOP, "question"), str(path))
    heading: dict[str, Any] = {"title": "", "require": ()}
    for key in _HEADING:
        with faults.of(key):
            heading |= _heading({k: table[k] for k in (key,) if k in table}, f"{path}: ")
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


def _heading(table: Mapping[str, Any], start: str) -> dict[str, Any]:
    """The keys of the heading that a table holds, checked; a message begins with `start`."""
    read: dict[str, Any] = {
        key: keys.read_text(table, key, start) for key in _LINES if key in table
    }
    if "due" in table:
        due = table["due"]
        read["due"] = (
            due if isinstance(due, dt.date) else keys.read_text(table, "due", start, "2026-10-21")
        )
    if "paper" in table:
        read["paper"] = keys.read_choice(table, "paper", start, PAPERS)
    if "detail" in table:
        read["detail"] = keys.read_choice(table, "detail", start, DETAILS)
    if "seed" in table:
        read["seed"] = keys.read_seed(table["seed"], start)
    return read


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
            if key in _TOP and key not in _QUESTION:
                raise ReportError(
                    f"{where}: {key} belongs at the top of the file, before [[question]]"
                )
            keys.check_known(
                [key], _QUESTION, where, "; values of inputs stand under [question.inputs]"
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


def date_text(due: dt.date) -> str:
    """A date as a reader writes it: 21 October 2023, with hour and zone where it has them."""
    months = "January February March April May June July August September October November December"
    date = f"{due.day} {months.split()[due.month - 1]} {due.year}"
    if isinstance(due, dt.datetime):
        zone = f" {due.tzname()}" if due.tzinfo else ""
        return f"{date}, {due.hour:02}:{due.minute:02}{zone}"
    return date


def with_detail(homework: Homework, detail: Any) -> Homework:
    """The homework told in short ("brief") or with every step apart ("full"); None leaves it as it is."""
    if detail is None:
        return homework
    return replace(homework, detail=keys.read_choice({"detail": detail}, "detail", "", DETAILS))


# ---------------------------------------------------------------- overrides


def parse_overrides(settings: Iterable[str]) -> dict[str, Any]:
    """Texts such as "q1.x1=2" or "q1.W=[[1, 2], [3, 4]]" as names and values.

    A value is read as TOML; text of the heading needs no quotes (author=Ada). Raises ReportError for
    what is no NAME=VALUE and for a name that is set twice.
    """
    read: dict[str, Any] = {}
    for setting in settings:
        name, _, text = (part.strip() for part in setting.partition("="))
        if not _NAME.fullmatch(name) or not text:
            raise ReportError(
                f"--set {shown(setting)}: write NAME=VALUE, such as q1.x1=2 or q1.x=[1, 2]"
            )
        if name in read:
            raise ReportError(f"--set {name}: this name is set twice")
        if name in _HEADING and text[0] not in "\"'" and not _is_date(text):
            read[name] = text
        else:
            read[name] = toml.read_value(text, f"--set {name}")
    return read


def _is_date(text: str) -> bool:
    return re.match(r"\d{4}-\d\d-\d\d", text) is not None


def override(homework: Homework, settings: Mapping[str, Any], start: str = "override ") -> Homework:
    """The homework with other values: "q1.x1" names an input, "author" a key of the heading.

    Where there is one question, its inputs need no "q1.". Raises ReportError, beginning with `start`,
    for what the homework does not have.
    """
    heading: dict[str, Any] = {}
    inputs = {q.id: dict(q.inputs) for q in homework.questions}
    typed = {q.id: q.typed for q in homework.questions}
    for name, value in as_table(settings, "overrides").items():
        identity, key = _target(homework, name, start)
        kept = plain(value, f"{start}{key}")
        if identity is None:
            heading[key] = kept
        else:
            inputs[identity][key] = as_numbers(kept)
            typed[identity] += keys.typed_inputs({"inputs": {key: kept}})
    questions = tuple(
        replace(q, inputs=inputs[q.id], typed=typed[q.id]) for q in homework.questions
    )
    changed = _heading(heading, start)
    if changed.get("title") == "":
        raise ReportError(f"{start}title: a homework needs a title")
    if heading or settings:  # what is wrong need not stand in the file
        changed["source"] = ""
    return replace(homework, questions=questions, **changed)


def _target(homework: Homework, name: Any, start: str) -> tuple[str | None, str]:
    """What a name refers to: an input as (question's id, its name) or a heading's key as (None, key)."""
    if not isinstance(name, str):
        raise ReportError(f"{start}{shown(name)}: a name is text, such as 'q1.x1'")
    questions = {q.id: q for q in homework.questions}
    identity, dot, key = name.partition(".")
    if not dot:
        only = homework.questions[0] if len(questions) == 1 else None
        if only and name in only.inputs:
            return only.id, name
        if name in _HEADING:
            return None, name
        if only is None:
            owners = [q.id for q in homework.questions if name in q.inputs]
            example = f"{owners[0] if owners else homework.questions[0].id}.{name}"
            known = ", ".join(_HEADING)
            raise ReportError(
                f"{start}{shown(name)}: name the question too ({example}), or one of: {known}"
            )
        identity, key = only.id, name
    if identity not in questions:
        near = nearest(identity, questions) or f"; there are: {', '.join(questions)}"
        raise ReportError(f"{start}{shown(name)}: there is no question {shown(identity)}{near}")
    known_inputs = questions[identity].inputs
    if key not in known_inputs:
        if key in _QUESTION:
            raise ReportError(
                f"{start}{shown(name)}: only inputs can be set; change {key} in the homework file"
            )
        near = (
            nearest(key, known_inputs) or f"; its inputs are: {', '.join(known_inputs) or 'none'}"
        )
        raise ReportError(
            f"{start}{shown(name)}: question {identity} has no input {shown(key)}{near}"
        )
    return identity, key


def _flat(table: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of an inputs file as overrides: [q1] with x1 becomes q1.x1."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat.update({f"{key}.{name}": v for name, v in value.items()})
        else:
            flat[key] = value
    return flat
