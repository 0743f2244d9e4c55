"""Inputs of a formula that nobody has given yet: shapes with which it can be read, the likely ones first."""

from __future__ import annotations

import heapq
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from report.autodiff.differentiate import trace
from report.autodiff.gates import GATES, SUM, Place
from report.autodiff.graph import Graph, Shape
from report.autodiff.inputs import read_inputs
from report.autodiff.parser import free_names, is_latex, parse
from report.autodiff.parser.free_names import MATRIX, NUMBER, VECTOR, FreeName
from report.autodiff.trace import Trace
from report.errors import ReportError

MAX_READ = 600  # times that a formula is read for the axes of its inputs
MAX_SIZED = 3000  # gates that are read again for their sizes
SIZES = (3, 2, 4, 6, 10)  # of every axis while axes are looked for; the first that fits
RANGES = ((-2.0, 2.0), (0.1, 0.9), (1.1, 1.9))  # of the numbers; the later for roots and logarithms
GOLDEN = 0.6180339887

# How unlikely it is that a name stands for a number, a vector, a matrix or more, by what is known of it.
_COSTS: Mapping[int, Sequence[float]] = {
    NUMBER: (0.0, 0.3, 1.5, 4.0, 5.0),
    VECTOR: (3.0, 0.0, 1.0, 4.0, 5.0),
    MATRIX: (2.0, 1.5, 0.0, 3.0, 3.5),
}
_AMONG_VECTORS = (0.3, 0.0, 1.5, 4.0, 5.0)
_RATE = (0.0, 1.5, 4.0, 6.0, 6.0)  # of a learning rate, a temperature, the weight of a penalty
_RATES = frozenset(
    [
        "a",
        "alpha",
        "beta",
        "eps",
        "epsilon",
        "eta",
        "gamma",
        "lam",
        "lambda",
        "lr",
        "rho",
        "tau",
        "T",
    ]
)
_WORD = re.compile(r"[A-Za-z]\w*|\\\||‖")
_OF_VECTORS = {name for name, gate in GATES.items() if not gate.elementwise} | {r"\|", "‖", "lVert"}
_ENTRY, _REDUCED = 1.4, 1.0  # a result that is no number; sum(x) of a number
_TARGET = 0.5  # probabilities, where one label would do
_SHIFTED, _SCALED, _REPEATED = 0.6, 0.35, 0.2  # b + vector, c * vector, vector + matrix


@dataclass(frozen=True)
class Guess:
    """Numbers for the inputs of a formula, the trace over them, and the bounds of the real ones."""

    inputs: Mapping[str, Any]
    trace: Trace
    bounds: tuple[float, float]


def guess(formula: str, given: Mapping[str, Any] | None = None, *, number: bool = False) -> Guess:
    """Inputs for every name of a formula that `given` has no value for.

    Unless a `number` is wanted, the result may be a vector or a matrix, if that is likelier: the trace
    is then that of its first entry. Raises ReportError where nothing fits.
    """
    given = dict(given or {})
    every = (free_names.of_latex if is_latex(formula) else free_names.of_expression)(formula)
    names = [name for name in every if name.name not in given]
    fault: ReportError | None = None
    for size in dict.fromkeys([*_sizes_in(given), *SIZES]):
        try:
            shapes = _axes(formula, given, names, size, number)
            break
        except ReportError as error:
            fault = fault or error
    else:
        raise fault or ReportError("no inputs fit")
    if size == SIZES[0]:
        shapes = _sized(formula, given, shapes)
    graph = _read(formula, given, shapes)
    for low, high in RANGES:
        inputs = {**given, **_numbers(graph, shapes, low, high)}
        try:
            found = trace(formula, inputs, entry=graph.entry)
        except ReportError as error:
            fault = error
        else:
            return Guess({name: inputs[name] for name in shapes}, found, (low, high))
    raise fault or ReportError("no inputs fit")


def _axes(
    formula: str, given: Mapping[str, Any], names: Sequence[FreeName], size: int, number: bool
) -> dict[str, Shape]:
    """The likeliest number of axes of each name, all of one size."""
    best: tuple[float, dict[str, Shape]] | None = None
    fault: ReportError | None = None
    vectors = _has_vectors(formula) or any(name.axes for name in names)
    choices = [[(cost, (size,) * rank) for cost, rank in _ranks(n, vectors)] for n in names]
    for prior, chosen in itertools.islice(_cheapest(choices), MAX_READ):
        if best and best[0] <= prior:
            break
        shapes = {name.name: shape for name, shape in zip(names, chosen, strict=True)}
        try:
            cost = prior + _unlikely(_read(formula, given, shapes, number))
        except ReportError as error:
            fault = fault or error
            continue
        if best is None or cost < best[0]:
            best = cost, shapes
    if best is None:
        raise fault or ReportError("no inputs fit")
    return best[1]


def _has_vectors(formula: str) -> bool:
    """Whether a formula calls a gate that is made for vectors: a sum, a norm, softmax."""
    words = set(_WORD.findall(formula))
    return bool(words & _OF_VECTORS)


