"""A placed row -> SVG, written by matplotlib's SVG backend with text kept as text."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable
from typing import Any

from report.figure.font_metrics import BLACK, FAMILY, GREY, Ink, StrokeLine, load_matplotlib
from report.figure.layered_row import LayeredRow, Route, Vertex

EDGE, OUTLINE, BRACKET = 0.6, 0.8, 0.55  # line widths in points
FILL = "#F2F2F2"  # of a gate
HEAD = 4.5  # points from the tip of an arrow to its base
_FAMILIES = {"math": "STIX Two Math"}
_K = 0.5523  # a quarter of a circle as a Bézier curve

# The steps of a path: a letter of SVG and its points.
Step = tuple[str, tuple[tuple[float, float], ...]]


def settings() -> contextlib.AbstractContextManager[None]:
    """How matplotlib writes the rows of a figure, while it does."""
    mpl = load_matplotlib()
    return mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "report", "svg.id": None})


def svg(row: LayeredRow, width: float, height: float) -> str:
    """The row, already at its place, as SVG of that size in points; within `settings`."""
    from matplotlib.backends.backend_svg import RendererSVG

    out = io.StringIO()
    unsaid = dict.fromkeys(("Date", "Format", "Type", "Creator"))
    made: Any = RendererSVG  # it has no types
    renderer = made(_round(width), _round(height), out, metadata=unsaid)
    page = _Page(renderer)
    page.path([s for route in row.routes for s in curve(route)], GREY, EDGE)
    page.path([s for route in row.routes for s in arrowhead(route)], GREY, 0.0, GREY)
    for colour, grey in ((BLACK, False), (GREY, True)):
        gates = (v for v in row.vertices if v.grey is grey)
        page.path([s for v in gates for s in outline(v)], colour, OUTLINE, FILL)
    pieces = [v.piece.moved(v.x, v.y) for v in row.vertices]
    strokes = [s for p in pieces for s in p.strokes]
    for colour in dict.fromkeys(s.colour for s in strokes):
        page.path(_polylines(s for s in strokes if s.colour == colour), colour, BRACKET)
    for piece in pieces:
        for ink in piece.inks:
            page.text(ink)
    renderer.finalize()
    return out.getvalue()


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


def arrowhead(route: Route) -> list[Step]:
    """The point of an edge, where it meets its gate."""
    if not route.arrow:
        return []
    last = route.stops[-1]
    x, y = _arrival(last, route.entry), last.y + route.entry
    back, half = x - HEAD, HEAD / 3
    return [
        ("M", ((x, y),)),
        ("L", ((back, y - half),)),
        ("L", ((back, y + half),)),
        ("Z", ((x, y),)),
    ]


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


def _polylines(strokes: Iterable[StrokeLine]) -> list[Step]:
    return [("L" if i else "M", (point,)) for s in strokes for i, point in enumerate(s.points)]


class _Page:
    """Draws on matplotlib's renderer, whose paths count y from the bottom and texts from the top."""

    def __init__(self, renderer: Any) -> None:
        self.renderer = renderer

    def path(self, steps: list[Step], colour: str, line: float, fill: str | None = None) -> None:
        from matplotlib.colors import to_rgb
        from matplotlib.path import Path
        from matplotlib.transforms import Affine2D

        if not steps:
            return
        codes = {"M": Path.MOVETO, "L": Path.LINETO, "C": Path.CURVE4, "Z": Path.CLOSEPOLY}
        path = Path(
            [(_round(x), _round(y)) for _, points in steps for x, y in points],
            [codes[kind] for kind, points in steps for _ in points],
        )
        path.should_simplify = False
        gc = self.renderer.new_gc()
        gc.set_foreground(colour)
        gc.set_linewidth(line)
        flip = Affine2D().scale(1, -1).translate(0, self.renderer.height)
        self.renderer.draw_path(gc, path, flip, to_rgb(fill) if fill else None)

    def text(self, ink: Ink) -> None:
        from matplotlib.font_manager import FontProperties

        gc = self.renderer.new_gc()
        gc.set_foreground(ink.colour)
        font = FontProperties(
            family=_FAMILIES.get(ink.face, FAMILY),
            size=ink.size,
            style="italic" if ink.face == "italic" else "normal",
            weight=700 if ink.face == "bold" else 400,
        )
        self.renderer.draw_text(gc, _round(ink.x), _round(ink.y), ink.text, font, 0.0)


def _round(x: float) -> float:
    return round(x, 2)
