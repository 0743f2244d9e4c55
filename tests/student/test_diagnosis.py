"""From what a student printed to the first wrong gate and the mistake behind it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import report
from report.student.answers import read_answers
from report.student.check import check_program, table
from report.student.diagnosis import diagnose
from report.student.sources import OwnProgram
from report.student.work import OwnWork

Q1 = report.trace(
    "1 / (2 + sin(x1*w1)**2 + cos(x2*w2))", inputs={"x1": -1, "w1": 3, "x2": -2, "w2": 3}
)
Q2 = report.trace(
    "norm(sigmoid(W @ x))**2",
    inputs={
        "W": [[0.4, 0.1, -0.5], [0.2, -0.32, 0.8], [0.7, 0.4, -0.6]],
        "x": [[-0.2], [0.6], [-0.4]],
    },
    wrt=["W"],
)
BY_HAND = """
import math
from pathlib import Path

x1, w1, x2, w2 = -1, 3, -2, 3

def to_radians(degrees):
    return degrees * math.pi / 180

product1 = x1 * w1
sine = math.sin(to_radians(product1))
square = math.sin(sine) ** 2          # meant as sin squared
product2 = x2 * w2
cosine = math.cos(to_radians(product2))
bottom = 2 + square + cosine
f = 1 / bottom
back = -1 / bottom**2
to_sine = back * 2 * sine
to_product1 = to_sine * math.cos(to_radians(product1))
to_product2 = -back * math.sin(to_radians(product2))
values = [("x1*w1", product1), ("sin", sine), ("sin^2", square), ("x2*w2", product2), ("cos", cosine),
          ("sin^2 + cos", square + cosine), ("the denominator", bottom), ("1/", f)]
for name, value in values:
    print("Output of", name, "is", round(value, DIGITS))
print("Going back:")
for name, value in [("dw1", to_product1 * x1), ("dx1", to_product1 * w1), ("dw2", to_product2 * x2),
                    ("dx2", to_product2 * w2)]:
    print("Gradient", name, "is", round(value, DIGITS + 1))
