r"""How far indices run: bounds, lengths that no input tells, and what stands below a sum."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from report.autodiff.parser.latex import indices, names
from report.autodiff.parser.latex.indices import Run, linear, split, walk
from report.autodiff.parser.latex.lines_read import _Lines
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import Big, Letter, Part, Script, Sign
from report.autodiff.parser.latex.values import OneByOne, Value
from report.errors import ReportError


class _Ranges(_Lines):
    """How far indices run: bounds, lengths that no input tells, and what stands below a sum."""

    def whole(self, tree: Part) -> int:
        """A bound as a whole number."""
        form = linear(tree)
        if isinstance(tree, Sign) and tree.text == r"\infty":
            raise self.error(
                "a sum without an end is a limit, not a value that can be computed from the inputs",
                tree,
            )
        if form is not None:
            total = form.number
            for name, times in form.letters.items():
                total += times * self.bound_letter(name, tree)
            return total
        value = self.value(tree)
        numbers = self.at_inputs(value)
        if value.shape or value.axes or numbers is None or not float(numbers).is_integer():
            raise self.error("a bound is a whole number", tree)
        return int(numbers)

    def bound_letter(self, name: str, tree: Part) -> int:
        index = self.indices.get(name)
        if isinstance(index, int):
            return index
        if isinstance(index, Run):
            raise OneByOne
        definition = self.known.get(name)
        if definition is not None and (definition.is_input or definition.line is not None):
            value = self.sized(self.line_value(definition), tree)
            numbers = self.at_inputs(value)
            if value.shape or numbers is None or not float(numbers).is_integer():
                raise self.error(f"{name} is a bound, so it must be a whole number", tree)
            return int(numbers)
        length = self.length(name, tree)
        if length is None:
            raise self.error(
                f"nothing says how large {name} is: no input has that name, and no entries are counted by it",
                tree,
            )
        return length

    def length(self, name: str, part: Part | None) -> int | None:
        """How large n is, from what the sums up to n run over; None where it is no bound of a sum."""
        if name in self.lengths:
            return self.lengths[name]
        if name in self.solving or name in self.known:
            return None
        self.solving.add(name)
        try:
            found: dict[int, Part] = {}
            for tree in self.trees:
                for big in (p for p in walk(tree) if isinstance(p, Big) and p.below):
                    for n in self.lengths_by(big, name):
                        found.setdefault(n, big)
            for told in self.ranges:
                form = linear(self.tree(told.last))
                if form is not None and form.letters == {name: 1}:
                    longest = self.longest(told.index, self.trees)
                    if longest is not None:
                        found.setdefault(longest - form.number, self.trees[0])
        finally:
            self.solving.discard(name)
        if not found:
            return None
        if len(found) > 1:
            sizes = " and ".join(map(str, sorted(found)))
            raise self.error(
                f"{name} is {sizes} here; call one of the bounds otherwise",
                next(iter(found.values())),
            )
        self.lengths[name] = next(iter(found))
        return self.lengths[name]

    def lengths_by(self, big: Big, name: str) -> Iterator[int]:
        """What a sum whose upper bound is n plus a number says about n."""
        assert big.below is not None
        for index, _first, above in self.clauses(big):
            if above is None:
                continue
            try:
                form = linear(self.tree(above))
            except ReportError:
                continue
            if form is None or form.letters.get(name) != 1 or len(form.letters) > 1:
                continue
            longest = self.longest(index, [big.body])
            if longest is not None:
                yield longest - form.number

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

    def ranges_of(self, part: Big) -> tuple[list[tuple[str, int, int]], list[Part]]:
        """The indices below with their first and last values, and the conditions."""
        found: dict[str, tuple[Sequence[Token] | None, Sequence[Token] | None]] = {}
        conditions: list[Part] = []
        for piece in self.pieces(part):
            self.read_piece(part, piece, found, conditions)
        ranges = []
        for name, (first, last) in found.items():
            low = self.whole(self.tree(first)) if first is not None else 1
            if last is not None:
                high = self.upper(part, name, last)
            else:
                with self.without(name):
                    longest = self.longest(name, [part.body])
                if longest is None and (names_found := self.named_entries(part.body, name)):
                    longest = names_found
                if longest is None:
                    raise self.error(
                        f"nothing says how far {name} runs: no entries are counted by it, and no bound stands above",
                        part,
                    )
                high = longest
            if high < low and not self.indices:
                raise self.error(f"this runs from {low} to {high}: over nothing", part)
            ranges.append((name, low, high))
        return ranges, conditions

    def upper(self, part: Big, name: str, last: Sequence[Token]) -> int:
        tree = self.tree(last)
        high = self.whole(tree)
        with self.without(name):
            longest = self.longest(name, [part.body])
        form = linear(tree)
        symbolic = form is not None and any(
            letter not in self.known and letter not in self.indices for letter in form.letters
        )
        if (
            symbolic
            and longest is not None
            and longest != high
            and self.is_plain_use(part.body, name)
        ):
            raise self.error(f"{name} runs to {high}, but over what has {longest} entries", part)
        return high

    def is_plain_use(self, body: Part, name: str) -> bool:
        return any(plain for _, _, plain, _ in self.uses(body, name)) and all(
            plain for _, _, plain, _ in self.uses(body, name)
        )

    def named_entries(self, body: Part, index: str) -> int | None:
        """How many inputs w1, w2, ... there are where w_i is summed."""
        counts = set()
        for script in indices.scripts_in(body):
            if (
                isinstance(script.base, Letter)
                and script.below
                and [t.text for t in script.below] == [index]
            ):
                base = self.base_label(script.base)
                n = 0
                while f"{base}{n + 1}" in self.known:
                    n += 1
                counts.add(n)
        counts.discard(0)
        return counts.pop() if len(counts) == 1 else None

    def read_piece(  # noqa: C901 - a branch for each kind of clause
        self, part: Big, piece: list[Token], found: dict[str, Any], conditions: list[Part]
    ) -> None:
        """One clause below a sum: i, i=1, i≠j, i<j, 1≤i<j≤n, i in a set."""
        texts = [t.text for t in piece]
        if (
            len(piece) > 2
            and piece[0].kind == "letter"
            and texts[1] == "="
            and texts[0] not in self.indices
        ):
            found[texts[0]] = (piece[2:], part.above)
            return
        if all(t.kind == "letter" for t in piece):
            for name in texts:
                found.setdefault(
                    name, (None, part.above if part.above and len(texts) == 1 else None)
                )
            return
        if (
            "=" in texts
            and texts[1:2] != ["="]
            and all(t.kind == "letter" for t in piece[: texts.index("=")])
        ):
            cut = texts.index("=")  # i j = 1
            for name in texts[:cut]:
                found[name] = (piece[cut + 1 :], part.above)
            return
        if texts[0] == "(" and texts[-1] == ")" and r"\ne" not in texts:
            for name in (t.text for t in piece if t.kind == "letter"):
                found.setdefault(name, (None, None))
            return
        if r"\in" in texts or r"\notin" in texts:
            raise self.error(
                "a sum over a set says no order here; write the indices from a number to a number",
                part,
            )
        condition = self.grammar(piece).whole_condition()
        conditions.append(condition)
        bounds = self.bounds(piece, texts)
        named: set[int] = set()  # the tokens of y_i, where that is an input
        for at, token in enumerate(piece):
            name = token.text
            if texts[at + 1 : at + 2] == ["_"] and names.label_of(piece[at : at + 3]) in self.known:
                named |= {at, at + 2}
            if at in named:
                continue
            if (
                token.kind != "letter"
                or name in self.indices
                or name in found
                or self.is_local(name)
            ):
                continue
            if name in self.known and (texts[0] != name or texts[1:2] == ["_"]):
                continue
            if name in bounds:
                found[name] = (None, bounds[name])
            elif self.is_counted(part.body, name) or texts[0] == name:
                found[name] = (None, part.above)

    def bounds(self, piece: list[Token], texts: list[str]) -> dict[str, Any]:
        """The upper bounds in 1 ≤ i < j ≤ n."""
        ends = [i for i, t in enumerate(texts) if t in (r"\le", r"\leq", "<", r"\leqslant", r"\lt")]
        if len(ends) < 2:
            return {}
        last = list(piece[ends[-1] + 1 :])
        letters = [t.text for t in piece[ends[0] + 1 : ends[-1]] if t.kind == "letter"]
        if texts[ends[-1]] in ("<", r"\lt"):
            last = [
                *last,
                Token("char", "-", last[-1].end, last[-1].end),
                Token("num", "1", last[-1].end, last[-1].end),
            ]
        return dict.fromkeys(letters, last)

    def is_counted(self, body: Part, name: str) -> bool:
        """Whether a letter stands below something in the body."""
        return any(
            t.text == name
            for s in indices.scripts_in(body)
            for t in (*(s.below or ()), *(s.above or ()))
        ) or any(
            t.text == name
            for p in walk(body)
            if isinstance(p, Big)
            for t in (*(p.below or ()), *(p.above or ()))
        )


def _unwrapped(tokens: Sequence[Token]) -> Sequence[Token]:
    """The indices in x^{(i)} without the brackets."""
    return tokens[1:-1] if tokens[0].text == "(" and tokens[-1].text == ")" else tokens
