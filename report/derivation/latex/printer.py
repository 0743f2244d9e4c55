"""The printer that walks a graph down and writes each node as its gate's row, or its sign, has it."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from report import number_format
from report.autodiff.form import Form
from report.autodiff.gates import CALL, GATES, MATRIX_PRODUCT, SUM
from report.autodiff.gates.table import notation
from report.autodiff.graph import CONSTANT, Node, Shape
from report.derivation.latex.options import options, with_options
from report.derivation.latex.printed import (
    First,
    Last,
    Printed,
    Sign,
    Signs,
    bracketed,
    fraction,
    put,
)
from report.derivation.latex.symbols import constant_tex, dimensions, identity, matrix, symbol

# The signs of ours that names of the user are set like.
Taken = frozenset[str]
NONE_TAKEN: Taken = frozenset()
# A leaf says how a node is written without looking below it, or None to go on.
Leaf = Callable[[Node], Printed | None]
# A gate over its arguments; None where its row's template will do.
Notations = Mapping[Form, "Callable[[Printer, Node], Printed | None]"]


@lru_cache(maxsize=1024)
def _template(text: str, taken: Taken) -> tuple[tuple[str, int | None, int], ...]:
    """(literal, argument, binding asked for) of each piece of a row's notation."""
    pieces: list[tuple[str, int | None, int]] = []
    before = ""
    for literal, field, spec, _ in string.Formatter().parse(text):
        before += literal
        if field in _OURS:
            name, usual, other = _OURS[field]
            before += other if name in taken else usual
            continue
        if field is not None:  # else a brace of LaTeX, which stood twice
            pieces.append((before, int(field), int(spec or 0)))
            before = ""
    return (*pieces, (before, None, 0)) if before else tuple(pieces)


# A field of a row's notation for a sign of ours: the name that it is like, the sign, and what stands beside that name.
_OURS = {
    "exp": ("e", "e^{", r"\exp\left("),
    "end": ("e", "}", r"\right)"),
    "sigma": ("sigma", r"\sigma", r"\operatorname{sigmoid}"),
}


def filled(template: str, arguments: Sequence[str], taken: Taken = NONE_TAKEN) -> Printed:
    """A row's notation over arguments that need no brackets."""
    pieces = []
    for literal, place, _ in _template(template, taken):
        pieces += [literal] if place is None else [literal, arguments[place]]
    return put(*pieces)


def bracketed_at(template: str, arguments: Sequence[Printed], taken: Taken = NONE_TAKEN) -> Printed:
    """A notation over written arguments, in brackets where they bind less tightly than is asked for."""
    pieces: list[str] = []
    for literal, place, binding in _template(template, taken):
        pieces.append(literal)
        if place is not None:
            own = arguments[place]
            pieces.append(bracketed(own) if own.binding < binding else own)
    return put(*pieces)


