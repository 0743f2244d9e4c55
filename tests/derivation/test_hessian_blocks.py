"""Second derivatives as formulas: the Hessians of textbooks, and what is read back of them."""

from dataclasses import replace

import numpy as np
import pytest

from report import trace
from report.autodiff.hessian import MAX_HESSIAN, curvature
from report.derivation import derive
from report.derivation.hessian_blocks import second_derivatives
from report.derivation.latex import Printed
from report.document.answer import Work
from report.document.formulas import BROWSER
from report.document.hessian import hessian_view
from report.readback import read_sides, readable

X, A = [[1, 2], [1, -1], [1, 0.5]], [[1, 2], [3, 4.5]]
REGRESSION = {"X": X, "w": [0.1, -0.3], "y": [1, 0, 1]}
LOGISTIC = "-sum(y*log(sigmoid(X @ w)) + (1 - y)*log(1 - sigmoid(X @ w)))"
CASES = [
    ("x @ A @ x", {"A": A, "x": [1, 2]}, "x", {"∇²f": "A+A'"}),
    ("x @ A @ x / 2 - b @ x", {"A": A, "x": [1, 2], "b": [3, 1]}, "x", {"∇²f": "½(A+A')"}),
    ("mean((X @ w - y)**2)", REGRESSION, "w", {"∇²f": "⅔X'X"}),
    ("norm(X @ w - y)**2", REGRESSION, "w", {"∇²f": "2X'X"}),
    (LOGISTIC, REGRESSION, "w", {"∇²f": "X'diag(s⊙(1-s))X", "s": "σ(Xw)"}),
    ("p = sigmoid(X @ w)\n-mean(y*log(p) + (1 - y)*log(1 - p))", REGRESSION, "w", {"∇²f": "⅓X'diag(p⊙(1-p))X"}),
    ("norm(x)**2", {"x": [1, 2]}, "x", {"∇²f": "2I"}),
    ("norm(x)", {"x": [3, 4]}, "x", {"∇²f": "1/‖x‖I-xx'/‖x‖³"}),
    ("logsumexp(x)", {"x": [1, 2, 0.5]}, "x", {"∇²f": "diag(s)-ss'", "s": "softmax(x)"}),
    ("logsumexp(A @ x)", {"A": A, "x": [1, 0.5]}, "x", {"∇²f": "A'(diag(s)-ss')A", "s": "softmax(Ax)"}),
    ("sum(exp(A @ x))", {"A": A, "x": [0.1, 0.2]}, "x", {"∇²f": "A'diag(e^{Ax})A"}),
    ("sum(relu(A @ x)**2)", {"A": A, "x": [1, -0.6]}, "x", {"∇²f": "2A'diag(𝟙[Ax>0])A"}),
    ("solve(A, x) @ x / 2", {"A": A, "x": [1, 2]}, "x", {"∇²f": "½(A⁻¹+A⁻')"}),
    ("exp(-norm(x)**2 / 2)", {"x": [1, 0.4]}, "x", {"∇²f": "f(xx'-I)"}),
    ("u @ A @ z", {"A": A, "u": [1, 2], "z": [3, 4]}, "u z", {"∂²f/∂u∂u'": "𝟎", "∂²f/∂u∂z'": "A", "∂²f/∂z∂z'": "𝟎"}),
    (
        "sum((X @ w + b - y)**2)", {**REGRESSION, "b": 0.2}, "b w",
        {"∂²f/∂b²": "6", "∂²f/∂w∂b": "2X'𝟏", "∂²f/∂w∂w'": "2X'X"},
    ),
    ("norm(W @ x)**2", {"W": A, "x": [1, 2]}, "W", {"∇²f[V]": "2Vxx'"}),
    ("norm(W @ x)**2", {"W": A, "x": [1, 2]}, "W x", {"∂²f/∂x∂x'": "2W'W"}),
    ("trace(W.T @ V @ W)", {"W": A, "V": [[1, 2], [5, 1]]}, "W", {"∇²f[U]": "(V+V')U"}),
    ("log(det(A))", {"A": [[2, 1], [0, 3]]}, "A", {"∇²f[V]": "-A⁻'V'A⁻'"}),
    ("c @ x", {"c": [1, 2], "x": [1, 2]}, "x", {}),
]  # fmt: skip


def short(latex):
    """A formula without commands: Xᵀ is X'."""
    for old, new in (
        (r"\odot", "⊙"), (r"\partial^{2}", "∂²"), (r"\partial", "∂"), (r"\nabla^{2}", "∇²"), (r"^{-\top}", "⁻'"), (r"^{\top}", "'"), (r"^{-1}", "⁻¹"),
        (r"\frac{1}{2}", "½"), (r"\frac{1}{3}", "⅓"), (r"\frac{2}{3}", "⅔"), (r"\left\|", "‖"), (r"\right\|", "‖"), (r"\left", ""), (r"\right", ""),
        ("^{2}", "²"), ("^{3}", "³"), (r"\sigma", "σ"), (r"\mathbf", ""), (r"\operatorname", ""), (r"\,", ""), (" ", ""),
    ):  # fmt: skip
        latex = latex.replace(old, new)
    for word in ("softmax", "diag", *"ABVUWXIbfpsuwxyz"):
        latex = latex.replace(f"{{{word}}}", word)
    if latex.startswith(above := r"\frac{∂²f}{"):
        latex = f"∂²f/{latex.removeprefix(above)[:-1]}"
    return latex.replace(r"\frac{1}{‖x‖}", "1/‖x‖").replace(r"\frac{xx'}{‖x‖³}", "xx'/‖x‖³")


