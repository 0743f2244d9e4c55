"""The work of a batch, student by student, in processes that stay warm: here, or on a Dask cluster.

A `Task` is all that a process needs, a `Result` all that comes back, so that it makes no difference
where the work is done. Both `local` and `cluster` take tasks as they need them, a few ahead, and give
results as they are ready.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib
import itertools
import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.errors import ReportError
from report.homework.homework import Homework
from report.typeset import more_fonts

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

AHEAD = 2  # tasks handed out for each process: one to do and one to go on with
LIFE = 250  # tasks that a process does
CONNECTING = 10  # seconds that a scheduler has to answer
_THREADS = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")
_ADDRESS = re.compile(r"(tcp|tls|ws|wss)://[^\s/]+:[0-9]{1,5}")
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Task:
    """One student's homework with plain numbers, and the editions to make.

    `date` is the date of making to show, if any; `by` the `fingerprint` that a process elsewhere must
    have.
    """

    number: int
    homework: Homework
    editions: tuple[str, ...]
    date: str = ""
    by: str = ""


@dataclass(frozen=True)
class Result:
    """The PDFs by edition and the answers by question, or the reason why there are none."""

    number: int
    pdfs: Mapping[str, bytes] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""


@cache
def fingerprint() -> str:
    """What decides the bytes of a PDF besides the homework: this program's own files, and versions."""
    from report import attachments, pipeline, resources

    digest = hashlib.sha256(
        json.dumps([attachments.made_with(), pipeline.versions()], sort_keys=True).encode()
    )
    package = Path(__file__).parents[1]
    folders = {package: "*.py", resources.path("templates"): "*.j2", resources.path("assets"): "*"}
    for folder, pattern in folders.items():
        for file in sorted(f for f in folder.rglob(pattern) if f.is_file()):
            digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def work(task: Task) -> Result:
    """Make what a task asks for. Whatever is wrong with one student is told in the result."""
    start = time.perf_counter()
    try:
        if task.by and task.by != fingerprint():
            raise ReportError("another version of report is installed where the work is done")
        from report import pipeline
        from report.autodiff.trace import as_lists

        with _one_at_a_time:
            made = pipeline.make(_nameable(task.homework), task.editions, task.date)
        answers = {
            question.id: {
                "name": trace.letter,
                "f": trace.value,
                "gradients": {name: as_lists(g) for name, g in trace.gradients.items()},
            }
            for question, trace in zip(task.homework.questions, made.traces, strict=True)
        }
        pdfs = {edition: bytes(pdf) for edition, pdf in made.pdfs.items()}
        return Result(task.number, pdfs, answers, time.perf_counter() - start)
    except ReportError as error:
        return Result(task.number, error=str(error))
    except MemoryError:
        return Result(task.number, error="not enough memory for this homework")
    except Exception as error:  # noqa: BLE001 - the others must not wait for one
        return Result(task.number, error=f"internal error ({type(error).__name__}): {error}")


def _nameable(homework: Homework) -> Homework:
    """With the student's id for a name that no font here has."""
    if homework.student_id and more_fonts.missing(homework.author):
        return replace(homework, author=homework.student_id)
    return homework


# ---------------------------------------------------------------- processes of this machine


def local(tasks: Iterable[Task], jobs: int) -> Iterator[Result]:
    """The results of tasks, done by so many processes, which are replaced before they grow old and large.

    When a process dies (killed, out of memory), the tasks that were under way are done again one by one,
    and the one that a process dies of twice is given up.
    """
    queue = iter(tasks)
    for first in queue:
        shift = itertools.chain([first], itertools.islice(queue, LIFE * jobs - 1))
        for task in (yield from _pooled(shift, jobs)):
            if (yield from _pooled(iter([task]), 1)):
                yield Result(task.number, error="the process that made it died twice")


