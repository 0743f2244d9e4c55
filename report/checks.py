"""The checks: four independent ways to every gradient entry must agree, or there is no report.

The trace is compared with central differences of the function, with the closed form evaluated by
itself, and with what the generated programs printed. The programs' values and gradients of every gate
are compared too. Where an input sits on a kink, the difference quotient says nothing and is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np

from report import number_format
from report.autodiff import extended
from report.autodiff.backprop import forward, pull_back
from report.autodiff.finite_differences import MAX_EXACT, ExactQuotients, estimated
from report.autodiff.graph import Array, Node, constant, make
from report.autodiff.kinks import kinks as kinks_of
from report.autodiff.rounding_error import ROUNDING, Scale, scales, shaker
from report.autodiff.trace import Trace
from report.derivation import Derivation
from report.derivation.gradient_formulas import GradientFormula
from report.readback import ReadBack

DIFFERENCE_TOLERANCE = 1e-6  # relative; CS231n calls below 1e-7 good and above 1e-2 wrong
CLOSED_TOLERANCE = 1e-9
FOLLOWS = 1e-8  # relative, of what is computed from numbers of twelve digits
SIDES = 8  # of kinks on which a program's numbers may lie, tried
PROGRAM_TOLERANCE = 1e-10  # the programs print twelve digits
MAX_ENTRIES = 400  # entries of one input whose difference quotient is taken; spread evenly beyond
_SMALLEST = float(np.finfo(float).tiny)  # with all its digits
STEPS = (1e-5, 1e-4, 1e-6, 1e-3, 1e-7, 1e-9)  # tried in turn, times max(1, |x|)


class PrintedNumbers(Protocol):
    """What a program printed, read back (see `report.program.read`)."""

    @property
    def values(self) -> Mapping[str, Array]:
        """Of every gate, by name."""

    @property
    def gradients(self) -> Mapping[str, Array]:
        """Of every gate and input, by name."""


@dataclass(frozen=True)
class Comparison:
    """One number obtained in another way; `error` is relative to the larger of the two."""

    value: float
    error: float
    agrees: bool


@dataclass(frozen=True)
class CheckedEntry:
    """One gradient entry: the trace's number and what the other ways give (None: not taken)."""

    name: str
    place: tuple[int, ...]
    trace: float
    difference: Comparison | None
    closed: Comparison | None
    programs: Mapping[str, Comparison]


@dataclass(frozen=True)
class Verification:
    """All comparisons of one question. `failures` names each number that differs, and each false formula."""

    entries: tuple[CheckedEntry, ...]
    comparisons: int
    failures: tuple[str, ...]
    kinks: tuple[str, ...]  # the gates whose input sits on a kink
    dialects: tuple[str, ...]
    sampled: bool  # whether difference quotients were taken of some entries only
    read: ReadBack | None = None  # the printed formulas, where they were read back

    @property
    def formulas(self) -> int:
        """How many printed formulas were read back."""
        return 0 if self.read is None else self.read.formulas - len(self.read.unread)

    @property
    def passed(self) -> int:
        """How many comparisons agree."""
        false = 0 if self.read is None else len(self.read.failures) + len(self.read.unreadable)
        return self.comparisons - (len(self.failures) - false)

    @property
    def largest(self) -> dict[str, float]:
        """The largest relative error of each way."""
        found: dict[str, float] = {}
        for entry in self.entries:
            ways = {"difference": entry.difference, "closed": entry.closed, **entry.programs}
            for way, comparison in ways.items():
                if comparison is not None:
                    found[way] = max(found.get(way, 0.0), comparison.error)
        return found


