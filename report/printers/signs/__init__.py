"""Notation of the gates that need more than the template of their row."""

from __future__ import annotations

from report.printers.signs import conditions, moving, products, reductions
from report.printers.signs.table import Signs

SIGNS: Signs = {**products.SIGNS, **reductions.SIGNS, **moving.SIGNS, **conditions.SIGNS}