"""


def kinds(work: OwnWork) -> dict[str, str]:
    return {line.name: line.causes[0].kind if line.causes else "" for line in work.wrong}


def own(text: str, trace: report.Trace = Q1) -> dict[str, str]:
    return kinds(diagnose(trace, text))


# ---------------------------------------------------------------- the case from life


@pytest.mark.parametrize("digits", [4, 8])
def test_degrees_and_a_sine_taken_twice(digits: int) -> None:
    program = OwnProgram("mine.py", (BY_HAND.replace("DIGITS", str(digits)),))
    found = kinds(check_program(Q1, program).work)
    assert found["q2"] == "degrees"
    assert found["q6"] == "degrees"
    assert found.get("q3") == ("applied twice" if digits == 8 else None)  # 4 digits hide it
    assert found["df/dx1"] == "π/180 lost"
    assert found["df/dx2"] == "π/180 lost"
    assert set(found) <= {"q2", "q3", "q6", "df/dx1", "df/dx2"}


def test_the_same_as_bare_numbers() -> None:
    text = "-3 -0.0523 0.0027 -6 0.9945 0.9973 2.9973 0.3336 -0.11131 -0.11131 -0.11131 0.01165 0.01164"
    text = "\n".join(
        [*text.split(), *["-0.01164", "0.03491", "-0.11131", "-0.01164", "0.02327", "-0.03491"]]
    )
    assert own(text) == {
        "q2": "degrees", "q6": "degrees", "df/dq1": "π/180 lost", "df/dw2": "π/180 lost",
    }  # fmt: skip


def test_gradients_under_the_bare_names_of_inputs() -> None:
    work = diagnose(Q1, "f = 0.3356\nw1: -0.0315\nx2: 0.0944")
    assert kinds(work) == {"df/dw1": "sign"}
    assert diagnose(Q1, "f = 0.3356\ndw1 = 0.0315\nw1 = 2.9969").agrees  # a step down


def test_rounded_before_squaring() -> None:
    assert round(math.sqrt(float(Q2.value)), 4) ** 2 == pytest.approx(0.77176225)
    work = diagnose(Q2, "sigmoid: [0.5449, 0.3654, 0.5842]\nf = 0.77176225")
    assert kinds(work) == {"q3": "rounding"}
    assert "rounded to 4 digits before squaring" in str(work.first.causes[0])
    each = sum(v * v for v in (0.5449, 0.3654, 0.5842))
    work = diagnose(Q2, f"sigmoid: [0.5449, 0.3654, 0.5842]\nf = {each:.8f}")
    assert kinds(work) == {"q3": "rounding"}
    assert "rounded to 4 digits before norm(q2)" in str(work.first.causes[0])
    slopes = [2 * v * v * (1 - v) * -0.2 for v in (0.5449, 0.3654, 0.5842)]
    work = diagnose(Q2, f"sigmoid: [0.5449, 0.3654, 0.5842]\nf = {each:.8f}\n" + "\n".join(
        f"dW[{i}][0] = {slope:.8f}" for i, slope in enumerate(slopes)
    ))  # fmt: skip
    assert kinds(work) == {"q3": "rounding"}
    assert "sigmoid(q1) rounded to 4 digits before use" in str(work.first.causes[0])


# ---------------------------------------------------------------- right ones


@pytest.mark.parametrize(
    "text",
    [
        "w1.grad = 0.0314624940538\nloss = 0.33556",
        "dw2: -0.063\ndw1: 0.031\nf: 0.336",
        "∂f/∂w1 = 0.0315, ∂f/∂w2 = -0.0629",
        "grad_w1 0.03146\ngrad_w2 -0.06292",
        "d_w1=0.0315\nw2_grad=-0.0629",
        "Value(data=0.3356, grad=1.0)\nw1: Value(data=3, grad=0.0315)",
        "gradient of f with respect to w1: 0.0315\nnumerical check w1: 0.0314999",
        "Output of sin: -0.1411\nOutput of cos: 0.9602\nsin^2 + cos = 0.9801",  # of no gate of ours
        "-3\n-0.1411\n0.0199\n-6\n0.9602\n0.9801\n2.9801\n0.3356",
        "q1 = 0.0199\nq2 = 0.9602\nq3 = 2.9801\nq4 = 0.3356",  # counted in another way
        "{'w1': 0.0315, 'w2': -0.0629}",
    ],
)
def test_right_numbers_in_many_spellings(text: str) -> None:
    work = diagnose(Q1, text)
    assert not work.wrong
    assert work.agrees


def test_single_precision_is_no_mistake() -> None:
    single = np.float32(Q1.value)
    work = diagnose(Q1, f"f = {float(single)!r}\ndw1 = {float(np.float32(Q1.gradients['w1']))!r}")
    assert [line.verdict for line in work.printed] == ["single precision"] * 2
    assert work.agrees


def test_nothing_of_the_question_is_printed() -> None:
    work = diagnose(Q1, "hello\n")
    assert not work.printed
    assert not work.agrees


# ---------------------------------------------------------------- wrong ones


@pytest.mark.parametrize(
    ("text", "first", "kind"),
    [
        ("q1 = 3", "q1", "sign"),
        ("q1 = -3\nq2 = -0.98999", "q2", "cos for sin"),
        ("q2 = -0.14112\nq3 = -0.28224", "q3", "slope for value"),
        ("q7 = 2.98009\nq8 = 2.98009", "q8", "left out"),
        ("q8 = 0.33556\ndq7 = 0.1126", "df/dq7", "sign"),
        ("dq3 = -0.112601\ndq2 = 0.0158903", "df/dq2", "factor 2"),
        ("dq2 = 0.03178054\ndq1 = 0.03178054", "df/dq1", "local derivative"),
        ("dq2 = 0.03178054\ndq1 = -0.9899925", "df/dq1", "upstream"),
        ("dq2 = 0.03178054\ndq1 = 0.03146469", "df/dq1", "at output"),
        ("dq1 = -0.0314625\ndw1 = -0.0943875", "df/dw1", "swapped"),
        ("x1 = 1", "x1", "other input"),
    ],
)
def test_a_mistake_by_its_number(text: str, first: str, kind: str) -> None:
    work = diagnose(Q1, text)
    assert work.first.name == first
    assert kind in [c.kind for c in work.first.causes]


def test_what_follows_is_no_new_mistake() -> None:
    work = diagnose(Q1, "q1 = 3\nq2 = 0.14112\nq3 = 0.0199149")
    assert [line.verdict for line in work.printed] == ["differs", "follows", "agrees"]
    assert work.printed[1].after == "q1"


def test_a_path_left_out_of_a_fork() -> None:
    trace = report.trace("a*b + a", inputs={"a": 2, "b": 5})
    assert own("f = 12\nda = 5\ndb = 2", trace) == {"df/da": "path left out"}
    twice = diagnose(trace, "f = 12\nda = 11\ndb = 2").first
    assert "path counted twice" in [c.kind for c in twice.causes]


def test_tensors() -> None:
    right = Q2.gradients["W"]
    assert diagnose(Q2, f"dW =\n{right}").agrees
    assert own("dq2 = 7.0", Q2) == {"df/dq2": "shape"}
    rows = "\n".join(f"dW row {i} {list(row)}" for i, row in enumerate(right))
    assert [line.name for line in diagnose(Q2, rows).printed] == ["df/dW"]
    assert own(f"dW =\n{right.T}", Q2) == {"df/dW": "transposed"}
    assert "sign" in own(f"dW =\n{-right}", Q2).values()
    batch = report.trace("sum((X + b)**2)", inputs={"X": [[1, 2], [3, 4]], "b": [[0, 1]]})
    assert own("dL/db = [[2. 6.]\n [6. 10.]]", batch) == {"df/db": "not summed"}


def test_the_table_and_its_words() -> None:
    text = table(diagnose(Q1, "q1 = 3\ndw1 = 0.0315"))
    assert "first wrong: q1 is 3, not -3" in text
    assert "gate 1, q1 = x1 * w1: the sign is turned" in text


# ---------------------------------------------------------------- answers by hand


def test_answers_as_a_table_and_as_lines(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("id,q1.q1,q1.d.w1,q2.f\n7,-3,0.0315,99\n")
    work = diagnose(Q1, read_answers(file, "q1", "f"))
    assert [line.name for line in work.printed] == ["q1", "df/dw1"]
    assert work.agrees
    file.write_text("q1 = -3\nd.w1 = 0.0315\n")
    assert len(diagnose(Q1, read_answers(file, "q1", "f")).printed) == 2
    file.write_text("-3, -0.1411, 0.0199\nw1: 0.0315\n")
    assert len(diagnose(Q1, read_answers(file, "q1", "f")).printed) == 4
    file.write_text("id;d.w1\n7;0,0315\n")
    assert diagnose(Q1, read_answers(file, "q1", "f")).agrees


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("id,q1.f\n1,2\n2,3\n", "has 2 rows of answers"),
        ("id,q2.f\n1,2\n", "has no answer to question 'q1'"),
        ("\udcff", "is no text"),
    ],
)
def test_answers_of_no_use(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(report.ReportError, match=said):
        read_answers(file, "q1", "f")
