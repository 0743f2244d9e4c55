"""Second order: the Hessian, or its product with a vector, from differentiating the backward graph.

The backward graph is an ordinary graph, so backpropagation runs through it again: the gradient of
g · v, where g is the gradient and v a fixed direction, is H v. With v along each axis in turn the
columns of the Hessian come out. Both are checked against central differences of the gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from report.autodiff import extended
from report.autodiff.backprop import backward, forward, gradient_graph, pull_back
from report.autodiff.finite_differences import estimated
from report.autodiff.gates import multiply, total
from report.autodiff.graph import (
    FAULTS,
    INPUT,
    Array,
    Graph,
    Node,
    constant,
    evaluate,
    shape_of,
    topological,
)
from report.autodiff.kinks import kinks as kinks_of
from report.autodiff.trace import Trace
from report.errors import ReportError

MAX_HESSIAN = 12  # entries asked for, all inputs together; beyond, one Hessian-vector product
TOLERANCE = 1e-5  # relative to the largest entry, for differences of the gradient
_NOT_FINITE = "the Hessian has an entry that is no finite number at this point"
STEPS = (1e-5, 1e-4, 1e-6, 1e-3, 1e-7, 1e-8, 1e-9)  # tried in turn, times max(1, |x|)


@dataclass(frozen=True, eq=False)
class Curvature:
    """The Hessian of a function by the inputs asked for, or its product with one direction.

    `labels` are the (input, place) of each row. `matrix` is n × n; for many inputs it is n × 1, the
    product with `direction` (a unit vector with equal entries). `graphs` holds d²f/dx² in closed form
    for scalar inputs. `differences` are the same numbers from central differences of the gradient, nan
    in a column where no step is accurate enough; `error` is the largest deviation relative to the
    largest entry, and `kinks` names the gates whose input sits on a kink, where differences say nothing.
    """

    labels: tuple[tuple[str, tuple[int, ...]], ...]
    matrix: Array
    differences: Array
    direction: Array | None
    error: float
    asymmetry: float
    agrees: bool  # whether the differences confirm the numbers
    kinks: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries, lists and numbers: the matrix, or its product with a direction."""
        order = [f"{name}[{','.join(map(str, at))}]" if at else name for name, at in self.labels]
        if self.direction is None:
            return {"order": order, "matrix": self.matrix.tolist()}
        product = self.matrix[:, 0].tolist()
        return {"order": order, "direction": self.direction.tolist(), "product": product}

    @property
    def confirmed(self) -> int:
        """How many columns the differences say something about."""
        return int(np.sum(~np.isnan(self.differences).any(axis=0)))


def curvature(trace: Trace) -> Curvature:
    """The second derivatives of a trace's function. Raises ReportError where one is not finite."""
    graph = trace.graph
    labels = tuple(
        (name, place) for name in trace.wrt for place in np.ndindex(graph.inputs[name].shape)
    )
    n = len(labels)
    directions = np.eye(n) if n <= MAX_HESSIAN else np.full((n, 1), 1 / math.sqrt(n))
    matrix = products(trace, directions)
    kinks = kinks_of(trace)
    quotients = [None if kinks else _difference(trace, _split(trace, v)) for v in directions.T]
    size = float(max(np.max(np.abs(matrix)), np.max(np.abs(_gradient(trace))), 1e-300))
    differences = np.full_like(matrix, np.nan)
    error, agrees = 0.0, True
    for i, quotient in enumerate(quotients):
        if quotient is None or np.max(quotient[1]) > 1e-3 * size:
            continue
        differences[:, i] = quotient[0]
        gap = np.abs(matrix[:, i] - quotient[0])
        error = max(error, float(np.max(gap)) / size)
        agrees &= bool(np.all(gap <= TOLERANCE * size + quotient[1]))
    square = matrix.shape[0] == matrix.shape[1]
    asymmetry = float(np.max(np.abs(matrix - matrix.T))) / size if square else 0.0
    return Curvature(
        labels=labels,
        matrix=matrix,
        differences=differences,
        direction=None if n <= MAX_HESSIAN else directions[:, 0],
        error=error,
        asymmetry=asymmetry,
        agrees=(bool(kinks) or agrees) and asymmetry <= 1e-9,
        kinks=kinks,
    )


def products(trace: Trace, directions: Array, *, exactly: bool = False) -> Array:
    """H v for each column v of `directions`, n × k for n entries asked for; `exactly` with digits to spare.

    Raises ReportError where one is not finite.
    """
    product = _product_graph(trace.graph, trace.wrt)
    values = {q.node: q.value for q in trace.inputs}
    if exactly:
        whole = trace.graph.integers
        values |= {q.node: extended.settled(q.value) for q in trace.inputs if q.name not in whole}
    columns = []
    for direction in directions.T:
        pieces = _split(trace, direction)
        if exactly:
            pieces = {name: extended.settled(piece) for name, piece in pieces.items()}
        found = (
            _evaluated(product, name, values, pieces, extended.evaluate if exactly else evaluate)
            for name in trace.wrt
        )
        columns.append(_flat([extended.floats(x) if exactly else x for x in found]))
    matrix = np.stack(columns, axis=1)
    if not np.isfinite(matrix).all():
        raise ReportError(_NOT_FINITE)
    return matrix


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
    product: _Product,
    name: str,
    values: Mapping[Node, Array],
    pieces: Mapping[str, Array],
    evaluated: Callable[[Sequence[Node], dict[Node, Array]], Mapping[Node, Array]],
) -> Array:
    output = product.outputs[name]
    shape = product.pieces[name].shape
    if output is None:
        return np.zeros(shape)
    known = {**values, **{product.pieces[k]: v for k, v in pieces.items()}}
    try:
        return np.broadcast_to(evaluated([output], known)[output], shape)
    except FAULTS:
        raise ReportError(_NOT_FINITE) from None


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


def _difference(trace: Trace, pieces: Mapping[str, Array]) -> tuple[Array, Array] | None:
    """Central differences of the gradient along v, with an estimate of the error of each.

    They are those of the first step that is accurate enough, else of the best one; None where every
    step leaves the function's domain.
    """
    values = {q.name: q.value for q in trace.inputs}
    along = [np.max(np.abs(np.where(v == 0, 0.0, values[name]))) for name, v in pieces.items()]
    best: tuple[Array, Array] | None = None
    steps = (relative * max(1.0, *map(float, along)) for relative in STEPS)
    for whole, uncertainty in estimated(partial(_quotient, trace, values, pieces), steps):
        if best is None or np.max(uncertainty) < np.max(best[1]):
            best = whole, uncertainty
        if np.max(uncertainty) <= TOLERANCE * np.max(np.abs(whole)):
            break
    return best


def _quotient(
    trace: Trace, values: Mapping[str, Array], pieces: Mapping[str, Array], h: float
) -> tuple[Array, float]:
    """(g(x + h v) − g(x − h v)) / 2h by backpropagation at two points, and the size of g there."""
    if trace.graph.result.is_constant:
        return np.zeros(sum(math.prod(np.shape(p)) for p in pieces.values())), 0.0
    ends = []
    for sign in (1, -1):
        moved = {n: v + sign * h * pieces[n] if n in pieces else v for n, v in values.items()}
        gradients, _ = backward(trace.graph, forward(trace.graph, moved), trace.wrt)
        found = {n: gradients.get(trace.graph.inputs[n]) for n in trace.wrt}
        ends.append(
            _flat([np.zeros(np.shape(values[n])) if g is None else g for n, g in found.items()])
        )
    return (ends[0] - ends[1]) / (2 * h), float(np.max(np.abs(ends)))
