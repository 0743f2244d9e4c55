"""Second derivatives: published Hessians, symmetry, and products with a vector."""

import numpy as np
import pytest

import report
from report.autodiff.hessian import MAX_HESSIAN, curvature

ROSENBROCK = "(1 - x)**2 + 100*(y - x**2)**2"


def test_rosenbrock_at_its_minimum():
    """H = [[802, -400], [-400, 200]] at (1, 1)."""
    found = curvature(report.trace(ROSENBROCK, {"x": 1, "y": 1}))
    np.testing.assert_allclose(found.matrix, [[802, -400], [-400, 200]], rtol=1e-13)
    assert found.agrees


def test_least_squares_has_the_gram_matrix():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(5, 3)), rng.normal(size=5)
    found = curvature(report.trace("norm(X @ w - y)**2", {"X": X, "y": y, "w": [1, 2, 3]}, ["w"]))
    np.testing.assert_allclose(found.matrix, 2 * X.T @ X, rtol=1e-12)
    assert found.agrees


def test_homework_question_one():
    """Against sympy's second derivatives."""
    import sympy

    x1, w1, x2, w2 = sympy.symbols("x1 w1 x2 w2")
    f = 1 / (2 + sympy.sin(x1 * w1) ** 2 + sympy.cos(x2 * w2))
    at = {x1: -1, w1: 3, x2: -2, w2: 3}
    expected = [[float(sympy.diff(f, a, b).subs(at).evalf(20)) for a in (w1, w2)] for b in (w1, w2)]
    inputs = {"x1": -1, "w1": 3, "x2": -2, "w2": 3}
    found = curvature(report.trace("1/(2 + sin(x1*w1)**2 + cos(x2*w2))", inputs, ["w1", "w2"]))
    np.testing.assert_allclose(found.matrix, expected, rtol=1e-12)
    assert found.agrees


def test_many_inputs_give_a_product_with_a_vector():
    rng = np.random.default_rng(2)
    A = rng.normal(size=(20, 20))
    found = curvature(report.trace("x @ A @ x / 2", {"A": A, "x": rng.normal(size=20)}, ["x"]))
    assert len(found.labels) == 20 > MAX_HESSIAN
    np.testing.assert_allclose(found.matrix[:, 0], (A + A.T) / 2 @ found.direction, rtol=1e-11)
    assert found.agrees


@pytest.mark.parametrize(
    ("formula", "inputs"),
    [
        ("3", {"x": 1}),
        ("2*x + 1", {"x": 1, "unused": 4}),
        ("x", {"x": 2}),
        ("a*b", {"a": 2, "b": 5}),
        ("sum(sigmoid(W @ x)**2)", {"W": [[0.4, 0.1], [0.2, -0.3]], "x": [-0.2, 0.6]}),
        ("cross_entropy(z, y)", {"z": [[0.1, 0.5, -0.3], [1.0, 0.2, 0.7]], "y": [2, 0]}),
        ("log(det(A))", {"A": [[2.0, 0.3], [0.1, 1.5]]}),
    ],
)
def test_agrees_with_differences_of_the_gradient(formula, inputs):
    assert curvature(report.trace(formula, inputs)).agrees


@pytest.mark.parametrize(
    ("formula", "inputs"),
    [
        ("1/x", {"x": 0.003}),
        ("sum(log(p))", {"p": [0.001, 0.999]}),
        ("log(a*b)", {"a": 1e5, "b": 1e-2}),
        ("sin(1000*x)", {"x": 1}),
        ("sin(x)", {"x": 1e6}),
        ("relu(x)*y", {"x": 1e-6, "y": 2}),
    ],
)
def test_the_step_of_the_differences_fits_the_function(formula, inputs):
    found = curvature(report.trace(formula, inputs))
    assert found.agrees
    assert found.confirmed == len(found.labels)
    assert 0 < found.error < 1e-5


@pytest.mark.parametrize(
    ("formula", "inputs", "gates"),
    [
        ("relu(x)**2", {"x": 0}, ("q1",)),
        ("sum(tanh(s * v)) / norm(v, 1)", {"s": 2, "v": [0, 1, -1]}, ("q4",)),
        ("max(x)**2", {"x": [1, 1]}, ("q1",)),
    ],
)
def test_at_a_kink_the_differences_are_left_out(formula, inputs, gates):
    found = curvature(report.trace(formula, inputs))
    assert found.agrees
    assert found.kinks == gates
    assert found.confirmed == 0


def test_a_second_derivative_that_is_not_finite_is_refused():
    singular = {"k": [[0.3], [1.2], [-0.4]], "x": [0.9, 0.1, -0.7]}
    for formula, inputs in (("x**n", {"x": 0, "n": 2.0}), ("det(sin(k - x))", singular)):
        with pytest.raises(report.ReportError, match="no finite number at this point"):
            curvature(report.trace(formula, inputs))


def test_where_every_step_leaves_the_domain_the_differences_are_left_out():
    found = curvature(report.trace("x**2.5 + y**2", {"x": 0, "y": 3}))
    np.testing.assert_allclose(found.matrix, [[0, 0], [0, 2]])
    assert found.agrees
    assert found.confirmed == 1


def test_a_wrong_rule_does_not_agree_with_the_differences(with_rule):
    with_rule("sin", lambda g, y, x: g * x)
    assert not curvature(report.trace("sin(x)**2", {"x": 1.0})).agrees
