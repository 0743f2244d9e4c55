"""Gates: losses. Each is a mean over its entries or rows, but for kl_div, which is a sum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from report.autodiff.gates import code, compounds
from report.autodiff.gates.activations import (
    log_softmax,
    logit_error,
    sigmoid,
    softmax,
    softplus,
    surplus,
)
from report.autodiff.gates.arithmetic import (
    absolute,
    clip,
    greater,
    less,
    less_equal,
    over,
    sign,
    square,
    where,
)
from report.autodiff.gates.functions import log, ratio, xlogy
from report.autodiff.gates.indexing import ANY, index, one_hot, whole
from report.autodiff.gates.keys import Key, Place
from report.autodiff.gates.reductions import mean, total
from report.autodiff.gates.shapes import class_labels, pair, pair_within, target_rows
from report.autodiff.gates.table import function_of_two, gate, named
from report.autodiff.graph import Array, OutOfDomain, Shape, is_computed, shape_of
from report.errors import ReportError


def _binary_cross_entropy(p: Array, y: Array) -> Array:
    outside = (p < 0) | (p > 1)
    if np.any(outside):
        raise OutOfDomain(f"one of them is {np.ravel(p)[np.argmax(outside)]:.12g}")
    rest = np.where(y == 1, 0.0, (1 - y) * np.log1p(-np.where(y == 1, p * 0, p)))
    return -np.mean(xlogy(y, p) + rest)


def _variant_of_cross_entropy(shapes: Sequence[Shape], params: dict[str, Any]) -> str:
    """One-hot rows have the shape of the scores; smoothing is of labels."""
    if shapes[0] == shapes[1]:
        if params.pop("label_smoothing", 0.0):
            raise ReportError(
                "label_smoothing goes with class numbers; smooth the rows of a target yourself"
            )
        return "cross_entropy_one_hot"
    return "cross_entropy_smoothed" if params.get("label_smoothing") else _plain(params)


def _plain(params: dict[str, Any]) -> str:
    params.pop("label_smoothing", None)
    return "cross_entropy"


MEAN = {"reduction": "mean"}  # what PyTorch calls the mean over the entries

# fmt: off

# regression
mse = gate(
    "mse", lambda p, y: np.mean(np.square(p - y)),
    lambda g, z, p, y: g * (over(2, _n(p), g) * (p - y)), lambda g, z, p, y: g * (over(2, _n(p), g) * (y - p)),
    shape=pair, widened=compounds.loss, sign="MSE", latex=function_of_two(named("MSE")),
    numpy="np.mean(({0:1} - {1:2}) ** 2)",
    definition=lambda p, y: mean(square(p - y)),
    usage="mse(p, y)", group="losses",
    summary="mean squared error; one of the two may be a number",
    why=r"The derivative of $\frac{1}{n} \sum_k (p_k - y_k)^2$ by $p_i$ is $\frac{2}{n}(p_i - "
    "y_i)$.",
)
l1 = gate(
    "l1", lambda p, y: np.mean(np.abs(p - y)),
    lambda g, z, p, y: g * (over(1, _n(p), g) * sign(p - y)), lambda g, z, p, y: g * (over(1, _n(p), g) * sign(y - p)),
    shape=pair, widened=compounds.loss, sign="L1", latex=function_of_two(named("L1")),
    numpy="np.mean(np.abs({0:1} - {1:2}))", kink=lambda p, y: p == y,
    convention="derivative 0 where p = y",
    definition=lambda p, y: mean(absolute(p - y)),
    usage="l1(p, y)", group="losses",
    summary="mean absolute error",
    why="The slope of an absolute error is its sign, and the mean divides it by $n$.",
)
huber = gate(
    "huber", lambda p, y, delta=1.0: _huber(p - y, delta),
    lambda g, z, p, y, delta=1.0: g * (over(1, _n(p), g) * clip(p - y, -delta, delta)),
    lambda g, z, p, y, delta=1.0: g * (over(1, _n(p), g) * clip(y - p, -delta, delta)),
    shape=pair_within, widened=compounds.loss, sign="Huber", latex=function_of_two(named("Huber")), params={"delta": 1.0},
    python="huber({0:flat}, {1:flat}, {delta})", numpy="huber({0}, {1}, {delta})",
    definition=lambda p, y, delta=1.0: mean(where(less_equal(s := absolute(e := p - y), delta), square(e) / 2, delta * (s - delta / 2))),
    usage="huber(p, y, delta=1.0)", group="losses",
    summary="mean of e²/2 where the error |e| is at most delta, else of delta·(|e| − delta/2)",
    why=r"The slope is the error where that is small, and $\pm\delta$ where it is larger than "
    r"$\delta$.",
)

# classification
hinge = gate(
    "hinge", lambda s, y: np.mean(np.maximum(1.0 - y * s, 0.0)),
    lambda g, z, s, y: g * (over(-1, _n(s), g) * (y * less(y * s, 1))),
    lambda g, z, s, y: g * (over(-1, _n(s), g) * (s * less(y * s, 1))),
    shape=pair, widened=compounds.loss, sign="hinge", latex=function_of_two(named("hinge")),
    numpy="np.mean(np.maximum(1 - {1:2} * {0:2}, 0))", kink=lambda s, y: y * s == 1,
    convention="derivative 0 where y·s = 1",
    definition=lambda s, y: mean(where(greater(m := 1 - y * s, 0), m, 0)),
    usage="hinge(s, y), y being -1 or 1", group="losses",
    summary="mean of max(0, 1 − y·s)",
    why="The slope of $1 - yp$ is $-y$ where that is positive; elsewhere the loss is 0.",
)
binary_cross_entropy = gate(
    "binary_cross_entropy", _binary_cross_entropy,
    lambda g, z, p, y: g * (over(1, _n(p), g) * ((p - y) / (p * (1 - p)))),
    lambda g, z, p, y: g * (over(1, _n(p), g) * (log(1 - p) - log(p))),
    shape=pair, widened=compounds.loss, sign="BCE", latex=function_of_two(named("BCE")), python="binary_cross_entropy({0:flat}, {1:flat})",
    numpy="binary_cross_entropy({0}, {1})",
    domain="p must lie between 0 and 1, and not be 0 or 1 where a gradient is needed",
    definition=lambda p, y: -mean(y * log(p) + (1 - y) * log(1 - p)),
    usage="binary_cross_entropy(p, y)", group="losses",
    summary="mean of −y·log(p) − (1 − y)·log(1 − p)",
    note=r"$\operatorname{BCE}$ is the mean of $-y \log p - (1 - y) \log(1 - p)$.",
    why=r"The derivative of $-y \log p - (1 - y) \log(1 - p)$ by $p$ is $(p - y)/(p(1 - p))$.",
)
binary_cross_entropy_with_logits = gate(
    "binary_cross_entropy_with_logits", lambda z, y: np.mean(np.maximum(z, 0.0) - z * y + np.log1p(np.exp(-np.abs(z)))),
    lambda g, v, z, y: g * (over(1, _n(z), g) * _logit_error(z, y, v)), lambda g, v, z, y: g * (over(-1, _n(z), g) * z),
    shape=pair, widened=compounds.loss, sign="BCE σ", latex=function_of_two(named("BCE") + r"_{{\sigma}}"),
    python="binary_cross_entropy_with_logits({0:flat}, {1:flat})",
    numpy="np.mean(np.maximum({0}, 0) - {1:2} * {0:2} + np.log1p(np.exp(-np.abs({0}))))",
    definition=lambda z, y: mean(softplus(z) - z * y),
    usage="binary_cross_entropy_with_logits(z, y)", group="losses",
    summary="binary cross-entropy of sigmoid(z), stable",
    note=r"$\operatorname{BCE}_{\sigma}$ is the mean of $-y \log p - (1 - y) \log(1 - p)$ with $p = \sigma(z)$.",
    why=r"The slope $p(1 - p)$ of $p = \sigma(z)$ cancels the denominator of $(p - y)/(p(1 - "
    "p))$: $p - y$ is left, and the mean over $n$ entries divides it by $n$.",
)
cross_entropy = gate(
    "cross_entropy", lambda z, labels: -np.mean(_picked(log_softmax(z), labels)),
    lambda g, v, z, labels: g * (over(1, _rows(z), g) * _surplus(softmax(z), one_hot(labels, classes=shape_of(z)[-1]), v)),
    None,
    shape=class_labels, roles={1: "label"}, variant=_variant_of_cross_entropy, varied={"label_smoothing": 0.0}, neutral=MEAN, sign="CE", latex=function_of_two(named("CE")), integers=ANY,
    domain="a label is a whole number from 0 to the number of classes − 1",
    python=code.one_or_more_rows("-log_softmax({0:flat})[{1}]", "cross_entropy({0:rows}, {1:flat})"), numpy="cross_entropy({0}, {1})",
    definition=lambda z, k: -index(log_softmax(z), k, key=Key((Place(1),))) if len(shape_of(z)) == 1
    else _over_rows(one_hot(k, classes=shape_of(z)[-1]) * log_softmax(z)),
    usage="cross_entropy(z, labels)", group="losses",
    summary="mean over rows of −log(softmax(z)[label]); labels are class numbers or one-hot rows",
    note=r"$\operatorname{CE}$ is the mean over the rows of $-\log \operatorname{softmax}$ at the class.",
    why=r"As $-\log \operatorname{softmax}(\mathbf{z})_c = \log \sum_k e^{z_k} - z_c$, the derivative by $z_i$ is "
    r"$e^{z_i} / \sum_k e^{z_k} - \delta_{ic}$; the mean over $n$ rows divides it by $n$.",
)
cross_entropy_one_hot = gate(
    "cross_entropy_one_hot", lambda z, y: -np.mean(np.sum(_one_hot_rows(y) * log_softmax(z), axis=-1)),
    lambda g, v, z, y: g * (over(1, _rows(z), g) * _surplus(softmax(z), y, v)), None,
    shape=target_rows, roles={1: "target"}, sign="CE", latex=function_of_two(named("CE")), integers=ANY,
    domain="each row of the target holds probabilities, such as a single 1 among zeros: they must add up to 1, "
    "so divide each row by its sum",
    python="cross_entropy_one_hot({0:rows}, {1:rows})", numpy="-np.mean(np.sum({1:2} * log_softmax({0}), axis=-1))",
    definition=lambda z, y: _over_rows(y * log_softmax(z)), family="cross_entropy",
    usage="cross_entropy(z, one_hot_rows)", group="losses",
    summary="mean over rows of −sum(y·log(softmax(z)))",
    note=r"$\operatorname{CE}$ is the mean over the rows of $-\sum_j y_j \log \operatorname{softmax}(\mathbf{z})_j$.",
    why=r"As $-\log \operatorname{softmax}(\mathbf{z})_j = \log \sum_k e^{z_k} - z_j$ and the $y_j$ of a row add up to "
    r"1, the derivative of $-\sum_j y_j \log \operatorname{softmax}(\mathbf{z})_j$ by $z_i$ is "
    r"$e^{z_i} / \sum_k e^{z_k} - y_i$; the mean over $n$ rows divides it by $n$.",
    formula="cross_entropy({0}, {1})",
)
kl_div = gate(
    "kl_div", lambda p, q: np.sum(xlogy(p, p) - xlogy(p, q)),
    lambda g, z, p, q: g * (log(p) - log(q) + 1), lambda g, z, p, q: g * -ratio(p, q),
    shape=pair, widened=compounds.loss, sign="KL", latex=r"D_{{\mathrm{{KL}}}}\left({0} \,\|\, {1}\right)",
    python="kl_div({0:flat}, {1:flat})", numpy="kl_div({0}, {1})",
    domain="p must not be negative and q must be positive",
    definition=lambda p, q: total(p * (log(p) - log(q))),
    usage="kl_div(p, q)", group="losses",
    summary="Kullback-Leibler divergence: sum of p·log(p/q) over all entries",
    why=r"The derivative of $p \log(p/q)$ by $q$ is $-p/q$.",
)

# fmt: on


def _surplus(p: Any, y: Any, value: Any) -> Any:
    """p - y, with the digits that it loses where p is near 1; a formula shows p - y."""
    return surplus(p, y) if is_computed(value) else p - y


def _logit_error(z: Any, y: Any, value: Any) -> Any:
    return logit_error(z, y) if is_computed(value) else sigmoid(z) - y


def _n(p: Any) -> int:
    """How many entries the mean is over."""
    return math.prod(shape_of(p))


def _rows(z: Any) -> int:
    """How many rows of scores the mean is over."""
    return math.prod(shape_of(z)[:-1])


def _over_rows(terms: Any) -> Any:
    """Minus the sum of each row, in the mean over the rows."""
    return -total(terms) if _rows(terms) == 1 else -mean(total(terms, axis=-1))


def _huber(e: Array, delta: float) -> Array:
    size = np.abs(e)
    return np.mean(np.where(size <= delta, 0.5 * e * e, delta * (size - 0.5 * delta)))


def _picked(rows: Array, labels: Array) -> Array:
    """The entry of each row that its label names."""
    places = whole(labels, np.shape(rows)[-1])
    return np.take_along_axis(rows, np.expand_dims(places, -1), axis=-1)


def _one_hot_rows(y: Array) -> Array:
    sums = np.ravel(np.sum(y, axis=-1))
    off = np.abs(sums - 1)
    if np.any(y < 0) or np.any(off > 1e-12 * np.shape(y)[-1]):
        raise OutOfDomain(f"a row adds up to {float(sums[np.argmax(off)])!r}")
    return y
