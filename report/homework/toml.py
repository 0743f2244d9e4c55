"""TOML in and out: files and values read with errors that show the line, and text that reads back equal.

The reader is tomllib. It is kept from the few texts that it takes long for, so that a file of the
largest size is read or refused within a second.
"""

from __future__ import annotations

import datetime as dt
import re
import stat
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from report.errors import MAX_FAULTS, ReportError, joined, nearest, shown

MAX_BYTES = 1_000_000  # of a file
STANDARD_INPUT = Path("standard input")  # its name in messages
WIDTH = 88  # columns of what is written
_PART = r"""(?:[A-Za-z0-9_-]++|"(?:\\.|[^"\\\n])*+"|'[^'\n]*+')"""
_DEEP_KEY = re.compile(
    rf"(?<![A-Za-z0-9_\\-])(?:{_PART}[ \t]*+\.[ \t]*+){{32}}"
)  # tomllib: quadratic
_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_HEADER = re.compile(r"\s*\[\[?\s*([A-Za-z][\w. -]*?)\s*\]")
_KEY = re.compile(rf"\s*({_PART})\s*[.=]")
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
    """The table that a TOML file holds; see `text_of` for the errors, and that it is no TOML."""
    return read_text(text_of(path), str(path))


def text_of(path: Path) -> str:
    """The text of a file; that of the standard input where it is called STANDARD_INPUT.

    Raises ReportError when the file is missing, no regular file, unreadable, larger than a megabyte,
    or not UTF-8 (a byte order mark is fine).
    """
    if path == STANDARD_INPUT:
        return _decoded(sys.stdin.buffer.read(MAX_BYTES + 1), path)
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
    return _decoded(data, path)


def _decoded(data: bytes, path: Path) -> str:
    if len(data) > MAX_BYTES:
        raise ReportError(f"{path} is larger than {MAX_BYTES} bytes; is it a homework file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ReportError(
            f"{path} is not UTF-8: byte 0x{data[error.start]:02X} in line {line}; "
            "save it with the encoding UTF-8"
        ) from None


def _neighbour(path: Path) -> str:
    try:
        names = [p.name for p in path.parent.iterdir() if p.suffix == ".toml"]
    except OSError:
        return ""
    return nearest(path.name, names)


def read_text(text: str, place: str) -> dict[str, Any]:
    """The table in a TOML text; ReportError, beginning with `place`, with line, column and a caret."""
    found, faults, _ = read_lines(text, place)
    if faults:
        raise joined(faults)
    return found


def read_lines(text: str, place: str) -> tuple[dict[str, Any], list[ReportError], frozenset[str]]:
    """The table in the lines that are TOML, what is wrong with the others, and the keys that these give.

    Raises ReportError where nothing can be read.
    """
    if deep := _DEEP_KEY.search(text):
        line = text.count("\n", 0, deep.start()) + 1
        raise ReportError(
            f"{place} is not a homework: line {line} holds a key of more than 32 parts"
        )
    found: dict[str, Any] = {}
    faults: list[ReportError] = []
    lines = text.split("\n")
    lost: set[str] = set()
    try:
        while True:
            try:
                found = tomllib.loads("\n".join(lines))
                break
            except tomllib.TOMLDecodeError as error:
                row, fault = _not_toml(text, place, str(error))
                faults.append(fault)
                if row is None or _goes_on(lines[row - 1]) or len(faults) == MAX_FAULTS:
                    raise joined(faults) from None
                if key := _KEY.match(lines[row - 1]):
                    lost.add(key[1].strip("\"'"))
                lines[row - 1] = ""  # what is wrong below it?
    except RecursionError:
        deepest = max(lines, key=lambda line: line.count("[") + line.count("{"))
        raise ReportError(
            f"{place} nests too many brackets inside each other{_at(lines, deepest)}"
        ) from None
    except ValueError as error:  # a number of thousands of digits, a day that no month has
        reason = "a number has too many digits" if "digits" in str(error) else error
        long = max(lines, key=lambda line: max(map(len, re.findall(r"\d+", line)), default=0))
        said = _at(lines, long) if "digits" in str(error) else ""
        raise ReportError(f"{place} holds a value that cannot be read: {reason}{said}") from None
    return found, faults, frozenset(lost)


def _goes_on(line: str) -> bool:
    """Whether the lines below belong to this one, or it has been left out already."""
    quotes = (line.count('"""') + line.count("'''")) % 2
    return not line or bool(quotes) or line.count("[") != line.count("]")


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


def _not_toml(text: str, place: str, error: str) -> tuple[int | None, ReportError]:
    """The line that tomllib stopped at, None for the end of the text, and what is wrong there."""
    found = _PLACE.fullmatch(error)
    message, line, column = found.groups() if found else (error, None, None)
    lines = text.replace("\r\n", "\n").rstrip().split("\n")
    row = int(line) if line else len(lines)
    at = int(column) - 1 if column else len(lines[-1])
    source = lines[row - 1] if row <= len(lines) else ""
    remedy = next((r for start, r in _REMEDIES.items() if message.startswith(start)), "")
    return (row if line else None), ReportError(
        f"{place} is not TOML: {message}{f' ({remedy})' if remedy else ''}\n"
        f"  line {row}, column {at + 1}:\n{_caret(source, at)}"
    )


