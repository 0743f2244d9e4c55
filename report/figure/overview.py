"""The picture of a large graph before its parts: the lines of the function as named boxes.

A box stands for all gates of a line; their numbers stand above it, and below it the inputs that enter.
"""

from __future__ import annotations

from collections.abc import Sequence

from report.autodiff.trace import Quantity, Trace
from report.figure import gate_signs, labels
from report.figure.font_metrics import BLACK, GREY, Piece, TextRun, joined, line
from report.figure.labels import Body, Style
from report.figure.layered_row import LayeredRow, Route, Vertex
from report.figure.layout import place_layers
from report.figure.rows import BEND, row_of
from report.figure.units import Unit, lines

FEWEST, MOST = 3, 30  # boxes
HIGH, CORNER, SIDE = 9.0, 2.5, 7.0  # points: half the height of a box, its corners, room in it
LONGEST = 3.0  # times the room of a gate's name, for a name in a box


def overview(
    trace: Trace, width: float, style: Style = labels.COMFORTABLE, *, linked: bool = True
) -> LayeredRow | None:
    """The boxes, placed in a row of at most `width` points; None where there are too few or too many.

    `linked` is whether each box is a place to go to the gate that it is named after.
    """
    units = lines(trace)
    if not FEWEST <= len(units) <= MOST or all(u.gates == 1 for u in units):
        return None
    row = _row(trace, units, style, linked=linked)
    return row if place_layers(row, width) else None


def words(trace: Trace) -> str:
    """The same in words."""
    boxes = (
        f"{u.quantity.name} of {', '.join(f.source.name for f in u.feeds)}" for u in lines(trace)
    )
    return f"Overview of the graph, a box for each line: {'; '.join(boxes)}."


def _row(trace: Trace, units: Sequence[Unit], style: Style, *, linked: bool) -> LayeredRow:
    boxes: dict[Quantity, Vertex] = {}
    routes: list[Route] = []
    for unit in units:
        q = unit.quantity
        within = [f.source for f in unit.feeds if f.source in boxes]
        inputs = _names(trace, [f.source for f in unit.feeds if f.source.node.is_input], style)
        boxes[q] = _box(trace, unit, style, inputs if within else None, linked=linked)
        boxes[q].layer = 2 + max((boxes[source].layer for source in within), default=0)
        routes += [_through(boxes[source], boxes[q]) for source in within]
        if not within:
            start = Vertex(boxes[q].layer - 2, labels.before(inputs, style.number), align=1.0)
            routes.append(_through(start, boxes[q]))
    last = boxes[units[-1].quantity]
    end = Vertex(last.layer + 1, labels.result(trace.letter, style), align=0.0)
    return row_of([*routes, Route([last, end])])


def _through(start: Vertex, end: Vertex) -> Route:
    return Route([start, *(Vertex(i, BEND) for i in range(start.layer + 1, end.layer)), end])


def _box(trace: Trace, unit: Unit, style: Style, inputs: Piece | None, *, linked: bool) -> Vertex:
    """A box with the numbers of its gates above it, and below it the inputs that enter besides edges."""
    q = unit.quantity
    grey = q.node not in trace.needed
    room = LONGEST * gate_signs.LONGEST
    text = line(gate_signs.name(q.name, q.node.shape, style.name, room), GREY if grey else BLACK)
    text = text.moved((text.left - text.right) / 2, 0.29 * style.name)
    half = text.width / 2 + SIDE
    number = line([TextRun(unit.numbers, style.number)], GREY)
    number = number.moved((number.left - number.right) / 2, -HIGH - 2.2 - number.down)
    pieces = [text, Piece((), (), half, half, HIGH, HIGH), number]
    if inputs is not None:
        pieces.append(inputs.moved((inputs.left - inputs.right) / 2, HIGH + 2.2 + inputs.up))
    piece = joined(*pieces)
    names = (q.name,) if linked else ()
    return Vertex(0, piece, Body(half, HIGH, CORNER), names, grey=grey)


def _names(trace: Trace, inputs: Sequence[Quantity], style: Style) -> Piece:
    """Names side by side, those in black whose gradients are asked for."""
    pieces: list[Piece] = []
    x = 0.0
    for i, q in enumerate(inputs):
        runs = gate_signs.name(q.name, q.node.shape, style.number, gate_signs.LONGEST)
        if i < len(inputs) - 1:
            runs.append(TextRun(",\u2002", style.number))
        found = line(runs, BLACK if q.name in trace.wrt else GREY)
        pieces.append(found.moved(x, 0.0))
        x += found.inks[-1].x + found.inks[-1].width
    return joined(*pieces)
