"""Gates that move entries and change none: reshaping, stretching, joining, indexing, padding.

The backward rule of each is another of them: what was picked is put back, what was stretched is summed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from report.autodiff.form import Form
from report.autodiff.gates import code, index_entries
from report.autodiff.gates.keys import Key, Place
from report.autodiff.gates.shapes import (
    axes_of,
    is_integer,
    joined,
    one_hot_rows,
    padded,
    permuted,
    reshaped,
    shapes_text,
    stacked,
    stretched,
    widths,
)
from report.autodiff.gates.table import POWER, function, gate, named
from report.autodiff.graph import _OPERATORS, Array, Node, OutOfDomain, Shape, constant, shape_of
from report.errors import ReportError

ANY = range(1, 64)  # every argument after the first


def _sum_to(g: Array, shape: Shape) -> Array:
    """Sum over the axes that broadcasting from `shape` added or stretched."""
    extra = np.ndim(g) - len(shape)
    g = np.sum(g, axis=tuple(range(extra))) if extra else g
    over = tuple(i for i, n in enumerate(shape) if n == 1 and np.shape(g)[i] != 1)
    return np.sum(g, axis=over, keepdims=True) if over else g


# fmt: off

# transposes
transpose = gate(
    "transpose", lambda a, axes=None: np.transpose(a, axes)[()],
    lambda g, y, a, axes=None: g.T if axes is None else transpose(g, axes=_inverse(axes, len(axes))),
    entry=index_entries.transpose, shape=permuted, form=Form.TRANSPOSE, order=(0, 9), linear=True, sign="ᵀ", latex=r"{0:5}^{{\top}}", binding=POWER, params={"axes": None},
    variant=lambda shapes, params: turned_by(params.get("axes"), len(shapes[0]), params, "transpose"),
    numpy=code.np_transpose, usage="A.T, transpose(A), transpose(A, (0, 2, 1))",
    group="shapes", summary="rows and columns exchanged, or axes in another order",
    why="The entries only change places: each gradient goes back to the place of its entry.",
    formula=lambda node: "{0}.T" if code.option(node, "axes") is None else f"transpose({{0}}, {code.option(node, 'axes')})",
)
swap_last = gate(
    "swap_last", lambda a: np.swapaxes(a, -1, -2), lambda g, y, a: swap_last(g),
    entry=index_entries.swap_last, shape=lambda a: (*a[:-2], a[-1], a[-2]), form=Form.TRANSPOSE, order=(0, 8), linear=True, sign="ᵀ", latex=r"{0:5}^{{\top}}", binding=POWER,
    numpy="np.swapaxes({0}, -1, -2)", formula="swapaxes({0}, -1, -2)",
)

# shapes
reshape = gate(
    "reshape", lambda x, shape: np.reshape(x, shape)[()],
    lambda g, y, x, shape: reshape(g, shape=shape_of(x)),
    shape=reshaped, entry=index_entries.reshape, form=Form.RESHAPED, linear=True, sign="reshape", latex="{0}", params={"shape": None}, python="{0:flat}",
    numpy=code.np_reshape, usage="reshape(x, (2, 3))", group="shapes",
    summary="the same entries in another shape; one size may be -1",
    why="The entries are the same in another shape, and so are their gradients.",
    formula=code.with_shape("reshape"),
)
broadcast_to = gate(
    "broadcast_to", lambda x, shape: np.broadcast_to(x, shape)[()],
    lambda g, y, x, shape: sum_to(g, shape=shape_of(x)),
    shape=stretched, entry=index_entries.broadcast_to, form=Form.COPIES, order=(1, 7), linear=True, sign="⇉", latex="{0}", params={"shape": None},
    numpy=code.np_broadcast, usage="broadcast_to(x, (2, 3))", group="shapes",
    summary="copies along new axes and along axes of length 1",
    why="Every entry is copied: its gradient is the sum of those of its copies.",
    formula=code.with_shape("broadcast_to"),
)
sum_to = gate(
    "sum_to", _sum_to,
    lambda g, y, x, shape: broadcast_to(g, shape=shape_of(x)),
    shape=lambda x, shape: shape, entry=index_entries.sum_to, form=Form.SUMMED, order=(1, 7), linear=True, sign="Σ", latex=function(named("sum")), params={"shape": None},
    numpy=code.np_sum_to,
)

# joining and padding
concatenate = gate(
    "concatenate", lambda *parts, axis=0: np.concatenate(parts, axis=axis),
    entry=index_entries.concatenate, shape=joined, form=Form.JOINED, sign="concat", latex=r"\left[{0}\;\cdots\right]", params={"axis": 0},
    rule_at=lambda place: lambda g, y, *parts, axis=0: _piece(g, place, parts, axis),
    python=code.joined_lists, numpy=code.of_parts("np.concatenate"), usage="concatenate([a, b], axis=0)",
    group="shapes", summary="tensors one behind the other along an axis",
    why="Each part becomes a piece of the result: its gradient is that piece of the upstream "
    "gradient.",
    formula=code.of_parts("concatenate"),
)
stack = gate(
    "stack", lambda *parts, axis=0: np.stack(parts, axis=axis),
    entry=index_entries.stack, shape=stacked, form=Form.STACKED, sign="stack", latex=r"\left[{0}\;\cdots\right]", params={"axis": 0},
    rule_at=lambda place: lambda g, y, *parts, axis=0: _layer(g, place, parts, axis),
    python=code.list_of_lists, numpy=code.np_stack, usage="stack([a, b], axis=0)", group="shapes",
    summary="tensors of one shape side by side along a new axis",
    why="Each part becomes a layer of the result: its gradient is that layer of the upstream "
    "gradient.",
    formula=code.of_parts("stack"),
)
pad = gate(
    "pad", lambda x, pad_width: np.pad(x, widths(np.shape(x), pad_width)),
    lambda g, y, x, pad_width: index(g, key=_inner(shape_of(x), pad_width)),
    entry=index_entries.pad, shape=padded, sign="pad", latex=function(named("pad")), params={"pad_width": None},
    neutral={"mode": "constant", "constant_values": 0, "value": 0},
    numpy=code.np_pad, usage="pad(x, 1), pad(x, ((0, 0), (1, 2)))",
    group="shapes", summary="zeros put round a tensor",
    why="The zeros are constant: the gradient is the part of the upstream gradient inside them.",
    formula=lambda node: f"pad({{0}}, {code.option(node, 'pad_width')})",
)

# indexing
index = gate(
    "index", lambda x, *indices, key: x[_filled(key, indices)],
    entry=index_entries.index, shape=lambda x, *indices, key: _indexed(x, indices, key), form=Form.PICKED, order=(0, 20), linear=True, sign="[ ]", latex=r"{0:5}\left[\cdot\right]",
    rule_at=lambda place: None if place else _scatter_rule, integers=ANY, params={"key": None},
    domain="an index is a whole number within its axis", numpy=lambda node: f"{{0}}[{_key(node)}]",
    usage="x[0], X[:, 1:3], x[[0, 2]], E[indices]", group="shapes",
    summary="entries picked by position; indices may be an input of whole numbers (embedding look-up)",
    why="The slope is 1 in an entry that was picked and 0 in the others; one that was picked "
    "several times gets the sum.",
    formula=lambda node: f"{{0}}[{code.option(node, 'key')}]",
)

one_hot = gate(
    "one_hot", lambda labels, classes, start=0: np.equal.outer(whole(labels - start, classes), np.arange(classes)) * 1.0, None,
    entry=index_entries.one_hot, shape=one_hot_rows, form=Form.ONE_HOT, roles={0: "label"}, in_numbers=True, shares=True, sign="1-hot", latex=function(named("onehot")), params={"classes": None, "start": 0},
    integers=(0,), domain="a label is a whole number from 0 to the number of classes − 1",
    numpy=lambda node: f"np.eye({code.option(node, 'classes')})[{{0}}{' - 1' * node.option('start')}]",
    usage="one_hot(labels, 3)", group="shapes", summary="a row for each class number, 1 at that place and else 0",
    why="A class number is given, not computed: it has no gradient.",
)

# gates that only backward passes need; users do not call them
scatter = gate(
    "scatter", lambda g, *indices, key, shape: _scatter(g, indices, key, shape),
    entry=index_entries.scatter, shape=lambda g, *indices, key, shape: shape, form=Form.PUT_BACK, order=(1, 5), linear=True, sign="put", latex=function(named("scatter")),
    rule_at=lambda place: None if place else (
        lambda g, y, x, *indices, key, shape: index(g, *indices, key=key)
    ),
    integers=ANY, params={"key": None, "shape": None}, numpy=lambda node: f"scatter({{0}}, {_as_argument(node)}, {node.shape})",
)
# fmt: on


def identity(like: Any) -> Any:
    """The identity matrix with as many rows as x has entries along its last axis."""
    n = shape_of(like)[-1]
    return constant(np.eye(n), name="I") if isinstance(like, Node) else np.eye(n)


def fit_to(g: Any, like: Any) -> Any:
    """A gradient in the shape of the argument that it belongs to."""
    shape = shape_of(like)
    return g if shape_of(g) == shape else sum_to(g, shape=shape)


def turned_by(axes: Any, rank: int, params: dict[str, Any], otherwise: str) -> str:
    """The gate that turns each matrix of a stack, where axes are put in such an order, or another."""
    last = (*range(rank - 2), rank - 1, rank - 2)
    if rank < 3 or not isinstance(axes, tuple) or not all(map(is_integer, axes)):
        return otherwise
    if tuple(a % rank for a in axes) != last:
        return otherwise
    params.clear()
    return "swap_last"


def _inverse(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """The order of axes that undoes another."""
    order = [a % rank for a in axes]
    return tuple(order.index(i) for i in range(rank))


def _piece(g: Any, place: int, parts: Sequence[Any], axis: int) -> Any:
    """The slice of a concatenation that one part fills."""
    (along,) = axes_of(shape_of(parts[0]), axis)
    start = sum(shape_of(p)[along] for p in parts[:place])
    piece = slice(start, start + shape_of(parts[place])[along])
    return index(g, key=Key((*[slice(None)] * along, piece)))


def _layer(g: Any, place: int, parts: Sequence[Any], axis: int) -> Any:
    """The slice of a stack that one part fills."""
    (along,) = axes_of((*shape_of(parts[0]), len(parts)), axis)
    return index(g, key=Key((*[slice(None)] * along, place)))


def _inner(shape: Shape, pad_width: Any) -> Key:
    """What a padded tensor of this shape holds inside the zeros."""
    ends = zip(shape, widths(shape, pad_width), strict=True)
    return Key(slice(before, before + n) for n, (before, _) in ends)


# ---------------------------------------------------------------- indexing


def _key(node: Node) -> str:
    """The key of an index in NumPy; what a program does not hold as whole numbers becomes such."""
    parts = []
    for part in code.option(node, "key"):
        text = str(Key((part,)))
        arg = node.args[part] if isinstance(part, Place) else None
        held = arg is None or arg.is_constant or (arg.is_input and arg.name is not None)
        parts.append(text if held else f"np.asarray({text}, int)")
    return ", ".join(parts)


def _as_argument(node: Node) -> str:
    """The key of an index as a function takes it."""
    key = code.option(node, "key")
    written = _key(node)
    if any(isinstance(part, slice) for part in key):
        return f"np.s_[{written}]"
    return written if len(key) == 1 else f"({written})"


def _filled(key: Key, indices: Sequence[Array]) -> tuple[Any, ...]:
    """A key with the arguments put in, as NumPy takes it."""
    if not indices:
        return tuple(key)
    return tuple(_places(indices[p - 1], p.start) if isinstance(p, Place) else p for p in key)


def _places(indices: Array, start: int) -> Array:
    """Positions that count from `start` as NumPy counts; one below it is none, and not the last."""
    found = whole(indices) - start
    if start and np.any(found < 0):
        raise OutOfDomain(f"positions count from {start} here")
    return found


def whole(indices: Array, size: int | None = None) -> Array:
    """Indices as integers; OutOfDomain when one is not whole, or is not from 0 to size - 1."""
    given = np.asarray(indices)
    if given.dtype == object:  # numbers of more digits, as in `report.autodiff.extended`
        given = given.astype(float)
    whole = given.astype(np.intp)
    bad = given[(whole != given) | ((whole < 0) | (whole >= size) if size is not None else False)]
    if bad.size:
        raise OutOfDomain(f"{bad.flat[0]:.12g} is none")
    return whole


def _indexed(x: Shape, indices: Sequence[Shape], key: Key) -> Shape:
    """The shape that an index gives, found by indexing a tensor that takes no memory.

    Where the axes of index arguments go, NumPy says for arrays of size 1 and of size 2: the axes
    that differ are theirs.
    """
    try:
        together = np.broadcast_shapes(*indices)
    except ValueError:
        raise ReportError(
            f"indices of shapes {shapes_text(*indices)} do not fit together"
        ) from None
    nothing = np.broadcast_to(np.int8(0), x)
    shapes = []
    for size in (1, 2):
        zeros = np.zeros((size,) * len(together), dtype=np.intp)
        try:
            shapes.append(nothing[tuple(zeros if isinstance(p, Place) else p for p in key)].shape)
        except (IndexError, ValueError) as error:
            raise ReportError(f"this does not fit shape {shapes_text(x)}: {error}") from None
    own = iter(together)
    shape = tuple(a if a == b else next(own) for a, b in zip(*shapes, strict=True))
    if math.prod(shape) == 0:
        raise ReportError(f"this picks nothing from shape {shapes_text(x)}")
    return shape


def _scatter_rule(g: Any, y: Any, x: Any, *indices: Any, key: Key) -> Any:
    return scatter(g, *indices, key=key, shape=shape_of(x))


def _scatter(g: Array, indices: Sequence[Array], key: Key, shape: Shape) -> Array:
    """Zeros with g added at the places of an index."""
    out = np.zeros(shape, dtype=np.asarray(g).dtype)
    if indices:
        np.add.at(out, _filled(key, indices), g)
    else:
        out[tuple(key)] = g
    return out


_OPERATORS.update(transpose=transpose, sum_to=sum_to)
