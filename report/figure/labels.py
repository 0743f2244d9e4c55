"""The pieces of a figure: gates, names of inputs, and the value and gradient on an edge.

Every piece lies round the origin where its edge passes: values above it, gradients below.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from report import number_format as numbers
from report.autodiff.graph import Shape
from report.derivation.latex.symbols import GRADIENT, VALUE
from report.figure import gate_signs
from report.figure.font_metrics import (
    BLACK,
    GREY,
    SMALLEST,
    Ink,
    Piece,
    StrokeLine,
    TextRun,
    extent,
    joined,
    line,
    width,
)

CLEAR = 2.0  # points between an edge and the text beside it
BEHIND = 2.0  # points between an edge's end and the text that follows it
MARK = "∂"
SUM_MARK = "Σ∂"
ENTRY = 5.0  # points between two edges that enter a gate of many operands
AIR = 1.6  # points between a sign and the outline of its gate
MAX_ROWS, MAX_COLUMNS = 4, 4  # larger tensors show their range, not their entries


class Detail(Enum):
    """How much of a tensor an edge shows."""

    ENTRIES = 1  # where they are few, else the range
    RANGE = 2
    SHAPE = 3


@dataclass(frozen=True)
class Style:
    """Font sizes and the radius of a gate, in points; how much is shown."""

    number: float = 8.0
    name: float = 10.0
    tag: float = 9.0  # the name beside a gate
    sign: float = 10.0
    radius: float = 9.0
    blank: float = 40.0  # the width to write one number by hand
    detail: Detail = Detail.ENTRIES
    numbers: bool = True  # else there is room to write them by hand


COMFORTABLE = Style()
SMALLER = Style(7.5, 9.5, 8.5, 9.5, 8.5, 36.0)
TIGHT = Style(7.0, 9.0, 8.0, 9.0, 8.0, 32.0)


@dataclass(frozen=True)
class Body:
    """A gate's outline: half its width, half its height, and the radius of its corners."""

    half: float
    high: float
    radius: float

    def inset(self, y: float) -> float:
        """How far inside its left end the outline lies, `y` off the middle."""
        above = max(abs(y) - (self.high - self.radius), 0.0)
        return self.radius - math.sqrt(max(self.radius**2 - above**2, 0.0))


# ---------------------------------------------------------------- edges


def edge(value: Any, gradient: Any | None, style: Style) -> Piece:
    """The label of an edge: value above, gradient below (None: there is none)."""
    of = np.shape(value)
    if not style.numbers:
        return _blank(of, style)
    above = _amount(value, VALUE, "", style)
    above = above.moved(0.0, -CLEAR - above.down)
    if of and style.detail is not Detail.SHAPE:
        over = _centred(line([TextRun(gate_signs.shape(of), SMALLEST)], GREY))
        above = joined(above, over.moved(0.0, -above.up - over.down - 1.0))
    if gradient is None:
        return above
    return joined(above, _hung(_amount(gradient, GRADIENT, MARK, style), CLEAR))


def result(name: str, style: Style) -> Piece:
    """The name at the end of the last edge, to the right of the origin."""
    return after(line(gate_signs.name(name, (), style.name), BLACK), style.name)


def nowhere(style: Style) -> Piece:
    """The end of an edge that leads to no gate."""
    return after(line([TextRun("not used", style.number)], GREY), style.number)


def before(text: Piece, size: float) -> Piece:
    """Text to the left of the origin, where an edge starts."""
    return joined(Piece(), text.moved(-text.right - 2.5, 0.3 * size))


def after(text: Piece, size: float) -> Piece:
    """Text to the right of the origin, where an edge ends."""
    return joined(Piece(), text.moved(BEHIND, 0.3 * size))


def source(
    name: str,
    of: Shape,
    style: Style,
    *,
    asked: bool = True,
    gradient: Any | None = None,
) -> Piece:
    """An input's name to the left of the origin; `gradient` is the sum of several contributions."""
    colour = BLACK if asked else GREY
    text = line(gate_signs.name(name, of, style.name, 1.25 * gate_signs.LONGEST), colour)
    piece = before(text, style.name)
    if gradient is None:
        return piece
    total = _total(gradient, style)
    return joined(piece, _hung(total.moved(-total.right - 2.5, 0.0), piece.down + 1.5))


# ---------------------------------------------------------------- gates


def gate_piece(
    sign: list[TextRun],
    operands: int,
    name: str,
    of: Shape,
    style: Style,
    *,
    number: int | None = None,
    colour: str = BLACK,
    gradient: Any | None = None,
) -> tuple[Body, Piece]:
    """A gate: its outline, and its sign, its name above and a sum of gradients below.

    `number` stands before a name that does not hold it.
    """
    text = _centred(line(sign, colour))
    letters = any(c.isalnum() for run in sign for c in run.text)
    text = text.moved(0.0, 0.29 * style.sign if letters else (text.up - text.down) / 2)
    body = _round(text, max(style.radius, ENTRY * operands / 2), style.radius)
    pieces = [
        text,
        Piece((), (), body.half, body.half, body.high, body.high),
    ]
    runs = gate_signs.name(name, of, style.tag, gate_signs.LONGEST)
    if number is not None:
        runs = [TextRun(f"{number}\u2002", style.tag, "bold"), *runs]
    tag = _centred(line(runs, GREY))
    pieces.append(tag.moved(0.0, -body.high - 2.2 - tag.down))
    if gradient is not None:
        total = _total(gradient, style)
        pieces.append(_hung(total, body.high + CLEAR))
    return body, joined(*pieces)