def pointed(text: str, question: int, key: str) -> str:
    """Lines that point at a key of a file: of the heading, or of the question of that number, from 1.

    An input is the key "inputs.x"; where a key is not to be found, its table is shown, or nothing.
    """
    known = _places(text)
    places = [(question, name) for name in (key, key.partition(".")[0], "")]
    for at in (*places, (1, "") if key == "question" else places[0]):
        if at in known:
            row, column = known[at]
            source = text.split("\n")[row - 1]
            return f"\n  line {row}, column {column + 1}:\n{_caret(source, column)}"
    return ""


def row_of(text: str, question: int, key: str) -> int:
    """The line on which a key of a question stands; 0 where it is not to be found."""
    return _places(text).get((question, key), (0, 0))[0]


def _places(text: str) -> dict[tuple[int, str], tuple[int, int]]:
    """Where each key of a homework file stands, by number of its question and name: line, column."""
    found: dict[tuple[int, str], tuple[int, int]] = {}
    number, table, closing = 0, "", ""
    for row, line in enumerate(text.split("\n"), 1):
        if closing:
            closing = "" if closing in line else closing
        elif header := _HEADER.match(line):
            name = header[1]
            number += name == "question"
            table = name.removeprefix("question").removeprefix(".") + "." * ("." in name)
            found.setdefault((number, table.rstrip(".")), (row, header.start(1)))
        elif key := _KEY.match(line):
            found.setdefault((number, table + key[1].strip("\"'")), (row, key.start(1)))
            rest = line[key.end() :]
            closing = next((q for q in ('"""', "'''") if rest.count(q) == 1), "")
    return found


def _at(lines: Sequence[str], line: str) -> str:
    """Lines that point at what a line gives."""
    column = max(line.find("=") + 2, 0)
    return f"\n  line {lines.index(line) + 1}, column {column + 1}:\n{_caret(line, column)}"


def _caret(source: str, column: int, width: int = 76) -> str:
    """The line with a caret under the column; a long line is cut round the place."""
    start = max(0, column - width // 2) if len(source) > width else 0
    cut = "".join(c if c.isprintable() else " " for c in source[start : start + width])
    return f"    {cut.rstrip()}\n    {' ' * (column - start)}^"


# ---------------------------------------------------------------- writing


def write_pairs(table: Mapping[str, Any]) -> str:
    """Lines `key = value` for numbers, text, dates, lists and tables of them; they read back equal."""
    import tomlkit  # not where a file is only read

    document = tomlkit.document()
    for key, value in table.items():
        document.add(key, _item(value))
    return tomlkit.dumps(document)


def _item(value: Any, on_a_line: bool = False) -> Any:
    """A value as tomlkit has it; what is inside an inline table or a list stands on one line."""
    from tomlkit import array, inline_table, item

    match value:
        case str():
            return _string(value, on_a_line)
        case bool() | int() | dt.date() | dt.time():
            return item(value)
        case float():
            return item(float(value))
        case list() | tuple():
            items = [_item(v, on_a_line=True) for v in value]
            if on_a_line or sum(len(i.as_string()) + 2 for i in items) <= WIDTH - 16:
                return array(f"[{', '.join(i.as_string() for i in items)}]")
            return _long_list(items, nested=isinstance(value[0], (list, tuple)))
        case Mapping():
            table = inline_table()
            for key, v in value.items():
                table.add(key, _item(v, on_a_line=True))
            return table
    raise ReportError(f"{shown(value)} cannot be written as TOML")


def _string(text: str, on_a_line: bool) -> Any:
    """A text as a person writes it: backslashes once, several lines as they are, where that can be."""
    from tomlkit import string
    from tomlkit.items import String, StringType, Trivia

    is_plain = all(c.isprintable() or c in "\t\n" for c in text)
    if is_plain and "\n" in text and not on_a_line and "'''" not in text + "'":
        return String(StringType.MLL, text, "\n" + text, Trivia())  # begins on a line of its own
    if is_plain and "\n" not in text and "'" not in text and ("\\" in text or '"' in text):
        return string(text, literal=True)
    return string(text)


def _long_list(items: Sequence[Any], nested: bool) -> Any:
    """A list of lists with one of them a line, any other as many entries a line as there is room for."""
    from tomlkit import array

    rows: list[list[Any]] = [[]]
    room = WIDTH - 4
    for entry in items:
        length = len(entry.as_string()) + 2
        if rows[-1] and (nested or length > room):
            rows.append([])
            room = WIDTH - 4
        rows[-1].append(entry)
        room -= length
    made = array()
    for row in rows:
        made.add_line(*row)
    made.add_line(indent="")
    return made
