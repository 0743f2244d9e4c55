"""What the rounding of a number is part of: a trace computed again, every number on the way a little changed.

Where large terms cancel (a residual that is 0, a bias that no softmax sees), rounding is all that is left,
and it is another one in every program. How far a number moves when those before it are shaken tells how
large the terms are that it comes from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from report.autodiff.backprop import pull_back
from report.autodiff.form import Form
from report.autodiff.gates.by_definition import written_out
from report.autodiff.graph import FAULTS, Array, Graph, Node, make, topological
from report.autodiff.trace import Trace

# Of the terms that a number comes from: some two hundred roundings of 1.1e-16 each, twice, as both of two
# that are compared are rounded. A sum of 400 entries in another order, or a product of matrices with as
# many, takes that; a shake of four tries may miss half of the worst case.
ROUNDING = 4e-14
_SHAKE = 2.0**-46  # relative; well above rounding and well below every tolerance
_DOUBT = 1e5 * _SHAKE  # of a number, moved by the shake: rounding has taken five of its digits
_TIMES = 4  # the first without a shake
_JUMP = (
    1e6  # times the largest number of a trace: a change of branch, which says nothing of rounding
)
_RESIDUE = 1e-12  # of the largest number: it may be what rounding leaves of a 0
_SMALL, _STEP = 2.0**-1000, 2.0**-1074  # numbers that are rounded by a step, whatever their size
_LARGEST = float(np.finfo(float).max)  # infinite room would let every number pass
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Scale:
    """The size of the terms that a value and a gradient come from."""

    value: float
    gradient: float
    doubtful: bool = False  # whether an entry has lost digits that a report may show


@lru_cache(maxsize=8)
def scales(trace: Trace) -> dict[Node, Scale]:
    """The scale of the value and the gradient of every input and gate."""
    quantities = (*trace.inputs, *trace.gates)
    values = {q.node: q.value for q in quantities}
    gradients = {q.node: q.gradient for q in quantities if q.gradient is not None}
    base = in_float64(trace)
    runs = [_shaken(trace, shaker(time, _SHAKE)) for time in range(1, _TIMES)]
    doubtful: set[Node] = set()
    kinks = [q.node for q in trace.gates if is_on_kink(trace, q.node)]
    jumps = [any(_has_left(trace, node, run[0]) for node in kinks) for run in runs]
    if any(jumps):  # where equal numbers stay equal, a maximum of two stays one
        runs.append(_shaken(trace, shaker(_TIMES, alike=True)))
        jumps.append(any(_has_left(trace, node, runs[-1][0]) for node in kinks))
    moved = _moved(values, base[0], [run[0] for run in runs], jumps, doubtful)
    swayed = _moved(gradients, base[1], [run[1] for run in runs], jumps, doubtful)
    consumers = {q.name: q.node for q in trace.gates}
    found: dict[Node, Scale] = {}
    for q in reversed(quantities):  # consumers before arguments
        terms = [float(np.max(np.abs(c.value))) for c in q.contributions if c.value is not None]
        if not np.any(q.gradient):  # in a 0 there is the rounding of all that comes back
            terms += [found[consumers[c.gate]].gradient for c in q.contributions]
        size = max([swayed.get(q.node, 0.0), *terms])
        found[q.node] = Scale(moved[q.node], size, q.node in doubtful)
    return found


@lru_cache(maxsize=8)
def in_float64(trace: Trace) -> tuple[dict[Node, Array], dict[Node, Array]]:
    """Values and gradients as a program has them, which rounds at every step."""
    return _shaken(trace, shaker(0, 0.0))


def is_on_kink(trace: Trace, node: Node) -> bool:
    """Whether the arguments of a gate, as they are, sit on a kink."""
    if node.gate.kink is None or not np.any(at_kink(node, trace.arguments(node))):
        return False
    return can_move(trace, node)


def can_move(trace: Trace, node: Node) -> bool:
    """Whether a gate depends on a real number, and not on class numbers and positions alone."""
    whole = trace.graph.integers
    return any(n.is_input and n.name not in whole for n in topological(node))


def at_kink(node: Node, args: Sequence[Array]) -> Array:
    """Which entries of a gate with a kink are there."""
    assert node.gate.kink is not None
    with np.errstate(over="ignore"):
        return node.gate.kink(*args, **node.params)


def _has_left(trace: Trace, node: Node, values: Mapping[Node, Array]) -> bool:
    """Whether the arguments of a gate on a kink are not there any more, by other values."""
    args = [a.value if a.is_constant else values.get(a) for a in node.args]
    known = [a for a in args if a is not None]
    if len(known) < len(args):
        return True
    return not np.array_equal(at_kink(node, trace.arguments(node)), at_kink(node, known))


def _moved(
    own: Mapping[Node, Array],
    base: Mapping[Node, Array],
    others: list[dict[Node, Array]],
    jumps: list[bool],
    doubtful: set[Node],
) -> dict[Node, float]:
    """By how much each number moves at most, in units of the shake; 0 where it jumps or is lost.

    It moves from `base`, where it was computed in the same way without a shake. Where the shake makes it no
    number, it is the way from there to what it is with all digits.
    """
    sizes = {node: np.abs(number) for node, number in own.items()}
    largest = max((_top(size) for size in sizes.values()), default=0.0)
    found = dict.fromkeys(own, 0.0)
    for other, jumped in zip(others, jumps, strict=True):
        limit = _JUMP * largest if jumped else math.inf
        for node in own.keys() & base.keys():
            move, number = np.abs(other.get(node, np.nan) - base[node]), sizes[node]
            if jumped and np.any((number > 0) & (number < _RESIDUE * largest)):
                doubtful.add(node)
            top = _top(move)
            if not math.isfinite(top):
                top = _top(np.abs(own[node] - base[node]))
                doubtful.add(node)
            size = min(top / _SHAKE, _LARGEST)
            if math.isfinite(top) and size <= limit:
                found[node] = max(found[node], size)
                if (move > _DOUBT * number).any():
                    doubtful.add(node)
    return found


def _top(array: Array) -> float:
    """The largest entry; of a number, which has one, without a search."""
    return float(array.max() if array.ndim else array)


def _shaken(
    trace: Trace, shake: Callable[[Array], Array]
) -> tuple[dict[Node, Array], dict[Node, Array]]:
    """Values and gradients, each computed from shaken ones."""
    graph = trace.graph
    values = {
        q.node: q.value if q.name in trace.graph.integers else shake(q.value) for q in trace.inputs
    }
    gradients: dict[Node, Array] = {}
    if graph.result.is_constant:
        return values, gradients
    nodes, at = _in_steps(graph)
    with np.errstate(all="ignore"):
        try:
            for node in nodes:
                args = [values[a] if a.value is None else a.value for a in node.args]
                if node.gate.form is Form.INVERSE:  # solving rounds small entries as the largest
                    largest = np.full(np.shape(args[0]), np.max(np.abs(args[0])))
                    args[0] = args[0] + (shake(largest) - largest)
                values[node] = shake(node.gate.forward(*args, **node.params))
            gradients, _ = pull_back(
                nodes,
                at[graph.result],
                np.ones(graph.result.shape)[()],
                values.__getitem__,
                stand_in=lambda node, upstream: shake(upstream),
            )
        except FAULTS:
            pass
    return (
        {node: values[there] for node, there in at.items() if there in values},
        {node: gradients[there] for node, there in at.items() if there in gradients},
    )


@lru_cache(maxsize=8)
def _in_steps(graph: Graph) -> tuple[list[Node], dict[Node, Node]]:
    """The gates that a graph is computed by, in order, and which of them each of its nodes is.

    A gate that is computed by its definition rounds inside: it is all the gates of that.
    """
    at: dict[Node, Node] = {node: node for node in graph.inputs.values()}
    for node in graph.nodes:
        args = [at.get(a, a) for a in node.args]
        is_same = args == list(node.args)
        at[node] = _in_its_steps(node if is_same else make(node.gate, args, node.params))
    order = (at[node] for node in graph.nodes)
    return [n for n in topological(*order) if n.args and not n.is_constant], at


def _in_its_steps(node: Node) -> Node:
    if node.gate.forward is not node.gate.definition:
        return node
    return written_out(node, lambda *gate: _in_its_steps(make(*gate)))


def shaker(time: int, shake_by: float = _SHAKE, *, alike: bool = False) -> Callable[[Array], Array]:
    """Changes the numbers of an array by parts that follow no pattern, the same on every machine.

    Where equal numbers are to be shaken `alike`, the part is that of the number and not of its place.
    """
    count = time

    def shake(array: Array) -> Array:
        nonlocal count
        size = np.size(array)
        places: Array = np.float64(count)  # of a number, which is what most gates have
        if alike:
            places = np.floor(np.frexp(array)[0] * 2.0**20) + time
        elif np.ndim(array):
            places = np.arange(count, count + size, dtype=float).reshape(np.shape(array))
        count += _TIMES * 97 + size
        part = 2 * (places**2 * _GOLDEN % 1) - 1
        moved = array * (1 + shake_by * part)
        small = (np.abs(array) < _SMALL) & (array != 0)
        if shake_by and small.any():
            moved = moved + np.where(small, np.sign(part) * _STEP, 0.0)
        return moved[()]

    return shake
