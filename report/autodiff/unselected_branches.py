"""Values outside a gate's domain that no `where` chooses, as in where(x > 0, log(x), 0) for x = -2.

They do no harm to a trace: they are NaN on the way forward, and nothing flows back through them. A
report, whose programs compute both branches of a `where`, refuses them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from report.autodiff.form import Form
from report.autodiff.graph import FAULTS, Array, Graph, Node
from report.errors import ReportError

REMEDY = (
    "where(...) does not choose this value, but a report computes both branches: keep them inside the "
    "domain, as in where(x > 0, log(where(x > 0, x, 1)), 0)"
)


def forward(
    graph: Graph, inputs: Mapping[str, Array], fault: ReportError
) -> tuple[dict[Node, Array], dict[Node, Array]]:
    """The forward pass that ended with `fault`, gone to its end: all numbers, and where they are lost.

    What is not finite is lost, and so is every entry that is made of it, entry by entry. Raises
    `fault` when something lost reaches the result, a condition, or a gate that mixes entries.
    """
    numbers: dict[Node, Array] = {node: inputs[name] for name, node in graph.inputs.items()}
    lost: dict[Node, Array] = {}
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            args = [numbers[a] if a.value is None else a.value for a in node.args]
            try:
                value = node.gate.forward(*args, **node.params)
            except FAULTS:
                raise fault from None
            gone = [lost.get(a, np.False_) for a in node.args]
            if node.gate.form is Form.CHOICE and not np.any(gone[0]):
                here = np.where(args[0], gone[1], gone[2])
            else:
                here = np.zeros(node.shape, dtype=bool)
                for mask in gone:
                    if node.gate.elementwise:
                        here = here | mask
                    elif np.any(mask):
                        raise fault
            here = here | ~np.isfinite(value)
            if np.any(here):
                if not node.gate.elementwise:
                    raise fault
                value = np.where(here, np.nan, value)[()]
                lost[node] = here
            numbers[node] = value
    if graph.result in lost:
        raise fault
    return numbers, lost
