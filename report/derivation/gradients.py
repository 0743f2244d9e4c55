"""The gradients asked for: closed form, index form and numbers.

A scalar function's closed form is sympy's. With tensors it is the backward graph itself, printed over
the inputs and the steps that the user named. Where that is long, the gradients of these steps stand
in it by name too, as in a textbook: with ∂f/∂Z at hand, ∂f/∂W is Xᵀ ∂f/∂Z.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from report.autodiff.gates import ATOM
from report.autodiff.gates.table import apply
from report.autodiff.graph import Node, constant, evaluate, topological
from report.autodiff.trace import Quantity
from report.derivation.elements import Equation, Gradient
from report.derivation.gradient_formulas import Backpass, GradientFormula
from report.derivation.index_form import IndexForm, NoIndexForm, index_form
from report.derivation.latex import latex
from report.derivation.latex.symbols import partial
from report.derivation.quantity_names import Notation, Written, gradient_numbers
from report.derivation.symbolic.closed_form import ClosedForm, Definition, closed_form, named
from report.derivation.symbolic.size import written_size

MAX_CLOSED = 40  # gates of a closed form in inputs
MAX_IN_STEPS = 24  # gates of one in inputs and steps; a longer one has gradients by name
MAX_STEPS = 60  # let-lines among whose gradients the short ones are looked for
MAX_READ = 160  # gates of a formula that can be read at all


def gradients(notation: Notation, backpass: Backpass) -> tuple[Gradient, ...]:
    """The gradients of all inputs that were asked for."""
    trace = notation.trace
    wanted = [q for q in trace.inputs if q.name in trace.wrt]
    scalar = {q.name: closed_form(trace.graph, q.name) for q in wanted if q.node in backpass.whole}
    forms = {name: form for name, form in scalar.items() if form is not None}
    taken = frozenset(q.name for q in trace.quantities.values())
    written = dict(zip(forms, named(tuple(forms.values()), taken), strict=True))
    return tuple(
        _scalar(notation, q, backpass, forms[q.name], *written[q.name])
        if q.name in forms
        else _tensor(notation, q, backpass)
        for q in wanted
    )


def _scalar(
    notation: Notation,
    q: Quantity,
    backpass: Backpass,
    form: ClosedForm,
    closed: str,
    parts: Iterable[Definition],
) -> Gradient:
    """That of an input of a scalar function, as sympy has it."""
    assert q.gradient is not None  # what is asked for is always a number
    whole = backpass.whole[q.node]
    return Gradient(
        q.name,
        q.gradient,
        notation.gradient(q.node),
        closed,
        gradient_numbers(q.gradient),
        where=(*(Equation(name, (part,)) for name, part in parts), *_ties(notation, whole)),
        scalar=form,
        formula=GradientFormula(whole, {}),
    )


def _tensor(notation: Notation, q: Quantity, backpass: Backpass) -> Gradient:
    """That of an input of any other function, as the backward graph has it."""
    node, left = q.node, notation.gradient(q.node)
    assert q.gradient is not None
    numbers = gradient_numbers(q.gradient)
    whole = backpass.whole.get(node)
    if whole is None:
        zero = "𝟎" if node.shape else "0"
        return Gradient(q.name, q.gradient, left, zero, numbers, used=False)
    ties = _ties(notation, whole)
    form = _form(notation, node, backpass)
    entry, used = form.entry()
    line = None
    if entry is not None and (
        math.prod(node.shape) > 1 or r"\sum" in entry.latex
    ):  # else it says the same again
        line = Equation(notation.entry_gradient(node, entry), (entry.latex,))
    closed = form.formula
    return Gradient(
        q.name,
        q.gradient,
        left,
        closed,
        numbers,
        entry=line,
        where=(*form.where(used if line else ()), *ties),
        here=form.here(left) if closed is not None else (),
        indexed=entry,
        formula=GradientFormula(form.graph, form.slopes),
    )


def _form(notation: Notation, node: Node, backpass: Backpass) -> _Form:
    """In inputs and steps; where that is long, with the gradients of steps by name; else with every gate."""
    whole, steps = backpass.whole[node], backpass.steps
    every = {n: n for n in notation.name}
    if len(steps) > MAX_STEPS:
        return _Form(notation, whole, every, {})
    names = {n: n for n in (*backpass.inputs, *steps)}
    if written_size(whole, names) <= (MAX_IN_STEPS if steps else MAX_CLOSED):
        return _Form(notation, whole, names, {})
    gradients, owners = backpass.by_steps
    slopes = {name: gradients[step] for name, step in owners.items()}
    named = names | owners
    longest = max(
        written_size(g, {n: o for n, o in named.items() if n is not g})
        for g in (*slopes.values(), gradients[node])
    )
    if slopes and longest <= MAX_READ:
        return _Form(notation, gradients[node], named, slopes)
    return _Form(notation, whole, every, {})


@dataclass(frozen=True, eq=False)
class _Form:
    """How a gradient is written.

    `named` holds what stands in it by name -> the input or gate whose name it is, or that of whose
    gradient; `slopes` are the gradients that stand by name.
    """

    notation: Notation
    graph: Node
    named: Mapping[Node, Node]
    slopes: Mapping[Node, Node]

    @cached_property
    def formula(self) -> str | None:
        """The matrix form; None where it is too long to be read."""
        if written_size(self.graph, self.named) > MAX_READ:
            return None
        return self.written(self.graph)

    def written(self, graph: Node) -> str:
        """A node of the backward graph over what stands by name."""
        stands_for_another = graph in self.named and self.named[graph] is not graph
        return latex(
            graph, lambda n: None if n is graph and not stands_for_another else self.leaf(n)
        )

    def leaf(self, node: Node) -> Written | None:
        if node not in self.named:
            return None
        owner = self.named[node]
        notation = self.notation
        return (notation.name[node] if owner is node else notation.gradient(owner)), ATOM

    def entry(self) -> tuple[IndexForm | None, set[Node]]:
        """One entry, for which gates that mix entries have a name too, and what it uses by name."""
        notation = self.notation
        mixing = [q.node for q in notation.trace.gates if not _keeps_entries(q.node)]
        owners = {**{n: n for n in mixing}, **self.named}
        names = {
            n: notation.entry[n] if o is n else partial(notation.f, notation.entry[o])
            for n, o in owners.items()
        }
        below = set(topological(self.graph, leaves=names))
        used = {n: text for n, text in names.items() if n in below}
        named: set[Node] = set()

        def leaf(n: Node) -> Written | None:
            written = self.leaf(n)
            if written is None and (written := notation.named(n)) is not None:
                named.add(n)
            return written

        try:
            entry = index_form(self.graph, used, lambda n: latex(n, leaf), notation.letters)
            return entry, {*used, *named}
        except NoIndexForm:
            return None, set()

    def where(self, used: Iterable[Node]) -> tuple[Equation, ...]:
        """What the names stand for: gradients, the last one first, then gates in their order."""
        notation = self.notation
        number = {n: q.number for n, q in notation.trace.quantities.items()}
        wanted = set(used)
        if self.formula is not None:
            wanted |= self.below(self.graph)
        slopes: list[Node] = []
        while more := wanted & self.slopes.keys() - set(slopes):
            slopes.append(max(more, key=lambda n: -number[self.named[n]]))
            wanted |= self.below(self.slopes[slopes[-1]])
        gates = sorted(
            (n for n in wanted - self.slopes.keys() if not n.is_input), key=lambda n: number[n]
        )
        return (
            *(
                Equation(notation.gradient(self.named[n]), (self.written(self.slopes[n]),))
                for n in slopes
            ),
            *(Equation(notation.name[n], (notation.definition(n, gates),)) for n in gates),
        )

    def here(self, left: str) -> tuple[Equation, ...]:
        """Sums of inputs that are 1 at this point, and the formula with 1 in their place.

        So softmax with cross-entropy becomes s − y: the probabilities y add up to 1.
        """
        values = {q.node: q.value for q in self.notation.trace.inputs}
        made: dict[Node, Node] = {n: n for n in self.named}
        ones = []
        for n in topological(self.graph, leaves=self.named):
            if n in made or n.is_input or n.is_constant:
                continue
            if _is_sum(n, values) and np.all(evaluate([n], values)[n] == 1):
                made[n] = constant(np.ones(n.shape))
                ones.append(Equation(latex(n, self.notation.named), ("𝟏" if n.shape else "1",)))
                continue
            args = tuple(made.get(a, a) for a in n.args)
            if args != n.args:
                made[n] = apply(n.gate, args, dict(n.params))
        if not ones or self.graph not in made:
            return ()
        return (*ones, Equation(left, (self.written(made[self.graph]),)))

    def below(self, graph: Node) -> set[Node]:
        """What stands by name in the formula of a node."""
        names = self.named.keys() - {graph}
        return {n for n in topological(graph, leaves=names) if n in names}


def _ties(notation: Notation, graph: Node) -> tuple[Equation, ...]:
    """What brackets such as 𝟙[x = max(x)] of this gradient stand for where several numbers are equal."""
    values = {q.node: q.value for q in notation.trace.inputs}
    found = []
    for n in topological(graph):
        if n.gate.name not in ("is_largest", "is_smallest", "larger"):
            continue
        shares = np.asarray(evaluate([n], values)[n])
        parts = shares[(shares > 0) & (shares < 1)]
        if parts.size:
            equal = round(1 / parts.min())
            where = (
                "where both are equal"
                if n.gate.name == "larger"
                else f"for each of {equal} equal entries"
            )
            share = rf"\frac{{1}}{{{equal}}} \text{{ {where}}}"
            found.append(Equation(latex(n, notation.named), (share,)))
    return tuple(found)


def _is_sum(node: Node, inputs: Container[Node]) -> bool:
    """Whether it is the sum of an input, which the gradient of a step by its name is not."""
    return node.gate.name in ("sum", "sum_to") and node.args[0] in inputs


def _keeps_entries(node: Node) -> bool:
    return node.gate.elementwise or node.gate.name == "transpose"
