"""The trace as JSON: snapshots, and what its readers may rely on."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from report import trace
from tests.autodiff.test_backprop import Q1, Q1_DEGREES, Q1_INPUTS, Q2, Q2_INPUTS

TRACES: dict[str, tuple[str, dict[str, Any], list[str] | None]] = {
    "homework1-q1": (Q1, Q1_INPUTS, ["w1", "w2"]),
    "homework1-q1-degrees": (Q1_DEGREES, Q1_INPUTS, None),
    "homework1-q2": (Q2, Q2_INPUTS, ["W"]),
    "named": ("z = w*x + b\nh = tanh(z)\n(h - 1)**2", {"w": 0.5, "x": 2, "b": -0.1}, None),
    "used-many-times": ("x*x*x + x", {"x": 1.5}, None),
    "broadcasting": ("mean((X @ w + b - y)**2)", {
        "X": [[1, 2], [3, 4], [5, 6]], "w": [0.5, -0.5], "b": 0.1, "y": [1, 0, 1],
    }, ["w", "b"]),
    "indexed": ("sum(E[i]**2) + E[0, 1] * sum(concatenate([E[:, 1], E[::-1, 0]])[1:])", {
        "E": [[0.5, 1], [2, -1], [3, 4]], "i": [0, 2, 2],
    }, None),
    "cross-entropy": ("z = X @ W\ncross_entropy(z, labels)", {
        "X": [[1, 2], [3, -1]], "W": [[0.1, 0.2, 0.3], [-0.3, 0.2, 0]], "labels": [2, 0],
    }, ["W"]),
    "choice": ("where((x > 0) & (x < 1), leaky_relu(x, slope=0.2), maximum(x, y))", {"x": 0.5, "y": 2}, None),
    "constant": ("pi", {"x": 1}, None),
    "not-asked": ("x**n", {"x": -2, "n": 3}, ["x"]),
}  # fmt: skip


def rounded(value: Any) -> Any:
    """Numbers to 12 digits, so that a snapshot holds on every machine."""
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return {k: rounded(v) for k, v in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("name", TRACES)
def test_trace(name: str, snapshot: SnapshotAssertion) -> None:
    function, inputs, wrt = TRACES[name]
    read = json.loads(trace(function, inputs, wrt).to_json())
    assert rounded(read) == snapshot(extension_class=JSONSnapshotExtension)


@pytest.mark.parametrize("name", TRACES)
def test_json_gives_every_number_back(name: str) -> None:
    t = trace(*TRACES[name])
    read = json.loads(t.to_json())
    assert (read["format"], read["version"]) == ("report-trace", 2)
    assert read["value"] == t.value
    for quantity, written in zip(
        (*t.inputs, *t.gates), read["inputs"] + read["gates"], strict=True
    ):
        assert np.shape(written["value"]) == tuple(written["shape"])
        np.testing.assert_array_equal(written["value"], quantity.value)
        if quantity.gradient is None:
            assert written["gradient"] is None
        else:
            np.testing.assert_array_equal(written["gradient"], quantity.gradient)


def test_json_is_the_same_every_time() -> None:
    assert trace(*TRACES["broadcasting"]).to_json() == trace(*TRACES["broadcasting"]).to_json()


@pytest.mark.parametrize(
    ("function", "letter"),
    [
        ("x * y", "f"),
        ("h = x * y\nsin(h)", "f"),
        ("h = x * y\nL = sin(h)", "L"),  # the last line has a name
        ("loss = x * y", "loss"),
        ("f = x * y\nsin(f)", "F"),  # f is a step
        ("x", "f"),
    ],
)
def test_the_function_is_called_as_its_last_line(function: str, letter: str) -> None:
    assert trace(function, inputs={"x": 2.0, "y": 3.0}).letter == letter


def test_what_is_needed_leads_to_what_is_asked_for() -> None:
    t = trace("u = sin(x)\nv = cos(w)\nk = w > 0\nwhere(k, u * v, u)", {"x": 1.0, "w": 2.0}, ["w"])
    assert {t.name_of(n) for n in t.needed} == {"w", "v", "q4", "q5"}
    whole = trace("x * w", {"x": 1.0, "w": 2.0})
    assert {whole.name_of(n) for n in whole.needed} == {"x", "w", "q1"}
