"""A homework and a roster -> a PDF for each student and edition, a manifest, and a key for the teacher.

    OUT/sheet/1815.pdf  OUT/solution/1815.pdf ...   named by id (see `report.filenames`)
    OUT/manifest.csv  OUT/manifest.json             who got which numbers, answers and files
    OUT/key.pdf                                     the results of the class; key-2.pdf beyond 1000

Every file is there whole or not at all, and what was made is written down at once: a batch that was
stopped at any point goes on where it was when it is started again. A file is kept when it is still the
one that was written down, and when homework, numbers and versions that led to it are the same; so the
bytes do not depend on how often, where and with how many processes the work was done.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from report import files
from report.classroom import file_names, workers
from report.classroom.ledger import Ledger, Record, manifest_csv, manifest_json
from report.classroom.roster import Drawn, Roster, Student, homeworks, read_roster
from report.editions import EDITIONS
from report.errors import ReportError
from report.homework import variants
from report.homework.homework import Homework, read_homework
from report.pipeline import date_shown
from report.typeset import more_fonts

SHOWN = 20  # students whose reasons the summary tells
IN_A_KEY = 1000  # students; more get a second file


@dataclass(frozen=True)
class Progress:
    """How far a batch is: students done of all, of these kept and failed, and the time (seconds)."""

    total: int
    built: int = 0
    kept: int = 0
    failed: int = 0
    seconds: float = 0.0

    @property
    def done(self) -> int:
        """Students who need no more work."""
        return self.built + self.kept + self.failed

    @property
    def rate(self) -> float:
        """Students built a minute."""
        return 60 * self.built / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> float:
        """Seconds until the rest is built at this rate; NaN while there is none."""
        return 60 * (self.total - self.done) / self.rate if self.rate else float("nan")


@dataclass(frozen=True)
class Outcome:
    """What a batch made, and which students it could not serve, each with the reason."""

    folder: Path
    progress: Progress
    pdfs: int
    failures: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        p = self.progress
        first = (
            f"{self.folder}: {p.built} of {p.total} students built, {p.kept} kept as they were, "
            f"{p.failed} failed; {self.pdfs} PDFs, {p.seconds:.1f} s"
        )
        lines = [first]
        lines += [f"failed: {identity}: {reason}" for identity, reason in self.failures[:SHOWN]]
        more = len(self.failures) - SHOWN
        lines += [f"... and {more} more; see {self.folder / 'manifest.csv'}"] if more > 0 else []
        return "\n".join([*lines, *self.notes])


def batch(
    homework: str | Path,
    roster: str | Path,
    out: str | Path,
    *,
    editions: Sequence[str] = ("sheet", "solution"),
    jobs: int = 1,
    scheduler: str = "",
    overrides: Mapping[str, Any] | None = None,
    inputs: str | Path | None = None,
    tell: Callable[[Progress], None] = lambda progress: None,
) -> Outcome:
    """Build the editions of every student of a roster into a folder; `tell` hears of each one done.

    The work is done by `jobs` processes of this machine, or by the workers of a Dask `scheduler`. A
    student whose inputs are bad is told in the outcome and the manifest, the others are built. Raises
    ReportError for a homework, roster or edition that is of no use, and when another batch writes to the
    same folder.
    """
    start = time.perf_counter()
    work = read_homework(homework, overrides, inputs)
    variants.check(work)
    students = read_roster(roster, work)
    drawn = homeworks(work, students)
    chosen = _editions(editions)
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise ReportError(f"{folder} is a file; name a folder")
    with Ledger(folder) as ledger:
        for edition in ("", *EDITIONS):
            files.sweep(folder / edition)
        run = _Run(work, students, folder, chosen, ledger, bool(scheduler), start, tell)
        tasks = run.tasks(drawn)
        done = workers.cluster(tasks, scheduler) if scheduler else workers.local(tasks, jobs)
        for result in done:
            run.take(result)
        records = [run.records[student.id] for student in students.students]
        _write_manifest(folder, work, records, ledger)
        return run.outcome(ledger)


def _editions(editions: Sequence[str]) -> tuple[str, ...]:
    for edition in editions:
        if edition not in EDITIONS:
            raise ReportError(f"there is no edition {edition!r}; there are: {', '.join(EDITIONS)}")
    if not editions:
        raise ReportError(f"name an edition: {', '.join(EDITIONS)}")
    return tuple(e for e in EDITIONS if e in editions)


class _Run:
    """The students of one batch on their way from the roster to the manifest."""

    def __init__(
        self,
        work: Homework,
        roster: Roster,
        folder: Path,
        editions: tuple[str, ...],
        ledger: Ledger,
        far: bool,
        start: float,
        tell: Callable[[Progress], None],
    ) -> None:
        self.work = work
        self.roster = roster
        self.folder = folder
        self.editions = editions
        self.ledger = ledger
        self.by = workers.fingerprint()
        self.date = date_shown()
        self.far = far
        self.start = start
        self.tell = tell
        self.names = file_names.file_names(s.id for s in roster.students)
        self.records: dict[str, Record] = {}
        self.waiting: dict[int, Record] = {}
        self.progress = Progress(len(roster.students))

    def tasks(self, drawn: Iterable[Drawn]) -> Iterator[workers.Task]:
        """What is to be done, drawn as it is asked for; who needs nothing is recorded on the way."""
        for number, (student, found) in enumerate(drawn):
            if isinstance(found, ReportError):
                self.fail(Record(student.id, student.name), str(found))
                continue
            record = self.record(student, found)
            missing = tuple(e for e in self.editions if e not in record.files)
            if missing:
                self.waiting[number] = record
                yield workers.Task(number, found, missing, self.date, self.by if self.far else "")
            else:
                self.records[student.id] = record
                self.count(kept=1)

    def record(self, student: Student, found: Homework) -> Record:
        """What is known of a student's homework: what an earlier batch wrote down, if it still holds."""
        text = json.dumps([self.by, self.date, found.to_toml(), more_fonts.described(found.author)])
        key = hashlib.sha256(text.encode()).hexdigest()
        earlier = self.ledger.records.get(student.id)
        if earlier is not None and earlier.key == key and not earlier.error:
            kept = {
                edition: made
                for edition, made in earlier.files.items()
                if made["file"] == self.file(student.id, edition)
                and earlier.intact(self.folder, edition)
            }
            return replace(earlier, files=kept)
        inputs = {q.id: dict(q.inputs) for q in found.questions}
        seed = found.seed if variants.has_random_inputs(self.work) else ""
        return Record(student.id, student.name, seed, key, inputs)

    def file(self, identity: str, edition: str) -> str:
        """Where the PDF of a student goes, from the folder of the batch."""
        return f"{edition}/{self.names[identity]}.pdf"

    def take(self, result: workers.Result) -> None:
        """Write a student's PDFs, then that they are written."""
        record = self.waiting.pop(result.number)
        if result.error:
            self.fail(record, result.error)
            return
        written = dict(record.files)
        for edition, pdf in result.pdfs.items():
            name = self.file(record.id, edition)
            files.write(self.folder / name, pdf)
            written[edition] = {"file": name, "sha256": hashlib.sha256(pdf).hexdigest()}
        self.records[record.id] = replace(
            record, files=written, answers=dict(result.answers), seconds=round(result.seconds, 3)
        )
        self.ledger.add(self.records[record.id])
        self.count(built=1)

    def fail(self, record: Record, reason: str) -> None:
        """Record why a student has no PDFs, and remove those of an earlier homework."""
        for edition in self.editions:
            (self.folder / self.file(record.id, edition)).unlink(missing_ok=True)
        self.records[record.id] = replace(record, files={}, error=reason)
        self.count(failed=1)

    def count(self, **one: int) -> None:
        p = self.progress
        more = {name: getattr(p, name) + n for name, n in one.items()}
        self.progress = replace(p, seconds=time.perf_counter() - self.start, **more)
        self.tell(self.progress)

    def outcome(self, ledger: Ledger) -> Outcome:
        notes = []
        if self.roster.unused:
            notes.append(f"columns of the roster not used: {', '.join(self.roster.unused)}")
        if unset := {r.id: more_fonts.missing(r.name) for r in self.records.values()}:
            notes += _unset({identity: letters for identity, letters in unset.items() if letters})
        gone = [r for r in ledger.records.values() if r.id not in self.records]
        if gone:
            names = ", ".join(r.id for r in gone[:5]) + ", ..." * (len(gone) > 5)
            notes.append(f"not in the roster any more, their files were left alone: {names}")
        return Outcome(
            self.folder,
            replace(self.progress, seconds=time.perf_counter() - self.start),
            sum(len(r.files) for r in self.records.values()),
            tuple((r.id, r.error) for r in self.records.values() if r.error),
            tuple(notes),
        )


