"""The identities that a reader expects in a derivation: 1·x = x, −(−x) = x, (Aᵀ)ᵀ = A, (a / x) x = a, ...

They are asked for every node that a backward rule makes. They never change a value but for rounding,
only the way that a formula is written. What the user wrote is not touched: the parser makes its nodes
directly.
"""

from __future__ import annotations

from report.autodiff.rewrite import RULES
from report.autodiff.simplify.constants import is_coefficient, is_filled, is_number
from report.autodiff.simplify.nodes import same
from report.autodiff.simplify.products import PRODUCTS
from report.autodiff.simplify.quotients import QUOTIENTS
from report.autodiff.simplify.sums import SUMS
from report.autodiff.simplify.tensors import TENSORS

__all__ = ["is_coefficient", "is_filled", "is_number", "same"]

RULES.update({**SUMS, **PRODUCTS, **QUOTIENTS, **TENSORS})
