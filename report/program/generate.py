"""Trace -> the source of a program for one question: inputs, forward pass, backward pass, output, check.

The backward pass is printed from the gate table's own rules: a rule called with names in place of
numbers gives the formula of one contribution, and the gradient of a value is the sum of what its
consumers send back.
"""

from __future__ import annotations

import ast
import functools
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from report.autodiff.gates import GATES, fit_to
from report.autodiff.graph import COMPUTED, INPUT, Node, constant, evaluate, make
from report.autodiff.simplify import is_filled
from report.autodiff.trace import Quantity, Trace
from report.program import check_plan, gradient_check, list_code, output_code
from report.program.library import FUNCTIONS, source
from report.program.line_layout import WIDTH, CodeLine, commented, literal
from report.program.variables import Dialect, Scope

MAX_NUMBERS = 50_000  # in a program's inputs, gates and gradients together
MAX_STEPS = 1_000_000  # of explicit loops, in one forward pass
EXACT = 1e-13  # relative, of what is computed from exact numbers
MAX_TERMS = 4  # contributions to one gradient that stand in one line
_INDEX = re.compile(r"\[[^\[\]]{0,40}\]")
_MATH, _COMMAND = re.compile(r"\$([^$]*)\$"), re.compile(r"\\([A-Za-z]+) ?")
MAX_FORMULA = 30  # lines of the function in the program's docstring


MAX_NUMBERS = 50_000  # in a program's inputs, gates and gradients together


MAX_STEPS = 1_000_000  # of explicit loops, in one forward pass


@dataclass(frozen=True)
class Program:
    """A program for one question; where a dialect is not possible, `reason` says why."""

    name: str
    dialect: Dialect
    source: str
    reason: str = ""

    @property
    def command(self) -> str:
        """How a reader runs it."""
        return f"$ python3 {self.name}"


def generate(
    trace: Trace,
    *,
    dialect: Dialect,
    name: str = "program.py",
    title: str = "Backpropagation through a computational graph",
) -> Program:
    """The program of a trace: with the standard library alone ("python") or vectorised ("numpy").

    The program's `source` is empty and its `reason` tells why when a gate has no readable code in the
    dialect, or when there are more numbers than a listing can hold or loops can work through.
    """
    numbers = sum(
        int(np.size(q.value)) * (2 if q.gradient is not None else 1)
        for q in (*trace.inputs, *trace.gates)
    )
    if numbers > MAX_NUMBERS:
        return Program(name, dialect, "", f"{numbers} numbers are too many for a listing")
    steps = list_code.steps(trace.graph.nodes)
    if dialect == "python" and steps > MAX_STEPS:
        return Program(name, dialect, "", f"explicit loops would take {steps} steps")
    try:
        return Program(name, dialect, _source(trace, dialect, title))
    except list_code.Unprintable as error:
        return Program(name, dialect, "", str(error))


def _source(trace: Trace, dialect: Dialect, title: str) -> str:
    """The source; raises `Unprintable` when a gate has no code in the dialect."""
    scope = Scope(trace, dialect)
    plan = check_plan.plan(trace, list_code.steps(trace.graph.nodes) if dialect == "python" else 0)
    body = [*_inputs(scope), *_forward(scope), *_Backward(scope).lines()]
    body += output_code.statements(scope)
    defined = output_code.definitions(scope)
    if plan:
        defined = [*gradient_check.definitions(scope, plan), *defined]
        body += gradient_check.statements(scope, plan)
    used = _names("\n".join([*defined, *body]))
    functions = _functions(scope, used)
    for name in functions:
        used |= _names_in(dialect, name)
    modules = {"math": ["import math", ""], "np": ["import numpy as np", ""]}
    imports = [line for name, text in modules.items() if name in used for line in text]
    helpers = [line for name in functions for line in ("", *source(dialect, name).splitlines(), "")]
    lines = [*_docstring(scope, title), "", *imports, *helpers, *defined, *body]
    return "\n".join(lines).rstrip() + "\n"


def _names(source: str) -> frozenset[str]:
    """The names of variables, functions and attributes in a piece of a program."""
    codes = [compile(source, "", "exec")]
    names: set[str] = set()
    for code in codes:
        names.update(code.co_names)
        codes += [c for c in code.co_consts if isinstance(c, CodeType)]
    return frozenset(names)


@functools.cache
def _names_in(dialect: Dialect, function: str) -> frozenset[str]:
    return _names(source(dialect, function))


def _functions(scope: Scope, used: frozenset[str]) -> list[str]:
    """The gates' functions that are called and those that these call, in the order of definition."""
    functions = FUNCTIONS[scope.dialect]
    found: set[str] = set()
    while used := (used & functions.keys()) - found:
        found |= used
        used = frozenset().union(*(_names_in(scope.dialect, name) for name in used))
    return [name for name in functions if name in found]


