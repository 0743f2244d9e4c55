"""Gradients by let-lines and by entries of inputs, as formulas with their numbers."""

from __future__ import annotations

from report.autodiff.trace import Trace
from report.derivation.latex.symbols import GRADIENT, entry_symbol, partial, symbol, tensor


def lines(trace: Trace, letter: str) -> list[str]:
    """∂f/∂z = numbers of each let-line and each entry asked for."""
    found = []
    for name, place in trace.parts:
        node = trace.graph.inputs[name] if place else trace.graph.lets[name]
        own = entry_symbol(name, place, node.shape) if place else symbol(name, node.shape)
        found.append(f"{partial(letter, own)} = {tensor(trace.part(name, place), GRADIENT)[0]}")
    return found
