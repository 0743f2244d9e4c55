"""The Jacobian of a vector as formulas: the gradient of any entry y_i, with i free."""

from __future__ import annotations

from dataclasses import replace

from report.autodiff.jacobian import any_entry
from report.autodiff.trace import Trace
from report.derivation.elements import Derivation
from report.derivation.gradient_formulas import backpass_of
from report.derivation.gradients import gradients
from report.derivation.latex.symbols import GRADIENT, tensor
from report.derivation.quantity_names import Notation


def of_any_entry(trace: Trace) -> Derivation:
    """The gradients of y_i by each input asked for, and nothing else of its derivation."""
    turned = any_entry(trace, 0)
    notation = Notation(turned)
    found = gradients(notation, backpass_of(turned.graph))
    return Derivation(notation.f, (), (), (), found, (), ())


def at_entry(trace: Trace, derivation: Derivation, at: int) -> tuple[Trace, Derivation]:
    """The same formulas with the numbers of one entry, which counts from 0."""
    turned = any_entry(trace, at)
    found = (
        replace(g, value=value, numbers=tensor(value, GRADIENT))
        for g in derivation.gradients
        for value in [turned.gradients[g.name]]
    )
    return turned, replace(derivation, gradients=tuple(found))
