"""What stands on the page, read as a reader reads it, has the numbers of the trace."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from report import ReportError, trace
from report.autodiff.trace import Trace
from report.derivation import Derivation, derive
from report.derivation.elements import Branch, Equality, Equation
from report.derivation.index_form.walk import LETTERS
from report.derivation.latex.symbols import symbol
from tests.autodiff.test_simplify import VECTORS, vectors
from tests.derivation.reading import Known, Unread, read, words
from tests.derivation.test_index_form import FORMULAS
from tests.problem_files import of
from tests.test_problems import QUESTIONS
from tests.test_problems import traced as traced_problem

_THROUGH = re.compile(r"\\left\.(.*)\\right\|_\{(.*)\}")


def known_of(traced: Trace) -> Known:
    """Names and gradients of a trace."""
    names: dict[str, Any] = {}
    slopes: dict[str, Any] = {}
    for q in traced.quantities.values():
        names[symbol(q.name)] = np.asarray(q.value)
        if q.gradient is not None:
            slopes[symbol(q.name)] = np.asarray(q.gradient)
    return Known(names, slopes, letter=traced.letter)


# Not mathematics that this reader knows: what is put back into a tensor, and stacks with vectors.
NOT_READ = (r"\operatorname{scatter}", r"\operatorname{cumsum}^{\top}\left(𝟏\right)", r"\operatorname{reshape}_{2 \times 2 \times 1}",
            r"\odot \mathbf{v}", r"\odot \det\left(\mathbf{S}\right)")  # fmt: skip


def same_numbers(found: Any, expected: Any, text: str) -> None:
    """A number, a column for a vector, or an array that broadcasts to what is expected."""
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    if found.size == expected.size:
        found = found.reshape(expected.shape)
    whole = np.broadcast_to(found, expected.shape)
    np.testing.assert_allclose(whole, expected, rtol=1e-4, atol=1e-7, err_msg=text)


def check_entries(left: str, right: str, of: Known, known: Known) -> None:
    """An equation of entries at all labels; `of` knows what stands on its left side."""
    below = "".join(re.findall(r"_\{((?:[^{}]|\{[^{}]*\})*)\}", left))
    letters = dict.fromkeys(c for c in words(below) if c in LETTERS and c not in known.names)
    count = 0
    for place in itertools.product(range(1, 5), repeat=len(letters)):
        at = dict(zip(letters, place, strict=True))
        expected, found = read(left, of, at), read(right, known, at)
        if not np.isnan(expected) and not np.isnan(found):  # else a label is too large
            same_numbers(found, expected, f"{left} = {right} at {at}")
            count += 1
    if not count:
        raise AssertionError(f"{left} = {right} is said of no entry")


def labels_of(name: str, known: Known) -> list[str]:
    """The letters below a name that are labels of its entry."""
    below = "".join(re.findall(r"_\{((?:[^{}]|\{[^{}]*\})*)\}", name))
    return [c for c in words(below) if c in LETTERS and c not in known.names]


def check_sides(e: Equation, known: Known) -> None:
    """All sides of an equation between entries are the same number at all labels."""
    letters = labels_of(e.left, known)
    for place in itertools.product(range(1, 5), repeat=len(set(letters))):
        at = dict(zip(dict.fromkeys(letters), place, strict=True))
        first, *others = (read(side, known, at) for side in e.symbols)
        for other in others:
            if not np.isnan(other) and not np.isnan(first):
                same_numbers(other, first, f"{e.symbols} at {at}")


def check_local_entries(branch: Branch, local: Equation, known: Known) -> None:
    """Upstream × local derivative in entries, summed over the gate's entries, is what flows back."""
    found = re.fullmatch(
        r"\\frac\{\\partial (.*)\}\{\\partial (.*?)\}(?:\\right\|_\{\d\})?", local.left
    )
    assert found, local.left
    of, by = found.groups()
    total = np.zeros([n for n in np.shape(branch.value) if n != 1])
    letters = dict.fromkeys([*labels_of(of, known), *labels_of(by, known)])
    most = max((12 if len(letters) <= 3 else 6), *total.shape, min(known.longest, 8))
    for place in itertools.product(range(1, most + 1), repeat=len(letters)):
        at = dict(zip(letters, place, strict=True))
        if any(at[c] > n for c, n in zip(labels_of(by, known), total.shape, strict=True)):
            continue
        upstream = read(rf"\frac{{\partial {known.letter}}}{{\partial {of}}}", known, at)
        if not np.isnan(upstream):  # else a label is too large
            here = tuple(at[c] - 1 for c in labels_of(by, known))
            total[here] += upstream * read(local.symbols[0], known, at)
    same_numbers(total, branch.value, f"{local.left} = {local.symbols[0]}")


