"""The generated programs: they run, they agree with the trace, and they read as good code."""

from __future__ import annotations

import ast
import contextlib
import gc
import io
import math
import os
import re
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import report
from report import trace
from report.answering import programs_of
from report.autodiff.gates import GATES
from report.autodiff.trace import Trace
from report.errors import CheckError, ReportError
from report.homework import variants
from report.homework.homework import read_homework
from report.homework.traces import trace_question
from report.program import Printed, Program, finish, generate, parse_output, run, start
from report.program.fork_server import Copy
from report.program.library import FUNCTIONS, source
from report.program.line_layout import WIDTH
from tests.autodiff.test_unfold import CASES as UNFOLDED

W = [[0.4, 0.1, -0.5], [0.2, -0.32, 0.8], [0.7, 0.4, -0.6]]
SCALARS = {"x1": -1, "w1": 3, "x2": -2, "w2": 3}
M23 = [[0.5, -1.25, 2.0], [1.5, 0.75, -0.3]]
M32 = [[0.3, -0.7], [1.1, 0.2], [-0.4, 0.9]]
V2, V3, V4 = [0.7, -1.3], [0.6, -0.2, 1.4], [0.1, -0.5, 0.9, 0.25]
T234 = [
    [[round(math.sin(i + 2 * j + 5 * k), 2) for k in range(4)] for j in range(3)] for i in range(2)
]
T243 = [
    [[round(math.cos(3 * i + j + 4 * k), 2) for k in range(3)] for j in range(4)] for i in range(2)
]
S3 = [[2.0, 0.3, -0.5], [0.4, 1.5, 0.2], [-0.1, 0.6, 1.8]]
S33 = [S3, [[1.1, -0.4, 0.3], [0.2, 2.2, 0.7], [0.5, -0.3, 1.4]]]
P4, Q4 = [0.1, 0.2, 0.3, 0.4], [0.25, 0.15, 0.35, 0.25]

