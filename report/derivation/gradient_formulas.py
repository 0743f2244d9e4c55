"""The gradients of a trace as formulas: in inputs, or with the gradients of named steps by name.

A name that stands for ∂F/∂Z before the rules below Z are run keeps their formulas short: whatever is
taken together in them, ∂F/∂Z stays one thing, and ∂F/∂W is Xᵀ ∂F/∂Z.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from report.autodiff.backprop import gradient_graph
from report.autodiff.graph import INPUT, Array, Node, evaluate
from report.autodiff.trace import Trace
from report.derivation.symbolic.size import written_size

Evaluation = Callable[[Iterable[Node], dict[Node, Array]], dict[Node, Array]]
MAX_SHORT = 2  # gates of a gradient that needs no name


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
    """The backward pass of a trace over formulas."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    @cached_property
    def steps(self) -> tuple[Node, ...]:
        """The gates that the user named."""
        return tuple(q.node for q in self.trace.gates if q.node.name)

    @cached_property
    def inputs(self) -> tuple[Node, ...]:
        """The inputs that the function uses."""
        return tuple(q.node for q in self.trace.inputs)

    @cached_property
    def whole(self) -> dict[Node, Node]:
        """The gradient of each node in inputs and gates."""
        return gradient_graph(self.trace.graph)

    @cached_property
    def by_steps(self) -> tuple[dict[Node, Node], dict[Node, Node]]:
        """The gradients in which those of steps have a name, and whose gradient each name is."""
        names: dict[Node, Node] = {}
        known: set[Node] = {*self.inputs, *self.steps}

        def stand_in(node: Node, gradient: Node) -> Node:
            if node not in self.steps or written_size(gradient, known) <= MAX_SHORT:
                return gradient
            name = Node(INPUT, shape=node.shape, name=f"gradient of {node.name}")
            names[name] = node
            known.add(name)
            return name

        return gradient_graph(self.trace.graph, stand_in), names
