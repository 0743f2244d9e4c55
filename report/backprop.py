"""Backpropagation: Graph -> forward pass -> backward pass -> Trace.

The forward pass evaluates the gates in topological order. The backward pass visits them in reverse:
each gate's rule takes the upstream gradient and gives one contribution to each argument's gradient.
The same backward pass over nodes instead of numbers gives the gradient as a graph (`gradient_graph`),
which is what closed forms and programs are printed from.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from report.errors import ReportError
from report.expression import parse
from report.gates import add, fit_to
from report.graph import Array, Graph, Node, constant
from report.inputs import read_inputs
from report.tracing import Contribution, Quantity, Trace

# What comes back to each node: (consumer, argument, contribution), in order of arrival.
Arrivals = dict[Node, list[tuple[Node, int, Any]]]


def trace(
    function: str, inputs: Mapping[str, Any], wrt: Sequence[str] | None = None
) -> Trace:
    """Evaluate and differentiate a formula.

    `inputs` maps names to numbers, nested lists or arrays; `wrt` lists the inputs whose gradients are
    asked for (all by default). Raises ReportError for anything that is not a formula over these
    inputs with one finite number as its result and finite gradients.
    """
    values = read_inputs(inputs)
    asked = check_wrt(wrt, values)
    graph = parse(function, values)
    numbers = forward(graph, values)
    return _record(graph, numbers, *backward(graph, numbers), asked)


def check_wrt(wrt: Any, inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """The names asked for; ReportError for an unknown or repeated one or an empty list."""
    if wrt is None:
        return tuple(inputs)
    if isinstance(wrt, str) or not isinstance(wrt, Iterable):
        raise ReportError('wrt must be a list of input names, such as ["w1", "w2"]')
    names = tuple(wrt)
    for name in names:
        if name not in inputs:
            known = ", ".join(inputs) or "none"
            raise ReportError(f"wrt: {name!r} is no input; the inputs are: {known}")
    if len(set(names)) != len(names):
        raise ReportError("wrt: a name stands twice in the list")
    if not names and inputs:
        raise ReportError("wrt is empty; name at least one input, or leave it out for all")
    return names


def forward(graph: Graph, inputs: Mapping[str, Array]) -> dict[Node, Array]:
    """The value of every input and gate. Raises ReportError where a value leaves a gate's domain."""
    numbers: dict[Node, Array] = {node: inputs[name] for name, node in graph.inputs.items()}
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            args = [numbers[a] if a.value is None else a.value for a in node.args]
            params = node.params
            value = node.gate.forward(*args, **params) if params else node.gate.forward(*args)
            if not (math.isfinite(value) if not node.shape else _all_finite(value)):
                raise _out_of_domain(graph, node, args, value)
            numbers[node] = value
    return numbers


def _all_finite(value: Array) -> bool:
    # One pass when all is well: a sum is finite only if every entry is, but for overflow.
    return bool(math.isfinite(np.add.reduce(value, axis=None)) or np.isfinite(value).all())


def backward(graph: Graph, numbers: dict[Node, Array]) -> tuple[dict[Node, Array], Arrivals]:
    """The gradient of every input and gate that the result depends on, and what it is the sum of.

    Raises ReportError where a derivative is infinite or undefined, such as that of sqrt at 0.
    """
    result = graph.result
    if result.is_constant:
        return {}, {}
    seed = np.ones(result.shape) if result.shape else np.float64(1.0)
    with np.errstate(all="ignore"):
        gradients, arrivals = pull_back(graph.nodes, result, seed, numbers.__getitem__)
    for node in graph.nodes[::-1]:
        for arg in node.args:
            if arg in gradients and not _all_finite(gradients[arg]):
                raise _no_derivative(graph, node, numbers, arrivals)
    return gradients, arrivals


def gradient_graph(graph: Graph) -> dict[Node, Node]:
    """dF/dnode as a graph, for every node that the result depends on: an ordinary formula."""
    result = graph.result
    if result.is_constant:
        return {}
    seed = constant(np.ones(result.shape))
    return pull_back(graph.nodes, result, seed, lambda node: node)[0]


