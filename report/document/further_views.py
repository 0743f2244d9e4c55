"""What a question asks beyond values and gradients, for a sheet to fill in and for an answer key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from report.autodiff.descent import METHODS
from report.autodiff.trace import Trace
from report.derivation import Derivation
from report.derivation.descent import rule
from report.derivation.latex.symbols import GRADIENT, VALUE, entry_symbol, symbol, tensor
from report.document.formulas import Setter
from report.homework.further_answers import (
    HESSIAN,
    JACOBIAN,
    STEP,
    TANGENT,
    Further,
    further_answers,
)
from report.homework.homework import Question

MAX_COLUMNS = 7  # of a table to fill in; more stand in another below it
MAX_STEPS = 12  # rows of steps to fill in
MAX_LISTED = 40  # numbers of one kind that a key lists one by one
TITLES = {
    HESSIAN: "Second derivatives",
    JACOBIAN: "The Jacobian",
    TANGENT: "Forward mode",
    STEP: "Steps",
}


def _input(trace: Trace, name: str, place: tuple[int, ...]) -> str:
    shape = trace.graph.inputs[name].shape
    return entry_symbol(name, place, shape) if place else symbol(name, shape)


# ---------------------------------------------------------------- to fill in


def blanks(
    setter: Setter, question: Question, trace: Trace, derivation: Derivation
) -> list[dict[str, Any]]:
    """Tables without entries: a title, what is to be done, and grids of heads."""
    f = derivation.function
    tables = []
    columns = [(n, at) for n in trace.wrt for at in np.ndindex(trace.graph.inputs[n].shape)]
    names = [setter.tex(_input(trace, name, at)) for name, at in columns]
    found = further_answers(question, trace)
    kinds = dict.fromkeys(a.kind for a in found)
    if HESSIAN in kinds:
        said = "Entry by entry, each derivative of the gradient in a row."
        tables.append(_grid(HESSIAN, said, names, names))
    if JACOBIAN in kinds:
        entries = dict.fromkeys(a.row for a in found if a.kind == JACOBIAN)
        entry = trace.graph.entry or ()
        said = "One row for each entry of the result, one column for each number it depends on. "
        said += f"What stands above is about entry {_counted(entry)}." if entry else ""
        tables.append(_grid(JACOBIAN, said, names, [f"entry {_counted(r)}" for r in entries]))
    if TANGENT in kinds:
        given = ", ".join(f"{n} along {v}" for n, v in (question.direction or {}).items())
        rows = [setter.tex(symbol(q.name, q.node.shape)) for q in trace.gates]
        said = f"The tangent of every gate, beside its value: {given}."
        tables.append(_grid(TANGENT, said, ["tangent"], rows))
    if question.plan is not None and STEP in kinds:
        steps = list(range(1, question.plan.steps + 1))
        shown = steps if len(steps) <= MAX_STEPS else [*steps[: MAX_STEPS - 1], steps[-1]]
        said = f"{len(steps)} steps by {METHODS[question.plan.method]}"
        said += f"; write down the first {len(shown) - 1} and the last:" if shown != steps else ":"
        rules = [setter.display(line) for line in rule(question.plan, f)]
        grid = _grid(STEP, said, [setter.tex(f), *names], [str(step) for step in shown])
        tables.append({**grid, "rules": rules})
    return tables


def _counted(place: Sequence[int]) -> str:
    """A place as formulas count it, from 1."""
    return ", ".join(str(i + 1) for i in place)


def _grid(kind: str, said: str, heads: Sequence[Any], rows: Sequence[Any]) -> dict[str, Any]:
    starts = range(0, len(heads), MAX_COLUMNS)
    grids = [{"heads": heads[at : at + MAX_COLUMNS], "rows": rows} for at in starts]
    return {"title": TITLES[kind], "said": said, "grids": grids, "rules": []}


# ---------------------------------------------------------------- the key


def listed(
    question: Question, trace: Trace, f: str
) -> tuple[list[tuple[str, float, bool]], list[str]]:
    """Names, numbers and whether they are derivatives, one by one; and what is too large for that, as formulas."""
    rows: list[tuple[str, float, bool]] = []
    large: list[str] = []
    found = further_answers(question, trace)
    for kind in dict.fromkeys(a.kind for a in found):
        own = [a for a in found if a.kind == kind]
        if kind == STEP and len(own) > MAX_LISTED:
            last = own[-1].step
            own = [a for a in own if not a.name or a.step == last][-MAX_LISTED:]
        if len(own) > MAX_LISTED:
            large.append(_matrix(f, own))
            continue
        rows += [(_name(trace, f, a), a.value, kind != STEP) for a in own]
    return rows, large


def _name(trace: Trace, f: str, a: Further) -> str:
    if a.kind == STEP:
        of = _input(trace, a.name, a.place) if a.name else f
        return rf"\text{{step {a.step}: }} {of}"
    if a.kind == TANGENT:
        return rf"\dot{{{f}}}"
    if a.kind == JACOBIAN:
        row = "".join(str(i + 1) for i in a.row) if max(a.row) < 9 else _counted(a.row)
        return rf"\partial {f}_{{{row}}} / \partial {_input(trace, a.name, a.place)}"
    one, other = _input(trace, *a.by), _input(trace, a.name, a.place)
    below = rf"\partial {one}^{{2}}" if one == other else rf"\partial {one}\,\partial {other}"
    return rf"\partial^{{2}} {f} / {below}"


def _matrix(f: str, own: Sequence[Further]) -> str:
    shape = tuple(1 + max(a.at[axis] for a in own) for axis in (0, 1))
    whole = np.zeros(shape)
    for a in own:
        whole[a.at] = a.value
        if a.kind == HESSIAN:
            whole[a.at[::-1]] = a.value
    left = rf"\nabla^{{2}} {f}" if own[0].kind == HESSIAN else r"\mathbf{J}"
    return f"{left} = {tensor(whole, GRADIENT if own[0].kind != STEP else VALUE)}"
