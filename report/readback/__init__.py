"""Printed formulas, read back: each side of each = of a derivation must have the trace's numbers."""

from report.readback.equations import read_back, read_sides
from report.readback.notes import ReadBack
from report.readback.printable import printable

__all__ = ["ReadBack", "printable", "read_back", "read_sides"]
