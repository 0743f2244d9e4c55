"""The gradients asked for: closed form, index form and numbers.

A closed form is the backward graph itself, printed over the inputs, the steps that the user named and
the result: f (1 - f) x. Where that is long, the gradients of these steps stand in it by name too, as in
a textbook: with ∂f/∂Z at hand, ∂f/∂W is Xᵀ ∂f/∂Z. A part that repeats gets a name, s = σ(W x). A number is
printed as sympy orders its factors, and checked against what sympy itself derives.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from report.autodiff.by_entries import by_entries, is_entry
from report.autodiff.graph import Node, evaluate, topological
from report.autodiff.simplify import same, share
from report.autodiff.trace import Quantity
from report.derivation.elements import Equation, Gradient
from report.derivation.gradient_form import (
    MAX_READ,
    MIN_PART,
    MIN_SAVED,
    MOVED,
    GradientForm,
)
from report.derivation.gradient_formulas import Backpass, GradientFormula
from report.derivation.latex import Printed
from report.derivation.latex.indexing import rows_of_numbers
from report.derivation.latex.printed import Sign, fraction, put
from report.derivation.quantity_names import Notation, gradient_numbers
from report.derivation.symbolic.closed_form import (
    closed_form,
)
from report.derivation.symbolic.size import signs, written_size, written_sizes

MAX_CLOSED = 80  # gates of a closed form in inputs, with what repeats written out
MAX_IN_STEPS = 24  # gates of one in inputs and steps; a longer one has gradients by name
MAX_STEPS = 60  # let-lines among whose gradients the short ones are looked for
MAX_SIGNS = 60  # on paper, of a form of whole tensors that is always printed
MUCH_LONGER = 1.5  # than by entries, for a form of whole tensors to be left out
_LETTERS = "stuvzabcdeghjklmnoprwy"  # of parts; q is for gates


def gradients(notation: Notation, backpass: Backpass) -> tuple[Gradient, ...]:
    """The gradients of all inputs that were asked for, in this order."""
    trace = notation.trace
    wanted = [trace.quantities[trace.graph.inputs[name]] for name in trace.wrt]
    forms = {q: _form(notation, q.node, backpass) for q in wanted if q.node in backpass.simple}
    told = {name for form in forms.values() for name in form.told()}
    if told:
        forms = {q: _shorter(form, q.node, backpass, told) for q, form in forms.items()}
    shares = {q: form.shares() for q, form in forms.items()}
    names = _share_names(notation, [part for found in shares.values() for part in found])
    parts = {q: form.parts_of([n for n in shares[q] if n in names]) for q, form in forms.items()}
    rest = (part for found in parts.values() for part in found if part not in names)
    names |= part_names(notation, rest, {name[0] for name in names.values()})
    forms = {
        q: replace(form, parts=_named_alike(form, parts[q], names)) for q, form in forms.items()
    }
    return tuple(_gradient(notation, q, forms.get(q)) for q in wanted)


def _named_alike(
    form: GradientForm, own: Iterable[Node], names: Mapping[Node, str]
) -> dict[Node, str]:
    """Names for a form's own parts, and for what is the same as a part of another form."""
    parts = {part: names[part] for part in own}
    sizes = written_sizes(form.graph)
    named = [(part, written_size(part)) for part in names]
    for n in topological(form.graph, leaves={*form.named, *parts}):
        alike = next((part for part, size in named if size == sizes[n] and same(part, n)), None)
        if alike is not None and n not in form.named:
            parts[n] = names[alike]
    return parts


def _gradient(notation: Notation, q: Quantity, form: GradientForm | None) -> Gradient:
    """That of an input, in matrix form and by entries; a number by sympy's order of factors."""
    node, left = q.node, notation.gradient(q.node)
    assert q.gradient is not None  # what is asked for is always a number
    numbers = gradient_numbers(q.gradient)
    if form is None:
        zero = put("𝟎" if node.shape else "0")
        return Gradient(q.name, q.gradient, left, zero, numbers, used=False)
    ties = _ties(notation, form.whole, form.owner)
    entry, used = form.entry()
    column = by_entries(form.graph)
    is_told = entry is not None and entry.is_sum and Sign.DELTA not in entry.latex.signs
    if column is not form.graph and not is_told:
        form, entry = replace(form, graph=column), None  # else one sum tells all entries
    closed, line = form.formula, None
    scalar = closed_form(notation.trace.graph, q.name)
    if entry is not None and not node.shape and form.is_scalar:
        closed = (form.slopes and entry.latex) or form.number(scalar)
        used = form.below(form.graph)
    elif entry is not None and (
        math.prod(node.shape) > 1 or entry.is_sum
    ):  # else it says the same again
        line = Equation(notation.entry_gradient(node, entry), (entry.latex,))
    return Gradient(
        q.name,
        q.gradient,
        left,
        None if line and closed and _says_less(closed, line) else closed,
        numbers,
        entry=line,
        where=(*form.where(used if line else ()), *ties),
        here=form.here(left) if closed is not None else (),
        scalar=scalar,
        indexed=entry,
        formula=GradientFormula(form.graph, form.slopes),
        parts=form.parts,
    )


