"""Reading formulas: what is read, what is refused, and where the message points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from report import ReportError, trace
from report.autodiff.gates import GATES
from report.autodiff.graph import Graph
from report.autodiff.inputs import read_inputs
from report.autodiff.parser.parser import parse

A, B = [[1.0, 2.0], [3.0, 4.0]], [[0.5, -1.0], [2.0, 0.25]]
INPUTS = {"x": 0.5, "y": 2.0, "v": [1.0, 2.0], "A": A, "B": B, "i": [0, 1, 1], "k": 1}


def read(text: str, **inputs: Any) -> Graph:
    return parse(text, read_inputs(inputs or INPUTS))


def gates(text: str) -> list[str]:
    return [n.gate.name for n in read(text).nodes]


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 / x", ["reciprocal"]),
        ("2 / x", ["divide"]),
        ("x**2", ["square"]),
        ("x**2.0", ["square"]),
        ("x**3", ["power"]),
        ("2**x", ["power"]),
        ("norm(v)**2", ["squared_norm"]),
        ("n = norm(v)\nn**2", ["norm", "square"]),
        ("norm(v, 1)", ["l1_norm"]),
        ("norm(v, 2)**2", ["squared_norm"]),
        ("norm(A, 'fro')", ["norm"]),
        ("-2 * x", ["multiply"]),
        ("-x", ["negative"]),
        ("+x * 1", ["multiply"]),
        ("silu(x)", ["swish"]),
        ("sum(A.T)", ["transpose", "sum"]),
        ("power(x, 2)", ["power"]),
        ("where(x > 0, x, y)", ["greater", "where"]),
        ("where(0 < x <= 1, x, y)", ["less", "less_equal", "logical_and", "where"]),
        ("where(~(x == 1) | (y != 2), x, y)", ["equal", "logical_not", "not_equal", "logical_or", "where"]),
        ("sum(v[::-1])", ["index", "sum"]),
        ("cross_entropy(v, k)", ["cross_entropy"]),
        ("cross_entropy(v, v)", ["cross_entropy_one_hot"]),
    ],
)  # fmt: skip
def test_spellings_become_gates(text: str, expected: list[str]) -> None:
    assert gates(text) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 + 3 * 4 ** 2 / 8 - -1", 9.0),
        ("2 ** 3 ** 2", 512.0),
        ("-2 ** 2", -4.0),
        ("(1 + 2) * 3", 9.0),
        ("2 * pi", 2 * math.pi),
        ("1e3 + .5 + 1_000", 2000.5),
        ("x  # what follows is a comment: é × 2", 0.5),
        ("\n\n   x * 2\n\n", 1.0),
        ("    a = x * 2\n    # between\n\n    a * 3  ", 3.0),
        ("(x +\n  y)", 2.5),
        ("x + \\\n y", 2.5),
        ("a = x\r\na * 2", 1.0),
        ("a = 2\nx ** a", 0.25),
        ("A[0, 1] + A[-1][0] + v[1]", 7.0),
        ("sum(A[:, 1]) + sum(A[..., 0])", 10.0),
        ("sum(v[[1, 1, 0]])", 5.0),
        ("sum(v[i]) + A[k, 0] + sum(A[i, i[::-1]])", 5.0 + 3.0 + 2.0 + 4.0 + 3.0),
        ("sum(stack([v, v], axis=1)[1])", 4.0),
        ("sum(concatenate((v, v)))", 6.0),
        ("var = mean((v - mean(v))**2)\nvar", 0.25),
        ("sum = x\nsum * 2", 1.0),
        ("leaky_relu(-x, slope=0.5) + leaky_relu(-x, 0.25)", -0.375),
        ("sum(reshape(A, -1)[2:]) + sum(reshape(A, (4, 1))[0])", 8.0),
        ("max(A, 0)[0] + max(A, axis=1)[0]", 5.0),
    ],
)
def test_values(text: str, value: float) -> None:
    assert trace(text, INPUTS).value == value


@pytest.mark.parametrize(
    "text", ["transpose(A, (0, 2, 1))", "swapaxes(A, -1, -2)", "swapaxes(A, axis1=2, axis2=1)"]
)
def test_the_last_two_axes_exchanged_are_the_transpose_of_each_matrix(text: str) -> None:
    found = trace(f"sum({text} * B)", {"A": np.ones((2, 1, 3)), "B": np.ones((2, 3, 1))})
    assert found.gates[0].node.gate.name == "swap_last"
    other = trace("sum(transpose(A, (1, 0, 2)))", {"A": np.ones((2, 1, 3))})
    assert other.gates[0].node.gate.name == "transpose"


def test_constants_are_folded_and_named() -> None:
    graph = read("x * (2 * pi + 1)")
    (multiply,) = graph.nodes
    assert multiply.args[1].value == 2 * math.pi + 1
    (multiply,) = read("x * pi").nodes
    assert multiply.args[1].name == "pi"


@pytest.mark.parametrize(
    "text",
    [
        "sin(x) + y",
        "    sin(x) + y",
        "a = 1\nsin(x) + y",
        "(\n sin(x) + y)",
        "\n" * 500 + "sin(x) + y",
    ],
)
def test_a_gate_knows_its_place(text: str) -> None:
    sine = read(text).nodes[0]
    assert sine.span is not None
    line, start, end = sine.span
    assert text.split("\n")[line - 1][start:end] == "sin(x)"


def test_inputs_used_as_index_label_mask_or_target_are_noted() -> None:
    graph = read(
        "sum(E[i]) + cross_entropy(z, k) + sum(where(m, z, 0)) + cross_entropy(z, t[::-1])",
        E=A, i=[0], z=[1, 2], k=0, m=[0, 1], t=[0, 1],
    )  # fmt: skip
    assert graph.integers == {"i": "index", "k": "label", "m": "mask", "t": "target"}


def test_they_are_left_out_of_wrt_and_asking_for_one_says_why() -> None:
    inputs = {"z": [1.0, 2.0], "k": 1}
    t = trace("cross_entropy(z, k)", inputs)
    assert list(t.gradients) == ["z"]
    assert t.inputs[1].gradient is None
    assert t.to_dict()["inputs"][1]["role"] == "label"
    with pytest.raises(ReportError, match=r"'k' is a label in the function.*no gradient"):
        trace("cross_entropy(z, k)", inputs, wrt=["k"])
    with pytest.raises(ReportError, match=r"input k is 0\.5; it is used as a label"):
        trace("cross_entropy(z, k)", {**inputs, "k": 0.5})


def test_soft_targets_are_possible() -> None:
    t = trace("cross_entropy(z, t)", {"z": [1.0, 2.0], "t": [0.25, 0.75]})
    p = np.exp([1.0, 2.0]) / np.sum(np.exp([1.0, 2.0]))
    np.testing.assert_allclose(t.gradients["z"], p - [0.25, 0.75], rtol=1e-14)


# ---------------------------------------------------------------- what is refused


def refusal(text: str, **inputs: Any) -> str:
    with pytest.raises(ReportError) as raised:
        trace(text, inputs or INPUTS)
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # names
        ("x + z", "unknown name 'z'"),
        ("x + Y", "did you mean y?"),
        ("simoid(x)", "unknown function 'simoid'; did you mean sigmoid?"),
        ("sofmax(v)", "did you mean softmax?"),
        ("clamp(x)", "clamp takes 3 arguments, not 1"),
        ("relu", "'relu' is a gate and needs its argument: relu(x)"),
        ("xlogy(x, y)", "unknown function"),
        ("x.__class__", ".__class__ is not known"),
        ("x = 2", "'x' is an input"),
        ("a = x\na = y", "'a' was named on an earlier line"),
        ("pi = 3\npi", "this is the constant"),
        ("lambda_ = 1\n_a = 1\n_a", "a name starts with a letter"),
        ("a, b = x", "one plain name on the left"),
        ("a = b = x", "one plain name on the left"),
        ("a.b = x", "one plain name on the left"),
        # arguments and options
        ("sin(x, y)", "sin takes 1 argument, not 2"),
        ("where(x > 0, x)", "where takes 3 arguments, not 2"),
        ("sum()", "sum takes 1 argument, not 0"),
        ("sum(v, axes=0)", "sum has no option 'axes'; it has axis, keepdims"),
        ("sin(v, axis=0)", "sin has no option 'axis'; it has none"),
        ("sum(v, 0, axis=0)", "axis is given twice"),
        ("sum(v, axis=1)", "there is no axis 1 in shape (2,)"),
        ("sum(v, axis=0.5)", "whole number"),
        ("sum(v, axis=x)", "axis of sum is an option: a number"),
        ("sum(v, keepdims=3)", "keepdims must be True or False"),
        ("sum(*v)", "* and ** before an argument"),
        ("norm(A, 1)", "norm(X, 1) of a matrix is another norm"),
        ("norm(v, 3)", "the order of a norm is 1, 2 or 'fro'"),
        ("reshape(v)", "reshape needs shape"),
        ("concatenate(v, v)", "concatenate takes a list"),
        ("stack([])", "stack takes a list"),
        ("sum((x, y))", "a vector is written [1, 2, 3]"),
        ("sum([])", "a list holds at least one entry"),
        ("sum([[1, 2], [3]])", "all need the same shape"),
        ("softmax(reshape(v, (2, 1)))", "say which axis is meant"),
        # shapes
        ("v", "the function's result has shape (2,)"),
        ("sum(A @ i)", "(2, 2) and (3,) do not fit for @"),
        ("sum(A + i)", "(2, 2) and (3,) do not fit together"),
        ("x @ v", "use * for a scalar"),
        ("mse(reshape(v, (2, 1)), v)", "both arguments need the same shape"),
        ("mse(v, i)", "mse: shapes (2,) and (3,) do not fit together"),
        ("det(v)", "a square matrix is needed"),
        ("sum(reshape(v, (3,)))", "2 entries of shape (2,) do not fit"),
        ("sum(outer(A, v))", "two vectors are needed"),
        ("sum(concatenate([v, A]))", "differ beyond axis 0"),
        ("sum(stack([v, i]))", "all need the same shape"),
        ("sum(broadcast_to(i, (2, 2)))", "does not broadcast"),
        ("sum(pad(v, -1))", "pad_width is a number"),
        ("cross_entropy(A, i)", "need labels of shape (2,)"),
        # indices, conditions
        ("v[2]", "index 2 is out of bounds"),
        ("v[0, 0]", "too many indices"),
        ("v[1:1]", "picks nothing"),
        ("v[0.5]", "an index is a whole number"),
        ("v[x > 0]", "an index is a whole number"),
        ("v[2 * k]", "an index is a whole number, a slice or an input"),
        ("x > 0", "a comparison stands inside where only"),
        ("where(x > 0 and y > 0, x, y)", "joined by & and |"),
        ("where(x in y, x, y)", "only < <= > >= == !="),
        ("where(x * y, x, y)", "a condition is a comparison"),
        ("cross_entropy(v, softmax(v))", "labels are given"),
        # numbers
        ("x * 1e999", "too large for a float64"),
        ("x * " + "9" * 5000, "too large for a float64"),
        ("9**9**9**9", "this constant is not a finite number: it is too large"),
        ("x + log(0)", "this constant is not a finite number: x must be positive"),
        ("x + 1/0", "the divisor must not be 0"),
        ("x + 1j", "unknown name 'j'"),
        ("x + True", "is not a real number"),
        ("x + 'a'", "is not a real number"),
        ("None", "is not a real number"),
        # other Python
        ("x // 2", "this operator is not possible"),
        ("x % 2", "this operator is not possible"),
        ("not x", "a condition is turned by ~"),
        ("lambda: x", "a type annotation is not possible"),
        ("[x for x in v]", "a comprehension is not possible"),
        ("{x: y}", "a dictionary is not possible"),
        ("f'{x}'", "text is not possible"),
        ("(a := x)", ":= is not possible"),
        ("import os", "the function is empty"),
        ("def f(): pass", "def is not possible"),
        ("while 1: pass", "while is not possible"),
        ("a += x", "an assignment with an operator"),
        ("a: int = x", "a type annotation"),
        ("__import__('os')", "unknown function"),
        ("().__class__", ".__class__ is not known"),
        ("x; y", "only the last line may be a bare expression"),
        ("x\ny", "only the last line may be a bare expression"),
        # syntax
        ("", "the function is empty"),
        ("# nothing", "the function is empty"),
        ("x +", "something is missing here: an operand, or a bracket"),
        ("(x", "was never closed"),
        ("x)", "unmatched"),
        ("a = x\n   b = y", "unexpected indent"),
        ("\u0445 + 1", "CYRILLIC SMALL LETTER HA"),
        ("x\u202e", "RIGHT-TO-LEFT OVERRIDE"),
        ("x\0", "a control character"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    assert message in refusal(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("x + z", "line 1, column 5:\n    x + z\n        ^"),
        ("a = x\n\n  \nx + z", "line 4, column 5:\n    x + z\n        ^"),
        ("    a = x\n    b = z\n    b", "line 2, column 9:\n    b = z\n        ^"),
        ("sum(A @ i)", "line 1, column 7:\n    sum(A @ i)\n          ^"),
        ("x ^ zz", "line 1, column 5:\n    x ^ zz\n        ^"),
        ("a = (x +\n   z)\na", "line 2, column 4:\n    z)\n    ^"),
        ("x + " * 100 + "z", "x + x + z"),
        ("1 +\u00d7 x", "line 1, column 4:\n    1 +× x\n       ^"),
    ],
)
def test_messages_point_at_the_place(text: str, place: str) -> None:
    assert place in refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "x + " * 250_000 + "x",
        "x\n" * 500_000,
        "a = x\n" * 140_000,
        "(" * 500_000,
        "(" * 300 + "x" + ")" * 300,
        "sum(" + "[" * 90 + "x" + "]" * 90 + ")",
        "sum(" + "[" * 90 + "1" + "]" * 90 + ")",
        "sum([\n" + "x,\n" * 140_000 + "x])",
        "sum([" + ("x," * 9_000 + "\n") * 100 + "x])",
        "z = inv(eye(4000))\nq",
        "A = broadcast_to(2, (4000, 4000))\nB = A @ A\nq",
        "sum(eye(100000))",
        "\n".join(f"z{i} = " + "x+" * 4_000 + "x" for i in range(40)) + "\nq",
        "\n".join(f"z{i}=" + "x+" * 800 + "x" for i in range(600)) + "\nq",
        "y = x\nxx = x\n" + "x" * 90 + "z",
        "x" * 19_999,
        ("x=y;" * 4_000 + "\n") * 10,
        "sum(x, " + ", ".join(f"a{i}=1" for i in range(2_000)) + ")",
        "sum(reshape(x, (" + "1," * 40 + ")))",
        "# \ud800 \0 \u202e\nq",
        "-" * 10_000 + "x",
        "~" * 10_000 + "x",
        "sum(" + "+".join(["x"] * 9_000) + ")",
        "+".join(["x"] * 9_000) + "+",
        "+".join(["x"] * 9_000) + "> 1",
        "+".join(["x"] * 9_000) + "if x else x",
        "(" + "x +\n" * 100_000 + "x)",
        "x" + ".T" * 9_000,
        "A" + "[0]" * 6_000,
        "x**" * 6_000 + "x",
        "sin(" * 199 + "x",
        "sum(reshape(x, (1000000, 1000000)))",
        "sum(broadcast_to(x, (100000000, 100000000)))",
        "sum(pad(v, 1000000000))",
        "v[" + "9" * 4_000 + "]",
        "sum(v, axis=" + "9" * 4_000 + ")",
        "\n".join(f"z{i} = pad({f'z{i - 1}' if i else 'v'}, 1000000)" for i in range(300)),
        "'" + "a" * 19_000 + "'",
        "(" + "1," * 9_000 + ")",
        "\\" * 10_000,
        "\t" * 10_000,
        "x" + " " * 30_000,
        "0x" + "f" * 5_000,
        "1" + "_1" * 4_000,
        "\ud800",
        "x\n" * 3 + "\x0c",
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_hostile_text_is_refused(text: str) -> None:
    refusal(text)


@pytest.mark.parametrize("text", [None, 7, b"x", ["x"]])
def test_a_formula_is_text(text: Any) -> None:
    assert "must be text" in refusal(text)


@pytest.mark.parametrize("sign", "+-*/")
def test_a_chain_of_thousands_of_terms_is_read(sign: str) -> None:
    """Longer than what Python's own parser takes: it agrees with the chain written in two lines."""
    terms = ["-x", "y**2", "sin(y)", "1e-0"] * 400
    halves = f"h = {sign.join(terms)}\nh {sign} {sign.join(terms)}"
    line = f"  z = {sign.join(terms + terms)}  # a comment + x"
    read, expected = (trace(text, {"x": 1.001, "y": 0.999}) for text in (f"{line}\n  z", halves))
    assert read.value == expected.value
    assert read.gradients == expected.gradients
    assert [q.node.gate for q in read.gates] == [q.node.gate for q in expected.gates]
    sines = [q.node.span for q in read.gates if q.node.gate.name == "sin"]
    assert {line[start:end] for _, start, end in sines} == {"sin(y)"}


