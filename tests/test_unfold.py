"""Folded or unfolded, a gate gives the same value and the same gradient."""

import numpy as np
import pytest

import report
from report.gates import GATES
from report.gates.definitions import DEFINITIONS

POSITIVE = [0.2, 0.7, 0.4]
MIXED = [0.3, -1.2, 0.8]
SECOND = [0.9, 0.25, 0.6]
CALLS = {
    name: f"sum({name}(x) * w)"
    for name, (arguments, _) in DEFINITIONS.items()
    if len(arguments) == 1
}
CALLS |= {
    name: f"{name}(x, w)" for name, (arguments, _) in DEFINITIONS.items() if len(arguments) == 2
}
CALLS |= {
    "square": "sum(x**2 * w)",
    "reciprocal": "sum(1 / x * w)",
    "squared_norm": "norm(x)**2 * sum(w)",
    "dot": "dot(x, w)",
}


@pytest.mark.parametrize("name", DEFINITIONS)
@pytest.mark.parametrize("x", [POSITIVE, MIXED])
def test_same_value_and_gradient(name, x):
    if name in ("kl_div", "binary_cross_entropy") and min(x) < 0:
        x = POSITIVE
    inputs = {"x": x, "w": SECOND}
    folded = report.trace(CALLS[name], inputs, ["x"])
    unfolded = report.trace(CALLS[name], inputs, ["x"], unfold=[name])
    assert any(q.node.gate.name == name for q in folded.gates)
    assert not any(q.node.gate.name == name for q in unfolded.gates)
    assert len(unfolded.gates) >= len(folded.gates)
    assert unfolded.value == pytest.approx(folded.value, rel=1e-12)
    np.testing.assert_allclose(
        unfolded.gradients["x"], folded.gradients["x"], rtol=1e-11, atol=1e-14
    )


def test_the_sigmoid_is_four_elementary_gates():
    trace = report.trace("sigmoid(w*x + b)", {"w": 0.5, "x": 2, "b": -3}, unfold=["sigmoid"])
    assert [q.node.gate.name for q in trace.gates] == [
        "multiply", "add", "negative", "exp", "add", "reciprocal",
    ]  # fmt: skip


def test_options_of_the_gate_are_kept():
    X = [[1.0, 2.0, 0.5], [0.1, -1.0, 3.0]]
    for formula in (
        "sum(softmax(X, axis=1)**2)",
        "sum(var(X, axis=0)**2)",
        "sum(mean(X, axis=1)**2)",
        "sum(logsumexp(X, axis=0)**3)",
    ):
        name = formula[4:].split("(")[0]
        folded = report.trace(formula, {"X": X})
        unfolded = report.trace(formula, {"X": X}, unfold=[name])
        np.testing.assert_allclose(unfolded.gradients["X"], folded.gradients["X"], rtol=1e-11)


@pytest.mark.parametrize("unfold", [["sin"], ["nothing"], "sigmoid", 3, [["sigmoid"]]])
def test_only_composite_gates_unfold(unfold):
    with pytest.raises(report.ReportError, match="unfold"):
        report.trace("sin(x)", {"x": 1}, unfold=unfold)


def test_definitions_are_of_gates():
    assert set(DEFINITIONS) <= set(GATES)
