"""The printers: what a textbook prints, and index forms that have the value of the gradient."""

import re

import numpy as np
import pytest
import sympy

import report
from report.autodiff.backprop import gradient_graph
from report.autodiff.parser.parser import parse
from report.derivation import derive
from report.derivation.index_form import NoIndexForm, index_form
from report.derivation.latex import equation, latex
from report.derivation.latex.symbols import matrix, number_tex, symbol, tensor
from report.derivation.symbolic import expressions

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
    written = equation(node, lambda n: number_tex(values[n], "#0072B2"))
    assert written.uncoloured == r"-2 + \left(-1\right)"


@pytest.mark.parametrize(
    ("formula", "inputs", "expected"),
    [
        ("exp(-y*z)", {"y": 1, "z": 2}, "e^{-y z}"),  # a first factor's sign is that of the product
        ("2 - -y*z", {"y": 1, "z": 2}, r"2 - \left(-y z\right)"),
        ("sum(-v*(v + 1))", {"v": VECTOR}, r"\operatorname{sum}\left(-\mathbf{v} \odot \left(\mathbf{v} + 1\right)\right)"),
        ("-log_sigmoid(z)", {"z": 2}, r"-\log \sigma\left(z\right)"),
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
        ("a + (b + 1)", {"a": 1, "b": 2}, r"a + \left(b + 1\right)"),
        ("a + b + 1", {"a": 1, "b": 2}, r"a + b + 1"),
        ("sin(-expm1(a))", {"a": 1}, r"\sin\left(-\left(e^{a} - 1\right)\right)"),
        ("(-a)**2", {"a": 1}, r"\left(-a\right)^{2}"),
        ("2*3*a", {"a": 1}, r"2 \cdot 3 a"),
        ("a*-2", {"a": 1}, r"a \cdot \left(-2\right)"),
        ("a + -2*b + c", {"a": 1, "b": 2, "c": 3}, r"a - 2 b + c"),
        ("a + -(b + c)", {"a": 1, "b": 2, "c": 3}, r"a - \left(b + c\right)"),
        ("a/b/4", {"a": 1, "b": 2}, r"\frac{1}{4} \frac{a}{b}"),
        ("(a/b + c)/4", {"a": 1, "b": 2, "c": 3}, r"\frac{\frac{a}{b} + c}{4}"),
        ("sum(softmax(A, axis=-1))", {"A": A}, r"\operatorname{sum}\left(\operatorname{softmax}_{\text{columns}}\left(\mathbf{A}\right)\right)"),
        ("(a/b)**2", {"a": 1, "b": 2}, r"\left(\frac{a}{b}\right)^{2}"),
        ("exp(-a)**2", {"a": 1}, r"\left(e^{-a}\right)^{2}"),
        ("x @ x", {"x": VECTOR}, r"\mathbf{x}^{\top} \mathbf{x}"),
        ("sum((W @ x) * x)", {"W": A, "x": VECTOR}, r"\operatorname{sum}\left(\left(\mathbf{W} \mathbf{x}\right) \odot \mathbf{x}\right)"),
    ],
)  # fmt: skip
def test_formulas_read_as_in_a_textbook(formula, inputs, expected):
    assert latex(report.trace(formula, inputs).graph.result) == expected


def w(text: str) -> str:
    """LaTeX from a shorter spelling: (, ), bold letters and names of functions."""
    text = text.replace("^T", r"^{\top}").replace("sigma", r"\sigma").replace("*", r"\odot")
    text = re.sub(r"(?<![\\{a-z])\b([A-Za-z])\b(?!})", r"\\mathbf{\1}", text)
    text = re.sub(r"\b(softmax|onehot_3|sum|sgn)\b", r"\\operatorname{\1}", text).replace(
        "onehot_3}", "onehot}_{3}"
    )
    return text.replace("(", r"\left(").replace(")", r"\right)")


S = [[3.0, 0.5, 0.1], [0.2, 2.0, -0.3], [0.0, 0.4, 1.5]]
Y4, LABELS = [1, 0, 1, 1], [0, 2, 1, 1]
P3 = [0.2, 0.5, 0.3]


