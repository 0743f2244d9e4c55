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
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from report import faults, unchosen
from report.errors import ReportError, shown
from report.expression import parse
from report.gates import definitions, fit_to
from report.graph import FAULTS, Array, Graph, Node, constant
from report.inputs import as_list, as_text, read_inputs
from report.tracing import Contribution, Quantity, Trace

_ARTICLE = {"index": "an index", "label": "a label", "mask": "a mask", "target": "a target"}


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


def trace(
    function: str,
    inputs: Mapping[str, Any] = MappingProxyType({}),
    wrt: Collection[str] | None = None,
    unfold: Collection[str] = (),
) -> Trace:
    """Evaluate and differentiate a formula.

    `inputs` maps names to numbers, nested lists or arrays; `wrt` lists (or is a tuple or set of) the
    inputs whose gradients are asked for (by default all but those used as an index or a label); the
    gates named in `unfold` are written out in elementary ones (`report.gates.definitions`). Raises
    ReportError for anything that is not a formula over these inputs with one finite number as its
    result and, for the inputs asked for, finite gradients. A value outside a gate's domain that no
    `where` chooses is NaN.
    """
    values = read_inputs(inputs)
    check_wrt(wrt, values)
    graph = parse(function, values, check_unfold(unfold))
    check_whole(graph, values)
    asked = check_wrt(wrt, values, graph.integers)
    lost: Mapping[Node, Array] = {}
    outside = ""
    try:
        numbers = forward(graph, values)
    except ReportError as fault:
        numbers, lost = unchosen.forward(graph, values, fault)
        outside = str(fault)
    found = _record(graph, numbers, *backward(graph, numbers, asked, lost), asked)
    return replace(found, unchosen=outside)


def check_unfold(unfold: Any) -> tuple[str, ...]:
    """The gates to unfold; ReportError for one that is elementary or no gate."""
    given = as_list(unfold)
    if given is None:
        raise ReportError('unfold must be a list of gates, such as ["sigmoid"]')
    return tuple(map(definitions.check_unfold, given))


