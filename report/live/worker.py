"""A process that does the work of the page, and can be ended: when it takes too long, or eats too much."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from report.errors import ReportError

MEMORY = 4_000_000_000  # bytes of a worker's address space
GRACE = 1.0  # seconds for a worker to end its program
_PRELOADED = ["report.live.warm"]


class Superseded(Exception):
    """A newer request came before this one was begun."""


def _context() -> Any:
    """Processes that start warm where the system can fork."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


class Worker:
    """One process that answers one request at a time; of those that wait, the newest of a kind wins."""

    def __init__(self, memory: int = MEMORY) -> None:
        self.memory = memory  # bytes
        self.turn = asyncio.Lock()
        self.newest: dict[str, int] = {}
        self.process: Any = None
        self.pipe: Connection | None = None

    def begin(self) -> None:
        """Start the process, if none runs."""
        if self.process is not None and self.process.is_alive():
            return
        context = _context()
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, self.memory), daemon=True)
        self.process.start()
        theirs.close()

    async def ask(self, name: str, *args: Any, kind: str = "", seconds: float = 10.0) -> Any:
        """What the function `name` of `report.live.work` returns.

        Raises what that raises, ReportError when it takes longer than so many seconds, Superseded when
        a newer request of the same kind has come before this one had its turn.
        """
        number = self.newest[kind] = self.newest.get(kind, 0) + 1
        async with self.turn:
            if kind and self.newest[kind] != number:
                raise Superseded
            found: Any = None
            for _ in range(2):  # a process may have been ended from outside while it waited
                try:
                    found = await asyncio.to_thread(self._exchange, (name, args), seconds)
                    break
                except (EOFError, OSError):
                    self.end()
            else:
                raise ReportError("this needs more memory than the live page may take")
        if isinstance(found, TimeoutError):
            raise ReportError(
                f"this takes longer than {seconds:g} seconds and was stopped; make it smaller, or use "
                "report build"
            )
        if isinstance(found, Exception):
            raise found
        return found

    def _exchange(self, request: Any, seconds: float) -> Any:
        self.begin()
        assert self.pipe is not None
        self.pipe.send(request)
        if not self.pipe.poll(seconds):
            self.end()
            return TimeoutError()
        return self.pipe.recv()

    def end(self) -> None:
        """End the process, whatever it does, and the program that it runs."""
        if self.pipe is not None:
            self.pipe.close()
        if self.process is not None:
            self.process.terminate()  # it ends its program
            self.process.join(GRACE)
            self.process.kill()
            self.process.join()
        self.pipe = self.process = None


def _serve(pipe: Connection, memory: int) -> None:
    """Answer requests until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server ends its workers
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    from report.live import work

    gc.freeze()  # what stands ready stays; most of an answer lives until it is sent
    gc.set_threshold(50_000, 20, 50)
    parent = os.getppid()
    with contextlib.suppress(EOFError, OSError):
        while os.getppid() == parent:
            name, args = pipe.recv()
            pipe.send(_answer(getattr(work, name), args))


def _answer(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    try:
        return function(*args)
    except ReportError as error:
        return type(error)(str(error))
    except MemoryError:
        return ReportError("this needs more memory than the live page may take")
    except Exception as error:  # noqa: BLE001 - the page says that the fault is not the user's
        return ReportError(
            f"internal error ({type(error).__name__}): this is a fault of report, not of your homework"
        )
