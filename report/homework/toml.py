"""TOML in and out: files and values read with errors that show the line, and text that reads back equal.

The reader is tomllib. It is kept from the few texts that it takes long for, so that a file of the
largest size is read or refused within a second.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from report.errors import ReportError, nearest, shown

MAX_BYTES = 1_000_000  # of a file
WIDTH = 88  # columns of what is written
_PART = r"""(?:[A-Za-z0-9_-]++|"(?:\\.|[^"\\\n])*+"|'[^'\n]*+')"""
_DEEP_KEY = re.compile(
    rf"(?<![A-Za-z0-9_-])(?:{_PART}[ \t]*+\.[ \t]*+){{32}}"
)  # tomllib: quadratic
_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_REMEDIES = {  # how tomllib begins a message, and what helps
    "Invalid value": "text stands in quotes, a number is written 0.5, a list [1, 2]",
    "Unescaped '\\'": "text with backslashes stands in single quotes '...' or '''...'''",
    "Expected '='": "a line reads: key = value",
    "Expected newline": "one key = value on a line; a quote mark inside a text needs other quotes round it",
    "Invalid statement": "a line reads: key = value",
    "Invalid date": "there is no such day or hour",
    "Cannot overwrite": "this key stands twice",
    "Cannot declare": "this table stands twice; questions begin with [[question]], two brackets each",
    "Illegal character": "a text in one pair of quotes ends on its line; use ''' for several lines",
    "Expected": "a quote mark or bracket is not closed",
    "Unterminated": "a quote mark is not closed",
    "Unclosed": "a bracket is not closed",
}


def read_file(path: Path) -> dict[str, Any]:
    """The table that a TOML file holds.

    Raises ReportError when the file is missing, no regular file, unreadable, larger than a megabyte,
    not UTF-8 (a byte order mark is fine) or not TOML.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ReportError(f"{path} is a folder; name the file in it")
        if not stat.S_ISREG(mode):
            raise ReportError(f"{path} is no regular file; save its text to a file first")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise ReportError(
                f"{path} is a link to {path.readlink()}, and no file is there"
            ) from None
        raise ReportError(f"there is no file {path}{_neighbour(path)}") from None
    except ValueError:
        raise ReportError(f"{str(path)!r} is no name of a file") from None
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise ReportError(f"{path} is larger than {MAX_BYTES} bytes; is it a homework file?")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ReportError(
            f"{path} is not UTF-8: byte 0x{data[error.start]:02X} in line {line}; "
            "save it with the encoding UTF-8"
        ) from None
    return read_text(text, str(path))


def _neighbour(path: Path) -> str:
    try:
        names = [p.name for p in path.parent.iterdir() if p.suffix == ".toml"]
    except OSError:
        return ""
    return nearest(path.name, names)


def read_text(text: str, place: str) -> dict[str, Any]:
    """The table in a TOML text; ReportError, beginning with `place`, with line, column and a caret."""
    if deep := _DEEP_KEY.search(text):
        line = text.count("\n", 0, deep.start()) + 1
        raise ReportError(
            f"{place} is not a homework: line {line} holds a key of more than 32 parts"
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(text, place, str(error)) from None
    except RecursionError:
        raise ReportError(f"{place} nests too many brackets inside each other") from None
    except ValueError as error:  # a number of thousands of digits, a day that no month has
        reason = "a number has too many digits" if "digits" in str(error) else error
        raise ReportError(f"{place} holds a value that cannot be read: {reason}") from None


def read_value(text: str, place: str) -> Any:
    """One TOML value, such as 2, -0.5, [1, 2] or "text"; nothing else may follow it."""
    try:
        table = read_text(f"value = {text}", place)
    except ReportError:
        table = {}
    if list(table) != ["value"]:
        raise ReportError(
            f"{place}: {shown(text)} is no value; write a number such as -0.5 or a list such as "
            "[1, 2] or [[1, 2], [3, 4]], text in quotes"
        )
    return table["value"]


def _not_toml(text: str, place: str, error: str) -> ReportError:
    found = _PLACE.fullmatch(error)
    message, line, column = found.groups() if found else (error, None, None)
    lines = text.replace("\r\n", "\n").rstrip().split("\n")
    row = int(line) if line else len(lines)
    at = int(column) - 1 if column else len(lines[-1])
    source = lines[row - 1] if row <= len(lines) else ""
    remedy = next((r for start, r in _REMEDIES.items() if message.startswith(start)), "")
    return ReportError(
        f"{place} is not TOML: {message}{f' ({remedy})' if remedy else ''}\n"
        f"  line {row}, column {at + 1}:\n{_caret(source, at)}"
    )


def _caret(source: str, column: int, width: int = 76) -> str:
    """The line with a caret under the column; a long line is cut round the place."""
    start = max(0, column - width // 2) if len(source) > width else 0
    cut = "".join(c if c.isprintable() else " " for c in source[start : start + width])
    return f"    {cut.rstrip()}\n    {' ' * (column - start)}^"


# ---------------------------------------------------------------- writing


def write_pairs(table: Mapping[str, Any]) -> str:
    """Lines `key = value` for numbers, text, dates, lists and tables of them; they read back equal."""
    return "".join(f"{_key(key)} = {write_value(value)}\n" for key, value in table.items())


def write_value(value: Any) -> str:
    """A value as TOML; a list that is too long for a line gets one line for each of its lists."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case float():
            return repr(float(value))
        case str():
            return _quoted(value)
        case dt.date() | dt.time():
            return value.isoformat()
        case list() | tuple():
            return _list(value, "")
        case Mapping():
            pairs = (f"{_key(key)} = {_on_a_line(v)}" for key, v in value.items())
            return "{" + ", ".join(pairs) + "}"
    raise ReportError(f"{shown(value)} cannot be written as TOML")


def _on_a_line(value: Any) -> str:
    """A value in an inline table, which is one line long."""
    match value:
        case str():
            return _escaped(value)
        case list() | tuple():
            return f"[{', '.join(map(_on_a_line, value))}]"
    return write_value(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _escaped(name)


def _quoted(text: str) -> str:
    plain = all(c.isprintable() or c in "\t\n" for c in text)
    if plain and "\n" in text and "'''" not in text and not text.endswith("'"):
        return f"'''\n{text}'''"
    if plain and "\n" not in text and "'" not in text and ("\\" in text or '"' in text):
        return f"'{text}'"
    return _escaped(text)


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(values: list[Any] | tuple[Any, ...], indent: str) -> str:
    nested = any(isinstance(v, (list, tuple)) for v in values)
    inner = indent + "    "
    parts = [_list(v, inner) if isinstance(v, (list, tuple)) else write_value(v) for v in values]
    line = f"[{', '.join(parts)}]"
    if "\n" not in line and len(line) + len(indent) <= WIDTH - 16:
        return line
    rows = [""]
    for part in parts:
        if rows[-1] and (nested or len(inner) + len(rows[-1]) + len(part) + 2 > WIDTH):
            rows.append("")
        rows[-1] += f" {part}," if rows[-1] else f"{part},"
    return "[\n" + "".join(f"{inner}{row}\n" for row in rows) + f"{indent}]"
