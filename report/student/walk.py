"""One student's way through a graph: forward and back, each number as written or as it follows.

`walk` computes every value from the values before it and every gradient from those that arrive, and
lets `settle` decide which number the student went on with. So an error is carried forward, and what
comes after it can be told from a new error. `Deviations` puts known mistakes in the place of a gate's
own function, of one of its backward rules, or of the sum of what arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from report.autodiff.backprop import pull_back
from report.autodiff.gates import fit_to
from report.autodiff.graph import Array, Node
from report.autodiff.trace import Trace
from report.errors import ReportError
from report.student.written import by_the_book

Key = tuple[Node, bool]  # a node's value, or its gradient (True)
Settle = Callable[[Key, Array, Sequence[Key]], Array]
Forward = Callable[..., Array]  # of the arguments
Backward = Callable[..., Array]  # of the upstream gradient, the gate's value and the arguments


@dataclass(frozen=True)
class Deviations:
    """Other functions in place of the right ones: of gates, of rules by argument, of sums."""

    forward: Mapping[Node, Forward] = field(default_factory=dict)
    backward: Mapping[tuple[Node, int], Backward] = field(default_factory=dict)
    sums: Mapping[Node, Callable[[list[Array]], Array]] = field(default_factory=dict)


NONE = Deviations()


def keys_of(trace: Trace) -> list[Key]:
    """Every value and gradient in the order of a walk."""
    forth = [(q.node, False) for q in (*trace.inputs, *trace.gates)]
    back = [(q.node, True) for q in (*trace.gates[::-1], *trace.inputs) if q.gradient is not None]
    return forth + back


def truth(trace: Trace, key: Key) -> Array:
    """The trace's own number."""
    quantity = trace.quantities[key[0]]
    return quantity.gradient if key[1] else quantity.value


def uses_of(trace: Trace) -> dict[Key, list[Key]]:
    """The keys that each key is computed into."""
    uses: dict[Key, list[Key]] = {}
    for q in trace.gates:
        for arg in q.node.args:
            if arg in trace.quantities:
                uses.setdefault((arg, False), []).append((q.node, False))
                uses.setdefault((q.node, True), []).append((arg, True))
    return uses


def held_after(key: Key, uses: dict[Key, list[Key]], held: Container[Key]) -> list[Key]:
    """The nearest keys among those held that depend on a key."""
    found, seen, waiting = [], {key}, list(uses.get(key, ()))
    while waiting:
        other = waiting.pop()
        if other in seen:
            continue
        seen.add(other)
        if other in held:
            found.append(other)
        else:
            waiting += uses.get(other, ())
    return found


def walk(trace: Trace, settle: Settle, deviations: Deviations = NONE) -> None:
    """Go forward and back; `settle(key, expected, sources)` gives the number to go on with.

    `sources` are the keys that `expected` was computed from. What a gate can make nothing of is taken
    from the trace.
    """
    with np.errstate(all="ignore"):
        values, other = _forth(trace, settle, deviations)
        _back(trace, settle, deviations, values, other)


def _forth(
    trace: Trace, settle: Settle, deviations: Deviations
) -> tuple[dict[Node, Array], set[Node]]:
    """The values, and the gates whose value is not what their function gives."""
    values: dict[Node, Array] = {}
    wrong: set[Node] = set()
    for quantity in (*trace.inputs, *trace.gates):
        node = quantity.node
        expected, sources = quantity.value, []
        if not node.is_input:
            args = [a.value if a.is_constant else values[a] for a in node.args]
            sources = [(a, False) for a in node.args if not a.is_constant]
            other = deviations.forward.get(node)
            right = attempt(expected, node.gate.forward, *args, **node.params)
            expected = right if other is None else attempt(expected, other, *args)
        values[node] = settle((node, False), expected, sources)
        if not node.is_input and not np.array_equal(values[node], right):
            wrong.add(node)
    return values, wrong


def _back(
    trace: Trace,
    settle: Settle,
    deviations: Deviations,
    values: Mapping[Node, Array],
    wrong: Collection[Node],
) -> None:
    if trace.result is None:
        return
    result = trace.result.node
    arrived: dict[Node, list[Array]] = {result: [np.ones(result.shape)[()]]}
    sources: dict[Node, list[Key]] = {}
    for node in (*(q.node for q in trace.gates[::-1]), *(q.node for q in trace.inputs)):
        if trace.quantities[node].gradient is None:
            continue
        parts = arrived.get(node, [np.zeros(node.shape)[()]])
        expected = (deviations.sums.get(node) or _sum)(parts)
        own = settle((node, True), expected, sources.get(node, []))
        if node.is_input:
            continue
        args = [a.value if a.is_constant else values[a] for a in node.args]
        used = [(node, True), (node, False), *((a, False) for a in node.args if not a.is_constant)]
        _, arrivals = pull_back([node], node, own, values.__getitem__)
        for arg, place, part in zip(
            arrivals.arguments, arrivals.places, arrivals.parts, strict=True
        ):
            other = deviations.backward.get((node, place))
            if other is None and node in wrong:  # the textbook's rule computes from the value
                other = by_the_book(node, place)
            if other is None:
                sent = part
            else:
                sent = attempt(part, _fitted, arg, other, own, values[node], *args)
            arrived.setdefault(arg, []).append(sent)
            sources.setdefault(arg, []).extend(used)


def _sum(parts: list[Array]) -> Array:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _fitted(arg: Node, rule: Backward, *numbers: Array) -> Array:
    """What a rule gives, in the shape of the argument that it goes to."""
    part = rule(*numbers)
    return part if np.shape(part) == arg.shape else fit_to(part, arg)


def attempt(otherwise: Array, compute: Callable[..., Any], *args: Any, **params: Any) -> Array:
    """What can be computed; where nothing of that shape comes out, something else."""
    try:
        value = compute(*args, **params)
        fits = np.shape(value) == np.shape(otherwise) and bool(np.isfinite(value).all())
    except (np.linalg.LinAlgError, ArithmeticError, IndexError, ValueError, TypeError, ReportError):
        return otherwise
    return value if fits else otherwise