CORPUS: dict[str, tuple[str, dict[str, Any]]] = {
    "homework q1": ("1 / (2 + sin(x1*w1)**2 + cos(x2*w2))", SCALARS),
    "homework q1 in degrees": (
        "1 / (2 + sin(radians(x1*w1))**2 + cos(radians(x2*w2)))",
        SCALARS,
    ),
    "homework q2, column": ("norm(sigmoid(W @ x))**2", {"W": W, "x": [[-0.2], [0.6], [-0.4]]}),
    "homework q2, vector": ("norm(sigmoid(W @ x))**2", {"W": W, "x": [-0.2, 0.6, -0.4]}),
    "two layers": (
        "h = tanh(W1 @ x + b1)\nz = W2 @ h + b2\nmean((z - y)**2)",
        {"W1": M32, "b1": V3, "W2": M23, "b2": V2, "x": V2, "y": [0.2, 0.4]},
    ),
    "a batch": (
        "h = relu(X @ W + b)\nsum((h - Y)**2) / 2",
        {"X": M23, "W": M32, "b": V2, "Y": [[1, 0], [0, 1]]},
    ),
    "used three times": ("x*x*x", {"x": 1.7}),
    "a + a": ("a + a", {"a": 3}),
    "used by many": (
        "a = x*2\na + a*x + sin(a) + exp(-a) + a**3 + x + tanh(x*a) + a/x",
        {"x": 0.8},
    ),
    "vector used by many": (
        "s = sigmoid(x)\nsum(s) + sum(s*x) + sum(s**2) + dot(s, x) + norm(s) + mean(x)",
        {"x": V3},
    ),
    "one gate": ("a * b", {"a": 2, "b": -3}),
    "no gate": ("x", {"x": 4}),
    "no gate, one by one": ("x", {"x": [[4]]}),
    "a constant": ("2 * pi", {"x": 4, "v": V3}),
    "a constant of nothing": ("sqrt(2)", {}),
    "an input not used": ("x**2", {"x": 3, "y": 5, "W": M23}),
    "constants inside": ("2*pi*r + r**(1/3) - 7", {"r": 2.5}),
    "powers": ("x**x + 2**x + x**-1.5 + x**3 + (-x)**4", {"x": 1.3}),
    "quotients": ("a / b + b / a / 2 - a / (b * a) + 3 / a", {"a": 1.5, "b": -0.7}),
    "signs": ("-(a - (b - -a)) - -b*(-a) - (-(a*b))", {"a": 1.5, "b": -0.7}),
    "functions": (
        ("exp(x) + log(x) + sin(x) + cos(x) + tan(x) + sqrt(x) + tanh(x) + sigmoid(x) + abs(-x)"
        " + relu(x) + square(x) + radians(x)"),
        {"x": 0.37},
    ),
    "functions of a matrix": (
        "sum(exp(X) + log(X**2) + sin(X)*cos(X) + sqrt(abs(X)) + tanh(X)/sigmoid(X) + relu(X))",
        {"X": M23},
    ),
    "rows and columns": ("sum(a + b * C)", {"a": V3, "b": [[2], [3]], "C": M23}),
    "column times row": ("norm(sin(u * v))", {"u": [[1], [2]], "v": [[0.1, 0.2, 0.3]]}),
    "scalar and matrix": ("sum((X - m)**2 / s)", {"X": M23, "m": 0.3, "s": 1.7}),
    "one by one and vector": ("sum(a * v)", {"a": [[2]], "v": V3}),
    "a vector of one": ("sum(a * M)", {"a": [3], "M": M23}),
    "result of shape (1, 1)": ("x.T @ A @ x", {"A": W, "x": [[1], [2], [0.5]]}),
    "result of shape (1,)": ("A @ x", {"A": [[1, 2, 3]], "x": V3}),
    "stacks": ("sum(sin(A @ B))", {"A": T234, "B": T243}),
    "stack times matrix": ("sum(tanh(A @ M))", {"A": T243, "M": M32}),
    "matrix times stack": ("sum(tanh(M @ A))", {"M": M23, "A": T234}),
    "stack times vector": ("sum((A @ v)**2)", {"A": T234, "v": V4}),
    "vector times stack": ("sum((v @ A)**2)", {"A": T234, "v": V3}),
    "vector times matrix": ("norm(v @ A)", {"A": M23, "v": V2}),
    "vector times vector": ("tanh(u @ v)", {"u": V3, "v": [1, 2, 3]}),
    "transposes": ("sum((A.T @ B.T) * C) + sum(T.T**2)", {"A": M23, "B": M32, "C": W, "T": T234}),
    "dot": ("dot(u, v) / (norm(u) * norm(v))", {"u": V3, "v": [1, 2, 3]}),
    "sum and mean along axes": (
        "sum(sum(X, axis=0)**2) + sum(mean(X, axis=1)**3) + sum(mean(X, axis=-1, keepdims=True) * X)",
        {"X": M23},
    ),
    "reductions of a stack": (
        ("sum(sum(T, axis=(0, 2))**2) + sum((T - mean(T, axis=(0, 1), keepdims=True))**2)"
        " + sum(sum(T, axis=1)**3)"),
        {"T": T234},
    ),
    "norm at 0": ("norm(x) + sum(x)", {"x": [0, 0]}),
    "at kinks": ("relu(a*x) + abs(x) + a", {"a": 2, "x": 0}),
    "one entry at a kink": ("sum(relu(v))", {"v": [1.5, 0, -2, 0.5]}),
    "a matrix at kinks": ("sum(relu(X))", {"X": [[0, 1], [2, -1]]}),
    "sign": ("sum(v * sign(v))", {"v": V3}),
    "tiny numbers": ("a*x + b", {"a": 1e-200, "x": 1e-100, "b": 1e-250}),
    "one over a huge number": ("1 / x + a / x", {"x": 1e200, "a": 3e199}),
    "huge numbers": ("(a + b) * 1e-150", {"a": 1e200, "b": -3e199}),
    "near the border of a domain": ("log(x) + sqrt(y)", {"x": 1e-9, "y": 1e-12}),
    "saturated": ("sigmoid(a) + sigmoid(b) + tanh(c)", {"a": 1000, "b": -1000, "c": 1000}),
    "saturated vectors": ("sum(sigmoid(v))", {"v": [1000, -1000, 0, 30, -30]}),
    "gradient vanishes": ("(x - 3)**2", {"x": 3}),
    "gradient of rounding errors": ("sum(X - mean(X)) + sin(x)**2 + cos(x)**2", {"X": M23, "x": 0.3}),
    "gradient cancels": ("x - x", {"x": 3}),
    "wide rows": ("sum(X**2)", {"X": [[0.1 * i * j - 1 for i in range(11)] for j in range(2)]}),
    "colliding names": (
        "lambda_ = math * np\nf = lambda_ + h*d_x\ntotal = f * print + x\ntotal * id + l + O",
        {
            "math": 2, "np": 3, "h": 0.5, "d_x": -1.5, "x": 0.25, "print": 1.25, "id": 2, "l": 1,
            "O": 7,
        },
    ),
    "colliding tensors": (
        "sum(elementwise * g + y * (1 - y)) + sum(sigmoid(slope)) * point + sum(stacked @ pairs)",
        {
            "elementwise": V3, "g": 2, "y": [0.1, 0.2, 0.3], "slope": V2, "point": 3, "stacked": M23,
            "pairs": V3,
        },
    ),
    "gates named like gradients": ("q1 = a*b\nd_q1 = q1*a\nd_a = d_q1 + q1\nd_a*d_q1", {"a": 2, "b": 3}),
    "names of programs": ("number * show + rows / slope - pairs", {n: i + 2 for i, n in enumerate(
        ["number", "show", "rows", "slope", "pairs"])}),
    "long names": (
        "{0}*{1} + {0}/{1} + tanh({0})".format("a" * 40, "b" * 40),
        {"a" * 40: 2, "b" * 40: 3},
    ),
    "long tensor names": (
        "sum(tanh({0}*{1} + {0}/{1}))".format("a" * 40, "b" * 40),
        {"a" * 40: V3, "b" * 40: [1, 2, 3]},
    ),
    "80 gates": ("\n".join(
        ["z0 = x*w"] + [f"z{i} = sin(z{i - 1})*w + {i}/10" for i in range(1, 27)] + ["z26*x"]
    ), {"x": 0.3, "w": 1.2}),
    "a deep chain": ("z0 = x\n" + "\n".join(f"z{i} = cos(z{i-1})" for i in range(1, 300)), {"x": 0.3}),
    "one long sum": (" + ".join(f"sin({i}*x)" for i in range(1, 120)), {"x": 0.3}),
    # gate by gate
    "more functions": (
        ("log1p(x) + expm1(x) + arcsin(x) + arccos(x) + arctan(x) + sinh(x) + cosh(x) + degrees(x)"
        " + erf(x) + maximum(x, y) + minimum(x, y) + clip(x, y, 2)"),
        {"x": 0.37, "y": -0.4},
    ),
    "more functions of vectors": (
        "sum(log1p(v) + expm1(v) * arctan(v) + erf(v) + sinh(v) / cosh(v)) + sum(arcsin(v/2))",
        {"v": V3},
    ),
    "activations": (
        ("log_sigmoid(x) + softplus(x) + leaky_relu(x) + leaky_relu(-x, slope=0.2) + prelu(-x, a)"
        " + elu(-x) + elu(-x, alpha=0.5) + swish(x) + gelu(x) + gelu(-x)"),
        {"x": 0.37, "a": 0.3},
    ),
    "activations of vectors": (
        ("sum(log_sigmoid(v) * softplus(v) + leaky_relu(v) + leaky_relu(v, slope=0.2) + prelu(v, a)"
        " + elu(v) + elu(v, alpha=0.5) + swish(v) + gelu(v) * gelu(-v))"),
        {"v": V3, "a": 0.3},
    ),
    "large activations": (
        "sum(log_sigmoid(v) + softplus(v) + swish(v) + gelu(v) + elu(v))",
        {"v": [1000, -1000]},
    ),
    "choices": (
        ("where(x > 0, x*y, y) + where((x < y) & (y <= 2), x, 3) + where((x > 5) | ~(y == 2), x, y)"
        " + where(x != y, 2*x, y) + where(x >= y, x, y**2)"),
        {"x": 0.4, "y": 1.5},
    ),
    "choices of vectors": (
        "m = where(v > 0, 1, 0)\nsum(where(c, v*w, w) + where((v < w) & (w <= 2), v, 3)) + sum(m * w) + sum(1 - m)",
        {"v": V3, "w": [1, 2.5, -3], "c": [1, 0, 1]},
    ),
    "extremes of vectors": (
        "sum(maximum(v, w) * minimum(v, 0.1)) + sum(clip(v * w, -0.5, 1))",
        {"v": V3, "w": [1, 2.5, -3]},
    ),
    "a tie": ("maximum(x, y) + minimum(x, y)", {"x": 2, "y": 2}),
    "softmax": ("p = softmax(z)\n-log(sum(p*t))", {"z": V3, "t": [0, 1, 0]}),
    "softmax along axes": (
        ("sum(softmax(X) * C) + sum(softmax(X, axis=0)**2) + sum(log_softmax(X) * C)"
        " + sum(log_softmax(X, axis=0)**2)"),
        {"X": M23, "C": [[1, 2, 3], [4, 5, 6]]},
    ),
    "softmax of a stack": ("sum(softmax(T, axis=1) * softmax(T)**2)", {"T": T234}),
    "logsumexp": (
        ("logsumexp(v) + sum(logsumexp(X, axis=1)**2) + sum(logsumexp(X, axis=0, keepdims=True) * X)"
        " + logsumexp(X)"),
        {"v": V3, "X": M23},
    ),
    "large scores": ("logsumexp(z) + sum(softmax(z) * log_softmax(z / 500))", {"z": [1000, -1000, 999]}),
    "products": (
        "sum(kron(A, B) ** 2) + sum(outer(u, v) * M)",
        {"A": M23, "B": [[1, -2], [0.5, 3]], "u": V2, "v": V3, "M": M23},
    ),
    "square matrices": (
        ("trace(A @ A) + det(A) + logdet(A) + sum(inv(A)**2) + sum(solve(A, v)**2)"
        " + sum(solve(A, B)**2) + sum(diag(A)**2) + sum(diag(v) @ A)"),
        {"A": S3, "v": V3, "B": M32},
    ),
    "stacks of square matrices": ("sum(det(S)**2) + sum(logdet(S)) + sum(inv(S)**2)", {"S": S33}),
    "a singular matrix": ("det(A)", {"A": [[1, 2, 3], [2, 4, 6], [1, 0, 1]]}),
    "one by one matrices": ("det(A) + logdet(A) + sum(inv(A)) + trace(A)", {"A": [[2]]}),
    "norms": (
        ("norm(v, 1) + sum(norm(X, axis=1)**2) + sum(norm(X, 1, axis=0)**3)"
        " + sum(norm(X, axis=0, keepdims=True) * X) + norm(T)"),
        {"v": V3, "X": M23, "T": T234},
    ),
    "extremes and products": (
        ("max(v) + min(v) * prod(v) + sum(max(X, axis=0)**2) + sum(min(X, axis=1, keepdims=True) * X)"
        " + sum(prod(X, axis=1)**2) + prod(X) + max(X)"),
        {"v": V3, "X": M23},
    ),
    "products with zeros": ("prod(v) + sum(prod(X, axis=0))", {"v": [0, 2, 3], "X": [[0, 1], [2, 0]]}),
    "products of a stack": ("sum(prod(T, axis=(0, 2))**2) + sum(max(T, axis=(0, 1))**2)", {"T": T234}),
    "ties": ("max(v) * 2 + min(v)", {"v": [1, 3, 3, 1]}),
    "variances": (
        ("var(v) + std(v, ddof=1) + sum(var(X, axis=0)**2) + sum(std(X, axis=1, keepdims=True) * X)"
        " + sum(var(T, axis=(0, 2), ddof=1)**2) + std(X)"),
        {"v": V3, "X": M23, "T": T234},
    ),
    "running sums": (
        "sum(cumsum(v)**2) + sum(cumsum(X, axis=0)**2) + sum(cumsum(X, axis=1)**3)",
        {"v": V3, "X": M23},
    ),
    "reshaping": (
        ("sum(reshape(X, (3, 2)) @ X) + sum(reshape(X, (-1,))**2) + sum(transpose(T, (1, 0, 2))**2)"
        " + sum(transpose(X) * reshape(v, (3, 1))) + sum(broadcast_to(v, (2, 3)) * X)"),
        {"X": M23, "T": T234, "v": V3},
    ),
    "joining": (
        ("sum(concatenate([u, v, u])**2) + sum(concatenate([X, Y], axis=1)**3)"
        " + sum(concatenate([X, X], axis=0)**2) + sum(stack([v, v*2])**2)"
        " + sum(stack([v, v**2], axis=1)**2) + norm(stack([a, a*a]))"),
        {"u": V2, "v": V3, "X": M23, "Y": [[1], [2]], "a": 3},
    ),
    "padding": ("sum(pad(X, 1)**2) + sum(pad(v, (1, 2)) @ v5)", {"X": M23, "v": V2, "v5": [1, 2, 3, 4, 5]}),
    "indexing": (
        ("v[0] * v[-1] + sum(X[1]**2) + sum(X[:, 1:3]**2) + X[0, 2]**2 + sum(v[1:]**3) + sum(v[::2])"
        " + sum(T[1, :, 0]**2) + sum(T[..., 1]**2)"),
        {"v": V3, "X": M23, "T": T234},
    ),
    "indexing by lists": ("sum(v[[0, 2, 2]]**2) + sum(X[[1, 0]] * X) + sum(X[:, [0, 2]]**2)", {
        "v": V3, "X": M23}),
    "an embedding": ("h = tanh(E[words] @ w)\nsum(h**2)", {"E": M32, "words": [2, 0, 2], "w": V2}),
    "a table of words": ("sum(E[words]**2)", {"E": M32, "words": [[2, 0], [1, 2]]}),
    "one word": ("sum(E[word]**2)", {"E": M32, "word": 1}),
    "picked by pairs": ("sum(log(P[[0, 1], labels]))", {"P": [[0.2, 0.8], [0.6, 0.4]], "labels": [1, 0]}),
    "a new axis": ("sum((v[:, None] * v)**2)", {"v": V3}),
    "losses": (
        ("mse(p, y) + l1(p, y) + huber(p, y) + huber(p, y, delta=0.1) + binary_cross_entropy(p, t)"
        " + binary_cross_entropy_with_logits(y, t) + hinge(y, s) + kl_div(p, q)"),
        {"p": P4, "q": Q4, "y": V4, "t": [0, 1, 1, 0], "s": [1, -1, 1, 1]},
    ),
    "losses of matrices": (
        "mse(X, Y) + l1(X, Y) + huber(X, Y) + hinge(X, S) + binary_cross_entropy_with_logits(X, S)",
        {"X": M23, "Y": [[0, 1, 0], [2, 0, 1]], "S": [[1, -1, 1], [-1, 1, 1]]},
    ),
    "losses of numbers": ("mse(p, y) + l1(p, y) + binary_cross_entropy(p, y)", {"p": 0.3, "y": 0.6}),
    "cross entropies": (
        "cross_entropy(Z, labels) + cross_entropy(z, label) + cross_entropy(Z, Y)",
        {"Z": M23, "labels": [2, 0], "z": V3, "label": 1, "Y": [[0, 1, 0], [0.5, 0, 0.5]]},
    ),
    "labels as rows": ("sum(one_hot(labels, 3) * X)", {"labels": [2, 0], "X": M23}),
    "labels from 1 as rows": ("sum(one_hot(y, 3, start=1) * X)", {"y": [3, 1], "X": M23}),
    "a label from 1": ("X[0, y - 1]**2 + sum(X[[1, 0], k - 1])", {"y": 3, "k": [1, 3], "X": M23}),
    "axes kept": (
        ("sum((X - sum(X, axis=1, keepdims=True))**2) + sum(X * prod(X, axis=0, keepdims=True))"
        " + sum(X / max(X, axis=1, keepdims=True)) + sum(X * var(X, axis=0, keepdims=True))"
        " + sum(X * norm(X, 1, axis=1, keepdims=True))"),
        {"X": M23},
    ),
    "attention": (
        "A = softmax(Q @ K.T / sqrt(3))\nsum((A @ V)**2)",
        {"Q": M23, "K": [[1, 0, 1], [0.5, -1, 2]], "V": [[1, 2], [3, -1]]},
    ),
    "batch norm": (
        "m = mean(X, axis=0)\nv = var(X, axis=0)\nH = (X - m) / sqrt(v + 0.001)\nY = g*H + b\nsum(Y**3)",
        {"X": [[1, 2], [0.5, -1], [3, 0.2]], "g": [1, 2], "b": [0.1, 0.2]},
    ),
}  # fmt: skip
_WORDS = {word for text, _ in CORPUS.values() for word in re.findall(r"\w+", text)}
CORPUS |= {
    f"{name} {i}": (text, inputs)
    for i, (name, text, inputs) in enumerate(UNFOLDED)
    if name not in _WORDS
}
CORPUS |= {
    "cube root": ("sum(cbrt(x) * w)", {"x": [0.5, -2.0], "w": [1.0, 2.0]}),
    "gelu by tanh": ("sum(gelu(x, approximate='tanh') * w)", {"x": [0.5, -2.0], "w": [1.0, 2.0]}),
    "smoothed labels": ("cross_entropy(z, k, label_smoothing=0.1)", {"z": [0.5, -2.0, 1.0], "k": 1}),
    "summed subscripts": (
        "sum(einsum('ij,jk->ik', A, B)**2)", {"A": [[1.0, 2.0], [0.5, -1.0]], "B": [[0.3], [0.7]]},
    ),
    "held": ("sum(stop_gradient(x) * x)", {"x": [0.5, -2.0]}),
}  # fmt: skip
DIALECTS: list[Any] = [  # the programs of each are written once, in one worker
    pytest.param(d, marks=pytest.mark.xdist_group(f"programs {d}")) for d in ("python", "numpy")
]


