"""Central difference quotients with an estimate of the error of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from report.errors import ReportError

Quotient = Callable[
    [float], tuple[Any, float]
]  # of a step: the quotient, and the size of the function


def estimated(
    quotient: Quotient, steps: Iterable[float], terms: float = 0.0
) -> Iterator[tuple[Any, Any]]:
    """Each step's quotient and its error, but for steps that leave the function's domain.

    `terms` is the size of what the function's values are rounded from, if that is larger than they are.
    """
    for h in steps:
        try:
            whole, size = quotient(h)
            half, _ = quotient(h / 2)
        except ReportError:  # the step leaves the function's domain
            continue
        # twice the change from h to h/2 is more than the error of the quotient; the rest is rounding
        rounding = 16 * np.finfo(float).eps * max(size, terms) / h
        yield whole, 2 * np.abs(whole - half) + rounding
