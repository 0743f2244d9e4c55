"""Other values in place of those of a file: `q1.x1=2` is an input's, `author=Ada` the heading's.

Where there is one question, its inputs need no "q1.".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from report.errors import ReportError, nearest, shown
from report.homework import keys, toml
from report.homework.questions import HEADING, QUESTION, Homework
from report.homework.typed_numbers import as_numbers
from report.plain_values import as_table, plain

_NAME = re.compile(r"[\w.-]+")


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
        if name in HEADING and text[0] not in "\"'" and not _is_date(text):
            read[name] = text
        else:
            read[name] = toml.read_value(text, f"--set {name}")
    return read


def _is_date(text: str) -> bool:
    return re.match(r"\d{4}-\d\d-\d\d", text) is not None


def override(homework: Homework, settings: Mapping[str, Any], start: str = "override ") -> Homework:
    """The homework with other values. Raises ReportError, beginning with `start`, for what it does not have."""
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
    changed = keys.read_heading(heading, start)
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
        if name in HEADING:
            return None, name
        if only is None:
            owners = [q.id for q in homework.questions if name in q.inputs]
            example = f"{owners[0] if owners else homework.questions[0].id}.{name}"
            known = ", ".join(HEADING)
            raise ReportError(
                f"{start}{shown(name)}: name the question too ({example}), or one of: {known}"
            )
        identity, key = only.id, name
    if identity not in questions:
        near = nearest(identity, questions) or f"; there are: {', '.join(questions)}"
        raise ReportError(f"{start}{shown(name)}: there is no question {shown(identity)}{near}")
    known_inputs = questions[identity].inputs
    if key not in known_inputs:
        if key in QUESTION:
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
