"""The legend: every sign that a formula holds is explained, and nothing that only looks like one."""

from __future__ import annotations

import re
from typing import Any

import pytest

import report
from report.derivation import derive
from report.derivation.elements import Derivation

M = [[1.0, -2.0, 0.5], [0.4, 1.2, 3.0]]
S = [[2.0, 0.1], [0.3, 1.0]]
# How a sign looks in LaTeX, and a word of what is said of it.
LOOKS = (
    (r"(?<!\^\{)\\odot", "multiplies entry by entry"),
    (r"\^\{\\odot", "the power of each entry"),
    (r"\^\{\\top\}", "is a row"),
    ("𝟙", "where the condition holds"),
    ("𝟏", "of ones"),
    (r"\\text\{(?:rows|columns)\}", ": one for each "),
    (r"\\operatorname\{reshape\}", "row by row"),
    (r"\\operatorname\{onehot\}", "turns each number"),
    (r"\\mathbf\{[eu]\}_\{\\left\[", "unit vector"),
    (r"\\math(?:bf|bb)\{I\}_\{\d+\}\\right\)_", "these rows of the"),
    (r"_\{\\left\[[^]]*\d:\d+\\right", "The slice"),
    (r"\\operatorname\{scatter\}", "puts entries back"),
    (r"\\operatorname\{softplus\}", "has the slope"),
    (r"\\(?:Phi|varphi)\\left", "standard normal"),
    (r"\\delta_", r"is 1 where $i = j$"),
    (r"\\left\.", "is the part of"),
)


def derived(function: str, **inputs: Any) -> Derivation:
    return derive(report.trace(function, inputs))


def formulas(d: Derivation) -> str:
    rows = [row.equation for step in d.backward for row in step.rows]
    rows += [e for g in d.gradients for e in (*g.where, *g.here, *([g.entry] if g.entry else []))]
    sides = [side for e in rows for side in (e.left, *e.symbols, *e.numbers)]
    return "\n".join(
        [*(s.definition for s in d.backward), *sides, *(g.closed or "" for g in d.gradients)]
    )


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        ("sum(sigmoid(M @ x)**2)", {"M": M, "x": [0.1, 0.2, 0.3]}),
        ("sum(std(M, axis=0)) + sum(prod(M, axis=1))", {"M": M}),
        ("sum(max(M, axis=0)) + sum(M[0, 1:])", {"M": M}),
        ("sum(M[k]**2) + M[1, 2]", {"M": M, "k": [0, 1]}),
        ("sum(reshape(M, (3, 2)) @ S)", {"M": M, "S": S}),
        ("sum(softplus(x)) + sum(gelu(x))", {"x": [0.1, 0.2]}),
        ("x * x + sin(x) * exp(x)", {"x": 0.4}),
        ("-log(softmax(z)[1])", {"z": [0.1, 0.2, 0.4]}),
        ("sum(S * S) + trace(S @ S)", {"S": S}),
        ("sum(z[1:]**2) * e", {"z": [0.1, 0.2, 0.4], "e": 2.0}),
        ("sum(softmax(delta * z)[1:])", {"z": [0.1, 0.2, 0.4], "delta": 2.0}),
    ],
)
def test_every_sign_is_explained_and_no_other(function: str, inputs: dict[str, Any]) -> None:
    found = derived(function, **inputs)
    text, said = formulas(found), " ".join(found.legend)
    for sign, words in LOOKS:
        assert bool(re.search(sign, text)) == (words in said), words


def test_a_name_that_looks_like_a_sign_is_not_explained() -> None:
    said = " ".join(
        derived("Phi * (a + b) + delta_t * a", Phi=2.0, a=1.0, b=3.0, delta_t=0.5).legend
    )
    assert "normal" not in said
    assert "i = j" not in said


def test_what_gives_way_is_explained_as_it_stands() -> None:
    said = " ".join(derived("sum(z[1]**2) * e", z=[0.1, 0.2, 0.4] * 3, e=2.0).legend)
    assert r"$\mathbf{u}_{\left[i\right]}$ is the unit vector" in said
