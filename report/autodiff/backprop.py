"""Backpropagation: Graph -> forward pass -> backward pass -> Trace.

The forward pass evaluates the gates in topological order. The backward pass visits them in reverse:
each gate's rule takes the upstream gradient and gives one contribution to each argument's gradient.
The same backward pass over nodes instead of numbers gives the gradient as a graph (`gradient_graph`),
which is what closed forms and programs are printed from.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from report.autodiff import domain_errors
from report.autodiff.gates import fit_to
from report.autodiff.graph import FAULTS, Array, Graph, Node, constant


@dataclass(frozen=True, eq=False)
class Arrivals:
    """What came back, in order: `parts[i]` to `arguments[i]`, argument `places[i]` of `consumers[i]`.

    Four plain lists, since an object for each of a million contributions would take as long to make
    as the contribution itself.
    """

    arguments: list[Node] = field(default_factory=list)
    consumers: list[Node] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    parts: list[Any] = field(default_factory=list)


def forward(graph: Graph, inputs: Mapping[str, Array]) -> dict[Node, Array]:
    """The value of every input and gate. Raises ReportError where a value leaves a gate's domain."""
    numbers: dict[Node, Array] = {node: inputs[name] for name, node in graph.inputs.items()}
    args: list[Array] = []
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        for node in graph.nodes:
            args = [numbers[a] if a.value is None else a.value for a in node.args]
            params = node.params
            try:
                value = node.gate.forward(*args, **params) if params else node.gate.forward(*args)
            except FAULTS as error:
                raise domain_errors.out_of_domain(
                    graph, node, gate_names(graph), args, error
                ) from None
            if not (_all_finite(value) if node.shape else math.isfinite(value)):
                raise domain_errors.out_of_domain(graph, node, gate_names(graph), args)
            numbers[node] = value
    return numbers


def _all_finite(value: Array) -> bool:
    # The quickest pass when all is well: a sum of squares is finite only if every entry is.
    if value.flags.c_contiguous and math.isfinite(np.vdot(value, value)):
        return True
    return bool(np.isfinite(value).all())


def backward(
    graph: Graph,
    numbers: Mapping[Node, Array],
    wrt: Iterable[str] | None = None,
    lost: Mapping[Node, Array] = MappingProxyType({}),
) -> tuple[dict[Node, Array | None], Arrivals]:
    """The gradient of every input and gate that the result depends on, and what it is the sum of.

    `lost` says for a gate which of its entries nothing depends on (see `report.unchosen`).

    Raises ReportError where a derivative that `wrt` (by default every input) depends on is infinite or
    undefined, such as that of sqrt at 0. Elsewhere such a gradient and contribution are None.
    """
    result = graph.result
    if result.is_constant:
        return {}, Arrivals()
    seed = np.ones(result.shape) if result.shape else np.float64(1.0)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        gradients, arrivals = pull_back(graph.nodes, result, seed, numbers.__getitem__, lost)
    missing = {
        node
        for node, g in gradients.items()
        if not (_all_finite(g) if node.shape else math.isfinite(g))
    }
    if missing:
        _leave_out(graph, numbers, gradients, arrivals, missing, wrt)
    return gradients, arrivals


def _leave_out(
    graph: Graph,
    numbers: Mapping[Node, Array],
    gradients: dict[Node, Array | None],
    arrivals: Arrivals,
    missing: set[Node],
    wrt: Iterable[str] | None,
) -> None:
    """Put None for gradients that are not finite; ReportError when something asked for needs them."""
    names = gate_names(graph)
    asked = graph.inputs.keys() - graph.integers.keys() if wrt is None else wrt
    needed = graph.between(asked)
    for node in (*reversed(graph.nodes), *graph.inputs.values()):  # consumers before arguments
        if node not in missing:
            continue
        gradients[node] = None
        if node not in needed:
            continue
        for argument, consumer, place, part in zip(
            arrivals.arguments, arrivals.consumers, arrivals.places, arrivals.parts, strict=True
        ):
            if argument is node and not np.isfinite(part).all():
                args = [numbers[a] if a.value is None else a.value for a in consumer.args]
                rule = consumer.gate.rules_for(len(args))[place]
                assert rule is not None
                pull = partial(
                    rule, gradients[consumer], numbers[consumer], *args, **consumer.params
                )
                raise domain_errors.no_derivative(graph, consumer, node, names, args, pull)
        raise domain_errors.gradient_overflow(graph, node, names)
    for i, (argument, part) in enumerate(zip(arrivals.arguments, arrivals.parts, strict=True)):
        if argument in missing and not np.isfinite(part).all():
            arrivals.parts[i] = None


