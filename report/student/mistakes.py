"""Known mistakes, each as another function in the place of the right one, tried on a student's own numbers.

A mistake in a gate's value is a function of its arguments; one in a sum of contributions a function of
them; those in a backward rule stand in `wrong_slopes`. They are made from the rows of the gate table, so
that they hold for every gate: another gate of the same group in its place, its arguments swapped, its
option `axis` another one, its rule at another point.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from report.autodiff.backprop import pull_back
from report.autodiff.gates import GATES, apply
from report.autodiff.graph import Array, Gate, Node, evaluate, input_node, topological
from report.program.syntax import formula

DIGITS = (1, 2, 3, 4, 5, 6)  # to which numbers are rounded before use
BASES = {"10": math.log(10), "2": math.log(2)}
PRECISIONS = (("single precision (float32)", np.float32), ("half precision (float16)", np.float16))
TURN = math.pi / 180
ANGLES = "trigonometry"


@dataclass(frozen=True)
class Mistake:
    """A kind of mistake, in words, and the function that makes it.

    `smooth` says that the function takes nodes too, so that it has a derivative of its own. A mistake
    without a kind is none: the right derivative of a value that was wrong before.
    """

    kind: str
    words: str
    function: Callable[..., Any]
    smooth: bool = False


# ---------------------------------------------------------------- in the value of a gate


def in_value(node: Node, told: str, names: Mapping[Node, str]) -> Iterator[Mistake]:
    """Mistakes in the value of a gate, the usual ones first; `told` is its formula."""
    gate, params = node.gate, dict(node.params)

    def right(*xs: Any) -> Any:
        return apply(gate, xs, params)

    if gate.group == ANGLES:
        yield from _angles(gate, right)
    yield Mistake("sign", "the sign is turned", lambda *xs: -right(*xs), True)
    yield from _choices(node, right, told, names)
    yield from _others(node, params)
    yield Mistake("factor 2", "a factor 2 is too many", lambda *xs: 2 * right(*xs), True)
    yield Mistake("factor 2", "a factor 2 is left out", lambda *xs: right(*xs) / 2, True)
    if len(node.args) == 1 and node.gate.elementwise:
        yield from _slope_for_value(node)
    yield from _swapped(node, right)
    yield from _axes(node, params)
    if has_log(gate):
        for base, size in BASES.items():
            words = f"the logarithm is taken to base {base}"
            yield Mistake("log base", words, lambda *xs, s=size: right(*xs) / s, True)
    for n in counts(node):
        yield Mistake("mean for sum", f"the mean is taken in place of the sum: a factor 1/{n}",
                      lambda *xs, n=n: right(*xs) / n, True)  # fmt: skip
        yield Mistake("sum for mean", f"the sum is taken in place of the mean: a factor {n}",
                      lambda *xs, n=n: right(*xs) * n, True)  # fmt: skip
        if n > 1:
            yield Mistake("count", f"divided by {n - 1} in place of {n}",
                          lambda *xs, n=n: right(*xs) * n / (n - 1), True)  # fmt: skip
    yield Mistake("squared", "it is squared once more", lambda *xs: right(*xs) ** 2, True)
    yield Mistake("squared", "a square is left out", lambda *xs: right(*xs) ** 0.5, True)
    if gate.group in ("arithmetic", "reductions"):
        yield Mistake(
            "integer division", "the rest is cut off, as // does", lambda *xs: np.floor(right(*xs))
        )
        yield Mistake(
            "integer division",
            "the rest is cut off, as int() does",
            lambda *xs: np.trunc(right(*xs)),
        )
    yield Mistake("order", "its entries stand in the reverse order", lambda *xs: right(*xs)[::-1])
    for digits in DIGITS:
        yield Mistake("rounding", f"rounded to {digits} digit{'s' * (digits > 1)} before {told}",
                      lambda *xs, d=digits: right(*(np.round(x, d) for x in xs)))  # fmt: skip
        yield Mistake("rounding", f"the root of {told} rounded to {digits} digits before squaring",
                      lambda *xs, d=digits: np.round(np.sqrt(right(*xs)), d) ** 2)  # fmt: skip
    yield from rounded(node, told)
    for words, kind in PRECISIONS:
        yield Mistake(
            "float32", f"computed in {words}", lambda *xs, k=kind: in_precision(k, right, xs)
        )
    yield from _again(node, right)


def rounded(node: Node, told: str) -> Iterator[Mistake]:
    """A value that is right, and rounded before it is used."""
    for digits in DIGITS:
        yield Mistake("rounding", f"{told} rounded to {digits} digit{'s' * (digits > 1)} before use",
                      lambda *xs, d=digits: np.round(node.gate.forward(*xs, **node.params), d))  # fmt: skip


def in_precision(kind: type, function: Callable[..., Any], numbers: Sequence[Array]) -> Array:
    """What a function gives in a lower precision."""
    held: list[Array] = [np.asarray(x, dtype=kind) for x in numbers]
    return np.asarray(np.asarray(function(*held), dtype=kind), dtype=float)


def _again(node: Node, right: Callable[..., Any]) -> Iterator[Mistake]:
    """The function before applied once more: sin(sin(u))² for sin(u)²."""
    arg = node.args[0]
    inner = arg.gate
    if len(node.args) == 1 and len(inner.rules) == 1 and inner.elementwise and not arg.is_input:
        yield Mistake("applied twice", f"{inner.name} is applied twice",
                      lambda x, p=dict(arg.params): right(apply(inner, (x,), p)), True)  # fmt: skip


def _slope_for_value(node: Node) -> Iterator[Mistake]:
    """The derivative in the place of the function."""
    (rule,) = node.gate.rules
    if rule is None:
        return

    def slope(x: Array) -> Array:
        y = node.gate.forward(x, **node.params)
        return rule(np.ones_like(y), y, x, **node.params)

    yield Mistake(
        "slope for value", f"the derivative of {node.gate.name} stands in its place", slope
    )


def _angles(gate: Gate, right: Callable[..., Any]) -> Iterator[Mistake]:
    """Degrees for radians, going in or coming out."""
    yield Mistake("degrees", f"{gate.name} is taken of degrees, not of radians",
                  lambda *xs: right(*(x * TURN for x in xs)), True)  # fmt: skip
    yield Mistake("degrees", f"{gate.name} is taken of an angle multiplied by 180/π",
                  lambda *xs: right(*(x / TURN for x in xs)), True)  # fmt: skip
    yield Mistake("degrees", "the angle comes out in degrees", lambda *xs: right(*xs) / TURN, True)


def _choices(
    node: Node, right: Callable[..., Any], told: str, names: Mapping[Node, str]
) -> Iterator[Mistake]:
    """The gate applied twice, not at all, or on the other side of its kink."""
    gate = node.gate
    if gate.kink is not None:
        side = f"the other side of the kink of {gate.name} is taken"
        yield Mistake("kink", side, lambda *xs: -right(*(-x for x in xs)), True)
    if len(node.args) == 1 and node.args[0].shape == node.shape:
        yield Mistake(
            "applied twice", f"{gate.name} is applied twice", lambda x: right(right(x)), True
        )
    for i, arg in enumerate(node.args):
        if arg.shape == node.shape or not arg.shape or gate.elementwise:
            rest = [called(a, names) for j, a in enumerate(node.args) if j != i]
            what = f"{' and '.join(rest)} of {told}" if rest else gate.name
            yield Mistake("left out", f"{what} is left out",
                          lambda *xs, i=i: xs[i] + 0 * right(*xs), True)  # fmt: skip


def _others(node: Node, params: dict[str, Any]) -> Iterator[Mistake]:
    """Another gate of the same group in its place."""
    for other in GATES.values():
        own = {k: v for k, v in params.items() if k in other.params}
        if not alike(node.gate, other) or (params and not own):
            continue
        kind = f"{other.name} for {node.gate.name}"
        yield Mistake(kind, f"{other.name} is taken in place of {node.gate.name}",
                      lambda *xs, o=other, p=own: apply(o, xs, p), True)  # fmt: skip


def alike(gate: Gate, other: Gate) -> bool:
    """Whether another gate takes the same arguments and may be confused with a gate."""
    return (
        other is not gate
        and bool(other.usage)
        and (other.group == gate.group or not (other.elementwise or gate.elementwise))
        and other.elementwise == gate.elementwise
        and len(other.rules) == len(gate.rules)
        and other.rule_at is None is gate.rule_at
    )


def _swapped(node: Node, right: Callable[..., Any]) -> Iterator[Mistake]:
    """Arguments in another order, and transposed."""
    if len(node.args) == 2:
        yield Mistake("swapped", "the two arguments are swapped", lambda a, b: right(b, a), True)
    for i, arg in enumerate(node.args):
        if len(arg.shape) == 2 and max(arg.shape) > 1:
            yield Mistake("transposed", "an argument is transposed",
                          lambda *xs, i=i: right(*(x.T if j == i else x for j, x in enumerate(xs))), True)  # fmt: skip
    if len(node.shape) == 2 and node.shape[0] == node.shape[1] > 1:
        yield Mistake("transposed", "the result is transposed", lambda *xs: right(*xs).T, True)


def _axes(node: Node, params: dict[str, Any]) -> Iterator[Mistake]:
    if "axis" not in node.gate.params or not node.args[0].shape:
        return
    for axis in (None, *range(len(node.args[0].shape))):
        if axis != params.get("axis"):
            where = "all axes" if axis is None else f"axis {axis}"
            yield Mistake("axis", f"{node.gate.name} goes along {where}",
                          lambda *xs, a=axis: _like(apply(node.gate, xs, {**params, "axis": a}), node))  # fmt: skip


def _like(value: Array, node: Node) -> Array:
    """A result along another axis, where it can stand in the place of the right one."""
    return np.broadcast_to(value, node.shape) + 0.0


# ---------------------------------------------------------------- in the sum of what arrives


def in_sum(count: int) -> Iterator[Mistake]:
    """Mistakes where a value that is used several times collects its gradient."""
    if count < 2:
        return
    yield Mistake("path left out", "only the last path counts: the gradient is overwritten, not added up",
                  lambda parts: parts[-1])  # fmt: skip
    yield Mistake("path left out", "only the first path counts", lambda parts: parts[0])
    for i in range(min(count, 8)):
        yield Mistake("path left out", f"one of the {count} paths back is left out",
                      lambda parts, i=i: _total(parts[:i] + parts[i + 1 :]))  # fmt: skip
        yield Mistake("path counted twice", f"one of the {count} paths back is counted twice",
                      lambda parts, i=i: _total([*parts, parts[i]]))  # fmt: skip
    yield Mistake("mean for sum", f"the mean of the {count} paths is taken, not the sum",
                  lambda parts: _total(parts) / count)  # fmt: skip


def at_start() -> Iterator[Mistake]:
    """Mistakes in the gradient of the result with respect to itself, which is 1."""
    yield Mistake("sign", "it starts from -1, not from 1", lambda parts: -parts[0])
    yield Mistake("factor 2", "it starts from 2, not from 1", lambda parts: 2 * parts[0])
    yield Mistake("upstream", "it starts from 0, not from 1", lambda parts: 0 * parts[0])


def _total(parts: Sequence[Array]) -> Array:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return whole


# ---------------------------------------------------------------- what they share


def derivative(function: Callable[..., Any], place: int) -> Callable[..., Array]:
    """The backward rule of a function written with gates, found by backpropagation through it."""

    def rule(g: Array, _y: Array, *xs: Array) -> Array:
        nodes = [input_node(f"x{i}", x) for i, x in enumerate(xs)]
        result = function(*nodes)
        values = evaluate([result], dict(zip(nodes, xs, strict=True)))
        order = topological(result)
        found, _ = pull_back(order, result, g, values.__getitem__)
        return found.get(nodes[place], np.zeros(np.shape(xs[place])))

    return rule


def counts(node: Node) -> list[int]:
    """The numbers of entries that a mean may divide by."""
    shapes = [a.shape for a in node.args if a.shape] + ([node.shape] if node.shape else [])
    found = {int(np.prod(s)) for s in shapes} | {n for s in shapes for n in s}
    return sorted(n for n in found if n > 1)[:6]


def has_log(gate: Gate) -> bool:
    """Whether there is a logarithm in a gate, whose base may be another one."""
    return r"\log" in gate.latex or "log" in gate.sign or gate.group == "losses"


def told(node: Node, names: dict[Node, str]) -> str:
    """A gate's formula over names, short enough for a line."""
    text = formula(node, names)
    return text if len(text) <= 60 else f"{node.gate.name}(...)"


def called(node: Node, names: Mapping[Node, str]) -> str:
    """A number as a sentence calls it: by its name, its digits, or how it is computed."""
    if node in names:
        return names[node]
    if node.is_constant:
        return "a constant" if node.shape else f"{float(node.value):g}"
    return told(node, dict(names))
