"""The backward step of one gate: upstream, local derivative, downstream, and sums where paths meet."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import replace

import numpy as np

from report.autodiff.form import Form
from report.autodiff.graph import Node
from report.autodiff.rounding_error import is_on_kink
from report.autodiff.simplify import is_filled
from report.autodiff.trace import Quantity, Trace
from report.derivation.backward_edge import MAX_PUT_IN, Link
from report.derivation.elements import Branch, Equation, Part, Step
from report.derivation.from_entries import from_entries
from report.derivation.gate_families import why
from report.derivation.gradient_formulas import Backpass
from report.derivation.index_form import NoIndexForm
from report.derivation.latex import Printed
from report.derivation.latex.options import over
from report.derivation.latex.printed import Sign, bracketed, joined, known, put
from report.derivation.latex.symbols import GRADIENT, dimensions, partial, tensor
from report.derivation.quantity_names import Notation, entries_picked, factor, gradient_numbers
from report.derivation.symbolic.size import written_size

MAX_TOGETHER = 24  # gates of a formula that shows how much falls away when it is taken together
MIN_SAVED = 5  # gates that must fall away
MAX_AGAIN = 16  # entries of a tensor that is shown again: where it arrives, in a sum
_NO_TEXTBOOK = frozenset({Sign.SCATTER, Sign.OF_CODE})


def step(notation: Notation, q: Quantity, backpass: Backpass, told: set[Hashable]) -> Step:
    """The step of one gate; `told` are the kinds of tensor gates that were taken from their entries."""
    node = q.node
    picked = entries_picked(notation.trace).get(node)
    branches = []
    notes = [_at_kink(notation.trace, q)]
    for place, arg in enumerate(node.args):
        part = _part(notation.trace, q, place)
        if part is None or arg not in notation.trace.needed:
            continue
        if picked:
            branches.append(_to_entry(notation, q, picked))
            continue
        link = Link(notation, q, place)
        branch = _branch(link, part, told)
        total = _meeting(notation, arg) if _is_complete(notation.trace, q, place) else None
        branches.append(replace(branch, together=_together(link, backpass), total=total))
        if node.gate.elementwise and arg.shape != node.shape:
            notes.append(
                f"${notation.name[arg]}$ is broadcast to {_size(node)}, so its gradient is "
                "summed over the copies."
            )
    return Step(
        quantity=q,
        definition=put(notation.name[node], " = ", notation.equation(node, notation.named)),
        shapes="" if picked else _shapes(notation, node),
        arrived=_arrived(notation, q),
        branches=tuple(branches),
        why=why(node, notation.taken),
        entry=None if picked else _entry(notation, node),
        notes=tuple(n for n in notes if n),
    )


def _at_kink(trace: Trace, q: Quantity) -> str:
    if not is_on_kink(trace, q.node):
        return ""
    return f"An input sits on the kink of this gate; the convention is: {q.node.gate.convention}."


def _arrived(notation: Notation, q: Quantity) -> Equation:
    """The upstream gradient: its numbers, or the gate above where many numbers stand."""
    node, left = q.node, notation.gradient(q.node)
    if node is notation.trace.graph.result:
        whole = partial(notation.f, notation.f)
        return Equation(left, () if whole == left else (whole,), (gradient_numbers(q.gradient),))
    if not q.contributions or math.prod(node.shape) <= MAX_AGAIN:
        return Equation(left, (), (gradient_numbers(q.gradient),))
    trace = notation.trace
    last = next(g for g in trace.gates if g.name == q.contributions[-1].gate)
    where = put(rf"\text{{the numbers found at gate }} {last.number}")
    return Equation(left, (where,))


def _shapes(notation: Notation, node: Node) -> str:
    shown = [*(a for a in dict.fromkeys(node.args) if a in notation.name), node]
    if not any(n.shape for n in shown):
        return ""
    return r",\quad ".join(rf"{notation.name[n]}\colon {dimensions(n.shape)}" for n in shown)


def _size(node: Node) -> str:
    """The shape of a tensor in a sentence."""
    shown = f"${dimensions(node.shape)}$"
    return f"{shown} entries" if len(node.shape) == 1 else shown


def _part(trace: Trace, q: Quantity, place: int) -> np.ndarray | None:
    """What a gate sends back to one argument; None where there is nothing."""
    arg = q.node.args[place]
    if arg not in trace.quantities:
        return None
    arrived = trace.quantities[arg].contributions
    return next((c.value for c in arrived if c.gate == q.name and c.argument == place), None)


# ---------------------------------------------------------------- to one argument


def _to_entry(notation: Notation, q: Quantity, entry: Printed) -> Branch:
    """To the entry that a gate picks: a number, as from gate to gate."""
    gradient, local = gradient_numbers(q.gradient), partial(notation.name[q.node], entry)
    chain = put(notation.gradient(q.node), r" \cdot ", local)
    return Branch(
        q.node.args[0],
        np.asarray(q.gradient)[()],
        partial(notation.f, entry),
        (notation.gradient(q.node),),
        (put(factor(gradient), r" \cdot 1"), gradient),
        (chain,),
        Equation(local, (put("1"),)),
        hands_on=True,
    )


def _branch(link: Link, part: np.ndarray, told: set[Hashable]) -> Branch:
    left = _contribution(link.notation, link.arg, link.q.name, link.place)
    if link.node.gate.elementwise or not link.node.shape:
        found = _product(link, left, part)
    else:
        found = _by_rule(link, left, part)
    derived, summed = _derived(link, told)
    if link.is_last:
        return _of_last(replace(found, derived=derived))
    if summed is not None:
        summed = replace(summed, left=_part_of(link, summed.left))
    return replace(found, derived=derived, summed=summed)


def _of_last(branch: Branch) -> Branch:
    """Of the gate whose value is the function the local derivative is the gradient: it is told once."""
    match branch.derived, branch.entries:
        case (told,), Equation(left=left) as entry if told.left == left:
            forms = dict.fromkeys((*told.symbols, *entry.symbols))
            return replace(branch, derived=(replace(told, symbols=tuple(forms)),), entries=None)
    return branch


def _product(link: Link, left: Printed, part: np.ndarray) -> Branch:
    """Upstream × local, for elementwise gates and for gates with a scalar result."""
    node, arg, slope = link.node, link.arg, link.slope
    stretched = node.gate.elementwise and arg.shape != node.shape
    handed_on = bool(node.shape) and link.hands_on
    dot = r" \odot " if node.shape and np.shape(slope) else r" \cdot "
    symbols = link.put_in(dot)
    upstream = tensor(link.q.gradient, GRADIENT)
    numbers = put(factor(upstream), dot, factor(known(link.slope_written)))
    if stretched and handed_on:
        numbers = upstream if slope > 0 else put("-", upstream)
    put_in = []
    size = max(math.prod(node.shape), np.size(slope))
    is_few = size <= (MAX_AGAIN if stretched else MAX_PUT_IN)
    if stretched:
        symbols = _summed(symbols, node, arg)
        if is_few:
            put_in.append(_summed(numbers, node, arg))
    elif is_few and arg.shape and node is link.notation.trace.graph.result:
        # upstream is 1: the local derivative is all
        told = link.local_in_numbers()
        put_in += [told] if told and told.uncoloured != gradient_numbers(part).uncoloured else []
    elif is_few and not handed_on:
        put_in.append(numbers)
    put_in.append(gradient_numbers(part))
    if node.shape:  # the derivative of a vector by a vector is a matrix, and stands in entries
        chain, local = put(), link.local_entry()
    else:
        chain = put(link.notation.gradient(node), dot, link.local_name)
        local = Equation(link.local_name, *link.local())
    entries = _in_entries(link) if stretched or not link.hands_on else None
    if (
        stretched and not arg.shape and entries is not None
    ):  # a sum over all entries says it in entries
        symbols, entries = entries.symbols[0], None
    as_it_is = not stretched and symbols == link.notation.gradient(node)
    return Branch(
        arg,
        part,
        left,
        (symbols,),
        tuple(put_in),
        (chain,) if chain else (),
        local,
        entries=entries,
        hands_on=as_it_is,
    )


def _by_rule(link: Link, left: Printed, part: np.ndarray) -> Branch:
    """The rule itself, for gates that mix entries: matrix form, numbers, and index form."""
    symbols, put_in = link.matrix_form()
    picked = link.q.gradient if link.node.gate.form in (Form.JOINED, Form.STACKED) else ()
    entries = _in_entries(link)
    whole_forms = [(symbols,), tuple(put_in)]
    if entries is not None and _NO_TEXTBOOK & symbols.signs:
        whole_forms = [(), ()]
    numbers = (*whole_forms[1], gradient_numbers(part, picked))
    found = Branch(link.arg, part, left, whole_forms[0], numbers, entries=entries)
    jacobian = link.jacobian()
    if jacobian is None:
        return found
    whole = Equation(link.local_name, jacobian[:1], jacobian[1:])
    return replace(found, chain=link.by_jacobian(), jacobian=whole)


def _derived(link: Link, told: set[Hashable]) -> tuple[tuple[Equation, ...], Equation | None]:
    """The local derivative taken from the gate's entries, the first time that a kind of gate occurs."""
    node = link.node
    if not any(n.shape for n in (node, link.arg)):
        return (), None
    kind: tuple[Hashable, ...] = (len(node.shape), *(len(a.shape) for a in node.args))
    if not node.gate.elementwise:
        kind = (node.gate.name, link.place, *kind)
    elif link.arg.shape == node.shape:
        return (), None
    if kind in told:
        return (), None
    told.add(kind)
    return from_entries(link)


