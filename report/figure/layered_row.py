"""What a row of a figure is made of: vertices in layers, and routes from vertex to vertex.

Gates, labels and the bends of long edges are vertices in layers, so that each has a place of its own
and edges bend only in the channels between two layers, where nothing else stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from report.figure.font_metrics import Piece
from report.figure.labels import Body


@dataclass(eq=False)
class Vertex:
    """A gate, a name, a label or a bend; `x` and `y` are set by `place`."""

    layer: int
    piece: Piece
    body: Body | None = None
    names: tuple[str, ...] = ()  # of the gates or inputs that a reader may want to go to
    spans: tuple[tuple[float, float], ...] = ()  # from where to where each stands; (): all over it
    align: float = 0.5  # where in a wider layer: 0 left, 1 right
    grey: bool = False  # of a gate, whether its gradient leads to none that is asked for
    ordered: bool = False  # whether the edges that enter stand in the order of the operands
    x: float = 0.0
    y: float = 0.0
    sides: tuple[float, float] = (0.0, 0.0)  # of its layer, left and right


@dataclass(eq=False)
class Route:
    """An edge: from a gate or name, through its label and bends, to a gate or name.

    `spine` asks for a straight line into the gate. `entry` is set by `place`: how far above (−) or
    below the middle of the last vertex the edge arrives. `arrow` is whether it ends in an arrowhead.
    """

    stops: list[Vertex]
    spine: bool = False
    arrow: bool = True
    entry: float = 0.0


@dataclass(eq=False)
class LayeredRow:
    """A layered drawing, in points from its top left once it is placed."""

    vertices: list[Vertex]
    routes: list[Route]
    width: float = 0.0
    height: float = 0.0
    crossings: int = 0  # of edges, or of operands before their gate

    @property
    def links(self) -> list[tuple[Vertex, Vertex]]:
        """The pieces of all routes, each from one layer to the next."""
        return [link for r in self.routes for link in pairwise(r.stops)]

    def layers(self, key: Mapping[Vertex, float]) -> list[list[Vertex]]:
        """The vertices of each layer, sorted."""
        layers: list[list[Vertex]] = [[] for _ in range(1 + max(v.layer for v in self.vertices))]
        for v in sorted(self.vertices, key=key.__getitem__):
            layers[v.layer].append(v)
        return layers

    def shift(self, dx: float, dy: float) -> None:
        """Move everything in the row."""
        for v in self.vertices:
            v.x, v.y = v.x + dx, v.y + dy
            v.sides = (v.sides[0] + dx, v.sides[1] + dx)
