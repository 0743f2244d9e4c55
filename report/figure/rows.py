"""Units -> the vertices and routes of one row: gates, names, labelled edges, ways in and out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from report.figure import labels, signs
from report.figure.labels import Sizes
from report.figure.layout import Route, Row, Vertex
from report.figure.letters import GREY, Piece, Run, line
from report.figure.plan import Feed, Plan, Unit
from report.graph import Node
from report.tracing import Quantity

BEND = Piece((), (), 0.0, 0.0, 1.5, 1.5)  # where an edge passes a layer


class Builder:
    """Makes the vertices and routes of rows; pieces are made once for each font size."""

    def __init__(self, plan: Plan, sizes: Sizes) -> None:
        self.plan = plan
        self.sizes = sizes
        self.drawn: set[Quantity] = set()  # inputs that an earlier row shows with their sum
        self._pieces: dict[Any, Any] = {}
        own = {*plan.trace.graph.inputs, *plan.trace.graph.lets}
        self.result_name = next(n for n in ("f", "F", "result") if n not in own)

    def consumers(self, unit: Unit) -> list[Unit]:
        return self.plan.consumers.get(unit.quantity, [])

    # ------------------------------------------------------------ pieces

    def _once(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        if key not in self._pieces:
            self._pieces[key] = make()
        return self._pieces[key]

    def _gate(self, unit: Unit, *, plain: bool) -> Vertex:
        q = unit.quantity

        def make() -> Any:
            if unit.gates > 1:
                sign = [Run(f"{unit.gates} gates", self.sizes.number)]
            else:
                sign = signs.sign(q.node, self._named, self.sizes.sign)
            gradient = q.gradient if self.plan.collects(q) else None
            return labels.gate(
                sign, q.name, q.node.shape, self.sizes, gradient=gradient, entries=not plain
            )

        body, piece = self._once(("gate", q, plain), make)
        return Vertex(0, piece, body, (q.name,), ordered=unit.ordered)

    def _named(self, node: Node) -> str | None:
        return self.plan.trace.name_of(node) if node.name is not None else None

    def _source(self, q: Quantity, *, shown: bool, plain: bool = False) -> Vertex:
        def make() -> Piece:
            if not q.node.is_input:
                tag = signs.name(q.name, q.node.shape, self.sizes.tag, labels.LONGEST)
                text = line([*tag, Run(" →", self.sizes.number)], GREY)
                return labels.before(text, self.sizes.tag)
            gradient = q.gradient if self.plan.collects(q) and not shown else None
            asked = q.name in self.plan.trace.wrt
            return labels.source(
                q.name, q.node.shape, self.sizes, asked=asked, gradient=gradient, entries=not plain
            )

        return Vertex(0, self._once(("source", q, shown, plain), make), names=(q.name,), align=1.0)

    def _label(self, unit: Unit, place: int, feed: Feed, *, plain: bool) -> Piece:
        return self._once(
            ("edge", unit.quantity, place, plain),
            lambda: labels.edge(feed.source.value, feed.part, self.sizes, entries=not plain),
        )

    def _leaving(self, units: Sequence[Unit]) -> Vertex:
        names = [u.quantity.name for u in units]
        runs = [Run("→ ", self.sizes.number)]
        for i, unit in enumerate(units[:3]):
            of = unit.quantity.node.shape
            tag = signs.name(names[i], of, self.sizes.tag, labels.LONGEST)
            runs += [Run(", ", self.sizes.tag)] * bool(i) + tag
        if len(units) > 3:
            runs.append(Run(", …", self.sizes.tag))
        text = labels.after(line(runs, GREY), self.sizes.tag)
        return Vertex(0, text, names=tuple(names[:3]), align=0.0)

    # ------------------------------------------------------------ a row

    def row(self, units: Sequence[Unit], *, whole: bool = False, plain: bool = False) -> Row:
        """The vertices and routes of some units, not yet placed.

        `whole` puts every input at the left, otherwise it stands before each gate that it feeds;
        `plain` shows no entries of tensors.
        """
        inside = {u.quantity: u for u in units}
        rank = self._ranks(units, inside, whole)
        edges = Counter(f.source for u in units for f in u.feeds)
        routes: list[Route] = []
        gates: dict[Quantity, Vertex] = {}
        names: dict[Any, Vertex] = {}
        for unit in units:
            q = unit.quantity
            gates[q] = self._gate(unit, plain=plain)
            gates[q].layer = 2 * rank[q]
            for i, feed in enumerate(unit.feeds):
                source = feed.source
                if source in inside:
                    start = gates[source]
                else:
                    key = (source, None if whole else rank[q])
                    if key not in names:
                        shown = source in self.drawn or any(k[0] is source for k in names)
                        names[key] = self._source(source, shown=shown, plain=plain)
                        names[key].layer = 0 if whole else 2 * rank[q] - 2
                    start = names[key]
                label = self._label(unit, i, feed, plain=plain)
                routes.append(_route(start, gates[q], label, far=edges[source] > 1))
                routes[-1].spine = self._is_spine(unit, source)
        for unit in units:
            later = [u for u in self.consumers(unit) if u.quantity not in inside]
            if later:
                end = self._leaving(later)
                end.layer = gates[unit.quantity].layer + 1
                routes.append(Route([gates[unit.quantity], end]))
        if not units or units[-1] is self.plan.units[-1]:
            routes.append(self._result(gates))
        return row_of(routes)

    def _ranks(
        self, units: Sequence[Unit], inside: dict[Quantity, Unit], whole: bool
    ) -> dict[Quantity, int]:
        """The layer of each gate: as early as possible, or else next to what uses it."""
        early: dict[Quantity, int] = {}
        for u in units:
            early[u.quantity] = 1 + max((early.get(f.source, 0) for f in u.feeds), default=0)
        if whole:
            return early
        deepest = max(early.values(), default=0)
        late: dict[Quantity, int] = {}
        for u in reversed(units):
            users = [late[c.quantity] for c in self.consumers(u) if c.quantity in inside]
            late[u.quantity] = min(users, default=deepest + 1) - 1
        return late

    def _is_spine(self, unit: Unit, source: Quantity) -> bool:
        """Whether a gate continues the line of this operand: it is by far the deepest."""
        depth = self.plan.depth
        others = [depth[f.source] for f in unit.feeds if f.source is not source]
        return 0 < len(others) == len(unit.feeds) - 1 and depth[source] > 2 * max(others)

    def _result(self, gates: dict[Quantity, Vertex]) -> Route:
        """The last edge: the function's value, whose gradient is 1."""
        trace = self.plan.trace
        result = trace.result
        if result is None:
            text = line([Run(signs.number(trace.value), self.sizes.name)])
            start = Vertex(0, labels.before(text, self.sizes.name), align=1.0)
            value, gradient = trace.value, 1.0
        else:
            start = gates.get(result) or self._source(result, shown=True)
            value, gradient = result.value, np.ones(result.node.shape)
        label = labels.edge(value, gradient, self.sizes)
        end = Vertex(start.layer + 2, labels.result(self.result_name, self.sizes), align=0.0)
        return Route([start, Vertex(start.layer + 1, label), end])

    def unused(self, q: Quantity, *, plain: bool) -> list[Vertex]:
        """The stops of an input's edge to nowhere: name, value with gradient 0, end."""
        return [
            self._source(q, shown=True),
            Vertex(1, labels.edge(q.value, q.gradient, self.sizes, entries=not plain)),
            Vertex(2, labels.nowhere(self.sizes), align=0.0),
        ]


def row_of(routes: list[Route]) -> Row:
    """The row of some routes, not yet placed."""
    return Row(list(dict.fromkeys(v for r in routes for v in r.stops)), routes)


def _route(start: Vertex, end: Vertex, label: Piece, *, far: bool) -> Route:
    """An edge with its label beside its start, or beside its end where several edges start."""
    at = end.layer - 1 if far else start.layer + 1
    stops = [Vertex(i, label if i == at else BEND) for i in range(start.layer + 1, end.layer)]
    return Route([start, *stops, end])
