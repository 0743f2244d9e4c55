"""What a program printed for every gate, and what it has by right otherwise than the trace."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Protocol

import numpy as np

from report.autodiff.backprop import pull_back
from report.autodiff.graph import Array, Node
from report.autodiff.rounding_error import ROUNDING, Scale, in_float64, shaker
from report.autodiff.trace import Trace
from report.checks.comparison import (
    is_same,
)

FOLLOWS = 1e-8  # relative, of what is computed from numbers of twelve digits
SIDES = 8  # of kinks on which a program's numbers may lie, tried


class PrintedNumbers(Protocol):
    """What a program printed, read back (see `report.program.read`)."""

    @property
    def values(self) -> Mapping[str, Array]:
        """Of every gate, by name."""

    @property
    def gradients(self) -> Mapping[str, Array]:
        """Of every gate and input, by name."""


def entry_of(gradients: Mapping[str, Array], name: str, place: tuple[int, ...]) -> float:
    """One entry of a printed gradient; NaN where there is none."""
    if name not in gradients:
        return math.nan
    array = np.asarray(gradients[name])
    return float(array[place]) if array.ndim == len(place) else math.nan


def every_gate(
    trace: Trace, printed: PrintedNumbers, sizes: Mapping[Node, Scale], side: OtherSide
) -> Iterator[tuple[str, bool]]:
    """Whether a program printed the trace's value and gradient for each gate, and the inputs it has."""
    for q in (*trace.gates, *(q for q in trace.inputs if q.name in printed.values)):
        if not side.has_value(q.node):
            value = printed.values.get(q.name)
            yield f"the value of {q.name}", is_same(q.value, value, sizes[q.node].value)
        needed = q.gradient is not None and q.node in trace.needed and not q.node.is_input
        if needed and not side.has_gradient(q.node):
            gradient = printed.gradients.get(q.name)
            yield f"the gradient of {q.name}", is_same(q.gradient, gradient, sizes[q.node].gradient)


class OtherSide:
    """What a program has by right otherwise than the trace: beyond a kink that rounding took it over.

    What comes after the kink follows from the program's own numbers.
    """

    def __init__(
        self,
        trace: Trace,
        printed: PrintedNumbers,
        kinks: Collection[str],
        sizes: Mapping[Node, Scale],
    ) -> None:
        self.trace, self.printed, self.sizes = trace, printed, sizes
        self.kinks = {q.node for q in trace.gates if q.name in kinks}
        self.beyond = {
            q.node
            for q in trace.gates
            if self.kinks and not self.agrees(q.node, q.value, printed.values)
        }

    def agrees(self, node: Node, number: Array, printed: Mapping[str, Array]) -> bool:
        """Whether a printed number is that of the trace."""
        scale = self.sizes[node]
        size = scale.value if printed is self.printed.values else scale.gradient
        return is_same(number, printed.get(self.trace.name_of(node)), size)

    def own(self, node: Node) -> Array:
        """What the program has for a node."""
        q = self.trace.quantities[node]
        own = self.printed.values.get(q.name, q.value)
        return own if np.shape(own) == node.shape else q.value

    def has_value(self, node: Node) -> bool:
        """Whether a value is another one, and follows from the program's own."""
        if node not in self.beyond:
            return False
        args = [a.value if a.is_constant else self.own(a) for a in node.args]
        with np.errstate(all="ignore"):
            follows = node.gate.forward(*args, **node.params)
        return node in self.kinks or np.allclose(follows, self.own(node), FOLLOWS, 0)

    @cached_property
    def gradients(self) -> list[Mapping[Node, Array]]:
        """The backward pass over the program's own values, which are known to twelve digits, or over float64's."""
        graph = self.trace.graph
        found: list[Mapping[Node, Array]] = [in_float64(self.trace)[1]] if self.kinks else []
        for time in range(SIDES if self.kinks else 0):
            shake = shaker(time, 1e-12 if time else 0.0)
            values = {node: shake(self.own(node)) for node in self.trace.quantities}
            with np.errstate(all="ignore"):
                seed = np.ones(graph.result.shape)[()]
                found.append(pull_back(graph.nodes, graph.result, seed, values.__getitem__)[0])
        return found

    def has_gradient(self, node: Node) -> bool:
        """Whether a gradient is another one, and follows from the program's own values."""
        q = self.trace.quantities[node]
        printed = self.printed.gradients.get(q.name)
        if q.gradient is None or printed is None or np.shape(printed) != node.shape:
            return False
        if self.agrees(node, q.gradient, self.printed.gradients):
            return False
        room = max(1e-12, 100 * ROUNDING * self.sizes[node].gradient)
        sides = [g[node] for g in self.gradients if node in g]
        return any(np.allclose(side, printed, FOLLOWS, room) for side in sides)
