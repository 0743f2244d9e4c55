"""Central difference quotients: in float64 with an estimate of the error, or in extended precision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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
_SAME = 1e-6  # relative, of the slopes on both sides


def exact_quotient(
    graph: Graph, values: Mapping[str, Array], name: str, place: tuple[int, ...], terms: float
) -> float | None:
    """The slope by one entry of an input, by a step so small that no kink beside it is crossed.

    `terms` is the size of what the function's value comes from. What is taken as given does not move. None
    where the slopes on both sides differ, or the function is not defined on both.
    """
    x = np.asarray(values[name])[place]
    h = extended.scaled(abs(float(x)) or 1.0, _STEP if x else _FROM_ZERO)
    given: dict[Node, Any] = {graph.inputs[key]: value for key, value in values.items()}
    found = []
    try:
        here = extended.forward(graph, given)
        given |= {node: here[node] for node in graph.nodes if node.gate.held}
        for step in (-h, h):
            moved = np.asarray(values[name]).astype(object)
            moved[place] = extended.moved(x, step)
            numbers = extended.forward(graph, {**given, graph.inputs[name]: moved[()]})
            found.append(np.asarray(numbers[graph.result]).item())
    except ReportError:
        return None
    found.insert(1, np.asarray(here[graph.result]).item())
    left, right = (found[1] - found[0]) / h, (found[2] - found[1]) / h
    noise = float(_NOISE * max(abs(found[1]), terms) / h)
    slope = float((left + right) / 2)
    if abs(slope) <= noise:
        slope = 0.0
    return slope if abs(float(left - right)) <= _SAME * abs(slope) + noise else None