def _round(text: Piece, high: float, radius: float) -> Body:
    """The outline, half of it `high`, that leaves air round a text with rounded ends."""
    half = radius
    for ink in text.inks:
        top, bottom = extent(ink.text, ink.face, ink.size)
        corner = max(top - ink.y, bottom + ink.y) + AIR
        reach = max(-ink.x, ink.x + ink.width) + AIR
        half = max(half, reach + Body(0.0, high, radius).inset(min(corner, high)))
    return Body(half, high, radius)


# ---------------------------------------------------------------- numbers and tensors


def _centred(piece: Piece) -> Piece:
    return piece.moved((piece.left - piece.right) / 2, 0.0)


def _hung(piece: Piece, y: float) -> Piece:
    """The piece with its top at y."""
    return piece.moved(0.0, y + piece.up)


def _total(gradient: Any, style: Style) -> Piece:
    """The sum of what comes back, or its mark and a dotted line to write on."""
    if style.numbers:
        return _amount(gradient, GRADIENT, SUM_MARK, style)
    return _centred(line([TextRun(f"{SUM_MARK}\u00a0{'.' * 16}", style.number)], GREY))


def _blank(of: Shape, style: Style) -> Piece:
    """Room above and below an edge for the entries in handwriting."""
    fits = style.detail is Detail.ENTRIES and entries_fit(of)
    rows, columns = _grid(of) if fits else (1, 1)
    half, high = max(style.blank / 2, 13.0 * columns), 3.0 + 9.5 * rows
    return Piece((), (), half, half, high, high)


def _amount(value: Any, colour: str, mark: str, style: Style) -> Piece:
    """A number or tensor, centred, its last baseline or bracket on the origin's height."""
    array = np.asarray(value, dtype=float)
    if array.size == 1:
        text = gate_signs.number_text(array)
    elif style.detail is Detail.SHAPE:
        text = gate_signs.shape(array.shape)
    elif style.detail is Detail.ENTRIES and entries_fit(array.shape):
        return _matrix(array, colour, mark, style)
    else:
        low, high = gate_signs.number_text(array.min()), gate_signs.number_text(array.max())
        text = f"all {low}" if low == high else f"{low} … {high}"
    size = style.number
    runs = (
        [TextRun(mark, size), *gate_signs.plain_runs(f"\u00a0{text}", size)]
        if mark
        else gate_signs.plain_runs(text, size)
    )
    return _centred(line(runs, colour))


def entries_fit(of: Shape) -> bool:
    """Whether a tensor is small enough to show its entries."""
    rows, columns = _grid(of)
    return len(of) <= 2 and rows <= MAX_ROWS and columns <= MAX_COLUMNS


def _grid(of: Shape) -> tuple[int, int]:
    """Rows and columns as drawn: a vector stands as a column."""
    return (of[0] if of else 1), (of[1] if len(of) > 1 else 1)


def _matrix(array: np.ndarray, colour: str, mark: str, style: Style) -> Piece:
    """Entries in brackets, points aligned; the whole stands on the origin's height."""
    rows, columns = _grid(array.shape)
    size = style.number
    values = array.reshape(-1)
    shown = numbers.together(values, gate_signs.DIGITS)
    texts = [t.replace(" × ", "×") if v else "0" for t, v in zip(shown, values, strict=True)]
    pitch, space = 1.12 * size, 0.62 * size
    high = 0.0
    inks: list[Ink] = []
    x = 3.2  # the bracket and the space behind it
    for column in (texts[i::columns] for i in range(columns)):
        entries = [line(gate_signs.plain_runs(t, size), colour) for t in column]
        before = [width(_AFTER_WHOLE.sub("", t), "roman", size) for t in column]
        point = x + max(before)
        for i, (entry, whole) in enumerate(zip(entries, before, strict=True)):
            inks += entry.moved(point - whole, -1.2 - (rows - 1 - i) * pitch).inks
        high = max(high, entries[0].up)
        x = point + max(e.right - w for e, w in zip(entries, before, strict=True)) + space
    right = x - space + 3.2
    height = 1.2 + (rows - 1) * pitch + high + 1.2
    strokes = tuple(
        StrokeLine(((x0 + hook, -height), (x0, -height), (x0, 0.0), (x0 + hook, 0.0)), colour)
        for x0, hook in ((0.6, 1.8), (right - 0.6, -1.8))
    )
    left = 0.0
    if mark:
        sign = line([TextRun(mark, size)], colour)
        left = sign.right + 1.5
        inks += sign.moved(-left, -(height - high) / 2).inks
    return _centred(Piece(tuple(inks), strokes, left, right, height + 0.3, 0.3))


_AFTER_WHOLE = re.compile(r"[^−\d].*")  # the point and what follows, or a power of ten
