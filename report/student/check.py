"""A student's program, run and held against a trace; and what came of it as text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from report.autodiff.graph import Array
from report.autodiff.trace import Trace
from report.program.confined import Ended
from report.student.diagnosis import diagnose
from report.student.sources import OwnProgram
from report.student.work import AGREES, DIFFERS, FOLLOWS, MISSING, SINGLE, Line, OwnWork

_VERDICTS = (AGREES, SINGLE, DIFFERS, FOLLOWS, MISSING)
_WIDEST = 34  # columns of a number


@dataclass(frozen=True, eq=False)
class OwnRun:
    """A student's program, how it ended, and what its numbers are worth."""

    program: OwnProgram
    ended: Ended
    work: OwnWork

    @property
    def fault(self) -> str:
        """Why it is no good, in a line or a few; "" where it runs and every number agrees."""
        if self.ended.fault:
            return self.ended.fault
        if not self.ended.text.strip():
            return f"{self.program.name} prints nothing"
        if not self.work.printed:
            return f"{self.program.name} prints no value or gradient of this question"
        if self.work.agrees:
            return ""
        return "\n  ".join([f"{self.program.name}: {headline(self.work)}", *causes(self.work)])


def check_program(trace: Trace, program: OwnProgram) -> OwnRun:
    """Run a program and hold what it printed against a trace, also where it failed in the end."""
    ended = program.run()
    return OwnRun(program, ended, diagnose(trace, ended.text))


def headline(work: OwnWork) -> str:
    """The first wrong number in a line."""
    first = work.first
    if first is None or first.own is None:
        return "no number differs" if work.printed else "no value or gradient was found"
    shapes = np.shape(first.true)
    true = "" if shapes else f", not {_short(first.true)}"
    own = "" if shapes else f" is {first.own.text}{true}"
    return f"first wrong: {first.name}{own}"


def causes(work: OwnWork) -> list[str]:
    """Why the wrong numbers are wrong, as far as a known mistake gives them."""
    said = []
    for line in work.wrong:
        if line.causes:
            likeliest, *others = line.causes
            also = [c.words if c.where == likeliest.where else str(c) for c in others]
            said.append(f"{line.name}: {'; or: '.join([str(likeliest), *also])}")
        else:
            said.append(f"{line.name}: no known mistake gives this number")
    return said


def rows(work: OwnWork) -> list[list[str]]:
    """Every number of a question: its name, as it is, the student's, and what that is worth.

    A tensor has a row for each of its own. What nobody asked for and nobody printed is left out.
    """
    shown = [line for line in work.lines if line.own is not None or line.asked]
    return [row for line in shown for row in _rows(line)]


def table(work: OwnWork) -> str:
    """Every number of a question beside the student's, the first wrong one, and why."""
    shown = [line for line in work.lines if line.own is not None or line.asked]
    cells = [["", "homework", "yours", ""], *rows(work)]
    widths = [max(len(row[i]) for row in cells) for i in range(4)]
    text = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in cells]
    text.insert(1, "  ".join("-" * w for w in widths).rstrip())
    counts = [
        f"{n} {v if n == 1 else v.removesuffix('s')}"
        for v in _VERDICTS
        if (n := sum(i.verdict == v for i in shown))
    ]
    text += ["", ", ".join(counts)]
    if work.count(SINGLE):
        text.append("single precision: right to about seven digits, as float32 gives; use float64")
    if work.other:
        text.append(f"{work.other} printed numbers are none of this question's")
    if work.first is not None:
        text += ["", headline(work), *(f"  {c}" for c in causes(work))]
    return "\n".join(text)


def _rows(line: Line) -> list[list[str]]:
    """One line for a number, one for each row of a tensor."""
    note = f"follows from {line.after}" if line.after else line.verdict
    own = [] if line.own is None else _lines(line.own.value)
    true = _lines(line.true)
    return [
        [
            line.name if i == 0 else "",
            true[i] if i < len(true) else "",
            own[i] if i < len(own) else "",
            note if i == 0 else "",
        ]
        for i in range(max(len(own), len(true)))
    ]


def _lines(value: Array) -> list[str]:
    array = np.asarray(value)
    if not array.ndim:
        return [_short(array)]
    flat = array.reshape(-1, array.shape[-1])
    return [
        text if len(text) <= _WIDEST else f"{text[: _WIDEST - 4]} ..."
        for text in (" ".join(f"{x:.4g}" for x in row) for row in flat[:8])
    ] + ["..."] * (len(flat) > 8)


def _short(value: Array) -> str:
    return f"{float(value):.8g}"
