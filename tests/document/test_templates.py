"""Templates are compiled once, and what is compiled is the same whoever fills them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment

from report import resources
from report.document import page
from report.document.formulas import BROWSER, PDF

FOLDER = resources.path("templates")
NAMES = sorted(p.relative_to(FOLDER).as_posix() for p in FOLDER.rglob("*.j2"))


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where compiled files are kept, empty."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path


def compiled(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def test_nothing_is_called_while_templates_are_compiled() -> None:
    """So a compiled template holds nothing of what a filter or a finish once gave."""

    def called(*_: Any, **__: Any) -> None:
        raise AssertionError

    environment = page.environment.__wrapped__(PDF)
    environment.bytecode_cache = None
    for name in environment.filters:
        environment.filters[name] = called
    environment.finalize.__code__ = (lambda _, shown: 1 / 0).__code__
    assert len(NAMES) > 30
    for name in NAMES:
        environment.get_template(name)


def test_compiled_templates_are_kept_where_python_keeps_its_own(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.environment.__wrapped__(PDF).get_template("question.html.j2")
    assert len(compiled(kept)) == 1

    def compile_again(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(Environment, "compile", compile_again)
    page.environment.__wrapped__(BROWSER).get_template("question.html.j2")
    assert len(compiled(kept)) == 1


@pytest.mark.parametrize("size", [0, 20, 40, 1000])
def test_a_file_that_is_not_whole_is_written_anew(size: int, kept: Path) -> None:
    page.environment.__wrapped__(PDF).get_template("question.html.j2")
    [file] = compiled(kept)
    whole = file.read_bytes()
    file.write_bytes(whole[:size])
    page.environment.__wrapped__(PDF).get_template("question.html.j2")
    assert file.read_bytes() == whole


@pytest.mark.parametrize("reason", ["Python keeps none", "no folder can be made"])
def test_where_none_are_kept_templates_are_compiled_all_the_same(
    reason: str, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason == "Python keeps none":
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
    else:
        (kept / "file").touch()
        monkeypatch.setattr(sys, "pycache_prefix", str(kept / "file"))
    assert page.environment.__wrapped__(PDF).get_template("question.html.j2")
    assert [file.name for file in compiled(kept)] == ["file"] * (reason != "Python keeps none")