def _unset(lacking: Mapping[str, str]) -> list[str]:
    """A warning about names with letters that no font here has."""
    if not lacking:
        return []
    from report.pdf.log_errors import missing

    ids = ", ".join([*lacking][:5]) + ", ..." * (len(lacking) > 5)
    letters = sorted(set("".join(lacking.values())))
    return [f"the id stands in for the name of: {ids}. {missing(letters)}"]


# ---------------------------------------------------------------- manifest and key


def _write_manifest(
    folder: Path, work: Homework, records: Sequence[Record], ledger: Ledger
) -> None:
    from report import pdf
    from report.classroom.class_pages import StudentResult, class_key, result_line

    entries = [
        StudentResult(
            r.id,
            "" if more_fonts.missing(r.name) else r.name,
            r.seed,
            tuple(result_line(q, a) for q, a in r.answers.items()),
        )
        for r in records
        if not r.error
    ]
    heading = replace(work, author="", student_id="")
    parts = range(0, max(len(entries), 1), IN_A_KEY)
    for number, start in enumerate(parts, 1):
        page = class_key(heading, entries[start : start + IN_A_KEY])
        files.write(folder / _key_name(number), pdf.render(page))
    for number in itertools.count(len(parts) + 1):  # of a larger class before
        if not (folder / _key_name(number)).exists():
            break
        (folder / _key_name(number)).unlink()
    files.write(folder / "manifest.csv", manifest_csv(work, records))
    files.write(folder / "manifest.json", manifest_json(work, records))
    ledger.close_journal()


def _key_name(number: int) -> str:
    return "key.pdf" if number == 1 else f"key-{number}.pdf"
