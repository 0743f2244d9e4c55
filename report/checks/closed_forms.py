"""Each gradient from its closed form alone, with more digits than the trace has."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from report.autodiff import extended
from report.autodiff.graph import Array, Node
from report.autodiff.trace import Trace
from report.checks.comparison import (
    CLOSED_TOLERANCE,
    Comparison,
    compared,
)
from report.derivation import Derivation
from report.derivation.gradient_formulas import GradientFormula

FEW, MORE, ALL = 16, 30, 400  # digits with which a closed form is evaluated


class ClosedForms:
    """Each gradient from its closed form alone: sympy with 30 digits, or the formula's own graph.

    Where that is too little, with 400 digits. At a kink the convention decides, which the gates of the
    graph know and sympy does not; and more digits than the trace has may see one side of it.
    """

    def __init__(self, trace: Trace, derivation: Derivation, kinks: bool) -> None:
        self.trace, self.kinks = trace, kinks
        self.forms = {gradient.name: gradient for gradient in derivation.gradients}
        self.found: dict[tuple[str, int], Array] = {}
        small = extended.steps(trace.graph) <= extended.MAX_STEPS
        self.tries = (MORE, *([FEW] if kinks else []), *([ALL] if small else []))

    def compared(self, name: str, place: tuple[int, ...], value: float, scale: float) -> Comparison:
        """The trace's number beside that of the closed form."""
        for digits in self.tries:
            number = float(self.number(name, digits)[place])
            comparison = compared(value, number, CLOSED_TOLERANCE, scale)
            if comparison.agrees:
                break
        return comparison

    def number(self, name: str, digits: int) -> Array:
        """The numbers of a gradient by its closed form."""
        if (name, digits) not in self.found:
            self.found[name, digits] = np.asarray(self._number(name, digits))
        return self.found[name, digits]

    def _number(self, name: str, digits: int) -> Array:
        gradient = self.forms[name]
        formula = gradient.formula
        if formula is None:
            return np.zeros(np.shape(gradient.value))
        if gradient.scalar is not None and not self.kinks:
            point = {q.name: float(q.value) for q in self.trace.inputs if not q.node.shape}
            number = gradient.scalar.at(point, digits)
            if not math.isnan(number):  # as 0**2*log(0) is, of which only the gates know the limit
                return np.float64(number)
        value = {FEW: self._plain, MORE: self._wide, ALL: self._exactly}[digits](formula)
        return np.broadcast_to(np.asarray(value, dtype=float), formula.node.shape)

    def _inputs(self, widened: Callable[[Array], Array]) -> dict[Node, Array]:
        whole = self.trace.graph.integers
        return {q.node: q.value if q.name in whole else widened(q.value) for q in self.trace.inputs}

    def _plain(self, formula: GradientFormula) -> Array:
        return formula.at(self._inputs(lambda x: x))

    def _wide(self, formula: GradientFormula) -> Array:
        try:
            return formula.at(self._inputs(lambda x: np.asarray(x, dtype=np.longdouble)))
        except TypeError:  # linear algebra that has no extended precision
            return self._plain(formula)

    def _exactly(self, formula: GradientFormula) -> Array:
        return extended.floats(formula.at(self._inputs(extended.settled), extended.evaluate))
