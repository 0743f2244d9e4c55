"""Gates: activation functions. Sigmoid, softplus and the softmax family are exact for inputs of ±1000."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from report.autodiff.gates import code
from report.autodiff.gates.algebra import diag, outer
from report.autodiff.gates.arithmetic import (
    absolute,
    clip,
    greater,
    less,
    minimum,
    positive,
    reciprocal,
    where,
)
from report.autodiff.gates.by_definition import number
from report.autodiff.gates.functions import (
    cosh,
    erf,
    exp,
    log,
    normal_cdf,
    normal_pdf,
    sqrt,
    tanh,
    tanh_slope,
    wide,
)
from report.autodiff.gates.indexing import identity
from report.autodiff.gates.reductions import rows_of, spread, total
from report.autodiff.gates.shapes import along, reduced
from report.autodiff.gates.table import POWER, SUM, elementwise, function, gate, named
from report.autodiff.graph import Array, Node, is_computed, shape_of

_ZERO = np.float64(0.0)


def _relu(x: Array) -> Array:
    if isinstance(x, float):  # np.maximum takes ten times as long for one number
        return x if x > 0 else _ZERO
    return np.maximum(x, 0.0)


# ---------------------------------------------------------------- in numbers, to the last digit


def _sigmoid(x: Array) -> Array:
    """1/(1 + exp(-x)), whose exp is too large for a number below -709."""
    if isinstance(x, float) and x > -700:
        return 1.0 / (1.0 + np.exp(-x))
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x < 0, small, small * 0 + 1) / (1 + small))[()]


def _softplus(x: Array) -> Array:
    """log(1 + exp(x)); exp never gets a large argument."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _without(e: Array, x: Array, axis: int) -> Array:
    """e with 0 in the place of the largest x along an axis."""
    e, at = np.array(e), np.expand_dims(np.argmax(x, axis=axis), axis)
    np.put_along_axis(e, at, np.take_along_axis(e, at, axis=axis) * 0, axis=axis)
    return e


def _rest_of(e: Array, x: Array, axis: int) -> Array:
    """The sum of e along an axis but for the largest: what is added to 1 there keeps its digits."""
    return np.sum(_without(e, x, axis), axis=axis, keepdims=True)


def _complement(p: Array, axis: int) -> Array:
    """1 - p for probabilities that add up to 1: beside the largest, the sum of the others."""
    at = np.expand_dims(np.argmax(p, axis=axis), axis)
    left = np.array(1 - p)
    np.put_along_axis(left, at, _rest_of(p, p, axis), axis=axis)
    return left


def _less_mean(g: Array, p: Array, axis: int) -> Array:
    """g - Σ g p, with g measured from where p is largest, since the p add up to 1."""
    away = g - np.take_along_axis(g, np.expand_dims(np.argmax(p, axis=axis), axis), axis=axis)
    return away - np.sum(away * p, axis=axis, keepdims=True)


def _less_share(g: Array, p: Array, axis: int) -> Array:
    """g - p Σ g: g (1 - p), less p times the sum of the others."""
    at = np.expand_dims(np.argmax(p, axis=axis), axis)
    others = np.array(np.sum(g, axis=axis, keepdims=True) - g)
    np.put_along_axis(others, at, _rest_of(g, p, axis), axis=axis)
    return g * _complement(p, axis) - p * others


def _surplus(p: Array, y: Array) -> Array:
    """p - y for rows that each add up to 1: (1 - y) p - y (1 - p)."""
    return (1 - y) * p - y * _complement(p, -1)


# fmt: off

