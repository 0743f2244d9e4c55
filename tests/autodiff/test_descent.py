"""Steps of gradient descent: known solutions, another engine's Adam, and the loop of a program."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from autograd.misc.optimizers import adam

from report import ReportError, pipeline, program, trace
from report.autodiff.descent import METHODS, Plan, descend
from report.autodiff.hessian import curvature
from report.derivation import derive
from report.derivation.descent import first_steps, updates_in_numbers
from report.derivation.second_order import entries, named
from report.errors import CheckError
from report.program.loop import check_loop, generate_loop
from report.readback import read_sides

ROOT = Path(__file__).parents[2]
NEURON = ("(sigmoid(w x + b) - y)^2", {"w": 0.5, "x": 2, "b": -1, "y": 1}, ["w", "b"])
LAYER = ("norm(W @ x - y)**2", {"W": [[1, 2], [3, 4]], "x": [1, 2], "y": [1, 1]}, ["W"])
WIDE = ("sum(tanh(x @ V)**2)", {"x": [0.1, 0.2, 0.3], "V": np.full((3, 4), 0.5)}, ["V"])


def test_a_parabola_shrinks_by_one_factor_a_step() -> None:
    """w ← w − η w is (1 − η)ᵗ w."""
    found = descend(trace("w**2/2", {"w": 3.0}), Plan(4, 0.25))
    assert [p["w"] for p in found.points] == pytest.approx(
        [3 * 0.75**t for t in range(5)], rel=1e-14
    )
    assert found.values == pytest.approx([4.5 * 0.75 ** (2 * t) for t in range(5)], rel=1e-14)


def test_momentum_on_a_slope_gathers_speed() -> None:
    """With a constant gradient g, v is g (1 − 0.9ᵗ) / 0.1 after t steps."""
    found = descend(trace("2*w", {"w": 0.0}), Plan(5, 0.1, "momentum"))
    speeds = -np.diff([p["w"] for p in found.points]) / 0.1
    np.testing.assert_allclose(speeds, [2 * (1 - 0.9**t) / 0.1 for t in range(1, 6)], rtol=1e-12)


def test_adam_is_that_of_another_engine() -> None:
    t = trace(*LAYER)
    found = descend(t, Plan(4, 0.05, "adam"))

    def gradient(W: np.ndarray, _: int) -> np.ndarray:
        x, y = np.array([1.0, 2.0]), np.array([1.0, 1.0])
        return np.outer(2 * (W @ x - y), x)

    expected = adam(gradient, np.array([[1.0, 2.0], [3.0, 4.0]]), num_iters=4, step_size=0.05)
    np.testing.assert_allclose(found.points[-1]["W"], expected, rtol=1e-12)


@pytest.mark.parametrize("question", [NEURON, LAYER, WIDE])
@pytest.mark.parametrize("method", METHODS)
def test_the_loop_of_a_program_prints_the_same(question: tuple, method: str) -> None:
    t = trace(*question)
    found = descend(t, Plan(3, 0.05, method))
    output = program.run(generate_loop(t, found, "steps.py")).text
    columns = 1 + (2 if question is NEURON else 4 if question is LAYER else 1)
    assert check_loop(found, output) == 4 * columns
    words = output.split()
    words[-1] = f"{float(words[-1]) * (1 + 1e-7):.12g}"
    rows = [" ".join(words[i : i + columns + 1]) for i in range(0, len(words), columns + 1)]
    with pytest.raises(CheckError, match="step 3: the loop prints"):
        check_loop(found, "\n".join(rows))


def test_a_step_out_of_the_domain_is_told_with_its_number() -> None:
    with pytest.raises(ReportError, match=r"step 1 cannot be taken: .*\n(.*\n)*Take fewer steps"):
        descend(trace("-log(1 - w) + 5*w", {"w": 0.5}), Plan(3, -10.0))
    with pytest.raises(ReportError, match="depends on no input"):
        descend(trace("3", {}), Plan(1, 0.1))


def test_what_is_printed_of_steps_and_second_derivatives_is_read_back() -> None:
    t = trace(*NEURON)
    steps = first_steps(t, descend(t, Plan(1, 0.8, "momentum")))
    derivation = derive(t)
    second = entries(t, derivation, curvature(t))
    sides = [(s.left, s.side, s.value) for s in steps]
    sides += [(e.left, side, value) for e, value in second for side in e.symbols]
    put_in = [(s.left, s.put_in, s.value) for s in steps]
    own = {name: t.quantities[node].value for node, name in named(t, derivation).items()}
    assert list(own) == ["s"]  # as in the gradient
    assert all("sigma" not in side for e, _ in second for side in e.symbols)
    read = read_sides(t, sides, further=own, put_in=put_in)
    assert read.formulas == len(sides) + 2 == 10
    assert not read.failures
    assert not read.unread
    wrong = [(left, side, value + 1e-6) for left, side, value in sides]
    assert len(read_sides(t, wrong, further=own).failures) == len(sides)
    wrong = [(left, side, value + 0.01) for left, side, value in put_in]
    assert len(read_sides(t, [], put_in=wrong).failures) == 2


def test_a_second_derivative_begins_as_the_gradient_is_written() -> None:
    t = trace("(1 - x)**2 + 100*(y - x**2)**2", {"x": -1.2, "y": 1.0})
    (by_x, value), *_ = entries(t, derive(t), curvature(t))
    assert by_x.symbols == (r"800 x^{2} + 2 - 400 \left(y - x^{2}\right)", "1200 x^{2} + 2 - 400 y")
    assert value == pytest.approx(1330)


def test_the_trace_as_json_holds_them() -> None:
    told = json.loads(pipeline.trace_json(ROOT / "problems" / "gradient-descent.toml"))
    assert told["version"] == 2
    assert told["hessian"]["order"] == ["w", "b"]
    np.testing.assert_allclose(told["hessian"]["matrix"], [[0.5, 0.25], [0.25, 0.125]], atol=1e-12)
    assert (told["steps"]["method"], told["steps"]["rate"]) == ("sgd", 0.8)
    assert [s["inputs"]["w"] for s in told["steps"]["steps"][:2]] == pytest.approx([0.5, 0.9])


@pytest.mark.parametrize(("method", "count"), [("sgd", 1), ("momentum", 2), ("adam", 5)])
def test_the_rule_of_the_update_is_read_back(method: str, count: int) -> None:
    t = trace(*NEURON[:2], wrt=["w"])
    found = list(updates_in_numbers(descend(t, Plan(3, 0.05, method))))
    assert len(found) == 3 * count
    for side, names in found:
        read = read_sides(t, [side], names)
        assert (read.formulas, read.failures, read.unread) == (1, (), ())
        wrong = (*side[:2], side[2] * (1 + 1e-6))
        assert len(read_sides(t, [wrong], names).failures) == 1
