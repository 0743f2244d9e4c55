"""Formula text -> Graph.

A formula is Python expression syntax with NumPy's names: let-lines `z = W @ x`, then the result. It is
read with `ast` into nodes by a closed list of syntax; nothing is ever evaluated as Python. A few
spellings become the gate that a textbook draws: `1 / x` is the reciprocal gate, `x**2` the square,
`norm(x)**2` the squared norm, `norm(x, 1)` the L1 norm.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeGuard

import numpy as np

from report.autodiff.domain_errors import is_outside
from report.autodiff.form import CONDITIONS, Form
from report.autodiff.gates import GATES, Key
from report.autodiff.gates.by_definition import put_in
from report.autodiff.graph import (
    CONSTANT,
    FAULTS,
    INPUT,
    MAX_AXES,
    Array,
    Gate,
    Graph,
    Node,
    Plain,
    constant,
    input_node,
    make,
    topological,
    uncollected,
)
from report.autodiff.inputs import CONSTANTS, check_name
from report.autodiff.parser import call_arguments, literals
from report.autodiff.parser.dotted import LibraryName, without_dot
from report.autodiff.parser.input_roles import Roles, parts_of_index
from report.autodiff.parser.names import FORMS, INSTEAD, NUMBERS
from report.autodiff.parser.source import LARGE, Places, Source
from report.autodiff.simplify import is_number
from report.errors import Faults, ReportError, nearest, shown

MAX_GATES = 110_000
MAX_TOTAL = 50_000_000  # entries of all values together
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
_IN_WHERE = "a comparison stands inside where only: where(x > 0, 1, 0)"


def parse(
    text: str,
    inputs: Mapping[str, Array],
    unfold: Collection[str] = (),
    entry: tuple[int, ...] | None = None,
    infinity: float = LARGE,
) -> Graph:
    """Read an expression over `inputs` (only their names and shapes are used) into a Graph.

    The gates named in `unfold` are written out in elementary ones (`report.autodiff.gates.definitions`).
    Raises ReportError with line, column and a caret for whatever is not a formula of known names
    and gates with fitting shapes.
    """
    with uncollected():
        source = Source(text, inputs)
        source.infinity = infinity
        return _Reader(source, inputs, unfold, entry).read(source.statements())


def faults(
    text: str,
    inputs: Mapping[str, Array],
    unfold: Collection[str],
    entry: tuple[int, ...] | None,
    missing: Collection[str],
) -> Sequence[ReportError]:
    """All that is wrong with an expression; lines that use `missing` inputs are passed over."""
    try:
        source = Source(text, {*inputs, *missing})
        reader = _Reader(source, inputs, unfold, entry)
        reader.lost |= set(missing)
        reader.missing = missing
        reader.read(source.statements())
    except _Lost:
        return ()
    except ReportError as error:
        return error.parts or (error,)
    return ()


class _Lost(Exception):
    """A line uses one above that cannot be read, which has been said."""


def _names_of(statement: ast.stmt) -> set[str]:
    """The name that a let-line gives."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


