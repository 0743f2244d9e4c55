"""The backward pass of a program: the gradients in reverse order, each the sum of what consumers send back.

It is printed from the gate table's own rules: a rule called with names in place of numbers gives the
formula of one contribution.
"""

from __future__ import annotations

import ast
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from report.autodiff.by_entries import by_entries
from report.autodiff.form import Form
from report.autodiff.gates import GATES, fit_to
from report.autodiff.graph import (
    COMPUTED,
    INPUT,
    Graph,
    Node,
    Shape,
    constant,
    evaluate,
    make,
    of_graph,
)
from report.autodiff.simplify import is_filled
from report.autodiff.trace import Quantity
from report.program.array_code import unspread
from report.program.line_layout import WIDTH, CodeLine, commented
from report.program.output_code import gradients
from report.program.variables import Scope

EXACT = 1e-13  # relative, of what is computed from exact numbers
_SHAPE_AT = {"np.full": 0, "np.broadcast_to": 1, "np.reshape": 1, "scatter": 2}  # among arguments
MAX_TERMS = 4  # contributions to one gradient that stand in one line


def backward(scope: Scope) -> list[str]:
    """The lines of the backward pass."""
    lines = _Backward(scope)
    found = [line for q in gradients(scope) for line in lines.gradient(q)]
    if not found:
        return []
    f = scope.trace.letter
    title = f"# Backward pass: d_q is d{f}/dq, upstream gradient times local derivative"
    return [title, *commented(scope.renumbered(found))]


