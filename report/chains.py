"""A sum or product of thousands of terms on one line, which Python's parser gives up on: read in parts."""

from __future__ import annotations

import ast
import re

_TERMS = 900  # that are parsed together
_TOKEN = re.compile(
    r"(?P<operand>[A-Za-z_]\w*|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d[\d_]*)?)"
    r"|(?P<open>[(\[])|(?P<close>[)\]])|(?P<operator>\*\*|[-+*/@])|(?P<other>\S)"
)
_BEFORE = "_"  # stands for the terms before a part; no name of a formula


def parse(line: str) -> ast.stmt | None:
    """The statement in a line that is such a chain (z = a + b + c ...), None for any other line.

    The places of its parts are columns of the line, as those of `ast.parse` are.
    """
    head = re.match(r"[A-Za-z]\w*\s*=(?!=)", line)
    cuts = _cuts(line, head.end() if head else 0)[_TERMS::_TERMS]
    if not cuts:
        return None
    try:
        (statement,) = ast.parse(line[: cuts[0]]).body
        if not isinstance(statement, (ast.Assign, ast.Expr)):
            return None
        for start, end in zip(cuts, [*cuts[1:], len(line)], strict=True):
            part = ast.parse(f"({_BEFORE:>{start - 1}}{line[start:end]})", mode="eval").body
            statement.value = _joined(statement.value, part)
    except (SyntaxError, RecursionError, MemoryError, TypeError):
        return None
    return statement


def _cuts(line: str, start: int) -> list[int]:
    """Where the operators stand that join the terms: all + and -, or all * / @ when there are none."""
    sums: list[int] = []
    products: list[int] = []
    depth, operand = 0, False
    for token in _TOKEN.finditer(line, start):
        if token["other"]:
            return []
        depth += bool(token["open"]) - bool(token["close"])
        if token["operator"] and operand and depth == 0 and token[0] != "**":
            (sums if token[0] in "+-" else products).append(token.start())
        operand = not token["operator"] and not token["open"]
    return sums or products


def _joined(before: ast.expr, part: ast.expr) -> ast.expr:
    """A part with all that comes before it put in; TypeError where it is no chain."""
    first = part
    while isinstance(first, ast.BinOp):
        first.col_offset = before.col_offset
        if isinstance(first.left, ast.Name) and first.left.id == _BEFORE:
            first.left = before
            return part
        first = first.left
    raise TypeError
