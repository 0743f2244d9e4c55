"""Gradients by let-lines and by entries of inputs, as formulas with their numbers."""

from __future__ import annotations

from report.autodiff.trace import Trace
from report.derivation.latex.symbols import GRADIENT, entry_symbol, partial, symbol, tensor


def names(trace: Trace, letter: str) -> list[str]:
    """∂f/∂z of each let-line and each entry asked for."""
    found: list[str] = []
    for name, place in trace.parts:
        node = trace.graph.inputs[name] if place else trace.graph.lets[name]
        own = entry_symbol(name, place, node.shape) if place else symbol(name, node.shape)
        found.append(partial(letter, own))
    return found


def lines(trace: Trace, letter: str) -> list[str]:
    """The same with their numbers."""
    return [
        f"{left} = {tensor(trace.part(name, place), GRADIENT)}"
        for left, (name, place) in zip(names(trace, letter), trace.parts, strict=True)
    ]
