"""Trace -> derivation: the forward pass as rows, the backward pass as blocks, the gradients boxed.

Nothing here computes a gradient. Symbols come from the gates' rules applied to names, from sympy for
the local derivatives and from the backward graph for the closed forms; numbers come from the trace.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import replace

from report.autodiff.trace import Quantity, Trace
from report.derivation.backward_edge import MAX_PUT_IN
from report.derivation.elements import (
    Branch,
    Derivation,
    Equality,
    Equation,
    ForwardRow,
    Gradient,
    Step,
)
from report.derivation.gate_families import LARGE, flows, is_shared, kinds
from report.derivation.gradient_formulas import backpass_of
from report.derivation.gradients import gradients
from report.derivation.latex.printed import bracketed, joined, put
from report.derivation.legend import legend
from report.derivation.quantity_names import Notation
from report.derivation.steps import step

__all__ = [
    "Branch",
    "Derivation",
    "Equality",
    "Equation",
    "ForwardRow",
    "Gradient",
    "Step",
    "derive",
    "formula",
    "forward_rows",
]

MAX_LETS = 40  # let-lines shown with the function


def derive(trace: Trace) -> Derivation:
    """The derivation of a trace; `backward` is in the order of the backward pass."""
    notation = Notation(trace)
    backward = [q for q in trace.gates[::-1] if q.node in trace.needed and q.gradient is not None]
    told: set[Hashable] = set()
    shared = [q for q in backward if is_shared(q)] if len(backward) > LARGE else []
    backpass = backpass_of(trace.graph)
    derivation = Derivation(
        function=notation.f,
        formula=_formula(notation),
        forward=tuple(_forward_row(notation, q) for q in trace.gates),
        backward=tuple(
            step(notation, q, backpass, told) for q in backward if not shared or not is_shared(q)
        ),
        gradients=gradients(notation, backpass),
        kinds=kinds(shared, notation.f, notation.taken),
        flows=flows(trace, shared),
    )
    return replace(
        derivation,
        legend=legend(notation, derivation),
        full_legend=legend(notation, derivation, full=True),
    )


def formula(trace: Trace) -> tuple[Equation, ...]:
    """The function of a trace as it was written, without its derivation."""
    notation = Notation(trace)
    return _formula(notation)


def forward_rows(trace: Trace) -> tuple[ForwardRow, ...]:
    """The forward pass alone."""
    notation = Notation(trace)
    return tuple(_forward_row(notation, q) for q in trace.gates)


def _formula(notation: Notation) -> tuple[Equation, ...]:
    """The function as it was written: a line for each let-line, and the result."""
    trace = notation.trace
    result = trace.graph.result
    lets = [q.node for q in trace.gates if q.node.name and q.node is not result]
    shown = lets if len(lets) <= MAX_LETS else [*lets[: MAX_LETS // 2], *lets[-MAX_LETS // 2 :]]
    lines = [Equation(notation.name[n], (notation.definition(n, lets),)) for n in shown]
    inputs = joined(", ", [notation.name[q.node] for q in trace.inputs])
    whole = put(notation.f, bracketed(inputs)) if inputs else notation.f
    return (*lines, Equation(whole, (notation.definition(result, lets),)))


def _forward_row(notation: Notation, q: Quantity) -> ForwardRow:
    sizes = [math.prod(a.shape) for a in q.node.args if a in notation.name]
    few = max(sizes, default=0) <= MAX_PUT_IN and sum(sizes) <= 2 * MAX_PUT_IN
    symbols = notation.equation(q.node, notation.named)
    numbers = None
    if symbols.name:  # x_1
        numbers = notation.as_value(q.node)
    elif few:
        numbers = notation.equation(q.node, notation.as_value)
    return ForwardRow(q, notation.name[q.node], symbols, numbers)