def test_a_fault_in_a_long_chain_is_placed() -> None:
    message = refusal("z = " + "x + " * 4000 + "q\nz")
    assert "unknown name 'q'" in message
    assert "line 1, column 16005" in message


def test_long_formulas_are_read() -> None:
    assert trace(" + ".join(["x"] * 2000), {"x": 1}).gradients["x"] == 2000
    assert trace("(" * 150 + "x" + ")" * 150, {"x": 1}).value == 1
    lines = [f"z{i + 1} = z{i} + x" for i in range(999)]
    assert trace("z0 = x\n" + "\n".join(lines), {"x": 1}).value == 1000


@pytest.mark.parametrize("name", [n for n, gate in GATES.items() if gate.usage])
def test_every_usage_names_its_gate(name: str) -> None:
    signs = {
        "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "reciprocal": "1 /", "negative": "-",
        "power": "**", "square": "**2", "matmul": "@", "transpose": ".T", "index": "[", "less": "<",
        "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
        "logical_and": "&", "logical_or": "|", "logical_not": "~", "squared_norm": "norm(x)**2",
        "l1_norm": "norm(x, 1)", "cross_entropy_one_hot": "cross_entropy(", "cross_entropy_smoothed": "cross_entropy(",
            "gelu_tanh": "gelu(",
    }  # fmt: skip
    assert signs.get(name, f"{name}(") in GATES[name].usage


