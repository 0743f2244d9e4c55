"""Right programs as different people write them: every number is found or passed over, none is called wrong."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

import report
from benchmarks.mutations import PROBLEMS, output_of, unfound
from report.autodiff.trace import Trace
from report.homework.homework import read_homework
from report.homework.traces import traces_of
from report.student.answers import read_answers
from report.student.check import table
from report.student.diagnosis import diagnose
from report.student.work import SINGLE

PROGRAMS = {
    file.stem: file.read_text()
    for file in sorted(Path(__file__).with_name("programs").glob("*.txt"))
}
FOUND = {  # how many values and gradients
    "as_torch_prints": 6, "dictionaries": 9, "layers": 6, "markdown_table": 16, "other_names_and_training": 4,
    "sentences": 7, "three_digits": 6, "through_time": 9, "value_class": 19,
}  # fmt: skip


@cache
def trace_of(problem: str, question: str) -> Trace:
    return traces_of(read_homework(PROBLEMS / f"{problem}.toml"))[question]


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_false_alarm(name: str) -> None:
    source = PROGRAMS[name]
    output = output_of(source)
    assert output is not None
    work = diagnose(trace_of(*source.split("\n")[0].removeprefix("# ").split()), output)
    assert work.agrees, table(work)
    assert len(work.printed) == FOUND[name]


@pytest.mark.parametrize("problem", ["affine", "batch-norm", "homework1", "mlp"])
@pytest.mark.parametrize("dialect", ["python", "numpy"])
def test_the_generated_programs_are_found_wholly(problem: str, dialect: str) -> None:
    assert not unfound(trace_of(problem, "q1"), dialect)


def test_numbers_side_by_side_stand_under_their_heads() -> None:
    trace = report.trace("sum((W @ x)**2)", inputs={"W": [[1, 2], [3, 4]], "x": [1, -1]})
    work = diagnose(
        trace,
        "        value  gradient  difference\n"
        "q1[0]  -1.000    -2.000\nq1[1]  -1.000    -2.000\n"
        "W[0][0] 1.000    -2.000   -1.900\nW[0][1] 2.000     2.000    2.100\n",
    )
    assert work.agrees
    assert [line.name for line in work.printed] == ["W", "q1", "df/dq1", "df/dW"]


def test_single_precision_is_named() -> None:
    work = diagnose(trace_of("mlp", "q1"), "L = 1.942694902420044")
    assert work.count(SINGLE) == 1
    assert "float32" in table(work)


def test_a_notebook_that_has_run_gives_its_answers(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": [r"$\frac{\partial f}{\partial w_1} = 0.0315$"]},
        {"cell_type": "code", "source": "1/0", "outputs": [{"output_type": "stream", "text": ["q1 = -3\n"]}]},
        {"cell_type": "code", "source": "f", "outputs": [{"data": {"text/plain": ["f = 0.3356"]}}]},
    ]  # fmt: skip
    file = tmp_path / "mine.ipynb"
    file.write_text(json.dumps({"cells": cells}))
    work = diagnose(trace_of("homework1", "q1"), read_answers(file, "q1", "f"))
    assert work.agrees
    assert [line.name for line in work.printed] == ["q1", "q8", "df/dw1"]
    file.write_text(json.dumps({"cells": [{"cell_type": "code", "source": "1"}]}))
    with pytest.raises(report.ReportError, match="run its cells and save it"):
        read_answers(file, "q1", "f")
