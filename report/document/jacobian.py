"""The Jacobian of a vector, and forward mode along a direction, on a page."""

from __future__ import annotations

from typing import Any

import numpy as np

from report.autodiff.jacobian import Forward, Jacobian
from report.autodiff.trace import Quantity, Trace
from report.checks import error_text
from report.derivation import Derivation, Equation
from report.derivation.latex.symbols import GRADIENT, VALUE, entry_symbol, tensor
from report.derivation.quantity_names import Notation
from report.document.formulas import Setter, width_of

MAX_ENTRIES = 8  # of a value whose tangent stands in the table


def jacobian_view(
    setter: Setter, trace: Trace, found: Jacobian, any_entry: Derivation | None
) -> dict[str, Any]:
    """The matrix, what its columns are, the check, and a row of any number as formulas."""
    shapes = {name: np.shape(trace.gradients[name]) for name in trace.wrt}
    order = r",\ ".join(entry_symbol(name, at, shapes[name]) for name, at in found.columns)
    matrix = tensor(found.matrix, GRADIENT)
    entry = trace.graph.entry or ()
    return {
        "order": setter.tex(order),
        "rows": len(found.rows),
        "derived": found.rows.index(tuple(i % n for i, n in zip(entry, _size(found), strict=True)))
        + 1
        if entry
        else 1,
        "signs": setter.sentence(
            (f"Any row, the gradient of ${any_entry.function}$: " if any_entry else "")
            + r"$\mathbf{e}_{\left[i\right]}$ has its 1 at place $i$, and $\delta_{ij}$ is 1 where $i = j$, else 0."
        ),
        "any": [] if any_entry is None else _row(setter, any_entry),
        "matrix": setter.display(rf"\mathbf{{J}} = {matrix}"),
        "error": None if found.error is None else error_text(found.error),
    }


def _row(setter: Setter, derivation: Derivation) -> list[Any]:
    """The gradient of any entry by each input, as a whole and by entries, and what stands in them by name."""
    lines: dict[str, Equation] = {}
    where: dict[str, Equation] = {}
    for g in derivation.gradients:
        if g.closed is not None:
            lines[g.left] = Equation(g.left, (g.closed,))
        if g.entry is not None:
            lines[g.entry.left] = g.entry
        where |= {e.left: e for e in g.where}
    if not lines:
        return []
    left = max(width_of(text) for text in lines)
    told = [setter.equation(e, left) for e in lines.values()]
    return [*told, setter.definitions(list(where.values()), "with")] if where else told


def _size(found: Jacobian) -> tuple[int, ...]:
    return tuple(i + 1 for i in found.rows[-1])


def forward_view(setter: Setter, trace: Trace, found: Forward) -> dict[str, Any]:
    """The table of forward mode, and the check."""
    notation = Notation(trace)
    rows = [
        {
            "name": setter.tex(notation.name[q.node]),
            "value": setter.tex(_shown(q, q.value, VALUE)),
            "tangent": setter.tex(_shown(q, found.tangents[q.node], GRADIENT)),
        }
        for q in (*trace.inputs, *trace.gates)
    ]
    return {
        "rows": rows,
        "value": setter.tex(tensor(found.value, GRADIENT)),
        "error": None if found.error is None else error_text(found.error),
    }


def _shown(q: Quantity, value: Any, colour: str) -> str:
    """A number or a small tensor, as a row where it is a vector; of a large one its size."""
    if np.size(value) > MAX_ENTRIES:
        return rf"\text{{{np.size(value)} numbers}}"
    array = np.asarray(value)
    if array.ndim == 1:
        return tensor(array.reshape(1, -1), colour) + r"^{\top}"
    return tensor(array, colour)
