"""Jacobians and forward mode: textbook ones, differences, and the backward pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from report import ReportError, pipeline, trace
from report.autodiff.jacobian import forward_mode, jacobian, part_error
from report.cli import main as cli
from report.derivation.any_entry import at_entry, of_any_entry
from report.homework.homework import read_homework
from report.homework.traces import traces_of
from report.readback import read_back

X = [0.3, -1.2, 0.8]
GATES: list[tuple[str, dict[str, Any]]] = [
    ("sum(softmax(x) * y)", {"x": X, "y": [1.0, 2.0, 3.0]}),
    ("norm(W @ x - b)**2 / 2", {"W": [[1, 2, 0], [0.5, 1, -1]], "x": X, "b": [1, 0]}),
    ("sum(conv1d(x, k)**2)", {"x": [1.0, 2, -1, 0.5], "k": [0.5, -0.3]}),
    ("log(det(A)) + trace(inv(A))", {"A": [[2.0, 0.3], [0.1, 1.5]]}),
    ("sum((X + b[:, None])**2 * max(X, 1)[:, None])", {"X": [[1, 2], [4, 3]], "b": [1, -1]}),
    ("cross_entropy(Z, y)", {"Z": [[0.1, 0.5, -0.3], [1.0, 0.2, 0.7]], "y": [2, 0]}),
    ("(x*y + sin(x))**y", {"x": 1.3, "y": 2.1}),
]


def test_the_jacobian_of_softmax() -> None:
    """diag(s) − s sᵀ."""
    found = jacobian(trace("softmax(x)", {"x": X}, entry=()))
    s = np.exp(X) / np.sum(np.exp(X))
    np.testing.assert_allclose(found.matrix, np.diag(s) - np.outer(s, s), rtol=1e-13)
    assert found.agrees
    assert found.error < 1e-8


def test_a_linear_layer_has_its_matrix() -> None:
    W = [[1.0, 2.0, 0.0], [0.5, 1.0, -1.0]]
    t = trace(r"\mathbf{W} x + b", {"W": W, "x": X, "b": [1, 0]}, ["x", "b"], entry=(1,))
    found = jacobian(t)
    np.testing.assert_allclose(found.matrix, np.hstack([W, np.eye(2)]), rtol=1e-15)
    assert t.gradients["x"].tolist() == W[1]
    assert [c for c, _ in found.columns] == ["x"] * 3 + ["b"] * 2


@pytest.mark.parametrize(("function", "inputs"), GATES)
def test_forward_mode_is_the_backward_pass_along_a_direction(
    function: str, inputs: dict[str, Any]
) -> None:
    t = trace(function, inputs)
    rng = np.random.default_rng(3)
    found = forward_mode(t, {n: rng.normal(size=np.shape(g)) for n, g in t.gradients.items()})
    assert found.value == pytest.approx(found.backward, rel=1e-12, abs=1e-12)
    assert found.error < 1e-7
    assert found.agrees


def test_an_entry_may_be_any_row_of_whole_numbers_whatever_was_asked_before() -> None:
    values = [trace("softmax(x)", {"x": X}, entry=at).value for at in ((1,), [1], np.array([1]))]  # type: ignore[arg-type]
    assert len(set(values)) == 1
    with pytest.raises(ReportError):
        trace("softmax(x)", {"x": X}, entry=(1.0,))  # type: ignore[arg-type]


def test_what_is_no_entry_or_direction_is_refused() -> None:
    with pytest.raises(ReportError, match=r"entry \[3\]: the function's result has shape \(3,\)"):
        trace("2*x", {"x": X}, entry=(3,))
    with pytest.raises(ReportError, match=r"jacobian: 13 × 13 entries; 12 × 12 are possible"):
        jacobian(trace("2*x", {"x": list(range(13))}, entry=()))
    with pytest.raises(ReportError, match=r"x has shape \(3,\), its direction \(2,\)"):
        forward_mode(trace("sum(x)", {"x": X}), {"x": [1.0, 2.0]})


HOMEWORK = """title = "T"
[[question]]
function = "W x"
jacobian = true
entry = [1]
wrt = ["x"]
direction = {x = [1, 0]}
inputs = {W = [[0.5, -1], [2, 0.25]], x = [1, 2]}
[[question]]
function = "sum(S^-1) + sum(S**2) + x^2"
inputs = {S = [[2, 1], [1, 3]], x = 2}
"""


def test_a_homework_asks_for_them_and_says_how_it_was_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "hw.toml"
    file.write_text(HOMEWORK)
    told = json.loads(pipeline.trace_json(file, "q1"))
    assert told["jacobian"]["matrix"] == [[0.5, -1], [2, 0.25]]
    assert told["direction"] == {"tangent": 2.0, "along": {"x": [1, 0]}}
    found = traces_of(read_homework(file))
    assert found["q1"].gradients["x"].tolist() == [2, 0.25]
    assert found["q2"].graph.readings == (
        "^ is a power: x^2 is x**2",
        "S^-1 is the inverse of the matrix",
        "S**2 goes entry by entry; of the matrix it is S @ S",
    )
    page = tmp_path / "hw.pdf"
    assert cli.main(["build", str(file), "-o", str(page), "--edition", "solution"]) == 0
    assert "q2: ^ is a power: x^2 is x**2; S^-1 is the inverse" in capsys.readouterr().out
    assert cli.main(["verify", str(page)]) == 0


def test_gradients_by_a_line_and_by_an_entry() -> None:
    """Of ‖z − y‖² with z = W x: 2 (z − y), and 2 (z − y) xᵀ by W."""
    W, x, y = np.array([[0.5, -1], [2, 0.25]]), np.array([1.0, 2]), np.array([1.0, 1])
    t = trace("z = W x\nnorm(z - y)^2", {"W": W, "x": x, "y": y}, wrt=["z", "W[0, 1]"])
    slope = 2 * (W @ x - y)
    np.testing.assert_allclose(t.part("z", ()), slope, rtol=1e-14)
    assert t.part("W", (0, 1)) == pytest.approx(slope[0] * 2)
    assert t.wrt == ("W",)
    told = t.to_dict()["gradients"]
    assert (told["z"], told["W[0,1]"]) == (slope.tolist(), slope[0] * 2)
    assert part_error(t, "z") < 1e-9


@pytest.mark.parametrize("name", ["y", "z[0]", "W[2,0]", "W[0]", "c"])
def test_what_is_no_line_and_no_entry_has_no_gradient(name: str) -> None:
    with pytest.raises(ReportError, match=r"^wrt: "):
        trace("c = 2\nz = W @ x\nsum(z)*c", {"W": np.ones((2, 2)), "x": [1, 2]}, wrt=[name])


def test_a_line_alone_may_be_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "hw.toml"
    text = "title = 'T'\n[[question]]\nfunction = '''\nz = w x\nz^2\n'''\nwrt = ['z']\ninputs = {w = 1, x = 2}\n"
    file.write_text(text)
    assert cli.main(["build", str(file), "-o", str(tmp_path / "hw.pdf"), "-q"]) == 0
    assert json.loads(pipeline.trace_json(file))["gradients"] == {"z": 4.0}


ANY_ROW = [
    ("softmax(W @ x)", r"\frac{\partial f_{i}}{\partial x_{j}}", r"\sum_{l=1}^{3} W_{lj} q_{2,l} \left(\delta_{li} - q_{2,i}\right)"),
    ("h = tanh(W @ x)\nV @ h", r"\frac{\partial f_{i}}{\partial x_{j}}", r"\sum_{l=1}^{3} W_{lj} V_{il} \left(1 - h_{l}^{2}\right)"),
    ("y = x / norm(x)", r"\frac{\partial y_{i}}{\partial x_{j}}", r"\frac{\delta_{ji}}{q_{1}} - \frac{x_{j} x_{i}}{q_{1}^{3}}"),
    ("x * x", r"\frac{\partial f_{i}}{\partial x_{j}}", r"2 x_{i} \delta_{ji}"),
    ("i = x * x\nconcatenate([i, x])", r"\frac{\partial f_{j}}{\partial x_{k}}", r"2 x_{k} \delta_{kj} + \delta_{k + 2, j}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "left", "side"), ANY_ROW)
def test_any_row_of_a_jacobian_is_derived_and_read_back_at_each(
    text: str, left: str, side: str
) -> None:
    every = {
        "W": [[0.3, 0.2], [-0.5, 1.0], [1.0, 1.0]],
        "V": [[1, 2, 3], [3, 4, 5]],
        "x": [1.0, 2.0],
    }
    found = trace(text, {n: v for n, v in every.items() if n in text}, ["x"], entry=())
    derivation = of_any_entry(found)
    told: dict[str, str] = {
        g.entry.left: g.entry.symbols[0] for g in derivation.gradients if g.entry is not None
    }
    assert told[left] == side
    rows = jacobian(found)
    for (at,) in rows.rows:
        turned, own = at_entry(found, derivation, at)
        gradients = np.concatenate([np.ravel(turned.gradients[n]) for n in found.wrt])
        np.testing.assert_allclose(gradients, rows.matrix[at], rtol=1e-12, atol=1e-15)
        read = read_back(turned, own)
        assert read.formulas >= 2
        assert (read.failures, read.unread) == ((), ())
