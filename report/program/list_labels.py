"""Labels of nested lists, counted from 0: value[i][j], and that of several axes in one row."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence

from report.autodiff.gates import axes_of
from report.autodiff.gates.code import option
from report.autodiff.graph import Node, Shape
from report.program import syntax

Labels = tuple[ast.expr, ...]
ZERO = ast.Constant(0)


def subscript(value: ast.expr, shape: Shape, ix: Labels) -> ast.expr:
    """value[i][j]: axes of one entry have no label."""
    for label, n in zip(ix, shape, strict=True):
        if n > 1:
            value = syntax.subscripted(value, label, n)
    return value


def broadcast(arg: Node, ix: Labels) -> Labels:
    """The labels of an argument that is broadcast to a value with these."""
    own = ix[len(ix) - len(arg.shape) :] if arg.shape else ()
    return tuple(ZERO if n == 1 else label for n, label in zip(arg.shape, own, strict=True))


def long(shape: Shape) -> Shape:
    """The axes that are lists: those of more than one entry."""
    return tuple(n for n in shape if n > 1)


def is_number(node: Node) -> bool:
    """Whether the function along an axis gives a number, not a list."""
    return "keepdims" in node.gate.params


def axes_meant(node: Node, template: str, arg: Node | None = None) -> tuple[int, ...]:
    """The axes along which list code goes."""
    if ":first}" in template:
        return (0,)
    axis = option(node, "axis")
    shape = node.args[0].shape if arg is None else arg.shape
    return axes_of(shape, -1 if axis is None and ":last}" in template and shape else axis)


def flat_label(ix: Labels, shape: Shape, axes: Sequence[int]) -> tuple[ast.expr, int]:
    """The label of several axes in one row, and how many entries that has."""
    flat: ast.expr = ZERO
    for i in axes:
        if shape[i] > 1:
            flat = syntax.plus(syntax.times(shape[i], flat), ix[i])
    return flat, math.prod(shape[i] for i in axes)


def equality(a: ast.expr, b: ast.expr) -> ast.expr:
    """float(i == j)."""
    return ast.Call(syntax.name("float"), [ast.Compare(a, [ast.Eq()], [b])], [])