# squashing functions
sigmoid = elementwise(
    "sigmoid", _sigmoid, lambda g, y, x: g * (y * rest(y, x)),
    in_numbers=True, saturates="end", logarithm="log_sigmoid", sign="σ", latex=function("{sigma}"), sympy=lambda s, x: 1 / (1 + s.exp(-x)),
    steps=(r"\frac{{1}}{{1 + {exp}-{0:2}{end}}} \cdot \frac{{{exp}-{0:2}{end}}}{{1 + {exp}-{0:2}{end}}}",),
    python="sigmoid({0})", numpy="sigmoid({0})",
    definition=lambda x: reciprocal(1 + exp(-x)),
    usage="sigmoid(x)", group="activations",
    summary="logistic function 1/(1 + exp(−x))",
    why=r"The derivative of $\sigma(x)$ is $\sigma(x)(1 - \sigma(x))$: the value times one "
    "minus the value.",
)
log_sigmoid = elementwise(
    "log_sigmoid", lambda x: -_softplus(-x), lambda g, y, x: g * sigmoid(-x),
    of_matrix=(r"\log^{{\odot}} {sigma}\left({0}\right)", SUM), saturates="side", sign="log σ", latex=r"\log {sigma}\left({0}\right)", binding=SUM, sympy=lambda s, x: -s.log(1 + s.exp(-x)),
    steps=(r"\frac{{1}}{{1 + {exp}{0}{end}}}",),
    python="-softplus(-{0:2})", numpy="-np.logaddexp(0, -{0:2})",
    definition=lambda x: -log(1 + exp(-x)),
    usage="log_sigmoid(x)",
    group="activations", summary="log(sigmoid(x)) in a stable form",
    why=r"The derivative of $\log \sigma(x)$ is $\sigma(x)(1 - \sigma(x))/\sigma(x) = \sigma(-x)$.",
)
softplus = elementwise(
    "softplus", _softplus, lambda g, y, x: g * sigmoid(x),
    saturates="side", sign="softplus", latex=function(named("softplus")), sympy=lambda s, x: s.log(1 + s.exp(x)),
    steps=(r"\frac{{1}}{{1 + {exp}-{0:2}{end}}}",),
    python="softplus({0})", numpy="np.logaddexp(0, {0})",
    definition=lambda x: log(1 + exp(x)),
    usage="softplus(x)", group="activations",
    summary="log(1 + exp(x)) in a stable form",
    note=r"$\operatorname{softplus}(z) = \log(1 + e^{z})$ has the slope $\sigma(z)$.",
    why=r"The derivative of $\log(1 + e^x)$ is $e^x/(1 + e^x) = \sigma(x)$.",
)

# rectifiers
relu = elementwise(
    "relu", _relu, lambda g, y, x: g * positive(x),
    saturates="side", sign="ReLU", latex=function(named("ReLU")), sympy=lambda s, x: s.Max(x, 0),
    python="max({0}, 0.0)", numpy="np.maximum({0}, 0)", kink=lambda x: x == 0,
    convention="derivative 0 at 0",
    definition=lambda x: where(greater(x, 0), x, 0),
    usage="relu(x)", group="activations",
    summary="positive part max(x, 0)",
    why=r"The slope of $\operatorname{ReLU}(x) = \max(x, 0)$ is 1 where $x$ is positive and 0 where it is negative.",
)
leaky_relu = elementwise(
    "leaky_relu", lambda x, slope=0.01: np.where(x > 0, x, slope * x)[()],
    lambda g, y, x, slope=0.01: g * where(positive(x), 1, slope),
    sign="LReLU", latex=function(named("LeakyReLU")), params={"slope": 0.01},
    sympy=lambda s, x, slope=0.01: s.Piecewise((x, x > 0), (slope * x, True)),
    python="leaky_relu({0}, {slope})", numpy="leaky_relu({0}, {slope})",
    kink=lambda x, slope=0.01: x == 0, convention="derivative `slope` at 0",
    definition=lambda x, slope=0.01: where(greater(x, 0), x, slope * x),
    usage="leaky_relu(x, slope=0.01)", group="activations", summary="x where positive, else slope·x",
    why="The slope is 1 where the input is positive and the small factor where it is negative.",
)
prelu = elementwise(
    "prelu", lambda x, a: np.where(x > 0, x, a * x)[()],
    lambda g, y, x, a: g * where(positive(x), 1, a), lambda g, y, x, a: g * where(positive(x), 0, x),
    sign="PReLU", latex=r"\operatorname{{PReLU}}\left({0}, {1}\right)",
    sympy=lambda s, x, a: s.Piecewise((x, x > 0), (a * x, True)),
    python="prelu({0}, {1})", numpy="prelu({0}, {1})",
    kink=lambda x, a: x == 0, convention="derivative a at 0",
    definition=lambda x, a: where(greater(x, 0), x, a * x),
    usage="prelu(x, a)",
    group="activations", summary="x where positive, else a·x with a learnt slope a",
    why="Where $x$ is positive the value is $x$; elsewhere it is $ax$, with the slope $a$ in "
    "$x$ and $x$ in $a$.",
)
elu = elementwise(
    "elu", lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, x * 0)))[()],
    lambda g, y, x, alpha=1.0: g * where(positive(x), 1, alpha * exp(minimum(x, x * 0 if is_computed(x) else 0))),
    saturates="side", sign="ELU", latex=function(named("ELU")), params={"alpha": 1.0},
    sympy=lambda s, x, alpha=1.0: s.Piecewise((x, x > 0), (alpha * (s.exp(x) - 1), True)),
    python="elu({0}, {alpha})", numpy="elu({0}, {alpha})",
    kink=lambda x, alpha=1.0: (x == 0) & (alpha != 1), convention="derivative alpha at 0",
    definition=lambda x, alpha=1.0: where(greater(x, 0), x, alpha * (exp(x) - 1)),
    usage="elu(x, alpha=1.0)", group="activations", summary="x where positive, else alpha·(exp(x) − 1)",
    why=r"The slope is 1 where $x$ is positive; below 0 the derivative of $\alpha (e^x - 1)$ "
    r"is $\alpha e^x$.",
)

