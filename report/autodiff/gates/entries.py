"""Index form of gates: one entry, such as Σ_k a_ik b_kj, in terms of the entries of the arguments.

`entry(w, node, ix)` is sympy's expression of the entry of `node` at the labels `ix`; `w` is the walk down a
graph (`report.derivation.index_form`), which knows the entries of arguments and makes labels to sum over.
A row with a definition needs none: its entry is that of the definition.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from report.autodiff.gates.shapes import axes_of, einsum_terms
from report.autodiff.gates.table import GATES
from report.autodiff.graph import Node, make

Labels = tuple[Any, ...]  # per axis: a sympy expression, or 0 where the axis has length 1
Entry = Callable[[Any, Node, Labels], Any]


class NoIndexForm(Exception):
    """The formula has a gate whose entries labels cannot describe, or is too long to read."""


# ---------------------------------------------------------------- products of matrices


def matmul(w: Any, node: Node, ix: Labels) -> Any:
    """Σ_k a_ik b_kj, for vectors, matrices and stacks of matrices."""
    a, b = node.args
    k = w.fresh(a.shape[-1])
    stack = len(node.shape) - (len(a.shape) > 1) - (len(b.shape) > 1)
    row = ix[stack : stack + 1] if len(a.shape) > 1 else ()
    column = ix[-1:] if len(b.shape) > 1 else ()
    left = (*_stacked(a, ix[:stack]), *row, k)
    right = (*_stacked(b, ix[:stack]), k, *column)
    return w.sum(w.times(w.entry(a, left), w.entry(b, right)), k)


def _stacked(a: Node, stack: Labels) -> Labels:
    """The labels of an argument's leading axes, which broadcast."""
    n = max(len(a.shape) - 2, 0)
    own = stack[len(stack) - n :]
    return tuple(0 if s == 1 else x for s, x in zip(a.shape[:n], own, strict=True))


def kron(w: Any, node: Node, ix: Labels) -> Any:
    """Entry (p (i - 1) + k, q (j - 1) + l) of A ⊗ B is a_ij b_kl."""
    a, b = node.args
    pairs = [
        w.split(label, n, (m, p))
        for label, n, m, p in zip(ix, node.shape, a.shape, b.shape, strict=True)
    ]
    (i, k), (j, m) = pairs
    return w.times(w.entry(a, (i, j)), w.entry(b, (k, m)))


# ---------------------------------------------------------------- square matrices


def cofactor(w: Any, node: Node, ix: Labels) -> Any:
    """det(A) (A⁻¹)_ji."""
    (a,) = node.args
    det, inverse = make(GATES["det"], (a,)), make(GATES["inv"], (a,))
    turned = (*ix[:-2], ix[-1], ix[-2])
    return w.times(w.as_whole(det, ix[:-2]), w.as_whole(inverse, turned))


def diag(w: Any, node: Node, ix: Labels) -> Any:
    """δ_ij v_i of a vector, a_ii of a matrix."""
    (a,) = node.args
    if len(a.shape) == 2:
        return w.entry(a, (*ix, *ix))
    return w.times(w.same(*ix, *a.shape), w.entry(a, ix[:1]))


def einsum(w: Any, node: Node, ix: Labels) -> Any:
    """The sum of products over the letters that the result lacks."""
    operands, right = einsum_terms(node.params["subscripts"])
    labels = dict(zip(right, ix, strict=True))
    summed = []
    for letters, a in zip(operands, node.args, strict=True):
        for letter, n in zip(letters, a.shape, strict=True):
            if letter not in labels:
                labels[letter] = w.fresh(n)
                summed.append(labels[letter])
    factors = [
        w.entry(a, tuple(labels[c] for c in letters))
        for letters, a in zip(operands, node.args, strict=True)
    ]
    return w.sum(w.times(*factors), *summed)


# ---------------------------------------------------------------- along axes


class _Along:
    """The labels of an argument of which some axes are taken together.

    `inner` are new labels for these axes, `at` all labels of the argument, `n` how many entries
    are taken together.
    """

    def __init__(self, w: Any, node: Node, ix: Labels) -> None:
        (self.a, *_) = node.args
        shape = self.a.shape
        self.axes = axes_of(shape, node.option("axis"))
        kept = len(ix) == len(shape)
        outer = iter([x for i, x in enumerate(ix) if not kept or i not in self.axes])
        self.at = tuple(w.fresh(n) if i in self.axes else next(outer) for i, n in enumerate(shape))
        self.inner = tuple(self.at[i] for i in self.axes)
        self.n = math.prod(shape[i] for i in self.axes)


