"""The printers: what a textbook prints, and index forms that have the value of the gradient."""

import numpy as np
import pytest

import report
from report.backprop import gradient_graph
from report.derivation import derive
from report.expression import parse
from report.printers.index import NoIndexForm, index_form
from report.printers.latex import equation, latex, matrix, number, symbol, tensor, uncoloured

RNG = np.random.default_rng(7)
A = RNG.normal(size=(3, 3)).round(2)
X = RNG.normal(size=(4, 3)).round(2)
COLUMN = [[-0.2], [0.6], [-0.4]]
VECTOR = [0.3, -1.2, 0.8]


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("x", (), "x"),
        ("x1", (), "x_{1}"),
        ("W", (3, 3), r"\mathbf{W}"),
        ("W12", (3, 3), r"\mathbf{W}_{12}"),
        ("theta", (), r"\theta"),
        ("theta", (2,), r"\boldsymbol{\theta}"),
        ("y_hat", (), r"\hat{y}"),
        ("w_out", (), r"w_{\text{out}}"),
        ("loss", (), r"\operatorname{loss}"),
        ("x_1_2", (), "x_{1,2}"),
    ],
)
def test_names_are_set_as_in_a_textbook(name, shape, expected):
    assert symbol(name, shape) == expected


def test_negative_numbers_put_in_stand_in_brackets():
    node = parse("a + b", {"a": np.float64(-2), "b": np.float64(-1)}).result
    values = dict(zip(node.args, (-2.0, -1.0), strict=True))
    written = uncoloured(equation(node, lambda n: number(values[n], "#0072B2")))
    assert written == r"-2 + \left(-1\right)"


@pytest.mark.parametrize(
    ("formula", "inputs", "expected"),
    [
        (
            "1 / (2 + sin(x1*w1)**2 + cos(x2*w2))",
            {"x1": -1, "w1": 3, "x2": -2, "w2": 3},
            r"\frac{1}{2 + \sin^{2}\left(x_{1} w_{1}\right) + \cos\left(x_{2} w_{2}\right)}",
        ),
        ("norm(sigmoid(W @ x))**2", {"W": A, "x": COLUMN}, r"\left\|\sigma\left(\mathbf{W} \mathbf{x}\right)\right\|^{2}"),
        ("sin(radians(x))", {"x": 3}, r"\sin\left(\frac{\pi}{180} x\right)"),
        ("(a - b)*(a + b)", {"a": 1, "b": 2}, r"\left(a - b\right) \left(a + b\right)"),
        ("a - (b - a)", {"a": 1, "b": 2}, r"a - \left(b - a\right)"),
        ("-(a + b)", {"a": 1, "b": 2}, r"-\left(a + b\right)"),
        ("(-a)**2", {"a": 1}, r"\left(-a\right)^{2}"),
        ("2*3*a", {"a": 1}, r"2 \cdot 3 a"),
        ("a*-2", {"a": 1}, r"a \cdot \left(-2\right)"),
        ("a + -2*b + c", {"a": 1, "b": 2, "c": 3}, r"a - 2 b + c"),
        ("a + -(b + c)", {"a": 1, "b": 2, "c": 3}, r"a - \left(b + c\right)"),
        ("a/b/4", {"a": 1, "b": 2}, r"\frac{1}{4} \frac{a}{b}"),
        ("(a/b + c)/4", {"a": 1, "b": 2, "c": 3}, r"\frac{\frac{a}{b} + c}{4}"),
        ("sum(softmax(A, axis=-1))", {"A": A}, r"\operatorname{sum}\left(\operatorname{softmax}_{\text{axis }1}\left(\mathbf{A}\right)\right)"),
        ("(a/b)**2", {"a": 1, "b": 2}, r"\left(\frac{a}{b}\right)^{2}"),
        ("exp(-a)**2", {"a": 1}, r"\left(e^{-a}\right)^{2}"),
        ("x @ x", {"x": VECTOR}, r"\mathbf{x}^{\top} \mathbf{x}"),
        ("sum((W @ x) * x)", {"W": A, "x": VECTOR}, r"\operatorname{sum}\left(\left(\mathbf{W} \mathbf{x}\right) \odot \mathbf{x}\right)"),
    ],
)  # fmt: skip
def test_formulas_read_as_in_a_textbook(formula, inputs, expected):
    assert latex(report.trace(formula, inputs).graph.result) == expected