# gated by their own value
swish = elementwise(
    "swish", lambda x: x * _sigmoid(x), lambda g, y, x: g * _swish_slope(y, x),
    saturates="side", sign="swish", latex=function(named("swish")), sympy=lambda s, x: x / (1 + s.exp(-x)),
    python="swish({0})", numpy="swish({0})",
    definition=lambda x: x * sigmoid(x),
    usage="swish(x), also silu(x)",
    group="activations", summary="x·sigmoid(x)",
    why=r"The product rule for $x \, \sigma(x)$ gives $\sigma(x) + x \, \sigma(x)(1 - \sigma(x))$.",
)
gelu = elementwise(
    "gelu", lambda x: x * normal_cdf(x), lambda g, y, x: g * _gelu_rule(x),
    saturates="side", sign="GELU", latex=function(named("GELU")), sympy=lambda s, x: x * (1 + s.erf(x / s.sqrt(2))) / 2,
    python="gelu({0})", numpy="gelu({0})",
    definition=lambda x: x * (1 + erf(x / sqrt(number(2, x)))) / 2,
    variant=lambda shapes, params: "gelu_tanh" if params.pop("approximate", "none") == "tanh" else "gelu", varied={"approximate": "none"},
    usage="gelu(x)", group="activations", summary="x·Φ(x), Φ the normal distribution (exact form)",
    why=r"The product rule for $x \, \Phi(x)$ gives $\Phi(x) + x \, \varphi(x)$, as the "
    r"density $\varphi$ is the derivative of $\Phi$.",
)

gelu_tanh = elementwise(
    "gelu_tanh", lambda x: wide(_gelu_tanh, x), lambda g, y, x: g * _gelu_tanh_rule(y, x),
    definition=lambda x: x * (1 + tanh(_gelu_inner(x))) / 2, family="gelu", python="gelu_tanh({0})", numpy="gelu_tanh({0})", formula="gelu({0}, approximate='tanh')",
    sign="GELU", latex=function(named("GELU") + r"_{{\tanh}}"), usage='gelu(x, approximate="tanh")',
    group="activations", summary="x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2",
    why=r"The value is $\frac{1}{2} x (1 + t)$ with $t = \tanh(u(x))$: the product rule gives "
    r"$\frac{1}{2}(1 + t) + \frac{1}{2} x (1 - t^2) \, u'(x)$.",
)
softsign = elementwise(
    "softsign", None, lambda g, y, x: g / (1 + absolute(x)) ** 2,
    definition=lambda x: x / (1 + absolute(x)), sign="softsign", usage="softsign(x)", group="activations",
    summary="x / (1 + |x|)",
    why="The derivative of $x/(1 + |x|)$ is $1/(1 + |x|)^2$.",
)
mish = elementwise(
    "mish", lambda x: wide(lambda x: x * tanh(_softplus(x)), x),
    lambda g, y, x: g * _mish_slope(y, x), definition=lambda x: x * tanh(softplus(x)), numpy="", sign="mish", usage="mish(x)", group="activations",
    summary="x·tanh(softplus(x))",
    why=r"With $t = \tanh(\operatorname{softplus}(x))$ the product rule for $x \, t$ gives $t + x (1 - "
    r"t^2) \, \sigma(x)$.",
)
hardtanh = elementwise(
    "hardtanh", None, lambda g, y, x: g * less(absolute(x), 1),
    definition=lambda x: clip(x, -1, 1), sign="hardtanh", usage="hardtanh(x)", group="activations",
    summary="x between −1 and 1, else the nearer of the two", kink=lambda x: np.abs(x) == 1,
    convention="derivative 0 at −1 and 1",
    why="The slope is 1 between −1 and 1 and 0 beyond them.",
)

