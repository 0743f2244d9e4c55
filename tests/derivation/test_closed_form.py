"""A closed form depends on the formula alone: it is found once, and never taken for another's."""

from __future__ import annotations

import itertools
import math

import pytest

from report import trace
from report.checks import verify
from report.derivation import derive
from report.derivation.symbolic.closed_form import closed_form

SAME = "sin(x*w)**2 / 3 + x"
FORMULAS = [
    SAME, "sin(x*w)**2 / 3 + w", "sin(w*x)**2 / 3 + x", "cos(x*w)**2 / 3 + x", "sin(x*w)**3 / 3 + x",
    "sin(x*w)**2 / 4 + x", "sin(x*w)**2 * (1/3) + x", "sin(x*w)**2 * 0.3333333333333333 + x",
    "leaky_relu(x, slope=0.1) * w", "leaky_relu(x, slope=0.2) * w", "x", "w", "2", "x * pi * w",
    "x * 3.141592653589793 * w", "z = x*w\nz + z", "x*w + x*w",
]  # fmt: skip


def test_variants_of_one_formula_share_it() -> None:
    one, other = (trace(SAME, {"x": x, "w": 0.5}).graph for x in (1, -2.5))
    assert closed_form(one, "x") is closed_form(other, "x")
    assert closed_form(one, "x") is not closed_form(one, "w")


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(FORMULAS, 2)))
def test_other_formulas_do_not(first: str, second: str) -> None:
    one, other = (closed_form(trace(f, {"x": 1, "w": 0.5}).graph, "x") for f in (first, second))
    assert one is not other


def test_the_order_of_the_inputs_counts() -> None:
    one = trace("x - w", {"x": 1, "w": 0.5}).graph
    other = trace("x - w", {"w": 0.5, "x": 1}).graph
    assert closed_form(one, "x") is not closed_form(other, "x")
    assert closed_form(one, "x").latex == closed_form(other, "x").latex == "1"


def test_tensors_have_none() -> None:
    assert closed_form(trace("sum(x)", {"x": [1, 2]}).graph, "x") is None
    assert closed_form(trace("x * 1", {"x": 2}).graph, "x").latex == "1"


def test_digits_that_thirty_do_not_hold_are_computed() -> None:
    """d/dx 1/softplus(x) is -σ(x)/softplus(x)², which is -exp(-x) far to the left."""
    traced = trace("softplus(x)**-1", {"x": -84.0})
    found = closed_form(traced.graph, "x")
    assert found.at({"x": -84.0}, digits=400) == pytest.approx(-math.exp(84), rel=1e-15)
    assert math.isnan(found.at({"x": -84.0}))  # log(1 + exp(-84)) is 0 with thirty digits
    checked = verify(traced, derive(traced), {}).entries[0].closed
    assert checked.agrees
    assert checked.value == pytest.approx(-math.exp(84), rel=1e-15)
    zero = closed_form(trace("1/x", {"x": 1.0}).graph, "x")
    assert math.isnan(zero.at({"x": 0.0}))
