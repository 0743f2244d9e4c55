"""What stands on the page, read as a reader reads it, has the numbers of the trace."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from report import ReportError, trace
from report.autodiff.parser.names import FORMS
from report.autodiff.trace import Trace
from report.derivation import derive
from report.readback import ReadBack, read_back
from tests.autodiff.test_simplify import VECTORS, vectors
from tests.derivation.test_index_form import derived, each_formula
from tests.problem_files import answered, each_problem


def check_derivation(traced: Trace) -> None:
    """Every equation of a derivation is read, and has its numbers."""
    check(read_back(traced, derive(traced)))


def check(read: ReadBack) -> None:
    """None is false, and none unread but where rounding says nothing."""
    assert read.failures == ()
    assert [u for u in read.unreadable if not u.endswith("is too coarse)")] == []
    assert read.formulas


@each_formula
def test_every_formula_of_a_derivation_has_its_numbers(number: int) -> None:
    check(read_back(*derived(number)))


@each_problem()
def test_every_formula_of_the_problems_has_its_numbers(problem: Path) -> None:
    for read in answered(problem).first_read:
        check(read)


def test_a_name_may_begin_as_a_gate_is_called() -> None:
    names = [f"{word}_of_x" for word in [*FORMS, "and", "or", "min"]]
    for some in (names[i : i + 12] for i in range(0, len(names), 12)):
        formula = " + ".join(f"exp({name})*x" for name in some)
        check_derivation(trace(formula, {**dict.fromkeys(some, 0.5), "x": 2}))


@pytest.mark.parametrize("name", ["q1", "q_1", "q_2", "u1"])
def test_a_name_of_the_user_is_no_name_of_a_gate(name: str) -> None:
    check_derivation(trace(f"sin({name} * y) + exp({name})", {name: 0.7, "y": 2.0}))


def numbers() -> st.SearchStrategy[str]:
    """Formulas of the numbers x, w and b."""
    names = ["x", "w", "b", "2", "3", "pi", "0.5", "log(2)", "sqrt(3)"]
    calls = ["exp({})", "sin({})", "tanh({})", "sigmoid({})", "log(1 + ({})**2)", "sqrt(1 + ({})**2)",
             "softplus({})", "relu({})", "leaky_relu({})", "swish({})", "(-({}))", "({})**2", "({})**3",
             "abs({})", "elu({})", "gelu({})", "erf({})", "arctan({})", "2**({})", "(1 / (2 + ({})**2))"]  # fmt: skip
    return st.recursive(
        st.sampled_from(names),
        lambda inner: st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner),
            st.builds("({} / (1 + ({})**2))".format, inner, inner),
            st.builds(lambda call, a: call.format(a), st.sampled_from(calls), inner),
            st.builds("maximum({}, {})".format, inner, inner),
        ),
        max_leaves=6,
    )


@pytest.mark.parametrize("unfold", [(), ("sigmoid", "tanh", "softplus")])
@settings(max_examples=15)
@given(formula=numbers())
def test_every_formula_of_numbers_has_its_number(unfold: tuple[str, ...], formula: str) -> None:
    check_derivation(trace(formula, {"x": 0.7, "w": -1.3, "b": 0.4}, unfold=unfold))


@settings(max_examples=12)
@given(formula=vectors())
def test_every_formula_of_vectors_has_its_numbers(formula: str) -> None:
    try:
        traced = trace(f"sum({formula})", VECTORS)
    except ReportError:  # a value outside a gate's domain
        assume(False)
    read = read_back(traced, derive(traced))
    assert read.failures == ()  # a part of which nothing says how long it is, is left out
