"""Identities of quotients and powers: what stands above and below the line goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from report.autodiff.graph import Gate, Node, constant, make
from report.autodiff.simplify.constants import (
    factored,
    is_coefficient,
    is_filled,
    is_negative,
    is_number,
    product,
    quotient,
)
from report.autodiff.simplify.nodes import (
    applied,
    fits,
    gate_named,
    number_of_ones,
    parent,
    same,
    stretched,
    zeros,
)

MAX_NESTED = 6  # products in products that are looked into for what may cancel
MAX_FACTORS = 12  # below the line
MAX_POWER = 6  # that is taken as a product


def cancels(fraction: Node, x: Node) -> bool:
    """Whether a fraction times x is its numerator."""
    return (
        fraction.gate.name in _QUOTIENTS
        and fraction.args[0].shape == fraction.shape
        and same(fraction.args[1], x)
    )


_QUOTIENTS = ("divide", "ratio")


def cancelled(a: Node, b: Node) -> Node | None:
    """(c / (x y)) x = c / y; a (1 / b) = a / b."""
    if parent("reciprocal", b) and not a.shape and not b.shape:
        return a / b.args[0]
    for x, other in ((a, b), (b, a)):
        if not (parent("divide", x) and is_coefficient(x.args[0])):
            continue
        if is_coefficient(other):
            return product(other, x.args[0]) / x.args[1]
        if fits(x.args[1], other):
            return x.args[0] * (other / x.args[1])
    whole = _Quotient()
    whole.take(a)
    whole.take(b)
    both = all(x.gate.name in _QUOTIENTS and x.value is None for x in (a, b))
    return whole.reduced(np.broadcast_shapes(a.shape, b.shape), always=both)


class _Quotient:
    """What stands above and below the line of a product of quotients, as far as it is looked into."""

    def __init__(self) -> None:
        self.above: list[Node] = []
        self.below: list[Node] = []
        self.row = gate_named("divide")  # ratio, where one of the quotients is

    def take(self, x: Node, depth: int = MAX_NESTED) -> None:
        if depth and parent("multiply", x):
            for factor in x.args:
                self.take(factor, depth - 1)
        elif depth and x.gate.name in _QUOTIENTS and x.value is None:
            self.take(x.args[0], depth - 1)
            self.below.append(x.args[1])
            self.row = gate_named("ratio") if x.gate.name == "ratio" else self.row
        else:
            self.above.append(x)

    def reduced(self, shape: tuple[int, ...], always: bool = False) -> Node | None:
        """The quotient without what stands on both sides; None where nothing does, unless `always`."""
        above, below, rest, number = list(self.above), list(self.below), [], constant(1)
        hits = int(always)
        while below:
            d = below.pop(0)
            match = next((n for n in above if same(_bare(n), _bare(d))), None)
            power = next((n for n in above if _lowered(n, d) is not None), None)
            inverse = next((n for n in above if _is_cofactor_of(n, d)), None)
            parts = _factors_of(d)
            over = self._turned(d, above)
            if match is not None:
                above.remove(match)
                hits += 1
            elif over is not None:
                above.append(over)
                below.append(d.args[0])
                hits += 1
            elif power is not None:
                above[above.index(power)] = _lowered(power, d) or power
                hits += 1
            elif inverse is not None:
                above[above.index(inverse)] = make(gate_named("inv"), d.args).T
                hits += 1
            elif is_coefficient(d):
                number = product(number, d)
            elif len(parts) > 1 and len(below) < MAX_FACTORS:
                below = [*parts, *below]
            else:
                rest.append(d)
        if not hits:
            return None
        result = quotient(constant(1), number) * _product(above)
        return stretched(applied(self.row, result, _product(rest)) if rest else result, shape)

    def _turned(self, d: Node, above: list[Node]) -> Node | None:
        """v, where x / (u / v) is x v / u; a quotient with a name stays, unless x has the factor u."""
        if d.gate.name not in _QUOTIENTS or d.value is not None:
            return None
        u, v = d.args
        return v if not d.name or any(same(_bare(n), _bare(u)) for n in above) else None


def _is_cofactor_of(x: Node, d: Node) -> bool:
    """Whether x / d is a matrix of cofactors over its determinant, the inverse transposed."""
    return (
        parent("det", d)
        and len(d.args[0].shape) == 2
        and parent("cofactor", x)
        and same(d.args[0], x.args[0])
    )


def _lowered(x: Node, d: Node) -> Node | None:
    """x / d, where x is a power of d, or d its root; a power that was made a column too."""
    if parent("sqrt", _bare(d)) and same(_bare(d).args[0], x):
        return _bare(d)
    if parent("reshape", x) and x.args[0].gate.name in ("square", "power"):
        inner = x.args[0]
        base = applied(x.gate, inner.args[0], **x.params)
        x = make(inner.gate, (base, *inner.args[1:]))
    if parent("square", x) and same(x.args[0], _bare(d)):
        return x.args[0]
    if parent("power", x) and is_number(x.args[1]) and same(x.args[0], _bare(d)):
        return x.args[0] ** (x.args[1] - 1)
    return None


def _factors_of(x: Node) -> list[Node]:
    """The factors of a product or of a small power."""
    if parent("multiply", x):
        return list(x.args)
    if parent("square", x):
        return [x.args[0]] * 2
    if parent("power", x) and any(is_number(x.args[1], n) for n in range(2, MAX_POWER + 1)):
        return [x.args[0]] * int(x.args[1].value)
    return [x]


def _bare(x: Node) -> Node:
    return x.args[0] if x.gate.name == "broadcast_to" else x


def _product(factors: list[Node]) -> Node:
    """The product of all, equal ones as a power."""
    whole, left = constant(1), list(factors)
    while left:
        equal = [f for f in left if same(f, left[0])]
        factor = left[0] if len(equal) == 1 else left[0] ** constant(len(equal))
        left = [f for f in left if not same(f, left[0])]
        whole = whole * factor
    return whole


# ---------------------------------------------------------------- quotients and powers


def _divide(row: Gate, a: Node, b: Node) -> Node | None:
    if is_number(b, 1):
        return a
    if is_filled(a, 0):
        return zeros(a, b)
    if is_coefficient(a) and is_coefficient(b) and not is_number(b, 0):
        return quotient(a, b)
    c, rest = factored(a)
    if rest is not a and rest.shape == a.shape:
        return c * applied(row, rest, b)
    if is_coefficient(a) and is_negative(a):
        return -(product(constant(-1), a) / b)
    if is_coefficient(b) and b.value != 0 and (not is_number(b) or _is_whole(b.value)):
        return quotient(constant(1), b) * a
    return _simple_quotient(row, a, b)


def _is_whole(x: float) -> bool:
    """Whether a number or one over it is whole: dividing by it is a factor as plain."""
    return float(x).is_integer() or float(1 / x).is_integer()


def _ratio(row: Gate, a: Node, b: Node) -> Node | None:
    if is_filled(a, 0):
        return zeros(a, b)
    c, rest = factored(a)
    if rest is not a and rest.shape == a.shape:
        return c * applied(row, rest, b)
    return _simple_quotient(row, a, b)


def _simple_quotient(row: Gate, a: Node, b: Node) -> Node | None:
    """exp(x) / Σ exp(x) is softmax(x); else c·𝟏 above or below is c, and what both have goes."""
    if parent("exp", a) and parent("sum", b) and same(b.args[0], a):
        axis = b.params.get("axis", None)
        if isinstance(axis, int) and b.params.get("keepdims"):
            return make(gate_named("softmax"), a.args, {"axis": axis})
        if axis is None and len(a.shape) == 1:
            return make(gate_named("softmax"), a.args)
    c, d = number_of_ones(a), number_of_ones(b)
    if c is not None:
        return stretched(applied(row, c, b), np.broadcast_shapes(a.shape, b.shape))
    if d is not None and fits(b, a):
        return applied(row, a, d)
    whole = _Quotient()
    whole.row = row
    whole.take(a)
    whole.below.append(b)
    nested = row.name == "divide" and parent("divide", a)
    return whole.reduced(np.broadcast_shapes(a.shape, b.shape), always=nested)


def _power(row: Gate, a: Node, n: Node) -> Node | None:
    if is_number(n, 1):
        return a
    if is_number(n, 0):
        return constant(np.ones(a.shape))
    if parent("sqrt", a) and is_number(n, 2):
        return a.args[0]
    if parent("reciprocal", a) and is_number(n) and n.value > 0:
        return constant(1) / (a.args[0] ** n)
    return None


def _exp(row: Gate, a: Node) -> Node | None:
    if parent("log", a):
        return a.args[0]
    if parent("log_softmax", a):
        return make(gate_named("softmax"), a.args, a.params)
    return None


QUOTIENTS: dict[str, Callable[..., Any]] = {
    "divide": _divide,
    "ratio": _ratio,
    "power": _power,
    "exp": _exp,
}
