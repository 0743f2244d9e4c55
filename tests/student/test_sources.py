"""A student's file as a program: Python, a notebook, and what is neither."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from report import ReportError
from report.student.sources import read_program


def notebook(*cells: tuple[str, str]) -> str:
    return json.dumps({"cells": [{"cell_type": k, "source": s.splitlines(True)} for k, s in cells]})


def test_a_notebook_runs_its_code_cells_in_order(tmp_path: Path) -> None:
    file = tmp_path / "mine.ipynb"
    file.write_text(
        notebook(
            ("code", "%matplotlib inline\n!pip install x\nw1 = 0.5"),
            ("markdown", "# not code"),
            ("code", "%%bash\nls"),
            ("code", "w1 * 2"),
        )
    )
    program = read_program(file)
    ended = program.run()
    assert (ended.text, ended.fault) == ("1.0\n", "")
    assert "# In [3]:\nw1 * 2" in program.source


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("mine.txt", b"x", "ends in .py or .ipynb"),
        ("mine.py", b"\x89PNG\xff\xfe", "is no text in UTF-8"),
        ("mine.py", b"x = 1\0", "holds zero bytes"),
        ("mine.py", b"int main() {\n  return 0;\n}", "line 1: this is no Python"),
        ("mine.py", b"(" * 5000, "this is no Python"),
        ("mine.py", b"#" * 2_000_001, "larger than 2 MB"),
        ("mine.ipynb", b"{}", "is no notebook"),
        ("mine.ipynb", b"[" * 100_000, "is no notebook"),
        ("mine.ipynb", notebook(("code", "")).encode(), "has no cell with code"),
        (
            "mine.ipynb",
            notebook(
                ("code", "x ="),
            ).encode(),
            "cell 1, line 1: this is no Python",
        ),
    ],
)
def test_what_is_no_program_is_told(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ReportError, match=said):
        read_program(file)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="No such file"):
        read_program(tmp_path / "none.py")
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(ReportError, match="is no file"):
        read_program(tmp_path / "folder.py")
