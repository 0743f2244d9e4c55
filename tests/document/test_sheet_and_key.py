"""The sheet tells the question and nothing of the answer; the key tells the answer; both fit the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pypdf
import pytest
from markupsafe import Markup

import report
from report import ReportError, number_format, pipeline
from report.autodiff.trace import Trace
from report.classroom.class_pages import StudentResult, class_key, result_line
from report.document.sheet_and_key import key, sheet
from report.homework import written_answers
from report.homework.homework import Homework, read_homework
from report.homework.traces import traces_of
from report.homework.variants import draw
from report.pdf import render

CLASS = Path(__file__).parents[2] / "problems" / "class.toml"


@pytest.fixture(scope="module")
def work() -> Homework:
    given = {"author": "Ada Lovelace", "student_id": "1815"}
    return draw(read_homework(CLASS, given), "1815")


@pytest.fixture(scope="module")
def traces(work: Homework) -> Sequence[Trace]:
    return tuple(traces_of(work).values())


def homework(folder: Path, text: str) -> Homework:
    path = folder / "hw.toml"
    path.write_text(f'title = "T"\n{text}', encoding="utf-8")
    return read_homework(path)


def words_of(html: str) -> list[str]:
    pages = pypdf.PdfReader(_stream(render(html))).pages
    return [page.extract_text() for page in pages]


def _stream(data: bytes):
    import io

    return io.BytesIO(data)


# ---------------------------------------------------------------- the sheet


def test_a_sheet_has_the_question_and_no_answer(work: Homework, traces: Sequence[Trace]) -> None:
    text = " ".join(words_of(sheet(work, traces)))
    for words in ("Homework 3", "Ada Lovelace", "1815", "A layer", "10 points"):
        assert words in text
    for quantity in (q for t in traces for q in t.inputs):
        for value in number_format.entries(quantity.value):
            assert number_format.show(value) in text
    given = {
        number_format.show(v)
        for t in traces
        for q in t.inputs
        for v in number_format.entries(q.value)
    }
    for quantity in (q for t in traces for q in (*t.inputs, *t.gates)):
        found = number_format.entries(quantity.gradient)
        found += [] if quantity.node.is_input else number_format.entries(quantity.value)
        for number in (number_format.show(v, 3) for v in found):
            assert len(number) < 4 or number in given or number not in text


def test_a_sheet_has_a_row_for_every_gate(work: Homework, traces: Sequence[Trace]) -> None:
    page = sheet(work, traces)
    gates = sum(len(t.gates) for t in traces)
    assert len(re.findall(r'<th class="n" scope="row">', page)) == 2 * gates
    assert page.count('<div class="box answer') == sum(len(t.gradients) for t in traces)


@pytest.mark.parametrize(
    ("problem", "pages"), [("one-gate", 1), ("homework1", 3), ("micrograd", 4), ("lstm", 6)]
)
def test_a_sheet_takes_as_few_pages_as_it_needs(problem: str, pages: int) -> None:
    """A page is full before the next one begins, and none holds a single row of a table."""
    work = read_homework(CLASS.parent / f"{problem}.toml")
    texts = words_of(sheet(work, tuple(traces_of(work).values())))
    assert len(texts) == pages
    for text in texts:
        rows = len(re.findall(r"(?m)^\d+ +(?:∂|\S+ = )", text))
        assert "Gate" not in text or rows > 1


def test_a_sheet_carries_no_solution(work: Homework) -> None:
    pdfs = pipeline.make(work, ("sheet", "key")).pdfs
    for pdf in pdfs.values():
        assert not pypdf.PdfReader(_stream(pdf)).attachments


@pytest.mark.parametrize(
    "function",
    ["x", "3", "x * x * x", "sum(W @ v)", "sum(softmax(W @ v) * v)", "\n".join(
        ["z0 = sin(x)", *(f"z{i} = cos(z{i - 1}) + x" for i in range(1, 80)), "z79 * x"])],
    ids=["input", "constant", "repeated", "matrix", "softmax", "many"],
)  # fmt: skip
def test_any_question_has_a_sheet_and_a_key(tmp_path: Path, function: str) -> None:
    inputs = "{x = 0.5, W = [[1, 2], [3, 4]], v = [0.1, 0.2]}"
    made = homework(tmp_path, f"[[question]]\nfunction = '''\n{function}'''\ninputs = {inputs}\n")
    found = tuple(traces_of(made).values())
    pages = words_of(sheet(made, found))
    if "z79" in function:
        assert "the 60 between them" in " ".join(pages)
    assert "never by more than 0.5 %" in " ".join(words_of(key(made, found))).replace("\n", " ")


def test_a_sheet_without_a_name_has_room_for_one(tmp_path: Path) -> None:
    made = homework(tmp_path, '[[question]]\nfunction = "x"\ninputs = {x = 1}\n')
    found = tuple(traces_of(made).values())
    assert "Student ID" in " ".join(words_of(sheet(made, found)))


# ---------------------------------------------------------------- the key


def test_a_key_is_one_page_with_every_result(work: Homework, traces: Sequence[Trace]) -> None:
    pages = words_of(key(work, traces))
    assert len(pages) == 1
    shown = [
        (float(text.replace("−", "-")), 10.0 ** -len(text.partition(".")[2]))
        for text in re.findall(r"−?\d+\.\d+", pages[0])
    ]
    for trace in traces:
        results = [
            trace.value,
            *(v for g in trace.gradients.values() for v in number_format.entries(g)),
        ]
        for value in results:
            most = written_answers.allowed(value, np.inf)
            for exact in (value, value - most, value + most):
                # to at least three digits, and rounded as it should be
                assert any(
                    abs(number - exact) <= unit / 2 * (1 + 1e-9) and unit <= abs(exact) / 100
                    for number, unit in shown
                )


def test_a_large_gradient_stands_as_a_matrix(tmp_path: Path) -> None:
    rows = [[i + j / 10 for j in range(5)] for i in range(4)]
    made = homework(tmp_path, f'[[question]]\nfunction = "sum(W*W)"\ninputs = {{W = {rows}}}\n')
    page = key(made, tuple(traces_of(made).values()))
    assert page.count('scope="row"') == 1  # f alone
    assert page.count('<div class="formula">') == 1


def test_the_key_of_a_class_names_everyone(work: Homework) -> None:
    entries = [
        StudentResult(
            "1815",
            "Ada <b>",
            "2026/1815",
            (
                result_line(
                    "q1", {"name": "L", "f": 0.5, "gradients": {"w1": -1.25, "W": [[1, 2], [3, 4]]}}
                ),
            ),
        ),
        StudentResult("7", "", "7", (Markup("q1: f = 1"),)),
    ]
    text = " ".join(words_of(class_key(work, entries)))
    assert "Answer key of 2 students" in text
    assert "Ada <b>" in text
    assert "seed 2026/1815" in text
    assert "seed 7" not in text
    assert "q1: L = 0.5, ∂L/∂w1 = −1.25, ∂L/∂W = [1 2; 3 4]" in " ".join(text.split())


# ---------------------------------------------------------------- built by name


def test_editions_are_built_by_name(tmp_path: Path) -> None:
    made = report.build(CLASS, tmp_path / "sheet.pdf", seed=1, edition="sheet")
    assert made.pages == len(pypdf.PdfReader(made.path).pages)
    assert "passed" not in str(made)
    with pytest.raises(ReportError, match=r"no edition 'sheets'; did you mean sheet\?"):
        report.build(CLASS, tmp_path / "x.pdf", seed=1, edition="sheets")
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.pdf"]


def test_a_key_is_made_only_when_everything_agrees(
    tmp_path: Path, with_rule: Callable[[str, Any], None]
) -> None:
    with_rule("tanh", lambda g, y, x: g * 0.5)
    with pytest.raises(report.ReportError, match="a check failed"):
        report.build("problems/one-gate.toml", tmp_path / "key.pdf", edition="key")
    assert not list(tmp_path.iterdir())


def test_a_report_shows_its_seed_and_builds_again_from_what_it_carries(tmp_path: Path) -> None:
    """The file inside has plain numbers and the seed, and gives the same bytes."""
    source = tmp_path / "random.toml"
    source.write_text('title="T"\n[[question]]\nfunction="tanh(x)"\ninputs={x={uniform=[-1, 1]}}\n')
    first = report.build(source, tmp_path / "first.pdf", seed="Ada 1815")
    text = [page.extract_text() for page in pypdf.PdfReader(first.path).pages]
    assert "Seed Ada 1815" in text[0]
    assert "(seed Ada 1815)" in " ".join(text[-1].split())
    inside = tmp_path / "homework.toml"
    inside.write_bytes(pypdf.PdfReader(first.path).attachments["homework.toml"][0])
    report.build(inside, tmp_path / "again.pdf")
    assert (tmp_path / "again.pdf").read_bytes() == (tmp_path / "first.pdf").read_bytes()


# ---------------------------------------------------------------- what is asked beyond gradients


FURTHER = """
[[question]]
function = "(a*x + b - 1)^2"
inputs = {a = 1.6, x = 1.5, b = 0.5}
wrt = ["a", "b"]
hessian = true
steps = 2
method = "adam"
direction = {a = 1, b = 2}
[[question]]
function = "z = W @ x\\nsoftmax(z)"
inputs = {W = [[1, 2], [3, 4]], x = [0.5, 0.25]}
wrt = ["x", "z"]
jacobian = true
"""


def test_what_is_asked_beyond_gradients_is_on_the_sheet_and_in_the_key(tmp_path: Path) -> None:
    work = homework(tmp_path, FURTHER)
    traces = tuple(traces_of(work).values())
    blank = sheet(work, traces)
    for title, cells in (
        ("Second derivatives", 4),
        ("Forward mode", 4),
        ("Steps", 6),
        ("The Jacobian", 4),
    ):
        after = blank.partition(f"<h3>{title}</h3>")[2].partition("</table>")[0]
        assert after.count('<td class="blank">') == cells
    numbers = re.findall(r'<td class="num (?:gradient|value)">([^<]+)</td>', key(work, traces))
    found = [float(n.replace("\N{MINUS SIGN}", "-")) for n in numbers]
    u = 1.6 * 1.5 + 0.5 - 1
    second = [2 * 1.5**2, 2 * 1.5, 2.0]
    assert found[:7] == pytest.approx(
        [u**2, 2 * u * 1.5, 2 * u, *second, 2 * u * (1.5 + 2)], abs=1e-4
    )
    assert found[8:10] == pytest.approx(
        [1.5, 0.4], abs=1e-4
    )  # Adam's first step has the length of the rate
    p = 1 / (1 + np.exp(3 * 0.5 + 4 * 0.25 - 1 * 0.5 - 2 * 0.25))
    J = p * (1 - p) * np.array([[-2, -2], [2, 2]])
    assert found[-4:] == pytest.approx(J.ravel().tolist(), abs=1e-4)
