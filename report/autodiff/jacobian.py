"""The Jacobian of a function whose result is a vector, and forward mode: a derivative along one direction.

A row of the Jacobian is one backward pass, begun at one entry of the result. Forward mode carries a tangent
through the graph beside every value: ẏ = Σ (∂y/∂x) ẋ. Both are checked against central differences; the
tangent of the result also against the backward pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from report.autodiff.backprop import backward, pull_back
from report.autodiff.differentiate import record
from report.autodiff.finite_differences import estimated
from report.autodiff.gates import GATES, Key, Place, fit_to, multiply, total
from report.autodiff.graph import (
    INPUT,
    Array,
    Node,
    constant,
    evaluate,
    input_node,
    make,
    topological,
)
from report.autodiff.kinks import kinks as kinks_of
from report.autodiff.trace import Trace, as_lists
from report.errors import ReportError

MAX_ROWS, MAX_COLUMNS = 12, 12  # of a Jacobian that is shown
TOLERANCE = 1e-6  # relative to the largest entry
STEPS = (1e-5, 1e-4, 1e-6, 1e-3, 1e-7)

_ROWS = "ijklmnprst"  # letters for any entry of the result

Labels = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, eq=False)
class Jacobian:
    """∂y/∂x: a row for each entry of the result, a column for each entry (name, place) asked for.

    `error` is the largest deviation of central differences relative to the largest entry, None where a kink
    or the domain leaves none; `agrees` tells whether they confirm the matrix.
    """

    rows: tuple[tuple[int, ...], ...]
    columns: Labels
    matrix: Array
    error: float | None
    agrees: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries, lists and numbers."""
        columns = [f"{n}[{','.join(map(str, at))}]" if at else n for n, at in self.columns]
        return {
            "rows": [list(row) for row in self.rows],
            "columns": columns,
            "matrix": self.matrix.tolist(),
        }


def jacobian(trace: Trace) -> Jacobian:
    """The Jacobian of the vector of whose entries a trace has one as its result."""
    graph = trace.graph
    whole = graph.result.args[0] if graph.entry is not None else graph.result
    columns = tuple((n, at) for n in trace.wrt for at in np.ndindex(graph.inputs[n].shape))
    rows = tuple(np.ndindex(whole.shape))
    if len(rows) > MAX_ROWS or len(columns) > MAX_COLUMNS:
        raise ReportError(
            f"jacobian: {len(rows)} × {len(columns)} entries; {MAX_ROWS} × {MAX_COLUMNS} are possible: "
            "name fewer inputs in wrt"
        )
    nodes = [n for n in graph.nodes if n is not graph.result or n is whole]
    values = {node: q.value for node, q in trace.quantities.items()}
    matrix = np.zeros((len(rows), len(columns)))
    for i, row in enumerate(rows):
        seed = np.zeros(whole.shape)
        seed[row] = 1.0
        with np.errstate(all="ignore"):
            found = pull_back(nodes, whole, seed[()], values.__getitem__)[0]
        slopes = {n: found.get(graph.inputs[n], np.zeros(graph.inputs[n].shape)) for n in trace.wrt}
        matrix[i] = [float(np.asarray(slopes[name])[at]) for name, at in columns]
    if not np.isfinite(matrix).all():
        raise ReportError("jacobian: an entry is no finite number at this point")
    error = None if kinks_of(trace) else _error(trace, whole, columns, matrix)
    return Jacobian(rows, columns, matrix, error, error is None or error <= TOLERANCE)


def any_entry(trace: Trace, at: int) -> Trace:
    """The trace with any entry of a vector as its result: y_i, where i is an input that counts from 1.

    i has the number of the entry `at`, which counts from 0. The formulas of the trace hold for every i.
    """
    graph = trace.graph
    whole = graph.result.args[0] if graph.entry is not None else graph.result
    taken = {q.name for q in trace.quantities.values()} | graph.lets.keys()
    letter = next(c for c in _ROWS if c not in taken)
    row = input_node(letter, np.float64(at + 1))
    result = make(GATES["index"], [whole, row], {"key": Key((Place(1, start=1),))})
    result.name = f"{whole.name or trace.letter}_{letter}"
    kept = [n for n in graph.nodes if n is not graph.result or n is whole]
    turned = replace(
        graph,
        inputs={**graph.inputs, letter: row},
        nodes=(*kept, result),
        result=result,
        integers={**graph.integers, letter: "index"},
        entry=None,
    )
    values = {n: trace.quantities[n].value for n in (*graph.inputs.values(), *kept)}
    values[row] = np.float64(at + 1)
    values[result] = np.asarray(values[whole])[at]
    return record(turned, values, *backward(turned, values, trace.wrt), trace.wrt)


def _error(trace: Trace, whole: Node, columns: Labels, matrix: Array) -> float | None:
    size = max(float(np.max(np.abs(matrix))), 1e-300)
    errors = []
    for j, (name, at) in enumerate(columns):
        direction = np.zeros(trace.graph.inputs[name].shape)
        direction[at] = 1.0
        error = _gap(_along(trace, whole, {name: direction}), matrix[:, j], size)
        if error is not None:
            errors.append(error)
    return max(errors) if errors else None


def _along(trace: Trace, whole: Node, direction: Mapping[str, Array]) -> Callable[[float], Array]:
    """The value of a node some way along a direction of the inputs."""
    given = {q.node: q.value for q in trace.inputs}

    def at(h: float) -> Array:
        moved = {n: v + h * direction.get(str(n.name), 0.0) for n, v in given.items()}
        return evaluate([whole], moved)[whole]

    return at


