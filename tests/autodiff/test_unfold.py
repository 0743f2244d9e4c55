"""Folded or unfolded, a gate gives the same value and the same gradient, on a kink too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import report
from report.autodiff.gates import GATES
from report.autodiff.gates.definitions import unfoldable

POSITIVE = [0.2, 0.7, 0.4]
MIXED = [0.3, -1.2, 0.8]
W = [0.9, 0.25, 0.6]
X = [[1.0, 2.0, 0.5], [0.1, -1.0, 3.0]]
T = [[[0.5, 1.0], [2.0, -1.0]], [[1.5, 0.2], [0.3, 0.7]]]
V = [0.4, -0.3]
S = [[3.0, 0.5], [-0.25, 2.0]]
ONE_HOT = [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]

# One line or more for each gate with a definition: a formula over x and other inputs.
CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("subtract", "sum((x - w)**2)", {"x": MIXED, "w": W}),
    ("divide", "sum(x / w)", {"x": MIXED, "w": W}),
    ("square", "sum(x**2 * w)", {"x": MIXED, "w": W}),
    ("reciprocal", "sum(1 / x * w)", {"x": MIXED, "w": W}),
    ("sqrt", "sum(sqrt(x) * w)", {"x": POSITIVE, "w": W}),
    ("leaky_relu", "sum(leaky_relu(x, slope=0.2) * w)", {"x": MIXED, "w": W}),
    ("prelu", "sum(prelu(x, a) * w)", {"x": MIXED, "a": 0.3, "w": W}),
    ("elu", "sum(elu(x, alpha=0.5) * w)", {"x": MIXED, "w": W}),
    ("clip", "sum(clip(x, -1, 0.5) * w)", {"x": MIXED, "w": W}),
    ("softmax", "sum(softmax(x)**2)", {"x": X}),
    ("softmax", "sum(softmax(x, axis=0)**2)", {"x": X}),
    ("softmax", "sum(softmax(x, axis=1)**2)", {"x": T}),
    ("log_softmax", "sum(log_softmax(x)**2)", {"x": X}),
    ("log_softmax", "sum(log_softmax(x, axis=0)**2)", {"x": X}),
    ("logsumexp", "logsumexp(x)**2", {"x": X}),
    ("logsumexp", "sum(logsumexp(x, axis=0)**3)", {"x": X}),
    ("logsumexp", "sum(x * logsumexp(x, axis=1, keepdims=True))", {"x": X}),
    ("dot", "dot(x, w)**2", {"x": MIXED, "w": W}),
    ("outer", "sum(outer(x, v)**2)", {"x": MIXED, "v": V}),
    ("solve", "sum(solve(x, v)**2)", {"x": S, "v": V}),
    ("solve", "sum(solve(S, x)**2)", {"x": [[1.0, 2.0], [0.5, 0.1]], "S": S}),
    ("trace", "trace(x)**2", {"x": S}),
    ("logdet", "logdet(x)**2", {"x": S}),
    ("norm", "norm(x)", {"x": X}),
    ("norm", "norm(x)**2", {"x": MIXED}),
    ("norm", "sum(norm(x, axis=1)**3)", {"x": X}),
    ("norm", "norm(x, 1)**2", {"x": MIXED}),
    ("norm", "sum(norm(x, 1, axis=0, keepdims=True) * x)", {"x": X}),
    ("mean", "mean(x)**2", {"x": X}),
    ("mean", "sum(mean(x, axis=1)**2)", {"x": X}),
    ("var", "var(x)**2", {"x": X}),
    ("var", "sum(var(x, axis=0)**2)", {"x": X}),
    ("var", "sum(var(x, axis=1, ddof=1, keepdims=True) * x)", {"x": X}),
    ("std", "std(x, ddof=1)", {"x": MIXED}),
    ("std", "sum(std(x, axis=(0, 2))**2)", {"x": T}),
    ("mse", "mse(x, w)", {"x": MIXED, "w": W}),
    ("l1", "l1(x, w)", {"x": MIXED, "w": W}),
    ("huber", "huber(x, w)", {"x": MIXED, "w": W}),
    ("huber", "huber(x, y, delta=0.5)", {"x": X, "y": ONE_HOT}),
    ("hinge", "hinge(x, t)", {"x": MIXED, "t": [1, 1, -1]}),
    ("binary_cross_entropy", "binary_cross_entropy(x, y)", {"x": POSITIVE, "y": [0, 1, 1]}),
    (
        "binary_cross_entropy_with_logits",
        "binary_cross_entropy_with_logits(x, y)",
        {"x": MIXED, "y": [0, 1, 1]},
    ),
    ("cross_entropy", "cross_entropy(x, 2)", {"x": MIXED}),
    ("cross_entropy", "cross_entropy(x, k)", {"x": MIXED, "k": 1}),
    ("cross_entropy", "cross_entropy(x, k)", {"x": X, "k": [2, 0]}),
    ("cross_entropy", "cross_entropy(x, k)", {"x": T, "k": [[1, 0], [0, 0]]}),
    ("cross_entropy", "cross_entropy(x @ M, k)", {"x": X, "M": [MIXED, W, POSITIVE], "k": [2, 0]}),
    ("cross_entropy", "cross_entropy(x, y)", {"x": MIXED, "y": [0, 0, 1]}),
    ("cross_entropy", "cross_entropy(x, y)", {"x": X, "y": ONE_HOT}),
    ("cross_entropy", "cross_entropy(x, y)", {"x": [MIXED], "y": [[0.2, 0.3, 0.5]]}),
    ("kl_div", "kl_div(x, w)", {"x": POSITIVE, "w": W}),
    ("gelu", 'sum(gelu(x, approximate="tanh") * w)', {"x": MIXED, "w": W}),
    ("hardtanh", "sum(hardtanh(x) * w)", {"x": MIXED, "w": W}),
    ("softsign", "sum(softsign(x) * w)", {"x": MIXED, "w": W}),
    ("mish", "sum(mish(x) * w)", {"x": MIXED, "w": W}),
    ("rsqrt", "sum(rsqrt(x) * w)", {"x": POSITIVE, "w": W}),
    ("log2", "sum(log2(x) * w)", {"x": POSITIVE, "w": W}),
    ("log10", "sum(log10(x) * w)", {"x": POSITIVE, "w": W}),
    ("cross_entropy", "cross_entropy(x, k, label_smoothing=0.1)", {"x": X, "k": [2, 0]}),
    ("conv1d", "sum(conv1d(x, w, stride=2)**2)", {"x": [1.0, -2.0, 0.5, 3.0, 1.5], "w": W}),
    ("conv2d", "sum(conv2d(x, S, padding=1)**2)", {"x": X, "S": S}),
    ("conv_transpose1d", "sum(conv_transpose1d(x, w, stride=2)**2)", {"x": V, "w": W}),
    ("conv_transpose2d", "sum(conv_transpose2d(x, S)**2)", {"x": X, "S": S}),
    ("max_pool1d", "sum(max_pool1d(x)**2)", {"x": X}),
    ("max_pool2d", "sum(max_pool2d(x, size=2, stride=1)**2)", {"x": X}),
    ("avg_pool1d", "sum(avg_pool1d(x)**2)", {"x": X}),
    ("avg_pool2d", "sum(avg_pool2d(x, size=(1, 2))**2)", {"x": X}),
    ("normalize", "sum(normalize(x) * w)", {"x": X, "w": W}),
    ("cosine_similarity", "cosine_similarity(x, w)", {"x": MIXED, "w": W}),
    ("rms_norm", "sum(rms_norm(x, w)**3)", {"x": X, "w": W}),
    ("layer_norm", "sum(layer_norm(x, w)**3)", {"x": X, "w": W}),
    ("batch_norm", "sum(batch_norm(x, w)**3)", {"x": [*X, MIXED], "w": W}),
    ("group_norm", "sum(group_norm(x, groups=2)**3)", {"x": T}),
    ("scaled_dot_product_attention", "sum(attention(x, K, K, is_causal=True)**2)", {"x": X, "K": [W, MIXED]}),
    ("tril", "sum(tril(x)**2)", {"x": X}),
    ("triu", "sum(triu(x, k=1)**2)", {"x": X}),
    ("gather", "sum(gather(x, k, axis=1)**2)", {"x": X, "k": [[2, 0], [1, 1]]}),
    ("cumprod", "sum(cumprod(x, axis=1)**2)", {"x": X}),
    ("flip", "sum(flip(x, axis=1) * x)", {"x": X}),
    ("roll", "sum(roll(x) * w)", {"x": MIXED, "w": W}),
    ("swapaxes", "sum(swapaxes(x) @ x)", {"x": X}),
    ("squeeze", "sum(squeeze(x)**2)", {"x": [MIXED]}),
    ("expand_dims", "sum(expand_dims(x, axis=1) * w)", {"x": MIXED, "w": W}),
    ("masked_fill", "sum(masked_fill(x, m, value=2)**2)", {"x": MIXED, "m": [1, 0, 0]}),
    ("focal", "focal(x, y)", {"x": MIXED, "y": [0, 1, 1]}),
    ("dice", "dice(x, y)", {"x": POSITIVE, "y": [0, 1, 1]}),
    ("triplet_margin", "triplet_margin(x, w, p)", {"x": MIXED, "w": W, "p": POSITIVE}),
    *(
        (name, f"sum({name}(x) * w)", {"x": x, "w": W})
        for name in (
            "log1p", "expm1", "tan", "sinh", "cosh", "tanh", "radians", "degrees", "sigmoid", "log_sigmoid",
            "softplus", "relu", "swish", "gelu", "softmax", "log_softmax",
        )
        for x in (POSITIVE, [0.3, -0.9, 0.8])
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "formula", "inputs"), CASES)
def test_same_value_and_gradient(name: str, formula: str, inputs: dict[str, Any]) -> None:
    folded = report.trace(formula, inputs, ["x"])
    unfolded = report.trace(formula, inputs, ["x"], unfold=[name])
    gates = {name, *(n for n, gate in GATES.items() if gate.family == name)}
    assert any(q.node.gate.name in gates for q in folded.gates)
    assert not any(q.node.gate.name in gates for q in unfolded.gates)
    assert len(unfolded.gates) >= len(folded.gates)
    assert unfolded.value == pytest.approx(folded.value, rel=1e-12)
    np.testing.assert_allclose(
        unfolded.gradients["x"], folded.gradients["x"], rtol=1e-11, atol=1e-14
    )


def test_every_definition_has_a_case() -> None:
    assert {name for name, _, _ in CASES} == set(unfoldable())


KINKS = [
    ("relu", "relu(x)", {"x": 0}),
    ("leaky_relu", "leaky_relu(x)", {"x": 0}),
    ("prelu", "prelu(x, a)", {"x": 0, "a": 0.3}),
    ("elu", "elu(x, alpha=0.5)", {"x": 0}),
    ("l1", "l1(x, y)", {"x": [1, 2], "y": [1, 4]}),
    ("hinge", "hinge(x, y)", {"x": [1, 0], "y": [1, 1]}),
    ("norm", "norm(x, 1)", {"x": [0, 3]}),
]


@pytest.mark.parametrize(("name", "formula", "inputs"), KINKS)
def test_same_convention_on_a_kink(name: str, formula: str, inputs: dict[str, Any]) -> None:
    folded = report.trace(formula, inputs)
    unfolded = report.trace(formula, inputs, unfold=[name])
    for asked, gradient in folded.gradients.items():
        np.testing.assert_array_equal(unfolded.gradients[asked], gradient)


def test_the_sigmoid_is_four_elementary_gates() -> None:
    trace = report.trace("sigmoid(w*x + b)", {"w": 0.5, "x": 2, "b": -3}, unfold=["sigmoid"])
    assert [q.node.gate.name for q in trace.gates] == [
        "multiply", "add", "negative", "exp", "add", "reciprocal",
    ]  # fmt: skip


def test_what_a_definition_uses_twice_is_computed_once() -> None:
    trace = report.trace("sum(softmax(x)**2)", {"x": MIXED}, unfold=["softmax"])
    gates = [q.node.gate.name for q in trace.gates]
    assert gates == ["exp", "sum", "divide", "square", "sum"]


def test_unfolding_goes_on_inside_what_was_unfolded() -> None:
    names = ["cross_entropy", "log_softmax", "mean"]
    trace = report.trace("cross_entropy(Z, k)", {"Z": X, "k": [2, 0]}, unfold=names)
    gates = {q.node.gate.name for q in trace.gates}
    assert gates == {"exp", "sum", "log", "subtract", "one_hot", "multiply", "divide", "negative"}


def test_the_softmax_cross_entropy_gradient_is_what_it_says_less_what_is_true() -> None:
    trace = report.trace(
        "cross_entropy(Z, k)", {"Z": X, "k": [2, 0]}, unfold=["cross_entropy", "log_softmax"]
    )
    e = np.exp(X)
    p = e / e.sum(axis=1, keepdims=True)
    p[[0, 1], [2, 0]] -= 1
    np.testing.assert_allclose(trace.gradients["Z"], p / 2, rtol=1e-12)


@pytest.mark.parametrize(
    ("unfold", "message"),
    [
        (["sin"], "'sin' is elementary here"),
        (["matmul"], "'matmul' is elementary here|'matmul' is no gate"),
        (["sigmoyd"], "did you mean sigmoid"),
        (["nothing at all"], "these can be unfolded: subtract, divide"),
        (["cross_entropy_one_hot"], "did you mean cross_entropy"),
        ("sigmoid", "a list of gates"),
        (3, "a list of gates"),
        ([["sigmoid"]], "is no gate; these can be unfolded"),
    ],
)
def test_only_composite_gates_unfold(unfold: Any, message: str) -> None:
    with pytest.raises(report.ReportError, match=message):
        report.trace("sin(x)", {"x": 1}, unfold=unfold)


def test_an_alias_unfolds_too() -> None:
    trace = report.trace("silu(x)", {"x": 1}, unfold=["silu"])
    assert [q.node.gate.name for q in trace.gates] == ["sigmoid", "multiply"]
