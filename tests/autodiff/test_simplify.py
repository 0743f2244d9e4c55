"""Identities rewrite a gradient's formula and never change its value or shape."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from report import ReportError
from report.autodiff.backprop import backward, forward, gradient_graph
from report.autodiff.gates import (
    Key,
    broadcast_to,
    index,
    log_softmax,
    multiply,
    negative,
    outer,
    reshape,
    square,
    total,
)
from report.autodiff.gates.functions import exp
from report.autodiff.gates.indexing import concatenate
from report.autodiff.gates.table import GATES
from report.autodiff.graph import Node, constant, evaluate, input_node, make, shape_of
from report.autodiff.inputs import read_inputs
from report.autodiff.parser.parser import parse
from tests.autodiff.gradient_checks import check_graph, close, value

LEAVES = ["x", "A", "b", "1", "0", "2", "(-1)", "0.5"]


def expressions() -> st.SearchStrategy[str]:
    """Formulas over a scalar x, a matrix A, a row b and numbers that identities look for."""
    return st.recursive(
        st.sampled_from(LEAVES),
        lambda inner: st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner),
            st.builds("({} / {})".format, inner, st.sampled_from(["1", "2", "(3 + A**2)"])),
            st.builds("(-{})".format, inner),
            st.builds("({})**{}".format, inner, st.sampled_from("123")),
            st.builds("tanh({})".format, inner),
            st.builds("(A @ ({} + A).T)".format, inner),
            st.builds("sum({})".format, inner),
        ),
        max_leaves=8,
    )


def vectors() -> st.SearchStrategy[str]:
    """Formulas over a vector v and a positive number s in which much cancels or can be taken together."""
    return st.recursive(
        st.sampled_from(["v", "w", "(M @ v)", "(v @ M)", "solve(M, w)"]),
        lambda inner: st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner),
            st.builds(
                "({0} {2} norm({0}) {3} norm({1}))".format,
                inner,
                inner,
                st.sampled_from("*/"),
                st.sampled_from("*/"),
            ),
            st.builds(
                "({} {} {})".format,
                inner,
                st.sampled_from("*/"),
                st.sampled_from(["s", "s**2", "(2 * s**2)", "3", "pi", "log(2)", "sqrt(2 * pi)"]),
            ),
            st.builds("softmax({})".format, inner),
            st.builds("log(sigmoid({}))".format, inner),
            st.builds("log(1 - sigmoid({}))".format, inner),
            st.builds("(w * log(softmax({})))".format, inner),
            st.builds("(log(softmax({})[1]) * w)".format, inner),
            st.builds("concatenate([{}, {}])[2:5]".format, inner, inner),
            st.builds("({0} - mean({0})) / (1 + std({0}))".format, inner),
            st.builds("where({} > 0.1, {}, 0)".format, inner, inner),
            st.builds("(dot({}, {}) * w)".format, inner, inner),
            st.builds("(diag({}) @ w)".format, inner),
            st.builds("cumsum({})".format, inner),
        ),
        max_leaves=4,
    )


INPUTS = {"x": 0.7, "A": [[0.5, -0.25], [1.0, 0.125]], "b": [0.3, -0.6]}


@settings(max_examples=150)
@given(expressions())
def test_a_simplified_gradient_is_the_gradient(formula: str) -> None:
    values = read_inputs(INPUTS)
    graph = parse(f"sum({formula})", values)
    if not graph.result.is_constant:
        check_graph(graph, values, second=False)


VECTORS = {
    "v": [0.3, -0.7, 0.9], "w": [0.2, 0.5, 0.3], "s": 1.5, "M": [[0.9, 0.2, 0], [-0.1, 0.7, 0.3], [0, 0.2, 0.8]]
}  # fmt: skip


@settings(max_examples=150)
@given(vectors())
def test_what_cancels_leaves_the_gradient(formula: str) -> None:
    values = read_inputs(VECTORS)
    graph = parse(f"sum({formula})", values)
    assume(not graph.result.is_constant)
    try:
        gradients, _ = backward(graph, forward(graph, values))
    except ReportError:  # a value outside a gate's domain
        assume(False)
    formulas = gradient_graph(graph)
    for name, node in graph.inputs.items():
        if node in formulas:
            close(value(formulas[node], graph, values), gradients[node], f"d/d{name}", 1e-7)
            assert formulas[node].shape == node.shape


x = input_node("x", np.float64(0.7))
s = input_node("s", np.float64(1.5))
v = input_node("v", np.array([0.3, -0.6]))
w = input_node("w", np.array([0.4, 0.8]))
A = input_node("A", np.ones((2, 2)))
PI = constant(math.pi, name="pi")
named_quotient = make(GATES["divide"], (exp(w), total(exp(w))))
named_quotient.name = "p"


def text(node: Node) -> str:
    """A node in prefix form."""
    if node.gate.name == "constant":
        if node.name:
            return node.name
        return f"{np.ravel(node.value)[0]:g}" if not node.shape else f"{node.value.tolist()}"
    if node.is_input:
        return str(node.name)
    return f"{node.gate.name}({', '.join(text(a) for a in node.args)})"


@pytest.mark.parametrize(
    ("node", "simple"),
    [
        (1 * x, "x"),
        (x * 1, "x"),
        (x + 0, "x"),
        (0 - x, "negative(x)"),
        (x / 1, "x"),
        (x**1, "x"),
        (negative(-x), "x"),
        (x - (-x), "multiply(2, x)"),
        (x * 2, "multiply(2, x)"),
        (3 * (2 * x), "multiply(6, x)"),
        ((2 * x) * x, "multiply(2, multiply(x, x))"),
        (x * -x, "negative(multiply(x, x))"),
        (-(2 * x), "multiply(-2, x)"),
        (x * 0, "0"),
        (v * np.zeros(2), "[0.0, 0.0]"),
        (v + np.zeros((2, 2)), "broadcast_to(v)"),
        (A.T.T, "A"),
        (v.T, "v"),
        ((-A) @ v, "negative(matmul(A, v))"),
        ((2 * A) @ (3 * v), "multiply(6, matmul(A, v))"),
        (broadcast_to(x, shape=()), "x"),
        (reshape(v, shape=(2,)), "v"),
        (v * broadcast_to(x, shape=(2,)), "multiply(x, v)"),
        (v * x, "multiply(x, v)"),
        (x + 2 * x, "multiply(3, x)"),
        (2 * v + 2 * w, "multiply(2, add(v, w))"),
        (v + (-2) * w, "subtract(v, multiply(2, w))"),
        (v - v, "[0.0, 0.0]"),
        ((v / x) * x, "v"),
        ((v / (x * s)) * x, "divide(v, s)"),
        ((v / x**2) * x, "divide(v, x)"),
        ((v / x) / s, "divide(v, multiply(x, s))"),
        ((1 / x) * v, "divide(v, x)"),
        ((2 * v) / x, "multiply(2, divide(v, x))"),
        (v * (w / v - s), "subtract(w, multiply(s, v))"),
        (v / 4, "multiply(divide(1, 4), v)"),
        (PI * v * 2, "multiply(multiply(2, pi), v)"),
        (2 * v / PI, "multiply(divide(2, pi), v)"),
        (multiply(A @ v, constant(PI.value / 3)), f"multiply({math.pi / 3:g}, matmul(A, v))"),
        (A @ v + A @ w, "matmul(A, add(v, w))"),
        (A @ v + A.T @ v, "matmul(add(A, transpose(A)), v)"),
        (v @ A + A @ v, "matmul(add(A, transpose(A)), v)"),
        ((x * A) @ v, "multiply(x, matmul(A, v))"),
        (outer(v, w).T, "outer(w, v)"),
        ((A @ A).T, "matmul(transpose(A), transpose(A))"),
        (total(v * w), "dot(v, w)"),
        (total(constant(np.ones(3))), "3"),
        (total(v / x), "divide(sum(v), x)"),
        (exp(log_softmax(v)), "softmax(v)"),
        ((1 - v) * w - v * (1 - w), "subtract(w, v)"),
        (-(w * (v - 1)) - (1 - w) * v, "subtract(w, v)"),
        (2 * v * (w - 1) + (1 - v) * (2 * w), "multiply(2, subtract(w, v))"),
        (outer(v, w) - outer(2 * w, w), "outer(subtract(v, multiply(2, w)), w)"),
        (v / (w / x), "divide(multiply(x, v), w)"),
        ((v / named_quotient) * exp(w), "multiply(sum(exp(w)), v)"),
        (v / named_quotient, "divide(v, divide(exp(w), sum(exp(w))))"),
        (index(concatenate(v, w), key=Key((slice(2, 4),))), "w"),
    ],
)
def test_what_a_reader_expects(node: Node, simple: str) -> None:
    assert text(node) == simple


def test_numbers_stay_numbers() -> None:
    assert multiply(2.0, 3.0) == 6
    assert negative(np.float64(2)) == -2
    assert total(np.ones(3)) == 3


def test_shape_is_kept_where_a_value_is_spread() -> None:
    for node in (v * np.ones((2, 2)), np.ones((2, 2)) * v, v + np.zeros((2, 2)), 0 * A * v):
        assert shape_of(node) == (2, 2)
        close(evaluate([node], {v: np.array([1, 2]), A: np.ones((2, 2))})[node].shape, (2, 2), "")


def test_constants_are_folded() -> None:
    assert square(constant(3)).value == 9
    assert (constant(2) + 3).value == 5


def test_the_parser_keeps_what_the_user_wrote() -> None:
    values: dict[str, Any] = read_inputs({"x": 2})
    graph = parse("1 * x + 0", values)
    assert [n.gate.name for n in graph.nodes] == ["multiply", "add"]
    gradients, _ = backward(graph, forward(graph, values))
    assert gradients[graph.inputs["x"]] == 1