def verify(
    trace: Trace,
    derivation: Derivation,
    printed: Mapping[Any, PrintedNumbers],
    read: ReadBack | None = None,
) -> Verification:
    """Compare the trace with every other way; `printed` maps a dialect to what its program printed.

    `read` is what reading the printed formulas back has found.
    """
    kinks = kinks_of(trace)
    closed = _ClosedForms(trace, derivation, bool(kinks))
    sizes = scales(trace)
    result = sizes.get(trace.graph.result)  # None for a constant
    terms = 0.0 if result is None else result.value  # that the function's value is rounded from
    exact = ExactQuotients(trace.graph, {q.name: q.value for q in trace.inputs}, terms)
    differences = {} if kinks else _differences(trace, terms)
    sides = {dialect: _OtherSide(trace, p, kinks, sizes) for dialect, p in printed.items()}
    entries = []
    for name in trace.wrt:
        quantity = next(q for q in trace.inputs if q.name == name)
        scale = sizes[quantity.node].gradient
        for place in np.ndindex(quantity.node.shape):
            value = float(np.asarray(quantity.gradient)[place])
            quotient = differences.get((name, place))
            entries.append(
                CheckedEntry(
                    name,
                    place,
                    value,
                    _difference(exact, (name, place), value, quotient, scale),
                    closed.compared(name, place, value, scale),
                    {
                        dialect: _compare(
                            value, _entry(p.gradients, name, place), PROGRAM_TOLERANCE, scale
                        )
                        for dialect, p in printed.items()
                        if not sides[dialect].has_gradient(quantity.node)
                    },
                )
            )
    count, failures = 0, []
    for entry in entries:
        ways = {
            "the central difference": entry.difference,
            "the closed form": entry.closed,
            **{f"the {dialect} program": c for dialect, c in entry.programs.items()},
        }
        for way, comparison in ways.items():
            if comparison is not None:
                count += 1
                if not comparison.agrees:
                    failures.append(
                        f"d/d{entry.name}{_place(entry.place)} is {entry.trace!r} by the trace but "
                        f"{comparison.value!r} by {way}"
                    )
    for dialect, p in printed.items():
        for what, good in _every_gate(trace, p, sizes, sides[dialect]):
            count += 1
            if not good:
                failures.append(f"{what} printed by the {dialect} program differs from the trace")
    sampled = any(q.node.shape and q.value.size > MAX_ENTRIES for q in trace.inputs)
    if read is not None:
        unread = (f"the printed formula {u} cannot be read back" for u in read.unreadable)
        failures += (*read.failures, *unread)
    return Verification(
        tuple(entries), count, tuple(failures), kinks, tuple(printed), sampled, read
    )


def misprinted(trace: Trace, printed: PrintedNumbers) -> list[str]:
    """Which values and gradients a program printed otherwise than the trace has them."""
    sizes = scales(trace)
    side = _OtherSide(trace, printed, kinks_of(trace), sizes)
    wrong = [what for what, good in _every_gate(trace, printed, sizes, side) if not good]
    for q in trace.inputs:
        if q.name in trace.gradients:
            gradient = trace.gradients[q.name]
            if not _same(gradient, printed.gradients.get(q.name), sizes[q.node].gradient):
                wrong.append(f"the gradient of {q.name}")
    return wrong


# ---------------------------------------------------------------- comparing two numbers


def _compare(value: float, other: float, tolerance: float, scale: float) -> Comparison:
    """Two numbers, equal up to a relative tolerance or to rounding of what they were summed from."""
    size = max(abs(value), abs(other), _SMALLEST)
    gap = abs(value - other)
    agrees = gap <= tolerance * size + ROUNDING * scale
    return Comparison(other, _relative(gap, size, scale), bool(agrees))


def _difference(
    exact: ExactQuotients,
    entry: tuple[str, tuple[int, ...]],
    value: float,
    quotient: tuple[float, float] | None,
    scale: float,
) -> Comparison | None:
    """The trace's number beside a difference quotient, which is taken exactly where they differ."""
    comparison = _compare_difference(value, quotient, scale)
    if comparison is None or comparison.agrees:
        return comparison
    if not exact.possible:  # the first entries tell of the others
        return None if exact.left < MAX_EXACT else comparison
    slope = exact.slope(*entry)
    return None if slope is None else _compare(value, slope, DIFFERENCE_TOLERANCE, scale)


