"""A local derivative taken from a gate's entries, so that the matrix form of its rule is seen to follow.

From q_k = Σ_j W_kj x_j one has ∂q_k/∂W_ij = δ_ki x_j, and what flows back to W_ij is
Σ_k ∂f/∂q_k δ_ki x_j = ∂f/∂q_i x_j. Nothing here knows a gate: the entry is differentiated term by term, and
an entry of the argument by another one is δ. Where δ stands in a sum, as in the quotient rule for softmax,
the two cases stand apart; a sum too long to read is left out. A gate whose entry no labels can say, such as
the inverse of a matrix, has its local derivative from its rule: the factor of ∂f/∂q_k in what flows back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from report.autodiff.gates import GATES
from report.autodiff.gates.entries import Labels
from report.autodiff.graph import Node
from report.autodiff.kinks import on_kink
from report.derivation.backward_edge import Link
from report.derivation.elements import Equation
from report.derivation.index_form import NoIndexForm
from report.derivation.index_form.walk import Split, Walk
from report.derivation.latex import Printed
from report.derivation.latex.printed import put
from report.derivation.latex.symbols import partial
from report.derivation.symbolic.expressions import times

MAX_SUMS = 3  # signs in one side of such an equation
Told = tuple[tuple[Equation, ...], Equation | None]
MAX_WRITTEN = 400  # characters of such an equation; a longer one is not for reading


def from_entries(link: Link) -> Told:
    """The local derivative, and what flows back by it; nothing where entries cannot say it in short."""
    node, arg = link.node, link.arg
    if math.prod(arg.shape) == 1 or node.args.count(arg) > 1:
        return (), None
    half: Told = ((), None)  # without what flows back
    # softmax as its quotient, where that cannot be told by its name, and then by the rule
    for in_gates, kind in ((False, _Derivation), (True, _Derivation), (True, _ByRule)):
        try:
            local, summed = _told(kind, link, in_gates)
        except NoIndexForm:
            continue
        if any(_is_long(text) for e in local for text in e.symbols):
            continue
        if len(local) > 1 or (summed and not any(map(_is_long, summed.symbols))):
            return local, summed
        half = half if half[0] else (local, None)
    return half


def _told(kind: type[_Derivation], link: Link, in_gates: bool) -> Told:
    """What a derivation tells, some labels of which may have to stand as two: 3 (i - 1) + j."""
    splits: dict[str, tuple[int, ...]] = {}
    while True:
        try:
            return kind(link, in_gates, splits).equations()
        except Split as split:
            splits[split.key] = split.sizes


def _is_long(text: str) -> bool:
    return len(text) > MAX_WRITTEN or text.count(r"\sum") > MAX_SUMS


class _Derivation:
    def __init__(self, link: Link, in_gates: bool, splits: Mapping[str, tuple[int, ...]]) -> None:
        notation = link.notation
        self.notation, self.link, self.letters = notation, link, notation.letters
        self.upstream = partial(notation.f, notation.entry[link.node])
        names = {leaf: notation.entry[n] for leaf, n in link.pairs if leaf is not link.y}
        whole = {link.upstream: self.upstream, link.y: notation.entry[link.node]}
        named = (lambda n: notation.latex(n, link.names.get)) if in_gates else None
        top = self.top()
        self.walk = Walk(top, names | whole, named, splits, notation.taken)
        self.walk.by_places = True
        self.own = names[link.leaves[link.place]]
        self.place_labels()
        self.value = self.walk.entry(top, self.walk.root)

    def top(self) -> Node:
        """What is differentiated: the gate over its leaves."""
        link = self.link
        return Node(link.node.gate, tuple(link.leaves), link.node.params, link.node.shape)

    def place_labels(self) -> None:
        """Labels of an entry of the gate, `root`, and of one of the argument, `at`."""
        self.root = self.walk.root
        self.at = tuple(self.walk.fresh(n) for n in self.link.arg.shape)

    @property
    def by(self) -> tuple[Printed, Labels]:
        """The name and the labels of the entry by which is differentiated."""
        return self.own, self.at

    def equations(self) -> Told:
        """The derivative of an entry of the gate by one of the argument, and what flows back by it."""
        import sympy

        slope = self.slope()
        if slope == 0:
            raise NoIndexForm
        if self.root and slope.has(sympy.KroneckerDelta):
            slope = sympy.factor_terms(slope)
            if _in_sum(slope):
                return self.cases(slope)
        slope = times(*self.factored(slope).as_coeff_Mul())
        inner = [d for label in self.at for d in self.walk.dummies(label)]
        outer = [d for label in self.root for d in self.walk.dummies(label)]
        self.letters = self.as_in_sum(len(inner))
        left = partial(
            self.written(self.root, self.notation.entry[self.link.node], inner + outer),
            self.written(self.at, self.own, inner + outer),
        )
        local = Equation(left, (self.finished(slope, inner + outer),))
        self.letters = self.notation.letters
        product = times(self.walk.named(self.link.upstream, self.upstream, self.root), slope)
        steps = [self.summed(product, outer)]
        tells_ranges = all(x == 0 or x in self.walk.sizes for x in self.at)
        if outer and slope.has(sympy.KroneckerDelta) and tells_ranges:
            number, rest = product.as_coeff_Mul()
            limits = ((d, 1, self.walk.sizes[d]) for d in outer[::-1])
            steps.insert(0, times(number, sympy.Sum(rest, *limits)))
        if steps[-1].has(sympy.Sum) and any(
            inner.has(sympy.KroneckerDelta) for inner in steps[-1].atoms(sympy.Sum)
        ):
            return (local,), None
        flows = partial(self.notation.f, self.written(self.at, self.own, inner))
        kept: dict[Any, str] = {}  # a label that is left has the letter that it had
        whole = dict.fromkeys(self.finished(s, inner, kept) for s in steps)
        return (local,), Equation(flows, tuple(whole))

    def as_in_sum(self, n: int) -> str:
        """The letters in such an order that labels behind the first n have those of a sum over them."""
        letters = self.notation.letters
        return letters[:n] + "".join(c for c in letters[2:] + letters[:2] if c not in letters[:n])

    def slope(self) -> Any:
        """The derivative of an entry of the gate by one of the argument."""
        import sympy

        return sympy.expand(self.by_entry(self.value))

    def factored(self, slope: Any) -> Any:
        """A derivative as it is written."""
        import sympy

        return sympy.factor_terms(slope)

    def cases(self, slope: Any) -> Told:
        """The derivative of entry i by entry i, and by another entry j; what flows back to entry i from all."""
        import sympy

        at = self.at
        if len(self.root) != len(at):
            raise NoIndexForm
        for own, other in zip(self.root, self.at, strict=True):
            delta = sympy.KroneckerDelta(own, other)
            if own != 0 and delta in sympy.Mul.make_args(slope):  # of another row nothing is seen
                slope = (slope / delta).xreplace({other: own})
                at = tuple(own if x is other else x for x in at)
        apart = [(o, a) for o, a in zip(self.root, at, strict=True) if o is not a and o != 0]
        if len(apart) != 1:
            raise NoIndexForm
        (own, other), equations = apart[0], []
        free = [d for label in (*self.root, *at) for d in self.walk.dummies(label)]
        for is_same in (True, False):
            of, to = slope.xreplace({sympy.KroneckerDelta(own, other): sympy.Integer(is_same)}), at
            if is_same:
                of, to = of.xreplace({other: own}), self.root
            left = partial(
                self.written(self.root, self.notation.entry[self.link.node], free),
                self.written(to, self.own, free),
            )
            forms = [sympy.together(of), *self.by_value(of)]
            symbols = tuple(self.finished(f, free) for f in forms)
            apart_from = "" if is_same else self.unequal(other, own, free)
            equations.append(Equation(left, symbols, only=apart_from))
        return tuple(equations), self.from_all(at, other)

    def unequal(self, a: Any, b: Any, free: list[Any]) -> str:
        """That two labels are not the same."""
        return rf"{self.finished(a, free)} \ne {self.finished(b, free)}"

    def from_all(self, at: Labels, other: Any) -> Equation | None:
        """Σ_k ∂f/∂p_k ∂p_k/∂x_i, where k is the label `other` in `at`, and what the cases make of it."""
        whole = self.link.index_form()
        if whole is None or other not in self.walk.sizes:
            return None
        inner = [d for label in self.root for d in self.walk.dummies(label)]
        free = [*inner, other]
        self.letters = self.as_in_sum(len(inner))
        of = self.written(at, self.notation.entry[self.link.node], free)
        by = self.written(self.root, self.own, free)
        label, end = self.finished(other, free), self.walk.sizes[other]
        self.letters = self.notation.letters
        upstream = partial(self.notation.f, of)
        each = put(rf"\sum_{{{label}=1}}^{{{end}}} ", upstream, " ", partial(of, by))
        return Equation(partial(self.notation.f, by), (each, whole.latex))

    def by_value(self, slope: Any) -> list[Any]:
        """The same with the gate's own value in it, where that is a quotient: p (1 - p)."""
        import sympy

        above, below = sympy.fraction(self.value)
        if below.is_Number or not isinstance(above, sympy.Function | sympy.exp):
            return []
        divisor = sympy.Dummy("divisor", positive=True)
        found = slope.xreplace({below: divisor})
        for label in {*self.root, *self.at} - {0}:
            ix = tuple(label if x is self._moving else x for x in self.root)
            entry = self.walk.named(self.link.y, self.notation.entry[self.link.node], ix)
            found = found.xreplace({above.xreplace({self._moving: label}): entry * divisor})
        found = sympy.factor_terms(sympy.expand(found))
        return [] if found.has(divisor) else [found]

    @property
    def _moving(self) -> Any:
        """The label along which the gate mixes entries."""
        import sympy

        _, below = sympy.fraction(self.value)
        return next(x for x in self.root if x != 0 and not below.has(x))

    # ------------------------------------------------------------ differentiation

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

        if on_kink(self.link.notation.trace, self.link.node) or len(e.limits) != 1:
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

    # ------------------------------------------------------------ writing

    def finished(
        self, expression: Any, free: list[Any], kept: dict[Any, str] | None = None
    ) -> Printed:
        """An expression in LaTeX, its labels with letters; see `lettered` for those that are `kept`."""
        self.walk.free = list(dict.fromkeys(free))
        return self.walk.finished(expression, self.letters, kept).latex

    def written(self, labels: Any, name: Printed, free: list[Any]) -> Printed:
        """A name with its labels."""
        import sympy

        self.walk.free = list(dict.fromkeys(free))
        root, self.walk.root = self.walk.root, labels
        text = self.walk.finished(sympy.Integer(0), self.letters).named(name)
        self.walk.root = root
        return text


class _ByRule(_Derivation):
    """The same from the rule, which is linear in the upstream gradient: its factor is the local derivative."""

    def top(self) -> Node:
        return self.link.graph

    def place_labels(self) -> None:
        self.at = self.walk.root
        self.root = tuple(self.walk.fresh(n) for n in self.link.node.shape)

    @property
    def by(self) -> tuple[Printed, Labels]:
        return self.upstream, self.root

    def slope(self) -> Any:
        import sympy

        found = self.by_entry(self.value)
        return sympy.expand(found) if _in_sum(sympy.factor_terms(found)) else found

    def factored(self, slope: Any) -> Any:
        return slope

    def by_value(self, _slope: Any) -> list[Any]:
        return []


def _in_sum(slope: Any) -> bool:
    """Whether a δ stands in a sum, and not only as a factor of the whole."""
    import sympy

    delta = sympy.KroneckerDelta
    return any(f.has(delta) and not isinstance(f, delta) for f in sympy.Mul.make_args(slope))


def _name_of(e: Any) -> str:
    """The name of an entry: of a function of its labels, or of a symbol without any."""
    return e.name if e.is_Symbol else type(e).__name__