def gradient_graph(
    graph: Graph,
    stand_in: Callable[[Node, Node], Node] | None = None,
    written: Mapping[Node, Node] = MappingProxyType({}),
) -> dict[Node, Node]:
    """dF/dnode as a graph, for every node that the result depends on: an ordinary formula.

    `stand_in(node, gradient)` may give another node for dF/dnode, such as its name, for the gradients
    below it to be written with. The value of a node is that which it is `written` as.
    """
    result = graph.result
    if result.is_constant:
        return {}
    seed = constant(np.ones(result.shape))
    return pull_back(graph.nodes, result, seed, lambda n: written.get(n, n), stand_in=stand_in)[0]


def pull_back(
    nodes: Sequence[Node],
    result: Node,
    seed: Any,
    of: Callable[[Node], Any],
    lost: Mapping[Node, Array] = MappingProxyType({}),
    stand_in: Callable[[Node, Any], Any] | None = None,
    constants: bool = False,
) -> tuple[dict[Node, Any], Arrivals]:
    """Run the backward rules over `nodes` (topological), from dF/dresult = `seed`.

    `of(node)` says what a node stands for: its number, or the node itself. Constants stay nodes in a
    formula, so that log 2 and 1/3 are not shown as decimals. Nothing flows back from the entries of a
    gate that are `lost`. `stand_in(node, gradient)` may put another gradient in the place of one, for the
    rules below it. With `constants`, `of` is asked about these too.
    """
    gradients: dict[Node, Any] = {result: seed}
    arrivals = Arrivals()
    symbolic = constants or isinstance(seed, Node)
    note_argument, note_consumer = arrivals.arguments.append, arrivals.consumers.append
    note_place, note_part = arrivals.places.append, arrivals.parts.append
    for node in reversed(nodes):
        upstream = gradients.get(node)
        if upstream is None:
            continue
        if stand_in is not None:
            upstream = stand_in(node, upstream)
        gate, args, params = node.gate, node.args, node.params
        rules = gate.rules if len(gate.rules) == len(args) else gate.rules_for(len(args))
        values = [of(a) if symbolic or a.value is None else a.value for a in args]
        y = of(node)
        place = -1
        for arg, rule in zip(args, rules, strict=True):
            place += 1
            if arg.value is not None or rule is None:
                continue
            try:
                part = (
                    rule(upstream, y, *values, **params) if params else rule(upstream, y, *values)
                )
            except FAULTS:  # a matrix with an inverse so large that it is no number
                if symbolic:
                    raise
                part = np.full(arg.shape, np.nan)
            if lost and node in lost:
                part = np.where(lost[node], 0.0, part)[()]
            if arg.shape != node.shape and gate.elementwise:
                part = fit_to(part, arg)
            before = gradients.get(arg)
            # of formulas the first gate's comes first: ∂f/∂h is ∂f/∂z1 w1 + ∂f/∂z2 w2
            gradients[arg] = part if before is None else part + before
            note_argument(arg)
            note_consumer(node)
            note_place(place)
            note_part(part)
    return gradients, arrivals


def gate_names(graph: Graph) -> dict[Node, str]:
    """The name of every input and gate: the user's own, else q1, q2, ... by the gate's number.

    When an input or a let-line already has such a name, another letter is taken for all.
    """
    own = {*graph.inputs, *graph.lets}
    letters = itertools.chain("quvtgabcdehk", ("q" * n for n in itertools.count(2)))
    letter = next(c for c in letters if not any(re.fullmatch(rf"{c}_?\d+", n) for n in own))
    names = {node: name for name, node in graph.inputs.items()}
    for number, node in enumerate(graph.nodes, 1):
        names[node] = node.name or f"{letter}{number}"
    return names