def _compare_difference(
    value: float, quotient: tuple[float, float] | None, scale: float
) -> Comparison | None:
    """A difference quotient agrees within its own estimated error."""
    if quotient is None:
        return None
    other, uncertainty = quotient
    size, gap = max(abs(value), abs(other)), abs(value - other)
    agrees = gap <= DIFFERENCE_TOLERANCE * size + uncertainty + ROUNDING * scale
    return Comparison(other, _relative(gap, size, scale), bool(agrees))


def _relative(gap: float, size: float, scale: float) -> float:
    """The gap relative to the size of the numbers; of rounding errors, to what they are rounded from."""
    size = size if size > 1e-13 * scale else scale
    return gap / size if size else 0.0


def _entry(gradients: Mapping[str, Array], name: str, place: tuple[int, ...]) -> float:
    if name not in gradients:
        return math.nan
    array = np.asarray(gradients[name])
    return float(array[place]) if array.ndim == len(place) else math.nan


def _place(place: tuple[int, ...]) -> str:
    return "".join(f"[{i}]" for i in place)


def _every_gate(
    trace: Trace, printed: PrintedNumbers, sizes: Mapping[Node, Scale], side: _OtherSide
) -> Iterator[tuple[str, bool]]:
    """Whether a program printed the trace's value and gradient for each gate, and the inputs it has."""
    for q in (*trace.gates, *(q for q in trace.inputs if q.name in printed.values)):
        if not side.has_value(q.node):
            value = printed.values.get(q.name)
            yield f"the value of {q.name}", _same(q.value, value, sizes[q.node].value)
        needed = q.gradient is not None and q.node in trace.needed and not q.node.is_input
        if needed and not side.has_gradient(q.node):
            gradient = printed.gradients.get(q.name)
            yield f"the gradient of {q.name}", _same(q.gradient, gradient, sizes[q.node].gradient)


def _same(value: Array, other: Array | None, scale: float) -> bool:
    if other is None or np.shape(other) != np.shape(value):
        return False
    largest = float(np.max(np.abs(value)))
    return bool(
        np.allclose(
            other,
            value,
            rtol=PROGRAM_TOLERANCE,
            atol=max(1e-12 * largest, ROUNDING * scale, PROGRAM_TOLERANCE * _SMALLEST),
        )
    )


class _OtherSide:
    """What a program has by right otherwise than the trace: beyond a kink that rounding took it over.

    What comes after the kink follows from the program's own numbers.
    """

    def __init__(
        self,
        trace: Trace,
        printed: PrintedNumbers,
        kinks: Collection[str],
        sizes: Mapping[Node, Scale],
    ) -> None:
        self.trace, self.printed, self.sizes = trace, printed, sizes
        self.kinks = {q.node for q in trace.gates if q.name in kinks}
        self.beyond = {
            q.node
            for q in trace.gates
            if self.kinks and not self.agrees(q.node, q.value, printed.values)
        }

    def agrees(self, node: Node, number: Array, printed: Mapping[str, Array]) -> bool:
        scale = self.sizes[node]
        size = scale.value if printed is self.printed.values else scale.gradient
        return _same(number, printed.get(self.trace.name_of(node)), size)

    def own(self, node: Node) -> Array:
        """What the program has for a node."""
        q = self.trace.quantities[node]
        own = self.printed.values.get(q.name, q.value)
        return own if np.shape(own) == node.shape else q.value

    def has_value(self, node: Node) -> bool:
        """Whether a value is another one, and follows from the program's own."""
        if node not in self.beyond:
            return False
        args = [a.value if a.is_constant else self.own(a) for a in node.args]
        with np.errstate(all="ignore"):
            follows = node.gate.forward(*args, **node.params)
        return node in self.kinks or np.allclose(follows, self.own(node), FOLLOWS, 0)

    @cached_property
    def gradients(self) -> list[Mapping[Node, Array]]:
        """The backward pass over the program's own values, which are known to twelve digits."""
        graph = self.trace.graph
        found: list[Mapping[Node, Array]] = []
        for time in range(SIDES if self.kinks else 0):
            shake = shaker(time, 1e-12 if time else 0.0)
            values = {node: shake(self.own(node)) for node in self.trace.quantities}
            with np.errstate(all="ignore"):
                seed = np.ones(graph.result.shape)[()]
                found.append(pull_back(graph.nodes, graph.result, seed, values.__getitem__)[0])
        return found

    def has_gradient(self, node: Node) -> bool:
        """Whether a gradient is another one, and follows from the program's own values."""
        q = self.trace.quantities[node]
        printed = self.printed.gradients.get(q.name)
        if q.gradient is None or printed is None or np.shape(printed) != node.shape:
            return False
        if self.agrees(node, q.gradient, self.printed.gradients):
            return False
        room = max(1e-12, 100 * ROUNDING * self.sizes[node].gradient)
        sides = [g[node] for g in self.gradients if node in g]
        return any(np.allclose(side, printed, FOLLOWS, room) for side in sides)


