"""Pictures read back from their SVG: what stands where, and what touches what.

Measured with the font files and fontTools, apart from the code that makes the figures.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont

from report import resources
from report.figure import Hotspot

SVG = "{http://www.w3.org/2000/svg}"
VALUE, GRADIENT, FILL = "#0072b2", "#d55e00", "#f2f2f2"
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float

    def grown(self, by: float) -> Box:
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def meets(self, other: Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def holds(self, other: Box) -> bool:
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )

    def cut_by(self, a: Point, b: Point) -> bool:
        """Whether the straight line from a to b has a point in the box (Liang and Barsky)."""
        start, end = 0.0, 1.0
        for low, high, p, q in (
            (self.left, self.right, a[0], b[0]),
            (self.top, self.bottom, a[1], b[1]),
        ):
            if p == q:
                if not low < p < high:
                    return False
                continue
            enter, leave = sorted(((low - p) / (q - p), (high - p) / (q - p)))
            start, end = max(start, enter), min(end, leave)
        return start < end


@dataclass(frozen=True)
class Text:
    text: str
    x: float
    y: float
    size: float
    face: str
    colour: str

    @property
    def box(self) -> Box:
        """The box of the ink."""
        left, bottom, right, top = ink(self.text, self.face)
        s = self.size
        return Box(self.x + s * left, self.y - s * top, self.x + s * right, self.y - s * bottom)


@cache
def font(face: str) -> tuple[Any, Any, Any, float]:
    files = {
        "STIX Two Text": "STIXTwoText-Regular.otf",
        "STIX Two Text italic": "STIXTwoText-Italic.otf",
        "STIX Two Text 700": "STIXTwoText-Bold.otf",
        "STIX Two Math": "STIXTwoMath-Regular.otf",
    }
    read = TTFont(resources.path("assets/fonts") / files[face], lazy=True)
    return read.getBestCmap(), read.getGlyphSet(), read["hmtx"], read["head"].unitsPerEm


@cache
def glyph(c: str, face: str) -> tuple[float, tuple[float, float, float, float]]:
    """Advance and ink of a character in em; the face must have it."""
    cmap, glyphs, metrics, em = font(face)
    pen = BoundsPen(glyphs)
    glyphs[cmap[ord(c)]].draw(pen)
    left, bottom, right, top = pen.bounds or (0, 0, 0, 0)
    return metrics[cmap[ord(c)]][0] / em, (left / em, bottom / em, right / em, top / em)


@cache
def ink(text: str, face: str) -> tuple[float, float, float, float]:
    x, boxes = 0.0, []
    for c in text:
        advance, (left, bottom, right, top) = glyph(c, face)
        if right > left:
            boxes.append((x + left, bottom, x + right, top))
        x += advance
    lows, highs = zip(*((b[:2], b[2:]) for b in boxes), strict=True)
    return (*map(min, zip(*lows, strict=True)), *map(max, zip(*highs, strict=True)))


@dataclass(frozen=True)
class Picture:
    """What stands in an SVG, in points."""

    page: Box
    texts: list[Text]
    edges: list[list[Point]]
    gates: list[Box]
    brackets: list[list[Point]]
    colours: set[str]
    outlines: list[list[Point]]  # of the gates
    tips: list[list[Point]]  # arrowheads, the point first


def spot(h: Hotspot) -> Box:
    point = 72 / 25.4
    return Box(h.x * point, h.y * point, (h.x + h.width) * point, (h.y + h.height) * point)


def style_of(element: ET.Element) -> dict[str, str]:
    pairs = (item.split(":", 1) for item in element.get("style", "").split(";") if ":" in item)
    return {key.strip(): value.strip() for key, value in pairs}


def subpaths(d: str) -> list[list[Point]]:
    """The lines of a path, its Bézier curves as 16 straight pieces each."""
    found: list[list[Point]] = []
    for kind, rest in re.findall(r"([MLCz])([^MLCz]*)", d):
        numbers = [float(n) for n in rest.split()]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        if kind == "M":
            found.append(points)
        elif kind == "L":
            found[-1] += points
        elif kind == "C":
            p, (a, b, c) = found[-1][-1], points
            for i in range(1, 17):
                t = i / 16
                found[-1].append(tuple(  # type: ignore[arg-type]
                    p[k] * (1 - t) ** 3 + 3 * a[k] * t * (1 - t) ** 2 + 3 * b[k] * t**2 * (1 - t) + c[k] * t**3
                    for k in (0, 1)
                ))  # fmt: skip
    return found


@cache
def read(svg: str) -> Picture:
    root = ET.fromstring(svg)
    width, height = map(float, root.get("viewBox", "").split()[2:])
    picture = Picture(Box(0, 0, width, height), [], [], [], [], set(), [], [])
    for element in root.iter(f"{SVG}text"):
        style = style_of(element)
        x, y = map(float, re.findall(r"[-\d.]+", element.get("transform", "")))
        assert re.fullmatch(r"translate\([-\d.]+ [-\d.]+\)", element.get("transform", ""))
        marks = [style[k] for k in ("font-style", "font-weight") if k in style]
        face = " ".join([style["font-family"].strip("'"), *marks])
        colour = style.get("fill", "#000000")
        picture.texts.append(
            Text(element.text or "", x, y, float(style["font-size"][:-2]), face, colour)
        )
        picture.colours.add(colour)
    for element in root.iter(f"{SVG}path"):
        style, lines = style_of(element), subpaths(element.get("d", ""))
        picture.colours.update(style[k] for k in ("fill", "stroke") if k in style)
        if style["fill"] not in ("none", FILL):
            picture.tips.extend(lines)
        elif style["fill"] != "none":
            for line in lines:
                picture.gates.append(around(line))
                picture.outlines.append(line)
        elif style["stroke"] in (VALUE, GRADIENT):
            picture.brackets.extend(lines)
        else:
            picture.edges.extend(lines)
    return picture


def words(picture: Picture) -> list[str]:
    """The texts, with the runs that follow each other at once joined."""
    return ["".join(t.text for t in run).replace("\u00a0", " ") for run in runs(picture.texts)]


def runs(texts: list[Text]) -> list[list[Text]]:
    """Texts that follow each other at once."""
    found: list[list[Text]] = []
    end: Point | None = None
    for text in texts:
        if end and abs(text.x - end[0]) < 0.05 and abs(text.y - end[1]) < 5:
            found[-1].append(text)
        else:
            found.append([text])
        end = (text.x + advance(text.text, text), text.y)
    return found


def advance(text: str, like: Text) -> float:
    """How wide a text is in the face and size of another one."""
    return like.size * sum(glyph(c, like.face)[0] for c in text)


def signs(picture: Picture) -> list[tuple[Box, str]]:
    """Each gate's box, and what stands in it without blanks."""
    return [
        (gate, re.sub(r"\s", "", "".join(t.text for t in picture.texts if gate.holds(t.box))))
        for gate in picture.gates
    ]


