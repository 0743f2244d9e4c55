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
from report.derivation.latex.symbols import constant_tex, matrix, symbol

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
            return _constant(node)
        if _mixes_filled(node):
            return _numbers(np.asarray(node.value))
        node = self.in_rows(node)
        special = self.signs.get(gate.form) if gate.form is not None else None
        if special is not None:
            written = special(self, node)
            if written is not None:
                return written
        shape = node.args[0].shape if node.args else ()
        if gate.of_matrix and len(shape) == 2 and shape[0] == shape[1] > 1:
            inner = self.write(node.args[0])[0]  # of each entry, not of the matrix
            return rf"\{gate.name}^{{\odot}}\left({inner}\right)", CALL
        counted = max(node.shape, shape, key=len)  # a new axis is one of the result
        return with_options(
            self.fill(gate, node), options(gate, node.params, counted)
        ), gate.binding

    def in_rows(self, node: Node) -> Node:
        """A gate with a plain vector beside a matrix: the vector, else a column, is a row there, xᵀ."""
        if not node.gate.elementwise or len(node.shape) < 2:
            return node
        args = tuple(_copied(as_row(a), node.shape) for a in node.args)
        if args == node.args:
            return node
        return Node(node.gate, args, node.params, node.shape, value=node.value)

    def fill(self, gate: Gate, node: Node) -> str:
        """The template of a gate over a node's arguments."""
        text = ""
        template = gate.latex if len(gate.rules) == len(node.args) else ""
        for literal, place, binding in _template(template or notation(gate.sign, len(node.args))):
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
