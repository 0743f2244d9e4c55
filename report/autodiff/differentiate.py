"""`trace`: a formula and its inputs -> Graph -> forward and backward pass -> Trace."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from types import FunctionType, MappingProxyType
from typing import Any

import numpy as np

from report.autodiff import domain_errors, extended, underflow, unselected_branches
from report.autodiff.backprop import Arrivals, backward, forward, gate_names
from report.autodiff.gates import definitions
from report.autodiff.graph import Array, Graph, Node, evaluate, uncollected
from report.autodiff.inputs import ascii_name, read_inputs
from report.autodiff.kinks import kinks
from report.autodiff.parser import is_latex, parse
from report.autodiff.rounding_error import is_on_kink, scales
from report.autodiff.trace import Contribution, Quantity, Trace, written_part
from report.errors import ReportError, shown
from report.plain_values import as_list, as_text

MAX_TURN = 0.1  # radians that rounding may turn an angle by, so that a digit of its sine is left
_ENTRY = re.compile(r"(.+?)\[\s*(\d+(?:\s*,\s*\d+)*)\s*\]")
_ARTICLE = {"index": "an index", "label": "a label", "mask": "a mask", "target": "a target"}


def trace(
    function: str | Callable[..., Any],
    inputs: Mapping[str, Any] = MappingProxyType({}),
    wrt: Collection[str] | None = None,
    unfold: Collection[str] = (),
    entry: tuple[int, ...] | None = None,
) -> Trace:
    """Evaluate and differentiate a formula, or a Python function, which is read and never run.

    `inputs` maps names to numbers, nested lists or arrays; `wrt` lists (or is a tuple or set of) the
    inputs whose gradients are asked for (by default all but those used as an index or a label), also
    entries of them ("W[0,1]") and let-lines; the
    function of a result that is a vector is one `entry` of it, () for the first; the gates named in `unfold` are written out in elementary ones (`report.autodiff.gates.definitions`). Raises
    ReportError for anything that is not a formula over these inputs with one finite number as its
    result and, for the inputs asked for, finite gradients. A value outside a gate's domain that no
    `where` chooses is NaN.
    """
    with uncollected():
        return _trace(function, inputs, wrt, unfold, entry)


def _trace(
    function: str | Callable[..., Any],
    inputs: Mapping[str, Any],
    wrt: Any,
    unfold: Any,
    entry: Any,
) -> Trace:
    values = read_inputs(inputs, latex=is_latex(function))
    inputs_asked, parts = split_wrt(wrt, values)
    if not any(not at and name not in values for name, at in parts):
        check_wrt(inputs_asked, values)
    graph = parse(as_formula(function, values), values, check_unfold(unfold), entry)
    check_whole(graph, values)
    parts = tuple(part for part in parts if _check_part(part, graph, values))
    only_lets = bool(parts) and not inputs_asked
    asked = () if only_lets else check_wrt(inputs_asked, values, graph.integers)
    try:
        with underflow.noted() as small:
            found, lost = _passes(graph, values, asked)
    except ReportError as fault:
        raise underflow.explained(graph, values, fault) from None
    if graph.unbounded:
        _check_infinite(found, values, unfold)
    found = replace(found, parts=parts) if parts else found
    if (small or any(found.extremes)) and not lost:
        underflow.check(found)
    return _with_all_digits(found) if not lost and _has_lost_digits(found) else found


def _passes(
    graph: Graph, values: Mapping[str, Array], asked: tuple[str, ...]
) -> tuple[Trace, Mapping[Node, Array]]:
    """The trace in float64, and where values are outside a gate's domain that no `where` chooses."""
    lost: Mapping[Node, Array] = {}
    outside = ""
    try:
        numbers = forward(graph, values)
    except ReportError as fault:
        numbers, lost = unselected_branches.forward(graph, values, fault)
        outside = str(fault)
    found = record(graph, numbers, *backward(graph, numbers, asked, lost), asked)
    return (replace(found, unchosen=outside) if lost else found), lost


def _check_infinite(found: Trace, values: Mapping[str, Array], unfold: Any) -> None:
    """ReportError where infinite numbers give another value than the large ones that stand for them."""
    graph = found.graph
    other = parse(graph.text, values, check_unfold(unfold), graph.entry, math.inf)
    given = {node: values[name] for name, node in other.inputs.items()}
    with np.errstate(all="ignore"):
        exact = evaluate([other.result], given)[other.result]
    if not np.allclose(exact, found.value, rtol=1e-12, atol=0):
        raise ReportError(graph.unbounded)


def _has_lost_digits(found: Trace) -> bool:
    """Whether float64 leaves too few digits of a number, or the rounding of one beside a kink."""
    if not found.graph.nodes or extended.steps(found.graph) > extended.MAX_STEPS:
        return False
    if any(scale.doubtful for scale in scales(found).values()):
        return True
    return any(not is_on_kink(found, _node(found, n)) for n in kinks(found))


def _node(found: Trace, name: str) -> Node:
    return next(q.node for q in found.gates if q.name == name)


