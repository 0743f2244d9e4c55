r"""Formulas as this program prints them, read with the numbers of the names in them.

It is LaTeX as everywhere, and some signs more: derivatives are names (\frac{\partial f}{\partial W_{ij}}, with
a bar for one of several ways), labels of entries stand where an axis has more than one entry, and a bracket
that is 0 makes the entry beside it, which need not exist, 0 too. 𝟏 and I are as large as need be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any, TypeVar

import numpy as np

from report.autodiff import extended
from report.autodiff.graph import INPUT, Array, Node, evaluate, uncollected
from report.autodiff.parser.latex import names
from report.autodiff.parser.latex.grammar import _Grammar
from report.autodiff.parser.latex.indices import Run, split
from report.autodiff.parser.latex.printed_grammar import _PrintedGrammar
from report.autodiff.parser.latex.printed_numbers import Numerals, Shown, _NumbersRead, with_room
from report.autodiff.parser.latex.state import Definition
from report.autodiff.parser.latex.tokens import Token, tokens_of
from report.autodiff.parser.latex.tree import (
    Big,
    Derivative,
    Group,
    Letter,
    Part,
    Product,
    Script,
)
from report.autodiff.parser.latex.values import NoEntry, OneByOne, Operand, Unsized, Value
from report.autodiff.parser.source import Places
from report.errors import ReportError

R = TypeVar("R")


def derivative(of: str, by: str, through: str = "") -> str:
    """The label of ∂of/∂by, of the names as `names.normal` has them; `through`: which of several ways it goes."""
    return f"∂{of}|{through}∂{by}"


class PrintedNames:
    """The names that may stand in printed formulas, by their normal form or as `derivative` has it."""

    def __init__(self, values: Mapping[str, Array]) -> None:
        self.values: dict[str, Array] = {}
        self.nodes: dict[str, Node] = {}
        self.numbers: dict[Node, Array] = {}
        self.known: dict[str, Definition] = {}
        self.is_extended = False
        self.rows = 0  # entries of the vector of whose Jacobian a row is printed
        for label, value in values.items():
            self.add(label, value)

    def add(self, label: str, value: Array) -> None:
        """A further name, or another value for one."""
        node = _named(label, np.shape(value))
        self.values[label], self.nodes[label] = value, node
        self.numbers[node] = value
        self.known[label] = Definition(label, Value(node, label), is_input=True)
        self.is_extended |= np.asarray(value).dtype == object

    def copy(self) -> PrintedNames:
        """The same names, to which others may be added."""
        made = PrintedNames({})
        made.values, made.nodes = dict(self.values), dict(self.nodes)
        made.numbers = dict(self.numbers)
        made.known, made.is_extended, made.rows = dict(self.known), self.is_extended, self.rows
        return made

    def formula(self, text: str) -> PrintedFormula:
        """One formula over these names; ReportError for what is none."""
        return PrintedFormula(self, text)


@lru_cache(maxsize=4096)
def _named(label: str, shape: tuple[int, ...]) -> Node:
    """The node of a name, which is the same in all traces: so is what is read over it."""
    return Node(INPUT, shape=shape, name=label)


MAX_NAMES = 400  # over which readings are kept
_MOST = 2048  # of these
_readings: dict[Any, Any] = {}


class PrintedFormula:
    """A printed formula that is read: its numbers as a whole, at labels, or for all labels at once.

    `role` is how a `part` of it is asked for.
    """

    def __init__(
        self, of: PrintedNames, text: str, part: Part | None = None, role: tuple[str, ...] = ()
    ) -> None:
        self.of, self.text, self.role = of, text, role
        if part is not None:
            self.tree = part

    @cached_property
    def tree(self) -> Part:
        """What its text says."""
        with uncollected():
            return self.reader.tree(_tokens(self.text))

    @cached_property
    def reader(self) -> _PrintedReader:
        """What reads it."""
        return _PrintedReader(self.of, self.text)

    def value(self, shape: tuple[int, ...] = ()) -> Array:
        """Its numbers; `shape` is that of the value, which I or ones alone have."""
        return self._numbers(self._once(lambda: self._lowered(shape, {}), shape))

    def at(self, labels: Mapping[str, int]) -> float:
        """Its number where the free labels have values. NoEntry where there is no such entry."""
        node = self._once(lambda: self._lowered((), labels), *labels.items())
        found = self._numbers(node)
        if np.size(found) != 1:
            raise ReportError(f"{self.text} is no entry: it has shape {np.shape(found)}")
        return float(np.reshape(found, ()))

    def at_once(self, sizes: Mapping[str, int]) -> Array | None:
        """Its numbers for all values of the free labels, each an axis; None where that cannot be."""
        value = self._once(lambda: self._lowered_at_once(sizes), "at once", *sizes.items())
        if value is None or value.shape:
            return None
        try:
            found = self._numbers(value.node)
        except ReportError:
            return None
        order = [value.axes.index(name) for name in sizes if name in value.axes]
        spread = tuple(n if name in value.axes else 1 for name, n in sizes.items())
        return np.broadcast_to(np.transpose(found, order).reshape(spread), tuple(sizes.values()))

    def _once(self, read: Callable[[], R], *how: Any) -> R:
        """What is read, or was for another trace: it depends on names and shapes alone where no number was asked for."""
        if len(self.of.nodes) > MAX_NAMES:  # all of which stand in a key
            return read()
        key = (self.text, self.role, how, self.of.rows, *self.of.nodes.values())
        if key in _readings:
            return _readings[key]
        self.reader.is_asked = False
        found = read()
        if not self.reader.is_asked:
            if len(_readings) >= _MOST:
                _readings.clear()
            _readings[key] = found
        return found

    def _lowered(self, shape: tuple[int, ...], labels: Mapping[str, int]) -> Node:
        with uncollected():
            reader = self.reader.started(shape, labels)
            found = reader.lower(self.tree)
            if isinstance(found, Unsized) and shape:
                found = reader.as_large_as(found, shape, self.tree)
            node = reader.sized(found, self.tree).node
            reader.reader.evaluate_constants()
            return node

    def _lowered_at_once(self, sizes: Mapping[str, int]) -> Value | None:
        runs = {name: Run(name, 1, n) for name, n in sizes.items()}
        with uncollected(), suppress(OneByOne, ReportError):
            reader = self.reader.started((), runs)
            value = reader.as_number(reader.value(self.tree))
            reader.reader.evaluate_constants()
            return value
        return None

    def _numbers(self, node: Node) -> Array:
        if node.is_constant:
            return np.asarray(node.value)
        compute = extended.evaluate if self.of.is_extended else evaluate
        return np.asarray(compute([node], self.of.numbers)[node])

    def rounded(
        self,
        shape: tuple[int, ...] = (),
        exact: Collection[str] = (),
        shown: Sequence[Shown] = (),
    ) -> tuple[Array, Array]:
        """Its numbers, and how far they may be off, since each number in it has been rounded as it is shown.

        A number alone has six digits, but for those that are `exact` and not `shown` as values. The largest in
        a matrix, or among those that it is a part of, has five, and all have as many behind the point. 0 is 0.
        """
        self.reader.exact, self.reader.shown = exact, shown
        try:
            node, numerals = self._with_numerals(shape, has_vectors=False)
        except ReportError:  # on paper a vector is a column, which a gate may not take
            node, numerals = self._with_numerals(shape, has_vectors=True)
        return with_room(node, self.of.numbers, numerals, is_extended=self.of.is_extended)

    def _with_numerals(self, shape: tuple[int, ...], *, has_vectors: bool) -> tuple[Node, Numerals]:
        """What it is, with a node for each number in it."""
        numerals: Numerals = {}
        self.reader.numerals, self.reader.has_vectors = numerals, has_vectors
        try:
            return self._lowered(shape, {}), numerals
        finally:
            self.reader.numerals = None

    # ------------------------------------------------------------ what stands on a left side

    @property
    def label(self) -> str:
        """Its name as `PrintedNames` has it, without the labels of an entry."""
        return self.reader.name_of(self.tree)

    @property
    def is_derivative(self) -> bool:
        """Whether it is a derivative by a name."""
        return isinstance(self.tree, Derivative)

    @property
    def by(self) -> PrintedFormula:
        """What a derivative is taken by."""
        assert isinstance(self.tree, Derivative)
        return PrintedFormula(self.of, self.text, self.tree.by, (*self.role, "by"))

    def upstream(self, letter: str) -> PrintedFormula:
        """∂f/∂q for the ∂q/∂x that it is."""
        d, places = self.tree, self.reader.places
        assert isinstance(d, Derivative)
        f = tuple(tokens_of(places, letter))
        part = Derivative(d.start, d.end, f, self.reader.tree(d.of))
        return PrintedFormula(self.of, self.text, part, (*self.role, "upstream", letter))

    def labels(self, letters: str) -> tuple[dict[str, int], bool]:
        """The labels of the entry that it is and how far each runs; whether each counts an axis alone.

        Of `letters` those are labels that are no names. Where one is part of a sum, no entry past the end is meant.
        """
        return self.reader.labels_of(self.tree, letters)


@lru_cache(maxsize=1024)  # the variants of a question have most formulas in common
def _tokens(text: str) -> tuple[Token, ...]:
    return tuple(tokens_of(Places(text), text))


_STRIDE = re.compile(
    r"(\d+)\((\w)-1\)\+"
)  # of a label that stands for one of several axes in a row


def _in_a_row(tokens: Sequence[Token], n: int) -> dict[str, int]:
    """How far i and j run in 3 (i - 1) + j, of an axis of n entries: j to 3, and i to n / 3."""
    text = "".join(t.text for t in tokens)
    found, last = _STRIDE.findall(text), _STRIDE.sub("", text)
    if not found or not re.fullmatch(r"\w", last):
        return {}
    sizes = {}
    for stride, label in sorted(found, key=lambda f: -int(f[0])):
        sizes[label], n = n // int(stride), int(stride)
    return {**sizes, last: n}


class _PrintedReader(_NumbersRead):
    """Reads one formula that was printed."""

    is_asked = False  # for the numbers of its names

    def __init__(self, of: PrintedNames, text: str) -> None:
        super().__init__(Places(text), {}, ())
        self.printed = self.reader.roles.printed = True
        self.values, self.known, self.rows = of.values, dict(of.known), of.rows
        self.reader.inputs = of.nodes

    def started(self, shape: tuple[int, ...], indices: Mapping[str, Any]) -> _PrintedReader:
        """Itself, with other labels and nothing left of the reading before."""
        self.expected, self.indices = shape, dict(indices)
        self.reader.constants.clear()
        self.lengths.clear()
        return self

    def given(self) -> dict[Node, Array]:
        """The numbers of the names: what is read may depend on them."""
        self.is_asked = True
        return super().given()

    def grammar(self, tokens: Sequence[Token]) -> _Grammar:
        return _PrintedGrammar(self.places, tokens, self.is_word)

    def tree(self, tokens: Sequence[Token]) -> Part:
        return self.grammar(tokens).whole()

    def lower(self, part: Part) -> Operand:
        if isinstance(part, Derivative):
            return self.derivative(part)
        return self.product(part) if isinstance(part, Product) else super().lower(part)

    def picked_rows(self, below: tuple[Token, ...], kind: str, part: Part) -> Operand:
        """Of a unit vector e_[i] with the number of a Jacobian's row it is known how large it is."""
        found = super().picked_rows(below, kind, part)
        is_row = self.rows and len(below) == 3 and below[1].kind == "letter"
        return found.make(self.rows) if is_row and isinstance(found, Unsized) else found

    def plain_label(self, tokens: tuple[Token, ...] | None) -> str | None:
        """In square brackets stand places, which are no part of a name."""
        return None if tokens and tokens[0].text == "[" else super().plain_label(tokens)

    def as_large_as(self, found: Unsized, shape: tuple[int, ...], part: Part) -> Value:
        """What says not how large it is, in the shape that it must have."""
        if len(shape) > 1 and self.is_filled(found):  # c 𝟏
            return self.reshaped(found.make(1), (), part)
        if len(shape) > 1 and found.wide is not None:
            return found.wide(*shape)
        return found.make(shape[1 if found.kind == "columns" else -1 if found.kind == "row" else 0])

    # ------------------------------------------------------------ derivatives

    def derivative(self, part: Derivative) -> Operand:
        named = self.as_name(part)
        return self.name(named, None) if isinstance(named, Letter) else self.lower_script(named)

    def as_name(self, part: Derivative) -> Letter | Script:
        """The derivative as a letter, with the labels that it has."""
        between = self.entry_by_entry(part)
        if between is not None:
            return between
        of = names.label_of(part.of) or "?"
        through = ",".join(names.label_of(p) or "?" for p in split(part.through) if p)
        script = part.by if isinstance(part.by, Script) else None
        letter = script.base if script is not None else part.by
        assert isinstance(letter, Letter)
        base = derivative(of, self.base_label(letter), through)
        named = Letter(part.start, part.end, base)
        return named if script is None else replace(script, base=named)

    def entry_by_entry(self, part: Derivative) -> Script | None:
        """∂p_k/∂z_i as an entry of ∂p/∂z, where that is a name, with the labels of both."""
        of, by = self.tree(part.of), part.by
        if not isinstance(of, Script) or not isinstance(by, Script):
            return None
        if not isinstance(of.base, Letter) or not isinstance(by.base, Letter):
            return None
        for name, own, _ in self.labels(of.base, of):
            for other, labels, _ in self.labels(by.base, by):
                if own and labels and (label := derivative(name, other)) in self.known:
                    base = Letter(part.start, part.end, label)
                    return Script(part.start, part.end, base, (*own, *labels), None)
        return None

    def name_of(self, part: Part) -> str:
        """The label of a name, without those of an entry."""
        named = self.as_name(part) if isinstance(part, Derivative) else part
        script = named if isinstance(named, Script) else None
        letter = named.base if isinstance(named, Script) else named
        if not isinstance(letter, Letter):
            raise self.error("a name stands on a left side", part)
        found = [label for label, _, _ in self.labels(letter, script)]
        return next((label for label in found if label in self.known), found[0])

    def labels_of(self, part: Part, letters: str) -> tuple[dict[str, int], bool]:
        named = self.as_name(part) if isinstance(part, Derivative) else part
        if not isinstance(named, Script) or not isinstance(named.base, Letter):
            return {}, True
        if self.find(named.base, replace(named, above=None)) is None:
            return {}, True
        found = self.find_static(named.base, named)
        if found is None:
            return {}, True
        value, below, _ = found
        items = self.cells(below or (), len(value.shape))
        sizes: dict[str, int] = {}
        alone = len(items) == len(value.shape)
        for tokens, n in zip(items, value.shape, strict=False):
            own = [t.text for t in tokens if t.kind == "letter" and t.text in letters]
            own = [x for x in own if x not in self.known]
            alone &= not own or len(tokens) == 1
            known = _in_a_row(tokens, n)
            sizes.update(known)
            for x in own if not known else ():
                sizes[x] = min(n, sizes.get(x, n)) if len(tokens) == 1 else max(n, sizes.get(x, n))
        return sizes, alone

    # ------------------------------------------------------------ entries

    def counted(self, value: Value, below: Sequence[Token]) -> Value:
        """A value with the axes that labels count: those with more than one entry, or all where there are as many."""
        rank, shape = len(value.shape), tuple(n for n in value.shape if n != 1)
        if len(shape) == rank or len(self.cells(below, rank)) == rank:
            return value
        return self.reshaped(value, shape, Part(0, 0))

    def pick(self, value: Value, below: Sequence[Token], part: Part) -> Value:
        if below[0].text == "[" and below[-1].text == "]":
            return self.by_key(value, below, part)
        return super().pick(self.counted(value, below), below, part)

    def cells(self, below: Sequence[Token], rank: int) -> list[list[Token]]:
        """The labels below a name, between commas or side by side."""
        cells = [
            p for p in split([replace(t, text=",") if t.text == ";" else t for t in below]) if p
        ]
        if len(cells) == 1 and rank > 1:
            (only,) = cells
            if len(only) == rank:
                return [[t] for t in only]
            if len(only) == 1 and len(only[0].text) == rank:
                return [[replace(only[0], text=digit)] for digit in only[0].text]
            wide = [t for t in only if t.kind == "num" and len(t.text) > 1]
            if wide:  # i12
                digits = [
                    [replace(t, text=c)] for t in only for c in (t.text if t in wide else [t.text])
                ]
                return digits if len(digits) == rank else cells
        return cells

    def items(self, value: Value, below: Sequence[Token], part: Part) -> list[Any]:
        return [self.item(cell, part) for cell in self.cells(below, len(value.shape))]

    def numbered(self, below: tuple[Token, ...]) -> str | None:
        return None  # an entry is never told by another name

    def label(self, tree: Part) -> Value | int:
        value = self.value(tree)
        numbers = self.at_inputs(value)
        if value.axes or np.size(numbers) != 1:
            raise OneByOne
        return int(np.reshape(numbers, ()))

    def kronecker(self, script: Script) -> Value | None:
        assert script.below is not None
        cells = self.cells(script.below, 2)
        if len(cells) != 2:
            return None
        a, b = (self.index(cell, None) for cell in cells)
        return self.mask(np.equal, a, b)

    def called(self, head: Letter | Script, group: Group) -> Operand | None:
        letter = head.base if isinstance(head, Script) else head
        if isinstance(letter, Letter) and letter.base == "delta" and isinstance(head, Script):
            return None
        return super().called(head, group)

    def product(self, part: Product) -> Operand:
        """A product; 0 where one of its brackets is, though an entry beside it does not exist."""
        try:
            return self.lower_product(part)
        except NoEntry:
            if any(self.is_zero_bracket(part, at) for at in range(len(part.factors))):
                return self.number(0.0)
            raise

    def is_zero_bracket(self, part: Product, at: int) -> bool:
        """Whether a factor is 0; an indicator is two factors, the sign and its bracket."""
        pair = replace(part, factors=tuple(("", f) for _, f in part.factors[at : at + 2]))
        op, factor = part.factors[at]
        if op == "/":
            return False
        try:
            applied = (
                self.application(factor, pair.factors[1][1]) if len(pair.factors) > 1 else None
            )
            found = self.lower(factor) if applied is None else applied
        except (OneByOne, ReportError):
            return False
        numbers = self.at_inputs(found) if isinstance(found, Value) else None
        return numbers is not None and not np.any(numbers)

    # ------------------------------------------------------------ sums

    def ranges_of(self, part: Big) -> tuple[list[tuple[str, int, int]], list[Part]]:
        r"""k = 1 with a bound above; k, l \colon conditions; k \ne i; 1 \le k \le n."""
        below = list(part.below or ())
        cut = next((i for i, t in enumerate(below) if t.text == r"\colon"), len(below))
        told = [p for p in split(below[cut + 1 :]) if p]
        found: list[tuple[str, Sequence[Token] | None, Sequence[Token] | None]] = []
        conditions = [self.grammar(p).whole_condition() for p in told]
        for piece in (p for p in split(below[:cut]) if p):
            texts = [t.text for t in piece]
            if texts[1:2] == ["="]:
                found.append((texts[0], piece[2:], part.above))
            elif texts[1:2] == [r"\le"] and texts[3:4] == [r"\le"]:
                found.append((texts[2], piece[:1], piece[4:]))
            elif r"\ne" in texts:
                left = piece[: texts.index(r"\ne")]
                found += [(t.text, None, None) for t in left if t.kind == "letter"]
                conditions.append(self.grammar(piece).whole_condition())
            else:
                found.append((texts[0], None, part.above))
        bounds = {p[0].text: p[2:] for p in told if len(p) > 2 and p[1].text == r"\le"}
        return [self.range_of(part, *f, conditions, bounds) for f in found], conditions

    def range_of(
        self,
        part: Big,
        name: str,
        first: Sequence[Token] | None,
        last: Sequence[Token] | None,
        conditions: Sequence[Part],
        bounds: Mapping[str, Sequence[Token]],
    ) -> tuple[str, int, int]:
        low = self.whole(self.tree(first)) if first is not None else 1
        if last is not None:
            return name, low, self.whole(self.tree(last))
        with self.without(name):
            longest = self.longest(name, [part.body, *conditions])
        if longest is None and name in bounds:
            longest = self.whole(self.tree(bounds[name]))
        if longest is None:
            raise self.error(f"nothing says how far {name} runs", part)
        return name, low, longest
