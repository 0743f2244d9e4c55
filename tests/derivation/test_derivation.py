"""What a derivation says beside its formulas' numbers: shapes, colours, steps between, and the legend."""

from importlib import import_module

import numpy as np
import pytest

import report
from report.derivation import Derivation, Equality, derive
from report.derivation.latex.symbols import GRADIENT, VALUE
from report.document.views import shared_names

M = [[1.0, -2.0, 0.5], [0.4, 1.2, 3.0]]
V = [0.3, -0.7, 1.1]


def derived(formula: str, **inputs: object) -> Derivation:
    return derive(report.trace(formula, inputs))


def rows(derivation: Derivation, gate: str) -> list[Equality]:
    (step,) = (s for s in derivation.backward if s.quantity.name == gate)
    return list(step.rows)


def row(derivation: Derivation, gate: str, label: str, number: int = 0) -> Equality:
    return [r for r in rows(derivation, gate) if r.label == label][number]


def test_a_local_derivative_that_is_one_number_is_no_matrix():
    derivation = derived("sum(A / d)", A=M, d=2.0)
    down = row(derivation, "q1", "downstream").equation
    assert r"\odot" not in down.symbols[0]
    assert down.numbers[0].endswith(r"\cdot 0.5")


def test_a_local_derivative_keeps_its_own_shape():
    down = row(derived("sum(g * X)", g=[V], X=M), "q1", "downstream", 1).equation
    assert down.symbols[0].endswith(r"\odot \mathbf{g}")
    assert down.numbers[0].count(r"\\") == 1  # of the upstream gradient; g is one row


def test_a_vector_beside_a_matrix_is_a_row():
    derivation = derived("sum(v * X)", v=V, X=M)
    assert (
        derivation.backward[-1].definition == r"\mathbf{q}_{1} = \mathbf{v}^{\top} \odot \mathbf{X}"
    )
    down = row(derivation, "q1", "downstream", 1).equation
    assert down.symbols[0].endswith(r"\odot \mathbf{v}^{\top}")
    assert down.numbers[0].count(r"\\") == 1
    down = row(derived("sum(max(X, axis=0)**2)", X=M), "q1", "downstream").equation
    assert down.symbols[0].startswith(
        r"\left(\frac{\partial f}{\partial \mathbf{q}_{1}}\right)^{\top} \odot"
    )


def test_no_matrix_of_derivatives_equals_a_vector():
    """∂q/∂x of vectors is a matrix: what σ'(x) has to say about it stands in entries."""
    derivation = derived("sum(sigmoid(x) * y)", x=V, y=V)
    local = row(derivation, "q1", "local").equation
    assert local.left == r"\frac{\partial q_{1,i}}{\partial x_{i}}"
    assert local.symbols == (r"q_{1,i} \left(1 - q_{1,i}\right)",)
    down = row(derivation, "q1", "downstream").equation
    assert down.symbols[0].endswith(
        r"\odot \left(\mathbf{q}_{1} \odot \left(1 - \mathbf{q}_{1}\right)\right)"
    )


def test_only_what_leads_to_a_gradient_asked_for_is_derived():
    inputs = {"W": [V, V], "x": V, "w": [0.5, 2.0]}
    derivation = derive(report.trace("sum(sin(w) * (W @ tanh(x)))", inputs, wrt=["W"]))
    gates = {s.quantity.node.gate.name: s for s in derivation.backward}
    assert set(gates) == {"sum", "multiply", "matmul"}
    assert all(len(s.branches) == 1 for s in derivation.backward)


def test_a_local_derivative_that_is_a_value_has_its_colour():
    derivation = derived("x*w + exp(x)", x=2.0, w=3.0)
    assert VALUE in row(derivation, "q1", "local").equation.numbers[0]
    assert VALUE in row(derivation, "q2", "local").equation.numbers[-1]  # the gate's own value
    assert VALUE not in row(derivation, "q3", "local").equation.symbols[0]


