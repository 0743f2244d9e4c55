"""What bad input and failed checks raise, how a value is quoted, and how a near miss is named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

_QUOTED = (
    bool,
    float,
    type(None),
    type(...),
    dt.date,
    dt.time,
)  # their repr is short, and Python's
MAX_FAULTS = 10  # that are told of one file
_LOOKED_AT = 2000  # names that may be near
_SMALLEST = 10  # characters that a list inside lists is quoted in


class ReportError(Exception):
    """Bad input: one or a few plain lines that name the place and the remedy.

    What a message quotes may be of any length and hold any character; a line of it keeps its
    beginning and its end, and what cannot be printed is escaped.
    """

    parts: Sequence[ReportError] = ()  # where it joins several

    def __init__(self, message: str) -> None:
        super().__init__("\n".join(_printable(_shortened(line)) for line in message.split("\n")))


def _shortened(line: str, start: int = 400, end: int = 200) -> str:
    return line if len(line) <= start + end + 5 else f"{line[:start]} ... {line[-end:]}"


def _printable(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


class CheckError(ReportError):
    """A check failed: the lines name the numbers that do not agree."""


class Faults:
    """What is wrong with a file, collected so that one run tells it all."""

    def __init__(self) -> None:
        self.found: list[ReportError] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note a ReportError of the block, or those that it joins, instead of raising it."""
        try:
            yield
        except CheckError:
            raise
        except ReportError as error:
            self.found += error.parts or [error]

    @contextmanager
    def collected(self) -> Iterator[None]:
        """The same; raise all when there are many."""
        with self.noted():
            yield
        if len(self.found) >= MAX_FAULTS:
            self.end()

    def end(self) -> None:
        """Raise what was noted, as one error."""
        if self.found:
            raise joined(self.found)


def joined(faults: Sequence[ReportError]) -> ReportError:
    """One error that tells several, a fault of many lines after another."""
    if len(faults) == 1:
        return faults[0]
    whole = ReportError("\n".join(map(str, faults)))
    whole.parts = tuple(faults)
    return whole


def shown(value: Any, limit: int = 40) -> str:
    """A value in a message: short, on one line.

    Of a value that is no plain Python one only the class is named: its repr would be code of somebody
    else, which may fail, hang or do anything.
    """
    kind = type(value)
    if kind is str:
        return repr(_cut(value, limit))
    if kind is int:
        return _cut(str(value), limit) if value.bit_length() < 1000 else "a very long number"
    if kind in _QUOTED:
        return repr(value)
    if kind in (list, tuple, dict) and limit < _SMALLEST:
        return "..."
    if kind is dict:
        pairs = (f"{shown(k, limit // 2)}: {shown(v, limit // 2)}" for k, v in value.items())
        return "{" + _cut(", ".join(islice(pairs, limit)), limit - 2) + "}"
    if kind in (list, tuple):
        inner = _cut(", ".join(shown(v, limit // 2) for v in value[:limit]), limit - 2)
        return f"[{inner}]" if kind is list else f"({inner})"
    name = _cut(kind.__name__, limit)
    return f"a{'n' * (name[:1] in 'aeiouAEIO')} {name}"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


def nearest(word: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """'; did you mean ...?' with the known word nearest to `word`, or nothing when none is near."""
    import difflib

    folded = {k.lower(): k for k in islice(known, _LOOKED_AT)}
    near = difflib.get_close_matches(word.lower()[:60], folded, n=1, cutoff=cutoff)
    return f"; did you mean {folded[near[0]]}?" if near else ""
