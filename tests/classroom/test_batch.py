"""A batch: the same bytes however the work is done, nothing lost and nothing torn however it is stopped."""

from __future__ import annotations

import contextlib
import csv
import errno
import hashlib
import io
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pypdf
import pytest

from report import ReportError, pipeline
from report.classroom import workers
from report.classroom.batch import Outcome, Progress, batch
from report.classroom.ledger import Ledger
from report.classroom.progress import ProgressLine, duration, said
from report.classroom.roster import homeworks, read_roster
from report.cli import main as cli
from report.homework.homework import read_homework

ROOT = Path(__file__).parents[2]
WORK = """title = "One gate"
[[question]]
function = "tanh(x)"
require = "abs(f) < 0.9"
[question.inputs]
x = {uniform = [-2, 2], digits = 3}
"""
LIMIT = 100.0  # seconds that a test waits for something before it fails


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hw.toml").write_text(WORK)


@pytest.fixture
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work without processes, where they are not what a test is about: each takes seconds to start."""
    monkeypatch.setattr(workers, "local", lambda tasks, jobs: map(workers.work, tasks))


@pytest.fixture
def _quick_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that start warm: where it matters what becomes of them, and not how they begin."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["report.live.warm"])
    pool = partial(ProcessPoolExecutor, mp_context=context, initializer=workers.settle)
    monkeypatch.setattr(workers, "_pool", pool)


def roster(*ids: str) -> str:
    Path("roster.csv").write_text("id,name\n" + "".join(f"{i},Student {i}\n" for i in ids))
    return "roster.csv"


def run(out: str, *ids: str, **options: Any) -> Outcome:
    options.setdefault("editions", ["sheet"])
    return batch("hw.toml", roster(*ids), out, **options)


def contents(folder: str | Path) -> dict[str, str]:
    """The SHA-256 of every PDF."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(Path(folder).rglob("*.pdf"))
    }


def manifest(folder: str | Path) -> dict[str, Any]:
    return json.loads(Path(folder, "manifest.json").read_bytes())


def wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.01)