class _Reader:
    """Builds the nodes of one formula; `source` is its text, in whose lines the nodes have their places."""

    def __init__(
        self,
        source: Places,
        inputs: Mapping[str, Array],
        unfold: Collection[str],
        entry: tuple[int, ...] | None = None,
    ) -> None:
        self.source = source
        self.entry = entry  # of the result, where it is no single number; () is the first
        self.readings: dict[str, None] = {}
        self.unfold = frozenset(unfold)
        self.inputs = {name: input_node(name, value) for name, value in inputs.items()}
        self.names: dict[str, Node] = dict(self.inputs)
        self.lets: dict[str, Node] = {}
        self.lost: set[str] = set()  # names of lines that cannot be read
        self.missing: Collection[str] = ()  # and of inputs
        self.fresh: set[Node] = set()  # norm gates that no name refers to: may become ‖·‖²
        self.conditions: set[ast.expr] = set()  # where a comparison may stand
        self.whole: ast.expr | None = None  # the last line, where none may
        self.calls: dict[ast.Call, call_arguments.Call] = {}  # those whose arguments are being read
        self.constants: list[Node] = []  # to be evaluated when all of the text has been read
        self.roles = Roles(self.source)
        self.written_out: dict[Node, str] = {}  # gates made for one in `unfold`: its name
        self.gates = 0  # constant ones too
        self.entries = 0  # of all values

    # ------------------------------------------------------------ the whole text

    def read(self, statements: Iterable[ast.stmt]) -> Graph:
        """The graph of let-lines and a result, in Python's syntax."""
        node = None
        last: ast.stmt | None = None
        found = Faults()
        with found.collected():  # a line that is no Python ends the reading
            for statement in statements:
                with found.collected(), self.looked_through(statement):
                    if isinstance(last, ast.Expr):
                        raise self.error(
                            last,
                            "only the last line may be a bare expression; give this line a name (z = ...)",
                        )
                    last, node = statement, None
                    self.lost |= _names_of(statement)
                    node = self.statement(statement)
                    self.lost -= _names_of(statement)
        found.end()
        if node is None and last is not None:
            raise _Lost
        if node is None:
            raise ReportError("the function is empty; write a formula such as x*w + b")
        if node.gate.form in CONDITIONS and last is not None:
            raise self.error(last, _IN_WHERE)
        return self.graph(node)

    @contextmanager
    def looked_through(self, statement: ast.stmt) -> Iterator[None]:
        """A line that uses what is lost is looked through for other names that are not known."""
        try:
            yield
        except _Lost:
            parts = list(ast.walk(statement))
            called = {part.func for part in parts if isinstance(part, ast.Call)}
            dotted = {part.value for part in parts if isinstance(part, ast.Attribute)}
            for part in parts:
                if not isinstance(part, ast.Name) or part in called | dotted:
                    continue
                if isinstance(part.ctx, ast.Load):
                    self.conditions.add(part)
                    with suppress(_Lost):
                        self.lookup(part)

    def graph(self, node: Node) -> Graph:
        """The graph whose result is `node`, after all of the text has been read."""
        entry = self.entry if node.shape else None
        if entry is not None:
            entry = entry or (0,) * len(node.shape)
            node = self.entry_of(node, entry)
        if self.source.unbounded:
            self.readings["inf is read as 10^9, of which nothing is left in the value"] = None
        if math.prod(node.shape) != 1:
            raise self.at(
                node,
                f"the function's result has shape {node.shape}; backpropagation starts from a single "
                "number: take sum(...), mean(...) or norm(...) of it (in a homework file also an entry: "
                f"entry = {[0] * len(node.shape)}, or jacobian = true)",
            )
        self.evaluate_constants()
        reached = set(topological(node))
        ordered = topological(*self.lets.values(), node)  # as the lines are written
        gates = tuple(n for n in ordered if n in reached and not n.is_input and not n.is_constant)
        if self.source.readings:
            self.check_masks(gates)
        return Graph(
            self.source.text,
            self.inputs,
            gates,
            node,
            self.lets,
            self.roles.names,
            entry=entry,
            unbounded=self.source.unbounded,
            readings=(*self.source.readings, *self.readings),
            written_out=self.written_out,
        )

    def at(self, node: Node, message: str) -> ReportError:
        """An error at the place of a node; without one where it has none, as an input."""
        if node.span is None:
            return ReportError(message) if self.whole is None else self.error(self.whole, message)
        return self.source.placed(message, *node.span[:2])

    def check_masks(self, gates: Iterable[Node]) -> None:
        """ReportError for a mask under ^, which may be meant as exclusive or."""
        masks = {self.inputs[n]: n for n, role in self.roles.names.items() if role == "mask"}
        for node in gates:
            name = next((masks[a] for a in node.args if a in masks), None)
            if node.gate.form is Form.POWER and name is not None:
                raise ReportError(
                    f"{name} is a mask, so its ^ can be read as a power or as exclusive or; write "
                    f"{name}**..., or where({name}, 1 - n, n)"
                )

    def entry_of(self, node: Node, entry: tuple[int, ...]) -> Node:
        """One entry of a result, from which backpropagation starts."""
        if len(entry) != len(node.shape) or any(
            not -n <= i < n for i, n in zip(entry, node.shape, strict=True)
        ):
            raise ReportError(f"entry {list(entry)}: the function's result has shape {node.shape}")
        made = make(GATES["index"], [node], {"key": Key(entry)}, later=True)
        made.span = node.span
        if made.value is not None:
            self.constants.append(made)
        return made

    def statement(self, statement: ast.stmt) -> Node:
        if isinstance(statement, ast.Expr):
            self.conditions, self.whole = set(), statement.value
            return self.node(statement.value)
        if not isinstance(statement, ast.Assign):
            raise self.error(statement, literals.refusal(statement))
        target = statement.targets[0]
        if len(statement.targets) > 1 or not isinstance(target, ast.Name):
            raise self.error(target, "a let-line has one plain name on the left: z = ...")
        name = target.id
        if name in self.inputs:
            raise self.error(target, f"{name!r} is an input; choose another name for this line")
        if name in self.lets:
            raise self.error(target, f"{name!r} was named on an earlier line; choose another name")
        try:
            check_name(name, "name")
        except ReportError as error:
            raise self.error(target, str(error)) from None
        self.conditions = {statement.value}  # a line may name a comparison
        node = self.node(statement.value)
        if node.name is None and not node.is_constant:
            node.name = name
        self.fresh.discard(node)
        self.names[name] = self.lets[name] = node
        return node

    # ------------------------------------------------------------ expressions

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
            raise self.error(e, _IN_WHERE, after=e.left)
        for op in e.ops:
            if type(op) not in _COMPARISONS:
                raise self.error(e, "only < <= > >= == != compare numbers", after=e.left)
        return [e.left, *e.comparators]

    def parts_of_index(self, e: ast.Subscript) -> list[ast.expr]:
        return [e.value, *(k for k in parts_of_index(e) if not literals.is_static(k))]

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
            raise self.error(e, _IN_WHERE)
        masks = (part for place, part in enumerate(call.operands) if roles.get(place) == "mask")
        self.conditions.update(masks)
        return call.operands

    # How a node is built from its parts.

    def is_euler(self, e: ast.expr) -> bool:
        """Whether an expression is Euler's number, the base of e**x."""
        return isinstance(e, ast.Name) and e.id == "e" and "e" not in self.names

    def operation(self, e: ast.BinOp, args: list[Node]) -> Node:
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

    def counted(self, e: ast.expr, condition: Node) -> Node:
        """A condition among numbers: 1 where it holds, else 0."""
        return self.apply(e, GATES["where"], [condition, constant(1), constant(0)])

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

    def unfolded(
        self, e: ast.expr, gate: Gate, args: list[Node], params: Mapping[str, Any]
    ) -> Node:
        """A gate written out in elementary ones, all at its own place in the formula."""
        assert gate.definition is not None
        leaves = [Plain(INPUT, shape=a.shape) for a in args]
        try:
            whole = gate.definition(*leaves, **params)
        except ReportError as error:
            raise self.error(e, f"{gate.name}: {error}") from None

        def applied(*made: Any) -> Node:
            node = self.apply(e, *made)
            if node not in args:
                self.written_out.setdefault(node, gate.family or gate.name)
            return node

        return put_in(whole, dict(zip(leaves, args, strict=True)), applied)

    def apply(
        self, e: ast.expr, gate: Gate, args: list[Node], params: dict[str, Any] | None = None
    ) -> Node:
        if (
            gate.form is Form.TRANSPOSE
            and len(args[0].shape) < 2
            and not any((params or {}).values())
        ):
            return args[0]  # a number has no axes, a vector with one is a column and a row
        if (gate.family or gate.name) in self.unfold and not all(a.is_constant for a in args):
            return self.unfolded(e, gate, args, params or {})
        try:
            node = make(gate, args, params, later=True)
        except ReportError as error:
            raise self.error(e, f"{gate.name}: {error}", after=getattr(e, "left", None)) from None
        node.span = self.source.place(e)
        if node.value is not None:
            self.constants.append(node)
        self.gates += 1
        if self.gates > MAX_GATES:
            raise self.error(e, f"the function has more than {MAX_GATES} gates")
        if node.shape:
            self.entries += math.prod(node.shape)
            if self.entries > MAX_TOTAL:
                raise self.error(e, f"all values together have more than {MAX_TOTAL} entries")
        return node

    def evaluate_constants(self) -> None:
        """Give the constants their values: after the reading, so that a fault in the text comes first."""
        for node in self.constants:
            values = [a.value for a in node.args]
            try:
                with np.errstate(all="ignore"):
                    node.value = node.gate.forward(*values, **node.params)
                because = "" if np.isfinite(node.value).all() else "it is too large for a float64"
                if because and is_outside(node.gate, values, node.params):
                    because = node.gate.domain
            except FAULTS:
                because = node.gate.domain
            if because:
                line, column, _ = node.span or (1, 0, 0)
                message = f"this constant is not a finite number: {because}"
                raise self.source.placed(message, line, column)

    # ------------------------------------------------------------ names and numbers

    def number(self, e: ast.Constant) -> Node:
        if isinstance(e.value, bool) or not isinstance(e.value, (int, float)):
            raise self.error(e, f"{ast.unparse(e)[:40]} is not a real number")
        try:
            number = float(e.value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.error(e, "this number is too large for a float64")
        return constant(number)

    def lookup(self, e: ast.Name) -> Node:
        if e.id in self.lost and e.id not in self.names:
            raise _Lost
        node = None if isinstance(e, LibraryName) else self.names.get(e.id)
        if node is None and e.id == "inf":
            return constant(self.source.infinite(e))
        if node is None and e.id == "lambda_":  # how the code has it
            node = self.names.get("lambda")
        if node is not None:
            if node.gate.form in CONDITIONS and e not in self.conditions:
                if e is self.whole:
                    raise self.error(e, f"{e.id!r} is a comparison: it stands inside where only")
                return self.counted(e, node)
            return node
        if e.id in CONSTANTS:
            return constant(CONSTANTS[e.id], name=e.id)
        if e.id in FORMS:
            raise self.error(e, f"{e.id!r} is a gate and needs its argument: {FORMS[e.id].usage}")
        if e.id in NUMBERS:
            raise self.error(e, f"there is no constant {e.id}; write {NUMBERS[e.id]}")
        if e.id in INSTEAD:
            raise self.error(e, call_arguments.unknown(e.id))
        near = self.product_of_names(e.id) or nearest(e.id, [*self.names, *CONSTANTS], 0.6)
        every = (*self.inputs, *sorted(self.missing))
        inputs, lets = (", ".join(list(names)[:12]) for names in (every, self.lets))
        known = f"; the inputs are: {inputs or 'none'}" + f"; named above are: {lets}" * bool(lets)
        raise self.error(e, f"unknown name {shown(e.id)}{near or known}")

    def product_of_names(self, name: str) -> str:
        """What a name that is not known may be meant for: Wx is W x, x_0 an entry of x."""
        for cut in range(1, len(name)):
            first, rest = name[:cut].rstrip("_"), name[cut:]
            if first in self.names and rest in self.names:
                return f"; a product is written {first} {rest}, or {first} @ {rest} of matrices"
            if first in self.names and rest.isdigit() and self.names[first].shape:
                return f"; an entry is written {first}[{rest}], counted from 0"
        return ""

    def error(self, e: ast.AST, message: str, after: ast.expr | None = None) -> ReportError:
        return self.source.error(e, message, after)


def _is_row(e: ast.expr) -> bool:
    """Whether a product of matrices and vectors begins with a transpose, as xᵀA does, or is one by @."""
    while isinstance(e, ast.BinOp) and isinstance(e.op, (*_UNSIGNED, ast.MatMult)):
        if isinstance(e.op, ast.MatMult):
            return True
        e = e.left
    return _is_transpose(e)


def _is_transpose(e: ast.expr) -> TypeGuard[ast.Attribute]:
    return isinstance(e, ast.Attribute) and e.attr == "T"


_PARTS: dict[type[ast.expr], Callable[[_Reader, Any], list[ast.expr]]] = {
    ast.BinOp: _Reader.parts_of_operation,
    ast.UnaryOp: _Reader.parts_of_sign,
    ast.Call: _Reader.parts_of_call,
    ast.Attribute: _Reader.parts_of_attribute,
    ast.Subscript: _Reader.parts_of_index,
    ast.Compare: _Reader.parts_of_comparison,
    ast.List: _Reader.parts_of_list,
}
_BUILDERS: dict[type[ast.expr], Callable[[_Reader, Any, list[Node]], Node]] = {
    ast.BinOp: _Reader.operation,
    ast.UnaryOp: _Reader.sign,
    ast.Call: _Reader.call,
    ast.Attribute: _Reader.attribute,
    ast.Subscript: _Reader.index,
    ast.Compare: _Reader.comparison,
    ast.List: _Reader.stacked,
}


def _of_two(name: str) -> str:
    """What a reduction is of two values."""
    return GATES[name].of_two if name in GATES else ""
