"""Numbers and matrices as people type them into a homework file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from report import ReportError, trace
from report.homework.homework import read_homework
from report.homework.traces import traces_of
from report.homework.typed_numbers import as_numbers


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("1/2", 0.5), ("pi/4", math.pi / 4), ("0,5", 0.5), ("-1,25", -1.25), ("2^-3", 0.125),
        ("sqrt(2)/2", math.sqrt(2) / 2), ("−3", -3), ("1e-3", 0.001), ("2*pi", 2 * math.pi),
        ("1 2; 3 4", [[1, 2], [3, 4]]), ("[1 2; 3 4]", [[1, 2], [3, 4]]),
        ("1, 2; 3, 4;", [[1, 2], [3, 4]]), ("[1 2 3]", [1, 2, 3]), ("1, 2, 3", [1, 2, 3]),
        ("1; 2; 3", [[1], [2], [3]]), ("[[1. 2.]\n [3. 4.]]", [[1.0, 2.0], [3.0, 4.0]]),
        ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]), ("array([[0.5, -1e-2]])", [[0.5, -0.01]]),
        ("tensor([1., 2.])", [1.0, 2.0]), ("1 2\n3 4", [[1, 2], [3, 4]]),
        (["1/2", 3, "pi"], [0.5, 3, math.pi]),
    ],
)  # fmt: skip
def test_text_that_is_numbers(typed: Any, numbers: Any) -> None:
    assert as_numbers(typed) == numbers


@pytest.mark.parametrize(
    "typed",
    ["", "one", "1/0", "x/2", "__import__('os')", "1 2; x", "9**9**9", "(" * 200, "1,2,x", 7, None],
)
def test_anything_else_stays_as_it_is(typed: Any) -> None:
    assert as_numbers(typed) == typed


def test_a_homework_file_may_hold_them(tmp_path: Path) -> None:
    file = tmp_path / "hw.toml"
    file.write_text(
        'title = "T"\n[[question]]\nfunction = "sum(W @ x) * a"\n'
        'inputs = {W = "1 2; 3 4", x = "1/2, 1", a = "0,5"}\n'
    )
    with pytest.raises(ReportError, match="text"):  # 1/2 stands in no list
        traces_of(read_homework(file))
    file.write_text(file.read_text().replace("1/2, 1", "0.5 1"))
    found = traces_of(read_homework(file))["q1"]
    plain = trace("sum(W @ x) * a", {"W": [[1, 2], [3, 4]], "x": [0.5, 1], "a": 0.5})
    assert found.value == plain.value
    assert read_homework(file, {"a": "1/4"}).questions[0].inputs["a"] == 0.25