@cache
def traced(case: str) -> Trace:
    text, inputs = CORPUS[case]
    return report.trace(text, inputs=inputs)


@cache
def program_of(case: str, dialect: Any) -> Program:
    return generate(traced(case), dialect=dialect)


def execute(program: Program) -> str:
    """What a program prints, in this process, to be quick; `run` has tests of its own."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(program.source, program.name, "exec"), {"__name__": "__main__"})
    return output.getvalue()


def compare(trace: Trace, text: str) -> Printed:
    """Every value and gradient that the program has to print, as the trace has it."""
    printed = parse_output(text, trace)
    asked = [q for q in trace.inputs if q.node in trace.needed and q.gradient is not None]
    shown = [*asked, *trace.gates]  # what is asked for first
    values = {} if trace.gates else {"f": np.reshape(trace.value, trace.graph.result.shape)}
    values |= {q.name: q.value for q in shown}
    gradients = {
        q.name: q.gradient for q in shown if q.node in trace.needed and q.gradient is not None
    }
    for found, wanted in ((printed.values, values), (printed.gradients, gradients)):
        assert list(found) == list(wanted)
        scale = max((np.max(np.abs(array)) for array in wanted.values()), default=0.0)
        for name, array in wanted.items():
            assert np.shape(found[name]) == np.shape(array), name
            np.testing.assert_allclose(found[name], array, rtol=1e-11, atol=1e-14 * scale)
    return printed


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("case", CORPUS)
def test_a_program_prints_the_numbers_of_the_trace(case: str, dialect: Any) -> None:
    trace, program = traced(case), program_of(case, dialect)
    assert not program.reason
    printed = compare(trace, execute(program))
    assert printed.error < 2e-6


def test_every_gate_and_every_option_is_among_the_programs() -> None:
    nodes = [node for case in CORPUS for node in traced(case).graph.nodes]
    used = {node.gate.name for node in nodes}
    options = {
        (node.gate.name, name)
        for node in nodes
        for name, value in node.params.items()
        if value != node.gate.params.get(name)
    }
    gates = [gate for gate in GATES.values() if gate.usage]
    assert len(gates) > 60
    assert {gate.name for gate in gates} <= used
    own = [
        gate for gate in gates if gate.definition is None
    ]  # others are tried by their definitions
    assert {(gate.name, name) for gate in own for name in gate.params} <= options


# ---------------------------------------------------------------- published numbers


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_homework_comes_out_as_published(dialect: Any) -> None:
    def numbers(case: str) -> Printed:
        return parse_output(run(generate(traced(case), dialect=dialect)).text, traced(case))

    q1 = numbers("homework q1")
    np.testing.assert_allclose(q1.values["q8"], 0.335560882292, atol=5e-13)
    for name, slope in {
        "w1": 0.0314624940538,
        "w2": -0.0629249881076,
        "x1": -0.0943874821615,
        "x2": 0.0943874821615,
    }.items():
        np.testing.assert_allclose(q1.gradients[name], slope, atol=5e-14)
    degrees = numbers("homework q1 in degrees")
    np.testing.assert_allclose(degrees.gradients["w1"], -0.00020308, atol=5e-9)
    np.testing.assert_allclose(degrees.gradients["w2"], 0.00040616, atol=5e-9)
    for case in ("homework q2, column", "homework q2, vector"):
        q2 = numbers(case)
        np.testing.assert_allclose(q2.values["q3"], 0.77168911322, atol=5e-12)
        np.testing.assert_allclose(
            q2.gradients["W"],
            [
                [-0.05404891, 0.16214673, -0.10809782],
                [-0.03389206, 0.10167619, -0.06778413],
                [-0.05676275, 0.17028824, -0.11352549],
            ],
            atol=5e-9,
        )
        np.testing.assert_allclose(np.ravel(q2.values["q1"]), [0.18, -0.552, 0.34], atol=1e-12)


# ---------------------------------------------------------------- good code


def test_the_program_of_the_first_question_reads_as_a_student_writes_it() -> None:
    source = generate(traced("homework q1"), dialect="python").source
    assert "q8 = 1 / q7\n" in source
    assert "d_q7 = d_q8 * (-1 / q7**2)  # q8 = 1 / q7\n" in source
    assert "d_q1 = d_q2 * cos(q1)       # q2 = sin(q1)\n" in source
    assert "    return 1 / (2 + sin(x1 * w1) ** 2 + cos(x2 * w2))\n" in source


def test_the_program_with_lists_reads_as_the_forms_in_entries() -> None:
    source = generate(traced("homework q2, column"), dialect="python").source
    assert "\nx = [-0.2, 0.6, -0.4]\n" in source
    assert "\nq1 = [sum(W[i][j] * x[j] for j in n) for i in n]" in source
    assert "\nd_W = [[d_q1[i] * x[j] for j in n] for i in n]" in source
    assert "    return sum(sigmoid(sum(W[i][j] * x[j] for j in n)) ** 2 for i in n)\n" in source
    table = generate(traced("a table of words"), dialect="python").source
    assert "for k in m for p in m if words[k][p] == i" in table
    softmax = generate(traced("attention"), dialect="python").source
    assert "\nA = [softmax(q3[i]) for i in n]" in softmax


def test_a_program_is_asked_for_what_is_asked_for() -> None:
    """Only what leads to a gradient asked for is derived, in the program as on paper."""
    text, inputs = CORPUS["homework q1"]
    trace = report.trace(text, inputs=inputs, wrt=["w1"])
    source = generate(trace, dialect="python").source
    assert re.findall(r"^d_\w+", source, re.MULTILINE) == [
        "d_q8",
        "d_q7",
        "d_q4",
        "d_q3",
        "d_q2",
        "d_q1",
        "d_w1",
    ]
    assert "def f(w1):" in source
    compare(trace, execute(generate(trace, dialect="python")))


def test_the_vectorised_program_reads_as_the_formulas_of_a_textbook() -> None:
    column = generate(traced("homework q2, column"), dialect="numpy").source
    assert "d_q1 = d_q2 * (q2 * (1 - q2))  # q2 = sigmoid(q1)\n" in column
    assert "d_W = d_q1 @ x.T               # q1 = W @ x\n" in column
    assert "    return np.sum(sigmoid(W @ x) ** 2)\n" in column
    vector = generate(traced("homework q2, vector"), dialect="numpy").source
    assert "d_W = np.outer(d_q1, x)" in vector


@pytest.mark.parametrize(("dialect", "head"), [("python", ""), ("numpy", "np.array(")])
def test_a_gradient_that_comes_entry_by_entry_is_the_list_of_them(dialect: Any, head: str) -> None:
    trace = report.trace("x[0]*x[1] + A[1, 0]", {"x": [1.5, -0.5], "A": [[1, 2], [3, 4]]})
    program = generate(trace, dialect=dialect)
    assert f"d_x = {head}[d_q1, d_q2]" in program.source
    assert f"d_A = {head}[[0, 0], [d_q4, 0]]" in program.source
    assert "scatter" not in program.source
    compare(trace, execute(program))


def test_a_label_is_not_compared_with_itself() -> None:
    found = trace("trace(x @ x + s * eye(2))", {"x": [1, 2], "s": 0.5})
    assert "i == i" not in generate(found, dialect="python").source


@pytest.mark.parametrize("dialect", DIALECTS)
def test_programs_are_tidy(dialect: Any, tmp_path: Path) -> None:
    for number, case in enumerate(CORPUS):
        source = program_of(case, dialect).source
        lines = source.splitlines()
        assert max(map(len, lines)) <= 88, case
        assert not any(line != line.rstrip() for line in lines), case
        assert source.isascii(), case
        modules = set()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                modules.add(node.module)
        assert modules <= ({"math"} if dialect == "python" else {"math", "numpy"}), case
        Path(tmp_path, f"case{number}.py").write_text(source, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache"]
    done = subprocess.run([*ruff, "."], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_programs_of_all_problems_are_short_and_clean(tmp_path: Path) -> None:
    """No name is unused or unknown, no line too long; what is nothing but backpropagation prevails."""
    lengths: dict[str, int] = {}
    for file in sorted(Path("problems").glob("*.toml")):
        work = variants.draw(read_homework(file), None)
        for question in work.questions:
            for written in programs_of(work, question, trace_question(question)):
                assert written.source, (file, written.reason)
                compile(written.source, written.name, "exec")
                name = f"{file.stem}.{written.name}"
                Path(tmp_path, name).write_text(written.source, encoding="utf-8")
                lines = written.source.splitlines()
                assert max(map(len, lines)) <= WIDTH, name
                lengths[name] = sum(bool(line) for line in lines)
    ruff = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--no-cache",
        "--select",
        "E,F",
        "--ignore",
        "E741",
    ]
    ruff += ["--line-length", str(WIDTH), "."]
    done = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert len(lengths) > 40
    assert lengths["homework1.q1.py"] + lengths["homework1.q2.py"] <= 85
    assert lengths["homework1.q2_numpy.py"] <= 40


@pytest.mark.parametrize("dialect", DIALECTS)
def test_programs_define_only_what_they_use(dialect: Any) -> None:
    for case in CORPUS:
        tree = ast.parse(program_of(case, dialect).source)
        used = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name)]
        for function in (n for n in tree.body if isinstance(n, ast.FunctionDef)):
            assert function.name in used, (case, function.name)
            options = function.args.args[len(function.args.args) - len(function.args.defaults) :]
            if function.name in FUNCTIONS[dialect]:
                calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
                calls = [n for n in calls if ast.unparse(n.func) == function.name]
                asked = {keyword.arg for call in calls for keyword in call.keywords}
                most = max(len(call.args) for call in calls)
                asked |= {arg.arg for arg in function.args.args[:most]}
                assert {arg.arg for arg in options} <= asked | {"ddof"}, (case, function.name)


def test_a_function_of_a_program_has_no_branch_that_is_never_taken() -> None:
    def written(text: str) -> str:
        trace = report.trace(text, {"X": M23})
        made = generate(trace, dialect="numpy")
        compare(trace, execute(made))
        return made.source

    whole = written("logsumexp(X)")
    assert "def logsumexp(x):\n    top = np.max(x, keepdims=True)" in whole
    assert "    return np.squeeze(whole)\n" in whole
    assert "def logsumexp(x, axis=None):" in written("sum(logsumexp(X, axis=1)**2)")
    kept = written("sum(X * logsumexp(X, axis=1, keepdims=True))")
    assert "    return whole if keepdims else np.squeeze(whole, axis=axis)\n" in kept


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_same_trace_gives_the_same_program(dialect: Any) -> None:
    for case in ("homework q1", "two layers", "colliding tensors", "attention"):
        assert generate(traced(case), dialect=dialect) == generate(traced(case), dialect=dialect)


def test_names_of_the_trace_are_printed_where_variables_had_to_differ() -> None:
    program = generate(traced("colliding names"), dialect="python")
    assert "\nprint_ = 1.25\n" in program.source
    assert "\n# Here math_ is math, np_ is np, print_ is print, id_ is id\n" in program.source
    assert "\nO = " in program.source  # a name that a reader knows from the formula
    printed = parse_output(execute(program), traced("colliding names"))
    assert {"print", "math", "np", "l", "O", "d_x"} <= printed.gradients.keys()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("case", ["rows and columns", "homework q2, column", "a vector of one"])
def test_a_row_of_the_table_is_named_as_the_program_has_it(case: str, dialect: Any) -> None:
    """C[0][1] of an array of one row, x[1] of a list: what stands before a number gives that number."""
    source, variables = program_of(case, dialect).source, {"__name__": "__main__"}
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(source, "program.py", "exec"), variables)
    rows = [line.split() for line in output.getvalue().splitlines()[1:]]
    assert len(rows) > 10
    for name, value, *_ in rows:
        assert float(value) == pytest.approx(float(eval(name, variables)), rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "case",
    ["homework q1", "homework q1 in degrees", "attention", "a matrix at kinks"],
)
def test_the_points_of_a_column_stand_in_line(case: str, dialect: Any) -> None:
    head, *rows = execute(program_of(case, dialect)).splitlines()
    assert head.split(maxsplit=2) == ["value", "gradient", "central difference"]
    ends = [head.index(word) + len(word) for word in ("value", "gradient", "central difference")]
    points: list[set[int]] = [set(), set(), set()]
    for row in rows:
        for column, cell in enumerate(re.finditer(r"(?<=\s)\S+", row)):
            points[column] |= {cell.start() + cell[0].index(".")} if "." in cell[0] else set()
            assert cell.end() == ends[column], row
    assert [len(found) for found in points] == [1, 1, 1]


def test_an_exact_zero_is_printed_as_0() -> None:
    printed = execute(generate(report.trace("-(x * y)", {"x": 0, "y": 2}), dialect="python"))
    assert re.search(r"^q2 +0 ", printed, re.MULTILINE)


def test_comments_and_layout_of_the_formula_stay_out_of_the_program() -> None:
    text = 'z = (x +   # """ a comment\n     1)\n\n  # another\nz * \\\n  2'
    program = generate(report.trace(text, inputs={"x": 2}), dialect="python")
    assert "comment" not in program.source
    assert "    z = (x + 1)\n    f = z * 2\n" in program.source


