"""The backward pass on the page: scalar steps as rows of a table, steps with tensors in a line or two each.

Steps follow each other as the gradient goes back; scalar ones that stand in a row share a table. The reason
of a kind of gate stands once, under the first table or step that has it. With every detail, each step is a
block that keeps its lines apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from markupsafe import Markup

from report.autodiff.graph import Array
from report.autodiff.trace import Trace
from report.derivation import Branch, Derivation, Equation, Step
from report.derivation.elements import Equality
from report.derivation.latex import Printed
from report.document import gate_html, tables
from report.document.formulas import COLUMN, Setter, width_of
from report.document.precision import Precision

BESIDE = r" \qquad "  # between a formula and the same in entries
MAX_LOCAL = 15.0  # em of a local derivative in all forms; where they take more, the last is shown
MAX_AGAIN = 6  # entries of a tensor that a gate hands on as it is and that are shown again
MIN_ROWS = 4  # scalar steps between others that are worth a table


def steps(
    setter: Setter,
    question: str,
    trace: Trace,
    derivation: Derivation,
    detail: str,
    same: Precision,
) -> list[dict[str, Any]]:
    """The tables and blocks of the backward pass, in its order; `same` is the precision of their numbers."""
    if detail == "full":
        return [_every_line(setter, question, trace, s) for s in derivation.backward]
    told: set[str] = set()
    found = []
    for is_table, group in _groups(derivation):
        if is_table:
            found.append(_table(setter, question, trace, group, told, same))
        else:
            found += [_lines(setter, question, trace, s, told) for s in group]
    return found


def scalar_gradients(trace: Trace, derivation: Derivation, detail: str) -> list[float]:
    """The numbers in the columns of gradients."""
    if detail == "full":
        return []
    shown = [s for is_table, group in _groups(derivation) if is_table for s in group]
    found: list[Array] = [step.quantity.gradient for step in shown[:1]]  # ∂f/∂f = 1
    for branch in (b for step in shown for b in step.branches):
        found.append(branch.value)
        if branch.total is not None:
            found.append(trace.quantities[branch.argument].gradient)
    return [float(value) for value in found]


def _groups(derivation: Derivation) -> Iterator[tuple[bool, list[Step]]]:
    """Steps that follow each other, and whether they share a table."""
    for is_scalar, group in groupby(derivation.backward, key=lambda s: not s.shapes):
        steps = list(group)
        many = len(steps) >= MIN_ROWS or len(steps) == len(derivation.backward)
        yield is_scalar and many, steps


def _is_news(words: str, told: set[str]) -> bool:
    is_news = bool(words) and words not in told
    told.add(words)
    return is_news


# ---------------------------------------------------------------- scalar steps: a table


@dataclass(frozen=True, eq=False)
class _Row:
    """LaTeX for each column, empty where there is nothing, and the gradient found."""

    left: str
    chain: str
    local: str
    numbers: str
    value: Array


def _table(
    setter: Setter,
    question: str,
    trace: Trace,
    shown: Sequence[Step],
    told: set[str],
    same: Precision,
) -> dict[str, Any]:
    """One row for each argument, a row where paths meet, and the reasons under the table."""
    gates = [list(_rows(trace, s, same)) for s in shown]
    anchors: list[Step | None] = list(shown)
    if shown[0].quantity.node is trace.graph.result:  # ∂f/∂f = 1 comes before any gate
        gates.insert(0, [_start(shown[0])])
        anchors.insert(0, None)
    rows = [row for gate in gates for row in gate]
    values = [same.gradients[float(row.value)] for row in rows]
    layout, limits = tables.backward_columns(
        [row.left for row in rows],
        [row.chain for row in rows if row.local],
        [row.local for row in rows if row.local],
        [row.numbers for row in rows if row.numbers],
        values,
    )
    shown_values = iter(values)
    return {
        "is_table": True,
        **layout,
        "gates": [
            {
                "anchor": s and f"{question}-{s.quantity.name}",
                "number": s and s.quantity.number,
                "sign": s and gate_html.sign(s.quantity.node, trace, tables.SIGN),
                "rows": [
                    {
                        "left": setter.display(row.left),
                        "chain": row.chain
                        and setter.display(row.chain, limits[0 if row.local else 3]),
                        "local": row.local and setter.display(row.local, limits[1]),
                        "numbers": row.numbers and setter.display(row.numbers, limits[2]),
                        "value": next(shown_values),
                    }
                    for row in gate
                ],
            }
            for s, gate in zip(anchors, gates, strict=True)
        ],
        "reasons": _reasons(setter, trace, shown, told),
        "notes": setter.sentence(" ".join(dict.fromkeys(note for s in shown for note in s.notes))),
    }


def _reasons(
    setter: Setter, trace: Trace, shown: Sequence[Step], told: set[str]
) -> list[tuple[Markup, Markup]]:
    """The reasons that are new, each behind the signs of its gates."""
    signs: dict[str, dict[Markup, None]] = {}
    for s in shown:
        if s.why and s.why not in told:
            sign = gate_html.sign(s.quantity.node, trace, tables.SIGN)
            signs.setdefault(s.why, {})[sign] = None
    told.update(signs)
    by_sign: dict[Markup, list[str]] = {}
    for why, each in signs.items():
        by_sign.setdefault(Markup(", ").join(each), []).append(why)
    return [(sign, setter.sentence(" ".join(whys))) for sign, whys in by_sign.items()]


def _start(last: Step) -> _Row:
    """Where the backward pass begins: ∂f/∂f = 1."""
    return _Row(last.arrived.left, "{} = 1", "", "", last.quantity.gradient)


def _rows(trace: Trace, step: Step, same: Precision) -> Iterator[_Row]:
    for branch in step.branches:
        assert branch.local is not None  # every scalar step has one
        yield _Row(
            branch.left,
            _after(branch.chain),
            _in_short(branch.local),
            _before([same.product(n, float(branch.value)) for n in branch.numbers[:-1]]),
            branch.value,
        )
    for branch in step.branches:  # what meets stands behind all that the gate sends back
        if branch.total is not None:
            total = branch.total
            value = trace.quantities[branch.argument].gradient
            numbers = _before([same(n) for n in total.numbers[:-1]])
            yield _Row(total.left, _after(total.symbols), "", numbers, value)


def _after(sides: Sequence[str]) -> str:
    """Sides of an equation behind the one in another cell."""
    return f"{{}} = {' = '.join(sides)}" if sides else ""


def _before(sides: Sequence[str]) -> str:
    """Sides of an equation before the one in another cell."""
    return rf"{' = '.join(sides)}\;\mathord{{=}}" if sides else ""  # a line never begins with it


def _in_short(local: Equation) -> str:
    """A local derivative in all its forms, or in the last alone where they are long."""
    sides = local.symbols or local.numbers[-1:]
    whole = f"{local.left} = {' = '.join(sides)}"
    return whole if width_of(whole) <= MAX_LOCAL else f"{local.left} = {sides[-1]}"


# ---------------------------------------------------------------- steps with tensors: lines


def _lines(
    setter: Setter, question: str, trace: Trace, step: Step, told: set[str]
) -> dict[str, Any]:
    """What arrives stands above already; each argument takes a line or two."""
    first = [step.arrived] if step.quantity.node is trace.graph.result else []
    branches = [side_by_side([*_of_branch(b)]) for b in step.branches]
    if all(len(lines) == 1 for lines in branches):  # else each argument begins a line of its own
        branches = [side_by_side([e for lines in branches for e in lines])]
    shown = [*first, *(e for lines in branches for e in lines)]
    left = max((width_of(e.left) for e in shown), default=0.0)
    words = [*([step.why] if _is_news(step.why, told) else []), *step.notes]
    return {
        **_heading(setter, question, trace, step),
        "rows": [setter.equation(e, left) for e in shown],
        "why": setter.sentence(" ".join(words)),
    }


def _of_branch(branch: Branch) -> Iterator[Equation]:
    yield from (e.shown for e in branch.derived)
    if len(branch.derived) > 1 and branch.jacobian is not None:  # diag(p) - p pᵀ, both cases in one
        yield Equation(branch.jacobian.left, branch.jacobian.symbols)
    if branch.summed is not None:
        yield branch.summed
    # of several forms with numbers the last, in which sums are done
    numbers = branch.numbers[-1 if branch.hands_on else -2 :]
    if branch.hands_on and np.size(branch.value) > MAX_AGAIN:
        numbers = ()  # they stand above
    yield from beside(
        Equation(branch.left, branch.symbols, numbers), None if branch.summed else branch.entries
    )
    if branch.together is not None:
        yield branch.together
    if branch.total is not None:
        yield branch.total


def beside(whole: Equation, entry: Equation | None, room: float = COLUMN) -> Iterator[Equation]:
    """A formula on one line where it fits, with the same in entries at its side or under it."""
    numbers = " = ".join(whole.numbers)
    sides = " = ".join([*whole.symbols, *whole.numbers])
    more = f"{BESIDE}{entry.left} = {' = '.join(entry.symbols)}" if entry else ""
    if _fits(f"{whole.left} = {sides}{more}", room):
        yield Equation(whole.left, (Printed(f"{sides}{more}"),))
    elif _fits(f"{whole.left} = {sides}", room):
        yield Equation(whole.left, (Printed(sides),))
        yield from [entry] if entry else []
    elif more and numbers and _fits(f"{whole.left} = {numbers}{more}", room):
        yield Equation(whole.left, whole.symbols, (Printed(f"{numbers}{more}"),))
    else:
        yield whole
        yield from [entry] if entry else []


def _fits(formula: str, room: float) -> bool:
    return width_of(formula) <= room


def side_by_side(equations: Sequence[Equation], room: float = COLUMN) -> list[Equation]:
    """Short equations that follow each other share a line."""
    lines: list[Equation] = []
    for e in equations:
        if lines and not e.numbers and not lines[-1].numbers:
            last = lines[-1]
            joined = f"{' = '.join(last.symbols)}{BESIDE}{e.left} = {' = '.join(e.symbols)}"
            if _fits(f"{last.left} = {joined}", room):
                lines[-1] = Equation(last.left, (Printed(joined),))
                continue
        lines.append(e)
    return lines


# ---------------------------------------------------------------- every line apart


def _every_line(setter: Setter, question: str, trace: Trace, step: Step) -> dict[str, Any]:
    rows = step.rows
    left = max((width_of(row.equation.left) for row in rows), default=0.0)
    starts = _starts(rows)
    return {
        **_heading(setter, question, trace, step),
        "full": True,
        "rows": [
            setter.equation(row.equation, left, label=row.label, kind=_class(starts, i))
            for i, row in enumerate(rows)
        ],
        "why": setter.sentence(" ".join(filter(None, [step.why, *step.notes]))),
    }


def _heading(setter: Setter, question: str, trace: Trace, step: Step) -> dict[str, Any]:
    return {
        "is_table": False,
        "full": False,
        "anchor": f"{question}-{step.quantity.name}",
        "tensor": bool(step.shapes),
        "number": step.quantity.number,
        "name": step.quantity.name,
        "sign": gate_html.sign(step.quantity.node, trace, tables.SIGN),
        "definition": setter.tex(step.definition),
        "shapes": setter.tex(step.shapes) if step.shapes else "",
    }


def _class(starts: list[bool], i: int) -> str:
    """The class of a row: where what goes to one argument begins, and where it ends."""
    ends = i + 1 < len(starts) and starts[i + 1] and i > 0
    return f"eq{' pair' if starts[i] else ''}{' end' if ends else ''}"


def _starts(rows: Sequence[Equality]) -> list[bool]:
    """Which rows begin what a gate sends to one more of its arguments."""
    labels = [row.label for row in rows]
    return [
        label in ("local", "Jacobian")
        or (label == "downstream" and before not in ("local", "Jacobian"))
        for before, label in zip(["", *labels], labels, strict=False)
    ]
