"""CSV in and out: as any spreadsheet writes it, and so that no spreadsheet takes a cell for a formula."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from report.errors import ReportError, shown

MAX_BYTES = 100_000_000
MAX_COLUMNS = 10_000
_TOLD = re.compile(r"\s*\"?sep=([,;\t])\"?[ ,;]*(?:\r?\n|\Z)", re.IGNORECASE)  # by Excel
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class CsvRow:
    """A row of a table: the number of the line where it begins, and the cells by column."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class CsvTable:
    """A CSV file: its columns in order, and its rows without those that are blank."""

    path: Path
    delimiter: str
    columns: tuple[str, ...]
    rows: tuple[CsvRow, ...]


def read_csv(path: str | os.PathLike[str], required: Sequence[str]) -> CsvTable:
    """A CSV file whose first line names the columns; cells are trimmed.

    UTF-8, or UTF-16 with a byte order mark; comma, semicolon or tab, whichever the first line is parted
    by, or a line sep=; before it says. The `required` columns are found without regard to case, and get the names asked for. Raises
    ReportError for a file that is missing or no text, for a column that is missing or stands twice, and
    for a row of too many cells or a quote that is not closed, with its line.
    """
    file = Path(path)
    text = _text(file)
    told = _TOLD.match(text)
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise ReportError(
            f"{file} is empty; its first line names the columns: {', '.join(required)}"
        )
    delimiter = max(",;\t", key=lambda d: (_found(first, d, required), first.count(d)))
    delimiter = told[1] if told else delimiter
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: tuple[str, ...] = ()
    rows: list[CsvRow] = []
    end = 0
    try:
        for cells in reader:
            line, end = end + 1, reader.line_num
            trimmed = [cell.strip() for cell in cells]
            if not any(trimmed) or (told and line == 1):
                continue
            if not columns:
                columns = _columns(file, trimmed, required)
                continue
            if any(trimmed[len(columns) :]):
                raise ReportError(
                    f"{file}, line {line} has {len(trimmed)} cells for {len(columns)} columns; a cell "
                    f'with a {"tab" if delimiter == chr(9) else shown(delimiter)} in it stands in "..."'
                )
            trimmed += [""] * (len(columns) - len(trimmed))
            rows.append(CsvRow(line, dict(zip(columns, trimmed, strict=False))))
    except csv.Error as error:
        raise ReportError(f"{file}, line {end + 1}: {error}") from None
    return CsvTable(file, delimiter, columns, tuple(rows))


def _text(file: Path) -> str:
    try:
        if file.is_dir():
            raise ReportError(f"{file} is a folder; name the file in it")
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ReportError(f"there is no file {file}") from None
    except OSError as error:
        raise ReportError(f"{file} cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise ReportError(f"{file} is larger than {MAX_BYTES // 1_000_000} MB")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ReportError(
            f"{file} is not {encoding[:6].rstrip('-').upper()}: byte 0x{data[error.start]:02X} in line "
            f"{line}; save it as CSV with the encoding UTF-8"
        ) from None
    if "\0" in text:
        raise ReportError(f"{file} is no text: it holds zero bytes; save it as CSV")
    return text


def _found(line: str, delimiter: str, required: Sequence[str]) -> int:
    cells = {cell.strip().strip('"').casefold() for cell in line.split(delimiter)}
    return sum(name.casefold() in cells for name in required)


def _columns(file: Path, cells: list[str], required: Sequence[str]) -> tuple[str, ...]:
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) > MAX_COLUMNS:
        raise ReportError(f"{file} has {len(cells)} columns; {MAX_COLUMNS} are possible")
    names = {name.casefold(): name for name in required}
    columns = tuple(names.get(cell.casefold(), cell) for cell in cells)
    for name in required:
        if name not in columns:
            given = ", ".join(c for c in columns if c) or "none"
            raise ReportError(
                f"{file} has no column {name}; its first line names: {shown(given, 200)}"
            )
    for number, name in enumerate(columns, 1):
        if not name:
            raise ReportError(f"{file}: column {number} has no name in the first line")
        if columns.index(name) != number - 1:
            raise ReportError(f"{file}: the column {shown(name)} stands twice")
    return columns


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A CSV file that every spreadsheet opens: UTF-8 with a byte order mark, no cell a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([harmless(c) for c in columns])
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def harmless(cell: Any) -> Any:
    """A cell as it is, or with ' before it where a spreadsheet would compute or run it."""
    if not isinstance(cell, str) or not (cell[:1].isspace() or cell.startswith(_FORMULA)):
        return cell
    try:
        float(cell)  # a negative number is one
    except ValueError:
        return "'" + cell
    return cell
