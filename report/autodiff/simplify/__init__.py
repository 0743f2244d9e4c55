"""The identities that a reader expects in a derivation: 1·x = x, −(−x) = x, (Aᵀ)ᵀ = A, (a / x) x = a, ...

They are asked for every node that a backward rule makes. They never change a value but for rounding,
only the way that a formula is written. What the user wrote is not touched: the parser makes its nodes
directly. `rules` is the table; `forms` are patterns and what matches them, `order` is why it ends.
"""

from __future__ import annotations

from report.autodiff import rewrite
from report.autodiff.simplify.constants import is_coefficient, is_filled, is_number
from report.autodiff.simplify.engine import simplified
from report.autodiff.simplify.nodes import same, share

__all__ = ["is_coefficient", "is_filled", "is_number", "same", "share", "simplified"]

rewrite.install(simplified)
