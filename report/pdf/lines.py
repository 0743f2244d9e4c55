"""Long formulas, broken over lines as a careful author would break them.

A line ends before a relation; where that is not enough before a sum's sign, then before a sign of
multiplication, then between factors (where a dot then stands), then inside brackets, fractions and
roots. Wide matrices are drawn smaller; where that would be too small, their columns go on in
another line. So every formula fits, whatever it holds.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import IntEnum
from functools import lru_cache

from report.pdf import inner, tex
from report.pdf.layout import drawing, spelled
from report.pdf.tex import Item, Kind

_INDENT, _INDENT_WIDTH = r"\qquad ", 2.0  # of a line that goes on
_STEP, _STEP_WIDTH = r"\quad ", 1.0  # of what follows a long left side


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
    latex, _ = tex.unscaled(latex)
    narrowest, least = latex, _width(latex)
    for effort, scale in _ATTEMPTS:
        found = _Breaker(effort).formula(latex, width / scale)
        measured = _width(found)
        if measured * scale <= width:
            return _scaled(found, scale)
        if measured < least:
            narrowest, least = found, measured
    return _scaled(narrowest, width / least)


def _scaled(latex: str, scale: float) -> str:
    if scale == 1:
        return latex
    return rf"\scalebox{{{math.floor(scale * 1e6) / 1e6:g}}}{{$\displaystyle {latex}$}}"


@lru_cache(maxsize=65536)
def _width(latex: str) -> float:
    """Width in em of displayed LaTeX; infinite for what is no formula by itself."""
    try:
        return inner.measure(spelled(latex))
    except ValueError:
        return math.inf


def _row_width(latex: str) -> float:
    r"""Width in em of what stands behind an ``&``."""
    return _width(f"{{}} {latex}")


# --- where a line may end -------------------------------------------------------------------------


class _Level(IntEnum):
    """Places where a line may end, the better ones first."""

    STATEMENT = 0
    RELATION = 1
    SUM = 2
    PRODUCT = 3
    FACTOR = 4
    ANYWHERE = 5


_OPERANDS = {Kind.NAME, Kind.FACTOR}
_LEADING = {
    Kind.RELATION: _Level.RELATION,
    Kind.SUM: _Level.SUM,
    Kind.PRODUCT: _Level.PRODUCT,
}
_NEVER_LAST = {Kind.PREFIX, *_LEADING}
_STUCK = {Kind.SPACE, Kind.CLINGING}
_NEVER_FIRST = {*_STUCK, Kind.PUNCTUATION, Kind.GAP}


def _levels(items: list[Item]) -> Iterator[_Level]:
    """How good it is to end a line before each item but the first."""
    before = items[0]
    for item in items[1:]:
        yield _level(before, item)
        if item.kind not in _STUCK:
            before = item


def _level(before: Item, item: Item) -> _Level:
    if item.kind in _NEVER_FIRST or before.kind in _NEVER_LAST:
        return _Level.ANYWHERE
    if before.kind in {Kind.PUNCTUATION, Kind.GAP}:
        return _Level.STATEMENT
    if item.kind in _LEADING:
        return _LEADING[item.kind]
    if Kind.TEXT in {item.kind, before.kind}:
        return _Level.SUM
    if before.kind is Kind.NAME and item.bracketed:
        return _Level.ANYWHERE
    return _Level.FACTOR


def _split(items: list[Item], level: _Level) -> list[list[Item]]:
    """The items, cut at the places of a level and of the better ones."""
    cuts = [i for i, found in enumerate(_levels(items), 1) if found <= level] if items else []
    return [items[i:j] for i, j in zip([0, *cuts], [*cuts, len(items)], strict=True)]


def _statements(items: list[Item]) -> list[list[Item]]:
    """The items, cut behind commas and wide spaces into parts that hold a relation each."""
    found: list[list[Item]] = []
    for part in _split(items, _Level.STATEMENT):
        if found and not any(item.kind is Kind.RELATION for item in part):
            found[-1] += part
        else:
            found.append(part)
    return found


def _line(items: list[Item], before: list[Item]) -> str:
    """The LaTeX of items as a line, which goes on from another one or not."""
    first, last = 0, len(items)
    while first < last and items[first].kind in {Kind.SPACE, Kind.GAP}:
        first += 1
    while first < last and items[last - 1].kind is Kind.GAP:
        last -= 1
    kept = items[first:last]
    if not kept:
        return ""
    if kept[0].kind in _LEADING:
        return f"{{}} {tex.join(kept)}"
    ended = next((x.kind for x in reversed(before) if x.kind not in _STUCK), None)
    dotted = ended in _OPERANDS and kept[0].kind in {*_OPERANDS, Kind.PREFIX}
    return rf"{{}} \cdot {tex.join(kept)}" if dotted else tex.join(kept)


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
        self._deepest = {Effort.SIGNS: _Level.PRODUCT, Effort.ANYWHERE: _Level.ANYWHERE}.get(
            effort, _Level.FACTOR
        )

    def formula(self, latex: str, width: float) -> str:
        """Any LaTeX, on as many lines as it takes."""
        cells = tex.rows(latex)
        if len(cells) > 1 or len(cells[0]) > 1:
            return _aligned(self._aligned_rows(cells, width))
        items = tex.parse(latex)
        table = tex.environment(items[0].tex) if len(items) == 1 else None
        if table and table.is_alignment:
            return _aligned(self._aligned_rows(table.rows, width))
        return _aligned(self._rows(items, width))

    # rows: strings with one "&", before what is to stand under each other

    def _rows(self, items: list[Item], width: float) -> list[str]:
        statements = _statements(items)
        if len(statements) == 1:
            return self._chain(items, width)
        rows: list[str] = []
        line: list[Item] = []
        for statement in statements:
            if line and _row_width(_line(line + statement, [])) <= width:
                line = line + statement
                continue
            rows += self._statement(line, width) if line else []
            line = statement
        return rows + self._statement(line, width)

    def _statement(self, items: list[Item], width: float) -> list[str]:
        """Rows of one of several statements: all of them start at the left."""
        if _row_width(_line(items, [])) <= width:
            return [f"& {_line(items, [])}"]
        first, *others = self._chain(items, width - _INDENT_WIDTH)
        return [
            f"& {first.replace('& ', '', 1)}",
            *(f"& {_INDENT}{row.replace('& ', '', 1)}" for row in others),
        ]

    def _chain(self, items: list[Item], width: float) -> list[str]:
        """Rows of a chain of relations, these under each other."""
        starts = [i for i, item in enumerate(items) if item.kind is Kind.RELATION]
        if not starts:
            return self._indented(items, width)
        left, right = items[: starts[0]], items[starts[0] :]
        beside = _line(left, [])
        room = width - _width(beside)
        if room >= width / 3:
            begun, *later = self._relations(right, room)
            rows = [f"{beside} {begun}", *later]
            if not left or _width(_aligned(rows)) <= width:
                return rows
        return [
            *self._indented(left, width),
            *(f"& {_STEP}{row[2:]}" for row in self._relations(right, width - _STEP_WIDTH)),
        ]

    def _relations(self, items: list[Item], width: float) -> list[str]:
        """Rows that start with a relation, or go on after one."""
        parts = _split(items, _Level.RELATION)
        return [row for part in parts for row in self._indented(part, width)]

    def _indented(self, items: list[Item], width: float) -> list[str]:
        first, *others = self._fill(items, width, width - _INDENT_WIDTH)
        return [f"& {first}", *(f"& {_INDENT}{line}" for line in others)]

    def _aligned_rows(self, cells: list[list[str]], width: float) -> list[str]:
        r"""Rows of an alignment; what stands behind a second ``&`` gets lines of its own."""
        words = [_INTERTEXT.match(row[0]) for row in cells]
        cells = [
            [row[0][found.end() :], *row[1:]] if found else row
            for row, found in zip(cells, words, strict=True)
        ]
        lefts = [_width(row[0]) if row[1:] else 0.0 for row in cells]
        widest = max((left for left in lefts if left <= width * 2 / 3), default=0.0)
        room = width - widest
        rows: list[str] = []
        for (first, *others), left, text in zip(cells, lefts, words, strict=True):
            if text:
                found = self._fill(tex.parse(rf"\text{{{text[1]}}}"), width, width)
                first = " ".join([*(line.replace(r"\text", r"\intertext") for line in found), first])
            if not others:
                rows += self._rows(tex.parse(first), width)
                continue
            items = tex.parse(others[0])
            if left > widest:
                rows += self._indented(tex.parse(first), width)
                later = self._relations(items, width - _STEP_WIDTH)
                rows += [f"& {_STEP}{row[2:]}" for row in later]
            elif _row_width(_line(items, [])) <= room:
                rows.append(f"{first} & {others[0]}")
            else:
                begun, *later = self._relations(items, room)
                rows += [f"{first} {begun}", *later]
            for note in filter(None, others[1:]):
                inset = room - _INDENT_WIDTH
                rows += [f"& {_INDENT}{line}" for line in self._fill(tex.parse(note), inset, inset)]
        return rows

    # lines

    def _fill(self, items: list[Item], first: float, others: float) -> list[str]:
        """Items on lines that are as full as can be, broken at the best places that will do.

        In a sum, a line that does not start with a summand stands further in.
        """
        lines: list[list[Item]] = [[]]
        has_sum = any(item.kind is Kind.SUM for item in items)

        def is_inset(line: list[Item]) -> bool:
            return has_sum and bool(line) and line[0].kind not in {Kind.SUM, Kind.RELATION}

        def excess(line: list[Item], *, fresh: bool = False) -> float:
            started = lines if fresh else lines[:-1]
            room = first if not started else others - _STEP_WIDTH * is_inset(line)
            return _row_width(_line(line, started[-1] if started else [])) - room

        def place(part: list[Item], level: _Level) -> bool:
            """Put a part on lines; gives whether it had to be broken."""
            if excess(lines[-1] + part) <= 0:
                lines[-1] += part
                return False
            if lines[-1] and excess(part, fresh=True) <= 0:
                lines.append(list(part))
                return False
            if level is self._deepest:
                force(part)
                return True
            finer = _Level(level + 1)
            broken = False
            for piece in _split(part, finer):
                if broken and finer <= _Level.SUM and lines[-1]:
                    lines.append([])
                broken = place(piece, finer)
            return True

        def force(part: list[Item]) -> None:
            """Put what cannot be broken outside on a line, broken inside."""
            if lines[-1] and excess(lines[-1]) > -(others if lines[1:] else first) * 2 / 3:
                lines.append([])
            whole, width = part, _width(tex.join(part))
            for _ in range(2):
                over = excess(lines[-1] + whole)
                if over <= 0:
                    break
                width -= over
                whole = self._narrowed(part, width)
            letters = [letter for item in whole for letter in tex.letters(item)]
            forced = self._effort is Effort.ANYWHERE and len(letters) > len(part)
            if not forced or excess(lines[-1] + whole) <= 0:
                lines[-1] += whole
            else:
                for letter in letters:
                    place([letter], self._deepest)

        place(items, _Level.STATEMENT)
        return [
            (_STEP if before and is_inset(line) else "") + _line(line, before)
            for line, before in zip(lines, [[], *lines], strict=False)
        ]

    # inside an item

    def _narrowed(self, items: list[Item], width: float) -> list[Item]:
        """Items that stay together, the widest of them broken inside."""
        if self._effort < Effort.INSIDE:
            return items
        widths = [_width(item.tex) for item in items]
        for i in sorted(range(len(items)), key=lambda i: -widths[i])[:_TRIES]:
            excess = _width(tex.join(items)) - width
            if excess <= 0:
                break
            items = [*items[:i], self._inside(items[i], widths[i] - excess), *items[i + 1 :]]
        return items

    def _inside(self, item: Item, width: float) -> Item:
        """An item of about that width, if what is inside it can be broken so."""
        around, inside = tex.frame(item.core)
        table = tex.environment(inside[0] if len(inside) == 1 else item.core)
        if table and table.is_alignment and not inside:
            return replace(item, core=_aligned(self._aligned_rows(table.rows, width)))
        if table and not table.is_alignment:
            return self._table(item, table, around if inside else None, width)
        if inside:
            item = self._narrower(item, inside, width, lambda parts: _weave(around, parts))
        between, exponents = tex.groups(item.scripts)
        if exponents and _width(item.tex) > width:
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
        widths = [_width(part) for part in parts]
        limit = max(widths)
        for _ in range(_TRIES):
            excess = _width(item.tex) - width
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
        return _aligned(self._rows(tex.parse(latex), width))

    # matrices

    def _table(
        self, item: Item, table: tex.Table, brackets: list[str] | None, width: float
    ) -> Item:
        """A matrix with its cells broken, or with its columns on several lines."""
        if self._effort < Effort.CELLS:
            return item
        sizes = [max(map(_cell_width, column)) for column in table.columns]
        limit = max(sizes)
        for _ in range(_TRIES):
            excess = _width(item.tex) - width
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

    def _blocks(self, table: tex.Table, opening: str, closing: str, width: float) -> str:
        """A matrix whose columns go on in the next line, the brackets at its two ends."""
        columns = table.columns
        blocks: list[str] = []
        start = 0
        while start < len(columns):
            left = opening if start == 0 else r"\left."
            room = width - (_STEP_WIDTH if start else 0.0)
            end = start + 1
            block = ""
            while end <= len(columns):
                right = closing if end == len(columns) else r"\right."
                wider = f"{left} {tex.matrix(columns[start:end])} {right}"
                if block and _row_width(wider) > room:
                    break
                block, end = wider, end + 1
            blocks.append(f"& {_STEP if start else ''}{block}")
            start = end - 1
        return _aligned(blocks)


_INTERTEXT = re.compile(r"\\intertext\s*\{([^{}]*)\}")
_TRIES = 4
_NARROWEST = 1.0  # em: narrower parts would be letters on top of each other


def _weave(around: list[str], parts: list[str]) -> str:
    return "".join(x for pair in zip(around, [*parts, ""], strict=True) for x in pair)


def _cell_width(latex: str) -> float:
    return _width(rf"\textstyle {latex}")


def _ceiling(sizes: list[float], total: float) -> float:
    """The height at which sizes must be cut off to add up to a total."""
    rest = sorted(sizes)
    for i, size in enumerate(rest):
        even = total / (len(rest) - i)
        if size >= even:
            return even
        total -= size
    return rest[-1]
