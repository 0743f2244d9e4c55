"""Second derivatives as formulas, read back: those that can be read are kept."""

from __future__ import annotations

from functools import partial

from report.autodiff import extended
from report.autodiff.hessian import Curvature
from report.autodiff.trace import Trace
from report.derivation import Derivation
from report.derivation.hessian_blocks import SecondDerivative, second_derivatives
from report.readback.notes import ReadBack
from report.readback.sides import read_sides


def readable(
    trace: Trace, derivation: Derivation, found: Curvature
) -> tuple[tuple[SecondDerivative, ...], ReadBack]:
    """The second derivatives that can be read, and what was read of them.

    What is wrong in numbers of a computer is read again with digits to spare.
    """
    told = partial(second_derivatives, trace, derivation, found)
    kept: list[SecondDerivative] = []
    whole = ReadBack(0, (), ())
    for i, second in enumerate(told()):
        read = _read(trace, second)
        if read.failures and extended.steps(trace.graph) <= extended.MAX_STEPS:
            again = _read(trace, told(exactly=True)[i], exactly=True)
            read = again if not again.unread else read
        if not read.unread:
            kept.append(second)
            whole += read
    return tuple(kept), whole


def _read(trace: Trace, second: SecondDerivative, *, exactly: bool = False) -> ReadBack:
    sides = [(second.left, side, second.value) for side in second.formulas]
    return read_sides(trace, sides, further=second.known, where=second.where, exactly=exactly)
