"""The walk down a graph that makes one entry of a tensor from the entries below it.

The walk carries a label for each axis down the graph; what a gate's entry is in terms of its
arguments' entries is said by its row (`report.autodiff.gates.entries`). A label is a letter that counts from 1, a
whole number, or an expression such as i + 1; axes of length 1 carry the label 0, which is not
written. A gate that mixes entries in a way that labels cannot say has no index form (`NoIndexForm`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from report.autodiff.form import Form
from report.autodiff.gates import SUM
from report.autodiff.gates.by_definition import written_out
from report.autodiff.gates.entries import Labels, NoIndexForm
from report.autodiff.graph import CONSTANT, Node
from report.autodiff.graph import constant as constant_node
from report.autodiff.simplify.constants import is_rational, product
from report.autodiff.simplify.nodes import number_of_ones
from report.derivation.index_form.entry_symbols import (
    entry_function,
    entry_symbol,
    is_place,
    is_position,
    lettered,
    picked,
    varying,
    with_labels,
)
from report.derivation.latex import NONE_TAKEN, Taken, latex
from report.derivation.latex.printed import Last, Printed, Sign, bracketed, joined, put
from report.derivation.symbolic.expressions import call, constant, exact_number, times
from report.derivation.symbolic.factor_order import is_plain_number
from report.derivation.symbolic.sympy_printer import entry_latex, extreme_of

MAX_NODES = 70
MAX_WHOLE = 120  # characters of a part that stands in matrix form
MAX_LISTED = 6  # entries of a constant vector that can stand in a formula


class Split(Exception):
    """A label must stand as two, for what was a matrix before it was put in one row."""

    def __init__(self, key: str, sizes: tuple[int, int]) -> None:
        self.key, self.sizes = key, sizes


Whole = Callable[[Node], Printed]


@dataclass(frozen=True, eq=False)
class IndexForm:
    """One entry of a node: its labels, the sympy expression, and what its symbols are.

    `ranges` holds the letters of the labels and up to which number each counts, `tex` how a scalar's
    symbol is written, `nodes` which node's entries a symbol or function (e000, e001, ...) stands for.
    """

    labels: Labels
    expression: Any
    ranges: Mapping[Any, int]
    tex: Mapping[Any, Printed]
    nodes: Mapping[str, Node]
    taken: Taken = NONE_TAKEN

    @property
    def latex(self) -> Printed:
        """The expression in LaTeX."""
        return entry_latex(self.expression, self.tex, self.taken)

    @property
    def is_sum(self) -> bool:
        """Whether a sum stands in it."""
        import sympy

        return bool(self.expression.has(sympy.Sum))

    @property
    def tells_ranges(self) -> bool:
        """Whether each letter is a label of something: of 2 (i - 1) + j alone one cannot say how far j goes."""
        import sympy

        letters = {s for x in self.labels if x != 0 for s in x.free_symbols}
        own = {x for x in self.labels if x in letters}
        entries = self.expression.atoms(sympy.Function)
        told = {x for e in entries if type(e).__name__ in self.nodes for x in e.args}
        return letters <= own | told

    def named(self, name: Printed) -> Printed:
        """A name with these labels in its place: q_{1,@} -> q_{1,ij}."""
        return with_labels(name, [entry_latex(x, {}) for x in self.labels if x != 0])


class Walk:
    """The way down a graph; `entry` is the expression of one entry of a node at labels.

    With `by_places` an entry whose labels come from no labels here is the sum over those at its place; with
    `parts_windows` a label over windows side by side is split into the window and the place in it.
    """

    by_places = False
    parts_windows = True

    def __init__(
        self,
        root: Node,
        names: Mapping[Node, Printed],
        whole: Whole | None,
        splits: Mapping[str, tuple[int, ...]],
        taken: Taken = NONE_TAKEN,
    ) -> None:
        self.taken = taken
        self.names, self.whole, self.top, self.splits = names, whole, root, splits
        # sympy sorts factors by name: number them in the order in which `names` gives them
        self.order = {name: i for i, name in enumerate(dict.fromkeys(names.values()))}
        self.made: dict[tuple[Node, Labels], Any] = {}
        self.written: dict[Node, Node] = {}  # gates as their definitions have them
        self.tex: dict[Any, Printed] = {}
        self.nodes: dict[str, Node] = {}
        self.sizes: dict[Any, int] = {}  # of each label
        self.keys: dict[Any, str] = {}  # of each label, by which it can be split
        self.parts: dict[
            Any, list[tuple[Any, int]]
        ] = {}  # labels and sizes that a label is made of
        self.count = self.visits = 0
        self.root = tuple(self.fresh(n) for n in root.shape)
        self.free = list(self.sizes)

    # ------------------------------------------------------------ what the entries of rows are made with

    @staticmethod
    def call(name: str) -> Any:
        """The gate of a name as a function of entries."""
        return call(name)

    @staticmethod
    def extreme(name: str) -> Any:
        """max or min of a term over labels."""
        return extreme_of(name)

    @staticmethod
    def times(*factors: Any) -> Any:
        """A product in which a number stays in front of a sum."""
        return times(*factors)

    def picked(self, index: Node, ix: Labels, n: int, start: int = 0) -> Any:
        """A position that the data count from `start` as a label of an axis of n entries."""
        return picked(self, index, ix, n, start)

    # ------------------------------------------------------------ labels

    def fresh(self, n: int, key: str = "") -> Any:
        """A new label over an axis of n entries (0 when there is only one)."""
        import sympy

        if n == 1:
            return 0
        if not key:
            self.count += 1
            key = str(self.count)
        if key in self.splits:
            parts = [(self.fresh(m, f"{key}.{i}"), m) for i, m in enumerate(self.splits[key])]
            return self.merged(parts)
        label = sympy.Dummy(f"label{key}", integer=True, positive=True)
        self.keys[label], self.sizes[label] = key, n
        return label

    def merged(self, parts: list[tuple[Any, int]]) -> Any:
        """One label for several axes in one row: 3 (i - 1) + j."""
        import sympy

        parts = [p for label, n in parts for p in self.parts.get(label, [(label, n)]) if n != 1]
        if len(parts) < 2:
            return parts[0][0] if parts else 0
        label, stride = parts[-1][0], parts[-1][1]
        for part, n in reversed(parts[:-1]):
            before = part - 1
            label += stride * (sympy.UnevaluatedExpr(before) if before.is_Add else before)
            stride *= n
        if label.is_Integer:  # `regrouped` finds its parts
            return label
        if label in self.sizes:  # alone it has no parts
            label = sympy.UnevaluatedExpr(label)
        self.parts[label] = parts
        return label

    def split(self, label: Any, n: int, sizes: tuple[int, ...]) -> Labels:
        """The labels of several axes that stand in one row of n entries; NoIndexForm if there are none."""
        return self.regrouped([(label, n)], sizes)

    def regrouped(self, parts: list[tuple[Any, int]], sizes: tuple[int, ...]) -> Labels:
        """The labels of a row of axes in other sizes; some label may have to be split first."""
        import sympy

        left = [p for label, n in parts for p in self.parts.get(label, [(label, n)]) if n != 1]
        found = []
        for size in sizes:
            group: list[tuple[Any, int]] = []
            taken = 1
            while taken < size:
                label, n = left.pop(0)
                if taken * n > size:
                    first = size // taken
                    if getattr(label, "is_Integer", False) and n % first == 0:
                        whole, rest = divmod(int(label) - 1, n // first)
                        left.insert(0, (sympy.Integer(rest + 1), n // first))
                        group.append((sympy.Integer(whole + 1), first))
                        break
                    if size % taken or n % first or label not in self.keys:
                        raise NoIndexForm
                    raise Split(self.keys[label], (first, n // first))
                group.append((label, n))
                taken *= n
            found.append(self.merged(group))
        return tuple(found)

    def dummies(self, label: Any) -> list[Any]:
        """The labels that a sum over a label runs over."""
        parts = [part for part, _ in self.parts.get(label, [(label, 0)])]
        return [part for part in parts if part in self.sizes]

    def is_at(self, label: Any, number: Any) -> Any:
        """1 where a label is a number, else 0: of a row of axes, one delta for each axis."""
        import sympy

        if label not in self.parts or not number.is_Integer:
            return sympy.KroneckerDelta(label, number)
        left, deltas = int(number) - 1, []
        for part, n in reversed(self.parts[label]):
            left, place = divmod(left, n)
            deltas.append(sympy.KroneckerDelta(part, place + 1))
        return sympy.Mul(*deltas)

    def same(self, a: Any, b: Any, n: int) -> Any:
        """1 where two labels of an axis of n entries are the same, else 0: a delta for each of their parts."""
        import sympy

        rows = [[size for _, size in self.parts.get(label, [(label, n)])] for label in (a, b)]
        sizes = tuple(rows[len(rows[1]) > len(rows[0])])
        pairs = zip(self.split(a, n, sizes), self.split(b, n, sizes), strict=True)
        return sympy.Mul(*(sympy.KroneckerDelta(x, y) for x, y in pairs))

    # ------------------------------------------------------------ sums

    def sum(self, term: Any, *labels: Any) -> Any:
        """The sum of a term over labels, without what the sum does not need."""
        real = [d for label in labels for d in self.dummies(label)]
        for label in reversed(real):  # the first one stands outside
            term = self._over(term, label, self.sizes[label])
        return term

    def _over(self, term: Any, label: Any, n: int) -> Any:
        import sympy

        if not term.has(label):
            return times(sympy.Integer(n), term)
        outside, inside = term.as_independent(label, as_Add=False)
        for delta in sympy.Mul.make_args(inside):
            if isinstance(delta, sympy.KroneckerDelta) and label in delta.args:
                other = delta.args[1 - delta.args.index(label)]
                if other.is_Integer or self.sizes.get(other) == n or is_place(other):
                    return times(outside, (inside / delta).xreplace({label: other}))
        if inside.func is self.call("equal") and inside.args[0] == label:
            other = inside.args[1] - 1  # each row has its label once
            if is_position(other) and other.size == n:
                return outside
        if isinstance(inside, sympy.Sum):
            return times(outside, sympy.Sum(inside.function, *inside.limits, (label, 1, n)))
        return times(outside, sympy.Sum(inside, (label, 1, n)))

    # ------------------------------------------------------------ entries

    def entry(self, node: Node, ix: Labels) -> Any:
        """The entry of a node at labels; the same entry is the same expression wherever it stands."""
        key = (node, ix)
        if key not in self.made:
            self.made[key] = self._built(node, ix)
        return self.made[key]

    def _built(self, node: Node, ix: Labels) -> Any:
        self.visits += 1
        if self.visits > MAX_NODES:
            raise NoIndexForm
        name = self.names.get(node)
        if name is not None:
            return self.named(node, name, ix)
        if node.is_constant:
            number = node if not node.shape else number_of_ones(node)
            if number is not None and number.is_constant:
                return self._coefficient(number)
            if node.gate is CONSTANT or not np.ptp(np.asarray(node.value)):
                return self._constant(node, ix)
        if node.gate.elementwise:
            return self._elementwise(node, ix)
        if node.gate.entry is not None:
            return node.gate.entry(self, node, ix)
        keeps_shape = bool(node.shape) and node.shape == node.args[0].shape
        is_written = node is self.top or self.whole is None or not keeps_shape
        if node.gate.definition is not None and is_written:
            return self._defined(node, ix)
        if node is self.top:
            raise NoIndexForm
        try:
            return self.as_whole(node, ix)
        except NoIndexForm:
            if node.gate.definition is None:
                raise
            return self._defined(node, ix)

    def _defined(self, node: Node, ix: Labels) -> Any:
        """An entry of a gate as its definition has it."""
        if node not in self.written:
            self.written[node] = written_out(node)
        return self.entry(self.written[node], ix)

    def _coefficient(self, node: Node) -> Any:
        """A number; 1/√(2π) and its like stand as they do in the matrix form."""
        if is_rational(node) or (node.gate.group == "arithmetic" and node.gate.binding == SUM):
            return constant(node)
        text = latex(node, None, self.taken)
        if text.minus:  # the sign belongs to the sum that the number stands in
            return -self._coefficient(product(constant_node(-1), node))
        return self.named(node, text, ())

    def _elementwise(self, node: Node, ix: Labels) -> Any:
        import sympy

        args = [self.entry(a, self.broadcast(a, ix)) for a in node.args]
        if node.gate.form is Form.PRODUCT:
            return times(*args)
        if node.gate.form is Form.QUOTIENT and not node.gate.plain and is_plain_number(args[1]):
            return times(1 / args[1], args[0])
        if node.gate.form is Form.CHOICE and node.args[0].is_constant and args[2] == 0:
            return times(args[0], args[1])
        if node.gate.by_sympy and node.gate.sympy is not None:
            return node.gate.sympy(sympy, *args, **node.params)
        return call(node.gate.name, tuple(node.params.items()))(*args)  # σ stays σ

    def as_whole(self, node: Node, ix: Labels) -> Any:
        """An entry of a node that stands in matrix form: softmax(z)_i."""
        if self.whole is None:
            raise NoIndexForm
        text = self.whole(node)
        if len(text) > MAX_WHOLE or Sign.MATRIX in text.signs:
            raise NoIndexForm
        if not node.shape:
            return self.named(node, text, ix, first=True)
        name = put(text if text.last is Last.BRACKET else bracketed(text), "_{@}")
        return self.named(node, name, ix, first=node.gate.form is Form.INVERSE)

    def broadcast(self, arg: Node, ix: Labels) -> Labels:
        """The labels of an argument: the trailing ones, and none along an axis of length 1."""
        own = ix[len(ix) - len(arg.shape) :] if arg.shape else ()
        return tuple(0 if n == 1 else label for n, label in zip(arg.shape, own, strict=True))

    def named(self, node: Node, name: Printed, ix: Labels, first: bool = False) -> Any:
        """An entry of a node by name; `first`: it stands before other names."""
        order = self.order.setdefault(name, len(self.order))
        self.nodes[f"e{order:03d}"] = node
        labels = [label for label in ix if label != 0]
        if labels:  # a sum must see its label, so the entry is a function of the labels
            sizes = zip(ix, node.shape[len(node.shape) - len(ix) :], strict=True)
            axes = tuple(n for label, n in sizes if label != 0)
            return entry_function(name, order, first, axes)(*labels)
        kind = "number" if node.is_constant else "partial" if Sign.PARTIAL in name.signs else ""
        entry = entry_symbol(kind or ("first" if first else "name"))(f"e{order:03d}", real=True)
        self.tex[entry] = with_labels(name, ())
        return entry

    def _constant(self, node: Node, ix: Labels) -> Any:
        import sympy

        value, ix = varying(np.asarray(node.value), ix)
        if not value.ndim:
            return exact_number(float(value))
        if value.ndim == 2 and np.array_equal(value, np.eye(*value.shape)):
            return self.same(ix[0], ix[1], len(value))
        if value.ndim == 2:
            return self._triangle(value, *ix)
        if value.ndim == 1 and value.size <= MAX_LISTED:
            listed = joined(r",\,", [entry_latex(sympy.sympify(float(v)), {}) for v in value])
            return self.named(node, put(bracketed(listed), "_{@}"), ix)
        raise NoIndexForm

    def _triangle(self, value: Any, i: Any, j: Any) -> Any:
        """𝟙[j ≤ i + k] of a matrix of ones on and below a diagonal, or on and above it."""
        n, m = value.shape
        for name, filled in (("less_equal", np.tril), ("greater_equal", np.triu)):
            for k in range(-n, m + 1):
                if np.array_equal(value, filled(np.ones((n, m)), k)):
                    return self.call(name)(j, i + k)
        raise NoIndexForm

    # ------------------------------------------------------------ the end

    def finished(
        self, expression: Any, letters: str, kept: dict[Any, str] | None = None
    ) -> IndexForm:
        """The entry with letters for labels: sums side by side share one, sums inside others do not.

        `kept` holds those that labels of sums had in a form before; see `lettered`.
        """
        import sympy

        if len(self.free) > len(letters) - 4:
            raise NoIndexForm
        named = {d: sympy.Symbol(c, integer=True) for d, c in zip(self.free, letters, strict=False)}
        used = frozenset(str(s) for s in named.values())
        inner = letters[2:] + letters[:2]
        labels = tuple(sympy.sympify(x).xreplace(named) for x in self.root)
        finished, _ = lettered(sympy.sympify(expression).xreplace(named), used, inner, kept=kept)
        ranges = {letter: self.sizes[d] for d, letter in named.items()}
        return IndexForm(labels, finished, ranges, self.tex, self.nodes, self.taken)
