"""Gates over nested lists: the code that calls a function with explicit loops.

`looped` gives the code of a gate that is not elementwise as a template over its arguments, such as
"matmul({0}, {1})". A shape is known when a program is written, so each case gets the plainest code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from report.autodiff.gates import axes_of
from report.autodiff.gates.keys import Place
from report.autodiff.gates.shapes import widths
from report.autodiff.graph import Node, Shape
from report.errors import ReportError

Writer = Callable[[Node], str]


class Unprintable(ReportError):
    """A gate that a dialect has no code for."""


def looped(node: Node) -> str:
    """A gate that is not elementwise, over nested lists; Unprintable when there is no such code."""
    writer = _LOOPED.get(node.gate.name)
    if writer is None:
        raise Unprintable(f"explicit loops for the gate {node.gate.name} would be too long to read")
    return writer(node)


def option(node: Node, name: str) -> Any:
    """An option as given, or its default."""
    return node.params.get(name, node.gate.params.get(name))


def steps(nodes: Iterable[Node]) -> int:
    """About how many additions and multiplications the loops of these gates take."""
    total = 0
    for node in nodes:
        shapes = [a.shape for a in node.args]
        if node.gate.name == "matmul":
            total += math.prod(node.shape) * shapes[0][-1]
        elif node.gate.name in {"det", "logdet", "inv", "solve"}:
            total += math.prod(shapes[0]) * shapes[0][-1]
        else:
            total += max(map(math.prod, [node.shape, *shapes]))
    return total


# ---------------------------------------------------------------- shapes and order


def _reshaped(code: str, shape: Shape, wanted: Shape) -> str:
    if shape == wanted:
        return code
    if not shape:
        for _ in wanted:
            code = f"[{code}]"
        return code
    return f"reshape({code}, {wanted})"


def permuted(code: str, shape: Shape, axes: tuple[int, ...]) -> str:
    """The axes in another order."""
    if axes == tuple(range(len(shape))):
        return code
    return f"transpose({code})" if len(shape) == 2 else f"permute({code}, {shape}, {axes})"


def _transpose(node: Node) -> str:
    shape = node.args[0].shape
    axes = option(node, "axes")
    order = tuple(range(len(shape)))[::-1] if axes is None else axes_of(shape, axes)
    return permuted("{0}", shape, order)


def each_matrix(code: str, shape: Shape, place: int = 0) -> str:
    """A template over one matrix, for a matrix or for each matrix of a stack."""
    deep = len(shape) - 2
    if not deep:
        return code.format(f"{{{place}}}")
    inner = code.format("m")
    for level in range(deep):
        source = f"{{{place}}}" if level == deep - 1 else "part"
        inner = f"[{inner} for {'part' if level else 'm'} in {source}]"
    return inner


def _entries(shape: Shape, place: int = 0) -> str:
    """All numbers of an argument in one list."""
    if not shape:
        return f"[{{{place}}}]"
    return f"{{{place}}}" if len(shape) == 1 else f"entries({{{place}}})"


def _rows(shape: Shape, place: int) -> str:
    """An argument as a list of rows."""
    if len(shape) == 2:
        return f"{{{place}}}"
    return f"[{{{place}}}]" if len(shape) == 1 else f"rows({{{place}}})"


# ---------------------------------------------------------------- matrices


def _matmul(node: Node) -> str:
    left, right = (a.shape for a in node.args)
    match len(left), len(right):
        case 1, 1:
            return "dot({0}, {1})"
        case 2, 1:
            return "matvec({0}, {1})"
        case 1, 2:
            return "matvec(transpose({1}), {0})"
        case 2, 2:
            return "matmul({0}, {1})"
    stack = node.shape[: len(node.shape) - (len(left) > 1) - (len(right) > 1)]
    a, b = left if len(left) > 1 else (1, *left), right if len(right) > 1 else (*right, 1)
    first = _stretched(_reshaped("{0}", left, a), a, (*stack, *a[-2:]))
    second = _stretched(_reshaped("{1}", right, b), b, (*stack, *b[-2:]))
    return _reshaped(f"stacked({first}, {second})", (*stack, a[-2], b[-1]), node.shape)


def _stretched(code: str, shape: Shape, wanted: Shape) -> str:
    return code if shape == wanted else f"broadcast({code}, {wanted})"


def _of_each_matrix(function: str) -> Writer:
    return lambda node: each_matrix(f"{function}({{0}})", node.args[0].shape)


def _solve(node: Node) -> str:
    if len(node.shape) == 2:
        return "solve({0}, {1})"
    n = node.shape[0]
    return f"entries(solve({{0}}, reshape({{1}}, {(n, 1)})))"


def _diag(node: Node) -> str:
    return "diag({0})" if len(node.shape) == 2 else f"[{{0}}[i][i] for i in range({node.shape[0]})]"


# ---------------------------------------------------------------- along axes


def _reduction(function: str, call: str = "{function}({x})") -> Writer:
    """A function of a list of numbers, over all entries or along the axes of the option `axis`."""

    def write(node: Node) -> str:
        shape = node.args[0].shape
        axes = axes_of(shape, option(node, "axis"))
        ddof = option(node, "ddof")
        name = f"lambda v: {function}(v, {ddof})" if ddof else function
        whole = (
            f"{function}({_entries(shape)}, {ddof})" if ddof else f"{function}({_entries(shape)})"
        )
        return _reduced(name, whole, shape, axes, node.shape)

    return write


def _reduced(function: str, whole: str, shape: Shape, axes: tuple[int, ...], wanted: Shape) -> str:
    others = tuple(i for i in range(len(shape)) if i not in axes)
    left = tuple(shape[i] for i in others)
    if not others:
        code = whole
    elif function in {"sum", "max", "min", "math.prod", "mean"} and axes:  # one axis after another
        code = "{0}"
        for axis in sorted(axes, reverse=True):
            code = f"along({axis}, {function}, {code})"
    elif len(axes) == 1:
        code = f"along({axes[0]}, {function}, {{0}})"
    elif not axes:
        code = f"along({len(shape)}, {function}, {_reshaped_always((*shape, 1))})"
    else:
        moved = permuted("{0}", shape, (*others, *sorted(axes)))
        grouped = f"reshape({moved}, {(*left, math.prod(shape[i] for i in axes))})"
        code = f"along({len(left)}, {function}, {grouped})"
    return _reshaped(code, left, wanted)


def _reshaped_always(wanted: Shape) -> str:
    return f"reshape({{0}}, {wanted})"


def _sum_to(node: Node) -> str:
    shape, wanted = node.args[0].shape, node.shape
    extra = len(shape) - len(wanted)
    axes = tuple(i for i, n in enumerate(shape) if i < extra or n != wanted[i - extra])
    return _reduced("sum", f"sum({_entries(shape)})", shape, axes, wanted)


def _mapped(function: str, last: bool = False) -> Writer:
    """A function of a list that gives a list, along `axis` (None: the last axis, or all entries)."""

    def write(node: Node) -> str:
        shape = node.args[0].shape
        axis = option(node, "axis")
        axes = axes_of(shape, -1 if axis is None and last else axis)
        if not shape:
            return f"{function}([{{0}}])[0]"
        if len(shape) == 1:
            return f"{function}({{0}})"
        if len(axes) == len(shape):
            return f"reshape({function}(entries({{0}})), {shape})"
        others = tuple(i for i in range(len(shape)) if i not in axes)
        order = (*others, *axes)
        moved_shape = tuple(shape[i] for i in order)
        flat = (*moved_shape[: len(others)], math.prod(shape[i] for i in axes))
        moved = _reshaped(permuted("{0}", shape, order), moved_shape, flat)
        done = _reshaped(f"along({len(others)}, {function}, {moved})", flat, moved_shape)
        back = tuple(order.index(i) for i in range(len(shape)))
        return permuted(done, moved_shape, back)

    return write


def _mapped_rows(function: str) -> Writer:
    """A function of two lists that gives a list, along `axis` (None: the last axis)."""

    def write(node: Node) -> str:
        shape = node.shape
        axis = option(node, "axis")
        (at,) = axes_of(shape, -1 if axis is None else axis)
        if len(shape) == 1:
            return f"{function}({{0}}, {{1}})"
        order = (*(i for i in range(len(shape)) if i != at), at)
        moved = tuple(shape[i] for i in order)
        first, second = (permuted(f"{{{k}}}", shape, order) for k in range(2))
        back = tuple(order.index(i) for i in range(len(shape)))
        return permuted(f"each_row({function}, {first}, {second})", moved, back)

    return write


# ---------------------------------------------------------------- moving entries


def _joined(node: Node) -> str:
    parts = [f"{{{i}}}" for i in range(len(node.args))]
    (axis,) = axes_of(node.args[0].shape, option(node, "axis"))
    return " + ".join(parts) if axis == 0 else f"concatenate([{', '.join(parts)}], {axis})"


def _side_by_side(node: Node) -> str:
    parts = ", ".join(f"{{{i}}}" for i in range(len(node.args)))
    (axis,) = axes_of(node.shape, option(node, "axis"))
    return f"[{parts}]" if axis == 0 else f"stack([{parts}], {axis})"


def _pad(node: Node) -> str:
    return f"pad({{0}}, {widths(node.args[0].shape, option(node, 'pad_width'))})"


def _index(node: Node) -> str:
    shape = node.args[0].shape
    key = _whole_key(node, shape)
    parts = [part for part in key if part is not None]
    while parts and parts[-1] == slice(None):
        parts.pop()
    if not any(isinstance(part, Place) for part in parts) and all(
        isinstance(part, int) for part in parts[:-1]
    ):
        code = "{0}" + "".join(f"[{_part(part)}]" for part in parts)
    elif len(parts) == 1 and len(node.args[1].shape) == 1:
        code = "[{0}[k] for k in {1}]"
    else:
        code = f"pick({{0}}, {_parts(parts)})"
    if None in key:
        code = f"reshape({code}, {node.shape})"
    return code


def _scatter(node: Node) -> str:
    parts = [part for part in _whole_key(node, node.shape) if part is not None]
    return f"scatter({{0}}, {node.shape}, {_parts(parts)})"


def _whole_key(node: Node, shape: Shape) -> list[Any]:
    """The key of an index, `...` written out; Unprintable when loops could not follow NumPy's rules."""
    key = list(option(node, "key"))
    places = [i for i, part in enumerate(key) if isinstance(part, Place)]
    ranks = {len(node.args[key[i]].shape) for i in places}
    neighbours = not places or places[-1] - places[0] == len(places) - 1
    if len({node.args[key[i]].shape for i in places}) > 1 or not neighbours:
        raise Unprintable(
            "explicit loops for an index of several tensors would be too long to read"
        )
    mixed = (
        places
        and 0 not in ranks
        and any(isinstance(part, int) and not isinstance(part, Place) for part in key)
    )
    if mixed:
        raise Unprintable("explicit loops for an index of several kinds would be too long to read")
    used = sum(part is not None and part is not Ellipsis for part in key)
    whole = [slice(None)] * (len(shape) - used)
    if Ellipsis in key:
        at = key.index(Ellipsis)
        key[at : at + 1] = whole
    return key


