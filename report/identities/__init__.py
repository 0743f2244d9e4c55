"""The identities that a reader expects in a derivation: 1·x = x, −(−x) = x, (Aᵀ)ᵀ = A, (a / x) x = a, ...

`simplify` is asked for every node that a backward rule makes. It never changes a value but for
rounding, only the way that a formula is written. What the user wrote is not touched: the parser makes
its nodes directly.
"""

from __future__ import annotations

from typing import Any

from report.graph import Gate, Node, constant
from report.identities.constants import is_coefficient, is_filled, is_number
from report.identities.nodes import same
from report.identities.products import PRODUCTS
from report.identities.quotients import QUOTIENTS
from report.identities.sums import SUMS
from report.identities.tensors import TENSORS

__all__ = ["is_coefficient", "is_filled", "is_number", "same", "simplify"]

_IDENTITIES = {**SUMS, **PRODUCTS, **QUOTIENTS, **TENSORS}


def simplify(gate: Gate, args: tuple[Any, ...], params: dict[str, Any]) -> Node | None:
    """A simpler node of the same value and shape, or None when there is nothing to simplify."""
    identity = _IDENTITIES.get(gate.name)
    if identity is None:
        return None
    nodes = [a if isinstance(a, Node) else constant(a) for a in args]
    return identity(gate, *nodes, **params)
