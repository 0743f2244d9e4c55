"""A gate's rule and definition as a textbook writes them: graphs over the gate's numbers.

A rule may compute from the argument what the textbook computes from the value (1 - tanh²), because that
keeps more digits. A student follows the textbook, and where the value is wrong, the two differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from report.autodiff.graph import INPUT, Array, Node, evaluate, topological
from report.errors import ReportError

_FAULTS = (ArithmeticError, AttributeError, IndexError, TypeError, ValueError, ReportError)


@dataclass(frozen=True, eq=False)
class Written:
    """A formula as a graph, and its inputs: of a rule the upstream gradient, the value and the arguments."""

    result: Node
    inputs: tuple[Node, ...]

    def value(self, *numbers: Array) -> Array:
        """The formula at numbers for its inputs."""
        return self.changed(numbers)

    def changed(
        self,
        numbers: Sequence[Array],
        at: Node | None = None,
        other: Callable[..., Any] | None = None,
    ) -> Array:
        """The same where one of its gates, or of its inputs, is another function of what comes to it."""
        known: dict[Node, Array] = dict(zip(self.inputs, numbers, strict=True))
        if at is not None and other is not None:
            before = evaluate([*at.args], known)
            known[at] = other(*(before[a] for a in at.args))
        return evaluate([self.result], known)[self.result]

    @property
    def gates(self) -> list[Node]:
        """The gates of the formula, the first one first."""
        return [n for n in topological(self.result) if not n.is_input and not n.is_constant]


@lru_cache(maxsize=256)
def rule(node: Node, place: int) -> Written | None:
    """What a gate sends back to an argument; None where no graph tells it."""
    own = node.gate.rules_for(len(node.args))[place]
    if own is None:
        return None
    upstream, value = (Node(INPUT, shape=node.shape, name=name) for name in "gy")
    return _written(own, (upstream, value, *_arguments(node)), node)


@lru_cache(maxsize=256)
def definition(node: Node) -> Written | None:
    """A gate in simpler ones; None where it has no definition."""
    own = node.gate.definition
    if own is None:
        return None
    return _written(own, _arguments(node), node)


def _arguments(node: Node) -> tuple[Node, ...]:
    """Inputs in the place of a gate's arguments; constants stay what they are."""
    return tuple(
        a if a.is_constant else Node(INPUT, shape=a.shape, name=f"x{i}")
        for i, a in enumerate(node.args)
    )


def _written(own: Callable[..., Any], inputs: tuple[Node, ...], node: Node) -> Written | None:
    try:
        result = own(*inputs, **node.params)
    except _FAULTS:
        return None
    return Written(result, inputs) if isinstance(result, Node) else None


def by_the_book(node: Node, place: int) -> Callable[..., Array] | None:
    """A gate's rule for an argument: of the upstream gradient, the gate's value and its arguments."""
    written = rule(node, place)
    return None if written is None else written.value
