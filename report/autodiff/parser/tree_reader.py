"""Python's syntax -> nodes: a closed list of it, what parts each has, and the gate that it means.

A few spellings become the gate that a textbook draws: `1 / x` is the reciprocal gate, `x**2` the square,
`norm(x)**2` the squared norm, `norm(x, 1)` the L1 norm.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, TypeGuard

import numpy as np

from report.autodiff.form import CONDITIONS
from report.autodiff.gates import GATES
from report.autodiff.graph import (
    CONSTANT,
    MAX_AXES,
    Gate,
    Node,
    constant,
)
from report.autodiff.parser import call_arguments, literals
from report.autodiff.parser.building import _Building
from report.autodiff.parser.dotted import without_dot
from report.autodiff.parser.input_roles import index_of, parts_of_index
from report.autodiff.parser.names import FORMS, NUMBERS
from report.autodiff.parser.sized_identity import BesideIdentity, beside_identity
from report.autodiff.simplify import is_number
from report.errors import ReportError

_OPERATORS = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
    ast.MatMult: "matmul",
}
_UNSIGNED = (ast.Mod, ast.FloorDiv)  # a product without a sign, and a dot (see `spellings`)
_COMPARISONS = {
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}
IN_WHERE = "a comparison stands inside where only: where(x > 0, 1, 0)"


class _TreeReader(_Building):
    """Builds the nodes of expressions."""

    def node(self, expression: ast.expr) -> Node:
        """The node of an expression, its parts first; iterative, so that depth is no trouble."""
        made: list[Node] = []
        stack: list[ast.expr | tuple[ast.expr, int]] = [expression]
        while stack:
            part = stack.pop()
            part = part if isinstance(part, tuple) else without_dot(part, self.names)
            if isinstance(part, ast.Name):
                made.append(self.lookup(part))
            elif isinstance(part, tuple):
                e, first = part
                args = made[first:]
                del made[first:]
                made.append(_BUILDERS[type(e)](self, e, args))
            elif isinstance(part, ast.Constant):
                made.append(self.number(part))
            else:
                split = _PARTS.get(type(part))
                if split is None:
                    raise self.error(part, literals.refusal(part))
                parts = split(self, part)
                stack.append((part, len(made)))
                stack += reversed(parts)
        return made[0]

    # Which parts of an expression become nodes; these also refuse what is not in the closed list.

    def parts_of_operation(self, e: ast.BinOp) -> list[ast.expr]:
        if isinstance(e.op, ast.Pow) and self.is_euler(e.left):
            return [e.right]
        beside = beside_identity(e, self.names)
        if beside is not None:
            return [beside.other, *beside.scale]
        if type(e.op) in _OPERATORS:
            return [e.left, e.right]
        if isinstance(e.op, (ast.BitAnd, ast.BitOr)):
            if e not in self.conditions:
                raise self.error(
                    e,
                    "& and | join comparisons, each in brackets, inside where only: "
                    "where((x > 0) & (x < 1), x, 0)",
                    after=e.left,
                )
            self.conditions |= {e.left, e.right}
            return [e.left, e.right]
        if type(e.op) in _UNSIGNED and self.source.is_respelled(e):
            return [e.left, e.right]
        raise self.error(e, literals.refusal(e), after=e.left)

    def parts_of_sign(self, e: ast.UnaryOp) -> list[ast.expr]:
        if isinstance(e.op, ast.Invert) and e in self.conditions:
            self.conditions.add(e.operand)
        elif not isinstance(e.op, (ast.USub, ast.UAdd)):
            raise self.error(
                e, "a condition is turned by ~, inside where only: where(~(x > 0), 1, 0)"
            )
        return [e.operand]

    def parts_of_attribute(self, e: ast.Attribute) -> list[ast.expr]:
        if e.attr == "I" and self.source.is_respelled(e):
            return [e.value]
        if e.attr != "T":
            raise self.error(e, f".{e.attr} is not known; only .T (transpose) follows a value")
        return [e.value]

    def parts_of_comparison(self, e: ast.Compare) -> list[ast.expr]:
        if e is self.whole:
            raise self.error(e, IN_WHERE, after=e.left)
        for op in e.ops:
            if type(op) not in _COMPARISONS:
                raise self.error(e, "only < <= > >= == != compare numbers", after=e.left)
        return [e.left, *e.comparators]

    def parts_of_index(self, e: ast.Subscript) -> list[ast.expr]:
        parts = (k for k in parts_of_index(e) if not literals.is_static(k))
        return [e.value, *map(index_of, parts)]

    def parts_of_list(self, e: ast.List) -> list[ast.expr]:
        if not e.elts:
            raise self.error(e, "a list holds at least one entry: [1, 2, 3]")
        return e.elts

    def parts_of_call(self, e: ast.Call) -> list[ast.expr]:
        call = call_arguments.read(self.source, e, self.names)
        name, axis = call.form.name, call.options.get("axis")
        if f"{name}_" in self.names:
            message = f"on paper the name {name}_ would be {name}, as this function is; choose another name"
            raise self.error(e, message)
        of_two = _of_two(name)
        if of_two and axis is not None and not e.keywords:  # max(0, x), max(y, z)
            (first,) = call.operands
            if isinstance(first, ast.Constant) or not literals.is_option(axis):
                call = call_arguments.Call(FORMS[of_two], [first, axis], {})
        self.calls[e] = call
        roles = GATES[name].roles if name in GATES else {}
        if name in GATES and GATES[name].form in CONDITIONS and e not in self.conditions:
            raise self.error(e, IN_WHERE)
        masks = (part for place, part in enumerate(call.operands) if roles.get(place) == "mask")
        self.conditions.update(masks)
        return call.operands

    # How a node is built from its parts.

    def is_euler(self, e: ast.expr) -> bool:
        """Whether an expression is Euler's number, the base of e**x."""
        return isinstance(e, ast.Name) and e.id == "e" and "e" not in self.names

    def operation(self, e: ast.BinOp, args: list[Node]) -> Node:
        beside = beside_identity(e, self.names)
        if beside is not None:
            return self.sum_with_identity(e, beside, args)
        if len(args) == 1:
            return self.apply(e, GATES["exp"], args)
        left, right = args
        if type(e.op) is ast.Pow and right.is_constant:
            self.note_power(e, left, right)
        if type(e.op) is ast.Div and is_number(left, 1) and not right.is_constant:
            return self.apply(e, GATES["reciprocal"], [right])
        if type(e.op) is ast.Pow and is_number(right, 2) and not left.is_constant:
            if left in self.fresh:
                return self.apply(e, GATES[left.gate.squared], list(left.args))
            return self.apply(e, GATES["square"], [left])
        if isinstance(e.op, (ast.BitAnd, ast.BitOr)):
            for part, node in zip((e.left, e.right), args, strict=True):
                self.roles.condition(part, node)
            gate = GATES["logical_and" if isinstance(e.op, ast.BitAnd) else "logical_or"]
            return self.apply(e, gate, args)
        if type(e.op) in _UNSIGNED:
            return self.product(e, left, right)
        if (
            type(e.op) is ast.MatMult
            and _is_transpose(e.right)
            and len(left.shape) == len(right.shape) == 1
        ):
            a, b = ast.unparse(e.left), ast.unparse(e.right.value)
            self.readings[f"{a} @ {b}.T of vectors is a number; the matrix is outer({a}, {b})"] = (
                None
            )
        return self.apply(e, GATES[_OPERATORS[type(e.op)]], args)

    def sum_with_identity(self, e: ast.BinOp, beside: BesideIdentity, args: list[Node]) -> Node:
        """A + c I; ReportError where A is no square matrix."""
        matrix, *scale = args
        n, *more = matrix.shape or (1,)
        if more != [n]:
            raise self.error(beside.name, f"there is no constant I; write {NUMBERS['I']}")
        self.readings[f"I is the identity, {n} × {n}"] = None
        term = constant(np.eye(n), name="I")
        if scale:
            term = self.apply(e, GATES["multiply"], [*scale, term])
        pair = [term, matrix] if beside.is_left else [matrix, term]
        return self.apply(e, GATES[_OPERATORS[type(e.op)]], pair)

    def note_power(self, e: ast.BinOp, left: Node, right: Node) -> None:
        """A power of a square matrix goes entry by entry, which is told."""
        shape, n = left.shape, right.value
        if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 1 or right.gate is not CONSTANT:
            return
        written = ast.unparse(e.left) if isinstance(e.left, ast.Name) else "A"
        other = {2.0: f"{written} @ {written}", -1.0: f"inv({written})"}.get(float(np.min(n)))
        if other:
            self.readings[f"{written}**{n:g} goes entry by entry; of the matrix it is {other}"] = (
                None
            )

    def product(self, e: ast.BinOp, left: Node, right: Node) -> Node:
        """W x, x · y: the shapes decide what is meant; ReportError where they leave two readings."""
        a, b = left.shape, right.shape
        if a and isinstance(e.left, ast.Name) and isinstance(e.right, ast.Constant):
            column = self.source.place(e.right)[1]
            if self.source.lines[self.source.place(e.right)[0] - 1][column - 1 : column] == "(":
                x, n = e.left.id, ast.unparse(e.right)
                raise self.error(
                    e,
                    f"{x}({n}) can be read as an entry, {x}[{n}] (counted from 0), or as a product, {x} * {n}; "
                    "write one of them",
                )
        if not a or not b:
            return self.apply(e, GATES["multiply"], [left, right])
        if len(a) == len(b) == 1 and _is_row(e.left):
            return self.apply(e, GATES["matmul"], [left, right])
        if len(a) == len(b) == 1 and isinstance(e.op, ast.FloorDiv):
            return self.apply(e, GATES["dot"], [left, right])
        fits = max(len(a), len(b)) > 1 and a[-1] == b[max(len(b) - 2, 0)]
        if not fits or max(len(a), len(b)) > 2:
            raise self.error(
                e,
                f"a product of shapes {a} and {b} can be read entry by entry or as another product; "
                "write * for entry by entry, @ for the product of matrices and of two vectors",
                after=e.left,
            )
        return self.apply(e, GATES["matmul"], [left, right])

    def sign(self, e: ast.UnaryOp, args: list[Node]) -> Node:
        (node,) = args
        if isinstance(e.op, ast.UAdd):
            return node
        if isinstance(e.op, ast.Invert):
            self.roles.condition(e.operand, node)
            return self.apply(e, GATES["logical_not"], args)
        if node.gate is CONSTANT and node.name is None:
            return constant(-node.value)
        return self.apply(e, GATES["negative"], args)

    def attribute(self, e: ast.Attribute, args: list[Node]) -> Node:
        if e.attr == "T":
            if not args[0].shape and self.source.last_character(e) == "'":
                raise self.error(
                    e,
                    "the prime of a number is a derivative, which is worked out from the function itself; "
                    "leave it out",
                )
            return self.apply(e, GATES["transpose"], args)
        (x,) = args  # S^-1
        if len(x.shape) == 2 and x.shape[0] == x.shape[1] > 1:
            self.readings[f"{ast.unparse(e.value)}^-1 is the inverse of the matrix"] = None
            return self.apply(e, GATES["inv"], args)
        return self.apply(e, GATES["power"], [x, constant(-1)])

    def comparison(self, e: ast.Compare, args: list[Node]) -> Node:
        pairs = zip(e.ops, args, args[1:], strict=False)
        nodes = [self.apply(e, GATES[_COMPARISONS[type(op)]], [a, b]) for op, a, b in pairs]
        whole = nodes[0]
        for node in nodes[1:]:
            whole = self.apply(e, GATES["logical_and"], [whole, node])
        return whole if e in self.conditions else self.counted(e, whole)

    def index(self, e: ast.Subscript, args: list[Node]) -> Node:
        key, lists = self.roles.key(e, args)
        return self.apply(e, GATES["index"], [*args, *lists], {"key": key})

    def stacked(self, e: ast.List, args: list[Node]) -> Node:
        """A list is a stack of its entries; one of plain numbers is a constant."""
        first = args[0].shape
        plain = all(a.gate is CONSTANT and a.name is None and a.shape == first for a in args)
        if plain and len(first) < MAX_AXES:
            return constant(np.stack([a.value for a in args]))
        call_arguments.check_parts(self.source, e, args)
        return self.apply(e, GATES["stack"], args)

    def call(self, e: ast.Call, args: list[Node]) -> Node:
        call = self.calls.pop(e)
        form, name = call.form, call.form.name
        if (of_two := _of_two(name)) and "axis" in call.options and not args[0].shape:  # max(x, 0)
            other = constant(literals.literal(self.source, call.options["axis"], "a number"))
            return self.apply(e, GATES[of_two], [*args, other])
        params = call_arguments.options_of(self.source, e, call)
        if form.build is not None:

            def apply(name: str, *nodes: Node, **options: Any) -> Node:
                return self.apply(e, GATES[name], list(nodes), options)

            try:
                return form.build(apply, *args, **params)
            except ReportError as error:
                placed = "\n" in str(error)  # by `apply`
                said = f"{name}: {error}" if form.usage else str(error)
                raise error if placed else self.error(e, said) from None
        gate = self.meant(e, call, args, params)
        node = self.apply(e, gate, args, params)
        if gate.squared and not params and gate.name not in self.unfold:
            self.fresh.add(node)
        return node

    def meant(
        self, e: ast.Call, call: call_arguments.Call, args: list[Node], params: dict[str, Any]
    ) -> Gate:
        """The gate that a name means over these arguments, with what is given to it noted."""
        gate = GATES[call.form.name]
        if gate.variant is not None:
            try:
                gate = GATES[gate.variant([a.shape for a in args], params)]
            except ReportError as error:
                raise self.error(e, str(error)) from None
        for place, role in gate.roles.items():
            if place < len(args):
                self.roles.given(call.operands[place], args[place], role)
        return gate


