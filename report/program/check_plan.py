"""How a program checks a gradient by central differences: with which step, and at which entries.

A step that is right for one function leaves the domain of another, and where an input sits on a kink
there is no slope on both sides to compare with. Both are found out here, before the program is written,
from values of the function alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from report.autodiff.backprop import forward
from report.autodiff.graph import Array, Shape
from report.autodiff.kinks import kinks as kinks_of
from report.autodiff.trace import Quantity, Trace
from report.errors import ReportError

Place = tuple[int, ...]
Step = Literal["fixed", "scaled", "relative"]

GOOD = 1e-7  # relative: the step is small enough
MAX_ENTRIES = 200  # checked, over all inputs
MAX_STEPS = 2_000_000  # of a program's loops, over the whole check
MAX_SKIPPED = 6  # kinks in one tensor that a program lists; beyond, the tensor is left out
_STEPS: list[tuple[float, Step]] = [(1e-5, "fixed")]
_STEPS += [(h, "scaled") for h in (1e-5, 1e-6, 1e-4, 1e-7, 1e-9, 1e-11)]
_STEPS += [(h, "relative") for h in (1e-5, 1e-6, 1e-4)]


@dataclass(frozen=True)
class Checked:
    """The entries of one input that are checked: every `strides`-th along each axis, but for `kinks`."""

    quantity: Quantity
    strides: Place
    kinks: tuple[Place, ...] = ()

    @property
    def places(self) -> Iterator[Place]:
        """The index of each entry that is checked."""
        grid = _grid(self.quantity.node.shape, self.strides)
        return (place for place in grid if place not in self.kinks)


@dataclass(frozen=True)
class CheckPlan:
    """The check: x moves by `h`, by `h` times max(1, |x|) where "scaled", or |x| where "relative"."""

    h: float
    kind: Step
    inputs: tuple[Checked, ...]
    left_out: tuple[str, ...] = ()  # inputs where f has a kink, or is not defined on both sides


def plan(trace: Trace, steps: int = 0) -> CheckPlan | None:
    """The check of a trace; None when there is nothing that differences could check.

    One evaluation of f takes about so many `steps` of a program's loops: where it is long, fewer
    entries are checked.
    """
    known = [
        (q, q.gradient) for q in trace.inputs if q.gradient is not None and q.node in trace.needed
    ]
    if not known or any(q.node.gate.held for q in trace.gates):  # a difference moves what is held
        return None
    budget = max(1, min(MAX_ENTRIES, MAX_STEPS // (2 * steps + 1)) // len(known))
    inputs = [Checked(q, _strides(q.node.shape, budget)) for q, _ in known]
    scale = max(float(np.max(np.abs(gradient))) for _, gradient in known)
    size = max((float(np.max(np.abs(q.value))) for q in trace.gates), default=0.0)
    best: tuple[tuple[int, float], CheckPlan] | None = None
    kinks = bool(kinks_of(trace))
    for h, kind in _STEPS:
        found, failed, worst = _try(trace, inputs, h, kind, scale if kinks else None)
        largest = max(
            (abs(float(np.asarray(c.quantity.gradient)[p])) for c in found for p in c.places),
            default=0.0,
        )
        # What rounding leaves of a gradient of 0 cannot be compared but with the size of the values.
        vanishing = largest == 0 or (worst > 1e-4 * scale and worst <= 1e-9 * size)
        names = [c.quantity.name for c in found]
        left_out = tuple(q.name for q, _ in known if q.name not in names)
        possible = CheckPlan(h, kind, tuple(found), left_out)
        candidate = (failed, worst / (scale or 1.0)), possible
        if best is None or candidate[0] < best[0]:
            best = candidate
        if not failed and (worst <= GOOD * scale or vanishing):
            break
    assert best is not None
    return best[1] if best[1].inputs else None


def _try(
    trace: Trace, inputs: Sequence[Checked], h: float, kind: Step, scale: float | None
) -> tuple[list[Checked], int, float]:
    """What can be checked with a step, how many entries cannot, and the largest difference."""
    found: list[Checked] = []
    failed, worst = 0, 0.0
    values = {q.name: q.value for q in trace.inputs}
    for checked in inputs:
        q = checked.quantity
        kinks: list[Place] = []
        errors: list[float] = []
        outside = 0
        for place in checked.places:
            x = float(np.asarray(q.value)[place])
            step = h * {"fixed": 1.0, "scaled": max(1.0, abs(x)), "relative": abs(x) or 1.0}[kind]
            below, above = (_at(trace, values, q, place, x + d) for d in (-step, step))
            if below is None or above is None:
                outside += 1
                continue
            left, right = (trace.value - below) / step, (above - trace.value) / step
            if scale is not None and abs(right - left) > 1e-3 * max(scale, abs(left), abs(right)):
                kinks.append(place)
                continue
            errors.append(abs((above - below) / (2 * step) - float(np.asarray(q.gradient)[place])))
        failed += outside
        if errors and not outside and len(kinks) <= MAX_SKIPPED:
            found.append(Checked(q, checked.strides, tuple(kinks)))
            worst = max(worst, *errors)
    return found, failed, worst


def _at(
    trace: Trace, values: dict[str, Array], q: Quantity, place: Place, x: float
) -> float | None:
    """f with one entry of one input changed; None where it is not defined."""
    moved = np.array(q.value, dtype=np.float64)
    moved[place] = x
    value = moved if q.node.shape else np.float64(x)
    try:
        numbers = forward(trace.graph, {**values, q.name: value})
    except ReportError:
        return None
    result = trace.graph.result
    return float(np.asarray(result.value if result.is_constant else numbers[result]).item())


def _strides(shape: Shape, budget: int) -> Place:
    """Steps along each axis that leave at most `budget` entries, the longest axes thinned first."""
    strides = [1] * len(shape)
    while math.prod(math.ceil(n / s) for n, s in zip(shape, strides, strict=True)) > budget:
        axis = max(range(len(shape)), key=lambda i: math.ceil(shape[i] / strides[i]))
        strides[axis] += 1
    return tuple(strides)


def _grid(shape: Shape, strides: Place) -> Iterator[Place]:
    counts = tuple(math.ceil(n / s) for n, s in zip(shape, strides, strict=True))
    return (tuple(i * s for i, s in zip(p, strides, strict=True)) for p in np.ndindex(counts))
