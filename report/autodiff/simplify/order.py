"""The order in which every rewriting goes down, so that it ends.

It is a Knuth-Bendix order (Knuth and Bendix, Simple Word Problems in Universal Algebras, 1970). A
formula weighs as much as its gates and leaves together, and every leaf of the new formula occurs in
the old one at least as often. Where both weigh the same, the gate on top must come earlier in `_place`:
a number times something first, then signs, quotients, products; where that is the same too, the
argument that counts must be lighter. Weights and places stand in the gates' rows. As replacing a part by a lighter one makes the whole lighter, and
no formula can become lighter for ever, no two rules can undo each other.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from report.autodiff.form import Form as GateForm
from report.autodiff.gates.table import GATES
from report.autodiff.graph import Gate, Node, Shape
from report.autodiff.simplify.constants import factored, is_coefficient, is_negative, is_number
from report.autodiff.simplify.forms import (
    Call,
    Form,
    Gap,
    Held,
    Number,
    filled,
    operator_of,
    shape_of,
)
from report.autodiff.simplify.nodes import number_of_ones, same

MAX_DEPTH = 10  # below the top of the old formula that are weighed; what lies deeper weighs 1

_NEGATIVE = GATES["negative"]
_UNITS = (GateForm.PUT_BACK, GateForm.ONE_HOT)  # what is made of places beside a number
_PRODUCTS = (1, 4, 6)  # the places of products with a coefficient, with a number, and of tensors
_BY_ARGUMENTS = (1, 3)  # a number times something, and quotients: their arguments decide


@dataclass
class _Weight:
    """So much, and each leaf so many times."""

    number: int = 0
    leaves: Counter[int] = field(default_factory=Counter)

    def add(self, other: _Weight, times: int = 1) -> None:
        self.number += times * other.number
        for leaf, n in other.leaves.items():
            self.leaves[leaf] += times * n


def is_lighter(new: Form, old: Node, bound: Mapping[str, Any]) -> bool:
    """Whether a form that is filled comes before a node."""
    leaves: list[Node] = []
    light = _of_form(new, bound, leaves)
    heavy = _of_node(old, leaves)
    less = _compared(light, heavy)
    if less is None or less < 0:
        return False
    if less > 0:
        return True
    place, before = _place_of_form(new, bound), _place_of_node(old)
    if place != before or not isinstance(new, Call) or place not in _BY_ARGUMENTS:
        return place < before
    pairs = list(zip(new.args, old.args, strict=False))
    for part, was in pairs if old.gate.form is GateForm.QUOTIENT else pairs[::-1]:
        inner: list[Node] = []
        light = _of_form(part, bound, inner)
        less = _compared(light, _of_node(was, inner, MAX_DEPTH - 1))
        if less != 0:
            return less is not None and less > 0
    return False


def _compared(light: _Weight, heavy: _Weight) -> int | None:
    """How much lighter one is whatever its leaves weigh; None where that depends on them."""
    spare = Counter(heavy.leaves)
    spare.subtract(light.leaves)
    if any(n < 0 for n in spare.values()):
        return None
    return heavy.number - light.number + sum(spare.values())


def _of_form(f: Form, bound: Mapping[str, Any], leaves: list[Node]) -> _Weight:
    match f:
        case Gap(name):
            return _leaf(bound[name], leaves)
        case Held(node) if node.gate.form in _UNITS and node.value is None:
            shapes = [a.shape for a in node.args]
            return _of_gate(node.gate, node.args, shapes, lambda a: _leaf(a, leaves))
        case Held(node):
            return _leaf(node, leaves)
        case Number(value):
            return _Weight(1 + (value < 0))
        case Call(args=args):
            if _rank_of_form(f, bound) == 0:
                return _leaf(filled(f, bound), leaves)
            gate = operator_of(f, bound).gate
            if gate.form is GateForm.PRODUCT and (number := _sign(args[0], bound)):
                weight = _of_form(args[1], bound, leaves)
                return weight if number > 0 else _of_gate(_NEGATIVE, [weight], [()], lambda w: w)
            shapes = [shape_of(a, bound) for a in args]
            return _of_gate(gate, args, shapes, lambda a: _of_form(a, bound, leaves))
    raise TypeError(f)


def _of_gate(
    gate: Gate, args: Sequence[Any], shapes: Sequence[Shape], of: Callable[[Any], _Weight]
) -> _Weight:
    weight = _Weight(gate.order[0])
    if gate.form is GateForm.PUT_BACK:
        # as much as the number times a unit vector, which is one leaf
        weight.number += -1 if of(args[0]) == _Weight(1) else 1
    is_row = gate.form is GateForm.MATRIX_PRODUCT and [len(s) for s in shapes] == [1, 2]
    for place, arg in enumerate(args):
        if place in gate.integers and gate.roles.get(place) != "mask":  # it says where
            continue
        is_turned = gate.form is GateForm.TRANSPOSE or (is_row and place == 1)  # xᵀA is Aᵀx
        weight.add(of(arg), 2 if is_turned else 1)
    return weight


def _sign(f: Form, bound: Mapping[str, Any]) -> int:
    """1 or -1 where a form is that number: what it stands before, or that with a sign, is meant."""
    node = bound[f.name] if isinstance(f, Gap) else f.node if isinstance(f, Held) else None
    return next((n for n in (1, -1) if node is not None and is_number(node, n)), 0)


def _leaf(node: Node, leaves: list[Node]) -> _Weight:
    if node.value is not None:
        number = number_of_ones(node) if node.shape else node
        if number is not None:
            return _Weight(1 + is_negative(number) + (number is not node))
        number, _ = factored(node)
        is_bare = any(is_number(number, n) for n in (1, -1))
        return _Weight(1 + is_negative(number) + (0 if is_bare else 2))
    place = next((i for i, n in enumerate(leaves) if same(n, node)), None)
    if place is None:
        place = len(leaves)
        leaves.append(node)
    return _Weight(0, Counter({place: 1}))


def _of_node(node: Node, leaves: list[Node], depth: int = MAX_DEPTH) -> _Weight:
    """What a node weighs at least, over leaves that are known."""
    if node.value is not None and depth < MAX_DEPTH:
        return _leaf(node, leaves)
    place = next((i for i, n in enumerate(leaves) if same(n, node)), None)
    if place is not None:
        return _Weight(0, Counter({place: 1}))
    if not node.args or not depth:
        return _Weight(1)
    shapes = [a.shape for a in node.args]
    return _of_gate(node.gate, node.args, shapes, lambda a: _of_node(a, leaves, depth - 1))


# ---------------------------------------------------------------- where weights are equal


def _place(gate: Gate, rank: int) -> int:
    """Where a gate stands; `rank` is that of its first argument: 0 a coefficient, 1 a number, 2 a tensor."""
    return _PRODUCTS[rank] if gate.form is GateForm.PRODUCT else gate.order[1]


def _place_of_node(node: Node) -> int:
    return _place(node.gate, _rank(node.args[0]) if node.args else 0)


def _place_of_form(f: Form, bound: Mapping[str, Any]) -> int:
    if isinstance(f, Call):
        gate = operator_of(f, bound).gate
        number = _sign(f.args[0], bound) if gate.form is GateForm.PRODUCT else 0
        if number:
            return _NEGATIVE.order[1] if number < 0 else _place_of_form(f.args[1], bound)
        return _place(gate, _rank_of_form(f.args[0], bound))
    return -1


def _rank(node: Node) -> int:
    return 0 if is_coefficient(node) else 1 if not node.shape else 2


def _rank_of_form(f: Form, bound: Mapping[str, Any]) -> int:
    if isinstance(f, Gap | Held):
        return _rank(bound[f.name] if isinstance(f, Gap) else f.node)
    shape: Shape = shape_of(f, bound)
    if math.prod(shape) > 1 or shape:
        return 2
    if isinstance(f, Call):
        return min(1, max((_rank_of_form(a, bound) for a in f.args), default=0))
    return 0
