"""Large functions: one derivation for each kind of gate, and a table of what flows back.

Above `LARGE` gates a block for every gate would bury the reader. Scalar gates that differ only in
their arguments then share one derivation in symbols (y over x, or over a and b), and every gate keeps
its numbers in one line of a table for each argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from report.autodiff.graph import INPUT, Gate, Node, constant, topological
from report.autodiff.trace import Quantity, Trace
from report.derivation.latex import NONE_TAKEN, Printed, Taken, equation, latex
from report.derivation.latex.printer import bracketed_at
from report.derivation.latex.symbols import identity, partial, symbol
from report.derivation.symbolic.closed_form import local_derivative
from report.derivation.symbolic.expressions import is_named

LARGE = 60  # gates; above, kinds take the place of blocks
_ARGUMENTS = ("x",), ("a", "b"), ("a", "b", "c")


@dataclass(frozen=True)
class GateFamily:
    """A kind of gate: how many there are, what it computes, and its rule in symbols."""

    sign: str
    count: int
    definition: str
    rules: tuple[str, ...]
    why: str


@dataclass(frozen=True, eq=False)
class Flow:
    """What one gate sends back to one argument: upstream × local = downstream."""

    quantity: Quantity
    target: str
    upstream: float
    local: float
    downstream: float


def is_shared(q: Quantity) -> bool:
    """Whether a gate is one of a kind whose derivation can be shared: scalar and elementwise."""
    return (
        q.node.gate.elementwise
        and q.gradient is not None
        and not q.node.shape
        and len(q.node.args) <= len(_ARGUMENTS)
    )


def kinds(
    quantities: Iterable[Quantity], f: str = "f", taken: Taken = NONE_TAKEN
) -> tuple[GateFamily, ...]:
    """The kinds of the gates given, in order of their first appearance.

    `f` is the function's name, `taken` the signs of ours that names of the user are set like.
    """
    found: dict[tuple[str, tuple[bool, ...]], list[Quantity]] = {}
    for q in quantities:
        key = (q.node.gate.name, tuple(a.is_constant for a in q.node.args))
        found.setdefault(key, []).append(q)
    return tuple(_kind(same[0].node, len(same), f, taken) for same in found.values())


def flows(trace: Trace, quantities: Iterable[Quantity]) -> tuple[Flow, ...]:
    """One line for each argument that a gate sends something back to."""
    lines = []
    for q in quantities:
        gate, node = q.node.gate, q.node
        values = trace.arguments(node)
        for place, (arg, rule) in enumerate(
            zip(node.args, gate.rules_for(len(node.args)), strict=True)
        ):
            if arg not in trace.needed or rule is None:
                continue
            parts = trace.quantities[arg].contributions
            through = (c.value for c in parts if c.gate == q.name and c.argument == place)
            part = next(through, None)
            if part is None or q.gradient is None:
                continue
            with np.errstate(all="ignore"):
                local = rule(np.float64(1.0), q.value, *values, **node.params)
            target = symbol(trace.name_of(arg))
            lines.append(Flow(q, target, float(q.gradient), float(local), float(part)))
    return tuple(lines)


def why(node: Node, taken: Taken = NONE_TAKEN) -> str:
    """The sentence about a gate's rule; some rules read otherwise where an argument is constant."""
    constants = tuple(a.is_constant for a in node.args)
    said = node.gate.why_with.get(constants, node.gate.why)
    return said.replace(identity(frozenset()), identity(taken))


def _kind(node: Node, count: int, f: str, taken: Taken) -> GateFamily:
    """A gate over letters: y = sin(x), with dy/dx and what flows back to x."""
    gate = node.gate
    letters = _ARGUMENTS[len(node.args) - 1]
    leaves = [
        constant(1.0, name="c") if a.is_constant else Node(INPUT, name=letter)
        for a, letter in zip(node.args, letters, strict=True)
    ]
    y = Node(gate, tuple(leaves), node.params, name="y")
    names = {leaf: Printed(str(leaf.name)) for leaf in leaves}
    return GateFamily(
        sign=gate.sign,
        count=count,
        definition=f"y = {equation(y, names.get, taken)}",
        rules=tuple(
            _rule(gate, place, leaves, y, f, taken)
            for place, leaf in enumerate(leaves)
            if not leaf.is_constant and gate.rules_for(len(leaves))[place] is not None
        ),
        why=why(node, taken),
    )


def _rule(gate: Gate, place: int, leaves: list[Node], y: Node, f: str, taken: Taken) -> str:
    names = tuple(str(leaf.name) for leaf in leaves)
    slope = local_derivative(gate, place, names, tuple(y.params.items()), taken)
    steps = [slope] if slope is not None else []
    rule = gate.rules_for(len(leaves))[place]
    assert rule is not None
    value = Node(INPUT, name="y")
    written = {n: Printed(str(n.name)) for n in (*leaves, value)}
    graph = rule(constant(1.0), value, *leaves, **y.params)
    node = graph if isinstance(graph, Node) else constant(graph)
    if slope is None or is_named(gate) or value in set(topological(node)):
        steps += [bracketed_at(step, list(written.values()), taken) for step in gate.steps if steps]
        steps.append(latex(node, written.get, taken))
    x = names[place]
    return (
        rf"{partial(f, x)} = {partial(f, 'y')} \cdot {partial('y', x)},\qquad "
        rf"{partial('y', x)} = {' = '.join(dict.fromkeys(steps))}"
    )
