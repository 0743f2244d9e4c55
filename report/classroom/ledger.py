"""What a batch has made so far: a journal while it runs, the manifest when it is done.

The journal gets a line for each student at once, after the files are in place; a line that was torn when
the batch was killed is not read. The manifest takes its place at the end.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from report.classroom import csv_tables
from report.errors import ReportError
from report.homework.homework import Homework
from report.version import __version__

FORMAT = "report-manifest"
VERSION = 1
_JOURNAL = ".batch.jsonl"
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Record:
    """One student's part of the manifest.

    `key` stands for all that decides the files: homework, numbers, versions. `inputs` and `answers` are
    by question, `files` by edition: the path from the folder and the SHA-256. `error` is the reason why
    there are no files, `seconds` what it took to make them.
    """

    id: str
    name: str
    seed: str = ""
    key: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""

    def intact(self, folder: Path, edition: str) -> bool:
        """Whether the file of an edition is the one that was written."""
        made = self.files.get(edition)
        if made is None:
            return False
        try:
            data = (folder / made["file"]).read_bytes()
        except OSError:
            return False
        return hashlib.sha256(data).hexdigest() == made["sha256"]


class Ledger:
    """The records of a folder, which is one batch's own while the ledger is open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: dict[str, Record] = {}
        self._journal: IO[str] | None = None

    def __enter__(self) -> Ledger:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._journal = self._opened()
        self._journal.seek(0)
        known = [*_of_manifest(self.folder / _MANIFEST), *_of_lines(self._journal.read())]
        self.records = {record.id: record for record in known}
        self._write("\n")  # ends a line that was torn
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._journal is not None:
            self._journal.close()

    def _opened(self) -> IO[str]:
        """The journal, held; opened again when another batch has just ended and removed it."""
        path = self.folder / _JOURNAL
        while True:
            journal = path.open("a+", encoding="utf-8", errors="surrogateescape")
            try:
                _lock(journal)
                if path.exists() and os.path.samestat(os.fstat(journal.fileno()), path.stat()):
                    return journal
            except FileNotFoundError:
                pass
            except OSError:
                journal.close()
                raise ReportError(
                    f"another batch is writing to {self.folder}; wait for it"
                ) from None
            journal.close()

    def add(self, record: Record) -> None:
        """Write down that a student's files are in place."""
        self._write(json.dumps(asdict(record), ensure_ascii=False) + "\n")

    def _write(self, line: str) -> None:
        assert self._journal is not None
        try:
            self._journal.write(line)
            self._journal.flush()
            os.fsync(self._journal.fileno())
        except OSError as error:  # of a full disk, which does not say which file
            with contextlib.suppress(OSError):
                self._journal.close()  # tries once more
            path = self.folder / _JOURNAL
            raise ReportError(f"{path} cannot be written: {error.strerror}") from None

    def close_journal(self) -> None:
        """Remove the journal: the manifest holds it all."""
        (self.folder / _JOURNAL).unlink(missing_ok=True)


def _lock(file: IO[str]) -> None:
    """Hold a file until this process ends, however it ends; OSError when another one holds it."""
    with contextlib.suppress(ImportError):  # no such locks on Windows
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _of_manifest(path: Path) -> list[Record]:
    try:
        manifest = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    if not isinstance(manifest, dict) or manifest.get("version") != VERSION:
        return []
    students = manifest.get("students")
    return _records(students if isinstance(students, list) else [])


def _of_lines(text: str) -> list[Record]:
    found = []
    for line in text.splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            found.append(json.loads(line))
    return _records(found)


def _records(found: Sequence[Any]) -> list[Record]:
    """The records among what was read; anything else is as if it had not been written."""
    records = []
    for item in found:
        with contextlib.suppress(TypeError):
            record = Record(**item)
            files = record.files if isinstance(record.files, dict) else {}
            well = all(
                isinstance(f, dict)
                and isinstance(f.get("file"), str)
                and isinstance(f.get("sha256"), str)
                for f in files.values()
            )
            if (
                well
                and isinstance(record.answers, dict)
                and all(map(_is_whole, record.answers.values()))
            ):
                records.append(record)
    return records


def _is_whole(answer: Any) -> bool:
    return isinstance(answer, dict) and answer.keys() >= {"name", "f", "gradients"}


# ---------------------------------------------------------------- the manifest


def manifest_json(work: Homework, records: Sequence[Record]) -> bytes:
    """The manifest for programs: everything, unrounded."""
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "report": __version__,
        "homework": work.path.name,
        "title": work.title,
        "students": [asdict(r) for r in records],
    }
    return (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode()


def manifest_csv(work: Homework, records: Sequence[Record]) -> bytes:
    """The manifest for a spreadsheet: a row for each student."""
    inputs = [(q.id, name) for q in work.questions for name in q.inputs]
    answers = list(
        dict.fromkeys((q, n) for r in records for q, a in r.answers.items() for n in _names(a))
    )
    editions = list(dict.fromkeys(e for r in records for e in r.files))
    columns = ["id", "name", "seed", "error"]
    columns += [f"{question}.{name}" for question, name in inputs]
    columns += [f"{question}.{name}" for question, name in answers]
    columns += [f"{edition} {what}" for edition in editions for what in ("file", "sha256")]
    rows = []
    for r in records:
        row: list[Any] = [r.id, r.name, r.seed, r.error]
        row += [_cell(r.inputs.get(question, {}).get(name)) for question, name in inputs]
        row += [_cell(_named(r.answers.get(question), name)) for question, name in answers]
        row += [r.files.get(e, {}).get(what, "") for e in editions for what in ("file", "sha256")]
        rows.append([*row, f"{r.seconds:.3f}"])
    return csv_tables.csv_bytes([*columns, "seconds"], rows)


def _names(answer: Mapping[str, Any]) -> list[str]:
    """The columns of an answer, named as in a trace: f, d.w1, ..."""
    return ["f", *(f"d.{name}" for name in answer["gradients"])]


def _named(answer: Mapping[str, Any] | None, name: str) -> Any:
    if answer is None:
        return None
    return answer["f"] if name == "f" else answer["gradients"].get(name.removeprefix("d."))


def _cell(value: Any) -> Any:
    """A number as it is, a tensor as a list that `--set` reads."""
    if value is None:
        return ""
    if isinstance(value, list):
        return json.dumps(value)
    return repr(value) if isinstance(value, float) else value
