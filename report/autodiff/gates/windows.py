"""Gates: sliding windows, and what is made of them: convolutions and pools.

A convolution is a sum over windows, as in every framework without turning the kernel (a cross-correlation).
So its rules follow: by the kernel a correlation of the input with what flows back, by the input what flows
back spread over the windows, which is the convolution with the kernel turned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from report.autodiff.gates import index_entries
from report.autodiff.gates.einsum import einsum
from report.autodiff.gates.indexing import index, pad, reshape
from report.autodiff.gates.keys import Key
from report.autodiff.gates.reductions import largest, mean
from report.autodiff.gates.shapes import is_integer, shapes_text
from report.autodiff.gates.table import function, gate, named
from report.autodiff.graph import Array, Shape, shape_of
from report.errors import ReportError


def _windows(x: Array, size: Shape, stride: Shape) -> Array:
    n = len(size)
    view = np.lib.stride_tricks.sliding_window_view(x, size, axis=tuple(range(-n, 0)))
    steps: tuple[Any, ...] = (*(slice(None, None, s) for s in stride), *(slice(None),) * n)
    return np.ascontiguousarray(view[np.index_exp[...] + steps])


def _overlap(w: Array, size: Shape, stride: Shape) -> Array:
    n = len(size)
    out = np.zeros((*np.shape(w)[: -2 * n], *size), dtype=w.dtype)
    for place in np.ndindex(np.shape(w)[-n:]):
        at: tuple[Any, ...] = tuple(
            slice(p, p + s * m, s)
            for p, s, m in zip(place, stride, np.shape(w)[-2 * n : -n], strict=True)
        )
        out[np.index_exp[...] + at] += w[np.index_exp[...] + place]
    return out


def _count(shape: Shape, size: Shape, stride: Shape) -> Shape:
    """How many windows there are along each of the last axes."""
    ends = shape[len(shape) - len(size) :]
    if len(shape) < len(size) or any(k > n for n, k in zip(ends, size, strict=True)):
        raise ReportError(
            f"a window of shape {shapes_text(size)} does not fit into {shapes_text(shape)}"
        )
    return tuple((n - k) // s + 1 for n, k, s in zip(ends, size, stride, strict=True))


# fmt: off

# gates that only definitions and backward passes need; users do not call them
windows = gate(
    "windows", _windows,
    lambda g, y, x, size, stride: overlap(g, size=shape_of(x)[-len(size):], stride=stride),
    shape=lambda x, size, stride: (*x[:len(x) - len(size)], *_count(x, size, stride), *size),
    entry=index_entries.windows, sign="windows", latex=function(named("windows")),
    params={"size": None, "stride": None}, numpy="windows({0}, {size}, {stride})",
)
overlap = gate(
    "overlap", _overlap,
    lambda g, y, w, size, stride: windows(g, size=shape_of(w)[-len(size):], stride=stride),
    shape=lambda w, size, stride: (*w[:len(w) - 2 * len(size)], *size),
    entry=index_entries.overlap, sign="overlap", latex=function(named("overlap")),
    params={"size": None, "stride": None}, numpy="overlap({0}, {size}, {stride})",
)

# fmt: on


def _each(value: Any, n: int, least: int, what: str) -> Shape:
    """An option that is one whole number for all axes, or one for each."""
    given = value if isinstance(value, tuple) else (value,) * n
    if len(given) != n or not all(is_integer(v) and v >= least for v in given):
        raise ReportError(f"{what} is a whole number from {least}, or a tuple of {n} of them")
    return given


def _padded(x: Any, padding: Any, n: int) -> Any:
    ends = _each(padding, n, 0, "padding")
    if not any(ends):
        return x
    return pad(x, pad_width=((0, 0),) * (len(shape_of(x)) - n) + tuple((p, p) for p in ends))


_OUT, _IN = "ijk", "abd"  # labels of places in the result, and in the kernel


def _convolution(n: int) -> Callable[..., Any]:
    """y_{o, i} = Σ_c Σ_a w_{o, c, a} x_{c, s(i − 1) + a} + b_o over n axes, with or without channels and a batch."""

    def convolution(
        x: Any, w: Any, b: Any = None, stride: Any = 1, padding: Any = 0, groups: int = 1
    ) -> Any:
        steps, size = _each(stride, n, 1, "stride"), shape_of(w)[-n:]
        rank = len(shape_of(x)) - n
        out, inner = _OUT[:n], _IN[:n]
        if len(shape_of(w)) == n and rank == 0:
            seen = windows(_padded(x, padding, n), size=size, stride=steps)
            y = einsum(seen, w, subscripts=f"{out}{inner},{inner}->{out}")
            return y if b is None else y + b
        batch = "n" * (rank - 1)
        _check_channels(shape_of(x), shape_of(w), n, groups)
        seen = windows(_padded(x, padding, n), size=size, stride=steps)
        if groups == 1:
            y = einsum(seen, w, subscripts=f"{batch}c{out}{inner},oc{inner}->{batch}o{out}")
        else:
            first, rest = shape_of(seen)[: rank - 1], shape_of(seen)[rank:]
            seen = reshape(seen, shape=(*first, groups, shape_of(w)[1], *rest))
            kernels = reshape(w, shape=(groups, shape_of(w)[0] // groups, *shape_of(w)[1:]))
            y = einsum(
                seen, kernels, subscripts=f"{batch}gc{out}{inner},goc{inner}->{batch}go{out}"
            )
            y = reshape(y, shape=(*first, shape_of(w)[0], *shape_of(y)[len(first) + 2 :]))
        return y if b is None else y + reshape(b, shape=(-1, *(1,) * n))

    return convolution


def _check_channels(x: Shape, w: Shape, n: int, groups: int) -> None:
    if not is_integer(groups) or groups < 1 or len(w) != n + 2 or len(x) not in (n + 1, n + 2):
        raise ReportError(
            f"the input has axes (batch,) channels and {n} more, the kernel output and input channels and "
            f"{n} more, or both have {n} axes only; not {shapes_text(x, w)}"
        )
    if x[-n - 1] != w[1] * groups or w[0] % groups:
        raise ReportError(
            f"{x[-n - 1]} channels of the input do not fit the kernel of shape {shapes_text(w)}"
            + f" in {groups} groups" * (groups > 1)
        )


def _transposed(n: int) -> Callable[..., Any]:
    """Each entry of the input puts a copy of the kernel, times itself, into the result."""

    def transposed(x: Any, w: Any, b: Any = None, stride: Any = 1, padding: Any = 0) -> Any:
        steps, ends = _each(stride, n, 1, "stride"), _each(padding, n, 0, "padding")
        size, rank = shape_of(w)[-n:], len(shape_of(x)) - n
        if rank < 0 or len(size) < n:
            raise ReportError(f"the input and the kernel need {n} axes at least")
        whole = tuple(
            (m - 1) * s + k for m, s, k in zip(shape_of(x)[rank:], steps, size, strict=True)
        )
        out, inner, batch = _OUT[:n], _IN[:n], "n" * (rank - 1)
        if len(shape_of(w)) == n and rank == 0:
            copies = einsum(x, w, subscripts=f"{out},{inner}->{out}{inner}")
        elif (
            len(shape_of(w)) != n + 2 or rank not in (1, 2) or shape_of(x)[-n - 1] != shape_of(w)[0]
        ):
            raise ReportError(
                f"the kernel has axes input and output channels and {n} more; not {shapes_text(shape_of(x), shape_of(w))}"
            )
        else:
            copies = einsum(x, w, subscripts=f"{batch}c{out},co{inner}->{batch}o{out}{inner}")
        y = overlap(copies, size=whole, stride=steps)
        if any(ends):
            y = index(
                y, key=Key((Ellipsis, *(slice(p, m - p) for p, m in zip(ends, whole, strict=True))))
            )
        if b is None:
            return y
        return y + (b if len(shape_of(w)) == n else reshape(b, shape=(-1, *(1,) * n)))

    return transposed


def _pool(n: int, of: Callable[..., Any]) -> Callable[..., Any]:
    """The largest or the mean of each window; by default the windows do not overlap."""

    def pool(x: Any, size: Any = 2, stride: Any = None) -> Any:
        sizes = _each(size, n, 1, "size")
        steps = sizes if stride is None else _each(stride, n, 1, "stride")
        return of(windows(x, size=sizes, stride=steps), axis=tuple(range(-n, 0)))

    return pool


for _n, _x in ((1, "x"), (2, "X")):
    gate(
        f"conv{_n}d",
        definition=_convolution(_n),
        optional=("b",),
        sign=f"conv{_n}d",
        group="convolutions",
        usage=f"conv{_n}d(x, w), conv{_n}d(x, w, b, stride=1, padding=0, groups=1)",
        summary="each window of x times the kernel w, summed; axes (batch, channels,) and places, or places only",
        why="The derivative of an output by a weight is the entry that the weight meets in that window, by an "
        "entry it is that weight: each gets the sum over the windows in which it stands.",
    )
    gate(
        f"conv_transpose{_n}d",
        definition=_transposed(_n),
        optional=("b",),
        sign=f"deconv{_n}d",
        group="convolutions",
        usage=f"conv_transpose{_n}d(x, w), conv_transpose{_n}d(x, w, b, stride=1, padding=0)",
        summary="copies of the kernel, one for each entry of x, added where they overlap",
        why="The gate is linear, the transpose of a convolution: what flows back to the input is that "
        "convolution of the upstream gradient.",
    )
    gate(
        f"max_pool{_n}d",
        definition=_pool(_n, largest),
        sign=f"max_pool{_n}d",
        group="convolutions",
        usage=f"max_pool{_n}d(x, size=2, stride=None)",
        summary="largest entry of each window of the last axes",
        kink=lambda x, size=2, stride=None, n=_n: _has_tie(x, size, stride, n),
        convention="equal largest entries share the gradient evenly",
        why="The slope of the maximum of a window is 1 in its largest entry and 0 in the others.",
    )
    gate(
        f"avg_pool{_n}d",
        definition=_pool(_n, mean),
        sign=f"avg_pool{_n}d",
        group="convolutions",
        usage=f"avg_pool{_n}d(x, size=2, stride=None)",
        summary="mean of each window of the last axes",
        why="The slope of the mean of a window of $n$ entries in each of them is $1/n$.",
    )


def _has_tie(x: Array, size: Any, stride: Any, n: int) -> bool:
    """Whether the largest entry of a window stands there twice."""
    sizes = _each(size, n, 1, "size")
    seen = _windows(x, sizes, sizes if stride is None else _each(stride, n, 1, "stride"))
    rows = seen.reshape(-1, int(np.prod(sizes)))
    return bool(np.any(np.sum(rows == rows.max(axis=1, keepdims=True), axis=1) > 1))