def test_sums_over_copies_show_what_is_summed():
    down = row(derived("sum(X + b)", X=M, b=0.5), "q1", "downstream", 1).equation
    assert down.symbols[0].startswith(r"\sum_{k=1}^{2} \sum_{l=1}^{3}")  # and no other words for it
    assert down.numbers[0].startswith(r"\sum_{\text{all entries}}")
    assert GRADIENT in down.numbers[0]


def test_a_large_upstream_gradient_says_where_its_numbers_stand():
    derivation = derived("sum(tanh(X)**2)", X=np.arange(30.0).reshape(5, 6) / 30)
    upstream = row(derivation, "q1", "upstream").equation
    assert upstream.symbols == (r"\text{the numbers found at gate } 2",)


def test_the_result_has_the_gradient_one_by_name():
    assert row(derived("x * x", x=3.0), "q1", "upstream").equation.symbols == (
        r"\frac{\partial f}{\partial f}",
    )
    assert row(derived("L = x * x", x=3.0), "L", "upstream").equation.symbols == ()


@pytest.mark.parametrize(
    ("formula", "steps"),
    [
        (
            "log_sigmoid(x)",
            (
                r"\frac{e^{-x}}{1 + e^{-x}}",
                r"\frac{1}{1 + e^{x}}",
                r"\sigma\left(-x\right)",
            ),
        ),
        (
            "softplus(x)",
            (r"\frac{e^{x}}{1 + e^{x}}", r"\frac{1}{1 + e^{-x}}", r"\sigma\left(x\right)"),
        ),
    ],
)
def test_what_sympy_derives_leads_to_the_rule(formula, steps):
    assert row(derived(formula, x=0.7), "q1", "local").equation.symbols == steps


def test_softmax_goes_from_the_jacobian_to_the_rule():
    derivation = derived("sum(y * softmax(x))", x=V, y=[0.0, 1.0, 0.0])
    down = row(derivation, "q1", "downstream").equation
    assert down.symbols[0].startswith(
        r"\left(\frac{\partial \mathbf{q}_{1}}{\partial \mathbf{x}}\right)^{\top}"
    )
    assert len(down.numbers) == 3  # put in, with the number of the sum, and the result
    assert r"^\top" not in down.numbers[1]


@pytest.mark.parametrize(
    ("function", "gate", "left"),
    [
        ("p = softmax(z)\nL = -sum(y * log(p))", "p", r"\operatorname{sum}\left(\mathbf{y}\right) \mathbf{p} - \mathbf{y}"),
        ("p = sigmoid(z)\nL = -sum(y * log(p) + (1 - y) * log(1 - p))", "p", r"\mathbf{p} - \mathbf{y}"),
        ("L = -sum(log(sigmoid(z)))", "q1", r"\mathbf{q}_{1} - 1"),
    ],
)  # fmt: skip
def test_what_falls_away_is_seen_before(function, gate, left):
    """Softmax and sigmoid with their cross-entropies: the fraction p in the upstream gradient goes."""
    inputs = {"z": [2.0, -1.0, 0.5], **({"y": [0.0, 0.0, 1.0]} if "y" in function else {})}
    symbols = row(derived(function, **inputs), gate, "together").equation.symbols
    assert symbols[-1] == left
    assert r"\frac" in symbols[0]
    assert not [r for r in rows(derived("sum(sigmoid(z)**2)", z=V), "q1") if r.label == "together"]


def test_nothing_is_put_together_where_nothing_flows():
    made = derived("sum((sign(z / (2 + z**2)) - mean(z))**2)", z=V)
    assert not [r for s in made.backward for r in s.rows if r.label == "together"]


