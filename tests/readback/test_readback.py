r"""Printed formulas are read back: all of them have the trace's numbers, and a changed one is found."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import report
from benchmarks.misprints import drawn, elsewhere, is_found
from report.autodiff.parser.latex.printed import PrintedNames
from report.derivation import derive, formula
from report.derivation.latex.printed import Printed, put
from report.homework.homework import read_homework
from report.homework.traces import traces_of
from report.homework.variants import draw
from report.readback import printable, read_back
from tests.problem_files import each_problem

FIELD = sorted(
    Path(__file__).with_name("cases").glob("*.toml")
)  # names that are ours, x.T of a vector


@pytest.mark.parametrize("path", FIELD, ids=lambda p: p.stem)
def test_formulas_from_the_field_are_read_back(path: Path) -> None:
    for trace in traces_of(draw(read_homework(path), None)).values():
        found = read_back(trace, derive(trace))
        assert found.failures == ()
        assert found.formulas > 10
        assert found.unread == ()


@each_problem(without="class")
def test_the_printed_function_read_as_a_function_has_the_same_trace(problem: Path) -> None:
    for trace in traces_of(draw(read_homework(problem), None)).values():
        printed = r" \\ ".join(f"{e.left} = {e.symbols[0]}" for e in formula(trace))
        again = report.trace(printed, {q.name: q.value for q in trace.inputs}, trace.wrt)
        assert again.value == pytest.approx(trace.value, rel=1e-9)
        for name, gradient in trace.gradients.items():
            np.testing.assert_allclose(again.gradients[name], gradient, rtol=1e-8, atol=1e-12)


def test_a_changed_formula_is_found() -> None:
    traces = [t for p in FIELD for t in traces_of(draw(read_homework(p), None)).values()]
    chosen = drawn(traces, 150, seed=1)
    missed = [(trace, text) for trace, (_, text, mutant) in chosen if not is_found(trace, mutant)]
    wrong = [text for trace, text in missed if elsewhere(trace, text)]  # the others say the same
    assert len(chosen) == 150
    assert len(missed) <= 15
    assert len(wrong) <= 2


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        ("sum(cumprod(x, 0))", {"x": [1.0, -2, 3]}),
        ("flip(x, 0)[0]", {"x": [1.0, -2, 3]}),
        ("sum(flip(X, axis=1)[0] * [1, 2, 3])", {"X": [[1.0, 2, -1], [0.5, -0.3, 2]]}),
        ("roll(x, shift=1, axis=0)[0]", {"x": [1.0, -2, 3]}),
        ("swapaxes(X, 0, 1)[0, 1]", {"X": [[1.0, 2, -1], [0.5, -0.3, 2]]}),
        ("transpose(X, (1, 0))[2, 1]", {"X": [[1.0, 2, -1], [0.5, -0.3, 2]]}),
        ("X.T[0, 1]", {"X": [[1.0, 2, -1], [0.5, -0.3, 2]]}),
        ("sum(max(X, axis=0)**2)", {"X": [[0.9, 0.2], [0.1, 0.7]]}),
        ("sum(min(X, axis=0, keepdims=True)**2)", {"X": [[0.9, 0.2], [0.1, 0.7]]}),
        ("sum(masked_fill(X, m, 0.5)**2)", {"X": [[0.9, 0.2], [0.1, 0.7]], "m": [0.0, 1.0]}),
        ("sum(reshape(B, 12)**2)", {"B": np.arange(12.0).reshape(3, 2, 2).tolist()}),
        (
            "sum(mean(B, axis=(0, 2), keepdims=True) * B)",
            {"B": np.arange(8.0).reshape(2, 2, 2).tolist()},
        ),
        ("sum(max_pool2d(X, 2))", {"X": [[1.0, 2, -1, 0], [0.5, -0.3, 2, 1]]}),
        (
            "sum((log_sigmoid(X) @ W) * v)",
            {"X": [[-1.0, 2]], "W": [[2.0, 3], [1, 4]], "v": [1.0, 2]},
        ),
        ("maximum(trace(sin(cbrt(X))), y)", {"X": [[1.0, 2], [-0.3, -0.4]], "y": -1.0}),
        (
            "sum(solve(exp(X) - 5e-7, b))",  # where float64 takes an inverse entry for 0
            {"X": [[-46.9, -14.4], [47.4, -34.4]], "b": [1.0, 2.0]},
        ),
        ("cross_entropy(z, 1, label_smoothing=0.1)", {"z": [0.1, -0.5, 0.7]}),
        ("sum(scaled_dot_product_attention(q, q, q)**2)", {"q": [[0.5, 1.0], [0.2, -0.3]]}),
    ],
)
def test_axes_and_turned_brackets_are_read_as_they_are_printed(
    function: str, inputs: dict[str, Any]
) -> None:
    traced = report.trace(function, inputs)
    read = read_back(traced, derive(traced))
    assert read.failures == ()


def test_what_cannot_be_read_back_is_left_out() -> None:
    trace = report.trace("sum((A @ v)**2)", {"A": [[2.3, 1.7], [13.8, -7.1]], "v": [0.8, 0.7]})
    derivation = derive(trace)
    first, *others = derivation.gradients
    assert first.closed is not None
    first = replace(first, closed=put(r"\mystery ", first.closed))
    derivation = replace(derivation, gradients=(first, *others))
    read = read_back(trace, derivation)
    assert len(read.unread) == 1
    kept, rest = printable(derivation, read)
    assert kept.gradients[0].closed is None
    assert (rest.unread, rest.failures) == ((), ())
    assert rest.formulas == read.formulas - 1
    again = read_back(trace, kept)
    assert (again.formulas, again.unread) == (rest.formulas, ())


def test_what_uses_a_part_that_cannot_be_read_back_goes_with_it() -> None:
    trace = report.trace(
        "norm(sigmoid(W @ x))**2", {"W": [[0.5, -0.2]], "x": [1.0, 2.0]}, wrt=["W"]
    )
    derivation = derive(trace)
    (gradient,) = derivation.gradients
    first, *others = gradient.where
    bad = replace(first, symbols=(put(r"\mystery ", first.symbols[0]),))
    derivation = replace(derivation, gradients=(replace(gradient, where=(bad, *others)),))
    kept, rest = printable(derivation, read_back(trace, derivation))
    assert (rest.unreadable, rest.failures) == ((), ())
    assert (kept.gradients[0].closed, kept.gradients[0].entry, kept.gradients[0].where) == (
        None,
        None,
        (),
    )


@pytest.mark.parametrize(
    ("names", "function"),
    [
        (
            "s mu eps",
            "sigma = exp(s / 2)\nz = mu + sigma * eps\nsum((1 - W @ z)**2)/2 + sum(exp(s) - s)",
        ),
        ("mu", "lambda_ = W @ mu\nloss_ = sum(lambda_**2)"),
        ("mu", "theta = W @ mu\ntheta_bar = theta - mean(theta)\nJ_0 = norm(theta_bar)**2"),
    ],
)
def test_steps_and_results_may_have_any_name(names: str, function: str) -> None:
    """Greek letters of vectors, a name that ends in an underscore, words, accents and numbers."""
    vectors = {name: [0.1 * place - 0.3, 0.2] for place, name in enumerate(names.split())}
    trace = report.trace(function, {**vectors, "W": [[1.0, 0.2], [0.0, 0.5]]})
    read = read_back(trace, derive(trace))
    assert not read.failures
    assert not read.unread


def test_a_bracket_of_what_is_equal_but_for_rounding_holds_by_convention() -> None:
    """The entries of a column are 1/rms, all of them; which of two is the larger one, rounding says."""
    x = [[2e7, -2.1e8, -1e8], [-3e7, -110000000.00000001, 1.2e8]]
    trace = report.trace("max(rms_norm(x, axis=0) / x)", {"x": x}, unfold=["rms_norm"])
    read = read_back(trace, derive(trace))
    assert read.failures == ()
    assert read.formulas > 20


def test_what_float64_has_hardly_a_digit_of_is_told_to_that_digit() -> None:
    """A gradient of 1e-316 is a whole number of 5e-324, which the order of products decides."""
    weights = [[8.010699999999999e-13, -1.98725e-12], [-2.01512e-12, 1.8307e-12]]
    inputs = {"x": [[-7e-151] * 3] * 2, "W": weights}
    found = report.trace("sum((leaky_relu(x).T @ W)**2)", inputs)
    assert read_back(found, derive(found)).failures == ()


def test_a_named_part_of_a_closed_form_is_read() -> None:
    inputs = {"W": [[0.5, -0.2], [0.1, 0.7]], "x": [1.0, 2.0]}
    trace = report.trace("norm(sigmoid(W @ x))**2", inputs, wrt=["W"])
    derivation = derive(trace)
    (gradient,) = derivation.gradients
    assert read_back(trace, derivation).unread == ()
    (part,) = gradient.where
    wrong = replace(part, symbols=(Printed(part.symbols[0].replace("sigma", "tanh")),))
    changed = replace(derivation, gradients=(replace(gradient, where=(wrong,)),))
    assert len(read_back(trace, changed).failures + read_back(trace, changed).unread) >= 1


@pytest.mark.parametrize(
    "formula",
    [
        "relu(sum(inv(A)))",  # ones between two matrices
        "mean(A @ B)**3",
        "sum(conv1d(tanh(A @ v), v)**2)",  # a part that is a vector, not a column
        "sum(sin(flip(v - mean(v))))",  # rows of an identity
        "sum(roll(normalize(A @ v), shift=1) * v)",
        "max(arcsin(tanh(cumsum(A / 9, axis=0))))",  # a sum from i on, under a condition
        "sum(stack([erf(log_sigmoid(v)), v * 2]) @ v)",  # a power of log sigma
        "(cumsum(A - mean(A), axis=0) * (B - mean(A)))[1, 0]",
    ],
)
def test_every_formula_that_is_printed_of_it_is_read_and_right(formula: str) -> None:
    values = {"A": [[2.0, 1.0], [0.5, 3.0]], "B": [[1.0, -2.0], [0.3, 0.7]], "v": [0.8, -0.7]}
    inputs = {name: value for name, value in values.items() if name in formula.split("(", 1)[1]}
    trace = report.trace(formula, inputs)
    derivation = derive(trace)
    _, read = printable(derivation, read_back(trace, derivation))
    assert (read.failures, read.unread) == ((), ())
    assert read.formulas > 5


@pytest.mark.parametrize(
    ("old", "new"),
    [(r"{-3}\right)", r"{3}\right)"), ("0.0199149", "0.0199139"), ("2.98009", "2.9801")],
)
def test_a_number_that_is_put_in_wrongly_is_found(old: str, new: str) -> None:
    function = "1 / (2 + sin(x1*w1)**2 + cos(x2*w2))"
    traced = report.trace(function, {"x1": -1.0, "w1": 3.0, "x2": -2.0, "w2": 3.0})
    derivation = derive(traced)
    assert read_back(traced, derivation).failures == ()
    changed: list[Any] = [(r.numbers or "").replace(old, new) for r in derivation.forward]
    rows = [replace(r, numbers=n) for r, n in zip(derivation.forward, changed, strict=True)]
    read = read_back(traced, replace(derivation, forward=tuple(rows)))
    assert len(read.failures) == 1


@pytest.mark.parametrize(
    ("formula", "given"),
    [
        # the reading itself depends on the numbers
        (r"x_k", [({"x": [3, 4], "k": 1}, 3), ({"x": [3, 4], "k": 2}, 4)]),
        (r"\sum_{i=1}^{k} x_i", [({"x": [3, 4], "k": 1}, 3), ({"x": [3, 4], "k": 2}, 7)]),
        (r"\sqrt[3]{x}", [({"x": 8}, 2), ({"x": -8}, -2), ({"x": 27}, 3)]),
        # on the shapes
        (r"x^\top x", [({"x": [3, 4]}, 25), ({"x": [1, 2, 3]}, 14), ({"x": [2, 4]}, 20)]),
        # on the names
        (r"xy", [({"x": 2, "y": 3}, 6), ({"y": 5, "z": 1, "x": 4}, 20), ({"x": 4, "y": 2}, 8)]),
        # on nothing else
        (r"\indicator[x > 0] x^2", [({"x": 3}, 9), ({"x": -3}, 0), ({"x": 2}, 4)]),
    ],
)
def test_a_formula_has_the_numbers_of_the_names_that_it_is_read_with(
    formula: str, given: list[tuple[dict[str, Any], float]]
) -> None:
    for names, expected in (*given, *given):
        numbers = {name: np.asarray(value, dtype=float)[()] for name, value in names.items()}
        read = PrintedNames(numbers).formula(formula)
        assert read.value() == pytest.approx(expected, rel=1e-15)
        assert read.at({}) == pytest.approx(expected, rel=1e-15)
