"""Formulas with gaps: what the rows of the rule table are written with, how they match, how they are filled.

A gap such as `x` stands for any formula, and `2 * x + x` is a pattern: operators and gates over gaps
make forms, never nodes. A gap that occurs twice stands for the same formula at both places, and sums
and products match either way round. What has a name in the user's formula is one thing, which a
pattern does not look into unless it is `opened`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from report.autodiff.gates.table import GATES, apply
from report.autodiff.graph import Gate, Node, Shape, constant
from report.autodiff.simplify.constants import factored, is_coefficient, is_filled
from report.autodiff.simplify.nodes import number_of_ones, same

Bound = Mapping[str, Any]  # gap -> node; name of an operator -> the gate that it stands for


class Form:
    """A formula with gaps."""

    def __add__(self, other: Any) -> Form:
        return Call("add", (self, form(other)))

    def __radd__(self, other: Any) -> Form:
        return Call("add", (form(other), self))

    def __sub__(self, other: Any) -> Form:
        return Call("subtract", (self, form(other)))

    def __rsub__(self, other: Any) -> Form:
        return Call("subtract", (form(other), self))

    def __mul__(self, other: Any) -> Form:
        return Call("multiply", (self, form(other)))

    def __rmul__(self, other: Any) -> Form:
        return Call("multiply", (form(other), self))

    def __truediv__(self, other: Any) -> Form:
        return Call("divide", (self, form(other)))

    def __rtruediv__(self, other: Any) -> Form:
        return Call("divide", (form(other), self))

    def __pow__(self, other: Any) -> Form:
        return Call("power", (self, form(other)))

    def __matmul__(self, other: Any) -> Form:
        return Call("matmul", (self, form(other)))

    def __neg__(self) -> Form:
        return Call("negative", (self,))

    @property
    def T(self) -> Form:  # noqa: N802 - NumPy's name
        """The transpose."""
        return Call("transpose", (self,))


@dataclass(frozen=True, eq=False)
class Gap(Form):
    """Any formula that `fits`."""

    name: str
    fits: Callable[[Node], bool] = lambda node: True


@dataclass(frozen=True, eq=False)
class Number(Form):
    """A number, or a tensor that holds it in every entry."""

    value: float


@dataclass(frozen=True, eq=False)
class Held(Form):
    """A node as it is."""

    node: Node


@dataclass(frozen=True, eq=False)
class Factored(Form):
    """A formula with the coefficient in front of it, which may be 1 or a sign: `number` times `rest`."""

    number: Gap
    rest: Form


@dataclass(frozen=True, eq=False)
class Spread(Form):
    """A number in every entry of a tensor."""

    number: Form


@dataclass(frozen=True)
class Operator:
    """A gate with its options, and the arguments behind those that a form gives."""

    gate: Gate
    params: Mapping[str, Any]
    rest: tuple[Node, ...] = ()


@dataclass(frozen=True, eq=False)
class Call(Form):
    """A gate over forms.

    `gate` is its name, or names that will do; with `operator` the one found, with its options and its
    other arguments, is bound to that name. `options` are what the gate must have beside its defaults.
    """

    gate: str | tuple[str, ...]
    args: tuple[Form, ...]
    operator: str | Operator = ""
    options: Mapping[str, Any] | None = None
    is_open: bool = False


def form(x: Any) -> Form:
    """A form, a node or a number as a form."""
    if isinstance(x, Form):
        return x
    return Held(x) if isinstance(x, Node) else Number(float(x))


def gate(*names: str, operator: str = "", **options: Any) -> Callable[..., Call]:
    """The function that applies a gate, or one of several, to forms."""
    name = names[0] if len(names) == 1 else names
    return lambda *args: Call(name, tuple(form(a) for a in args), operator, options)


def opened(f: Form) -> Form:
    """The same form, which also matches what has a name."""
    if not isinstance(f, Call):
        return f
    return replace(f, args=tuple(opened(a) for a in f.args), is_open=True)


# ---------------------------------------------------------------- matching


def match(f: Form, node: Node, bound: Bound, is_root: bool = False) -> Iterator[Bound]:
    """Each way in which a node is the form, as what its gaps stand for."""
    match f:
        case Call():
            yield from _match_call(f, node, bound, is_root)
        case Gap(name, fits):
            if name in bound:
                if same(bound[name], node):
                    yield bound
            elif fits(node):
                yield {**bound, name: node}
        case Number(value):
            if is_filled(node, value):
                yield bound
        case Factored(number, rest):
            c, x = factored(node)
            for with_number in match(number, c, bound):
                yield from match(rest, x, with_number)
        case Spread(number):
            filling = number_of_ones(node)
            if filling is not None:
                yield from match(number, filling, bound)


def may_match(f: Call, node: Node) -> bool:
    """Whether the arguments of a node hold what the form asks for, as a quick look tells."""
    return all(any(a.gate.name in names for a in node.args) for names in _inner_gates(f))


@cache
def _inner_gates(f: Call) -> tuple[frozenset[str], ...]:
    """Names of gates of which the arguments must have one, for each argument that is a gate."""
    inner = [a.gate for a in f.args if isinstance(a, Call)]
    return tuple(frozenset((g,) if isinstance(g, str) else g) for g in inner)


def _match_call(f: Call, node: Node, bound: Bound, is_root: bool) -> Iterator[Bound]:
    name = node.gate.name
    if name not in f.gate if isinstance(f.gate, tuple) else name != f.gate:
        return
    if not is_root and (is_coefficient(node) or (node.name is not None and not f.is_open)):
        return
    args = node.args
    if isinstance(f.operator, str) and f.operator:
        found = Operator(node.gate, node.params, args[len(f.args) :])
        known = bound.get(f.operator)
        if known is not None and not _is_same_operator(known, found):
            return
        bound = {**bound, f.operator: found}
    elif len(args) != len(f.args) or not _has_options(node, f.options or {}):
        return
    yield from _match_args(f.args, args, bound)
    if (
        node.gate.commutative
        and not f.operator
        and f.args[0] is not f.args[1]
        and args[0] is not args[1]
    ):
        yield from _match_args(f.args, args[::-1], bound)


def _match_args(forms: tuple[Form, ...], args: tuple[Node, ...], bound: Bound) -> Iterator[Bound]:
    if not forms:
        yield bound
        return
    for more in match(forms[0], args[0], bound):
        yield from _match_args(forms[1:], args[1:], more)


def _is_same_operator(a: Operator, b: Operator) -> bool:
    return (
        a.gate is b.gate
        and dict(a.params) == dict(b.params)
        and len(a.rest) == len(b.rest)
        and all(same(x, y) for x, y in zip(a.rest, b.rest, strict=True))
    )


def _has_options(node: Node, wanted: Mapping[str, Any]) -> bool:
    given = {k: v for k, v in node.params.items() if v is not None and v is not False}
    return given == wanted if given or wanted else True


# ---------------------------------------------------------------- filling


def operator_of(f: Call, bound: Bound) -> Operator:
    """The gate that a form stands for, with its options."""
    if isinstance(f.operator, Operator):
        return f.operator
    if f.operator:
        found: Operator = bound[f.operator]
        return found
    assert isinstance(f.gate, str)
    return Operator(GATES[f.gate], f.options or {})


def shape_of(f: Form, bound: Bound) -> Shape:
    """The shape of a form that is filled. Raises ReportError where shapes do not fit."""
    match f:
        case Gap(name):
            shape: Shape = bound[name].shape
            return shape
        case Held(node):
            return node.shape
        case Call():
            found = operator_of(f, bound)
            shapes = [shape_of(a, bound) for a in f.args]
            return found.gate.shape(*shapes, *(n.shape for n in found.rest), **found.params)
    return ()


def filled(f: Form, bound: Bound, shape: Shape = ()) -> Node:
    """The node of a form, simplified from its leaves on; a number alone in every entry of a shape."""
    match f:
        case Gap(name):
            node: Node = bound[name]
            return node
        case Held(node):
            return node
        case Number(value):
            return constant(np.full(shape, value) if shape else value)
        case Call(args=args):
            found = operator_of(f, bound)
            nodes = tuple(filled(a, bound) for a in args)
            made: Node = apply(found.gate, (*nodes, *found.rest), dict(found.params))
            return made
    raise TypeError(f)