# ---------------------------------------------------------------- the check inside


def test_a_program_finds_a_wrong_gradient() -> None:
    program = generate(traced("homework q1"), dialect="python")
    wrong = program.source.replace("d_q1 = d_q2 * cos(q1)", "d_q1 = d_q2 * sin(q1)")
    assert wrong != program.source
    error = parse_output(execute(Program("wrong.py", "python", wrong)), traced("homework q1")).error
    assert error > 0.1


def test_entries_at_a_kink_are_not_compared() -> None:
    program = generate(traced("one entry at a kink"), dialect="numpy")
    assert "[(i,) for i in range(4) if (i,) not in [(1,)]]" in program.source
    assert parse_output(execute(program), traced("one entry at a kink")).compared == 3
    scalars = generate(traced("at kinks"), dialect="python")
    assert "# x has no slope that is the same on both sides" in scalars.source
    assert parse_output(execute(scalars), traced("at kinks")).compared == 1


def test_large_tensors_are_compared_in_part() -> None:
    big = np.random.default_rng(0).normal(size=(40, 30))
    trace = report.trace("sum(tanh(X @ w))", inputs={"X": big, "w": big[0]})
    for dialect in ("python", "numpy"):
        program = generate(trace, dialect=dialect)
        printed = compare(trace, execute(program))
        assert 20 < printed.compared < 300


