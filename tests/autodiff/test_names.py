"""Other ways to write a function: each gives the gates, the value and the gradients of the plain one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from report import ReportError, pipeline, trace
from report.autodiff.gates import GATES
from report.autodiff.gates.table import ALIASES
from report.autodiff.parser.names import FORMS, INSTEAD, STEPS
from report.homework import toml

INPUTS: dict[str, Any] = {
    "s": 0.7,
    "x": [0.5, -1.25, 2.0],
    "y": [0.25, 0.5, 0.75],
    "c": [[1.0], [-2.0], [0.5]],
    "X": [[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]],
    "A": [[2.0, 0.5, 0.0], [0.25, 3.0, -1.0], [0.0, 1.0, 4.0]],
    "T": np.arange(24.0).reshape(2, 3, 4) / 10,
    "t": [0, 2],
    "m": [True, False, True],
}
SAME = [
    # names
    ("asin(s) + acos(s) + atan(s)", "arcsin(s) + arccos(s) + arctan(s)"),
    ("ln(s) + pow(s, 3) + fabs(s)", "log(s) + power(s, 3) + abs(s)"),
    ("sum(clamp(x, -1, 1))", "sum(clip(x, -1, 1))"),
    ("sum(cat([x, y]))", "sum(concatenate([x, y]))"),
    ("mse_loss(x, y) + l1_loss(x, y)", "mse(x, y) + l1(x, y)"),
    ("sum(logsigmoid(x))", "sum(log_sigmoid(x))"),
    ("sum(permute(T, (2, 0, 1))[0])", "sum(transpose(T, (2, 0, 1))[0])"),
    ("sum(inverse(A))", "sum(inv(A))"),
    # arguments by name
    ("sum(clip(x, low=-1, high=1))", "sum(clip(x, -1, 1))"),
    ("sum(clip(x, high=1, low=-1))", "sum(clip(x, -1, 1))"),
    ("sum(clip(x, a_min=-1, a_max=1))", "sum(clip(x, -1, 1))"),
    ("sum(clamp(x, min=-1, max=1))", "sum(clip(x, -1, 1))"),
    ("sum(prelu(x, a=s))", "sum(prelu(x, s))"),
    ("sum(solve(A, b=x))", "sum(solve(A, x))"),
    ("sum(solve(b=x, a=A))", "sum(solve(A, x))"),
    ("cross_entropy(X, labels=t)", "cross_entropy(X, t)"),
    ("cross_entropy(logits=X, target=t)", "cross_entropy(X, t)"),
    ("cross_entropy(X, t, reduction='mean')", "cross_entropy(X, t)"),
    ("mse(target=y, input=x)", "mse(x, y)"),
    ("exp(x=s) + maximum(a=s, b=1)", "exp(s) + maximum(s, 1)"),
    # options
    ("sum(leaky_relu(x, negative_slope=0.2))", "sum(leaky_relu(x, 0.2))"),
    ("sum(leaky_relu(x, alpha=0.2))", "sum(leaky_relu(x, slope=0.2))"),
    ("sum(softmax(X, dim=1)[:, 0])", "sum(softmax(X, axis=1)[:, 0])"),
    ("sum(sum(X, dim=1, keepdim=True)**2)", "sum(sum(X, axis=1, keepdims=True)**2)"),
    ("var(x, correction=1)", "var(x, ddof=1)"),
    ("var(x, ddof=1.0)", "var(x, ddof=1)"),
    ("norm(x, p=1)", "norm(x, 1)"),
    ("norm(x, 2.0)**2 + norm(x, 1.0)", "norm(x)**2 + norm(x, 1)"),
    ("sum(pad(x, 1, mode='constant', constant_values=0) * 2)", "sum(pad(x, 1) * 2)"),
    ("sum(pad(x, 1, 'constant'))", "sum(pad(x, 1))"),
    ("sum(pad(X, (1,))) + sum(pad(X, ((1, 2),)))", "sum(pad(X, 1)) + sum(pad(X, (1, 2)))"),
    ("gelu(s, approximate='none')", "gelu(s)"),
    ("sum(x[newaxis, :] * c)", "sum(x[None, :] * c)"),
    # lists
    ("sum(x * [1, 2, 3])", "sum(x * stack([1, 2, 3]))"),
    ("sum([1, -2, 3] * x) + sum([[1, 0, 0], [0, 1, 0]] @ x)", "x[0] - 2*x[1] + 3*x[2] + x[0] + x[1]"),
    ("sum(concatenate([x, [s, 1]]))", "sum(concatenate([x, stack([s, 1])]))"),
    ("sum(stack([x, [1, 2, 3]]) * 2)", "sum(stack([x, stack([1, 2, 3])]) * 2)"),
    ("max([s, 2 * s])", "max(stack([s, 2 * s]))"),
    ("sum([x, y]**2)", "sum(stack([x, y])**2)"),
    ("cross_entropy(X, [0, 2])", "cross_entropy(X, t)"),
    ("z = [s, 2]\nz @ z", "z = stack([s, 2])\nz @ z"),
    # functions made of gates
    ("sum(ravel(X)**3) + sum(flatten(X))", "sum(reshape(X, -1)**3) + sum(reshape(X, -1))"),
    ("sum(squeeze(c) * x)", "sum(reshape(c, 3) * x)"),
    ("sum(squeeze(c, axis=1) * x)", "sum(c[:, 0] * x)"),
    ("sum(squeeze(c, dim=0) * c)", "sum(c * c)"),
    ("sum(hstack([x, y])**2)", "sum(concatenate([x, y])**2)"),
    ("sum(hstack([X, X]) @ [1, 2, 3, 4, 5, 6])", "sum(concatenate([X, X], axis=1) @ [1, 2, 3, 4, 5, 6])"),
    ("sum(vstack([x, y]) @ x)", "sum(stack([x, y]) @ x)"),
    ("sum(vstack([X, x]) @ y)", "sum(concatenate([X, reshape(x, (1, -1))]) @ y)"),
    ("inner(x, y) + vdot(x, x)", "dot(x, y) + dot(x, x)"),
    ("sum(eye(3) @ A @ x)", "sum(A @ x)"),
    ("sum(x + ones(3)) + sum(zeros((3,)) * y) + sum(ones((2, 3)) * X)", "sum(x + 1) + 0*sum(y) + sum(X)"),
    # more shapes of a gate
    ("sum(dot(A, x)) + sum(dot(X, A))", "sum(A @ x) + sum(X @ A)"),
    ("sum(dot(s, x)) + dot(2, s)", "sum(s * x) + 2*s"),
    ("sum(kron(x, [1, 2]) * [1, 2, 3, 4, 5, 6])", "sum(reshape(outer(x, [1, 2]), -1) * [1, 2, 3, 4, 5, 6])"),
    ("sum(kron(X, y)**2)", "sum(kron(X, reshape(y, (1, 3)))**2)"),
    ("sum(kron(s, X))", "sum(s * X)"),
    ("sum(outer(c, x[None, :]) * A)", "sum(outer(c[:, 0], x) * A)"),
    ("sum(cumsum(X)**2)", "sum(cumsum(reshape(X, -1))**2)"),
    ("sum(cumsum(s))", "s"),
    ("mse(x, 0) + l1(x, 1)", "mean(x**2) + mean(abs(x - 1))"),
    ("huber(x, 0) + hinge(x, 1)", "huber(x, [0, 0, 0]) + mean(maximum(0, 1 - x))"),
    ("mse(x, s)", "mean((x - s)**2)"),
    ("mse(s, x)", "mean((s - x)**2)"),
    ("mse(X, x)", "mean((X - x)**2)"),
    ("binary_cross_entropy(y, 1)", "-mean(log(y))"),
    ("binary_cross_entropy_with_logits(x, 1)", "mean(softplus(-x))"),
    # comparisons with names
    ("m1 = x > 0\nsum(where(m1, x, y))", "sum(where(x > 0, x, y))"),
    ("a = x > 0\nb = ~a\nd = a & (y < 0.6) | b\nsum(where(d, x*y, y))",
     "sum(where((x > 0) & (y < 0.6) | ~(x > 0), x*y, y))"),
    ("sum(where(logical_and(x > 0, y > 0.3), x, y))", "sum(where((x > 0) & (y > 0.3), x, y))"),
    ("sum(where(logical_not(less(x, 0)), x, y))", "sum(where(~(x < 0), x, y))"),
    ("a = logical_or(x > 0, m)\nsum(where(a, x, y))", "sum(where((x > 0) | m, x, y))"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "plain"), SAME, ids=[text for text, _ in SAME])
def test_it_is_the_same_function(text: str, plain: str) -> None:
    inputs = {name: value for name, value in INPUTS.items() if name in text}
    ours, expected = trace(text, inputs), trace(plain, inputs)
    np.testing.assert_allclose(ours.value, expected.value, rtol=1e-14)
    for name, gradient in expected.gradients.items():
        np.testing.assert_allclose(ours.gradients[name], gradient, rtol=1e-13, atol=1e-15)


def test_what_is_spread_for_a_loss_is_a_constant_or_a_gate() -> None:
    assert [q.node.gate.name for q in trace("mse(x, 0)", {"x": [1, 2]}).gates] == ["mse"]
    gates = trace("mse(x, y)", {"x": [1, 2], "y": 0.5}).gates
    assert [q.node.gate.name for q in gates] == ["broadcast_to", "mse"]


def refusal(text: str) -> str:
    with pytest.raises(ReportError) as raised:
        trace(text, INPUTS)
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sum(clip(x, -1, 1, high=2))", "high is given twice"),
        ("sum(clip(x, -1, 1, max=2))", "high is given twice"),
        ("sum(solve(A, c=x))", "solve has no option 'c'; it has none"),
        ("sum(solve(b=x))", "solve takes 2 arguments, not 1"),
        ("cross_entropy(X, t, reduction='sum')", "cross_entropy has reduction='mean' only"),
        ("sum(pad(x, 1, mode='reflect'))", "pad has mode='constant' only"),
        ("sum(pad(x, 1, constant_values=2))", "pad has constant_values=0 only"),
        ("sum(pad(s, 1))", "a number has no axis"),
        ("norm(x, 'nuc')", "the order of a norm is 1, 2 or 'fro'"),
        ("norm(x, True)", "the order of a norm is 1, 2 or 'fro'"),
        ("sum(squeeze(x, axis=3))", "squeeze: there is no axis 3 in shape (3,)"),
        ("sum(ones((0, 2)))", "has no entries"),
        ("sum(x * (1, 2, 3))", "a vector is written [1, 2, 3]"),
        ("sum(dot(T, T))", "two vectors of the same length"),
        ("mse(c, x)", "both arguments need the same shape"),
        ("softmax(c)[0, 0]", "say which axis is meant"),
        # comparisons
        ("m1 = x > 0\nm1", "'m1' is a comparison: it stands inside where only"),
        ("m1 = s > 0\nm1", "'m1' is a comparison"),
        ("m1 = s > 0", "a comparison stands inside where only"),
        ("sum(less(x, y) * x)", "a comparison stands inside where only"),
        ("logical_and(s, s)", "a comparison stands inside where only"),
        ("sum(where(x > 0 & y > 0, x, y))", "each in brackets"),
        ("sum(where(logical_and(x * y, x > 0), x, y))", "a condition is a comparison"),
        # libraries and names
        ("z = s\nz + q9", "unknown name 'q9'; the inputs are: s, x, y, c, X, A, T, t, m; named above are: z"),
        # known functions that are no gate, and slips of the pen
        ("exp2(s)", "there is no gate exp2; write 2**x"),
        ("erfc(s)", "write 1 - erf(x)"),
        ("index(x, 0)", "there is no gate index; write x[i]"),
        ("floor(s)", "there is no gate floor: it is flat between its steps"),
        ("softmaxx(x)[0]", "did you mean softmax?"),
        ("sigmiod(s)", "did you mean sigmoid?"),
    ],
)  # fmt: skip
def test_refusals(text: str, message: str) -> None:
    assert message in refusal(text)


@pytest.mark.parametrize(
    "name", ["sec", "cot", "mod", "embedding", "eigh", "cross", "frobnicate", "triu", "arange", "nll_loss", "split"]
)  # fmt: skip
def test_no_suggestion_changes_the_mathematics(name: str) -> None:
    assert "did you mean" not in refusal(f"{name}(x)")


def test_the_tables_agree_with_the_gates() -> None:
    assert {name for name in ALIASES.values() if name not in GATES} == set()
    assert not ALIASES.keys() & GATES.keys()
    assert not (INSTEAD.keys() | STEPS) & FORMS.keys()


X, Y = 0.3, 1.7  # between 0 and 1, and above 1
MEANT: dict[str, Any] = {
    "exp2": np.exp2,
    "arcsinh": np.arcsinh, "asinh": np.arcsinh, "arccosh": np.arccosh, "acosh": np.arccosh,
    "arctanh": np.arctanh, "atanh": np.arctanh, "sinc": np.sinc, "heaviside": lambda x: np.heaviside(x, 0),
    "sec": lambda x: 1 / np.cos(x), "csc": lambda x: 1 / np.sin(x), "cot": lambda x: 1 / np.tan(x),
    "sech": lambda x: 1 / np.cosh(x), "coth": lambda x: 1 / np.tanh(x),
}  # fmt: skip


@pytest.mark.parametrize("name", MEANT)
def test_what_to_write_instead_is_the_function(name: str) -> None:
    x = Y if "cosh" in name else X
    np.testing.assert_allclose(trace(INSTEAD[name], {"x": x}).value, MEANT[name](x), rtol=1e-12)


def test_what_to_write_instead_of_functions_of_two() -> None:
    values = {"a": X, "b": Y, "x": Y, "y": X}
    for name, meant in (("hypot", np.hypot), ("logaddexp", np.logaddexp)):
        np.testing.assert_allclose(trace(INSTEAD[name], values).value, meant(X, Y), rtol=1e-14)


def test_reports_of_them_are_checked(tmp_path: Path) -> None:
    questions = [
        "sum(x * [1, 2, 3]) + sum([s, 2 * s, 1] * x)",
        "m1 = x > 0\nsum(where(m1 & (x < 1), x**2, s * x))",
        "sum(kron(x, y)**2) + sum(dot(A, x)**2)",
        "mse(x, 0) + huber(x, s, delta=0.7)",
        "binary_cross_entropy(y, 1) + binary_cross_entropy_with_logits(10 * x, [1, 0, 1])",
        "sum(elu(10 * x, alpha=0.7)) + sum(cumsum(X)**2)",
        "cross_entropy(X, [0, 2]) + sum(eye(3) @ x)",
        "sum(where(m, x, s * x)) + sum(hstack([x, y])**2)",
    ]
    homework = "title = 'T'\n"
    for function in questions:
        names = set(re.findall(r"\b[a-zA-Z]\b", function))
        inputs = {name: value for name, value in INPUTS.items() if name in names}
        homework += f"[[question]]\n{toml.write_pairs({'function': function})}"
        homework += f"[question.inputs]\n{toml.write_pairs(inputs)}"
    file = tmp_path / "hw.toml"
    file.write_text(homework)
    text, good = pipeline.check_table(file)
    assert good, text
