"""What the program is doing at the moment, for a listener such as the command line, who tells a person."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


def doing(words: str) -> None:
    """Tell the listener, if there is one, what begins now: "question q1: deriving"."""
    hears = listener.get()
    if hears is not None:
        hears(words)
