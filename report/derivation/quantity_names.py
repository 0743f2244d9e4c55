"""How the quantities of one trace are written: names, entries, numbers in their colours."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from functools import partial as partial_function

from report.autodiff.form import Form
from report.autodiff.gates import ATOM
from report.autodiff.gates.keys import entry_place
from report.autodiff.graph import Array, Node
from report.autodiff.trace import Trace
from report.derivation.index_form import IndexForm, index_form
from report.derivation.latex import Leaf, equation, latex
from report.derivation.latex.letters import LETTERS
from report.derivation.latex.printed import Printed, bracketed
from report.derivation.latex.symbols import (
    GRADIENT,
    NUMBERED,
    VALUE,
    entry_symbol,
    partial,
    symbol,
    taken_by,
    tensor,
)


class Notation:
    """The notation of a trace.

    `name` is the LaTeX of every input and gate, `by_name` the same by the name in the trace, `entry`
    the same with a place for labels (see `report.derivation.index_form`), `letters` what may be a label, `f`
    the function's own name, `taken` the signs of ours that the user's names are set like.
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.taken = taken_by((*(q.name for q in trace.quantities.values()), trace.letter))
        self.f = symbol(trace.letter)
        self.name = {n: symbol(q.name, n.shape) for n, q in trace.quantities.items()}
        self.by_name = {q.name: self.name[n] for n, q in trace.quantities.items()}
        names = {
            part for name in (*self.by_name, trace.letter) for part in (name, *name.split("_"))
        }
        self.letters = "".join(c for c in LETTERS if c not in names)
        self.entry = {
            n: symbol(q.name, labels=f"[{at}]" if at and self.is_numbered(q.name) else at)
            for n, q in trace.quantities.items()
            for at in (place(n),)
        }

    def is_numbered(self, name: str) -> bool:
        """Whether a number behind a name may make another name: x_1, where there is x1."""
        return NUMBERED.format(name) in self.taken

    def gradient(self, node: Node) -> Printed:
        """The fraction df/dnode."""
        return partial(self.f, self.name[node])

    def entry_gradient(self, node: Node, entry: IndexForm) -> Printed:
        """The fraction df/dnode_ij with the labels of an entry."""
        return partial(self.f, entry.named(self.entry[node]))

    def named(self, node: Node) -> Printed | None:
        """A leaf: every input and gate by its name."""
        return self.name.get(node)

    def as_value(self, node: Node) -> Printed | None:
        """A leaf: every input and gate by its number, in the colour of values."""
        return tensor(self.trace.quantities[node].value, VALUE) if node in self.name else None

    def definition(self, node: Node, stops: Collection[Node] = ()) -> Printed:
        """What a gate computes from inputs, from gates in `stops` and from those that have a name."""
        known = {*stops, *(n for n in self.name if n.is_input or n.name)} - {node}
        if node.is_input:
            return self.name[node]
        return self.latex(node, lambda n: self.named(n) if n in known else None)

    def latex(self, node: Node, leaf: Leaf | None = None, *, alone: bool = False) -> Printed:
        """The formula of a node, with signs of ours that no name of the user is set like."""
        return latex(node, leaf, self.taken, alone=alone)

    def equation(self, node: Node, leaf: Leaf) -> Printed:
        """One gate over its arguments, which `leaf` writes."""
        return equation(node, leaf, self.taken)

    def index_form(self, node: Node, names: Mapping[Node, Printed], whole: Leaf) -> IndexForm:
        """One entry of a node; what stands in matrix form in it is written down to what `whole` writes."""
        written = partial_function(self.latex, leaf=whole)
        return index_form(node, names, written, self.letters, self.taken)


def gradient_numbers(value: Array, among: Array = ()) -> Printed:
    """A gradient's numbers in the colour of gradients, as precise as `among` the numbers they come from."""
    return tensor(value, GRADIENT, among)


def factor(written: Printed) -> Printed:
    """A number as a factor of a product: in brackets where it has a sign."""
    return written if written.binding >= ATOM else bracketed(written)


def place(node: Node) -> str:
    """The place for labels in the name of a tensor's entry; a scalar has none."""
    return "" if all(n == 1 for n in node.shape) else "@"


@lru_cache(maxsize=8)
def entries_picked(trace: Trace) -> Mapping[Node, Printed]:
    """The entries of inputs that gates pick, x_1, by the gates, where nothing else uses the input."""
    uses: dict[Node, list[Node]] = {}
    for node in trace.graph.nodes:
        for arg in node.args:
            if arg.is_input:
                uses.setdefault(arg, []).append(node)
    taken = {symbol(q.name, q.node.shape) for q in trace.quantities.values()}
    found: dict[Node, Printed] = {}
    for arg, gates in uses.items():
        places = {
            entry_place(n.params["key"], arg.shape) if n.gate.form is Form.PICKED else None: n
            for n in gates
        }
        own = {n: entry_symbol(trace.name_of(arg), at, arg.shape) for at, n in places.items() if at}
        if len(own) == len(gates) and 1 not in arg.shape and not taken & set(own.values()):
            found |= own
    return found
