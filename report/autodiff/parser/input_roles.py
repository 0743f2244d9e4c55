"""What a formula uses an input as that is no real number: an index, a label, a mask, a target.

Such an input is given, not computed: between it and its use its entries may only be moved.
"""

from __future__ import annotations

import ast
from typing import Any

from report.autodiff.form import CONDITIONS, MOVES
from report.autodiff.gates import Key, Place
from report.autodiff.graph import INPUT, Node, Plain, Shape, constant, topological
from report.autodiff.parser import literals
from report.autodiff.parser.source import Places

_GIVEN = {
    "label": "labels are given: class numbers",
    "target": "labels are given: class numbers or one-hot rows",
    "index": "positions are given: whole numbers",
}


def moves(node: Node) -> bool:
    """Whether a gate gives the entries of its arguments at other places, or one-hot rows of class numbers."""
    gate = node.gate
    if gate.form in MOVES or (gate.roles and not any(gate.rules)):
        return True
    if gate.definition is None:
        return False
    leaves = [Plain(INPUT, shape=a.shape) for a in node.args]
    whole = topological(gate.definition(*leaves, **node.params))
    return all(n.is_input or n.is_constant or n.gate.form in MOVES for n in whole)


class Roles:
    """Collects in `names` the inputs that have a role, while a formula is read.

    In one that is printed, positions may stand as numbers that are computed: y - 1 of labels from 1.
    """

    def __init__(self, source: Places) -> None:
        self.source = source
        self.printed = False
        self.names: dict[str, str] = {}

    def note(self, e: ast.expr, node: Node, role: str, message: str) -> None:
        """Note the inputs that `node` is made of; ReportError with `message` where it is computed."""
        stack = [node]
        while stack:
            part = stack.pop()
            if part.is_input:
                self.names.setdefault(str(part.name), role)
            elif not part.is_constant:
                if not moves(part) and not self.printed:
                    raise self.source.error(e, message)
                stack += part.args

    def given(self, e: ast.expr, node: Node, role: str) -> None:
        """Note what is given to a gate: labels, a target, positions, a mask."""
        if role == "mask":
            self.condition(e, node)
        else:
            self.note(e, node, role, _GIVEN[role])

    def condition(self, e: ast.expr, node: Node) -> None:
        """Check a condition: a comparison, comparisons joined by & | ~, or an input that is a mask."""
        if node.gate.form not in CONDITIONS:
            message = "a condition is a comparison such as x > 0, or an input of 0 and 1"
            self.note(e, node, "mask", message)

    def key(self, e: ast.Subscript, args: list[Node]) -> tuple[Key, list[Node]]:
        """The key of an index, over `args` and after them the lists of positions that it holds."""
        whole: list[Any] = []
        computed = 1
        for part in parts_of_index(e):
            if literals.is_static(part):
                whole.append(literals.static_index(self.source, part))
            else:
                message = "an index is a whole number, a slice or an input of them"
                self.note(part, args[computed], "index", message)
                whole.append(Place(computed, start=0 if index_of(part) is part else 1))
                computed += 1
        lists = [k for k in whole if isinstance(k, list)]
        if lists and computed > 2:
            raise self.source.error(
                e, "a list of positions does not go together with an index that is an input"
            )
        _count_from_front(whole, args[0].shape)
        for place, positions in enumerate(lists, computed):
            whole[whole.index(positions)] = Place(place)
        return Key(whole), [constant(k) for k in lists]


def _count_from_front(key: list[Any], shape: Shape) -> None:
    """Positions in the lists of a key that count from the end of their axis count from its front instead."""
    taken = sum(part is not None and part is not Ellipsis for part in key)
    axis = 0
    for part in key:
        size = shape[axis] if axis < len(shape) else 0
        if isinstance(part, list):
            part[:] = [p + size if -size <= p < 0 else p for p in part]
        if part is not None:
            axis += len(shape) - taken if part is Ellipsis else 1


def index_of(e: ast.expr) -> ast.expr:
    """The input k of an index k - 1, whose positions count from 1; else the index itself."""
    match e:
        case ast.BinOp(ast.Name() as name, ast.Sub(), ast.Constant(value=1)):
            return name
    return e


def parts_of_index(e: ast.Subscript) -> list[ast.expr]:
    """What stands between the brackets, an entry for each axis."""
    return e.slice.elts if isinstance(e.slice, ast.Tuple) else [e.slice]