def cramped(picture: Picture, air: float) -> list[Text]:
    """The texts in gates with less than so many points between their ink and the outline."""
    return [
        t
        for gate, outline in zip(picture.gates, picture.outlines, strict=True)
        for t in picture.texts
        if gate.holds(t.box)
        for b in [t.box.grown(air)]
        if not all(
            _within(p, outline) for p in itertools.product((b.left, b.right), (b.top, b.bottom))
        )
    ]


def _within(point: Point, outline: list[Point]) -> bool:
    """Whether a point lies in a polygon: a ray from it crosses the outline an odd number of times."""
    x, y = point
    inside = False
    for (a, b), (c, d) in zip(outline, [*outline[1:], outline[0]], strict=True):
        if (b > y) != (d > y) and x < a + (y - b) / (d - b) * (c - a):
            inside = not inside
    return inside


def crossings(picture: Picture) -> int:
    """How many pairs of edges cross."""
    lines = [(line, around(line)) for line in picture.edges]
    return sum(
        a.grown(0.1).meets(b)
        and any(
            _cross(*p, *q)
            for p, q in itertools.product(itertools.pairwise(one), itertools.pairwise(two))
        )
        for (one, a), (two, b) in itertools.combinations(lines, 2)
    )


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether two straight lines cross, each between the ends of the other."""

    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < -1e-9 and side(c, d, a) * side(c, d, b) < -1e-9


def matrices(picture: Picture) -> list[list[list[tuple[str, float]]]]:
    """The columns of each matrix: of every entry the text, and where its point stands or would."""
    found = []
    for left, right in zip(picture.brackets[::2], picture.brackets[1::2], strict=True):
        a, b = around(left), around(right)
        within = Box(a.left, a.top, b.right, a.bottom)
        rows: dict[float, list[tuple[str, float]]] = {}
        for run in runs([t for t in picture.texts if within.holds(t.box)]):
            text = "".join(t.text for t in run)
            whole = re.match(r"−?\d*", text)
            assert whole
            point = run[0].x + advance(whole[0], run[0])
            rows.setdefault(round(run[0].y, 1), []).append((text, point))
        found.append([list(column) for column in zip(*rows.values(), strict=True)])
    return found


def touching(picture: Picture) -> list[str]:
    """Everything that lies over something else, or too near to it, or beyond the page."""
    boxes = [(t, t.box) for t in picture.texts]
    lines = [(line, around(line)) for line in (*picture.edges, *picture.brackets)]
    brackets = [around(line).grown(0.3) for line in picture.brackets]
    return [
        *(f"text {t} over text {u}" for t, u in _texts(boxes)),
        *(f"text {t} over a line" for t, b in boxes if _crossed(b.grown(0.3), lines)),
        *(f"text {t} over a gate" for t, b in boxes if _half_in(b, picture.gates)),
        *(
            f"bracket {b} over an edge"
            for b in brackets
            if _crossed(b, lines[: len(picture.edges)])
        ),
        *(f"gate {g} over a line" for g in picture.gates if _crossed(_inner(g), lines)),
        *(
            f"gate {g} over gate {h}"
            for g, h in itertools.combinations(picture.gates, 2)
            if g.grown(1.5).meets(h)
        ),
        *(
            f"{box} beyond the page"
            for box in (*(b for _, b in boxes), *(b for _, b in lines), *picture.gates)
            if not picture.page.holds(box)
        ),
    ]


def _texts(boxes: list[tuple[Text, Box]]) -> Iterator[tuple[Text, Text]]:
    for (t, a), (u, b) in itertools.combinations(boxes, 2):
        # Neighbours in a name or sign may lean over each other: x₁, x².
        near = -0.7 if t.colour == u.colour and abs(t.y - u.y) < 0.7 * t.size else 0.4
        if a.grown(near).meets(b):
            yield t, u


def _crossed(box: Box, lines: list[tuple[list[Point], Box]]) -> bool:
    return any(
        b.grown(0.1).meets(box) and any(box.cut_by(*ab) for ab in itertools.pairwise(line))
        for line, b in lines
    )


def _half_in(box: Box, gates: list[Box]) -> bool:
    return not any(g.holds(box) for g in gates) and any(g.grown(0.5).meets(box) for g in gates)


def _inner(gate: Box) -> Box:
    """The part of a gate that no edge may enter: its outline is round, its box is not."""
    return gate.grown(-0.35 * min(gate.right - gate.left, gate.bottom - gate.top) / 2)


def around(line: list[Point]) -> Box:
    xs, ys = zip(*line, strict=True)
    return Box(min(xs), min(ys), max(xs), max(ys))