# ---------------------------------------------------------------- the other ways


FEW, MORE, ALL = 16, 30, 400  # digits with which a closed form is evaluated


class _ClosedForms:
    """Each gradient from its closed form alone: sympy with 30 digits, or the formula's own graph.

    Where that is too little, with 400 digits. At a kink the convention decides, which the gates of the
    graph know and sympy does not; and more digits than the trace has may see one side of it.
    """

    def __init__(self, trace: Trace, derivation: Derivation, kinks: bool) -> None:
        self.trace, self.kinks = trace, kinks
        self.forms = {gradient.name: gradient for gradient in derivation.gradients}
        self.found: dict[tuple[str, int], Array] = {}
        small = extended.steps(trace.graph) <= extended.MAX_STEPS
        self.tries = (MORE, *([FEW] if kinks else []), *([ALL] if small else []))

    def compared(self, name: str, place: tuple[int, ...], value: float, scale: float) -> Comparison:
        """The trace's number beside that of the closed form."""
        for digits in self.tries:
            number = float(self.number(name, digits)[place])
            comparison = _compare(value, number, CLOSED_TOLERANCE, scale)
            if comparison.agrees:
                break
        return comparison

    def number(self, name: str, digits: int) -> Array:
        """The numbers of a gradient by its closed form."""
        if (name, digits) not in self.found:
            self.found[name, digits] = np.asarray(self._number(name, digits))
        return self.found[name, digits]

    def _number(self, name: str, digits: int) -> Array:
        gradient = self.forms[name]
        formula = gradient.formula
        if formula is None:
            return np.zeros(np.shape(gradient.value))
        if gradient.scalar is not None and not self.kinks:
            point = {q.name: float(q.value) for q in self.trace.inputs if not q.node.shape}
            number = gradient.scalar.at(point, digits)
            if not math.isnan(number):  # as 0**2*log(0) is, of which only the gates know the limit
                return np.float64(number)
        value = {FEW: self._plain, MORE: self._wide, ALL: self._exactly}[digits](formula)
        return np.broadcast_to(np.asarray(value, dtype=float), formula.node.shape)

    def _inputs(self, widened: Callable[[Array], Array]) -> dict[Node, Array]:
        whole = self.trace.graph.integers
        return {q.node: q.value if q.name in whole else widened(q.value) for q in self.trace.inputs}

    def _plain(self, formula: GradientFormula) -> Array:
        return formula.at(self._inputs(lambda x: x))

    def _wide(self, formula: GradientFormula) -> Array:
        try:
            return formula.at(self._inputs(lambda x: np.asarray(x, dtype=np.longdouble)))
        except TypeError:  # linear algebra that has no extended precision
            return self._plain(formula)

    def _exactly(self, formula: GradientFormula) -> Array:
        return extended.floats(formula.at(self._inputs(extended.settled), extended.evaluate))


