"""The figure in words: the text alternative, how to read it, and what it leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from report.autodiff.form import Form
from report.autodiff.graph import Node
from report.autodiff.trace import Quantity, Trace
from report.figure import gate_signs, labels
from report.figure.layered_row import LayeredRow
from report.figure.units import FigurePlan, Unit

OVERVIEW = "The lines of the function as boxes, with the numbers of their gates. The gates themselves follow."
LONGEST = 300  # characters of the function in words


def alt(plan: FigurePlan) -> str:
    """Every input and gate that is drawn, with what it takes, its value and its gradient.

    Of a figure without numbers: what is to be filled in.
    """
    trace = plan.trace
    said = [f"Computational graph of {_function(trace)}."]
    unused = set(plan.unused)
    for q in trace.inputs:
        where = ", not used by the result" if q in unused else ""
        said.append(f"Input {q.name}{where}{_passing(plan, q)}.")
    for i, unit in enumerate(plan.units):
        if plan.hidden and i == plan.shown:
            said.append(f"{plan.hidden} more are not drawn.")
        said.append(f"{_gate(plan, unit)}{_passing(plan, unit.quantity)}.")
    of = trace.result.name if trace.result else "a constant"
    said.append(
        f"The result is {of}{f', {gate_signs.number_text(trace.value)}' if plan.numbers else ''}."
    )
    return " ".join(said)


def _function(trace: Trace) -> str:
    """The function as it was written; its letter where entries are picked, which count from 1 on paper."""
    if "[" in trace.function:
        return trace.letter
    lines: list[str] = []
    for line in filter(None, map(str.strip, trace.function.splitlines())):
        is_open = bool(lines) and lines[-1].count("(") > lines[-1].count(")")
        lines[-1:] = [f"{lines[-1]} {line}"] if is_open else [*lines[-1:], line]
    formula = "; ".join(lines)
    return formula if len(formula) <= LONGEST else formula[:LONGEST] + " …"


def further(row: LayeredRow, number: int, of: int) -> str:
    """A row after the first: which gates stand in it."""
    gates = [name for v in row.vertices if v.body for name in v.names]
    return f"The graph, continued: row {number} of {of}{f', {_list(gates)}' if gates else ''}."


def _list(gates: Sequence[str]) -> str:
    if len(gates) == 1:
        return f"gate {gates[0]}"
    return f"gates {', '.join(gates[:-1])} and {gates[-1]}"


def _gate(plan: FigurePlan, unit: Unit) -> str:
    q = unit.quantity
    if unit.gates > 1:
        sources = ", ".join(dict.fromkeys(f.source.name for f in unit.feeds))
        return f"Gate {q.name}, {unit.gates} gates of {sources}"
    if q.node.gate.form is Form.PICKED:
        key = gate_signs.index(q.node, plan.trace.name_of)
        return f"Gate {q.name}, entries [{key}] of {_argument(plan, q.node.args[0])}"
    args = ", ".join(_argument(plan, a) for a in q.node.args)
    return f"Gate {q.name}, {q.node.gate.name} of {args}"


def _argument(plan: FigurePlan, node: Node) -> str:
    return _amount(node.value) if node.is_constant else plan.trace.name_of(node)


def _passing(plan: FigurePlan, q: Quantity) -> str:
    if not plan.numbers:
        return ""
    if q.gradient is not None and not plan.follows(q) and q is not plan.trace.result:
        return f": value {_amount(q.value)}"
    gradient = "no gradient" if q.gradient is None else f"gradient {_amount(q.gradient)}"
    return f": value {_amount(q.value)}, {gradient}"


def _amount(value: Any) -> str:
    array = np.asarray(value, dtype=float)
    if array.size == 1:
        return gate_signs.number_text(array)
    of = gate_signs.shape(array.shape)
    if not labels.entries_fit(array.shape):
        return f"{of} from {gate_signs.number_text(array.min())} to {gate_signs.number_text(array.max())}"
    rows = array.reshape(array.shape[0], -1)
    return f"{of} [{'; '.join(', '.join(map(gate_signs.number_text, r)) for r in rows)}]"


def reading(plan: FigurePlan, rows: Sequence[LayeredRow]) -> tuple[str, ...]:
    """How to read the figure: only what this one needs."""
    trace = plan.trace
    said = ["Write the value above each edge and the gradient (∂) below it."]
    shapes = [np.shape(v) for v in _values(plan) if np.size(v) > 1]
    if plan.numbers:
        entries = any(map(labels.entries_fit, shapes))
        of = " (in a tensor, those of its largest entry)" if entries else ""
        digits = f"to four significant digits{of}"
        said = [f"Above each edge stands its value, below it its gradient (∂), {digits}."]
    if 0 < len(trace.wrt) < len(trace.inputs):
        said.append("Inputs and gates drawn in grey need no gradient.")
    if any(plan.collects(q) for q in (*trace.inputs, *(u.quantity for u in plan.units))):
        said.append(
            "Where a value feeds several gates, each edge has its own contribution to the gradient, "
            "and Σ∂ is their sum."
        )
    if plan.numbers and not all(map(labels.entries_fit, shapes)):
        said.append("A large tensor shows its shape and the range of its entries.")
    if any(
        u.ordered and len(u.feeds) > 1 and not gate_signs.names_operands(u.quantity.node)
        for u in plan.units
    ):
        said.append(
            "Where their order matters, the upper of two edges into a gate is the first operand."
        )
    if plan.grouped:
        said.append("Each gate stands for all gates of its line.")
    if sum(1 for r in rows if any(v.body for v in r.vertices)) > 1:
        again = ", and an input stands again where it is used again" if _recurs(plan, rows) else ""
        said.append(
            f"The graph goes on from row to row: arrows name the gates before and after{again}."
        )
    return tuple(said)


def _recurs(plan: FigurePlan, rows: Sequence[LayeredRow]) -> bool:
    """Whether the name of an input stands in more than one place."""
    inputs = {q.name for q in plan.trace.inputs}
    drawn = [name for r in rows for v in r.vertices if not v.body for name in v.names]
    return any(drawn.count(name) > 1 for name in inputs)


def _values(plan: FigurePlan) -> list[Any]:
    return [q.value for q in (*plan.trace.inputs, *(u.quantity for u in plan.units))]


def note(plan: FigurePlan) -> str:
    """What the figure leaves out; empty where it is complete."""
    what = "lines" if plan.grouped else "gates"
    total = len(plan.trace.gates)
    if plan.hidden:
        return (
            f"The figure shows the first {plan.shown} and the last {len(plan.units) - plan.shown} "
            f"{what} of the graph, {plan.hidden} {what} between are left out; the tables hold all."
        )
    if plan.grouped:
        return f"The figure groups the {total} gates by the lines of the function; the tables hold all."
    return ""
