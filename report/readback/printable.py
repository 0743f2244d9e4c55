"""A derivation without the formulas that cannot be read back: what cannot be checked is not printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from report.derivation import Derivation
from report.derivation.elements import Branch, Equation, ForwardRow, Gradient, Step
from report.derivation.latex import Printed
from report.readback.notes import ReadBack


def printable(derivation: Derivation, read: ReadBack) -> tuple[Derivation, ReadBack]:
    """The derivation, and what was read of it, without what could not be read and can be left out.

    That are forms in entries and closed forms, which say again what the steps say, and formulas with numbers
    put in. A formula that only has no number at these inputs stays.
    """
    if not read.unreadable:
        return derivation, read
    kept = _Kept(read.unreadable)
    made = replace(
        derivation,
        forward=tuple(kept.row(row) for row in derivation.forward),
        backward=tuple(kept.step(step) for step in derivation.backward),
        gradients=tuple(kept.gradient(g) for g in derivation.gradients),
    )
    unread = tuple(u for u in read.unread if u not in kept.left_out)
    return made, replace(read, formulas=read.formulas - len(kept.left_out), unread=unread)


class _Kept:
    """What of a derivation can be read, and the faults of what is left out."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = faults
        self.left_out: set[str] = set()

    def equation(self, e: Equation | None) -> Equation | None:
        return None if e is None or self.is_unread(e.left, *e.symbols) else e

    def is_unread(self, left: str, *sides: str) -> bool:
        found = [f for side in sides for f in self.faults if f.startswith(f"{left} = {side} (")]
        self.left_out.update(found)
        return bool(found)

    def step(self, step: Step) -> Step:
        branches = tuple(self.branch(branch) for branch in step.branches)
        return replace(step, branches=branches, entry=self.equation(step.entry))

    def row(self, row: ForwardRow) -> ForwardRow:
        return replace(row, numbers=next(iter(self.numbers(row.name, row.numbers)), None))

    def numbers(self, left: str, *sides: Printed | None) -> tuple[Printed, ...]:
        return tuple(s for s in sides if s is not None and not self.is_unread(left, s))

    def local(self, e: Equation | None) -> Equation | None:
        return None if e is None else replace(e, numbers=self.numbers(e.left, *e.numbers))

    def branch(self, branch: Branch) -> Branch:
        return replace(
            branch,
            numbers=self.numbers(branch.left, *branch.numbers),
            local=self.local(branch.local),
            jacobian=self.local(branch.jacobian),
            entries=self.equation(branch.entries),
            together=self.equation(branch.together),
        )

    def gradient(self, g: Gradient) -> Gradient:
        unread = [self.is_unread(e.left, *e.symbols) for e in g.where]
        whole = None if g.closed is None or self.is_unread(g.left, g.closed) else g.closed
        entry = self.equation(g.entry)
        if any(unread):  # what uses a part goes with it
            return replace(g, closed=None, here=(), entry=None, where=())
        return replace(g, closed=whole, here=g.here if whole else (), entry=entry)
