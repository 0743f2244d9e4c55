"""What a derivation is made of. Every formula is LaTeX; every number comes out of the trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from report.autodiff.graph import Array, Node
from report.autodiff.trace import Quantity
from report.derivation.gate_families import Flow, GateFamily
from report.derivation.gradient_formulas import GradientFormula
from report.derivation.index_form.walk import IndexForm
from report.derivation.latex import Printed
from report.derivation.latex.printed import put
from report.derivation.symbolic.closed_form import ClosedForm


class Part(Printed):
    """The part of a gradient that comes back through a gate, by its argument `place` alone where one is told."""

    whole: Printed
    gate: Printed
    place: int | None

    def __new__(cls, whole: Printed, gate: Printed, place: int | None = None) -> Self:
        """The gradient between bars, with the gate's name below the second one."""
        argument = rf",\,{place}" if place else ""
        text = put(r"\left.", whole, r"\right|_{", gate, argument, "}")
        self = super().__new__(cls, text, signs=text.signs)
        self.whole, self.gate, self.place = whole, gate, place
        return self


@dataclass(frozen=True)
class Equation:
    """`left` = each of `symbols` in turn = each of `numbers`, which stand under the symbols.

    `only` says for which labels, where it is not for all: j ≠ i.
    """

    left: Printed
    symbols: tuple[Printed, ...]
    numbers: tuple[Printed, ...] = ()
    only: str = ""

    @property
    def shown(self) -> Equation:
        """The same with the labels that it is for behind the last of its symbols."""
        if not self.only:
            return self
        *before, last = self.symbols
        symbols = (*before, put(last, rf" \quad \left({self.only}\right)"))
        return replace(self, symbols=symbols, only="")


@dataclass(frozen=True)
class Equality:
    """One line of a backward block: what it is (upstream, local, ...) and the equation."""

    label: str
    equation: Equation


@dataclass(frozen=True, eq=False)
class ForwardRow:
    """A gate in the forward table: in symbols, and with numbers put in unless they are too many."""

    quantity: Quantity
    name: Printed
    symbols: Printed
    numbers: Printed | None


@dataclass(frozen=True, eq=False)
class Branch:
    """What a gate sends back to one of its arguments: upstream × local = downstream.

    `argument` and `value` are what it goes to and what it is; `left` is the gradient by the argument, or the part of it that comes through this gate. `local` is the
    local derivative, of tensors in entries; `chain` the product with it by name (empty where the argument's
    gradient is no product with one thing), `symbols` what flows back with the local derivative put in.
    `numbers` are those of the product, as far as there are not too many, and the result.

    `hands_on` says that the upstream gradient goes on as it is.

    The first time that a kind of gate with tensors occurs, `derived` takes the local derivative from the
    gate's entries, and `summed` what flows back from that. `entries` has it in index form, `together` with the
    upstream formula put in, where most of it falls away, `total` the sum where several gates send back.
    """

    argument: Node
    value: Array
    left: Printed
    symbols: tuple[Printed, ...]
    numbers: tuple[Printed, ...]
    chain: tuple[Printed, ...] = ()
    local: Equation | None = None
    jacobian: Equation | None = None
    derived: tuple[Equation, ...] = ()
    summed: Equation | None = None
    entries: Equation | None = None
    together: Equation | None = None
    total: Equation | None = None
    hands_on: bool = False

    @property
    def rows(self) -> Iterator[Equality]:
        """Every line apart, as a block that keeps all steps shows them."""
        for e in (*self.derived, *((self.summed,) if self.summed else ())):
            yield Equality("by entries", e.shown)
        if self.local is not None:
            yield Equality("local", self.local)
        if self.jacobian is not None:
            yield Equality("Jacobian", self.jacobian)
        steps = self.chain if self.local is not None else (*self.chain, *self.symbols)
        yield Equality("downstream", Equation(self.left, steps or self.symbols, self.numbers))
        rest = (("in entries", self.entries), ("together", self.together), ("sum", self.total))
        yield from (Equality(label, e) for label, e in rest if e is not None)


@dataclass(frozen=True, eq=False)
class Step:
    """The backward step of one gate; `shapes` is empty where all is scalar.

    `arrived` is the upstream gradient, `entry` what one entry of a gate that mixes entries is, `why` the
    reason of its rule, `notes` what else is to be said here.
    """

    quantity: Quantity
    definition: Printed
    shapes: str
    arrived: Equation
    branches: tuple[Branch, ...]
    why: str
    entry: Equation | None = None
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[Equality, ...]:
        """Every line apart, as a block that keeps all steps shows them."""
        first = [Equality("upstream", self.arrived)]
        if self.entry is not None:
            first.append(Equality("entry", self.entry))
        return (*first, *(row for branch in self.branches for row in branch.rows))


@dataclass(frozen=True, eq=False)
class Gradient:
    """One gradient asked for.

    `closed` is its closed form (None: too long to be read), `entry` the same in index form, `where`
    the gates that they use by name, `here` what the closed form becomes with sums that are 1 at these
    inputs, such as those of probabilities. `used` is False where the function does not depend on the input,
    `scalar` holds sympy's expression where there is one, `indexed` that of the entry, and `formula` the
    graph that the closed form writes down, in which `parts` have a name.
    """

    name: str
    value: Array
    left: Printed
    closed: Printed | None
    numbers: Printed
    entry: Equation | None = None
    where: tuple[Equation, ...] = ()
    here: tuple[Equation, ...] = ()
    used: bool = True
    scalar: ClosedForm | None = None
    indexed: IndexForm | None = None
    formula: GradientFormula | None = None
    parts: Mapping[Node, str] = field(default_factory=dict)


class Sentence(str):
    """What is said of a sign; `at_once` where the function itself has it, before any derivation."""

    at_once: bool

    def __new__(cls, text: str, at_once: bool = False) -> Sentence:
        """That text."""
        sentence = super().__new__(cls, text)
        sentence.at_once = at_once
        return sentence


@dataclass(frozen=True, eq=False)
class Derivation:
    """Everything that a report derives for one question.

    `formula` holds the let-lines that the result uses, then the result, `legend` what its signs mean,
    `full_legend` the same where every line of a step is shown.
    Of a large function `backward` holds the gates with tensors only; all others share the derivations
    in `kinds`, and `flows` has their numbers.
    """

    function: Printed  # the function's name, f
    formula: tuple[Equation, ...]
    forward: tuple[ForwardRow, ...]
    backward: tuple[Step, ...]
    gradients: tuple[Gradient, ...]
    kinds: tuple[GateFamily, ...]
    flows: tuple[Flow, ...]
    legend: tuple[Sentence, ...] = ()
    full_legend: tuple[Sentence, ...] = ()