def test_a_name_is_found_where_every_letter_is_taken(monkeypatch):
    letters = "abcdeghjklmnoprstuvwyz"
    assert derived("+".join(letters), **dict.fromkeys(letters, 0.1)).gradients[0].closed == "1"
    monkeypatch.setattr(import_module("report.derivation.gradients"), "_LETTERS", "st")
    made = derived("exp(s*t + t + 3*s) / (1 + exp(s*t + t + 3*s))**2", s=0.1, t=0.2)
    told = {e.left for g in made.gradients for e in g.where}
    assert told
    assert all(name.startswith(r"\operatorname{part}") for name in told)


def test_softmax_by_hand_ends_as_softmax_does():
    made = derived("p = exp(z) / sum(exp(z))\nL = -sum(y * log(p))", z=V, y=[0, 1, 0])
    one, simple = made.gradients[0].here
    assert (one.left, one.symbols) == (r"\operatorname{sum}\left(\mathbf{y}\right)", ("1",))
    assert simple.symbols == (r"\mathbf{p} - \mathbf{y}",)
    rows = "E = exp(X @ W)\nP = E / sum(E, axis=1, keepdims=True)\n-sum(Y * log(P)) / 2"
    one, simple = derived(rows, X=M, W=[V, V, V], Y=[[0, 1, 0], [1, 0, 0]]).gradients[1].here
    assert (one.left, one.symbols) == (r"\mathbf{Y}\,𝟏", ("𝟏",))
    assert simple.symbols[0].startswith(r"\frac{1}{2} \mathbf{X}^{\top} \left(\mathbf{P}")


def test_a_division_by_a_constant_shows_its_factor():
    down = row(derived("sum(x / 0.5)", x=V), "q1", "downstream").equation
    assert down.symbols[0].endswith(r"\cdot \frac{1}{0.5}")
    assert down.numbers[0].endswith(r"\cdot 2")
    local = row(derived("radians(x)", x=30.0), "q1", "local").equation
    assert (*local.symbols, *local.numbers) == (r"\frac{\pi}{180}", "0.0174533")


def test_a_choice_shows_no_numbers_as_its_condition():
    down = row(derived("sum(leaky_relu(x))", x=V), "q1", "downstream").equation
    assert not any("cases" in numbers for numbers in down.numbers)


def test_a_piece_has_the_precision_of_the_whole():
    derivation = derived("sum(v * concatenate([a, b]))", v=[1.23456, 0.0211119], a=[1.0], b=[2.0])
    pieces = [r.equation.numbers[-1] for r in rows(derivation, "q1") if r.label == "downstream"]
    upstream = row(derivation, "q1", "upstream").equation.numbers[0]
    assert r"0.02111\end" in upstream
    assert r"0.02111\end" in pieces[1]


def test_every_name_of_an_entry_is_defined():
    X, W = [[1.0, 0.5], [-0.5, 2.0]], M
    derivation = derived(
        "mean(log_softmax(X @ W + b) * Y)", X=X, W=W, b=V, Y=[[1, 0, 0], [0, 0, 1]]
    )
    gradient = next(g for g in derivation.gradients if g.name == "W")
    assert r"\mathbf{q}_{2}" in gradient.entry.symbols[0]
    assert r"\mathbf{q}_{2}" in [e.left for e in gradient.where]


def test_names_of_several_gradients_are_told_once():
    trace = report.trace(
        "H = tanh(X @ W)\nsum(H @ w)", {"X": M, "W": [V, V, V], "w": V}, wrt=["W", "X", "w"]
    )
    derivation = derive(trace)
    told = [e.left for g in derivation.gradients for e in g.where]
    assert len(told) > len(set(told))
    assert [e.left for e in shared_names(trace, derivation)] == [r"\mathbf{H}"]
    alone = report.trace("sum(tanh(X @ W))", {"X": M, "W": [V, V, V]}, wrt=["W"])
    assert shared_names(alone, derive(alone)) == []


def test_a_kind_is_told_where_some_of_its_gates_hand_nothing_on():
    terms = "+".join(f"where(leaky_relu(b)>{k},log(1+square(b)),1)" for k in range(20))
    assert derived(terms, b=-0.49).flows


