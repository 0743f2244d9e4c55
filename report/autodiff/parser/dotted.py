"""What libraries write with a dot, as the function of the formula: np.exp(x), F.relu(x), x.sum(axis=0), tf.reduce_sum(x)."""

from __future__ import annotations

import ast
from collections.abc import Container, Sequence

_LIBRARIES = frozenset(
    {"np", "numpy", "math", "torch", "linalg", "scipy", "jnp", "F", "nn", "tf", "jax", "functional"}
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
    if isinstance(e, ast.Call) and isinstance(e.func, ast.Attribute):
        if is_of_library(e.func, names):
            return _call(e, e.func.attr.removeprefix("reduce_"), e.args)
        return _method(e, e.func.attr, e.func.value)
    return e


def _method(e: ast.Call, name: str, owner: ast.expr) -> ast.expr:
    if name in _SAME:
        return owner
    if name in _MANY and len(e.args) > 1:
        shape = ast.copy_location(ast.Tuple(e.args, ast.Load()), e)
        return _call(e, _MANY[name], [owner, shape])
    return _call(e, _METHODS.get(name, name), [owner, *e.args])


def _call(e: ast.Call, name: str, args: Sequence[ast.expr]) -> ast.Call:
    function = ast.copy_location(ast.Name(name, ast.Load()), e)
    return ast.copy_location(ast.Call(function, list(args), e.keywords), e)


_METHODS = {"view": "reshape", "t": "transpose", "detach": "stop_gradient"}
_MANY = {"reshape": "reshape", "view": "reshape", "permute": "transpose"}
