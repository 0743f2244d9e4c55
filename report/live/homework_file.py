"""The homework file that the page edits: its text, its versions, its place on the disk.

The text is the one truth, and every change makes a new version of it. A change says on which version it
is based, so that two tabs and an editor can work on one file: what a form leaves as it was in its own
version is left as it is now. Comments and layout of the file are kept.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Array, Item, String

from report import files
from report.errors import ReportError
from report.homework.homework import Homework, read_homework_text
from report.homework.toml import text_of

MAX_TEXT = 200_000  # characters of a homework on the live page
KEPT = 200  # versions that a change can be based on
TOGETHER = 1.0  # seconds between changes that are taken back together
NEW = """title = "Homework"
author = ""

[[question]]
function = "(sigmoid(w*x + b) - y)**2"

[question.inputs]
w = 0.5
x = 2
b = -1
y = 1
"""


class HomeworkFile:
    """A homework's text with its versions; `path` is None where no file was given."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.version = 1
        self.ends = "\n"  # of the lines on the disk
        self.on_disk = "" if path is None else self.read(path)
        self.text = self.on_disk or NEW
        self.parsed = read_homework_text(self.text, self.name)
        self.versions = {self.version: self.text}
        self.unsaved: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = []
        self.past: deque[str] = deque(maxlen=KEPT)  # texts that can be taken back
        self.changed_at = 0.0

    @property
    def name(self) -> str:
        """What messages call the file."""
        return str(self.path or "homework.toml")

    def homework(self, version: int | None = None) -> Homework:
        """The homework as it is now, or was in a version that is still known."""
        text = self.versions.get(version or self.version, self.text)
        return self.parsed if text == self.text else read_homework_text(text, self.name)

    def change(self, text: str) -> bool:
        """Put another text in its place; whether it differs. ReportError for what is no homework file."""
        text = text.replace("\r\n", "\n")
        if len(text) > MAX_TEXT:
            raise ReportError(
                f"the file has {len(text)} characters; the live page takes {MAX_TEXT}"
            )
        if text == self.text:
            return False
        self.parsed = read_homework_text(text, self.name)
        now = time.monotonic()
        if now - self.changed_at > TOGETHER:
            self.past.append(self.text)
        self.changed_at = now
        self.text = text
        self.version += 1
        self.versions[self.version] = text
        self.versions.pop(self.version - KEPT, None)
        return True

    def undo(self) -> bool:
        """Take back the last change, or what came in one go with it; whether there was one."""
        if not self.past:
            return False
        self.changed_at = time.monotonic()
        changed = self.change(self.past.pop())
        self.changed_at = 0.0
        self.unsaved.clear()
        return changed

    def edit(self, question: str, heading: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
        """Set keys of the heading and of a question; `inputs` maps names to values, None takes one away.

        Raises ReportError where the result is no homework file; then nothing has changed.
        """
        changed = self._edit(question, heading, changes)
        if changed and self.path is not None:
            self.unsaved.append((question, heading, changes))
        return changed

    def _edit(self, question: str, heading: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
        document = tomlkit.parse(self.text)
        for key, value in heading.items():
            _set(document, key, value)
        known = [q.id for q in self.parsed.questions]
        table: Any = document["question"][known.index(question)]
        for key, value in changes.items():
            if key != "inputs":
                _set(table, key, value)
                continue
            if "inputs" not in table:
                table["inputs"] = tomlkit.table()
            inputs = table["inputs"]
            if value.keys() > inputs.keys() or (
                value.keys() >= inputs.keys() and None in value.values()
            ):
                inputs.clear()  # other inputs altogether stand in the order in which they are given
            for name, given in value.items():
                _set(inputs, name, given)
        return self.change(tomlkit.dumps(document))

    # ------------------------------------------------------------ the disk

    def save(self) -> bool:
        """Write the text to its file, whole; whether that was needed.

        Where the file has changed meanwhile it is not written: `follow` first.
        """
        if self.path is None or self.text == self.on_disk:
            return False
        if self.path.exists() and self.read(self.path) != self.on_disk:
            raise ReportError(f"{self.path} was changed by another program; nothing was written")
        files.write(self.path, self.text.replace("\n", self.ends).encode())
        self.on_disk = self.text
        self.unsaved.clear()
        return True

    def follow(self) -> bool:
        """Take over what another program has written to the file; whether there was something.

        What was changed here and is not saved yet is changed in the new text as well.
        """
        if self.path is None or not self.path.exists():
            return False
        found = self.read(self.path)
        if found == self.on_disk:
            return False
        self.past.clear()
        changed = self.change(found)  # what is no homework file is told, and is read again later
        self.on_disk = found
        for question, heading, changes in self.unsaved:
            with contextlib.suppress(ReportError, KeyError, ValueError):  # the place may be gone
                self._edit(question, heading, changes)
        return changed

    def read(self, path: Path) -> str:
        """The text of a homework file with plain ends of lines; ReportError where it cannot be read."""
        text = text_of(path)
        self.ends = "\r\n" if "\r\n" in text else "\n"
        return text.replace("\r\n", "\n")


# ---------------------------------------------------------------- TOML that keeps its comments


def _set(table: Any, key: str, value: Any) -> None:
    """Give a key another value, with as little change to the text as there can be."""
    if value is None:
        table.pop(key, None)
        return
    old = table.get(key)
    if isinstance(old, Array) and isinstance(value, list) and _alike(old, value):
        _refill(old, value)
    elif old is None or old.unwrap() != value:
        table[key] = _item(value, old)


def _alike(old: Any, new: list[Any]) -> bool:
    """Whether two lists have the same shape."""
    return len(old) == len(new) and all(
        (isinstance(a, list) and _alike(a, b)) if isinstance(b, list) else not isinstance(a, list)
        for a, b in zip(old, new, strict=True)
    )


def _refill(old: Any, new: list[Any]) -> None:
    for i, value in enumerate(new):
        if isinstance(value, list):
            _refill(old[i], value)
        elif old[i] != value:
            old[i] = value


def _item(value: Any, old: Any) -> Any:
    """A value as TOML: a text with backslashes or lines in quotes that leave them as they are."""
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update(value)
        return table
    if not isinstance(value, str):
        return value
    lines = "\n" in value
    was_literal = isinstance(old, Item) and isinstance(old, String) and old.as_string()[:1] == "'"
    literal = ("\\" in value or was_literal) and ("'''" if lines else "'") not in value
    if lines:
        quotes = "'''" if literal else '"""'
        if quotes in value or (not literal and "\\" in value):
            return tomlkit.string(f"{value.strip()}\n", multiline=True)
        return tomlkit.value(f"{quotes}\n{value.strip()}\n{quotes}")
    return tomlkit.string(value, literal=literal)
