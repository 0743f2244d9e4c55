"""Blocks of lines that are laid out here: listings, and equations in rows.

The parts of such a block are few and their places known, so that boxes for each of them would cost
far more than they give. For WeasyPrint a block is one image, which may break between its lines.
With `breaking` and `patches`, this is what touches WeasyPrint's inner parts.
"""

import base64
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from report.pdf import ink, shapes
from report.pdf.breaking import Block
from report.typeset.addresses import BLOCK, Piece
from report.typeset.colours import colour
from report.typeset.drawing import Drawing
from report.typeset.tokens import unscaled

_GREY, _PALE, _SHADE = "#555", "#999", "#f4f4f2"
_GROUND = (
    7 * 96 / 72,
    5 * 96 / 72,
)  # CSS pixels that a ground reaches out on the sides, above and below
_LABEL, _LABEL_GAP = 9 / 10, 4 * 96 / 25.4  # em; CSS pixels between a label and the text
_NUMBER_GAP = 3 * 96 / 25.4
_HANGING, _GOES_ON = 2, "↪"  # letters that a line which goes on stands further in, and its mark
_EMPTY = 0.6  # of its height for a line with nothing on it
_TOGETHER = 3  # lines before an empty one, and rows of one name, that a break leaves together
_BEGUN = 10  # lines of a program, at least, before a break that is not at an empty line

# what a break costs: so many lines may stay free on the page for a better one
_NAMED = 4  # in what is printed, before rows of another name
_ROW = 12  # between rows of one name
_WAITING = 12  # of the whole listing, which begins on the next page
_LINE = 8  # between two lines of a program
_LEVEL = 2  # for each level that the line behind it stands further in
_ENCLOSED = 8  # between brackets
_BAD = 24  # behind what heads other lines, before a closing bracket, inside of a long line
_PAIRED = 12  # short lines, at least, that stand in two columns
_BETWEEN = 4  # letters between two columns, where there is room
_TOLD = "  # its last lines are set in two columns"
_BELOW = 2  # rows that stay with the head over two columns
_RULE = 0.5  # CSS pixels


def block(address: str, drawing: Callable[[str, bool], Drawing]) -> Block:
    """The block of an address; `drawing` lays out formulas."""
    what, *content = json.loads(base64.b64decode(address.removeprefix(BLOCK)))
    return _Listing(*content) if what == "listing" else _Equation(drawing, *content)


class PageNumber:
    """The number of the page on which an anchor is, flush right; known when pages are drawn."""

    def __init__(self, pages: Mapping[str, int], anchor: str) -> None:
        self._pages, self._anchor = pages, anchor

    def get_intrinsic_size(self, _resolution: Any, font_size: float) -> tuple[float, float, Any]:
        """Room for four digits."""
        return 2 * font_size, font_size, None

    def draw(self, stream: Any, width: float, _height: float, style: Any) -> None:
        """Draw into the page, from the upper left corner, in CSS pixels with y down."""
        ink.call(stream, "/Span")
        number = ink.Number(style, stream, str(self._pages[self._anchor]))
        stream.set_color(style["color"])
        number.draw(stream, width - number.width, ink.line_of(style)[1])


