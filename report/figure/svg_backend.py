"""matplotlib's SVG renderer, without what it brings for screens and for finding fonts.

Importing the renderer plainly takes a fifth of a second, and where matplotlib has not been used
before, another half to list the fonts of the system. A figure whose texts name their fonts needs
neither: the modules for them are left out while the renderer is imported, in a copy of its own.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import sys
import types
from collections.abc import Iterator
from functools import cache
from typing import Any

_PACKAGE, _NOTHING = "matplotlib", "left out"
_LEFT_OUT = (
    "_tight_bbox", "backend_managers", "backend_tools", "backends.backend_mixed", "dates",
    "font_manager", "layout_engine", "text", "texmanager", "widgets",
)  # fmt: skip


def font(family: str, size: float, style: str, weight: int) -> Any:
    """What the renderer asks of a text's font."""
    answers = {
        "get_family": [family],
        "get_size": size,
        "get_style": style,
        "get_weight": weight,
        "get_variant": "normal",
        "get_stretch": "normal",
    }
    return types.SimpleNamespace(
        **{name: (lambda found=value: found) for name, value in answers.items()}
    )


@cache
def renderer() -> Any:
    """The class RendererSVG."""
    with _quiet():
        importlib.import_module(_PACKAGE)
        known, found = set(sys.modules), None
        # Another matplotlib may need more to be imported; then it gets all of it.
        with contextlib.suppress(Exception), _left_out():
            found = _renderer()
        for name in set(sys.modules) - known:  # no one else shall work with this copy
            if name.startswith(f"{_PACKAGE}.back"):
                _forget(name)
        return found or _renderer()


def _renderer() -> Any:
    return importlib.import_module(f"{_PACKAGE}.backends.backend_svg").RendererSVG


class _Nothing(types.ModuleType):
    """A module in which every name is an empty class."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = type(name, (), {"__module__": _NOTHING})
        setattr(self, name, found)
        return found


@contextlib.contextmanager
def _left_out() -> Iterator[None]:
    names = [f"{_PACKAGE}.{part}" for part in _LEFT_OUT]
    placed = [name for name in names if name not in sys.modules]
    for name in placed:
        sys.modules[name] = module = _Nothing(name)
        if name.endswith(".font_manager"):
            module.weight_dict, module.font_family_aliases = {}, set()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for name in placed:
            _forget(name)


def _forget(name: str) -> None:
    """Take a module away, so that it is imported anew when it is asked for."""
    module = sys.modules.pop(name, None)
    parent, _, last = name.rpartition(".")
    if module is not None and getattr(sys.modules.get(parent), last, None) is module:
        delattr(sys.modules[parent], last)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing is said of matplotlib's settings and caches, which do not matter here."""
    log = logging.getLogger(_PACKAGE)
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)
