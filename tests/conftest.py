"""The same examples on every run, and no warning of a library unseen."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from report.autodiff.gates import GATES
from report.autodiff.parser import parser
from report.typeset import more_fonts

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

DRAWING = {"fontTools", "matplotlib", "pydyf", "weasyprint"}


@pytest.fixture(autouse=True, scope="session")
def _no_other_fonts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The bundled fonts only, whatever the machine has; a process that a test starts has the packages' too."""
    settings = Path(tmp_path_factory.mktemp("fontconfig"), "fonts.conf")
    settings.write_text("<fontconfig></fontconfig>")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FONTCONFIG_FILE", str(settings))
        patch.setattr(more_fonts, "PACKAGES", ())
        yield


@pytest.fixture(autouse=True)
def _libraries_log_no_warning(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    logged = [
        f"{record.name}: {record.getMessage()}"
        for record in caplog.get_records("call")
        if record.levelno >= logging.WARNING and record.name.split(".")[0] in DRAWING
    ]
    assert not logged


@pytest.fixture
def with_rule(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Any], None]]:
    """Gives a gate of one argument another backward rule; graphs that were read are forgotten."""

    def put(name: str, rule: Any) -> None:
        parser._read_once.cache_clear()
        monkeypatch.setitem(GATES, name, replace(GATES[name], rules=(rule,)))

    yield put
    parser._read_once.cache_clear()
