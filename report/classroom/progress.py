"""How far a batch is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from report.classroom.batch import Progress

LINES = 10  # in all, where there is no terminal


class ProgressLine:
    """Hears of every student that is done, and writes to a stream."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._bar: Any = None
        self._lines = 0

    def __call__(self, progress: Progress) -> None:
        """Show how far the batch is; once nobody looks any more, the work goes on."""
        try:
            if self.stream.isatty():
                self._show(progress)
            elif progress.done * LINES // progress.total > self._lines:
                self._lines = progress.done * LINES // progress.total
                self.stream.write(said(progress) + "\n")
                self.stream.flush()
        except OSError:
            self._lines = LINES

    def _show(self, progress: Progress) -> None:
        """[########        ] 120 of 300, 58 a minute, 3:06 left, 1 failed."""
        if self._bar is None:
            from tqdm import tqdm

            look = {"bar_format": "[{bar:24}] {desc}", "ascii": " #", "dynamic_ncols": True}
            self._bar = tqdm(total=progress.total, file=self.stream, mininterval=0, **look)
        self._bar.n = progress.done
        self._bar.set_description_str(said(progress))

    def close(self) -> None:
        """Leave the line of the bar."""
        if self._bar is not None:
            with contextlib.suppress(OSError):
                self._bar.close()


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