def _parts(parts: list[Any]) -> str:
    return ", ".join("slice(None)" if part == slice(None) else _part(part, True) for part in parts)


def _part(part: Any, call: bool = False) -> str:
    if isinstance(part, Place):
        return f"{{{int(part)}}}"
    if not isinstance(part, slice):
        return str(part)
    ends = [part.start, part.stop] + [part.step] * (part.step is not None)
    if call:
        return f"slice({', '.join(map(str, ends))})"
    return ":".join("" if end is None else str(end) for end in ends)


# ---------------------------------------------------------------- losses


def _loss(function: str) -> Writer:
    """A function of the entries of two tensors."""

    def write(node: Node) -> str:
        shape = node.args[0].shape
        given = [f", {option(node, name)!r}" for name in node.gate.params]
        return f"{function}({_entries(shape)}, {_entries(shape, 1)}{''.join(given)})"

    return write


def _cross_entropy(node: Node) -> str:
    labels = _entries(node.args[1].shape, 1)
    return f"cross_entropy({_rows(node.args[0].shape, 0)}, {labels})"


def _cross_entropy_one_hot(node: Node) -> str:
    shape = node.args[0].shape
    return f"cross_entropy_one_hot({_rows(shape, 0)}, {_rows(shape, 1)})"


_LOOPED: dict[str, Writer] = {
    "matmul": _matmul,
    "dot": lambda node: "dot({0}, {1})",
    "outer": lambda node: "outer({0}, {1})",
    "kron": lambda node: "kron({0}, {1})",
    "trace": lambda node: "trace({0})",
    "det": _of_each_matrix("det"),
    "logdet": _of_each_matrix("logdet"),
    "inv": _of_each_matrix("inv"),
    "cofactor": _of_each_matrix("cofactor"),
    "swap_last": _of_each_matrix("transpose"),
    "solve": _solve,
    "diag": _diag,
    "norm": _reduction("norm"),
    "squared_norm": _reduction("squared_norm"),
    "l1_norm": _reduction("l1_norm"),
    "sum": _reduction("sum"),
    "mean": _reduction("mean"),
    "prod": _reduction("math.prod"),
    "max": _reduction("max"),
    "min": _reduction("min"),
    "var": _reduction("var"),
    "std": _reduction("std"),
    "logsumexp": _reduction("logsumexp"),
    "sum_to": _sum_to,
    "softmax": _mapped("softmax", last=True),
    "log_softmax": _mapped("log_softmax", last=True),
    "less_mean": _mapped_rows("less_mean"),
    "less_share": _mapped_rows("less_share"),
    "surplus": _mapped_rows("surplus"),
    "cumsum": _mapped("cumsum"),
    "reverse_cumsum": _mapped("reverse_cumsum"),
    "is_largest": _mapped("is_largest"),
    "is_smallest": _mapped("is_smallest"),
    "others": _mapped("others"),
    "transpose": _transpose,
    "reshape": lambda node: _reshaped("{0}", node.args[0].shape, node.shape),
    "concatenate": _joined,
    "stack": _side_by_side,
    "pad": _pad,
    "index": _index,
    "scatter": _scatter,
    "one_hot": lambda node: f"one_hot({{0}}, {option(node, 'classes')})",
    "mse": _loss("mse"),
    "l1": _loss("l1"),
    "huber": _loss("huber"),
    "hinge": _loss("hinge"),
    "binary_cross_entropy": _loss("binary_cross_entropy"),
    "binary_cross_entropy_with_logits": _loss("binary_cross_entropy_with_logits"),
    "cross_entropy": _cross_entropy,
    "cross_entropy_one_hot": _cross_entropy_one_hot,
    "kl_div": _loss("kl_div"),
}