def _with_all_digits(found: Trace) -> Trace:
    """The trace with every number the nearest to what extended precision gives."""
    graph = found.graph
    exact = extended.forward(graph, {q.node: q.value for q in found.inputs})
    _check_angles(found, exact)
    numbers = {node: extended.floats(exact[node]) for node in found.quantities}
    numbers |= {q.node: q.value for q in found.inputs}
    gradients, arrivals = backward(graph, numbers, found.wrt)
    slopes, exactly = extended.backward(graph, exact)
    for node, gradient in gradients.items():
        if gradient is not None:
            gradients[node] = _finite(extended.floats(slopes[node]), gradient)
    for i, part in enumerate(arrivals.parts):
        if part is not None:
            arrivals.parts[i] = _finite(extended.floats(exactly.parts[i]), part)
    exactly_so = record(graph, numbers, gradients, arrivals, found.wrt)
    return replace(exactly_so, parts=found.parts, rounded=True)


def _check_angles(found: Trace, exact: Mapping[Node, Any]) -> None:
    """ReportError where rounding turns the angle of a sine, cosine or tangent too far."""
    for node in (q.node for q in found.gates if q.node.gate.cyclic):
        (angle,) = node.args
        value = found.quantities[angle].value
        if np.any(np.abs(extended.floats(exact[angle] - value)) > MAX_TURN):
            raise domain_errors.rounded_angle(found.graph, node, gate_names(found.graph), [value])


@lru_cache(maxsize=2)
def with_more_digits(found: Trace) -> Trace:
    """The trace with numbers of `extended.Extended` in the place of float64."""
    numbers = extended.forward(found.graph, {q.node: q.value for q in found.inputs})
    return record(found.graph, numbers, *extended.backward(found.graph, numbers), found.wrt)


def _finite(exact: Array, number: Array) -> Array:
    """The better number, where it is one."""
    return exact if np.shape(exact) == np.shape(number) and np.all(np.isfinite(exact)) else number


def as_formula(function: Any, values: Mapping[str, Array]) -> Any:
    """The text of a function: its own, or what the source of a Python function says."""
    if callable(function) and type(function) is not FunctionType:
        raise ReportError(
            f"{shown(function)} is not a function whose source can be read: write a def or a lambda "
            "that takes the weights as its arguments"
        )
    if type(function) is not FunctionType:
        return function  # the parser says what is wrong with it
    from report.autodiff.parser import python_function

    return python_function.formula(function, values)


def check_unfold(unfold: Any) -> tuple[str, ...]:
    """The gates to unfold; ReportError for one that is elementary or no gate."""
    given = as_list(unfold)
    if given is None:
        raise ReportError('unfold must be a list of gates, such as ["sigmoid"]')
    return tuple(map(definitions.check_unfold, given))


def split_wrt(
    wrt: Any, values: Mapping[str, Any]
) -> tuple[Any, tuple[tuple[str, tuple[int, ...]], ...]]:
    """The inputs asked for, and the rest: entries (name, place) such as W[0,1], and what may be let-lines."""
    given = as_list(wrt)
    if given is None:
        return wrt, ()
    inputs: list[Any] = []
    parts: list[tuple[str, tuple[int, ...]]] = []
    for each in given:
        name = as_text(each)
        found = None if name is None else _ENTRY.fullmatch(name)
        if name is None or name in values or ascii_name(name) in values:
            inputs.append(each)
        elif found and found[1] in values:
            inputs += [found[1]] if found[1] not in inputs else []
            parts.append((found[1], tuple(map(int, found[2].split(",")))))
        else:
            parts.append((name, ()))
    return inputs, tuple(dict.fromkeys(parts))


def _check_part(
    part: tuple[str, tuple[int, ...]], graph: Graph, values: Mapping[str, Array]
) -> bool:
    """True; ReportError for an entry that is not there, and for a name of no input and no line."""
    name, place = part
    if place:
        shape = np.shape(values[name])
        if len(place) != len(shape) or any(
            not 0 <= i < n for i, n in zip(place, shape, strict=True)
        ):
            raise ReportError(f"wrt: {name} has shape {shape}, so there is no {written_part(part)}")
    elif graph.lets.get(name) not in graph.nodes:
        check_wrt([name], values)
    return True


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
    written = (as_text(name) or "" for name in given)
    names = tuple(name if name in inputs else ascii_name(name) for name in written)
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
    """ReportError when an index, a label or a mask is no whole number, or an index counts from the end."""
    for name, role in graph.integers.items():
        value = np.asarray(inputs[name])
        below = np.argwhere(value < 0)
        if role == "index" and len(below):  # on paper it is k + 1, which is no position then
            place = "".join(f"[{i}]" for i in below[0])
            raise ReportError(
                f"input {name}{place} is {value[tuple(below[0])]:.12g}; positions count from 0, also that of "
                "the last entry"
            )
        bad = np.argwhere(value != np.floor(value))
        if len(bad) and role != "target":
            place = "".join(f"[{i}]" for i in bad[0])
            raise ReportError(
                f"input {name}{place} is {value[tuple(bad[0])]:.12g}; it is used as "
                f"{_ARTICLE[role]}, so it must be {'1 or 0' if role == 'mask' else 'a whole number'}"
            )


def record(
    graph: Graph,
    numbers: Mapping[Node, Array],
    gradients: Mapping[Node, Array | None],
    arrivals: Arrivals,
    asked: tuple[str, ...],
) -> Trace:
    """The trace of a graph: its numbers, its gradients and the parts of which these are made."""
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
