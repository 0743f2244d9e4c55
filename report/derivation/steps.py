"""The backward block of one gate: upstream, local derivative, downstream, and sums where paths meet."""

from __future__ import annotations

import math

import numpy as np

from report.autodiff.graph import Node
from report.autodiff.kinks import on_kink
from report.autodiff.simplify import is_filled
from report.autodiff.trace import Quantity, Trace
from report.derivation.backward_edge import MAX_PUT_IN, Link
from report.derivation.elements import Equality, Equation, Step
from report.derivation.gate_families import why
from report.derivation.gradient_formulas import Backpass
from report.derivation.index_form import NoIndexForm, index_form
from report.derivation.latex import equation, latex
from report.derivation.latex.symbols import GRADIENT, dimensions, partial, tensor
from report.derivation.quantity_names import Notation, factor, gradient_numbers
from report.derivation.symbolic.size import written_size

MAX_TOGETHER = 24  # gates of a formula that shows how much falls away when it is taken together
MIN_SAVED = 5  # gates that must fall away
MAX_AGAIN = 16  # entries of a tensor that is shown again: where it arrives, in a sum, times 1


def step(notation: Notation, q: Quantity, backpass: Backpass) -> Step:
    """The block of one gate."""
    node = q.node
    definition = f"{notation.name[node]} = {equation(node, notation.named)}"
    if q.gradient is None:
        nothing = (
            "Nothing that was asked for depends on this gate, so no gradient is followed into it."
        )
        return Step(q, definition, "", (), nothing)
    rows = [Equality("upstream", _arrived(notation, q))]
    rows += _entry(notation, node)
    start = "The last gate is the function itself, so the backward pass begins with 1."
    is_last = node is notation.trace.graph.result
    sentences = [start if is_last else "", why(node), _at_kink(notation.trace, q)]
    for place, arg in enumerate(node.args):
        part = _part(notation.trace, q, place)
        if part is None:
            continue
        if arg.is_input and math.prod(arg.shape) > 1 and arg.name not in notation.trace.wrt:
            sentences.append(f"The gradient of ${notation.name[arg]}$ was not asked for.")
            continue
        link = Link(notation, q, place)
        rows += _flow(link, part)
        rows += _together(link, backpass)
        if node.gate.elementwise and arg.shape != node.shape:
            sentences.append(
                f"${notation.name[arg]}$ was stretched from shape ${dimensions(arg.shape)}$ to "
                f"${dimensions(node.shape)}$, so what comes back is summed over the copies."
            )
        if _is_complete(notation.trace, q, place):
            rows += _meeting(notation, arg)
    return Step(
        quantity=q,
        definition=definition,
        shapes=_shapes(notation, node),
        rows=tuple(rows),
        why=" ".join(s for s in sentences if s),
    )


def _at_kink(trace: Trace, q: Quantity) -> str:
    if not on_kink(trace, q.node):
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
    return Equation(left, (rf"\text{{the numbers found at gate }} {last.number}",))


def _shapes(notation: Notation, node: Node) -> str:
    shown = [*(a for a in dict.fromkeys(node.args) if a in notation.name), node]
    if not any(n.shape for n in shown):
        return ""
    return r",\quad ".join(rf"{notation.name[n]}\colon {dimensions(n.shape)}" for n in shown)


def _part(trace: Trace, q: Quantity, place: int) -> np.ndarray | None:
    """What a gate sends back to one argument; None where there is nothing."""
    arg = q.node.args[place]
    if arg not in trace.quantities:
        return None
    arrived = trace.quantities[arg].contributions
    return next((c.value for c in arrived if c.gate == q.name and c.argument == place), None)


# ---------------------------------------------------------------- to one argument


def _flow(link: Link, part: np.ndarray) -> list[Equality]:
    left = _contribution(link.notation, link.arg, link.q.name, link.place)
    if link.node.gate.elementwise or not link.node.shape:
        return _product(link, left, part)
    return _by_rule(link, left, part)


def _product(link: Link, left: str, part: np.ndarray) -> list[Equality]:
    """Upstream × local, for elementwise gates and for gates with a scalar result."""
    node, arg, slope = link.node, link.arg, link.slope
    stretched = node.gate.elementwise and arg.shape != node.shape
    handed_on = bool(node.shape) and not np.shape(slope) and abs(slope) == 1
    dot = r" \odot " if node.shape and np.shape(slope) else r" \cdot "
    symbols = f"{link.notation.gradient(node)}{dot}{link.local_name}"
    numbers = f"{factor(tensor(link.q.gradient, GRADIENT))}{dot}{factor(link.slope_written)}"
    put_in = []
    size = max(math.prod(node.shape), np.size(slope))
    is_few = size <= (
        MAX_AGAIN if stretched or node is link.notation.trace.graph.result else MAX_PUT_IN
    )
    if stretched:
        symbols = _summed(symbols, node, arg)
        if is_few:
            put_in.append(_summed(numbers, node, arg))
    elif is_few and not handed_on:
        put_in.append(numbers)
    put_in.append(gradient_numbers(part))
    rows = [
        Equality("local", Equation(link.local_name, *link.local())),
        Equality("downstream", Equation(left, (symbols,), tuple(put_in))),
    ]
    if stretched or not link.hands_on:
        rows += _in_entries(link, left)
    return rows