# softmax and its kin
softmax = gate(
    "softmax", lambda x, axis=None: _softmax(x, -1 if axis is None else axis),
    lambda g, y, x, axis=None: y * (less_mean(g, y, axis=-1 if axis is None else axis) if is_computed(y) else g - _along(g * y, axis)),
    shape=along, in_numbers=True, saturates="row", shares=True, sign="softmax", latex=function(named("softmax")), params={"axis": None},
    python="softmax({0:last})", numpy=code.called("softmax"),
    definition=lambda x, axis=None: (e := exp(x)) / total(e, axis=-1 if axis is None else axis, keepdims=True),
    usage="softmax(x), softmax(x, axis=1)",
    group="activations", summary="exp(x) divided by its sum along an axis (the last), stable",
    why="The quotient rule: the numerator depends only on the entry at the same place, the denominator on every entry in its sum.",
    note=r"$\operatorname{softmax}(\mathbf{x})_i = e^{x_i}/\sum_k e^{x_k}$.",
    jacobian=(lambda y, x, axis=None: diag(y) - outer(y, y),),
)
log_softmax = gate(
    "log_softmax", lambda x, axis=None: _log_softmax(x, -1 if axis is None else axis),
    lambda g, y, x, axis=None: less_share(g, exp(y), axis=-1 if axis is None else axis) if is_computed(y) else g - exp(y) * _along(g, axis),
    shape=along, sign="log softmax", latex=function(r"\log " + named("softmax")), binding=POWER,
    params={"axis": None}, python="log_softmax({0:last})", numpy=code.called("log_softmax"),
    definition=lambda x, axis=None: x - log(total(exp(x), axis=-1 if axis is None else axis, keepdims=True)),
    usage="log_softmax(x), log_softmax(x, axis=1)", group="activations",
    summary="log(softmax(x)) along an axis (the last), stable",
    why=r"The derivative of $x_i - \log \sum_k e^{x_k}$ by $x_j$ is 1 for $i = j$ and 0 else, "
    r"minus $\operatorname{softmax}(\mathbf{x})_j$.",
    jacobian=(lambda y, x, axis=None: identity(y) - outer(np.ones(shape_of(y)), exp(y)),),
)
logsumexp = gate(
    "logsumexp", lambda x, axis=None, keepdims=False: _logsumexp(x, axis, keepdims),
    lambda g, y, x, axis=None, keepdims=False: spread(g, x, axis) * _shares(y, x, axis),
    shape=reduced, sign="log Σ exp", latex=function(named("logsumexp")),
    params={"axis": None, "keepdims": False}, python="logsumexp({0:axis})", numpy=code.called("logsumexp"),
    definition=lambda x, axis=None, keepdims=False: log(total(exp(x), axis=axis, keepdims=keepdims)),
    usage="logsumexp(x), logsumexp(x, axis=1, keepdims=True)", group="activations",
    summary="log(sum(exp(x))), a smooth maximum, stable",
    why=r"The derivative of $\log \sum_k e^{x_k}$ by $x_i$ is $e^{x_i}/\sum_k e^{x_k}$, the "
    "softmax.",
)

# gates for the digits that a textbook's rule loses where one probability is near 1: no formula holds them
less_mean = gate(
    "less_mean", _less_mean,
    None, None,
    shape=lambda g, p, axis: p, sign="g − gᵀp", latex=r"{0:1} - {0:5}^{{\top}} {1:3}", binding=1,
    params={"axis": None}, python="less_mean({0:axis}, {1:axis})", numpy=lambda node: f"less_mean({{0}}, {{1}}{code.given(node)})",
)
less_share = gate(
    "less_share", _less_share,
    None, None,
    shape=lambda g, p, axis: p, sign="g − p Σg", latex=r"{0:1} - {1:2} \operatorname{{sum}}\left({0}\right)", binding=1,
    params={"axis": None}, python="less_share({0:axis}, {1:axis})", numpy=lambda node: f"less_share({{0}}, {{1}}{code.given(node)})",
)
surplus = gate(
    "surplus", _surplus, None, None,
    shape=lambda p, y: p, sign="p − y", latex="{0:1} - {1:2}", binding=1,
    python="surplus({0:last}, {1:last})", numpy="surplus({0}, {1})",
)
logit_error = elementwise(
    "logit_error", lambda z, y: wide(lambda z, y: (1 - y) * sigmoid(z) - y * sigmoid(-z), z, y),
    lambda g, e, z, y: g * (sigmoid(z) * sigmoid(-z)), lambda g, e, z, y: -g,
    sign="σ − y", latex=r"{sigma}\left({0}\right) - {1:2}", binding=1, sympy=lambda s, z, y: 1 / (1 + s.exp(-z)) - y,
    python="logit_error({0}, {1})", numpy="logit_error({0}, {1})",
)

