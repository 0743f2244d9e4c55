"""Letters and their measures: text in the bundled faces, set as `Ink` at a place.

Lengths are points (1/72 inch), x to the right, y down, as in SVG. Measures are those of the font files,
so that what fits here fits in the document.
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from report import resources

BLACK = "#000000"
GREY = "#595959"  # still 7 : 1 on white
SMALLEST = 7.0  # points; nothing is set smaller

_FEW_FONTS = "MPL_IGNORE_SYSTEM_FONTS"
FAMILY = "STIX Two Text"
_FILES = {
    "roman": "STIXTwoText-Regular.otf",
    "italic": "STIXTwoText-Italic.otf",
    "bold": "STIXTwoText-Bold.otf",
    "math": "STIXTwoMath-Regular.otf",
}


@dataclass(frozen=True)
class Ink:
    """A piece of text that starts at (x, y), y its baseline."""

    text: str
    x: float
    y: float
    size: float
    face: str = "roman"
    colour: str = BLACK

    @property
    def width(self) -> float:
        """Its advance."""
        return width(self.text, self.face, self.size)


@dataclass(frozen=True)
class StrokeLine:
    """A thin line through points."""

    points: tuple[tuple[float, float], ...]
    colour: str


@dataclass(frozen=True)
class Piece:
    """Text and strokes that keep together, round an origin, and the box that they fill."""

    inks: tuple[Ink, ...] = ()
    strokes: tuple[StrokeLine, ...] = ()
    left: float = 0.0
    right: float = 0.0
    up: float = 0.0
    down: float = 0.0

    @property
    def width(self) -> float:
        """The width of its box."""
        return self.left + self.right

    def moved(self, dx: float, dy: float) -> Piece:
        """The same piece elsewhere, the origin left where it is."""
        return Piece(
            tuple(Ink(i.text, i.x + dx, i.y + dy, i.size, i.face, i.colour) for i in self.inks),
            tuple(
                StrokeLine(tuple((x + dx, y + dy) for x, y in s.points), s.colour)
                for s in self.strokes
            ),
            self.left - dx,
            self.right + dx,
            self.up - dy,
            self.down + dy,
        )


def joined(*pieces: Piece) -> Piece:
    """Pieces round the same origin as one."""
    return Piece(
        tuple(i for p in pieces for i in p.inks),
        tuple(s for p in pieces for s in p.strokes),
        max((p.left for p in pieces), default=0.0),
        max((p.right for p in pieces), default=0.0),
        max((p.up for p in pieces), default=0.0),
        max((p.down for p in pieces), default=0.0),
    )


@dataclass(frozen=True)
class TextRun:
    """Text of one face and size, `raised` above the baseline (below it when negative)."""

    text: str
    size: float
    face: str = "roman"
    raised: float = 0.0
    accent: bool = False  # stands over the run before it instead of after it


def line(runs: Iterable[TextRun], colour: str = BLACK) -> Piece:
    """Runs one after the other, from the origin to the right along the baseline."""
    inks: list[Ink] = []
    x = left = right = up = down = 0.0
    for run in split(runs):
        if run.accent and inks:
            base = inks[-1]
            start = base.x + (base.width - width(run.text, run.face, run.size)) / 2
            top, bottom = extent(run.text, run.face, run.size)
            lift = max(up + bottom + 0.06 * run.size, 0.0)  # bottom is negative: it hangs high
            inks.append(Ink(run.text, start, -lift, run.size, run.face, colour))
            up = lift + top
        else:
            before, after = overhang(run.text, run.face, run.size)
            if run.raised:  # an f that leans to the left would touch the letter before
                x += before
            inks.append(Ink(run.text, x, -run.raised, run.size, run.face, colour))
            left, right = max(left, before - x), max(right, x + inks[-1].width + after)
            x += inks[-1].width
            top, bottom = extent(run.text, run.face, run.size)
            up, down = max(up, run.raised + top), max(down, bottom - run.raised)
    return Piece(tuple(inks), (), left, right, up, down)


def split(runs: Iterable[TextRun]) -> Iterator[TextRun]:
    """Runs with every character that the text face lacks in a run of the math face."""
    for run in runs:
        parts = _faces(run.text, run.face)
        if parts == ((run.text, run.face),):
            yield run
        else:
            yield from (replace(run, text=text, face=face) for text, face in parts)


@lru_cache(maxsize=4096)
def _faces(text: str, wanted: str) -> tuple[tuple[str, str], ...]:
    """A text in pieces of one face each."""
    found: list[tuple[str, str]] = []
    part, face = "", wanted
    for c in text:
        own = face if c.isspace() else wanted if c in _face(wanted) else "math"
        if part.strip() and own != face:
            found.append((part, face))
            part = ""
        part, face = part + c, own
    return (*found, (part, face))


def width(text: str, face: str, size: float) -> float:
    """The advance of a text in points."""
    metrics = _face(face)
    return size * sum(metrics[c].advance for c in text)


def extent(text: str, face: str, size: float) -> tuple[float, float]:
    """How far the ink reaches above and below the baseline, in points."""
    glyphs = [_face(face)[c] for c in text]
    return size * max(g.top for g in glyphs), size * max(-g.bottom for g in glyphs)


def overhang(text: str, face: str, size: float) -> tuple[float, float]:
    """How far the ink reaches out of the advance at its start and end (not less than 0)."""
    first, last = _face(face)[text[0]], _face(face)[text[-1]]
    return size * max(-first.left, 0.0), size * max(last.right - last.advance, 0.0)


@dataclass(frozen=True)
class _Glyph:
    advance: float
    left: float
    bottom: float
    right: float
    top: float


@dataclass
class _Face:
    """The measures of a face's glyphs in em, read when they are needed."""

    font: Any
    glyphs: dict[str, _Glyph] = field(default_factory=dict)

    def __contains__(self, c: str) -> bool:
        return bool(self.font.get_char_index(ord(c)))

    def __getitem__(self, c: str) -> _Glyph:
        if c not in self.glyphs:
            from matplotlib.ft2font import LoadFlags

            glyph = self.font.load_char(ord(c), flags=LoadFlags.NO_SCALE)
            em = self.font.units_per_EM
            self.glyphs[c] = _Glyph(glyph.horiAdvance / em, *(side / em for side in glyph.bbox))
        return self.glyphs[c]


@cache
def load_matplotlib() -> Any:
    """matplotlib with its SVG backend. What it says of its settings and caches does not matter here.

    Where its list of fonts is for this program alone, it leaves out those of the system, which takes seconds where
    there are many.
    """
    if os.environ.get("MPLCONFIGDIR") == str(resources.cache("matplotlib")):
        os.environ[_FEW_FONTS] = "1"
    log = logging.getLogger("matplotlib")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        importlib.import_module("matplotlib.backends.backend_svg")
        return importlib.import_module("matplotlib")
    finally:
        log.setLevel(before)
        os.environ.pop(_FEW_FONTS, None)  # from now on it would hide the fonts that are added


@cache
def _face(name: str) -> _Face:
    load_matplotlib()
    from matplotlib.ft2font import FT2Font

    return _Face(FT2Font(str(Path(resources.path("assets/fonts"), _FILES[name]))))