@pytest.mark.parametrize(
    ("formula", "inputs", "name", "expected"),
    [
        (
            "norm(sigmoid(W @ x))**2",
            {"W": A, "x": COLUMN},
            "W",
            (
                r"2 \left(\sigma\left(\mathbf{W} \mathbf{x}\right) \odot \sigma\left(\mathbf{W} \mathbf{x}\right) "
                r"\odot \left(1 - \sigma\left(\mathbf{W} \mathbf{x}\right)\right)\right) \mathbf{x}^{\top}"
            ),
        ),
        ("x @ A @ x", {"A": A, "x": VECTOR}, "A", r"\mathbf{x} \mathbf{x}^{\top}"),
        ("norm(x)", {"x": VECTOR}, "x", r"\frac{\mathbf{x}}{\left\|\mathbf{x}\right\|}"),
        ("norm(x)**2", {"x": VECTOR}, "x", r"2 \mathbf{x}"),
        ("sum(x)", {"x": VECTOR}, "x", "𝟏"),
        (
            "norm(X @ w - y)**2 / 4",
            {"X": X, "w": VECTOR, "y": [1, 2, 3, 4]},
            "w",
            r"\frac{1}{2} \mathbf{X}^{\top} \left(\mathbf{X} \mathbf{w} - \mathbf{y}\right)",
        ),
    ],
)
def test_gradients_in_matrix_form(formula, inputs, name, expected):
    trace = report.trace(formula, inputs)
    assert latex(gradient_graph(trace.graph)[trace.graph.inputs[name]]) == expected


@pytest.mark.parametrize(
    ("formula", "inputs", "name", "expected"),
    [
        ("norm(sigmoid(W @ x))**2", {"W": A, "x": COLUMN}, "W", ("W_{ij}", r"2 x_{j} \sigma^{2}\left(q_{1,i}\right) \left(1 - \sigma\left(q_{1,i}\right)\right)")),
        ("x @ A @ x", {"A": A, "x": VECTOR}, "x", ("x_{i}", r"\sum_{k=1}^{3} x_{k} \left(A_{ik} + A_{ki}\right)")),
        ("sum(E[i]**2)", {"E": X, "i": [0, 2, 2]}, "E", ("E_{jk}", r"2 \sum_{l\colon i_{l} = j} q_{1,lk}")),
        ("max(x)", {"x": VECTOR}, "x", ("x_{i}", r"𝟙\left[x_{i} = \max_{k} x_{k}\right]")),
        ("prod(x)", {"x": VECTOR}, "x", ("x_{i}", r"\prod_{k \ne i} x_{k}")),
        ("sum(cumsum(x)*y)", {"x": VECTOR, "y": VECTOR}, "x", ("x_{i}", r"\sum_{k=i}^{3} y_{k}")),
        ("logsumexp(x)", {"x": VECTOR}, "x", ("x_{i}", r"\frac{e^{x_{i}}}{\sum_{k=1}^{3} e^{x_{k}}}")),
        ("det(A)", {"A": A}, "A", ("A_{ij}", r"\det\left(\mathbf{A}\right) \left(\mathbf{A}^{-1}\right)_{ji}")),
        ("trace(A)", {"A": A}, "A", ("A_{ij}", r"\delta_{ij}")),
        ("sum(x[1:] * y[:-1])", {"x": VECTOR, "y": VECTOR}, "x", ("x_{i}", r"q_{2;\,i - 1} \, 𝟙\left[i \ge 2\right]")),
        ("sum(reshape(x, (1, 3)) @ A)", {"x": VECTOR, "A": A}, "x", ("x_{i}", r"\sum_{k=1}^{3} A_{ik}")),
    ],
)  # fmt: skip
def test_entries_of_gradients_read_as_in_a_textbook(formula, inputs, name, expected):
    found = {g.name: g.entry for g in derive(report.trace(formula, inputs)).gradients}
    assert found[name].left == rf"\frac{{\partial f}}{{\partial {expected[0]}}}"
    assert found[name].symbols == (expected[1],)


def test_moved_entries_have_no_index_form():
    trace = report.trace("sum(A @ A)", {"A": A})
    deep = gradient_graph(trace.graph)[trace.graph.inputs["A"]]
    for _ in range(70):  # a formula too long to be read is refused, not printed
        deep = deep + trace.graph.inputs["A"] * deep
    with pytest.raises(NoIndexForm):
        index_form(deep, {})


def test_numbers_have_true_signs_and_one_precision_a_matrix():
    assert number(-0.5) == ("-0.5", 1)
    assert number(1.23456e-9)[0] == r"1.23456 \times 10^{-9}"
    assert matrix(np.array([[0.4, -0.32], [10, 0]])) == (
        r"\begin{bmatrix*}[r]0.40 & -0.32 \\ 10.00 & 0.00\end{bmatrix*}"
    )
    large = tensor(np.arange(400.0).reshape(20, 20))[0]
    assert r"\ddots" in large
    assert "399" in large
    assert large.count(r"\\") < 9