def _in_entries(link: Link) -> Equation | None:
    """The same in index form."""
    entry = link.index_form()
    if entry is None or (math.prod(link.arg.shape) == 1 and not entry.is_sum):
        return None
    left = _part_of(link, link.notation.entry_gradient(link.arg, entry))
    return Equation(left, (entry.latex,))


def _together(link: Link, backpass: Backpass) -> Equation | None:
    """The rule with the upstream gradient's formula put in, where most of it falls away.

    So one sees how softmax with cross-entropy becomes p − y.
    """
    notation, arg = link.notation, link.arg
    whole, names = backpass.whole.get(arg), notation.name
    if whole is None or not arg.shape or len(notation.trace.quantities[arg].contributions) > 1:
        return None
    upstream = backpass.whole[link.node]
    if is_filled(whole, 0) or written_size(upstream, names) > MAX_TOGETHER:
        return None
    before = link.put_together(upstream)
    size = written_size(before, names)
    if not written_size(whole, names) + MIN_SAVED <= size <= MAX_TOGETHER:
        return None
    formulas = (notation.latex(n, notation.named) for n in (before, whole))
    return Equation(notation.gradient(arg), tuple(formulas))


def _entry(notation: Notation, node: Node) -> Equation | None:
    """What one entry of a gate that mixes entries is."""
    if node.gate.elementwise or not any(a.shape for a in node.args):
        return None
    names = {n: notation.entry[n] for n in node.args if n in notation.entry}
    try:
        entry = notation.index_form(node, names, notation.named)
    except NoIndexForm:
        return None
    return Equation(entry.named(notation.entry[node]), (entry.latex,))