def test_what_repeats_in_closed_forms_has_one_name_in_all_of_them():
    point = {"w": 2.0, "x": -1.0, "b": -3.0, "v": 0.5}
    trace = report.trace("exp(w*x + v) * sin(exp(w*x + v)) + b", point)
    derivation = derive(trace)
    (name,) = shared_names(trace, derivation)
    assert (name.left, name.symbols) == ("s", ("e^{w x + v}",))
    assert (
        derivation.gradients[-1].closed
        == r"s \left(\sin{\left(s \right)} + s \cos{\left(s \right)}\right)"
    )
    assert all(name in g.where for g in derivation.gradients if g.name != "b")


def test_a_kind_of_a_large_function_has_its_name_and_every_step():
    lines = [f"y{i} = sigmoid(y{i - 1})" for i in range(1, 62)]
    (kind,) = derive(
        report.trace("\n".join(["y0 = x", *lines, "L = sigmoid(y61)"]), {"x": 0.5})
    ).kinds
    assert r"\frac{\partial L}{\partial x}" in kind.rules[0]
    assert kind.rules[0].endswith(r"= y \left(1 - y\right)")


def test_a_named_step_stays_a_name_with_its_sign_turned():
    derivation = derived("z = x - w\nlog_sigmoid(z) * v", x=[1.0], w=[0.5], v=[2.0])
    closed = derivation.gradients[0].closed
    assert closed is not None
    assert r"\sigma\left(-\mathbf{z}\right)" in closed


@pytest.mark.parametrize("formula", ["a + a", "a * a", "a * a * a"])
def test_a_gate_with_the_same_argument_twice_has_a_derivative_by_each(formula):
    derivation = derived(formula, a=1.5)
    for place in (1, 2):
        mark = rf"\left.\frac{{\partial q_{{1}}}}{{\partial a}}\right|_{{{place}}}"
        local, down = (
            row(derivation, "q1", label, place - 1).equation for label in ("local", "downstream")
        )
        assert local.left == mark
        assert mark in down.symbols[0]
    assert "behind the bar or the comma says which argument" in " ".join(derivation.legend)


@pytest.mark.parametrize(
    ("formula", "sentence"),
    [
        ("1 - x", "The slope of a constant minus $x$ is −1."),
        ("x - 1", "The slope of $x$ minus a constant is 1."),
        ("w - x", "The slope of a difference is 1 in the first term and −1 in the second."),
        ("3**x", r"The derivative of $a^x$ by $x$ is $a^x \log a$."),
        ("w**x", r"by $n$ it is $x^n \log x$."),
        ("x**3", "The power rule"),
        ("x * 3", "The derivative of a constant times $x$ is the constant."),
    ],
)
def test_why_fits_what_is_constant(formula, sentence):
    inputs = {name: 1.5 for name in "xw" if name in formula}
    assert sentence in derived(formula, **inputs).backward[0].why


def test_what_one_entry_is_has_the_same_label_everywhere():
    derivation = derived("mean(X @ X.T)", X=M)
    assert row(derivation, "q3", "entry").equation.left == "q_{3}"
    assert row(derivation, "q2", "entry").equation.left == "q_{2,ij}"


def test_a_named_step_keeps_its_constant_factor():
    derivation = derived(
        "h = m * x / 0.5\nnorm(W @ h)**2", m=[1.0, 0.0], x=[0.3, 0.4], W=[V[:2]] * 2
    )
    closed = next(g.closed for g in derivation.gradients if g.name == "W")
    assert closed == r"2 \mathbf{W} \mathbf{h} \mathbf{h}^{\top}"


# ---------------------------------------------------------------- the legend


def legend(formula: str, **inputs: object) -> str:
    return " ".join(derived(formula, **inputs).legend)


