"""The Jacobian of a vector, and forward mode along a direction, on a page."""

from __future__ import annotations

from typing import Any

import numpy as np

from report.autodiff.jacobian import Forward, Jacobian
from report.autodiff.trace import Quantity, Trace
from report.checks import error_text
from report.derivation.latex.symbols import GRADIENT, VALUE, entry_symbol, tensor
from report.derivation.quantity_names import Notation
from report.document.formulas import Setter

MAX_ENTRIES = 8  # of a value whose tangent stands in the table


def jacobian_view(setter: Setter, trace: Trace, found: Jacobian) -> dict[str, Any]:
    """The matrix, what its columns are, and the check."""
    shapes = {name: np.shape(trace.gradients[name]) for name in trace.wrt}
    order = r",\ ".join(entry_symbol(name, at, shapes[name]) for name, at in found.columns)
    matrix = tensor(found.matrix, GRADIENT)[0]
    entry = trace.graph.entry or ()
    return {
        "order": setter.tex(order),
        "rows": len(found.rows),
        "derived": found.rows.index(tuple(i % n for i, n in zip(entry, _size(found), strict=True)))
        + 1
        if entry
        else 1,
        "matrix": setter.display(rf"\mathbf{{J}} = {matrix}"),
        "error": None if found.error is None else error_text(found.error),
    }


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
        "value": setter.tex(tensor(found.value, GRADIENT)[0]),
        "error": None if found.error is None else error_text(found.error),
    }


def _shown(q: Quantity, value: Any, colour: str) -> str:
    """A number or a small tensor, as a row where it is a vector; of a large one its size."""
    if np.size(value) > MAX_ENTRIES:
        return rf"\text{{{np.size(value)} numbers}}"
    array = np.asarray(value)
    if array.ndim == 1:
        return tensor(array.reshape(1, -1), colour)[0] + r"^{\top}"
    return tensor(array, colour)[0]
