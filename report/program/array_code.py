"""Formulas over NumPy's arrays, vectorised."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from report.autodiff.gates import GATES
from report.autodiff.gates.by_definition import written_out
from report.autodiff.gates.code import far_norm
from report.autodiff.graph import CONSTANT, Node, Shape, make
from report.program import syntax
from report.program.list_code import Unprintable
from report.program.tidy import tidy


class ArrayPrinter:
    """Expressions over arrays; `names` says what is already computed, and under which name.

    Where numbers are so `far` from 1 that their squares are none, a norm squares nothing.
    """

    def __init__(self, names: Mapping[Node, str], far: bool = False) -> None:
        self.names = names
        self.far = far

    def code(self, node: Node) -> ast.expr:
        """The code of a node in terms of the named ones."""
        return tidy(self._code(node))

    def parts(self, node: Node) -> Sequence[Node]:
        """What can get a name of its own, to make the code of a node shorter."""
        return node.args

    def _code(self, node: Node, truth: bool = False) -> ast.expr:
        """`truth`: True and False will do as well as 1.0 and 0.0."""
        if node in self.names:
            return syntax.name(self.names[node])
        if node.gate is CONSTANT:
            return syntax.parse(_array(node.value)) if node.shape else syntax.constant(node, "np")
        if node.gate.definition is not None and not node.gate.numpy:
            return self._code(written_out(node), truth)
        given: Sequence[Node] = node.args
        if node.gate.elementwise:
            bare = _bare(node, self.names)
            if bare.shape != node.shape:  # np.full(4, g / 4) rather than np.full(4, g) / 4
                return self._code(make(GATES["broadcast_to"], [bare], {"shape": node.shape}))
            given = unspread(node.args, node.shape, self.names)
        args = [
            syntax.whole_numbers(arg.value)
            if place in node.gate.integers and arg.gate is CONSTANT and arg.shape
            else self._code(arg, self._may_be_truth(node, place))
            for place, arg in enumerate(given)
        ]
        template = _template(node)
        if self.far and "np.linalg.norm" in template:
            template = far_norm(node)
        made = syntax.filled(template, args, node)
        if not truth and _is_truth(node):
            return ast.BinOp(ast.Constant(1.0), ast.Mult(), made)
        return made

    def _may_be_truth(self, node: Node, place: int) -> bool:
        """Whether an argument may be an array of truth values: a factor of numbers, a condition."""
        made = syntax.parse(syntax.bare(_template(node)))
        if isinstance(made, ast.BinOp) and isinstance(made.op, ast.Mult):
            other = node.args[1 - place]
            return other in self.names or not _is_truth(other)
        return place in node.gate.integers or _is_truth(node)


def unspread(nodes: Sequence[Node], shape: Shape, names: Mapping[Node, str]) -> list[Node]:
    """The operands of an entrywise gate or a sum, as they were before they were spread to its shape.

    Those that the others spread anyway, by NumPy's broadcasting, need no code for it.
    """
    found = list(nodes)
    for place, node in enumerate(nodes):
        bare = _bare(node, names)
        others = [n.shape for i, n in enumerate(found) if i != place]
        if np.broadcast_shapes(bare.shape, *others) == shape:
            found[place] = bare
    return found


def _bare(node: Node, names: Mapping[Node, str]) -> Node:
    """What a node spreads to its shape: g / 4, of copies of g that are divided by 4."""
    if node in names or node.gate is CONSTANT or not node.args:
        return node
    if syntax.template(node, "numpy").startswith(("np.broadcast_to(", "np.full(")):
        return node.args[0]
    if not node.gate.elementwise:
        return node
    args = [_bare(arg, names) for arg in node.args]
    return node if args == list(node.args) else make(node.gate, args, node.params)


def _template(node: Node) -> str:
    found = syntax.template(node, "numpy")
    if not found:
        raise Unprintable(f"there is no NumPy code for the gate {node.gate.name}")
    return found


def _is_truth(node: Node) -> bool:
    """Whether NumPy gives True and False for a gate: a comparison, or what joins comparisons."""
    template = syntax.template(node, "numpy") if node.args else ""
    if not template:
        return False
    match syntax.parse(syntax.bare(template)):
        case ast.Compare() | ast.BinOp(op=ast.BitAnd()):
            return True
        case ast.Call(func=ast.Attribute(attr=attr)):
            return attr.startswith("logical")
    return False


def _array(value: Any) -> str:
    if syntax.is_identity(value):
        return f"np.eye({len(value)})"
    filled = {0.0: "np.zeros({})", 1.0: "np.ones({})"}
    if np.ptp(value) == 0:
        number = float(value.flat[0])
        shape = value.shape[0] if value.ndim == 1 else value.shape
        return filled.get(number, f"np.full({{}}, {number!r})").format(shape)
    return f"np.array({value.tolist()!r})"