def _ranks(name: FreeName, vectors: bool) -> list[tuple[float, int]]:
    """What a name may stand for: (how unlikely, number of axes)."""
    if name.certain:  # x_i may be a row
        return [(0.0, name.axes), (0.4, name.axes + 1)]
    costs: Sequence[float]
    if name.axes != VECTOR and name.name in _RATES:
        costs = _RATE
    elif name.axes == NUMBER and vectors:
        costs = _COSTS[MATRIX] if name.name[:1].isupper() else _AMONG_VECTORS
    else:
        costs = _COSTS[min(name.axes, MATRIX)]
    return sorted((cost, rank) for rank, cost in enumerate(costs))


def _sizes(shape: Shape) -> list[tuple[float, Shape]]:
    """Sizes that tell the axes of a shape apart: 2 × 3 before 3 × 3."""
    found = []
    for sizes in itertools.product((2, 3), repeat=len(shape)):
        squares = sum(a == b for a, b in itertools.pairwise(sizes))
        usual = sizes == ((2,) * (len(shape) - 1) + (3,))[-len(shape) :]
        found.append((squares + (0.0 if usual else 0.1), sizes))
    return sorted(found)


def _cheapest(
    choices: Sequence[Sequence[tuple[float, Shape]]],
) -> Iterator[tuple[float, tuple[Shape, ...]]]:
    """One shape of each list of (cost, shape), the cheapest in all first."""
    start = (0,) * len(choices)
    queue = [(sum(choice[0][0] for choice in choices), start)]
    seen = {start}
    while queue:
        cost, places = heapq.heappop(queue)
        yield cost, tuple(c[p][1] for c, p in zip(choices, places, strict=True))
        for i, (choice, place) in enumerate(zip(choices, places, strict=True)):
            after = (*places[:i], place + 1, *places[i + 1 :])
            if place + 1 < len(choice) and after not in seen:
                seen.add(after)
                heapq.heappush(queue, (cost + choice[place + 1][0] - choice[place][0], after))


def _read(
    formula: str, given: Mapping[str, Any], shapes: Mapping[str, Shape], number: bool = False
) -> Graph:
    """The graph over inputs of these shapes; of a result that is no number, its first entry's."""
    inputs = {**given, **{name: np.ones(shape).tolist() for name, shape in shapes.items()}}
    values = read_inputs(inputs, latex=is_latex(formula))
    try:
        return parse(formula, values)
    except ReportError:
        if number:
            raise
        return parse(formula, values, entry=())


def _unlikely(graph: Graph) -> float:
    """How much speaks against a reading: numbers that are summed, or stretched to vectors."""
    cost = 0.0 if graph.entry is None else _ENTRY
    cost += _TARGET * ("target" in graph.integers.values())
    for node in graph.nodes:
        gate = node.gate
        args = [a for i, a in enumerate(node.args) if not a.is_constant and i not in gate.integers]
        if not gate.elementwise:
            cost += _REDUCED * (gate.rule_at is None and any(a.shape == () for a in args))
        elif len({a.shape for a in args}) > 1:
            if all(a.shape for a in args):
                cost += _REPEATED
            elif any(a.is_input for a in args):
                cost += _SHIFTED if gate.binding == SUM else _SCALED
    return cost


def _sizes_in(given: Mapping[str, Any]) -> list[int]:
    """The sizes of the axes of inputs that are there."""
    return [size for value in given.values() for size in np.shape(value)]


def _sized(formula: str, given: Mapping[str, Any], shapes: dict[str, Shape]) -> dict[str, Shape]:
    """Shapes of as many axes, of which matrices are not square where they need not be."""
    graph = _read(formula, given, shapes)
    least = _unlikely(graph)
    most = MAX_SIZED // (1 + len(graph.nodes))
    for _, chosen in itertools.islice(_cheapest([_sizes(s) for s in shapes.values()]), most):
        other = dict(zip(shapes, chosen, strict=True))
        try:
            found = _read(formula, given, other)
        except ReportError:
            continue
        if _unlikely(found) <= least:
            return other
    return shapes


def _numbers(graph: Graph, shapes: Mapping[str, Shape], low: float, high: float) -> dict[str, Any]:
    """Numbers between two bounds, no two alike; of labels and indices the first ones, of masks 1 and 0."""
    found = {}
    starts = {
        node.args[place].name: place.start
        for node in graph.nodes
        for place in node.params.get("key", ())
        if isinstance(place, Place)
    }
    for salt, (name, shape) in enumerate(shapes.items()):
        count = np.arange(1, math.prod(shape) + 1)
        if name in graph.integers:
            numbers = count % 2 + starts.get(name, 0)
        else:
            part = np.modf(count * GOLDEN + 0.37 * salt)[0]
            numbers = np.round(low + (high - low) * part, 1 if high - low > 1 else 2)
            numbers[numbers == 0] = 0.5
        found[name] = numbers.reshape(shape).tolist()
    return found
