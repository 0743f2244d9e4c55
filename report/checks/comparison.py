"""Two numbers for the same thing: whether they agree, and how far they are apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from report import number_format
from report.autodiff.graph import Array
from report.autodiff.rounding_error import ROUNDING

CLOSED_TOLERANCE = 1e-9
PROGRAM_TOLERANCE = 1e-10  # the programs print twelve digits
SMALLEST = float(np.finfo(float).tiny)  # with all its digits


@dataclass(frozen=True)
class Comparison:
    """One number obtained in another way; `error` is relative to the larger of the two."""

    value: float
    error: float
    agrees: bool


def compared(value: float, other: float, tolerance: float, scale: float) -> Comparison:
    """Two numbers, equal up to a relative tolerance or to rounding of what they were summed from."""
    size = max(abs(value), abs(other), SMALLEST)
    gap = abs(value - other)
    agrees = gap <= tolerance * size + ROUNDING * scale
    return Comparison(other, relative(gap, size, scale), bool(agrees))


def relative(gap: float, size: float, scale: float) -> float:
    """The gap relative to the size of the numbers; of rounding errors, to what they are rounded from."""
    size = size if size > 1e-13 * scale else scale
    return gap / size if size else 0.0


def is_same(value: Array, other: Array | None, scale: float) -> bool:
    """Whether a program printed these numbers, up to its twelve digits and to rounding."""
    if other is None or np.shape(other) != np.shape(value):
        return False
    largest = float(np.max(np.abs(value)))
    return bool(
        np.allclose(
            other,
            value,
            rtol=PROGRAM_TOLERANCE,
            atol=max(1e-12 * largest, ROUNDING * scale, PROGRAM_TOLERANCE * SMALLEST),
        )
    )


def error_text(error: float) -> str:
    """A relative error as the report shows it: two digits, 5.0 × 10⁻¹⁰, or 0."""
    mantissa, times, power = number_format.show(float(f"{error:.1e}"), 2).partition(" × ")
    return f"{float(mantissa):.1f}{times}{power}" if times else mantissa