@pytest.mark.parametrize(
    ("formula", "inputs", "name", "expected"),
    [
        # what a textbook has: Deisenroth et al., Petersen and Pedersen, Bishop
        ("norm(sigmoid(W @ x))**2", {"W": A, "x": COLUMN}, "W", w("2 (sigma(W x) * sigma(W x) * (1 - sigma(W x))) x^T")),
        ("x @ A @ x", {"A": A, "x": VECTOR}, "A", w("x x^T")),
        ("x @ A @ x", {"A": A, "x": VECTOR}, "x", w("(A + A^T) x")),
        ("x.T @ A @ x", {"A": A, "x": COLUMN}, "x", w("(A + A^T) x")),
        ("x @ inv(S) @ x", {"S": S, "x": VECTOR}, "S", r"-\mathbf{S}^{-\top} \mathbf{x} \mathbf{x}^{\top} \mathbf{S}^{-\top}"),
        ("x @ inv(S) @ x", {"S": S, "x": VECTOR}, "x", r"\left(\mathbf{S}^{-1} + \mathbf{S}^{-\top}\right) \mathbf{x}"),
        ("logdet(S)", {"S": S}, "S", r"\mathbf{S}^{-\top}"),
        ("log(det(S))", {"S": S}, "S", r"\mathbf{S}^{-\top}"),
        ("det(S)", {"S": S}, "S", r"\det\left(\mathbf{S}\right) \mathbf{S}^{-\top}"),
        ("trace(A @ B)", {"A": A, "B": S}, "A", w("B^T")),
        ("trace(A @ A)", {"A": A}, "A", w("2 A^T")),
        ("trace(A.T @ B @ A)", {"A": A, "B": S}, "A", w("(B + B^T) A")),
        ("norm(A @ B - C)**2", {"A": A, "B": S, "C": A}, "B", w("2 A^T (A B - C)")),
        ("norm(x)", {"x": VECTOR}, "x", r"\frac{\mathbf{x}}{\left\|\mathbf{x}\right\|}"),
        ("norm(x)**2", {"x": VECTOR}, "x", w("2 x")),
        ("sum(x)", {"x": VECTOR}, "x", "𝟏"),
        ("dot(x, y)**2", {"x": VECTOR, "y": VECTOR}, "x", w("2 (x^T y) y")),
        ("logsumexp(x)", {"x": VECTOR}, "x", w("softmax(x)")),
        ("log(sum(exp(x)))", {"x": VECTOR}, "x", w("softmax(x)")),
        # regression and classification
        ("norm(X @ w - y)**2 / 4", {"X": X, "w": VECTOR, "y": Y4}, "w", w(r"\frac{1}{2} X^T (X w - y)")),
        ("mean((X @ w - y)**2)", {"X": X, "w": VECTOR, "y": Y4}, "w", w(r"\frac{1}{2} X^T (X w - y)")),
        ("mse(X @ w, y)", {"X": X, "w": VECTOR, "y": Y4}, "w", w(r"\frac{1}{2} X^T (X w - y)")),
        ("norm(X @ w - y)**2 + c*norm(w)**2", {"X": X, "w": VECTOR, "y": Y4, "c": 2}, "w", w(r"2 (X^T (X w - y) + ") + "c " + w("w)")),
        ("binary_cross_entropy(sigmoid(X @ w), y)", {"X": X, "w": VECTOR, "y": Y4}, "w", w(r"\frac{1}{4} X^T (sigma(X w) - y)")),
        ("-mean(y*log(sigmoid(X @ w)) + (1 - y)*log(1 - sigmoid(X @ w)))", {"X": X, "w": VECTOR, "y": Y4}, "w", w(r"\frac{1}{4} X^T (sigma(X w) - y)")),
        ("cross_entropy(W @ x, y)", {"W": A, "x": VECTOR, "y": [0, 1, 0]}, "W", w("(softmax(W x) - y) x^T")),
        ("cross_entropy(X @ W, k)", {"X": X, "W": A, "k": LABELS}, "W", w(r"\frac{1}{4} X^T (softmax(X W) - onehot_3(k))")),
        ("-log(softmax(z)[1])", {"z": VECTOR}, "z", r"\operatorname{softmax}\left(\mathbf{z}\right) - \mathbf{e}_{\left[2\right]}"),
        ("kl_div(p, softmax(z))", {"p": P3, "z": VECTOR}, "z", w("sum(p) softmax(z) - p")),
        ("mean(abs(X @ w - y))", {"X": X, "w": VECTOR, "y": Y4}, "w", w(r"\frac{1}{4} X^T sgn(X w - y)")),
        # constants stay as they were written
        ("sum(log(2)*x)", {"x": VECTOR}, "x", r"\log\left(2\right)\,𝟏"),
        ("sum(x**pi)", {"x": P3}, "x", r"\pi \mathbf{x}^{\pi - 1}"),
        ("sum(3**x)", {"x": VECTOR}, "x", r"3^{\mathbf{x}} \log\left(3\right)"),
        ("sum(sqrt(3)*x**2)", {"x": VECTOR}, "x", r"2 \sqrt{3} \mathbf{x}"),
        ("sum(x**2/3)", {"x": VECTOR}, "x", r"\frac{2}{3} \mathbf{x}"),
        ("sum(degrees(x)*x)", {"x": VECTOR}, "x", r"\frac{360}{\pi} \mathbf{x}"),
        ("sum(erf(x))", {"x": VECTOR}, "x", r"\frac{2}{\sqrt{\pi}} e^{-\mathbf{x}^{2}}"),
        ("sum(log(2)*x**2/sqrt(2*pi))", {"x": VECTOR}, "x", r"\frac{2 \log\left(2\right)}{\sqrt{2 \pi}} \mathbf{x}"),
        ("2*pi*sum(radians(x)*x)", {"x": VECTOR}, "x", r"\frac{\pi^{2}}{45} \mathbf{x}"),
        # what is largest, what is put back
        ("max(x)", {"x": VECTOR}, "x", r"𝟙\left[\mathbf{x} = \max\left(\mathbf{x}\right)\right]"),
        ("sum(max(A, axis=1))", {"A": A}, "A", r"𝟙\left[\mathbf{A} = \max_{\text{columns}}\left(\mathbf{A}\right)\right]"),
        ("prod(x)", {"x": VECTOR}, "x", r"\left[\textstyle\prod_{k \ne i} x_{k}\right]_{i}"),
        ("sum(E[i]**2)", {"E": X, "i": [0, 2, 2]}, "E", r"2 \operatorname{onehot}_{4}\left(\mathbf{i}\right)^{\top} \mathbf{E}_{\left[\mathbf{i} + 1\right]}"),
        ("sum(where(x > 0, x**2, -x))", {"x": VECTOR}, "x", r"2 \, 𝟙\left[\mathbf{x} > 0\right] \odot \mathbf{x} - 𝟙\left[\mathbf{x} \le 0\right]"),
        ("sum(solve(S, x))", {"S": S, "x": VECTOR}, "x", r"\mathbf{S}^{-\top} 𝟏"),
    ],
)  # fmt: skip
def test_gradients_in_matrix_form(formula, inputs, name, expected):
    trace = report.trace(formula, inputs)
    assert latex(gradient_graph(trace.graph)[trace.graph.inputs[name]]) == expected


