"""How far a batch is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from report.classroom.batch import Progress

BAR = 24  # characters
LINES = 10  # in all, where there is no terminal


class ProgressLine:
    """Hears of every student that is done, and writes to a stream."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.terminal = stream.isatty()
        self._lines = 0
        self._width = 0

    def __call__(self, progress: Progress) -> None:
        """Show how far the batch is."""
        if self.terminal:
            text = bar(progress)[: shutil.get_terminal_size().columns - 1]
            self._write("\r" + text + " " * (self._width - len(text)))
            self._width = len(text)
        elif progress.done * LINES // progress.total > self._lines:
            self._lines = progress.done * LINES // progress.total
            self._write(said(progress) + "\n")

    def close(self) -> None:
        """Leave the line of the bar."""
        if self._width:
            self._write("\n")
            self._width = 0

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except OSError:  # nobody looks any more; the work goes on
            self.terminal, self._lines = False, LINES


def bar(progress: Progress) -> str:
    """[########        ] 120 of 300, 58 a minute, 3:06 left, 1 failed."""
    full = BAR * progress.done // progress.total
    return f"[{'#' * full}{' ' * (BAR - full)}] {said(progress)}"


def said(progress: Progress) -> str:
    """How far, how fast, how long still."""
    parts = [f"{progress.done} of {progress.total}"]
    if progress.built:
        parts.append(f"{progress.rate:.0f} a minute")
    if progress.done < progress.total and not math.isnan(progress.left):
        parts.append(f"{duration(progress.left)} left")
    if progress.kept:
        parts.append(f"{progress.kept} kept")
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any: 3:06, 2:03:06."""
    whole = math.ceil(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
