"""A placed row -> SVG for a browser: gates and edges are elements that a script and a reader can find.

A gate is `<g class="gate" data-gate="q1">`, a name `<g class="source" data-name="x1">`, an edge
`<g class="edge" data-from="x1" data-to="q1">` with its line and, in classes `value` and `gradient`, its
numbers. Behind a gate may stand `<g class="fold" data-unfold="sigmoid">`, a button that writes such gates
out, or one with `data-fold` that folds them. Colours and fonts are the stylesheet's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

from report.autodiff.trace import Quantity
from report.derivation.latex.symbols import GRADIENT, VALUE
from report.figure.font_metrics import GREY, Ink, Piece
from report.figure.layered_row import LayeredRow, Route, Vertex
from report.figure.svg import Step, arrowhead, curve, outline

_KINDS = {VALUE: "value", GRADIENT: "gradient", GREY: "grey"}
_FACES = {"italic": ' font-style="italic"', "bold": ' font-weight="700"'}


_SLANT = 1 - 0.5**0.5  # of a rounded corner: how far its middle lies from the sides


@dataclass(frozen=True)
class Web:
    """What a browser's figure knows of its gates: their quantities, and the fold marks of some of them."""

    quantities: Mapping[str, Quantity]
    unfold: Mapping[str, str]  # by gate, what `unfold` calls the gates that it is one of
    fold: Mapping[str, str]  # the same of the last gate of one that is written out


def web_svg(row: LayeredRow, width: float, height: float, web: Web) -> str:
    """The row, already at its place, as SVG of that size in points."""
    ends = {r.stops[0] for r in row.routes} | {r.stops[-1] for r in row.routes}
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="web" viewBox="0 0 {width:.2f} {height:.2f}"'
        f' width="{width:.2f}pt" height="{height:.2f}pt">'
    )
    parts = [
        head,
        *(_edge(route) for route in row.routes),
        *(_end(v, web) for v in row.vertices if v in ends),
        "</svg>",
    ]
    return "".join(parts)


def _edge(route: Route) -> str:
    start, end = route.stops[0], route.stops[-1]
    to = end.names[0] if end.body and end.names else ""
    inner = "".join(_piece(v.piece.moved(v.x, v.y)) for v in route.stops[1:-1])
    tip = f'<path class="tip" d="{_path(head)}"/>' if (head := arrowhead(route)) else ""
    return (
        f'<g class="edge" data-from="{_name(start)}" data-to="{escape(to)}">'
        f'<path class="hit" d="{_path(curve(route))}"/><path class="line" d="{_path(curve(route))}"/>'
        f"{tip}{inner}</g>"
    )


def _name(v: Vertex) -> str:
    return escape(v.names[0]) if v.names else ""


def _end(v: Vertex, web: Web) -> str:
    """A gate, or the name of an input or result."""
    inner = _piece(v.piece.moved(v.x, v.y))
    name = _name(v)
    if v.body is None:
        return f'<g class="source" data-name="{name}">{inner}</g>' if name else f"<g>{inner}</g>"
    body = f'<path class="body" d="{_path(outline(v))}"/>'
    if not name:
        return f"<g>{body}{inner}</g>"
    q = web.quantities[name]
    words = escape(f"gate {q.number}, {q.name}: {q.node.gate.name}")
    return (
        f'<g class="gate{" aside" if v.grey else ""}" data-gate="{name}" data-number="{q.number}" tabindex="-1" role="button" '
        f'aria-label="{words}">{body}{inner}</g>{_mark(v, web)}'
    )


def _mark(v: Vertex, web: Web) -> str:
    """The button at a gate's lower right that writes it out (+), or folds what it ends (−)."""
    name = v.names[0]
    if v.body is None or not (kind := web.fold.get(name) or web.unfold.get(name)):
        return ""
    folds = name in web.fold
    corner = _SLANT * v.body.radius
    x, y = v.x + v.body.half - corner, v.y + v.body.high - corner
    words = f"Fold {kind} into one gate" if folds else f"Write {kind} out in simpler gates"
    return (
        f'<g class="fold" data-{"fold" if folds else "unfold"}="{escape(kind)}" role="button" tabindex="0" '
        f'aria-label="{escape(words)}" transform="translate({x:.2f} {y:.2f})"><title>{escape(words)}</title>'
        f'<circle class="around" r="7"/><circle r="3.2"/><path d="M-1.8 0H1.8{"" if folds else "M0 -1.8V1.8"}"/></g>'
    )


def _piece(piece: Piece) -> str:
    """Text and strokes, what has one colour in one group."""
    colours = dict.fromkeys([i.colour for i in piece.inks] + [s.colour for s in piece.strokes])
    groups = []
    for colour in colours:
        lines = "".join(
            "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in s.points)
            for s in piece.strokes
            if s.colour == colour
        )
        inner = f'<path class="bracket" d="{lines}"/>' if lines else ""
        inner += "".join(_text(ink) for ink in piece.inks if ink.colour == colour)
        groups.append(f'<g class="{_KINDS.get(colour, "black")}">{inner}</g>')
    return "".join(groups)


def _text(ink: Ink) -> str:
    family = ' class="math"' if ink.face == "math" else ""
    return (
        f'<text x="{ink.x:.2f}" y="{ink.y:.2f}" font-size="{ink.size:g}"{family}'
        f"{_FACES.get(ink.face, '')}>{escape(ink.text)}</text>"
    )


def _path(steps: Iterable[Step]) -> str:
    return "".join(
        kind + ("" if kind == "Z" else " ".join(f"{x:.2f} {y:.2f}" for x, y in points))
        for kind, points in steps
    )
