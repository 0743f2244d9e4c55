"""How gates are written in programs where a template would depend on options and shapes.

Each function takes a node and gives the template over its arguments, for the columns `formula`, `numpy`
and `python` of its row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from report.autodiff.gates.shapes import axes_of, widths
from report.autodiff.graph import Node, Shape

Writer = Callable[[Node], str]


def option(node: Node, name: str) -> Any:
    """An option as given, or its default."""
    return node.params.get(name, node.gate.params.get(name))


def given(node: Node) -> str:
    """The options that differ from their defaults: , axis=0, keepdims=True."""
    defaults = node.gate.params
    differ = {k: v for k, v in node.params.items() if k not in defaults or v != defaults[k]}
    return "".join(f", {name}={value!r}" for name, value in differ.items())


def listed(node: Node, spec: str = "") -> list[str]:
    """A place for each argument."""
    return [f"{{{i}{spec}}}" for i in range(len(node.args))]


def called(name: str, inner: str = "{0}") -> Writer:
    """name(x, axis=0): a function of one argument with its options."""
    return lambda node: f"{name}({inner}{given(node)})"


def of_parts(name: str) -> Writer:
    """name([a, b], axis=0): a function of a list of arguments."""
    return lambda node: f"{name}([{', '.join(listed(node))}]{given(node)})"


def np_stack(node: Node) -> str:
    """np.array([a, b]) of what stands along a new first axis, else np.stack."""
    (axis,) = axes_of(node.shape, option(node, "axis"))
    return of_parts("np.stack")(node) if axis else f"np.array([{', '.join(listed(node))}])"


def with_shape(name: str) -> Writer:
    """name(x, (2, 3)): a function of an argument and the shape of the result."""
    return lambda node: f"{name}({{0}}, {node.shape})"


# ---------------------------------------------------------------- NumPy


def np_transpose(node: Node) -> str:
    """x.T, or np.transpose(x, (0, 2, 1))."""
    axes = option(node, "axes")
    return "{0}.T" if axes is None else f"np.transpose({{0}}, {axes})"


def np_sum_to(node: Node) -> str:
    """The sum over the axes that broadcasting added or stretched."""
    shape, wanted = node.args[0].shape, node.shape
    if not wanted:
        return "np.sum({0})"
    extra = len(shape) - len(wanted)
    over = tuple(extra + i for i, n in enumerate(wanted) if n != shape[extra + i])
    axes = (*range(extra), *over)
    axis = axes[0] if len(axes) == 1 else axes
    if not over:
        return f"np.sum({{0}}, axis={axis})"
    if not extra:
        return f"np.sum({{0}}, axis={axis}, keepdims=True)"
    return f"np.sum({{0}}, axis={axis}){_reshape(wanted)}"


def np_reshape(node: Node) -> str:
    """x.reshape(2, 3); a number made a tensor, and back."""
    if not node.args[0].shape:
        return f"np.full({node.shape}, {{0}})"
    return "{0}.item()" if not node.shape else f"{{0}}{_reshape(node.shape)}"


def _reshape(shape: Shape) -> str:
    return f".reshape({', '.join(map(str, shape))})"


def np_broadcast(node: Node) -> str:
    """np.broadcast_to, or np.full for a number."""
    shape = node.shape
    if not node.args[0].shape:
        return f"np.full({shape[0] if len(shape) == 1 else shape}, {{0}})"
    return f"np.broadcast_to({{0}}, {shape})"


def np_norm(node: Node) -> str:
    """np.linalg.norm, as far as it has axes."""
    shape, axis = node.args[0].shape, option(node, "axis")
    if not shape:
        return "abs({0})"
    if (len(shape) > 2 and axis is None) or isinstance(axis, tuple):
        return f"np.sqrt(np.sum({{0}} ** 2{given(node)}))"
    return f"np.linalg.norm({{0}}{given(node)})"


def far_norm(node: Node) -> str:
    """A norm that squares nothing."""
    shape, axis = node.args[0].shape, option(node, "axis")
    if len(shape) == 1 or isinstance(axis, int):
        return f"np.hypot.reduce({{0}}{given(node)})"
    if axis is None and not option(node, "keepdims"):
        return "np.hypot.reduce({0}.ravel())"
    return np_norm(node)


def np_others(node: Node) -> str:
    """Several axes are taken together as one, the last."""
    shape = node.args[0].shape
    axes = axes_of(shape, option(node, "axis"))
    if not shape:
        return "1.0"
    if len(axes) == 1:
        return f"others({{0}}, axis={axes[0]})" if axes[0] else "others({0})"
    left = tuple(i for i in range(len(shape)) if i not in axes)
    order = (*left, *axes)
    moved = tuple(shape[i] for i in order)
    flat = (*moved[: len(left)], math.prod(shape[i] for i in axes))
    code = f"others(np.transpose({{0}}, {order}){_reshape(flat)}, axis=-1){_reshape(moved)}"
    return f"np.transpose({code}, {tuple(order.index(i) for i in range(len(shape)))})"


def np_pad(node: Node) -> str:
    """np.pad with the widths of every axis."""
    return f"np.pad({{0}}, {widths(node.args[0].shape, option(node, 'pad_width'))})"


def np_where(node: Node) -> str:
    """np.where, or Python's own choice between numbers."""
    return "np.where({0}, {1}, {2})" if node.shape else "({1} if {0} else {2})"


# ---------------------------------------------------------------- lists


def spread_of(name: str) -> Writer:
    """name(x) or name(x, ddof) of the list along the axis."""
    return lambda node: (
        f"{name}({{0:axis}}, {{ddof}})" if option(node, "ddof") else f"{name}({{0:axis}})"
    )


def joined_lists(node: Node) -> str:
    """a + b for lists one behind the other along the first or the last axis."""
    (axis,) = axes_of(node.shape, option(node, "axis"))
    if axis == 0:
        return " + ".join(listed(node, ":list"))
    return " + ".join(listed(node, ":axis")) if axis == len(node.shape) - 1 else ""


def list_of_lists(node: Node) -> str:
    """[a, b] for lists side by side along a new first axis."""
    (axis,) = axes_of(node.shape, option(node, "axis"))
    if axis:
        return ""
    return f"[{', '.join(listed(node))}]" if len(node.args) > 1 else "{0}"


def one_or_more_rows(one: str, more: str) -> Writer:
    """Code for a single row of scores, and for several."""
    return lambda node: one if math.prod(node.args[0].shape[:-1]) == 1 else more
