"""The matrix A of a formula A v that is linear in a vector v, as a graph."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from report.autodiff.form import Form
from report.autodiff.gates import apply, matmul, multiply, outer
from report.autodiff.gates.algebra import diag
from report.autodiff.gates.indexing import identity, transpose
from report.autodiff.graph import INPUT, Node, constant, topological
from report.autodiff.simplify import same

_SUMS = (Form.SUM, Form.DIFFERENCE)


class _NoMatrix(Exception):
    """A formula that is not put together of products with one matrix or vector after another."""


def matrix_of(formula: Node, v: Node) -> Node | None:
    """A with formula = A v, for a vector v of shape (n,) and a formula of shape (m,); the formula linear in v.

    Of a formula that is a number, a with formula = aᵀ v; of a number v, what it is multiplied by. None where
    v enters in another way than through sums and products.
    """
    if formula is v:
        return identity(v) if v.shape else constant(1)
    try:
        return _matrix(_shared(formula, v), v)
    except _NoMatrix:
        return None


def _matrix(node: Node, v: Node) -> Node:
    """What everything passes through, one product after another and v's own first; then the rest by its terms."""
    if not v.shape:
        return _put(node, {v: constant(1)})
    chain: list[Node] = []
    multiples: list[tuple[Node, Node]] = []
    while node is not v:
        consumers = [n for n in topological(node) if v in n.args]
        if len(consumers) != 1 or consumers[0].gate.form in _SUMS:
            _then(chain, _by_form(node, v))
            break
        (first,) = consumers
        if _is_multiple(first, v):
            multiples.append((first, v))
        else:
            _then(chain, _by_form(first, v))
        if not first.shape:  # aᵀ v, and the rest is a multiple of it
            rest = _put(node, {first: constant(1)})
            return _multiplied(multiples, _times(rest, _folded(chain)))
        passed = Node(INPUT, shape=first.shape)
        node, v = _put(node, {first: passed}), passed
    return _multiplied(multiples, _folded(chain) if chain else identity(v))


def _is_multiple(node: Node, x: Node) -> bool:
    """Whether a node is −x, or x times or over a number."""
    form = node.gate.form
    is_one = form in (Form.NEGATIVE, Form.PRODUCT) or (form is Form.QUOTIENT and x is node.args[0])
    return is_one and all(a is x or not a.shape for a in node.args)


def _multiplied(multiples: list[tuple[Node, Node]], m: Node) -> Node:
    """The same multiple of m as a node is of x, for one such pair after another."""
    for node, x in multiples:
        m = apply(node.gate, tuple(m if a is x else a for a in node.args), dict(node.params))
    return m


def _then(chain: list[Node], own: Node) -> None:
    """Another matrix before the last one, or with it as one: diag(a) diag(b) is diag(a ⊙ b)."""
    whole = matmul(own, chain[-1]) if chain and len(own.shape) == 2 else None
    if whole is None or whole.gate.form is Form.MATRIX_PRODUCT:
        chain.append(own)
    else:
        chain[-1] = whole


def _folded(chain: list[Node]) -> Node:
    """The product of the matrices, the last one first; of a vector a as the last one, what aᵀ before them is."""
    whole = chain[-1]
    for m in chain[-2::-1]:
        whole = matmul(whole, m) if len(whole.shape) == 2 else matmul(transpose(m), whole)
    return whole


def _by_form(node: Node, v: Node) -> Node:
    """A sum by its terms, a product by the factor in which v stands, with the other one before it."""
    args = node.args
    inner = [a for a in args if v in topological(a)]
    if any(len(a.shape) > 1 for a in (node, *inner)):
        raise _NoMatrix
    if node.gate.form in _SUMS and len(inner) == 2:
        first, second = (_spread(_inner(a, v), a, node) for a in args)
        return apply(node.gate, (first, second), {})
    if len(inner) != 1:
        raise _NoMatrix
    (x,) = inner
    if _is_multiple(node, x):
        return _multiplied([(node, x)], _inner(x, v))
    if len(args) == 1:
        return _alone(node, x, v)
    return _product(node, x, next(a for a in args if a is not x), v)


def _alone(node: Node, x: Node, v: Node) -> Node:
    """A gate of x alone: its sum, or copies of it."""
    match node.gate.form:
        case Form.TOTAL | Form.SUMMED if not node.shape:
            return _row(_inner(x, v), constant(np.ones(x.shape)))
        case Form.COPIES if not x.shape:
            return _spread(_inner(x, v), x, node)
    raise _NoMatrix


def _product(node: Node, x: Node, rest: Node, v: Node) -> Node:
    """A product of x with the rest, or a quotient of x by it."""
    is_last = x is node.args[-1]
    match node.gate.form:
        case Form.PRODUCT:
            return _scaled(rest, x, v)
        case Form.QUOTIENT if not is_last:
            return _scaled(apply(node.gate, (constant(1), rest), {}), x, v)
        case Form.MATRIX_PRODUCT | Form.INNER if len(rest.shape) == 1:
            return _row(_inner(x, v), rest)
        case Form.MATRIX_PRODUCT if len(rest.shape) == 2:
            return matmul(rest if is_last else transpose(rest), _inner(x, v))
        case Form.INVERSE if is_last:
            return apply(node.gate, (rest, _inner(x, v)), {})
    raise _NoMatrix


def _inner(x: Node, v: Node) -> Node:
    return identity(v) if x is v else _matrix(x, v)


def _scaled(a: Node, x: Node, v: Node) -> Node:
    """Of a ⊙ x, where x = m v: diag(a) m; in a sum with a number the terms are taken alone."""
    if a.shape and x.gate.form in _SUMS and any(not t.shape for t in x.args):
        terms = [_scaled(a, t, v) for t in x.args]
        return apply(x.gate, tuple(terms), {})
    m = _inner(x, v)
    if a.shape and x.shape:
        return matmul(diag(a), m)
    return _times(a, m)


def _times(a: Node, m: Node) -> Node:
    """A number times a matrix or vector; of a vector a and a number mᵀv the outer product."""
    return outer(a, m) if a.shape and m.shape else multiply(a, m)


def _row(m: Node, a: Node) -> Node:
    """The vector r with aᵀ m v = rᵀ v."""
    return matmul(transpose(m), a)


def _spread(m: Node, x: Node, like: Node) -> Node:
    """The matrix of a number in each entry."""
    return m if x.shape == like.shape else _times(constant(np.ones(like.shape)), m)


def _put(node: Node, made: Mapping[Node, Node]) -> Node:
    """A formula with others in the place of some nodes, as the rules write it then."""
    found = dict(made)
    for n in topological(node, leaves=made):
        if n not in found:
            args = tuple(found.get(a, a) for a in n.args)
            found[n] = n if args == n.args else apply(n.gate, args, dict(n.params))
    return found[node]


def _shared(node: Node, v: Node) -> Node:
    """A formula in which what is written twice, and has v in it, is one node."""
    found: dict[Node, Node] = {v: v}
    for n in topological(node):
        if any(a in found for a in n.args):
            args = tuple(found.get(a, a) for a in n.args)
            new = n if args == n.args else Node(n.gate, args, n.params, n.shape)
            found[n] = next((m for m in found.values() if same(m, new)), new)
    return found.get(node, node)
