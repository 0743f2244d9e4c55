"""Printed formulas, read back: each side of each = of a derivation must have the trace's numbers."""

from report.readback.equations import ReadBack, read_back, read_sides

__all__ = ["ReadBack", "read_back", "read_sides"]
