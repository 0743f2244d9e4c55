"""A formula as glyphs and lines in their places."""

from typing import NamedTuple


class Run(NamedTuple):
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


class Line(NamedTuple):
    """A line with round ends, in em; colour as in a run."""

    x1: float
    y1: float
    x2: float
    y2: float
    thickness: float
    colour: str


class Drawing(NamedTuple):
    """A formula as mathra draws it. Lengths are in em, the origin is the baseline's left end.

    The marks are drawn ``scale`` times as large as they say.
    """

    width: float
    height: float
    depth: float
    speech: str
    text: str
    marks: tuple[Run | Rectangle | Line, ...]
    scale: float = 1.0

    def scaled(self, scale: float) -> "Drawing":
        """The same drawing, larger or smaller."""
        return self._replace(
            width=self.width * scale,
            height=self.height * scale,
            depth=self.depth * scale,
            scale=self.scale * scale,
        )
