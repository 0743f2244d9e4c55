"""Trace -> source of a stand-alone program -> its real output -> the numbers that it printed.

`write` prints the graph of one question as a program that a student could hand in. `run` executes it in
a process of its own (or `start` and `finish` it, to do something else meanwhile), and `read` takes the
printed numbers back.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from report.errors import CheckError, ReportError
from report.graph import Array, Shape
from report.printers import loops
from report.printers.program import program
from report.printers.scope import Dialect
from report.tracing import Trace

MAX_NUMBERS = 50_000  # in a program's inputs, gates and gradients together
MAX_STEPS = 1_000_000  # of explicit loops, in one forward pass
MAX_OUTPUT = 20_000_000  # bytes
_TAIL = 3  # lines of a failed program's messages that are shown


@dataclass(frozen=True)
class Program:
    """A program for one question; where a dialect is not possible, `reason` says why."""

    name: str
    dialect: Dialect
    source: str
    reason: str = ""

    @property
    def command(self) -> str:
        """How a reader runs it."""
        return f"$ python3 {self.name}"


@dataclass(frozen=True)
class Output:
    """What a program printed, in how many seconds, and the command as a reader would type it."""

    text: str
    seconds: float
    command: str


@dataclass(frozen=True)
class Printed:
    """The numbers in a program's output, by the names of the trace: gate values and all gradients.

    `compared` entries of the gradient were checked by central differences, and `error` is the largest
    difference that the program found (relative to the largest entry, unless the gradient vanishes).
    """

    values: Mapping[str, Array]
    gradients: Mapping[str, Array]
    compared: int = 0
    error: float | None = None


# ---------------------------------------------------------------- writing


def write(
    trace: Trace,
    *,
    dialect: Dialect,
    name: str = "program.py",
    title: str = "Backpropagation through a computational graph",
) -> Program:
    """The program of a trace: with the standard library alone ("python") or vectorised ("numpy").

    The program's `source` is empty and its `reason` tells why when a gate has no readable code in the
    dialect, or when there are more numbers than a listing can hold or loops can work through.
    """
    numbers = sum(
        int(np.size(q.value)) * (2 if q.gradient is not None else 1)
        for q in (*trace.inputs, *trace.gates)
    )
    if numbers > MAX_NUMBERS:
        return Program(name, dialect, "", f"{numbers} numbers are too many for a listing")
    steps = loops.steps(trace.graph.nodes)
    if dialect == "python" and steps > MAX_STEPS:
        return Program(name, dialect, "", f"explicit loops would take {steps} steps")
    try:
        return Program(name, dialect, program(trace, dialect, title))
    except loops.Unprintable as error:
        return Program(name, dialect, "", str(error))


# ---------------------------------------------------------------- running


@dataclass(frozen=True, eq=False)
class Run:
    """A program under way; `finish` waits for it. One that nobody waits for any more is ended."""

    program: Program
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    messages: IO[bytes]
    started: float
    timeout: float
    close: Callable[[], None]


def run(program: Program, *, timeout: float = 20.0) -> Output:
    """Run a program in a process of its own and return what it printed.

    The process is isolated: an interpreter that reads no settings and no user's packages, an empty
    environment but for UTF-8 and one thread for linear algebra, an empty folder, no input, a limit on
    time (seconds) and output. Raises CheckError when the program fails, warns, prints too much or does
    not end in time; then all that it started has been ended too.
    """
    return finish(start(program, timeout=timeout))


def start(program: Program, *, timeout: float = 20.0) -> Run:
    """Begin to run a program, to `finish` it later; see `run`."""
    if not program.source:
        raise ReportError(
            f"{program.name}: there is no {program.dialect} program: {program.reason}"
        )
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="report-"))
        output, messages = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(2))
        file = Path(program.name).name
        Path(folder, file).write_text(program.source, encoding="utf-8")
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *_flags(program.dialect), f"./{file}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=messages,
            cwd=folder,
            env=_environment(program.dialect),
            start_new_session=True,
        )
        stack.callback(_end, process)
        _limit(process.pid, timeout)
        close = stack.pop_all().close
    run = Run(program, process, output, messages, started, timeout, close)
    weakref.finalize(run, close)
    return run


def finish(run: Run) -> Output:
    """Wait for a program that was started and return what it printed; see `run`."""
    name, left = run.program.name, run.started + run.timeout - time.monotonic()
    try:
        status = _wait(run.process, max(left, 0.0))
        seconds = time.monotonic() - run.started
    except subprocess.TimeoutExpired:
        raise CheckError(f"{name} did not end within {run.timeout:g} seconds") from None
    finally:
        _end(run.process)
        text, messages = _content(run.output), _content(run.messages)
        run.close()
    if len(text) >= MAX_OUTPUT:
        raise CheckError(f"{name} prints more than {MAX_OUTPUT} bytes")
    if status or messages.strip():
        last = [line.rstrip() for line in messages.splitlines() if line.strip()][-_TAIL:]
        what = f"ended with status {status}" if status else "printed a warning"
        raise CheckError("\n  ".join([f"{name} {what}:" if last else f"{name} {what}", *last]))
    return Output(text, seconds, run.program.command)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> int:
    """The status of a process as soon as it ends: subprocess looks for it 20 times a second."""
    if hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):
            handle = os.pidfd_open(process.pid)
            try:
                ended = select.poll()
                ended.register(handle, select.POLLIN)
                ended.poll(seconds * 1000)
            finally:
                os.close(handle)
            seconds = 0.1
    return process.wait(seconds)


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(MAX_OUTPUT).decode("utf-8", "replace").replace("\r\n", "\n")


def _flags(dialect: Dialect) -> list[str]:
    """Isolated mode, UTF-8, no bytecode files; NumPy has to be found in the site's packages."""
    flags = ["-I", "-B", "-X", "utf8"]
    if dialect == "python":
        return [*flags, "-S"]
    return flags if _numpy_is_installed() else ["-P", "-s", *flags[1:]]


