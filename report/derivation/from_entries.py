"""A local derivative taken from a gate's entries, so that the matrix form of its rule is seen to follow.

From q_k = Σ_j W_kj x_j one has ∂q_k/∂W_ij = δ_ki x_j, and what flows back to W_ij is
Σ_k ∂f/∂q_k δ_ki x_j = ∂f/∂q_i x_j. Nothing here knows a gate: the entry is differentiated term by term, and
an entry of the argument by another one is δ. Where δ stands in a sum, as in the quotient rule for softmax,
the two cases stand apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from report.autodiff.gates import GATES
from report.autodiff.graph import Node
from report.autodiff.kinks import on_kink
from report.derivation.backward_edge import Link
from report.derivation.elements import Equation
from report.derivation.index_form import NoIndexForm
from report.derivation.index_form.walk import Split, Walk
from report.derivation.latex import Printed
from report.derivation.latex.symbols import partial
from report.derivation.symbolic.expressions import times

MAX_SUMS = 3  # signs in one side of such an equation
MAX_WRITTEN = 400  # characters of such an equation; a longer one is not for reading


def from_entries(link: Link) -> tuple[tuple[Equation, ...], Equation | None]:
    """The local derivative, and what flows back by it; nothing where entries cannot say it in short."""
    node, arg = link.node, link.arg
    if math.prod(arg.shape) == 1 or node.args.count(arg) > 1:
        return (), None
    # softmax as its quotient, and where that cannot be told by its name
    for in_gates in (False, True):
        try:
            local, summed = _Derivation(link, in_gates).equations()
        except (NoIndexForm, Split):
            continue
        whole = [*local, *([summed] if summed else [])]
        if not any(_is_long(text) for e in whole for text in e.symbols):
            return local, summed
    return (), None


def _is_long(text: str) -> bool:
    return len(text) > MAX_WRITTEN or text.count(r"\sum") > MAX_SUMS


class _Derivation:
    def __init__(self, link: Link, in_gates: bool) -> None:
        notation = link.notation
        self.notation, self.link = notation, link
        gate = Node(link.node.gate, tuple(link.leaves), link.node.params, link.node.shape)
        self.upstream = partial(notation.f, notation.entry[link.node])
        names = {leaf: notation.entry[n] for leaf, n in link.pairs if leaf is not link.y}
        whole = {link.upstream: self.upstream, link.y: notation.entry[link.node]}
        named = (lambda n: notation.latex(n, link.names.get)) if in_gates else None
        self.walk = Walk(gate, names | whole, named, {}, notation.taken)
        self.own = names[link.leaves[link.place]]
        self.root = self.walk.root
        self.at = tuple(self.walk.fresh(n) for n in link.arg.shape)
        self.value = self.walk.entry(gate, self.root)

    def equations(self) -> tuple[tuple[Equation, ...], Equation | None]:
        """The derivative of an entry of the gate by one of the argument, and what flows back by it."""
        import sympy

        slope = sympy.expand(self.by_entry(self.value))
        if slope == 0:
            raise NoIndexForm
        if self.root and slope.is_Add and slope.has(sympy.KroneckerDelta):
            return self.cases(sympy.factor_terms(slope)), None
        slope = times(*sympy.factor_terms(slope).as_coeff_Mul())
        inner = [d for label in self.at for d in self.walk.dummies(label)]
        outer = [d for label in self.root for d in self.walk.dummies(label)]
        left = partial(
            self.written(self.root, self.notation.entry[self.link.node], inner + outer),
            self.written(self.at, self.own, inner + outer),
        )
        local = Equation(left, (self.finished(slope, inner + outer),))
        product = times(self.walk.named(self.link.upstream, self.upstream, self.root), slope)
        steps = [self.walk.sum(product, *self.root)]
        if outer and slope.has(sympy.KroneckerDelta):
            number, rest = product.as_coeff_Mul()
            limits = ((d, 1, self.walk.sizes[d]) for d in outer[::-1])
            steps.insert(0, times(number, sympy.Sum(rest, *limits)))
        if steps[-1].has(sympy.Sum) and any(
            inner.has(sympy.KroneckerDelta) for inner in steps[-1].atoms(sympy.Sum)
        ):
            raise NoIndexForm
        flows = partial(self.notation.f, self.written(self.at, self.own, inner))
        whole = dict.fromkeys(self.finished(s, inner) for s in steps)
        return (local,), Equation(flows, tuple(whole))

    def cases(self, slope: Any) -> tuple[Equation, ...]:
        """The derivative of entry i by entry i, and by another entry j."""
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
            equations.append(Equation(left, tuple(self.finished(f, free) for f in forms)))
        return tuple(equations)

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
        """The derivative of an expression by the entry of the argument at the labels `at`."""
        import sympy
        from sympy.concrete.expr_with_limits import ExprWithLimits

        name = f"e{self.walk.order[self.own]:03d}"
        if not any(type(a).__name__ == name for a in sympy.preorder_traversal(e)):
            return sympy.Integer(0)
        if type(e).__name__ == name:
            labels = [x for x in self.at if x != 0]
            pairs = zip(e.args, labels, strict=True)
            return sympy.Mul(*(sympy.KroneckerDelta(a, b) for a, b in pairs))
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

    def by_sum(self, e: Any) -> Any:
        """Σ_k δ_ki x_k = x_i; of a sum up to a label j, Σ_{k ≤ j} x_k, it is 1 for the i ≤ j."""
        import sympy

        labels = [d for d, *_ in e.limits]
        inside = sympy.expand(self.by_entry(e.function))
        ends = [last for d, _, last in e.limits if last != self.walk.sizes.get(d)]
        if any(first != 1 for _, first, _ in e.limits):
            raise NoIndexForm
        if ends:
            if len(labels) != 1 or not isinstance(inside, sympy.KroneckerDelta):
                raise NoIndexForm
            (own,) = set(inside.args) - set(labels)
            return self.walk.call("less_equal")(own, ends[0])
        return sympy.Add(*(self.summed(t, labels) for t in sympy.Add.make_args(inside)))

    def summed(self, term: Any, labels: Sequence[Any]) -> Any:
        """A sum over labels; where δ of i and j + a - 1 stands in it, a is i - j + 1, if that is a place."""
        import sympy

        left = list(labels)
        for delta in sympy.Mul.make_args(term):
            if not isinstance(delta, sympy.KroneckerDelta) or set(delta.args) & set(left):
                continue
            gap = delta.args[0] - delta.args[1]
            label = next((x for x in left if gap.coeff(x) in (1, -1)), None)
            if label is not None:
                at = sympy.expand(label - gap / gap.coeff(label))
                bracket = self.walk.call("within")(at, sympy.Integer(1), self.walk.sizes[label])
                term = (term / delta).xreplace({label: at}) * bracket
                left.remove(label)
        return self.walk.sum(term, *left) if left else term

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

    def finished(self, expression: Any, free: list[Any]) -> Printed:
        """An expression in LaTeX, its labels with letters."""
        self.walk.free = list(dict.fromkeys(free))
        return self.walk.finished(expression, self.notation.letters).latex

    def written(self, labels: Any, name: Printed, free: list[Any]) -> Printed:
        """A name with its labels."""
        import sympy

        self.walk.free = list(dict.fromkeys(free))
        root, self.walk.root = self.walk.root, labels
        text = self.walk.finished(sympy.Integer(0), self.notation.letters).named(name)
        self.walk.root = root
        return text