def total(w: Any, node: Node, ix: Labels) -> Any:
    """Σ_k x_k."""
    along = _Along(w, node, ix)
    return w.sum(w.entry(along.a, along.at), *along.inner)


def prod(w: Any, node: Node, ix: Labels) -> Any:
    """Π_k x_k."""
    import sympy

    along = _Along(w, node, ix)
    term, limits = _factors(w.entry(along.a, along.at), _limits(w, along.inner))
    return sympy.Product(term, *limits) if limits else term


def _factors(term: Any, limits: list[Any]) -> tuple[Any, list[Any]]:
    """What a product multiplies, and over which labels: a factor that is 1 beyond a label stands there for nothing."""
    import sympy

    if getattr(term, "gate", "") == "where" and term.args[2] == 1 and len(limits) == 1:
        (condition, value, _), ((label, _, end),) = term.args, limits
        bounds = {"less_equal": condition.args, "greater_equal": condition.args[::-1]}
        first, last = bounds.get(getattr(condition, "gate", ""), (0, 0))
        if first == label and not last.has(label):
            return value, [(label, 1, sympy.Min(last, end) if last.is_Integer else last)]
    return term, limits


def others(w: Any, node: Node, ix: Labels) -> Any:
    """The product of all entries along some axes but the one at ix."""
    import sympy

    (a,) = node.args
    axes = axes_of(a.shape, node.option("axis"))
    at = tuple(
        w.fresh(n) if i in axes else x for i, (n, x) in enumerate(zip(a.shape, ix, strict=True))
    )
    inner = tuple(at[i] for i in axes)
    limits = _limits(w, inner)
    if not limits:
        return sympy.Integer(1)
    equal = [w.call("equal")(at[i], ix[i]) for i in axes if at[i] != 0]
    factor, limits = _factors(w.entry(a, at), limits)
    # no Piecewise, which sympy would take out of the product when a sum is made of it
    return sympy.Product(w.call("where")(reduce(w.call("logical_and"), equal), 1, factor), *limits)


def _limits(w: Any, labels: Sequence[Any]) -> list[Any]:
    """Ranges of labels as sympy has them, the inner one first."""
    return [(d, 1, w.sizes[d]) for label in labels for d in w.dummies(label)][::-1]


def extreme(name: str) -> Entry:
    """max_k x_k or min_k x_k."""

    def rule(w: Any, node: Node, ix: Labels) -> Any:
        along = _Along(w, node, ix)
        limits, term = _limits(w, along.inner), w.entry(along.a, along.at)
        return w.extreme(name)(term, *limits) if limits else term

    return rule


def is_extreme(name: str) -> Entry:
    """𝟙[x_i = max_k x_k]."""

    def rule(w: Any, node: Node, ix: Labels) -> Any:
        import sympy

        (a,) = node.args
        axes = axes_of(a.shape, node.option("axis"))
        at = tuple(
            w.fresh(n) if i in axes else x for i, (n, x) in enumerate(zip(a.shape, ix, strict=True))
        )
        limits = _limits(w, [at[i] for i in axes])
        if not limits:
            return sympy.Integer(1)
        return w.call("equal")(w.entry(a, ix), w.extreme(name)(w.entry(a, at), *limits))

    return rule


def running(fold: str, from_start: bool = True) -> Entry:
    """Σ_{k=1}^i x_k or Π_{k=1}^i x_k, or from i to n."""

    def rule(w: Any, node: Node, ix: Labels) -> Any:
        import sympy

        (a,) = node.args
        axis = node.option("axis")
        (along,) = axes_of(a.shape, 0 if axis is None else axis)
        end, n = ix[along], a.shape[along]
        if end == 0:
            return w.entry(a, ix)
        k = w.fresh(n)
        if w.dummies(k) != [k]:
            raise NoIndexForm
        term = w.entry(a, (*ix[:along], k, *ix[along + 1 :]))
        limits = (k, 1, end) if from_start else (k, end, n)
        if fold == "Product":
            return sympy.Product(term, limits)
        outside, inside = term.as_independent(k, as_Add=False)
        if inside == 1:
            return w.times(outside, end if from_start else n + 1 - end)
        return w.times(outside, sympy.Sum(inside, limits))

    return rule
