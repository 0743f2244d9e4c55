"""Functions made of gates, and how a gate takes more shapes than its row, by way of others.

Each is a function of `apply(gate's name, *nodes, **options)`, and returns the node.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from report.autodiff.gates.shapes import axes_of, broadcast
from report.autodiff.graph import CONSTANT, Node, constant
from report.errors import ReportError

Apply = Callable[..., Node]


def dot(apply: Apply, name: str, a: Node, b: Node) -> Node:
    """A product of matrices, or of a number, where one of the two is one."""
    if not a.shape or not b.shape:
        return apply("multiply", a, b)
    flat = len(a.shape) == len(b.shape) == 1 or max(len(a.shape), len(b.shape)) > 2
    return apply(name if flat else "matmul", a, b)


def inner(apply: Apply, a: Node, b: Node) -> Node:
    """The inner product; of a number, the product."""
    return apply("dot", a, b) if a.shape and b.shape else apply("multiply", a, b)


def kron(apply: Apply, name: str, a: Node, b: Node) -> Node:
    """Of two vectors the outer product laid out in a row."""
    if not a.shape or not b.shape:
        return apply("multiply", a, b)
    if len(a.shape) == len(b.shape) == 1:
        return apply("reshape", apply("outer", a, b), shape=(-1,))
    rows = (apply("reshape", x, shape=(1, -1)) if len(x.shape) == 1 else x for x in (a, b))
    return apply(name, *rows)


def outer(apply: Apply, name: str, *args: Node) -> Node:
    """Columns and rows are vectors as well."""
    flat = (
        ravel(apply, x) if len(x.shape) > 1 and max(x.shape) == math.prod(x.shape) else x
        for x in args
    )
    return apply(name, *flat)


def cumsum(apply: Apply, name: str, x: Node, axis: Any = None) -> Node:
    """Without an axis, of all entries in a row."""
    if axis is not None:
        return apply(name, x, axis=axis)
    return apply(name, x if len(x.shape) == 1 else ravel(apply, x))


def loss(
    apply: Apply, name: str, p: Node, y: Node, *, reduction: Any = "mean", **options: Any
) -> Node:
    """A mean loss of two, of which one may be spread over the entries of the other; or the sum."""
    if reduction not in ("mean", "sum"):
        raise ReportError("reduction is 'mean' or 'sum'; a loss is a single number")
    if p.shape != y.shape:
        whole = broadcast(p.shape, y.shape)
        if whole in (p.shape, y.shape):
            p, y = (_spread(apply, x, whole) for x in (p, y))
    whole_loss = apply(name, p, y, **options)
    if reduction == "mean":
        return whole_loss
    return apply("multiply", constant(max(math.prod(p.shape), math.prod(y.shape))), whole_loss)


def _spread(apply: Apply, x: Node, shape: tuple[int, ...]) -> Node:
    if x.shape == shape:
        return x
    if x.gate is CONSTANT and x.name is None:
        return constant(np.broadcast_to(x.value, shape).copy())
    return apply("broadcast_to", x, shape=shape)


def ravel(apply: Apply, x: Node) -> Node:
    """All entries in a row."""
    return apply("reshape", x, shape=(-1,))


def vstack(apply: Apply, *parts: Node) -> Node:
    """Vectors become rows."""
    if all(len(part.shape) == 1 for part in parts):
        return apply("stack", *parts)
    rows = (apply("reshape", x, shape=(1, -1)) if len(x.shape) == 1 else x for x in parts)
    return apply("concatenate", *rows)


def hstack(apply: Apply, *parts: Node) -> Node:
    """Vectors one behind the other, matrices side by side."""
    if not parts[0].shape:
        return apply("stack", *parts)
    return apply("concatenate", *parts, axis=int(len(parts[0].shape) > 1))


def eye(apply: Apply, shape: Any) -> Node:
    """The identity matrix."""
    made = apply("diag", filled(1)(apply, shape))  # for its checks
    return constant(np.eye(made.shape[0]), name="I")


def filled(value: float) -> Apply:
    """An array of one number, of a shape."""
    return lambda apply, shape: apply("broadcast_to", constant(value), shape=shape)


def filled_like(value: float) -> Apply:
    """An array of one number, of the shape of another."""
    return lambda apply, x: constant(np.full(x.shape, value))


def counted(apply: Apply, shape: Any) -> Node:
    """0, 1, 2, ... as NumPy's arange(3)."""
    return constant(np.arange(math.prod(apply("broadcast_to", constant(0), shape=shape).shape)))


def size(apply: Apply, x: Node, axis: Any = None) -> Node:
    """How many entries a value has, or how many along an axis: a number."""
    if axis is None:
        return constant(math.prod(x.shape))
    return constant(math.prod(x.shape[i] for i in axes_of(x.shape, axis)))


def length(apply: Apply, x: Node) -> Node:
    """How many entries or rows a value has, as Python's len."""
    if not x.shape:
        raise ReportError("a single number has no length")
    return constant(x.shape[0])


def linear(apply: Apply, x: Node, w: Node, b: Node | None = None) -> Node:
    """PyTorch's linear layer: x Wᵀ + b of a row or rows."""
    product = (
        apply("matmul", w, x) if len(x.shape) == 1 else apply("matmul", x, apply("transpose", w))
    )
    return product if b is None else apply("add", product, b)


def bars(apply: Apply, x: Node) -> Node:
    """|x|, which of a square matrix can mean its determinant."""
    if len(x.shape) == 2 and x.shape[0] == x.shape[1] > 1:
        raise ReportError(
            "bars round a square matrix can be read as its determinant, det(A), or entry by entry, abs(A); write one of them"
        )
    return apply("abs", x)


def einsum(apply: Apply, name: str, *args: Node, subscripts: Any) -> Node:
    """Three dots stand for the axes that have no letter, which are the same in all operands."""
    if isinstance(subscripts, str) and "..." in subscripts:
        left, arrow, right = subscripts.replace(" ", "").partition("->")
        terms = left.split(",")
        more = max(
            (len(x.shape) - len(t) + 3 for t, x in zip(terms, args, strict=False) if "..." in t),
            default=0,
        )
        spare = [c for c in "ZYXWVUTSRQPONM" if c not in subscripts][: max(more, 0)]
        for place, (term, x) in enumerate(zip(terms, args, strict=False)):
            own = len(x.shape) - len(term) + 3
            terms[place] = term.replace(
                "...", "".join(spare[len(spare) - own :] if own > 0 else "")
            )
        if not arrow:
            known = "".join(terms)
            right = "..." + "".join(
                sorted(c for c in set(known) - set(spare) if known.count(c) == 1)
            )
        subscripts = f"{','.join(terms)}->{right.replace('...', ''.join(spare))}"
    return apply(name, *args, subscripts=subscripts)
