"""What a gate's definition in simpler gates says of it: shape, rules, what sympy knows, its formula.

A definition is a function of the gate's arguments and options, written with operators and gates, so
that it takes arrays and nodes alike: with arrays it gives numbers, with nodes the gate written out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from report import number_format
from report.autodiff.graph import (
    _OPERATORS,
    COMPUTED,
    CONSTANT,
    INPUT,
    Node,
    Plain,
    Shape,
    constant,
    evaluate,
    is_computed,
    make,
    topological,
)
from report.autodiff.rewrite import rewritten

Definition = Callable[..., Any]


def written_out(node: Node, applied: Callable[..., Node] = make) -> Node:
    """A gate over its own arguments as its definition has it, with nothing simplified; see `put_in`."""
    definition = node.gate.definition
    assert definition is not None
    leaves = [Plain(INPUT, shape=a.shape) for a in node.args]
    whole = definition(*leaves, **node.params)
    return put_in(whole, dict(zip(leaves, node.args, strict=True)), applied)


def put_in(graph: Node, values: Mapping[Node, Any], applied: Callable[..., Node] = make) -> Node:
    """A graph over other nodes in the place of its leaves; `applied(gate, args, params)` makes each node."""
    made: dict[Node, Node] = dict(values)
    for n in topological(graph, leaves=values):
        if n not in made:
            made[n] = n if n.is_constant else applied(n.gate, [made[a] for a in n.args], n.params)
    return made[graph]


def shape(definition: Definition) -> Callable[..., Shape]:
    """The shape of the result from those of the arguments."""

    def result(*shapes: Shape, **params: Any) -> Shape:
        whole: Node = definition(*(Plain(INPUT, shape=s) for s in shapes), **params)
        return whole.shape

    return result


# ---------------------------------------------------------------- rules


def rule(definition: Definition, place: int) -> Callable[..., Any]:
    """The backward rule by an argument: the rules of the definition's gates, one after another."""

    def pulled(g: Any, y: Any, *args: Any, **params: Any) -> Any:
        shapes = tuple(a.shape if isinstance(a, Node) else np.shape(a) for a in args)
        computed = all(map(is_computed, args))
        upstream, leaves, result, gradient = _gradient(
            definition, place, shapes, tuple(params.items()), computed
        )
        known = {upstream: g, **dict(zip(leaves, args, strict=True))}
        if result not in known:
            known[result] = y
        if any(isinstance(a, Node) for a in (g, *args)):
            nodes = {n: a if isinstance(a, Node) else constant(a) for n, a in known.items()}
            return put_in(gradient, nodes, make if computed else _simplified)
        return evaluate([gradient], known)[gradient]

    return pulled


def _simplified(gate: Any, args: Sequence[Node], params: Mapping[str, Any]) -> Node:
    return rewritten(make(gate, args, params))


@lru_cache(maxsize=1024)
def _gradient(
    definition: Definition,
    place: int,
    shapes: tuple[Shape, ...],
    params: tuple[tuple[str, Any], ...],
    computed: bool,
) -> tuple[Node, list[Node], Node, Node]:
    """What flows back to an argument, as a graph over leaves: upstream, arguments, value, gradient.

    Where it is to be `computed`, the rules see numbers everywhere, and keep the digits of these: nothing is
    simplified, as x / ‖x‖ / ‖y‖ has no product of the two that could be too large or small.
    """
    kind = Plain if computed else Node
    leaves = [kind(INPUT, shape=s) for s in shapes]
    result: Node = definition(*leaves, **dict(params))
    upstream = kind(INPUT, shape=result.shape)
    gradients = {result: upstream}
    order = topological(result)
    numbers = {n: kind(COMPUTED, shape=n.shape) for n in order if computed and not n.is_constant}
    for node in reversed(order):
        if node not in gradients or not node.args:
            continue
        rules = node.gate.rules_for(len(node.args))
        for arg, pull in zip(node.args, rules, strict=True):
            if pull is None or arg.is_constant:
                continue
            y, *args = (numbers.get(n, n) for n in (node, *node.args))
            part = pull(gradients[node], y, *args, **node.params)
            if part.shape != arg.shape:
                part = _OPERATORS["sum_to"](part, shape=arg.shape)
            gradients[arg] = gradients[arg] + part if arg in gradients else part
    leaf = leaves[place]
    gradient = gradients.get(leaf, constant(np.zeros(leaf.shape)))
    if computed:
        here = {n: of for of, n in numbers.items()}
        gradient = put_in(gradient, here | {n: n for n in (upstream, *leaves)})
    return upstream, leaves, result, gradient


# ---------------------------------------------------------------- sympy


def sympy(definition: Definition) -> Callable[..., Any]:
    """The function as sympy knows it: the definition's gates, each as sympy knows it."""

    def expression(s: Any, *args: Any, **params: Any) -> Any:
        leaves = [Plain(INPUT) for _ in args]
        result = definition(*leaves, **params)
        made: dict[Node, Any] = dict(zip(leaves, args, strict=True))
        for n in topological(result, leaves=made):
            if n not in made:
                made[n] = exact(n) if n.is_constant else _known(n)(s, *map(made.get, n.args))
        return made[result]

    return expression


def _known(node: Node) -> Callable[..., Any]:
    assert node.gate.sympy is not None, node.gate.name
    return partial(node.gate.sympy, **node.params)


def exact(node: Node) -> Any:
    """A constant as it was written: 1/3 stays a fraction, pi stays pi, 0.1 the float that it is."""
    import sympy

    if node.name == "pi":
        return sympy.pi
    if node.gate is CONSTANT or node.gate.sympy is None:
        return exact_number(float(np.asarray(node.value).item()))
    return node.gate.sympy(sympy, *map(exact, node.args), **node.params)


def exact_number(value: float) -> Any:
    """Whole numbers and 1/3 exactly, all others as the float64 that they are."""
    import sympy

    fraction = number_format.as_fraction(value)
    if fraction is not None:
        return sympy.Rational(*fraction)
    return sympy.Integer(int(value)) if float(value).is_integer() else sympy.Float(value)


def number(value: float, like: Any, name: str | None = None) -> Any:
    """A number with the digits of `like`, pi by its name; beside a node a constant, so that √2 is written."""
    if isinstance(like, Node):
        return constant(value, name)
    if np.asarray(like).dtype.char not in "Og":  # float64 has no more
        return value
    zero = np.ravel(like)[0] * 0
    return np.arccos(zero - 1) if name == "pi" else zero + value
