"""Conditions on a variant: what they mean, what saturated means, and that nothing else is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import report
from report import ReportError
from report.homework.conditions import read_condition, saturated

TRACES = {
    # q1 = x*w = 6, f = q1**2 = 36; df/dx = 2*6*3 = 36, df/dw = 24
    "q1": report.trace("(x*w)**2", {"x": 2, "w": 3}),
    # z = W @ v = [5, 11], f = 16; df/dW = [[1, 2], [1, 2]], df/dv = [4, 6]
    "q2": report.trace("z = W @ v\nsum(z)", {"W": [[1, 2], [3, 4]], "v": [1, 2]}),
}


def holds(text: str, questions: tuple[str, ...] = ("q1", "q2")) -> bool:
    (condition,) = read_condition(text, questions, "here")
    return condition.holds(TRACES)


@pytest.mark.parametrize(
    "text",
    [
        "q1.f == 36", "q1.x < q1.w", "q1.q1 == 6", "q1.d.x == 36", "q1.d.w == 24", "q1.d.q1 == 12",
        "abs(q1.f) < 40", "abs(-q1.f) == q1.f", "-q1.f < 0 < +q1.f <= 36 != 35", "q1.f % 5 == 1",
        "q1.x ** 10 == 1024", "q1.f / 0 > 1e200", "q1.f - 30 + 1 == 7 and q1.f * 2 > 71",
        "not (q1.f < 0 or q1.f > 100)", "q1.f < 0 or q1.f > 0", "not q1.saturated",
        "q2.f == 16", "q2.z[0] == 5", "q2.z[1] == 11", "q2.W[1, 0] == 3", "q2.d.W[0, 1] == 2",
        "min(q2.z) == 5", "max(q2.z) == 11", "sum(q2.W) == 10", "max(q2.z, q2.W, 12) == 12",
        "all(q2.W > 0)", "any(q2.W > 3)", "not all(q2.W > 3)", "all(abs(q2.d.v) >= 4)",
        "all(q2.z == 5) or q2.f > 1", "q1.f > q2.f", "all(q2.W < q1.f)",
    ],
)  # fmt: skip
def test_what_a_condition_means(text: str) -> None:
    assert holds(text)
    assert not holds(f"not ({text})")


def test_a_condition_that_names_no_question_holds_for_each() -> None:
    found = read_condition("f > 20", ("q1", "q2"), "here")
    assert [c.questions for c in found] == [("q1",), ("q2",)]
    assert [c.holds(TRACES) for c in found] == [True, False]
    (joint,) = read_condition("q2.f < q1.f", ("q1", "q2"), "here")
    assert joint.questions == ("q2", "q1")


def test_a_gate_may_be_called_as_a_question() -> None:
    assert holds("q1 == 6 and q1.f == 36", ("q1",))


@pytest.mark.parametrize(
    ("function", "inputs", "expected"),
    [
        ("sigmoid(x)", {"x": 4}, False),  # the slope is 0.018
        ("sigmoid(x)", {"x": 5}, True),  # 0.0066
        ("tanh(x)", {"x": 2.9}, False),  # 0.0121
        ("tanh(x)", {"x": -3.1}, True),  # 0.0081
        ("sum(sigmoid(x))", {"x": [0, 7]}, True),
        ("erf(x)", {"x": 3}, True),
        ("arctan(x)", {"x": 20}, True),
        ("relu(x) + x", {"x": -1}, True),
        ("sum(relu(x))", {"x": [-1, 2]}, False),
        ("sum(relu(x))", {"x": [-1, -2]}, True),
        ("elu(x)", {"x": -3}, False),
        ("elu(x)", {"x": -6}, True),
        ("softplus(x)", {"x": -5}, True),
        ("leaky_relu(x)", {"x": -5}, False),
        ("softmax(x) @ x", {"x": [1, 2]}, False),
        ("softmax(x) @ x", {"x": [1, 9]}, True),
        ("softmax(x) @ x", {"x": [1.0] * 200}, False),
        ("exp(-x)", {"x": 30}, False),
    ],
)
def test_saturated_means_that_a_gate_lets_next_to_nothing_through(
    function: str, inputs: dict[str, Any], expected: bool
) -> None:
    assert saturated(report.trace(function, inputs)) is expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a condition is text"),
        ("   ", "a condition is text"),
        (3, "a condition is text"),
        ("f <", "is no condition"),
        ("f < 1; f", "is no condition"),
        ("x = 1", "is no condition"),
        ("f < 1e999", "number that is too large"),
        ("f < " + "9" * 400, "number that is too large"),
        ("f < 'a'", "is no number"),
        ("True", "is no number"),
        ("f < 1j", "is no number"),
        ("f in [1]", "is not possible in a condition"),
        ("f is 1", "is not possible in a condition"),
        ("[f]", "is not possible in a condition"),
        ("f < 1 if f else 2", "is not possible in a condition"),
        ("lambda: 1", "is not possible in a condition"),
        ("(y := 1) < 2", "is not possible in a condition"),
        ("f // 2 == 1", "is not possible in a condition"),
        ("f @ f == 1", "is not possible in a condition"),
        ("~f < 1", "is not possible in a condition"),
        ("open('x') < 1", "there are: abs, min, max, sum, all, any"),
        ("__import__('os').system('touch canary')", "is not possible; there are"),
        ("f.__class__ < 1", "names no question that it can: f"),
        ("().__class__", "is no name of a value"),
        ("abs(f).real < 1", "is no name of a value"),
        ("abs(f, f) < 1", "abs takes one value"),
        ("min() < 1", "min takes one value"),
        ("abs(x=f) < 1", "there are: abs"),
        ("abs(*f) < 1", "is not possible"),
        ("W[0:1] < 1", "an entry is written W[0, 1]"),
        ("W[x] < 1", "an entry is written W[0, 1]"),
        ("W[True] < 1", "an entry is written W[0, 1]"),
        ("W[-1] < 1", "an entry is written W[0, 1]"),
        ("(f)(f) < 1", "there are: abs"),
        ("q1.f < x", "does not say of which question x is; write q1.x"),
        ("q3.f < 1", "names no question that it can: q3; did you mean q"),
        ("not " * 120 + "f", "nests too deeply"),
        ("(" * 400 + "f", "is no condition"),
        ("f + " * 200 + "f < 1", "805 characters; 500 are possible"),
        ("f < 1\x00", "is no condition"),
    ],
    ids=range(40),
)
def test_what_is_no_condition_is_refused(
    text: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReportError, match=r"^here: ") as caught:
        read_condition(text, ("q1", "q2"), "here")
    assert words in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("q1.y < 1", "names y, which is no input or gate; there are: f, x, w"),
        ("q2.zz < 1", "names zz"),
        ("q1.d.y < 1", "names y"),
        ("q1.d < 1", "names d"),
        ("q1.x.y < 1", "names q1.x.y; write q1.f"),
        ("q1.f", "is a number"),
        ("q2.W > 1", "use all(...)"),
        ("not q2.W > 1", "needs all(...) or any(...) round q2.W > 1"),
        ("not q1.f", "as true or false; compare it with a number"),
        ("all(q2.W)", "compare it with a number"),
        ("(q1.f < 1) + 1 > 1", "as a number, and it is true or false"),
        ("q1.saturated < 1", "as a number"),
        ("q2.z[2] > 1", "asks for q2.z[2], and the shape is (2,)"),
        ("q2.W[0] > 1", "the shape is (2, 2)"),
        ("q1.f[0] > 1", "the shape is ()"),
        ("all(q2.W + q2.z[0] > q2.z) and all(q2.W > max(q2.z) * q2.v * q2.d.W[0,0] ** q2.f)", ""),
    ],
    ids=range(16),
)
def test_what_a_question_does_not_have_is_named(text: str, words: str) -> None:
    (condition,) = read_condition(text, ("q1", "q2"), "here")
    if not words:
        assert condition.holds(TRACES) in (True, False)
        return
    with pytest.raises(ReportError) as caught:
        condition.holds(TRACES)
    assert str(caught.value).startswith("the condition ")
    assert words in str(caught.value)


def test_shapes_that_do_not_fit_are_named() -> None:
    traces = {"q1": report.trace("sum(x) + sum(y)", {"x": [1, 2], "y": [1, 2, 3]})}
    (condition,) = read_condition("all(x < y)", ("q1",), "here")
    with pytest.raises(ReportError, match=r"puts shape \(2,\) and \(3,\) together"):
        condition.holds(traces)


def test_a_gradient_that_does_not_exist_is_named() -> None:
    traces = {"q1": report.trace("x[i]", {"x": [1, 2], "i": 1})}
    (condition,) = read_condition("d.i < 1", ("q1",), "here")
    with pytest.raises(ReportError, match="gradient of i, which has none"):
        condition.holds(traces)
