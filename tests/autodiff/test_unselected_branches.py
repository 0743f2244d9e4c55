"""Branches of `where` outside a gate's domain: harmless where they are not chosen, an error where they are."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from report import ReportError, build, trace
from report.autodiff.unselected_branches import REMEDY

NAN = float("nan")


@pytest.mark.parametrize(
    ("formula", "inputs", "value", "slope"),
    [
        ("sum(where(x > 0, log(x), x))", {"x": [1, -2, 4]}, math.log(4) - 2, [1, 1, 0.25]),
        ("sum(where(x > 0, sqrt(x), 0))", {"x": [4, -2, 1]}, 3, [0.25, 0, 0.5]),
        ("sum(where(x > 0, (x - 3)**0.5, -x))", {"x": [4, -1]}, 2, [0.5, -1]),
        ("where(x != 0, sin(x)/x, 1)", {"x": 0}, 1, 0),
        ("sum(where(x > 0, 1/x, 0))", {"x": [1, 0, 2]}, 1.5, [-1, 0, -0.25]),
        ("sum(where(x > 0, x, exp(x) - 1))", {"x": [1000, 0]}, 1000, [1, 1]),
        ("sum(where(x > 0, where(x > 1, log(x - 1), x), 7))", {"x": [0.5, -2, 3]}, 7.5 + math.log(2), [1, 0, 0.5]),
        ("a = log(x)\nsum(where(x > 0, a * y, x))", {"x": [2, -1], "y": [[1], [3]]}, 4 * math.log(2) - 2, [2, 2]),
        ("where(m, x / y, x)", {"m": 0, "x": 3, "y": 0}, 3, 1),
        ("where(x > 0, log(x), sum(v))", {"x": -1, "v": [1, 2]}, 3, 0),
    ],
)  # fmt: skip
def test_what_is_not_chosen_does_no_harm(
    formula: str, inputs: dict[str, Any], value: float, slope: Any
) -> None:
    t = trace(formula, inputs)
    np.testing.assert_allclose(t.value, value, rtol=1e-14)
    np.testing.assert_allclose(t.gradients["x"], slope, rtol=1e-14)
    assert all(np.isfinite(g).all() for g in t.gradients.values())
    assert t.unchosen


@pytest.mark.parametrize(
    "formula",
    [
        "sum(where(x < 0, log(x), 0))",
        "sum(where(x > 0, log(x), 0)) + log(x[1])",
        "sum(where(log(x) > 0, x, 0))",
        "sum(where(x > 0, softmax(log(x)), 0))",
        "a = log(x)\nsum(where(x > 0, a, 0)) + sum(a) * 0",
        "sum(where(x > 0, where(x < 1, x, log(x)), log(x)))",
        "where(x[0] > 0, x[0], inv(A)[0, 0]) + logdet(A)",
    ],
)
def test_what_is_used_has_to_be_inside_the_domain(formula: str) -> None:
    with pytest.raises(ReportError, match="outside its domain"):
        trace(formula, {"x": [1, -2], "A": [[0, 0], [0, 0]]})


def test_a_lost_value_is_null() -> None:
    t = trace("sum(where(x > 0, log(x), x))", {"x": [1, -2]})
    log = next(q for q in t.gates if q.node.gate.name == "log")
    np.testing.assert_array_equal(log.value, [0, NAN])
    np.testing.assert_array_equal(log.gradient, [1, 0])
    written = {gate["gate"]: gate["value"] for gate in json.loads(t.to_json())["gates"]}
    assert written == {"greater": [1.0, 0.0], "log": [0.0, None], "where": [0.0, -2.0], "sum": -2.0}


def test_a_report_refuses_it_and_its_advice_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    homework = 'title = "T"\n[[question]]\nfunction = "{}"\ninputs = {{x = -2}}\n'
    Path("hw.toml").write_text(homework.format("where(x > 0, log(x), 0)"))
    with pytest.raises(ReportError) as raised:
        build("hw.toml", "out.pdf")
    assert "log) is outside its domain at x = -2" in str(raised.value)
    assert str(raised.value).endswith(REMEDY)
    assert not Path("out.pdf").exists()
    advice = REMEDY.rpartition("as in ")[2]
    for x, slope in ((2.0, 0.5), (-2.0, 0.0)):
        t = trace(advice, {"x": x})
        assert not t.unchosen
        assert t.gradients["x"] == slope
