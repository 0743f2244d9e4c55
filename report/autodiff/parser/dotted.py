"""What libraries and Python write, as the function of the formula: np.exp(x), F.relu(x), x.sum(axis=0), len(x), a if c else b."""

from __future__ import annotations

import ast
from collections.abc import Container, Mapping, Sequence

from report.autodiff.gates import GATES
from report.autodiff.graph import Node

_LIBRARIES = frozenset(
    [
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
    ]
)
_SAME = frozenset(  # of a value: another kind or place of the same numbers
    [
        "item",
        "clone",
        "copy",
        "contiguous",
        "float",
        "double",
        "numpy",
        "cpu",
        "astype",
        "values",
        "bool",
        "to",
    ]
)
_AS_IS = frozenset(  # functions that make a value of another kind of the same numbers
    [
        "array",
        "asarray",
        "tensor",
        "as_tensor",
        "constant",
        "convert_to_tensor",
        "float",
        "float32",
        "float64",
        "cast",
    ]
)


class LibraryName(ast.Name):
    """A name that a library has, np.e: no value of the formula goes by it."""


def is_of_library(e: ast.Attribute, names: Container[str]) -> bool:
    """Whether an attribute belongs to a library, as np.pi and np.linalg.norm do, and not to a value."""
    whole = e.value
    while isinstance(whole, ast.Attribute):
        whole = whole.value
    return isinstance(whole, ast.Name) and whole.id in _LIBRARIES and whole.id not in names


def libraries(tree: ast.AST) -> list[ast.Name]:
    """The names that stand for libraries in a tree: np in np.exp(x), but not K in K.T and K.sum()."""
    of_values = {id(e.func) for e in ast.walk(tree) if isinstance(e, ast.Call) and not e.args}
    owners = (
        e.value
        for e in ast.walk(tree)
        if isinstance(e, ast.Attribute) and e.attr not in ("T", "mT") and id(e) not in of_values
    )
    return [e for e in owners if isinstance(e, ast.Name) and e.id in _LIBRARIES]


def without_dot(e: ast.expr, names: Mapping[str, Node]) -> ast.expr:
    """An expression whose outermost dot is gone, where it is one of these; any other as it is."""
    plain = _without_one(e, names)
    while plain is not e:
        e, plain = plain, _without_one(plain, names)
    return e


def _without_one(e: ast.expr, names: Mapping[str, Node]) -> ast.expr:
    match e:
        case ast.Attribute():
            return _attribute(e, names)
        case ast.Subscript(value=ast.Attribute(value=x, attr="shape"), slice=axis):
            return _call(e, "size", [x, axis])
        case ast.Subscript(value=ast.Call(keywords=[ast.keyword(arg="dim")]) as inner, slice=place):
            row = GATES.get(inner.func.attr) if isinstance(inner.func, ast.Attribute) else None
            is_pair = row is not None and row.of_two
            if is_pair and isinstance(place, ast.Constant) and place.value == 0:
                return inner  # PyTorch's pair of values and places
        case ast.IfExp(test=test, body=body, orelse=other):
            return _call(e, "where", [test, body, other])
        case ast.Call():
            return _plain_call(_with_sizes(e, names), names)
    return e


def _attribute(e: ast.Attribute, names: Mapping[str, Node]) -> ast.expr:
    if is_of_library(e, names):
        return ast.copy_location(LibraryName(e.attr, ast.Load()), e)
    if e.attr == "values" and isinstance(e.value, ast.Call):  # x.max(1).values
        return e.value
    if e.attr == "size":
        return _call(e, "size", [e.value])
    if e.attr == "mT":
        return ast.copy_location(ast.Attribute(e.value, "T", ast.Load()), e)
    return e


def _plain_call(e: ast.Call, names: Mapping[str, Node]) -> ast.expr:
    match e:
        case ast.Call(func=ast.Attribute() as function):
            if not is_of_library(function, names):
                return _method(e, function.attr, function.value)
            name = function.attr.removeprefix("reduce_")
            plain = _call(e, _METHODS.get(name, name), e.args, library=True)
            return _divided(plain, function)
        case ast.Call(func=LibraryName(id=name) | ast.Name(id=name)) if _is_free(e.func, names):
            return _function(e, name)
    return e


def _is_free(function: ast.expr, names: Mapping[str, Node]) -> bool:
    """Whether a name that is called is that of a function."""
    return isinstance(function, LibraryName) or (
        isinstance(function, ast.Name) and function.id not in names
    )


def _function(e: ast.Call, name: str) -> ast.expr:
    args = e.args
    whole = [a for a in args if _is_integer(a)]
    match name:
        case "clip" | "clamp":
            return _one_sided(e)
        case "norm" if len(args) == 2 and infinite(args[1]) > 0:
            return _call(e, "max", [_call(e, "abs", [args[0]])])
        case "transpose" if len(args) == 3 and len(whole) == 2:  # PyTorch's
            return _call(e, "swapaxes", args)
        case "einsum" if len(args) == 2 and isinstance(args[1], (ast.List, ast.Tuple)):
            return _call(e, name, [args[0], *args[1].elts])
        case "ones" | "zeros" if len(args) > 1 and len(args) == len(whole):
            return _call(e, name, [_shape(e, args)])
        case "expand" if len(args) > 1 and len(args) == len(whole) + 1:
            return _call(e, "broadcast_to", [args[0], _shape(e, args[1:])])
    if name in _AS_IS and args:
        return _listed(args[0])
    return e


