"""How one gradient is written: over inputs, steps and gradients by name, with names for what repeats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from report.autodiff.by_entries import is_entry
from report.autodiff.form import Form
from report.autodiff.gates import ATOM
from report.autodiff.gates.table import apply
from report.autodiff.graph import Node, constant, evaluate, topological
from report.autodiff.simplify import share
from report.derivation.elements import Equation
from report.derivation.index_form import IndexForm, NoIndexForm
from report.derivation.latex import Printed
from report.derivation.latex.indexing import in_rows, rows_of_numbers
from report.derivation.latex.printed import Sign, bracketed, put
from report.derivation.latex.symbols import partial, symbol
from report.derivation.quantity_names import Notation, place
from report.derivation.symbolic.closed_form import (
    ClosedForm,
    expression_latex,
    inputs_as_read,
)
from report.derivation.symbolic.expressions import expression, ordered_symbol
from report.derivation.symbolic.size import signs, written_size, written_sizes

MAX_READ = 160  # gates of a formula that can be read at all
MAX_PARTS = 6  # names for what repeats
MIN_PART = 4  # gates of a part that gets a name
MIN_SAVED = 6  # gates that a name for it saves
MAX_BARE = 3  # gates of a gradient that needs no name: s - 1
MUCH = 3  # operations fewer than in the formula of the rules, for sympy's own to be printed
CLOSE = 1e-12  # to 1, for what adds up to it but for rounding
# tensors whose entries move, and what no textbook has a sign for
MOVED = frozenset({Sign.RESHAPE, Sign.TRANSPOSE, Sign.SCATTER, Sign.OF_CODE})


@dataclass(frozen=True, eq=False)
class GradientForm:
    """How a gradient is written.

    `named` holds what stands in it by name -> the input or gate whose name it is, or that of whose
    gradient; `slopes` are the gradients that stand by name; `parts` what repeats, with its name; `owner`
    the gate of the trace with the same number; `result` the function's own value; `whole` the gradient
    over inputs alone.
    """

    notation: Notation
    graph: Node
    named: dict[Node, Node]
    slopes: Mapping[Node, Node]
    owner: Mapping[Node, Node]
    result: Node
    whole: Node
    parts: Mapping[Node, str] = field(default_factory=dict)
    min_part: ClassVar[int] = MIN_PART
    min_saved: ClassVar[int] = MIN_SAVED

    @property
    def is_scalar(self) -> bool:
        """Whether no tensor stands in it, and no gate of tensors over numbers, which sympy does not know."""
        known = {*self.named, *self.picked}
        nodes = topological(self.graph, leaves=known)
        is_known = not any(n.args and n.gate.sympy is None for n in nodes if n not in self.picked)
        return is_known and not any(n.shape for n in nodes)

    @cached_property
    def picked(self) -> tuple[Node, ...]:
        """The entries of what stands by name, x_1, as the function reads them."""
        order = {n: i for i, n in enumerate(self.owner)}
        below = topological(self.graph, leaves=self.named)
        found = (n for n in below if is_entry(n) and n.args[0] in self.named)
        return tuple(sorted(found, key=lambda n: order.get(n, len(order))))

    def told(self) -> set[Node]:
        """The gradients that stand in it by name, and in what those stand for."""
        found: set[Node] = set()
        graphs = [self.graph]
        while graphs:
            new = self.below(graphs.pop()) & self.slopes.keys() - found
            found |= new
            graphs += (self.slopes[name] for name in new)
        return found

    def shares(self) -> list[Node]:
        """The numbers of a softmax that is written by hand, exp(z_i) / Σ_k exp(z_k)."""
        below = topological(self.graph, *(self.slopes[n] for n in self.told()), leaves=self.named)
        return [n for n in below if n not in self.named and share(n) is not None]

    def parts_of(self, shares: Sequence[Node]) -> list[Node]:
        """What gets a name because it is one of these or repeats, what saves most first."""
        found = list(shares)
        while len(found) < MAX_PARTS + len(shares):
            best = max(self.repeats(found), key=lambda part: part[0], default=None)
            if best is None:
                break
            found.append(best[1])
        return found

    def repeats(self, parts: Iterable[Node]) -> Iterator[tuple[int, Node]]:
        """What stands in the formula more than once, and how many gates a name for it saves."""
        known = {*self.named, *parts}
        for root in (self.graph, *self.slopes.values()):
            sizes = written_sizes(root, known)
            inner = [n for n in sizes if n not in known and not n.is_constant]
            count = Counter({root: 1})
            for n in reversed(inner):
                for a in n.args:
                    count[a] += count[n]
            for n in inner:
                saved = (count[n] - 1) * (sizes[n] - 1)
                if sizes[n] >= self.min_part and saved >= self.min_saved:
                    yield saved, n

    @cached_property
    def bare(self) -> set[Node]:
        """The gradients that need no name, little more than a part: s₁ for ∂J/∂z₁, s₂ - 1."""
        return {
            name
            for name, graph in self.slopes.items()
            if not graph.shape
            and any(n in self.parts for n in (graph, *graph.args))
            and written_size(graph, self.parts) <= MAX_BARE
        }

    @cached_property
    def formula(self) -> Printed | None:
        """The matrix form; None where it is too long to be read."""
        if written_size(self.graph, {**self.named, **self.parts}) > MAX_READ:
            return None
        rows = [[replace(self, graph=n) for n in row] for row in rows_of_numbers(self.graph)]
        if rows and all(form.is_scalar for row in rows for form in row):
            return in_rows([[form.number(None) for form in row] for row in rows])
        return self.written(self.graph)

    def written(self, graph: Node, meaning_of: Node | None = None) -> Printed:
        """A node of the backward graph over what stands by name, but for what is told here."""
        return self.notation.latex(
            graph,
            lambda n: None if n is meaning_of else self.leaf(n),
            alone=meaning_of is not None,
        )

    def leaf(self, node: Node) -> Printed | None:
        """What stands by name: a part that repeats, the result, an input, a step or a step's gradient."""
        notation = self.notation
        if node in self.parts:
            return symbol(self.parts[node], node.shape)
        if node not in self.named:
            return None
        if node in self.bare:
            return self.written(self.slopes[node])
        owner = self.named[node]
        if node in self.slopes:
            return notation.gradient(owner)
        is_function = node is self.result and not node.name and not node.is_input
        return notation.f if is_function else notation.name[owner]

    def place(self, node: Node) -> Printed:
        """The same with a place for labels."""
        notation = self.notation
        if node in self.parts:
            return symbol(self.parts[node], labels=place(node))
        if node in self.bare:
            told = self.written(self.slopes[node])
            return told if told.binding >= ATOM else bracketed(told)
        owner = self.named.get(node) or self.owner[node]
        if node in self.slopes:
            return partial(notation.f, notation.entry[owner])
        is_function = node is self.result and not node.name and not node.is_input
        return notation.f if is_function else notation.entry[owner]

    def entry(self) -> tuple[IndexForm | None, set[Node]]:
        """One entry, and what it uses by name."""
        return self.entry_of(self.graph, self.graph in self.named)

    def entry_of(self, graph: Node, by_name: bool = False) -> tuple[IndexForm | None, set[Node]]:
        """One entry of a node, for which gates that mix entries have a name too, and what it uses by name."""
        notation = self.notation
        mixing = [n for n, o in self.owner.items() if o in notation.name and not _keeps_entries(n)]
        names = {n: self.place(n) for n in (*self.named, *self.parts, *mixing)}
        if not by_name:
            names.pop(graph, None)
        below = set(topological(graph, leaves=names))
        used = {n: text for n, text in names.items() if n in below}
        named: set[Node] = set()

        def leaf(n: Node) -> Printed | None:
            written = self.leaf(n)
            if written is None and (written := notation.named(self.owner.get(n, n))) is not None:
                named.add(n)
            return written

        try:
            entry = notation.index_form(graph, used, leaf)
            return entry, self._by_name({*used, *named})
        except NoIndexForm:
            return None, set()

    def number(self, derived: ClosedForm | None) -> Printed:
        """The formula of a number; `derived` by sympy where that is much shorter and no name stands here."""
        inputs = inputs_as_read(self.notation.trace.graph)
        symbols: dict[Node, Any] = {}
        for n in (*inputs, *self.picked, *self.named, *self.parts):
            symbols.setdefault(n, ordered_symbol(len(symbols)))
        whole = expression(self.graph, symbols, as_written=True)
        is_bare = all(n.is_input for n in self.below(self.graph))
        if derived and is_bare and derived.expression.count_ops() + MUCH <= whole.count_ops():
            return derived.latex
        written = {n: self.leaf(n) or self.notation.named(n) for n in symbols}
        written |= {n: self.written(n) for n in self.picked}
        names = {symbols[n]: w for n, w in written.items() if w}
        return expression_latex(whole, names, self.notation.taken)

    def where(self, used: Iterable[Node]) -> tuple[Equation, ...]:
        """What the names stand for: gradients, the last one first, what repeats, then gates in their order."""
        notation = self.notation
        number = {n: q.number for n, q in notation.trace.quantities.items()}
        wanted = set(used)
        if self.formula is not None:
            wanted |= self.below(self.graph)
        slopes: list[Node] = []
        while more := wanted & self.slopes.keys() - set(slopes):
            slopes.append(max(more, key=lambda n: -number[self.named[n]]))
            _, used_here = self.slope(slopes[-1])
            wanted |= used_here
        parts: list[Node] = []
        while more := wanted & self.parts.keys() - set(parts):
            parts.append(next(n for n in self.parts if n in more))
            wanted |= self.below(parts[-1], meaning=True)
        rest = wanted - self.slopes.keys() - self.parts.keys() - {self.result}
        owners = {self.named.get(n) or self.owner.get(n, n) for n in rest}
        gates = sorted((n for n in owners if not n.is_input), key=lambda n: number[n])
        meant = {self.parts[n]: n for n in parts}
        return (
            *(self.slope(n)[0] for n in slopes),
            *(self.part(n) for _, n in sorted(meant.items())),
            *(self.definition(n, gates) for n in gates),
        )

    def slope(self, name: Node) -> tuple[Equation, set[Node]]:
        """What the gradient of a step is that stands by name, and what that uses by name."""
        graph, owner = self.slopes[name], self.named[name]
        text = self.written(graph)
        is_number = replace(self, graph=graph).is_scalar
        if is_number or MOVED & text.signs:
            entry, used = self.entry_of(graph)
            if entry is not None and (
                is_number or entry.tells_ranges or signs(entry.latex) < signs(text)
            ):
                left = self.notation.entry_gradient(owner, entry)
                return Equation(left, (entry.latex,)), used
        return Equation(self.notation.gradient(owner), (text,)), self.below(graph)

    def part(self, node: Node) -> Equation:
        """What a part that repeats is; by entries where these only change their places."""
        text = self.written(node, meaning_of=node)
        if MOVED & text.signs:
            entry, used = self.entry_of(node)
            if entry is not None and entry.tells_ranges and used <= self.below(node, meaning=True):
                return Equation(entry.named(self.place(node)), (entry.latex,))
        return Equation(symbol(self.parts[node], node.shape), (text,))

    def definition(self, node: Node, gates: Collection[Node]) -> Equation:
        """What a gate is; of a let-line by entries where these only change their places."""
        notation = self.notation
        text = notation.definition(node if node.name else _as_made(node), gates)
        if node.name and MOVED & text.signs:
            known = (n for n in notation.name if n.is_input or n.name or n in gates)
            names = {n: notation.entry[n] for n in known if n is not node}
            try:
                entry = notation.index_form(node, names, notation.named)
            except NoIndexForm:
                return Equation(notation.name[node], (text,))
            if entry.tells_ranges:
                return Equation(entry.named(notation.entry[node]), (entry.latex,))
        return Equation(notation.name[node], (text,))

    def here(self, left: Printed) -> tuple[Equation, ...]:
        """Sums that are 1 at this point, and the formula with 1 in their place.

        So softmax with cross-entropy becomes s − y: the probabilities y add up to 1.
        """
        values = {q.node: q.value for q in self.notation.trace.inputs}
        given = {*values, *self.parts, *(n for n in self.named if n not in self.slopes)}
        made: dict[Node, Node] = {n: n for n in (*self.named, *self.parts)}
        ones = []
        for n in topological(self.graph, leaves=made):
            if n in made or n.is_input or n.is_constant:
                continue
            if _is_sum(n, given) and np.all(np.abs(evaluate([n], values)[n] - 1) < CLOSE):
                made[n] = constant(np.ones(n.shape))
                ones.append(Equation(self.written(n), (put("𝟏" if n.shape else "1"),)))
                continue
            args = tuple(made.get(a, a) for a in n.args)
            if args != n.args:
                made[n] = apply(n.gate, args, dict(n.params))
        if not ones or self.graph not in made:
            return ()
        return (*ones, Equation(left, (self.written(made[self.graph]),)))

    def below(self, graph: Node, meaning: bool = False) -> set[Node]:
        """What stands by name in the formula of a node, or in what the node's own name means."""
        names = {*self.named, *self.parts} - ({graph} if meaning else set())
        return self._by_name({n for n in topological(graph, leaves=names) if n in names})

    def _by_name(self, found: set[Node]) -> set[Node]:
        """What stands by name: in the place of a gradient that needs no name what its formula has."""
        told = (self.below(self.slopes[name]) for name in found & self.bare)
        return (found - self.bare).union(*told)


def _is_sum(node: Node, given: Container[Node]) -> bool:
    """Whether it is the sum of an input or a step, which the gradient of a step by its name is not."""
    return node.gate.form in (Form.TOTAL, Form.SUMMED) and node.args[0] in given


def _as_made(node: Node) -> Node:
    """A gate that has no name as rules write it: A𝟏 for a sum over the columns."""
    return Node(node.gate, node.args, node.params, node.shape, value=node.value)


def _keeps_entries(node: Node) -> bool:
    """Whether an entry of a gate is one of its argument, or made of those at the same place."""
    return node.gate.elementwise or node.gate.form in (Form.TRANSPOSE, Form.PICKED)