# fmt: on


def rest(y: Any, x: Any) -> Any:
    """1 - σ(x), with the digits that it loses where y = σ(x) is near 1."""
    return sigmoid(-x) if is_computed(y) else 1 - y


def _swish_slope(y: Any, x: Any) -> Any:
    if not isinstance(x, Node):
        return wide(lambda x: sigmoid(x) * (1 + x * sigmoid(-x)), x)
    s = sigmoid(x)
    return s * (1 + x * sigmoid(-x)) if is_computed(y) else s + y * (1 - s)


def _mish_slope(y: Any, x: Any) -> Any:
    if not isinstance(x, Node):
        return wide(_mish_in_numbers, x)
    s = softplus(x)
    if is_computed(y):  # far out the cosh is too large for a number
        return tanh(s) + x * sigmoid(x) * tanh_slope(s)
    return tanh(s) + x * sigmoid(x) / cosh(s) ** 2


def _mish_in_numbers(x: Any) -> Any:
    s = softplus(x)
    return tanh(s) + x * sigmoid(x) * tanh_slope(s)


def _gelu_rule(x: Any) -> Any:
    """Φ(x) + x φ(x), of which the terms cancel between -2 and 0."""
    whole = normal_cdf(x) + x * normal_pdf(x)
    if isinstance(x, Node) or np.asarray(x).dtype.char in "Og" or not np.any(np.abs(x) < 2):
        return whole
    return np.where(np.abs(x) < 2, wide(_gelu_series, np.clip(x, -2.0, 2.0)), whole)[()]


def _gelu_series(x: Any) -> Any:
    """1/2 + φ(x) (2x + x³/3 + x⁵/15 + ...), to all digits up to 2 (Abramowitz and Stegun 26.2.11)."""
    term, series = x, 2 * x
    for n in range(3, 81, 2):
        term = term * x * x / n
        series = series + term
    return 0.5 + np.exp(-x * x / 2) * series * np.longdouble("0.39894228040143267793994605993438")


def _gelu_tanh(x: Any) -> Any:
    return x * sigmoid(2 * _gelu_inner(x))


def _gelu_tanh_rule(y: Any, x: Any) -> Any:
    if not isinstance(x, Node):
        return wide(_gelu_tanh_in_numbers, x)
    u = _gelu_inner(x)
    return sigmoid(2 * u) + y * sigmoid(-2 * u) * (2 * _gelu_slope(x))


def _gelu_tanh_in_numbers(x: Any) -> Any:
    u = _gelu_inner(x)
    return sigmoid(2 * u) * (1 + x * sigmoid(-2 * u) * (2 * _gelu_slope(x)))


def _root(x: Any) -> Any:
    """√(2/π), with the digits of x."""
    return sqrt(number(2, x) / number(math.pi, x, "pi"))


def _gelu_inner(x: Any) -> Any:
    """√(2/π) (x + 0.044715 x³), the argument of the tanh."""
    return _root(x) * (x + 0.044715 * x**3)


def _gelu_slope(x: Any) -> Any:
    return _root(x) * (1 + 0.134145 * x**2)


def _softmax(x: Array, axis: int) -> Array:
    e = np.exp(
        x - np.max(x, axis=axis, keepdims=True)
    )  # shifting changes nothing but prevents overflow
    return e / np.sum(e, axis=axis, keepdims=True)


def _log_softmax(x: Array, axis: int) -> Array:
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log1p(_rest_of(np.exp(shifted), shifted, axis))


def _logsumexp(x: Array, axis: Any, keepdims: bool) -> Array:
    rows = rows_of(x, axis)
    top = np.max(rows, axis=-1, keepdims=True)
    y = top + np.log1p(_rest_of(np.exp(rows - top), rows, -1))
    return np.reshape(y, reduced(np.shape(x), axis, keepdims))[()]


def _along(x: Any, axis: Any) -> Any:
    """The sum along the axis of a softmax, to be broadcast over it."""
    if len(shape_of(x)) == 1:
        return total(x)
    return total(x, axis=-1 if axis is None else axis, keepdims=True)


def _shares(y: Any, x: Any, axis: Any) -> Any:
    """softmax(x) over the axes that logsumexp took together."""
    shape = shape_of(x)
    if len(shape) == 1 or isinstance(axis, int):
        return softmax(x) if axis is None else softmax(x, axis=axis)
    return exp(x - spread(y, x, axis))
