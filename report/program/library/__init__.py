"""The functions that programs define for gates which are no operator and no function of a library.

They are real functions of the modules `lists` (numbers and nested lists) and `arrays` (NumPy), and stand
in a program as they stand there, without the options that it does not ask for.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from types import ModuleType
from typing import Any

from report.program.library import arrays, lists
from report.program.library.narrow import narrowed


def _functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The functions of a module by name, in the order of definition."""
    own = [f for f in vars(module).values() if inspect.isfunction(f)]
    return {f.__name__: f for f in own}


FUNCTIONS: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    "python": _functions(lists),
    "numpy": _functions(arrays),
}


@lru_cache(maxsize=64)
def defined(dialect: str, names: tuple[str, ...], program: str) -> tuple[str, ...]:
    """The definitions of these functions, with the options that a program which calls them asks for.

    `names` are in the order of definition, in which those that call others come later.
    """
    callers = [ast.parse(program)]
    found: list[str] = []
    for name in reversed(names):
        found.append(narrowed(source(dialect, name), callers))
        callers.append(ast.parse(found[-1]))
    return tuple(found[::-1])


@cache
def source(dialect: str, name: str) -> str:
    """The definition of a function, as it stands in its module."""
    return inspect.getsource(FUNCTIONS[dialect][name]).rstrip()
