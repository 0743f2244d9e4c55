"""The Hessian of vectors as a matrix, Xᵀ diag(s ⊙ (1 − s)) X.

It comes from the gradient of g · v, where g is the gradient as a graph: that is H v, and what v is multiplied by
is H. Where v enters in another way, as a matrix does, H v is told for any v.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from report.autodiff.backprop import pull_back
from report.autodiff.gates import multiply, total
from report.autodiff.graph import INPUT, Array, Node, Shape, constant, topological
from report.autodiff.hessian import Curvature, products
from report.autodiff.linear_map import matrix_of
from report.autodiff.simplify import same
from report.autodiff.trace import Trace
from report.derivation import second_order
from report.derivation.elements import Derivation, Equation
from report.derivation.gradient_form import MIN_PART, GradientForm
from report.derivation.gradient_formulas import backpass_of
from report.derivation.gradients import part_names
from report.derivation.latex.printed import Printed, put
from report.derivation.latex.printer import as_row
from report.derivation.latex.symbols import symbol
from report.derivation.quantity_names import Notation
from report.derivation.symbolic.size import signs, written_size

MAX_GATES = 60  # of a function of vectors
MAX_ENTRIES = 60  # asked for, of which the whole matrix is computed to compare a formula with
MAX_SIZE = 40  # gates of a formula, with names for what repeats
MAX_SIGNS = 60  # of it on paper, and of what has a name in it: about a line
MAX_NAMES = 2  # of its own in it, of what repeats
DIRECTIONS = "vudzabcghjklmnprstwxy"


@dataclass(frozen=True, eq=False)
class SecondDerivative:
    """A second derivative: its formulas, and the numbers that each of them has.

    `where` says what stands in them by name. `direction` is the name of the v of H v, "" where it is the
    derivative itself. `known` are the numbers of names that the trace does not have, such as those of v that
    the numbers belong to.
    """

    left: Printed
    formulas: tuple[Printed, ...]
    value: Array
    where: tuple[Equation, ...] = ()
    direction: Printed | str = ""
    known: Mapping[str, Array] = field(default_factory=dict)


def taken_names(trace: Trace) -> set[str]:
    """What no direction can be called."""
    return {q.name for q in trace.quantities.values()} | {trace.letter}


def free_letter(taken: Container[str], shape: Shape) -> str:
    """A name for a direction that nothing else has: a capital for a matrix."""
    letters = DIRECTIONS.upper() if len(shape) > 1 else DIRECTIONS
    return next((c for c in letters if c not in taken), "direction")


def second_derivatives(
    trace: Trace, derivation: Derivation, found: Curvature, *, exactly: bool = False
) -> tuple[SecondDerivative, ...]:
    """Each second derivative that has a short formula, once; none of many inputs.

    That of one vector is the whole Hessian, that of several a block for each two of them. `exactly` gives those
    by vectors numbers that were computed with digits to spare.
    """
    gradients = derivation.gradients
    if not 0 < len(gradients) <= second_order.MAX_INPUTS:
        return ()
    if all(g.scalar is not None for g in gradients):
        return tuple(_of_numbers(trace, derivation, found))
    is_small = len(trace.gates) <= MAX_GATES and len(found.labels) <= MAX_ENTRIES
    return () if found.kinks or not is_small else _Blocks(trace, derivation, found, exactly).told()


def _of_numbers(
    trace: Trace, derivation: Derivation, found: Curvature
) -> Iterator[SecondDerivative]:
    """Each entry in closed form."""
    names = second_order.named(trace, derivation)
    known = {name: trace.quantities[node].value for node, name in names.items()}
    for e, value in second_order.entries(trace, derivation, found):
        yield SecondDerivative(e.left, e.symbols, np.float64(value), known=known)


class _Form(GradientForm):
    """A second derivative, in which shorter parts have a name than in a gradient."""

    min_part: ClassVar[int] = MIN_PART // 2
    min_saved: ClassVar[int] = 2


class _Blocks:
    """The blocks of a Hessian by vectors, and by numbers beside them."""

    def __init__(
        self, trace: Trace, derivation: Derivation, found: Curvature, exactly: bool
    ) -> None:
        self.trace, self.derivation, self.found, self.exactly = trace, derivation, found, exactly
        self.notation = Notation(trace)
        self.backpass = backpass_of(trace.graph)
        self.inputs = [trace.graph.inputs[name] for name in trace.wrt]
        parts = [part for g in derivation.gradients for part in g.parts.items()]
        self.parts: Sequence[tuple[Node, str]] = parts  # of the gradients
        self.taken = taken_names(trace) | {name for _, name in parts}

    def told(self) -> tuple[SecondDerivative, ...]:
        """Those with a formula that is short, in their order; a matrix has one with itself alone."""
        own = [x for x in self.inputs if len(x.shape) < 2 or len(self.inputs) == 1]
        pairs = [
            (y, x) if y.shape and not x.shape else (x, y)
            for i, x in enumerate(own)
            for y in own[i:]
        ]
        found: list[tuple[Node, Node, Node | None, _Form | None]] = []
        for row, column in pairs:
            graph, v = self.product(row, column)
            matrix = None if graph is None else matrix_of(graph, v)
            if graph is None:
                found.append((row, column, None, None))
            elif matrix is not None:
                found.append((row, column, None, self.form(matrix)))
            elif len(self.inputs) == 1:
                found.append((row, column, v, self.form(graph, v)))
        forms = [form for *_, form in found if form is not None]
        parts = [part for form in forms for part, name in form.parts.items() if not name]
        names = part_names(self.notation, parts, self.taken)
        seconds = [self.second(*block, names) for block in found] if forms else []
        return tuple(s for s in seconds if s is not None)

    def product(self, row: Node, column: Node) -> tuple[Node | None, Node]:
        """H v as a graph: the gradient by `row` of g · v, where g is that by `column`; and v."""
        v = Node(INPUT, shape=column.shape, name=free_letter(self.taken, column.shape))
        gradient = self.backpass.simple.get(column)
        if gradient is None:
            return None, v
        slope = multiply(gradient, v)
        slope = total(slope) if slope.shape else slope
        gates = [n for n in topological(slope) if not n.is_input and not n.is_constant]
        made = pull_back(gates, slope, constant(1), lambda n: n)[0] if gates else {}
        graph = made.get(row)
        is_zero = graph is None or v not in topological(graph)
        return None if is_zero else graph, v

    def form(self, graph: Node, v: Node | None = None) -> _Form:
        """A formula in inputs and let-lines; a part that has a name elsewhere has it here, others have none yet."""
        owner, result = self.backpass.owner, self.backpass.graph.result
        shown = [*self.backpass.steps, *([result] if written_size(result) >= MIN_PART else [])]
        named = {n: n for n in self.backpass.inputs} | {n: owner[n] for n in shown if n in owner}
        known = {v: str(v.name)} if v is not None else {}
        for n in topological(graph, leaves=named):
            name = next((name for part, name in self.parts if same(part, n)), "")
            if name and n not in named:
                known[n] = name
        form = _Form(self.notation, graph, named, {}, owner, result, graph, known)
        more = form.parts_of([*known])
        return replace(form, parts={n: known.get(n, "") for n in more})

    def second(
        self,
        row: Node,
        column: Node,
        v: Node | None,
        form: _Form | None,
        names: Mapping[Node, str],
    ) -> SecondDerivative | None:
        """A block with its numbers, 0 without a form; None where its formula is long."""
        left = self.left(row, column)
        if form is None:
            zero = np.zeros(row.shape + column.shape)
            return SecondDerivative(left, (put("𝟎" if zero.shape else "0"),), zero)
        form = replace(form, parts={part: name or names[part] for part, name in form.parts.items()})
        if written_size(form.graph, {**form.named, **form.parts}) > MAX_SIZE:
            return None
        formula, where = form.written(form.graph), form.where(())
        own = {symbol(name, part.shape) for part, name in form.parts.items() if part is not v}
        told = [formula, *(e.symbols[0] for e in where if e.left in own)]
        if len(told) > 1 + MAX_NAMES or sum(map(signs, told)) > MAX_SIGNS:
            return None
        if v is None:
            whole = self.numbers(np.eye(len(self.found.labels)))
            value = whole[np.ix_(self.places(row), self.places(column))]
            return SecondDerivative(
                left, (formula,), value.reshape(row.shape + column.shape), where
            )
        numbers = np.cos(1.0 + np.arange(math.prod(v.shape)))
        value = self.numbers(numbers[:, None]).reshape(row.shape)
        direction = symbol(str(v.name), v.shape)
        beside = (r"\,", direction) if len(v.shape) == 1 else (r"\left[", direction, r"\right]")
        return SecondDerivative(
            put(left, *beside),
            (formula,),
            value,
            tuple(e for e in where if e.left != direction),
            direction,
            {str(v.name): numbers.reshape(v.shape)},
        )

    def numbers(self, directions: Array) -> Array:
        """H v for each column v: of the axes, they are known where the Hessian is shown."""
        is_known = self.found.direction is None and len(directions) == directions.shape[1]
        if is_known and not self.exactly:
            return self.found.matrix
        return products(self.trace, directions, exactly=self.exactly)

    def places(self, node: Node) -> list[int]:
        """The rows of the Hessian that belong to an input."""
        return [i for i, (name, _) in enumerate(self.found.labels) if name == node.name]

    def left(self, row: Node, column: Node) -> Printed:
        """∇²f of one input; else the fraction with what it is differentiated by."""
        f, name = self.notation.f, self.notation.name
        if len(self.inputs) == 1:
            return put(r"\nabla^{2} ", f)
        second = self.notation.latex(as_row(column), self.notation.named)
        return second_order.fraction_of(f, name[row], second)
