"""LaTeX -> placed glyphs, read from the drawing that mathra makes."""

from __future__ import annotations

import functools
import html
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from xml.etree import ElementTree as ET

from report.errors import ReportError
from report.typeset import glyphs
from report.typeset.drawing import Drawing, GlyphRun, Rectangle, Stroke

MATHRA = "1.5.0"


def check_version(package: str, found: str, wanted: str) -> None:
    """Raise ReportError where a package is not the one that this file was written for."""
    if found != wanted:
        raise ReportError(
            f"The PDF needs {package} {wanted}, and {package} {found} is installed. Run:\n"
            f"    python -m pip install {package}=={wanted}"
        )


_HEAD = re.compile(r'viewBox="0 (\S+) (\S+) (\S+)".*?<title[^>]*>([^<]*)</title>', re.DOTALL)
_PLACE = re.compile(r"translate\((\S+) (\S+)\)(?: scale\((\S+)\))?")


@functools.cache
def _tex_to_svg() -> Callable[..., str]:
    import mathra  # not where no formula is asked for

    check_version("mathra", mathra.core_version, MATHRA)
    return mathra.tex_to_svg


_OVERSHOOT = 0.1  # em that a rule may stand out of the box of a formula


def typeset(tex: str, display: bool) -> Drawing:
    """Lay out LaTeX. Raises ValueError with mathra's reason where it cannot."""
    svg = _tex_to_svg()(tex, display=display, strict=True)
    head = _HEAD.search(svg)
    start = svg.rfind("</defs>")
    end = svg.rfind("<text ")
    unknown = ReportError(f"mathra {MATHRA} drew {tex!r} in a way that report does not know.")
    if head is None or start < 0 or end < start:
        raise unknown
    top, width, height = (float(number) / 1000 for number in head.groups()[:3])
    try:
        marks = _with_rules(tuple(_marks(svg[start + len("</defs>") : end])))
    except ET.ParseError:
        raise unknown from None
    for mark in marks:
        if isinstance(mark, Rectangle) and not (
            -top - height - _OVERSHOOT < mark.y < mark.y + mark.height < -top + _OVERSHOOT
        ):
            raise ValueError("it would draw a line outside of its box: leave out | or \\smash")
    return Drawing(
        width=width,
        height=-top,
        depth=round(top + height, 6),
        speech=html.unescape(head[4]),
        text=html.unescape(svg[svg.index(">", end) + 1 : svg.index("</text>", end)]),
        marks=marks,
    )


Mark = GlyphRun | Rectangle | Stroke
_AXIS = 0.258  # em of the middle of an array above the baseline
_DOUBLE = 0.16  # em from one of two rules beside each other to the next


def _with_rules(marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
    """The rules between the columns of an array beside its rows, from which mathra lets them slide.

    It puts the piece beside each row as far below the baseline as the row's end is below the top, and
    as the row's start is once more.
    """
    upright = [m for m in marks if isinstance(m, Rectangle) and m.height > m.width]
    placed: dict[Mark, list[Mark]] = {}
    for x in {rule.x for rule in upright}:
        repeated = [rule for rule in upright if rule.x == x]
        column = list(dict.fromkeys(repeated))
        ends = list(itertools.accumulate(rule.height for rule in column))
        pairs = list(zip(column, ends, strict=True))
        if all(abs(rule.y + 2 * end - rule.height) < 1e-3 for rule, end in pairs):
            count = len(repeated) // len(column)  # two for c||c
            beside = [_DOUBLE * (i - (count - 1) / 2) for i in range(count)]
            for rule, end in pairs:
                there = rule._replace(y=_AXIS + ends[-1] / 2 - end)
                placed[rule] = [there._replace(x=x + right) for right in beside]
    return tuple(placed[m].pop() if placed.get(m) else m for m in marks)


def measure(tex: str) -> float:
    """The width of displayed LaTeX in em. Raises ValueError as typeset() does."""
    svg = _tex_to_svg()(tex, display=True, strict=True)
    start = svg.index('viewBox="') + 9
    return float(svg[start : svg.index('"', start)].split()[2]) / 1000


def _marks(body: str) -> Iterator[GlyphRun | Rectangle | Stroke]:
    advances = glyphs.table().advances
    line: tuple[float, float, str] | None = None  # of the glyphs so far: height, size, colour
    start = pen = 0.0  # where they begin, and where the next one would stand by itself
    codes: list[str] = []
    shown: list[int] = []
    for element in ET.fromstring(body).iter():  # noqa: S314 - of mathra's making
        tag, found = element.tag, element.attrib
        if tag == "g":
            continue
        colour = found.get("fill" if tag != "line" else "stroke", "")
        if tag == "use":
            x, y, size = _place(found)
            glyph = int(found["href"].rpartition("-g")[2])
            if line != (y, size, colour):
                if line:
                    yield GlyphRun(start, *line, "".join(codes), tuple(shown))
                line, start, codes, shown = (y, size, colour), x, [], []
            elif kern := round((pen - x) / size * 1000, 1):
                codes.append(f">{kern:g}<")
            codes.append(f"{glyph:04x}")
            shown.append(glyph)
            pen = x + advances[glyph] * size / 1000
            continue
        if line:
            yield GlyphRun(start, *line, "".join(codes), tuple(shown))
            line = None
        if tag == "rect":
            x, y, width, height = _lengths(found, "x", "y", "width", "height")
            if width and height:  # else a strut, which viewers would show as a hairline
                yield Rectangle(x, y, width, height, colour)
        elif tag == "line":
            x1, y1, x2, y2, thickness = _lengths(found, "x1", "y1", "x2", "y2", "stroke-width")
            yield Stroke(x1, y1, x2, y2, thickness, "" if colour == "currentColor" else colour)
        else:
            raise ValueError(f"it needs a <{tag}> drawing, which the PDF cannot hold as text")
    if line:
        yield GlyphRun(start, *line, "".join(codes), tuple(shown))


def _place(found: Mapping[str, str]) -> tuple[float, float, float]:
    if "transform" not in found:
        x, y = _lengths(found, "x", "y")
        return x, y, 1.0
    place = _PLACE.fullmatch(found["transform"])
    if not place:
        raise ValueError(f"it needs the transformation {found['transform']}")
    return float(place[1]) / 1000, float(place[2]) / 1000, float(place[3] or 1)


def _lengths(found: Mapping[str, str], *names: str) -> tuple[float, ...]:
    return tuple(float(found[name]) / 1000 for name in names)
