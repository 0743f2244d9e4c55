"""Long formulas, broken over lines as a careful author would break them.

A line ends before a relation; where that is not enough before a sum's sign, then before a sign of
multiplication, then between factors (where a dot then stands), then inside brackets, fractions and
roots. Wide matrices are drawn smaller; where that would be too small, their columns go on in
another line. So every formula fits, whatever it holds.
"""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from enum import IntEnum

from report.typeset import items as formula_items
from report.typeset import tokens
from report.typeset.formula_html import drawing
from report.typeset.items import Item, ItemKind
from report.typeset.lines import (
    INDENT,
    INDENT_WIDTH,
    STEP,
    STEP_WIDTH,
    Level,
    Lines,
    cut,
    items_tex,
    row_width,
    statements,
    width_of,
)


class Effort(IntEnum):
    """How far breaking may go."""

    SIGNS = 0  # before relations and visible operators
    INSIDE = 1  # between factors, inside brackets, fractions, roots and exponents
    CELLS = 2  # inside the cells of matrices
    ANYWHERE = 3  # inside numbers and words, between the columns of matrices


# A little smaller is better than broken inside, and that is better than much smaller.
_ATTEMPTS = (
    (Effort.SIGNS, 1.0),
    (Effort.SIGNS, 0.95),
    (Effort.SIGNS, 0.9),
    (Effort.INSIDE, 1.0),
    (Effort.SIGNS, 0.85),
    (Effort.SIGNS, 0.8),
    (Effort.INSIDE, 0.85),
    (Effort.SIGNS, 0.75),
    (Effort.CELLS, 1.0),
    (Effort.CELLS, 0.85),
    (Effort.CELLS, 0.7),
    (Effort.ANYWHERE, 0.85),
    (Effort.ANYWHERE, 0.7),
    (Effort.ANYWHERE, 0.6),
)


def fit(latex: str, width: float) -> str:
    r"""LaTeX of a displayed formula that is at most ``width`` em wide.

    The same LaTeX if it fits; else broken over the lines of an ``aligned``, and wrapped in
    ``\scalebox`` where it cannot be broken well. Raises ReportError naming LaTeX that cannot be
    typeset.
    """
    if drawing(latex, True).width <= width:
        return latex
    latex, _ = tokens.unscaled(latex)
    narrowest, least = latex, width_of(latex)
    for effort, scale in _ATTEMPTS:
        found = _Breaker(effort).formula(latex, width / scale)
        measured = width_of(found)
        if measured * scale <= width:
            return _scaled(found, scale)
        if measured < least:
            narrowest, least = found, measured
    return _scaled(narrowest, width / least)


def fitted_lines(latex: str, width: float) -> tuple[str, ...]:
    """The lines of a displayed right side, each a formula at most ``width`` em wide.

    Those after the first one are as far in as they are in the formula that ``fit`` makes.
    """
    fitted = fit(latex, width)
    bare, scale = tokens.unscaled(fitted)
    table = tokens.tex_environment(bare)
    if not table or not table.is_alignment or any(row[0].strip("{} ") for row in table.rows):
        return (fitted,)
    return tuple(_scaled(" ".join(row[1:]).strip(), scale) for row in table.rows)


def split(latex: str, width: float, height: float) -> tuple[str, ...]:
    """A displayed formula as one or several that fit into ``width`` and ``height`` em.

    Its lines go on from one formula to the next, aligned as they were. A single line that is too
    tall is made smaller.
    """
    fitted = fit(latex, width)
    bare, scale = tokens.unscaled(fitted)
    table = tokens.tex_environment(bare)
    if _height(fitted) <= height or not table or not table.is_alignment:
        return (_lowered(bare, scale, height),)
    rows = [[row[0], " & ".join(row[1:])] for row in table.rows]
    widest = max((row[0] for row in rows), key=width_of)
    found: list[str] = []
    part: list[list[str]] = []
    for row in rows:
        more = _rows_beside(widest, [*part, row])
        if part and _height(_scaled(more, scale)) > height:
            found.append(_rows_beside(widest, part))
            part = []
        part.append(row)
    found.append(_rows_beside(widest, part))
    return tuple(_lowered(each, scale, height) for each in found)


def _height(latex: str) -> float:
    found = drawing(latex, True)
    return found.height + found.depth


def _lowered(latex: str, scale: float, height: float) -> str:
    tall = _height(_scaled(latex, scale))
    return _scaled(latex, scale if tall <= height else scale * height / tall)


def _rows_beside(widest: str, rows: list[list[str]]) -> str:
    """Rows of an alignment, as far in as those behind the widest left side."""
    left, right = rows[0]
    first = rf"\hphantom{{{widest}}}\mathllap{{{left}}} & {right}"
    return _aligned([first, *(f"{left} & {right}" for left, right in rows[1:])])


def _scaled(latex: str, scale: float) -> str:
    if scale >= 1:
        return latex
    return rf"\scalebox{{{math.floor(scale * 1e6) / 1e6:g}}}{{$\displaystyle {latex}$}}"


