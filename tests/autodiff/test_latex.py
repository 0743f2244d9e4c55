"""LaTeX as a function: values and gradients by NumPy, one message for all else, and nothing runs long."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

import report
from report.autodiff.parser.latex import is_latex
from tests.autodiff.latex_formulas import FORMULAS
from tests.autodiff.latex_refused import REFUSED

FIELD = json.loads(Path(__file__).with_name("latex.json").read_text())  # from courses and papers


def text_of(latex):
    return latex if is_latex(latex or "") or not latex else f"${latex}$"


@pytest.mark.parametrize("case", [c for c in FIELD if "value" in c], ids=lambda c: c["id"])
def test_formulas_from_the_field_have_their_values_and_gradients(case):
    trace = report.trace(text_of(case["latex"]), inputs=case["inputs"], wrt=case["wrt"])
    assert trace.value == pytest.approx(case["value"], rel=1e-9, abs=1e-12)
    for name in case["wrt"]:
        np.testing.assert_allclose(trace.gradients[name], case["grad"][name], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("case", [c for c in FIELD if "refuse" in c], ids=lambda c: c["id"])
def test_what_is_no_value_is_refused(case):
    with pytest.raises(report.ReportError):
        report.trace(text_of(case["latex"]), inputs=case["inputs"], wrt=case["wrt"])


@pytest.mark.parametrize(
    ("latex", "inputs", "by_numpy"),
    [f for f in FORMULAS if f[2] is not None],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_a_formula_and_its_echo_have_numpys_value(latex, inputs, by_numpy):
    trace = report.trace(text_of(latex), inputs=inputs)
    arrays = {name: np.asarray(value, float) for name, value in inputs.items()}
    value = np.asarray(by_numpy(**arrays), float).item()
    assert trace.value == pytest.approx(value, rel=1e-9, abs=1e-12)
    if all(name.isidentifier() and name != "lambda" for name in inputs):
        again = report.trace(trace.graph.expression, inputs=inputs)
        assert again.value == pytest.approx(value, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("latex", "inputs"),
    [*REFUSED, *((t, inputs) for t, inputs, fn in FORMULAS if fn is None)],
    ids=lambda x: x[:60] if isinstance(x, str) else "",
)
def test_what_has_two_readings_or_none_is_refused_at_once(latex, inputs):
    start = time.process_time()
    with pytest.raises(report.ReportError) as refused:
        report.trace(text_of(latex), inputs=inputs)
    assert time.process_time() - start < 15  # of a second, on the slowest machine
    said = str(refused.value)
    assert "^" in said.rpartition("\n")[2] or "characters" in said


def test_a_message_points_to_its_place():
    with pytest.raises(report.ReportError) as refused:
        report.trace("z = w x \\\\\nL = \\log p/q", inputs={"w": 1, "x": 1, "p": 0.5, "q": 1})
    assert str(refused.value).startswith("this has two readings: the / is inside")
    assert "line 2, column 11" in str(refused.value)


def test_a_mean_with_a_bar_is_told_how_it_is_written():
    with pytest.raises(report.ReportError) as refused:
        report.trace(r"\sum_{i=1}^n (x_i - \bar{x})^2", inputs={"x": [1.0, 2.0]})
    said = str(refused.value)
    assert r"unknown name '\\bar{x}'; the mean of x is written \frac{1}{n} \sum_{i=1}^n x_i" in said


def test_capitals_on_a_left_side_are_a_name():
    found = report.trace(
        r"KL = \sum_i p_i \log\frac{p_i}{q_i}", inputs={"p": [0.5, 0.5], "q": [0.25, 0.75]}
    )
    assert found.value == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3), rel=1e-12)
    with pytest.raises(report.ReportError, match="this is an equation"):
        report.trace("AB = \\sqrt{2} A", inputs={"A": 2.0})
