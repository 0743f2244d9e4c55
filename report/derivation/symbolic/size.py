"""How long a formula would be, and whether sympy knows all of it."""

from __future__ import annotations

import re
from collections.abc import Container

from report.autodiff.graph import Graph, Node, topological

_UNSEEN = re.compile(r"\\(?:left|right|mathbf|operatorname|text|frac|,|;)|[{}_^\s]")
_COMMAND = re.compile(r"\\[a-zA-Z]+")


def is_scalar(graph: Graph) -> bool:
    """Whether every value of the function is a scalar that sympy has a formula for."""
    return all(
        not n.shape and (n.is_input or n.is_constant or n.gate.sympy is not None)
        for n in topological(graph.result)
    )


def written_sizes(node: Node, names: Container[Node] = ()) -> dict[Node, int]:
    """How many gates the formulas of a node and of all below it have, written out with all repeats.

    The nodes in `names` are written as one name.
    """
    size: dict[Node, int] = {}
    for n in topological(node, leaves=names):
        is_one = n in names or n.is_constant
        size[n] = 1 if is_one else 1 + sum(size[a] for a in n.args)
    return size


def written_size(node: Node, names: Container[Node] = ()) -> int:
    """The same of the node alone."""
    return written_sizes(node, names)[node]


def signs(latex: str) -> int:
    """How many signs a formula has on paper, about."""
    return len(_COMMAND.sub("x", _UNSEEN.sub("", latex)))