class Printer:
    """Writes nodes, each once."""

    def __init__(self, leaf: Leaf, notations: Notations, taken: Taken) -> None:
        self.leaf, self.notations, self.taken = leaf, notations, taken
        self.done: dict[Node, Printed] = {}
        self.told: set[Node] = set()  # copies whose number nothing beside them tells

    def write(self, node: Node) -> Printed:
        """A node as `leaf` has it, or as its gate."""
        if node not in self.done:
            self.done[node] = self.leaf(node) or self.gate(node)
        return self.done[node]

    def gate(self, node: Node) -> Printed:
        """A node over its arguments."""
        gate = node.gate
        if node.is_input:
            return symbol(str(node.name), node.shape)
        if gate is CONSTANT:
            if node in self.told:
                size = len(node.value) if node.name == "I" else dimensions(node.shape)
                return put(self.constant(node), f"_{{{size}}}", last=Last.SUBSCRIPT)
            return self.constant(node)
        if _mixes_filled(node):
            return _numbers(np.asarray(node.value))
        if self.is_whole(node):
            for a in node.args:
                self.tell(a)
        node = self.in_rows(node)
        special = self.notations.get(gate.form) if gate.form is not None else None
        if special is not None:
            written = special(self, node)
            if written is not None:
                return written.holding(signs) if (signs := signs_of(node)) else written
        if gate.condition:
            inside = self.fill(gate.condition, node, SUM)
            return put(r"𝟙\left[", inside, r"\right]", binding=CALL, condition=inside)
        shape = node.args[0].shape if node.args else ()
        signs = signs_of(node)
        if gate.of_matrix and is_of_entries(node):  # not of the matrix
            template, binding = gate.of_matrix
            return self.fill(template, node, binding, signs)
        counted = max(node.shape, shape, key=len)  # a new axis is one of the result
        notes = options(gate, node.params, counted)
        return self.fill(with_options(self.notation(node), notes), node, gate.binding, signs)

    def is_whole(self, node: Node) -> bool:
        """Whether a gate takes its arguments as a whole, or has more entries than those that tell their size."""
        if not node.gate.elementwise:
            return node.gate.form not in _BESIDE
        shapes = [a.shape for a in node.args if a.shape and not self.is_sizeless(a)]
        return bool(shapes) and np.broadcast_shapes(*shapes) != node.shape

    def tell(self, node: Node) -> None:
        """Have the copies told their number in what is taken as a whole, where nothing in it tells it."""
        if not self.is_sizeless(node) or self.leaf(node) is not None:
            return
        self.done.pop(node, None)  # what stands beside another one needs no size
        if node.gate is CONSTANT or node.gate.form is Form.COPIES:
            self.told.add(node)
        for a in node.args:
            self.tell(a)

    def is_sizeless(self, node: Node) -> bool:
        """Whether a value is written with 𝟏 and nothing else that says how many entries it has."""
        if not node.shape or node.is_input or self.leaf(node) is not None:
            return False
        if node.gate is CONSTANT:
            is_filled = node.name is None and not np.ptp(node.value)
            return node.name == "I" or (is_filled and node.value.flat[0] in (0, 1))
        if node.gate.form is Form.COPIES:
            return node.span is None
        sizes = [self.is_sizeless(a) for a in node.args]
        if node.gate.form is Form.OUTER:
            return any(sizes)
        if node.gate.form is Form.MATRIX_PRODUCT:
            return any(s and len(a.shape) > 1 for s, a in zip(sizes, node.args, strict=True))
        shaped = [s for s, a in zip(sizes, node.args, strict=True) if a.shape]
        return (node.gate.elementwise or node.gate.form in _BESIDE) and bool(shaped) and all(shaped)

    def in_rows(self, node: Node) -> Node:
        """A gate with a plain vector beside a matrix: the vector, else a column, is a row there, xᵀ.

        So is one that a rule has made a row, where a gate goes along an axis.
        """
        if "axis" in node.params and not node.gate.elementwise:
            args = tuple(as_row(a) if len(a.shape) == 2 else a for a in node.args)
        elif not node.gate.elementwise or len(node.shape) < 2:
            return node
        else:
            args = tuple(_copied(as_row(a), node.shape) for a in node.args)
        if args == node.args:
            return node
        return Node(node.gate, args, node.params, node.shape, value=node.value)

    def constant(self, node: Node) -> Printed:
        """A number or matrix of the formula, or a sign of ours for it."""
        if node.name == "I" and node.shape:
            return identity(self.taken)
        if node.name is not None:
            return put(str(symbol(node.name, node.shape)))
        return _numbers(np.asarray(node.value))

    def notation(self, node: Node) -> str:
        """The notation of a node's gate over so many arguments."""
        gate = node.gate
        template = gate.latex if len(gate.rules) == len(node.args) else ""
        return template or notation(gate.sign, len(node.args))

    def fill(
        self, template: str, node: Node, binding: int = CALL, signs: Signs = frozenset()
    ) -> Printed:
        """A template over a node's arguments."""
        pieces: list[str] = []
        for literal, place, least in _template(template, self.taken):
            pieces.append(literal)
            if place is not None:
                pieces.append(self.bracketed(node.args[place], least))
        written = put(*pieces, binding=binding, signs=signs)
        return written.holding(notes=(node.gate.note,)) if node.gate.note else written

    def bracketed(self, node: Node, binding: int) -> Printed:
        """A node in brackets where it binds less tightly than is asked for."""
        written = self.write(node)
        # a script at a fraction would be that of its letters
        is_tall = binding >= CALL and written.start.first is First.FRACTION
        return bracketed(written) if written.binding < binding or is_tall else written


