"""The gradients asked for: closed form, index form and numbers.

A scalar function's closed form is sympy's. With tensors it is the backward graph itself, printed over
the inputs when it is short and over the gates' values when it is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from report.derivation.notation import Notation, Written, gradient_numbers
from report.derivation.parts import Equation, Gradient
from report.graph import Node, topological
from report.printers.index import NoIndexForm, index_form
from report.printers.latex import latex
from report.symbolic import closed_form, written_size
from report.tracing import Quantity

MAX_CLOSED = 40  # gates of a closed form in inputs; a longer one is given in gate values
MAX_IN_GATES = 160  # gates of a closed form in gate values; a longer one is not for reading


def gradient(notation: Notation, q: Quantity, backward: Mapping[Node, Node]) -> Gradient:
    """The gradient of an input; `backward` is the backward graph."""
    node, left = q.node, notation.gradient(q.node)
    assert q.gradient is not None  # what is asked for is always a number
    numbers = gradient_numbers(q.gradient)
    graph = backward.get(node)
    if graph is None:
        zero = "𝟎" if node.shape else "0"
        return Gradient(q.name, q.gradient, left, zero, numbers, used=False)
    scalar = closed_form(notation.trace.graph, q.name)
    if scalar is not None:
        return Gradient(q.name, q.gradient, left, scalar.latex, numbers, scalar=scalar)
    closed, stops = _matrix_form(notation, graph)
    entry, more = _entry(notation, graph, node) if node.shape else (None, [])
    return Gradient(
        q.name, q.gradient, left, closed, numbers, entry, _where(notation, {*stops, *more})
    )


def _matrix_form(notation: Notation, graph: Node) -> tuple[str | None, list[Node]]:
    """The formula and the gates that stand in it by name; None where it is too long to be read."""
    if written_size(graph) <= MAX_CLOSED:
        return latex(graph, lambda n: notation.named(n) if n.is_input else None), []
    if written_size(graph, notation.name) > MAX_IN_GATES:
        return None, []
    stops: dict[Node, None] = {}

    def leaf(n: Node) -> Written | None:
        if n in notation.name and not n.is_input:
            stops[n] = None
        return notation.named(n)

    return latex(graph, leaf), list(stops)


def _entry(notation: Notation, graph: Node, node: Node) -> tuple[Equation | None, list[Node]]:
    """One entry, over the inputs and the forward gates that have a name or mix entries."""
    trace = notation.trace
    stops = [q.node for q in trace.gates if q.node.name or not _keeps_entries(q.node)]
    names = {n: notation.entry[n] for n in (*trace.graph.inputs.values(), *stops)}
    below = set(topological(graph, leaves=names))
    used = {n: text for n, text in names.items() if n in below}
    try:
        entry = index_form(graph, used, lambda n: latex(n, notation.named))
    except NoIndexForm:
        return None, []
    return Equation(notation.entry_gradient(node), (entry,)), [n for n in stops if n in below]


def _keeps_entries(node: Node) -> bool:
    return node.gate.elementwise or node.gate.name == "transpose"


def _where(notation: Notation, stops: Iterable[Node]) -> tuple[Equation, ...]:
    """What the gates in a closed form stand for, in the order of the forward pass."""
    ordered = sorted(stops, key=lambda n: notation.trace.quantities[n].number)
    return tuple(Equation(notation.name[n], (notation.definition(n, ordered),)) for n in ordered)