def test_a_legend_explains_what_is_used_and_no_more():
    assert legend("sin(x) + w", x=1.0, w=2.0) == ""
    assert legend("x * x + x", x=1.0).startswith(
        r"$\left.\frac{\partial f}{\partial x}\right|_{q_{2}}$ is"
    )
    assert "behind the" not in legend("x * w + x", x=1.0, w=2.0)
    assert "behind the comma" in legend("sum(A @ A)", A=[[1.0, 2.0], [3.0, 4.0]])
    text = legend("sum(X[0:1] * X[1:])", X=[V, V])
    assert "goes from $i$ to $j$, both counted from 1 and included." in text
    assert "count from 0" not in text
    assert "count from 0" in legend("sum(X[i])", X=[V, V], i=1)
    assert r"$\odot$" in text
    assert "steps of" not in text
    assert "steps of" in legend("sum(x[::2])", x=V)
    assert "to $j$." not in legend("sum(x[::2])", x=V)
    assert "each entry" in legend("binary_cross_entropy_with_logits(x, y)", x=V, y=[0, 1, 0])
    assert "condition" not in text
    assert "condition" in legend("sum(relu(x))", x=V)
    assert "over the rows" in legend("sum(max(X, axis=0)**2)", X=M)
    ties = "at a tie in a max or min"
    assert ties in legend("sum(max(X, axis=0)**2)", X=M)
    assert ties in legend("sum(maximum(x, y))", x=V, y=[0.1, 0.2, 0.3])
    assert ties not in legend("sum(relu(x))", x=V)
    assert "at the class" in legend("cross_entropy(X, k)", X=M, k=[0, 2])
    assert "at the class" not in legend("cross_entropy(X, P)", X=M, P=[[1, 0, 0], [0, 0, 1]])
    assert "softplus" in legend("sum(softplus(x))", x=V)
    assert "repeated" in legend("sum(v * X)", v=V, X=M)
    assert "repeated" not in legend("sum(X * X)", X=M)
    assert "repeated" in legend("sum(max(X, axis=0)**2)", X=M)  # beside X, on the way back
    assert "quotients" in legend("sum(log(x))", x=[1.0, 2.0])
    assert "quotients" not in legend("sum(exp(x))", x=V)
    assert "; $\\mathbf{b}$ is a row" in legend("norm(X.T @ X + b)**2", X=M, b=[V])
    assert "$\\mathbf{b}$ is a row" not in legend("norm(X.T @ X + b)**2", X=M, b=V)
    assert r"\sigma\left(x\right) =" in legend("sigmoid(x)", x=1.0)
    assert r"\operatorname{sigmoid}\left(x\right) =" in legend("sigmoid(sigma)", sigma=1.0)
    assert "softplus" not in legend("binary_cross_entropy_with_logits(x, y)", x=V, y=[0, 1, 0])
    assert "squared entries" in legend("norm(X)**2", X=M)
    assert "squared entries" not in legend("norm(x)**2", x=V)
    assert r"$\delta_{jk}$" in legend("sum(i * (X @ x))", i=2.0, X=M, x=V)
    assert "onehot" in legend("cross_entropy(X, k)", X=M, k=[0, 2])
    assert r"^{\odot n}" in legend("sum(X**3)", X=M)
    assert r"^{\odot n}" not in legend("sum(X**2)", X=M)


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        ("sum(where(2*M > 1, x, 2))", {"M": [[1, 0.2, 3, 4, 5]] * 5, "x": 2.0}),
        ("h = cumsum(norm(M))\ng = tanh(h)\nsum(g*h + x)", {"M": [[1, 2], [0.3, 0.4]], "x": 2.0}),
        ("sum(v)*s.T", {"v": [1, 2], "s": 3}),
    ],
)
def test_gates_that_give_no_gradient_back_or_have_no_axes_are_derived(function, inputs):
    assert derive(report.trace(function, inputs)).backward
