"""Units -> placed rows: a graph that is too wide for the page is folded, like text, into rows.

A row holds gates with consecutive numbers. What it takes from earlier rows enters with the gate's
name; what later rows take from it leaves at its right with theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

from report.figure import labels
from report.figure.labels import Detail, Style
from report.figure.layout import Route, Row, Vertex, lowest, narrowest, place
from report.figure.letters import GREY, Run, line
from report.figure.plan import Plan, Unit
from report.figure.rows import Builder, row_of

CHOICE = 3  # a row may end this many gates earlier where fewer edges are cut
APART = 16.0  # points between inputs that are not used
ROOM = 2.5  # points between two layers, guessed before edges are drawn


def rows(plan: Plan, width: float, height: float) -> list[Row]:
    """The whole graph in one row of at most `width` and `height` points, or folded into several."""
    styles = (labels.COMFORTABLE, labels.SMALLER, labels.TIGHT)
    for style in styles[: 0 if plan.hidden else None]:
        builder = Builder(plan, style)
        row = builder.row(plan.units, whole=True)
        if narrowest(row.vertices) > width or lowest(row.vertices) > height:
            continue
        if place(row, width) and row.height <= height:
            return [row, *_unused(builder, width)]
    builder = Builder(plan, labels.COMFORTABLE)
    found = _folded(builder, plan.units[: plan.shown], width, height)
    if plan.hidden:
        found.append(_text(f"… {plan.hidden} more …", builder.style))
        found += _folded(builder, plan.units[plan.shown :], width, height)
    return found + _unused(builder, width)


def _folded(builder: Builder, units: Sequence[Unit], width: float, height: float) -> list[Row]:
    found: list[Row] = []
    while units:
        count, row = _filled(builder, units, width, height)
        builder.drawn.update(f.source for u in units[:count] for f in u.feeds)
        found.append(row)
        units = units[count:]
    return found


def _filled(
    builder: Builder, units: Sequence[Unit], width: float, height: float
) -> tuple[int, Row]:
    """A row of the first units, and how many they are: as many as fit, or a few less."""
    count = 1
    while count < len(units) and _may_fit(builder, units[: count + 1], width, height):
        count += 1
    if count < len(units):
        count = _break(builder, units, count, width)
    for n in range(count, 0, -1):
        row = builder.row(units[:n])
        if place(row, width) and row.height <= height:
            return n, row
    return 1, _squeezed(builder, units[0], width, height)


def _squeezed(builder: Builder, unit: Unit, width: float, height: float) -> Row:
    """A gate that does not fit with all its numbers: less of its tensors, fewer of its operands."""
    for detail in (Detail.RANGE, Detail.SHAPE):
        less = builder.with_less(detail)
        row = less.row([unit])
        if place(row, width):
            break
    if row.height > height:
        row = less.row([unit], most=max(int(len(unit.feeds) * height / row.height) - 1, 2))
        place(row, width)
    return row


def _may_fit(builder: Builder, units: Sequence[Unit], width: float, height: float) -> bool:
    vertices = builder.row(units).vertices
    return _width(vertices) <= width and lowest(vertices) <= height


def _width(vertices: Sequence[Vertex]) -> float:
    """The least width that a row is likely to need."""
    return narrowest(vertices) + ROOM * len({v.layer for v in vertices})


def _break(builder: Builder, units: Sequence[Unit], most: int, width: float) -> int:
    """Where to end a row of at most `most` units: where few edges are cut.

    Before the last row, so that both are filled alike and no single gate is left over.
    """

    def cut(n: int) -> int:
        later = set(units[n:])
        return sum(not later.isdisjoint(builder.consumers(u)) for u in units[:n])

    def needed(part: Sequence[Unit]) -> float:
        return _width(builder.row(part).vertices)

    if len(units) <= 2 * most and needed(units[most:]) <= width:
        sides = {n: (needed(units[:n]), needed(units[n:])) for n in range(1, most + 1)}
        fits = [n for n, (_, b) in sides.items() if b <= width]
        return min(fits, key=lambda n: cut(n) + 4 * abs(sides[n][0] - sides[n][1]) / sum(sides[n]))
    return min(range(most, max(most - CHOICE, most // 2), -1), key=cut)


def _text(text: str, style: Style) -> Row:
    """A row that is one line of grey text."""
    row = Row([Vertex(0, line([Run(text, style.number)], GREY))], [])
    place(row, float("inf"))
    return row


def _unused(builder: Builder, width: float) -> list[Row]:
    """The inputs that the result does not use, side by side as far as there is room."""
    lines: list[Row] = []
    for q in builder.plan.unused:
        for detail in Detail:
            row = row_of([Route(builder.with_less(detail).unused(q))])
            if place(row, width):
                break
        if lines and lines[-1].width + APART + row.width <= width:
            _append(lines[-1], row)
        else:
            lines.append(row)
    return lines


def _append(line: Row, row: Row) -> None:
    """Put a row to the right of another, their first vertices on one height."""
    lower = row.vertices[0].y - line.vertices[0].y
    line.shift(0.0, max(lower, 0.0))
    row.shift(line.width + APART, max(-lower, 0.0))
    line.vertices += row.vertices
    line.routes += row.routes
    line.width += APART + row.width
    line.height = max(v.y + v.piece.down for v in line.vertices)