def _environment(dialect: Dialect) -> dict[str, str]:
    kept = {k: os.environ[k] for k in ("SYSTEMROOT",) if k in os.environ}  # Windows needs it
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB")}
    environment = {**kept, "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", **one_thread}
    if dialect == "numpy" and not _numpy_is_installed():
        environment["PYTHONPATH"] = str(Path(np.__file__).parents[1])
    return environment


def _numpy_is_installed() -> bool:
    """Whether an isolated interpreter finds this NumPy: not when it came by PYTHONPATH or the like."""
    import sysconfig

    home = Path(np.__file__).parents[1]
    return home in {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}


def _limit(pid: int, timeout: float) -> None:
    """Limits that hold even if nobody comes back to finish the program, where the system has them."""
    with contextlib.suppress(ImportError, AttributeError, OSError, ValueError):
        import resource

        seconds = math.ceil(timeout) + 1
        resource.prlimit(pid, resource.RLIMIT_CPU, (seconds, seconds))
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (MAX_OUTPUT, MAX_OUTPUT))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


# ---------------------------------------------------------------- reading

_ENTRY = re.compile(
    r"  (?:d[A-Za-z]\w*/d)?(?P<name>[A-Za-z]\w*)(?: = .*?)?(?:  \((?P<shape>[\d, ]+)\))?"
    r"(?:\s{2,}(?P<number>-?\d\S*))?\s*"
)
_ROW = re.compile(r"\s{3,}(-?\d\S*)(\s+-?\d\S*)*\s*")
_CHECK = re.compile(r"  (?P<what>[a-z ]+?)  +(?P<number>\S+)")


def read(text: str) -> Printed:
    """The numbers in a program's output. Raises CheckError for a line that is not of its kind."""
    sections: dict[str, dict[str, tuple[Shape, list[float]]]] = {
        "forward pass": {},
        "backward pass": {},
    }
    section, current = "", None
    facts: dict[str, float] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        if not line.startswith(" "):
            section, current = line.strip(), None
        elif section in sections:
            entries = sections[section]
            if current is not None and len(entries[current][1]) < math.prod(entries[current][0]):
                if not _ROW.fullmatch(line):
                    raise CheckError(f"line {number} of the output is no row of {current}: {line}")
                entries[current][1].extend(map(float, line.split()))
            elif match := _ENTRY.fullmatch(line):
                current = match["name"]
                shape = tuple(int(n) for n in (match["shape"] or "").replace(",", " ").split())
                entries[current] = shape, [float(match["number"])] if match["number"] else []
            else:
                raise CheckError(f"line {number} of the output cannot be read: {line}")
        elif match := _CHECK.fullmatch(line):
            facts[match["what"]] = float(match["number"])
    values, gradients = (
        {name: _array(name, *found) for name, found in s.items()} for s in sections.values()
    )
    error = facts.get("largest relative difference", facts.get("largest difference"))
    return Printed(values, gradients, int(facts.get("entries compared", 0)), error)


def _array(name: str, shape: Shape, numbers: list[float]) -> Array:
    if len(numbers) != math.prod(shape):
        raise CheckError(f"the output has {len(numbers)} numbers for {name}, which has {shape}")
    return np.array(numbers).reshape(shape) if shape else np.float64(numbers[0])