def check_row(
    row: Equality, known: Known, arrived: Mapping[str, dict[str, Any]], ratios: Any
) -> None:
    """A row of a step: what it says of an entry, of a local derivative, or of what flows back."""
    left: str = row.equation.left
    is_local = row.label in ("local", "Jacobian")
    through = None if is_local else _THROUGH.fullmatch(left)
    of = known if through is None else replace(known, slopes=arrived[through[2]])
    left = left if through is None else through[1]
    for right in row.equation.symbols:
        if row.label in ("entry", "in entries") or (
            row.label == "by entries" and "partial f" in left
        ):
            check_entries(left, right, of, known)
        elif is_local:
            by = re.fullmatch(r".*\\partial (.*?)\}(?:\\right\|_\{\d\})?", left)
            assert by
            ratios[words(left)] = read(right, known, shape=np.shape(read(by[1], known)))
        elif row.label in ("downstream", "together"):
            expected = read(left, of)
            found = read(right, replace(known, ratios=ratios), shape=np.shape(expected))
            same_numbers(found, expected, f"{left} = {right}")


@pytest.mark.parametrize(("formula", "inputs"), FORMULAS, ids=[f for f, _ in FORMULAS])
def test_every_formula_of_a_derivation_has_its_numbers(
    formula: str, inputs: dict[str, Any]
) -> None:
    check_derivation(trace(formula, inputs))


# What is put back in pieces of pieces: how long a piece is stands nowhere in the formula.
PROBLEMS = [name for name in QUESTIONS if not name.startswith("convolution/")]


@pytest.mark.parametrize("name", [pytest.param(n, marks=of(n.partition("/")[0])) for n in PROBLEMS])
def test_every_formula_of_the_problems_has_its_numbers(name: str) -> None:
    check_derivation(traced_problem(name))


def check_derivation(traced: Trace) -> None:
    """Every row of every step, and every gradient."""
    known = known_of(traced)
    arrived: dict[str, dict[str, Any]] = {}
    shown = {q.name: symbol(q.name, q.node.shape) for q in traced.quantities.values()}
    for q in traced.quantities.values():
        for c in q.contributions:
            gate = shown[c.gate]
            for through in (gate, rf"{gate},\,{c.argument + 1}"):
                arrived.setdefault(through, {})[symbol(q.name)] = c.value
    derivation = derive(traced)
    for step in derivation.backward:
        ratios: dict[tuple[str, ...], Any] = {}
        for branch in step.branches:
            if step.quantity.node.shape and branch.local is not None:
                check_local_entries(branch, branch.local, known)
            if branch.summed is not None:
                check_local_entries(branch, branch.derived[0], known)
            for e in branch.derived:
                check_sides(e, known)
        for row in step.rows:
            if row.label == "local" and step.quantity.node.shape:
                continue
            if not any(part in s for s in row.equation.symbols for part in NOT_READ):
                check_row(row, known, arrived, ratios)
    check_gradients(traced, derivation)


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


def check_gradients(traced: Trace, derivation: Derivation) -> None:
    """The closed form and the entry of each gradient."""
    known = known_of(traced)
    for gradient in derivation.gradients:
        where = [e for e in gradient.where if "=" not in e.left]
        if not np.isfinite(gradient.value).all() or any(r"\text{ " in e.symbols[0] for e in where):
            continue  # where equal numbers share, a bracket is not what it says
        names = {symbol(traced.letter): np.asarray(traced.value), **known.names}
        longest = max((np.shape(x) for x in known.names.values()), key=len, default=())
        left = {re.sub(r"\\mathbf\{([^}]*)\}", r"\1", e.left): e.symbols[0] for e in where}
        while left := {
            n: text for n, text in left.items() if n not in names and "partial" not in n
        }:
            for (
                name,
                text,
            ) in left.items():  # what repeats has a name, and may hold other such names
                with contextlib.suppress(Unread):
                    names[name] = read(text, replace(known, names=names), shape=longest)
            assert names.keys() & left.keys(), left
        if gradient.closed is not None and not any(part in gradient.closed for part in NOT_READ):
            shape = np.shape(gradient.value) or max((np.shape(x) for x in names.values()), key=len)
            found = read(gradient.closed, replace(known, names=names), shape=shape)
            same_numbers(found, gradient.value, f"{gradient.left} = {gradient.closed}")
        if gradient.entry is not None:
            told = replace(known, names=names)
            check_entries(gradient.entry.left, gradient.entry.symbols[0], told, told)


@pytest.mark.parametrize("unfold", [(), ("sigmoid", "tanh", "softplus")])
@settings(max_examples=80)
@given(formula=numbers())
def test_every_closed_form_of_numbers_has_its_number(unfold: tuple[str, ...], formula: str) -> None:
    traced = trace(formula, {"x": 0.7, "w": -1.3, "b": 0.4}, unfold=unfold)
    check_gradients(traced, derive(traced))


@settings(max_examples=40)
@given(formula=vectors())
def test_every_matrix_form_has_its_numbers(formula: str) -> None:
    assume("concatenate" not in formula)  # a piece of I in a piece does not tell its length
    try:
        traced = trace(f"sum({formula})", VECTORS)
    except ReportError:  # a value outside a gate's domain
        assume(False)
    check_gradients(traced, derive(traced))
