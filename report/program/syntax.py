"""Pieces of Python code as `ast` expressions, so that brackets are always right, and gates as templates."""

from __future__ import annotations

import ast
import functools
import string
from collections.abc import Mapping
from typing import Any

import numpy as np

from report.autodiff.gates.code import given, listed, option
from report.autodiff.graph import CONSTANT, Node, Shape
from report.program import line_layout
from report.program.tidy import tidy


def template(node: Node, column: str) -> str:
    """The code of a gate by a column of its row: a template, or what makes one for a node."""
    found = getattr(node.gate, column)
    return found(node) if callable(found) else found


def formula(node: Node, names: Mapping[Node, str]) -> str:
    """A gate over its arguments' names, as a formula is written: 2 * q1, sin(q1), W @ x."""
    return line_layout.text(tidy(_formula(node, names)))


def _formula(node: Node, names: Mapping[Node, str]) -> ast.expr:
    if node.gate is CONSTANT:
        if node.shape:
            return name(node.name) if node.name else whole_numbers(node.value)
        return constant(node, "")
    args = [name(names[a]) if a in names else _formula(a, names) for a in node.args]
    return filled(template(node, "formula") or _plain_formula(node), args, node)


def _plain_formula(node: Node) -> str:
    """An operator as NumPy has it, else the call of the gate with its options."""
    numpy = node.gate.numpy
    if isinstance(numpy, str) and numpy and ("(" not in numpy or numpy.startswith("(")):
        return numpy
    return f"{node.gate.name}({', '.join(listed(node))}{given(node)})"


# ---------------------------------------------------------------- expressions


def name(text: str) -> ast.expr:
    """A name."""
    return ast.Name(text, ast.Load())


def parse(text: str) -> ast.expr:
    """The expression of a text."""
    made = compile(text, "", "eval", ast.PyCF_ONLY_AST)
    assert isinstance(made, ast.Expression)
    return made.body


def call(function: str, *args: ast.expr) -> ast.expr:
    """function(args)."""
    return ast.Call(parse(function), list(args), [])


def number(value: float) -> ast.expr:
    """A number as a reader writes it: 2 rather than 2.0, -1 with its sign as an operator."""
    magnitude = abs(value)
    plain = int(magnitude) if magnitude < 1e6 and float(magnitude).is_integer() else magnitude
    literal = ast.Constant(plain)
    return ast.UnaryOp(ast.USub(), literal) if value < 0 else literal


def constant(node: Node, module: str) -> ast.expr:
    """A scalar constant: its number, or its name (pi) in a module."""
    if not node.name:
        return number(float(np.asarray(node.value)))
    return parse(f"{module}.{node.name}" if module else node.name)


def whole_numbers(value: Any) -> ast.expr:
    """A constant tensor as a list, whole numbers without a point."""
    array = np.asarray(value)
    whole = array.astype(int)
    return parse(repr((whole if np.all(whole == array) else array).tolist()))


def is_identity(value: Any) -> bool:
    """Whether a constant is an identity matrix."""
    return value.ndim == 2 and len(value) > 1 and np.array_equal(value, np.eye(len(value)))


def full_list(shape: Shape, value: ast.expr) -> ast.expr:
    """Nested lists that hold one number: [[0] * 3 for _ in range(2)]."""
    made: ast.expr = ast.BinOp(ast.List([value], ast.Load()), ast.Mult(), ast.Constant(shape[-1]))
    for n in shape[-2::-1]:
        made = ast.ListComp(made, [ast.comprehension(name("_"), parse(f"range({n})"), [], 0)])
    return made


def names_in(*codes: ast.expr) -> set[str]:
    """The names in expressions."""
    return {n.id for made in codes for n in ast.walk(made) if isinstance(n, ast.Name)}


# ---------------------------------------------------------------- labels


