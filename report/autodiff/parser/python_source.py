"""The source of a Python function: its tree, its lines, and the plain values around it. Nothing runs."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

from report.autodiff.parser.python_calls import Named
from report.errors import ReportError, shown

MAX_ARRAY = 1000  # entries of an array of the surroundings


@dataclass(frozen=True, eq=False)
class Source:
    """A function's tree, the lines it came from, and the names around it."""

    name: str
    node: ast.FunctionDef | ast.Lambda
    lines: tuple[str, ...]
    around: Mapping[str, Any]

    def error(self, e: ast.AST, message: str) -> ReportError:
        """An error at a part of the function."""
        line = getattr(e, "lineno", 1)
        text = self.lines[line - 1].strip() if 0 < line <= len(self.lines) else ""
        return ReportError(f"{message}\n  in {self.name}, line {line}: {text}")


def read(function: Any) -> Source:
    """The source of a function; ReportError where there is none."""
    if type(function) is not FunctionType:
        raise ReportError(
            f"the function must be text or a Python function made by def or lambda, not {shown(function)}"
        )
    name = function.__name__
    try:
        found = inspect.getsource(function.__code__)  # not that of what it wraps
    except (OSError, TypeError):
        raise ReportError(
            f"the source of {name} cannot be found; define it in a file or in a cell of a notebook"
        ) from None
    text = textwrap.dedent(found)
    names = inspect.getclosurevars(function)
    around = {**function.__globals__, **names.nonlocals}
    nodes = [n for n in ast.walk(_parsed(text, name)) if _is_source_of(n, function)]
    if len(nodes) != 1:
        what = "two lambdas with these arguments stand on its line" if nodes else "it is no def"
        raise ReportError(f"the source of {name} is not clear: {what}; write it as def")
    node = nodes[0]
    assert isinstance(node, (ast.FunctionDef, ast.Lambda))
    return Source(name.strip("<>"), node, tuple(text.split("\n")), around)


def _parsed(text: str, name: str) -> ast.Module:
    for attempt in (
        text,
        f"({text.strip()})",
        text.strip().rstrip(",)"),
    ):  # of an argument of a call
        try:
            return ast.parse(attempt)
        except SyntaxError:
            continue
    raise ReportError(f"the source of {name} stands inside a longer line; write it as def")


def _is_source_of(node: ast.AST, function: FunctionType) -> bool:
    if not isinstance(node, (ast.FunctionDef, ast.Lambda)):
        return False
    named = getattr(node, "name", "<lambda>") == function.__name__
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    return named and tuple(a.arg for a in parameters(node)) == code.co_varnames[:count]


def parameters(node: ast.FunctionDef | ast.Lambda) -> list[ast.arg]:
    """The arguments of a function in order."""
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def defaults(node: ast.FunctionDef | ast.Lambda) -> dict[str, ast.expr]:
    """The arguments that have a default value, with its expression."""
    ordered = [*node.args.posonlyargs, *node.args.args]
    last = node.args.defaults
    found = dict(zip((a.arg for a in ordered[len(ordered) - len(last) :]), last, strict=True))
    found |= {
        a.arg: d
        for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        if d is not None
    }
    return found


def plain(value: Any, error: Callable[[str], ReportError], name: str) -> Any:
    """A value of the surroundings: a module, a function, a number, a word, a list or a small array."""
    kind = type(value)
    if kind is FunctionType and _library(value.__module__):
        return Named(value.__name__, library=_library(value.__module__))
    if kind in (bool, int, float, str, type(None), FunctionType, ModuleType):
        return value
    if kind in (list, tuple):
        return kind(plain(v, error, name) for v in value)
    if kind is dict and all(type(key) in (str, int) for key in value):
        return {key: plain(v, error, name) for key, v in value.items()}
    if kind is np.ndarray or isinstance(value, np.generic):
        if value.size > MAX_ARRAY:
            raise error(f"{name} has {value.size} entries; put it into inputs")
        return plain(value.tolist(), error, name)
    if kind in _FUNCTIONS:
        return Named(value.__name__)
    raise error(f"{name} is {shown(value)}; put it into inputs")


_FUNCTIONS = (np.ufunc, BuiltinFunctionType, type(np.sum))  # of NumPy, math, PyTorch
_LIBRARIES = frozenset({"numpy", "autograd", "torch", "scipy", "jax"})


def _library(module: Any) -> str:
    root = module.partition(".")[0] if type(module) is str else ""
    return root if root in _LIBRARIES else ""