def told(formula, inputs, wrt):
    found = trace(formula, inputs, wrt)
    derivation, bend = derive(found), curvature(found)
    return found, derivation, bend, second_derivatives(found, derivation, bend)


@pytest.mark.parametrize(("formula", "inputs", "wrt", "expected"), CASES)
def test_hessians_of_textbooks(formula, inputs, wrt, expected) -> None:
    found, _, _, seconds = told(formula, inputs, wrt.split())
    lets = {line.partition(" = ")[0] for line in formula.split("\n")[:-1]}
    formulas = {short(s.left): short(s.formulas[0]) for s in seconds}
    parts = {short(e.left): short(e.symbols[0]) for s in seconds for e in s.where}
    assert formulas | {n: p for n, p in parts.items() if n not in lets} == expected
    for s in seconds:
        read = read_sides(found, [(s.left, s.formulas[0], s.value)], further=s.known, where=s.where)
        assert read.formulas >= 1
        assert not read.failures
        assert not read.unread
        wrong = read_sides(
            found, [(s.left, s.formulas[0], s.value + 1e-6)], further=s.known, where=s.where
        )
        assert len(wrong.failures) == 1


def test_of_many_entries_the_matrix_is_compared_with_all_products() -> None:
    rng = np.random.default_rng(3)
    data = rng.normal(size=(4, 20))
    inputs = {"X": data, "w": rng.normal(size=20), "lam": 0.5}
    found, _, bend, (second,) = told("sum((X @ w)**2) + lam*sum(w**2)", inputs, ["w"])
    assert len(bend.labels) == 20 > MAX_HESSIAN
    assert short(second.formulas[0]) == "2(X'X+{lam}I)"
    np.testing.assert_allclose(second.value, 2 * data.T @ data + np.eye(20))
    np.testing.assert_allclose(second.value @ bend.direction, bend.matrix[:, 0])
    assert read_sides(found, [(second.left, second.formulas[0], second.value)]).formulas == 1


def test_what_repeats_has_the_name_that_it_has_in_the_gradient() -> None:
    formula = "sum(softmax(X @ w + y)**2)"
    _, derivation, _, seconds = told(formula, REGRESSION, ["w"])
    (gradient,) = derivation.gradients
    assert gradient.parts
    names = {e.left: e.symbols[0] for e in gradient.where}
    for second in seconds:
        assert any(e.left in names for e in second.where)
        assert all(names.get(e.left, e.symbols[0]) == e.symbols[0] for e in second.where)


@pytest.mark.parametrize(
    "formula",
    [
        "prod(x) * norm(x) + sum(tanh(x))**3 / norm(x)",
        "norm(sigmoid(A @ x) * tanh(x))**2",  # short with many names, which are long
    ],
)
def test_a_long_formula_is_left_out(formula) -> None:
    assert told(formula, {"x": [1, 0.3], "A": A}, ["x"])[-1] == ()


def test_nothing_is_told_on_a_kink() -> None:
    assert told("sum(relu(x)**2)", {"x": [1, 0]}, ["x"])[-1] == ()


def test_the_page_tells_the_formula_before_the_numbers() -> None:
    found, derivation, bend, seconds = told(LOGISTIC, REGRESSION, ["w"])
    work = Work(None, found, derivation, None, bend, (), second=seconds)
    shown = hessian_view(BROWSER, work, ())
    assert "diag" in shown["matrix"]
    assert "0.7251" in shown["matrix"]
    assert "σ" in shown["where"]
    assert shown["entries"] == []
    bare = hessian_view(BROWSER, replace(work, second=()), ())
    assert "diag" not in bare["matrix"]
    assert "0.7251" in bare["matrix"]
    assert not bare["where"]
    found, derivation, bend, seconds = told("norm(W @ x)**2", {"W": A, "x": [1, 2]}, ["W"])
    work = Work(None, found, derivation, None, bend, (), second=seconds)
    (line,) = hessian_view(BROWSER, work, ())["entries"]
    assert "for any" in line


LOST = ("p = softmax(z)\n-sum(y*log(p))", {"y": [1, 0, 0], "z": [-16.86, -7.52, 11.2]}, ["z"])


def test_what_float64_has_lost_is_read_with_more_digits() -> None:
    found, derivation, bend, (second,) = told(*LOST)
    side = (second.left, second.formulas[0], second.value)
    assert read_sides(found, [side], where=second.where).failures
    kept, read = readable(found, derivation, bend)
    assert len(kept) == 1
    assert read.formulas == 2
    assert not read.failures


def test_a_false_formula_is_found_with_more_digits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def false(*given, exactly=False):
        (second,) = second_derivatives(*given, exactly=exactly)
        return (
            replace(second, formulas=(Printed(r"\operatorname{diag}\left(\mathbf{p}\right)"),)),
        )

    monkeypatch.setattr("report.readback.second_derivatives.second_derivatives", false)
    found, derivation, bend, _ = told(*LOST)
    _, read = readable(found, derivation, bend)
    assert len(read.failures) == 1
