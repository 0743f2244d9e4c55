"""Sums: terms that are alike, factors that they share, and what cancels when a product is multiplied out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from report.autodiff.form import Form as GateForm
from report.autodiff.graph import Node, constant
from report.autodiff.simplify.constants import (
    factored,
    is_coefficient,
    is_negative,
    is_number,
    product,
    total,
)
from report.autodiff.simplify.forms import Call, Form, Held, Number, Operator
from report.autodiff.simplify.nodes import is_gate, same
from report.autodiff.simplify.quotients import factors, multiplied
from report.autodiff.simplify.tensors import times_put_back

MAX_TERMS = 8
ONE = constant(1)
Term = tuple[Node, Node | None]  # a coefficient, and what it stands before: None for nothing


def signed(number: Node, minus: bool) -> Node:
    """A coefficient, with its sign turned for a term that is taken away."""
    return product(constant(-1), number) if minus else number


def is_common(c: Node, x: Node, y: Node) -> bool:
    """Whether a coefficient of two terms stands before their sum."""
    return not is_number(c, 1) and not is_coefficient(x) and not is_coefficient(y)


# ---------------------------------------------------------------- terms that are alike


def collected(x: Node, y: Node, f: Operator) -> Form | None:
    """2x + x = 3x, (x + y) - x = y, (x + 1) - (y + 1) = x - y."""
    first = _terms(x)
    found, hits = list(first), 0
    for c, term in _terms(y, f.gate.form is GateForm.DIFFERENCE):
        place = next((i for i, t in enumerate(found) if _is_alike(t[1], term)), None)
        number = None if place is None else total(found[place][0], c)
        if place is None or number is None:
            found.append((c, term))
            continue
        hits += 1
        found[place] = (number, term)
    return _sum([t for t in found if not is_number(t[0], 0)]) if hits else None


def _terms(x: Node, minus: bool = False) -> list[Term]:
    """The terms of a sum, each with its coefficient."""
    if is_coefficient(x):
        return [(signed(x, minus), None)]
    if x.name is None and is_gate(x, "add", "subtract"):
        a, b = x.args
        found = [*_terms(a, minus), *_terms(b, minus != (x.gate.form is GateForm.DIFFERENCE))]
        if len(found) <= MAX_TERMS:
            return found
    c, rest = factored(x)
    return [(signed(c, minus), rest)]


def _is_alike(a: Node | None, b: Node | None) -> bool:
    return a is b or (a is not None and b is not None and same(a, b))


def _sum(terms: Sequence[Term]) -> Form:
    """The sum of terms, one without a sign first."""
    whole: Form | None = None
    for c, rest in sorted(terms, key=lambda t: bool(whole is None and is_negative(t[0]))):
        minus = is_negative(c)
        size = signed(c, minus)
        term: Form = Held(size) if rest is None else Held(rest)
        if rest is not None and not is_number(size, 1):
            term = Held(size) * term
        if whole is None:
            whole = -term if minus else term
        else:
            whole = whole - term if minus else whole + term
    return Number(0) if whole is None else whole


# ---------------------------------------------------------------- factors that terms share


def with_common_factor(x: Node, y: Node, f: Operator) -> Form | None:
    """x y - x z = x (y - z), entry by entry, and where x is one number."""
    (c, left), (d, right) = factored(x), factored(y)
    ours, theirs = factors(left), factors(right)
    if left.shape != right.shape or max(len(ours), len(theirs)) < 2:
        return None
    shared = []
    for factor in list(ours):
        hit = next((i for i, other in enumerate(theirs) if same(factor, other)), None)
        if hit is not None:
            shared.append(factor)
            ours.remove(factor)
            del theirs[hit]
    if not shared or not (ours or theirs):
        return None
    rest = Call(f.gate.name, (_product(c, ours), _product(d, theirs)))
    return _product(ONE, shared) * rest


def _product(c: Node, nodes: Sequence[Node]) -> Form:
    if not nodes:
        return Held(c)
    whole: Form = Held(nodes[0])
    for node in nodes[1:]:
        whole = whole * Held(node)
    return whole if is_number(c, 1) else Held(c) * whole


def without_complements(x: Node, y: Node, f: Operator) -> Form | None:
    """(1 - y) s - y (1 - s) = s - y."""
    for c, s, t in _with_complements(x):
        for d, u, v in _with_complements(y):
            if (
                same(s, v)
                and same(u, t)
                and same(c, signed(d, f.gate.form is not GateForm.DIFFERENCE))
            ):
                whole = Held(s) - Held(t)
                return whole if is_number(c, 1) else Held(c) * whole
    return None


def _with_complements(term: Node) -> Iterator[tuple[Node, Node, Node]]:
    """Each c, s and y for which a term is c s (1 - y)."""
    c, x = factored(term)
    if not is_gate(x, "multiply"):
        return
    for s, rest in (x.args, x.args[::-1]):
        if is_gate(rest, "subtract") and s.shape == rest.shape:
            first, second = rest.args
            if is_number(first, 1):
                yield c, s, second
            elif is_number(second, 1):
                yield signed(c, True), s, first


def of_products(x: Node, y: Node, f: Operator) -> Form | None:
    """A x + A y = A (x + y), and A x + Aᵀ x = (A + Aᵀ) x, of a quadratic form."""
    left, right = _matrix_times(x), _matrix_times(y)
    if left is None or right is None or x.shape != y.shape:
        return None
    (c, m, u), (d, n, v) = left, right
    if _is_same_matrix(m, n) and not u.is_constant and not v.is_constant:
        return _matrix(m) @ Call(f.gate.name, (_product(c, [u]), _product(d, [v])))
    if not same(u, v) or not same(c, signed(d, f.gate.form is GateForm.DIFFERENCE)):
        return None
    if _is_same_matrix((m[0], m[1], not m[2]), n):
        first, second = (n, m) if m[2] else (m, n)
        whole = (_matrix(first) + _matrix(second)) @ Held(u)
        return whole if is_number(c, 1) else Held(c) * whole
    return None


_Matrix = tuple[Node, bool, bool]  # a matrix, whether it is inverted, and whether it is turned


def _matrix(m: _Matrix) -> Form:
    whole: Form = Held(m[0])
    whole = whole.T if m[2] else whole
    return Call("inv", (whole,)) if m[1] else whole


def _is_same_matrix(m: _Matrix, n: _Matrix) -> bool:
    return m[1:] == n[1:] and same(m[0], n[0])


def _matrix_times(node: Node) -> tuple[Node, _Matrix, Node] | None:
    """The number, the matrix and the vector or matrix whose product a node is: xᵀA is Aᵀx."""
    c, x = factored(node)
    if is_gate(x, "transpose") and is_gate(x.args[0], "matmul") and not x.params:  # (xᵀA)ᵀ = Aᵀx
        row, a = x.args[0].args
        if not is_gate(row, "transpose") or len(a.shape) != 2:
            return None
        is_turned = is_gate(a, "transpose")
        return c, (a.args[0] if is_turned else a, False, not is_turned), row.args[0]
    if is_gate(x, "solve"):
        a, b = x.args
        is_inverse, is_row = True, False
    elif is_gate(x, "matmul"):
        a, b = x.args
        is_inverse, is_row = False, len(a.shape) == 1
        a, b = (b, a) if is_row else (a, b)
    else:
        return None
    if len(a.shape) != 2 or len(b.shape) > 2 or (is_row and len(b.shape) != 1):
        return None
    is_turned = is_gate(a, "transpose") and not a.params
    inner = a.args[0] if is_turned else a
    return c, (inner, is_inverse, is_turned != is_row), b


# ---------------------------------------------------------------- what cancels


def multiplied_out(x: Node, y: Node) -> Form | None:
    """x (c / x - d) = c - x d, which softmax needs, and x y (c / x - d / y) = c y - d x."""
    for factor, terms in ((x, y), (y, x)):
        if not is_gate(terms, "add", "subtract") or terms.name is not None:
            continue
        parts = [_times(factor, t) for t in terms.args]
        if any(p is not None for p in parts):
            whole = (p or Held(factor) * Held(t) for p, t in zip(parts, terms.args, strict=True))
            return Call(terms.gate.name, tuple(whole))
    return None


def _times(x: Node, term: Node) -> Form | None:
    """x times a term, where something of it cancels."""
    c, rest = factored(term)
    whole = multiplied(x, rest)
    if whole is None:
        return times_put_back(x, term)
    return whole if is_number(c, 1) else Held(c) * whole
