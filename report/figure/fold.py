"""Units -> placed rows: a graph that is too wide for the page is folded, like text, into rows.

A row holds gates with consecutive numbers. What it takes from earlier rows enters with the gate's
name; what later rows take from it leaves at its right with theirs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from report.autodiff.trace import Quantity
from report.figure import labels
from report.figure.font_metrics import GREY, TextRun, line
from report.figure.labels import Detail, Style
from report.figure.layered_row import LayeredRow, Route, Vertex
from report.figure.layout import lowest, narrowest, place_layers
from report.figure.rows import Builder, Names, row_of
from report.figure.units import FigurePlan, Unit

LOWER = 0.8  # of the height of a row: so much lower is worth names that do not stand at the left
CHOICE = 12  # a row may end this many gates earlier than it must
APART = 16.0  # points between inputs that are not used
ROOM = 2.5  # points between two layers, guessed before edges are drawn

# What a row costs, in points of height: itself, room at its right, an edge that goes on in another
# row, strands that nothing joins, each of them, a gate that stands alone, a crossing.
ROW, EMPTY, CUT, STRAY, MORE, SINGLE, CROSSING = 10.0, 40.0, 8.0, 50.0, 20.0, 90.0, 40.0


def rows(plan: FigurePlan, width: float, height: float) -> list[LayeredRow]:
    """The whole graph in one row of at most `width` and `height` points, or folded into several."""
    if not plan.hidden and (whole := _whole(plan, width, height)):
        row, style = whole
        return [row, *_unused(Builder(plan, style), width)]
    builder = Builder(plan, labels.COMFORTABLE)
    found = _folded(builder, plan.units[: plan.shown], width, height)
    if plan.hidden:
        found.append(_text(f"… {plan.hidden} more …", builder.style))
        found += _folded(builder, plan.units[plan.shown :], width, height)
    return found + _unused(builder, width)


def _whole(plan: FigurePlan, width: float, height: float) -> tuple[LayeredRow, Style] | None:
    """All units in one row: the largest letters and, but for crossings or height, names at the left."""
    best: LayeredRow | None = None
    chosen = labels.COMFORTABLE
    fewest = math.inf  # crossings, which are the same in letters of any size
    for style in (labels.COMFORTABLE, labels.SMALLER, labels.TIGHT):
        builder = Builder(plan, style)
        for names in (Names.LEFT, Names.NEAR, Names.LATE):
            if names is Names.LATE and (not best or not best.crossings):
                continue
            row = builder.row(plan.units, names)
            low = lowest(row.vertices)
            if low > height or narrowest(row.vertices) > width:
                continue
            if best and not best.crossings and low > LOWER * best.height:
                continue
            fits = place_layers(row, width) and row.height <= height
            fewest = min(fewest, row.crossings)
            if fits and (
                not best or (row.crossings, row.height) < (best.crossings, LOWER * best.height)
            ):
                best, chosen = row, style
        if best and best.crossings <= fewest:
            break
    return (best, chosen) if best else None


def _folded(
    builder: Builder, units: Sequence[Unit], width: float, height: float
) -> list[LayeredRow]:
    """Rows that end where all of them together cost least."""
    fold = _Fold(builder, units, width, height)
    found: dict[tuple[int, int], LayeredRow] = {}
    while unknown := next((part for part in fold.parts() if part not in found), None):
        start, end = unknown
        builder.drawn = fold.drawn[start]
        row = _placed(builder, units[start:end], width, height)
        if row is None and end > start + 1:
            fold.refuse(start, end)
            continue
        found[unknown] = row or _squeezed(builder, units[start], width, height)
        fold.charge(start, end, found[unknown].crossings)
    builder.drawn = fold.drawn[-1]
    return [found[part] for part in fold.parts()]


def _placed(
    builder: Builder, units: Sequence[Unit], width: float, height: float
) -> LayeredRow | None:
    """The row of some units, names that make edges cross repeated for each gate; None: too large."""
    row = builder.row(units, Names.AGAIN)
    if not place_layers(row, width) or row.height > height:
        return None
    if row.crossings:
        other = builder.row(units, Names.ALONE)
        if (
            place_layers(other, width)
            and other.height <= height
            and other.crossings < row.crossings
        ):
            return other
    return row


class _Fold:
    """Where rows end: the ends behind each start from which on the rows cost least."""

    def __init__(
        self, builder: Builder, units: Sequence[Unit], width: float, height: float
    ) -> None:
        self.builder, self.units, self.width, self.height = builder, units, width, height
        self.drawn = [builder.drawn]  # what rows before each start show
        for unit in units:
            self.drawn.append(self.drawn[-1] | {f.source for f in unit.feeds})
        self.most = 1  # as many units fit into a row, roughly
        self.refused: list[tuple[int, int]] = []  # rows that turned out to be too large
        self.last: dict[int, int] = {}  # for each start the last end that a row may have
        self.costs: dict[tuple[int, int], float] = {}  # of a row from start to end
        self.best: dict[int, tuple[float, int]] = {}  # from a start on: the cost, the row's end

    def refuse(self, start: int, end: int) -> None:
        """Let no row hold all units from start to end."""
        self.refused.append((start, end))
        self.last = {first: min(last, self._most(first)) for first, last in self.last.items()}
        self.best.clear()

    def _most(self, start: int) -> int:
        return min((e - 1 for s, e in self.refused if s >= start), default=len(self.units))

    def charge(self, start: int, end: int, crossings: int) -> None:
        """Let a row cost more for its crossings."""
        if crossings:
            self.costs[start, end] += CROSSING * crossings
            self.best.clear()

    def parts(self) -> list[tuple[int, int]]:
        """From where to where each row goes."""
        found = []
        start = 0
        while start < len(self.units):
            found.append((start, self._end(start)))
            start = found[-1][1]
        return found

    def _end(self, start: int) -> int:
        """Where the row that begins there ends."""
        waiting = [] if start in self.best else [start]
        while waiting:  # from the last row back, without recursion
            first = waiting[-1]
            ends = self._ends(first)
            unknown = [e for e in ends if e < len(self.units) and e not in self.best]
            if unknown:
                waiting += unknown
                continue
            waiting.pop()
            self.best[first] = min(
                (cost + self.best.get(end, (0.0, 0))[0], end) for end, cost in ends.items()
            )
        return self.best[start][1]

    def _ends(self, start: int) -> dict[int, float]:
        """The cost of each row that may begin there, by its end."""
        if start not in self.last:
            most = self._most(start)
            end = min(start + self.most, most)  # about as many as in another row
            while self._cost(start, end) == math.inf:
                end -= 1
            while end < most and self._cost(start, end + 1) < math.inf:
                end += 1
            self.last[start], self.most = end, end - start
        found: dict[int, float] = {}
        for end in range(self.last[start], start, -1):
            if (cost := self._cost(start, end)) < math.inf:
                found[end] = cost
            if len(found) > CHOICE:
                break
        return found

    def _cost(self, start: int, end: int) -> float:
        """What a row costs; more than all where it is too large."""
        if (start, end) not in self.costs:
            self.builder.drawn = self.drawn[start]
            row = self.builder.row(self.units[start:end], Names.AGAIN)
            wide, high = narrowest(row.vertices), lowest(row.vertices)
            wide += ROOM * len({v.layer for v in row.vertices})
            later = set(self.units[end:])
            cut = sum(
                not later.isdisjoint(self.builder.consumers(u)) for u in self.units[start:end]
            )
            cost = ROW + high / 2 + EMPTY * (1.0 - wide / self.width) ** 2 + CUT * cut
            if (strands := _strands(self.units[start:end])) > 1:
                cost += STRAY + MORE * strands
            cost += SINGLE * (end == start + 1)
            fits = (wide <= self.width and high <= self.height) or end == start + 1
            self.costs[start, end] = cost if fits else math.inf
        return self.costs[start, end]


def _strands(units: Sequence[Unit]) -> int:
    """Into how many parts units fall that do not feed each other."""
    parts: list[set[Quantity]] = []
    for unit in units:
        sources = {f.source for f in unit.feeds}
        fed = [p for p in parts if not p.isdisjoint(sources)]
        parts = [p for p in parts if p not in fed] + [{unit.quantity}.union(*fed)]
    return len(parts)


def _squeezed(builder: Builder, unit: Unit, width: float, height: float) -> LayeredRow:
    """A gate that does not fit with all its numbers: less of its tensors, fewer of its operands."""
    for detail in (Detail.RANGE, Detail.SHAPE):
        less = builder.with_less(detail)
        row = less.row([unit], Names.AGAIN)
        if place_layers(row, width):
            break
    if row.height > height:
        most = max(int(len(unit.feeds) * height / row.height) - 1, 2)
        row = less.row([unit], Names.AGAIN, most=most)
        place_layers(row, width)
    return row


def _text(text: str, style: Style) -> LayeredRow:
    """A row that is one line of grey text."""
    row = LayeredRow([Vertex(0, line([TextRun(text, style.number)], GREY))], [])
    place_layers(row, math.inf)
    return row


def _unused(builder: Builder, width: float) -> list[LayeredRow]:
    """The inputs that the result does not use, side by side as far as there is room."""
    lines: list[LayeredRow] = []
    for q in builder.plan.unused:
        for detail in Detail:
            row = row_of([Route(builder.with_less(detail).unused(q), arrow=False)])
            if place_layers(row, width):
                break
        if lines and lines[-1].width + APART + row.width <= width:
            _append(lines[-1], row)
        else:
            lines.append(row)
    return lines


def _append(line: LayeredRow, row: LayeredRow) -> None:
    """Put a row to the right of another, their first vertices on one height."""
    lower = row.vertices[0].y - line.vertices[0].y
    line.shift(0.0, max(lower, 0.0))
    row.shift(line.width + APART, max(-lower, 0.0))
    line.vertices += row.vertices
    line.routes += row.routes
    line.width += APART + row.width
    line.height = max(v.y + v.piece.down for v in line.vertices)
