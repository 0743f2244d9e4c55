"""What Python, NumPy and PyTorch functions and methods mean when a Python function is read.

Functions of shapes and of plain lists are computed here; all others become calls of the formula, whose
own names and options are those of `report.autodiff.parser.names`.
"""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from report.autodiff.form import CONDITIONS
from report.autodiff.gates import GATES
from report.autodiff.graph import Shape
from report.autodiff.parser.names import FORMS


@dataclass(frozen=True)
class Named:
    """A function known by its name: Python's own, a library's, or a method."""

    name: str
    builtin: bool = False
    method: bool = False
    library: str = ""


class Unreadable(Exception):
    """Why a call cannot be read."""


class Reader(Protocol):
    """What is asked of the reader of the function."""

    knows_torch: bool  # whether the function's surroundings name PyTorch

    def shape(self, e: ast.expr) -> Shape:
        """The shape of an expression."""

    def written(self, e: ast.AST, value: Any) -> ast.expr:
        """A value as an expression."""


def is_condition(gate: str) -> bool:
    """Whether a gate gives a condition: a comparison, or several joined."""
    return gate in GATES and GATES[gate].form in CONDITIONS


def is_gate(name: str) -> bool:
    """Whether a formula has a function of that name."""
    return name in FORMS


def as_number(e: ast.expr) -> ast.expr:
    """An expression to compute with: a comparison counts 1 where it holds, else 0."""
    if isinstance(e, ast.Compare):
        return ast.Call(ast.Name("where", ast.Load()), [e, ast.Constant(1), ast.Constant(0)], [])
    return e


def call(reader: Reader, function: Named, args: list[Any], named: dict[str, Any]) -> Any:
    """The value of a call; a method's owner is its first argument. Unreadable for what is not known."""
    own = _METHODS if function.method else _BUILTIN if function.builtin else _LIBRARY
    act = own.get(function.name) or (_ANYWHERE.get(function.name) if not function.builtin else None)
    if act is not None:
        try:
            return act(reader, *args, **named)
        except TypeError:
            raise Unreadable(f"these arguments of {function.name} cannot be read") from None
    name = function.name
    if function.builtin:
        raise Unreadable(f"{name}(...) cannot be read")
    of_torch = function.library == "torch" or (function.method and reader.knows_torch)
    if (
        "ddof" in getattr(GATES.get(name), "params", ())
        and of_torch
        and not {"ddof", "correction"} & named.keys()
    ):
        raise Unreadable(f"{name} divides by n in NumPy and by n - 1 in PyTorch; write ddof=0 or 1")
    if not any(isinstance(a, ast.expr) for a in _flat([*args, *named.values()])):
        found = _number(name, args)
        if found is not None:
            return found
    return _gate(reader, name, args, named)


def _flat(values: list[Any]) -> list[Any]:
    return [x for v in values for x in (_flat(list(v)) if isinstance(v, (list, tuple)) else [v])]


def _number(name: str, args: list[Any]) -> float | None:
    """A function of plain numbers, as of math.sqrt(2)."""
    compute = getattr(math, name, None)
    if compute is None or not all(type(a) in (int, float) for a in args):
        return None
    try:
        return float(compute(*args))
    except (ValueError, TypeError, OverflowError):
        raise Unreadable(f"{name} of these numbers is not defined") from None


def _gate(reader: Reader, name: str, args: list[Any], named: dict[str, Any]) -> ast.expr:
    at = ast.Pass(lineno=1)
    condition = name in FORMS and is_condition(FORMS[name].name)
    written = [reader.written(at, a) for a in args]
    if not condition:
        first = written[:1] if name == "where" else []
        written = [*first, *map(as_number, written[len(first) :])]
    return ast.Call(
        ast.Name(name, ast.Load()),
        written,
        [ast.keyword(key, reader.written(at, value)) for key, value in named.items()],
    )


# ---------------------------------------------------------------- shapes and plain lists


