"""The printer that walks a graph down and writes each node as its gate's row, or its sign, has it."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np

from report import number_format
from report.autodiff.form import Form
from report.autodiff.gates import ATOM, CALL, GATES, MATRIX_PRODUCT, SUM
from report.autodiff.gates.table import notation
from report.autodiff.graph import CONSTANT, Gate, Node, Shape
from report.derivation.latex.options import options, with_options
from report.derivation.latex.symbols import constant_tex, dimensions, matrix, symbol

# A leaf says how a node is written without looking below it: (LaTeX, binding), or None to go on.
Leaf = Callable[[Node], "tuple[str, int] | None"]
# (LaTeX, binding) of a gate over its arguments; None where its row's template will do
Sign = Callable[["Printer", Node], "tuple[str, int] | None"]
Signs = Mapping[Form, Sign]


@lru_cache(maxsize=1024)
def _template(text: str) -> tuple[tuple[str, int | None, int], ...]:
    """(literal, argument, binding asked for) of each piece of a row's notation."""
    pieces = []
    for literal, field, spec, _ in string.Formatter().parse(text):
        pieces.append((literal, int(field) if field else None, int(spec or 0)))
    return tuple(pieces)


def filled(template: str, arguments: list[str]) -> str:
    """A row's notation over arguments that need no brackets."""
    return "".join(
        literal + (arguments[place] if place is not None else "")
        for literal, place, _ in _template(template)
    )


def bracketed_at(template: str, arguments: list[tuple[str, int]]) -> str:
    """A notation over written arguments, in brackets where they bind less tightly than is asked for."""
    text = ""
    for literal, place, binding in _template(template):
        text += literal
        if place is not None:
            written, own = arguments[place]
            text += rf"\left({written}\right)" if own < binding else written
    return text


class Printer:
    """Writes nodes, each once: LaTeX and how tightly its outermost sign binds."""

    def __init__(self, leaf: Leaf, signs: Signs) -> None:
        self.leaf, self.signs = leaf, signs
        self.done: dict[Node, tuple[str, int]] = {}
        self.told: set[Node] = set()  # copies whose number nothing beside them tells

    def write(self, node: Node) -> tuple[str, int]:
        """A node as `leaf` has it, or as its gate."""
        if node not in self.done:
            self.done[node] = self.leaf(node) or self.gate(node)
        return self.done[node]

    def gate(self, node: Node) -> tuple[str, int]:
        """A node over its arguments."""
        gate = node.gate
        if node.is_input:
            return symbol(str(node.name), node.shape), ATOM
        if gate is CONSTANT:
            if node in self.told:
                size = len(node.value) if node.name == "I" else dimensions(node.shape)
                return rf"{_constant(node)[0]}_{{{size}}}", ATOM
            return _constant(node)
        if _mixes_filled(node):
            return _numbers(np.asarray(node.value))
        if self.is_whole(node):
            for a in node.args:
                self.tell(a)
        node = self.in_rows(node)
        special = self.signs.get(gate.form) if gate.form is not None else None
        if special is not None:
            written = special(self, node)
            if written is not None:
                return written
        shape = node.args[0].shape if node.args else ()
        if gate.of_matrix and is_of_entries(node):  # not of the matrix
            template, binding = gate.of_matrix
            return self.fill(template, node), binding
        counted = max(node.shape, shape, key=len)  # a new axis is one of the result
        return with_options(
            self.noted(gate, node), options(gate, node.params, counted)
        ), gate.binding

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
        """A gate with a plain vector beside a matrix: the vector, else a column, is a row there, xᵀ."""
        if not node.gate.elementwise or len(node.shape) < 2:
            return node
        args = tuple(_copied(as_row(a), node.shape) for a in node.args)
        if args == node.args:
            return node
        return Node(node.gate, args, node.params, node.shape, value=node.value)

    def noted(self, gate: Gate, node: Node) -> str:
        """The notation of a gate over a node's arguments."""
        template = gate.latex if len(gate.rules) == len(node.args) else ""
        return self.fill(template or notation(gate.sign, len(node.args)), node)

    def fill(self, template: str, node: Node) -> str:
        """A template over a node's arguments."""
        text = ""
        for literal, place, binding in _template(template):
            text += literal
            if place is not None:
                text += self.bracketed(node.args[place], binding)
        return text

    def bracketed(self, node: Node, binding: int) -> str:
        """A node in brackets where it binds less tightly than is asked for."""
        text, own = self.write(node)
        # a script at a fraction would be that of its letters
        tall = binding >= CALL and text.startswith(r"\frac")
        return rf"\left({text}\right)" if own < binding or tall else text


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


def _constant(node: Node) -> tuple[str, int]:
    if node.name is not None:
        return symbol(node.name, node.shape), ATOM
    return _numbers(np.asarray(node.value))


def _mixes_filled(node: Node) -> bool:
    """Whether a gate takes entries of 𝟏 or 𝟎 together, of which nothing beside it would say how many."""
    by_size = node.gate.form is None or node.gate.form is Form.PICKED
    if not node.is_constant or not by_size or node.gate.elementwise:
        return False
    return bool(node.args[0].shape) and not np.ptp(node.args[0].value)


def _numbers(value: np.ndarray) -> tuple[str, int]:
    """A constant: a number, c 𝟏 where all entries are one number, else a matrix."""
    if value.ndim:
        for filled, sign in ((1, "𝟏"), (0, "𝟎")):
            if (value == filled).all():
                return sign, ATOM
    fraction = None if np.ptp(value) else number_format.as_fraction(value.flat[0].item())
    if fraction is None:
        return (matrix(value, exactly=True), ATOM) if value.ndim else constant_tex(value.item())
    sign, binding = ("-", SUM) if fraction[0] < 0 else ("", MATRIX_PRODUCT)
    ones = r"\,𝟏" if value.ndim else ""
    return rf"{sign}\frac{{{abs(fraction[0])}}}{{{fraction[1]}}}{ones}", binding
