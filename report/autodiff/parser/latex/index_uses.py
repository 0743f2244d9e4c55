r"""Where an index stands: below and above values, whose entries say how far it may run."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from report.autodiff.parser.latex.indices import linear, split, walk
from report.autodiff.parser.latex.lines_read import _Lines
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import Big, Letter, Part, Script
from report.autodiff.parser.latex.values import OneByOne, Value
from report.errors import ReportError


class _IndexUses(_Lines):
    """Where an index stands: below and above values, whose entries say how far it may run."""

    @abstractmethod
    def whole(self, tree: Part) -> int:
        """A bound as a whole number."""

    def longest(self, index: str, trees: Sequence[Part]) -> int | None:
        """The largest value of an index with which no entry past the end is asked for."""
        found: int | None = None
        plain: dict[int, str] = {}
        for tree in trees:
            for size, least_room, is_plain, told in self.uses(tree, index):
                room = size - least_room
                found = room if found is None else min(found, room)
                if is_plain:
                    plain.setdefault(size, told)
        if len(plain) > 1:
            told = " and ".join(f"{n} ({name})" for n, name in plain.items())
            raise self.error(
                f"{index} runs over what has {told} entries; they do not fit together", trees[0]
            )
        return found

    def uses(  # noqa: C901 - all places where an index may stand
        self, tree: Part, index: str, inner: Mapping[str, int] | None = None
    ) -> Iterator[tuple[int, int, bool, str]]:
        """(entries, the most that is added to the index, whether nothing is, the name) of each x_{i + ...}."""
        inner = dict(inner or {})
        for part in walk(tree):
            if isinstance(part, Big) and part.below and part.above:
                for name, _, above in self.clauses(part):
                    try:
                        if above is not None and name != index:
                            inner[name] = self.whole(self.tree(above))
                    except (ReportError, OneByOne):
                        continue
        for part in walk(tree):
            if isinstance(part, Script):
                yield from self.uses_of(part, index, inner)
            for tokens in (getattr(part, "below", None), getattr(part, "above", None)):
                if (
                    isinstance(tokens, tuple)
                    and not isinstance(part, Big)
                    and any(t.text == index for t in tokens)
                ):
                    try:
                        for item in split(_unwrapped(tokens)):
                            if len(item) > 1:
                                yield from self.uses(self.tree(item), index, inner)
                    except ReportError:
                        continue

    def uses_of(  # noqa: C901 - all places where an index may stand
        self, part: Script, index: str, inner: Mapping[str, int]
    ) -> Iterator[tuple[int, int, bool, str]]:
        """Where an index stands below or above one value."""
        tokens = [*(part.below or ()), *(part.above or ())]
        if not any(t.text == index for t in tokens):
            return
        try:
            if isinstance(part.base, Letter):
                found = self.find_static(part.base, part)
                if found is None:
                    return
                value, below, above = found
            else:
                below, above = part.below, part.above
                value = self.counted(self.value(part.base), below or ())
        except (ReportError, OneByOne):
            return
        items: list[list[Token]] = []
        if above is not None and above[0].text in ("(", "["):
            items.append(list(above[1:-1]))
        if below is not None:
            items += self.cells(below, len(value.shape) - len(items))
        shape = value.shape
        if len(items) == 1 and len(shape) == 2 and shape[0] == 1 and shape[1] > 1:
            shape = (shape[1], 1)
        for item, n in zip(items, shape, strict=False):
            if not any(t.text == index for t in item):
                continue
            try:
                form = linear(self.tree(item))
            except ReportError:
                continue
            if form is None or form.letters.get(index) != 1:
                continue
            most = form.number
            for name, times in form.letters.items():
                if name == index:
                    continue
                bound = self.indices.get(name)
                if isinstance(bound, int):
                    most += times * bound
                elif name in inner and times > 0:
                    most += times * inner[name]
                elif name in inner:
                    most += times
                else:
                    break
            else:
                yield (
                    n,
                    most,
                    most == 0 and len(form.letters) == 1,
                    self.places.text[part.start : part.end],
                )

    def cells(self, below: Sequence[Token], rank: int) -> list[list[Token]]:
        """The indices below a name that has so many axes, between commas or side by side."""
        cells = [p for p in split(below) if p]
        if len(cells) != 1 or rank < 2:
            return cells
        (only,) = cells
        if len(only) == rank and all(t.kind in ("letter", "num") for t in only):
            return [[t] for t in only]
        return [only[:1], only[1:]] if self.looks_like_pair(only) else cells

    def counted(self, value: Value, below: Sequence[Token]) -> Value:
        """A value with the axes that indices below it count."""
        return value

    def looks_like_pair(self, tokens: list[Token]) -> bool:
        return len(tokens) > 3 and tokens[0].kind == "letter" and tokens[2].text == "_"

    def find_static(self, letter: Letter, script: Script) -> tuple[Value, Any, Any] | None:
        """The value that a name with indices is an entry of, before the indices have values."""
        for label, below, above in self.labels(letter, script):
            local = self.local(label)
            definition = self.known.get(label)
            if local is None and definition is None:
                continue
            if below is None and above is None:
                return None
            found = local
            if found is None:
                assert definition is not None
                found = self.line_value(definition)
            if not isinstance(found, Value):
                return None
            return self.counted(found, below or ()), below, above
        return None

    def clauses(self, big: Big) -> Iterator[tuple[str, Sequence[Token], Sequence[Token] | None]]:
        """(index, first, last) of each range below a sum that has both bounds."""
        for piece in self.pieces(big):
            texts = [t.text for t in piece]
            if len(piece) > 2 and piece[0].kind == "letter" and texts[1] == "=":
                yield texts[0], piece[2:], big.above
            elif r"\le" in texts or r"\leq" in texts or "<" in texts:
                ends = [i for i, t in enumerate(texts) if t in (r"\le", r"\leq", "<")]
                letters = [piece[a + 1] for a, b in itertools.pairwise(ends) if b == a + 2]
                if len(letters) == len(ends) - 1 and letters:
                    strict = texts[ends[-1]] == "<"
                    last = list(piece[ends[-1] + 1 :])
                    if strict:
                        last += [Token("char", "-", 0, 0), Token("num", "1", 0, 0)]
                    yield letters[-1].text, piece[: ends[0]], last

    def pieces(self, big: Big) -> list[list[Token]]:
        """What stands below a sum, between commas or on lines."""
        below = list(big.below or ())
        if below and below[0].text == r"\substack":
            below = below[2:-1] if below[1].text == "{" else below[1:]
        flat = [
            replace(t, text=",", kind="char")
            if t.text in (r"\\", r"\colon", ":", "|", r"\mid", ";")
            else t
            for t in below
        ]
        return [p for p in split(flat) if p]


def _unwrapped(tokens: Sequence[Token]) -> Sequence[Token]:
    """The indices in x^{(i)} without the brackets."""
    return tokens[1:-1] if tokens[0].text == "(" and tokens[-1].text == ")" else tokens
