r"""Sums, products and extremes over indices: for all terms at once where that can be, else term by term."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from report.autodiff.gates import GATES
from report.autodiff.parser.latex.conditions import _Conditions
from report.autodiff.parser.latex.indices import Run
from report.autodiff.parser.latex.tree import Big, Group, Part, Product
from report.autodiff.parser.latex.values import OneByOne, Operand, Value
from report.errors import ReportError

MAX_TERMS = 60  # of a sum that is written out


def _of_nothing(name: str) -> float | None:
    """The value of a reduction without terms; None where it has none, as a largest entry."""
    try:
        return float(GATES[name].forward(np.zeros(0)))
    except ValueError:
        return None


class _Sums(_Conditions):
    """Sums, products and extremes over indices: for all terms at once where that can be, else term by term."""

    def lower_big(self, part: Big) -> Operand:
        if part.below is None:
            if part.above is not None:
                raise self.error(
                    "a sum with a bound above has an index below: \\sum_{i=1}^{n}", part
                )
            return self.over_all(part)
        ranges, conditions = self.ranges_of(part)
        for name, _, _ in ranges:
            if name in self.indices:
                raise self.error(
                    f"the index {name} belongs to the sum outside; call this one otherwise", part
                )
        if not ranges:
            raise self.error("an index stands below: \\sum_{i=1}^{n}", part)
        return self.reduced(part, ranges, conditions)

    def over_all(self, part: Big) -> Operand:
        """A sum without indices takes all entries."""
        value = self.value(part.body)
        if not value.shape:
            raise self.error(
                "nothing says what this runs over; write an index below: \\sum_{i=1}^{n} x_i", part
            )
        if value.axes:
            raise OneByOne
        return Value(self.call(part.name, [value.node], part), f"{part.name}({value.text})")

    def reduced(
        self, part: Big, ranges: list[tuple[str, int, int]], conditions: list[Part]
    ) -> Operand:
        """The sum, product or extreme over ranges: at once where that can be, else term by term."""
        value = self.reduced_at_once(part, [Run(*r) for r in ranges], conditions)
        if value is not None:
            return value
        count = math.prod(high - low + 1 for _, low, high in ranges)
        self.within_limit(count, part)
        outer, self.terms = self.terms, self.terms * count
        try:
            terms = list(self.each_term(part, ranges, conditions))
        finally:
            self.terms = outer
        if not terms and self.indices and (nothing := _of_nothing(part.name)) is not None:
            return self.number(nothing)
        if not terms:
            raise self.error("no term fulfils the condition below", part)
        return self.joined(part, terms)

    def within_limit(self, count: int, part: Part) -> None:
        if count > MAX_TERMS or self.terms * count > 40 * MAX_TERMS:
            raise self.error(
                f"this sum has more than {MAX_TERMS} terms that cannot be taken together; write it with matrices",
                part,
            )

    def each_term(
        self, part: Big, ranges: list[tuple[str, int, int]], conditions: list[Part]
    ) -> Iterator[Operand]:
        if not ranges:
            holds: list[Value] = []
            for condition in conditions:
                found = self.condition(condition)
                if found is False:
                    return
                if found is not True:
                    holds.append(found)
            value = self.lower(part.body)
            for condition_value in holds:
                neutral = _of_nothing(part.name)
                if neutral is None:  # of a largest entry a label leaves one out
                    if self.at_inputs(condition_value):
                        continue
                    return
                value = self.chosen(
                    condition_value, self.sized(value, part), self.number(neutral), part
                )
            yield value
            return
        (name, low, high), *rest = ranges
        for i in range(low, high + 1):
            with self.indexed({name: i}):
                yield from self.each_term(part, rest, conditions)

    def joined(self, part: Big, terms: list[Operand]) -> Operand:
        """The terms added up, multiplied, or the extreme of them."""
        if GATES[part.name].of_two:
            values = [self.sized(t, part) for t in terms]
            if any(v.shape for v in values):
                raise self.error("the largest of several numbers is meant; these are vectors", part)
            if len(values) == 1:
                return values[0]
            whole = self.stacked(values, part)
            return Value(self.call(part.name, [whole.node], part), f"{part.name}({whole.text})")
        result = terms[0]
        for term in terms[1:]:
            result = (
                self.add(result, term, part)
                if part.name == "sum"
                else self.times(result, term, part)
            )
        return result

    def reduced_at_once(
        self, part: Big, runs: list[Run], conditions: Sequence[Part] = ()
    ) -> Value | None:
        """All terms at once; None where that cannot be."""
        kept = self.saved()
        try:
            with self.indexed({r.name: r for r in runs}):
                if part.name == "sum" and not conditions:
                    factors = self.summed(part.body, [r.name for r in runs], part)
                    return self.sized(self.multiplied([("", f, part) for f in factors], part), part)
                choice = self.choice(part, conditions) if conditions else None
                value = self.value(part.body)
                if choice is not None:
                    condition, neutral = choice
                    value = self.chosen(condition, value, neutral, part)
            for run in reversed(runs):
                if run.name not in value.axes or value.shape:
                    raise OneByOne
                value = self.over_index(part.name, value, run.name, part)
        except (OneByOne, ReportError):
            self.restore(kept)
            return None
        return value

    def choice(self, part: Big, conditions: Sequence[Part]) -> tuple[Value, Value]:
        """Which terms an input keeps, j ≠ y, and the neutral number in the place of the others."""
        neutral = _of_nothing(part.name)
        if neutral is None:
            raise OneByOne
        found = [self.condition(c) for c in conditions]
        holds = [c for c in found if not isinstance(c, bool)]
        if False in found or all(c.node.value is not None for c in holds):
            raise OneByOne  # indices alone decide
        return self.both(holds, "logical_and", part), self.number(neutral)

    def at_once(self, body: Part, runs: list[Run]) -> Value | None:
        """A value for every index at once; None where that cannot be."""
        kept = self.saved()
        try:
            with self.indexed({r.name: r for r in runs}):
                return self.value(body)
        except (OneByOne, ReportError):
            self.restore(kept)
            return None

    def summed(self, body: Part, names_: list[str], part: Part) -> list[Value]:
        """The factors of a sum over indices: those that do not run stand outside, the others are contracted."""
        if len(names_) > 1:
            return self.contraction(self.summed(body, names_[1:], part), names_[0], part)
        return self.contraction(self.body_factors(body), names_[0], part)

    def body_factors(self, body: Part) -> list[Value]:
        """A product's factors with scalars apart, so that a sum over an index finds what it contracts."""
        if isinstance(body, Group) and body.kind in ("(", "{", "[") and len(body.parts) == 1:
            return (
                self.body_factors(body.parts[0])
                if isinstance(body.parts[0], (Product, Big))
                else [self.value(body.parts[0])]
            )
        if isinstance(body, Big) and body.name == "sum" and body.below is not None:
            ranges, conditions = self.ranges_of(body)
            if conditions:
                inner = self.reduced_at_once(body, [Run(*r) for r in ranges], conditions)
                if inner is None:
                    raise OneByOne
                return [inner]
            if not ranges:
                raise OneByOne
            with self.indexed({name: Run(name, low, high) for name, low, high in ranges}):
                return self.summed(body.body, [name for name, _, _ in ranges], body)
        if not isinstance(body, Product) or any(op not in ("", r"\cdot") for op, _ in body.factors):
            return [self.value(body)]
        found: list[Value] = []
        tensors: list[tuple[str, Operand, Part]] = []
        parts = list(body.factors)
        if (
            isinstance(parts[-1][1], Big)
            and parts[-1][1].name == "sum"
            and parts[-1][1].below is not None
        ):
            found += self.body_factors(parts[-1][1])
            if any(v.shape for v in found):
                raise OneByOne
            parts = parts[:-1]
        for op, value, where in self.factors(replace(body, factors=tuple(parts))):
            if isinstance(value, Value) and not value.shape:
                found.append(value)
            else:
                tensors.append((op, value, where))
        if tensors:
            found.append(
                self.sized(
                    self.multiplied([("", tensors[0][1], tensors[0][2]), *tensors[1:]], body), body
                )
            )
        return found

    def contraction(self, factors: list[Value], index: str, part: Part) -> list[Value]:
        """Σ over an index of a product."""
        inside = [f for f in factors if index in f.axes]
        outside = [f for f in factors if index not in f.axes]
        if not inside:
            raise OneByOne
        scalars = [f for f in inside if not f.shape]
        tensors = [f for f in inside if f.shape]
        while len(scalars) + len(tensors) > 2 and len(scalars) > 1:
            a, b = scalars[0], scalars[1]
            scalars[:2] = [self.scaled(a, b, part)]
        if len(scalars) + len(tensors) == 2:
            done = self.contracted(scalars[0], (scalars[1:] + tensors)[0], index, part)
        else:
            done = self.over_index("sum", (scalars + tensors)[0], index, part)
        return [*outside, done]
