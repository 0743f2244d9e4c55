"""Entries of gates that work along axes: sums, products, extremes, spreads, softmax and its kin."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from report.autodiff.gates import axes_of
from report.autodiff.graph import Node
from report.derivation.index_form.walk import Labels, NoIndexForm, Rule, Walk, option_of, times
from report.derivation.symbolic.expressions import call
from report.derivation.symbolic.sympy_printer import extreme_of


class _Along:
    """The labels of an argument of which some axes are taken together.

    `inner` are new labels for these axes, `at` all labels of the argument, `n` how many entries
    are taken together.
    """

    def __init__(self, w: Walk, node: Node, ix: Labels) -> None:
        (self.a, *_) = node.args
        shape = self.a.shape
        self.axes = axes_of(shape, option_of(node, "axis"))
        kept = len(ix) == len(shape)
        outer = iter([x for i, x in enumerate(ix) if not kept or i not in self.axes])
        self.at = tuple(w.fresh(n) if i in self.axes else next(outer) for i, n in enumerate(shape))
        self.inner = tuple(self.at[i] for i in self.axes)
        self.n = math.prod(shape[i] for i in self.axes)


def reduced(of: Callable[[Any], Any], mean: bool = False) -> Rule:
    """The sum, or the mean, of a function of the entries."""

    def rule(w: Walk, node: Node, ix: Labels) -> Any:
        import sympy

        along = _Along(w, node, ix)
        total = w.sum(of(w.entry(along.a, along.at)), *along.inner)
        return times(sympy.Rational(1, along.n), total) if mean else total

    return rule


def l1_norm(w: Walk, node: Node, ix: Labels) -> Any:
    """Σ_k |x_k|."""
    import sympy

    return reduced(sympy.Abs)(w, node, ix)


def norm(w: Walk, node: Node, ix: Labels) -> Any:
    """√(Σ_k x_k²)."""
    import sympy

    return sympy.sqrt(reduced(lambda x: x**2)(w, node, ix))


def var(w: Walk, node: Node, ix: Labels) -> Any:
    """1/(n - ddof) Σ_k (x_k - 1/n Σ_l x_l)²."""
    import sympy

    along, mean = _Along(w, node, ix), _Along(w, node, ix)
    centre = times(sympy.Rational(1, mean.n), w.sum(w.entry(mean.a, mean.at), *mean.inner))
    total = w.sum((w.entry(along.a, along.at) - centre) ** 2, *along.inner)
    return times(sympy.Rational(1, along.n - option_of(node, "ddof")), total)


def std(w: Walk, node: Node, ix: Labels) -> Any:
    """The root of the variance."""
    import sympy

    return sympy.sqrt(sympy.UnevaluatedExpr(var(w, node, ix)))  # the number stays inside


def prod(w: Walk, node: Node, ix: Labels) -> Any:
    """Π_k x_k."""
    import sympy

    along = _Along(w, node, ix)
    limits = _limits(w, along.inner)
    term = w.entry(along.a, along.at)
    return sympy.Product(term, *limits) if limits else term


def others(w: Walk, node: Node, ix: Labels) -> Any:
    """The product of all entries along some axes but the one at ix."""
    import sympy

    (a,) = node.args
    axes = axes_of(a.shape, option_of(node, "axis"))
    at = tuple(
        w.fresh(n) if i in axes else x for i, (n, x) in enumerate(zip(a.shape, ix, strict=True))
    )
    inner = tuple(at[i] for i in axes)
    limits = _limits(w, inner)
    if not limits:
        return sympy.Integer(1)
    equal = [sympy.Eq(at[i], ix[i]) for i in axes if at[i] != 0]
    own = equal[0] if len(equal) == 1 else sympy.And(*equal)
    return sympy.Product(sympy.Piecewise((1, own), (w.entry(a, at), True)), *limits)


def _limits(w: Walk, labels: Sequence[Any]) -> list[Any]:
    """Ranges of labels as sympy has them, the inner one first."""
    return [(d, 1, w.sizes[d]) for label in labels for d in w.dummies(label)][::-1]


def extreme(name: str) -> Rule:
    """max_k x_k or min_k x_k."""

    def rule(w: Walk, node: Node, ix: Labels) -> Any:
        along = _Along(w, node, ix)
        limits, term = _limits(w, along.inner), w.entry(along.a, along.at)
        return extreme_of(name)(term, *limits) if limits else term

    return rule


def is_extreme(name: str) -> Rule:
    """𝟙[x_i = max_k x_k]."""

    def rule(w: Walk, node: Node, ix: Labels) -> Any:
        import sympy

        (a,) = node.args
        axes = axes_of(a.shape, option_of(node, "axis"))
        at = tuple(
            w.fresh(n) if i in axes else x for i, (n, x) in enumerate(zip(a.shape, ix, strict=True))
        )
        limits = _limits(w, [at[i] for i in axes])
        if not limits:
            return sympy.Integer(1)
        return call("equal")(w.entry(a, ix), extreme_of(name)(w.entry(a, at), *limits))

    return rule


def cumsum(from_start: bool) -> Rule:
    """Σ_{k=1}^i x_k, or Σ_{k=i}^n x_k."""

    def rule(w: Walk, node: Node, ix: Labels) -> Any:
        import sympy

        (a,) = node.args
        axis = option_of(node, "axis")
        (along,) = axes_of(a.shape, 0 if axis is None else axis)
        end, n = ix[along], a.shape[along]
        if end == 0:
            return w.entry(a, ix)
        k = w.fresh(n)
        if w.dummies(k) != [k]:
            raise NoIndexForm
        term = w.entry(a, (*ix[:along], k, *ix[along + 1 :]))
        outside, inside = term.as_independent(k, as_Add=False)
        limits = (k, 1, end) if from_start else (k, end, n)
        if inside == 1:
            return times(outside, end if from_start else n + 1 - end)
        return times(outside, sympy.Sum(inside, limits))

    return rule


# ---------------------------------------------------------------- softmax and its kin


def softmax(w: Walk, node: Node, ix: Labels) -> Any:
    """The quotient e^{x_i} / Σ_k e^{x_k} where it is what is asked for, else a name with labels."""
    import sympy

    if w.whole is not None and node is not w.top:
        return w.as_whole(node, ix)
    return sympy.exp(w.entry(node.args[0], ix)) / _exponentials(w, node, ix)


def log_softmax(w: Walk, node: Node, ix: Labels) -> Any:
    """x_i - log Σ_k e^{x_k} where it is what is asked for, else log softmax(x)_i."""
    import sympy

    if w.whole is not None and node is not w.top:
        return w.as_whole(node, ix)
    return w.entry(node.args[0], ix) - sympy.log(_exponentials(w, node, ix))


def _exponentials(w: Walk, node: Node, ix: Labels) -> Any:
    """The sum of the exponentials along the axis of a softmax."""
    import sympy

    (a,) = node.args
    axis = option_of(node, "axis")
    (along,) = axes_of(a.shape, -1 if axis is None else axis)
    k = w.fresh(a.shape[along])
    return w.sum(sympy.exp(w.entry(a, (*ix[:along], k, *ix[along + 1 :]))), k)


def logsumexp(w: Walk, node: Node, ix: Labels) -> Any:
    """log Σ_k e^{x_k}."""
    import sympy

    return sympy.log(reduced(sympy.exp)(w, node, ix))
