"""What the page of a question shows of second derivatives."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from typing import Any

import numpy as np

from report.checks import error_text
from report.derivation import Equation
from report.derivation.hessian_blocks import free_letter, taken_names
from report.derivation.latex.printed import put
from report.derivation.latex.symbols import entry_symbol, symbol, tensor
from report.derivation.legend import legend
from report.derivation.quantity_names import Notation
from report.document.answer import Work
from report.document.backward import side_by_side
from report.document.formulas import COLUMN, Setter, width_of

MAX_ORDER = 24  # entries whose order is told


def hessian_view(setter: Setter, work: Work, told: Container[str]) -> dict[str, Any] | None:
    """The matrix, the formulas that are short, what names in them stand for that are not `told`, the check."""
    found, trace = work.curvature, work.trace
    if found is None:
        return None
    names = [
        entry_symbol(name, place, np.shape(trace.gradients[name])) for name, place in found.labels
    ]
    f = work.derivation.function
    left = put(r"\nabla^{2} ", f)
    direction = symbol(free_letter(taken_names(trace), (1,)), (1,))
    left = left if found.direction is None else put(left, r"\,", direction)
    numbers = Equation(left, (), (tensor(found.matrix),))
    lines = []
    for second in work.second:
        if second.left == left:  # the matrix itself, whose numbers follow
            numbers = replace(numbers, symbols=second.formulas)
            continue
        *before, last = second.formulas
        any_v = ""
        if second.direction:
            own = symbol(trace.wrt[0], np.shape(trace.gradients[trace.wrt[0]]))
            any_v = rf" \quad \text{{for any }} {second.direction} \text{{ as large as }} {own}"
        sides = [*before, put(last, any_v)]
        if not second.direction and not np.shape(second.value):
            sides.append(tensor(second.value))
        lines.append(Equation(second.left, tuple(dict.fromkeys(sides))))
    where = {e.left: e for second in work.second for e in second.where if e.left not in told}
    wide = width_of(left)
    return {
        "order": setter.tex(r",\,".join(names)) if len(names) <= MAX_ORDER else "",
        "count": len(names),
        "matrix": setter.equation(numbers, wide),
        "entries": [setter.equation(e, width_of(e.left)) for e in side_by_side(lines, COLUMN)],
        "where": setter.definitions([*where.values()], "with") if where else "",
        "signs": setter.sentence(" ".join(_signs(work))),
        "product": "" if found.direction is None else setter.tex(direction),
        "error": error_text(found.error),
        "kinks": ", ".join(found.kinks),
        "confirmed": found.confirmed,
        "columns": found.matrix.shape[1],
    }


def _signs(work: Work) -> list[str]:
    """What is said of signs that the rest of the derivation does not have."""
    written = [p for s in work.second for p in (*s.formulas, *(e.symbols[0] for e in s.where))]
    full = work.detail == "full"
    said = legend(Notation(work.trace), work.derivation, written, full=full) if written else ()
    return [sentence for sentence in said if sentence not in work.legend]
