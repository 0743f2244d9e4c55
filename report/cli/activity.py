"""What a command is doing: shown on a terminal when it takes long, or every step with its time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import TextIO

from report.doing import listener

PATIENCE = 2.0  # seconds before a terminal shows anything
_CLEAR = "\r\x1b[K"


@contextlib.contextmanager
def activity(stream: TextIO, *, quiet: bool = False, verbose: bool = False) -> Iterator[None]:
    """Show on a stream what the block is doing.

    With `verbose` each step is a line, with the seconds that it took; else a terminal shows the present
    step, and takes it away at the end, when the block takes longer than PATIENCE; `quiet` shows nothing.
    """
    if verbose:
        shown: _Steps | _Line = _Steps(stream)
    elif quiet or not stream.isatty():
        yield
        return
    else:
        shown = _Line(stream)
    token = listener.set(shown.step)
    try:
        yield
    finally:
        listener.reset(token)
        shown.end()


class _Steps:
    """A line for each step, with its time."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.begun, self.words = time.perf_counter(), ""

    def step(self, words: str) -> None:
        self.end()
        self.begun, self.words = time.perf_counter(), words

    def end(self) -> None:
        if self.words:
            with contextlib.suppress(OSError):
                seconds = time.perf_counter() - self.begun
                print(f"{seconds:7.2f} s  {self.words}", file=self.stream, flush=True)
        self.words = ""


class _Line:
    """One line that is written again at each step, once patience is at an end."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.words = ""
        self.late = False
        self.lock = threading.Lock()
        self.timer = threading.Timer(PATIENCE, self.begin)
        self.timer.daemon = True
        self.timer.start()

    def begin(self) -> None:
        with self.lock:
            self.late = True
            self.show(self.words)

    def step(self, words: str) -> None:
        with self.lock:
            self.words = words
            if self.late:
                self.show(words)

    def show(self, words: str) -> None:
        with contextlib.suppress(OSError):
            self.stream.write(f"{_CLEAR}{words} ..." if words else _CLEAR)
            self.stream.flush()

    def end(self) -> None:
        self.timer.cancel()
        with self.lock:
            if self.late:
                self.show("")
            self.late = False
