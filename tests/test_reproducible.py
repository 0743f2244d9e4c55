"""The same homework gives the same bytes: elsewhere, at another time, under another locale."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pypdf
import pytest

import report
from report import verify
from report.homework.homework import read_homework
from report.pipeline import make

PROBLEM = Path("problems/homework1.toml").resolve()
ROOT = Path(report.__file__).resolve().parents[1]


def built_elsewhere(folder: Path, problem: Path = PROBLEM, **environment: str) -> bytes:
    """The PDF from a process of its own in another folder, without the caller's environment."""
    folder.mkdir()
    shutil.copy(problem, folder / "copy.toml")
    clean = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        **environment,
    }
    subprocess.run(
        [sys.executable, "-m", "report", "build", "copy.toml", "-o", "out.pdf"],
        cwd=folder, env=clean, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return (folder / "out.pdf").read_bytes()


def test_labels_of_programs_do_not_stand_in_the_order_of_a_set(tmp_path):
    problem = tmp_path / "convolution.toml"
    problem.write_text("""title = "Convolution"
[[question]]
id = "q1"
function = "sum(V * max_pool2d(conv2d(X, W), 2))"
[question.inputs]
X = [[1, 2, 0], [0.5, 1, 3], [2, 1, 0.25]]
W = [[1, 0], [0.5, 2]]
V = [[1]]
""")
    seeds = (built_elsewhere(tmp_path / f"{n}", problem, PYTHONHASHSEED=str(n)) for n in range(3))
    assert len(set(seeds)) == 1


def test_same_bytes_in_another_process_folder_zone_seed_and_locale(tmp_path):
    first = built_elsewhere(tmp_path / "one", TZ="Pacific/Auckland", PYTHONHASHSEED="1", LC_ALL="C")
    second = built_elsewhere(
        tmp_path / "two",
        TZ="America/Lima",
        PYTHONHASHSEED="77",
        LC_ALL="C.UTF-8",
        FONTCONFIG_PATH="/nowhere",
    )
    assert first == second
    # and in a process that knows letters, lines and formulas of other reports already
    make(read_homework(PROBLEM.with_name("attention.toml")), ("solution", "sheet", "key"))
    assert make(read_homework(PROBLEM), ("solution",)).pdfs["solution"] == first


def test_a_date_is_shown_only_when_the_environment_gives_it(tmp_path):
    dated = tmp_path / "dated.pdf"
    dated.write_bytes(built_elsewhere(tmp_path / "dated", SOURCE_DATE_EPOCH="1700000000"))
    text = pypdf.PdfReader(dated).pages[-1].extract_text()
    assert "14 November 2023" in text
    verdict = verify.verify(dated, pages=True)
    assert not verdict.differences
    assert "every page has the words" in str(verdict)


@pytest.mark.parametrize("epoch", ["soon", "1e9", "9" * 40])
def test_a_date_that_is_none_is_refused(epoch, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with pytest.raises(report.ReportError, match="SOURCE_DATE_EPOCH"):
        report.build("problems/one-gate.toml", tmp_path / "out.pdf")
    assert list(tmp_path.iterdir()) == []


def test_a_changed_word_on_a_page_is_found(tmp_path):
    """A PDF whose pages are those of other inputs than its homework file has."""
    mine, other = tmp_path / "mine.pdf", tmp_path / "other.pdf"
    report.build("problems/one-gate.toml", mine)
    report.build("problems/one-gate.toml", other, overrides={"x": 2.5})
    forged = tmp_path / "forged.pdf"
    writer = pypdf.PdfWriter()
    for page in pypdf.PdfReader(other).pages:
        writer.add_page(page)
    for name, content in verify.read_files(mine).items():
        writer.add_attachment(name, content)
    writer.write(forged)
    assert not verify.verify(forged).differences  # what it carries is right ...
    found = verify.verify(forged, pages=True).differences  # ... but not what it shows
    assert any("page" in line for line in found)
