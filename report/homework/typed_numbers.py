"""Numbers and matrices as people type them: "1/2", "pi/4", "0,5", "1 2; 3 4", "[[1. 2.] [3. 4.]]"."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from typing import Any

MAX_TEXT = 100_000  # characters of a matrix
MAX_NUMBER = 100  # characters of one number
_COMMA = re.compile(r"[-+]?\d+,\d+")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_ROW = re.compile(rf"\s*{_NUMBER}(?:(?:\s*,\s*|\s+){_NUMBER})*\s*,?\s*")
_NAMES = {"pi": math.pi, "π": math.pi, "e": math.e, "tau": math.tau}
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: math.pow,
}  # fmt: skip


def as_numbers(value: Any) -> Any:
    """A number or rows of numbers for a text that is one; any other value as it is.

    A comma between digits alone is a decimal one; otherwise commas and white space part numbers, `;`
    and brackets the rows, as NumPy and MATLAB write a matrix.
    """
    if isinstance(value, list):
        return [as_numbers(v) for v in value]
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        return value
    text = value.strip().replace("−", "-")
    if _COMMA.fullmatch(text):
        return float(text.replace(",", "."))
    number = _number(text)
    if number is not None:
        return number
    rows = _rows(text)
    return value if rows is None else rows


def _number(text: str) -> float | int | None:
    """A number written with + - * / ** ^, pi, e and sqrt; None for anything else."""
    if not 0 < len(text) <= MAX_NUMBER:
        return None
    try:
        found = _value(ast.parse(text.replace("^", "**"), mode="eval").body)
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError):
        return None
    return found if math.isfinite(found) else None


def _value(e: ast.expr) -> Any:
    match e:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner)
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return _value(inner)
        case ast.Call(func=ast.Name(id="sqrt"), args=[inner], keywords=[]):
            return math.sqrt(_value(inner))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left), _value(right))
    raise ValueError


def _rows(text: str) -> list[Any] | None:
    """The rows of a matrix, or the entries of a vector; None where it is none."""
    inner = text
    for word in ("np.array", "array", "tensor"):
        if inner.startswith(f"{word}(") and inner.endswith(")"):
            inner = inner[len(word) + 1 : -1].strip()
    if nested := re.fullmatch(r"\[\s*(\[.*\])\s*\]", inner, re.DOTALL):
        parts = re.split(r"\]\s*,?\s*\[", nested[1].strip()[1:-1])
        is_matrix = True
    else:
        if inner.startswith("[") and inner.endswith("]"):
            inner = inner[1:-1]
        parts = [p for p in re.split(r"[;\n]", inner) if p.strip()]
        is_matrix = ";" in inner or len(parts) > 1
    if not parts or not all(_ROW.fullmatch(part) for part in parts):
        return None
    rows = [[_plain(n) for n in re.findall(_NUMBER, part)] for part in parts]
    return rows if is_matrix else rows[0]


def _plain(text: str) -> float | int:
    return int(text) if re.fullmatch(r"[-+]?\d+", text) else float(text)
