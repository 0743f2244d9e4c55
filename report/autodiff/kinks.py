"""Where a derivative is a matter of convention: a gate's arguments sit on a kink, or on it but for rounding."""

from __future__ import annotations

import numpy as np

from report.autodiff.graph import Node
from report.autodiff.rounding_error import ROUNDING, at_kink, can_move, is_on_kink, scales
from report.autodiff.trace import Trace


def kinks(trace: Trace) -> tuple[str, ...]:
    """The gates whose arguments sit on a kink, or would if they were not rounded.

    0.3 - 0.1 * 3 is 5.6e-17: the gate takes one side of the kink, a difference quotient both.
    """
    return tuple(
        q.name
        for q in trace.gates
        if q.node.gate.kink is not None
        and (
            is_on_kink(trace, q.node)
            or (_holds(q.node, trace, _reach(trace, q.node)) and can_move(trace, q.node))
        )
    )


def _reach(trace: Trace, node: Node) -> float:
    """How far rounding may have moved the arguments of a gate."""
    sizes = scales(trace)
    return ROUNDING * max((sizes[a].value for a in node.args if a in sizes), default=0.0)


def _holds(node: Node, trace: Trace, reach: float) -> bool:
    """Whether a gate is at its kink, with arguments that are rounded to multiples of `reach`."""
    values = trace.arguments(node)
    if reach:
        with np.errstate(over="ignore"):
            steps = [np.round(v / reach) for v in values]
            values = [
                np.where(np.isinf(s), v, s * reach) for s, v in zip(steps, values, strict=True)
            ]
    return bool(np.any(at_kink(node, values)))
