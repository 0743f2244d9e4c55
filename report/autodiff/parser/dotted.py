"""What libraries write with a dot, as the function of the formula: np.exp(x), F.relu(x), x.sum(axis=0), tf.reduce_sum(x)."""

from __future__ import annotations

import ast
from collections.abc import Container, Sequence

_LIBRARIES = frozenset(
    {
        "np",
        "numpy",
        "math",
        "torch",
        "linalg",
        "scipy",
        "jnp",
        "F",
        "nn",
        "tf",
        "jax",
        "functional",
        "keras",
        "K",
        "lax",
    }
)
_SAME = frozenset(  # of a value: another kind or place of the same numbers
    {"item", "clone", "copy", "contiguous", "float", "double", "numpy", "cpu", "astype", "values"}
)


def is_of_library(e: ast.Attribute, names: Container[str]) -> bool:
    """Whether an attribute belongs to a library, as np.pi and np.linalg.norm do, and not to a value."""
    whole = e.value
    while isinstance(whole, ast.Attribute):
        whole = whole.value
    return isinstance(whole, ast.Name) and whole.id in _LIBRARIES and whole.id not in names


def without_dot(e: ast.expr, names: Container[str]) -> ast.expr:
    """An expression whose outermost dot is gone, where it is one of these; any other as it is."""
    plain = _without_one(e, names)
    while plain is not e:
        e, plain = plain, _without_one(plain, names)
    return e


def _without_one(e: ast.expr, names: Container[str]) -> ast.expr:
    if isinstance(e, ast.Attribute):
        if is_of_library(e, names):
            return ast.copy_location(ast.Name(e.attr, ast.Load()), e)
        inner = e.value
        if e.attr == "values" and isinstance(inner, ast.Call):  # x.max(1).values
            return inner
    match e:
        case ast.Subscript(value=ast.Call(keywords=[ast.keyword(arg="dim")]) as inner, slice=place):
            pair = isinstance(inner.func, ast.Attribute) and inner.func.attr in ("max", "min")
            if pair and isinstance(place, ast.Constant) and place.value == 0:
                return inner  # PyTorch's pair of values and places
        case ast.Call(func=ast.Name(id=("clip" | "clamp") as name)) if name not in names:
            return _one_sided(e)
        case ast.Call(func=ast.Name(id="norm"), args=[x, order]) if _infinite(order, 1):
            return _call(e, "max", [_call(e, "abs", [x])])
    if isinstance(e, ast.Call) and isinstance(e.func, ast.Attribute):
        if is_of_library(e.func, names):
            return _call(e, e.func.attr.removeprefix("reduce_"), e.args)
        return _method(e, e.func.attr, e.func.value)
    return e


def _one_sided(e: ast.Call) -> ast.expr:
    """clip with one bound alone, the other None, inf or left out, is maximum or minimum."""
    given: dict[str, ast.expr] = dict(zip(("x", "low", "high"), e.args, strict=False))
    for pair in e.keywords:
        given.setdefault(_BOUNDS.get(str(pair.arg), str(pair.arg)), pair.value)
    bounded = {
        "maximum": not _infinite(given.get("low"), -1),
        "minimum": not _infinite(given.get("high"), 1),
    }
    if set(given) - {"x", "low", "high"} or sum(bounded.values()) != 1 or "x" not in given:
        return e
    name = next(n for n, is_given in bounded.items() if is_given)
    return _call(e, name, [given["x"], given["low" if name == "maximum" else "high"]], keywords=[])


def _infinite(e: ast.expr | None, sign: int) -> bool:
    """Whether a bound is no bound: left out, None, or infinity of that sign."""
    match e:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return sign < 0 and _infinite(inner, 1) and not _is_none(inner)
        case ast.Name(id="inf") | ast.Attribute(attr="inf"):
            return sign > 0
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str() as word)]):
            return word in (("inf", "+inf") if sign > 0 else ("-inf",))
    return e is None or _is_none(e)


def _is_none(e: ast.expr) -> bool:
    return isinstance(e, ast.Constant) and e.value is None


def _method(e: ast.Call, name: str, owner: ast.expr) -> ast.expr:
    if name in _SAME:
        return owner
    if name in _MANY and len(e.args) > 1:
        shape = ast.copy_location(ast.Tuple(e.args, ast.Load()), e)
        return _call(e, _MANY[name], [owner, shape])
    return _call(e, _METHODS.get(name, name), [owner, *e.args])


def _call(
    e: ast.Call, name: str, args: Sequence[ast.expr], keywords: list[ast.keyword] | None = None
) -> ast.Call:
    function = ast.copy_location(ast.Name(name, ast.Load()), e)
    named = e.keywords if keywords is None else keywords
    return ast.copy_location(ast.Call(function, list(args), named), e)


_BOUNDS = dict.fromkeys(("min", "a_min"), "low") | dict.fromkeys(("max", "a_max"), "high")
_METHODS = {"view": "reshape", "t": "transpose", "detach": "stop_gradient"}
_MANY = {"reshape": "reshape", "view": "reshape", "permute": "transpose"}
