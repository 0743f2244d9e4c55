"""Placed rows -> SVG, with text kept as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from report.figure.layout import Route, Row, Vertex
from report.figure.letters import BLACK, GREY, Ink, Stroke

EDGE, OUTLINE, BRACKET = 0.6, 0.8, 0.55  # line widths in points
FILL = "#f2f2f2"  # of a gate
_FAMILIES = dict.fromkeys(("roman", "italic", "bold"), "STIX Two Text") | {"math": "STIX Two Math"}
_STYLES = {"italic": "; font-style: italic", "bold": "; font-weight: 700"}
_K = 0.5523  # a quarter of a circle as a Bézier curve

# The steps of a path: a letter of SVG and its points.
Step = tuple[str, tuple[tuple[float, float], ...]]


def svg(rows: Sequence[Row], width: float, height: float) -> str:
    """The rows, already at their places, as one SVG of that size in points."""
    pieces = [v.piece.moved(v.x, v.y) for r in rows for v in r.vertices]
    strokes = [s for p in pieces for s in p.strokes]
    parts = [
        _path([s for r in rows for route in r.routes for s in curve(route)], GREY, EDGE),
        _path([s for r in rows for v in r.vertices for s in outline(v)], BLACK, OUTLINE, FILL),
        *(
            _path(_polylines(s for s in strokes if s.colour == colour), colour, BRACKET)
            for colour in dict.fromkeys(s.colour for s in strokes)
        ),
        *(_text(ink) for piece in pieces for ink in piece.inks),
    ]
    wide, high = _short(width), _short(height)
    size = f'width="{wide}pt" height="{high}pt" viewBox="0 0 {wide} {high}"'
    root = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    return "\n".join([root, *filter(None, parts), "</svg>\n"])


def curve(route: Route) -> list[Step]:
    """An edge: level inside the layers, an S between two of them where heights differ."""
    first, last = route.stops[0], route.stops[-1]
    x, y = first.x + (first.body.half if first.body else 0.0), first.y
    steps: list[Step] = [("M", ((x, y),))]
    for before, stop in zip(route.stops, route.stops[1:], strict=False):
        to = stop.y + (route.entry if stop is last else 0.0)
        if abs(to - y) > 0.05:
            start, end = before.sides[1], stop.sides[0]
            if start > x + 0.01:
                steps.append(("L", ((start, y),)))
            middle = (start + end) / 2
            steps.append(("C", ((middle, y), (middle, to), (end, to))))
            x, y = end, to
    steps.append(("L", ((_arrival(last, route.entry), y),)))
    return steps


def _arrival(v: Vertex, entry: float) -> float:
    """Where an edge that comes `entry` off the middle meets a vertex."""
    if v.body is None:
        return v.x
    return v.x - v.body.half + v.body.inset(entry)


def outline(v: Vertex) -> list[Step]:
    """A gate's outline, clockwise from its top; nothing for other vertices."""
    if v.body is None:
        return []
    r, k = v.body.radius, _K * v.body.radius
    left, right = v.x - v.body.half + r, v.x + v.body.half - r
    top, bottom = v.y - v.body.high + r, v.y + v.body.high - r
    steps: list[Step] = [
        ("M", ((left, top - r),)),
        ("L", ((right, top - r),)),
        ("C", ((right + k, top - r), (right + r, top - k), (right + r, top))),
        ("L", ((right + r, bottom),)),
        ("C", ((right + r, bottom + k), (right + k, bottom + r), (right, bottom + r))),
        ("L", ((left, bottom + r),)),
        ("C", ((left - k, bottom + r), (left - r, bottom + k), (left - r, bottom))),
        ("L", ((left - r, top),)),
        ("C", ((left - r, top - k), (left - k, top - r), (left, top - r))),
        ("Z", ((left, top - r),)),
    ]
    ends = [points[-1] for _, points in steps]
    return [
        step
        for step, before in zip(steps, [None, *ends], strict=False)
        if step[0] != "L" or step[1][0] != before
    ]


def _polylines(strokes: Iterable[Stroke]) -> list[Step]:
    return [("L" if i else "M", (point,)) for s in strokes for i, point in enumerate(s.points)]


def _path(steps: Sequence[Step], colour: str, line: float, fill: str = "none") -> str:
    drawn = "".join(
        kind + " ".join(_short(number) for point in points for number in point)
        if kind != "Z"
        else "z"
        for kind, points in steps
    )
    style = f"fill: {fill}; stroke: {colour.lower()}; stroke-width: {line}; stroke-linejoin: round"
    return f'<path d="{drawn}" style="{style}"/>' if steps else ""


def _text(ink: Ink) -> str:
    style = f"font-size: {_short(ink.size)}px; font-family: '{_FAMILIES[ink.face]}'"
    style += _STYLES.get(ink.face, "") + (
        f"; fill: {ink.colour.lower()}" if ink.colour != BLACK else ""
    )
    return (
        f'<text style="{style}" x="{_short(ink.x)}" y="{_short(ink.y)}">{escape(ink.text)}</text>'
    )


def _short(number: float) -> str:
    return f"{round(number, 2):g}"
