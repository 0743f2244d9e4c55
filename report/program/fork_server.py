"""Programs in copies of an interpreter that has NumPy loaded; see `fork_server_main`.

That interpreter is started with the second program of a process, and belongs to the process: many
reports from one process cost one loading of NumPy in place of one each.

The standard library's forkserver would not do: it starts with the flags, the environment and the search
path of this process, so that a `numpy.py` beside the homework would be preloaded as NumPy, and neither
isolated nor UTF-8 mode can be set later; each child runs the caller's own script once more, is no
session of its own, whose children could be ended with it, and shares its one server with whatever else
in the process uses multiprocessing.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from report.program.interpreter import flags, interpreter_environment

_PROMPT = 20.0  # seconds in which an interpreter surely starts


class Gone(Exception):
    """Nobody tells any more how a program ended."""


class _Copies:
    """The programs of this process that run in copies."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._asked = 0  # how many programs were to be started
        self._server: _Server | None = None

    def start(
        self,
        folder: str,
        file: str,
        output: IO[bytes],
        messages: IO[bytes],
        limits: Mapping[str, int],
    ) -> Copy | None:
        """Begin to run a file in a copy; None where there is none: an interpreter of its own does too.

        So it is with the first program of a process, on other systems than Linux, and after a fault.
        """
        if sys.platform != "linux":
            return None
        with self._turn:
            self._asked += 1
            if self._asked < 2:
                return None
            if self._server is None or not self._server.is_mine():
                if self._server is not None:
                    self._server.dismiss()
                self._server = _Server()
            order = {"folder": folder, "file": file, "limits": dict(limits)}
            fate, told = os.pipe()
            try:
                self._server.send(order, [output.fileno(), messages.fileno(), told])
            except OSError:
                os.close(fate)
                self._server.dismiss()
                self._server = None
                return None
            finally:
                os.close(told)
            return Copy(fate)


class _Server:
    """The interpreter with NumPy loaded."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._orders, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    *flags("numpy"),
                    str(Path(__file__).with_name("fork_server_main.py")),
                ],
                stdin=far.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=interpreter_environment("numpy"),
                start_new_session=True,
            )
        atexit.register(self.dismiss)

    def is_mine(self) -> bool:
        """Whether this process started it, and it lives: a fork must not use its parent's."""
        return self._owner == os.getpid() and self._process.poll() is None

    def send(self, order: Mapping[str, object], files: list[int]) -> None:
        """Have a program run. Raises OSError when nobody is there to do so."""
        socket.send_fds(self._orders, [json.dumps(order).encode()], files)

    def dismiss(self) -> None:
        """End it, once what was ordered has begun."""
        atexit.unregister(self.dismiss)
        if self._owner == os.getpid():
            with contextlib.suppress(OSError):  # forks of this process may hold it open
                self._orders.shutdown(socket.SHUT_RDWR)
        self._orders.close()
        if self._owner == os.getpid():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_PROMPT)


class Copy:
    """A program in a copy of the interpreter, and what is told of its fate."""

    def __init__(self, fate: int) -> None:
        self._fate: int | None = fate
        self._told = b""

    def wait(self, seconds: float) -> int:
        """The status of the program; subprocess.TimeoutExpired where it does not end in time, Gone."""
        lines = self._read(2, seconds)
        if len(lines) < 2:
            raise Gone
        return int(lines[1])

    def end(self) -> None:
        """End the program and all that it started."""
        if self._fate is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            lines = self._read(1, _PROMPT)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if lines:
                    os.killpg(int(lines[0]), signal.SIGKILL)
            self._read(2, _PROMPT)
        os.close(self._fate)
        self._fate = None

    def _read(self, count: int, seconds: float) -> list[bytes]:
        """The first lines of what is told: the process id and then the status; fewer at the end."""
        assert self._fate is not None
        until = time.monotonic() + seconds
        ready = select.poll()
        ready.register(self._fate, select.POLLIN)
        while self._told.count(b"\n") < count:
            if not ready.poll(max(until - time.monotonic(), 0.0) * 1000):
                raise subprocess.TimeoutExpired("program", seconds)
            more = os.read(self._fate, 100)
            if not more:
                break
            self._told += more
        return self._told.split(b"\n")[:-1][:count]


start = _Copies().start
