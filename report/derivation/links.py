"""A gate and one of its arguments: the rule over names, over numbers, and in index form."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np

from report.calls import is_named
from report.derivation.notation import Notation, Written
from report.gates import ATOM, fit_to
from report.graph import INPUT, Array, Node, constant, topological
from report.identities import is_filled
from report.identities.constants import is_rational
from report.printers.index import Entry, NoIndexForm, index_form
from report.printers.latex import latex
from report.printers.notation import GRADIENT, partial, tensor, uncoloured
from report.symbolic import constant as exact
from report.symbolic import local_derivative
from report.tracing import Quantity

MAX_PUT_IN = 27  # entries of a tensor whose numbers are put into a formula; more is not for reading
MAX_DERIVED = 100  # characters of sympy's derivative of a gate, such as that of GELU; a longer one is left out
MAX_JACOBIAN = 6  # entries of a vector whose Jacobian is shown


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

    def over_numbers(self, upstream: Array) -> Array:
        """The rule over the numbers of the trace."""
        quantities = self.notation.trace.quantities
        values = [a.value if a.is_constant else quantities[a].value for a in self.node.args]
        with np.errstate(all="ignore"):
            return self.rule(upstream, self.q.value, *values, **self.node.params)

    @cached_property
    def graph(self) -> Node:
        """What flows back to the argument, summed over stretched axes."""
        return fit_to(self.applied(self.upstream), self.arg)

    @cached_property
    def slope(self) -> Array:
        """The numbers of the local derivative: the rule with an upstream gradient of ones."""
        return self.over_numbers(np.ones(self.node.shape) if self.node.shape else np.float64(1.0))

    @property
    def hands_on(self) -> bool:
        """Whether the gate passes the upstream gradient on as it is, or with the sign turned."""
        local = self.applied(constant(1.0))
        return self.node.gate.elementwise and (is_filled(local, 1) or is_filled(local, -1))

    @property
    def pairs(self) -> list[tuple[Node, Node]]:
        """Each leaf and the input or gate that it stands for."""
        pairs = zip([*self.leaves, self.y], [*self.node.args, self.node], strict=True)
        return [(leaf, n) for leaf, n in pairs if n in self.notation.name]

    @property
    def names(self) -> dict[Node, Written]:
        """The leaves by name, the upstream gradient as a fraction."""
        written = {leaf: (self.notation.name[n], ATOM) for leaf, n in self.pairs}
        return {**written, self.upstream: (self.notation.gradient(self.node), ATOM)}

    @property
    def numbers(self) -> dict[Node, Written]:
        """The leaves by their numbers, each in its colour."""
        written = {leaf: self.notation.as_value(n) for leaf, n in self.pairs}
        found = {leaf: w for leaf, w in written.items() if w is not None}
        return {**found, self.upstream: tensor(self.q.gradient, GRADIENT)}

    # ------------------------------------------------------------ the local derivative

    @property
    def local_name(self) -> str:
        """The fraction dgate/dargument."""
        return partial(self.notation.name[self.node], self.notation.name[self.arg])

    def local(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The local derivative in symbols, as sympy derives it and as the rule has it, and numbers."""
        graph = self.applied(constant(1.0))
        derived = self._by_sympy()
        symbols = [derived] if derived else []
        named = is_named(self.node.gate)
        if not derived or named or self.y in set(topological(graph)):  # the value is used again
            symbols.append(latex(graph, self.names.get))
        put_in = []
        if graph.value is None and np.size(self.slope) <= MAX_PUT_IN:
            if not self.node.shape and not self.arg.shape:
                put_in.append(latex(graph, self.numbers.get))
            put_in.append(tensor(self.slope)[0])
            if uncoloured(put_in[0]) == uncoloured(put_in[-1]):
                del put_in[:-1]
        return tuple(dict.fromkeys(symbols)), tuple(put_in)

    def _by_sympy(self) -> str | None:
        if not self.node.gate.elementwise or self.node.shape:
            return None
        arguments = tuple(
            (exact(a) if is_rational(a) else latex(a)) if a.is_constant else self.notation.name[a]
            for a in self.node.args
        )
        options = tuple(self.node.params.items())
        derived = local_derivative(self.node.gate, self.place, arguments, options)
        return derived if derived is not None and len(derived) <= MAX_DERIVED else None

    def jacobian(self) -> tuple[str, str] | None:
        """The whole local derivative of a gate between small vectors, in symbols and numbers."""
        node, whole = self.node, self.node.gate.jacobian
        matrix = whole[self.place] if whole else None
        if matrix is None or not _is_small_vector(node) or not _is_small_vector(self.arg):
            return None
        y, x = (Node(INPUT, shape=(math.prod(n.shape),)) for n in (node, self.arg))
        args = [x if i == self.place else leaf for i, leaf in enumerate(self.leaves)]
        names = {y: (self.notation.name[node], ATOM), x: (self.notation.name[self.arg], ATOM)}
        symbols = latex(
            matrix(y, *args, **node.params), lambda n: names.get(n) or self.names.get(n)
        )
        units = np.eye(math.prod(node.shape))
        rows = [np.reshape(self.over_numbers(one.reshape(node.shape)), -1) for one in units]
        return symbols, tensor(np.array(rows))[0]

    # ------------------------------------------------------------ what flows back

    def matrix_form(self) -> tuple[str, str | None]:
        """The rule in symbols, and with numbers put in unless they are too many."""
        sizes = [math.prod(n.shape) for n in topological(self.graph)]
        few = max(sizes) <= MAX_PUT_IN
        put_in = latex(self.graph, self.numbers.get) if few else None
        return latex(self.graph, self.names.get), put_in

    def index_form(self) -> Entry | None:
        """One entry of what flows back; None where labels cannot say it."""
        entry, letters = self.notation.entry, self.notation.letters
        names = {self.upstream: partial(self.notation.f, entry[self.node])}
        names |= {leaf: entry[n] for leaf, n in self.pairs}
        try:
            return index_form(self.graph, names, lambda n: latex(n, self.names.get), letters)
        except NoIndexForm:
            return None


def _is_small_vector(node: Node) -> bool:
    size = math.prod(node.shape)
    return 1 <= len(node.shape) <= 2 and size == max(node.shape) and 1 < size <= MAX_JACOBIAN


def _leaf(node: Node) -> Node:
    return node if node.is_constant else Node(INPUT, shape=node.shape, name="leaf")
