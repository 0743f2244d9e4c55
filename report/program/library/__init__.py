"""The functions that programs define for gates which are no operator and no function of a library.

They are real functions of the modules `lists` (numbers and nested lists) and `arrays` (NumPy), and stand
in a program as they stand there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from types import ModuleType
from typing import Any

from report.program.library import arrays, lists


def _functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The functions of a module by name, in the order of definition."""
    own = [f for f in vars(module).values() if inspect.isfunction(f)]
    return {f.__name__: f for f in own}


FUNCTIONS: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    "python": _functions(lists),
    "numpy": _functions(arrays),
}


@cache
def source(dialect: str, name: str) -> str:
    """The definition of a function, as it stands in its module."""
    return inspect.getsource(FUNCTIONS[dialect][name]).rstrip()
