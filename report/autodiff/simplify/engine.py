"""A node by the rules: the first rule that fits and whose result comes before the node is taken."""

from __future__ import annotations

import numpy as np

from report.autodiff.gates.table import GATES
from report.autodiff.graph import Node, constant, make
from report.autodiff.simplify.constants import folded, is_coefficient
from report.autodiff.simplify.forms import (
    Bound,
    Call,
    Form,
    Number,
    filled,
    match,
    may_match,
    shape_of,
)
from report.autodiff.simplify.nodes import number_of_ones
from report.autodiff.simplify.order import is_lighter
from report.autodiff.simplify.rules import RULES, Rule
from report.errors import ReportError

_BY_GATE: dict[str, list[Rule]] = {}
for _rule in RULES:
    _names = _rule.left.gate
    for _name in (_names,) if isinstance(_names, str) else _names:
        _BY_GATE.setdefault(_name, []).append(_rule)


def simplified(node: Node) -> Node:
    """A simpler node of the same value and shape, or the node itself.

    The arguments of the node are simplified already.
    """
    if is_coefficient(node) and all(map(is_coefficient, node.args)):
        return folded(node)
    if node.value is not None and node.gate.elementwise and node.shape:
        numbers = [a if is_coefficient(a) else number_of_ones(a) for a in node.args]
        if all(n is not None and n.value is not None for n in numbers):
            number = simplified(make(node.gate, [n for n in numbers if n is not None], node.params))
            return make(GATES["broadcast_to"], (number,), {"shape": node.shape})
    for row in _BY_GATE.get(node.gate.name, ()):
        if not may_match(row.left, node):
            continue
        for bound in match(row.left, node, {"node": node}, is_root=True):
            result = applied(row, node, bound)
            if result is not None:
                return result
    return node


def applied(row: Rule, node: Node, bound: Bound) -> Node | None:
    """What a rule makes of a node that is its pattern; None where it does not hold or is no gain."""
    if row.when is not None and not row.when(*(bound[n] for n in row.names["when"])):
        return None
    right = row.right
    if not isinstance(right, Form):
        made = right(*(bound[n] for n in row.names["right"]))
        if made is None:
            return None
        right = made
    if isinstance(right, Number):
        return constant(np.full(node.shape, right.value))
    try:
        shape = shape_of(right, bound)
        if shape != node.shape:
            if np.broadcast_shapes(shape, node.shape) != node.shape:
                return None
            right = Call("broadcast_to", (right,), options={"shape": node.shape})
    except (ReportError, ValueError):  # shapes that fit in the pattern only
        return None
    return filled(right, bound) if is_lighter(right, node, bound) else None
