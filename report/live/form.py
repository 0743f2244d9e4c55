"""The form of a question: what it shows, and what of it a user has changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from report.autodiff.gates.definitions import opened
from report.autodiff.inputs import NAME
from report.autodiff.parser import free_names as names_of
from report.autodiff.parser import is_latex
from report.autodiff.parser.latex.names import normal
from report.errors import ReportError
from report.homework import toml
from report.homework.homework import Homework, Question
from report.homework.random_inputs import is_random

MAX_SIZE = 12  # rows and columns of a grid that one can type in
KINDS = ("number", "vector", "matrix")
_NUMBER = re.compile(r"(?<![\w.])[-+−]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_ROW = re.compile(r"[\n;]|\\\\|\][\s,]*(?=\[)")  # what stands between two rows
_OPTION = re.compile(r",\s*\w+=[^,)\]]*")  # dtype=float32
_NONE = re.compile(r"\.\.\.|…|\b(?:nan|inf|infinity|none|null)\b|#N/A", re.IGNORECASE)


@dataclass(frozen=True)
class Input:
    """An input as the form shows it: a number, a vector or a matrix in cells; else only its size."""

    name: str
    kind: str  # one of KINDS, "random" or "large"
    cells: tuple[tuple[str, ...], ...]
    words: str
    asked: bool
    used: bool


def fields(homework: Homework, question: str) -> dict[str, str]:
    """Every field of the form by its name, as it stands in a homework."""
    q = homework.question(question)
    found = {
        "title": homework.title,
        "author": homework.author,
        "question-title": q.title,
        "function": q.function,
        "unfold": " ".join(q.unfolded),
        **more_of(q),
    }
    for i in inputs_of(q):
        found[f"asked:{i.name}"] = "on" if i.asked else ""
        found[f"kind:{i.name}"] = i.kind
        for r, row in enumerate(i.cells):
            for c, cell in enumerate(row):
                found[f"cell:{i.name}:{r}:{c}"] = cell
    return found


def more_of(q: Question) -> dict[str, str]:
    """What else a question may ask for, as its fields show it."""
    return {
        "hessian": "on" if q.hessian else "",
        "jacobian": "on" if q.jacobian else "",
        "entry": ", ".join(map(str, q.entry or ())),
        "direction": ", ".join(
            toml.write_pairs({n: v}).strip() for n, v in (q.direction or {}).items()
        ),
        "steps": "" if q.steps is None else str(q.steps),
        "rate": "" if q.rate is None else _written(q.rate),
        "method": q.method or "",
    }


def inputs_of(q: Question) -> list[Input]:
    """The inputs of a question, those first that the function uses."""
    used = free_names(q.function, q.inputs)
    found = []
    for name, value in q.inputs.items():
        kind, cells, words = _cells(value)
        asked = q.wrt is None or name in q.wrt
        found.append(Input(name, kind, cells, words, asked, used is None or name in used))
    return found


def _cells(value: Any) -> tuple[str, tuple[tuple[str, ...], ...], str]:
    if is_random(value):
        return "random", (), "drawn at random"
    try:
        array = np.array(value, dtype=float)
    except (ValueError, TypeError):
        return "large", (), "not a block of numbers"
    if array.ndim > 2 or max(array.shape, default=1) > MAX_SIZE:
        return "large", (), f"{' × '.join(map(str, array.shape))} numbers"
    rows = value if array.ndim == 2 else [[v] for v in value] if array.ndim == 1 else [[value]]
    cells = tuple(tuple(_written(v) for v in row) for row in rows)
    return KINDS[array.ndim], cells, ""


def _written(number: Any) -> str:
    return str(int(number)) if isinstance(number, bool) else repr(number)


def free_names(function: str, known: Collection[str] = ()) -> list[str] | None:
    """The names that a formula needs from outside, in its order; None where that cannot be told while it is typed.

    In LaTeX a name is that of a known input where the two are one: x_1 is x1.
    """
    latex = is_latex(function)
    try:
        found = names_of.of_latex(function) if latex else names_of.of_expression(function)
    except (ReportError, RecursionError):
        return None
    if not latex:
        return [n.name for n in found if NAME.fullmatch(n.name)]
    alike = {normal(key): key for key in known}
    plain = [re.sub(r"_(?=\d)", "", n.name) for n in found]
    return list(dict.fromkeys(alike.get(normal(name), name) for name in plain))


# ---------------------------------------------------------------- what has changed


@dataclass(frozen=True)
class Changes:
    """Keys of the heading and of the question with their new values; `faults` is what is wrong with which field."""

    heading: Mapping[str, Any]
    question: Mapping[str, Any]
    faults: Mapping[str, str]

    def __bool__(self) -> bool:
        return bool(self.heading or self.question)


def changes(posted: Mapping[str, str], base: Homework, now: Homework, question: str) -> Changes:
    """What posted fields change in the homework of now; `base` is the one that the form showed."""
    before = fields(base, question)
    different = {k: v for k, v in posted.items() if k in before and v != before[k]}
    q = now.question(question)
    heading: dict[str, Any] = {k: different[k] for k in ("title", "author") if k in different}
    changed: dict[str, Any] = {}
    if "question-title" in different:
        changed["title"] = different["question-title"]
    if "function" in different and different["function"].strip():
        changed["function"] = different["function"].replace("\r\n", "\n").strip("\n")
    if "unfold" in different:
        names = different["unfold"].split()
        changed["unfold"] = None if set(names) == set(opened()) else names
    faults: dict[str, str] = {}
    if not different.get("function", "-").strip():
        faults["function"] = "write a formula, such as sum((W @ x)**2)"
    for key in _MORE.keys() & different.keys():
        with _noted(faults, key):
            changed[key] = _MORE[key](different[key].strip())
    if "steps" in changed and changed["steps"] is None:
        changed |= {"rate": None, "method": None}  # which are those of steps
    asked = [key for key in different if key.startswith("asked:")]
    for key in asked[-1:]:
        with _noted(faults, key):
            boxes = {k.partition(":")[2]: different[k] == "on" for k in asked}
            changed["wrt"] = _wrt(q, boxes)
    values = _values(q, different, faults)
    if values:
        changed["inputs"] = values
    return Changes(heading, changed, faults)


@contextmanager
def _noted(faults: dict[str, str], field: str) -> Iterator[None]:
    """Note what is wrong with a field; the others are changed all the same."""
    try:
        yield
    except ReportError as error:
        faults[field] = str(error)


def _places(text: str) -> list[int] | None:
    if not re.fullmatch(r"[\s\d,()\[\]]*", text):
        raise ReportError(
            f"entry {text[:40]!r}: write its place, counted from 0, such as 1 or 0, 2"
        )
    return [int(n) for n in re.findall(r"\d+", text)] or None


def _direction(text: str) -> dict[str, Any] | None:
    try:
        found = toml.read_value(f"{{ {text} }}", "direction")
    except ReportError:
        found = ""
    if not isinstance(found, dict):
        raise ReportError(f"direction {text[:40]!r}: write x = [1, 0], w = 1")
    return found or None


_MORE: Mapping[str, Callable[[str], Any]] = {
    "hessian": lambda text: text == "on" or None,
    "jacobian": lambda text: text == "on" or None,
    "entry": _places,
    "direction": _direction,
    "steps": lambda text: number(text, "steps") if text else None,
    "rate": lambda text: number(text, "rate") if text else None,
    "method": lambda text: text or None,
}


def _wrt(q: Question, boxes: Mapping[str, bool]) -> list[str] | None:
    names = [n for n in q.inputs if boxes.get(n, q.wrt is None or n in q.wrt)]
    if not names:
        raise ReportError("ask for the gradient of one input at least")
    return None if len(names) == len(q.inputs) else names


def _values(q: Question, different: Mapping[str, str], faults: dict[str, str]) -> dict[str, Any]:
    """The inputs with other cells or another shape."""
    values: dict[str, Any] = {}
    for key, text in different.items():
        what, _, rest = key.partition(":")
        if what == "kind" and rest in q.inputs and text in KINDS:
            values[rest] = reshaped(q.inputs[rest], text)
        elif what == "cell":
            name, row, column = rest.rsplit(":", 2)
            if name in q.inputs and f"kind:{name}" not in different:
                old = values.get(name, q.inputs[name])
                with _noted(faults, key):
                    given = number(text, f"input {name}")
                    values[name] = _with_cell(old, int(row), int(column), given)
    return values


def _with_cell(value: Any, row: int, column: int, given: Any) -> Any:
    if not isinstance(value, list):
        return given
    if row >= len(value):
        return value
    if isinstance(value[row], list):
        if column >= len(value[row]):
            return value
        given = [*value[row][:column], given, *value[row][column + 1 :]]
    return [*value[:row], given, *value[row + 1 :]]


def number(text: str, name: str) -> int | float:
    """A number as typed: also with a comma, a long minus, or as a quotient of two such as 1/3."""
    plain = text.strip().replace("−", "-").replace(",", ".")
    top, slash, bottom = plain.partition("/")
    try:
        if slash:
            return float(top) / float(bottom)
        return int(plain) if re.fullmatch(r"[-+]?\d{1,15}", plain) else _finite(float(plain))
    except (ValueError, ZeroDivisionError):
        raise ReportError(f"{name}: {text[:40]!r} is no number; write 0.5") from None


def _finite(x: float) -> float:
    if not np.isfinite(x):
        raise ValueError
    return x


# ---------------------------------------------------------------- shapes, tables, random numbers


def reshaped(value: Any, kind: str, rows: int = 2, columns: int = 2) -> Any:
    """The value as a number, a vector or a matrix, with the numbers that it has."""
    flat = _flat(value) or [1.0]
    rows, columns = (min(max(n, 1), MAX_SIZE) for n in (rows, columns))
    if kind == "number":
        return flat[0]
    filled = [flat[i] if i < len(flat) else 0.0 for i in range(rows * columns)]
    if kind == "vector":
        return filled[:rows] if rows <= len(filled) else filled
    return [filled[r * columns : (r + 1) * columns] for r in range(rows)]


def sized(value: Any, rows: int, columns: int) -> Any:
    """A vector or matrix with more or fewer rows and columns; new entries are 0."""
    rows, columns = (min(max(n, 1), MAX_SIZE) for n in (rows, columns))
    if not isinstance(value, list):
        return value
    if not isinstance(value[0], list):
        return [value[r] if r < len(value) else 0.0 for r in range(rows)]
    return [
        [
            value[r][c] if r < len(value) and c < len(value[r]) else 0.0
            for c in range(columns)
        ]
        for r in range(rows)
    ]  # fmt: skip


def shape(value: Any) -> tuple[int, ...]:
    """The shape of nested lists."""
    return (len(value), *shape(value[0] if value else 0)) if isinstance(value, list) else ()


def _flat(value: Any) -> list[Any]:
    return [x for v in value for x in _flat(v)] if isinstance(value, list) else [value]


def pasted(text: str, name: str) -> Any:
    """The numbers of a spreadsheet's cells, of an array as NumPy, PyTorch or MATLAB print it, of a list or of LaTeX."""
    if missing := _NONE.search(text):
        raise ReportError(
            f"input {name}: what was pasted has {missing[0]} in the place of a number"
        )
    if "[[[" in text:
        raise ReportError(
            f"input {name}: what was pasted has three axes; put it into the file's text"
        )
    if "\t" in text and not re.search(r",\s", text):  # of a spreadsheet: 0,5 or 1,234.5
        text = text.replace(",", "" if "." in text else ".")
    lines = _ROW.split(_OPTION.sub("", text))
    rows = [[_plain(n) for n in _NUMBER.findall(line)] for line in lines]
    rows = [row for row in rows if row]
    if not rows or len({len(row) for row in rows}) > 1:
        raise ReportError(f"input {name}: what was pasted is no table of numbers with equal rows")
    if max(len(rows), len(rows[0])) > 1000:
        raise ReportError(f"input {name}: what was pasted is larger than 1000 rows or columns")
    if len(rows) == 1:
        single = len(rows[0]) == 1 and "[" not in text
        nested = "[[" in text
        return rows[0][0] if single else rows if nested else rows[0]
    if len(rows[0]) == 1 and "[[" not in text:
        return [row[0] for row in rows]
    return rows


def _plain(text: str) -> int | float:
    plain = text.replace("−", "-")
    return int(plain) if re.fullmatch(r"[-+]?\d{1,15}", plain) else float(plain)


def drawn(values: Mapping[str, Any], names: Sequence[str], seed: str) -> dict[str, Any]:
    """Other numbers of one decimal for these inputs, decided by a seed."""
    from report.homework.random_inputs import read_random

    found = {}
    for name in names:
        shape = np.shape(np.array(values[name], dtype=float))
        table: dict[str, Any] = {"uniform": [-2, 2], "digits": 1}
        if shape:
            table["shape"] = list(shape)
        found[name] = read_random(table, f"input {name}").draw("live", seed, name)
    return found