def alive(group: int) -> bool:
    """Whether a process of a group still runs; one that only waits to be counted does not."""
    if not Path("/proc/self/stat").exists():
        listed = subprocess.run(
            ["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True
        )
        rows = [line.split() for line in listed.stdout.splitlines()]
        return any(int(number) == group and state[0] != "Z" for number, state in rows)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, number = stat.read_text().rpartition(")")[2].split()[:3]
            if int(number) == group and state != "Z":
                return True
    return False


# ---------------------------------------------------------------- a class


def test_a_class_end_to_end(capsys: pytest.CaptureFixture[str]) -> None:
    ids = [f"s{i}" for i in range(10)]
    told: list[Progress] = []
    found = run("out", *ids, editions=["solution", "sheet"], jobs=2, tell=told.append)
    assert (found.progress.built, found.progress.failed, found.pdfs) == (10, 0, 20)
    assert [p.done for p in told] == list(range(1, 11))
    students = manifest("out")["students"]
    assert [s["id"] for s in students] == ids
    assert len({json.dumps(s["inputs"]) for s in students}) == 10

    # what the manifest says of a student is what the student's PDF holds
    for s in students[::3]:
        own = manifest("out")["students"][ids.index(s["id"])]
        path = Path("out", own["files"]["solution"]["file"])
        trace = json.loads(pypdf.PdfReader(path).attachments["q1.trace.json"][0])
        assert trace["inputs"][0]["value"] == s["inputs"]["q1"]["x"]
        assert trace["value"] == s["answers"]["q1"]["f"]
        assert trace["gradients"]["x"] == s["answers"]["q1"]["gradients"]["x"]
        assert abs(trace["value"]) < 0.9
        assert s["seed"] == s["id"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == own["files"]["solution"]["sha256"]
    key = " ".join(page.extract_text() for page in pypdf.PdfReader("out/key.pdf").pages)
    assert "Answer key of 10 students" in key
    assert all(f"{i} Student {i}" in key for i in ids)

    # one process, in another order, and this very process give the same bytes
    run("one", *ids[7:4:-1], editions=["solution", "sheet"], jobs=1)
    one = {name: digest for name, digest in contents("one").items() if name != "key.pdf"}
    assert len(one) == 6
    assert one.items() <= contents("out").items()
    work = read_homework("hw.toml")
    drawn = homeworks(work, read_roster("roster.csv", work))
    (first,) = (h for s, h in drawn if s.id == "s6")
    assert not isinstance(first, ReportError)
    made = pipeline.make(first, ("solution",)).pdfs["solution"]
    assert hashlib.sha256(made).hexdigest() == one["solution/s6.pdf"]

    # what is there is kept
    before = {p: p.stat().st_mtime_ns for p in Path("out").rglob("*/*.pdf")}
    again = run("out", *ids, editions=["solution", "sheet"], jobs=2)
    assert (again.progress.built, again.progress.kept) == (0, 10)
    assert {p: p.stat().st_mtime_ns for p in Path("out").rglob("*/*.pdf")} == before


@pytest.mark.usefixtures("_in_this_process")
def test_a_bad_student_is_listed_and_the_others_are_built(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("roster.csv").write_text(
        "id,name,x,group\n1815,Ada,0.5,A\n=cmd|' /C calc'!A0,Emmy,,B\n7,Leonhard,abc,A\n8,Max,nan,\n"
        "9,Kurt,1.9,\n../../up,Evariste,,\n"
    )
    status = cli.main(["batch", "hw.toml", "roster.csv", "-o", "out", "--editions", "sheet, key"])
    out, err = capsys.readouterr()
    assert status == 1
    assert "3 of 6 students built, 0 kept as they were, 3 failed; 6 PDFs" in out
    assert "failed: 7: roster.csv, line 4: x: 'abc' is no value" in out
    assert "failed: 8: hw.toml, question q1: input x is nan" in out
    assert "failed: 9: hw.toml: the condition abs(f) < 0.9 does not hold" in out
    assert "columns of the roster not used: group" in out
    assert "6 of 6, " in err
    names = {p.name for p in Path("out", "sheet").iterdir()}
    assert len(names) == 3
    assert "1815.pdf" in names
    assert not list(Path().glob("*.pdf"))
    rows = list(csv.DictReader(io.StringIO(Path("out/manifest.csv").read_text("utf-8-sig"))))
    assert [r["id"] for r in rows][1] == "'=cmd|' /C calc'!A0"
    assert not any(cell.startswith("=") for row in rows for cell in row.values())
    assert (rows[0]["q1.x"], rows[0]["q1.f"]) == (
        "0.5",
        repr(manifest("out")["students"][0]["answers"]["q1"]["f"]),
    )
    assert "'abc' is no value" in rows[2]["error"]
    assert rows[2]["sheet file"] == ""
    assert manifest("out")["students"][1]["id"] == "=cmd|' /C calc'!A0"

    # a student who was served before and is not any more keeps no old file
    assert Path("out/sheet/1815.pdf").exists()
    Path("roster.csv").write_text("id,name,x\n1815,Ada,abc\n")
    assert cli.main(["batch", "hw.toml", "roster.csv", "-o", "out", "--editions", "sheet"]) == 1
    assert not Path("out/sheet/1815.pdf").exists()
    assert "not in the roster any more, their files were left alone" in capsys.readouterr().out


# ---------------------------------------------------------------- going on


@pytest.mark.usefixtures("_in_this_process")
def test_what_led_to_a_file_decides_whether_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def built(*ids: str, **options: Any) -> tuple[int, int]:
        progress = run("out", *ids, **options).progress
        return progress.built, progress.kept

    assert built("1") == (1, 0)
    assert built("1", "2") == (1, 1)
    assert built("1", "2", editions=["sheet", "key"]) == (2, 0)  # the keys are missing
    assert built("1", "2") == (0, 2)
    assert built("1", overrides={"course": "Other"}) == (1, 0)
    monkeypatch.setattr(workers, "fingerprint", lambda: "another version")
    assert built("1", overrides={"course": "Other"}) == (1, 0)


@pytest.mark.usefixtures("_in_this_process")
def test_a_batch_killed_half_way_goes_on(tmp_path: Path) -> None:
    ids = [f"s{i}" for i in range(16)]
    roster(*ids)
    arguments = [
        "batch",
        "hw.toml",
        "roster.csv",
        "-o",
        "out",
        "--editions",
        "sheet",
        "--jobs",
        "2",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "report", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_for(lambda: len(list(Path("out/sheet").glob("*.pdf"))) >= 4, "the first files")
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: not alive(process.pid), "its processes to end by themselves")
    made = {p: p.stat().st_mtime_ns for p in Path("out/sheet").glob("*.pdf")}
    assert 4 <= len(made) < 16
    assert not Path("out/manifest.json").exists()

    # worse than a kill can do: a file cut short, one gone, one changed, what a write left, a torn line
    torn, gone, changed = sorted(made)[:3]
    torn.write_bytes(torn.read_bytes()[:1000])
    gone.unlink()
    changed.write_bytes(changed.read_bytes().replace(b"%PDF-1.7", b"%PDF-1.6"))
    Path("out/sheet/.s3.pdf.x1y2z3.part").write_bytes(b"half")
    with Path("out/.batch.jsonl").open("a") as journal:
        journal.write('{"id": "s15", "name"')

    again = batch("hw.toml", "roster.csv", "out", editions=["sheet"])
    assert (
        again.progress.kept >= len(made) - 3 - 1
    )  # one may have been written but not yet recorded
    assert again.progress.kept + again.progress.built == 16
    kept = [p for p in made if p not in (torn, gone, changed)]
    assert sum(p.stat().st_mtime_ns == made[p] for p in kept) >= len(kept) - 1
    assert sorted(p.name for p in Path("out/sheet").iterdir()) == sorted(f"{i}.pdf" for i in ids)
    assert sorted(p.name for p in Path("out").iterdir()) == [
        "key.pdf", "manifest.csv", "manifest.json", "sheet",
    ]  # fmt: skip
    batch("hw.toml", "roster.csv", "fresh", editions=["sheet"])
    assert contents("out") == contents("fresh")


@pytest.mark.usefixtures("_quick_start")
def test_an_interrupted_batch_goes_on() -> None:
    def interrupt(progress: Progress) -> None:
        if progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("out", "1", "2", "3", tell=interrupt)
    found = run("out", "1", "2", "3")
    assert (found.progress.kept, found.progress.built) == (2, 1)


@pytest.mark.usefixtures("_in_this_process")
def test_the_key_of_a_large_class_has_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("report.classroom.batch.IN_A_KEY", 2)
    run("out", "1", "2", "3", "4", "5")
    pages = [
        pypdf.PdfReader(p).pages[0].extract_text() for p in sorted(Path("out").glob("key*.pdf"))
    ]
    assert ["5 Student 5" in page for page in pages] == [False, True, False]  # key-2, key-3, key
    assert ["1 Student 1" in page for page in pages] == [False, False, True]
    run("out", "1", "2")
    assert [p.name for p in Path("out").glob("key*.pdf")] == ["key.pdf"]


@pytest.mark.usefixtures("_in_this_process")
def test_two_batches_do_not_write_to_one_folder() -> None:
    with Ledger(Path("out")), pytest.raises(ReportError, match="another batch is writing to out"):
        run("out", "1")
    assert run("out", "1").progress.built == 1


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"version": 1}', '{"version": 1, "students": 3}', '{"version": 1, "students": [3]}',
     '{"version": 1, "students": [{"id": "1"}]}', '{"version": 1, "students": [{"x": 1}]}',
     '{"version": 1, "students": [{"id": "1", "name": "", "files": {"sheet": 3}}]}',
     '{"version": 1, "students": [{"id": "1", "name": "", "answers": 3}]}', "[" * 100_000],
    ids=range(11),
)  # fmt: skip
def test_a_manifest_that_is_none_is_as_if_it_were_not_there(text: str) -> None:
    Path("out").mkdir()
    Path("out/manifest.json").write_text(text)
    with Ledger(Path("out")) as ledger:
        assert not any(r.files for r in ledger.records.values())


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda: Path("hw.toml").write_text(WORK + "y = {unifrom = [1, 2]}"),
            "input y is a table of",
        ),
        (lambda: Path("hw.toml").write_text(WORK.replace("abs(f)", "abs(f")), "is no condition"),
        (lambda: Path("roster.csv").write_text("id,name\n1,A\n1,B\n"), "have the same id"),
        (lambda: Path("out").write_text(""), "out is a file; name a folder"),
        (
            lambda: Path("hw.toml").write_text(
                WORK.replace("{uniform = [-2, 2], digits = 3}", "{choice = [1]}")
            ),
            "allow 1 different variants, and roster.csv has 2 students",
        ),
    ],
)
def test_a_homework_or_roster_of_no_use_is_refused_at_once(
    change: Callable[[], Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    roster("1", "2")
    change()
    assert cli.main(["batch", "hw.toml", "roster.csv", "-o", "out"]) == 2
    assert words in capsys.readouterr().err
    assert not Path("out").is_dir()


@pytest.mark.parametrize(
    ("given", "words"), [("sheets", "no edition 'sheets'"), (",", "name an edition")]
)
def test_unknown_editions_are_refused(
    given: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["batch", "hw.toml", roster("1"), "-o", "out", "--editions", given]
    assert cli.main(arguments) == 2
    assert words in capsys.readouterr().err


# ---------------------------------------------------------------- processes


class Deadly:
    """What ends the process that takes it out of its wrapping."""

    def __reduce__(self) -> Any:
        return os._exit, (9,)


def tasks(*ids: str, editions: tuple[str, ...] = ("sheet",)) -> list[workers.Task]:
    work = read_homework("hw.toml")
    own = homeworks(work, read_roster(roster(*ids), work))
    return [
        workers.Task(n, h, editions)
        for n, (_, h) in enumerate(own)
        if not isinstance(h, ReportError)
    ]


@pytest.mark.usefixtures("_quick_start")
def test_a_process_that_dies_loses_one_student_only() -> None:
    given = tasks("1", "2", "3", "4")
    given[1] = replace(given[1], homework=Deadly())  # type: ignore[arg-type]
    found = {r.number: r for r in workers.local(given, 2)}
    assert sorted(found) == [0, 1, 2, 3]
    assert found[1].error == "the process that made it died twice"
    assert all(found[n].pdfs["sheet"].startswith(b"%PDF-") for n in (0, 2, 3))


@pytest.mark.usefixtures("_quick_start")
def test_processes_are_replaced_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "LIFE", 2)
    found = [r.number for r in workers.local(tasks("1", "2", "3", "4", "5"), 1)]
    assert found == [0, 1, 2, 3, 4]
    assert list(workers.local([], 2)) == []


def test_a_fault_of_one_student_is_told() -> None:
    (task,) = tasks("1")
    assert workers.work(replace(task, by="other")).error.startswith("another version of report")
    broken = replace(task, homework=replace(task.homework, questions=(None,)))
    assert workers.work(broken).error.startswith("internal error (AttributeError)")


# ---------------------------------------------------------------- a cluster


@contextlib.contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def written(path: Path) -> Any:
    """The JSON document in a file, or None while it is not there or not whole."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None


@pytest.mark.usefixtures("_in_this_process")
def test_a_cluster_that_loses_a_worker_loses_nothing() -> None:
    """A real scheduler and two workers; one of them is killed when the first students are done."""
    pytest.importorskip("distributed")
    ids = [f"s{i}" for i in range(10)]
    roster(*ids)
    at = Path("scheduler.json").resolve()
    scheduler = (
        "distributed.cli.dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
    )
    worker = ("distributed.cli.dask_worker", "--scheduler-file", str(at), "--nthreads", "1", "--no-nanny",
              "--no-dashboard", "--host", "127.0.0.1")  # fmt: skip
    with contextlib.ExitStack() as stack:
        stack.enter_context(started(*scheduler, "--scheduler-file", str(at)))
        wait_for(lambda: written(at) is not None, "the scheduler")
        address = written(at)["address"]
        stack.enter_context(started(*worker))
        victim = stack.enter_context(started(*worker))
        arguments = ["batch", "hw.toml", "roster.csv", "-o", "far", "--editions", "sheet"]
        client = stack.enter_context(
            started("tests.classroom.two_workers", address, *arguments, "--scheduler", address)
        )
        wait_for(lambda: len(list(Path("far/sheet").glob("*.pdf"))) >= 3, "the first students")
        victim.kill()
        assert client.wait(LIMIT) == 0
    assert len(list(Path("far/sheet").glob("*.pdf"))) == 10
    assert not any(s["error"] for s in manifest("far")["students"])
    batch("hw.toml", "roster.csv", "near", editions=["sheet"])
    assert contents("far") == contents("near")


def test_without_dask_the_remedy_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    arguments = ["batch", "hw.toml", roster("1"), "-o", "out", "--scheduler", "tcp://127.0.0.1:1"]
    assert cli.main(arguments) == 2
    err = capsys.readouterr().err
    assert "--scheduler needs Dask, which is not installed" in err
    assert '-m pip install "report[dask]"' in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "address", ["foo", "foo://x:1", "tcp://127.0.0.1", "tcp://a b:1", "x" * 1000]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ReportError, match="is no address of a scheduler"):
        next(workers.cluster([], address))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tcp://127.0.0.1:99999"])
def test_where_no_scheduler_answers_it_is_told(address: str) -> None:
    """In a process of its own: what is left of the attempt is not this one's to warn of."""
    pytest.importorskip("distributed")
    code = (
        "import sys; from report.classroom import workers; from report.cli import main as cli; workers.CONNECTING = 0.5\n"
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    arguments = ["batch", "hw.toml", roster("1"), "-o", "out", "--scheduler", address]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"report: no scheduler answers at {address}: " in done.stderr
    assert "Traceback" not in done.stderr


class Client:
    """Stands for a cluster whose workers answer so."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def run(self, function: Any) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "has no workers; start one: dask worker tcp://x:1"),
        ({"tcp://w:2": "other"}, "the worker tcp://w:2 has another version of report"),
        (ModuleNotFoundError("No module named 'report'"), "cannot import this version of report"),
    ],
)
def test_workers_that_would_make_other_bytes_are_refused(answer: Any, words: str) -> None:
    with pytest.raises(ReportError) as caught:
        workers._check_workers(Client(answer), "tcp://x:1")
    assert words in str(caught.value)
    workers._check_workers(Client({"w": workers.fingerprint()}), "tcp://x:1")


# ---------------------------------------------------------------- how far it is


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_how_far_how_fast_how_long() -> None:
    progress = Progress(300, built=120, kept=2, failed=1, seconds=120.0)
    assert progress.rate == 60
    assert said(progress) == "123 of 300, 60 a minute, 2:57 left, 2 kept, 1 failed"
    assert said(Progress(10, kept=10)) == "10 of 10, 10 kept"
    assert said(Progress(10)) == "0 of 10"
    assert [duration(s) for s in (0.2, 59.5, 186, 7386)] == ["0:01", "1:00", "3:06", "2:03:06"]


def test_a_bar_on_a_terminal_and_lines_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        printer = ProgressLine(stream)
        for done in range(1, 101):
            printer(Progress(100, built=done, seconds=done))
        printer.close()
    bars = terminal.getvalue().removesuffix("\n").split("\r")[1:]
    assert bars[50].startswith("[############            ] 50 of 100, 60 a minute")
    assert all(len(b) <= 60 for b in bars)
    assert terminal.getvalue().endswith("\n")
    lines = file.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[4] == "50 of 100, 60 a minute, 0:50 left"


def test_a_reader_that_is_gone_stops_no_work() -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    printer = ProgressLine(Gone())
    for done in range(1, 4):
        printer(Progress(3, built=done, seconds=1.0))
    printer.close()


@pytest.mark.usefixtures("_in_this_process")
@pytest.mark.parametrize("place", [(os, "fsync"), (Path, "replace")])
def test_a_full_disk_is_told_with_the_file_and_leaves_no_half_file(
    place: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("whole", "a", "b")
    real: Callable[..., Any] = getattr(*place)
    room = 0

    def full(*args: Any) -> Any:
        nonlocal room
        room -= 1
        if room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args)

    told = set()
    for started in range(20):  # with a little more room each time
        room = started
        with monkeypatch.context() as disk:
            disk.setattr(*place, full)
            try:
                run("out", "a", "b")
                break
            except ReportError as error:
                told.add(str(error).removesuffix(" cannot be written: No space left on device"))
        assert not list(Path("out").rglob("*.part"))
        assert contents("out").items() <= contents("whole").items()
    assert contents("out") == contents("whole")
    assert len(told) >= 3
    assert all(re.fullmatch(r"out/\S+", file) for file in told)
