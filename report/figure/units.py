"""Trace -> what is drawn: units (gates, or groups of gates in a large graph) and what feeds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from report.autodiff.graph import Array, Node
from report.autodiff.trace import Quantity, Trace

MANY = 60  # more gates than this are grouped by let-line where there are let-lines
TOO_MANY = 150  # more units than this: the first and the last of them are drawn
SHOWN = 50  # of each end


@dataclass(frozen=True, eq=False)
class Feed:
    """One edge: where it comes from and the contribution to the gradient that it takes back.

    `part` is None where nothing can flow back, as into an index, or leads to no gradient asked for.
    """

    source: Quantity
    part: Array | None


@dataclass(frozen=True, eq=False)
class Unit:
    """A gate, or a let-line with the gates that belong to it, of which `first` has the least number."""

    quantity: Quantity
    feeds: tuple[Feed, ...]
    gates: int = 1
    first: int = 0

    @property
    def numbers(self) -> str:
        """The numbers of its gates: one, from the first to the last, and dots where others stand between."""
        last = self.quantity.number or 0
        if self.gates == 1:
            return str(last)
        return (
            f"{self.first}–{last}"
            if last - self.first == self.gates - 1
            else f"{self.first}, …, {last}"
        )

    @property
    def ordered(self) -> bool:
        """Whether it matters which edge is the first operand."""
        return self.gates == 1 and not self.quantity.node.gate.commutative


@dataclass(frozen=True, eq=False)
class FigurePlan:
    """Everything that a figure shows, in the order of the gates' numbers."""

    trace: Trace
    units: tuple[Unit, ...]
    shown: int  # this many units are drawn, then
    hidden: int  # so many are left out, then the rest is drawn
    consumers: dict[Quantity, list[Unit]]
    depth: dict[Quantity, int]  # how many units lie on the longest way from an input
    numbers: bool = True  # else the figure is to be filled in

    @property
    def grouped(self) -> bool:
        """Whether units stand for more than one gate."""
        return any(u.gates > 1 for u in self.units)

    @property
    def unused(self) -> tuple[Quantity, ...]:
        """The inputs that the result does not use."""
        used = {a for q in self.trace.gates for a in q.node.args} | {self.trace.graph.result}
        return tuple(q for q in self.trace.inputs if q.node not in used)

    def follows(self, quantity: Quantity) -> bool:
        """Whether the gradient leads to one that is asked for."""
        return quantity.node in self.trace.needed

    def collects(self, quantity: Quantity) -> bool:
        """Whether the gradient is a sum over several edges."""
        return (
            self.follows(quantity)
            and len(quantity.contributions) > 1
            and sum(map(len, self._uses(quantity))) > 1
        )

    def _uses(self, quantity: Quantity) -> list[list[Feed]]:
        return [
            [f for f in u.feeds if f.source is quantity] for u in self.consumers.get(quantity, ())
        ]


def plan(trace: Trace, *, numbers: bool = True) -> FigurePlan:
    """All gates of a small graph; let-lines, or the first and last gates, of a large one."""
    units = _units(trace, {q.node: q.node for q in trace.gates})
    if len(units) > MANY:
        grouped = lines(trace)
        even = max(u.gates for u in grouped) <= len(units) // 2
        if even and len(grouped) <= min(TOO_MANY, len(units) // 2):
            units = grouped
    consumers: dict[Quantity, list[Unit]] = {}
    for unit in units:
        for source in dict.fromkeys(f.source for f in unit.feeds):
            consumers.setdefault(source, []).append(unit)
    depth = dict.fromkeys(trace.inputs, 0)
    for unit in units:
        depth[unit.quantity] = 1 + max((depth[f.source] for f in unit.feeds), default=0)
    if len(units) <= TOO_MANY:
        return FigurePlan(trace, units, len(units), 0, consumers, depth, numbers)
    ends = (*units[:SHOWN], *units[-SHOWN:])
    return FigurePlan(trace, ends, SHOWN, len(units) - 2 * SHOWN, consumers, depth, numbers)


def lines(trace: Trace) -> tuple[Unit, ...]:
    """A unit for each let-line and for the result, and for each gate that several of them share."""
    return _units(trace, _owners(trace))


def _units(trace: Trace, owner: dict[Node, Node]) -> tuple[Unit, ...]:
    """One unit for each owner, fed by what its gates take from outside it."""
    feeds: dict[Node, list[Feed]] = {}
    sizes: dict[Node, int] = {}
    first: dict[Node, int] = {}
    parts = {
        (q.node, c.gate, c.argument): c.value
        for q in (*trace.inputs, *trace.gates)
        for c in q.contributions
    }
    for gate in trace.gates:
        own = owner[gate.node]
        into = feeds.setdefault(own, [])
        sizes[own] = sizes.get(own, 0) + 1
        first.setdefault(own, gate.number or 0)
        for place, arg in enumerate(gate.node.args):
            if arg.is_constant or owner.get(arg) is own:
                continue
            source = trace.quantities[arg]
            # What never comes back from a gate, as from a comparison, is 0; an index has no slope.
            nothing = None if source.gradient is None else np.zeros(arg.shape)
            part = parts.get((arg, gate.name, place), nothing)
            into.append(Feed(source, part if arg in trace.needed else None))
    return tuple(
        Unit(
            trace.quantities[n],
            _merged(feeds[n]) if sizes[n] > 1 else tuple(feeds[n]),
            sizes[n],
            first[n],
        )
        for n in sorted(feeds, key=lambda n: trace.quantities[n].number)
    )


def _merged(feeds: list[Feed]) -> tuple[Feed, ...]:
    """One edge for each source of a group, with the sum of what goes back along it."""
    parts: dict[Quantity, list[Array]] = {}
    for feed in feeds:
        parts.setdefault(feed.source, []).extend([] if feed.part is None else [feed.part])
    return tuple(Feed(source, sum(p) if p else None) for source, p in parts.items())


def _owners(trace: Trace) -> dict[Node, Node]:
    """For each gate the let-line that it belongs to: the one through which alone it is used."""
    lets = {node for node in trace.graph.lets.values() if node in trace.quantities}
    users: dict[Node, set[Node]] = {}
    owner: dict[Node, Node] = {}
    for gate in reversed(trace.gates):
        node = gate.node
        by = users.get(node, set())
        owner[node] = node if node in lets or len(by) != 1 else next(iter(by))
        for arg in node.args:
            users.setdefault(arg, set()).add(owner[node])
    return owner
