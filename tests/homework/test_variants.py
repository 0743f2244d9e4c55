"""Variants: one seed gives one homework with plain numbers, fit for use, the same every time."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from report import ReportError
from report.homework import variants
from report.homework.homework import Homework, read_homework
from report.homework.traces import trace_question
from report.homework.variants import draw

ROOT = Path(__file__).parents[2]
TWO = """title = "T"
[[question]]
function = "sin(x) * w"
[question.inputs]
x = {uniform = [-3, 3], digits = 1}
w = {integers = [1, 9]}
[[question]]
function = "sum(W @ v)"
inputs = {W = {normal = [0, 1], shape = [2, 2]}, v = [1, 2]}
"""


def homework(folder: Path, text: str, **options: Any) -> Homework:
    path = folder / "hw.toml"
    path.write_text(text, encoding="utf-8")
    return read_homework(path, **options)


def one(folder: Path, function: str, inputs: str, require: str = "", **options: Any) -> Homework:
    text = f'title = "T"\n[[question]]\nfunction = "{function}"\n{require}\ninputs = {inputs}\n'
    return homework(folder, text, **options)


def refusal(work: Homework, seed: Any = 1) -> str:
    with pytest.raises(ReportError) as caught:
        draw(work, seed)
    return str(caught.value)


# ---------------------------------------------------------------- the same for a seed


def test_a_seed_decides_every_number(tmp_path: Path) -> None:
    work = homework(tmp_path, TWO)
    variant = draw(work, "1815")
    assert draw(work, "1815") == variant
    assert variant.seed == "1815"
    assert not variants.has_random_inputs(variant)
    assert variant.questions[1].inputs["v"] == [1, 2]
    others = {variants.numbers(draw(work, seed)) for seed in range(30)}
    assert len(others) == 30


def test_another_process_draws_the_same(tmp_path: Path) -> None:
    variant = draw(homework(tmp_path, TWO), "1815")
    code = (
        "import sys; from report.homework.homework import read_homework; from report.homework.variants import draw\n"
        "print(draw(read_homework(sys.argv[1]), '1815').to_toml(), end='')"
    )
    for hashing in ("0", "12345"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "hw.toml")],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hashing},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == variant.to_toml()


def test_numbers_and_texts_are_seeds(tmp_path: Path) -> None:
    work = homework(tmp_path, TWO)
    assert draw(work, 7) == draw(work, "7") == draw(work, " 7 ")
    assert draw(work, "007") != draw(work, "7")
    assert draw(work, "e\u0301") == draw(work, "\xe9")  # one letter, written in two ways
    for seed in (1.5, True, None, b"x", "a\nb", "\x1b", "x" * 201):
        with pytest.raises(ReportError, match="seed"):
            draw(work, seed)


def test_the_seed_of_the_file_is_used_where_none_is_given(tmp_path: Path) -> None:
    work = homework(tmp_path, f"seed = 7\n{TWO}")
    assert draw(work) == draw(homework(tmp_path, TWO), 7)
    assert draw(work, 8).seed == "8"
    assert draw(homework(tmp_path, TWO, overrides={"seed": "8"})) == draw(work, 8)


def test_a_variant_reads_back_equal_and_stays_as_it_is(tmp_path: Path) -> None:
    text = TWO.replace('title = "T"', 'title = "T"\nrequire = "abs(f) < 1"')
    variant = draw(homework(tmp_path, text), "1815")
    back = homework(tmp_path, variant.to_toml())
    assert back == variant
    assert back.to_toml() == variant.to_toml()
    assert draw(back) == draw(back, "1815") == back
    assert "no random inputs" in refusal(back, "1816")


def test_what_was_not_drawn_reads_back_equal(tmp_path: Path) -> None:
    text = TWO.replace('title = "T"', 'title = "T"\nseed = "é"\nrequire = ["q1.f < q2.f"]')
    work = homework(
        tmp_path, text.replace("[question.inputs]", 'require = ["x != 0"]\n[question.inputs]')
    )
    assert work.questions[0].require == ("x != 0",)
    assert homework(tmp_path, work.to_toml()) == work


def test_setting_one_input_leaves_the_others(tmp_path: Path) -> None:
    drawn = draw(homework(tmp_path, TWO), "a").questions
    work = homework(tmp_path, TWO, overrides={"q1.x": 0.5, "q2.v": [3, 4]})
    other = draw(work, "a").questions
    assert other[0].inputs == {"x": 0.5, "w": drawn[0].inputs["w"]}
    assert other[1].inputs == {"W": drawn[1].inputs["W"], "v": [3, 4]}


def test_a_homework_without_random_inputs_stays_as_it_is(tmp_path: Path) -> None:
    work = one(tmp_path, "x", "{x = 1}")
    assert draw(work) is work
    assert "has no random inputs, so there is nothing for a seed to decide" in refusal(work)


def test_random_inputs_need_a_seed(tmp_path: Path) -> None:
    assert "give --seed 1, or write seed = 1" in refusal(homework(tmp_path, TWO), None)


# ---------------------------------------------------------------- drawn again


def test_conditions_hold_for_every_seed(tmp_path: Path) -> None:
    text = TWO.replace(
        'title = "T"', 'title = "T"\nrequire = ["abs(f) < 4", "q1.f > q2.f"]'
    ).replace("w = {", "w = {", 1)
    text = text.replace("[question.inputs]", 'require = ["d.x > 0.1"]\n[question.inputs]', 1)
    work = homework(tmp_path, text)
    for seed in range(25):
        first, second = (trace_question(q) for q in draw(work, seed).questions)
        x, w = (first.inputs[i].value for i in (0, 1))
        assert math.cos(x) * w > 0.1
        assert abs(first.value) < 4
        assert abs(second.value) < 4
        assert first.value > second.value


@pytest.mark.parametrize(
    ("function", "inputs", "allowed"),
    [
        ("relu(x) + x", "{x = {choice = [0, 1]}}", {1}),  # 0 is the kink
        ("abs(x) + maximum(x, 2)", "{x = {integers = [0, 3]}}", {1, 3}),
        ("log(x)", "{x = {integers = [-2, 1]}}", {1}),  # outside the domain
        ("1 / (x - 2)", "{x = {integers = [1, 2]}}", {1}),
        ("sqrt(x)", "{x = {choice = [0, 4]}}", {4}),  # the derivative at 0 is infinite
        ("exp(x)", "{x = {choice = [1, 800]}}", {1}),  # overflow
        ("(x - 3)**2", "{x = {choice = [3, 5]}}", {5}),  # the gradient vanishes
        ("sigmoid(x)", "{x = {choice = [1, 30]}}", {1}),
    ],
)
def test_a_variant_that_teaches_nothing_is_drawn_again(
    tmp_path: Path, function: str, inputs: str, allowed: set[int]
) -> None:
    work = one(tmp_path, function, inputs)
    assert {draw(work, seed).questions[0].inputs["x"] for seed in range(40)} == allowed


def test_one_gradient_that_does_not_vanish_is_enough(tmp_path: Path) -> None:
    work = one(tmp_path, "x * y", "{x = {choice = [0, 0]}, y = 1}")
    assert draw(work, 1).questions[0].inputs["x"] == 0
    work = one(tmp_path, "x * y", "{x = {choice = [0, 0]}, y = 1}", 'wrt = ["y"]')
    assert "every gradient asked for is smaller than 1e-06" in refusal(work)


@pytest.mark.parametrize(
    ("require", "words"),
    [
        ('["f < 0", "x > 1"]', "1000 times the condition f < 0 does not hold"),
        ('["x > 2", "f < 0"]', "times the condition x > 2 does not hold"),
        ('["saturated"]', "the condition saturated does not hold"),
    ],
)
def test_conditions_that_cannot_hold_are_told(tmp_path: Path, require: str, words: str) -> None:
    work = one(tmp_path, "exp(x)", "{x = {uniform = [0, 2.1], digits = 1}}", f"require = {require}")
    message = refusal(work)
    assert "hw.toml, question q1: none of 1000 draws with the seed 1 will do" in message
    assert words in message


def test_the_condition_that_fails_most_often_is_named(tmp_path: Path) -> None:
    work = one(tmp_path, "x", "{x = {integers = [1, 100]}}", 'require = ["x < 98", "x > 97"]')
    assert "times the condition x > 97 does not hold" in refusal(work)


def test_values_outside_every_domain_are_told_with_an_example(tmp_path: Path) -> None:
    message = refusal(one(tmp_path, "log(x)", "{x = {uniform = [-3, -1]}}"))
    assert "1000 times a value is outside a gate's domain, such as: " in message
    assert "x must be positive" in message


def test_a_joint_condition_that_cannot_hold_is_told(tmp_path: Path) -> None:
    text = f'require = "q1.f > q2.f + 100"\n{TWO}'
    message = refusal(homework(tmp_path, text))
    assert "times the condition q1.f > q2.f + 100 does not hold" in message


# ---------------------------------------------------------------- faults that no draw mends


@pytest.mark.parametrize(
    ("function", "inputs", "require", "words"),
    [
        ("x +", "{x = {integers = [1, 2]}}", "", "question q1: "),
        ("x + y", "{x = {integers = [1, 2]}}", "", "y"),
        ("x @ y", "{x = {integers = [1, 2], shape = 2}, y = [1, 2, 3]}", "", "(2,)"),
        ("x", "{x = {integer = [1, 2]}}", "", "input x is a table of 'integer'"),
        ("x", "{x = {integers = [1, 2]}}", 'require = "x <"', "require: 'x <' is no condition"),
        ("x", "{x = {integers = [1, 2]}}", 'require = "y < 1"', "names y, which is no input"),
        ("x", "{x = {integers = [1, 2]}}", 'require = "x"', "is a number"),
        ("x", "{x = 1}", 'require = "x > 1"', "does not hold, and the inputs that it depends on are given"),
    ],
)  # fmt: skip
def test_a_fault_of_the_homework_is_told_at_once(
    tmp_path: Path, function: str, inputs: str, require: str, words: str
) -> None:
    work = one(tmp_path, function, inputs, require)
    message = refusal(work, None if "x = 1}" in inputs else 1)
    assert words in message
    assert "1000" not in message


def test_a_joint_condition_on_given_inputs_is_told(tmp_path: Path) -> None:
    text = f'require = "q1.f > q2.f"\n{TWO}'
    work = homework(tmp_path, text, overrides={"q1.x": 1, "q1.w": 1, "q2.W": [[9, 9], [9, 9]]})
    assert "the inputs that it depends on are given" in refusal(work, None)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("require = 3", "require must be a list of conditions, not 3"),
        ("require = [3]", "require must be a list of conditions"),
        ('require = ["a\\nb"]', "has several lines"),
        (f"require = {['f > 1'] * 51}", "51 conditions; 50 are possible"),
        ("seed = 1.5", "seed is 1.5; it is a whole number or a text"),
        ("seed = true", "seed is True"),
    ],
)
def test_what_is_no_seed_or_condition_in_a_file_is_refused(
    tmp_path: Path, line: str, words: str
) -> None:
    with pytest.raises(ReportError) as caught:
        homework(tmp_path, f"{line}\n{TWO}")
    assert words in str(caught.value)


def test_what_belongs_to_the_top_and_what_to_a_question(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="seed belongs at the top of the file"):
        homework(tmp_path, TWO.replace("[[question]]", "[[question]]\nseed = 1", 1))


def test_how_many_variants_there_can_be(tmp_path: Path) -> None:
    assert variants.variety(one(tmp_path, "x", "{x = 1}")) == 1
    inputs = "{x = {integers = [1, 3]}, y = {choice = [1, 2]}}"
    assert variants.variety(one(tmp_path, "x*y", inputs)) == 6
