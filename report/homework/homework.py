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
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from report.editions import DETAILS
from report.errors import ReportError, nearest, shown
from report.homework import toml
from report.homework.characters import check_characters
from report.homework.typed_numbers import as_numbers
from report.plain_values import as_path, as_table, as_text, plain

PAPERS = ("a4", "letter")
MAX_QUESTIONS = 100
MAX_LINE = 200  # characters of a title, a name, ...
MAX_STATEMENT = 20_000
MAX_POINTS = 10_000
MAX_CONDITIONS = 50
PROGRAMS = ("python", "numpy")  # with the standard library alone, and vectorised
_LINES = ("title", "course", "author", "student_id")
_HEADING = (*_LINES, "due", "paper", "detail", "seed")
_TOP = (*_HEADING, "require")
_QUESTION = (
    "id", "title", "points", "statement", "function", "wrt", "unfold", "hessian", "programs", "program",
    "require", "inputs",
)  # fmt: skip
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_NAME = re.compile(r"[\w.-]+")
_PROGRAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}\.(py|ipynb)")
MAX_PROGRAMS = 5


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
    program: tuple[str, ...] = ()  # files of the student's own, beside the homework file


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

    @property
    def due_text(self) -> str:
        """The due date as a reader writes it: 21 October 2023, or the text of the file."""
        return date_text(self.due) if isinstance(self.due, dt.date) else self.due

    @property
    def byline(self) -> str:
        """Whose work it is and when it is due: Ada Lovelace · Student ID 1815 · Due 21 October 2023."""
        number = f"Student ID {self.student_id}" if self.student_id else ""
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
            kept = {k: _closed(v) for k, v in given.items() if v not in ("", ())}
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
    homework = _homework(file, toml.read_file(file))
    if inputs_file is not None:
        other = as_path(inputs_file)
        homework = override(homework, _flat(toml.read_file(other)), f"{other}: ")
    return override(homework, {} if overrides is None else overrides, "override ")


def read_homework_text(text: str, path: str | os.PathLike[str]) -> Homework:
    """The homework of a file's text; `path` is what messages name it by. Raises as `read_homework`."""
    file = as_path(path)
    return _homework(file, toml.read_text(text, str(file)))


# ---------------------------------------------------------------- the file


def _homework(path: Path, table: Mapping[str, Any]) -> Homework:
    for key in table:
        if key in _QUESTION and key not in _TOP:
            raise ReportError(f"{path}: {key} belongs to a question; put it under [[question]]")
    _known(table, (*_TOP, "question"), str(path))
    heading = _heading(table, f"{path}: ")
    require = _conditions(table, f"{path}: ")
    if not heading.get("title"):
        raise ReportError(f'{path}: the title is missing; begin with title = "Homework 1"')
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
    questions = tuple(_question(str(path), t, n) for n, t in enumerate(tables, 1))
    seen: dict[str, int] = {}
    for number, question in enumerate(questions, 1):
        first = seen.setdefault(question.id.casefold(), number)  # ids become file names
        if first != number:
            raise ReportError(
                f"{path}: questions {first} and {number} have the same id {question.id!r}; "
                "ids must differ, also without regard to case"
            )
    return Homework(path=path, questions=questions, require=require, **heading)


def _heading(table: Mapping[str, Any], start: str) -> dict[str, Any]:
    """The keys of the heading that a table holds, checked; a message begins with `start`."""
    read: dict[str, Any] = {key: _text(table, key, start) for key in _LINES if key in table}
    if "due" in table:
        due = table["due"]
        read["due"] = due if isinstance(due, dt.date) else _text(table, "due", start, "2026-10-21")
    if "paper" in table:
        read["paper"] = _choice(table, "paper", start, PAPERS)
    if "detail" in table:
        read["detail"] = _choice(table, "detail", start, DETAILS)
    if "seed" in table:
        read["seed"] = read_seed(table["seed"], start)
    return read


def _choice(table: Mapping[str, Any], key: str, start: str, choices: tuple[str, str]) -> str:
    """One of two words."""
    one, other = choices
    found = _text(table, key, start, f'"{one}"').lower()
    if found not in choices:
        raise ReportError(f'{start}{key} is {shown(table[key])}; write "{one}" or "{other}"')
    return found


def read_seed(seed: Any, start: str = "") -> str:
    """A seed as text: 7 and "7" are the same. ReportError, beginning with `start`, for what is none."""
    text = str(seed) if type(seed) is int and seed.bit_length() < 600 else as_text(seed)
    if text is None:
        raise ReportError(f"{start}seed is {shown(seed)}; it is a whole number or a text")
    return unicodedata.normalize("NFC", _text({"seed": text}, "seed", start))


def _conditions(table: Mapping[str, Any], start: str) -> tuple[str, ...]:
    require = table.get("require", [])
    texts = [require] if isinstance(require, str) else require
    if not isinstance(texts, list) or not all(isinstance(t, str) for t in texts):
        raise ReportError(
            f"{start}require must be a list of conditions, not {shown(require)}; write require = "
            '["abs(f) < 10", "not saturated"]'
        )
    if len(texts) > MAX_CONDITIONS:
        raise ReportError(f"{start}{len(texts)} conditions; {MAX_CONDITIONS} are possible")
    return tuple(_text({"require": text}, "require", start, limit=500) for text in texts)


