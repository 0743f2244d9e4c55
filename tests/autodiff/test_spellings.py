"""What people type in place of Python's syntax: each gives the value and the gradients of the plain one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from report import ReportError, trace

INPUTS: dict[str, Any] = {
    "x": 0.7, "y": -1.2, "w": 0.4, "x1": 1.5, "w1": -0.5, "alpha": 0.3, "lambda": 0.2,
    "xv": 1.1, "vu": 0.9, "v": [0.5, -1.0, 2.0], "u": [1.0, 2.0, -0.5], "b": [1.0, 2.0],
    "W": [[1.0, 2.0, 0.0], [0.5, -1.0, 1.0], [0.0, 0.3, 2.0]], "S": [[2.0, 0.5], [0.5, 1.0]],
}  # fmt: skip
SAME = [
    ("x^2", "x**2"),
    ("x² + 2x", "x**2+2*x"),
    ("(x+y)(x-y)", "(x+y)*(x-y)"),
    ("sin x", "sin(x)"),
    ("sin^2(x)", "sin(x)**2"),
    ("sin²x + cos^2 x", "sin(x)**2+cos(x)**2"),
    ("|x - y|", "abs(x-y)"),
    ("‖W v‖²", "norm(W@v)**2"),
    ("||v||^2", "norm(v)**2"),
    ("‖Wv‖²", "norm(W@v)**2"),
    ("sum(sigmoid(Wv))", "sum(sigmoid(W@v))"),
    ("Wv = W @ u\nsum(Wv)", "sum(W@u)"),
    ("vᵀWv + wx²", "v@(W@v) + w*x**2"),
    ("x1w1 + 2xy", "x1*w1 + 2*x*y"),
    ("sin x cos y + sin 2πx", "sin(x)*cos(y) + sin(2*pi*x)"),
    ("x₁w₁", "x1*w1"),
    ("x1 w1", "x1*w1"),
    ("α·x", "alpha*x"),
    ("σ(x)", "sigmoid(x)"),
    ("sigma(x)", "sigmoid(x)"),
    ("½ x", "x/2"),
    ("√x", "sqrt(x)"),
    ("e^x", "exp(x)"),
    ("e**(-x)", "exp(-x)"),
    ("sum(v ⊙ u)", "sum(v*u)"),
    ("v·u", "dot(v,u)"),
    ("np.sum(np.exp(v))", "sum(exp(v))"),
    ("torch.nn.functional.relu(x)", "relu(x)"),
    ("np.linalg.norm(v)", "norm(v)"),
    ("tf.reduce_sum(v)", "sum(v)"),
    ("v.sum()", "sum(v)"),
    ("(v*u).mean()", "mean(v*u)"),
    ("W.mean(1)[0]", "mean(W,1)[0]"),
    ("v.exp().sum()", "sum(exp(v))"),
    ("v.dot(u)", "dot(v,u)"),
    ("x.pow(2)", "x**2"),
    ("W.max(1).values[0]", "max(W,1)[0]"),
    ("W.reshape(9)[2]", "reshape(W,9)[2]"),
    ("W.view(1, 9)[0, 2]", "reshape(W,(1,9))[0,2]"),
    ("max(0, x)", "maximum(0,x)"),
    ("max(x, y)", "maximum(x,y)"),
    ("max(x, 0)", "maximum(x,0)"),
    ("f(x) = x^2 + 1", "x**2+1"),
    ("λ x", "0.2*x"),
    ("lambda*x", "0.2*x"),
    ("b @ S^-1 @ b", "b @ inv(S) @ b"),
    ("b @ S⁻¹ b", "b @ inv(S) @ b"),
    ("sum(S**-1)", "sum(S**-1)"),
    ("x^-1", "x**-1"),
    ("np.pi * x", "pi*x"),
    ("2(x+1)", "2*(x+1)"),
    ("z = W v\nz·z", "(W@v)@(W@v)"),
    ("x − y", "x-y"),
    ("x × y", "x*y"),
    ("v^T W v", "v@W@v"),
    ("vᵀ W v", "v@W@v"),
    ("v.T W v", "v@W@v"),
    ("W.T v · u", "(W.T@v)@u"),
    ("‖v - u‖^2 / 2", "norm(v-u)**2/2"),
    ("log(1 + e^(-x))", "log(1+exp(-x))"),
    ("F.softmax(v, dim=0)[1]", "softmax(v)[1]"),
    ("torch.sigmoid(v).sum()", "sum(sigmoid(v))"),
    ("v.sum().item()", "sum(v)"),
    ("v.abs().sum()", "sum(abs(v))"),
    ("W.T.sum(axis=0)[1]", "sum(W.T,axis=0)[1]"),
    ("W.t()[0,1]", "W.T[0,1]"),
    ("x**-1", "1/x"),
    ("exp(x)y", "exp(x)*y"),
    ("2π x", "2*pi*x"),
    ("(x+1)²", "(x+1)**2"),
    ("x³", "x**3"),
    ("tanh x", "tanh(x)"),
    ("b @ S^(-1) @ b", "b @ inv(S) @ b"),
    ("(2 v).exp().sum()", "sum(exp(2*v))"),
    ("F.conv1d(v, u[:2], padding=1).pow(2).sum()", "sum(conv1d(v, u[:2], padding=1)**2)"),
    ("v.clamp(min=0).sum()", "sum(maximum(v, 0))"),
    ("np.clip(v, None, 1).sum()", "sum(minimum(v, 1))"),
    ("clip(v, 0, ∞)[2]", "maximum(v, 0)[2]"),
    ("np.linalg.norm(v, np.inf)", "max(abs(v))"),
    ("W.max(dim=1)[0].sum()", "sum(max(W, 1))"),
    ("v.masked_fill(v < 0, 0).sum()", "sum(where(v < 0, 0, v))"),
    ("W.gather(1, [[0], [2], [1]]).sum()", "W[0, 0] + W[1, 2] + W[2, 1]"),
    ("torch.roll(v, shifts=1, dims=0)[0]", "v[2]"),
    ("(v[:, np.newaxis] * u)[2, 0]", "v[2] * u[0]"),
    ("F.layer_norm(v, (3,), u)[1]", "layer_norm(v, u)[1]"),
    ("F.group_norm(W, 1, v, u)[0, 1]", "group_norm(W, v, u, groups=1)[0, 1]"),
]


@pytest.mark.parametrize(("typed", "plain"), SAME)
def test_it_is_read_as_the_plain_formula(typed: str, plain: str) -> None:
    found, expected = trace(typed, INPUTS), trace(plain, INPUTS)
    assert found.value == pytest.approx(expected.value, rel=1e-14)
    for name in set(found.gradients) - {"lambda"}:
        np.testing.assert_allclose(found.gradients[name], expected.gradients[name], rtol=1e-12)


def refusal(text: str) -> str:
    with pytest.raises(ReportError) as raised:
        trace(text, INPUTS)
    return str(raised.value)


@pytest.mark.parametrize(
    ("typed", "readings"),
    [
        ("v u", ["write * for entry by entry", "@ for the product"]),
        ("W u v", ["write * for entry by entry", "@ for the product"]),
        ("1/2x", ["1/(2 * x)", "(1/2) * x"]),
        ("1/(1 + x) y", ["1/((1+x) * y)", "(1/(1+x)) * y"]),
        ("sin x y", ["sin(x)*y", "sin(x*y)"]),
        ("xvu", ["xv u", "x vu"]),
        ("sin x^2", ["sin(x**..)", "sin(x)**.."]),
        ("sigmoid^-1(x)", ["inverse function", "1/sigmoid(x)"]),
    ],
)
def test_what_has_two_readings_is_refused_with_both(typed: str, readings: list[str]) -> None:
    said = refusal(typed)
    assert all(reading in said for reading in readings)
    assert "line 1, column" in said


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("x % y", "not possible"),
        ("sigma(x)'", "the prime of a number is a derivative"),
        ("x // y", "not possible"),
        ("x² % y", "not possible"),
        ("2 3", "an operator is missing between two numbers"),
        ("|x", "a bar is not closed"),
        ("sin", "needs its argument"),
        ("x.foo()", "unknown function 'foo'"),
        ("np.foo(x)", "unknown function 'foo'"),
        ("∑ v", "sum is written with brackets, sum(x)"),
        ("v.median()", "median is not a gate: it follows the entry in the middle"),
        ("scipy.linalg.logm(S)[0, 0]", "logm is not a gate: the logarithm of a matrix"),
        ("expm(S)[0, 0]", "exp goes entry by entry"),
        ("x + inf", "an infinite number can stand only where nothing of it is left"),
    ],
)
def test_what_means_nothing_is_refused(typed: str, said: str) -> None:
    assert said in refusal(typed)


def test_a_caret_points_into_the_text_as_it_was_typed() -> None:
    assert refusal("x² + (2x)(y + zz)").endswith("    x² + (2x)(y + zz)\n                  ^")
    place = trace("w² + ½ x", INPUTS).gates[0].node.span
    assert place == (1, 0, 2)


def test_a_name_of_ours_is_a_value_where_an_input_has_it() -> None:
    assert trace("sigma(x + 1)", {"sigma": 2.0, "x": 3.0}).value == 8.0
    assert trace("e**x", {"e": 2.0, "x": 3.0}).value == 8.0
    assert trace("T x^T", {"T": 2.0, "x": 3.0}).value == 18.0


def test_greek_and_lowered_names_of_inputs_are_their_ascii_names() -> None:
    found = trace("α x₁", {"α": 3.0, "x₁": 2.0}, wrt=["α"])
    assert found.value == 6.0
    assert found.gradients == {"alpha": 2.0}
    with pytest.raises(ReportError, match="two inputs are called alpha"):
        trace("alpha", {"alpha": 1.0, "α": 2.0})


def test_a_mask_has_no_power_by_a_caret() -> None:
    inputs = {"m": [1, 0], "n": [0, 1], "x": [1.0, 2.0]}
    with pytest.raises(
        ReportError, match=r"m is a mask, so its . can be read as a power or as excl"
    ):
        trace("sum(where(m, x, 0) * m^n)", inputs, ["x"])
    assert trace("sum(where(m, x, 0) * m**n)", inputs, ["x"]).value == 1.0


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("x^2 + y", ("^ is a power: x^2 is x**2",)),
        ("(x + y)^2", ("^ is a power",)),
        ("x² + x**2", ()),
        ("sum(W**2)", ("W**2 goes entry by entry; of the matrix it is W @ W",)),
        ("sum(S**-1)", ("S**-1 goes entry by entry; of the matrix it is inv(S)",)),
        ("sum(S⁻¹)", ("S^-1 is the inverse of the matrix",)),
    ],
)
def test_what_was_chosen_is_said(typed: str, said: tuple[str, ...]) -> None:
    assert trace(typed, INPUTS).graph.readings == said
