"""A local derivative taken from a gate's entries, so that the matrix form of its rule is seen to follow.

From q_k = Σ_j W_kj x_j one has ∂q_k/∂W_ij = δ_ki x_j, and what flows back to W_ij is
Σ_k ∂f/∂q_k δ_ki x_j = ∂f/∂q_i x_j. Nothing here knows a gate: the entry is differentiated term by term, and
an entry of the argument by another one is δ. Where δ stands in a sum, as in the quotient rule for softmax,
the two cases stand apart; a sum too long to read is left out. A gate whose entry no labels can say, such as
the inverse of a matrix, has its local derivative from its rule: the factor of ∂f/∂q_k in what flows back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from report.autodiff.gates.entries import Labels
from report.autodiff.graph import Node
from report.derivation.backward_edge import Link, of_names
from report.derivation.elements import Equation
from report.derivation.entry_slopes import EntrySlopes
from report.derivation.index_form import NoIndexForm
from report.derivation.index_form.walk import Split, Walk
from report.derivation.latex import Printed
from report.derivation.latex.printed import put
from report.derivation.latex.symbols import partial
from report.derivation.symbolic.expressions import times

MAX_SUMS = 3  # signs in one side of such an equation
Told = tuple[tuple[Equation, ...], Equation | None]
MAX_WRITTEN = 400  # characters of such an equation; a longer one is not for reading


@of_names
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
        if summed and any(map(_is_long, summed.symbols)):
            summed = None
        if summed or len(local) > 1:
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


class _Derivation(EntrySlopes):
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
