"""The identities that a reader expects in a derivation: 1·x = x, x + 0 = x, −(−x) = x, (Aᵀ)ᵀ = A, ...

`simplify` is asked for every node that a backward rule makes. It never changes a value, only the way
that a formula is written. What the user wrote is not touched: the parser makes its nodes directly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from report.graph import CONSTANT, Gate, Node, constant, make


def simplify(gate: Gate, args: tuple[Any, ...], params: dict[str, Any]) -> Node | None:
    """A simpler node of the same value and shape, or None when there is nothing to simplify."""
    identity = _IDENTITIES.get(gate.name)
    if identity is None:
        return None
    nodes = [a if isinstance(a, Node) else constant(a) for a in args]
    return identity(gate, *nodes, **params)


def is_number(x: Node, value: float | None = None) -> bool:
    """Whether x is a plain scalar constant (of this value)."""
    return x.gate is CONSTANT and x.shape == () and (value is None or bool(x.value == value))


def is_filled(x: Node, value: float) -> bool:
    """Whether x is known to hold `value` in every entry."""
    return x.value is not None and bool(np.all(x.value == value))


def is_coefficient(x: Node) -> bool:
    """Whether x is a plain number or a fraction of two."""
    return is_number(x) or (
        x.gate.name == "divide" and not x.shape and all(is_number(a) for a in x.args)
    )


def _coefficient(a: Node, b: Node) -> Node:
    """The product of two coefficients, again a number or a fraction in lowest terms."""
    above, below, divide = 1.0, 1.0, None
    for x in (a, b):
        if is_number(x):
            above *= x.value
        else:
            divide = x.gate
            above, below = above * x.args[0].value, below * x.args[1].value
    if divide is None or above % below == 0:
        return constant(above / below)
    if above.is_integer() and below.is_integer():
        common = math.gcd(int(above), int(below))
        above, below = above / common, below / common
    return make(divide, (constant(above), constant(below)))


def _parent(name: str, x: Node) -> bool:
    return x.gate.name == name and x.value is None


def _same_shape(x: Node, *others: Node) -> bool:
    """Whether x alone has the shape of an elementwise gate over all of them."""
    return x.shape == np.broadcast_shapes(x.shape, *(o.shape for o in others))


def _add(gate: Gate, a: Node, b: Node) -> Node | None:
    if is_number(a) and is_number(b):
        return constant(a.value + b.value)
    if is_filled(b, 0) and _same_shape(a, b):
        return a
    if is_filled(a, 0) and _same_shape(b, a):
        return b
    if _parent("negative", b):
        return a - b.args[0]
    if _parent("negative", a):
        return b - a.args[0]
    return None


def _subtract(gate: Gate, a: Node, b: Node) -> Node | None:
    if is_number(a) and is_number(b):
        return constant(a.value - b.value)
    if is_filled(b, 0) and _same_shape(a, b):
        return a
    if is_filled(a, 0) and _same_shape(b, a):
        return -b
    if _parent("negative", b):
        return a + b.args[0]
    return None


def _negative(gate: Gate, a: Node) -> Node | None:
    if _parent("negative", a):
        return a.args[0]
    if _parent("subtract", a):
        return a.args[1] - a.args[0]
    if _parent("multiply", a) and is_number(a.args[0]):
        return constant(-a.args[0].value) * a.args[1]
    return constant(-a.value) if is_number(a) else None


def _multiply(gate: Gate, a: Node, b: Node) -> Node | None:
    """Numbers come to the front and are taken together, signs go outside, 0 and 1 disappear."""
    if is_number(a) and is_number(b):
        return constant(a.value * b.value)
    if is_filled(a, 0) or is_filled(b, 0):
        return constant(np.zeros(np.broadcast_shapes(a.shape, b.shape)))
    if is_filled(a, 1) and _same_shape(b, a):
        return b
    if is_filled(b, 1) and _same_shape(a, b):
        return a
    if is_coefficient(b) and not is_coefficient(a):
        return b * a
    return _with_sign(a, b) or _with_coefficient(gate, a, b) or _cancelled(a, b) or _unspread(a, b)


def _with_sign(a: Node, b: Node) -> Node | None:
    if _parent("negative", b):
        return -(a * b.args[0])
    if _parent("negative", a):
        return -(a.args[0] * b)
    return -b if is_number(a, -1) else None


def _with_coefficient(gate: Gate, a: Node, b: Node) -> Node | None:
    if is_coefficient(a) and is_coefficient(b):
        return _coefficient(a, b)
    if _parent("multiply", b) and is_coefficient(b.args[0]):
        if is_coefficient(a):
            return make(gate, (_coefficient(a, b.args[0]), b.args[1]))
        return b.args[0] * (a * b.args[1])
    if _parent("multiply", a) and is_coefficient(a.args[0]):
        return make(gate, (a.args[0], a.args[1] * b))
    return None


def _cancelled(a: Node, b: Node) -> Node | None:
    """(c / x) x = c, also inside a sum or difference, which softmax needs; a (1 / b) = a / b."""
    if _parent("reciprocal", b) and not a.shape and not b.shape:
        return a / b.args[0]
    for x, other in ((a, b), (b, a)):
        if _cancels(other, x):
            return other.args[0]
        if _same_shape(x, other) and any(_cancels(term, x) for term in _terms(other)):
            left, right = x * other.args[0], x * other.args[1]
            return left - right if other.gate.name == "subtract" else left + right
    return None


def _unspread(a: Node, b: Node) -> Node | None:
    """A number that was spread over all entries multiplies them just as well unspread."""
    for x, other in ((a, b), (b, a)):
        if x.gate.name == "broadcast_to" and _same_shape(other, x) and _fits(x.args[0], other):
            return x.args[0] * other
    return None


def _cancels(fraction: Node, x: Node) -> bool:
    """Whether a fraction times x is its numerator."""
    return (
        _parent("divide", fraction)
        and fraction.args[1] is x
        and fraction.args[0].shape == fraction.shape
    )


def _terms(x: Node) -> list[Node]:
    """The two terms of a sum or difference without their signs; none of anything else."""
    if not (_parent("add", x) or _parent("subtract", x)):
        return []
    return [a.args[0] if _parent("negative", a) else a for a in x.args]


def _fits(x: Node, other: Node) -> bool:
    try:
        return np.broadcast_shapes(x.shape, other.shape) == other.shape
    except ValueError:
        return False


def _divide(gate: Gate, a: Node, b: Node) -> Node | None:
    if is_number(b, 1):
        return a
    if is_filled(a, 0):
        return constant(np.zeros(np.broadcast_shapes(a.shape, b.shape)))
    if _parent("negative", a):
        return -(a.args[0] / b)
    return None


def _power(gate: Gate, a: Node, n: Node) -> Node | None:
    if is_number(n, 1):
        return a
    if is_number(n, 0):
        return constant(np.ones(a.shape))
    if _parent("reciprocal", a) and is_number(n) and n.value > 0:
        return constant(1) / (a.args[0] ** n)
    return None


def _undo(gate: Gate, a: Node, axes: tuple[int, ...] | None = None) -> Node | None:
    """Gates that are their own inverse: transpose, swap_last."""
    if axes is not None:
        return a if axes == tuple(range(len(axes))) else None
    if _parent(gate.name, a) and not a.params:
        return a.args[0]
    return a if gate.name == "transpose" and len(a.shape) < 2 else None


def _same(gate: Gate, a: Node, shape: tuple[int, ...]) -> Node | None:
    """broadcast_to, sum_to and reshape that change nothing."""
    if a.shape == shape:
        return a
    if is_filled(a, 0):
        return constant(np.zeros(shape))
    return None


def _linear(gate: Gate, a: Node, **params: Any) -> Node | None:
    """Signs and numbers go in front of a sum."""
    if _parent("negative", a):
        return -make(gate, (a.args[0],), params)
    if _parent("multiply", a) and is_coefficient(a.args[0]) and a.args[1].shape == a.shape:
        return a.args[0] * make(gate, (a.args[1],), params)
    return None


def _pull_factor(gate: Gate, a: Node, b: Node) -> Node | None:
    """Signs and numbers go in front of a product of matrices."""
    for place, x in enumerate((a, b)):
        sign, inner = _without_factor(x)
        if sign is not None:
            product = _bilinear(gate, *((inner, b) if place == 0 else (a, inner)))
            return -product if is_number(sign, -1) else sign * product
    return None


def _without_factor(x: Node) -> tuple[Node | None, Node]:
    """A sign (as -1) or number in front of x, and what is left."""
    if _parent("negative", x):
        return constant(-1.0), x.args[0]
    if _parent("multiply", x) and is_coefficient(x.args[0]):
        return x.args[0], x.args[1]
    return None, x


def _bilinear(gate: Gate, a: Node, b: Node) -> Node:
    return _pull_factor(gate, a, b) or make(gate, (a, b))


_IDENTITIES: dict[str, Callable[..., Node | None]] = {
    "add": _add,
    "subtract": _subtract,
    "negative": _negative,
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
    "transpose": _undo,
    "swap_last": _undo,
    "broadcast_to": _same,
    "sum_to": _same,
    "reshape": _same,
    "sum": _linear,
    "mean": _linear,
    "outer": _pull_factor,
    "matmul": _pull_factor,
    "ratio": _divide,
}