# ---------------------------------------------------------------- inputs


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"1x": 1}, "a name starts with a letter"),
        ({"_x": 1}, "a name starts with a letter"),
        ({"x" * 41: 1}, "40 at most"),
        ({"\u0445": 1}, "a name starts with a letter"),
        ({"class": 1}, "belongs to Python"),
        ({"pi": 1}, "this is the constant"),
        ({1: 1}, "a name starts with a letter"),
        ({"x": "1"}, "input x is text"),
        ({"x": True}, "a truth value"),
        ({"x": {"a": 1}}, "a table"),
        ({"x": None}, "no number"),
        ({"x": []}, "is empty"),
        ({"x": [[], []]}, "is empty"),
        ({"x": [[1, 2], [3]]}, "is ragged: entry 0 has 2 entries, entry 1 has 1 entry"),
        ({"x": [1, [2]]}, "is ragged"),
        ({"x": [1, "a"]}, "input x[1] is text"),
        ({"x": float("nan")}, "give a finite number"),
        ({"x": [1, float("inf")]}, "input x[1] is inf"),
        ({"x": 10**400}, "too large for a float64"),
        ({"x": np.array(["a"])}, "holds no real numbers"),
        ({"x": np.array([1j])}, "holds no real numbers"),
        ({"x": np.array([1, None])}, "holds no real numbers"),
        ({"x": [[[[[[[[[1]]]]]]]]]}, "more than 8 axes"),
        ({"x": np.zeros(1_000_001)}, "entries"),
        ({"x": [0.0] * 1_000_001}, "entries"),
        ({"x": [[0.0] * 1000] * 1001}, "entries"),
        ({"x": np.zeros((1,) * 9)}, "more than 8 axes"),
        ({"x": np.longdouble("1e400")}, "give a finite number"),
        ({"x": {1, 2}}, "no number"),
        ({"x": object()}, "no number"),
        (None, "inputs must be a table"),
        (["x"], "inputs must be a table"),
    ],
)  # fmt: skip
def test_bad_inputs(inputs: Any, message: str) -> None:
    with pytest.raises(ReportError) as raised:
        trace("1", inputs)
    assert message in str(raised.value)


def test_inputs_keep_their_shape_and_order() -> None:
    values = read_inputs({"b": 1, "a": [[1], [2]], "c": np.float32(0.5), "d": np.arange(3)})
    assert {k: np.shape(v) for k, v in values.items()} == {"b": (), "a": (2, 1), "c": (), "d": (3,)}
    assert all(np.asarray(v).dtype == np.float64 for v in values.values())
