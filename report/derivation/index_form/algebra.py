"""Entries of products of matrices, and of gates of square matrices."""

from __future__ import annotations

from typing import Any

from report.autodiff.gates import GATES
from report.autodiff.graph import Node, make
from report.derivation.index_form.walk import Labels, Walk, times


def matmul(w: Walk, node: Node, ix: Labels) -> Any:
    """Σ_k a_ik b_kj, for vectors, matrices and stacks of matrices."""
    a, b = node.args
    k = w.fresh(a.shape[-1])
    stack = len(node.shape) - (len(a.shape) > 1) - (len(b.shape) > 1)
    row = ix[stack : stack + 1] if len(a.shape) > 1 else ()
    column = ix[-1:] if len(b.shape) > 1 else ()
    left = (*_stacked(a, ix[:stack]), *row, k)
    right = (*_stacked(b, ix[:stack]), k, *column)
    return w.sum(times(w.entry(a, left), w.entry(b, right)), k)


def _stacked(a: Node, stack: Labels) -> Labels:
    """The labels of an argument's leading axes, which broadcast."""
    n = max(len(a.shape) - 2, 0)
    own = stack[len(stack) - n :]
    return tuple(0 if s == 1 else x for s, x in zip(a.shape[:n], own, strict=True))


def outer(w: Walk, node: Node, ix: Labels) -> Any:
    """The product a_i b_j."""
    a, b = node.args
    return times(w.entry(a, ix[:1]), w.entry(b, ix[1:]))


def dot(w: Walk, node: Node, ix: Labels) -> Any:
    """Σ_k a_k b_k."""
    a, b = node.args
    k = w.fresh(a.shape[0])
    return w.sum(times(w.entry(a, (k,)), w.entry(b, (k,))), k)


def kron(w: Walk, node: Node, ix: Labels) -> Any:
    """Entry (p (i - 1) + k, q (j - 1) + l) of A ⊗ B is a_ij b_kl."""
    a, b = node.args
    pairs = [
        w.split(label, n, (m, p))
        for label, n, m, p in zip(ix, node.shape, a.shape, b.shape, strict=True)
    ]
    (i, k), (j, m) = pairs
    return times(w.entry(a, (i, j)), w.entry(b, (k, m)))


# ---------------------------------------------------------------- square matrices


def solve(w: Walk, node: Node, ix: Labels) -> Any:
    """Σ_k (A⁻¹)_ik b_k; the inverse of a transpose is the inverse with its labels exchanged."""
    a, b = node.args
    k = w.fresh(a.shape[0])
    at: Labels = (ix[0], k)
    if a.gate.name == "transpose":
        a, at = a.args[0], (k, ix[0])
    inverse = make(GATES["inv"], (a,))
    return w.sum(times(w.as_whole(inverse, at), w.entry(b, (k, *ix[1:]))), k)


def cofactor(w: Walk, node: Node, ix: Labels) -> Any:
    """det(A) (A⁻¹)_ji."""
    (a,) = node.args
    det, inverse = make(GATES["det"], (a,)), make(GATES["inv"], (a,))
    turned = (*ix[:-2], ix[-1], ix[-2])
    return times(w.as_whole(det, ix[:-2]), w.as_whole(inverse, turned))


def trace(w: Walk, node: Node, ix: Labels) -> Any:
    """Σ_k a_kk."""
    (a,) = node.args
    k = w.fresh(a.shape[0])
    return w.sum(w.entry(a, (k, k)), k)


def diag(w: Walk, node: Node, ix: Labels) -> Any:
    """δ_ij v_i of a vector, a_ii of a matrix."""
    import sympy

    (a,) = node.args
    if len(a.shape) == 2:
        return w.entry(a, (*ix, *ix))
    return times(sympy.KroneckerDelta(*ix), w.entry(a, ix[:1]))