def _aligned(rows: list[str]) -> str:
    r"""Rows with one ``&`` as one formula; a single row needs no alignment."""
    if len(rows) == 1:
        return rows[0].replace("& ", "", 1).strip()
    return "\\begin{aligned} " + r" \\ ".join(rows) + " \\end{aligned}"


class _Breaker:
    """Breaks formulas with a given effort. Widths are in em."""

    def __init__(self, effort: Effort) -> None:
        self._effort = effort
        self._patience = 300  # lines within lines within lines can be tried without end
        self._deepest = {Effort.SIGNS: Level.PRODUCT, Effort.ANYWHERE: Level.ANYWHERE}.get(
            effort, Level.FACTOR
        )

    def formula(self, latex: str, width: float) -> str:
        """Any LaTeX, on as many lines as it takes."""
        cells = tokens.rows(latex)
        if len(cells) > 1 or len(cells[0]) > 1:
            return _aligned(self._aligned_rows(cells, width))
        items = formula_items.parse_items(latex)
        table = tokens.tex_environment(items[0].tex) if len(items) == 1 else None
        if table and table.is_alignment:
            return _aligned(self._aligned_rows(table.rows, width))
        return _aligned(self._rows(items, width))

    # rows: strings with one "&", before what is to stand under each other

    def _rows(self, items: list[Item], width: float) -> list[str]:
        parts = statements(items)
        if len(parts) == 1:
            return self._chain(items, width)
        rows: list[str] = []
        line: list[Item] = []
        for statement in parts:
            if line and row_width(items_tex(line + statement, [])) <= width:
                line = line + statement
                continue
            rows += self._statement(line, width) if line else []
            line = statement
        return rows + self._statement(line, width)

    def _statement(self, items: list[Item], width: float) -> list[str]:
        """Rows of one of several statements: all of them start at the left."""
        if row_width(items_tex(items, [])) <= width:
            return [f"& {items_tex(items, [])}"]
        first, *others = self._chain(items, width - INDENT_WIDTH)
        return [
            f"& {first.replace('& ', '', 1)}",
            *(f"& {INDENT}{row.replace('& ', '', 1)}" for row in others),
        ]

    def _chain(self, items: list[Item], width: float) -> list[str]:
        """Rows of a chain of relations, these under each other."""
        starts = [i for i, item in enumerate(items) if item.kind is ItemKind.RELATION]
        if not starts:
            return self._indented(items, width)
        left, right = items[: starts[0]], items[starts[0] :]
        beside = items_tex(left, [])
        room = width - width_of(beside)
        if room >= width / 3:
            begun, *later = self._relations(right, room)
            rows = [f"{beside} {begun}", *later]
            if not left or width_of(_aligned(rows)) <= width:
                return rows
        return [
            *self._indented(left, width),
            *(f"& {STEP}{row[2:]}" for row in self._relations(right, width - STEP_WIDTH)),
        ]

    def _relations(self, items: list[Item], width: float) -> list[str]:
        """Rows that start with a relation, or go on after one."""
        parts = cut(items, Level.RELATION)
        return [row for part in parts for row in self._indented(part, width)]

    def _indented(self, items: list[Item], width: float) -> list[str]:
        first, *others = self._fill(items, width, width - INDENT_WIDTH)
        return [f"& {first}", *(f"& {INDENT}{line}" for line in others)]

    def _aligned_rows(self, cells: list[list[str]], width: float) -> list[str]:
        """Rows of an alignment, each row of cells on as many as it takes."""
        bare = [_INTERTEXT.sub("", row[0]) for row in cells]
        lefts = [width_of(cell) for cell, row in zip(bare, cells, strict=True) if row[1:]]
        widest = max((left for left in lefts if left <= width * 2 / 3), default=0.0)
        rows: list[str] = []
        for first, row in zip(bare, cells, strict=True):
            begun, *later = self._aligned_row(first, row[1:], width, widest)
            if text := _INTERTEXT.match(row[0]):
                words = self._fill(formula_items.parse_items(rf"\text{{{text[1]}}}"), width, width)
                begun = " ".join([*(r"\inter" + line[1:] for line in words), begun])
            rows += [begun, *later]
        return rows

    def _aligned_row(self, left: str, others: list[str], width: float, widest: float) -> list[str]:
        r"""Rows of the cells of one; what stands behind a second ``&`` gets lines of its own."""
        if not others:
            return self._rows(formula_items.parse_items(left), width)
        items = formula_items.parse_items(others[0])
        room = width - widest
        if width_of(left) > widest:
            rows = self._indented(formula_items.parse_items(left), width)
            later = self._relations(items, width - STEP_WIDTH)
            rows += [f"& {STEP}{row[2:]}" for row in later]
        elif row_width(items_tex(items, [])) <= room:
            rows = [f"{left} & {others[0]}"]
        else:
            begun, *later = self._relations(items, room)
            rows = [f"{left} {begun}", *later]
        for note in filter(None, others[1:]):
            lines = self._fill(
                formula_items.parse_items(note), room - INDENT_WIDTH, room - INDENT_WIDTH
            )
            rows += [f"& {INDENT}{line}" for line in lines]
        return rows

    def _fill(self, items: list[Item], first: float, others: float) -> list[str]:
        return Lines(first, others, self._deepest, self._narrowed).fill(items)

    # inside an item

    def _narrowed(self, items: list[Item], width: float) -> list[Item]:
        """Items that stay together, the widest of them broken inside."""
        if self._effort < Effort.INSIDE:
            return items
        widths = [width_of(item.tex) for item in items]
        for i in sorted(range(len(items)), key=lambda i: -widths[i])[:_TRIES]:
            excess = width_of(formula_items.join(items)) - width
            if excess <= 0:
                break
            items = [*items[:i], self._inside(items[i], widths[i] - excess), *items[i + 1 :]]
        return items

    def _inside(self, item: Item, width: float) -> Item:
        """An item of about that width, if what is inside it can be broken so."""
        around, inside = formula_items.frame(item.core)
        table = tokens.tex_environment(inside[0] if len(inside) == 1 else item.core)
        if table and table.is_alignment and not inside:
            return replace(item, core=_aligned(self._aligned_rows(table.rows, width)))
        if table and not table.is_alignment:
            return self._table(item, table, around if inside else None, width)
        if inside:
            item = self._narrower(item, inside, width, lambda parts: _weave(around, parts))
        between, exponents = formula_items.groups(item.scripts)
        if exponents and width_of(item.tex) > width:
            item = self._narrower(
                item, exponents, width, lambda parts: _weave(between, parts), scripts=True
            )
        return item

    def _narrower(
        self,
        item: Item,
        parts: list[str],
        width: float,
        build: Callable[[list[str]], str],
        *,
        scripts: bool = False,
    ) -> Item:
        """An item with the parts inside it, or in its scripts, broken until it is narrow enough."""
        widths = [width_of(part) for part in parts]
        limit = max(widths)
        for _ in range(_TRIES):
            excess = width_of(item.tex) - width
            limit -= excess
            if excess <= 0 or limit < _NARROWEST:
                break
            broken = build(
                [
                    part if size <= limit else self._stacked(part, limit)
                    for part, size in zip(parts, widths, strict=True)
                ]
            )
            item = replace(item, scripts=broken) if scripts else replace(item, core=broken)
        return item

    def _stacked(self, latex: str, width: float) -> str:
        """LaTeX on lines of its own, while there is patience left for it."""
        self._patience -= 1
        if self._patience < 0:
            return latex
        return _aligned(self._rows(formula_items.parse_items(latex), width))

    # matrices

    def _table(
        self, item: Item, table: tokens.TexTable, brackets: list[str] | None, width: float
    ) -> Item:
        """A matrix with its cells broken, or with its columns on several lines."""
        if self._effort < Effort.CELLS:
            return item
        sizes = [max(map(_cell_width, column)) for column in table.columns]
        limit = max(sizes)
        for _ in range(_TRIES):
            excess = width_of(item.tex) - width
            if excess <= 0:
                return item
            limit = _ceiling(sizes, sum(min(size, limit) for size in sizes) - excess)
            if limit < _NARROWEST:
                break
            rows = [
                [x if _cell_width(x) <= limit else self._stacked(x, limit) for x in row]
                for row in table.rows
            ]
            narrower = replace(table, rows=rows).tex
            item = replace(item, core=_weave(brackets, [narrower]) if brackets else narrower)
        if self._effort is Effort.ANYWHERE and len(sizes) > 1:
            left, right = brackets or table.brackets
            blocks = self._blocks(table, left, right + item.scripts, width)
            return replace(item, core=blocks, scripts="")
        return item

    def _blocks(self, table: tokens.TexTable, opening: str, closing: str, width: float) -> str:
        """A matrix whose columns go on in the next line, the brackets at its two ends."""
        columns = table.columns
        blocks: list[str] = []
        start = 0
        while start < len(columns):
            left = opening if start == 0 else r"\left."
            room = width - (STEP_WIDTH if start else 0.0)
            end = start + 1
            block = ""
            while end <= len(columns):
                right = closing if end == len(columns) else r"\right."
                wider = f"{left} {tokens.matrix(columns[start:end])} {right}"
                if block and row_width(wider) > room:
                    break
                block, end = wider, end + 1
            blocks.append(f"& {STEP if start else ''}{block}")
            start = end - 1
        return _aligned(blocks)


_INTERTEXT = re.compile(r"\s*\\intertext\s*\{([^{}]*)\}\s*")
_TRIES = 4
_NARROWEST = 1.0  # em: narrower parts would be letters on top of each other


def _weave(around: list[str], parts: list[str]) -> str:
    return "".join(x for pair in zip(around, [*parts, ""], strict=True) for x in pair)


def _cell_width(latex: str) -> float:
    return width_of(rf"\textstyle {latex}")


def _ceiling(sizes: list[float], total: float) -> float:
    """The height at which sizes must be cut off to add up to a total."""
    rest = sorted(sizes)
    for i, size in enumerate(rest):
        even = total / (len(rest) - i)
        if size >= even:
            return even
        total -= size
    return rest[-1]
