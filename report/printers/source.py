"""Python source in lines of at most 88 columns: statements broken at their operators, literals in rows."""

from __future__ import annotations

import ast
import re
import textwrap
from typing import Any

import numpy as np

WIDTH = 88
_BINDING = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2, ast.MatMult: 2}
_POWER = re.compile(r"(?<![\w.)\]])([\w.]+) \*\* ([\w.]+)(?![\w.(\[])")
_SIGNS = {ast.Add: "+ ", ast.Sub: "- ", ast.Mult: "* ", ast.Div: "/ ", ast.MatMult: "@ "}


def text(code: ast.expr) -> str:
    """An expression in one line; powers of names stand close, as in -1 / q7**2."""
    return _POWER.sub(r"\1**\2", ast.unparse(code))


def statement(head: str, code: ast.expr, tail: str = "", indent: int = 0) -> list[str]:
    """The lines of `head` + code + `tail`, broken as little as the width asks."""
    pad = " " * indent
    line = f"{pad}{head}{text(code)}{tail}"
    if len(line) <= WIDTH:
        return [line]
    inner = indent + 4
    match code:
        case ast.Call(func=function, args=args, keywords=keywords):
            lines = [f"{pad}{head}{text(function)}("]
            for arg in args:
                lines += statement("", arg, ",", inner)
            for keyword in keywords:
                lines += statement(f"{keyword.arg}=", keyword.value, ",", inner)
            return [*lines, f"{pad}){tail}"]
        case ast.List(elts=parts):
            lines = [f"{pad}{head}["]
            for part in parts:
                lines += statement("", part, ",", inner)
            return [*lines, f"{pad}]{tail}"]
        case ast.ListComp(elt=entry, generators=loops):
            lines = [f"{pad}{head}[", *statement("", entry, "", inner)]
            lines += [" " * inner + ast.unparse(loop).strip() for loop in loops]
            return [*lines, f"{pad}]{tail}"]
        case ast.Lambda(args=args, body=body):
            head = f"{head}lambda {ast.unparse(args)}: "
            return statement(head, body, tail, indent)
        case ast.BinOp(op=op) if type(op) in _BINDING:
            lines = [f"{pad}{head}("]
            for sign, term, needed in _chain(code):
                loose = isinstance(term, ast.BinOp) and _BINDING.get(type(term.op), 3) < needed
                opening, closing = ("(", ")") if loose else ("", "")
                lines += statement(sign + opening, term, closing, inner)
            return [*lines, f"{pad}){tail}"]
    return [line]


def _chain(code: ast.BinOp) -> list[tuple[str, ast.expr, int]]:
    """a + b - c as a, + b, - c, and a * b / c in the same way, with how strongly each must bind."""
    binding = _BINDING[type(code.op)]
    terms: list[tuple[str, ast.expr, int]] = []
    left: ast.expr = code
    while isinstance(left, ast.BinOp) and _BINDING.get(type(left.op)) == binding:
        terms.append((_SIGNS[type(left.op)], left.right, binding + 1))
        left = left.left
    return [("", left, binding), *reversed(terms)]


def literal(head: str, value: Any, tail: str = "", indent: int = 0) -> list[str]:
    """A number or nested lists of numbers, at full precision; a matrix stands row by row."""
    array = np.asarray(value, dtype=np.float64)
    pad = " " * indent
    line = f"{pad}{head}{array.tolist()!r}{tail}"
    in_rows = array.ndim > 1 and min(array.shape[-2:]) > 1
    if not array.ndim or (len(line) <= WIDTH and not in_rows):
        return [line]
    lines = [f"{pad}{head}["]
    if array.ndim == 1:
        numbers = ", ".join(map(repr, array.tolist())) + ","
        lines += textwrap.wrap(
            numbers, WIDTH, initial_indent=pad + "    ", subsequent_indent=pad + "    ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    else:
        for row in array:
            lines += literal("", row, ",", indent + 4)
    return [*lines, f"{pad}]{tail}"]


def call(function: str, arguments: list[str], head: str = "", tail: str = "") -> list[str]:
    """A call or definition with plain arguments, filled into lines where it is long."""
    line = f"{head}{function}({', '.join(arguments)}){tail}"
    if len(line) <= WIDTH:
        return [line]
    body = textwrap.wrap(
        ", ".join(arguments) + ",", WIDTH, initial_indent="    ", subsequent_indent="    ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return [f"{head}{function}(", *body, f"){tail}"]
