"""Numbers that a student has already -> lines "name = value", as a program would print them.

Three forms are read: a table (CSV) of one row, its columns named as for `report grade` (q1.q3, q1.d.w1,
"q2.d.W[0,1]"), free lines "name = value", and a notebook (.ipynb), of which what its cells printed when
they last ran, and its own words, are read; nothing of it runs.
"""

from __future__ import annotations

import csv
import io
import os
import re
from pathlib import Path

from report.errors import ReportError, shown
from report.student.sources import notebook_text

MAX_BYTES = 1_000_000
_ABOUT = ("id", "name")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")


def read_answers(path: str | os.PathLike[str], question: str, letter: str) -> str:
    """The answers to a question as lines; `letter` is the function's. ReportError for no such file."""
    file = Path(path)
    try:
        if file.exists() and not file.is_file():
            raise ReportError(f"{file} is no file")
        if file.stat().st_size > MAX_BYTES:
            raise ReportError(f"{file} is larger than {MAX_BYTES // 1_000_000} MB")
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ReportError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ReportError(f"{file} is no text in UTF-8") from None
    return parse_answers(file, text, question, letter)


def parse_answers(file: Path, text: str, question: str, letter: str) -> str:
    """The text of a file, or what somebody typed, as lines "name = value"."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    if file.suffix.lower() == ".ipynb":
        return _plain("\n".join(notebook_text(file, text)))
    if not first:
        raise ReportError(f"{file} is empty; write lines such as q3 = 0.0199")
    delimiter = next((d for d in ";\t," if d in first), None)
    if delimiter is None or "=" in first or all(map(_is_number, first.split(delimiter))):
        return _plain(text)
    return _from_table(file, text, delimiter, question, letter)


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace("\N{MINUS SIGN}", "-") or "0")
    except ValueError:
        return False
    return True


def _plain(text: str) -> str:
    """Lines in which a derivative may stand as LaTeX has it."""
    return _FRACTION.sub(r"\1/\2", text.replace("$", " "))


def _from_table(file: Path, text: str, delimiter: str, question: str, letter: str) -> str:
    try:
        rows = [
            r for r in csv.reader(io.StringIO(text), delimiter=delimiter, strict=True) if any(r)
        ]
    except csv.Error as error:
        raise ReportError(f"{file}: {error}") from None
    if len(rows) != 2:
        raise ReportError(
            f"{file} has {len(rows) - 1} rows of answers; here it is one student's: one row under the "
            "names of the columns (report grade takes a class)"
        )
    columns, cells = ([cell.strip() for cell in row] for row in rows)
    lines = []
    for column, cell in zip(columns, cells, strict=False):
        if column.lower() in _ABOUT or not cell:
            continue
        first, _, rest = column.partition(".")
        if rest and first not in (question, "d"):
            continue  # of another question
        asked = rest if rest and first == question else column
        name = re.sub(r"^d\.", f"d{letter}/d", asked)
        number = cell.replace(",", ".") if delimiter != "," else cell
        lines.append(f"{name} = {number}")
    if not lines:
        raise ReportError(f"{file} has no answer to question {shown(question)}")
    return "\n".join(lines) + "\n"
