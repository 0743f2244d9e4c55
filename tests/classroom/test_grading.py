"""Grading: what rounding explains, what follows from an earlier error, and what is plainly wrong."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np
import pypdf
import pytest

from report import ReportError
from report.classroom import grading
from report.classroom.grading import Grades, Mark
from report.classroom.roster import homework_of
from report.homework import written_answers
from report.homework.homework import read_homework
from report.homework.written_answers import is_right, read_answer

# q1 = x*w = -3, q2 = sin(q1) = -0.14112, f = q2**2 = 0.0199149
# df/dq2 = 2 q2 = -0.28224, df/dq1 = cos(-3) * that = 0.279415, df/dx = 3 * that, df/dw = -that
SCALAR = 'title="T"\n[[question]]\nfunction="sin(x*w)**2"\ninputs={x=-1, w=3}\n'
# z = W @ v = [5, 11], f = z . z = 146; df/dz = [10, 22], df/dW = df/dz v.T, df/dv = W.T df/dz = [76, 108]
VECTOR = """[[question]]
function = '''
z = W @ v
sum(z * z)
'''
inputs = {W = [[1, 2], [3, 4]], v = [1, 2]}
"""
RANDOM = 'title="T"\n[[question]]\nfunction="exp(x)"\ninputs={x={uniform=[-1, 1], digits=3}}\n'


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def graded(work: str, answers: str, roster: str | None = None) -> Grades:
    Path("hw.toml").write_text(work, encoding="utf-8")
    Path("answers.csv").write_text(answers, encoding="utf-8")
    if roster is not None:
        Path("roster.csv").write_text(roster, encoding="utf-8")
    return grading.grade("hw.toml", "answers.csv", None if roster is None else "roster.csv")


def marks(work: str, answers: str) -> dict[str, Mark]:
    (student,) = graded(work, answers).students
    assert not student.error
    return {m.asked.column: m for m in student.marks}


def verdicts(work: str, columns: str, cells: str) -> list[str]:
    return [m.verdict for m in marks(work, f"id,{columns}\n1,{cells}\n").values()]


# ---------------------------------------------------------------- one number


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("-0.0629", -0.0629, 1e-4),
        ("−0.0629", -0.0629, 1e-4),
        ("3", 3.0, 1.0),
        ("3.", 3.0, 1.0),
        (".50", 0.5, 0.01),
        ("1.2e-7", 1.2e-7, 1e-8),
        ("6.29 × 10^-2", 0.0629, 1e-4),
        ("6.29*10**-2", 0.0629, 1e-4),
        (" +1.0E2 ", 100.0, 10.0),
        ("0", 0.0, 1.0),
    ],
)
def test_a_number_is_read_with_its_last_digit(text: str, value: float, unit: float) -> None:
    answer = read_answer(text)
    assert (answer.value, answer.unit) == pytest.approx((value, unit), rel=1e-12)


def test_a_decimal_comma_where_commas_part_nothing_else() -> None:
    assert read_answer("0,5", comma=True).value == 0.5
    for text in ("0,5", "1,234,567", "1,234.5"):
        with pytest.raises(ReportError, match="is no number"):
            read_answer(text)
    with pytest.raises(ReportError, match="is no number"):
        read_answer("1,234.5", comma=True)


@pytest.mark.parametrize(
    "text",
    ["", "abc", "nan", "inf", "1e9999", "--1", "1/3", "0x10", "1_000", "=1", "1 2", "٣", "1" * 61],
)
def test_what_is_no_number_is_told(text: str) -> None:
    with pytest.raises(ReportError):
        read_answer(text)


@pytest.mark.parametrize(
    ("answer", "true", "right"),
    [
        ("0.0315", 0.0314625, True),
        ("0.0314", 0.0314625, True),  # cut off instead of rounded
        ("0.0313", 0.0314625, False),
        ("0.03", 0.0314625, False),  # too few digits
        ("0.031462494", 0.0314625, True),
        ("0.03146", 0.0314625, True),
        ("0.03147", 0.0314625, True),  # a tenth of the tolerance is always right
        ("0.0315", -0.0314625, False),
        ("-3", -3.0, True),
        ("-3.0", -2.98, False),
        ("0.3", 0.2999999, True),
        ("0", 0.0, True),
        ("0.000", 1e-12, True),
        ("0.001", 0.0, False),
        ("146", 146.0, True),
        ("147", 146.0, False),
        ("1.5e2", 146.0, False),
    ],
)
def test_what_rounding_explains_is_right(answer: str, true: float, right: bool) -> None:
    assert is_right(read_answer(answer), true) is right


def test_the_tolerance_can_be_set() -> None:
    assert not is_right(read_answer("0.03"), 0.0314625)
    assert is_right(read_answer("0.03"), 0.0314625, 0.05)
    assert written_answers.allowed(2.0, np.inf) == 0.01


# ---------------------------------------------------------------- error carried forward


def test_right_answers_are_right() -> None:
    found = verdicts(
        SCALAR,
        "q1.q1,q1.q2,q1.f,q1.d.q2,q1.d.q1,q1.d.x,q1.d.w,q1.x",
        "-3,-0.1411,0.0199,-0.282,0.279,0.838,-0.279,-1",
    )
    assert found == ["right"] * 8


def test_what_follows_from_an_earlier_error_is_told_from_a_new_one() -> None:
    """q1 has the wrong sign; sin is then right, its square is wrong on top."""
    found = marks(SCALAR, "id,q1,q2,q3\n1,3,0.1411,0.5\n")
    assert [m.verdict for m in found.values()] == ["wrong", "follows", "wrong"]
    assert found["q2"].own == pytest.approx(np.sin(3))
    assert found["q2"].true == pytest.approx(np.sin(-3))
    assert found["q3"].own == pytest.approx(0.1411**2)


def test_an_answer_that_meets_the_truth_again_is_right() -> None:
    assert verdicts(SCALAR, "q1,q2,f", "3,0.1411,0.0199") == ["wrong", "follows", "right"]


def test_an_error_is_carried_over_what_was_not_asked() -> None:
    assert verdicts(SCALAR, "q1,f", "2,0.827") == ["wrong", "follows"]  # sin(2)**2
    assert verdicts(SCALAR, "q1,q2,f", "2,,0.827") == ["wrong", "missing", "follows"]


def test_rounding_that_adds_up_is_no_error() -> None:
    """A value with four digits whose square has only three: the step between them is right."""
    assert verdicts(SCALAR, "q2,f", "-0.1412,0.01994") == ["right", "right"]
    assert verdicts(SCALAR, "f", "0.01994") == ["wrong"]


def test_a_wrong_value_is_carried_into_the_gradients() -> None:
    """With q1 = 3 the slope 2 q2 has the other sign; df/dq1 meets the truth again but df/dx = w g."""
    found = marks(SCALAR, "id,q1,q2,d.q2,d.q1,d.x,d.w\n1,3,0.1411,0.2822,-0.2794,-0.838,0.279\n")
    assert [m.verdict for m in found.values()] == ["wrong", *["follows"] * 5]
    assert found["d.q2"].own == pytest.approx(2 * 0.1411)
    assert found["d.q1"].own == pytest.approx(0.2822 * np.cos(3))


def test_a_wrong_gradient_is_carried_down() -> None:
    """The factor 2 forgotten: df/dq2 = q2; everything below is half of the truth."""
    found = verdicts(SCALAR, "d.q2,d.q1,d.x,d.w", "-0.1411,0.1397,0.419,-0.14")
    assert found == ["wrong", "follows", "follows", "follows"]
    assert verdicts(SCALAR, "d.q2,d.x", "-0.1411,0.838") == ["wrong", "right"]
    assert verdicts(SCALAR, "d.q2,d.x", "-0.1411,0.7") == ["wrong", "wrong"]


def test_entries_of_tensors_are_carried_too() -> None:
    two = SCALAR + VECTOR
    columns = '"q2.z[0]","q2.z[1]",q2.f,"q2.d.z[0]","q2.d.W[0,1]","q2.d.W[1,1]","q2.d.v[0]"'
    assert verdicts(two, columns, "5,11,146,10,20,44,76") == ["right"] * 7
    # z[0] = 6: f = 36 + 121, dz[0] = 12, dW[0,1] = 24, dv = 1*12 + 3*22
    found = verdicts(two, columns, "6,11,157,12,24,44,78")
    assert found == ["wrong", "right", "follows", "follows", "follows", "right", "follows"]
    found = verdicts(two, columns, "6,11,146,12,20,44,76")  # a mixture of both
    assert found == ["wrong", "right", "right", "follows", "right", "right", "right"]


def test_the_gradients_of_one_value_used_twice_add_up() -> None:
    work = 'title="T"\n[[question]]\nfunction="""\na = 3*x\nb = x*x\na*b"""\ninputs={x=2}\n'
    # a = 6, b = 4, f = 24; da = b = 4, db = a = 6; dx = 3*4 + 2*2*6 = 36
    assert verdicts(work, "a,b,d.a,d.b,d.x", "6,4,4,6,36") == ["right"] * 5
    # db = 5 wrong: dx = 12 + 20 = 32
    assert verdicts(work, "d.b,d.x", "5,32") == ["wrong", "follows"]
    assert verdicts(work, "d.b,d.x", "6,24") == ["right", "wrong"]  # one of the two paths forgotten


def test_numbers_that_a_gate_can_make_nothing_of() -> None:
    work = 'title="T"\n[[question]]\nfunction="log(x*w)"\ninputs={x=2, w=3}\n'
    assert verdicts(work, "q1,f,d.q1", "-6,1.79,0.167") == ["wrong", "right", "right"]
    assert verdicts(work, "q1,f", "-6,5") == ["wrong", "wrong"]


def test_missing_and_unreadable() -> None:
    assert verdicts(SCALAR, "q1,q2,f", ",abc,0.0199") == ["missing", "unreadable", "right"]


# ---------------------------------------------------------------- whose variant


def test_each_student_is_graded_by_their_own_numbers() -> None:
    Path("hw.toml").write_text(RANDOM)
    work = read_homework("hw.toml")
    inputs = {i: homework_of(work, i).questions[0].inputs["x"] for i in ("1", "2", "é")}
    lines = "".join(f"{i},{np.exp(x):.4f},{np.exp(x):.4f}\n" for i, x in inputs.items())
    found = graded(RANDOM, f"id,f,d.x\n{lines}")
    assert [[m.verdict for m in s.marks] for s in found.students] == [["right"] * 2] * 3
    swapped = graded(RANDOM, f"id,f,d.x\n3,{np.exp(inputs['1']):.4f},\n")
    assert swapped.students[0].marks[0].verdict == "wrong"


def test_the_roster_decides_where_there_is_one() -> None:
    roster = "id,name,x\n1,Ada,0.5\n=2,Emmy,\n"
    found = graded(RANDOM, "id,f\n1,1.6487\n'=2,1\n3,1\n", roster)
    ada, emmy, none = found.students
    assert (ada.name, ada.marks[0].verdict) == ("Ada", "right")
    assert (emmy.name, emmy.error) == ("Emmy", "")
    assert "'3' is not in the roster" in none.error


def test_a_student_whose_homework_is_bad_is_told() -> None:
    found = graded(RANDOM, "id,f\n1,1\n2,1\n", "id,name,x\n1,Ada,abc\n2,Emmy,\n")
    assert "'abc' is no value" in found.students[0].error
    assert not found.students[1].error


# ---------------------------------------------------------------- columns


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ("q1.q9", "column q1.q9: question q1 has no q9; did you mean q"),
        ("q1.d.y", "question q1 has no y; there are: f, x, w, q1, q2, q3"),
        ("q1.q1[0]", "there is no such entry, the shape is (); leave it out"),
        ("q2.z", "the shape is (2,); write z[0] to z[1]"),
        ('"q2.W[0,2]"', "the shape is (2, 2); write W[0,0] to W[1,1]"),
        ("q2.W[0]", "there is no such entry"),
        ("q1.d.", "write q1.q3, q1.d.q3 or q1.d.W[0,1]"),
        ("q1.q1+1", "write q1.q3"),
    ],
)
def test_a_column_of_what_a_question_does_not_have_is_refused(columns: str, words: str) -> None:
    with pytest.raises(ReportError) as caught:
        graded(SCALAR + VECTOR, f"id,{columns}\n1,2\n")
    assert words in str(caught.value)


def test_a_column_without_a_gradient_is_refused() -> None:
    work = 'title="T"\n[[question]]\nfunction="x[i]"\ninputs={x=[1, 2], i=1}\n'
    with pytest.raises(ReportError, match="i has no gradient"):
        graded(work, "id,q1.d.i\n1,2\n")


def test_entries_can_be_named_in_two_ways_and_other_columns_are_left_alone() -> None:
    found = graded(SCALAR + VECTOR, 'id,name,q2.W[1][0],"q2.W[1, 0]",email,q9\n1,Ada,3,3,a@b,\n')
    assert [m.verdict for m in found.students[0].marks] == ["right", "right"]
    assert found.unused == ("email", "q9")
    assert found.students[0].name == "Ada"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ("", "is empty"),
        ("id,f\n", "has no answers"),
        ("name,f\n1,2\n", "has no column id"),
        ("id,f\n1,2\n1,3\n", "lines 2 and 3 have the same id '1'"),
    ],
)
def test_answers_of_no_use_are_refused(answers: str, words: str) -> None:
    with pytest.raises(ReportError, match=words):
        graded(SCALAR, answers)


# ---------------------------------------------------------------- what is written


def test_what_is_written(tmp_path: Path) -> None:
    answers = (
        "id,name,q1,q2,f,d.x\n1,Ada,-3,-0.1411,0.0199,0.838\n=2|x,Emmy,3,0.1411,=1+1,\n,B,1,1,1,1\n"
    )
    found = graded(SCALAR, answers)
    paths = grading.write(found, tmp_path / "grades")
    assert [p.name for p in paths] == ["grades.csv", "answers.csv", "gates.pdf"]
    rows = rows_of(paths[0])
    assert rows[0] == ["id", "name", *grading.VERDICTS, "credit", "error"]
    assert rows[1] == ["1", "Ada", "4", "0", "0", "0", "0", "1.0000", ""]
    assert rows[2] == ["'=2|x", "Emmy", "0", "1", "1", "1", "1", "0.2500", ""]
    assert rows[3][-1] == "there is no id"
    rows = rows_of(paths[1])
    sine = repr(math.sin(-3.0))
    assert ["1", "q2", "-0.1411", sine, sine, "right"] in rows
    assert not any(cell.startswith("=") for row in rows for cell in row)
    text = pypdf.PdfReader(paths[2]).pages[0].extract_text()
    assert "What the class gets wrong" in text
    assert "2 students, 8 answers." in text  # who has no id is not among them
    assert "∂f/∂x" in text
    before = paths[2].read_bytes()
    grading.write(found, tmp_path / "grades")
    assert paths[2].read_bytes() == before
    said = grading.summary(found, paths)
    assert said.startswith("2 students, 4 quantities, 8 answers: 4 right, 1 follows, 1 wrong")
    assert "q1.q1: 1 wrong, 0 follow from earlier" in said
    assert "not graded: : there is no id" in said


def rows_of(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def test_a_class_that_answered_nothing_still_has_its_files(tmp_path: Path) -> None:
    found = graded(SCALAR, "id,name\n1,Ada\n")
    grading.write(found, tmp_path / "grades")
    assert "nothing to grade" in grading.summary(found, [])


def test_of_very_many_gates_the_worst_are_shown() -> None:
    from report.classroom.error_plot import MOST, plot, worst

    tally = {
        f"q1.q{i}": dict.fromkeys(grading.VERDICTS, 0) | {"wrong": i} for i in range(MOST + 20)
    }
    assert list(worst(tally)) == [f"q1.q{i}" for i in range(20, MOST + 20)]
    svg, height = plot(tally)
    assert svg.count("<text") > MOST
    assert height < 330


def test_second_derivatives_steps_and_tangents_are_graded_too() -> None:
    work = 'title="T"\n[[question]]\nfunction="x**2*w"\ninputs={x=3, w=2}\nhessian=true\nsteps=2\ndirection={x=1}\n'
    columns = '"H[0,0]","H[0,1]",tangent,step1.x,step1.f,step2.w'
    found = marks(work, f"id,{columns}\n1,4,6,11,1.8,3.56,0.1\n")
    assert [m.verdict for m in found.values()] == [
        "right",
        "right",
        "wrong",
        "right",
        "right",
        "wrong",
    ]
    assert found["tangent"].true == 12
    # x = 3 - 0.1 * 12, w = 2 - 0.1 * 9; then w - 0.1 * 1.8**2
    assert found["step2.w"].true == pytest.approx(1.1 - 0.324)