def test_a_program_that_would_be_too_long_says_why() -> None:
    big = np.zeros((300, 300))
    program = generate(report.trace("sum(X)", inputs={"X": big}), dialect="numpy")
    assert not program.source
    assert "numbers are too many" in program.reason
    with pytest.raises(ReportError, match="too many"):
        run(program)
    middle = np.zeros((64, 64))
    slow = generate(report.trace("sum(X @ X @ X @ X @ X)", inputs={"X": middle}), dialect="python")
    assert "steps" in slow.reason


# ---------------------------------------------------------------- running


def program(source: str, dialect: Any = "python") -> Program:
    return Program("test.py", dialect, source)


def test_a_program_runs_in_a_clean_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "1")
    monkeypatch.setenv("PYTHONSTARTUP", "x")
    source = (
        "import os, sys\n"
        "print(sorted(os.environ))\n"
        "print(os.listdir('.'), sys.flags.isolated, sys.flags.no_site, sys.flags.utf8_mode)\n"
        "print(repr(sys.stdin.read()), os.getsid(0) == os.getpid())\n"
    )
    names, world, rest = run(program(source)).text.splitlines()
    assert set(ast.literal_eval(names)) <= {
        "LC_ALL", "LC_CTYPE", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
        "PYTHONHASHSEED", "SYSTEMROOT", "VECLIB_NUM_THREADS",
    }  # fmt: skip
    assert world == "['test.py'] 1 1 1"
    assert rest == "'' True"


