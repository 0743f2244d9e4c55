"""Central differences of the function, each with an estimate of its own error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from report.autodiff.backprop import forward
from report.autodiff.finite_differences import MAX_EXACT, ExactQuotients, estimated
from report.autodiff.graph import Array, Node, constant, make
from report.autodiff.rounding_error import ROUNDING
from report.autodiff.trace import Trace
from report.checks.comparison import (
    Comparison,
    compared,
    relative,
)

DIFFERENCE_TOLERANCE = 1e-6  # relative; CS231n calls below 1e-7 good and above 1e-2 wrong
MAX_ENTRIES = 400  # entries of one input whose difference quotient is taken; spread evenly beyond
STEPS = (1e-5, 1e-4, 1e-6, 1e-3, 1e-7, 1e-9)  # tried in turn, times max(1, |x|)
FIXED = 100.0  # entries below it are moved by the first step as programs move them: by no more


def central_differences(
    trace: Trace, terms: float
) -> dict[tuple[str, tuple[int, ...]], tuple[float, float]]:
    """Central differences with an estimate of their error, for every entry asked for."""
    trace = _with_what_is_held(trace)
    values = {q.name: q.value for q in trace.inputs}
    found = {}
    for name in trace.wrt:
        if trace.graph.inputs[name] not in trace.quantities:
            continue
        shape = np.shape(values[name])
        places = list(np.ndindex(shape))
        step = max(1, math.ceil(len(places) / MAX_ENTRIES))
        for place in places[::step]:
            quotient = _best_quotient(trace, values, name, place, terms)
            if quotient is not None:
                found[name, place] = quotient
    return found


def _with_what_is_held(trace: Trace) -> Trace:
    """The function with what is taken as given as numbers, which a difference must not move."""
    held: dict[Node, Node] = {q.node: constant(q.value) for q in trace.gates if q.node.gate.held}
    if not held:
        return trace
    graph = trace.graph
    made = {**{n: n for n in graph.inputs.values()}, **held}
    for n in graph.nodes:
        if n not in made:
            made[n] = make(n.gate, [made.get(a, a) for a in n.args], n.params)
    nodes = tuple(made[n] for n in graph.nodes if not made[n].is_constant)
    return replace(trace, graph=replace(graph, nodes=nodes, result=made[graph.result]))


def _best_quotient(
    trace: Trace, values: Mapping[str, Array], name: str, place: tuple[int, ...], terms: float
) -> tuple[float, float] | None:
    """The quotient of the first step whose estimated error is small, else the best of all steps."""
    x = float(np.asarray(values[name])[place])
    best: tuple[float, float] | None = None
    fixed = STEPS[:1] if 1.0 < abs(x) < FIXED else ()
    steps = (*fixed, *(relative * max(1.0, abs(x)) for relative in STEPS))
    quotient = partial(_quotient, trace, values, name, place)
    for whole, uncertainty in estimated(quotient, steps, terms):
        # a step of more than a period gives a small quotient, and knows not even its sign
        known = (bool(uncertainty > abs(whole)), uncertainty)
        if best is None or known < (best[1] > abs(best[0]), best[1]):
            best = (whole, uncertainty)
        if uncertainty <= 10 * DIFFERENCE_TOLERANCE * abs(whole):
            break
    if best is not None and best[1] > 1e-3 * max(abs(best[0]), _largest(trace)):
        return None  # says nothing about this entry
    return best


def _largest(trace: Trace) -> float:
    """The largest gradient entry asked for: what a difference that is 0 is measured by."""
    return max((float(np.max(np.abs(g))) for g in trace.gradients.values()), default=0.0)


def _quotient(
    trace: Trace, values: Mapping[str, Array], name: str, place: tuple[int, ...], h: float
) -> tuple[float, float]:
    """(f(x + h) − f(x − h)) / 2h, and the size of f there."""
    result = trace.graph.result
    ends = []
    for sign in (1, -1):
        moved = np.array(values[name], dtype=float)
        moved[place] += sign * h
        shifted = {**values, name: moved if moved.ndim else np.float64(moved)}
        ends.append(
            float(np.asarray(result.value).item())
            if result.is_constant
            else float(np.asarray(forward(trace.graph, shifted)[result]).item())
        )
    return (ends[0] - ends[1]) / (2 * h), max(abs(e) for e in ends)


def beside_difference(
    exact: ExactQuotients,
    entry: tuple[str, tuple[int, ...]],
    value: float,
    quotient: tuple[float, float] | None,
    scale: float,
) -> Comparison | None:
    """The trace's number beside a difference quotient, which is taken exactly where they differ."""
    comparison = _compare_difference(value, quotient, scale)
    if comparison is None or comparison.agrees:
        return comparison
    if not exact.possible:  # the first entries tell of the others
        return None if exact.left < MAX_EXACT else comparison
    slope = exact.slope(*entry)
    return None if slope is None else compared(value, slope, DIFFERENCE_TOLERANCE, scale)


def _compare_difference(
    value: float, quotient: tuple[float, float] | None, scale: float
) -> Comparison | None:
    """A difference quotient agrees within its own estimated error."""
    if quotient is None:
        return None
    other, uncertainty = quotient
    size, gap = max(abs(value), abs(other)), abs(value - other)
    agrees = gap <= DIFFERENCE_TOLERANCE * size + uncertainty + ROUNDING * scale
    return Comparison(other, relative(gap, size, scale), bool(agrees))
