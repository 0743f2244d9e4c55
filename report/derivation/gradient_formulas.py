"""The gradients of a trace as formulas: in inputs, or with the gradients of named steps by name.

A name that stands for ∂F/∂Z before the rules below Z are run keeps their formulas short: whatever is
taken together in them, ∂F/∂Z stays one thing, and ∂F/∂W is Xᵀ ∂F/∂Z.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from report.autodiff.backprop import gradient_graph
from report.autodiff.form import Form
from report.autodiff.gates.table import GATES, apply
from report.autodiff.graph import (
    INPUT,
    Array,
    Gate,
    Graph,
    Node,
    Shape,
    evaluate,
    make,
    topological,
)
from report.autodiff.simplify import same
from report.derivation.symbolic.size import written_size

Evaluation = Callable[[Iterable[Node], dict[Node, Array]], dict[Node, Array]]
MAX_SHORT = 3  # gates of a gradient that needs no name
MAX_GATES = 400  # of a function that is looked at for what a textbook writes in one sign


@dataclass(frozen=True, eq=False)
class GradientFormula:
    """The gradient of a node; `parts` are the gradients that stand in it by name, the last gate's first."""

    node: Node
    parts: Mapping[Node, Node]

    def known(
        self, values: Mapping[Node, Array], evaluated: Evaluation = evaluate
    ) -> dict[Node, Array]:
        """The numbers of inputs, and of what stands by name."""
        known = dict(values)
        for name, part in self.parts.items():
            known[name] = evaluated([part], known)[part]
        return known

    def at(self, values: Mapping[Node, Array], evaluated: Evaluation = evaluate) -> Array:
        """Its numbers, at numbers of the inputs."""
        return evaluated([self.node], self.known(values, evaluated))[self.node]


class Backpass:
    """The backward pass of a graph over formulas.

    `whole` is that of the function as it was written. Closed forms come from the function as the rules
    write it, `recognised`: there 1 / (1 + exp(-z)) is sigmoid(z), and exp(z) over its sum softmax(z).
    `owner` says which node of the function as it was written one of its nodes has the number of.
    """

    def __init__(self, function: Graph) -> None:
        self.function = function

    @cached_property
    def whole(self) -> dict[Node, Node]:
        """The gradient of each node in inputs and gates."""
        return gradient_graph(self.function)

    @cached_property
    def recognised(self) -> tuple[Graph, dict[Node, Node]]:
        """The function as the rules write it, and for each of its nodes that of the function as it was written."""
        graph = self.function
        if len(graph.nodes) > MAX_GATES:
            return graph, {n: n for n in (*self.inputs, *graph.nodes)}
        made: dict[Node, Node] = {}
        owner: dict[Node, Node] = {}
        seen: dict[tuple[Gate, Shape], list[Node]] = {}  # what is written twice is one thing
        for n in topological(graph.result):
            if n.is_input or n.is_constant:
                made[n] = apply(n.gate, n.args, dict(n.params)) if n.args and n.shape else n
            else:
                args = tuple(made.get(a, a) for a in n.args)
                new: Node = apply(n.gate, args, dict(n.params))
                alike = seen.setdefault((new.gate, new.shape), [])
                new = next((m for m in alike if not n.name and same(m, new)), new)
                alike.append(new)
                if new in owner or new.is_input or new.is_constant:
                    made[n] = new
                    if not n.name or new.name or new.is_constant:
                        continue
                    new = Node(new.gate, new.args, new.params, new.shape)
                # a sum over the columns is A𝟏 here, however it was written
                is_kept = new.gate is n.gate and new.gate.form is not Form.TOTAL
                new.name, new.span = n.name, n.span if is_kept else None
                made[n] = new
            owner.setdefault(made[n], n)
        result = made[graph.result]
        below = set(topological(result))
        order = topological(*(made[n] for n in graph.nodes))
        nodes = tuple(n for n in order if n in below and not n.is_input and not n.is_constant)
        return replace(graph, nodes=nodes, result=result), owner

    @cached_property
    def graph(self) -> Graph:
        """The function as the rules write it."""
        return self.recognised[0]

    @cached_property
    def owner(self) -> dict[Node, Node]:
        """The node of the function as it was written whose number a node of the recognised one has."""
        return self.recognised[1]

    @cached_property
    def steps(self) -> tuple[Node, ...]:
        """The gates that the user named."""
        return tuple(n for n in self.graph.nodes if n.name)

    @cached_property
    def inputs(self) -> tuple[Node, ...]:
        """The inputs of the function."""
        return tuple(self.function.inputs.values())

    @cached_property
    def simple(self) -> dict[Node, Node]:
        """The gradient of each node of the recognised function."""
        return self._gradients()

    def _gradients(self, stand_in: Callable[[Node, Node], Node] | None = None) -> dict[Node, Node]:
        """With exp(u) as p c where a step is p = exp(u) / c: ∂p/∂u is p again."""
        written: dict[Node, Node] = {}
        back: dict[Node, Node] = {}
        for p in self.steps:
            if p.gate.form is Form.QUOTIENT and p.args[0].shape == p.shape:
                above, below = p.args
                if above.name or not _is_own_slope(above):
                    continue
                written[p] = Node(INPUT, shape=p.shape, name=p.name)
                written[above] = make(GATES["multiply"], (written[p], below))
                back[written[p]] = p
        found = gradient_graph(self.graph, stand_in, written)
        return {n: _put_back(g, back) for n, g in found.items()} if back else found

    @cached_property
    def by_steps(self) -> tuple[dict[Node, Node], dict[Node, Node]]:
        """The gradients in which those of steps have a name, and whose gradient each name is."""
        names: dict[Node, Node] = {}
        known: set[Node] = {*self.inputs, *self.steps}

        def stand_in(node: Node, gradient: Node) -> Node:
            is_unit = gradient.gate.form is Form.PUT_BACK and gradient.args[0].is_constant
            if node not in self.steps or is_unit or written_size(gradient, known) <= MAX_SHORT:
                return gradient
            name = Node(INPUT, shape=node.shape, name=f"gradient of {node.name}")
            names[name] = node
            known.add(name)
            return name

        return self._gradients(stand_in), names


def backpass_of(graph: Graph) -> Backpass:
    """The backward pass of a graph over formulas, which all traces of one that is not large have in common."""
    return _kept(graph) if len(graph.nodes) <= MAX_GATES else Backpass(graph)


_kept = lru_cache(maxsize=8)(Backpass)  # as many as the parser keeps


def _put_back(node: Node, made: dict[Node, Node]) -> Node:
    """A formula with others in the place of some nodes, and else as it is."""
    for n in topological(node, leaves=made):
        if n not in made:
            args = tuple(made.get(a, a) for a in n.args)
            made[n] = n if args == n.args else make(n.gate, args, n.params)
    return made.get(node, node)


def _is_own_slope(node: Node) -> bool:
    """Whether a gate is its own derivative, as exp is."""
    if not node.gate.elementwise or len(node.args) != 1:
        return False
    (rule,) = node.gate.rules_for(1)
    upstream, value = (Node(INPUT, shape=node.shape) for _ in range(2))
    back = rule and rule(upstream, value, node.args[0], **node.params)
    return (
        isinstance(back, Node)
        and back.gate.form is Form.PRODUCT
        and set(back.args) == {upstream, value}
    )
