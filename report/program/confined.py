"""A program that somebody else wrote -> what it printed, from a process that can do no harm.

See `confined_main` for the fences. What a program may not do ends it with Python's own error, and what
it printed until then is kept: a student's program that fails is shown, not refused.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from report.program.interpreter import flags, interpreter_environment
from report.program.run import Interpreter

SECONDS = 20.0
MAX_OUTPUT = 4_000_000  # bytes of output, and of any file
MAX_FOLDER = 100_000_000  # bytes of all files together
MAX_MEMORY = 4 << 30  # bytes of addresses
MAX_PROCESSES = 512  # of the user, where the kernel has no better fence
_MAIN = Path(__file__).with_name("confined_main.py")
_GLANCE = 0.25  # seconds between two looks at what is written
_TAIL = 12  # lines of messages


@dataclass(frozen=True)
class Ended:
    """What a program printed, and how it ended: `fault` says what went wrong, "" where nothing did.

    `cut` tells that it printed more than is kept, `held` which of the kernel's fences stood ("files",
    "network"); the others stood as far as Python itself holds them.
    """

    text: str
    messages: str
    fault: str
    cut: bool
    seconds: float
    held: tuple[str, ...]


def run_confined(
    name: str, cells: Sequence[str], *, display: bool = False, timeout: float = SECONDS
) -> Ended:
    """Run a program, in one cell or several, in a process of its own; wait until it ends.

    With `display` a cell shows the value of its last line, as a notebook does. The process has limits
    on time (seconds), memory, output and files, an empty folder that is removed afterwards, no input,
    an environment of a few fixed names, no network and no other processes.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        output, messages, given, told = (
            stack.enter_context(tempfile.TemporaryFile()) for _ in range(4)
        )
        limits = {
            "RLIMIT_CPU": math.ceil(timeout) + 1,
            "RLIMIT_FSIZE": MAX_OUTPUT,
            "RLIMIT_AS": MAX_MEMORY,
            "RLIMIT_CORE": 0,
            "RLIMIT_NPROC": MAX_PROCESSES,
        }
        order = {
            "name": name,
            "cells": list(cells),
            "display": display,
            "limits": limits,
            "told": told.fileno(),
            "libraries": [str(Path(np.__file__).parents[1])],
        }
        given.write(json.dumps(order).encode())
        given.seek(0)
        own = {"HOME": folder, "TMPDIR": folder, "MPLCONFIGDIR": folder, "MPLBACKEND": "agg"}
        started = time.monotonic()
        process = Interpreter(
            [sys.executable, *flags("numpy"), str(_MAIN)],
            folder,
            {**interpreter_environment("numpy"), **own},
            output,
            messages,
            given=given,
            kept=[told.fileno()] if os.name == "posix" else [],
        )
        try:
            status, full = _watched(process, Path(folder), started + timeout)
        finally:
            process.end()
        seconds = time.monotonic() - started
        size = output.seek(0, os.SEEK_END)
        texts = []
        for file in (output, messages, told):
            file.seek(0)
            content = file.read(MAX_OUTPUT).decode("utf-8", "replace")
            texts.append(content.replace("\r\n", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}"))
    text, said, held = texts
    cut = size >= MAX_OUTPUT
    fault = _fault(name, status, said, timeout, cut)
    if full:
        fault = f"{name} writes files of more than {MAX_FOLDER / 1e6:g} MB"
    return Ended(text, said, fault, cut, seconds, tuple(held.split()))


def _watched(process: Interpreter, folder: Path, deadline: float) -> tuple[int | None, bool]:
    """The status, None of one that has to be ended; and whether that is for what it has written."""
    while (left := deadline - time.monotonic()) > 0:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(min(left, _GLANCE)), False
        if _size(folder) > MAX_FOLDER:
            return None, True
    return None, False


def _size(folder: Path) -> int:
    """Bytes of the files below a folder; each counts for a block at least."""
    found = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                found += max(os.lstat(os.path.join(root, name)).st_size, 4096)  # noqa: PTH118
    return found


def _fault(name: str, status: int | None, said: str, timeout: float, cut: bool) -> str:
    """Why a program is no good, with the end of its messages."""
    if status is None:
        return f"{name} did not end within {timeout:g} seconds"
    if cut:
        return f"{name} prints more than {MAX_OUTPUT / 1e6:g} MB"
    if not status:
        return ""
    lines = [line.rstrip() for line in said.splitlines() if line.strip()][-_TAIL:]
    what = f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
    return "\n  ".join([f"{name} {what}:" if lines else f"{name} {what}", *lines])
