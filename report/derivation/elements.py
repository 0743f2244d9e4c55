"""What a derivation is made of. Every formula is LaTeX; every number comes out of the trace."""

from __future__ import annotations

from dataclasses import dataclass

from report.autodiff.graph import Array
from report.autodiff.trace import Quantity
from report.derivation.gate_families import Flow, GateFamily
from report.derivation.gradient_formulas import GradientFormula
from report.derivation.index_form.walk import IndexForm
from report.derivation.symbolic.closed_form import ClosedForm


@dataclass(frozen=True)
class Equation:
    """`left` = each of `symbols` in turn = each of `numbers`, which stand under the symbols."""

    left: str
    symbols: tuple[str, ...]
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Equality:
    """One line of a backward block: what it is (upstream, local, ...) and the equation."""

    label: str
    equation: Equation


@dataclass(frozen=True, eq=False)
class ForwardRow:
    """A gate in the forward table: in symbols, and with numbers put in unless they are too many."""

    quantity: Quantity
    name: str
    symbols: str
    numbers: str | None


@dataclass(frozen=True, eq=False)
class Step:
    """The backward block of one gate; `shapes` is empty where all is scalar."""

    quantity: Quantity
    definition: str
    shapes: str
    rows: tuple[Equality, ...]
    why: str


@dataclass(frozen=True, eq=False)
class Gradient:
    """One gradient asked for.

    `closed` is its closed form (None: too long to be read), `entry` the same in index form, `where`
    the gates that they use by name, `here` what the closed form becomes with sums that are 1 at these
    inputs, such as those of probabilities. `used` is False where the function does not depend on the input,
    `scalar` holds sympy's expression where there is one, `indexed` that of the entry, and `formula` the
    graph that the closed form writes down.
    """

    name: str
    value: Array
    left: str
    closed: str | None
    numbers: str
    entry: Equation | None = None
    where: tuple[Equation, ...] = ()
    here: tuple[Equation, ...] = ()
    used: bool = True
    scalar: ClosedForm | None = None
    indexed: IndexForm | None = None
    formula: GradientFormula | None = None


@dataclass(frozen=True, eq=False)
class Derivation:
    """Everything that a report derives for one question.

    `formula` holds the let-lines that the result uses, then the result, `legend` what its signs mean.
    Of a large function `backward` holds the gates with tensors only; all others share the derivations
    in `kinds`, and `flows` has their numbers.
    """

    function: str  # the function's name, f
    formula: tuple[Equation, ...]
    forward: tuple[ForwardRow, ...]
    backward: tuple[Step, ...]
    gradients: tuple[Gradient, ...]
    kinds: tuple[GateFamily, ...]
    flows: tuple[Flow, ...]
    legend: tuple[str, ...] = ()
