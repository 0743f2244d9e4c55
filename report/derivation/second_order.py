"""Second derivatives of a scalar function as formulas: each entry of a small Hessian."""

from __future__ import annotations

from dataclasses import replace

from report.autodiff.graph import Node, topological
from report.autodiff.hessian import Curvature
from report.autodiff.trace import Trace
from report.derivation.elements import Derivation, Equation, Gradient
from report.derivation.latex.printed import Printed, fraction, put
from report.derivation.latex.symbols import symbol
from report.derivation.quantity_names import Notation
from report.derivation.symbolic.closed_form import ClosedForm
from report.derivation.symbolic.expressions import SYMPY_FAULTS, expression

MAX_INPUTS = 3  # whose second derivatives are written out


def entries(trace: Trace, derivation: Derivation, found: Curvature) -> list[tuple[Equation, float]]:
    """Each second derivative once: the gradient's closed form differentiated, that in short, its number.

    None of tensors or many inputs. What the gradients have by name stands by name; see `named`.
    """
    gradients = derivation.gradients
    scalars = [g.scalar for g in gradients if g.scalar is not None]
    if found.direction is not None or len(scalars) < len(gradients) or len(scalars) > MAX_INPUTS:
        return []
    f = derivation.function
    own = named(trace, derivation)
    names = {q.node: q.name for q in trace.gates} | own
    told = []
    for i, (g, scalar) in enumerate(zip(gradients, scalars, strict=True)):
        for j, h in enumerate(gradients[i:], i):
            left = fraction_of(f, symbol(g.name), symbol(h.name))
            short = scalar.derivative(h.name).shortest.with_gates(trace.graph, names, own).shortest
            used = {node: name for node, name in names.items() if name in short.symbols}
            whole = _as_shown(g, scalar).derivative(h.name).with_gates(trace.graph, used, used)
            symbols = dict.fromkeys((whole.latex, short.latex))
            told.append((Equation(left, tuple(symbols)), float(found.matrix[i, j])))
    return told


def _as_shown(g: Gradient, scalar: ClosedForm) -> ClosedForm:
    """The gradient's closed form as the page has it, of which `scalar` may be another form."""
    if g.formula is None or g.formula.parts:
        return scalar
    inputs = [n for n in topological(g.formula.node) if n.is_input]
    if not all(n.name in scalar.symbols for n in inputs):
        return scalar
    known = {n: scalar.symbols[str(n.name)] for n in inputs}
    try:
        return replace(scalar, expression=expression(g.formula.node, known))
    except SYMPY_FAULTS:
        return scalar


def named(trace: Trace, derivation: Derivation) -> dict[Node, str]:
    """The gates for which the gradients' closed forms have names of their own, s = σ(w x + b)."""
    notation = Notation(trace)
    own = {e.symbols[0]: str(e.left) for g in derivation.gradients for e in g.where}
    meant = {q.node: notation.definition(q.node) for q in trace.gates if own}
    return {node: own[text] for node, text in meant.items() if text in own}


def fraction_of(f: Printed, first: Printed, second: Printed) -> Printed:
    """∂²f/∂a∂b, or ∂²f/∂a²."""
    below = ("^{2}",) if first == second else (r"\,\partial ", second)
    return fraction(put(r"\partial^{2} ", f), put(r"\partial ", first, *below))