def _gap(at: Callable[[float], Array], expected: Array, size: float) -> float | None:
    """How far central differences round 0 are from what is expected; None where none is taken."""

    def quotient(h: float) -> tuple[Array, float]:
        above, below = (np.asarray(at(s * h), dtype=float).reshape(-1) for s in (1, -1))
        return (above - below) / (2 * h), float(np.max(np.abs([above, below])))

    gaps = [
        float(np.max(np.abs(found - np.reshape(expected, -1)))) / size
        for found, _ in estimated(quotient, STEPS)
    ]
    finite = [gap for gap in gaps if math.isfinite(gap)]
    return min(finite) if finite else None


def part_error(trace: Trace, name: str) -> float | None:
    """How far central differences by a let-line are from its gradient, relative to the larger of 1 and it.

    None where a kink or the domain leaves none.
    """
    if kinks_of(trace):
        return None
    node, graph = trace.graph.lets[name], trace.graph
    value = np.asarray(trace.quantities[node].value, dtype=float)
    gradient = np.asarray(trace.part(name, ()))
    given = {q.node: q.value for q in trace.inputs}
    size = max(1.0, float(np.max(np.abs(gradient))))
    errors = []
    for place in list(np.ndindex(node.shape))[:MAX_ROWS]:
        direction = np.zeros(node.shape)
        direction[place] = 1.0

        def at(h: float, direction: Array = direction) -> Array:
            known = {**given, node: (value + h * direction)[()]}
            return evaluate([graph.result], known)[graph.result]

        gap = _gap(at, gradient[place], size)
        if gap is not None:
            errors.append(gap)
    return max(errors) if errors else None


@dataclass(frozen=True, eq=False)
class Forward:
    """Forward mode along a direction: the tangent of every input and gate, by node.

    `value` is the result's tangent, `backward` the same from the backward pass: gradient · direction;
    `error` is what differences deviate by, relative to the larger of 1 and the tangent, None for none.
    """

    direction: Mapping[str, Array]
    tangents: Mapping[Node, Array]
    value: float
    backward: float
    error: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries, lists and numbers."""
        return {
            "tangent": self.value,
            "along": {name: as_lists(v) for name, v in self.direction.items()},
        }

    @property
    def agrees(self) -> bool:
        """Whether the backward pass and differences confirm it."""
        size = max(1.0, abs(self.value))
        near = abs(self.value - self.backward) <= 1e-10 * size
        return near and (self.error is None or self.error <= TOLERANCE)


def forward_mode(trace: Trace, direction: Mapping[str, Array]) -> Forward:
    """Carry the tangents of a direction, an array for some of the inputs, through a trace's graph."""
    graph = trace.graph
    tangents: dict[Node, Array] = {}
    for name, node in graph.inputs.items():
        own = np.asarray(direction.get(name, 0.0), dtype=float)
        if own.shape not in ((), node.shape):
            raise ReportError(
                f"direction: {name} has shape {node.shape}, its direction {own.shape}"
            )
        tangents[node] = np.broadcast_to(own, node.shape).copy()[()]
    for node in graph.nodes:
        tangents[node] = _tangent(trace, node, tangents)
    value = float(np.asarray(tangents[graph.result]).item())
    slopes = {q.name: q.gradient for q in trace.inputs if q.gradient is not None}
    moved = {name: tangents[graph.inputs[name]] for name in direction}
    missing = [name for name in moved if name not in slopes]
    if missing:
        raise ReportError(f"direction: {missing[0]} is no input that could be a little larger")
    back = float(sum(np.sum(np.asarray(slopes[n]) * t) for n, t in moved.items()))
    size = max(1.0, abs(value))
    error = None
    if not kinks_of(trace):
        error = _gap(_along(trace, graph.result, moved), np.array([value]), size)
    return Forward(direction, tangents, value, back, error)


def _tangent(trace: Trace, node: Node, tangents: Mapping[Node, Array]) -> Array:
    """Σ (∂y/∂x) ẋ of one gate, by its backward rules: linear in what comes from above, they can be turned round."""
    above = Node(INPUT, shape=node.shape)
    y = Node(INPUT, shape=node.shape)
    args = [a if a.is_constant else Node(INPUT, shape=a.shape) for a in node.args]
    known: dict[Node, Array] = {y: trace.quantities[node].value, above: np.zeros(node.shape)[()]}
    whole: Any = None
    rules: tuple[Callable[..., Any] | None, ...] = node.gate.rules_for(len(args))
    for arg, own, rule in zip(node.args, args, rules, strict=True):
        if arg.is_constant:
            continue
        known[own] = trace.quantities[arg].value
        if rule is None or not np.any(tangents[arg]):
            continue
        part = rule(above, y, *args, **node.params)
        if arg.shape != node.shape and node.gate.elementwise:
            part = fit_to(part, own)
        term = multiply(part, constant(tangents[arg]))
        term = total(term) if getattr(term, "shape", ()) else term
        whole = term if whole is None else whole + term
    if not isinstance(whole, Node) or whole.is_constant:
        return np.zeros(node.shape)[()]
    gates = [n for n in topological(whole) if not n.is_input and not n.is_constant]
    turned = pull_back(gates, whole, constant(1.0), lambda n: n)[0].get(above)
    if turned is None:
        return np.zeros(node.shape)[()]
    return np.broadcast_to(evaluate([turned], known)[turned], node.shape).copy()[()]
