"""The derivative of an entry's expression by an entry of an argument, and sums of it over labels.

An entry of the argument by another one is δ. What a sum over labels makes of δ, and which brackets such as
𝟙[i ≤ 3] always hold, is told by how far each label counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from report.autodiff.gates import GATES
from report.autodiff.gates.entries import Labels
from report.autodiff.rounding_error import is_on_kink
from report.derivation.backward_edge import Link
from report.derivation.index_form import NoIndexForm
from report.derivation.index_form.walk import Walk
from report.derivation.latex import Printed


class EntrySlopes:
    """Derivatives by the entry of an argument of `link` that has the name `own` and the labels `at`."""

    link: Link
    walk: Walk
    own: Printed
    at: Labels

    @property
    def by(self) -> tuple[Printed, Labels]:
        """The name and the labels of the entry by which is differentiated."""
        return self.own, self.at

    def by_entry(self, e: Any) -> Any:
        """The derivative of an expression by the entry that `by` tells."""
        import sympy
        from sympy.concrete.expr_with_limits import ExprWithLimits

        own, at = self.by
        name = f"e{self.walk.order[own]:03d}"
        if not any(_name_of(a) == name for a in sympy.preorder_traversal(e)):
            return sympy.Integer(0)
        if _name_of(e) == name:
            pairs = zip(e.args, [x for x in at if x != 0], strict=True)
            return sympy.Mul(*(self.delta(a, b) for a, b in pairs))
        if isinstance(e, sympy.UnevaluatedExpr):
            return self.by_entry(e.args[0])
        if isinstance(e, sympy.Sum):
            return self.by_sum(e)
        gate = GATES.get(type(e).__name__)
        if isinstance(e, ExprWithLimits) and gate is not None and gate.ties:
            return self.by_extreme(e)
        if isinstance(e, ExprWithLimits | sympy.Piecewise | sympy.KroneckerDelta):
            raise NoIndexForm
        places = [sympy.Dummy(real=True) for _ in e.args]
        back = dict(zip(places, e.args, strict=True))
        over = e.func(*places)
        total = sympy.Integer(0)
        for place, inner in back.items():
            try:
                slope = over.diff(place)
            except ValueError:  # of functions in pieces sympy does not always know one
                raise NoIndexForm from None
            if slope.has(sympy.Derivative, sympy.Subs):
                raise NoIndexForm
            total += slope.xreplace(back) * self.by_entry(inner)
        return total

    def delta(self, a: Any, b: Any) -> Any:
        """1 where two labels are the same; of 2 (i - 1) + j sympy's δ does not know that it is a whole number."""
        import sympy

        is_row = a.has(sympy.UnevaluatedExpr) or b.has(sympy.UnevaluatedExpr)
        return self.walk.call("equal")(a, b) if is_row else sympy.KroneckerDelta(a, b)

    def by_sum(self, e: Any) -> Any:
        """Σ_k δ_ki x_k = x_i; of a sum up to a label j, Σ_{k ≤ j} x_k, it is 1 for the i ≤ j."""
        import sympy

        labels = [d for d, *_ in e.limits]
        inside = sympy.expand(self.by_entry(e.function))
        ends = [last for d, _, last in e.limits if last != self.walk.sizes.get(d)]
        if any(first != 1 for _, first, _ in e.limits):
            raise NoIndexForm
        if ends:
            deltas = [d for d in sympy.Mul.make_args(inside) if d.has(*labels)]
            if len(deltas) != 1 or not isinstance(deltas[0], sympy.KroneckerDelta):
                raise NoIndexForm
            (own,) = set(deltas[0].args) - set(labels)
            return (inside / deltas[0]) * self.walk.call("less_equal")(own, ends[0])
        return sympy.Add(*(self.summed(t, labels) for t in sympy.Add.make_args(inside)))

    def summed(self, term: Any, labels: Sequence[Any]) -> Any:
        """A sum over labels; where δ of i and j + a - 1 stands in it, a is i - j + 1, if that is a place."""
        import sympy

        left = list(labels)
        for delta in sympy.Mul.make_args(term):
            if not isinstance(delta, sympy.KroneckerDelta):
                continue
            gap = delta.args[0] - delta.args[1]
            label = next((x for x in left if gap.coeff(x) in (1, -1)), None)
            if label is None:
                continue
            at = sympy.expand(label - gap / gap.coeff(label))
            size = self.walk.sizes[label]
            if label in delta.args and self._range(at) is None:
                continue  # what the walk makes of it
            place = self.bracket(at, sympy.Integer(1), sympy.Integer(size))
            term = (term / delta).xreplace({label: at}) * place
            left.remove(label)
        term = term.xreplace(self._known_brackets(term))
        return self.walk.sum(term, *left) if left else term

    def _known_brackets(self, term: Any) -> dict[Any, Any]:
        """The brackets of a term, and what they are without what is always so."""
        import sympy

        call, no_end = self.walk.call, sympy.oo
        known = {e: self.bracket(*e.args) for e in term.atoms(call("within"))}
        at_most, at_least = call("less_equal"), call("greater_equal")
        for e in term.atoms(at_most, at_least):
            at, end = e.args
            if end.is_Integer:
                ends = (-no_end, end) if e.func is at_most else (end, no_end)
                known[e] = self.bracket(at, *ends)
        return known

    def bracket(self, at: Any, first: Any, last: Any) -> Any:
        """𝟙[first ≤ at ≤ last] without what is always so; 1 ≤ i - 1 ≤ 2 is written i ≥ 2 where i ends at 3."""
        import sympy

        ends = self._range(at)
        if ends is None:
            return self.walk.call("within")(at, first, last)
        number, label = at.as_coeff_Add()
        if label in self.walk.sizes:
            at, first, last = label, first - number, last - number
            ends = (ends[0] - number, ends[1] - number)
        from_first, to_last = first <= min(ends), max(ends) <= last
        if from_first and to_last:
            return sympy.Integer(1)
        if from_first:
            return self.walk.call("less_equal")(at, last)
        if to_last:
            return self.walk.call("greater_equal")(at, first)
        return self.walk.call("within")(at, first, last)

    def _range(self, at: Any) -> tuple[Any, Any] | None:
        """What a label, or one more or less, is at its ends; None for what is not like that."""
        number, label = at.as_coeff_Add()
        sign, label = label.as_coeff_Mul()
        if label not in self.walk.sizes or sign not in (1, -1):
            return None
        return number + sign, number + sign * self.walk.sizes[label]

    def by_extreme(self, e: Any) -> Any:
        """1 where the entry is the largest one."""
        import sympy

        if is_on_kink(self.link.notation.trace, self.link.node) or len(e.limits) != 1:
            raise NoIndexForm
        label = e.limits[0][0]
        inside = self.by_entry(e.function)
        deltas = [d for d in sympy.Mul.make_args(inside) if d.has(label)]
        if len(deltas) != 1 or not isinstance(deltas[0], sympy.KroneckerDelta):
            raise NoIndexForm
        if label not in deltas[0].args:
            raise NoIndexForm
        (own,) = set(deltas[0].args) - {label}
        is_largest = self.walk.call("equal")(e.function.xreplace({label: own}), e)
        return (inside / deltas[0]) * is_largest


def _name_of(e: Any) -> str:
    """The name of an entry: of a function of its labels, or of a symbol without any."""
    return e.name if e.is_Symbol else type(e).__name__
