"""Units -> the vertices and routes of one row: gates, names, labelled edges, ways in and out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum
from typing import Any

from report.autodiff.trace import Quantity
from report.figure import gate_signs, labels
from report.figure.font_metrics import BLACK, GREY, Piece, TextRun, line
from report.figure.labels import Detail, Style
from report.figure.layered_row import LayeredRow, Route, Vertex
from report.figure.units import Feed, FigurePlan, Unit

MOST = 1_000_000


class Names(Enum):
    """Where the names of what comes from outside a row stand, an edge to each of its gates."""

    LEFT = 1  # once, at the left
    NEAR = 2  # once, before the first gate that it feeds
    LATE = 3  # the same, with each gate next to what uses it
    AGAIN = 4  # before the gates that it feeds, once for each layer
    ALONE = 5  # once for each gate


BEND = Piece((), (), 0.0, 0.0, 1.5, 1.5)  # where an edge passes a layer


class Builder:
    """Makes the vertices and routes of rows; pieces are made once for each font size."""

    def __init__(self, plan: FigurePlan, style: Style) -> None:
        self.plan = plan
        self.style = replace(style, numbers=plan.numbers)
        self.drawn: set[Quantity] = set()  # inputs that an earlier row shows with their sum
        self._pieces: dict[Any, Any] = {}
        self.result_name = plan.trace.letter

    def with_less(self, detail: Detail) -> Builder:
        """The same, showing less of tensors."""
        other = Builder(self.plan, replace(self.style, detail=detail))
        other.drawn = self.drawn
        return other

    def consumers(self, unit: Unit) -> list[Unit]:
        """What a unit's value feeds."""
        return self.plan.consumers.get(unit.quantity, [])

    # ------------------------------------------------------------ pieces

    def _once(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        if key not in self._pieces:
            self._pieces[key] = make()
        return self._pieces[key]

    def _gate(self, unit: Unit) -> Vertex:
        q = unit.quantity

        def make() -> Any:
            if unit.gates > 1:
                sign = [TextRun(f"{unit.gates} gates", self.style.number)]
            else:
                sign = gate_signs.sign(q.node, self.plan.trace.name_of, self.style.sign)
            gradient = q.gradient if self.plan.collects(q) else None
            return labels.gate_piece(
                sign,
                len(unit.feeds),
                q.name,
                q.node.shape,
                self.style,
                number=None if q.name == f"q{q.number}" else q.number,
                colour=BLACK if self.plan.follows(q) else GREY,
                gradient=gradient,
            )

        body, piece = self._once(("gate", q), make)
        grey = not self.plan.follows(q)
        return Vertex(0, piece, body, (q.name,), grey=grey, ordered=unit.ordered)

    def _source(self, q: Quantity, *, shown: bool) -> Vertex:
        def make() -> Piece:
            if not q.node.is_input:
                tag = gate_signs.name(q.name, q.node.shape, self.style.tag, gate_signs.LONGEST)
                text = line([*tag, TextRun("\u00a0→", self.style.number)], GREY)
                return labels.before(text, self.style.tag)
            gradient = q.gradient if self.plan.collects(q) and not shown else None
            asked = q.name in self.plan.trace.wrt
            return labels.source(q.name, q.node.shape, self.style, asked=asked, gradient=gradient)

        return Vertex(0, self._once(("source", q, shown), make), names=(q.name,), align=1.0)

    def _label(self, unit: Unit, place: int, feed: Feed) -> Piece:
        return self._once(
            ("edge", unit.quantity, place),
            lambda: labels.edge(feed.source.value, feed.part, self.style),
        )

    def _leaving(self, units: Sequence[Unit]) -> Vertex:
        shown = units[: 1 if self.style.detail is Detail.SHAPE else 3]

        def make() -> tuple[Piece, tuple[tuple[float, float], ...]]:
            runs = [TextRun("→\u00a0", self.style.number)]
            spans = []
            for i, q in enumerate(unit.quantity for unit in shown):
                runs += [TextRun(",\u00a0", self.style.tag)] * bool(i)
                start = line(runs).right if i else 0.0
                runs += gate_signs.name(q.name, q.node.shape, self.style.tag, gate_signs.LONGEST)
                spans.append((labels.BEHIND + start, labels.BEHIND + line(runs).right))
            if len(units) > len(shown):
                runs.append(TextRun(", …", self.style.tag))
            return labels.after(line(runs, GREY), self.style.tag), tuple(spans)

        text, spans = self._once(("leaving", *units), make)
        return Vertex(0, text, names=tuple(u.quantity.name for u in shown), spans=spans, align=0.0)

    # ------------------------------------------------------------ a row

    def row(self, units: Sequence[Unit], names: Names, *, most: int = MOST) -> LayeredRow:
        """The vertices and routes of some units, not yet placed.

        Of more than `most` operands of a gate, those in the middle are left out.
        """
        inside = {u.quantity: u for u in units}
        rank = self._ranks(units, inside, early=names in (Names.LEFT, Names.NEAR))
        edges = Counter(f.source for u in units for f in u.feeds)
        starts = self._starts(units, rank, names)
        routes: list[Route] = []
        gates: dict[Quantity, Vertex] = {}
        for unit in units:
            q = unit.quantity
            gates[q] = self._gate(unit)
            gates[q].layer = 2 * rank[q]
            spine = self._spine(unit)
            left_out = range(most // 2, len(unit.feeds) - (most - most // 2))
            for i, feed in enumerate(unit.feeds):
                if i in left_out:
                    if i == left_out.start:
                        routes.append(self._more(len(left_out), gates[q]))
                    continue
                start = gates.get(feed.source) or starts[q, feed.source]
                label = self._label(unit, i, feed)
                routes.append(_route(start, gates[q], label, far=edges[feed.source] > 1))
                routes[-1].spine = spine[i]
        for unit in units:
            later = [u for u in self.consumers(unit) if u.quantity not in inside]
            if later:
                end = self._leaving(later)
                end.layer = gates[unit.quantity].layer + 1
                routes.append(Route([gates[unit.quantity], end], arrow=False))
        if not units or units[-1] is self.plan.units[-1]:
            routes.append(self._result(gates))
        return row_of(routes)

    def _starts(
        self, units: Sequence[Unit], rank: dict[Quantity, int], names: Names
    ) -> dict[tuple[Quantity, Quantity], Vertex]:
        """For each gate and what it takes from outside these units: the vertex with the name."""
        first: dict[Quantity, int] = {}
        for unit in units:
            for feed in unit.feeds:
                first[feed.source] = min(first.get(feed.source, MOST), rank[unit.quantity])
        made: dict[Any, Vertex] = {}
        found: dict[tuple[Quantity, Quantity], Vertex] = {}
        for q, source in ((u.quantity, f.source) for u in units for f in u.feeds):
            if source in rank:
                continue
            once = {Names.LEFT: 1, Names.NEAR: first[source], Names.LATE: first[source]}
            before = once.get(names, rank[q])
            key = source, q if names is Names.ALONE else before
            if key not in made:
                shown = source in self.drawn or any(source is known for known, _ in made)
                made[key] = self._source(source, shown=shown)
                made[key].layer = 2 * before - 2
            found[q, source] = made[key]
        return found

    def _ranks(
        self, units: Sequence[Unit], inside: dict[Quantity, Unit], *, early: bool
    ) -> dict[Quantity, int]:
        """The layer of each gate: as early as possible, or else next to what uses it."""
        soon: dict[Quantity, int] = {}
        for u in units:
            soon[u.quantity] = 1 + max((soon.get(f.source, 0) for f in u.feeds), default=0)
        if early:
            return soon
        deepest = max(soon.values(), default=0)
        late: dict[Quantity, int] = {}
        for u in reversed(units):
            users = [late[c.quantity] for c in self.consumers(u) if c.quantity in inside]
            late[u.quantity] = min(users, default=deepest + 1) - 1
        return late

    def _spine(self, unit: Unit) -> list[bool]:
        """For each operand whether the gate continues its line: it is by far the deepest."""
        depth = [self.plan.depth[f.source] for f in unit.feeds]
        others = [max(depth[:i] + depth[i + 1 :], default=0) for i in range(len(depth))]
        return [d > 2 * other and len(depth) > 1 for d, other in zip(depth, others, strict=True)]

    def _more(self, count: int, gate: Vertex) -> Route:
        """One edge for operands that are left out."""
        text = line([TextRun(f"… {count} more", self.style.number)], GREY)
        start = Vertex(gate.layer - 2, labels.before(text, self.style.number), align=1.0)
        return Route([start, Vertex(gate.layer - 1, BEND), gate])

    def _result(self, gates: dict[Quantity, Vertex]) -> Route:
        """The last edge: the function's value, whose gradient is 1."""
        trace = self.plan.trace
        result = trace.result
        if result is None:
            text = line([TextRun(gate_signs.number_text(trace.value), self.style.name)])
            start = Vertex(0, labels.before(text, self.style.name), align=1.0)
            label = labels.edge(trace.value, 1.0, self.style)
        else:
            start = gates.get(result) or self._source(result, shown=True)
            label = labels.edge(result.value, result.gradient, self.style)
        end = Vertex(start.layer + 2, labels.result(self.result_name, self.style), align=0.0)
        return Route([start, Vertex(start.layer + 1, label), end])

    def unused(self, q: Quantity) -> list[Vertex]:
        """The stops of an input's edge to nowhere: name, value with gradient 0, end."""
        return [
            self._source(q, shown=True),
            Vertex(
                1, labels.edge(q.value, q.gradient if self.plan.follows(q) else None, self.style)
            ),
            Vertex(2, labels.nowhere(self.style), align=0.0),
        ]


def row_of(routes: list[Route]) -> LayeredRow:
    """The row of some routes, not yet placed."""
    return LayeredRow(list(dict.fromkeys(v for r in routes for v in r.stops)), routes)


def _route(start: Vertex, end: Vertex, label: Piece, *, far: bool) -> Route:
    """An edge with its label beside its start, or beside its end where several edges start."""
    at = end.layer - 1 if far else start.layer + 1
    stops = [Vertex(i, label if i == at else BEND) for i in range(start.layer + 1, end.layer)]
    return Route([start, *stops, end])
