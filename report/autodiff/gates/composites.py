"""Gates that courses and papers name and that are made of simpler ones: normalisation, attention, losses.

Each is its definition: forward function, shape, rules, index form and code are read from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from report.autodiff.gates import index_entries
from report.autodiff.gates.activations import log_softmax, relu, sigmoid, softmax, softplus
from report.autodiff.gates.algebra import dot, norm
from report.autodiff.gates.arithmetic import square, where
from report.autodiff.gates.by_definition import number
from report.autodiff.gates.functions import sqrt
from report.autodiff.gates.indexing import (
    concatenate,
    index,
    one_hot,
    reshape,
    transpose,
    turned_by,
)
from report.autodiff.gates.keys import Key, Place
from report.autodiff.gates.reductions import mean, prod, total, var
from report.autodiff.gates.shapes import axes_of, class_labels, is_integer, shapes_text
from report.autodiff.gates.table import gate
from report.autodiff.graph import Shape, shape_of
from report.errors import ReportError

# ---------------------------------------------------------------- normalisation


def _unit(x: Any, axis: Any) -> Any:
    """x divided by its length: of two of these a product is never too large or small, as of lengths."""
    return x / (norm(x) if len(shape_of(x)) == 1 else norm(x, axis=axis, keepdims=True))


def _inner(a: Any, b: Any, axis: Any = None) -> Any:
    """The inner product of two vectors, or of all those along an axis."""
    return dot(a, b) if len(shape_of(a)) == len(shape_of(b)) == 1 else total(a * b, axis=axis)


def _scaled(x: Any, gamma: Any, beta: Any) -> Any:
    x = x if gamma is None else x * gamma
    return x if beta is None else x + beta


def _standardised(x: Any, axis: Any, eps: Any) -> Any:
    """Mean 0 and variance 1 along axes, but for eps, which keeps the root from 0."""
    centred = x - mean(x, axis=axis, keepdims=True)
    return centred / sqrt(var(x, axis=axis, keepdims=True) + eps)


def _by_channel(p: Any, x: Any) -> Any:
    """A number for each channel, ready to multiply x with axes batch, channels and places."""
    rank = len(shape_of(x))
    return p if p is None or rank == 2 else reshape(p, shape=(-1, *(1,) * (rank - 2)))


def _batch_norm(x: Any, gamma: Any = None, beta: Any = None, eps: float = 1e-5) -> Any:
    rank = len(shape_of(x))
    if rank < 2:
        raise ReportError(
            f"axes batch, channels and more are needed, not shape {shapes_text(shape_of(x))}"
        )
    axis = 0 if rank == 2 else (0, *range(2, rank))
    return _scaled(_standardised(x, axis, eps), _by_channel(gamma, x), _by_channel(beta, x))


def _group_norm(
    x: Any, gamma: Any = None, beta: Any = None, groups: Any = None, eps: float = 1e-5
) -> Any:
    shape = shape_of(x)
    if len(shape) < 2 or not is_integer(groups) or groups < 1 or shape[1] % groups:
        raise ReportError(
            f"{groups} groups do not share the axis 1 (channels) of shape {shapes_text(shape)}"
        )
    parts = reshape(x, shape=(shape[0], groups, -1))
    whole = reshape(_standardised(parts, -1, eps), shape=shape)
    return _scaled(whole, _by_channel(gamma, x), _by_channel(beta, x))


# ---------------------------------------------------------------- attention, moved entries


def _attention(q: Any, k: Any, v: Any, mask: Any = None, is_causal: bool = False) -> Any:
    """softmax(q kᵀ / √d) v; where the mask is 0 a score is so low that nothing is attended to."""
    rank = len(shape_of(k))
    if min(rank, len(shape_of(q)), len(shape_of(v))) < 2:
        raise ReportError(
            f"queries, keys and values are matrices, not shapes {shapes_text(shape_of(q), shape_of(k), shape_of(v))}"
        )
    d = shape_of(k)[-1]
    turned = k.T if rank == 2 else transpose(k, axes=(*range(rank - 2), rank - 1, rank - 2))
    scores = q @ turned / sqrt(number(d, k))
    if is_causal:
        scores = where(np.tril(np.ones(shape_of(scores)[-2:])), scores, -1e9)
    if mask is not None:
        scores = where(mask, scores, -1e9)
    return softmax(scores) @ v


def _triangle(x: Any, k: int, keep: Any) -> Any:
    shape = shape_of(x)
    if len(shape) < 2:
        raise ReportError(f"a matrix is needed, not shape {shapes_text(shape)}")
    return x * keep(np.ones(shape[-2:]), k)


def _gather(x: Any, positions: Any, axis: int = 0) -> Any:
    """x at the positions along an axis, and at its own place along the others."""
    shape = shape_of(positions)
    (along,) = axes_of(shape_of(x), axis)
    if len(shape) != len(shape_of(x)):
        raise ReportError(
            f"as many axes are needed as x has, not shapes {shapes_text(shape_of(x), shape)}"
        )
    grid = np.indices(shape).astype(float)
    places = [positions if i == along else grid[i] for i in range(len(shape))]
    return index(x, *places, key=Key(Place(i + 1) for i in range(len(shape))))


def _cumprod(x: Any, axis: Any = None) -> Any:
    """Each entry is the product of those up to it, the others in its row being 1."""
    shape = shape_of(x)
    if axis is None and len(shape) != 1:
        raise ReportError(f"an axis is needed for shape {shapes_text(shape)}, such as axis=0")
    (along,) = axes_of(shape, 0 if axis is None else axis)
    n = shape[along]
    if n == 1:
        return index(x, key=Key([slice(None)] * len(shape)))
    rows = reshape(x, shape=(*shape[: along + 1], 1, *shape[along + 1 :]))  # x_k in row k, column i
    upto = np.reshape(np.triu(np.ones((n, n))), (n, n, *(1,) * (len(shape) - along - 1)))
    return prod(
        where(np.broadcast_to(upto, (*shape[: along + 1], n, *shape[along + 1 :])), rows, 1.0),
        axis=along,
    )


def _flip(x: Any, axis: Any = None) -> Any:
    axes = axes_of(shape_of(x), axis)
    back, whole = slice(None, None, -1), slice(None)
    return index(x, key=Key(back if i in axes else whole for i in range(len(shape_of(x)))))


def _roll(x: Any, shift: Any = 1, axis: Any = None) -> Any:
    shape = shape_of(x)
    if axis is None and len(shape) != 1:
        raise ReportError(f"an axis is needed for shape {shapes_text(shape)}, such as axis=0")
    if not is_integer(shift):
        raise ReportError("shift is a whole number")
    (along,) = axes_of(shape, 0 if axis is None else axis)
    n = shape[along]
    if shift % n == 0:
        return index(x, key=Key([slice(None)] * len(shape)))
    ends = slice(n - shift % n, None), slice(None, n - shift % n)
    parts = (index(x, key=Key((*[slice(None)] * along, end))) for end in ends)
    return concatenate(*parts, axis=along)


def _swapaxes(x: Any, axis1: Any = 0, axis2: Any = 1) -> Any:
    order = list(range(len(shape_of(x))))
    (i,), (j,) = axes_of(shape_of(x), axis1), axes_of(shape_of(x), axis2)
    order[i], order[j] = j, i
    return transpose(x, axes=tuple(order))


def _variant_of_swapaxes(shapes: Sequence[Shape], params: dict[str, Any]) -> str:
    rank = len(shapes[0])
    (i,), (j,) = (axes_of(shapes[0], params.get(f"axis{n + 1}", n)) for n in (0, 1))
    order = [{i: j, j: i}.get(a, a) for a in range(rank)]
    return turned_by(tuple(order), rank, params, "swapaxes")


def _squeeze(x: Any, axis: Any = None) -> Any:
    axes = axes_of(shape_of(x), axis)
    return reshape(x, shape=tuple(n for i, n in enumerate(shape_of(x)) if n != 1 or i not in axes))


def _expand_dims(x: Any, axis: Any = 0) -> Any:
    shape = (*shape_of(x), 1)
    (at,) = axes_of(shape, axis)
    return reshape(x, shape=(*shape[:at], 1, *shape[at:-1]))


# ---------------------------------------------------------------- losses


def _smoothed(z: Any, labels: Any, label_smoothing: Any) -> Any:
    n = shape_of(z)[-1]
    return (1 - label_smoothing) * one_hot(labels, classes=n) + label_smoothing / n


def _cross_entropy_smoothed(z: Any, labels: Any, label_smoothing: float = 0.0) -> Any:
    rows = total(_smoothed(z, labels, label_smoothing) * log_softmax(z), axis=-1)
    return -(mean(rows) if shape_of(rows) else rows)


def _focal(z: Any, y: Any, alpha: float = 0.25, gamma: float = 2.0) -> Any:
    """Binary cross-entropy with logits, weighted by (1 - p)^gamma, p the probability of what is true."""
    shares = {0.0: 1 - y, 1.0: y}
    share = shares[alpha] if alpha in shares else alpha * y + (1 - alpha) * (1 - y)
    missed = y * sigmoid(-z) + (1 - y) * sigmoid(z)
    weight = share if gamma == 0 else share * missed**gamma
    return mean(weight * (y * softplus(-z) + (1 - y) * softplus(z)))


def _dice(p: Any, y: Any, smooth: float = 1.0) -> Any:
    return 1 - (2 * _inner(p, y) + smooth) / (total(p) + total(y) + smooth)


def _triplet(a: Any, p: Any, n: Any, margin: float = 1.0) -> Any:
    rows = relu(norm(a - p, axis=-1) - norm(a - n, axis=-1) + margin)
    return mean(rows) if shape_of(rows) else rows


# fmt: off

# normalisation
gate(
    "normalize", definition=lambda x, axis=-1: _unit(x, axis),
    sign="normalize", usage="normalize(x), normalize(X, axis=0)", group="normalisation",
    summary="x divided by its L2 norm along an axis (the last)", domain="x must not be 0",
    why=r"With $\mathbf{y} = \mathbf{x}/\|\mathbf{x}\|$ the quotient rule gives $\partial y_i/\partial "
    r"x_j = (\delta_{ij} - y_i y_j)/\|\mathbf{x}\|$.",
)
gate(
    "cosine_similarity", opened=True, definition=lambda a, b, axis=-1: _inner(_unit(a, axis), _unit(b, axis), axis),
    sign="cos", latex=r"\operatorname{{cossim}}\left({0}, {1}\right)", usage="cosine_similarity(a, b)",
    group="normalisation", summary="inner product divided by both lengths, along an axis (the last)",
    domain="neither vector may be 0",
    why=r"With $c = \mathbf{a}^{\top} \mathbf{b}/(\|\mathbf{a}\| \, \|\mathbf{b}\|)$ the quotient rule "
    r"gives $\partial c/\partial \mathbf{a} = (\mathbf{b}/\|\mathbf{b}\| - c \, "
    r"\mathbf{a}/\|\mathbf{a}\|)/\|\mathbf{a}\|$, and the same for $\mathbf{b}$.",
)
gate(
    "rms_norm", opened=True, torch_order=("x", "", "gamma", "eps"), definition=lambda x, gamma=None, axis=-1, eps=1e-5:
    _scaled(x / sqrt(mean(square(x), axis=axis, keepdims=True) + eps), gamma, None), optional=("gamma",),
    sign="RMSNorm", usage="rms_norm(x), rms_norm(x, gamma, axis=-1, eps=1e-5)", group="normalisation",
    summary="x divided by the root of its mean square along an axis, times gamma",
    why=r"With $\hat{x}_i = x_i/r$, where $r$ is the root of the mean of $x_k^2$ plus $\varepsilon$ "
    r"over $n$ entries, the quotient rule gives $\partial \hat{x}_i/\partial x_j = (\delta_{ij} - "
    r"\hat{x}_i \hat{x}_j/n)/r$.",
)
gate(
    "layer_norm", opened=True, torch_order=("x", "", "gamma", "beta", "eps"), definition=lambda x, gamma=None, beta=None, axis=-1, eps=1e-5:
    _scaled(_standardised(x, axis, eps), gamma, beta), optional=("gamma", "beta"),
    sign="LayerNorm", usage="layer_norm(x), layer_norm(x, gamma, beta, axis=-1, eps=1e-5)", group="normalisation",
    summary="mean 0 and variance 1 along an axis, then times gamma plus beta",
    why=r"With $\hat{x}_i = (x_i - m)/s$, where $m$ is the mean and $s$ the root of variance plus "
    r"$\varepsilon$ of the $n$ entries, $\partial \hat{x}_i/\partial x_j = (\delta_{ij} - 1/n - "
    r"\hat{x}_i \hat{x}_j/n)/s$.",
)
gate(
    "batch_norm", opened=True, definition=_batch_norm, optional=("gamma", "beta"),
    sign="BatchNorm", usage="batch_norm(x), batch_norm(x, gamma, beta, eps=1e-5)", group="normalisation",
    summary="mean 0 and variance 1 of each channel (axis 1) over the batch, then times gamma plus beta",
    why=r"With $\hat{x}_i = (x_i - m)/s$, where $m$ is the mean and $s$ the root of variance plus "
    r"$\varepsilon$ of the $n$ entries of a channel, $\partial \hat{x}_i/\partial x_j = "
    r"(\delta_{ij} - 1/n - \hat{x}_i \hat{x}_j/n)/s$.",
)
gate(
    "group_norm", opened=True, torch_order=("x", "groups", "gamma", "beta", "eps"), definition=_group_norm, optional=("gamma", "beta"),
    sign="GroupNorm", usage="group_norm(x, gamma, beta, groups=2, eps=1e-5), group_norm(x, groups=2)",
    group="normalisation", summary="mean 0 and variance 1 of each group of channels of an example",
    why=r"With $\hat{x}_i = (x_i - m)/s$, where $m$ is the mean and $s$ the root of variance plus "
    r"$\varepsilon$ of the $n$ entries of a group, $\partial \hat{x}_i/\partial x_j = (\delta_{ij} "
    r"- 1/n - \hat{x}_i \hat{x}_j/n)/s$.",
)

# attention
gate(
    "scaled_dot_product_attention", opened=True, definition=_attention, optional=("mask",), integers=(3,), roles={3: "mask"},
    sign="attention", usage="scaled_dot_product_attention(q, k, v), attention(q, k, v, mask, is_causal=False)",
    group="normalisation", summary="softmax(q kᵀ / √d) v; where the mask is 0 nothing is attended to",
    why=r"The output is $\mathbf{A} \mathbf{V}$ with $\mathbf{A} = \operatorname{softmax}(\mathbf{Q} "
    r"\mathbf{K}^{\top}/\sqrt{d})$: the gradient of $\mathbf{V}$ is $\mathbf{A}^{\top}$ times the "
    r"upstream gradient, those of $\mathbf{Q}$ and $\mathbf{K}$ come through the softmax.",
)

# moved entries
gate(
    "tril", definition=lambda x, k=0: _triangle(x, k, np.tril), entry=index_entries.triangle(is_lower=True),
    sign="tril", usage="tril(X), tril(X, k=-1)", group="shapes", summary="lower triangle; 0 above diagonal k",
    why="The slope is 1 in an entry that is kept and 0 in one that becomes 0.",
)
gate(
    "triu", definition=lambda x, k=0: _triangle(x, k, np.triu), entry=index_entries.triangle(is_lower=False),
    sign="triu", usage="triu(X), triu(X, k=1)", group="shapes", summary="upper triangle; 0 below diagonal k",
    why="The slope is 1 in an entry that is kept and 0 in one that becomes 0.",
)
gate(
    "gather", torch_order=("x", "axis", "positions"), definition=_gather, integers=(1,), roles={1: "index"}, entry=index_entries.gather,
    domain="an index is a whole number within its axis", sign="gather", usage="gather(x, positions, axis=1)",
    group="shapes", summary="entries of x at the positions along an axis (take_along_axis)",
    why="The slope is 1 in an entry that was picked and 0 in the others; one that was picked several "
    "times gets the sum.",
)
gate(
    "cumprod", definition=_cumprod, entry=index_entries.cumprod, sign="cumprod",
    usage="cumprod(x), cumprod(X, axis=0)", group="reductions", summary="running product along an axis",
    why="The derivative of a product by one factor is the product of all the others; an entry gets "
    "the sum over its own product and every later one.",
)
gate(
    "flip", definition=_flip, sign="flip", usage="flip(x), flip(X, axis=0)", group="shapes",
    summary="entries in the other order, along all axes or some",
    why="The entries only change places: each gradient goes back to the place of its entry.",
)
gate(
    "roll", definition=_roll, sign="roll", usage="roll(x, shift=1), roll(X, shift=1, axis=0)", group="shapes",
    summary="entries moved on by some places along an axis, the last ones to the front",
    why="The entries only change places: each gradient goes back to the place of its entry.",
)
gate(
    "swapaxes", definition=_swapaxes, variant=_variant_of_swapaxes, sign="swapaxes", usage="swapaxes(X, axis1=0, axis2=1)", group="shapes",
    summary="two axes exchanged", why="The entries only change places: each gradient goes back to the place of its entry.",
)
gate(
    "squeeze", definition=_squeeze, sign="squeeze", usage="squeeze(x), squeeze(x, axis=0)", group="shapes",
    summary="axes of length 1 taken away", why="The entries are the same in another shape, and so are their gradients.",
)
gate(
    "expand_dims", definition=_expand_dims, sign="expand", usage="expand_dims(x, axis=0)", group="shapes",
    summary="a new axis of length 1", why="The entries are the same in another shape, and so are their gradients.",
)
gate(
    "masked_fill", definition=lambda x, mask, value=0.0: where(mask, value, x), integers=(1,), roles={1: "mask"},
    sign="fill", usage="masked_fill(x, mask, value=0.0)", group="choices",
    summary="x, but a number where the mask is 1",
    why="The slope is 1 where $x$ stayed and 0 where a number was filled in.",
)
gate(
    "stop_gradient", lambda x: x, None, shape=lambda x: x, entry=index_entries.same,
    sign="stop", usage="stop_gradient(x), also detach(x)", group="choices", held=True,
    summary="x, taken as given: nothing flows back", numpy="{0}",
    why="What stands here is taken as constant: nothing flows back through it.",
)

# losses
gate(
    "cross_entropy_smoothed", None,
    lambda g, v, z, labels, label_smoothing=0.0:
    g * ((softmax(z) - _smoothed(z, labels, label_smoothing)) / max(1, math.prod(shape_of(z)[:-1]))), None,
    definition=_cross_entropy_smoothed, shape=lambda z, k, label_smoothing=0.0: class_labels(z, k), integers=(1,),
    roles={1: "label"}, family="cross_entropy", sign="CE", usage="cross_entropy(z, labels, label_smoothing=0.1)",
    formula="cross_entropy({0}, {1}, label_smoothing={label_smoothing})",
    group="losses", domain="a label is a whole number from 0 to the number of classes − 1",
    summary="cross-entropy to (1 − s)·onehot(label) + s/classes",
    why=r"The derivative by $z_i$ is $p_i - t_i$, where $\mathbf{p} = "
    r"\operatorname{softmax}(\mathbf{z})$ and $\mathbf{t}$ is the smoothed target, whose entries "
    r"add up to 1.",
)
gate(
    "focal", opened=True, definition=_focal, sign="focal", usage="focal(z, y, alpha=0.25, gamma=2.0)", group="losses",
    latex=r"\operatorname{{focal}}\left({0}, {1}\right)",
    summary="mean of the binary cross-entropy of sigmoid(z), weighted by alpha and (1 − p)^gamma, p the probability of y",
    why=r"With $p$ the probability of the right answer, the derivative of $-(1 - p)^{\gamma} \log p$ "
    r"by $p$ is $\gamma (1 - p)^{\gamma - 1} \log p - (1 - p)^{\gamma}/p$.",
)
gate(
    "dice", opened=True, definition=_dice, sign="Dice", usage="dice(p, y, smooth=1.0)", group="losses",
    summary="1 − (2·sum(p·y) + smooth) / (sum(p) + sum(y) + smooth)",
    why=r"The value is $1 - (2 \sum_k p_k y_k + c)/(\sum_k p_k + \sum_k y_k + c)$: the quotient rule "
    r"has one sum above and one below.",
)
gate(
    "triplet_margin", opened=True, definition=_triplet, sign="triplet", usage="triplet_margin(a, p, n, margin=1.0)",
    group="losses", summary="mean of max(0, ‖a − p‖ − ‖a − n‖ + margin) over rows",
    kink=lambda a, p, n, margin=1.0: np.any(
        (np.linalg.norm(a - p, axis=-1) - np.linalg.norm(a - n, axis=-1) + margin == 0)
        | np.all(a == p, axis=-1) | np.all(a == n, axis=-1)),
    convention="gradient 0 where the bracket is 0, and of a distance of 0",
    why="Where the loss is positive its slope is that of the distance to the positive example less "
    "that of the distance to the negative one; elsewhere it is 0.",
)
# fmt: on