def _is_row(e: ast.expr) -> bool:
    """Whether a product of matrices and vectors begins with a transpose, as xᵀA does, or is one by @."""
    while isinstance(e, ast.BinOp) and isinstance(e.op, (*_UNSIGNED, ast.MatMult)):
        if isinstance(e.op, ast.MatMult):
            return True
        e = e.left
    return _is_transpose(e)


def _is_transpose(e: ast.expr) -> TypeGuard[ast.Attribute]:
    return isinstance(e, ast.Attribute) and e.attr == "T"


_PARTS: dict[type[ast.expr], Callable[[_TreeReader, Any], list[ast.expr]]] = {
    ast.BinOp: _TreeReader.parts_of_operation,
    ast.UnaryOp: _TreeReader.parts_of_sign,
    ast.Call: _TreeReader.parts_of_call,
    ast.Attribute: _TreeReader.parts_of_attribute,
    ast.Subscript: _TreeReader.parts_of_index,
    ast.Compare: _TreeReader.parts_of_comparison,
    ast.List: _TreeReader.parts_of_list,
}
_BUILDERS: dict[type[ast.expr], Callable[[_TreeReader, Any, list[Node]], Node]] = {
    ast.BinOp: _TreeReader.operation,
    ast.UnaryOp: _TreeReader.sign,
    ast.Call: _TreeReader.call,
    ast.Attribute: _TreeReader.attribute,
    ast.Subscript: _TreeReader.index,
    ast.Compare: _TreeReader.comparison,
    ast.List: _TreeReader.stacked,
}


def _of_two(name: str) -> str:
    """What a reduction is of two values."""
    return GATES[name].of_two if name in GATES else ""
