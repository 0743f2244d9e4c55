"""Nodes as a formula is read: its names and numbers, and gates over arguments, each at its place in the text."""

from __future__ import annotations

import ast
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from report.autodiff.domain_errors import is_outside
from report.autodiff.form import CONDITIONS, Form
from report.autodiff.gates import GATES
from report.autodiff.gates.by_definition import put_in
from report.autodiff.gates.keys import entry_place
from report.autodiff.graph import (
    FAULTS,
    INPUT,
    Array,
    Gate,
    Node,
    Plain,
    constant,
    input_node,
    make,
)
from report.autodiff.inputs import CONSTANTS
from report.autodiff.parser import call_arguments
from report.autodiff.parser.dotted import LibraryName
from report.autodiff.parser.input_roles import Roles
from report.autodiff.parser.names import FORMS, INSTEAD, NUMBERS
from report.autodiff.parser.source import Places
from report.errors import ReportError, nearest, shown

MAX_GATES = 110_000
MAX_TOTAL = 50_000_000  # entries of all values together


class Lost(Exception):
    """A line uses one above that cannot be read, which has been said."""


class _Building:
    """What is known while a formula is read: its names, and the nodes that are made for it."""

    def __init__(
        self,
        source: Places,
        inputs: Mapping[str, Array],
        unfold: Collection[str],
    ) -> None:
        self.source = source
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
        self.picked: dict[tuple[Node, Any], Node] = {}  # single entries, by tensor and place
        self.gates = 0  # constant ones too
        self.entries = 0  # of all values

    # ------------------------------------------------------------ gates

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
        at = None
        if params and gate.form is Form.PICKED:
            at = entry_place(params["key"], args[0].shape)
        if at is not None and (args[0], at) in self.picked:
            return self.picked[args[0], at]  # an entry is one thing wherever it stands
        try:
            node = make(gate, args, params, later=True)
        except ReportError as error:
            raise self.error(e, f"{gate.name}: {error}", after=getattr(e, "left", None)) from None
        node.span = self.source.place(e)
        if at is not None:
            self.picked[args[0], at] = node
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

    def counted(self, e: ast.expr, condition: Node) -> Node:
        """A condition among numbers: 1 where it holds, else 0."""
        return self.apply(e, GATES["where"], [condition, constant(1), constant(0)])

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
            raise Lost
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