def _pooled(tasks: Iterator[Task], jobs: int) -> Generator[Result, None, list[Task]]:
    """Results of one pool of processes; returns the tasks that it did not live to do."""
    from concurrent.futures import FIRST_COMPLETED, wait
    from concurrent.futures.process import BrokenProcessPool

    lost: list[Task] = []
    pending: dict[Future[Result], Task] = {}
    pool = _pool(jobs)

    def hand_out() -> None:
        while len(pending) < AHEAD * jobs and not lost:
            task = next(tasks, None)
            if task is None:
                return
            try:
                pending[pool.submit(work, task)] = task
            except BrokenProcessPool:
                lost.append(task)

    try:
        hand_out()
        while pending:
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                task = pending.pop(future)
                try:
                    result = future.result()
                except BrokenProcessPool:
                    lost.append(task)
                else:
                    hand_out()
                    yield result
    finally:
        pool.shutdown(cancel_futures=True)
    return sorted(lost, key=lambda task: task.number)


def _pool(jobs: int) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    context = multiprocessing.get_context("spawn")  # the same on every system, nothing inherited
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=settle)


def settle() -> None:
    """A new process: one thread for linear algebra, interrupts left to the parent, no life without it.

    Most of what a report is made of lives until it is done: garbage is looked for less often.
    """
    gc.set_threshold(50_000, 20, 50)
    for library in _THREADS:
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End at once when the parent is gone, however it went; a pool's process would wait for ever."""
    from multiprocessing import connection, parent_process

    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


# ---------------------------------------------------------------- a cluster


def cluster(tasks: Iterable[Task], address: str) -> Iterator[Result]:
    """The results of tasks, done by the workers of a Dask scheduler, such as tcp://host:8786.

    A worker that dies loses nothing: the scheduler gives its tasks to another one. Raises ReportError
    when Dask is not installed, when no scheduler answers, and when a worker has another version.
    """
    if not _ADDRESS.fullmatch(address):
        raise ReportError(
            f"{address[:80]!r} is no address of a scheduler; it is written tcp://host:8786"
        )
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise ReportError(
            f"--scheduler needs Dask, which is not installed; run: {sys.executable} -m pip install "
            '"report[dask]"'
        ) from None
    try:
        client = distributed.Client(address, timeout=CONNECTING, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        reason = str(error).split("\n")[0] or type(error).__name__
        raise ReportError(f"no scheduler answers at {address}: {reason[:200]}") from None
    with client:
        _check_workers(client, address)
        yield from _clustered(client, distributed, iter(tasks))


def _check_workers(client: Any, address: str) -> None:
    """Every worker must make the same bytes as this machine would."""
    try:
        found = client.run(fingerprint)
    except Exception as error:  # noqa: BLE001 - whatever a worker raises at its import of report
        raise ReportError(
            f"the workers of {address} cannot import this version of report ({type(error).__name__}: "
            f"{str(error)[:200]}); install it there too"
        ) from None
    if not found:
        raise ReportError(
            f"the scheduler at {address} has no workers; start one: dask worker {address}"
        )
    for worker, other in found.items():
        if other != fingerprint():
            raise ReportError(
                f"the worker {worker} has another version of report, Python or its libraries, or a "
                "processor that rounds otherwise; every student's report must be made alike"
            )


def _clustered(client: Any, distributed: Any, tasks: Iterator[Task]) -> Iterator[Result]:
    threads = sum(client.nthreads().values())
    numbers: dict[str, int] = {}  # of the tasks under way, by key of the future

    def submit(task: Task) -> Any:
        future = client.submit(work, task, pure=False, retries=2)
        numbers[future.key] = task.number
        return future

    first = [submit(task) for task in itertools.islice(tasks, AHEAD * threads)]
    ready = distributed.as_completed(first, loop=client.loop)
    for future in ready:
        number = numbers.pop(future.key)
        if future.status == "finished":
            result = future.result()
        else:
            error = future.exception()
            result = Result(number, error=f"the workers that made it died: {type(error).__name__}")
        future.release()
        with contextlib.suppress(StopIteration):
            ready.add(submit(next(tasks)))
        yield result
