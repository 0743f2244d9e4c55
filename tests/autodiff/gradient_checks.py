"""The shared checker of gates and functions: one rule, proved in five ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from report.autodiff.backprop import backward, forward, gradient_graph
from report.autodiff.gates import multiply, total
from report.autodiff.graph import Array, Gate, Graph, Node, evaluate, input_node, make, topological

STEP = 1e-6
_GRAPHS: dict[Any, Graph] = {}  # of one gate


def gate_graph(
    gate: Gate, args: Sequence[Any], params: Mapping[str, Any]
) -> tuple[Graph, dict[str, Array]]:
    """sum(c * gate(args)) as a graph, c fixed, so that the upstream gradient is no mere 1.

    Arguments of the same shapes have the same graph, whose formulas are then derived once.
    """
    values = {f"a{i}": _number(a) for i, a in enumerate(args)}
    key = gate, tuple(map(np.shape, values.values())), repr(params)
    if key not in _GRAPHS:
        if any(known is not gate for known, *_ in _GRAPHS):
            _GRAPHS.clear()
        inputs = {name: input_node(name, value) for name, value in values.items()}
        node = make(gate, inputs.values(), params)
        upstream = np.sin(1.0 + np.arange(np.prod(node.shape, dtype=int))).reshape(node.shape)
        result = make_scalar(multiply(upstream, node))
        whole = [f"a{i}" for i in range(len(args)) if i in gate.integers]
        integers = dict.fromkeys(whole, "index")
        _GRAPHS[key] = Graph("", inputs, order_of(result), result, integers=integers)
    return _GRAPHS[key], values


def order_of(result: Node) -> tuple[Node, ...]:
    """The gates below a node."""
    return tuple(n for n in topological(result) if not n.is_input and not n.is_constant)


formulas_of = lru_cache(maxsize=64)(gradient_graph)


def make_scalar(node: Node) -> Node:
    return total(node) if node.shape else node


def check_gate(gate: Gate, args: Sequence[Any], params: Mapping[str, Any]) -> None:
    """One gate at one point, in every way: see `check_graph`."""
    graph, values = gate_graph(gate, args, params)
    numbers = forward(graph, values)
    for node in graph.nodes:
        assert np.shape(numbers[node]) == node.shape, node
        assert isinstance(numbers[node], (np.float64, np.ndarray)), node
    check_graph(graph, values)


def check_graph(graph: Graph, values: Mapping[str, Array], second: bool = True) -> None:
    """Backpropagation against central differences, and the gradient graph against both.

    The gradient graph is evaluated, must give the same numbers in the same shapes, and is
    differentiated again, which must agree with central differences of the gradient.
    """
    asked = [name for name in graph.inputs if name not in graph.integers]
    numbers = forward(graph, values)
    gradients, _ = backward(graph, numbers)
    formulas = formulas_of(graph)
    for name in asked:
        node = graph.inputs[name]
        gradient = gradients.get(node, np.zeros(node.shape))
        assert gradient is not None
        assert np.shape(gradient) == node.shape
        slope = differences(lambda v: value(graph.result, graph, v), values, name)
        close(gradient, slope, f"d/d{name} and central differences")
        if node not in formulas:
            assert not np.any(gradient)
            continue
        formula = formulas[node]
        assert formula.shape == node.shape
        close(value(formula, graph, values), gradient, f"d/d{name} and its formula", 1e-9)
        if second:
            check_second(graph, formula, asked, values)


def check_second(graph: Graph, formula: Node, asked: Sequence[str], values: Mapping) -> None:
    if formula.is_constant:
        return
    along = along_weights(graph, formula)
    if any(at_kink(node, graph, values) for node in along.nodes):
        return
    known = forward(along, values)
    gradients, _ = backward(along, known)
    for name in asked:
        node = graph.inputs[name]
        slope = differences(lambda v: value(along.result, graph, v), values, name)
        close(
            gradients.get(node, np.zeros(node.shape)), slope, f"second derivative by {name}", 1e-4
        )


@lru_cache(maxsize=64)
def along_weights(graph: Graph, formula: Node) -> Graph:
    """The sum of a gradient's entries, each with a weight of its own."""
    weights = np.cos(np.arange(np.prod(formula.shape, dtype=int))).reshape(formula.shape)
    result = make_scalar(multiply(weights, formula))
    return Graph("", graph.inputs, order_of(result), result, integers=graph.integers)


def at_kink(node: Node, graph: Graph, values: Mapping[str, Array]) -> bool:
    """Whether a gate's inputs sit where its derivative is a convention."""
    if node.gate.kink is None:
        return False
    return bool(
        np.any(node.gate.kink(*(value(a, graph, values) for a in node.args), **node.params))
    )


def value(node: Node, graph: Graph, values: Mapping[str, Array]) -> Array:
    known = {graph.inputs[name]: v for name, v in values.items()}
    return evaluate([node], known)[node]


def differences(
    f: Callable[[Mapping[str, Array]], Array], values: Mapping[str, Array], name: str
) -> Array:
    """df/dname by central differences."""
    at = np.asarray(values[name], dtype=float)
    slope = np.zeros(at.shape)
    for where in np.ndindex(at.shape):
        step = STEP * max(1.0, abs(float(at[where])))
        ends = []
        for sign in (1, -1):
            moved = at.copy()
            moved[where] += sign * step
            ends.append(float(np.asarray(f({**values, name: _number(moved)})).item()))
        slope[where] = (ends[0] - ends[1]) / (2 * step)
    return slope


def close(got: Any, expected: Any, what: str, rtol: float = 1e-5) -> None:
    scale = max(1.0, float(np.max(np.abs(expected), initial=0)))
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol * scale, err_msg=what)


def _number(x: Any) -> Array:
    array = np.asarray(x, dtype=np.float64)
    return array if array.ndim else np.float64(array)
