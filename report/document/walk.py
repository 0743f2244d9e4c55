"""What the script of a page needs to walk through a graph, as plain data."""

from __future__ import annotations

from typing import Any

import numpy as np

from report import number_format
from report.autodiff.gates.definitions import unfolds_as
from report.autodiff.trace import Quantity, Trace, as_lists

MAX_DATA = 400  # entries of a value that the script gets


def steps(found: Trace) -> dict[str, Any]:
    """What a script needs to walk through the graph: each gate's place, arguments and numbers."""

    def row(q: Quantity) -> dict[str, Any]:
        kind = q.node.gate.name
        return {
            "name": q.name,
            "number": q.number,
            "gate": kind,
            "arguments": [found.name_of(a) for a in q.node.args if not a.is_constant],
            "unfolds": unfolds_as(q.node.gate),
            "value": _data(q.value),
            "gradient": _data(q.gradient),
            "valueText": _words(q.value),
            "gradientText": _words(q.gradient),
        }

    return {
        "inputs": [row(q) for q in found.inputs],
        "gates": [row(q) for q in found.gates],
        "letter": found.letter,
        "value": found.value,
        "result": found.result.name if found.result else "",
    }


def _data(value: Any) -> Any:
    return as_lists(value) if value is not None and np.size(value) <= MAX_DATA else None


def _words(value: Any) -> str:
    if value is None:
        return "none"
    if np.size(value) == 1:
        return number_format.show(float(np.asarray(value).item()))
    low, high = float(np.min(value)), float(np.max(value))
    size = " × ".join(map(str, np.shape(value)))
    return f"{size} numbers from {number_format.show(low)} to {number_format.show(high)}"
