"""Gates: sums, means, products, extremes and spreads over all entries or along axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from report.autodiff.form import Form
from report.autodiff.gates import code, compounds, entries
from report.autodiff.gates.arithmetic import over, square
from report.autodiff.gates.functions import ratio, sqrt
from report.autodiff.gates.indexing import (
    broadcast_to,
    concatenate,
    identity,
    index,
    reshape,
    stack,
    transpose,
)
from report.autodiff.gates.keys import Key
from report.autodiff.gates.shapes import axes_of, count, kept, reduced, running, variance
from report.autodiff.gates.table import function, gate, named
from report.autodiff.graph import Array, shape_of

REDUCTION = {"axis": None, "keepdims": False}
SPREAD = {"axis": None, "ddof": 0, "keepdims": False}


def _divided(x: Any, n: int) -> Any:
    return x / n if n > 1 else x


# fmt: off

# sums and products
total = gate(
    "sum", lambda x, axis=None, keepdims=False: np.sum(x, axis=axis, keepdims=keepdims),
    lambda g, y, x, axis=None, keepdims=False: spread(g, x, axis),
    entry=entries.total, shape=reduced, form=Form.TOTAL, order=(1, 8), linear=True, sign="Σ", latex=function(named("sum")), params=REDUCTION,
    numpy=code.called("np.sum"), usage="sum(x), sum(x, axis=0, keepdims=True)",
    group="reductions", summary="sum of the entries",
    why="The slope of a sum in each entry is 1: each entry gets the upstream gradient.",
)
mean = gate(
    "mean", lambda x, axis=None, keepdims=False: np.mean(x, axis=axis, keepdims=keepdims),
    lambda g, y, x, axis=None, keepdims=False: spread(g / float(count(shape_of(x), axis)), x, axis),
    shape=reduced, linear=True, sign="mean", latex=function(named("mean")), params=REDUCTION,
    numpy=code.called("np.mean"),
    definition=lambda x, axis=None, keepdims=False: _divided(total(x, axis=axis, keepdims=keepdims), count(shape_of(x), axis)),
    usage="mean(x), mean(x, axis=0, keepdims=True)",
    group="reductions", summary="mean of the entries",
    why="The slope of a mean of $n$ entries in each of them is $1/n$.",
)
prod = gate(
    "prod", lambda x, axis=None, keepdims=False: np.prod(x, axis=axis, keepdims=keepdims),
    lambda g, y, x, axis=None, keepdims=False: _shared(g, x, axis, others),
    entry=entries.prod, shape=reduced, sign="Π", latex=function(named("prod")), params=REDUCTION,
    numpy=code.called("np.prod"), usage="prod(x), prod(x, axis=0)",
    group="reductions", summary="product of the entries",
    why="The derivative of a product by one factor is the product of all the others.",
)
cumsum = gate(
    "cumsum", lambda x, axis=None: np.cumsum(x, axis=axis),
    lambda g, y, x, axis=None: reverse_cumsum(g, axis=axis),
    entry=entries.running("Sum"), shape=running, widened=compounds.cumsum, linear=True, sign="cumsum", latex=function(named("cumsum")), params={"axis": None},
    numpy=code.called("np.cumsum"), usage="cumsum(x), cumsum(X, axis=0)",
    group="reductions", summary="running sum along an axis, or of all entries in a row",
    why="An entry is a term of its own and of every later sum: its gradient is the sum of theirs.",
    jacobian=(lambda y, x, axis=None: cumsum(identity(x), axis=0),),
)

# extremes
largest = gate(
    "max", lambda x, axis=None, keepdims=False: np.max(x, axis=axis, keepdims=keepdims),
    lambda g, y, x, axis=None, keepdims=False: _shared(g, x, axis, is_largest),
    of_two="maximum", entry=entries.extreme("max"), shape=reduced, ties=True, sign="max", latex=function(r"\max"), params=REDUCTION,
    numpy=code.called("np.max"), kink=lambda x, axis=None, keepdims=False:
    np.sum(x == np.max(x, axis=axis, keepdims=True), axis=axis) > 1,
    convention="equal largest entries share the gradient evenly",
    usage="max(x), max(x, axis=1)", group="reductions", summary="largest entry",
    why="The slope of the maximum is 1 in the largest entry and 0 in the others.",
)
smallest = gate(
    "min", lambda x, axis=None, keepdims=False: np.min(x, axis=axis, keepdims=keepdims),
    lambda g, y, x, axis=None, keepdims=False: _shared(g, x, axis, is_smallest),
    of_two="minimum", entry=entries.extreme("min"), shape=reduced, ties=True, sign="min", latex=function(r"\min"), params=REDUCTION,
    numpy=code.called("np.min"), kink=lambda x, axis=None, keepdims=False:
    np.sum(x == np.min(x, axis=axis, keepdims=True), axis=axis) > 1,
    convention="equal smallest entries share the gradient evenly",
    usage="min(x), min(x, axis=1)", group="reductions", summary="smallest entry",
    why="The slope of the minimum is 1 in the smallest entry and 0 in the others.",
)

# spreads
var = gate(
    "var", lambda x, axis=None, ddof=0, keepdims=False: _var(x, axis, ddof, keepdims),
    lambda g, y, x, axis=None, ddof=0, keepdims=False:
    spread(g * over(2, count(shape_of(x), axis) - ddof, g), x, axis) * _centred(x, axis),
    shape=variance, sign="var", latex=function(named("var")), params=SPREAD,
    python=code.spread_of("var"), numpy=code.called("np.var"),
    definition=lambda x, axis=None, ddof=0, keepdims=False: total(square(x - mean(x, axis=axis, keepdims=True)), axis=axis, keepdims=keepdims)
    / (count(shape_of(x), axis) - ddof),
    usage="var(x), var(x, axis=0, ddof=1, keepdims=True)",
    group="reductions", summary="variance: mean squared distance from the mean (divided by n − ddof)",
    why=r"The derivative of $\sum_k (x_k - \bar{x})^2$ by $x_i$ is $2(x_i - \bar{x})$: what $\bar{x}$ adds is 0, "
    "since the distances from the mean add up to 0.",
)
std = gate(
    "std", lambda x, axis=None, ddof=0, keepdims=False: _std(x, axis, ddof, keepdims),
    lambda g, y, x, axis=None, ddof=0, keepdims=False:
    spread(g * over(1, count(shape_of(x), axis) - ddof, g), x, axis) * ratio(_centred(x, axis), spread(y, x, axis)),
    shape=variance, sign="std", latex=function(named("std")), params=SPREAD,
    python=code.spread_of("std"), numpy=code.called("std"), kink=lambda x, axis=None, ddof=0, keepdims=False:
    np.max(x, axis=axis) == np.min(x, axis=axis),
    convention="gradient 0 where all entries are equal",
    definition=lambda x, axis=None, ddof=0, keepdims=False: sqrt(var(x, axis=axis, ddof=ddof, keepdims=keepdims)),
    usage="std(x), std(x, axis=0, ddof=1, keepdims=True)", group="reductions",
    summary="standard deviation, the root of the variance",
    why="By the chain rule it is the derivative of the variance over twice the standard deviation.",
)

# gates that only backward passes need; users do not call them
reverse_cumsum = gate(
    "reverse_cumsum", lambda x, axis=None: np.flip(np.cumsum(np.flip(x, axis), axis), axis),
    lambda g, y, x, axis=None: cumsum(g, axis=axis),
    entry=entries.running("Sum", from_start=False), shape=running, linear=True, sign="cumsum", latex=function(named("cumsum") + r"^{{\top}}"), params={"axis": None},
    numpy=code.called("reverse_cumsum"),
)
is_largest = gate(
    "is_largest", lambda x, axis=None: _share(x, np.max(x, axis=axis, keepdims=True), axis), None,
    entry=entries.is_extreme("max"), shape=lambda x, axis=None: x, form=Form.LARGEST, in_numbers=True, tie="for each of {n} equal entries", sign="x=max", latex=r"𝟙\left[{0} = \max\right]",
    params={"axis": None}, python="is_largest({0:axis})", numpy=code.called("is_largest"),
    kink=lambda x, axis=None: np.sum(x == np.max(x, axis=axis, keepdims=True), axis=axis) > 1,
)
is_smallest = gate(
    "is_smallest", lambda x, axis=None: _share(x, np.min(x, axis=axis, keepdims=True), axis), None,
    entry=entries.is_extreme("min"), shape=lambda x, axis=None: x, form=Form.SMALLEST, in_numbers=True, tie="for each of {n} equal entries", sign="x=min", latex=r"𝟙\left[{0} = \min\right]",
    params={"axis": None}, python="is_smallest({0:axis})", numpy=code.called("is_smallest"),
    kink=lambda x, axis=None: np.sum(x == np.min(x, axis=axis, keepdims=True), axis=axis) > 1,
)
others = gate(
    "others", lambda x, axis=None: _others(x, axis),
    lambda g, y, x, axis=None: _others_rule(g, x, axis),
    entry=entries.others, shape=lambda x, axis=None: x, form=Form.OTHERS, in_numbers=True, sign="Π≠", latex=function(r"\textstyle\prod_{{\ne}}"),
    params={"axis": None}, python="others({0:axis})", numpy=code.np_others,
)

# fmt: on


def spread(g: Any, x: Any, axis: Any) -> Any:
    """The gradient of a reduction, handed to every entry of x that was taken together."""
    shape = shape_of(x)
    if axis is not None and shape_of(g) != kept(shape, axis):
        g = reshape(g, shape=kept(shape, axis))
    return g if shape_of(g) == shape else broadcast_to(g, shape=shape)


def _shared(g: Any, x: Any, axis: Any, part: Callable[..., Any]) -> Any:
    """The gradient of a reduction times the part that each entry has in it: all of it where it is alone."""
    whole = spread(g, x, axis)
    return whole if count(shape_of(x), axis) == 1 else whole * part(x, axis=axis)


def _var(x: Array, axis: Any, ddof: int, keepdims: bool) -> Array:
    """The variance; that of equal entries is 0, however their mean is rounded."""
    equal = np.max(x, axis=axis, keepdims=keepdims) == np.min(x, axis=axis, keepdims=keepdims)
    found = np.var(x, axis=axis, ddof=ddof, keepdims=keepdims)
    return np.where(equal, found * 0, found)[()]


def _std(x: Array, axis: Any, ddof: int, keepdims: bool) -> Array:
    """The root of the variance, of entries so close or far apart that their squares are no numbers as well."""
    width = np.max(x, axis=axis, keepdims=True) - np.min(x, axis=axis, keepdims=True)
    away = (x - np.min(x, axis=axis, keepdims=True)) / np.where(width == 0, width * 0 + 1, width)
    found = np.sqrt(_var(away, axis, ddof, keepdims))
    return np.asarray(found * np.reshape(width, np.shape(found)))[()]


def _centred(x: Any, axis: Any) -> Any:
    """The distance of each entry from the mean of those it is taken together with."""
    return x - (mean(x) if axis is None else mean(x, axis=axis, keepdims=True))


def _share(x: Array, extreme: Array, axis: Any) -> Array:
    """1 for a single entry that is the extreme one, 1/n for each of n: in the arithmetic of x."""
    hit = x == extreme
    return (hit + x * 0) / np.sum(hit, axis=axis, keepdims=True)


# ---------------------------------------------------------------- a product without one factor


def _others(x: Array, axis: Any) -> Array:
    """For each entry the product of all the others; dividing by the entry would fail at 0."""
    rows = rows_of(x, axis)
    ones = np.ones((len(rows), 1))
    before = np.cumprod(np.concatenate([ones, rows[:, :-1]], axis=1), axis=1)
    after = np.cumprod(np.concatenate([ones, rows[:, :0:-1]], axis=1), axis=1)[:, ::-1]
    return _unrows(before * after, np.shape(x), axis)


def rows_of(x: Array, axis: Any) -> Array:
    """A matrix whose rows hold the entries that are taken together."""
    shape = np.shape(x)
    axes = axes_of(shape, axis)
    kept_axes = tuple(i for i in range(len(shape)) if i not in axes)
    return np.transpose(x, (*kept_axes, *axes)).reshape(-1, count(shape, axis))


def _unrows(rows: Array, shape: tuple[int, ...], axis: Any) -> Array:
    """Undo `rows_of`."""
    axes = axes_of(shape, axis)
    order = (*(i for i in range(len(shape)) if i not in axes), *axes)
    return np.transpose(rows.reshape([shape[i] for i in order]), np.argsort(order))[()]


def _others_rule(g: Any, x: Any, axis: Any) -> Any:
    """Entry j collects g_i times the product of all entries but i and j, for every i but j."""
    shape = shape_of(x)
    axes = axes_of(shape, axis)
    if len(axes) != 1:  # several axes: take them together as one, the last
        left = tuple(i for i in range(len(shape)) if i not in axes)
        order = (*left, *axes)
        back = tuple(order.index(i) for i in range(len(shape)))
        flat = (*(shape[i] for i in left), count(shape, axis))
        g, x = (reshape(transpose(t, axes=order), shape=flat) for t in (g, x))
        part = reshape(_others_rule(g, x, -1), shape=tuple(shape[i] for i in order))
        return transpose(part, axes=back)
    if shape[axes[0]] == 1:
        return x * 0
    rest = [[_without(t, axes[0], j) for t in (g, x)] for j in range(shape[axes[0]])]
    parts = [total(u * others(v, axis=axes[0]), axis=axes[0]) for u, v in rest]
    return stack(*parts, axis=axes[0])


def _without(x: Any, axis: int, j: int) -> Any:
    """x without its slice j along an axis."""
    ends = [slice(None, j)] * (j > 0) + [slice(j + 1, None)] * (j + 1 < shape_of(x)[axis])
    pieces = [index(x, key=Key((*[slice(None)] * axis, end))) for end in ends]
    return pieces[0] if len(pieces) == 1 else concatenate(*pieces, axis=axis)