def _by_rule(link: Link, left: str, part: np.ndarray) -> list[Equality]:
    """The rule itself, for gates that mix entries: matrix form, numbers, and index form."""
    symbols, put_in = link.matrix_form()
    picked = link.q.gradient if link.node.gate.name in ("concatenate", "stack") else ()
    numbers = (*put_in, gradient_numbers(part, picked))
    jacobian = link.jacobian()
    if jacobian is None:
        rows = [Equality("downstream", Equation(left, (symbols,), numbers))]
    else:
        rows = [
            Equality("Jacobian", Equation(link.local_name, jacobian[:1], jacobian[1:])),
            Equality("downstream", Equation(left, (*link.by_jacobian(), symbols), numbers)),
        ]
    return rows + _in_entries(link, left)


def _in_entries(link: Link, left: str) -> list[Equality]:
    """The same in index form."""
    entry = link.index_form()
    if entry is None or (math.prod(link.arg.shape) == 1 and r"\sum" not in entry.latex):
        return []
    whole = link.notation.entry_gradient(link.arg, entry)
    through = left.partition(r"\right|")[2]
    if through:
        whole = rf"\left.{whole}\right|{through}"
    return [Equality("in entries", Equation(whole, (entry.latex,)))]


def _together(link: Link, backpass: Backpass) -> list[Equality]:
    """The rule with the upstream gradient's formula put in, where most of it falls away.

    So one sees how softmax with cross-entropy becomes p − y.
    """
    notation, arg = link.notation, link.arg
    whole, names = backpass.whole.get(arg), notation.name
    if whole is None or not arg.shape or len(notation.trace.quantities[arg].contributions) > 1:
        return []
    upstream = backpass.whole[link.node]
    if is_filled(whole, 0) or written_size(upstream, names) > MAX_TOGETHER:
        return []
    before = link.put_together(upstream)
    size = written_size(before, names)
    if not written_size(whole, names) + MIN_SAVED <= size <= MAX_TOGETHER:
        return []
    formulas = (latex(n, notation.named) for n in (before, whole))
    return [Equality("together", Equation(notation.gradient(arg), tuple(formulas)))]


def _entry(notation: Notation, node: Node) -> list[Equality]:
    """What one entry of a gate that mixes entries is."""
    if node.gate.elementwise or not any(a.shape for a in node.args):
        return []
    names = {n: notation.entry[n] for n in node.args if n in notation.entry}
    try:
        entry = index_form(node, names, lambda n: latex(n, notation.named), notation.letters)
    except NoIndexForm:
        return []
    return [Equality("entry", Equation(entry.named(notation.entry[node]), (entry.latex,)))]


def _summed(symbols: str, node: Node, arg: Node) -> str:
    """The sum over the axes along which an argument was stretched."""
    extra = len(node.shape) - len(arg.shape)
    axes = [i for i, n in enumerate(node.shape) if i < extra or arg.shape[i - extra] != n]
    if not arg.shape:
        over = "all entries"
    elif len(node.shape) == 2 and len(axes) == 1:
        over = ("rows", "columns")[axes[0]]
    else:
        over = f"axis {', '.join(str(a) for a in axes)}"
    return rf"\sum_{{\text{{{over}}}}} \left({symbols}\right)"


# ---------------------------------------------------------------- where paths meet


def _contribution(notation: Notation, arg: Node, gate: str, place: int) -> str:
    """dF/darg, or the part of it that comes through one gate, where several feed it back."""
    arrived = notation.trace.quantities[arg].contributions
    whole = notation.gradient(arg)
    if len(arrived) == 1:
        return whole
    through = notation.by_name[gate]
    if sum(c.gate == gate for c in arrived) > 1:
        through += rf",\,{place + 1}"
    return rf"\left.{whole}\right|_{{{through}}}"


def _is_complete(trace: Trace, q: Quantity, place: int) -> bool:
    """Whether the last of several contributions to an argument arrives here."""
    arrived = trace.quantities[q.node.args[place]].contributions
    last = arrived[-1]
    several = len(arrived) > 1 and all(c.value is not None for c in arrived)
    return several and (last.gate, last.argument) == (q.name, place)


def _meeting(notation: Notation, arg: Node) -> list[Equality]:
    """The sum of what several gates send back to one value."""
    quantity = notation.trace.quantities[arg]
    arrived = quantity.contributions
    parts = " + ".join(_contribution(notation, arg, c.gate, c.argument) for c in arrived)
    put_in = []
    if math.prod(arg.shape) * len(arrived) <= MAX_PUT_IN:
        put_in.append(" + ".join(factor(tensor(c.value, GRADIENT)) for c in arrived))
    put_in.append(gradient_numbers(quantity.gradient))
    return [Equality("sum", Equation(notation.gradient(arg), (parts,), tuple(put_in)))]
