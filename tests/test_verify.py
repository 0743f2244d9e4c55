"""What a report carries inside: taken out byte for byte, computed anew, and refused where it is hostile."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from pathlib import Path

import pypdf
import pytest

from report import ReportError, answering, attachments, pipeline, program, verify
from report.cli import main as cli
from report.homework.homework import read_homework
from report.pdf import Attachment, render

pytestmark = pytest.mark.xdist_group("verify")
PAGE = '<!doctype html><html lang="en"><head><title>T</title></head><body><h1>T</h1></body></html>'
WORK = """title = "T"
[[question]]
function = "tanh(x) * w"
inputs = {x = 0.5, w = -3}
[[question]]
function = "sum(W @ x)"
inputs = {x = [1, 2], W = [[1, 0.5], [3, 4]]}
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What `build` would put into the PDF of a homework."""
    path = tmp_path_factory.mktemp("work") / "work.toml"
    path.write_text(WORK)
    work = read_homework(path)
    answers = answering.answers_of(work)
    return {a.name: a.data for a in attachments.attachments(work, answers)}


def pdf(folder: Path, files: Mapping[str, bytes]) -> Path:
    """A PDF with these files inside."""
    path = folder / "report.pdf"
    inside = [Attachment(n, d, "Data", "text/plain", n) for n, d in files.items()]
    path.write_bytes(render(PAGE, attachments=inside))
    return path


def changed(files: Mapping[str, bytes], name: str, before: str, after: str) -> dict[str, bytes]:
    assert before in files[name].decode()
    return {**files, name: files[name].replace(before.encode(), after.encode(), 1)}


# ---------------------------------------------------------------- taking out


def test_what_is_put_in_comes_out(tmp_path: Path, files: dict[str, bytes]) -> None:
    path = pdf(tmp_path, files)
    written = verify.extract(path, tmp_path / "new" / "folder")
    assert {p.name: p.read_bytes() for p in written} == files
    assert {"homework.toml", "q1.trace.json", "q1.py", "q1.py.out", "q2_numpy.py"} <= files.keys()
    assert verify.extract(path, tmp_path / "new" / "folder") == written  # the same again is fine


def test_a_built_report_carries_its_homework(tmp_path: Path) -> None:
    out = tmp_path / "one.pdf"
    pipeline.build("problems/one-gate.toml", out, overrides={"x": 0.25})
    (tmp_path / "inside").mkdir()
    verify.extract(out, tmp_path / "inside")
    assert read_homework(tmp_path / "inside" / "homework.toml").questions[0].inputs == {"x": 0.25}
    assert not verify.verify(out, run_programs=True).differences


def test_no_file_is_written_over(tmp_path: Path, files: dict[str, bytes]) -> None:
    mine = tmp_path / "q1.py"
    mine.write_text("mine")
    with pytest.raises(ReportError, match="is there already with other content"):
        verify.extract(pdf(tmp_path, files), tmp_path)
    assert mine.read_text() == "mine"
    assert not (tmp_path / "homework.toml").exists()
    with pytest.raises(ReportError, match="is a file; name a folder"):
        verify.extract(pdf(tmp_path, files), mine)


# ---------------------------------------------------------------- verifying


def test_an_untouched_report_holds(tmp_path: Path, files: dict[str, bytes]) -> None:
    verdict = verify.verify(pdf(tmp_path, files), run_programs=True)
    assert not verdict.differences
    assert "q2_numpy.py prints what stands in the PDF" in verdict.lines


def test_the_last_bit_of_a_number_is_found(
    tmp_path: Path, files: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    value = json.loads(files["q1.trace.json"])["gradients"]["w"]
    other = repr(math.nextafter(value, 1))
    forged = changed(files, "q1.trace.json", repr(value), other)
    assert cli.main(["verify", str(pdf(tmp_path, forged))]) == 1
    out = capsys.readouterr().out
    assert f"is {other}, computed anew it is {value!r}" in out


@pytest.mark.parametrize(
    ("name", "before", "after", "words"),
    [
        ("homework.toml", "0.5", "0.25", "q1.trace.json: inputs[x].value is 0.5, computed anew it is 0.25"),
        ("q1.trace.json", '"name": "q1"', '"name": "q9"', "gates[q1].name is 'q9'"),
        ("q1.trace.json", '"version": 2,', "", "version is missing, computed anew it is 2"),
        ("q1.py", "tanh", "sinh", "q1.py is not the program of this trace"),
    ],
)  # fmt: skip
def test_other_changes_are_found(
    tmp_path: Path, files: dict[str, bytes], name: str, before: str, after: str, words: str
) -> None:
    verdict = verify.verify(pdf(tmp_path, changed(files, name, before, after)))
    assert any(words in d for d in verdict.differences)


def test_programs_run_only_when_asked(
    tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = changed(files, "q1.py.out", "gradient", " gradient")
    with monkeypatch.context() as patch:
        patch.setattr(program, "run", lambda given: pytest.fail("a program was run"))
        assert not verify.verify(pdf(tmp_path, forged)).differences
    verdict = verify.verify(pdf(tmp_path, forged), run_programs=True)
    assert verdict.differences == ("q1.py prints something else than what stands in the PDF",)


def test_a_changed_digit_of_an_output_is_found_without_running_it(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    gradient = f"{json.loads(files['q1.trace.json'])['gradients']['w']:.12g}"
    digit = gradient[6]
    other = gradient[:6] + ("7" if digit != "7" else "2") + gradient[7:]
    forged = changed(files, "q1.py.out", gradient, other)
    assert "q1.py.out: the gradient of w is another one than in the trace" in (
        verify.verify(pdf(tmp_path, forged)).differences
    )


@pytest.mark.parametrize(
    "text", ["", "42", "forward pass\n  q1  1.2.3\n", "forward pass\n  q1  (2)\n"]
)
def test_an_output_of_another_kind_is_found(
    tmp_path: Path, files: dict[str, bytes], text: str
) -> None:
    forged = {**files, "q1.py.out": text.encode()}
    assert any("q1.py.out" in d for d in verify.verify(pdf(tmp_path, forged)).differences)


def test_an_altered_program_is_not_run(tmp_path: Path, files: dict[str, bytes]) -> None:
    canary = tmp_path / "canary"
    forged = {**files, "q1.py": files["q1.py"] + f"\nopen({str(canary)!r}, 'w')\n".encode()}
    verdict = verify.verify(pdf(tmp_path, forged), run_programs=True)
    assert verdict.differences == ("q1.py is not the program of this trace",)
    assert "q1.py was not run" in verdict.lines
    assert "q2.py prints what stands in the PDF" in verdict.lines
    assert not canary.exists()


def test_a_file_that_is_missing_or_too_many_is_found(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    without = {n: d for n, d in files.items() if n not in ("q1.py", "q1.py.out")}
    assert verify.verify(pdf(tmp_path, without)).differences == ("q1.py is missing",)
    more = {**files, "zz.py": b"print(1)"}
    assert verify.verify(pdf(tmp_path, more), run_programs=True).differences == (
        "zz.py is no file of this report",
    )


def test_an_output_that_would_take_an_age_to_read_is_refused(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    forged = {**files, "q1.py.out": b"    value\na  " + b" " * 60_000 + b"x\n"}
    (difference,) = verify.verify(pdf(tmp_path, forged)).differences
    assert "line 2 of the output is too long" in difference


def test_a_number_beyond_all_floats_is_another_one(tmp_path: Path, files: dict[str, bytes]) -> None:
    trace = json.loads(files["q1.trace.json"])
    trace["value"] = 10**400
    forged = {**files, "q1.trace.json": json.dumps(trace).encode(), "made-with.json": b"{}"}
    assert any("value is 1000" in d for d in verify.verify(pdf(tmp_path, forged)).differences)


def test_a_program_that_fails_is_one_difference_among_others(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    forged = {**files, "made-with.json": b"{}", "q1.py": b"1 / 0\n"}
    verdict = verify.verify(pdf(tmp_path, forged), run_programs=True)
    assert len(verdict.differences) == 1
    assert "q1.py ended with status 1" in verdict.differences[0]
    assert "q2.py prints what stands in the PDF" in verdict.lines


def test_a_fault_of_the_homework_file_names_it(tmp_path: Path, files: dict[str, bytes]) -> None:
    forged = {**files, "homework.toml": b"title = 3"}
    with pytest.raises(ReportError, match=r"^homework\.toml in the PDF: title must be text"):
        verify.verify(pdf(tmp_path, forged))


# ---------------------------------------------------------------- hostile files


def writer(files: Mapping[str, bytes]) -> pypdf.PdfWriter:
    made = pypdf.PdfWriter()
    made.add_blank_page(100, 100)
    for name, data in files.items():
        made.add_attachment(name, data)
    return made


def saved(path: Path, made: pypdf.PdfWriter) -> Path:
    stream = io.BytesIO()
    made.write(stream)
    path.write_bytes(stream.getvalue())
    return path


@pytest.mark.parametrize(
    "name", ["../up", "..", ".hidden", "/etc/x", "a/b", "a\\b", "", "a b", "x" * 102, "é"]
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path / "x.pdf", writer({name: b"x", "homework.toml": WORK.encode()}))
    for read in (verify.verify, lambda p: verify.extract(p, tmp_path / "deep" / "folder")):
        with pytest.raises(ReportError, match="which is not safe"):
            read(path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["x.pdf"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a PDF"),
        (b"title = 'T'", "is not a PDF"),
        (b"%PDF-1.7\n", "cannot be read as a PDF"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 20, "cannot be read as a PDF"),
    ],
)
def test_what_is_no_pdf_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(content)
    with pytest.raises(ReportError, match=words):
        verify.read_files(path)


def test_a_pdf_without_a_report_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.pdf", writer({}))
    with pytest.raises(ReportError, match=r"carries no homework\.toml"):
        verify.read_files(path)
    with pytest.raises(ReportError, match="No such file"):
        verify.read_files(tmp_path / "none.pdf")
    with pytest.raises(ReportError):
        verify.read_files(tmp_path)
    with pytest.raises(ReportError, match="no regular file"):
        verify.read_files("/dev/zero")


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.99])
def test_a_torn_pdf_is_refused(tmp_path: Path, files: dict[str, bytes], keep: float) -> None:
    path = pdf(tmp_path, files)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(ReportError):
        verify.verify(path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("homework.toml", b"import os", "is not TOML"),
        ("homework.toml", b"\xff", "is not UTF-8"),
        ("homework.toml", b'title="T"\n[[question]]\nfunction="log(x)"\ninputs={x=-1}', "positive"),
        ("made-with.json", b"{", "made-with.json in the PDF is not JSON"),
        ("q1.trace.json", b"\xff\xfe", "q1.trace.json in the PDF is not text"),
        ("q1.trace.json", b"[" * 200_000, "nests too deeply"),
        ("q1.trace.json", None, "carries no q1.trace.json"),
        ("q1.py.out", None, "carries no q1.py.out"),
    ],
    ids=range(8),
)
def test_broken_contents_are_refused(
    tmp_path: Path, files: dict[str, bytes], name: str, content: bytes | None, words: str
) -> None:
    inside = {n: d for n, d in files.items() if n != name} | ({name: content} if content else {})
    with pytest.raises(ReportError, match=words):
        verify.verify(saved(tmp_path / "x.pdf", writer(inside)), run_programs=True)


def test_too_much_inside_is_refused(
    tmp_path: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pdf(tmp_path, files)
    monkeypatch.setattr(verify, "MAX_EMBEDDED", 100)
    with pytest.raises(ReportError, match="too large"):
        verify.read_files(path)
    monkeypatch.setattr(verify, "MAX_FILE", 100)
    with pytest.raises(ReportError, match="no report is"):
        verify.read_files(path)
