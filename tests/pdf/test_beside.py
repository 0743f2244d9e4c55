"""Another process renders what this one would, raises what it would, and may be lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from report import document
from report.homework.homework import read_homework
from report.pdf.beside import first

_BEGIN = """
import multiprocessing, os, signal
from report import ReportError, pdf
from report.pdf.beside import beside
from tests.pdf import documents

page = documents.page("<h1>Words</h1><p>and more</p>")
with beside(lambda: pdf.render):
    (other,) = multiprocessing.active_children()
"""


def _said(program: str, **settings: str) -> str:
    command = [sys.executable, "-c", _BEGIN + program]
    return subprocess.check_output(command, text=True, env={**os.environ, **settings})


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux only")


def test_another_process_renders_the_same_bytes() -> None:
    same = """
    first = pdf.render(page)
    again = pdf.render(page, standard="ua-2")
print([first == pdf.render(page), again == pdf.render(page, standard="ua-2"), first.pages, other.exitcode])
"""
    assert _said(same) == "[True, True, 1, 0]\n"


def test_the_first_document_has_the_stylesheet_of_all() -> None:
    """It is read once, as it is the same text."""
    homework = read_homework("problems/one-gate.toml")
    page = document.html(homework, [], {"command": "", "file": "", "versions": {}, "date": ""})
    style = re.compile("<style>.*</style>", re.DOTALL)
    assert style.findall(first()) == style.findall(page)


def test_what_it_raises_is_raised_here() -> None:
    refused = """
    for i in range(2):
        try:
            pdf.render(documents.page("<h1>x</h1><p>\\ue000</p>"))
        except ReportError as error:
            print([str(error)])
"""
    first, second = _said(refused).splitlines()
    assert first == second
    assert "U+E000" in first


def test_a_page_is_rendered_here_where_the_other_process_is_lost() -> None:
    lost = """
    os.kill(other.pid, signal.SIGKILL)
    print(pdf.render(page).pages)
"""
    assert _said(lost) == "1\n"


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2, 0.3, 0.4, 0.6])
def test_nothing_is_left_when_it_is_not_needed(tmp_path: Path, seconds: float) -> None:
    ended = f"""
    import time
    time.sleep({seconds})
print(multiprocessing.active_children())
"""
    assert _said(ended, TMPDIR=str(tmp_path)) == "[]\n"
    assert list(tmp_path.iterdir()) == []