def _docstring(scope: Scope, title: str) -> list[str]:
    how = "with the standard library alone"
    if scope.dialect == "numpy":
        how = "vectorised with NumPy"
    about = (
        f"Backpropagation through the computational graph of {scope.trace.letter}, {how}: the forward pass computes "
        "each gate; the backward pass, in reverse order, multiplies the upstream gradient of each "
        "gate by its local derivative."
    )
    shown = "".join(c if c.isprintable() else " " for c in title)
    words = _MATH.sub(lambda found: _COMMAND.sub(r"\1", found[1]), shown)  # $\pi/180$ is pi/180
    plain = " ".join(words.replace("\\", "/").replace('"', "'").split()) or "A program"
    function = [
        line.replace("\xa0", " ")
        for part in _formula(scope)
        for line in textwrap.wrap(
            _INDEX.sub(lambda index: index[0].replace(" ", "\xa0"), part),  # not to be broken
            WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8, break_on_hyphens=False,
        )
    ]  # fmt: skip
    if len(function) > MAX_FORMULA:
        function = [f"    {scope.trace.letter}, a function of {len(scope.trace.gates)} gates"]
    heading = textwrap.shorten(plain, WIDTH - 4, placeholder=" ...")
    return [f'"""{heading}', "", *function, "", *textwrap.wrap(about, WIDTH), '"""']


def _formula(scope: Scope) -> list[str]:
    """The function as it was given, a line for each statement, without comments."""
    source = textwrap.dedent(scope.trace.function)
    *lets, last = ast.parse(source).body
    assert isinstance(last, (ast.Assign, ast.Expr))
    statements = []
    rows = source.split("\n")
    parts: list[ast.stmt | ast.expr] = [*lets, last.value]
    for part in parts:
        first, final = part.lineno - 1, (part.end_lineno or 0) - 1
        lines = rows[first : final + 1]
        lines[-1] = lines[-1][: part.end_col_offset]  # code is ASCII: columns are bytes
        lines[0] = lines[0][part.col_offset :]
        lines = [line.split("#", 1)[0].strip(" \t\\") for line in lines]
        statements.append(" ".join(filter(None, lines)))
    arguments = ", ".join(q.name for q in scope.trace.inputs)
    statements[-1] = f"{scope.trace.letter}({arguments}) = {statements[-1]}"
    return statements


# ---------------------------------------------------------------- inputs and forward pass


def _inputs(scope: Scope) -> list[str]:
    lines = ["", "# Inputs"] if scope.trace.inputs else []
    for q in scope.trace.inputs:
        value = np.asarray(q.value)
        if q.name in scope.trace.graph.integers and np.all(value == np.floor(value)):
            value = value.astype(int)
        if scope.dialect == "numpy" and q.node.shape:
            lines += literal(f"{scope.names[q.node]} = np.array(", value, ")")
        else:
            lines += literal(f"{scope.names[q.node]} = ", value)
    return lines


def _forward(scope: Scope) -> list[str]:
    lines: list[CodeLine] = []
    for q in scope.trace.gates:
        head = f"{scope.names[q.node]} = "
        names = {a: scope.names[a] for a in q.node.args if a in scope.names}
        lines += scope.lines(head, q.node, names, _hints(q.node.args))
    lines = scope.renumbered(lines)
    return ["", "# Forward pass: one gate a line", *commented(lines)] if lines else []


def _hints(args: Iterable[Node]) -> dict[Node, str]:
    """Letters for an entry: x for the only tensor among the arguments of a gate, a and b for two."""
    tensors = [a for a in dict.fromkeys(args) if a.shape]
    letters = ["xvt"] if len(tensors) == 1 else ["ap", "bq", "cr"]
    return dict(zip(tensors, letters, strict=False))


# ---------------------------------------------------------------- backward pass


