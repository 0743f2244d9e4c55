"""The source of a program for one question: inputs, forward pass, backward pass, output, check.

The backward pass is printed from the gate table's own rules: a rule called with names in place of
numbers gives the formula of one contribution, and the gradient of a value is the sum of what its
consumers send back.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import keyword
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from report.gates import GATES, fit_to
from report.graph import INPUT, Node, constant, make
from report.identities import is_filled
from report.printers import difference, loops
from report.printers.python import LoopPrinter, NumpyPrinter, formula
from report.printers.source import WIDTH, call, literal, statement, text
from report.tracing import Quantity, Trace

Dialect = Literal["python", "numpy"]
DIGITS = 12  # significant digits that a program prints
MAX_TERMS = 4  # contributions to one gradient that stand in one line
MAX_LABEL = 44  # columns of a gate's name and formula in the output
LONG = 72  # columns of an expression in the function, about

_OWN_NAMES = {"number", "pairs", "point", "rows", "show", "slope"}
_MISREAD = {"l", "O", "I"}  # too like 1 and 0, say style guides
_RESERVED = {*dir(builtins), *keyword.kwlist, "math", "np", *_OWN_NAMES, *_MISREAD}
_RESERVED |= {name for functions in loops.HELPERS.values() for name in functions}


def program(trace: Trace, dialect: Dialect, title: str) -> str:
    """The source; raises `loops.Unprintable` when a gate has no code in the dialect."""
    return _Writer(trace, dialect).source(title)


@dataclass(frozen=True)
class Line:
    """A statement `head` code, with what it is about."""

    head: str
    code: ast.expr
    comment: str = ""

    @property
    def width(self) -> int:
        """Columns of the statement in one line."""
        return len(self.head) + len(text(self.code))


class _Writer:
    def __init__(self, trace: Trace, dialect: Dialect) -> None:
        self.trace = trace
        self.graph = trace.graph
        self.dialect = dialect
        self.quantities = (*trace.inputs, *trace.gates)
        self.by_name = {q.name: q for q in self.quantities}
        self.taken = set(_RESERVED)
        self.names = {q.node: self.claim(q.name) for q in self.quantities}
        self.slopes = {q.node: self.claim(f"d_{self.names[q.node]}") for q in self.quantities}
        self.f = next(n for n in ("f", "function", "the_function", "f_") if n not in self.taken)
        self.taken.add(self.f)
        self.told = {q.node: q.name for q in self.quantities}  # the trace's own names
        self.leaves: dict[Node, Node] = {}
        self.upstream: dict[Node, Node] = {}
        self.checked = difference.plan(trace)

    def claim(self, wanted: str) -> str:
        """A name for a variable that no other thing in the program has."""
        while wanted in self.taken:
            wanted += "_"
        self.taken.add(wanted)
        return wanted

    # ------------------------------------------------------------ the whole text

    def source(self, title: str) -> str:
        inputs = self.inputs()
        forward = self.forward()
        backward = self.backward()
        output = self.output()
        definitions = [*self.function(), *self.slope()] if self.checked else []
        definitions += self.printing()
        check = self.check() if self.checked else []
        body = [*inputs, *forward, *backward, *output, *check]
        helpers = self.helpers(_names([*definitions, *body]))
        lines = [*helpers, *definitions, *body]
        library, line = (
            ("np", "import numpy as np") if self.dialect == "numpy" else ("math", "import math")
        )
        imports = [line, ""] if library in _names(lines) else []
        return "\n".join([*self.docstring(title), "", *imports, *lines]).rstrip() + "\n"

    def docstring(self, title: str) -> list[str]:
        how = (
            "vectorised with NumPy"
            if self.dialect == "numpy"
            else "with the standard library alone"
        )
        function = [line.split("#", 1)[0].rstrip() for line in self.graph.text.splitlines()]
        function = [line for line in function if line.strip()]
        lines = textwrap.dedent("\n".join(function)).splitlines()
        arguments = ", ".join(q.name for q in self.trace.inputs)
        lines[-1] = f"f({arguments}) = {lines[-1].partition('=')[2].strip() or lines[-1]}"
        shown: list[str] = []
        for line in lines:
            shown += textwrap.wrap(
                line, WIDTH, initial_indent="    ", subsequent_indent="        ",
                break_on_hyphens=False,
            )  # fmt: skip
        text = (
            f"Backpropagation through the computational graph of f, {how}: the forward pass "
            "computes each gate; the backward pass, in reverse order, multiplies the upstream "
            "gradient of each gate by its local derivative."
        )
        return [
            f'"""{_one_line(title)}', "", *shown, "", *textwrap.wrap(text, WIDTH), '"""'
        ]  # fmt: skip

    def helpers(self, used: set[str]) -> list[str]:
        """The functions that the program calls, and those that these call."""
        functions = loops.HELPERS[self.dialect]
        found: set[str] = set()
        while used := (used & functions.keys()) - found:
            found |= used
            used = set().union(*(_names(functions[name].splitlines()) for name in used))
        lines: list[str] = []
        for name, source in functions.items():
            if name in found:
                lines += ["", *source.splitlines(), ""]
        return lines

    # ------------------------------------------------------------ inputs and forward pass

    def inputs(self) -> list[str]:
        lines = ["", "# Inputs"] if self.trace.inputs else []
        for q in self.trace.inputs:
            name = self.names[q.node]
            if self.dialect == "numpy" and q.node.shape:
                lines += literal(f"{name} = np.array(", q.value, ")")
            else:
                lines += literal(f"{name} = ", q.value)
        return lines

    def forward(self) -> list[str]:
        lines = ["", "# Forward pass: one gate a line"] if self.trace.gates else []
        for q in self.trace.gates:
            lines += self.gate(q)
        return lines

    def gate(self, q: Quantity) -> list[str]:
        names = {a: self.names[a] for a in q.node.args if a in self.names}
        printer = self.printer(names, _hints(q.node.args))
        return statement(f"{self.names[q.node]} = ", printer.code(q.node))

    def printer(self, names: dict[Node, str], hints: dict[Node, str]) -> Any:
        if self.dialect == "numpy":
            return NumpyPrinter(names)
        fresh = (self.claim(f"s{n}") for n in itertools.count(1))
        return LoopPrinter(
            names, lambda node: hints.get(node, ""), lambda: next(fresh), self.names.values()
        )

    # ------------------------------------------------------------ backward pass

    def backward(self) -> list[str]:
        lines: list[Line] = []
        for q in (*reversed(self.trace.gates), *self.trace.inputs):
            if q.gradient is not None:
                lines += self.gradient(q)
        if not lines:
            return []
        title = "# Backward pass: d_q stands for df/dq, upstream gradient times local derivative"
        return ["", title, *_commented(lines)]

    def gradient(self, q: Quantity) -> list[Line]:
        """The gradient of one value: the sum of what its consumers send back."""
        name = self.slopes[q.node]
        parts = [(self.by_name[c.gate], c.argument) for c in q.contributions]
        if q is self.trace.result and not parts:
            return [Line(f"{name} = ", self.filled(q.node, 1.0), "df/df")]
        if not parts:
            comment = f"f does not depend on {q.name}" if q.node.is_input else ""
            return [Line(f"{name} = ", self.filled(q.node, 0.0), comment)]
        about = list(dict.fromkeys(self.label(consumer) for consumer, _ in parts))
        comment = ", ".join(about)
        terms = [self.contribution(consumer, place) for consumer, place in parts]
        names, hints = self.known(q, [consumer for consumer, _ in parts])
        if len(terms) <= MAX_TERMS:
            lines = self.sum_of(f"{name} = ", terms, names, hints, comment)
            if len(terms) == 1 or lines[-1].width <= WIDTH:
                return lines
        lines = self.sum_of(f"{name} = ", terms[:1], names, hints, about[0])
        own = Node(INPUT, shape=q.node.shape, name=name)
        for (consumer, _), term in zip(parts[1:], terms[1:], strict=True):
            label = self.label(consumer)
            if q.node.shape:
                lines += self.sum_of(f"{name} = ", [own, term], names | {own: name}, hints, label)
            else:
                lines += self.sum_of(f"{name} += ", [term], names, hints, label)
        return lines

    def sum_of(
        self,
        head: str,
        terms: list[Node],
        names: dict[Node, str],
        hints: dict[Node, str],
        comment: str,
    ) -> list[Line]:
        printer = self.printer(names, hints)
        if self.dialect == "python" and terms[0].shape:
            total = terms[0]
            for term in terms[1:]:
                total = total + term
            code = printer.code(total)
        else:
            code = printer.code(terms[0])
            for term in terms[1:]:
                code = _plus(code, printer.code(term))
        before = [Line(f"{n} = ", c) for n, c in getattr(printer, "before", ())]
        return [*before, Line(head, code, comment)]

    def known(
        self, q: Quantity, consumers: list[Quantity]
    ) -> tuple[dict[Node, str], dict[Node, str]]:
        """The names of what a gradient is computed from, and short names for single entries."""
        names: dict[Node, str] = {}
        hints: dict[Node, str] = {}
        for consumer in consumers:
            node = consumer.node
            names[self.upstream[node]] = self.slopes[node]
            names[self.leaves[node]] = self.names[node]
            hints |= {self.upstream[node]: "gu", self.leaves[node]: "yv"}
            for arg in node.args:
                if arg in self.names:
                    names[self.leaves[arg]] = self.names[arg]
            hints |= _hints([self.leaves[a] for a in node.args if a in self.names])
        return names, hints

    def contribution(self, consumer: Quantity, place: int) -> Node:
        """What a gate sends back to one argument: its rule, called with names instead of numbers."""
        node = consumer.node
        gate, arg = node.gate, node.args[place]
        upstream = self.leaf(node, self.upstream, self.slopes[node])
        y = self.leaf(node, self.leaves, consumer.name)
        args = [a if a.is_constant else self.leaf(a, self.leaves, "") for a in node.args]
        rule = gate.rules_for(len(args))[place]
        assert rule is not None
        if not gate.elementwise:
            return rule(upstream, y, *args, **node.params)
        local = rule(constant(1.0), y, *args, **node.params)
        part = _times(upstream, local)
        return fit_to(part, arg)

    def leaf(self, node: Node, among: dict[Node, Node], name: str) -> Node:
        if node not in among:
            among[node] = Node(INPUT, shape=node.shape, name=name)
        return among[node]

    def filled(self, node: Node, value: float) -> ast.expr:
        if not node.shape:
            return ast.Constant(value)
        printer = self.printer({}, {})
        return printer.code(constant(np.full(node.shape, value)))

    def label(self, q: Quantity) -> str:
        """A gate as the report writes it: q1 = x1 * w1."""
        return f"{q.name} = {formula(q.node, self.told)}"

    # ------------------------------------------------------------ the function itself

    def function(self) -> list[str]:
        """The function as it was written, in as few lines as are readable."""
        body = _Body(self).lines()
        head = call(self.f, [self.names[q.node] for q in self.trace.inputs], "def ", ":")
        about = '    """The function as it is written, for the check by central differences."""'
        return ["", *head, about, *body, ""]

    # ------------------------------------------------------------ output

    def printing(self) -> list[str]:
        """The functions that print, fitted to the numbers that the trace has."""
        shown = [q.value for q in self.trace.gates] or [self.trace.value]
        shown += [q.gradient for q in self.quantities if q.gradient is not None]
        texts = [f"{x:#.{DIGITS}g}" for value in shown for x in np.asarray(value).flat]
        whole = max(len(t.partition(".")[0]) for t in texts) + 2
        rest = max(len(t.partition(".")[2]) for t in texts)
        zero = any(np.any(np.asarray(value) == 0) for value in shown)
        width = self.label_width()
        columns = max((np.shape(v)[-1] for v in shown if np.ndim(v)), default=0)
        if not columns:
            return [
                "",
                "def show(name, x):",
                f'    """Print a name and its number: {DIGITS} significant digits, points aligned."""',
                f'    whole, _, rest = f"{{x{" + 0" * zero}:#.{DIGITS}g}}".partition(".")',
                f'    print(f"  {{name:<{width}}}  {{whole:>{whole}}}.{{rest}}")',
                "",
            ]
        lines = [
            "",
            "def number(x):",
            f'    """{DIGITS} significant digits, in a column with the point at its place."""',
            f'    whole, _, rest = f"{{x{" + 0" * zero}:#.{DIGITS}g}}".partition(".")',
            f'    return f"{{whole:>{whole}}}.{{rest:<{rest}}}"',
            "",
            "",
            "def show(name, x):",
        ]
        line = f'print(f"  {{name:<{width}}}  {{number(x)}}".rstrip())'
        fitting = max(1, (WIDTH - 2) // (whole + 1 + rest))
        lines += ['    """Print a name and its number, or the rows of a tensor below it."""']
        tensor = "isinstance(x, list)" if self.dialect == "python" else "np.ndim(x)"
        rows = "rows(x)" if self.dialect == "python" else "np.reshape(x, (-1, x.shape[-1]))"
        lines += [
            f"    if not {tensor}:",
            "        " + line,
            "        return",
            '    print(f"  {name}")',
            f"    for row in {rows}:",
        ]
        if columns <= fitting:
            lines += ['        print(("  " + "".join(map(number, row))).rstrip())', ""]
        else:
            lines += [
                f"        for i in range(0, len(row), {fitting}):",
                f"            part = row[i:i + {fitting}]",
                '            print(("  " + "".join(map(number, part))).rstrip())',
                "",
            ]
        return lines

    def label_width(self) -> int:
        labels = [name for name, q in self.shown() if not q.node.shape]
        return max((len(name) for name in labels if len(name) <= MAX_LABEL), default=8)

    def shown(self) -> list[tuple[str, Quantity]]:
        """What is printed, in order: the gates forward, then the gradients backward."""
        forward = [(self.entry(self.label(q), q.name, q), q) for q in self.trace.gates]
        backward = [
            (self.entry(f"df/d{q.name}", f"df/d{q.name}", q), q)
            for q in (*reversed(self.trace.gates), *self.trace.inputs)
            if q.gradient is not None
        ]
        return forward + backward

    def entry(self, text: str, short: str, q: Quantity) -> str:
        """A line's name in the output: with the formula where there is room, with a tensor's shape."""
        shape = f"  {q.node.shape}" if q.node.shape else ""
        return (text if len(text) <= MAX_LABEL else short) + shape

    def output(self) -> list[str]:
        shown = self.shown()
        gates = len(self.trace.gates)
        lines = ["", "# Output", 'print("forward pass")']
        for name, q in shown[:gates]:
            lines += call("show", [f'"{name}"', self.names[q.node]])
        if not gates:
            value = self.printer(self.names, {}).code(self.graph.result)
            lines += statement('show("f", ', value, ")")
        if shown[gates:]:
            lines += ["print()", 'print("backward pass")']
        for name, q in shown[gates:]:
            lines += call("show", [f'"{name}"', self.slopes[q.node]])
        return lines

    # ------------------------------------------------------------ check

    def slope(self) -> list[str]:
        assert self.checked is not None
        h = f"{self.checked.h:g}".replace("e-0", "e-")
        step = (
            f"{h} * (abs(value) or 1.0)" if self.checked.relative else f"{h} * max(1.0, abs(value))"
        )
        return [
            "",
            "def slope(cells, i):",
            f'    """Central difference: {self.f} with cells[i] a little higher and lower."""',
            "    value = cells[i]",
            f"    h = {step}",
            "    cells[i] = value + h",
            f"    above = {self.f}(*point)",
            "    cells[i] = value - h",
            f"    below = {self.f}(*point)",
            "    cells[i] = value",
            "    return (above - below) / (2 * h)",
            "",
        ]

    def check(self) -> list[str]:
        assert self.checked is not None
        names = [self.names[q.node] for q in self.trace.inputs]
        lines = ["", "# Check: every gradient again, as a central difference of " + self.f]
        lines += statement("point = ", _expression(f"[{', '.join(names)}]"))
        scalars, tensors = [], []
        for checked in self.checked.inputs:
            q = checked.quantity
            name, slope = self.names[q.node], self.slopes[q.node]
            if not q.node.shape:
                scalars.append(f"({slope}, slope(point, {names.index(name)}))")
            else:
                tensors.append((self.pairs(checked, name, slope), checked.kinks))
        if scalars:
            lines += statement("pairs = ", _expression(f"[{', '.join(scalars)}]"))
        for i, (pairs, kinks) in enumerate(tensors):
            if kinks:
                lines.append("# but for the kinks of f, where it has no slope on both sides")
            lines += statement("pairs += " if scalars or i else "pairs = ", pairs)
        error = "max(abs(a - b) for a, b in pairs)"
        what = "largest difference"
        if not self.checked.vanishing:
            lines.append("# relative to the largest entry of the gradient")
            lines.append("scale = max(abs(a) for a, _ in pairs)")
            what = "largest relative difference"
            error += " / scale"
        lines += [
            f"error = {error}",
            "print()",
            'print("check by central differences")',
            f'print(f"  {"entries compared":<{len(what)}}  {{len(pairs)}}")',
            f'print(f"  {what}  {{error:.1e}}")',
        ]
        return lines

    def pairs(self, checked: difference.Checked, name: str, slope: str) -> ast.expr:
        """All entries of an input: what backpropagation gives, and the central difference."""
        shape = checked.quantity.node.shape
        letters = [c for c in "ijkmnpqr" if c not in (name, slope)][: len(shape)]
        loops_ = " ".join(
            f"for {c} in range({n})" if s == 1 else f"for {c} in range(0, {n}, {s})"
            for c, n, s in zip(letters, shape, checked.strides, strict=True)
        )
        place = letters[0] if len(letters) == 1 else f"({', '.join(letters)})"
        if self.dialect == "numpy":
            pair = f"({slope}[{place}], slope({name}, {place}))"
        else:
            *outer, last = letters
            rows = "".join(f"[{c}]" for c in outer)
            pair = f"({slope}{rows}[{last}], slope({name}{rows}, {last}))"
        kinks = [p[0] if len(p) == 1 else p for p in checked.kinks]
        where = f" if {place} not in {kinks}" if kinks else ""
        return _expression(f"[{pair} {loops_}{where}]")


class _Body:
    """The body of the function: the formula in few lines, with names for let-lines and repeats."""

    def __init__(self, writer: _Writer) -> None:
        self.writer = writer
        self.names = {q.node: writer.names[q.node] for q in writer.trace.inputs}
        self.text: list[str] = []
        self.length: dict[Node, int] = {}

    def lines(self) -> list[str]:
        result = self.writer.graph.result
        uses: dict[Node, int] = {}
        for node in self.writer.graph.nodes:
            for arg in node.args:
                uses[arg] = uses.get(arg, 0) + 1
        for node in self.writer.graph.nodes:
            self.shorten(node)
            if node is not result and (node.name or uses[node] > 1):
                self.bind(node)
        code = self.code(result)
        if result.shape:
            inner = ".item()" if self.writer.dialect == "numpy" else "[0]" * len(result.shape)
            return [*self.text, *statement("return ", code, inner, 4)]
        return [*self.text, *statement("return ", code, "", 4)]

    def shorten(self, node: Node) -> None:
        """Give names to arguments until what is left fits into one line."""

        def size(n: Node) -> int:
            return len(self.names[n]) if n in self.names else self.length.get(n, 3)

        def whole() -> int:
            return len(loops.written(node)) - 3 * len(node.args) + extra + sum(map(size, node.args))

        extra = 0
        if self.writer.dialect == "python" and node.shape and node.gate.elementwise:
            extra = 0 if any(a.gate.elementwise for a in node.args) else 18
        while whole() > LONG:
            inner = [a for a in node.args if a not in self.names and a in self.length]
            if not inner:
                break
            self.bind(max(inner, key=size))
        self.length[node] = whole()

    def bind(self, node: Node) -> None:
        if node in self.names:
            return
        code = self.code(node)
        self.names[node] = self.writer.names[node]
        self.text += statement(f"{self.names[node]} = ", code, "", 4)

    def code(self, node: Node) -> ast.expr:
        printer = self.writer.printer(self.names, {})
        code = printer.code(node)
        for name, value in getattr(printer, "before", ()):
            self.text += statement(f"{name} = ", value, "", 4)
        return code


def _hints(args: Iterable[Node]) -> dict[Node, str]:
    """Letters for an entry: x for the only tensor among the arguments of a gate, a and b for two."""
    tensors = [a for a in dict.fromkeys(args) if a.shape]
    letters = ["xvt"] if len(tensors) == 1 else ["ap", "bq", "cr"]
    return dict(zip(tensors, letters, strict=False))


def _times(upstream: Node, local: Node) -> Node:
    """Upstream gradient times local derivative, as one writes it."""
    if is_filled(local, 0):
        return constant(np.zeros(upstream.shape))
    if is_filled(local, 1) and upstream.shape == np.broadcast_shapes(upstream.shape, local.shape):
        return upstream
    if is_filled(local, -1) and not local.shape:
        return make(GATES["negative"], [upstream])
    if local.gate.name == "divide" and is_filled(local.args[0], 1) and not local.args[0].shape:
        return make(GATES["divide"], [upstream, local.args[1]])
    return make(GATES["multiply"], [upstream, local])


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


def _names(lines: list[str]) -> set[str]:
    """The names that a piece of a program uses."""
    return {n.id for n in ast.walk(ast.parse("\n".join(lines))) if isinstance(n, ast.Name)}


def _expression(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body


def _commented(lines: list[Line]) -> list[str]:
    """Statements with their comments at the right, or above where one of them is too wide."""
    width = max(line.width for line in lines)
    room = max(len(line.comment) for line in lines)
    if width + room + 4 <= WIDTH:
        shown = [f"{line.head}{text(line.code)}" for line in lines]
        return [
            f"{t:<{width}}  # {line.comment}" if line.comment else t
            for t, line in zip(shown, lines, strict=True)
        ]
    result: list[str] = []
    for line in lines:
        if line.comment:
            result += textwrap.wrap(
                line.comment, WIDTH, initial_indent="# ", subsequent_indent="# "
            )
        result += statement(line.head, line.code)
    return result


def _one_line(text: str) -> str:
    """A title that can do no harm inside a docstring."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    plain = " ".join(shown.replace("\\", "/").replace('"', "'").split())
    return textwrap.shorten(plain, WIDTH - 4, placeholder=" ...") or "A program"