def _range(reader: Reader, *ends: int) -> list[int]:
    if not all(type(end) is int for end in ends) or not 1 <= len(ends) <= 3:
        raise Unreadable("a range goes over known whole numbers: range(3), range(len(x))")
    if len(range(*ends)) > 100_000:
        raise Unreadable(f"a range of {len(range(*ends))} numbers is too long")
    return list(range(*ends))


def _len(reader: Reader, x: Any) -> int:
    if isinstance(x, (list, tuple, str, range, dict)):
        return len(x)
    if not isinstance(x, ast.expr):
        raise Unreadable("a single number has no length")
    shape = reader.shape(x)
    if not shape:
        raise Unreadable("a single number has no length")
    return shape[0]


def _parts(reader: Reader, x: Any) -> list[Any]:
    if isinstance(x, (list, tuple, range)):
        return list(x)
    return [ast.Subscript(x, ast.Constant(i), ast.Load()) for i in range(_len(reader, x))]


def _sum(reader: Reader, x: Any, start: Any = 0) -> Any:
    """Python's sum: of a list, or of the rows of an array."""
    if isinstance(x, ast.expr):
        axis = {} if len(reader.shape(x)) < 2 else {"axis": 0}
        total = _gate(reader, "sum", [x], axis)
        return total if start == 0 else _plus(reader, total, start)
    parts = list(x)
    if start != 0 or not parts:
        parts = [start, *parts]
    return functools.reduce(functools.partial(_plus, reader), parts)


def _plus(reader: Reader, a: Any, b: Any) -> Any:
    return _joined(reader, ast.Add(), lambda x, y: x + y, a, b)


def _joined(
    reader: Reader, op: ast.operator, compute: Callable[[Any, Any], Any], a: Any, b: Any
) -> Any:
    if not isinstance(a, ast.expr) and not isinstance(b, ast.expr):
        return compute(a, b)
    at = ast.Pass(lineno=1)
    return ast.BinOp(as_number(reader.written(at, a)), op, as_number(reader.written(at, b)))


def _prod(reader: Reader, x: Any, **named: Any) -> Any:
    if isinstance(x, ast.expr):
        return _gate(reader, "prod", [x], named)
    times = functools.partial(_joined, reader, ast.Mult(), lambda a, b: a * b)
    return functools.reduce(times, x, 1) if x else 1


def _extreme(name: str) -> Callable[..., Any]:
    def extreme(reader: Reader, *args: Any) -> Any:
        parts = list(args) if len(args) > 1 else args[0]
        if isinstance(parts, ast.expr):
            return _gate(reader, name, [parts], {})
        if not any(isinstance(p, ast.expr) for p in parts):
            return (max if name == "max" else min)(parts)
        pair = functools.partial(_gate, reader, GATES[name].of_two, named={})
        return functools.reduce(lambda a, b: pair(args=[a, b]), parts)

    return extreme


def _same(reader: Reader, x: Any, *_: Any, **__: Any) -> Any:
    """What changes the kind of numbers or their place in memory, not their values."""
    infinite = isinstance(x, str) and x.lstrip("+-") in ("inf", "Infinity")
    return float(x) if infinite else x


def _shape_of(reader: Reader, x: Any) -> Shape:
    return reader.shape(x) if isinstance(x, ast.expr) else (len(x),)


def _size(reader: Reader, x: Any, axis: int | None = None) -> Any:
    """PyTorch's size() is the shape, size(0) its first entry."""
    shape = _shape_of(reader, x)
    return shape if axis is None else shape[axis]


def _reshape(reader: Reader, x: Any, *shape: Any) -> Any:
    whole = shape[0] if len(shape) == 1 and isinstance(shape[0], (list, tuple)) else shape
    return _gate(reader, "reshape", [x], {"shape": tuple(whole)})


