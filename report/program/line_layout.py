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
_CLOSE = 3
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


_TEMPORARY = re.compile(r"t\d+ = ")  # a part of the gate's statement that follows


def commented(lines: list[CodeLine]) -> list[str]:
    """Statements with their comments in one column; where there is no room, above all that it is about."""
    shown = [(line, line.text) for line in lines]
    rooms = [(len(t), WIDTH - 4 - len(li.brief or li.comment)) for li, t in shown if li.comment]
    columns = sorted({width for width, room in rooms if width <= room} or {0})
    column = max(columns, key=lambda c: sum(width <= c <= room for width, room in rooms))
    result: list[str] = []
    begin = 0  # of the statements that the next comment is about
    for line, code in shown:
        room = WIDTH - 4 - column
        beside = next((c for c in (line.comment, line.brief) if 0 < len(c) <= room), "")
        fits = [c for c in (line.comment, line.brief) if c and len(code) + len(c) + 4 <= WIDTH]
        if beside and len(code) <= column:
            result.append(f"{code:<{column}}  # {beside}")
        elif fits:
            result.append(f"{code}  # {fits[0]}")
        else:
            if line.comment:
                result[begin:begin] = wrapped(line.comment, "# ")
            result += statement(line.head, line.code)
        if not _TEMPORARY.match(line.head):
            begin = len(result)
    return result


def statement(head: str, code: ast.expr, tail: str = "", indent: int = 0) -> list[str]:
    """The lines of `head` + code + `tail`, broken as little as the width asks."""
    line = f"{' ' * indent}{head}{text(code)}{tail}"
    return [line] if len(line) <= WIDTH else _broken(head, code, tail, indent)


def _broken(head: str, code: ast.expr, tail: str, indent: int) -> list[str]:
    """The same in lines of its own between brackets: they serve as the brackets that it needs."""
    match code:
        case ast.Lambda(args=args, body=body):
            return statement(f"{head}lambda {ast.unparse(args)}: ", body, tail, indent)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _broken(f"{head}-", operand, tail, indent)
        case ast.Subscript(value=ast.List() | ast.Subscript() as value, slice=place):
            return _broken(head, value, f"[{text(place)}]{tail}", indent)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            exponent = text(right) if _binds(right) == _CLOSE else f"({text(right)})"
            tail = f" ** {exponent}{tail}"
            if _stands_alone(left):
                return _broken(head, left, tail, indent)
            pad = " " * indent
            return [f"{pad}{head}(", *statement("", left, "", indent + 4), f"{pad}){tail}"]
        case ast.Call(func=ast.Attribute(value=value, attr=name)) if len(
            text(value)
        ) > WIDTH // 2 and _stands_alone(value):
            arguments = text(ast.Call(ast.Name(name), code.args, code.keywords))
            return _broken(head, value, f".{arguments}{tail}", indent)
    pad = " " * indent
    match _between(code, indent + 4):
        case None:
            return [f"{pad}{head}{text(code)}{tail}"]
        case opening, lines, closing:
            return [f"{pad}{head}{opening}", *lines, f"{pad}{closing}{tail}"]


def _stands_alone(base: ast.expr) -> bool:
    """Whether the base of a power or method needs no brackets but those of its own lines."""
    return not isinstance(base, ast.UnaryOp | ast.BinOp) or type(base.op) in _BINDING


def _between(code: ast.expr, indent: int) -> tuple[str, list[str], str] | None:
    """The lines of code between its brackets; None for code that is not broken."""
    match code:
        case ast.Call(func=function, args=[ast.GeneratorExp() as loop], keywords=[]):
            return f"{text(function)}(", _loop(loop, indent), ")"
        case ast.Call(func=function, args=args, keywords=keywords):
            lines = [line for arg in args for line in statement("", arg, ",", indent)]
            for keyword in keywords:
                lines += statement(f"{keyword.arg}=", keyword.value, ",", indent)
            return f"{text(function)}(", lines, ")"
        case ast.List(elts=parts):
            return "[", [line for part in parts for line in statement("", part, ",", indent)], "]"
        case ast.Tuple(elts=parts):
            return "(", [line for part in parts for line in statement("", part, ",", indent)], ")"
        case ast.ListComp():
            return "[", _loop(code, indent), "]"
        case ast.GeneratorExp():
            return "(", _loop(code, indent), ")"
        case ast.IfExp(test=test, body=body, orelse=other):
            lines = []
            for word, part in (("", body), ("if ", test), ("else ", other)):
                opening, closing = "()" if isinstance(part, ast.IfExp) else ("", "")
                lines += statement(word + opening, part, closing, indent)
            return "(", lines, ")"
        case ast.BinOp(op=op) if type(op) in _BINDING:
            lines = []
            for sign, term, needed in _chain(code):
                opening, closing = ("(", ")") if _binds(term) < needed else ("", "")
                lines += statement(sign + opening, term, closing, indent)
            return "(", lines, ")"
    return None


def _loop(code: ast.ListComp | ast.GeneratorExp, indent: int) -> list[str]:
    """An entry, and below it what it runs over: a line for each loop."""
    lines = statement("", code.elt, "", indent)
    for loop in code.generators:
        line = " " * indent + _without_doubles(ast.unparse(loop)).strip()
        if len(line) <= WIDTH:
            lines.append(line)
            continue
        lines += statement(f"for {text(loop.target)} in ", loop.iter, "", indent)
        for condition in loop.ifs:
            lines += statement("if ", condition, "", indent)
    return lines


def _binds(term: ast.expr) -> int:
    """How strongly the outermost sign of a term binds, on the scale of `_BINDING`; `_CLOSE` is strongest."""
    if isinstance(term, ast.BinOp) and not isinstance(term.op, ast.Pow):
        return _BINDING.get(type(term.op), 0)
    return 0 if isinstance(term, (ast.Compare, ast.BoolOp, ast.IfExp, ast.Lambda)) else _CLOSE


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