def test_numpy_is_found_where_it_does_not_belong_to_the_interpreter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("report.program.interpreter._numpy_is_installed", lambda: False)
    trace = traced("homework q2, vector")
    compare(trace, run(generate(trace, dialect="numpy")).text)


def test_a_program_that_nobody_waits_for_is_ended() -> None:
    running = start(program("import time\ntime.sleep(60)"))
    process = running.process
    del running
    gc.collect()
    assert process.wait(0) == -signal.SIGKILL


def test_output_is_what_was_printed_and_the_command_what_a_reader_types() -> None:
    output = run(program("print('é −1')"))
    assert output.text == "é −1\n"
    assert output.command == "$ python3 test.py"
    assert output.seconds > 0


def test_two_programs_run_side_by_side() -> None:
    first, second = start(program("print(1)")), start(program("print(2)"))
    assert [finish(second).text, finish(first).text] == ["2\n", "1\n"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", "ended with status 1.*ZeroDivisionError"),
        ("import sys\nsys.exit(3)", "ended with status 3"),
        ("import sys\nprint('odd', file=sys.stderr)", "printed a warning.*odd"),
        ("import warnings\nwarnings.warn('odd')", "printed a warning.*odd"),
        ("import numpy", "No module named 'numpy'"),
        ("print('x' * 30_000_000)", "prints too much|more than"),
    ],
)
def test_a_failing_program_is_named_with_its_last_words(source: str, message: str) -> None:
    with pytest.raises(CheckError, match=f"(?s)test.py.*{message}"):
        run(program(source))