def _summed(symbols: Printed, node: Node, arg: Node) -> Printed:
    """The sum over the axes along which an argument was stretched."""
    extra = len(node.shape) - len(arg.shape)
    axes = [i for i, n in enumerate(node.shape) if i < extra or arg.shape[i - extra] != n]
    below = over(axes, len(node.shape)) if arg.shape else r"\text{all entries}"
    return put(rf"\sum_{{{below}}} ", bracketed(symbols))


# ---------------------------------------------------------------- where paths meet


def _contribution(notation: Notation, arg: Node, gate: str, place: int) -> Printed:
    """dF/darg, or the part of it that comes through one gate, where several feed it back."""
    return _through(notation, notation.gradient(arg), arg, gate, place)


def _part_of(link: Link, gradient: Printed) -> Printed:
    return _through(link.notation, gradient, link.arg, link.q.name, link.place)


def _through(notation: Notation, gradient: Printed, arg: Node, gate: str, place: int) -> Printed:
    """A gradient by an argument or its entry, with the mark of the gate where it is a part of the whole."""
    arrived = notation.trace.quantities[arg].contributions
    if len(arrived) == 1:
        return gradient
    is_twice = sum(c.gate == gate for c in arrived) > 1
    return Part(gradient, notation.by_name[gate], place + 1 if is_twice else None)


def _is_complete(trace: Trace, q: Quantity, place: int) -> bool:
    """Whether the last of several contributions to an argument arrives here."""
    arrived = trace.quantities[q.node.args[place]].contributions
    last = arrived[-1]
    several = len(arrived) > 1 and all(c.value is not None for c in arrived)
    return several and (last.gate, last.argument) == (q.name, place)


def _meeting(notation: Notation, arg: Node) -> Equation:
    """The sum of what several gates send back to one value."""
    quantity = notation.trace.quantities[arg]
    arrived = quantity.contributions
    parts = joined(" + ", [_contribution(notation, arg, c.gate, c.argument) for c in arrived])
    put_in = []
    if math.prod(arg.shape) * len(arrived) <= MAX_PUT_IN:
        put_in.append(joined(" + ", [factor(tensor(c.value, GRADIENT)) for c in arrived]))
    put_in.append(gradient_numbers(quantity.gradient))
    return Equation(notation.gradient(arg), (parts,), tuple(put_in))
