r"""How far indices run: bounds, lengths that no input tells, and what stands below a sum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from report.autodiff.parser.latex import indices, names
from report.autodiff.parser.latex.index_uses import _IndexUses
from report.autodiff.parser.latex.indices import Run, linear, walk
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import Big, Letter, Part, Sign
from report.autodiff.parser.latex.values import OneByOne
from report.errors import ReportError


class _Ranges(_IndexUses):
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
