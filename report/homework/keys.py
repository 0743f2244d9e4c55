"""The keys of a homework file: each is read by a function of its table, which refuses what it cannot be.

A message begins with `start`, the place in the file, and names the key and the remedy.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from report.autodiff.descent import MAX_STEPS, METHODS
from report.editions import DETAILS
from report.errors import ReportError, nearest, shown
from report.homework.characters import check_characters
from report.homework.typed_numbers import as_numbers
from report.plain_values import as_text

LINES = ("title", "course", "author", "student_id")
PAPERS = ("a4", "letter")
MAX_LINE = 200  # characters of a title, a name, ...
MAX_STATEMENT = 20_000
MAX_FUNCTION = 200_000  # characters, which are read in about a second
MAX_POINTS = 10_000
MAX_CONDITIONS = 50
PROGRAMS = ("python", "numpy")  # with the standard library alone, and vectorised
_PROGRAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}\.(py|ipynb)")
MAX_PROGRAMS = 5


def read_choice(table: Mapping[str, Any], key: str, start: str, choices: tuple[str, str]) -> str:
    """One of two words."""
    one, other = choices
    found = read_text(table, key, start, f'"{one}"').lower()
    if found not in choices:
        raise ReportError(f'{start}{key} is {shown(table[key])}; write "{one}" or "{other}"')
    return found


def read_seed(seed: Any, start: str = "") -> str:
    """A seed as text: 7 and "7" are the same. ReportError, beginning with `start`, for what is none."""
    text = str(seed) if type(seed) is int and seed.bit_length() < 600 else as_text(seed)
    if text is None:
        raise ReportError(f"{start}seed is {shown(seed)}; it is a whole number or a text")
    return unicodedata.normalize("NFC", read_text({"seed": text}, "seed", start))


def read_conditions(table: Mapping[str, Any], start: str) -> tuple[str, ...]:
    """The conditions on a variant: one text or a list of them."""
    require = table.get("require", [])
    texts = [require] if isinstance(require, str) else require
    if not isinstance(texts, list) or not all(isinstance(t, str) for t in texts):
        raise ReportError(
            f"{start}require must be a list of conditions, not {shown(require)}; write require = "
            '["abs(f) < 10", "not saturated"]'
        )
    if len(texts) > MAX_CONDITIONS:
        raise ReportError(f"{start}{len(texts)} conditions; {MAX_CONDITIONS} are possible")
    return tuple(read_text({"require": text}, "require", start, limit=500) for text in texts)


def read_heading(table: Mapping[str, Any], start: str) -> dict[str, Any]:
    """The keys of the heading that a table holds, checked; a message begins with `start`."""
    read: dict[str, Any] = {key: read_text(table, key, start) for key in LINES if key in table}
    if "due" in table:
        due = table["due"]
        read["due"] = (
            due if isinstance(due, dt.date) else read_text(table, "due", start, "2026-10-21")
        )
    if "paper" in table:
        read["paper"] = read_choice(table, "paper", start, PAPERS)
    if "detail" in table:
        read["detail"] = read_choice(table, "detail", start, DETAILS)
    if "seed" in table:
        read["seed"] = read_seed(table["seed"], start)
    return read


def read_function(table: Mapping[str, Any], start: str) -> str:
    """The function of a question, which it cannot do without."""
    function = read_text(table, "function", start, '"x*w + b"', lines=True, limit=MAX_FUNCTION)
    if not function:
        raise ReportError(f'{start}the function is missing; write function = "x*w + b"')
    return function


def read_inputs(table: Mapping[str, Any], start: str) -> dict[str, Any]:
    """The inputs of a question by name, typed numbers as numbers."""
    inputs = table.get("inputs", {})
    if not isinstance(inputs, Mapping):
        raise ReportError(
            f"{start}inputs must be a table, not {shown(inputs)}; write [question.inputs] and under "
            "it a line x1 = 2 for each"
        )
    return {name: as_numbers(value) for name, value in inputs.items()}


def typed_inputs(table: Mapping[str, Any]) -> tuple[str, ...]:
    """How each text among the inputs was read as numbers: b = '0,5' is 0.5."""
    inputs = table.get("inputs")
    if not isinstance(inputs, Mapping):
        return ()
    pairs = ((name, value, as_numbers(value)) for name, value in inputs.items())
    return tuple(f"{n} = {shown(v)} is {shown(x)}" for n, v, x in pairs if not _is_same(v, x))


def _is_same(value: Any, number: Any) -> bool:
    """Whether a value is the number as it stands, or its plain text."""
    if isinstance(value, list) and isinstance(number, list):
        return len(value) == len(number) and all(map(_is_same, value, number))
    return value is number or value == number or str(value).strip() == str(number)


def read_own_programs(table: Mapping[str, Any], identity: str, start: str) -> tuple[str, ...]:
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


def check_known(keys: Iterable[str], known: Iterable[str], where: str, more: str = "") -> None:
    """ReportError for a key that is not known, with the nearest one."""
    for key in keys:
        if key not in known:
            near = nearest(key, known) or f"; possible are: {', '.join(known)}"
            raise ReportError(f"{where}: unknown key {shown(key)}{near}{more}")


def read_text(
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


def read_points(table: Mapping[str, Any], start: str) -> int | float | None:
    """The points of a question, None where it has none."""
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


def read_names(
    table: Mapping[str, Any], key: str, what: str, example: str, start: str
) -> tuple[str, ...] | None:
    """A list of names; None where the key is missing."""
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


def read_programs(table: Mapping[str, Any], start: str) -> tuple[str, ...] | None:
    """The programs that a report shows."""
    names = read_names(table, "programs", "programs", "python", start)
    for name in names or ():
        if name not in PROGRAMS:
            near = nearest(name, PROGRAMS) or f"; possible are: {', '.join(PROGRAMS)}"
            raise ReportError(f"{start}there is no program {shown(name)}{near}")
    return names


def read_switch(table: Mapping[str, Any], key: str, start: str) -> bool:
    """true or false; false where the key is missing."""
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise ReportError(f"{start}{key} is true or false, not {shown(value)}; write {key} = true")
    return value


def read_entry(table: Mapping[str, Any], start: str) -> tuple[int, ...] | None:
    """The entry of a result that is a vector or a matrix, counted from 0; None where none is named."""
    entry = table.get("entry")
    if entry is None:
        return None
    parts = entry if isinstance(entry, list) else [entry]
    if not parts or not all(type(i) is int for i in parts):
        raise ReportError(f"{start}entry is {shown(entry)}; it is a place counted from 0: [0, 1]")
    return tuple(parts)


def read_direction(table: Mapping[str, Any], start: str) -> dict[str, Any] | None:
    """A tangent for some of the inputs; None where none is asked for."""
    direction = table.get("direction")
    if direction is None:
        return None
    if not isinstance(direction, Mapping) or not direction:
        raise ReportError(f"{start}direction is a table of inputs; write direction = {{x = 1}}")
    check_known(direction, table.get("inputs", {}), f"{start}direction")
    return {name: as_numbers(value) for name, value in direction.items()}


def read_steps(table: Mapping[str, Any], start: str) -> int | None:
    """How many steps of gradient descent are asked for; None for none."""
    steps = table.get("steps")
    if steps is None and {"rate", "method"} & table.keys():
        raise ReportError(f"{start}rate and method are those of steps; write steps = 3 too")
    if steps is not None and (type(steps) is not int or not 1 <= steps <= MAX_STEPS):
        raise ReportError(
            f"{start}steps is {shown(steps)}; it is a whole number from 1 to {MAX_STEPS}"
        )
    return steps


def read_rate(table: Mapping[str, Any], start: str) -> float | None:
    """The length of a step as a multiple of the gradient; None where the usual one will do."""
    rate = table.get("rate")
    if rate is None:
        return None
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < math.inf:
        raise ReportError(f"{start}rate is {shown(rate)}; it is a number above 0: write rate = 0.1")
    return float(rate)


def read_method(table: Mapping[str, Any], start: str) -> str | None:
    """How a step is taken; None for plain gradient descent."""
    if "method" not in table:
        return None
    method = read_text(table, "method", start, '"adam"').lower()
    if method not in METHODS:
        raise ReportError(f"{start}method is {shown(table['method'])}; it is {', '.join(METHODS)}")
    return method


READERS: Mapping[str, Callable[[Mapping[str, Any], str], Any]] = {
    "function": read_function,
    "inputs": read_inputs,
    "wrt": lambda table, start: read_names(table, "wrt", "inputs", "w1", start),
    "unfold": lambda table, start: (
        () if table.get("unfold") == [] else read_names(table, "unfold", "gates", "sigmoid", start)
    ),
    "hessian": lambda table, start: read_switch(table, "hessian", start),
    "programs": read_programs,
    "title": lambda table, start: read_text(table, "title", start),
    "statement": lambda table, start: read_text(
        table, "statement", start, lines=True, limit=MAX_STATEMENT
    ),
    "entry": read_entry,
    "jacobian": lambda table, start: read_switch(table, "jacobian", start),
    "direction": read_direction,
    "steps": read_steps,
    "rate": read_rate,
    "method": read_method,
    "points": read_points,
    "require": read_conditions,
}
