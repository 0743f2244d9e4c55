"""Second derivatives of a scalar function as formulas: each entry of a small Hessian."""

from __future__ import annotations

from report.autodiff.hessian import Curvature
from report.autodiff.trace import Trace
from report.derivation.elements import Derivation, Equation
from report.derivation.latex.printed import Printed, fraction, put
from report.derivation.latex.symbols import symbol

MAX_INPUTS = 3  # whose second derivatives are written out


def entries(trace: Trace, derivation: Derivation, found: Curvature) -> list[tuple[Equation, float]]:
    """Each second derivative in closed form, once, with its number; none of tensors or many inputs."""
    gradients = derivation.gradients
    scalars = [g.scalar for g in gradients if g.scalar is not None]
    if found.direction is not None or len(scalars) < len(gradients) or len(scalars) > MAX_INPUTS:
        return []
    f = derivation.function
    names = {q.node: q.name for q in trace.gates}
    told = []
    for i, (g, scalar) in enumerate(zip(gradients, scalars, strict=True)):
        for j, h in enumerate(gradients[i:], i):
            left = fraction(put(r"\partial^{2} ", f), _below(g.name, h.name))
            closed = scalar.derivative(h.name).with_gates(trace.graph, names)
            told.append((Equation(left, (closed.latex,)), float(found.matrix[i, j])))
    return told


def _below(first: str, second: str) -> Printed:
    """The lower line of a second derivative."""
    a, b = symbol(first), symbol(second)
    return put(r"\partial ", a, *(("^{2}",) if first == second else (r"\,\partial ", b)))
