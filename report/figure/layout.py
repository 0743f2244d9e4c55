"""Where everything in one row of a figure stands: a layered drawing, from left to right.

The order within the layers is given by `report.figure.order`; the distances follow from the sizes of
the pieces.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from report.figure.crossings import ordered
from report.figure.layered_row import LayeredRow, Route, Vertex

GAP = 6.0  # points between what stands one below the other
APART = 10.0  # the same between parts that no edge joins
STILL = 0.005  # a smaller change of heights is none
STRAIGHT, ROOMY = 2.5, 13.0  # the width of a channel with straight edges: least, with room to spare
STEEP, GENTLE = 0.3, 0.7  # the same for edges that bend, per point of height
NARROW, WIDE = 22.0, 30.0  # no channel needs more


def narrowest(vertices: Iterable[Vertex]) -> float:
    """A lower bound of a row's width: its layers side by side."""
    widest: dict[int, float] = defaultdict(float)
    for v in vertices:
        widest[v.layer] = max(widest[v.layer], v.piece.width)
    return sum(widest.values()) + STRAIGHT * max(len(widest) - 1, 0)


def lowest(vertices: Iterable[Vertex]) -> float:
    """A lower bound of a row's height: what stands in its fullest layer."""
    filled: dict[int, float] = defaultdict(float)
    for v in vertices:
        filled[v.layer] += v.piece.up + v.piece.down + GAP
    return max(filled.values(), default=GAP) - GAP


def place_layers(row: LayeredRow, width: float) -> bool:
    """Give every vertex its place; False when the row is wider than `width` points at the least."""
    floor: dict[int, float] = {}
    parts = _connected(row)
    for part in parts:
        layers, part.crossings = ordered(part)
        _set_heights(part, layers)
        drop = max(floor.get(v.layer, 0.0) - (v.y - v.piece.up) for v in part.vertices)
        part.shift(0.0, drop)
        for v in part.vertices:
            bottom = v.y + v.piece.down + APART
            floor[v.layer] = max(floor.get(v.layer, bottom), bottom)
    row.height = max(v.y + v.piece.down for v in row.vertices)
    row.crossings = sum(part.crossings for part in parts)
    _enter(row)
    return _set_widths(row, width)


def _connected(row: LayeredRow) -> list[LayeredRow]:
    """The parts of a row that no edge joins."""
    members = {v: [v] for v in row.vertices}
    for a, b in row.links:
        if members[a] is not members[b]:
            small, large = sorted((members[a], members[b]), key=len)
            large += small
            members.update(dict.fromkeys(small, large))
    parts: dict[int, LayeredRow] = {}
    for v in row.vertices:
        parts.setdefault(id(members[v]), LayeredRow([], [])).vertices.append(v)
    for route in row.routes:
        parts[id(members[route.stops[0]])].routes.append(route)
    return list(parts.values())


# ---------------------------------------------------------------- heights


def _set_heights(row: LayeredRow, layers: Sequence[Sequence[Vertex]]) -> None:
    """Set every y: edges straight where they can be, gates in the middle of what feeds them."""
    block = _blocks(row, layers)
    members: dict[int, list[Vertex]] = defaultdict(list)
    for v in row.vertices:
        members[block[v]].append(v)
    below: dict[int, dict[int, float]] = {b: {} for b in members}
    for layer in layers:
        for upper, lower in pairwise(layer):
            apart = upper.piece.down + GAP + lower.piece.up
            to = below[block[upper]]
            to[block[lower]] = max(to.get(block[lower], 0.0), apart)
    order = _topological(below)
    tied: dict[int, list[int]] = {b: [] for b in members}
    for a, b in row.links:
        if block[a] != block[b]:
            tied[block[a]].append(block[b])
            tied[block[b]].append(block[a])
    y = _settle(order, below, tied)
    top = min(y[block[v]] - v.piece.up for v in row.vertices)
    for v in row.vertices:
        v.y = y[block[v]] - top


def _settle(
    order: list[int], below: dict[int, dict[int, float]], tied: dict[int, list[int]]
) -> dict[int, float]:
    """Heights near those of what each block is tied to, with all distances kept.

    Pushing down from the top and up from the bottom both keep the distances; so does their mean.
    """
    y = dict.fromkeys(order, 0.0)
    for _ in range(40):
        wish = {
            b: sum(y[t] for t in ties) / len(ties) if (ties := tied[b]) else y[b] for b in order
        }
        down = dict(wish)
        for b in order:
            for other, apart in below[b].items():
                down[other] = max(down[other], down[b] + apart)
        up = dict(wish)
        for b in reversed(order):
            for other, apart in below[b].items():
                up[b] = min(up[b], up[other] - apart)
        before, y = y, {b: (down[b] + up[b]) / 2 for b in order}
        if all(abs(y[b] - before[b]) < STILL for b in order):
            break
    return y


