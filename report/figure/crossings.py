"""In which order the vertices of each layer stand, from top to bottom: so that few edges cross.

They stand as the formula names them. Where edges would cross then, or operands before their gate, the
order is improved in sweeps, from there and from what fast-sugiyama finds.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from report.figure.layered_row import LayeredRow, Route, Vertex

SWEEPS, PATIENCE = 8, 3  # at most, and without success
Layers = list[list[Vertex]]


def ordered(row: LayeredRow) -> tuple[Layers, int]:
    """The vertices of each layer from top to bottom, and how many crossings are left."""
    number = {v: float(i) for i, v in enumerate(_as_written(row))}
    best = row.layers(number)
    links = _Links(row)
    least = links.crossings(best)
    for start in _starts(row, number, best) if least else ():
        found = links.swept(start)
        if (crossings := links.crossings(found)) < least:
            best, least = found, crossings
        if not least:
            break
    return best, least


def _starts(row: LayeredRow, number: dict[Vertex, float], written: Layers) -> Iterator[Layers]:
    """Orders to begin with: as written, as the library has it, and both upside down."""
    import fast_sugiyama

    yield written
    edges = [(int(number[a]), int(number[b])) for a, b in row.links]
    (drawing,) = fast_sugiyama.from_edges(edges, ranking_type="minimize", minimum_length=1)
    place = {n: x for n, (x, _) in drawing[0]}
    found = row.layers({v: place[int(n)] for v, n in number.items()})
    yield found
    yield [layer[::-1] for layer in found]
    yield [layer[::-1] for layer in written]


class _Links:
    """The links of a row. One that enters a gate does so at a port of its own, if operands have an order."""

    def __init__(self, row: LayeredRow) -> None:
        entering: dict[Vertex, list[Route]] = defaultdict(list)
        for route in row.routes:
            entering[route.stops[-1]].append(route)
        self.before: dict[Vertex, list[tuple[Vertex, float]]] = defaultdict(list)
        self.after: dict[Vertex, list[tuple[Vertex, float]]] = defaultdict(list)
        for end, routes in entering.items():
            for i, route in enumerate(routes):
                for a, b in pairwise(route.stops):
                    port = i / len(routes) if b is end and end.ordered else 0.0
                    self.after[a].append((b, port))
                    self.before[b].append((a, 0.0))

    def crossings(self, layers: Layers) -> int:
        """How often links cross."""
        at = {v: i for layer in layers for i, v in enumerate(layer)}
        found = 0
        for layer in layers:
            seen: list[float] = []
            for v in layer:
                for place in sorted([at[b] + port for b, port in self.after.get(v, ())]):
                    found += len(seen) - bisect_right(seen, place)
                    insort(seen, place)
        return found

    def swept(self, layers: Layers) -> Layers:
        """The best of the orders that come up when each layer follows its neighbours, down and up."""
        layers = [layer[:] for layer in layers]
        at = {v: float(i) for layer in layers for i, v in enumerate(layer)}
        best, least = [layer[:] for layer in layers], self.crossings(layers)
        idle = 0
        for turn in range(SWEEPS):
            near = self.after if turn % 2 else self.before
            for layer in reversed(layers) if turn % 2 else layers:
                wish = {v: _mean(near[v], at) if v in near else at[v] for v in layer}
                layer.sort(key=wish.__getitem__)
                for i, v in enumerate(layer):
                    at[v] = float(i)
            while sum(self._exchange(layer, at) for layer in layers):
                pass
            idle += 1
            if (found := self.crossings(layers)) < least:
                best, least, idle = [layer[:] for layer in layers], found, 0
            if not least or idle == PATIENCE:
                break
        return best

    def _exchange(self, layer: list[Vertex], at: dict[Vertex, float]) -> bool:
        """Exchange neighbours wherever fewer links cross then; whether there was any."""
        found = False
        for i in range(len(layer) - 1):
            upper, lower = layer[i], layer[i + 1]
            if self._excess(upper, lower, at) > 0:
                layer[i : i + 2] = lower, upper
                at[upper], at[lower] = at[lower], at[upper]
                found = True
        return found

    def _excess(self, upper: Vertex, lower: Vertex, at: dict[Vertex, float]) -> int:
        """How many more links of two vertices cross than if they changed places."""
        excess = 0
        for near in (self.before, self.after):
            if upper in near and lower in near:
                below = [at[b] + q for b, q in near[lower]]
                for a, p in near[upper]:
                    place = at[a] + p
                    for other in below:
                        excess += (place > other) - (place < other)
        return excess


def _mean(neighbours: list[tuple[Vertex, float]], at: dict[Vertex, float]) -> float:
    return sum([at[v] + port for v, port in neighbours]) / len(neighbours)


def _as_written(row: LayeredRow) -> list[Vertex]:
    """The vertices in the order in which the formula names them, operands before their gate."""
    entering: dict[Vertex, list[Route]] = defaultdict(list)
    for route in row.routes:
        entering[route.stops[-1]].append(route)
    inner = {r.stops[0] for r in row.routes}
    order: dict[Vertex, None] = {}
    for end in row.vertices:
        stack = [end] * (end not in inner)
        while stack:
            for route in entering[stack[-1]]:
                if route.stops[0] not in order:
                    stack.append(route.stops[0])
                    break
                order.update(dict.fromkeys(route.stops[1:-1]))
            else:
                order[stack.pop()] = None
    return list(order | dict.fromkeys(row.vertices))