def _listed(e: ast.expr) -> ast.expr:
    """What is made an array of: also rows in round brackets, and infinity as text."""
    match e:
        case ast.Tuple(elts=parts):
            return ast.copy_location(ast.List([_listed(p) for p in parts], ast.Load()), e)
        case ast.Constant(value=str() as word) if word.lstrip("+-") in ("inf", "Infinity"):
            positive = ast.copy_location(LibraryName("inf", ast.Load()), e)
            if word[0] != "-":
                return positive
            return ast.copy_location(ast.UnaryOp(ast.USub(), positive), e)
    return e


def _divided(e: ast.Call, function: ast.Attribute) -> ast.Call:
    """A variance of PyTorch, which divides by n - 1 where nothing else is said."""
    of_torch = ast.unparse(function).startswith("torch.")
    said = {str(pair.arg) for pair in e.keywords} & {"ddof", "correction", "unbiased"}
    row = GATES.get(function.attr)
    if of_torch and row is not None and "ddof" in row.params and not said:
        one = ast.copy_location(ast.Constant(1), e)
        e.keywords = [*e.keywords, ast.copy_location(ast.keyword("ddof", one), e)]
    return e


def _with_sizes(e: ast.Call, names: Mapping[str, Node]) -> ast.Call:
    """A call with the shapes of values among its arguments as numbers: x.reshape(len(x), -1)."""
    args = [_size_of(a, names) for a in e.args]
    keywords = [
        ast.copy_location(ast.keyword(k.arg, _size_of(k.value, names)), k) for k in e.keywords
    ]
    kept = all(a is b for a, b in zip(args, e.args, strict=True))
    if kept and all(a.value is b.value for a, b in zip(keywords, e.keywords, strict=True)):
        return e
    return ast.copy_location(ast.Call(e.func, args, keywords), e)


def _size_of(e: ast.expr, names: Mapping[str, Node]) -> ast.expr:
    match e:
        case ast.Tuple(elts=parts):
            found = [_size_of(p, names) for p in parts]
            if all(a is b for a, b in zip(found, parts, strict=True)):
                return e
            return ast.copy_location(ast.Tuple(found, ast.Load()), e)
        case ast.Attribute(value=ast.Name(id=name), attr="shape") if name in names:
            return _shape(e, [ast.copy_location(ast.Constant(n), e) for n in names[name].shape])
        case (
            ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr="shape"), slice=axis)
            | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="size"), args=[axis])
        ) if name in names:
            shape, at = names[name].shape, _integer(axis)
            if at is not None and -len(shape) <= at < len(shape):
                return ast.copy_location(ast.Constant(shape[at]), e)
        case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]) if name in names:
            if names[name].shape:
                return ast.copy_location(ast.Constant(names[name].shape[0]), e)
    return e


def _integer(e: ast.expr) -> int | None:
    match e:
        case ast.Constant(value=int() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
            return -value
    return None


def _is_integer(e: ast.expr) -> bool:
    return _integer(e) is not None


def _shape(e: ast.expr, sizes: Sequence[ast.expr]) -> ast.expr:
    return ast.copy_location(ast.Tuple(list(sizes), ast.Load()), e)


def _one_sided(e: ast.Call) -> ast.expr:
    """clip with one bound alone, the other None, inf or left out, is maximum or minimum."""
    given: dict[str, ast.expr] = dict(zip(("x", "low", "high"), e.args, strict=False))
    for pair in e.keywords:
        given.setdefault(_BOUNDS.get(str(pair.arg), str(pair.arg)), pair.value)
    low, high = given.get("low"), given.get("high")
    is_low = low is not None and not _is_none(low) and infinite(low) >= 0
    is_high = high is not None and not _is_none(high) and infinite(high) <= 0
    if set(given) - {"x", "low", "high"} or is_low == is_high or "x" not in given:
        return e
    name, bound = ("maximum", "low") if is_low else ("minimum", "high")
    return _call(e, name, [given["x"], given[bound]], keywords=[])


def infinite(e: ast.expr) -> int:
    """1 and -1 for infinity, however it is written; 0 for anything else."""
    match e:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -infinite(inner)
        case ast.Name(id="inf") | ast.Attribute(attr="inf"):
            return 1
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str() as word)]):
            return {"inf": 1, "+inf": 1, "-inf": -1}.get(word, 0)
    return 0


def _is_none(e: ast.expr) -> bool:
    return isinstance(e, ast.Constant) and e.value is None


def _method(e: ast.Call, name: str, owner: ast.expr) -> ast.expr:
    if name in _SAME:
        return owner
    if name in _MANY and len(e.args) > 1:
        return _call(e, _MANY[name], [owner, _shape(e, e.args)])
    if name == "transpose" and len(e.args) > 2:  # NumPy's
        return _call(e, name, [owner, _shape(e, e.args)])
    return _call(e, _METHODS.get(name, name), [owner, *e.args])


def _call(
    e: ast.expr,
    name: str,
    args: Sequence[ast.expr],
    keywords: list[ast.keyword] | None = None,
    library: bool = False,
) -> ast.Call:
    function = ast.copy_location((LibraryName if library else ast.Name)(name, ast.Load()), e)
    named = (e.keywords if isinstance(e, ast.Call) else []) if keywords is None else keywords
    return ast.copy_location(ast.Call(function, list(args), named), e)


_BOUNDS = dict.fromkeys(("min", "a_min"), "low") | dict.fromkeys(("max", "a_max"), "high")
_METHODS = {"view": "reshape", "t": "transpose", "detach": "stop_gradient", "numel": "size"}
_MANY = {"reshape": "reshape", "view": "reshape", "permute": "transpose"}