def signs_of(node: Node) -> Signs:
    """What a legend may have to say of a gate between tensors that its formula does not show."""
    gate = node.gate
    if not gate.elementwise:
        return frozenset()
    found = set()
    if any(a.shape and a.shape != node.shape for a in node.args):
        found.add(Sign.STRETCHED)
    if gate.form is None and any(a.shape for a in node.args) and not gate.condition:
        found.add(Sign.OF_ENTRIES)
    elif gate.form is Form.POWER and node.args[0].shape:
        found.add(Sign.POWERS)
    elif gate.form is Form.QUOTIENT and node.args[1].shape:
        found.add(Sign.QUOTIENTS)
    return frozenset(found)


# what stands beside other values as a factor or a part, so that these tell its size
_BESIDE = frozenset(
    {
        Form.MATRIX_PRODUCT,
        Form.OUTER,
        Form.INNER,
        Form.INVERSE,
        Form.TRANSPOSE,
        Form.RESHAPED,
        Form.COPIES,
    }
)


def is_of_entries(node: Node) -> bool:
    """Whether a gate of the entries could be taken for one of the matrix: a function of a square one, or a norm."""
    (a, *_) = node.args
    if node.gate.elementwise:
        return is_square(a)
    is_plain = all(v is None or v is False for v in node.params.values())
    return is_plain and sum(n > 1 for n in a.shape) > 1


def is_square(node: Node) -> bool:
    """Whether a node is a square matrix, of which a power or a function could be one of the matrix."""
    return len(node.shape) == 2 and node.shape[0] == node.shape[1] > 1


def _copied(node: Node, shape: Shape) -> Node:
    """Sums over rows or columns that a rule has made, beside a matrix: X 𝟏 𝟏ᵀ, not X 𝟏 alone."""
    if (
        node.gate.form is not Form.SUMMED
        or node.span is not None
        or len(shape) != 2
        or node.shape == shape
    ):
        return node
    return (
        Node(GATES["broadcast_to"], (node,), {"shape": shape}, shape)
        if len(node.shape) == 2
        else node
    )


def as_row(node: Node) -> Node:
    """A plain vector, or one that a rule has made a row, as its transpose; anything else as it is."""
    made = node.gate.form is Form.RESHAPED and node.span is None and len(node.args[0].shape) == 1
    if made and node.shape[:1] == (1,) and node.shape[1:] != (1,):
        return as_row(node.args[0])
    if len(node.shape) != 1 or node.shape == (1,) or node.is_constant:
        return node
    return Node(GATES["transpose"], (node,), shape=(1, *node.shape))


def _mixes_filled(node: Node) -> bool:
    """Whether a gate takes entries of 𝟏 or 𝟎 together, of which nothing beside it would say how many."""
    by_size = node.gate.form is None or node.gate.form is Form.PICKED
    if not node.is_constant or not by_size or node.gate.elementwise:
        return False
    return bool(node.args[0].shape) and not np.ptp(node.args[0].value)


def _numbers(value: np.ndarray) -> Printed:
    """A constant: a number, c 𝟏 where all entries are one number, else a matrix."""
    if value.ndim:
        for filled, sign in ((1, "𝟏"), (0, "𝟎")):
            if (value == filled).all():
                return put(sign)
    exact = None if np.ptp(value) else number_format.as_fraction(value.flat[0].item())
    if exact is None:
        return matrix(value, exactly=True) if value.ndim else constant_tex(value.item())
    sign, binding = ("-", SUM) if exact[0] < 0 else ("", MATRIX_PRODUCT)
    ones = r"\,𝟏" if value.ndim else ""
    return put(sign, fraction(str(abs(exact[0])), str(exact[1])), ones, binding=binding)