@pytest.mark.parametrize(
    ("formula", "inputs", "name", "expected"),
    [
        ("norm(sigmoid(W @ x))**2", {"W": A, "x": COLUMN}, "W", ("W_{ij}", r"2 s_{i}^{2} \left(1 - s_{i}\right) x_{j}")),
        ("x @ A @ x", {"A": A, "x": VECTOR}, "x", ("x_{i}", r"\sum_{k=1}^{3} x_{k} \left(A_{ik} + A_{ki}\right)")),
        ("sum(E[i]**2)", {"E": X, "i": [0, 2, 2]}, "E", ("E_{jk}", r"2 \sum_{l\colon i_{l} + 1 = j} E_{i_{l} + 1, k}")),
        ("max(x)", {"x": VECTOR}, "x", ("x_{i}", r"𝟙\left[x_{i} = \max_{k} x_{k}\right]")),
        ("prod(x)", {"x": VECTOR}, "x", ("x_{i}", r"\prod_{k \ne i} x_{k}")),
        ("sum(cumsum(x)*y)", {"x": VECTOR, "y": VECTOR}, "x", ("x_{i}", r"\sum_{k=i}^{3} y_{k}")),
        ("logsumexp(x)", {"x": VECTOR}, "x", ("x_{i}", r"\frac{e^{x_{i}}}{\sum_{k=1}^{3} e^{x_{k}}}")),
        ("det(A)", {"A": A}, "A", ("A_{ij}", r"\det\left(\mathbf{A}\right) \left(\mathbf{A}^{-1}\right)_{ji}")),
        ("trace(A)", {"A": A}, "A", ("A_{ij}", r"\delta_{ij}")),
        ("sum(x[1:] * y[:-1])", {"x": VECTOR, "y": VECTOR}, "x", ("x_{i}", r"y_{i - 1} \, 𝟙\left[i \ge 2\right]")),
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
    assert (number_tex(-0.5), number_tex(-0.5).binding) == ("-0.5", 1)
    assert number_tex(1.23456e-9) == r"1.23456 \times 10^{-9}"
    assert matrix(np.array([[0.4, -0.32], [10, 0]])) == (
        r"\begin{bmatrix*}[r]0.40 & -0.32 \\ 10.00 & 0\hphantom{.00}\end{bmatrix*}"
    )
    assert matrix(np.array([[0.4, 0], [10, 0]])) == (
        r"\begin{bmatrix*}[r]0.4 & 0 \\ 10.0 & 0\end{bmatrix*}"  # with nothing to align it with
    )
    large = tensor(np.arange(400.0).reshape(20, 20))
    assert r"\ddots" in large
    assert "399" in large
    assert large.count(r"\\") < 9


def test_a_closed_form_says_what_equal_numbers_get():
    (gradient,) = derive(report.trace("max(x)", {"x": [0, 2, 2]})).gradients
    (share,) = gradient.where
    assert share.left == gradient.closed
    assert share.symbols == (r"\frac{1}{2} \text{ for each of 2 equal entries}",)
    first, second = derive(report.trace("maximum(a, b)", {"a": 2, "b": 2})).gradients
    assert first.closed == r"𝟙\left[a > b\right]"
    assert first.where[0].symbols == (r"\frac{1}{2} \text{ where both are equal}",)
    assert second.where[0].left == r"𝟙\left[b > a\right]"
    assert not derive(report.trace("max(x)", {"x": [0, 1, 2]})).gradients[0].where


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("swish(x)", r"\sigma\left(x\right) + \operatorname{swish}\left(x\right) \left(1 - \sigma\left(x\right)\right)"),
        ("gelu(x)", r"\Phi\left(x\right) + x \varphi\left(x\right)"),
        ("softplus(3*x)", r"3 \sigma\left(3 x\right)"),
        ("leaky_relu(x)", r"\begin{cases} 1 & \text{if } x > 0 \\ 0.01 & \text{otherwise} \end{cases}"),
        ("relu(x - 1)", r"𝟙\left[x > 1\right]"),
        ("minimum(x, 2)", r"𝟙\left[x < 2\right]"),
        ("where(x > 0, x, 2)", r"𝟙\left[x > 0\right]"),
        ("2**x * log(2)", r"2^{x} \log{\left(2 \right)}^{2}"),
        ("1 / (2 + sin(x)**2)", r"-\frac{2 \sin{\left(x \right)} \cos{\left(x \right)}}{\left(2 + \sin^{2}{\left(x \right)}\right)^{2}}"),
    ],
)  # fmt: skip
def test_closed_forms_of_numbers_read_as_in_a_textbook(formula, expected):
    (gradient,) = derive(report.trace(formula, {"x": 0.5})).gradients
    assert gradient.closed == expected


def test_a_closed_form_does_not_take_over_a_wrong_rule(with_rule):
    with_rule("softplus", lambda g, y, x: g * x)
    expressions.call.cache_clear()
    expressions._slope_over.cache_clear()
    z = sympy.Symbol("z", real=True)
    slope = sympy.diff(expressions.call("softplus")(z))
    expressions.call.cache_clear()
    expressions._slope_over.cache_clear()
    assert float(slope.subs(z, 0)) == 0.5