def _blocks(row: LayeredRow, layers: Sequence[Sequence[Vertex]]) -> dict[Vertex, int]:
    """Which vertices lie on one straight line: an edge's bends, then names and gates in a chain."""
    leaving: dict[Vertex, int] = defaultdict(int)
    entering: dict[Vertex, int] = defaultdict(int)
    for route in row.routes:
        leaving[route.stops[0]] += 1
        entering[route.stops[-1]] += 1
    straight = [link for r in row.routes for link in pairwise(r.stops[1:-1])]
    straight += [(r.stops[0], r.stops[1]) for r in row.routes if leaving[r.stops[0]] == 1]
    straight += [
        (r.stops[-2], r.stops[-1]) for r in row.routes if r.spine or entering[r.stops[-1]] == 1
    ]
    block = {v: i for i, v in enumerate(row.vertices)}
    members = {i: [v] for i, v in enumerate(row.vertices)}
    after = {upper: lower for layer in layers for upper, lower in pairwise(layer)}
    for a, b in straight:
        one, two = block[a], block[b]
        if (
            one == two
            or _reaches(one, two, block, members, after)
            or _reaches(two, one, block, members, after)
        ):
            continue
        for v in members[two]:
            block[v] = one
        members[one] += members.pop(two)
    return block


def _reaches(
    start: int,
    goal: int,
    block: dict[Vertex, int],
    members: dict[int, list[Vertex]],
    after: dict[Vertex, Vertex],
) -> bool:
    """Whether one block must lie above the other: then they cannot be on one line."""
    seen, stack = {start}, [start]
    while stack:
        for v in members[stack.pop()]:
            if v in after and (b := block[after[v]]) not in seen:
                if b == goal:
                    return True
                seen.add(b)
                stack.append(b)
    return False


def _topological(below: dict[int, dict[int, float]]) -> list[int]:
    waiting = dict.fromkeys(below, 0)
    for to in below.values():
        for b in to:
            waiting[b] += 1
    order = [b for b, n in waiting.items() if not n]
    for b in order:
        for other in below[b]:
            waiting[other] -= 1
            if not waiting[other]:
                order.append(other)
    return order


def _enter(row: LayeredRow) -> None:
    """Spread the edges that enter a gate over its left side.

    Routes come in the order of the operands; where that does not matter, they do not cross.
    """
    arriving: dict[Vertex, list[Route]] = defaultdict(list)
    for route in row.routes:
        arriving[route.stops[-1]].append(route)
    for vertex, routes in arriving.items():
        if vertex.body is None or len(routes) == 1:
            continue
        if not vertex.ordered:
            routes.sort(key=lambda r: r.stops[-2].y)
        middle = next((i for i, r in enumerate(routes) if r.spine), (len(routes) - 1) / 2)
        reach = vertex.body.high - (0.55 if middle == 0.5 else 0.35) * vertex.body.radius
        most = max(middle, len(routes) - 1 - middle)
        for i, route in enumerate(routes):
            route.entry = reach * (i - middle) / most


# ---------------------------------------------------------------- widths


def _set_widths(row: LayeredRow, width: float) -> bool:
    """Set every x, with channels as wide as the room allows; False when it does not suffice."""
    layers = row.layers(dict.fromkeys(row.vertices, 0.0))
    bends = [0.0] * len(layers)
    for route in row.routes:
        for a, b in pairwise(route.stops):
            end = b.y + (route.entry if b is route.stops[-1] else 0.0)
            bends[a.layer] = max(bends[a.layer], abs(end - a.y))
    widths = [max((v.piece.width for v in layer), default=0.0) for layer in layers]
    least = [min(STRAIGHT + STEEP * b, NARROW) for b in bends[:-1]]
    roomy = [min(ROOMY + GENTLE * b, WIDE) for b in bends[:-1]]
    spare = width - sum(widths) - sum(least)
    wanted = sum(roomy) - sum(least)
    share = min(max(spare, 0.0) / wanted, 1.0) if wanted else 0.0
    x = 0.0
    for i, layer in enumerate(layers):
        for v in layer:
            v.sides = (x, x + widths[i])
            v.x = x + v.piece.left + v.align * (widths[i] - v.piece.width)
        x += widths[i]
        if i < len(least):
            x += least[i] + share * (roomy[i] - least[i])
    row.width = x
    return spare >= 0
