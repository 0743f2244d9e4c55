"""Second order: the Hessian, or its product with a vector, from differentiating the backward graph.

The backward graph is an ordinary graph, so backpropagation runs through it again: the gradient of
g · v, where g is the gradient and v a fixed direction, is H v. With v along each axis in turn the
columns of the Hessian come out. Both are checked against central differences of the gradient.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from report.backprop import backward, forward, gradient_graph, pull_back
from report.errors import ReportError
from report.gates import multiply, total
from report.graph import INPUT, Array, Graph, Node, constant, evaluate, shape_of, topological
from report.tracing import Trace

MAX_HESSIAN = 12  # entries asked for, all inputs together; beyond, one Hessian-vector product
TOLERANCE = 1e-5  # relative to the largest entry, for differences of the gradient


@dataclass(frozen=True, eq=False)
class Curvature:
    """The Hessian of a function by the inputs asked for, or its product with one direction.

    `labels` are the (input, place) of each row. `matrix` is n × n; for many inputs it is n × 1, the
    product with `direction` (a unit vector with equal entries). `graphs` holds d²f/dx² in closed form
    for scalar inputs. `differences` are the same numbers from central differences of the gradient,
    and `error` the largest deviation relative to the largest entry.
    """

    labels: tuple[tuple[str, tuple[int, ...]], ...]
    matrix: Array
    differences: Array
    direction: Array | None
    error: float
    asymmetry: float

    @property
    def agrees(self) -> bool:
        """Whether the differences confirm the numbers."""
        return self.error <= TOLERANCE and self.asymmetry <= 1e-9


def curvature(trace: Trace) -> Curvature:
    """The second derivatives of a trace's function. Raises ReportError where one is not finite."""
    graph = trace.graph
    labels = tuple(
        (name, place) for name in trace.wrt for place in np.ndindex(graph.inputs[name].shape)
    )
    n = len(labels)
    directions = np.eye(n) if n <= MAX_HESSIAN else np.full((n, 1), 1 / math.sqrt(n))
    product = _product_graph(graph, trace.wrt)
    values = {q.node: q.value for q in trace.inputs}
    columns, quotients = [], []
    for direction in directions.T:
        pieces = _split(trace, direction)
        columns.append(_flat([_evaluated(product, name, values, pieces) for name in trace.wrt]))
        quotients.append(_difference(trace, pieces))
    matrix, differences = np.stack(columns, axis=1), np.stack(quotients, axis=1)
    if not np.isfinite(matrix).all():
        raise ReportError("the Hessian has an entry that is no finite number at this point")
    size = float(max(np.max(np.abs(matrix)), np.max(np.abs(_gradient(trace))), 1e-300))
    symmetric = matrix.shape[0] == matrix.shape[1]
    return Curvature(
        labels=labels,
        matrix=matrix,
        differences=differences,
        direction=None if n <= MAX_HESSIAN else directions[:, 0],
        error=float(np.max(np.abs(matrix - differences))) / size,
        asymmetry=float(np.max(np.abs(matrix - matrix.T))) / size if symmetric else 0.0,
    )


@dataclass(frozen=True, eq=False)
class _Product:
    """H v as a graph for each input, over the inputs and the pieces of v."""

    outputs: Mapping[str, Node | None]
    pieces: Mapping[str, Node]


def _product_graph(graph: Graph, wrt: Sequence[str]) -> _Product:
    gradients = gradient_graph(graph)
    pieces = {
        name: Node(INPUT, shape=graph.inputs[name].shape, name=f"direction of {name}")
        for name in wrt
    }
    slope = None
    for name in wrt:
        gradient = gradients.get(graph.inputs[name])
        if gradient is None:
            continue
        term = multiply(gradient, pieces[name])
        term = total(term) if shape_of(term) else term
        slope = term if slope is None else slope + term
    if slope is None or slope.is_constant:
        return _Product(dict.fromkeys(wrt), pieces)
    gates = [n for n in topological(slope) if not n.is_input and not n.is_constant]
    second = pull_back(gates, slope, constant(1.0), lambda node: node)[0] if gates else {}
    return _Product({name: second.get(graph.inputs[name]) for name in wrt}, pieces)


def _evaluated(
    product: _Product, name: str, values: Mapping[Node, Array], pieces: Mapping[str, Array]
) -> Array:
    output = product.outputs[name]
    shape = product.pieces[name].shape
    if output is None:
        return np.zeros(shape)
    known = {**values, **{product.pieces[k]: v for k, v in pieces.items()}}
    return np.broadcast_to(evaluate([output], known)[output], shape)


def _split(trace: Trace, flat: Array) -> dict[str, Array]:
    pieces, start = {}, 0
    for name in trace.wrt:
        shape = trace.graph.inputs[name].shape
        size = math.prod(shape)
        piece = flat[start : start + size].reshape(shape)
        pieces[name] = piece if shape else np.float64(piece)
        start += size
    return pieces


def _flat(parts: Sequence[Array]) -> Array:
    return np.concatenate([np.asarray(p, dtype=float).reshape(-1) for p in parts])


def _gradient(trace: Trace) -> Array:
    return _flat([trace.gradients[name] for name in trace.wrt])


def _difference(trace: Trace, pieces: Mapping[str, Array]) -> Array:
    """(g(x + h v) − g(x − h v)) / 2h by backpropagation at two points."""
    values = {q.name: q.value for q in trace.inputs}
    size = max((float(np.max(np.abs(values[n]))) for n in trace.wrt), default=1.0)
    h = 1e-5 * max(1.0, size)
    ends = []
    for sign in (1, -1):
        moved = {n: v + sign * h * pieces[n] if n in pieces else v for n, v in values.items()}
        if trace.graph.result.is_constant:
            return np.zeros(sum(math.prod(np.shape(p)) for p in pieces.values()))
        numbers = forward(trace.graph, moved)
        gradients, _ = backward(trace.graph, numbers, trace.wrt)
        ends.append(
            _flat(
                [
                    np.zeros(np.shape(values[n])) if found is None else found
                    for n in trace.wrt
                    for found in [gradients.get(trace.graph.inputs[n])]
                ]
            )
        )
    return (ends[0] - ends[1]) / (2 * h)
