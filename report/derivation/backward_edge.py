"""A gate and one of its arguments: the rule over names, over numbers, and in index form."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import cached_property, wraps
from typing import Any, TypeVar

import numpy as np

from report.autodiff import extended
from report.autodiff.differentiate import with_more_digits
from report.autodiff.form import Form
from report.autodiff.gates import SUM, broadcast_to, fit_to
from report.autodiff.graph import (
    INPUT,
    Array,
    Graph,
    Node,
    constant,
    evaluate,
    make,
    of_graph,
    topological,
)
from report.autodiff.rounding_error import shaker
from report.autodiff.simplify import is_filled
from report.autodiff.simplify.constants import is_rational
from report.autodiff.trace import Quantity
from report.derivation.elements import Equation
from report.derivation.index_form import IndexForm, NoIndexForm
from report.derivation.latex import Printed
from report.derivation.latex.printed import Sign, bracketed, fraction, put
from report.derivation.latex.printer import as_row, bracketed_at
from report.derivation.latex.symbols import GRADIENT, VALUE, partial, tensor
from report.derivation.quantity_names import Notation
from report.derivation.symbolic.closed_form import local_derivative
from report.derivation.symbolic.expressions import constant as exact
from report.derivation.symbolic.expressions import is_named

MAX_PUT_IN = 27  # entries of a tensor whose numbers are put into a formula; more is not for reading
LOST = 1e-9  # relative, of a local derivative that has lost digits
MAX_DERIVED = 100  # characters of sympy's derivative of a gate; that of GELU is left out
MAX_JACOBIAN = 6  # entries of a vector whose Jacobian is shown
_BY_ARGUMENT = frozenset({Sign.BY_ARGUMENT})
_BY_ENTRIES = frozenset({Sign.TIMES_BY_ENTRIES, Sign.POWER_BY_ENTRIES, Sign.FUNCTION_BY_ENTRIES})


R = TypeVar("R")


@of_graph
def _told(_: Graph) -> dict[Hashable, Any]:
    """What is found of the links of a graph."""
    return {}


def of_names(function: Callable[[Link], R]) -> Callable[[Link], R]:
    """What names alone decide of a link: it is found once for all traces of a graph."""

    @wraps(function)
    def told(link: Link) -> R:
        known = _told(link.notation.trace.graph)
        key = function, link.node, link.place
        if key not in known:
            known[key] = function(link)
        found: R = known[key]
        return found

    return told


class Link:
    """A gate `q` and its argument number `place`, through which a gradient flows back.

    The rule of the gate is applied to leaves, a node of its own for each argument, for the gate's
    value and for the upstream gradient, which are then written as names, numbers or entries.
    """

    def __init__(self, notation: Notation, q: Quantity, place: int) -> None:
        self.notation, self.q, self.place = notation, q, place
        self.node = q.node
        self.arg = q.node.args[place]
        rule = q.node.gate.rules_for(len(q.node.args))[place]
        assert rule is not None
        self.rule = rule
        self.leaves = [_leaf(a) for a in self.node.args]
        self.y = _leaf(self.node)
        self.upstream = Node(INPUT, shape=self.node.shape, name="upstream")

    def applied(self, upstream: Any) -> Node:
        """The rule over leaves, as a graph."""
        graph = self.rule(upstream, self.y, *self.leaves, **self.node.params)
        return graph if isinstance(graph, Node) else constant(graph)

    def put_together(self, upstream: Node) -> Node:
        """The rule over the gate's own arguments, as it stands when a formula is put into it."""
        made = {**dict(self.pairs), self.upstream: upstream}
        for n in topological(self.graph, leaves=made):
            if n not in made:
                args = [made.get(a, a) for a in n.args]  # what a constant is made of stays
                made[n] = n if args == list(n.args) else make(n.gate, args, n.params)
        return made[self.graph]

    def over_numbers(self, upstream: Array) -> Array:
        """The rule over the numbers of the trace."""
        values = self.notation.trace.arguments(self.node)
        with np.errstate(all="ignore"):
            return self.rule(upstream, self.q.value, *values, **self.node.params)

    def over_all_digits(self, upstream: Array) -> Array:
        """The same; with numbers of extended precision where float64 has too few digits."""
        rounded = self.notation.trace.rounded
        return self.over_extended(upstream) if rounded else self.over_numbers(upstream)

    def over_extended(self, upstream: Array) -> Array:
        """The rule over extended numbers, as the nearest of float64."""
        more = with_more_digits(self.notation.trace)
        y, values = more.quantities[self.node].value, more.arguments(self.node)
        with np.errstate(all="ignore"):
            found = self.rule(extended.settled(upstream), y, *values, **self.node.params)
        return extended.floats(extended.settled(found))

    @cached_property
    def graph(self) -> Node:
        """What flows back to the argument, summed over stretched axes."""
        return fit_to(self.applied(self.upstream), self.arg)

    @cached_property
    def slope(self) -> Array:
        """The numbers of the local derivative; one number is the same everywhere.

        Where the rule loses digits, as near a root of the derivative of GELU, the gradients of the trace,
        which lose none, tell them.
        """
        slope, upstream = self.over_numbers(np.float64(1.0)), self.q.gradient
        given = self.notation.trace.quantities.get(self.arg)
        here = (
            c.value
            for c in (given.contributions if given else ())
            if (c.gate, c.argument) == (self.q.name, self.place) and c.value is not None
        )
        arrived = next(here, np.float64(np.nan))
        if upstream is None or np.shape(slope) != np.shape(arrived):
            return slope
        by_each = self.node.gate.elementwise and np.shape(upstream) == np.shape(arrived)
        if not by_each and self.node.shape:
            return slope
        with np.errstate(all="ignore"):
            told = arrived / upstream
            lost = np.abs(slope * upstream - arrived) > LOST * np.abs(arrived)
            found: Array = np.where(lost & np.isfinite(told), told, slope)[()]
        return found if np.all(upstream) else self.exactly(found)

    def exactly(self, slope: Array) -> Array:
        """The local derivative without what rounding left of a 0, where no gradient tells it."""
        trace, shake = self.notation.trace, shaker(1)
        given = enumerate(trace.arguments(self.node))
        values = [v if place in self.node.gate.integers else shake(v) for place, v in given]
        with np.errstate(all="ignore"):
            moved = self.rule(np.float64(1.0), shake(self.q.value), *values, **self.node.params)
            if not np.any(np.abs(moved - slope) > np.abs(slope)):
                return slope
            if extended.steps(trace.graph) > extended.MAX_STEPS:
                return slope
        return self.over_extended(np.float64(1.0))

    @cached_property
    def local_graph(self) -> Node:
        """The local derivative of an elementwise gate or of one with a scalar result.

        Beside a matrix a vector is a row.
        """
        graph = self.applied(constant(1.0))
        return as_row(graph) if len(self.node.shape) > 1 else graph

    @property
    def slope_written(self) -> Printed:
        """The numbers of the local derivative, in the colour of values where it is one."""
        graph = self.local_graph
        values = {leaf for leaf, _ in self.pairs}
        is_value = graph in values or (
            graph.gate.form is Form.TRANSPOSE and graph.args[0] in values
        )
        slope = self.slope if np.ndim(self.slope) else np.float64(self.slope)
        return tensor(np.reshape(slope, graph.shape), VALUE if is_value else None)

    @property
    def hands_on(self) -> bool:
        """Whether the gate passes the upstream gradient on as it is, or with the sign turned."""
        local = self.local_graph
        return self.node.gate.elementwise and (is_filled(local, 1) or is_filled(local, -1))

    @property
    def pairs(self) -> list[tuple[Node, Node]]:
        """Each leaf and the input or gate that it stands for."""
        pairs = zip([*self.leaves, self.y], [*self.node.args, self.node], strict=True)
        return [(leaf, n) for leaf, n in pairs if n in self.notation.name]

    @property
    def names(self) -> dict[Node, Printed]:
        """The leaves by name, the upstream gradient as a fraction."""
        written = {leaf: self.notation.name[n] for leaf, n in self.pairs}
        return {**written, self.upstream: self.notation.gradient(self.node)}

    @property
    def values(self) -> dict[Node, Array]:
        """The numbers of the leaves."""
        return {leaf: self.notation.trace.quantities[n].value for leaf, n in self.pairs}

    @property
    def numbers(self) -> dict[Node, Printed]:
        """The leaves by their numbers, each in its colour."""
        written = {leaf: self.notation.as_value(n) for leaf, n in self.pairs}
        found = {leaf: w for leaf, w in written.items() if w is not None}
        return {**found, self.upstream: tensor(self.q.gradient, GRADIENT)}

    # ------------------------------------------------------------ the local derivative

    @property
    def local_name(self) -> Printed:
        """The fraction dgate/dargument; its number marks one of several places of the same argument."""
        slope = partial(self.notation.name[self.node], self.notation.name[self.arg])
        if self.node.args.count(self.arg) == 1:
            return slope
        return put(r"\left.", slope, rf"\right|_{{{self.place + 1}}}", signs=_BY_ARGUMENT)

    def put_in(self, dot: str) -> Printed:
        """Upstream × local derivative in symbols, joined by the sign `dot`."""
        upstream, graph = self.notation.gradient(self.node), self.local_graph
        if self.hands_on:
            return upstream if is_filled(graph, 1) else put("-", upstream)
        local = self.notation.latex(graph, self.names.get)
        is_part = local.binding <= SUM or local.minus or _BY_ENTRIES & local.signs
        local = self._unfolded() or local
        return put(upstream, dot, bracketed(local) if is_part else local)

    @of_names
    def local_entry(self) -> Equation | None:
        """The local derivative of an elementwise gate between tensors, in entries."""
        graph = self.applied(constant(1.0))
        if graph.shape != self.node.shape:
            graph = broadcast_to(graph, shape=self.node.shape)
        entry = self._entry(graph)
        if entry is None:
            return None
        own = entry.labels[len(entry.labels) - len(self.arg.shape) :] if self.arg.shape else ()
        at = tuple(0 if n == 1 else x for n, x in zip(self.arg.shape, own, strict=True))
        of, by = self.notation.entry[self.node], self.notation.entry[self.arg]
        return Equation(
            partial(entry.named(of), replace(entry, labels=at).named(by)), (entry.latex,)
        )

    def local(self) -> tuple[tuple[Printed, ...], tuple[Printed, ...]]:
        """The local derivative in symbols, as sympy derives it and as the rule has it, and numbers."""
        graph = self.local_graph
        derived = self._by_sympy()
        symbols = [derived] if derived else []
        named = is_named(self.node.gate)
        if not derived or named or self.y in set(topological(graph)):  # the value is used again
            symbols += self._steps() if derived else []
            symbols.append(self._unfolded() or self.notation.latex(graph, self.names.get))
        numbers = self.slope_written
        put_in = []
        if graph.value is not None:
            if not np.shape(self.slope) and symbols[-1].signs & {Sign.FRACTION, Sign.PI}:
                put_in.append(numbers)
        elif np.size(self.slope) <= MAX_PUT_IN:
            if not self.node.shape and not self.arg.shape:
                put_in.append(self.notation.latex(graph, self.numbers.get))
            elif known := self._known(graph):
                put_in.append(
                    self.notation.latex(graph, lambda n: known.get(n) or self.numbers.get(n))
                )
            put_in.append(numbers)
            if put_in[0].uncoloured == put_in[-1].uncoloured:
                del put_in[:-1]
        return tuple(dict.fromkeys(symbols)), tuple(put_in)

    def local_in_numbers(self) -> Printed | None:
        """The local derivative with the numbers of the forward pass, p - y as two columns.

        None where it has none, or in a condition, which says more in words.
        """
        graph, known = self.local_graph, self._known(self.local_graph)
        symbols = self.notation.latex(graph, self.names.get)
        put_in = self.notation.latex(graph, lambda n: known.get(n) or self.numbers.get(n))
        return None if put_in == symbols or Sign.TRUTH in put_in.signs else put_in

    def _steps(self) -> list[Printed]:
        """What stands between the derivative of a gate's definition and the rule, so that one can follow."""
        arguments = [self.names.get(leaf) or self.notation.latex(leaf) for leaf in self.leaves]
        return [bracketed_at(step, arguments, self.notation.taken) for step in self.node.gate.steps]

    def _unfolded(self) -> Printed | None:
        """One over a constant divisor as it stands in the formula: 1/0.5, whose number follows."""
        if (
            self.node.gate.form is not Form.QUOTIENT
            or self.place != 0
            or self.local_graph.value is None
        ):
            return None
        divisor = self.node.args[1]
        return None if divisor.shape else fraction("1", self.notation.latex(divisor))

    def _known(self, graph: Node) -> dict[Node, Printed]:
        """The numbers of functions of the forward pass that stand in a rule: softmax(z), 𝟙[a > b]."""
        values = self.values
        found: dict[Node, Printed] = {}
        nodes = topological(graph, leaves=values.keys() | {self.upstream})
        conditions = {n.args[0] for n in nodes if n.gate.form is Form.CHOICE}  # they stay in words
        skipped = {graph, *values, *conditions}
        for n in nodes:
            if n in skipped or n.is_constant or not n.gate.in_numbers:
                continue
            below = set(topological(n))
            if self.upstream not in below and math.prod(n.shape) <= MAX_PUT_IN:
                with np.errstate(all="ignore"):
                    found[n] = tensor(evaluate([n], values)[n])
        return found

    def _by_sympy(self) -> Printed | None:
        if not self.node.gate.elementwise or self.node.shape:
            return None
        arguments = tuple(
            (exact(a) if is_rational(a) else self.notation.latex(a))
            if a.is_constant
            else self.notation.name[a]
            for a in self.node.args
        )
        options = tuple(self.node.params.items())
        taken = self.notation.taken
        derived = local_derivative(self.node.gate, self.place, arguments, options, taken)
        return derived if derived is not None and len(derived) <= MAX_DERIVED else None

    def jacobian(self) -> tuple[Printed, Printed] | None:
        """The whole local derivative of a gate between small vectors, in symbols and numbers."""
        node, whole = self.node, self.node.gate.jacobian
        matrix = whole[self.place] if whole else None
        if matrix is None or not _is_small_vector(node) or not _is_small_vector(self.arg):
            return None
        y, x = (Node(INPUT, shape=(math.prod(n.shape),)) for n in (node, self.arg))
        args = [x if i == self.place else leaf for i, leaf in enumerate(self.leaves)]
        names = {y: self.notation.name[node], x: self.notation.name[self.arg]}
        written = matrix(y, *args, **node.params)
        symbols = self.notation.latex(written, lambda n: names.get(n) or self.names.get(n))
        units = np.eye(math.prod(node.shape))
        rows = [np.reshape(self.over_all_digits(one.reshape(node.shape)), -1) for one in units]
        known = {y: np.ravel(self.q.value), x: np.ravel(self.values[self.leaves[self.place]])}
        if not np.allclose(evaluate([written], {**self.values, **known})[written], rows):
            return None  # along an axis with one entry only, a gate does not mix these
        if (
            not set(topological(written)) & set(self.leaves)
            and len(node.shape) == 2 > node.shape[0]
        ):
            return None  # written for columns, where these are rows
        is_value = symbols in self.names.values()
        return symbols, tensor(np.array(rows), VALUE if is_value else None)

    def by_jacobian(self) -> tuple[Printed, ...]:
        """The chain rule with the Jacobian J: Jᵀg for columns, gJ for rows."""
        upstream = self.notation.gradient(self.node)
        shapes = [n.shape for n in (self.node, self.arg)]
        if all(len(s) == 1 or s[1] == 1 for s in shapes):
            return (put(bracketed(self.local_name), r"^{\top} ", upstream),)
        if all(len(s) == 2 and s[0] == 1 for s in shapes):
            return (put(upstream, " ", self.local_name),)
        return ()

    # ------------------------------------------------------------ what flows back

    def matrix_form(self) -> tuple[Printed, list[Printed]]:
        """The rule in symbols, and with numbers put in unless they are too many.

        What is summed up inside, such as gᵀp in the rule of softmax, has its number in a line of its own.
        """
        sizes = [math.prod(n.shape) for n in topological(self.graph)]
        symbols = self.notation.latex(self.graph, self.names.get)
        if max(sizes) > MAX_PUT_IN:
            return symbols, []
        known = self._known(self.graph)
        put_in = [self.notation.latex(self.graph, lambda n: known.get(n) or self.numbers.get(n))]
        if sums := self._sums():
            put_in.append(
                self.notation.latex(
                    self.graph, lambda n: sums.get(n) or known.get(n) or self.numbers.get(n)
                )
            )
        return symbols, put_in

    def _sums(self) -> dict[Node, Printed]:
        """The numbers of sums of the upstream gradient that a rule with ⊙ uses."""
        if not self.graph.gate.elementwise:
            return {}
        values = {**self.values, self.upstream: self.q.gradient}
        found: dict[Node, Printed] = {}
        for n in topological(self.graph):
            is_sum = n.gate.form in (Form.TOTAL, Form.INNER, Form.SUMMED) and self.upstream in set(
                topological(n)
            )
            if n is not self.graph and is_sum:
                found[n] = tensor(evaluate([n], values)[n], GRADIENT)
        return found

    @property
    def is_last(self) -> bool:
        """Whether the gate's value is the function, so that the upstream gradient is 1."""
        return self.notation.name[self.node] == self.notation.f

    @of_names
    def index_form(self) -> IndexForm | None:
        """One entry of what flows back; None where labels cannot say it."""
        return self._entry(self._local_of_all if self.is_last else self.graph)

    @property
    def _local_of_all(self) -> Node:
        """The local derivative of a number by each entry of the argument."""
        graph = self.applied(constant(1.0))
        return graph if graph.shape else broadcast_to(graph, shape=self.arg.shape)

    def _entry(self, graph: Node) -> IndexForm | None:
        entry = self.notation.entry
        names = {self.upstream: partial(self.notation.f, entry[self.node])}
        names |= {leaf: entry[n] for leaf, n in self.pairs}
        try:
            return self.notation.index_form(graph, names, self.names.get)
        except NoIndexForm:
            return None


def _is_small_vector(node: Node) -> bool:
    size = math.prod(node.shape)
    return 1 <= len(node.shape) <= 2 and size == max(node.shape) and 1 < size <= MAX_JACOBIAN


def _leaf(node: Node) -> Node:
    return node if node.is_constant else Node(INPUT, shape=node.shape, name="leaf")
