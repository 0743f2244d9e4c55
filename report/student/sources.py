"""A student's file -> what can be run: a program in one cell, or the code cells of a notebook in order."""

from __future__ import annotations

import ast
import json
import os
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from report.errors import ReportError
from report.program.confined import SECONDS, Ended, run_confined

MAX_SOURCE = 2_000_000  # bytes
ENDINGS = (".py", ".ipynb")
_MAGIC = re.compile(r"^(\s*)([%!?].*|.*\?\s*)$")


@dataclass(frozen=True)
class OwnProgram:
    """A program that somebody else wrote: its file's name and its cells, one unless it is a notebook."""

    name: str
    cells: tuple[str, ...]
    notebook: bool = False
    text: str = ""  # of the file, as it is

    @property
    def source(self) -> str:
        """All of it as one text; each cell of a notebook under its number."""
        if not self.notebook:
            return self.cells[0]
        return "\n\n".join(f"# In [{n}]:\n{c.rstrip()}" for n, c in enumerate(self.cells, 1)) + "\n"

    @property
    def command(self) -> str:
        """How a reader runs it."""
        if self.notebook:
            return f"$ jupyter execute {self.name}"
        return f"$ python3 {self.name}"

    def run(self, timeout: float = SECONDS) -> Ended:
        """Run it where it can do no harm; see `report.program.confined`."""
        return run_confined(self.name, self.cells, display=self.notebook, timeout=timeout)


def read_program(path: str | os.PathLike[str]) -> OwnProgram:
    """A .py or .ipynb file as a program. ReportError for what is neither, or is no Python."""
    file = Path(path)
    if file.suffix.lower() not in ENDINGS:
        raise ReportError(f"{file}: a program's name ends in .py or .ipynb")
    return parse_program(file, program_text(file))


def parse_program(file: Path, text: str) -> OwnProgram:
    """The text of a file as a program."""
    notebook = file.suffix.lower() == ".ipynb"
    cells = _cells(file, text) if notebook else (text,)
    for number, cell in enumerate(cells, 1):
        _check_syntax(f"{file}, cell {number}" if notebook else str(file), cell)
    return OwnProgram(file.name, cells, notebook, text)


def program_text(file: Path) -> str:
    """The text of a file. ReportError for what is none, or far too long."""
    try:
        if file.exists() and not file.is_file():
            raise ReportError(f"{file} is no file")
        if file.stat().st_size > MAX_SOURCE:
            raise ReportError(f"{file} is larger than {MAX_SOURCE // 1_000_000} MB; no program is")
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ReportError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ReportError(f"{file} is no text in UTF-8; save the program as UTF-8") from None
    if "\0" in text:
        raise ReportError(f"{file} is no text: it holds zero bytes")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _cells(file: Path, text: str) -> tuple[str, ...]:
    """The code cells of a notebook, without the commands of Jupyter and of the shell."""
    cells = [_joined(c["source"]) for c in _notebook(file, text) if c["cell_type"] == "code"]
    if not any(c.strip() for c in cells):
        raise ReportError(f"{file} has no cell with code")
    return tuple(_without_magic(c) for c in cells if c.strip())


def notebook_text(file: Path, text: str) -> list[str]:
    """What stands in a notebook, cell by cell: its words, and what its code printed when it last ran."""
    found = []
    for cell in _notebook(file, text):
        if cell["cell_type"] == "markdown":
            found.append(_joined(cell["source"]))
        for output in cell.get("outputs", ()):
            shown = output.get("text") or output.get("data", {}).get("text/plain", "")
            found.append(_joined(shown))
    if not any(map(str.strip, found)):
        raise ReportError(
            f"{file} holds no output; run its cells and save it, or give it as --program"
        )
    return found


def _notebook(file: Path, text: str) -> list[dict[str, Any]]:
    """The cells of a notebook. ReportError for a file that is none."""
    try:
        cells: list[dict[str, Any]] = json.loads(text)["cells"]
        for cell in cells:
            _joined(cell["source"])
            for output in cell.get("outputs", ()):
                _joined(output.get("text") or output.get("data", {}).get("text/plain", ""))
            cell["cell_type"].strip()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ReportError(f"{file} is no notebook; save it again from Jupyter") from None
    return cells


def _joined(source: Any) -> str:
    """A text of a notebook, which may stand there line by line."""
    return "".join(source) if isinstance(source, list) else str(source)


def _without_magic(cell: str) -> str:
    if cell.lstrip().startswith("%%"):
        return "".join(f"# {line}\n" for line in cell.splitlines())
    return "\n".join(_MAGIC.sub(r"\1pass  # \2", line) for line in cell.split("\n"))


def _check_syntax(where: str, source: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            ast.parse(source)
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        raise ReportError(f"{where}{line}: this is no Python: {error.msg}") from None
    except (RecursionError, MemoryError, ValueError):
        raise ReportError(f"{where}: this is no Python that can be read") from None