@pytest.mark.parametrize(
    "source",
    [
        "import math\nmath.exp(1000)",
        'import numpy as np\nnp.seterr(over="ignore")\n0 * (np.array([1e200]) * 1e200)',
        "1 / (1e300 + 1 - 1e300)",
        "import math\nmath.acos(0.1 * 3 / 0.3)",
    ],
)
def test_a_program_whose_numbers_are_too_large_says_so(source: str) -> None:
    made = Program("test.py", "numpy", source, fragile=True)
    with pytest.raises(ReportError, match=r"test\.py cannot hold a number .* choose other inputs"):
        run(made)


def test_rows_of_very_different_sizes_keep_their_digits_in_an_inverse() -> None:
    found = trace("sum(inv(sinh(X)))", {"X": [[4.42e-10, 6.63e-10], [-2.178e-9, -45.72]]})
    printed = parse_output(run(generate(found, dialect="python")).text, found).gradients["X"]
    exact = [
        [-5.118650314285e18, 3.737171564097e-10],
        [-3.152347006357e-11, 8.259149156655e-20],
    ]  # mpmath
    assert np.allclose(printed, exact, rtol=1e-8, atol=0)


@pytest.fixture
def copied() -> Any:
    """Begin a NumPy program in a copy of the interpreter that has NumPy loaded."""
    if sys.platform != "linux":
        pytest.skip("copies are made on Linux only")
    finish(start(program("pass", "numpy")))  # the first one of a process never is a copy

    def begin(source: str, timeout: float = 20.0) -> Any:
        running = start(program(source, "numpy"), timeout=timeout)
        assert isinstance(running.process, Copy)
        return running

    return begin


