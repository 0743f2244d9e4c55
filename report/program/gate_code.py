"""The code of a gate as a template over its arguments: in a formula, for arrays, for one number.

The gate table brings most of it; here is what depends on options and shapes, and what reads better as
a call of a function than as an expression that uses its argument several times.
"""

from __future__ import annotations

import math

from report.autodiff.gates import axes_of
from report.autodiff.gates.keys import Place
from report.autodiff.gates.shapes import widths
from report.autodiff.graph import Node, Shape
from report.program.list_code import Unprintable, Writer, option

_CALLS = {  # functions of report.program.library
    "swish": "swish({0})",
    "gelu": "gelu({0})",
    "normal_cdf": "normal_cdf({0})",
    "normal_pdf": "normal_pdf({0})",
    "leaky_relu": "leaky_relu({0}, {slope})",
    "prelu": "prelu({0}, {1})",
    "elu": "elu({0}, {alpha})",
}
COMPARISONS = {
    "less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and",
    "logical_or", "logical_not", "positive", "within",
}  # fmt: skip


def formula_code(node: Node) -> str:
    """A gate as in a formula: {0} * {1}, sin({0}), sum({0}, axis=0)."""
    gate = node.gate
    writer = _WRITTEN.get(gate.name)
    if writer:
        return writer(node)
    if gate.numpy and ("(" not in gate.numpy or gate.numpy.startswith("(")):
        return gate.numpy
    return f"{gate.name}({_places(node)}{_options(node)})"


def vectorised(node: Node) -> str:
    """A gate over arrays."""
    name = node.gate.name
    writer = _VECTORISED.get(name)
    if writer:
        return writer(node)
    code = _CALLS.get(name, node.gate.numpy)
    if not code:
        raise Unprintable(f"there is no NumPy code for the gate {name}")
    if any(f"{{{name}}}" in code for name in node.gate.params) or not code.endswith(")"):
        return code
    return code[:-1] + _options(node) + ")"


def scalar(node: Node) -> str:
    """An elementwise gate over numbers."""
    code = _CALLS.get(node.gate.name, node.gate.python)
    if not code:
        raise Unprintable(f"there is no code for one number of the gate {node.gate.name}")
    return code


def _places(node: Node) -> str:
    return ", ".join(f"{{{i}}}" for i in range(len(node.args)))


def _options(node: Node) -> str:
    """The options that differ from their defaults: , axis=0, keepdims=True."""
    defaults = node.gate.params
    given = {k: v for k, v in node.params.items() if k not in defaults or v != defaults[k]}
    return "".join(f", {name}={value!r}" for name, value in given.items())


_WRITTEN: dict[str, Writer] = {
    "squared_norm": lambda node: "norm({0}) ** 2",
    "l1_norm": lambda node: f"norm({{0}}, 1{_options(node)})",
    "cross_entropy_one_hot": lambda node: "cross_entropy({0}, {1})",
    "transpose": lambda node: (
        "{0}.T" if option(node, "axes") is None else f"transpose({{0}}, {option(node, 'axes')})"
    ),
    "reshape": lambda node: f"reshape({{0}}, {node.shape})",
    "broadcast_to": lambda node: f"broadcast_to({{0}}, {node.shape})",
    "pad": lambda node: f"pad({{0}}, {option(node, 'pad_width')})",
    "concatenate": lambda node: f"concatenate([{_places(node)}]{_options(node)})",
    "stack": lambda node: f"stack([{_places(node)}]{_options(node)})",
    "index": lambda node: f"{{0}}[{option(node, 'key')}]",
    "logical_and": lambda node: "{0} & {1}",
    "logical_or": lambda node: "{0} | {1}",
    "logical_not": lambda node: "~{0}",
}


# ---------------------------------------------------------------- NumPy


def _np_sum_to(node: Node) -> str:
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


def _np_reshape(node: Node) -> str:
    if not node.args[0].shape:
        return f"np.full({node.shape}, {{0}})"
    return "{0}.item()" if not node.shape else f"{{0}}{_reshape(node.shape)}"


def _reshape(shape: Shape) -> str:
    return f".reshape({', '.join(map(str, shape))})"


def _np_broadcast(node: Node) -> str:
    shape = node.shape
    if not node.args[0].shape:
        return f"np.full({shape[0] if len(shape) == 1 else shape}, {{0}})"
    return f"np.broadcast_to({{0}}, {shape})"


def _np_transpose(node: Node) -> str:
    axes = option(node, "axes")
    return "{0}.T" if axes is None else f"np.transpose({{0}}, {axes})"


def _np_norm(node: Node) -> str:
    shape, axis = node.args[0].shape, option(node, "axis")
    if not shape:
        return "abs({0})"
    if (len(shape) > 2 and axis is None) or isinstance(axis, tuple):
        return f"np.sqrt(np.sum({{0}} ** 2{_options(node)}))"
    return f"np.linalg.norm({{0}}{_options(node)})"


def far_norm(node: Node) -> str:
    """A norm that squares nothing."""
    shape, axis = node.args[0].shape, option(node, "axis")
    if len(shape) == 1 or isinstance(axis, int):
        return f"np.hypot.reduce({{0}}{_options(node)})"
    if axis is None and not option(node, "keepdims"):
        return "np.hypot.reduce({0}.ravel())"
    return _np_norm(node)


def _np_sum_of(inner: str) -> Writer:
    return lambda node: f"np.sum({inner}{_options(node)})"


def _np_others(node: Node) -> str:
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


def _np_index(node: Node) -> str:
    return f"{{0}}[{_key(node)}]"


def _np_scatter(node: Node) -> str:
    return f"scatter({{0}}, np.s_[{_key(node)}], {node.shape})"


def _key(node: Node) -> str:
    """The key of an index; what is no list of whole numbers yet becomes one."""
    parts = []
    for part in option(node, "key"):
        text = str(type(option(node, "key"))((part,)))
        whole = isinstance(part, Place) and not is_whole(node.args[part])
        parts.append(f"np.asarray({text}, int)" if whole else text)
    return ", ".join(parts)


def is_whole(node: Node) -> bool:
    """Whether a program holds an argument as whole numbers: an input of them, or a constant."""
    return node.is_constant or (node.is_input and node.name is not None)


def _np_where(node: Node) -> str:
    return "np.where({0}, {1}, {2})" if node.shape else "({1} if {0} else {2})"


_VECTORISED: dict[str, Writer] = {
    "sum_to": _np_sum_to,
    "reshape": _np_reshape,
    "broadcast_to": _np_broadcast,
    "transpose": _np_transpose,
    "norm": _np_norm,
    "squared_norm": lambda node: "np.sum({0} ** 2)",
    "l1_norm": _np_sum_of("np.abs({0})"),
    "others": _np_others,
    "concatenate": lambda node: f"np.concatenate([{_places(node)}]{_options(node)})",
    "stack": lambda node: f"np.stack([{_places(node)}]{_options(node)})",
    "pad": lambda node: f"np.pad({{0}}, {widths(node.args[0].shape, option(node, 'pad_width'))})",
    "index": _np_index,
    "scatter": _np_scatter,
    "one_hot": lambda node: f"np.eye({option(node, 'classes')})[{{0}}]",
    "where": _np_where,
    "huber": lambda node: f"huber({{0}}, {{1}}, {option(node, 'delta')})",
    "binary_cross_entropy": lambda node: "binary_cross_entropy({0}, {1})",
}