class _Backward:
    """The gradients in reverse order, each as the sum of what the value's consumers send back."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.trace = scope.trace
        self.by_name = {q.name: q for q in scope.quantities}
        # Nodes that stand for a value and for a gradient which the program has already computed.
        self.value = {
            q.node: Node(INPUT, shape=q.node.shape, name=q.name if q.node.is_input else None)
            for q in scope.quantities
        }
        self.slope = {q.node: Node(INPUT, shape=q.node.shape) for q in scope.quantities}
        self.names = {self.value[node]: name for node, name in scope.names.items()}
        self.names |= {self.slope[node]: name for node, name in scope.slopes.items()}

    def lines(self) -> list[str]:
        lines = [line for q in output_code.gradients(self.scope) for line in self.gradient(q)]
        if not lines:
            return []
        f = self.trace.letter
        title = f"# Backward pass: d_q is d{f}/dq, upstream gradient times local derivative"
        return ["", title, *commented(self.scope.renumbered(lines))]

    def gradient(self, q: Quantity) -> list[CodeLine]:
        """The statements for the gradient of one value."""
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
        hints: dict[Node, str] = {}
        for consumer, _ in parts:
            hints |= {self.slope[consumer.node]: "gu", self.value[consumer.node]: "yv"}
            hints |= _hints(self.value[a] for a in consumer.node.args if a in self.value)
        labels = [self.scope.label(consumer) for consumer, _ in parts]
        if len(terms) <= MAX_TERMS:
            lines = self.sum(head, terms, hints)
            if len(terms) == 1 or (len(lines) == 1 and len(lines[0].text) <= WIDTH):
                names = dict.fromkeys(consumer.name for consumer, _ in parts)
                brief = f"by way of {', '.join(names)}" if len(names) > 1 else ""
                return _about(lines, ", ".join(dict.fromkeys(labels)), brief)
        lines = _about(self.sum(head, terms[:1], hints), labels[0])
        for term, label in zip(terms[1:], labels[1:], strict=True):
            lines += _about(self.more(q, term, hints), label)
        return lines

    def sum(self, head: str, terms: list[Node], hints: dict[Node, str]) -> list[CodeLine]:
        """The statement `head` a + b + ..."""
        if self.scope.dialect == "python" and terms[0].shape:
            total = terms[0]
            for term in terms[1:]:
                total = total + term
            return self.scope.lines(head, total, self.names, hints)
        *before, line = self.scope.lines(head, terms[0], self.names, hints)
        code = line.code
        for term in terms[1:]:
            *more, next_ = self.scope.lines("", term, self.names, hints)
            before += more
            code = _plus(code, next_.code)
        return [*before, CodeLine(head, code)]

    def more(self, q: Quantity, term: Node, hints: dict[Node, str]) -> list[CodeLine]:
        """The statement that adds one more contribution to a gradient."""
        name = self.scope.slopes[q.node]
        if q.node.shape:  # not in place: another gradient may be the same array
            return self.sum(f"{name} = ", [self.slope[q.node], term], hints)
        *before, line = self.sum(f"{name} += ", [term], hints)
        if isinstance(line.code, ast.UnaryOp) and isinstance(line.code.op, ast.USub):
            line = CodeLine(f"{name} -= ", line.code.operand)
        return [*before, line]

    def contribution(self, consumer: Quantity, place: int, number: Any) -> Node:
        """What a gate sends back to one argument, which is `number`: as a textbook has it.

        Where that would lose digits, as s (1 - s) does for an s near 1, as it is computed.
        """
        part = self.part(consumer, place)
        if number is None or np.allclose(self.number(part), number, rtol=EXACT, atol=0):
            return part
        node = consumer.node
        stand_ins = [self.value[n] for n in (node, *node.args) if n in self.value]
        for n in stand_ins:
            n.gate = COMPUTED
        exact = self.part(consumer, place)
        for n in stand_ins:
            n.gate = INPUT
        return exact

    def part(self, consumer: Quantity, place: int) -> Node:
        """What a gate sends back to one argument: its rule, called with names in place of numbers."""
        node = consumer.node
        rule = node.gate.rules_for(len(node.args))[place]
        assert rule is not None
        upstream, y = self.slope[node], self.value[node]
        args = [a if a.is_constant else self.value[a] for a in node.args]
        if node.gate.elementwise:
            local = rule(constant(1.0), y, *args, **node.params)
            if local.gate.name == "where":  # its rule is a choice, not a product
                product = rule(upstream, y, *args, **node.params)
            else:
                product = _times(upstream, local)
            part = fit_to(product, args[place])
        else:
            part = rule(upstream, y, *args, **node.params)
        return self.plain(part)

    def plain(self, node: Node) -> Node:
        """A formula as plain as these numbers allow.

        `ratio` is 0 where the divisor is 0: where it is not, a / b says the same, and so it does for
        1 / n times a. And b squared can be too large for a number where a / b / b is not.
        """
        if node in self.names or node.is_constant:
            return node
        args = [self.plain(a) for a in node.args]
        if node.gate.name == "multiply" and _is_share(args[0]):
            return make(GATES["divide"], [args[1], args[0].args[1]])
        if node.gate.name == "ratio" and np.all(self.number(args[1]) != 0):
            return make(GATES["divide"], args)
        if node.gate.name == "divide" and args[1].gate.name in {"power", "square"}:
            base = args[1].args[0]
            if np.any(np.isinf(self.number(args[1]))):
                return make(GATES["divide"], [make(GATES["divide"], [args[0], base]), base])
        return node if args == list(node.args) else make(node.gate, args, node.params)

    def number(self, node: Node) -> Any:
        known = {self.value[q.node]: q.value for q in self.scope.quantities}
        known |= {
            self.slope[q.node]: q.gradient for q in self.scope.quantities if q.gradient is not None
        }
        return evaluate([node], known)[node]


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


def _is_share(node: Node) -> bool:
    """Whether a factor is 1/n, so that one divides instead."""
    return (
        node.gate.name == "divide"
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