def pull_back(
    nodes: Sequence[Node], result: Node, seed: Any, of: Callable[[Node], Any]
) -> tuple[dict[Node, Any], Arrivals]:
    """Run the backward rules over `nodes` (topological), from dF/dresult = `seed`.

    `of(node)` says what a node stands for: its number, or the node itself.
    """
    gradients: dict[Node, Any] = {result: seed}
    arrivals: Arrivals = {}
    for node in reversed(nodes):
        upstream = gradients.get(node)
        if upstream is None:
            continue
        gate, args, params, shape = node.gate, node.args, node.params, node.shape
        values = [of(a) if a.value is None else a.value for a in args]
        y = of(node)
        for place, (arg, rule) in enumerate(zip(args, gate.rules, strict=True)):
            if arg.value is not None or rule is None:
                continue
            part = rule(upstream, y, *values, **params) if params else rule(upstream, y, *values)
            if gate.elementwise and arg.shape != shape:
                part = fit_to(part, arg)
            if arg in gradients:
                gradients[arg] = add(gradients[arg], part)
                arrivals[arg].append((node, place, part))
            else:
                gradients[arg] = part
                arrivals[arg] = [(node, place, part)]
    return gradients, arrivals


def _record(
    graph: Graph,
    numbers: dict[Node, Array],
    gradients: dict[Node, Array],
    arrivals: Arrivals,
    asked: tuple[str, ...],
) -> Trace:
    names = gate_names(graph)
    quantities: dict[Node, Quantity] = {}
    number = 0
    for node in (*graph.inputs.values(), *graph.nodes):
        number += not node.is_input
        gradient = gradients.get(node)
        if gradient is None:  # the result does not depend on it
            gradient = np.zeros(node.shape) if node.shape else np.float64(0.0)
        quantities[node] = Quantity(
            0 if node.is_input else number,
            names[node],
            node,
            numbers[node],
            gradient,
            tuple(Contribution(names[c], place, part) for c, place, part in arrivals.get(node, ())),
        )
    result = graph.result
    value = result.value if result.is_constant else numbers[result]
    return Trace(
        graph=graph,
        inputs=tuple(quantities[n] for n in graph.inputs.values()),
        gates=tuple(quantities[n] for n in graph.nodes),
        wrt=asked,
        value=float(np.asarray(value).item()),
        gradients={name: quantities[graph.inputs[name]].gradient for name in asked},
        quantities=quantities,
    )


def gate_names(graph: Graph) -> dict[Node, str]:
    """The name of every input and gate: the user's own, else q1, q2, ... by the gate's number.

    When an input or a let-line already has such a name, another letter is taken for all.
    """
    own = {*graph.inputs, *graph.lets}
    letter = next(c for c in "quvtgabcdehk" if not any(re.fullmatch(rf"{c}\d+", n) for n in own))
    names = {node: name for name, node in graph.inputs.items()}
    for number, node in enumerate(graph.nodes, 1):
        names[node] = node.name or f"{letter}{number}"
    return names


def _out_of_domain(graph: Graph, node: Node, args: list[Array], value: Array) -> ReportError:
    name, gate = gate_names(graph)[node], node.gate
    bad = tuple(np.argwhere(~np.isfinite(np.asarray(value)))[0]) if node.shape else ()
    given = ", ".join(f"{_at(a, bad, node):.12g}" for a in args if np.size(a) == 1 or gate.elementwise)
    place = f" (entry {', '.join(str(i) for i in bad)})" if bad else ""
    what = f"gate {name} ({gate.name}){place} gives {_word(_at(value, bad, node))}"
    at = f" at {given}" if given else ""
    remedy = f": {gate.domain}" if gate.domain else ": the number is too large for a float64"
    return ReportError(what + at + remedy + _place(graph, node))


def _no_derivative(
    graph: Graph, node: Node, numbers: dict[Node, Array], arrivals: Arrivals
) -> ReportError:
    names, gate = gate_names(graph), node.gate
    args = [numbers[a] if a.value is None else a.value for a in node.args]
    given = ", ".join(f"{np.asarray(a).item():.12g}" for a in args if np.size(a) == 1)
    remedy = f": {gate.domain}" if gate.domain else ": the number is too large for a float64"
    at = f" at {given}" if given else ""
    return ReportError(
        f"gate {names[node]} ({gate.name}) has no finite derivative{at}{remedy}{_place(graph, node)}"
    )


def _at(value: Array, where: tuple[int, ...], node: Node) -> float:
    array = np.asarray(value)
    if not where:
        return float(array.reshape(-1)[0])
    return float(np.broadcast_to(array, node.shape)[where]) if node.gate.elementwise or (
        array.shape == node.shape
    ) else float(array.reshape(-1)[0])


def _word(value: float) -> str:
    return "NaN" if math.isnan(value) else "infinity" if value > 0 else "-infinity"


def _place(graph: Graph, node: Node) -> str:
    """Where in the formula a gate stands, with the line underlined."""
    if node.span is None:
        return ""
    line, start, end = node.span
    lines = graph.text.split("\n")
    source = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    return f"\n  in the function, line {line}:\n    {source[:100]}"


