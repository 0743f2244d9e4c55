"""Identities rewrite a gradient's formula and never change its value or shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from report.backprop import backward, forward
from report.expression import parse
from report.gates import broadcast_to, multiply, negative, reshape, square, total
from report.graph import Node, constant, evaluate, input_node, shape_of
from report.inputs import read_inputs
from tests.gradient_checks import check_graph, close

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


INPUTS = {"x": 0.7, "A": [[0.5, -0.25], [1.0, 0.125]], "b": [0.3, -0.6]}


@settings(max_examples=150)
@given(expressions())
def test_a_simplified_gradient_is_the_gradient(formula: str) -> None:
    values = read_inputs(INPUTS)
    graph = parse(f"sum({formula})", values)
    if not graph.result.is_constant:
        check_graph(graph, values, second=False)


x = input_node("x", np.float64(0.7))
v = input_node("v", np.array([0.3, -0.6]))
A = input_node("A", np.ones((2, 2)))


def text(node: Node) -> str:
    """A node in prefix form."""
    if node.gate.name == "constant":
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
        (x - (-x), "add(x, x)"),
        (x * 2, "multiply(2, x)"),
        (3 * (2 * x), "multiply(6, x)"),
        ((2 * x) * x, "multiply(2, multiply(x, x))"),
        (x * -x, "negative(multiply(x, x))"),
        (-(2 * x), "multiply(-2, x)"),
        (x * 0, "0"),
        (v * np.zeros(2), "[0.0, 0.0]"),
        (v + np.zeros((2, 2)), "add(v, [[0.0, 0.0], [0.0, 0.0]])"),
        (A.T.T, "A"),
        (v.T, "v"),
        ((-A) @ v, "negative(matmul(A, v))"),
        ((2 * A) @ (3 * v), "multiply(6, matmul(A, v))"),
        (broadcast_to(x, shape=()), "x"),
        (reshape(v, shape=(2,)), "v"),
        (v * broadcast_to(x, shape=(2,)), "multiply(x, v)"),
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
