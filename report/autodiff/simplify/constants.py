"""Constants in a formula: which are plain numbers, and how they are multiplied and added.

A coefficient is a number, a fraction, or anything else that depends on no input, such as log 2 or
1/√(2π), which stays as it was written.
"""

from __future__ import annotations

import math

import numpy as np

from report.autodiff.form import Form
from report.autodiff.gates.table import GATES
from report.autodiff.graph import CONSTANT, Gate, Node, constant, make
from report.autodiff.simplify.nodes import same


def is_number(x: Node, value: float | None = None) -> bool:
    """Whether x is a plain scalar constant (of this value); π has a name and is none."""
    if x.gate is not CONSTANT or x.shape != () or x.name is not None:
        return False
    return value is None or bool(x.value == value)


def is_filled(x: Node, value: float) -> bool:
    """Whether x is known to hold `value` in every entry."""
    return x.value is not None and x.name is None and bool(np.all(x.value == value))


def is_coefficient(x: Node) -> bool:
    """Whether x is one number that depends on no input."""
    return x.value is not None and x.shape == ()


def is_rational(x: Node) -> bool:
    """Whether x is a plain number or a fraction of two."""
    return is_number(x) or (_is_quotient(x) and not x.shape and all(is_number(a) for a in x.args))


def _is_quotient(x: Node) -> bool:
    """Whether a constant is a / b, and b not 0."""
    return x.gate.form is Form.QUOTIENT and bool(np.all(x.args[1].value != 0))


def _gate(name: str) -> Gate:
    return GATES[name]


def folded(x: Node) -> Node:
    """A gate over coefficients as the coefficient that it is."""
    match x.gate.form, x.args:
        case Form.PRODUCT, (a, b):
            return product(a, b)
        case Form.QUOTIENT, (a, b) if _is_quotient(x):
            return quotient(a, b)
        case Form.NEGATIVE, (a,):
            return product(constant(-1), a)
        case Form.SUM, (a, b):
            return total(a, b) or x
        case Form.DIFFERENCE, (a, b):
            return total(a, product(constant(-1), b)) or x
        case Form.UNIT, (a,) if not is_number(a, 1):
            return product(make(x.gate, (constant(1),)), a)
        case _, (a,) if x.gate.linear:
            return a
    return x


# ---------------------------------------------------------------- products of coefficients


def product(a: Node, b: Node) -> Node:
    """The product of two coefficients: a number or a fraction in lowest terms, then all else."""
    (r, s), (t, u) = split(a), split(b)
    return _joined(_rational(r, t), _times(s, u))


def quotient(a: Node, b: Node) -> Node:
    """The quotient of two coefficients."""
    (r, s), (t, u) = split(a), split(b)
    return _joined(_rational(r, _inverse(t)), _over(s, u))


def split(x: Node) -> tuple[Node, Node | None]:
    """A coefficient as its rational part and the rest: 2 log(2) / 3 as 2/3 and log(2)."""
    if is_rational(x):
        return x, None
    if any(a.shape for a in x.args):
        return constant(1), x
    if x.gate.form is Form.NEGATIVE:
        r, s = split(x.args[0])
        return _rational(constant(-1), r), s
    if x.gate.form is Form.UNIT and x.gate.definition:
        return split(x.gate.definition(*x.args))
    if x.gate.form is Form.PRODUCT or _is_quotient(x):
        (r, s), (t, u) = (split(a) for a in x.args)
        if x.gate.form is Form.PRODUCT:
            return _rational(r, t), _times(s, u)
        return _rational(r, _inverse(t)), _over(s, u)
    return constant(1), x


def _times(a: Node | None, b: Node | None) -> Node | None:
    if a is None or b is None:
        return a or b
    for x, other in ((a, b), (b, a)):  # one line for all: log 2 / √(2π)
        if _is_quotient(x) and not is_rational(x):
            above = other if is_number(x.args[0], 1) else _times(x.args[0], other)
            return _over(above, x.args[1])
    return make(_gate("square"), (a,)) if same(a, b) else make(_gate("multiply"), (a, b))


def _over(a: Node | None, b: Node | None) -> Node | None:
    if b is None or (a is not None and same(a, b)):
        return a if b is None else None
    return make(_gate("divide"), (a or constant(1), b))


def _joined(rational: Node, rest: Node | None) -> Node:
    if rest is None or is_number(rational, 0):
        return rational
    if is_number(rational, 1):
        return rest
    if is_number(rational, -1):
        return make(_gate("negative"), (rest,))
    p, q = _parts(rational)
    above, below = (rest.args[0], rest.args[1]) if _is_quotient(rest) else (rest, None)
    if p != 1:
        above = (
            constant(p) if is_number(above, 1) else make(_gate("multiply"), (constant(p), above))
        )
    if q != 1:
        below = constant(q) if below is None else make(_gate("multiply"), (constant(q), below))
    return above if below is None else make(_gate("divide"), (above, below))


def _parts(x: Node) -> tuple[float, float]:
    """Numerator and denominator of a rational node."""
    return (
        (float(x.value), 1.0) if is_number(x) else (float(x.args[0].value), float(x.args[1].value))
    )


def _rational(a: Node, b: Node) -> Node:
    (p, q), (r, s) = _parts(a), _parts(b)
    return fraction(p * r, q * s)


def _inverse(x: Node) -> Node:
    p, q = _parts(x)
    return fraction(q, p)


def fraction(above: float, below: float) -> Node:
    """A number above / below: whole where it is, else a fraction in lowest terms."""
    above, below = float(above), float(below)
    if below < 0:
        above, below = -above, -below
    if below == 1 or (below and (above % below == 0 or float(1 / below).is_integer())):
        return constant(above / below)
    if above.is_integer() and below.is_integer():
        common = math.gcd(int(above), int(below))
        above, below = above / common, below / common
    return make(_gate("divide"), (constant(above), constant(below)))


def total(a: Node, b: Node) -> Node | None:
    """The sum of two coefficients: of rational ones, and of multiples of the same; None of others."""
    (r, s), (t, u) = split(a), split(b)
    if (s is None) != (u is None) or (s is not None and u is not None and not same(s, u)):
        return None
    (p, q), (v, w) = _parts(r), _parts(t)
    return _joined(fraction(p * w + v * q, q * w), s)


def factored(x: Node) -> tuple[Node, Node]:
    """The coefficient in front of x, a sign too, and what is left; what has a name is not looked into."""
    if is_coefficient(x) or x.name is not None:
        return constant(1), x
    if x.gate.form is Form.NEGATIVE:
        number, inner = constant(-1), x.args[0]
    elif x.gate.form is Form.PRODUCT and is_coefficient(x.args[0]):
        number, inner = x.args
    elif x.gate.form is Form.UNIT:  # a change of unit is a factor
        number, inner = make(x.gate, (constant(1),)), x.args[0]
    else:
        return constant(1), x
    c, rest = factored(inner)
    return product(number, c), rest


def is_negative(c: Node) -> bool:
    """Whether a coefficient has a sign in front."""
    return bool(split(c)[0].value < 0)
