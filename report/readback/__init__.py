"""Printed formulas, read back: each side of each = of a derivation must have the trace's numbers."""

from report.readback.equations import read_back
from report.readback.notes import ReadBack
from report.readback.printable import printable
from report.readback.second_derivatives import readable
from report.readback.sides import read_sides

__all__ = ["ReadBack", "printable", "read_back", "read_sides", "readable"]