def check_wrt(
    wrt: Any, inputs: Mapping[str, Any], roles: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """The names asked for; ReportError for an unknown or repeated one, or an empty list.

    `roles` are the inputs that are no real numbers (see `Graph`): they are left out by default, and
    asking for one is an error.
    """
    roles = roles or {}
    if wrt is None:
        return tuple(name for name in inputs if name not in roles)
    given = as_list(wrt)
    if given is None:
        raise ReportError('wrt must be a list of input names, such as ["w1", "w2"]')
    names = tuple(as_text(name) or "" for name in given)
    for each, name in zip(given, names, strict=True):
        if name not in inputs:
            known = ", ".join(inputs) or "none"
            raise ReportError(f"wrt: {shown(each)} is no input; the inputs are: {known}")
        if name in roles:
            raise ReportError(
                f"wrt: {name!r} is {_ARTICLE[roles[name]]} in the function: what is given, not a "
                "quantity that could be a little larger, so there is no gradient; leave it out of wrt"
            )
    if len(set(names)) != len(names):
        raise ReportError("wrt: a name stands twice in the list")
    if not names and inputs:
        raise ReportError("wrt is empty; name at least one input, or leave it out for all")
    return names


def check_whole(graph: Graph, inputs: Mapping[str, Array]) -> None:
    """ReportError when an index, a label or a mask is no whole number."""
    for name, role in graph.integers.items():
        value = np.asarray(inputs[name])
        bad = np.argwhere(value != np.floor(value))
        if len(bad) and role != "target":
            place = "".join(f"[{i}]" for i in bad[0])
            raise ReportError(
                f"input {name}{place} is {value[tuple(bad[0])]:.12g}; it is used as "
                f"{_ARTICLE[role]}, so it must be {'1 or 0' if role == 'mask' else 'a whole number'}"
            )


def forward(graph: Graph, inputs: Mapping[str, Array]) -> dict[Node, Array]:
    """The value of every input and gate. Raises ReportError where a value leaves a gate's domain."""
    numbers: dict[Node, Array] = {node: inputs[name] for name, node in graph.inputs.items()}
    args: list[Array] = []
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            args = [numbers[a] if a.value is None else a.value for a in node.args]
            params = node.params
            try:
                value = node.gate.forward(*args, **params) if params else node.gate.forward(*args)
            except FAULTS as error:
                raise faults.out_of_domain(graph, node, gate_names(graph), args, error) from None
            if not (_all_finite(value) if node.shape else math.isfinite(value)):
                raise faults.out_of_domain(graph, node, gate_names(graph), args)
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
    with np.errstate(all="ignore"):
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
    needed = {graph.inputs[name] for name in asked}
    for node in graph.nodes:
        if any(a in needed for a in node.args):
            needed.add(node)
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
                raise faults.no_derivative(graph, consumer, node, names, args, pull)
        raise faults.gradient_overflow(graph, node, names)
    for i, (argument, part) in enumerate(zip(arrivals.arguments, arrivals.parts, strict=True)):
        if argument in missing and not np.isfinite(part).all():
            arrivals.parts[i] = None


def gradient_graph(
    graph: Graph, stand_in: Callable[[Node, Node], Node] | None = None
) -> dict[Node, Node]:
    """dF/dnode as a graph, for every node that the result depends on: an ordinary formula.

    `stand_in(node, gradient)` may give another node for dF/dnode, such as its name, for the gradients
    below it to be written with.
    """
    result = graph.result
    if result.is_constant:
        return {}
    seed = constant(np.ones(result.shape))
    return pull_back(graph.nodes, result, seed, lambda node: node, stand_in=stand_in)[0]


def pull_back(
    nodes: Sequence[Node],
    result: Node,
    seed: Any,
    of: Callable[[Node], Any],
    lost: Mapping[Node, Array] = MappingProxyType({}),
    stand_in: Callable[[Node, Any], Any] | None = None,
) -> tuple[dict[Node, Any], Arrivals]:
    """Run the backward rules over `nodes` (topological), from dF/dresult = `seed`.

    `of(node)` says what a node stands for: its number, or the node itself. Constants stay nodes in a
    formula, so that log 2 and 1/3 are not shown as decimals. Nothing flows back from the entries of a
    gate that are `lost`. `stand_in(node, gradient)` may put another gradient in the place of one, for the
    rules below it.
    """
    gradients: dict[Node, Any] = {result: seed}
    arrivals = Arrivals()
    symbolic = isinstance(seed, Node)
    note_argument, note_consumer = arrivals.arguments.append, arrivals.consumers.append
    note_place, note_part = arrivals.places.append, arrivals.parts.append
    for node in reversed(nodes):
        upstream = gradients.get(node)
        if upstream is None:
            continue
        if stand_in is not None:
            upstream = stand_in(node, upstream)
        gate, args, params = node.gate, node.args, node.params
        rules = gate.rules if gate.rule_at is None else gate.rules_for(len(args))
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
                part = np.full(arg.shape, np.nan)
            if lost and node in lost:
                part = np.where(lost[node], 0.0, part)[()]
            if arg.shape != node.shape and gate.elementwise:
                part = fit_to(part, arg)
            before = gradients.get(arg)
            gradients[arg] = part if before is None else before + part
            note_argument(arg)
            note_consumer(node)
            note_place(place)
            note_part(part)
    return gradients, arrivals


def _record(
    graph: Graph,
    numbers: Mapping[Node, Array],
    gradients: Mapping[Node, Array | None],
    arrivals: Arrivals,
    asked: tuple[str, ...],
) -> Trace:
    names = gate_names(graph)
    contributions: dict[Node, list[Contribution]] = {}
    for argument, consumer, place, part in zip(
        arrivals.arguments, arrivals.consumers, arrivals.places, arrivals.parts, strict=True
    ):
        contributions.setdefault(argument, []).append(Contribution(names[consumer], place, part))
    quantities: dict[Node, Quantity] = {}
    number = 0
    for node in (*graph.inputs.values(), *graph.nodes):
        number += not node.is_input
        zero = np.zeros(node.shape) if node.shape else np.float64(0.0)
        gradient, parts = gradients.get(node, zero), contributions.get(node, [])
        if node.is_input and node.name in graph.integers:
            gradient, parts = None, []
        quantities[node] = Quantity(
            0 if node.is_input else number,
            names[node],
            node,
            numbers[node],
            gradient,
            tuple(parts),
        )
    result = graph.result
    value = result.value if result.is_constant else numbers[result]
    return Trace(
        graph=graph,
        inputs=tuple(quantities[n] for n in graph.inputs.values()),
        gates=tuple(quantities[n] for n in graph.nodes),
        wrt=asked,
        value=float(np.asarray(value).item()),
        gradients={name: _own(quantities[graph.inputs[name]].gradient) for name in asked},
        quantities=quantities,
    )


def _own(gradient: Array) -> Array:
    """A gradient as an array of its receiver's own: no view, none that another gradient shares."""
    return np.array(gradient)


def gate_names(graph: Graph) -> dict[Node, str]:
    """The name of every input and gate: the user's own, else q1, q2, ... by the gate's number.

    When an input or a let-line already has such a name, another letter is taken for all.
    """
    own = {*graph.inputs, *graph.lets}
    letters = itertools.chain("quvtgabcdehk", ("q" * n for n in itertools.count(2)))
    letter = next(c for c in letters if not any(re.fullmatch(rf"{c}\d+", n) for n in own))
    names = {node: name for name, node in graph.inputs.items()}
    for number, node in enumerate(graph.nodes, 1):
        names[node] = node.name or f"{letter}{number}"
    return names
