"""Backpropagation on whole functions: published numbers, names and sums, edges of the domain."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import report
from report import ReportError, trace
from tests.autodiff.gradient_checks import check_graph

Q1 = "1 / (2 + sin(x1*w1)**2 + cos(x2*w2))"
Q1_DEGREES = "1 / (2 + sin(radians(x1*w1))**2 + cos(radians(x2*w2)))"
Q1_INPUTS = {"x1": -1, "w1": 3, "x2": -2, "w2": 3}
Q2 = "sum(sigmoid(W @ x)**2)"
Q2_INPUTS = {
    "W": [[0.4, 0.1, -0.5], [0.2, -0.32, 0.8], [0.7, 0.4, -0.6]],
    "x": [[-0.2], [0.6], [-0.4]],
}


def values(t: report.tracing.Trace) -> dict[str, Any]:
    return {q.name: q.value for q in t.gates}


# ---------------------------------------------------------------- published numbers


def test_homework_question_1() -> None:
    t = trace(Q1, Q1_INPUTS, wrt=["w1", "w2"])
    assert math.isclose(t.value, 0.335560882292, rel_tol=1e-11)
    assert math.isclose(t.gradients["w1"], 0.0314624940538, rel_tol=1e-11)
    assert math.isclose(t.gradients["w2"], -0.0629249881076, rel_tol=1e-11)
    others = {q.name: q.gradient for q in t.inputs}
    assert math.isclose(others["x1"], -0.0943874821615, rel_tol=1e-11)
    assert math.isclose(others["x2"], 0.0943874821615, rel_tol=1e-11)
    assert list(t.gradients) == ["w1", "w2"]


def test_homework_question_1_in_degrees() -> None:
    t = trace(Q1_DEGREES, Q1_INPUTS)
    by_gate = {q.node.gate.name: q.value for q in t.gates}
    assert round(float(by_gate["sin"]), 4) == -0.0523
    assert round(float(by_gate["cos"]), 4) == 0.9945
    assert round(t.value, 4) == 0.3336
    assert math.isclose(t.gradients["w1"], -0.00020308, abs_tol=5e-9)
    assert math.isclose(t.gradients["w2"], 0.00040616, abs_tol=5e-9)


@pytest.mark.parametrize(
    "function", [Q2, "norm(sigmoid(W @ x))**2", "z = W @ x\nnorm(sigmoid(z))**2"]
)
def test_homework_question_2(function: str) -> None:
    t = trace(function, Q2_INPUTS)
    by_gate = {q.node.gate.name: q.value for q in t.gates}
    np.testing.assert_allclose(np.ravel(by_gate["matmul"]), [0.18, -0.552, 0.34], rtol=1e-14)
    np.testing.assert_allclose(
        np.ravel(by_gate["sigmoid"]), [0.54487889, 0.36540052, 0.58419052], atol=5e-9
    )
    assert math.isclose(t.value, 0.77168911322, rel_tol=1e-11)
    expected = [
        [-0.05404891, 0.16214673, -0.10809782],
        [-0.03389206, 0.10167619, -0.06778413],
        [-0.05676275, 0.17028824, -0.11352549],
    ]
    np.testing.assert_allclose(t.gradients["W"], expected, atol=5e-9)
    assert t.gradients["x"].shape == (3, 1)


def test_the_example_of_the_micrograd_readme() -> None:
    lets = """
        c = a + b
        d = a * b + b**3
        c1 = c + c + 1
        c2 = c1 + 1 + c1 + (-a)
        d1 = d + d * 2 + relu(b + a)
        d2 = d1 + 3 * d1 + relu(b - a)
        e = c2 - d2
        f = e**2
        f / 2.0 + 10.0 / f
    """
    t = trace(lets, {"a": -4.0, "b": 2.0})
    assert round(t.value, 4) == 24.7041
    assert round(float(t.gradients["a"]), 4) == 138.8338
    assert round(float(t.gradients["b"]), 4) == 645.5773


def test_the_sigmoid_neuron_of_cs231n() -> None:
    t = trace(
        "1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))", {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}
    )
    assert round(t.value, 2) == 0.73
    published = {"w0": -0.2, "x0": 0.39, "w1": -0.39, "x1": -0.59, "w2": 0.2}
    assert {name: round(float(g), 2) for name, g in t.gradients.items()} == published


# ---------------------------------------------------------------- names, numbers, sums


def test_gates_are_numbered_in_topological_order_and_named_as_the_user_named_them() -> None:
    t = trace("z = w*x\nh = tanh(z)\nh*h + 1", {"w": 0.5, "x": 2})
    assert [(q.number, q.name, q.node.gate.name) for q in t.gates] == [
        (1, "z", "multiply"),
        (2, "h", "tanh"),
        (3, "q3", "multiply"),
        (4, "q4", "add"),
    ]
    assert [q.number for q in t.inputs] == [0, 0]
    assert t.result is t.gates[-1]


def test_a_name_that_looks_like_a_number_of_ours_moves_ours_to_another_letter() -> None:
    assert [q.name for q in trace("q1*q1 + 1", {"q1": 3}).gates] == ["u1", "u2"]
    inputs = {f"{letter}1": 1 for letter in "quvtgabcdehk"}
    assert [q.name for q in trace("q1*u1", inputs).gates] == ["qq1"]


def test_the_last_line_may_have_a_name() -> None:
    t = trace("f = x*x", {"x": 3})
    assert [q.name for q in t.gates] == ["f"]
    assert t.gradients["x"] == 6


def test_an_alias_is_no_gate() -> None:
    t = trace("a = x\nb = a*2\nc = b\nc", {"x": 3})
    assert [q.name for q in t.gates] == ["b"]


def test_every_contribution_is_kept() -> None:
    t = trace("x*x*x", {"x": 2.0})
    x = t.inputs[0]
    assert x.gradient == 12
    assert sorted((c.gate, c.argument, float(c.value)) for c in x.contributions) == [
        ("q1", 0, 4.0),
        ("q1", 1, 4.0),
        ("q2", 1, 4.0),
    ]


@pytest.mark.parametrize(
    ("function", "slope"),
    [("a + a", 2), ("a - a", 0), ("a * a", 6), ("a / a", 0), ("a**a", 27 * (math.log(3) + 1))],
)
def test_one_value_on_both_sides(function: str, slope: float) -> None:
    t = trace(function, {"a": 3})
    assert math.isclose(t.gradients["a"], slope, rel_tol=1e-14)
    assert len(t.inputs[0].contributions) == 2


def test_contributions_add_up_and_the_gradient_of_the_result_is_1() -> None:
    t = trace("h = tanh(W @ x + b)\nsum(h * h) + sum(W) * sum(b)", {
        "W": [[0.1, 0.2], [0.3, -0.4]], "x": [1.0, -2.0], "b": 0.5,
    })  # fmt: skip
    for q in (*t.inputs, *t.gates[:-1]):
        total = sum(np.asarray(c.value) for c in q.contributions)
        np.testing.assert_allclose(total, q.gradient, rtol=1e-14)
        assert all(np.shape(c.value) == q.node.shape for c in q.contributions)
    assert t.gates[-1].gradient == 1


def test_constants_take_no_part() -> None:
    t = trace("x * (2 + 3) + 4 * sin(1)", {"x": 2})
    assert [q.node.gate.name for q in t.gates] == ["multiply", "add"]
    assert t.gradients["x"] == 5


# ---------------------------------------------------------------- edges


def test_an_input_that_is_not_used_has_gradient_zero() -> None:
    t = trace("x**2", {"x": 3, "unused": [1, 2]})
    np.testing.assert_array_equal(t.gradients["unused"], [0, 0])
    assert [i["used"] for i in t.to_dict()["inputs"]] == [True, False]


def test_a_let_line_that_the_result_does_not_need_takes_no_part() -> None:
    t = trace("a = log(x)\nx*2", {"x": -3})
    assert [q.name for q in t.gates] == ["q1"]


@pytest.mark.parametrize("function", ["7", "2 + 3", "pi", "z = 7"])
def test_a_constant_function(function: str) -> None:
    t = trace(function, {"x": [1, 2]})
    assert t.gates == ()
    assert t.result is None
    np.testing.assert_array_equal(t.gradients["x"], [0, 0])
    assert t.to_dict()["result"] is None


def test_a_function_without_gates() -> None:
    t = trace("x", {"x": 4})
    assert (t.value, t.gates, t.gradients) == (4.0, (), {"x": 1.0})
    assert t.result is t.inputs[0]


def test_a_result_with_one_entry_may_be_a_matrix() -> None:
    t = trace("x.T @ A @ x", {"x": [[1], [2]], "A": [[1, 2], [3, 4]]})
    assert t.value == 27
    assert t.result is not None
    assert t.result.node.shape == (1, 1)
    np.testing.assert_array_equal(t.gradients["x"], [[12], [21]])


def test_no_inputs_at_all() -> None:
    assert trace("1 + 1", {}).value == 2


def test_a_chain_of_100_000_gates_meets_no_limit() -> None:
    lines = [f"z{i + 1} = z{i} + x" for i in range(100_000)]
    t = trace("z0 = x * 1\n" + "\n".join(lines), {"x": 0.5})
    assert t.gradients["x"] == 100_001


def test_gradients_belong_to_their_receiver() -> None:
    t = trace("sum(x + y)", {"x": [1, 2], "y": [3, 4]})
    t.gradients["x"][0] = 7
    np.testing.assert_array_equal(t.gradients["y"], [1, 1])
    np.testing.assert_array_equal(t.inputs[0].gradient, [1, 1])


def test_inputs_are_not_touched() -> None:
    x = np.array([1.0, 2.0])
    t = trace("sum(x * x)", {"x": x})
    x[0] = 9
    np.testing.assert_array_equal(t.inputs[0].value, [1, 2])


# ---------------------------------------------------------------- outside the domain


def refused(function: str, inputs: dict[str, Any], wrt: list[str] | None = None) -> str:
    with pytest.raises(ReportError) as raised:
        trace(function, inputs, wrt)
    return str(raised.value)


@pytest.mark.parametrize(
    ("function", "inputs", "words"),
    [
        ("1 + log(x)", {"x": -2}, ["q1", "log", "outside its domain", "x = -2", "positive"]),
        ("1 + log(x)", {"x": 0}, ["log", "x = 0", "column 5", "^^^^^^"]),
        ("sum(log(X))", {"X": [[1, 2], [3, -4]]}, ["X[1, 1] = -4"]),
        (
            "sum(A / b)",
            {"A": [[1, 2]], "b": [0, 1]},
            ["divide", "A[0, 0] = 1", "b[0] = 0", "not be 0"],
        ),
        ("a / (b - c)", {"a": 1, "b": 2, "c": 2}, ["divide", "a = 1", "q1 = 0"]),
        ("1 / x", {"x": 0}, ["reciprocal", "x = 0", "must not be 0"]),
        ("sqrt(x)", {"x": -1}, ["sqrt", "x = -1", "negative"]),
        ("x**0.5", {"x": -1}, ["power", "x = -1", "whole exponent"]),
        ("z = exp(x)\nz*2", {"x": 1000}, ["gate z (exp) overflows", "x = 1000", "line 1"]),
        ("x*x", {"x": 1e200}, ["multiply", "overflows"]),
        (
            "sin(x*w)",
            {"x": 1e15, "w": 3.3},
            ["gate q2 (sin)", "too large at q1 = 3.3e+15", "line 1"],
        ),
        ("sum(A @ A)", {"A": [[1e200, 0], [0, 1]]}, ["matmul", "overflows"]),
    ],
)
def test_a_value_outside_a_domain_names_gate_value_and_place(
    function: str, inputs: dict[str, Any], words: list[str]
) -> None:
    message = refused(function, inputs)
    assert [w for w in words if w not in message] == [], message
    assert "nan" not in message.lower()


@pytest.mark.parametrize(
    ("function", "inputs", "words"),
    [
        ("sqrt(x)", {"x": 0}, ["sqrt", "no finite derivative", "x = 0"]),
        ("x**0.5", {"x": 0}, ["power", "no finite derivative", "x = 0"]),
        ("x**n", {"x": -2, "n": 3}, ["power", "by n", "leave n out of wrt"]),
        ("sum(sqrt(x*y))", {"x": [1, 0], "y": [1, 1]}, ["sqrt", "q1[1] = 0"]),
    ],
)
def test_a_derivative_that_is_not_finite_names_gate_and_value(
    function: str, inputs: dict[str, Any], words: list[str]
) -> None:
    message = refused(function, inputs)
    assert [w for w in words if w not in message] == [], message


def test_a_derivative_that_nothing_asked_for_needs_may_be_missing() -> None:
    t = trace("k = n + 1\nx**k + k", {"x": -2, "n": 2, "c": 1}, wrt=["x", "c"])
    assert t.gradients == {"x": 12.0, "c": 0.0}
    by_name = {q.name: q for q in (*t.inputs, *t.gates)}
    assert by_name["k"].gradient is None
    assert by_name["n"].gradient is None
    assert sorted((c.gate, c.value is None) for c in by_name["k"].contributions) == [
        ("q2", True),
        ("q3", False),
    ]
    written = {i["name"]: i["gradient"] for i in t.to_dict()["inputs"]}
    assert written == {"x": 12.0, "n": None, "c": 0.0}


def test_wrt_is_checked() -> None:
    inputs = {"x": 1.0, "y": 2.0}
    assert "no input; the inputs are: x, y" in refused("x*y", inputs, ["z"])
    assert "twice" in refused("x*y", inputs, ["x", "x"])
    assert "empty" in refused("x*y", inputs, [])
    assert "list" in refused("x*y", inputs, "x")  # type: ignore[arg-type]
    assert "no input" in refused("x*y", inputs, [["x"]])  # type: ignore[list-item]
    assert list(trace("x*y", inputs, ("y", "x")).gradients) == ["y", "x"]


@pytest.mark.parametrize("function", [Q2, "x*x*x", "a = x @ x.T\nsum(a @ a / (1 + a**2))"])
def test_the_gradient_graph_is_the_gradient(function: str) -> None:
    inputs = Q2_INPUTS if "@" in function else {"x": 2}
    t = trace(function, inputs)
    check_graph(t.graph, {q.name: q.value for q in t.inputs})
