"""Trace -> the source of a program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from report.printers import loops
from report.printers.program import program
from report.printers.scope import Dialect
from report.tracing import Trace

MAX_NUMBERS = 50_000  # in a program's inputs, gates and gradients together
MAX_STEPS = 1_000_000  # of explicit loops, in one forward pass


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
