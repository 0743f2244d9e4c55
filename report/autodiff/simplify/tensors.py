"""Identities of gates that mix or move entries: what is linear, products of matrices, pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from report.autodiff.gates.shapes import axes_of, reduced
from report.autodiff.graph import INPUT, Gate, Node, constant, make
from report.autodiff.simplify.constants import factored, is_coefficient, is_filled, is_number
from report.autodiff.simplify.nodes import (
    applied,
    gate_named,
    is_identity,
    number_of_ones,
    parent,
    stretched,
)

# ---------------------------------------------------------------- linear gates


def _linear(row: Gate, a: Node, *others: Node, **params: Any) -> Node | None:
    """Signs and numbers go in front of a gate that is linear in its first argument."""
    outside = _outside(a)
    if outside is None:
        return None
    rest, back = outside
    return back(applied(row, rest, *others, **params))


def _outside(x: Node) -> tuple[Node, Callable[[Node], Node]] | None:
    """x without its scalar factors, and what puts them before something else; None without any.

    What has a name stays what it is called.
    """
    c, rest = factored(x)
    if rest is not x and rest.shape == x.shape:
        return rest, lambda y: c * y
    number = number_of_ones(x)
    if number is not None and not is_number(number, 1) and not is_number(number, 0):
        return constant(np.ones(x.shape)), lambda y: number * y
    if not x.shape or x.value is not None or x.name is not None:
        return None
    if x.gate.name == "multiply" and not x.args[0].shape and x.args[1].shape == x.shape:
        return x.args[1], lambda y: x.args[0] * y
    if x.gate.name in ("divide", "ratio") and not x.args[1].shape and x.args[0].shape == x.shape:
        return x.args[0], lambda y: applied(x.gate, y, x.args[1])
    return None


def _of_ones(row: Gate, a: Node, **params: Any) -> Node | None:
    """A gate that adds, moves or copies entries that are all the same number."""
    c = number_of_ones(a)
    if c is None:
        return None
    y = make(row, (constant(np.ones(a.shape)),), params)
    count = np.asarray(y.value)
    if count.size and np.ptp(count) == 0:
        return stretched(c * constant(count.flat[0]), y.shape)
    return None


def _sum(row: Gate, a: Node, axis: Any = None, keepdims: bool = False) -> Node | None:
    params = {
        k: v
        for k, v in (("axis", axis), ("keepdims", keepdims))
        if v is not None and v is not False
    }
    if parent("multiply", a) and not params and [len(x.shape) for x in a.args] == [1, 1]:
        return applied(gate_named("dot"), *a.args) if a.args[0].shape == a.args[1].shape else None
    if parent("add", a) or parent("subtract", a):  # what is put back is added up where it came from
        put_back = any(factored(x)[1].gate.name == "scatter" or _is_unit(x) for x in a.args)
        if put_back and not params and all(x.shape == a.shape for x in a.args):
            return applied(a.gate, *(applied(row, x) for x in a.args))
    if _is_one_hot_rows(a) and axes_of(a.shape, axis) == (len(a.shape) - 1,):
        return constant(np.ones(reduced(a.shape, axis, keepdims)))
    if a.gate.name == "scatter" and axis is None and not keepdims:
        return applied(row, a.args[0]) if a.args[0].shape else a.args[0]
    return _linear(row, a, **params) or _of_ones(row, a, **params) or _weighted(row, a, params)


def _is_unit(x: Node) -> bool:
    """Whether x is a number in one place."""
    return parent("multiply", x) and not x.args[0].shape and x.args[1].gate.name == "scatter"


def _is_one_hot_rows(a: Node) -> bool:
    """Whether the entries of a along its last axis add up to 1."""
    return a.gate.name == "one_hot"


def _weighted(row: Gate, a: Node, params: dict[str, Any]) -> Node | None:
    """The sum of (x + c) p over probabilities p that add up to 1 is that of x p, plus c."""
    if not parent("multiply", a) or a.args[0].shape != a.shape:
        return None
    for x, p in (a.args, a.args[::-1]):
        if parent("add", x) and is_coefficient(x.args[1]) and _adds_up_to_one(p, params):
            return applied(row, x.args[0] * p, **params) + x.args[1]
    return None


def _adds_up_to_one(p: Node, params: dict[str, Any]) -> bool:
    """Whether p is a softmax along just the axis of a sum."""
    if not parent("softmax", p):
        return False
    axes = [axes_of(p.shape, d.get("axis")) for d in ({"axis": -1, **p.params}, params)]
    return axes[0] == axes[1]


def _mean(row: Gate, a: Node, **params: Any) -> Node | None:
    return _linear(row, a, **params) or _of_ones(row, a, **params)


def _same_shape(row: Gate, a: Node, shape: tuple[int, ...]) -> Node | None:
    """broadcast_to, sum_to and reshape that change nothing."""
    if a.shape == shape:
        return a
    if is_filled(a, 0):
        return constant(np.zeros(shape))
    if row.name in ("reshape", "broadcast_to") and parent(row.name, a):
        return applied(row, a.args[0], shape=shape)
    if row.name == "sum_to" and _is_one_hot_rows(a) and shape == (*a.shape[:-1], 1):
        return constant(np.ones(shape))
    if row.name == "sum_to" and parent("outer", a) and shape == a.shape[1:]:
        return applied(gate_named("sum"), a.args[0]) * a.args[1]
    if row.name == "sum_to" and not shape and len(a.shape) == 1 and parent("multiply", a):
        return applied(gate_named("sum"), a)
    if row.name == "sum_to" and a.gate.name in ("multiply", "divide", "ratio") and a.value is None:
        x, y = a.args
        if y.shape == shape and x.shape == a.shape:  # the same for all that are added up
            return applied(a.gate, applied(row, x, shape=shape), y)
        if a.gate.name == "multiply" and x.shape == shape and y.shape == a.shape:
            return applied(a.gate, x, applied(row, y, shape=shape))
    return _linear(row, a, shape=shape) or _of_ones(row, a, shape=shape)


def _diag(row: Gate, a: Node) -> Node | None:
    """diag(diag(v)) = v, but not of a matrix, which loses what is off the diagonal."""
    if parent("diag", a) and len(a.shape) == 2:
        return a.args[0]
    if parent("outer", a):
        return a.args[0] * a.args[1] if a.shape[0] == a.shape[1] else None
    return _linear(row, a)


def _reverse_cumsum(row: Gate, a: Node, axis: Any = None) -> Node | None:
    return _linear(row, a, **({} if axis is None else {"axis": axis}))


# ---------------------------------------------------------------- products of matrices


def _transpose(row: Gate, a: Node, axes: tuple[int, ...] | None = None) -> Node | None:
    """(Aᵀ)ᵀ = A, Iᵀ = I, (x yᵀ)ᵀ = y xᵀ, and of a product that a rule made (A B)ᵀ = Bᵀ Aᵀ."""
    if axes is not None:
        if axes == tuple(range(len(axes))):
            return a
        if parent("transpose", a) and a.params.get("axes") is not None:
            inner = [i % len(axes) for i in a.params["axes"]]
            return applied(row, a.args[0], axes=tuple(inner[i] for i in axes))
        return _linear(row, a, axes=axes)
    if (parent(row.name, a) and not a.params) or is_identity(a):
        return a.args[0] if a.args else a
    if (row.name == "transpose" and len(a.shape) < 2) or (parent("diag", a) and len(a.shape) == 2):
        return a
    if parent("outer", a) and a.name is None:
        return make(a.gate, a.args[::-1])
    if parent("matmul", a) and a.span is None and [len(x.shape) for x in a.args] == [2, 2]:
        return a.args[1].T @ a.args[0].T
    return _linear(row, a) or _of_ones(row, a)


def _matmul(row: Gate, a: Node, b: Node) -> Node | None:
    if is_identity(a):
        return b
    if is_identity(b):
        return a
    if parent("diag", a) and len(a.shape) == 2 and len(b.shape) == 1:
        return a.args[0] * b
    for x, other in ((a, b), (b, a)):  # a number in the shape of a matrix
        c = number_of_ones(x) if x.shape == (1, 1) and len(other.shape) == 2 else None
        if c is not None:
            return c * other
    return _bilinear(row, a, b)


def _bilinear(row: Gate, a: Node, b: Node) -> Node | None:
    """Signs and numbers go in front of a product of matrices."""
    for place, x in enumerate((a, b)):
        outside = _outside(x)
        if outside is not None:
            rest, back = outside
            return back(applied(row, *((rest, b) if place == 0 else (a, rest))))
    return None


def _dot(row: Gate, a: Node, b: Node) -> Node | None:
    for x, other in ((a, b), (b, a)):
        if x.gate.name == "scatter":
            part, *indices = x.args
            picked = applied(gate_named("index"), other, *indices, key=x.params["key"])
            return applied(gate_named("sum"), part * picked) if part.shape else part * picked
        if parent("add", x) and is_coefficient(x.args[1]) and _adds_up_to_one(other, {}):
            return applied(row, x.args[0], other) + x.args[1]
    return _bilinear(row, a, b)


def _solve(row: Gate, a: Node, b: Node) -> Node | None:
    outside = _outside(b)
    if outside is None:
        return None
    rest, back = outside
    return back(applied(row, a, rest))


# ---------------------------------------------------------------- pieces


def _index(row: Gate, a: Node, *indices: Node, **params: Any) -> Node | None:
    if indices:
        return _linear(row, a, *indices, **params)
    return _piece(a, params["key"]) or _linear(row, a, **params) or _of_ones(row, a, **params)


def _piece(a: Node, key: tuple[Any, ...]) -> Node | None:
    """The piece of a concatenation, stack or padded tensor that one part fills is that part.

    Of something computed entry by entry, the piece is computed from pieces, where that helps.
    """
    if a.value is not None:
        return None
    if a.gate.elementwise and a.shape:
        found = [_piece(x, key) if x.shape == a.shape else None for x in a.args]
        if not any(found) or any(x.shape not in ((), a.shape) for x in a.args):
            return None
        row = gate_named("index")
        parts = [
            x if not x.shape else f or applied(row, x, key=key)
            for f, x in zip(found, a.args, strict=True)
        ]
        return applied(a.gate, *parts, **a.params)
    if a.gate.name not in ("concatenate", "stack", "pad"):
        return None
    for place, part in enumerate(a.args):
        rule = a.gate.rules_for(len(a.args))[place]
        assert rule is not None
        piece = rule(Node(INPUT, shape=a.shape), a, *a.args, **a.params)
        if piece.gate.name == "index" and piece.params["key"] == key:
            return part
    return None


def _scatter(row: Gate, a: Node, *indices: Node, **params: Any) -> Node | None:
    if not a.shape and not is_number(a, 1):
        return a * make(row, (constant(1), *indices), params)
    return _linear(row, a, *indices, **params)


TENSORS: dict[str, Callable[..., Any]] = {
    "sum": _sum,
    "mean": _mean,
    "broadcast_to": _same_shape,
    "sum_to": _same_shape,
    "reshape": _same_shape,
    "transpose": _transpose,
    "swap_last": _transpose,
    "diag": _diag,
    "trace": _linear,
    "cumsum": _reverse_cumsum,
    "reverse_cumsum": _reverse_cumsum,
    "index": _index,
    "scatter": _scatter,
    "outer": _bilinear,
    "matmul": _matmul,
    "dot": _dot,
    "kron": _bilinear,
    "solve": _solve,
}
