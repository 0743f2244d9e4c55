"""Every equation of a derivation, read back from its own LaTeX and evaluated with the trace's numbers.

What is false is a failure, and so is what cannot be read: such a formula may not be printed. Where the
numbers of a computer are too short for a formula that is right (1 - tanh² far out), it is read again with
numbers of more digits. What a gate on its kink has, a convention says and no formula.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from report.autodiff import extended
from report.autodiff.differentiate import with_more_digits
from report.autodiff.graph import Array, topological
from report.autodiff.kinks import kinks
from report.autodiff.parser.latex.names import normal
from report.autodiff.parser.latex.printed import PrintedFormula, PrintedNames, derivative
from report.autodiff.parser.latex.printed_numbers import Shown
from report.autodiff.parser.latex.values import NoEntry
from report.autodiff.rounding_error import scales
from report.autodiff.trace import Quantity, Trace
from report.derivation import Derivation
from report.derivation.elements import Branch, Equation, Gradient, Step
from report.derivation.latex.letters import LETTERS
from report.derivation.latex.symbols import VALUE, symbol
from report.derivation.quantity_names import entries_picked
from report.errors import ReportError
from report.readback.cases import with_cases
from report.readback.notes import NO_NUMBER, Notes, ReadBack, TooMany, are_close, is_lost

MAX_PLACES = 6  # entries at which a form in entries is read; of more some, spread over all
MAX_SUMMED = 2000  # entries of a local derivative over which is summed
MAX_ONE_BY_ONE = 64  # the same where they must be read one by one
MAX_ENTRIES = 4000  # of a tensor in a formula that is read
GOLDEN = (math.sqrt(5) - 1) / 2
# stands for numbers, or leaves out some of them
_SHORTENED = re.compile(r"\\text\{the numbers|\\[cdlv]?dots\b|\\text\{NaN\}")
_COLOUR = re.compile(r"\\textcolor\{(#\w+)\}")
_SCRIPT = re.compile(r"_\{[^{}]*\}")
Side = tuple[str, str, Array]  # what is told, its formula, the numbers of it


def read_back(trace: Trace, derivation: Derivation) -> ReadBack:
    """Read every equation of a derivation; see `Equation`."""
    reader = Equations(trace, trace)
    with np.errstate(all="ignore"):  # what is no number is said to be none
        reader.whole(derivation)
        notes = reader.notes
        failures = notes.failures
        if failures and extended.steps(trace.graph) <= extended.MAX_STEPS:
            again = Equations(trace, with_more_digits(trace))
            again.whole(derivation)
            known = again.notes
            failures = [f for f in failures if f in known.failures or f not in known.right]
    return ReadBack(notes.formulas, tuple(failures), tuple(notes.unread))


def names_of(numbers: Trace) -> PrintedNames:
    """The names of a trace: values, gradients, and what comes of a gradient through each gate."""
    letter = normal(numbers.letter)
    value = numbers.value if numbers.result is None else numbers.result.value
    found = PrintedNames({letter: np.asarray(value)[()]})
    for q in numbers.quantities.values():
        name = normal(q.name)
        found.add(name, np.asarray(q.value)[()])
        if q.gradient is not None:
            found.add(derivative(letter, name), np.asarray(q.gradient)[()])
        for c in q.contributions:
            gate = normal(c.gate)
            for through in (gate, f"{gate},{c.argument + 1}"):
                found.add(derivative(letter, name, through), np.asarray(c.value)[()])
    for node, entry in entries_picked(numbers).items():
        q, name = numbers.quantities[node], normal(entry)
        found.add(name, np.asarray(q.value)[()])
        if q.gradient is not None:
            found.add(derivative(letter, name), np.asarray(q.gradient)[()])
    return found


class Equations:
    """The formulas of a trace, read with the `numbers` of that trace, or of one with more digits."""

    def __init__(self, trace: Trace, numbers: Trace) -> None:
        self.trace = trace
        self.names = names_of(numbers)
        result = trace.graph.result
        if not result.shape and result.args:
            self.names.rows = next(iter(result.args[0].shape), 0)
        self.letter = trace.letter.rstrip("_")
        self.sizes = scales(trace)
        self.kinks = kinks(trace)
        on_kinks = (q.node for q in trace.gates if q.name in self.kinks)
        self.bent = set(topological(*on_kinks))  # whose gradients a convention decides
        self.notes = Notes()

    # ------------------------------------------------------------ what is read

    def whole(self, derivation: Derivation) -> None:
        """All that is printed, in its order."""
        for e in derivation.formula:
            self.value_of(e.left, e.symbols)
        for row in derivation.forward:
            self.value_of(row.name, (row.symbols,))
            if row.numbers:
                exact = re.findall(r"\d+", _SCRIPT.sub("", row.symbols))  # of the formula itself
                self.in_numbers(row.name, [row.numbers], row.quantity.value, exact)
        for step in derivation.backward:
            with self.notes.by_convention(step.quantity.name in self.kinks):
                self.step(step)
        for gradient in derivation.gradients:
            is_bent = self.trace.graph.inputs[gradient.name] in self.bent
            with self.notes.by_convention(is_bent):
                self.gradient(gradient)

    def value_of(self, left: str, sides: Sequence[str]) -> None:
        """A name and what it is: a forward row, a let-line, the function."""
        quantities = self.trace.quantities.values()
        named = (q for q in quantities if symbol(q.name, q.node.shape) == left)
        q = next(named, self.trace.result)
        if q is None:
            return
        for side in sides:
            if side != left:
                self.same(left, side, q.value, self.sizes[q.node].value)

    def step(self, step: Step) -> None:
        """The backward step of one gate."""
        if step.entry is not None:
            self.entries(step.entry, self.sizes[step.quantity.node].value)
        for branch in step.branches:
            self.branch(branch, step.quantity)

    def branch(self, branch: Branch, of: Quantity) -> None:
        """What the gate `of` sends back to one argument."""
        names, scale = self.names, self.sizes[branch.argument].gradient
        is_scalar = not of.node.shape
        if branch.local is not None and not is_scalar:
            self.local_entries(branch, [branch.local])
        if branch.derived:
            self.local_entries(branch, branch.derived)
        if branch.summed is not None:
            self.entries(branch.summed, scale, with_cases(names, branch.derived, self.letter))
        for local in (branch.local if is_scalar else None, branch.jacobian):
            if local is not None:
                names = self.local(local, names)
        for side in (*branch.chain, *branch.symbols):
            self.same(branch.left, side, branch.value, scale, names)
        upstream = 0.0 if of.gradient is None else of.gradient
        result = branch.numbers[-1]
        self.in_numbers(branch.left, branch.numbers, branch.value, (), upstream, result)
        if branch.entries is not None:
            self.entries(branch.entries, scale)
        if branch.together is not None:
            with self.notes.by_convention(branch.argument in self.bent):
                for side in branch.together.symbols:
                    self.same(branch.together.left, side, branch.value, scale)
        if branch.total is not None:
            whole = self.trace.quantities[branch.argument].gradient
            self.same(branch.total.left, branch.total.symbols[0], whole, scale)

    def local(self, e: Equation, names: PrintedNames) -> PrintedNames:
        """The ways to write a local derivative are equal; the chain beside it says whether they are right."""
        left = names.formula(e.left)
        shape = np.shape(left.by.value())
        values = []
        for side in e.symbols:
            value = np.full(shape, np.nan)  # of one that has no number
            with self.notes.read(f"{e.left} = {side}"):
                value = names.formula(side).value(shape)
            values.append(value)
        self.in_numbers(e.left, e.numbers, values[0])
        for side, value in zip(e.symbols[1:], values[1:], strict=True):
            if not np.isnan(np.asarray(values[0], dtype=float)).any():
                self.notes.compare(f"{e.left} = {side}", value, values[0], 0.0)
        named = names.copy()
        named.add(left.label, values[0][()])
        return named

    def local_entries(self, branch: Branch, equations: Sequence[Equation]) -> None:
        """Upstream × local derivative in entries, summed over the gate's entries, is what flows back.

        Of two equations the first is the derivative of an entry by the same entry, the other by another one.
        """
        scale = self.sizes[branch.argument].gradient
        for way in range(max(len(e.symbols) for e in equations)):
            sides = [e.symbols[min(way, len(e.symbols) - 1)] for e in equations]
            said = ", ".join(f"{e.left} = {side}" for e, side in zip(equations, sides, strict=True))
            with self.notes.read(said):
                total = 0.0
                for e, side in zip(equations, sides, strict=True):
                    total = total + self.summed(e.left, side, bool(e.only))
                self.notes.compare(said, total, branch.value, scale)

    def summed(self, left: str, side: str, by_others: bool) -> Any:
        """Σ ∂f/∂q · ∂q/∂x over the entries of q, at each entry of x; of entries of x that are `by_others` only."""
        local, right = self.names.formula(left), self.names.formula(side)
        upstream, by = local.upstream(self.letter), local.by
        of, own = upstream.labels(LETTERS)[0], by.labels(LETTERS)[0]
        every = {**of, **own}
        count = math.prod(every.values())
        if count > MAX_SUMMED:
            raise TooMany
        factors = [side.at_once(every) for side in (upstream, right)]
        if factors[0] is not None and factors[1] is not None:
            product = np.array(factors[0] * factors[1])
            if by_others:
                axis = dict(zip(every, np.indices(product.shape), strict=True))
                alike = [axis[a] == axis[b] for a, b in zip(own, of, strict=True)]
                product[np.logical_and.reduce(alike)] = 0
            kept = [x for x in every if x in own]
            found = product.sum(axis=tuple(i for i, x in enumerate(every) if x not in own))
            return np.transpose(found, [kept.index(x) for x in own])
        if count > MAX_ONE_BY_ONE:
            raise TooMany
        total = np.zeros(tuple(own.values()))
        for place in itertools.product(*(range(1, n + 1) for n in every.values())):
            at = dict(zip(every, place, strict=True))
            here = tuple(at[x] - 1 for x in own)
            if not (by_others and here == tuple(at[x] - 1 for x in of)):
                total[here] += upstream.at(at) * right.at(at)
        return total

    def entries(self, e: Equation, scale: float, names: PrintedNames | None = None) -> None:
        """An equation of entries, at all labels."""
        for side in e.symbols:
            with self.notes.read(f"{e.left} = {side}"):
                left, right = self.names.formula(e.left), (names or self.names).formula(side)
                sizes, is_each = left.labels(LETTERS)
                found, expected = right.at_once(sizes), left.at_once(sizes)
                if found is None or expected is None or not _same(found, expected, scale):
                    self.at_places(left, right, sizes, is_each, scale)
                else:
                    self.notes.compare(f"{left.text} = {right.text}", found, expected, scale)

    def at_places(
        self,
        left: PrintedFormula,
        right: PrintedFormula,
        sizes: Mapping[str, int],
        is_each: bool,
        scale: float,
    ) -> None:
        """The same label by label; where one stands in a sum, some of them are those of no entry."""
        count = 0
        for place in _places(list(sizes.values())):
            at = dict(zip(sizes, place, strict=True))
            try:
                expected, value = left.at(at), right.at(at)
            except NoEntry:
                if is_each:
                    raise
                continue
            if np.isnan(float(value)) or np.isnan(float(expected)):  # 0/0
                continue
            count += 1
            if not self.notes.compare(f"{left.text} = {right.text}", value, expected, scale):
                return
        if not count:
            raise ReportError(NO_NUMBER)

    def gradient(self, gradient: Gradient) -> None:
        """The closed form, what stands in it by name, and the entry."""
        where = [e for e in gradient.where if "=" not in e.left]
        if gradient.scalar is not None and self.kinks:
            return  # sympy knows no convention
        shares = any(r"\text{ " in e.symbols[0] for e in where)
        if not np.isfinite(gradient.value).all() or shares:
            return  # where equal numbers share, a bracket is not what it says
        scale = self.sizes[self.trace.graph.inputs[gradient.name]].gradient
        names = self.names.copy()
        own = {
            names.formula(symbol(name, node.shape)).label: node.shape
            for node, name in gradient.parts.items()
        }
        # gradients are known, as let-lines are: what they use by name is read before them
        for e in sorted(in_order(where), key=_is_gradient):
            self.part(e, names, scale, own)
        result = gradient.numbers
        self.in_numbers(gradient.left, [result], gradient.value, result=result)
        if gradient.closed is not None:
            self.same(gradient.left, gradient.closed, gradient.value, scale, names)
        if gradient.entry is not None:
            self.entries(gradient.entry, scale, names)

    def part(
        self, e: Equation, names: PrintedNames, scale: float, own: Mapping[str, Sequence[int]]
    ) -> None:
        """What stands in a closed form by name: a gradient, a let-line, or a name of its `own`."""
        said = f"{e.left} = {e.symbols[0]}"
        lefts = names.copy() if own else names
        for label, shape in own.items():  # whose numbers are read here
            lefts.add(label, np.full(shape, np.nan))
        try:
            left = lefts.formula(e.left)
            known = None if left.label in own else names.values.get(left.label)
            sizes, _ = left.labels(LETTERS)
            if left.is_derivative and known is None:
                raise ReportError("no derivative that is known")
        except ReportError as error:
            self.notes.formulas += 1
            self.notes.unread.append(f"{said} ({error})")
            return
        if sizes and left.label in own:
            with self.notes.read(said):
                right = names.formula(e.symbols[0])
                found = right.at_once(sizes)
                if found is None:
                    found = np.zeros(tuple(sizes.values()))
                    for place in np.ndindex(*found.shape):
                        at = {x: i + 1 for x, i in zip(sizes, place, strict=True)}
                        found[place] = right.at(at)
                names.add(left.label, np.reshape(found, own[left.label]))
        elif sizes:
            is_gradient = left.is_derivative
            size = scale if is_gradient or known is None else float(np.abs(known).max())
            self.entries(e, size, names)
        elif left.is_derivative:
            self.same(e.left, e.symbols[0], names.values[left.label], scale, names)
        else:
            with self.notes.read(said):
                shape = () if known is None else np.shape(known)
                value = np.asarray(names.formula(e.symbols[0]).value(shape))
                if is_lost(value, known):
                    raise ReportError(NO_NUMBER)
                if known is not None and np.size(known) == value.size:  # a column for a vector
                    value = value.reshape(np.shape(known))
                names.add(left.label, value[()])

    def in_numbers(
        self,
        left: str,
        numbers: Sequence[str],
        expected: Array,
        exact: Collection[str] = (),
        among: Array = 0.0,
        result: str = "",
    ) -> None:
        """A name and what stands under its symbols: the numbers put in, each rounded as it is shown.

        Gradients may have the precision that they have `among` those of a tensor which they are a part of.
        What of them cannot be read and is no `result` is left out; see `printable`.
        """
        most = float(np.max(np.abs(among), initial=0.0))
        for side in numbers:
            if np.size(expected) > MAX_ENTRIES or _SHORTENED.search(side):
                continue
            said = f"{left} = {side}"
            with self.notes.if_read(said) if side == result else self.notes.read(said):
                bare, shown = _uncoloured(side, most)
                found = self.names.formula(bare).rounded(np.shape(expected), exact, shown)
                self.notes.compare_rounded(said, *found, expected)

    # ------------------------------------------------------------ how it is compared

    def same(
        self, left: str, side: str, expected: Array, scale: float, names: PrintedNames | None = None
    ) -> None:
        """A side must have the numbers that are expected."""
        if np.size(expected) > MAX_ENTRIES or _SHORTENED.search(side):
            return
        with self.notes.read(f"{left} = {side}"):
            value = (names or self.names).formula(side).value(np.shape(expected))
            self.notes.compare(f"{left} = {side}", value, expected, scale)


def _same(found: Any, expected: Any, scale: float) -> bool:
    """Whether numbers of all entries agree, so that none need be read alone."""
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    return not np.isnan(expected).any() and are_close(found, expected, scale)


def _uncoloured(text: str, among: float) -> tuple[str, list[Shown]]:
    """A formula without its colours, and where in it values and gradients stand."""
    bare, at, shown = "", 0, list[Shown]()
    for found in _COLOUR.finditer(text):
        bare += text[at : found.start()]
        at = end = found.end()
        depth = 0
        while depth or end == at:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        shown.append((len(bare), len(bare) + end - at, 0.0 if found[1] == VALUE else among))
    return bare + text[at:], shown


def _places(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    """The labels of some entries, from 1: of all where they are few, else spread."""
    if not sizes:
        return [()]
    count = math.prod(sizes)
    if count <= MAX_PLACES:
        chosen = list(range(count))
    else:
        spread = {int(k * GOLDEN * count) % count for k in range(MAX_PLACES)}
        chosen = sorted(spread | {count - 1})
    return [tuple(int(i) + 1 for i in np.unravel_index(c, sizes)) for c in chosen]


def _is_gradient(e: Equation) -> bool:
    return e.left.startswith(r"\frac")


_PART = re.compile(r"(?:\\mathbf\{(\w)\}|(\w))_\{(\d+)\b.*\}")  # s_1, and s_{1,ij}


def _uses(e: Equation, other: Equation) -> bool:
    """Whether the meaning of a name holds another one, or an entry of it."""
    found = _PART.fullmatch(other.left)
    if other.left in e.symbols[0] or found is None:
        return other.left in e.symbols[0]
    bold, plain, number = found.groups()
    return bool(re.search(rf"(?<![A-Za-z]){bold or plain}\}}?_\{{{number}\b", e.symbols[0]))


def in_order(where: Sequence[Equation]) -> list[Equation]:
    """What stands in a formula by name, what another one's meaning uses first."""
    left, done = list(where), list[Equation]()
    while left:
        free = [e for e in left if not any(_uses(e, other) for other in left if other is not e)]
        done += free or left
        left = [e for e in left if e not in done]
    return done
