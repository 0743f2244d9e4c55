"""A formula as glyphs and lines in their places, and as the operators of a PDF that draw it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

FONT = b"/@"  # stands for the name of the math font in `Drawing.ink`


class GlyphRun(NamedTuple):
    """Glyphs on one line, placed in em from the formula's origin (y up).

    ``size`` is in em, ``colour`` is CSS or "" for that of the text, ``codes`` is the operand of
    PDF's TJ operator.
    """

    x: float
    y: float
    size: float
    colour: str
    codes: str
    glyphs: tuple[int, ...]


class Rectangle(NamedTuple):
    """Lower left corner, width and height in em; colour as in a run."""

    x: float
    y: float
    width: float
    height: float
    colour: str


class Stroke(NamedTuple):
    """A line with round ends, in em; colour as in a run."""

    x1: float
    y1: float
    x2: float
    y2: float
    thickness: float
    colour: str


Mark = GlyphRun | Rectangle | Stroke


@dataclass(frozen=True, eq=False)
class Drawing:
    """A formula as mathra draws it. Lengths are in em, the origin is the baseline's left end.

    The marks are drawn ``scale`` times as large as they say.
    """

    width: float
    height: float
    depth: float
    speech: str
    text: str
    marks: tuple[Mark, ...]
    scale: float = 1.0

    def scaled(self, scale: float) -> "Drawing":
        """The same drawing, larger or smaller."""
        return replace(
            self,
            width=self.width * scale,
            height=self.height * scale,
            depth=self.depth * scale,
            scale=self.scale * scale,
        )

    @cached_property
    def glyphs(self) -> tuple[int, ...]:
        """The glyphs that are drawn, each once."""
        runs = (mark.glyphs for mark in self.marks if isinstance(mark, GlyphRun))
        return tuple(dict.fromkeys(glyph for run in runs for glyph in run))

    @cached_property
    def ink(self) -> tuple[tuple[str, bool, bytes], ...]:
        """Operators that draw the marks, y up: a colour, whether lines have it, what has it."""
        return tuple(
            (colour, stroked, b"\n".join(_operators(list(marks))))
            for (colour, stroked), marks in groupby(
                self.marks, lambda mark: (mark.colour, isinstance(mark, Stroke))
            )
        )


def _operators(marks: list[Mark]) -> Iterator[bytes]:
    """PDF's operators for marks of one colour."""
    for is_text, group in groupby(marks, lambda mark: isinstance(mark, GlyphRun)):
        if is_text:
            yield b"BT"
        current = 0.0
        for mark in group:
            match mark:
                case GlyphRun(x, y, size, _, codes, _):
                    if size != current:
                        yield FONT + f" {_short(size)} Tf".encode()
                        current = size
                    yield f"1 0 0 1 {_short(x)} {_short(y)} Tm [<{codes}>] TJ".encode()
                case Rectangle(x, y, width, height, _):
                    sides = " ".join(map(_short, (x, y, width, height)))
                    yield f"{sides} re f".encode()
                case Stroke(x1, y1, x2, y2, thickness, _):
                    ends = f"{_short(x1)} {_short(y1)} m {_short(x2)} {_short(y2)} l S"
                    yield f"{_short(thickness)} w 1 J {ends}".encode()
        if is_text:
            yield b"ET"


def _short(length: float) -> str:
    return f"{length:.5f}".rstrip("0").rstrip(".")
