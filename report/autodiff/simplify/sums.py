"""Identities of sums and differences, and of a sign."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from report.autodiff.graph import Gate, Node, constant, make
from report.autodiff.simplify.constants import (
    factored,
    is_coefficient,
    is_filled,
    is_negative,
    is_number,
    is_rational,
    product,
    split,
    total,
)
from report.autodiff.simplify.nodes import (
    applied,
    fits,
    gate_named,
    number_of_ones,
    parent,
    same,
    stretched,
)


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
    return _together(row, a, b)


def _subtract(row: Gate, a: Node, b: Node) -> Node | None:
    if is_rational(a) and is_rational(b):
        return total(a, product(constant(-1), b))
    if is_filled(b, 0) and fits(b, a):
        return a
    if is_filled(a, 0) and fits(a, b):
        return -b
    if _is_taken_away(b):
        return a + (-b)
    return _together(row, a, b)


def _together(row: Gate, a: Node, b: Node) -> Node | None:
    """Two terms that are alike in some way."""
    return (
        _collected(row, a, b)
        or _collected_below(row, a, b)
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
        number = total(c, _signed(d, row.name == "subtract"))
        return None if number is None else number * x
    if same(c, d) and not is_number(c, 1) and not is_coefficient(x) and not is_coefficient(y):
        return c * applied(row, x, y)
    return None


def _common_factor(row: Gate, a: Node, b: Node) -> Node | None:
    """x y - x z = x (y - z), entry by entry, and where x is one number."""
    (c, u), (d, v) = factored(a), factored(b)
    if not (parent("multiply", u) and parent("multiply", v)) or u.shape != v.shape or not u.shape:
        return None
    for x, y in (u.args, u.args[::-1]):
        for z, w in (v.args, v.args[::-1]):
            whole = y.shape == u.shape and w.shape == v.shape  # what is left, where x is one number
            if (x.shape == u.shape or (not x.shape and whole)) and same(x, z):
                return x * applied(row, c * y, d * w)
    return None


def _collected_below(row: Gate, a: Node, b: Node) -> Node | None:
    """(x + y) + y = x + 2y, and (x - y) + y = x."""
    if not parent("add", a) and not parent("subtract", a):
        return None
    c, y = factored(b)
    for place, term in enumerate(a.args):
        d, z = factored(term)
        if not same(y, z) or term.shape != a.shape:
            continue
        back = place == 1 and a.gate.name == "subtract"
        number = total(_signed(c, row.name == "subtract"), _signed(d, back))
        if number is None:
            continue
        if place == 0 and a.gate.name == "subtract":
            return number * y - a.args[1]
        return a.args[1 - place] + number * y
    return None


def _signed(number: Node, minus: bool) -> Node:
    return product(constant(-1), number) if minus else number


def _shifted(row: Gate, a: Node, b: Node) -> Node | None:
    """(x + 1) - (y + 1) = x - y, and (1 - y) s - y (1 - s) = s - y."""
    minus = row.name == "subtract"
    if minus and parent("add", a) and parent("add", b) and same(a.args[1], b.args[1]):
        return a.args[0] - b.args[0]
    for c, s, y in _with_complements(a):
        for d, t, x in _with_complements(b):
            if same(s, x) and same(t, y) and same(c, _signed(d, not minus)):
                return c * (s - y)
    return None


def _with_complements(term: Node) -> Iterator[tuple[Node, Node, Node]]:
    """Each c, s and y for which a term is c s (1 - y)."""
    c, x = factored(term)
    if not parent("multiply", x):
        return
    for s, rest in (x.args, x.args[::-1]):
        if parent("subtract", rest) and s.shape == rest.shape:
            first, second = rest.args
            if is_number(first, 1):
                yield c, s, second
            elif is_number(second, 1):
                yield _signed(c, True), s, first


def _symmetric(row: Gate, a: Node, b: Node) -> Node | None:
    """x zᵀ + y zᵀ = (x + y) zᵀ, A x + A y = A (x + y), and A x + Aᵀ x = (A + Aᵀ) x, of a quadratic form."""
    (c, m), (d, n) = factored(a), factored(b)
    if parent("outer", m) and parent("outer", n) and same(m.args[1], n.args[1]):
        return applied(gate_named("outer"), applied(row, c * m.args[0], d * n.args[0]), m.args[1])
    left, right = _matrix_times(a), _matrix_times(b)
    if left is None or right is None:
        return None
    (c, m, x), (d, n, y) = left, right
    if same(m, n) and not x.is_constant and not y.is_constant:
        return m @ applied(row, c * x, d * y)
    if not same(x, y) or not same(m.T, n) or not same(c, _signed(d, row.name == "subtract")):
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
            return c, make(gate_named("inv"), a.args).T, b
        return c, make(gate_named("inv"), (a,)), b
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
    if parent("subtract", a) and not a.name:  # -z is shorter than what z stands for, turned
        return a.args[1] - a.args[0]
    if parent("multiply", a) and is_coefficient(a.args[0]):
        number, rest = split(a.args[0])
        if rest is None or not is_number(number, 1):
            return product(constant(-1), a.args[0]) * a.args[1]
    c = number_of_ones(a)
    return stretched(-c, a.shape) if c is not None else None


SUMS: dict[str, Callable[..., Any]] = {
    "add": _add,
    "subtract": _subtract,
    "negative": _negative,
}
