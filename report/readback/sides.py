"""Formulas that stand beside a derivation, read back: second derivatives, steps down the gradient."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from report.autodiff import extended
from report.autodiff.differentiate import with_more_digits
from report.autodiff.graph import Array
from report.autodiff.parser.latex.names import normal
from report.autodiff.parser.latex.printed import PrintedNames
from report.autodiff.trace import Trace
from report.derivation.elements import Equation
from report.readback.equations import Equations, Side, in_order
from report.readback.notes import ReadBack

_COLOURED = re.compile(r"\\textcolor\{#\w+\}\{[^{}]*\}")  # a number of the trace


def read_sides(
    trace: Trace,
    sides: Sequence[Side],
    names: Mapping[str, Array] | None = None,
    *,
    further: Mapping[str, Array] | None = None,
    where: Sequence[Equation] = (),
    put_in: Sequence[Side] = (),
    exactly: bool = False,
) -> ReadBack:
    """Read formulas that stand beside a derivation, in the names of the trace and `further` ones.

    With `names` these are the only ones. `where` says what stands in them by names that nobody knows yet. In
    the formulas of `put_in` numbers stand for the names. `exactly` computes with digits to spare.
    """
    reader = Equations(trace, with_more_digits(trace) if exactly else trace)
    if names is not None:
        reader.names = PrintedNames({normal(name): value for name, value in names.items()})
    for name, known in (further or {}).items():
        reader.names.add(normal(name), extended.settled(known) if exactly else known)
    with np.errstate(all="ignore"):
        for e in in_order(where):
            reader.part(e, reader.names, 0.0, {})
        for left, side, expected in sides:
            reader.same(left, side, expected, float(np.max(np.abs(expected), initial=0.0)))
        for left, side, expected in put_in:
            reader.in_numbers(
                left, [side], expected, re.findall(r"[0-9.]+", _COLOURED.sub("", side))
            )
    notes = reader.notes
    return ReadBack(notes.formulas, tuple(notes.failures), tuple(notes.unread))
