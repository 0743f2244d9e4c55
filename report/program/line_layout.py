"""Python source in lines of at most 88 columns: statements broken at operators, literals in rows."""

from __future__ import annotations

import ast
import functools
import re
import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np

WIDTH = 88  # of 8 pt letters in a column of 160 mm
_BINDING = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2, ast.MatMult: 2}
_SIGNS = {ast.Add: "+ ", ast.Sub: "- ", ast.Mult: "* ", ast.Div: "/ ", ast.MatMult: "@ "}
_POWER = re.compile(r"(?<![\w.)\]])([\w.]+) \*\* ([\w.]+)(?![\w.(\[])")


@dataclass(frozen=True)
class CodeLine:
    """The statement `head` code, and what it is about, at length and in brief."""

    head: str
    code: ast.expr
    comment: str = ""
    brief: str = ""

    @functools.cached_property
    def text(self) -> str:
        """The statement in one line, without its comment."""
        return self.head + text(self.code)


def text(code: ast.expr) -> str:
    """An expression in one line; powers of names stand close, as in -1 / q7**2."""
    return _POWER.sub(r"\1**\2", _without_doubles(ast.unparse(code)))


def _without_doubles(line: str) -> str:
    """sum(x for x in y), which `ast.unparse` writes with two pairs of brackets."""
    opened: list[int] = []
    pairs: dict[int, int] = {}
    loops: set[int] = set()
    for i, letter in enumerate(line):
        if letter in "([{":
            opened.append(i)
        elif letter in ")]}":
            pairs[opened.pop()] = i
        elif opened and line.startswith(" for ", i):
            loops.add(opened[-1])
    doubled = {
        i for i in loops if line[i - 1] == "(" == line[i] and pairs.get(i - 1) == pairs[i] + 1
    }
    dropped = doubled | {pairs[i] for i in doubled}
    return "".join(letter for i, letter in enumerate(line) if i not in dropped)


def commented(lines: list[CodeLine]) -> list[str]:
    """Statements with their comments in one column; above the statement where there is no room."""
    shown = [(line, line.text) for line in lines]
    rooms = [(len(t), WIDTH - 4 - len(li.brief or li.comment)) for li, t in shown if li.comment]
    columns = sorted({width for width, room in rooms if width <= room} or {0})
    column = max(columns, key=lambda c: sum(width <= c <= room for width, room in rooms))
    result: list[str] = []
    for line, code in shown:
        room = WIDTH - 4 - column
        beside = next((c for c in (line.comment, line.brief) if 0 < len(c) <= room), "")
        if beside and len(code) <= column:
            result.append(f"{code:<{column}}  # {beside}")
            continue
        fits = [c for c in (line.comment, line.brief) if c and len(code) + len(c) + 4 <= WIDTH]
        if fits:
            result.append(f"{code}  # {fits[0]}")
            continue
        if line.comment:
            result += wrapped(line.comment, "# ")
        result += statement(line.head, line.code)
    return result


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
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            opening, closing = "[]" if isinstance(code, ast.List) else "()"
            lines = [f"{pad}{head}{opening}"]
            for part in parts:
                lines += statement("", part, ",", inner)
            return [*lines, f"{pad}{closing}{tail}"]
        case ast.ListComp(elt=entry, generators=loops):
            lines = [f"{pad}{head}[", *statement("", entry, "", inner)]
            lines += [" " * inner + _without_doubles(ast.unparse(loop)).strip() for loop in loops]
            return [*lines, f"{pad}]{tail}"]
        case ast.Lambda(args=args, body=body):
            return statement(f"{head}lambda {ast.unparse(args)}: ", body, tail, indent)
        case ast.BinOp(op=op) if type(op) in _BINDING:
            lines = [f"{pad}{head}("]
            for sign, term, needed in _chain(code):
                opening, closing = ("(", ")") if _binds(term) < needed else ("", "")
                lines += statement(sign + opening, term, closing, inner)
            return [*lines, f"{pad}){tail}"]
    return [line]


def _binds(term: ast.expr) -> int:
    """How strongly the outermost sign of a term binds, on the scale of `_BINDING`; 3 is stronger."""
    if isinstance(term, ast.BinOp) and not isinstance(term.op, ast.Pow):
        return _BINDING.get(type(term.op), 0)
    return 0 if isinstance(term, (ast.Compare, ast.BoolOp, ast.IfExp, ast.Lambda)) else 3


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
    array = np.asarray(value)
    pad = " " * indent
    line = f"{pad}{head}{array.tolist()!r}{tail}"
    if not array.ndim or len(line) <= WIDTH:
        return [line]
    lines = [f"{pad}{head}["]
    if array.ndim == 1:
        lines += wrapped(", ".join(map(repr, array.tolist())) + ",", pad + "    ")
    else:
        for row in array:
            lines += literal("", row, ",", indent + 4)
    return [*lines, f"{pad}]{tail}"]


def call(head: str, arguments: list[str], tail: str = "") -> list[str]:
    """A call or definition with plain arguments, filled into lines where it is long."""
    line = f"{head}({', '.join(arguments)}){tail}"
    if len(line) <= WIDTH:
        return [line]
    return [f"{head}(", *wrapped(", ".join(arguments) + ",", "    "), f"){tail}"]


def wrapped(words: str, pad: str) -> list[str]:
    """Words in as many lines as they need, each after `pad`."""
    return textwrap.wrap(
        words, WIDTH, initial_indent=pad, subsequent_indent=pad, break_on_hyphens=False
    )