def test_a_copy_of_the_interpreter_gives_a_program_the_same_world(copied: Any) -> None:
    source = (
        "import os, resource, sys\n"
        "import numpy as np\n"
        "print(sorted(os.environ), sys.argv, __name__, os.listdir('.').count('test.py'))\n"
        "print(sys.flags, sys.path, sys.stdout.encoding, repr(sys.stdin.read()))\n"
        "print(os.getsid(0) == os.getpid(), sorted(os.listdir('/proc/self/fd')))\n"
        "print(resource.getrlimit(resource.RLIMIT_CPU), resource.getrlimit(resource.RLIMIT_FSIZE))\n"
        "print(sorted(n for n in globals() if n[:1] != '_'))\n"
        "print(np.linalg.inv([[0.3, 0.1], [0.7, 0.9]]), np.exp(np.linspace(0, 1, 7)).sum())\n"
    )
    own = run(program(source, "numpy")).text
    assert own.count("\n") > 6
    assert [finish(copied(source)).text for _ in range(2)] == [own, own]


def test_copies_know_nothing_of_each_other(copied: Any) -> None:
    finish(copied("import numpy as np\nnp.exp = np.sin\nnp.seterr(all='ignore')"))
    assert finish(copied("import numpy as np\nprint(np.exp(0.0))")).text == "1.0\n"
    slow, quick = copied("import time\ntime.sleep(0.3)\nprint(1)"), copied("print(2)")
    assert [finish(quick).text, finish(slow).text] == ["2\n", "1\n"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", "ended with status 1.*1 / 0.*ZeroDivisionError"),
        ("def f(:", "ended with status 1.*SyntaxError"),
        ("import sys\nsys.exit(3)", "ended with status 3"),
        ("import sys\nsys.exit('gone')", "ended with status 1.*gone"),
        ("import os\nos.abort()", "ended with status -6"),
        ("import numpy as np\nnp.log(0.0)", "printed a warning.*divide by zero"),
        ("print('x' * 30_000_000)", "prints more than"),
        ("while True: pass", "did not end within 1 seconds"),
    ],
)
def test_a_failing_copy_is_told_as_any_program(copied: Any, source: str, message: str) -> None:
    with pytest.raises(CheckError, match=f"(?s)test.py.*{message}"):
        finish(copied(source, timeout=1.0 if "while" in source else 20.0))


def test_a_program_runs_even_if_the_interpreter_to_copy_is_killed(copied: Any) -> None:
    find = "import os\nprint(open(f'/proc/{os.getppid()}/stat').read().split()[3])"
    server = int(finish(copied(find)).text)
    waiting = copied("import time\ntime.sleep(0.2)\nprint(1)")
    os.kill(server, signal.SIGKILL)
    lost = start(program("print(2)", "numpy"))
    assert [finish(waiting).text, finish(lost).text] == ["1\n", "2\n"]
    assert finish(copied("print(3)")).text == "3\n"


def test_a_lower_limit_of_the_system_stays() -> None:
    """Computers for many have limits on time, which a program cannot raise."""
    source = (
        "import resource\n"
        "from report.program import Program, finish, start\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (15, 15))\n"
        "made = Program('test.py', 'numpy', 'print(1)')\n"
        "print([finish(start(made)).text for _ in range(3)])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("['1\\n', '1\\n', '1\\n']\n", "")


def test_the_interpreter_to_copy_ends_with_its_process() -> None:
    if sys.platform != "linux":
        pytest.skip("copies are made on Linux only")
    find = "import os\nprint(open(f'/proc/{os.getppid()}/stat').read().split()[3])"
    source = (
        "import os, sys\n"
        "from report.program import Program, finish, start\n"
        f"made = Program('test.py', 'numpy', {find!r})\n"
        "finish(start(made))\n"
        "print(finish(start(made)).text, flush=True)\n"
        "if 'kill' in sys.argv: os.kill(os.getpid(), 9)\n"
    )
    for how in ("end", "kill"):
        done = subprocess.run(
            [sys.executable, "-c", source, how], capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        for _ in range(100):
            if _ended(int(done.stdout)):
                break
            time.sleep(0.05)
        assert _ended(int(done.stdout))


def test_time_is_limited_and_children_end_too(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    source = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(CheckError, match=r"test.py did not end within 1 seconds"):
        run(program(source), timeout=1.0)
    child = int(pid.read_text())
    for _ in range(100):  # the system may take a moment to bury it
        if _ended(child):
            break
        time.sleep(0.05)
    assert _ended(child)


def _ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


# ---------------------------------------------------------------- reading


def test_output_that_is_torn_is_refused() -> None:
    whole = execute(generate(traced("homework q2, column"), dialect="python"))
    for torn in (
        re.sub(r"q1\[1\].*\n", "", whole),
        whole.replace("-0.552", "minus"),
        whole.replace("0.771", "o.771"),
        whole.replace("q1[1]", "q1[2]"),
        whole + "q3   1.0   1.0\n",
        whole + "q9   1.0   1.0\n",
    ):
        assert torn != whole
        with pytest.raises(CheckError):
            parse_output(torn, traced("homework q2, column"))


def test_the_functions_of_a_program_fit_the_column_of_the_page():
    names = [(dialect, name) for dialect, functions in FUNCTIONS.items() for name in functions]
    lines = [line for dialect, name in names for line in source(dialect, name).split("\n")]
    assert len(names) > 20
    assert [line for line in lines if len(line) > WIDTH] == []
