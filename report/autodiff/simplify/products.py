"""Identities of products, entry by entry, and of choices, which are products with conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from report.autodiff.graph import Gate, Node, constant, make
from report.autodiff.simplify.constants import (
    factored,
    fraction,
    is_coefficient,
    is_filled,
    is_number,
    product,
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
from report.autodiff.simplify.quotients import cancelled, cancels


def _multiply(row: Gate, a: Node, b: Node) -> Node | None:
    """Numbers come to the front and are taken together, signs go outside, 0 and 1 disappear."""
    if is_filled(a, 0) or is_filled(b, 0):
        return zeros(a, b)
    if is_coefficient(a) and is_coefficient(b):
        return product(a, b)
    if is_filled(a, 1) and fits(a, b):
        return b
    if is_filled(b, 1) and fits(b, a):
        return a
    if (is_coefficient(b) and not is_coefficient(a)) or (a.shape and not b.shape):
        return b * a
    return (
        _with_sign(a, b)
        or _with_coefficient(row, a, b)
        or _of_ones(a, b)
        or _scattered(a, b)
        or _chosen(a, b)
        or _with_root(a, b)
        or _above(a, b)
        or cancelled(a, b)
        or _cancelled_terms(a, b)
        or _with_number(a, b)
        or _unspread(a, b)
    )


def _with_sign(a: Node, b: Node) -> Node | None:
    if b.gate.name == "negative":
        return -(a * b.args[0])
    if a.gate.name == "negative":
        return -(a.args[0] * b)
    return -b if is_number(a, -1) else None


def _with_coefficient(row: Gate, a: Node, b: Node) -> Node | None:
    if parent("multiply", b) and is_coefficient(b.args[0]):
        if is_coefficient(a):
            return product(a, b.args[0]) * b.args[1]
        return b.args[0] * (a * b.args[1])
    if parent("multiply", a) and is_coefficient(a.args[0]):
        return a.args[0] * (a.args[1] * b)
    return None


def _with_number(a: Node, b: Node) -> Node | None:
    """x ⊙ c y = c (x ⊙ y), where c is one number, and (d / c) (c y) = d y."""
    for x, other in ((a, b), (b, a)):
        c, y = _number_of(other)
        if c is not None and x.shape:
            return c * (x * y if x is a else y * x)
        if c is not None:
            whole = cancelled(x, c)
            return None if whole is None else whole * y
    return None


def _number_of(x: Node) -> tuple[Node | None, Node]:
    """The number c in front of c y, if there is one."""
    if parent("multiply", x) and x.args[1].shape and not x.args[0].shape:
        return x.args[0], x.args[1]
    return None, x


def _of_ones(a: Node, b: Node) -> Node | None:
    """A number c·𝟏 spread over all entries multiplies as c."""
    for x, other in ((a, b), (b, a)):
        c = number_of_ones(x)
        if c is not None:
            return stretched(c * other, np.broadcast_shapes(a.shape, b.shape))
    return None


def _unspread(a: Node, b: Node) -> Node | None:
    """What was spread to the shape of its neighbour multiplies it just as well unspread."""
    for x, other in ((a, b), (b, a)):
        if x.gate.name == "broadcast_to" and fits(x, other) and fits(x.args[0], other):
            return x.args[0] * other
    return None


def _cancelled_terms(a: Node, b: Node) -> Node | None:
    """x (c / x - d) = c - x d, which softmax needs, and x y (c / x - d / y) = c y - d x."""
    for x, other in ((a, b), (b, a)):
        if not fits(other, x) or not (parent("add", other) or parent("subtract", other)):
            continue
        terms = [factored(term)[1] for term in other.args]
        if any(cancels(t, x) or _is_put_back(t) for t in terms) or all(
            parent("divide", t) and cancelled(x, t) for t in terms
        ):
            return applied(other.gate, x * other.args[0], x * other.args[1])
    return None


def _scattered(a: Node, b: Node) -> Node | None:
    """Zeros but for some entries, times x: those entries of x, and zeros."""
    for x, other in ((a, b), (b, a)):
        if other.gate.name == "scatter" and x.shape == other.shape:
            part, *indices = other.args
            picked = applied(gate_named("index"), x, *indices, key=other.params["key"])
            return applied(other.gate, part * picked, *indices, **other.params)
        if parent("divide", other) and x.shape and _is_put_back(other):
            return (x * other.args[0]) / other.args[1]
    return None


def _is_put_back(x: Node) -> bool:
    """Whether x has entries in some places only, with a number in front or below."""
    if parent("divide", x) and not x.args[1].shape:
        x = x.args[0]
    return factored(_number_of(x)[1])[1].gate.name == "scatter"


def _above(a: Node, b: Node) -> Node | None:
    """(a / b) c = c a / b for numbers, one line for all that is below it."""
    for x, other in ((a, b), (b, a)):
        if parent("divide", x) and not any(n.shape or is_coefficient(n) for n in (*x.args, other)):
            return other * x.args[0] / x.args[1]
    return None


def _with_root(a: Node, b: Node) -> Node | None:
    """x √x = x^{3/2}."""
    for x, other in ((a, b), (b, a)):
        if parent("sqrt", other) and same(other.args[0], x):
            return x ** fraction(3, 2)
    return None


def _chosen(a: Node, b: Node) -> Node | None:
    """A choice times its own condition is what is chosen then, and with the opposite the other one."""
    for x, other in ((a, b), (b, a)):
        if not parent("where", x):
            continue
        c, yes, no = x.args
        if same(other, c):
            return yes * other
        if c.gate.name in _OPPOSITE and same(other, _opposite(c)):
            return no * other
        if parent("where", other) and same(other.args[0], c):
            if is_filled(other.args[2], 0):
                return applied(other.gate, c, yes * other.args[1], constant(0))
            if is_filled(other.args[1], 0):
                return applied(other.gate, c, constant(0), no * other.args[2])
    return None


def _change_of_unit(row: Gate, a: Node) -> Node | None:
    if not a.is_constant:
        return make(row, (constant(1),)) * a
    c = number_of_ones(a) if a.shape else a
    if c is None or not is_coefficient(c) or is_number(c, 1):
        return None
    return stretched(product(make(row, (constant(1),)), c), a.shape)


# ---------------------------------------------------------------- choices

_OPPOSITE = {
    "less": "greater_equal", "less_equal": "greater", "greater": "less_equal",
    "greater_equal": "less", "equal": "not_equal", "not_equal": "equal",
}  # fmt: skip
_TRUTHS = {"logical_and", "logical_or", "logical_not", "positive", "within"}


def _where(row: Gate, c: Node, a: Node, b: Node) -> Node | None:
    """A choice between something and 0 is a product with the condition, 𝟙[c]."""
    if not is_filled(a, 0) and not is_filled(b, 0):
        return None
    for place, x in enumerate((a, b)):
        number, rest = factored(x)
        if rest is not x:
            return number * applied(row, c, *((rest, b) if place == 0 else (a, rest)))
        if parent("where", x) and same(x.args[0], c):
            return applied(row, c, *((x.args[1], b) if place == 0 else (a, x.args[2])))
    if c.gate.name not in _OPPOSITE and c.gate.name not in _TRUTHS:
        return None  # an input, which may be any number
    if is_filled(b, 0) and not is_filled(a, 0):
        return a * c
    if is_filled(a, 0) and not is_filled(b, 0):
        return b * _opposite(c)
    return None


def _opposite(c: Node) -> Node:
    if c.gate.name in _OPPOSITE:
        return make(gate_named(_OPPOSITE[c.gate.name]), c.args)
    if c.gate.name == "positive":
        return make(gate_named("less_equal"), (c.args[0], constant(0)))
    return make(gate_named("logical_not"), (c,))


PRODUCTS: dict[str, Callable[..., Any]] = {
    "multiply": _multiply,
    "radians": _change_of_unit,
    "degrees": _change_of_unit,
    "where": _where,
}
