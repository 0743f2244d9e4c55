"""Trace -> vector figures of the computational graph.

Inputs stand at the left, the result at the right; every edge carries its value above and the gradient
that flows back below. A graph wider than the page is folded into rows, each a panel of its own, and a
graph of very many gates is drawn by its let-lines or by its ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from report.autodiff.trace import Trace
from report.figure.layered_row import LayeredRow

if TYPE_CHECKING:
    from report.figure.web_svg import Web

POINT = 25.4 / 72  # in millimetres
MARGIN = 1.0  # points round a panel
LARGE = 3  # rows from which on an overview of the function's lines stands first


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
    """One row: SVG, its size in millimetres, the places of gates and inputs in it, and `alt`, its words."""

    svg: str
    width: float
    height: float
    hotspots: tuple[Hotspot, ...]
    alt: str


@dataclass(frozen=True)
class Figure:
    """A computational graph as pictures, all of one width. `alt` tells it in words, `reading` how to read it.

    `overview` is told under the first panel where that shows the lines of the function as boxes.
    """

    panels: tuple[Panel, ...]
    alt: str
    reading: tuple[str, ...]  # sentences
    note: str  # what is left out, and where it stands; empty for a complete figure
    overview: str = ""

    @property
    def caption(self) -> str:
        """How to read it."""
        return " ".join(self.reading)


def draw(
    trace: Trace,
    *,
    width: float = 150.0,
    max_height: float = 215.0,
    numbers: bool = True,
    browser: bool = False,
    folds: bool = False,
) -> Figure:
    """The figure of a trace, in rows of at most `width` times `max_height` millimetres.

    Without `numbers` it shows the structure alone, with room on the edges to write them by hand. For
    a `browser` its gates and edges are elements of their own (see `report.figure.web_svg`); with `folds`
    gates have marks to be written out or folded by.
    """
    from report.figure import alt_text
    from report.figure.fold import rows
    from report.figure.overview import overview
    from report.figure.overview import words as overview_words
    from report.figure.svg import settings
    from report.figure.units import plan

    what = plan(trace, numbers=numbers)
    across, high = width / POINT - 2 * MARGIN, max_height / POINT - 2 * MARGIN
    placed = rows(what, across, high)
    alt = alt_text.alt(what)
    words = [alt, *(alt_text.further(row, i, len(placed)) for i, row in enumerate(placed[1:], 2))]
    reading = alt_text.reading(what, placed)
    many = len(placed) >= LARGE and not what.grouped
    whole = overview(trace, across, linked=not browser) if many else None
    if whole:
        placed.insert(0, whole)
        words.insert(0, overview_words(trace))
    wide = max(row.width for row in placed) + 2 * MARGIN
    found = _web(trace, folds and not what.grouped) if browser else None
    with settings():
        panels = tuple(
            _panel(row, wide, said, found) for row, said in zip(placed, words, strict=True)
        )
    return Figure(panels, alt, reading, alt_text.note(what), alt_text.OVERVIEW if whole else "")


def _web(trace: Trace, folds: bool) -> Web:
    """What a browser's figure knows of the gates of a trace."""
    from report.autodiff.gates.definitions import unfolds_as
    from report.figure.web_svg import Web

    quantities = {q.name: q for q in (*trace.inputs, *trace.gates)}
    if not folds:
        return Web(quantities, {}, {})
    made = trace.graph.written_out
    inner = {a for q in trace.gates for a in q.node.args if made.get(a) == made.get(q.node)}
    unfold = {q.name: unfolds_as(q.node.gate) for q in trace.gates}
    fold = {q.name: made[q.node] for q in trace.gates if q.node in made and q.node not in inner}
    return Web(quantities, unfold, fold)


def _panel(row: LayeredRow, width: float, alt: str, browser: Web | None) -> Panel:
    from report.figure.svg import svg
    from report.figure.web_svg import web_svg

    row.shift(MARGIN, MARGIN)
    height = row.height + 2 * MARGIN
    spots = tuple(
        Hotspot(
            name,
            (v.x + left) * POINT,
            (v.y - v.piece.up) * POINT,
            (right - left) * POINT,
            (v.piece.up + v.piece.down) * POINT,
        )
        for v in row.vertices
        for name, (left, right) in zip(
            v.names, v.spans or [(-v.piece.left, v.piece.right)] * len(v.names), strict=True
        )
    )
    size = round(width * POINT, 3), round(height * POINT, 3)
    drawn = svg(row, width, height) if browser is None else web_svg(row, width, height, browser)
    return Panel(drawn, *size, spots, alt)
