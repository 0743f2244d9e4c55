"""Trace -> vector figures of the computational graph.

Inputs stand at the left, the result at the right; every edge carries its value above and the gradient
that flows back below. A graph wider than the page is folded into rows, rows that fill a page go on in
a further panel, and a graph of very many gates is drawn by its let-lines or by its ends.
"""

from __future__ import annotations

from dataclasses import dataclass

from report.figure.drawing import Row
from report.tracing import Trace

POINT = 25.4 / 72  # in millimetres
MARGIN = 1.0  # points round a panel
BETWEEN = 13.0  # points between two rows


@dataclass(frozen=True)
class Hotspot:
    """Where a gate or input stands: its name, and a box in millimetres from the panel's top left."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Panel:
    """One picture: SVG, its size in millimetres, and the places of gates and inputs in it."""

    svg: str
    width: float
    height: float
    hotspots: tuple[Hotspot, ...]


@dataclass(frozen=True)
class Figure:
    """A computational graph as pictures. `alt` tells it in words, `caption` how to read it."""

    panels: tuple[Panel, ...]
    alt: str
    caption: str
    note: str  # what is left out, and where it stands; empty for a complete figure


def draw(
    trace: Trace, *, width: float = 150.0, max_height: float = 215.0, numbers: bool = True
) -> Figure:
    """The figure of a trace, in panels of at most `width` times `max_height` millimetres.

    Without `numbers` it shows the structure alone, with room on the edges to write them by hand.
    """
    from report.figure import backend, telling
    from report.figure.fold import rows
    from report.figure.plan import plan

    backend.renderer()  # before the measures of letters, which come from matplotlib too
    what = plan(trace, numbers=numbers)
    across, high = width / POINT - 2 * MARGIN, max_height / POINT - 2 * MARGIN
    placed = rows(what, across, high)
    panels = tuple(_panel(group) for group in _stacked(placed, high))
    return Figure(panels, telling.alt(what), telling.caption(what, placed), telling.note(what))


def _stacked(rows: list[Row], height: float) -> list[list[Row]]:
    """Rows moved to their places one below the other; a new group where the height is used up."""
    groups: list[list[Row]] = []
    y = 0.0
    for row in rows:
        if not groups or y + row.height > height:
            groups.append([])
            y = 0.0
        row.shift(MARGIN, MARGIN + y)
        y += row.height + BETWEEN
        groups[-1].append(row)
    return groups


def _panel(rows: list[Row]) -> Panel:
    from report.figure.svg import svg

    width = max(r.width for r in rows) + 2 * MARGIN
    height = max(v.y + v.piece.down for r in rows for v in r.vertices) + MARGIN
    spots = tuple(
        Hotspot(
            name,
            (v.x - v.piece.left) * POINT,
            (v.y - v.piece.up) * POINT,
            v.piece.width * POINT,
            (v.piece.up + v.piece.down) * POINT,
        )
        for r in rows
        for v in r.vertices
        for name in v.names
    )
    size = round(width * POINT, 3), round(height * POINT, 3)
    return Panel(svg(rows, width, height), *size, spots)