def _permuted(reader: Reader, x: Any, *axes: Any) -> Any:
    whole = axes[0] if len(axes) == 1 and isinstance(axes[0], (list, tuple)) else axes
    if len(whole) == 2 and sorted(whole) == [0, 1]:
        if list(whole) == [0, 1]:  # all stays in NumPy, the two are swapped in PyTorch
            raise Unreadable("transpose(0, 1) means two things; write .T")
        whole = ()
    return _gate(reader, "transpose", [x], {"axes": tuple(whole)} if whole else {})


def _enumerate(reader: Reader, x: Any, start: int = 0) -> list[Any]:
    return [(i, part) for i, part in enumerate(_parts(reader, x), start)]


def _zip(reader: Reader, *lists: Any) -> list[Any]:
    return list(zip(*(_parts(reader, x) for x in lists), strict=False))


def _reversed(reader: Reader, x: Any) -> list[Any]:
    return _parts(reader, x)[::-1]


def _absolute(reader: Reader, x: Any) -> Any:
    return _gate(reader, "abs", [x], {}) if isinstance(x, ast.expr) else abs(x)


def _power(reader: Reader, a: Any, b: Any) -> Any:
    return _joined(reader, ast.Pow(), lambda x, y: x**y, a, b)


def _array(reader: Reader, x: Any, *_: Any, **__: Any) -> Any:
    """An array of numbers and computed values is a list of the formula."""
    return reader.written(ast.Pass(lineno=1), list(x)) if isinstance(x, (list, tuple)) else x


def _like(value: float) -> Callable[..., Any]:
    def like(reader: Reader, x: Any) -> Any:
        shape = _shape_of(reader, x)
        name = "ones" if value else "zeros"
        return _gate(reader, name, [], {"shape": shape}) if shape else value

    return like


def _square(reader: Reader, x: Any) -> Any:
    return _power(reader, x, 2)


def _filled(value: float) -> Callable[..., Any]:
    def filled(reader: Reader, *shape: Any, **_: Any) -> Any:
        whole = shape[0] if len(shape) == 1 else shape
        whole = whole if isinstance(whole, (list, tuple)) else (whole,)
        if not whole:
            return value
        return _gate(reader, "ones" if value else "zeros", [], {"shape": tuple(whole)})

    return filled


def _of_dict(view: Callable[[Any], Any]) -> Callable[..., Any]:
    def listed(reader: Reader, x: Any) -> Any:
        return list(view(x))

    return listed


_BUILTIN: dict[str, Callable[..., Any]] = {
    "range": _range, "len": _len, "sum": _sum, "max": _extreme("max"), "min": _extreme("min"),
    "abs": _absolute, "float": _same, "int": _same, "list": _parts, "tuple": _parts, "enumerate": _enumerate,
    "zip": _zip, "reversed": _reversed, "pow": _power,
}  # fmt: skip
_ANYWHERE: dict[str, Callable[..., Any]] = {
    "shape": _shape_of, "size": _size, "reshape": _reshape, "view": _reshape, "float": _same, "double": _same,
    "contiguous": _same, "astype": _same, "copy": _same, "clone": _same, "item": _same, "square": _square,
    "requires_grad_": _same, "asarray": _array,
}  # fmt: skip
_METHODS: dict[str, Callable[..., Any]] = {
    "t": _permuted, "transpose": _permuted, "permute": _permuted, "dim": lambda r, x: len(_shape_of(r, x)),
    "keys": _of_dict(dict.keys), "values": _of_dict(dict.values), "items": _of_dict(dict.items),
    "numel": lambda r, x: math.prod(_shape_of(r, x)),
}  # fmt: skip
_LIBRARY: dict[str, Callable[..., Any]] = {
    "arange": _range, "array": _array, "tensor": _array, "prod": _prod, "zeros_like": _like(0.0),
    "ones_like": _like(1.0), "ones": _filled(1.0), "zeros": _filled(0.0), "empty": _filled(0.0), "empty_like": _like(0.0),
    "ndim": lambda r, x: len(_shape_of(r, x)),
}  # fmt: skip