def _is_told_at_length(form: GradientForm) -> bool:
    """Whether entries alone tell a gradient, in a formula longer than one reads."""
    if form.formula is not None and not MOVED & form.formula.signs:
        return False
    entry, _ = form.entry()
    return entry is not None and signs(entry.latex) > MAX_SIGNS


def _shorter(
    form: GradientForm, node: Node, backpass: Backpass, told: Container[Node]
) -> GradientForm:
    """A form with the gradients that others have told by name, where it is shorter with them."""
    if form.slopes:
        return form
    gradients, owners = backpass.by_steps
    slopes = {name: gradients[step] for name, step in owners.items()}
    named = form.named | _as_gates(backpass, owners)
    other = replace(form, graph=gradients[node], named=named, slopes=slopes)
    if other.graph in slopes or not all(name in told for name in other.told()):
        return form
    saved = written_size(form.graph, form.named) - written_size(other.graph, other.named)
    return other if saved >= MIN_SAVED else form


def _as_gates(backpass: Backpass, owners: Mapping[Node, Node]) -> dict[Node, Node]:
    """The gates of the trace whose gradients names are, in the order of the forward pass."""
    return {name: backpass.owner[step] for name, step in reversed([*owners.items()])}


def _form(notation: Notation, node: Node, backpass: Backpass) -> GradientForm:
    """In inputs and steps; where that is long, with the gradients of steps by name; else with every gate."""
    whole, steps = backpass.simple[node], backpass.steps
    owner = backpass.owner
    gates = (n for n in owner if n.name or not is_entry(n))  # x_1 is a name already
    every = {n: owner[n] for n in gates if owner[n] in notation.name}
    result = backpass.graph.result
    if len(steps) > MAX_STEPS:
        return GradientForm(notation, whole, every, {}, owner, result, whole)
    shown = [*steps, result] if written_size(result) >= MIN_PART else steps
    names = {n: n for n in backpass.inputs} | {n: owner[n] for n in shown if n in owner}
    lines = [n for row in rows_of_numbers(by_entries(whole)) for n in row] if steps else []
    size = max(written_size(n, names) for n in lines or [whole])
    if size <= (MAX_IN_STEPS if steps else MAX_CLOSED):
        form = GradientForm(notation, whole, names, {}, owner, result, whole)
        if not steps or not _is_told_at_length(form):
            return form
    gradients, owners = backpass.by_steps
    slopes = {name: gradients[step] for name, step in owners.items()}
    named = names | _as_gates(backpass, owners)
    longest = max(written_size(g, named) for g in (*slopes.values(), gradients[node]))
    if slopes and longest <= MAX_READ:
        return GradientForm(notation, gradients[node], named, slopes, owner, result, whole)
    return GradientForm(notation, whole, every, {}, owner, result, whole)


def _share_names(notation: Notation, found: Sequence[Node]) -> dict[Node, str]:
    """Names p1, p2, ... of exp(z_i) / Σ_k exp(z_k), where numbers of one softmax stand in the formulas."""
    if len({share(n) for n in found}) < 2 or not all(
        same(n.args[1], found[0].args[1]) for n in found
    ):
        return {}
    taken = {q.name for q in notation.trace.quantities.values()} | {notation.trace.letter}
    letter = next((c for c in "p" + _LETTERS if not any(t.startswith(c) for t in taken)), "part_")
    return {n: f"{letter}{(share(n) or 0) + 1}" for n in found}


def part_names(
    notation: Notation, parts: Iterable[Node], used: Collection[str] = ()
) -> dict[Node, str]:
    """Names for what repeats in the formulas of a question, s, or s1, s2, ...; the same for the same."""
    places: dict[Node, int] = {}
    for part in parts:
        alike = next((n for n in places if same(n, part)), None)
        places[part] = len(set(places.values())) if alike is None else places[alike]
    taken = {q.name for q in notation.trace.quantities.values()} | {notation.trace.letter, *used}
    letter = next((c for c in _LETTERS if not any(n.startswith(c) for n in taken)), "part_")
    is_one = len(set(places.values())) == 1
    return {n: letter if is_one else f"{letter}{i + 1}" for n, i in places.items()}


def _says_less(whole: Printed, entry: Equation) -> bool:
    """Whether a form of whole tensors is none that a textbook has, beside that by entries."""
    count = signs(whole)
    is_longer = count > MAX_SIGNS and count > MUCH_LONGER * signs(entry.symbols[0])
    return is_longer or bool(MOVED & whole.signs)


def _ties(notation: Notation, graph: Node, owner: Mapping[Node, Node]) -> tuple[Equation, ...]:
    """What brackets such as 𝟙[x = max(x)] of this gradient stand for where several numbers are equal."""
    values = {q.node: q.value for q in notation.trace.inputs}
    found = []
    for n in topological(graph):
        if not n.gate.tie:
            continue
        shares = np.asarray(evaluate([n], values)[n])
        parts = shares[(shares > 0) & (shares < 1)]
        if parts.size:
            equal = round(1 / parts.min())
            where = n.gate.tie.format(n=equal)
            share = put(fraction("1", str(equal)), rf" \text{{ {where}}}")
            bracket = notation.latex(n, lambda m: notation.named(owner.get(m, m)))
            found.append(Equation(bracket, (share,)))
    return tuple(found)
