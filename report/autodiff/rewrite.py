"""The rewriting rules by gate: `apply` asks here, and `report.autodiff.simplify`, which knows them, fills it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from report.autodiff.graph import Gate, Node, constant

RULES: dict[str, Callable[..., Node | None]] = {}


def rewritten(gate: Gate, args: tuple[Any, ...], params: dict[str, Any]) -> Node | None:
    """A simpler node of the same value and shape, or None when there is nothing to simplify."""
    rule = RULES.get(gate.name)
    if rule is None:
        return None
    nodes = [a if isinstance(a, Node) else constant(a) for a in args]
    return rule(gate, *nodes, **params)