def _differences(
    trace: Trace, terms: float
) -> dict[tuple[str, tuple[int, ...]], tuple[float, float]]:
    """Central differences with an estimate of their error, for every entry asked for."""
    trace = _with_what_is_held(trace)
    values = {q.name: q.value for q in trace.inputs}
    found = {}
    for name in trace.wrt:
        if trace.graph.inputs[name] not in trace.quantities:
            continue
        shape = np.shape(values[name])
        places = list(np.ndindex(shape))
        step = max(1, math.ceil(len(places) / MAX_ENTRIES))
        for place in places[::step]:
            quotient = _best_quotient(trace, values, name, place, terms)
            if quotient is not None:
                found[name, place] = quotient
    return found


def _with_what_is_held(trace: Trace) -> Trace:
    """The function with what is taken as given as numbers, which a difference must not move."""
    held: dict[Node, Node] = {q.node: constant(q.value) for q in trace.gates if q.node.gate.held}
    if not held:
        return trace
    graph = trace.graph
    made = {**{n: n for n in graph.inputs.values()}, **held}
    for n in graph.nodes:
        if n not in made:
            made[n] = make(n.gate, [made.get(a, a) for a in n.args], n.params)
    nodes = tuple(made[n] for n in graph.nodes if not made[n].is_constant)
    return replace(trace, graph=replace(graph, nodes=nodes, result=made[graph.result]))


def _best_quotient(
    trace: Trace, values: Mapping[str, Array], name: str, place: tuple[int, ...], terms: float
) -> tuple[float, float] | None:
    """The quotient of the first step whose estimated error is small, else the best of all steps."""
    x = float(np.asarray(values[name])[place])
    best: tuple[float, float] | None = None
    steps = (relative * max(1.0, abs(x)) for relative in STEPS)
    quotient = partial(_quotient, trace, values, name, place)
    for whole, uncertainty in estimated(quotient, steps, terms):
        # a step of more than a period gives a small quotient, and knows not even its sign
        known = (bool(uncertainty > abs(whole)), uncertainty)
        if best is None or known < (best[1] > abs(best[0]), best[1]):
            best = (whole, uncertainty)
        if uncertainty <= 10 * DIFFERENCE_TOLERANCE * abs(whole):
            break
    if best is not None and best[1] > 1e-3 * max(abs(best[0]), _largest(trace)):
        return None  # says nothing about this entry
    return best


def _largest(trace: Trace) -> float:
    """The largest gradient entry asked for: what a difference that is 0 is measured by."""
    return max((float(np.max(np.abs(g))) for g in trace.gradients.values()), default=0.0)


def _quotient(
    trace: Trace, values: Mapping[str, Array], name: str, place: tuple[int, ...], h: float
) -> tuple[float, float]:
    """(f(x + h) − f(x − h)) / 2h, and the size of f there."""
    result = trace.graph.result
    ends = []
    for sign in (1, -1):
        moved = np.array(values[name], dtype=float)
        moved[place] += sign * h
        shifted = {**values, name: moved if moved.ndim else np.float64(moved)}
        ends.append(
            float(np.asarray(result.value).item())
            if result.is_constant
            else float(np.asarray(forward(trace.graph, shifted)[result]).item())
        )
    return (ends[0] - ends[1]) / (2 * h), max(abs(e) for e in ends)


# ---------------------------------------------------------------- as text


def table(verification: Verification) -> str:
    """The comparisons as plain text for a terminal."""
    head = [
        "entry",
        "trace",
        "difference",
        "closed form",
        *(f"{d} program" for d in verification.dialects),
    ]
    lines = [head]
    for e in verification.entries:
        cells = [e.difference, e.closed, *e.programs.values()]
        lines.append(
            [
                f"d/d{e.name}{_place(e.place)}",
                f"{e.trace:.12g}",
                *(
                    "-" if c is None else f"{c.error:.1e}{'' if c.agrees else ' DIFFERS'}"
                    for c in cells
                ),
            ]
        )
    widths = [max(len(row[i]) for row in lines) for i in range(len(head))]
    text = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in lines
    ]
    text.insert(1, "  ".join("-" * w for w in widths))
    return "\n".join(text)


def error_text(error: float) -> str:
    """A relative error as the report shows it: two digits, or 0."""
    return "0" if error == 0 else number_format.show(float(f"{error:.1e}"), 2)
