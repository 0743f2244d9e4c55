"""What a formula says literally: options and fixed indices; and why other syntax is refused."""

from __future__ import annotations

import ast
import keyword
from typing import Any

from report.autodiff.parser.source import Places

MAX_OPTION = 1_000_000_000  # a number that is an option, such as an axis


def option(source: Places, e: ast.expr, default: Any) -> Any:
    """An option's value, of the kind of its default."""
    value = literal(source, e)
    if isinstance(default, float):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise source.error(e, "this option is a number")
        return float(value)
    if isinstance(value, bool) and type(default) is int:  # PyTorch's unbiased=True
        return int(value)
    if isinstance(value, float):
        if not value.is_integer():
            raise source.error(e, "this option is a whole number")
        return int(value)
    return value


def literal(
    source: Places,
    e: ast.expr,
    wanted: str = "an option is a number, a tuple of whole numbers, True, False or None",
) -> Any:
    """A number, a tuple of numbers, True, False, None or a word such as 'fro'."""
    match e:
        case ast.Constant(value=bool() | None | str() as flag):
            return flag
        case ast.Constant(value=int() | float() as value) if value <= MAX_OPTION:
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if (
            not isinstance(value, bool) and value <= MAX_OPTION
        ):
            return -value
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return tuple(literal(source, p, wanted) for p in parts)
    raise source.error(e, wanted)


def static_index(source: Places, e: ast.expr) -> Any:
    """A whole number, a slice, a list of positions, None or ... in an index."""
    match e:
        case ast.Slice(lower=lower, upper=upper, step=step):
            what = "a slice goes from one whole number to another"
            ends = [
                None if end is None else literal(source, end, what) for end in (lower, upper, step)
            ]
            if any(end is not None and not is_whole(end) for end in ends) or ends[2] == 0:
                raise source.error(lower or upper or step or e, what)
            return slice(*ends)
        case ast.List(elts=parts):
            positions = [literal(source, p) for p in parts]
            if not positions or not all(is_whole(p) for p in positions):
                raise source.error(e, "a list of positions holds whole numbers")
            return positions
        case ast.Constant(value=value) if value is None or value is Ellipsis:
            return value
        case ast.Name(id="newaxis") | ast.Attribute(attr="newaxis"):
            return None
    position = literal(source, e, "an index is a whole number")
    if not is_whole(position):
        raise source.error(e, "an index is a whole number")
    return position


def is_static(e: ast.expr) -> bool:
    """Whether a part of an index is fixed by the text: everything but a name or a computed value."""
    match e:
        case ast.Constant() | ast.Slice() | ast.List():
            return True
        case ast.Name(id="newaxis") | ast.Attribute(attr="newaxis"):
            return True
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
            return True
    return False


def is_option(e: ast.expr) -> bool:
    """Whether an expression can be an option."""
    return is_static(e) or isinstance(e, ast.Tuple)


def is_number_or_shape(e: ast.expr) -> bool:
    """Whether an argument is a number or a shape such as (3,), and so no value."""
    parts = e.elts if isinstance(e, ast.Tuple) else [e]
    return all(isinstance(p, ast.Constant) and is_whole(p.value) for p in parts)


def is_whole(value: Any) -> bool:
    """Whether a literal is a whole number, and not True or False."""
    return isinstance(value, int) and not isinstance(value, bool)


def refusal(e: ast.AST) -> str:
    """Why syntax that is not in the closed list cannot be read."""
    if isinstance(e, ast.BoolOp):
        return "comparisons are joined by & and |, each in brackets: where((x > 0) & (x < 1), ...)"
    if isinstance(e, ast.Tuple):
        return "a tuple stands as a shape or an axis only; a vector is written [1, 2, 3], a decimal number 1.5"
    if isinstance(e, ast.Starred):
        return "* and ** before an argument are not possible here"
    names = {
        ast.IfExp: "if ... else", ast.Slice: "a slice", ast.Dict: "a dictionary", ast.Set: "{...}, which is LaTeX (between $ signs),",
        ast.ListComp: "a comprehension", ast.GeneratorExp: "a comprehension", ast.SetComp: "a comprehension",
        ast.DictComp: "a comprehension", ast.JoinedStr: "text", ast.NamedExpr: ":=",
        ast.ImportFrom: "import", ast.FunctionDef: "def", ast.AsyncFunctionDef: "def", ast.ClassDef: "class",
        ast.AugAssign: "an assignment with an operator", ast.AnnAssign: "a type annotation",
        ast.Delete: "del", ast.BinOp: "this operator",
    }  # fmt: skip
    word = type(e).__name__.lower()  # lambda, for, while, ...
    what = names.get(type(e), word if keyword.iskeyword(word) else "this")
    more = "; a comment begins with #" * isinstance(e, ast.BinOp)
    return f"{what} is not possible in a function; use + - * / ** @, gates and let-lines (z = ...){more}"
