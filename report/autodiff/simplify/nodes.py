"""What rules ask of nodes: which gate, which numbers, and which formulas are equal."""

from __future__ import annotations

import numpy as np

from report.autodiff.form import Form
from report.autodiff.gates.shapes import axes_of
from report.autodiff.graph import CONSTANT, Node, constant

MAX_DEPTH = 8  # levels of two formulas that are compared


def is_gate(x: Node, *names: str) -> bool:
    """Whether x is one of these gates, and depends on an input."""
    return x.gate.name in names and x.value is None


def is_identity(x: Node) -> bool:
    """Whether x is the identity matrix that a rule made."""
    return x.gate is CONSTANT and x.name == "I"


def number_of_ones(x: Node) -> Node | None:
    """The number c of a tensor c·𝟏 that holds it everywhere; None of any other node."""
    if not x.shape or x.name is not None:
        return None
    if x.gate.form is Form.COPIES:
        return number_of_ones(x.args[0]) if x.args[0].shape else x.args[0]
    if x.gate is CONSTANT and np.ptp(x.value) == 0:
        return constant(x.value.flat[0])
    return None


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


def is_symmetric(x: Node, depth: int = MAX_DEPTH) -> bool:
    """Whether a matrix is its own transpose whatever its inputs are, as XᵀX, A + Aᵀ and their inverses."""
    if len(x.shape) != 2 or x.shape[0] != x.shape[1] or not depth:
        return False
    if x.gate is CONSTANT:
        return bool(np.array_equal(x.value, np.transpose(x.value)))
    if x.gate.form is Form.SUM and (_is_turned(*x.args) or _is_turned(*x.args[::-1])):
        return True
    if x.gate.elementwise:
        return all(not a.shape or is_symmetric(a, depth - 1) for a in x.args)
    match x.gate.form, x.args:
        case Form.MATRIX_PRODUCT, (a, b):
            return len(a.shape) == 2 and (_is_turned(a, b) or _is_turned(b, a))
        case Form.OUTER, (a, b):
            return same(a, b)
        case Form.COPIES, (a,):
            return not a.shape
        case ((Form.INVERSE | Form.COFACTOR | Form.TRANSPOSE), (a,)):
            return is_symmetric(a, depth - 1)
    return x.gate.symmetric


def _is_turned(a: Node, b: Node) -> bool:
    if a.gate.form is b.gate.form is Form.INVERSE and len(a.args) == len(b.args) == 1:
        return _is_turned(a.args[0], b.args[0])
    return a.gate.form is Form.TRANSPOSE and not a.params and same(a.args[0], b)


def adds_up_to_one(p: Node, axis: object) -> bool:
    """Whether the values of p along just this axis are shares of 1, as those of a softmax."""
    own = p.params.get("axis")
    return p.gate.shares and axes_of(p.shape, -1 if own is None else own) == axes_of(p.shape, axis)


def share(x: Node) -> int | None:
    """The place i, from 0, of a number that is exp(z_i) / (exp(z_0) + exp(z_1) + ...); None of others."""
    if not is_gate(x, "divide") or x.shape or not is_gate(x.args[0], "exp"):
        return None
    terms = _terms(x.args[1])
    alike = [i for i, t in enumerate(terms) if same(t, x.args[0])]
    return alike[0] if len(alike) == 1 and all(is_gate(t, "exp") for t in terms) else None


def _terms(x: Node) -> list[Node]:
    return [t for a in x.args for t in _terms(a)] if is_gate(x, "add") else [x]
