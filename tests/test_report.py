"""The whole way: homework files to finished PDFs, read back by other libraries."""

import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import page as validator
import pypdf
import pypdfium2
import pytest

import report
from report import pipeline, verify
from report.errors import CheckError
from report.homework.homework import Homework
from tests.problem_files import HOMEWORK1, answered, each_problem, of

REFERENCE = {"w1": 0.0314624940538, "w2": -0.0629249881076}


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Every problem file as a PDF and its number of pages, built once, when it is asked for."""
    folder = tmp_path_factory.mktemp("pdf")
    made: dict[str, tuple[Path, int]] = {}

    def build(problem: Path):
        if problem.stem not in made:
            found = answered(problem)
            pdf = pipeline.solution(found.work, found.answers)
            out = folder / f"{problem.stem}.pdf"
            out.write_bytes(pdf)
            made[problem.stem] = (out, pdf.pages)
        return made[problem.stem]

    return build


def text_of(path: Path) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)


@each_problem()
def test_every_problem_gives_a_report(problem, built):
    path, pages = built(problem)
    found = answered(problem)
    assert [answer.verification.failures for answer in found.answers] == [()] * len(found.answers)
    check_contents(path, found.work, pages)
    check_margins(path)
    check_pages(path)
    check_conformance(path)


def check_pages(path: Path) -> None:
    """No page is left nearly empty, but for the last one and those before a question begins.

    No heading of a question is the last line of a page.
    """
    document = pypdfium2.PdfDocument(path)
    texts = [page.get_textpage().get_text_range() for page in document]
    starts = {
        number
        for number, text in enumerate(texts)
        if re.search(r"^Question \d+\.", text, re.MULTILINE)
    }
    for text in texts:
        end = text.split("\r\n")[-3:]  # the last line, what runs above each page, its number
        assert not any(line.startswith("Question ") for line in end)
    for number, page in enumerate(document):
        grey = page.render(scale=1, grayscale=True).to_numpy()
        high = grey.shape[0]
        body = grey[int(0.08 * high) : int(0.93 * high)]
        lowest = np.flatnonzero((body < 235).any(axis=1))[-1] / len(body)
        if number + 1 < len(document) and number + 1 not in starts:
            assert lowest > 0.45, f"page {number + 1} is {lowest:.0%} full"
    document.close()


def check_contents(path: Path, work: Homework, pages: int) -> None:
    """Title, questions, page numbers and bookmarks are there."""
    reader, document = pypdf.PdfReader(path), pypdfium2.PdfDocument(path)
    assert len(reader.pages) == len(document) == pages
    text = "\n".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    assert work.title in text
    assert f"Page 1 of {pages}" in text
    assert f"Page {pages} of {pages}" in text
    bookmarks = [re.sub(r"\s+", " ", str(item.title)) for item in _flat(reader.outline)]
    for number, question in enumerate(work.questions, start=1):
        assert "$" in question.title or question.title in text
        assert f"{question.id}.py" in text
        assert any(mark.startswith(f"Question {number}") for mark in bookmarks)
    assert any("Reproduce" in mark for mark in bookmarks)


def _flat(outline):
    for item in outline:
        if isinstance(item, list):
            yield from _flat(item)
        else:
            yield item


def check_margins(path: Path) -> None:
    """Pixels: ink keeps 2 mm from the left edge, where gates stand, and 18 mm from the right."""
    document = pypdfium2.PdfDocument(path)
    for number, page in enumerate(document, start=1):
        grey = page.render(scale=100 / 72, grayscale=True).to_numpy()  # 100 dots an inch
        inked = np.flatnonzero((grey < 200).any(axis=0)) * 25.4 / 100
        left, right = inked[0], grey.shape[1] * 25.4 / 100 - inked[-1]
        assert left >= 2, f"page {number}: ink {left:.1f} mm from the left edge"
        assert right >= 18, f"page {number}: ink {right:.1f} mm from the right edge"
        page.close()
    document.close()


def check_conformance(path: Path) -> None:
    """Accessible and archival in one file, by a validator that is not ours.

    Its rule on stream lengths misreads streams whose bytes end like a line; ours looks at the file.
    """
    data = path.read_bytes()
    for profile in ("ua1", "3a"):
        found = validator.validate_pdf_bytes(data, profile=profile)
        faults = [f"{failure.rule_id}: {failure.message}" for failure in found.failures]
        assert not [fault for fault in faults if "STREAM-LENGTH" not in fault]
    for stream in re.finditer(rb"/Length (\d+)[^>]*?>>\s*stream\n", data):
        end = stream.end() + int(stream[1])
        assert data[end : end + 10] == b"\nendstream"


@of("homework1")
def test_what_the_tests_of_a_file_share_is_what_a_build_writes(built, tmp_path):
    summary = report.build(HOMEWORK1, tmp_path / "out.pdf")
    path, pages = built(HOMEWORK1)
    assert (tmp_path / "out.pdf").read_bytes() == path.read_bytes()
    assert (summary.questions, summary.pages) == (2, pages)
    report.build(HOMEWORK1, tmp_path / "out.html")
    assert (tmp_path / "out.html").read_text(encoding="utf-8") == answered(HOMEWORK1).html


@of("homework1")
def test_homework1_shows_the_right_numbers(built):
    text = text_of(built(HOMEWORK1)[0])
    for number in (
        "0.335560882292",
        "0.77168911322",
        "0.0314624940538",
        "−0.06292498811",
        "0.162146729224",
    ):
        assert number in text
    for wrong in ("0.77176225", "−0.01164", "0.02327"):  # what was handed in by hand
        assert wrong not in text
    assert "Student ID 0000000" in text
    assert "21 October 2023" in text


@of("homework1")
def test_every_page_has_name_and_id(built):
    reader = pypdf.PdfReader(built(HOMEWORK1)[0])
    for page in reader.pages:
        text = page.extract_text()
        assert "Your Name" in text
        assert "0000000" in text


@of("homework1")
def test_the_contents_of_a_long_report_name_the_pages(tmp_path, built):
    """Under ten pages there are none; of more, each heading is on the page that they name."""
    short = pypdf.PdfReader(built(HOMEWORK1)[0])
    assert len(short.pages) < 10
    assert "Contents" not in short.pages[0].extract_text()
    source = HOMEWORK1.read_text()
    again = source.replace('id = "q', 'id = "r')
    work = tmp_path / "work.toml"
    work.write_text(source + again[again.index("[[question]]") :])
    report.build(work, tmp_path / "out.pdf", overrides={"detail": "full"})
    pages = [page.extract_text() for page in pypdf.PdfReader(tmp_path / "out.pdf").pages]
    assert len(pages) >= 10
    before, _, rest = pages[0].partition("DTSC740")  # floats stand first in the stream
    titles = rest.partition("Contents\n")[2].partition("\nQuestion value")[0].split("\n")
    assert titles[:3] == [
        "Question 1: Scalar backpropagation", "Computational graph", "Forward pass",
    ]  # fmt: skip
    headings = {
        "Program": "A program that implements the graph",
        "Vectorised program": "The same program, vectorised",
    }
    for title, number in zip(titles, before.split(), strict=True):
        heading = headings.get(title, title.partition(": ")[2] or title)
        assert heading in pages[int(number) - 1], f"{title} is not on page {number}"


MOST_PAGES = {
    "homework1": 7, "softmax-cross-entropy": 6, "logistic-regression": 6, "attention": 9, "lstm": 14,
    "convolution": 14, "gru": 12, "batch-norm": 11, "layer-norm": 11, "mlp-batch": 11, "micrograd": 8,
    "one-gate": 2, "rosenbrock": 4, "six-lines": 10,
}  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(name, marks=of(name)) for name in MOST_PAGES])
def test_a_report_is_no_longer_than_a_careful_author_makes_it(name, built):
    assert built(HOMEWORK1.with_stem(name))[1] <= MOST_PAGES[name]


@of("homework1")
def test_fonts_are_embedded(built):
    reader = pypdf.PdfReader(built(HOMEWORK1)[0])
    found = set()
    for page in reader.pages:
        resources: Any = page["/Resources"]
        for font in resources["/Font"].values():
            described = (
                font.get_object()["/DescendantFonts"][0]
                .get_object()["/FontDescriptor"]
                .get_object()
            )
            assert any(key in described for key in ("/FontFile", "/FontFile2", "/FontFile3"))
            found.add(str(described["/FontName"]))
    assert any("STIX" in name for name in found)


@of("homework1")
def test_the_programs_and_their_real_output_stand_in_the_report(built):
    path, _ = built(HOMEWORK1)
    text = text_of(path)
    files = verify.read_files(path)
    for name in ("q1.py", "q2.py", "q2_numpy.py"):
        assert f"python3 {name}" in text
        for line in files[f"{name}.out"].decode().splitlines()[:6]:
            assert line.split()[-1] in text if line.strip() else True
    assert "q1_numpy.py" not in files  # the question has no tensors


# ---------------------------------------------------------------- overrides, failures, bad places


@of("homework1")
def test_a_program_copied_from_a_browser_runs(built):
    """PDFium, the viewer of Chrome, takes spaces together: an indentation is tabs."""
    path, _ = built(HOMEWORK1)
    document = pypdfium2.PdfDocument(path)
    text = next(t for t in map(page_text, document) if "q2.py" in t and "def slope" in t)
    document.close()
    code = text[text.index('"""f(') : text.index("show(*row)")] + "show(*row)"
    printed = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert "W[2][2]" in printed.stdout


def page_text(page):
    return page.get_textpage().get_text_range().replace("\r\n", "\n")


@of("homework1")
def test_overrides_change_every_number(tmp_path):
    out = tmp_path / "mine.pdf"
    report.build(HOMEWORK1, out, overrides={"q1.x1": 2, "q1.w1": 0.5})
    text = text_of(out)
    x1, w1, x2, w2 = 2, 0.5, -2, 3
    f = 1 / (2 + np.sin(x1 * w1) ** 2 + np.cos(x2 * w2))
    gradient = -(f**2) * 2 * np.sin(x1 * w1) * np.cos(x1 * w1) * x1
    assert f"{f:.12g}" in text
    assert f"{gradient:.10g}".replace("-", "−") in text
    assert "0.335560882292" not in text


def test_a_disagreement_leaves_no_pdf(tmp_path, with_rule):
    """A wrong rule is found: the trace then disagrees with the differences and with sympy."""
    out = tmp_path / "out.pdf"
    with_rule("sin", lambda g, y, x: g * 0.5)
    with pytest.raises(
        CheckError, match=r"d/dw1 is .* by the trace but .* by the central difference"
    ):
        report.build(HOMEWORK1, out)
    assert list(tmp_path.iterdir()) == []


def test_a_good_pdf_is_not_replaced_by_a_failed_build(tmp_path):
    out = tmp_path / "out.pdf"
    out.write_bytes(b"good")
    with pytest.raises(report.ReportError):
        report.build(HOMEWORK1, out, overrides={"q1.x1": float("nan")})
    assert out.read_bytes() == b"good"
    assert [p.name for p in tmp_path.iterdir()] == ["out.pdf"]


def test_a_folder_as_target_is_refused(tmp_path):
    with pytest.raises(report.ReportError, match="folder"):
        report.build("problems/one-gate.toml", tmp_path)


# ---------------------------------------------------------------- extreme functions


def homework(tmp_path: Path, function: str, inputs: str, extra: str = "") -> Path:
    path = tmp_path / "work.toml"
    path.write_text(
        f"title = 'T'\n{extra}\n[[question]]\nfunction = '''\n{function}\n'''\n[question.inputs]\n{inputs}\n"
    )
    return path


@pytest.mark.parametrize(
    ("function", "inputs", "expected"),
    [
        ("sin(x)", "x = 1", ["0.5403023059"]),
        ("x*x*x", "x = 2", ["12"]),
        ("a + a", "a = 5", ["2"]),
        ("x", "x = 3", ["1"]),
        ("3", "x = 1", ["0"]),
        ("2 * x", "x = 3\ny = 4", ["does not use y"]),
        ("x**x", "x = 2", ["6.772588722"]),
        ("abs(x)", "x = 0", ["kink"]),
        ("sum(X + b)", "X = [[1, 2], [3, 4]]\nb = [1, 2]", ["broadcast to 2 × 2"]),
        ("mean(X @ Y)", "X = [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]\nY = [[1, 0], [2, 1]]", []),
    ],
)
def test_any_function_gives_a_complete_report(function, inputs, expected, tmp_path):
    summary = report.build(homework(tmp_path, function, inputs), tmp_path / "out.pdf")
    text = text_of(tmp_path / "out.pdf")
    for words in expected:
        assert words in text
    assert summary.checks > 0


def test_sixty_gates_and_letter_paper(tmp_path):
    lines = ["z0 = sin(x)"] + [
        f"z{i} = {'cos' if i % 2 else 'sin'}(z{i - 1} + x)" for i in range(1, 30)
    ]
    work = homework(tmp_path, "\n".join([*lines, "z29 * w"]), "x = 0.3\nw = 2", "paper = 'letter'")
    summary = report.build(work, tmp_path / "out.pdf")
    assert summary.gates == 60
    page = pypdf.PdfReader(io.BytesIO((tmp_path / "out.pdf").read_bytes())).pages[0]
    assert [round(float(v)) for v in page.mediabox[2:]] == [612, 792]