def plus(a: ast.expr, b: ast.expr | int) -> ast.expr:
    """a + b of labels, with numbers put together."""
    b = ast.Constant(b) if isinstance(b, int) else b
    if whole(a) is not None:
        a, b = b, a
    n = whole(b)
    if n is None:
        return ast.BinOp(a, ast.Add(), b)
    if (m := whole(a)) is not None:
        return ast.Constant(m + n)
    if isinstance(a, ast.BinOp) and (m := whole(a.right)) is not None:
        if isinstance(a.op, ast.Add):
            return plus(a.left, m + n)
        if isinstance(a.op, ast.Sub):
            return plus(a.left, n - m)
    if n == 0:
        return a
    return ast.BinOp(a, ast.Add() if n > 0 else ast.Sub(), ast.Constant(abs(n)))


def times(n: int, a: ast.expr) -> ast.expr:
    """n * a of labels."""
    if (m := whole(a)) is not None:
        return ast.Constant(n * m)
    if n == -1:
        return ast.UnaryOp(ast.USub(), a)
    return a if n == 1 else ast.BinOp(ast.Constant(n), ast.Mult(), a)


def whole(code: ast.expr) -> int | None:
    """The whole number that a piece of code is."""
    match code:
        case ast.Constant(value=int(n)):
            return n
    return None


class Subscript(ast.Subscript):
    """value[label], of a list of `length` entries."""

    length: int


def subscripted(value: ast.expr, label: ast.expr, n: int) -> ast.expr:
    """value[label], of a list of n entries."""
    made = Subscript(value, label, ast.Load())
    made.length = n
    return made


def slice_of(entry: ast.expr, letter: str, n: int) -> ast.expr | None:
    """The list of value[i], value[i + 1], value[2 * i] over a loop: value, value[1:], value[::2]; else None."""
    if not isinstance(entry, Subscript):
        return None
    place = _affine(entry.slice, letter)
    if place is None or letter in names_in(entry.value):
        return None
    start, step = place
    end = start + step * (n - 1) + 1
    if step < 1 or start < 0:
        return None
    if start == 0 and step == 1 and end == entry.length:
        return entry.value
    ends = [
        ast.Constant(start) if start else None,
        ast.Constant(end) if end + step - 1 < entry.length else None,
        ast.Constant(step) if step > 1 else None,
    ]
    return ast.Subscript(entry.value, ast.Slice(*ends), ast.Load())


def _affine(label: ast.expr, letter: str) -> tuple[int, int] | None:
    """(a, b) of a label a + b i."""
    match label:
        case ast.Name(id=own) if own == letter:
            return 0, 1
        case ast.BinOp(left=ast.Constant(value=int(n)), op=ast.Mult(), right=right):
            inner = _affine(right, letter)
            return inner and (n * inner[0], n * inner[1])
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=ast.Constant(value=int(n))):
            inner = _affine(left, letter)
            return inner and (inner[0] + (n if isinstance(op, ast.Add) else -n), inner[1])
    return None


# ---------------------------------------------------------------- templates


@functools.cache
def _template(text: str) -> tuple[str, tuple[str, ...]]:
    """A template as code with names for its places, and the names of the options among them."""
    made, options = "", []
    for literal, place, _, _ in string.Formatter().parse(text):
        made += literal
        if place is not None:
            made += f"_place_{place}"
            if not place.isdigit():
                options.append(place)
    return made, tuple(options)


def bare(text: str) -> str:
    """A template as code, with names for its places."""
    return _template(text)[0]


def filled(text: str, args: list[ast.expr], node: Node) -> ast.expr:
    """A template such as "{0} * {1}" over its arguments; a named place takes an option's value."""
    template, options = _template(text)
    args_by_place = {f"_place_{i}": arg for i, arg in enumerate(args)}
    args_by_place |= {f"_place_{key}": parse(repr(option(node, key))) for key in options}
    made = parse(template)
    if isinstance(made, ast.Name):
        return args_by_place.get(made.id, made)
    for parent in ast.walk(made):
        for field, child in ast.iter_fields(parent):
            if isinstance(child, ast.Name) and child.id in args_by_place:
                setattr(parent, field, args_by_place[child.id])
            elif isinstance(child, list):
                child[:] = [
                    args_by_place.get(c.id, c) if isinstance(c, ast.Name) else c for c in child
                ]
    return made