class _Equation(Block):
    def __init__(
        self,
        drawing: Callable[[str, bool], Drawing],
        label: str,
        left: float,
        lines: list[list[str]],
    ) -> None:
        self._label, self._left = label, left
        self._rows = [" & ".join(unscaled(tex)[0] for tex in line) for line in lines]
        self._lines = [[drawing(tex, True) if tex else None for tex in line] for line in lines]

    def _extents(self, style: Any) -> list[tuple[float, float]]:
        """How far each line reaches above and below its baseline."""
        em = style["font_size"]
        height, baseline = ink.line_of(style)
        return [
            (
                max(baseline, *(d.height * em for d in line if d)),
                max(height - baseline, *(d.depth * em for d in line if d)),
            )
            for line in self._lines
        ]

    def heights(self, _width: float, style: Any) -> list[float]:
        extents = self._extents(style)
        return [up + down + self.gap for up, down in extents[:-1]] + [sum(extents[-1])]

    def draw(self, stream: Any, _width: float, _height: float, style: Any) -> None:
        em = style["font_size"]
        rows = r" \\ ".join(self._rows[self.first : self.last])
        ink.call(stream, "/Formula", rf"\begin{{aligned}} {rows} \end{{aligned}}")
        y = 0.0
        for i, (up, down) in enumerate(self._extents(style)):
            if not self.first <= i < (self.last or 0):
                continue
            y += up
            if i == 0 and self._label:
                small = ink.varied(style, font_style="italic", font_size=em * _LABEL)
                text = ink.Text(small, self._label)
                stream.set_color(colour(_GREY))
                text.draw(stream, -_LABEL_GAP - text.width, y)
            left, right = self._lines[i]
            start = self._left * em
            if left:
                ink.draw_formula(stream, left, start - left.width * em, y, em, style)
            if right:
                ink.draw_formula(stream, right, start, y, em, style)
            y += down + self.gap


