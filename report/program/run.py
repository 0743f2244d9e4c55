"""A program -> its output, from a process of its own."""

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
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Protocol

from report.errors import CheckError, ReportError
from report.program import fork_server
from report.program.generate import Program
from report.program.interpreter import flags, interpreter_environment

MAX_OUTPUT = 20_000_000  # bytes
_BEYOND = "too large, too small or rounded too much for float64; choose other inputs"
_FAULTS = re.compile(
    "OverflowError|ZeroDivisionError|math domain error|LinAlgError|Warning: (overflow|invalid|divide)"
)
_TAIL = 3  # lines of a failed program's messages that are shown


@dataclass(frozen=True)
class Output:
    """What a program printed, in how many seconds, and the command as a reader would type it."""

    text: str
    seconds: float
    command: str


class Process(Protocol):
    """A program that runs."""

    def wait(self, seconds: float) -> int:
        """Its status when it ends; subprocess.TimeoutExpired where that takes longer."""

    def end(self) -> None:
        """End it and all that it started, if it has not ended."""


@dataclass(frozen=True, eq=False)
class Running:
    """A program under way; `finish` waits for it. One that nobody waits for any more is ended."""

    program: Program
    process: Process
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
    return finish(start(program, timeout=timeout, fresh=True))


def start(program: Program, *, timeout: float = 20.0, fresh: bool = False) -> Running:
    """Begin to run a program, to `finish` it later; see `run`.

    Unless it must be `fresh`, the interpreter may be the copy of one that has NumPy loaded already.
    """
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
        process: Process | None = None
        if program.dialect == "numpy" and not fresh:
            process = fork_server.start(folder, file, output, messages, _limits(timeout))
        if process is None:
            command = [sys.executable, *flags(program.dialect), f"./{file}"]
            environment = interpreter_environment(program.dialect)
            process = Interpreter(
                command, folder, environment, output, messages, limits=_limits(timeout)
            )
        stack.callback(process.end)
        close = stack.pop_all().close
    run = Running(program, process, output, messages, started, timeout, close)
    weakref.finalize(run, close)
    return run


def finish(running: Running) -> Output:
    """Wait for a program that was started and return what it printed; see `run`."""
    name, left = running.program.name, running.started + running.timeout - time.monotonic()
    try:
        status = running.process.wait(max(left, 0.0))
        seconds = time.monotonic() - running.started
    except subprocess.TimeoutExpired:
        raise CheckError(f"{name} did not end within {running.timeout:g} seconds") from None
    except fork_server.Gone:  # with the interpreter that was to be copied
        return run(running.program, timeout=running.timeout)
    finally:
        running.process.end()
        text, messages = _content(running.output), _content(running.messages)
        running.close()
    if len(text) >= MAX_OUTPUT:
        raise CheckError(f"{name} prints more than {MAX_OUTPUT} bytes")
    if status or messages.strip():
        last = [line.rstrip() for line in messages.splitlines() if line.strip()][-_TAIL:]
        if _is_beyond(running.program, messages, last[-1:]):
            raise ReportError(
                "\n  ".join([f"{name} cannot hold a number on its way: {_BEYOND}", *last])
            )
        what = f"ended with status {status}" if status else "printed a warning"
        raise CheckError("\n  ".join([f"{name} {what}:" if last else f"{name} {what}", *last]))
    return Output(text, seconds, running.program.command)


def _is_beyond(program: Program, messages: str, last: Sequence[str]) -> bool:
    """Whether a number is too large for float64 or, where that may not hold them, is none or 0 there."""
    raised = any(line.startswith("OverflowError") for line in last)
    return raised or (program.fragile and bool(_FAULTS.search(messages)))


class Interpreter:
    """A program in an interpreter started for it, in a session of its own."""

    def __init__(
        self,
        command: Sequence[str],
        folder: str,
        environment: Mapping[str, str],
        output: IO[bytes],
        messages: IO[bytes],
        *,
        given: IO[bytes] | int = subprocess.DEVNULL,
        kept: Collection[int] = (),
        limits: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=given,
            stdout=output,
            stderr=messages,
            cwd=folder,
            env=environment,
            pass_fds=kept,
            start_new_session=True,
        )
        # Limits that hold even if nobody comes back to finish the program, where the system has them.
        with contextlib.suppress(ImportError, AttributeError, OSError, ValueError):
            import resource

            for name, limit in limits.items():
                resource.prlimit(self._process.pid, getattr(resource, name), (limit, limit))

    def wait(self, seconds: float) -> int:
        """The status as soon as it ends: subprocess looks for it 20 times a second."""
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                handle = os.pidfd_open(self._process.pid)
                try:
                    ended = select.poll()
                    ended.register(handle, select.POLLIN)
                    ended.poll(seconds * 1000)
                finally:
                    os.close(handle)
                seconds = 0.1
        return self._process.wait(seconds)

    def end(self) -> None:
        """End it and all that it started."""
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(MAX_OUTPUT).decode("utf-8", "replace").replace("\r\n", "\n")


def _limits(timeout: float) -> dict[str, int]:
    """Seconds of computing and bytes of output, by the system's names for such limits."""
    return {"RLIMIT_CPU": math.ceil(timeout) + 1, "RLIMIT_FSIZE": MAX_OUTPUT}
