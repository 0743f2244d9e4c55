"""A student's own program in a homework file: in the PDF, in the checks, and never run unasked."""

from __future__ import annotations

from pathlib import Path

import pypdf
import pytest

import report
from report.cli.main import main
from report.errors import CheckError
from report.verify import verify

WORK = 'title="T"\n[[question]]\nfunction="sin(x*w)**2"\nprogram = "mine.py"\ninputs={x=-1, w=3}\n'
RIGHT = """from math import cos, sin
x, w = -1, 3
a = x * w
f = sin(a) ** 2
dw = 2 * sin(a) * cos(a) * x
print("f =", f)
print("dw =", dw)
"""
TWISTED = RIGHT.replace("cos(a) * x", "cos(a)")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hw.toml").write_text(WORK)


def test_a_right_program_stands_in_the_report_and_in_the_file() -> None:
    Path("mine.py").write_text(RIGHT)
    report.build("hw.toml", "out.pdf")
    reader = pypdf.PdfReader("out.pdf")
    text = " ".join(page.extract_text() for page in reader.pages)
    for words in ("A program of my own", "mine.py", "your program", "agrees", "All 2 values"):
        assert words in text
    files = {name: data[0] for name, data in reader.attachments.items()}
    assert files["mine.py"].decode() == RIGHT
    assert files["mine.py.out"].decode().startswith("f = 0.0199148566")
    assert b'program = ["mine.py"]' in files["homework.toml"]


def test_verify_runs_it_only_where_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("mine.py").write_text(RIGHT)
    report.build("hw.toml", "out.pdf")
    assert "mine.py prints what stands in the PDF" in str(verify("out.pdf", run_programs=True))
    monkeypatch.setattr(
        "report.student.sources.run_confined", lambda *a, **k: pytest.fail("it ran")
    )
    verdict = verify("out.pdf", pages=True)
    assert "mine.py is the author's own, and was not run" in verdict.lines
    assert not verdict.differences


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (TWISTED, "first wrong: df/dw is 0.279415"),
        ("print('f =', 0.0199)\n1/0\n", "ZeroDivisionError"),
        ("x = 1\n", "mine.py prints nothing"),
        ("print('hello')\n", "prints no value or gradient of this question"),
        ("open('../hw.toml')\n", "may not read ../hw.toml"),
    ],
)
def test_a_wrong_program_is_a_failed_check_but_in_a_draft(source: str, said: str) -> None:
    Path("mine.py").write_text(source)
    with pytest.raises(CheckError, match=said):
        report.build("hw.toml", "out.pdf")
    assert not Path("out.pdf").exists()


def test_a_draft_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.py").write_text(TWISTED)
    assert main(["build", "hw.toml", "-o", "out.pdf"]) == 1
    assert "--draft" in capsys.readouterr().err
    assert main(["build", "hw.toml", "-o", "out.pdf", "--draft"]) == 0
    assert "first wrong: df/dw" in capsys.readouterr().out
    text = " ".join(page.extract_text() for page in pypdf.PdfReader("out.pdf").pages)
    assert "first wrong: df/dw" in text
    assert "mine.py is not right" in text
    assert "differs" in text
    assert main(["check", "hw.toml"]) == 1


def test_long_output_is_cut_with_a_mark() -> None:
    Path("mine.py").write_text(RIGHT + "for i in range(1000): print('noise')\n")
    report.build("hw.toml", "out.pdf")
    text = " ".join(page.extract_text() for page in pypdf.PdfReader("out.pdf").pages)
    assert "852 more lines of output" in text


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ('"../mine.py"', "beside the homework file"),
        ('"/etc/mine.py"', "beside the homework file"),
        ('"mine.txt"', "ends in .py or .ipynb"),
        ("3", "must be a name of a file or a list"),
        ('"q1.py"', "a generated program has that name"),
        ('["a.py", "a.py"]', "rename it"),
        ('"none.py"', "No such file"),
    ],
)
def test_what_is_no_program_of_a_homework(program: str, said: str) -> None:
    Path("hw.toml").write_text(WORK.replace('"mine.py"', program))
    with pytest.raises(report.ReportError, match=said):
        report.build("hw.toml", "out.pdf")


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    Path("inner").mkdir()
    Path("inner/hw.toml").write_text(WORK)
    Path("secret.py").write_text(RIGHT)
    Path("inner/mine.py").symlink_to(tmp_path / "secret.py")
    with pytest.raises(report.ReportError, match="leads out of the folder"):
        report.build("inner/hw.toml", "out.pdf")


# ---------------------------------------------------------------- the command line


def test_check_a_program_and_answers(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.py").write_text(TWISTED)
    assert main(["check", "hw.toml", "--program", "mine.py"]) == 1
    said = capsys.readouterr().out
    assert "first wrong: df/dw is 0.279415" in said
    Path("mine.csv").write_text("q1 = -3\nf = 0.0199\ndw = -0.279\n")
    assert main(["check", "hw.toml", "--answers", "mine.csv"]) == 0
    assert main(["check", "hw.toml", "--program", "none.py"]) == 2
    assert "No such file" in capsys.readouterr().err
    assert main(["check", "hw.toml", "--program", "mine.py", "--answers", "mine.csv"]) == 2


def test_a_folder_of_programs_is_graded(capsys: pytest.CaptureFixture[str]) -> None:
    Path("hw.toml").write_text(WORK.replace('program = "mine.py"\n', ""))
    Path("all").mkdir()
    Path("all/1.py").write_text(RIGHT)
    Path("all/2.py").write_text(RIGHT.replace("dw = 2", "dw = 1"))
    Path("all/3.py").write_text(RIGHT.replace("dw = 2", "dw = 1"))
    Path("all/4.py").write_text("1/0\n")
    Path("all/notes.txt").write_text("")
    assert main(["grade", "hw.toml", "all", "-o", "grades"]) == 1
    said = capsys.readouterr().out
    assert "4 programs: 1 right, 2 with a wrong number" in said
    assert "2 x factor 2, first at q1: df/dw" in said
    assert "4, q1: 4.py ended with status 1" in said
    rows = Path("grades/programs.csv").read_text(encoding="utf-8-sig").splitlines()
    assert rows[0].startswith("id,name,question,agrees,")
    assert rows[1].startswith("1,,q1,2,")
    assert ",df/dw,factor 2," in rows[2]


def test_a_folder_without_programs(capsys: pytest.CaptureFixture[str]) -> None:
    Path("all").mkdir()
    assert main(["grade", "hw.toml", "all"]) == 2
    assert "has no programs; they are named FOLDER/ID.py" in capsys.readouterr().err