class _Listing(Block):
    """Lines one below the other, of which the last ones may stand in two columns if they are short.

    `paired` lines head them: the first, a command, then tells of it, and the last stands over each column.
    A page is filled down the one column and down the other, and what is counted are rows of two. Where
    they go on on the next page, the last of the heading lines is drawn once more over them.
    """

    def __init__(self, numbered: bool, shaded: bool, paired: int, lines: list[list[Piece]]) -> None:
        self._numbered, self._shaded, self._paired = numbered, shaded, paired
        self._source = lines

    def heights(self, width: float, style: Any) -> list[float]:
        self._advance = ink.Text(style, "0").width
        self._columns = max(int(width / self._advance + 1e-6), 2 * _HANGING)
        self._lines = list(_wrapped(self._source, self._columns))
        self._enclosed = list(_enclosed(self._lines))
        heads = self._source[: self._paired]
        self._head = _text(heads[-1])[: self._columns] if heads else ""
        height = ink.line_of(style)[0]
        heights = [height * (_EMPTY if self._is_empty(i) else 1.0) for i in range(len(self._lines))]
        self._single = (
            self._first_paired()
        )  # rows of one line; the next one is the head of two columns
        self._heights = heights[: self._single]
        if self._single < len(heights):
            self._longest = max(_length(line) for _, line in self._lines[self._single :])
            room = min(self._longest + _BETWEEN, self._columns - self._longest)
            self._second = max(self._columns // 2, room)
            self._heights += [height, *heights[self._single :: 2]]
            told = [*self._lines[0][1], ("c", _TOLD)]
            if _length(told) <= self._columns:
                self._lines[0] = (1, told)
        return self._heights

    def repeated(self, first: int) -> float:
        goes_on = self._paired <= first != self._single  # where two columns begin it stands anyway
        return self._heights[self._paired - 1] if self._head and goes_on else 0.0

    def _first_paired(self) -> int:
        """The first of the lines that stand in two columns; where none do, one after the last line."""
        single = end = len(self._lines)
        while (
            self._paired
            and (self._lines[single - 1][0] or 0) > self._paired
            and _length(self._lines[single - 1][1]) < self._columns // 2
        ):
            single -= 1
        return single if end - single >= _PAIRED else end

    def _placed(self) -> Iterable[tuple[int, int, tuple[int | None, list[Piece]]]]:
        """The lines of this part: their row, counted from 0, the letters before them, and what they are."""
        last = self.last or 0
        for i in range(self.first, min(last, self._single)):
            yield i - self.first, 0, self._lines[i]
        begins = max(self.first, self._single + 1)
        start, rows = 2 * begins - self._single - 2, last - begins
        for i, line in enumerate(self._lines[start : start + 2 * rows] if rows > 0 else ()):
            column, row = divmod(i, rows)
            yield begins - self.first + row, column * self._second, line

    def cut(self, first: int, last: int, waits: bool) -> int:
        """Where what belongs together stays together, and where few lines of the page stay free for that."""
        if last > self._single + _BELOW:
            return last
        costs = {i: self._cost(i) + last - i for i in range(min(first, last), last + 1)}
        if waits:
            costs[0] = _WAITING + last
        return min(costs, key=lambda i: (costs[i], i))

    def _cost(self, line: int) -> int:
        """How bad a break before a line is."""
        if line >= self._single:
            return _BAD * (line > self._single)  # behind the head over two columns
        if self._is_empty(line - 1):
            return _LEVEL  # rather before it, so that it stands on neither page
        if self._is_empty(line):
            return 0
        ends = range(line, min(line + _TOGETHER, len(self._lines)))
        if self._lines[line][0] is None or any(map(self._is_empty, ends)):
            return _BAD
        if self._numbered and line < _BEGUN:
            return _BAD
        return self._cost_of_row(line) if self._shaded else self._cost_in_program(line)

    def _cost_of_row(self, line: int) -> int:
        """The same in what is printed: a name stays with its rows, and few of them do not stand alone."""
        before, row = (_text(self._lines[i][1]) for i in (line - 1, line))
        if _name(before) and _indent(before) < _indent(row):
            return _BAD
        if _name(before) != _name(row):
            return _NAMED
        near = self._lines[max(line - _TOGETHER, 0) : line + _TOGETHER]
        return _ROW if len({_name(_text(found)) for _, found in near}) == 1 else _BAD

    def _cost_in_program(self, line: int) -> int:
        """The same in a program: better at its outside than in a block or between brackets."""
        before, text = (_text(self._lines[i][1]) for i in (line - 1, line))
        indent = _indent(text)
        if indent > _indent(before) or text[indent] in ")]}":
            return _BAD
        return _LINE + _LEVEL * (indent // ink.INDENT) + _ENCLOSED * (self._enclosed[line] > 0)

    def next(self, last: int) -> int:
        """The next line with something on it."""
        while last < min(len(self._lines) - 1, self._single) and self._is_empty(last):
            last += 1
        return last

    def _is_empty(self, line: int) -> bool:
        return not any(text.strip() for _, text in self._lines[line][1])

    def draw(self, stream: Any, width: float, _height: float, style: Any) -> None:
        ink.call(stream, "/Code")
        placed = list(self._placed())
        shown = [line for _, _, line in placed]
        baseline = ink.line_of(style)[1]
        repeated = self.repeated(self.first)
        *tops, bottom = itertools.accumulate(
            self._heights[self.first : self.last], initial=repeated
        )
        if self._shaded:
            stream.set_color(colour(_SHADE))
            x, y = _GROUND
            stream.rectangle(-x, -y, width + 2 * x, bottom + 2 * y)
            stream.fill()
        faces = {}
        for bold, face in ((False, style), (True, ink.varied(style, font_weight=700))):
            used = (text for _, line in shown for kind, text in line if (kind == "k") is bold)
            faces[bold] = ink.letters(face, stream, "".join(used) + ink.TAB * self._numbered)
        painted = {
            kind: "{:.4g} {:.4g} {:.4g} rg".format(*shade.to("srgb").coordinates)
            for kind, shade in (("c", colour(_GREY)), ("", style["color"]))
        }
        out, current = ["BT"], None
        for row, before, (number, line) in placed:
            x = (before if number else _HANGING) * self._advance
            out.append(f"1 0 0 -1 {x:.4f} {baseline + tops[row]:.4f} Tm")
            levels = _levels(line) if self._numbered else 0
            for kind, text in _outdented(line, levels):
                if kind != current:
                    out.append(painted["c" if kind == "c" else ""])
                    current = kind
                face = faces[kind == "k"]
                out += face.show_indented(levels, text) if levels else face.show(text)
                levels = 0
        out.append("ET")
        stream.stream.append("\n".join(out).encode())
        marks = [
            _GOES_ON if n is None else str(n) if self._numbered and line else ""
            for n, line in shown
        ]
        if any(marks) or repeated or (self.last or 0) > self._single:
            stream.end_marked_content()
            stream.begin_marked_content("Artifact")  # ended by who began the marked content
        if any(marks):
            self._draw_marks(stream, marks, [tops[row] for row, _, _ in placed], style)
        self._draw_heads(stream, [*tops, bottom], style)

    def _draw_heads(self, stream: Any, tops: Sequence[float], style: Any) -> None:
        """What heads the lines over those that go on and over two columns, and a rule between these."""
        row = self._single - self.first
        heads = [(0.0, row < 0)] if self.repeated(self.first) else []
        if (self.last or 0) > self._single:
            top = tops[row] if row >= 0 else 0.0
            heads += [(top, True)] if row >= 0 else []
            x = (self._longest + self._second) / 2 * self._advance
            stream.set_color(colour(_PALE))
            stream.rectangle(x, top, _RULE, tops[-1] - top)
            stream.fill()
        if not heads:
            return
        letters = ink.letters(style, stream, self._head)
        stream.set_color(colour(_GREY))
        out = ["BT"]
        for y, is_double in heads:
            text = self._head[: self._longest] if is_double else self._head
            for x in (0, self._second * self._advance) if is_double else (0,):
                out += letters.place(x, ink.line_of(style)[1] + y, text)
        stream.stream.append("\n".join([*out, "ET"]).encode())

    def _draw_marks(
        self, stream: Any, marks: Sequence[str], tops: Sequence[float], style: Any
    ) -> None:
        """Numbers of lines, and the sign of a line that goes on, left of the text."""
        baseline, size = ink.line_of(style)[1], style["font_size"]
        stream.set_color(colour(_PALE))
        stream.stream += (
            operators.encode()
            for top, mark in zip(tops, marks, strict=True)
            for operators in shapes.place(
                -_NUMBER_GAP - shapes.width(mark, size), baseline + top, mark, size
            )
        )


def _text(line: Sequence[Piece]) -> str:
    return "".join(text for _, text in line)


def _length(line: Sequence[Piece]) -> int:
    return len(_text(line))


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _name(row: str) -> str:
    """The name at the head of a row, without its indices; "" where there is none."""
    found = re.match(r"\s*([^\W\d]\w*)", row)
    return found[1] if found else ""


def _enclosed(lines: Iterable[tuple[int | None, Sequence[Piece]]]) -> Iterator[int]:
    """How many brackets are open before each line; those in comments and strings are none."""
    depth = 0
    for _, line in lines:
        yield depth
        for letter in "".join(text for kind, text in line if kind != "c"):
            depth += (letter in "([{") - (letter in ")]}")


def _levels(line: Sequence[Piece]) -> int:
    """How many tabs a line of a program stands further in."""
    return _indent(_text(line)) // ink.INDENT


def _outdented(line: Sequence[Piece], levels: int) -> list[Piece]:
    return _taken(line, levels * ink.INDENT)[1]


def _wrapped(
    lines: Iterable[Sequence[Piece]], columns: int
) -> Iterable[tuple[int | None, list[Piece]]]:
    """Lines of at most so many letters, each with its number; what goes on has none, and hangs."""
    for number, line in enumerate(lines, 1):
        text = _text(line)
        if len(text) <= columns:
            yield number, list(line)
            continue
        rest = list(line)
        for i, part in enumerate(_broken(text, columns)):
            kept, rest = _taken(rest, len(part))
            yield None if i else number, kept


def _broken(text: str, columns: int) -> Iterable[str]:
    room = columns
    while len(text) > room:
        end = text.rfind(" ", 0, room + 1) + 1
        end = end if text[:end].strip() else room
        yield text[:end]
        text, room = text[end:], columns - _HANGING
    yield text


def _taken(line: Sequence[Piece], count: int) -> tuple[list[Piece], list[Piece]]:
    """The first so many letters of a line, and the rest."""
    before: list[Piece] = []
    rest = list(line)
    while rest and count:
        kind, text = rest.pop(0)
        before.append((kind, text[:count]))
        if len(text) > count:
            rest.insert(0, (kind, text[count:]))
        count -= min(count, len(text))
    return before, rest
