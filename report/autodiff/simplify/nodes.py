"""What identities ask of nodes: which gate, which shape, and which formulas are equal."""

from __future__ import annotations

from typing import Any

import numpy as np

from report.autodiff.gates.table import GATES, apply
from report.autodiff.graph import CONSTANT, Gate, Node, constant, make

MAX_DEPTH = 8  # levels of two formulas that are compared


def gate_named(name: str) -> Gate:
    """A row of the gate table."""
    return GATES[name]


def applied(row: Gate, *args: Node, **params: Any) -> Node:
    """A gate over arguments that may have become simple enough for another identity."""
    node: Node = apply(row, args, params)
    return node


def parent(name: str, x: Node) -> bool:
    """Whether x is that gate, and depends on an input."""
    return x.gate.name == name and x.value is None


def is_identity(x: Node) -> bool:
    """Whether x is the identity matrix that a rule made."""
    return x.gate is CONSTANT and x.name == "I"


def number_of_ones(x: Node) -> Node | None:
    """The number c of a tensor c·𝟏 that holds it everywhere; None of any other node."""
    if not x.shape or x.name is not None:
        return None
    if x.gate.name == "broadcast_to" and not x.args[0].shape:
        return x.args[0]
    if x.gate is CONSTANT and np.ptp(x.value) == 0:
        return constant(x.value.flat[0])
    return None


def fits(x: Node, other: Node) -> bool:
    """Whether x broadcasts to the shape of another node."""
    try:
        return np.broadcast_shapes(x.shape, other.shape) == other.shape
    except ValueError:
        return False


def stretched(x: Node, shape: tuple[int, ...]) -> Node:
    """x in a shape that it broadcasts to."""
    if x.shape == shape:
        return x
    return make(gate_named("broadcast_to"), (x,), {"shape": shape})


def zeros(*args: Node) -> Node:
    """Zero in every entry of what the arguments broadcast to."""
    return constant(np.zeros(np.broadcast_shapes(*(a.shape for a in args))))


def same(a: Node, b: Node, depth: int = MAX_DEPTH) -> bool:
    """Whether two nodes are the same formula over the same inputs, as far as `depth` levels tell."""
    if a is b:
        return True
    if a.gate is not b.gate or a.shape != b.shape or not depth or a.is_input:
        return False
    if a.gate is CONSTANT:
        return a.name == b.name and bool(np.array_equal(a.value, b.value))
    return (
        len(a.args) == len(b.args)
        and dict(a.params) == dict(b.params)
        and all(same(x, y, depth - 1) for x, y in zip(a.args, b.args, strict=True))
    )
