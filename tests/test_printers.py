"""The printers: what a textbook prints, and index forms that have the value of the gradient."""

import numpy as np
import pytest
import sympy
from sympy.core.function import AppliedUndef

import report
from report.backprop import gradient_graph
from report.expression import parse
from report.printers.index import NoIndexForm, first_labels, index_expression
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
        ("loss", (), r"\mathrm{loss}"),
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


INDEX_CASES = [
    ("norm(sigmoid(W @ x))**2", {"W": A, "x": COLUMN}),
    ("sum(sigmoid(W @ x)**2)", {"W": A, "x": VECTOR}),
    ("mean((tanh(W @ x + b) - y)**2)", {"W": A, "x": VECTOR, "b": [0.1, 0.2, 0.3], "y": VECTOR}),
    ("norm(X @ w - y)**2 / 4", {"X": X, "w": VECTOR, "y": [1, 2, 3, 4]}),
    ("x @ A @ x", {"A": A, "x": VECTOR}),
    ("dot(A @ x, x)", {"A": A, "x": VECTOR}),
    ("norm(A.T @ A)", {"A": A}),
    ("mean(sum(X*b, axis=0)**2)", {"X": X, "b": VECTOR}),
    ("sum(sum(X, axis=1, keepdims=True)*X)", {"X": X}),
    ("sum(exp(X) / b) * c", {"X": X, "b": [1.5, 2.5, 3.5], "c": 2.0}),
    ("sum(X @ A / k)", {"X": X, "A": A, "k": 3.0}),
]


@pytest.mark.parametrize(("formula", "inputs"), INDEX_CASES, ids=[c[0] for c in INDEX_CASES])
def test_index_form_has_the_value_of_each_gradient_entry(formula, inputs):
    trace = report.trace(formula, inputs)
    gradients = gradient_graph(trace.graph)
    names = {q.node: f"{q.name}_{{@}}" if q.node.shape else q.name for q in trace.inputs}
    numbers = {f"e{i:03d}": q for i, q in enumerate(trace.inputs)}
    for quantity in trace.inputs:
        expression, _ = index_expression(gradients[quantity.node], names)
        labels = first_labels(quantity.node.shape)
        for place in np.ndindex(quantity.node.shape):
            at = {label: p + 1 for label, p in zip(labels, place, strict=True) if label != 0}
            entry = expression.subs(at).doit()
            found = _with_numbers(entry, numbers)
            assert found == pytest.approx(
                np.asarray(quantity.gradient)[place], rel=1e-11, abs=1e-13
            )


def _with_numbers(expression, numbers):
    """Put the inputs' entries (labels count from 1) into an index form, and call its functions."""

    def entry(e):
        quantity = numbers[type(e).__name__]
        real = iter(int(a) - 1 for a in e.args)
        place = tuple(0 if n == 1 else next(real) for n in quantity.node.shape)
        return sympy.Float(np.asarray(quantity.value)[place], 17)

    filled = expression.replace(lambda e: type(e).__name__ in numbers and bool(e.args), entry)
    scalars = {s: float(numbers[s.name].value) for s in filled.free_symbols if s.name in numbers}
    called = filled.subs(scalars)
    for gate, meaning in {
        "f_sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
        "f_tanh": sympy.tanh,
    }.items():
        called = called.replace(
            lambda e, gate=gate: type(e).__name__ == gate, lambda e, m=meaning: m(e.args[0])
        )
    assert not called.atoms(AppliedUndef)
    return float(called)


def test_moved_entries_have_no_index_form():
    trace = report.trace("sum(A @ A)", {"A": A})
    deep = gradient_graph(trace.graph)[trace.graph.inputs["A"]]
    for _ in range(70):  # a formula too long to be read is refused, not printed
        deep = deep + trace.graph.inputs["A"] * deep
    with pytest.raises(NoIndexForm):
        index_expression(deep, {})


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
