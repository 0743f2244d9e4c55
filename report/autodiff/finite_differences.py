"""Central difference quotients: in float64 with an estimate of the error, or in extended precision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from report.autodiff import extended
from report.autodiff.graph import Array, Graph, Node
from report.errors import ReportError

Quotient = Callable[
    [float], tuple[Any, float]
]  # of a step: the quotient, and the size of the function


def estimated(
    quotient: Quotient, steps: Iterable[float], terms: float = 0.0
) -> Iterator[tuple[Any, Any]]:
    """Each step's quotient and its error, but for steps that leave the function's domain.

    `terms` is the size of what the function's values are rounded from, if that is larger than they are.
    """
    for h in steps:
        try:
            whole, size = quotient(h)
            half, _ = quotient(h / 2)
        except ReportError:  # the step leaves the function's domain
            continue
        # twice the change from h to h/2 is more than the error of the quotient; the rest is rounding
        rounding = 16 * np.finfo(float).eps * max(size, terms) / h
        yield whole, 2 * np.abs(whole - half) + rounding


_STEP = 2.0**-300  # of an entry: its square is nothing beside 1, and it leaves 1,000 of 1,300 bits
_FROM_ZERO = 2.0**-500
_NOISE = 2.0**-1000  # what 1,300 bits leave of the function, with room for terms that cancel
_UNTOLD = 2.0**-400  # more noise, by a step from a tiny number, does not tell a slope from 0
_SAME = 1e-6  # relative, of the slopes on both sides
MAX_EXACT = 400_000  # steps (see `extended.steps`) for all entries of a trace: some seconds


class ExactQuotients:
    """Slopes by single entries of inputs, by a step so small that no kink beside it is crossed.

    `terms` is the size of what the function's value comes from. What is taken as given does not move.
    """

    def __init__(self, graph: Graph, values: Mapping[str, Array], terms: float) -> None:
        self.graph = graph
        self.values = values
        self.terms = terms
        self.left = MAX_EXACT

    @cached_property
    def here(self) -> dict[Node, Any]:
        """The numbers of all nodes. Raises ReportError."""
        given = {self.graph.inputs[key]: value for key, value in self.values.items()}
        return extended.forward(self.graph, given)

    @cached_property
    def given(self) -> dict[Node, Any]:
        """What does not move: other inputs, and what is held."""
        held = {node: self.here[node] for node in self.graph.nodes if node.gate.held}
        return held | {self.graph.inputs[key]: value for key, value in self.values.items()}

    @property
    def possible(self) -> bool:
        """Whether one more takes no more time than there is."""
        return extended.steps(self.graph) <= min(extended.MAX_STEPS, self.left)

    def slope(self, name: str, place: tuple[int, ...]) -> float | None:
        """None where the slopes on both sides differ or are lost, or the function is not defined on both."""
        self.left -= 2 * extended.steps(self.graph)
        x = np.asarray(self.values[name])[place]
        h = extended.scaled(abs(float(x)) or 1.0, _STEP if x else _FROM_ZERO)
        try:
            f = np.asarray(self.here[self.graph.result]).item()
            below, above = (self._moved(name, place, step) for step in (-h, h))
        except ReportError:
            return None
        left, right = (f - below) / h, (above - f) / h
        noise = float(_NOISE * max(abs(f), self.terms) / h)
        slope = float((left + right) / 2)
        if abs(slope) <= noise:
            if noise > _UNTOLD:
                return None
            slope = 0.0
        return slope if abs(float(left - right)) <= _SAME * abs(slope) + noise else None

    def _moved(self, name: str, place: tuple[int, ...], step: Any) -> Any:
        """The function with one entry a step further."""
        moved = np.asarray(self.values[name]).astype(object)
        moved[place] = extended.moved(moved[place], step)
        node = self.graph.inputs[name]
        return np.asarray(
            extended.forward(self.graph, {**self.given, node: moved[()]})[self.graph.result]
        ).item()
