"""Where a report may be written: to a file, through a link, over nothing else."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from report import ReportError, build, files

HOMEWORK = 'title = "T"\n[[question]]\nfunction = "x*y"\ninputs = {x = 1, y = 2}\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("hw.toml").write_text(HOMEWORK)
    return tmp_path


def refusal(out: Any, **options: Any) -> str:
    with pytest.raises(ReportError) as raised:
        build("hw.toml", out, **options)
    assert Path("hw.toml").read_text() == HOMEWORK
    return str(raised.value)


@pytest.mark.parametrize(
    "out", [None, 3, b"a.pdf", "", "a\0.pdf", "\ud800.pdf", ["a.pdf"], 10**5000], ids=range(8)
)
def test_what_is_no_name_of_a_file(out: Any) -> None:
    assert "is no name of a file" in refusal(out)
    with pytest.raises(ReportError, match="is no name of a file"):
        build(out, "out.pdf")
    assert [path.name for path in Path().iterdir()] == ["hw.toml"]


def test_a_folder_or_a_pipe_stays() -> None:
    os.mkfifo("pipe.pdf")
    assert "pipe.pdf is no regular file" in refusal("pipe.pdf")
    assert stat.S_ISFIFO(Path("pipe.pdf").lstat().st_mode)
    assert "/dev/null is no regular file" in refusal("/dev/null")
    assert ". is a folder" in refusal(".")


def test_what_the_report_is_made_from_stays() -> None:
    Path("values.toml").write_text("x = 3")
    Path("link.pdf").symlink_to("hw.toml")
    os.link("hw.toml", "same.pdf")
    for out in ("hw.toml", "./hw.toml", "link.pdf", "same.pdf"):
        assert "is what the report is made from" in refusal(out)
    assert "is what the report is made from" in refusal("values.toml", inputs="values.toml")
    assert Path("values.toml").read_text() == "x = 3"


def test_a_link_stays_and_its_file_is_written() -> None:
    Path("reports").mkdir()
    Path("out.pdf").symlink_to("reports/today.pdf")
    for _ in range(2):
        summary = build("hw.toml", "out.pdf", edition="key")
        assert summary.path == Path("out.pdf")
        assert Path("out.pdf").is_symlink()
        assert Path("reports/today.pdf").read_bytes().startswith(b"%PDF")
    assert [path.name for path in Path("reports").iterdir()] == ["today.pdf"]


def test_a_link_that_leads_nowhere() -> None:
    Path("loop.pdf").symlink_to("loop.pdf")
    with pytest.raises(ReportError, match=r"loop\.pdf cannot be written"):
        files.write(Path("loop.pdf"), b"")
    assert "loop.pdf" in refusal("loop.pdf")
    Path("gone.toml").symlink_to("none.toml")
    with pytest.raises(
        ReportError, match=r"gone\.toml is a link to none\.toml, and no file is there"
    ):
        build("gone.toml", "out.pdf")


@pytest.mark.parametrize("edition", [None, 3, "foo", ["key"], b"key", ""])
def test_an_edition_is_one_of_three(edition: Any) -> None:
    assert "there is no edition" in refusal("out.pdf", edition=edition)


@pytest.mark.parametrize("seed", [1.5, float("nan"), True, [1], 10**5000, object()], ids=range(6))
def test_a_seed_is_a_whole_number_or_a_text(seed: Any) -> None:
    assert "it is a whole number or a text" in refusal("out.pdf", seed=seed)