def _question(path: str, table: Mapping[str, Any], number: int) -> Question:
    where = f"{path}, question {number}"
    identity = table.get("id", f"q{number}")
    if not isinstance(identity, str) or not _ID.fullmatch(identity):
        raise ReportError(
            f"{where}: id {shown(identity)} is not possible; it is text of letters a-z, digits, - and "
            '_ (40 at most, the first a letter or digit), such as "q1"'
        )
    where = f"{path}, question {identity}"
    for key in table:
        if key in _TOP and key not in _QUESTION:
            raise ReportError(f"{where}: {key} belongs at the top of the file, before [[question]]")
    _known(table, _QUESTION, where, "; values of inputs stand under [question.inputs]")
    start = f"{where}: "
    function = _text(table, "function", start, '"x*w + b"', lines=True, limit=toml.MAX_BYTES)
    if not function:
        raise ReportError(f'{where}: the function is missing; write function = "x*w + b"')
    inputs = table.get("inputs", {})
    if not isinstance(inputs, Mapping):
        raise ReportError(
            f"{where}: inputs must be a table, not {shown(inputs)}; write [question.inputs] and under "
            "it a line x1 = 2 for each"
        )
    return Question(
        id=identity,
        function=function,
        inputs={name: as_numbers(value) for name, value in inputs.items()},
        wrt=_names(table, "wrt", "inputs", "w1", start),
        unfold=_names(table, "unfold", "gates", "sigmoid", start),
        hessian=_switch(table, "hessian", start),
        programs=_programs(table, start),
        title=_text(table, "title", start),
        statement=_text(table, "statement", start, lines=True, limit=MAX_STATEMENT),
        points=_points(table, start),
        require=_conditions(table, start),
        program=_own_programs(table, identity, start),
    )


def _own_programs(table: Mapping[str, Any], identity: str, start: str) -> tuple[str, ...]:
    """The names of the student's own programs; they are read, and run, when a report is built."""
    names = table.get("program", [])
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or len(names) > MAX_PROGRAMS:
        raise ReportError(f'{start}program must be a name of a file or a list; write "mine.py"')
    for name in names:
        if not isinstance(name, str) or not _PROGRAM.fullmatch(name):
            raise ReportError(
                f"{start}program {shown(name)} is not possible; it is a file beside the homework file, "
                "named with letters a-z, digits, . - and _, that ends in .py or .ipynb"
            )
        if name in (f"{identity}.py", f"{identity}_numpy.py") or names.count(name) > 1:
            raise ReportError(
                f"{start}program {name}: a generated program has that name; rename it"
            )
    return tuple(names)


def _known(table: Mapping[str, Any], known: Iterable[str], where: str, more: str = "") -> None:
    for key in table:
        if key not in known:
            near = nearest(key, known) or f"; possible are: {', '.join(known)}"
            raise ReportError(f"{where}: unknown key {shown(key)}{near}{more}")


def _text(
    table: Mapping[str, Any],
    key: str,
    start: str,
    example: str = '"..."',
    *,
    lines: bool = False,
    limit: int = MAX_LINE,
) -> str:
    """The text of a key, "" where it is missing; on one line unless `lines`."""
    value = table.get(key, "")
    if not isinstance(value, str):
        raise ReportError(f"{start}{key} must be text, not {shown(value)}; write {key} = {example}")
    value = value.strip("\n") if lines else value.strip()
    if not value.strip():
        return ""
    if len(value) > limit:
        raise ReportError(f"{start}{key} has {len(value)} characters; {limit} are possible")
    if not lines and "\n" in value:
        raise ReportError(f"{start}{key} has several lines; write it on one")
    # Tabs are blanks in a formula; in a text they are a mistake.
    check_characters(value.replace("\t", " ") if key == "function" else value, f"{start}{key}")
    return value


def _points(table: Mapping[str, Any], start: str) -> int | float | None:
    points = table.get("points")
    if points is None:
        return None
    if isinstance(points, bool) or not isinstance(points, (int, float)):
        raise ReportError(f"{start}points must be a number, not {shown(points)}; write points = 25")
    if not 0 <= points <= MAX_POINTS:
        raise ReportError(
            f"{start}points is {shown(points)}; it is a number from 0 to {MAX_POINTS}"
        )
    return points


def _names(
    table: Mapping[str, Any], key: str, what: str, example: str, start: str
) -> tuple[str, ...] | None:
    names = table.get(key)
    if names is None:
        return None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        written = names if isinstance(names, str) and names.isidentifier() else example
        raise ReportError(
            f"{start}{key} must be a list of names of {what}, not {shown(names)}; write {key} = "
            f'["{written}"]'
        )
    return tuple(names)


def _programs(table: Mapping[str, Any], start: str) -> tuple[str, ...] | None:
    """The programs that a report shows."""
    names = _names(table, "programs", "programs", "python", start)
    for name in names or ():
        if name not in PROGRAMS:
            near = nearest(name, PROGRAMS) or f"; possible are: {', '.join(PROGRAMS)}"
            raise ReportError(f"{start}there is no program {shown(name)}{near}")
    return names


def _switch(table: Mapping[str, Any], key: str, start: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise ReportError(f"{start}{key} is true or false, not {shown(value)}; write {key} = true")
    return value


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
    return replace(homework, detail=_choice({"detail": detail}, "detail", "", DETAILS))


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
    for name, value in as_table(settings, "overrides").items():
        identity, key = _target(homework, name, start)
        kept = plain(value, f"{start}{key}")
        if identity is None:
            heading[key] = kept
        else:
            inputs[identity][key] = as_numbers(kept)
    questions = tuple(replace(q, inputs=inputs[q.id]) for q in homework.questions)
    changed = _heading(heading, start)
    if changed.get("title") == "":
        raise ReportError(f"{start}title: a homework needs a title")
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
