"""Entries of losses: numbers that are sums over all entries of two tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from report.autodiff.gates import GATES
from report.autodiff.graph import Node, make
from report.derivation.index_form.walk import Labels, Rule, Walk, picked, times
from report.derivation.symbolic.expressions import call, exact_number


def loss(of: Callable[..., Any], sign: int = 1) -> Rule:
    """The mean of a function of the entries of two tensors, or minus that."""

    def rule(w: Walk, node: Node, ix: Labels) -> Any:
        import sympy

        a, b = node.args
        at = tuple(w.fresh(n) for n in a.shape)
        term = of(w.entry(a, at), w.entry(b, at), **node.params)
        return times(sympy.Rational(sign, math.prod(a.shape)), w.sum(term, *at))

    return rule


def l1(p: Any, y: Any) -> Any:
    """|p - y|."""
    import sympy

    return sympy.Abs(p - y)


def huber(p: Any, y: Any, delta: float = 1.0) -> Any:
    """e²/2 for a small error e = p - y, else δ (|e| - δ/2)."""
    import sympy

    e, d = sympy.Abs(p - y), exact_number(delta)
    small = (p - y) ** 2 / 2
    return sympy.Piecewise((small, e <= d), (times(d, e - d / 2), True))


def hinge(s: Any, y: Any) -> Any:
    """max(0, 1 - y s)."""
    import sympy

    return call("maximum")(sympy.Integer(0), 1 - y * s)


def binary_cross_entropy(p: Any, y: Any) -> Any:
    """y log p + (1 - y) log(1 - p), of which the loss is minus the mean."""
    import sympy

    return y * sympy.log(p) + (1 - y) * sympy.log(1 - p)


def with_logits(z: Any, y: Any) -> Any:
    """softplus(z) - y z."""
    return call("softplus")(z) - y * z


def kl_div(w: Walk, node: Node, ix: Labels) -> Any:
    """Σ_k p_k (log p_k - log q_k)."""
    import sympy

    p, q = node.args
    at = tuple(w.fresh(n) for n in p.shape)
    a, b = w.entry(p, at), w.entry(q, at)
    return w.sum(a * (sympy.log(a) - sympy.log(b)), *at)


def cross_entropy(w: Walk, node: Node, ix: Labels) -> Any:
    """-1/n Σ_i log softmax(Z)_{i, label of i}."""
    import sympy

    z, labels = node.args
    at = tuple(w.fresh(n) for n in labels.shape)
    label = picked(w, labels, at, z.shape[-1])
    term = w.entry(make(GATES["log_softmax"], (z,)), (*at, label if z.shape[-1] > 1 else 0))
    return times(-sympy.Rational(1, math.prod(labels.shape)), w.sum(term, *at))


def cross_entropy_one_hot(w: Walk, node: Node, ix: Labels) -> Any:
    """-1/n Σ_i Σ_j y_ij log softmax(Z)_ij."""
    import sympy

    z, y = node.args
    at = tuple(w.fresh(n) for n in z.shape)
    term = times(w.entry(y, at), w.entry(make(GATES["log_softmax"], (z,)), at))
    return times(-sympy.Rational(1, math.prod(z.shape[:-1])), w.sum(term, *at))


def one_hot(w: Walk, node: Node, ix: Labels) -> Any:
    """𝟙[label of i = j]."""
    import sympy

    if ix[-1] == 0:
        return sympy.Integer(1)
    return call("equal")(ix[-1], picked(w, node.args[0], ix[:-1], node.shape[-1]))
