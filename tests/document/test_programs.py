"""Which programs a report shows: both where they are short, else the vectorised one, or those asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from report import pipeline
from report.homework.homework import read_homework

SMALL = 'function = "sum(W @ x)"\ninputs = {W = [[1, 2], [3, 4]], x = [5, 6]}'
LARGE = f'function = "sum(v**2)"\ninputs = {{v = {[0.5 + i for i in range(21)]}}}'


def words(tmp_path: Path, question: str) -> str:
    file = tmp_path / "homework.toml"
    file.write_text(f'title = "T"\n[[question]]\n{question}\n')
    page = pipeline.page(read_homework(file))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page))


@pytest.mark.parametrize(
    ("question", "shown", "told"),
    [
        (SMALL, ["q1.py", "q1_numpy.py"], "q1_numpy.py prints the same numbers as q1.py, line by line"),
        (f'{SMALL}\nprograms = ["numpy"]', ["q1_numpy.py"], "q1.py was run and checked as well"),
        (f'{SMALL}\nprograms = ["python"]', ["q1.py"], "q1_numpy.py was run and checked"),
        (LARGE, ["q1_numpy.py"], "q1.py was run and checked as well"),
        (f'{LARGE}\nprograms = ["numpy", "python"]', ["q1.py", "q1_numpy.py"], "prints the same numbers as"),
    ],
    ids=["small", "numpy", "python", "large", "large, both"],
)  # fmt: skip
def test_a_report_shows_the_programs_that_have_room(
    tmp_path: Path, question: str, shown: list[str], told: str
) -> None:
    text = words(tmp_path, question)
    assert told in text
    assert ("import numpy as np" in text) == ("q1_numpy.py" in shown)
    assert ("for i in n" in text) == ("q1.py" in shown)
