"""Where a line of math may end, and a row of items laid on lines.

The better places are taken first; what still is too wide is handed to a function that makes it
narrower inside.
"""

import math
from collections.abc import Callable, Iterator
from enum import IntEnum
from functools import lru_cache

from report.typeset import items as formula_items
from report.typeset import mathra_layout
from report.typeset.formula_html import spelled
from report.typeset.items import Item, ItemKind

INDENT, INDENT_WIDTH = r"\qquad ", 2.0  # em, of a line that goes on
STEP, STEP_WIDTH = r"\quad ", 1.0  # of what follows a long left side


class Level(IntEnum):
    """Places where a line may end, the better ones first."""

    STATEMENT = 0
    RELATION = 1
    SUM = 2
    PRODUCT = 3
    FACTOR = 4
    ANYWHERE = 5


@lru_cache(maxsize=8192)
def width_of(latex: str) -> float:
    """Width in em of displayed LaTeX; infinite for what is no formula by itself."""
    try:
        return mathra_layout.measure(spelled(latex))
    except ValueError:
        return math.inf


def row_width(latex: str) -> float:
    r"""Width in em of what stands behind an ``&``."""
    return width_of(f"{{}} {latex}")


_OPERANDS = {ItemKind.NAME, ItemKind.FACTOR}
_LEADING = {
    ItemKind.RELATION: Level.RELATION,
    ItemKind.SUM: Level.SUM,
    ItemKind.PRODUCT: Level.PRODUCT,
}
_NEVER_LAST = {ItemKind.PREFIX, *_LEADING}
_STUCK = {ItemKind.SPACE, ItemKind.CLINGING}
_NEVER_FIRST = {*_STUCK, ItemKind.PUNCTUATION, ItemKind.GAP}


def _levels(items: list[Item]) -> Iterator[Level]:
    """How good it is to end a line before each item but the first."""
    before = items[0]
    for item in items[1:]:
        yield _level(before, item)
        if item.kind not in _STUCK:
            before = item


def _level(before: Item, item: Item) -> Level:
    if item.kind is ItemKind.RELATION and before.kind is not ItemKind.RELATION:
        return Level.RELATION
    if item.kind in _NEVER_FIRST or before.kind in _NEVER_LAST:
        return Level.ANYWHERE
    if before.kind in {ItemKind.PUNCTUATION, ItemKind.GAP}:
        return Level.STATEMENT
    if item.kind in _LEADING:
        return _LEADING[item.kind]
    if ItemKind.TEXT in {item.kind, before.kind}:
        return Level.SUM
    if before.kind is ItemKind.NAME and item.bracketed:
        return Level.ANYWHERE
    return Level.FACTOR


def cut(items: list[Item], level: Level) -> list[list[Item]]:
    """The items, cut at the places of a level and of the better ones."""
    cuts = [i for i, found in enumerate(_levels(items), 1) if found <= level] if items else []
    return [items[i:j] for i, j in zip([0, *cuts], [*cuts, len(items)], strict=True)]


def statements(items: list[Item]) -> list[list[Item]]:
    """The items, cut behind commas and wide spaces into parts that hold a relation each."""
    found: list[list[Item]] = []
    for part in cut(items, Level.STATEMENT):
        if found and not any(item.kind is ItemKind.RELATION for item in part):
            found[-1] += part
        else:
            found.append(part)
    return found


def items_tex(items: list[Item], before: list[Item]) -> str:
    """The LaTeX of items as a line, which goes on from another one or not."""
    first, last = 0, len(items)
    while first < last and items[first].kind in {ItemKind.SPACE, ItemKind.GAP}:
        first += 1
    while first < last and items[last - 1].kind is ItemKind.GAP:
        last -= 1
    kept = items[first:last]
    if not kept:
        return ""
    if kept[0].kind in _LEADING:
        return f"{{}} {formula_items.join(kept)}"
    ended = next((x.kind for x in reversed(before) if x.kind not in _STUCK), None)
    dotted = ended in _OPERANDS and kept[0].kind in {*_OPERANDS, ItemKind.PREFIX}
    return rf"{{}} \cdot {formula_items.join(kept)}" if dotted else formula_items.join(kept)


class Lines:
    """Lines that are filled with items as far as they go.

    ``first`` and ``others`` are the widths of the lines in em, ``deepest`` the worst place where a
    line may end, ``narrowed`` makes items that stay together about as wide as it is told. In a sum,
    a line that does not start with a summand stands further in.
    """

    def __init__(
        self,
        first: float,
        others: float,
        deepest: Level,
        narrowed: Callable[[list[Item], float], list[Item]],
    ) -> None:
        self._first = first
        self._others = others
        self._deepest = deepest
        self._narrowed = narrowed
        self._has_sum = False
        self._lines: list[list[Item]] = [[]]

    def fill(self, items: list[Item]) -> list[str]:
        """The LaTeX of the lines that items take."""
        self._has_sum = any(item.kind is ItemKind.SUM for item in items)
        self._place(items, Level.STATEMENT)
        return [
            (STEP if before and self._is_inset(items) else "") + items_tex(items, before)
            for items, before in zip(self._lines, [[], *self._lines], strict=False)
        ]

    def _is_inset(self, items: list[Item]) -> bool:
        return (
            self._has_sum and bool(items) and items[0].kind not in {ItemKind.SUM, ItemKind.RELATION}
        )

    def _excess(self, items: list[Item], *, fresh: bool = False) -> float:
        """How much wider than its room the last line would be with these items, or a new one."""
        earlier = self._lines if fresh else self._lines[:-1]
        room = self._others - STEP_WIDTH * self._is_inset(items) if earlier else self._first
        return row_width(items_tex(items, earlier[-1] if earlier else [])) - room

    def _place(self, part: list[Item], level: Level) -> bool:
        """Put a part on lines; gives whether it had to be broken."""
        if self._excess(self._lines[-1] + part) <= 0:
            self._lines[-1] += part
            return False
        if self._lines[-1] and self._excess(part, fresh=True) <= 0:
            self._lines.append(list(part))
            return False
        if level is self._deepest:
            self._force(part)
            return True
        finer = Level(level + 1)
        broken = False
        for piece in cut(part, finer):
            if broken and finer <= Level.SUM and self._lines[-1]:
                self._lines.append([])
            broken = self._place(piece, finer)
        return True

    def _force(self, part: list[Item]) -> None:
        """Put items on a line that are too wide for it and stay together."""
        room = self._others if self._lines[1:] else self._first
        if self._lines[-1] and self._excess(self._lines[-1]) > -room * 2 / 3:
            self._lines.append([])
        whole, limit = part, width_of(formula_items.join(part))
        for _ in range(2):
            excess = self._excess(self._lines[-1] + whole)
            if excess <= 0:
                break
            limit -= excess
            whole = self._narrowed(part, limit)
        letters = [letter for item in whole for letter in formula_items.letters(item)]
        forced = self._deepest is Level.ANYWHERE and len(letters) > len(part)
        if not forced or self._excess(self._lines[-1] + whole) <= 0:
            self._lines[-1] += whole
        else:
            for letter in letters:
                self._place([letter], self._deepest)