class _Backward:
    """The gradients in reverse order, each as the sum of what the value's consumers send back."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.trace = scope.trace
        self.by_name = {q.name: q for q in scope.quantities}
        self.rules = _rules_of(scope.trace.graph)
        self.value, self.slope = self.rules.value, self.rules.slope
        self.names = {self.value[node]: name for node, name in scope.names.items()}
        self.names |= {self.slope[node]: name for node, name in scope.slopes.items()}
        self.known = {self.value[q.node]: q.value for q in scope.quantities}
        self.known |= {self.slope[q.node]: q.gradient for q in scope.quantities}

    def gradient(self, q: Quantity) -> list[CodeLine]:
        """The statements for the gradient of one value, which has the shape of the value."""
        lines = self.statements(q)
        if self.scope.dialect == "numpy" and q.node.shape:
            shaped = _Shaped(q.node.shape, self.scope.names[q.node])
            for line in lines:
                shaped.visit(line.code)
                _in_one_array(line.code)
        return lines

    def statements(self, q: Quantity) -> list[CodeLine]:
        """The same, with the shape in numbers."""
        head = f"{self.scope.slopes[q.node]} = "
        if not q.contributions:
            one = q is self.trace.result
            filled = constant(np.full(q.node.shape, 1.0 if one else 0.0))
            code = self.scope.code(filled) if q.node.shape else ast.Constant(float(one))
            f = self.trace.letter
            none = f"{f} does not depend on" if q.node.is_input else "nothing flows back to"
            return [CodeLine(head, code, f"d{f}/d{f}" if one else f"{none} {q.name}")]
        parts = [(self.by_name[c.gate], c.argument) for c in q.contributions]
        terms = [
            self.contribution(consumer, place, c.value)
            for (consumer, place), c in zip(parts, q.contributions, strict=True)
        ]
        labels = [self.scope.label(consumer) for consumer, _ in parts]
        if len(terms) <= MAX_TERMS:
            lines = self.sum(head, terms)
            if len(terms) == 1 or (len(lines) == 1 and len(lines[0].text) <= WIDTH):
                names = dict.fromkeys(consumer.name for consumer, _ in parts)
                brief = f"by way of {', '.join(names)}" if len(names) > 1 else ""
                return _about(lines, ", ".join(dict.fromkeys(labels)), brief)
        lines = _about(self.sum(head, terms[:1]), labels[0])
        for term, label in zip(terms[1:], labels[1:], strict=True):
            lines += _about(self.more(q, term), label)
        return lines

    def sum(self, head: str, terms: list[Node]) -> list[CodeLine]:
        """The statement `head` a + b + ..., or a list of entries that were put in their places one by one."""
        if terms[0].shape:
            whole = by_entries(reduce(add, terms))
            if self.scope.dialect == "python" or whole.gate.form is Form.STACKED:
                return self.scope.lines(head, whole, self.names)
        if self.scope.dialect == "numpy":
            shape = np.broadcast_shapes(*(term.shape for term in terms))
            terms = unspread(terms, shape, self.names) if len(terms) > 1 else terms
        *before, line = self.scope.lines(head, terms[0], self.names)
        code = line.code
        for term in terms[1:]:
            *more, next_ = self.scope.lines("", term, self.names)
            before += more
            code = _plus(code, next_.code)
        return [*before, CodeLine(head, code)]

    def more(self, q: Quantity, term: Node) -> list[CodeLine]:
        """The statement that adds one more contribution to a gradient."""
        name = self.scope.slopes[q.node]
        if q.node.shape:  # not in place: another gradient may be the same array
            return self.sum(f"{name} = ", [self.slope[q.node], term])
        *before, line = self.sum(f"{name} += ", [term])
        if isinstance(line.code, ast.UnaryOp) and isinstance(line.code.op, ast.USub):
            line = CodeLine(f"{name} -= ", line.code.operand)
        return [*before, line]

    def contribution(self, consumer: Quantity, place: int, number: Any) -> Node:
        """What a gate sends back to one argument, which is `number`: as a textbook has it.

        Where that would lose digits, as s (1 - s) does for an s near 1, or have too large a number on
        the way, as it is computed.
        """
        part = self.plain(self.rules.part(consumer.node, place))
        if number is None or self.has_digits(part, number):
            return part
        return self.plain(self.rules.part(consumer.node, place, as_computed=True))

    def plain(self, node: Node) -> Node:
        """A formula as plain as these numbers allow.

        `ratio` is 0 where the divisor is 0: where it is not, a / b says the same, and so it does for
        1 / n times a. And b squared can be too large for a number where a / b / b is not; beside a 1,
        b * b is infinite where b ** 2 is an error in Python.
        """
        if node in self.names or node.is_constant:
            return node
        args = [self.plain(a) for a in node.args]
        if node.gate.form is Form.PRODUCT and _is_share(args[0]):
            return make(GATES["divide"], [args[1], args[0].args[1]])
        if node.gate.plain and (plain := node.gate.plain(*map(self.number, args))):
            return make(GATES[plain], args)
        below = node.args[1] if node.gate.form is Form.QUOTIENT else None
        if below is not None and below.gate.form is Form.POWER and self.is_infinite(below):
            base = self.plain(below.args[0])
            return make(GATES["divide"], [make(GATES["divide"], [args[0], base]), base])
        if node.gate.form is Form.POWER and self.is_infinite(node) and _is_squared(node):
            return make(GATES["multiply"], [args[0], args[0]])
        return node if args == list(node.args) else make(node.gate, args, node.params)

    def has_digits(self, part: Node, number: Any) -> bool:
        """Whether a part is computed as this number."""
        found = evaluate([part], self.known)
        ways = (v for node, v in found.items() if node not in self.known)
        if not all(np.all(np.isfinite(v)) for v in ways):
            return False
        return np.allclose(found[part], number, rtol=EXACT, atol=0)

    def is_infinite(self, node: Node) -> bool:
        return bool(np.any(np.isinf(self.number(node))))

    def number(self, node: Node) -> Any:
        return evaluate([node], self.known)[node]


class _Rules:
    """The rules of a graph's gates, called with names in place of numbers: the same for all its traces.

    `value` and `slope` are nodes that stand for a value and for a gradient which the program has computed.
    """

    def __init__(self, graph: Graph) -> None:
        nodes = (*graph.inputs.values(), *graph.nodes)
        self.value = {
            n: Node(INPUT, shape=n.shape, name=n.name if n.is_input else None) for n in nodes
        }
        self.slope = {n: Node(INPUT, shape=n.shape) for n in nodes}
        self._parts: dict[tuple[Node, int, bool], Node] = {}

    def part(self, node: Node, place: int, *, as_computed: bool = False) -> Node:
        """What a gate sends back to one argument, as a textbook has it or as it is computed."""
        key = node, place, as_computed
        if key not in self._parts:
            stand_ins = [self.value[n] for n in (node, *node.args) if n in self.value]
            for n in stand_ins if as_computed else ():
                n.gate = COMPUTED
            self._parts[key] = self._part(node, place)
            for n in stand_ins:
                n.gate = INPUT
        return self._parts[key]

    def _part(self, node: Node, place: int) -> Node:
        rule = node.gate.rules_for(len(node.args))[place]
        assert rule is not None
        upstream, y = self.slope[node], self.value[node]
        args = [a if a.is_constant else self.value[a] for a in node.args]
        if not node.gate.elementwise:
            return rule(upstream, y, *args, **node.params)
        local = rule(constant(1.0), y, *args, **node.params)
        if local.gate.form is Form.CHOICE:  # its rule is a choice, not a product
            product = rule(upstream, y, *args, **node.params)
        else:
            product = _times(upstream, local)
        return fit_to(product, args[place])


_rules_of = of_graph(_Rules)


class _Shaped(ast.NodeTransformer):
    """Write X.shape for the shape of an array that is made like X."""

    def __init__(self, shape: Shape, name: str) -> None:
        self.texts = {repr(shape), repr(shape[0])} if len(shape) == 1 else {repr(shape)}
        self.name = name

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        place = _SHAPE_AT.get(ast.unparse(node.func))
        if place is not None and ast.unparse(node.args[place]) in self.texts:
            node.args[place] = ast.Attribute(ast.Name(self.name, ast.Load()), "shape", ast.Load())
        return node


def _in_one_array(code: ast.expr) -> None:
    """Write np.array([[a, b], [c, d]]) for an array of arrays."""
    rows = _rows_of(code)
    for i, row in enumerate(rows):
        if inner := _rows_of(row):
            rows[i] = ast.List(inner, ast.Load())


def _rows_of(code: ast.expr) -> list[ast.expr]:
    match code:
        case ast.Call(ast.Attribute(attr="array"), [ast.List(rows)]):
            return rows
    return []


def _about(lines: list[CodeLine], comment: str, brief: str = "") -> list[CodeLine]:
    """Statements of which the last has a comment."""
    *before, last = lines
    return [*before, CodeLine(last.head, last.code, comment, brief)]


def _times(upstream: Node, local: Node) -> Node:
    """Upstream gradient times local derivative, as one writes it."""
    if is_filled(local, 0):
        return constant(np.zeros(upstream.shape))
    if is_filled(local, 1) and upstream.shape == np.broadcast_shapes(upstream.shape, local.shape):
        return upstream
    if is_filled(local, -1) and not local.shape:
        return make(GATES["negative"], [upstream])
    if _is_share(local):
        return make(GATES["divide"], [upstream, local.args[1]])
    return make(GATES["multiply"], [upstream, local])


def _is_squared(node: Node) -> bool:
    return len(node.args) == 1 or is_filled(node.args[1], 2)


def _is_share(node: Node) -> bool:
    """Whether a factor is 1/n, so that one divides instead."""
    return (
        node.gate.form is Form.QUOTIENT
        and is_filled(node.args[0], 1)
        and node.args[0].shape == ()
        and (not node.shape or node.args[1].shape == node.shape)
    )


def _plus(left: ast.expr, right: ast.expr) -> ast.expr:
    """left + right, written as a difference where right starts with a sign."""
    if isinstance(right, ast.UnaryOp) and isinstance(right.op, ast.USub):
        return ast.BinOp(left, ast.Sub(), right.operand)
    parents: list[ast.BinOp] = []
    first = right
    while isinstance(first, ast.BinOp) and isinstance(first.op, (ast.Mult, ast.Div)):
        parents.append(first)
        first = first.left
    if parents and isinstance(first, ast.UnaryOp) and isinstance(first.op, ast.USub):
        parents[-1].left = first.operand
        return ast.BinOp(left, ast.Sub(), right)
    return ast.BinOp(left, ast.Add(), right)
