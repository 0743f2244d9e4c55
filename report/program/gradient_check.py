"""The check inside a program: the function as one writes it down, and its central differences."""

from __future__ import annotations

import ast

from report.autodiff.graph import Node
from report.program import gate_code
from report.program.check_plan import Checked, CheckPlan
from report.program.line_layout import WIDTH, CodeLine, call, statement, wrapped
from report.program.variables import Scope

LONG = 100  # columns, about, of an expression before parts of it get names


def definitions(scope: Scope, plan: CheckPlan) -> list[str]:
    """The function f, and the function that takes its central difference."""
    h = f"{plan.h:g}".replace("e-0", "e-")
    step = f"{h} * (abs(value) or 1.0)" if plan.relative else f"{h} * max(1.0, abs(value))"
    return [
        "",
        *call(f"def {scope.f}", [scope.names[q.node] for q in scope.trace.inputs], ":"),
        '    """The function as it is written, for the check by central differences."""',
        *_Body(scope).lines(),
        "",
        "",
        "def slope(cells, i):",
        f'    """Central difference: {scope.f} at cells[i] a little up and down."""',
        "    value = cells[i]",
        f"    h = {step}",
        "    cells[i] = value + h",
        f"    above = {scope.f}(*point)",
        "    cells[i] = value - h",
        f"    below = {scope.f}(*point)",
        "    cells[i] = value",
        "    return (above - below) / (2 * h)",
        "",
    ]


def statements(scope: Scope, plan: CheckPlan) -> list[str]:
    """The part of the program that checks, and prints the largest difference that it finds."""
    names = [scope.names[q.node] for q in scope.trace.inputs]
    lines = ["", f"# Check: every gradient again, as a central difference of {scope.f}"]
    lines += statement("point = ", _expression(f"[{', '.join(names)}]"))
    if plan.left_out:
        note = f"{', '.join(plan.left_out)}: left out, for want of a slope that is the same on both sides"
        lines += wrapped(note, "# ")
    head = "pairs = "
    scalars = [scope.names[c.quantity.node] for c in plan.inputs if not c.quantity.node.shape]
    if scalars:
        pairs = [
            f"({scope.slopes[c.quantity.node]}, slope(point, {names.index(name)}))"
            for c in plan.inputs
            if (name := scope.names[c.quantity.node]) in scalars
        ]
        lines += statement(head, _expression(f"[{', '.join(pairs)}]"))
        head = "pairs += "
    for checked in plan.inputs:
        if checked.quantity.node.shape:
            if checked.kinks:
                lines.append("# but for the kinks of f, where it has no slope on both sides")
            lines += statement(head, _pairs(scope, checked))
            head = "pairs += "
    what, error = "largest difference", "max(abs(a - b) for a, b in pairs)"
    if not plan.vanishing:
        lines.append("# relative to the largest entry of the gradient")
        lines.append("scale = max(abs(a) for a, _ in pairs)")
        what, error = "largest relative difference", error + " / scale"
    return [
        *lines,
        f"error = {error}",
        "print()",
        'print("check by central differences")',
        f'print(f"  {"entries compared":<{len(what)}}  {{len(pairs)}}")',
        f'print(f"  {what}  {{error:.1e}}")',
    ]


def _pairs(scope: Scope, checked: Checked) -> ast.expr:
    """All entries of a tensor: what backpropagation gives, and the central difference."""
    node = checked.quantity.node
    name, slope = scope.names[node], scope.slopes[node]
    letters = [c for c in "ijkmnpqrst" if c not in (name, slope)][: len(node.shape)]
    ranges = " ".join(
        f"for {c} in range({n})" if step == 1 else f"for {c} in range(0, {n}, {step})"
        for c, n, step in zip(letters, node.shape, checked.strides, strict=True)
    )
    place = letters[0] if len(letters) == 1 else f"({', '.join(letters)})"
    if scope.dialect == "numpy":
        pair = f"({slope}[{place}], slope({name}, {place}))"
    else:
        *outer, last = letters
        row = "".join(f"[{c}]" for c in outer)
        pair = f"({slope}{row}[{last}], slope({name}{row}, {last}))"
    kinks = tuple(p[0] if len(p) == 1 else p for p in checked.kinks)
    where = f" if {place} not in {kinks}" if len(kinks) > 1 else ""
    if len(kinks) == 1:
        where = f" if {place} != {kinks[0]}"
    return _expression(f"[{pair} {ranges}{where}]")


def _expression(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body


class _Body:
    """The body of the function: the formula in few lines, with names for let-lines and repeats."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.graph = scope.trace.graph
        self.names = {q.node: scope.names[q.node] for q in scope.trace.inputs}
        self.found: list[CodeLine] = []
        self.length: dict[Node, int] = {}

    def lines(self) -> list[str]:
        result = self.graph.result
        uses: dict[Node, int] = {}
        for node in self.graph.nodes:
            for arg in node.args:
                uses[arg] = uses.get(arg, 0) + 1
        for node in self.graph.nodes:
            self.shorten(node)
            if node is not result and (node.name or uses[node] > 1):
                self.bind(node)
        *before, last = self.code("return ", result)
        code = last.code
        if result.shape and self.scope.dialect == "numpy":
            code = ast.Call(ast.Attribute(code, "item", ast.Load()), [], [])
        elif result.shape:
            for _ in result.shape:
                code = ast.Subscript(code, ast.Constant(0), ast.Load())
        lines = self.scope.renumbered([*self.found, *before, CodeLine("return ", code)])
        return [text for line in lines for text in statement(line.head, line.code, "", 4)]

    def shorten(self, node: Node) -> None:
        """Give names to arguments until what is left is not much more than a line.

        This keeps expressions shallow, however deep the graph; `Scope.lines` then looks at each line.
        """

        def size(n: Node) -> int:
            return len(self.names[n]) if n in self.names else self.length.get(n, 4)

        own = len(gate_code.formula_code(node))
        while own + sum(map(size, node.args)) > LONG:
            inner = [a for a in node.args if a not in self.names and a in self.length]
            if not inner:
                break
            self.bind(max(inner, key=size))
        self.length[node] = own + sum(map(size, node.args))

    def bind(self, node: Node) -> None:
        if node not in self.names:
            name = self.scope.names[node]
            self.found += self.code(f"{name} = ", node)
            self.names[node] = name

    def code(self, head: str, node: Node) -> list[CodeLine]:
        def name(part: Node) -> str:
            self.names[part] = self.scope.names[part]
            return self.names[part]

        room = 12 * bool(node.shape and node is self.graph.result)
        return self.scope.lines(head, node, self.names, {}, width=WIDTH - 4 - room, name=name)
