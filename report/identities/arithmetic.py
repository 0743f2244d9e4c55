"""Identities of sums, products, quotients and powers, entry by entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from report.graph import Gate, Node, constant, make
from report.identities.constants import (
    applied,
    factored,
    fraction,
    gate,
    is_coefficient,
    is_filled,
    is_negative,
    is_number,
    is_rational,
    number_of_ones,
    parent,
    product,
    quotient,
    same,
    split,
    total,
)  # fmt: skip

MAX_NESTED = 6  # products in products that are looked into for what may cancel
MAX_FACTORS = 12  # below the line
MAX_POWER = 6  # that is taken as a product


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
    return make(gate("broadcast_to"), (x,), {"shape": shape})


def _zeros(*args: Node) -> Node:
    return constant(np.zeros(np.broadcast_shapes(*(a.shape for a in args))))


# ---------------------------------------------------------------- sums


def _add(row: Gate, a: Node, b: Node) -> Node | None:
    if is_rational(a) and is_rational(b):
        return total(a, b)
    if is_filled(b, 0) and fits(b, a):
        return a
    if is_filled(a, 0) and fits(a, b):
        return b
    if _is_taken_away(b):
        return a - (-b)
    if _is_taken_away(a):
        return b - (-a)
    return (
        _collected(row, a, b)
        or _collected_below(a, b)
        or _symmetric(row, a, b)
        or _common_factor(row, a, b)
        or _unspread_terms(row, a, b)
    )


def _subtract(row: Gate, a: Node, b: Node) -> Node | None:
    if is_rational(a) and is_rational(b):
        return total(a, product(constant(-1), b))
    if is_filled(b, 0) and fits(b, a):
        return a
    if is_filled(a, 0) and fits(a, b):
        return -b
    if _is_taken_away(b):
        return a + (-b)
    return (
        _collected(row, a, b)
        or _shifted(row, a, b)
        or _symmetric(row, a, b)
        or _common_factor(row, a, b)
        or _unspread_terms(row, a, b)
    )


def _is_taken_away(x: Node) -> bool:
    """Whether a term has a sign in front."""
    return is_negative(x) if is_coefficient(x) else is_negative(factored(x)[0])


def _collected(row: Gate, a: Node, b: Node) -> Node | None:
    """2x + x = 3x, and 2x + 2y = 2 (x + y)."""
    (c, x), (d, y) = factored(a), factored(b)
    if same(x, y):
        sign = constant(1 if row.name == "add" else -1)
        number = total(c, product(sign, d))
        return None if number is None else number * x
    if same(c, d) and not is_number(c, 1) and not is_coefficient(x) and not is_coefficient(y):
        return c * applied(row, x, y)
    return None


def _common_factor(row: Gate, a: Node, b: Node) -> Node | None:
    """x y - x z = x (y - z), entry by entry."""
    (c, u), (d, v) = factored(a), factored(b)
    if not (parent("multiply", u) and parent("multiply", v)) or u.shape != v.shape or not u.shape:
        return None
    for x, y in (u.args, u.args[::-1]):
        for z, w in (v.args, v.args[::-1]):
            if x.shape == u.shape and same(x, z):
                return x * applied(row, c * y, d * w)
    return None


def _collected_below(a: Node, b: Node) -> Node | None:
    """(x + y) + y = x + 2y."""
    if not parent("add", a):
        return None
    c, y = factored(b)
    for place, term in enumerate(a.args):
        d, z = factored(term)
        number = total(c, d) if same(y, z) and term.shape == a.shape else None
        if number is not None:
            return a.args[1 - place] + number * y
    return None


def _shifted(row: Gate, a: Node, b: Node) -> Node | None:
    """(x + 1) - (y + 1) = x - y, and (1 - y) s - y (1 - s) = s - y."""
    if parent("add", a) and parent("add", b) and same(a.args[1], b.args[1]):
        return a.args[0] - b.args[0]
    if not (parent("multiply", a) and parent("multiply", b)):
        return None
    for x, s in (a.args, a.args[::-1]):
        for y, t in (b.args, b.args[::-1]):
            if _is_complement(x, y) and _is_complement(t, s):
                return s - y
            if _is_complement(y, x) and _is_complement(s, t):
                return x - t
    return None


def _is_complement(x: Node, of: Node) -> bool:
    return parent("subtract", x) and is_number(x.args[0], 1) and same(x.args[1], of)


def _symmetric(row: Gate, a: Node, b: Node) -> Node | None:
    """A x + A y = A (x + y), and A x + Aᵀ x = (A + Aᵀ) x: the gradient of a quadratic form."""
    left, right = _matrix_times(a), _matrix_times(b)
    if left is None or right is None:
        return None
    (c, m, x), (d, n, y) = left, right
    sign = constant(1 if row.name == "add" else -1)
    if same(m, n) and not x.is_constant and not y.is_constant:
        return m @ applied(row, c * x, d * y)
    if not same(x, y) or not same(m.T, n) or not same(c, product(sign, d)):
        return None
    first, second = (n, m) if parent("transpose", m) else (m, n)
    return c * ((first + second) @ x)


def _matrix_times(node: Node) -> tuple[Node, Node, Node] | None:
    """The number, the matrix and the vector or matrix whose product a node is.

    A vector on the left is xᵀA, which is Aᵀx, and so is its transpose in matrix form.
    """
    c, x = factored(node)
    if parent("solve", x):
        a, b = x.args
        if parent("transpose", a):
            return c, make(gate("inv"), a.args).T, b
        return c, make(gate("inv"), (a,)), b
    turned = parent("transpose", x) and not x.params
    inner = x.args[0] if turned else x
    if not parent("matmul", inner):
        return None
    a, b = inner.args
    if turned or (len(a.shape) == 1 and len(b.shape) == 2):
        a, b = b.T, a.T
    if len(a.shape) != 2 or len(b.shape) > 2:
        return None
    d, b = factored(b)
    return product(c, d), a, b


def _unspread_terms(row: Gate, a: Node, b: Node) -> Node | None:
    """A number that was spread over all entries is added just as well unspread."""
    c = number_of_ones(b)
    return make(row, (a, c)) if c is not None and fits(b, a) else None


def _negative(row: Gate, a: Node) -> Node | None:
    if a.gate.name == "negative":
        return a.args[0]
    if is_coefficient(a):
        return product(constant(-1), a)
    if parent("subtract", a):
        return a.args[1] - a.args[0]
    if parent("multiply", a) and is_coefficient(a.args[0]):
        number, rest = split(a.args[0])
        if rest is None or not is_number(number, 1):
            return product(constant(-1), a.args[0]) * a.args[1]
    c = number_of_ones(a)
    return stretched(-c, a.shape) if c is not None else None


# ---------------------------------------------------------------- products


def _multiply(row: Gate, a: Node, b: Node) -> Node | None:
    """Numbers come to the front and are taken together, signs go outside, 0 and 1 disappear."""
    if is_filled(a, 0) or is_filled(b, 0):
        return _zeros(a, b)
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
        or _cancelled(a, b)
        or _cancelled_terms(a, b)
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
        if any(_cancels(t, x) or t.gate.name == "scatter" for t in terms) or all(
            parent("divide", t) and _cancelled(x, t) for t in terms
        ):
            return applied(other.gate, x * other.args[0], x * other.args[1])
    return None


def _cancels(fraction: Node, x: Node) -> bool:
    """Whether a fraction times x is its numerator."""
    return (
        fraction.gate.name in _QUOTIENTS
        and fraction.args[0].shape == fraction.shape
        and same(fraction.args[1], x)
    )


_QUOTIENTS = ("divide", "ratio")


def _scattered(a: Node, b: Node) -> Node | None:
    """Zeros but for some entries, times x: those entries of x, and zeros."""
    for x, other in ((a, b), (b, a)):
        if other.gate.name == "scatter" and x.shape == other.shape:
            part, *indices = other.args
            picked = applied(gate("index"), x, *indices, key=other.params["key"])
            return applied(other.gate, part * picked, *indices, **other.params)
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


def _cancelled(a: Node, b: Node) -> Node | None:
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
        self.row = gate("divide")  # ratio, where one of the quotients is

    def take(self, x: Node, depth: int = MAX_NESTED) -> None:
        if depth and parent("multiply", x):
            for factor in x.args:
                self.take(factor, depth - 1)
        elif depth and x.gate.name in _QUOTIENTS and x.value is None:
            self.take(x.args[0], depth - 1)
            self.below.append(x.args[1])
            self.row = gate("ratio") if x.gate.name == "ratio" else self.row
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
            if match is not None:
                above.remove(match)
                hits += 1
            elif power is not None:
                above[above.index(power)] = _lowered(power, d) or power
                hits += 1
            elif inverse is not None:
                above[above.index(inverse)] = make(gate("inv"), d.args).T
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


def _is_cofactor_of(x: Node, d: Node) -> bool:
    """Whether x / d is a matrix of cofactors over its determinant, the inverse transposed."""
    return (
        parent("det", d)
        and len(d.args[0].shape) == 2
        and parent("cofactor", x)
        and same(d.args[0], x.args[0])
    )


def _lowered(x: Node, d: Node) -> Node | None:
    """x / d, where x is a power of d; a power that was made a column too."""
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
        return _zeros(a, b)
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
        return _zeros(a, b)
    c, rest = factored(a)
    if rest is not a and rest.shape == a.shape:
        return c * applied(row, rest, b)
    return _simple_quotient(row, a, b)


def _simple_quotient(row: Gate, a: Node, b: Node) -> Node | None:
    """exp(x) / Σ exp(x) is softmax(x); else the line of a fraction once: c·𝟏 above or below is c, and what stands on both sides goes."""
    if parent("exp", a) and parent("sum", b) and same(b.args[0], a):
        axis = b.params.get("axis", None)
        if isinstance(axis, int) and b.params.get("keepdims"):
            return make(gate("softmax"), a.args, {"axis": axis})
        if axis is None and len(a.shape) == 1:
            return make(gate("softmax"), a.args)
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


def _change_of_unit(row: Gate, a: Node) -> Node | None:
    return None if a.is_constant else make(row, (constant(1),)) * a


def _exp(row: Gate, a: Node) -> Node | None:
    if parent("log", a):
        return a.args[0]
    if parent("log_softmax", a):
        return make(gate("softmax"), a.args, a.params)
    return None


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
        return make(gate(_OPPOSITE[c.gate.name]), c.args)
    if c.gate.name == "positive":
        return make(gate("less_equal"), (c.args[0], constant(0)))
    return make(gate("logical_not"), (c,))


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": _add,
    "subtract": _subtract,
    "negative": _negative,
    "multiply": _multiply,
    "divide": _divide,
    "ratio": _ratio,
    "power": _power,
    "radians": _change_of_unit,
    "degrees": _change_of_unit,
    "exp": _exp,
    "where": _where,
}
