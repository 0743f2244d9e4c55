"""What float64 is too short for, in words: a gate's number that is too small for it, or lost beside a larger one.

The programs of a report compute in float64, so that such a function is refused where the loss is more than
its last digits. That it is float64 that loses them, extended precision tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from report.autodiff import domain_errors, extended
from report.autodiff.backprop import gate_names
from report.autodiff.graph import Array, Graph, Node, topological
from report.autodiff.trace import Trace
from report.errors import ReportError

MAX_STEPS = 3000  # of a graph that is looked through: a tenth of a second
_LARGE = 1e-307  # a float64 number of this size has all its digits
_SAME = 1e-6


@contextmanager
def noted() -> Iterator[list[str]]:
    """What NumPy says of numbers that become too small for float64 in the meantime."""
    found: list[str] = []

    def note(kind: str, flag: int) -> None:
        found[:] = [kind]

    with np.errstate(under="call", call=note):
        yield found


def explained(graph: Graph, inputs: Mapping[str, Array], fault: ReportError) -> ReportError:
    """The fault of a forward or backward pass, or what float64 has to do with it."""
    exact = _exact(graph, inputs)
    if exact is None:
        return fault
    known = {graph.inputs[name]: value for name, value in inputs.items()}
    node = next((n for n in graph.nodes if _is_lost(exact[n])), None)
    if node is not None:
        return ReportError(f"{_message(graph, node, known, exact)}{domain_errors.KEEP}")
    slopes, _ = extended.backward(graph, exact)
    known_all = all(np.all(np.isfinite(extended.floats(g))) for g in slopes.values())
    return ReportError(f"{fault}{domain_errors.KEEP}") if known_all else fault


def check(found: Trace) -> None:
    """ReportError where a number that is too small for float64 makes others wrong."""
    graph = found.graph
    exact = _exact(graph, {q.name: q.value for q in found.inputs})
    if exact is None:
        return
    values = {node: q.value for node, q in found.quantities.items()}
    lost = [q.node for q in found.gates if _is_lost(exact[q.node])]
    for q in found.gates:
        if lost and _is_wrong(exact[q.node], q.value):
            below = set(topological(q.node))
            first = next((node for node in lost if node in below), None)
            if first is not None:
                raise _message(graph, first, values, exact)
    slopes, arrivals = extended.backward(graph, exact)
    known = {q.node: q.gradient for q in found.quantities.values() if q.gradient is not None}
    if any(_is_wrong(slopes[node], known[node]) for node in slopes.keys() & known.keys()):
        for q in reversed(found.gates):  # consumers before arguments
            if q.node in slopes and _is_lost(slopes[q.node]):
                raise domain_errors.gradient_underflow(graph, q.node, gate_names(graph))
        if lost:  # a local derivative is made of it
            raise _message(graph, lost[0], values, exact)
    for arg, gate, part in zip(arrivals.arguments, arrivals.consumers, arrivals.parts, strict=True):
        if gate.gate.elementwise and _is_lost(_local(part, slopes[gate])):
            raise domain_errors.derivative_underflow(graph, gate, arg, gate_names(graph))


def _exact(graph: Graph, inputs: Mapping[str, Array]) -> dict[Node, Any] | None:
    """The numbers of a graph in extended precision, where it gives them."""
    if extended.steps(graph) > MAX_STEPS:
        return None
    try:
        return extended.forward(graph, {graph.inputs[name]: v for name, v in inputs.items()})
    except ReportError:
        return None


def _is_lost(exact: Any) -> bool:
    """Whether a number that is not 0 is the nearest to 0 of all float64 numbers."""
    there = np.vectorize(lambda x: x.stored != 0, otypes=[bool])(exact)
    return bool(np.any(there & (extended.floats(exact) == 0)))


def _local(part: Any, upstream: Any) -> Any:
    """The local derivatives of a gate that carry a number to an argument of its shape."""
    if np.shape(part) != np.shape(upstream):
        return np.ravel(part)[:0]
    carried = np.abs(extended.floats(part)) > _LARGE
    return np.array(np.ravel(part)[carried.ravel()] / np.ravel(upstream)[carried.ravel()])


def _is_wrong(exact: Any, value: Array) -> bool:
    number = extended.floats(exact)
    gap = np.abs(number - value)
    return bool(np.any((np.abs(number) > _LARGE) & (gap > _SAME * np.abs(number))))


def _message(
    graph: Graph, node: Node, known: Mapping[Node, Array], exact: Mapping[Node, Any]
) -> ReportError:
    args = [
        a.value if a.is_constant else known.get(a, extended.floats(exact[a])) for a in node.args
    ]
    return domain_errors.underflow(graph, node, gate_names(graph), args)
