"""The check inside a program: the function as one writes it down, and its central differences."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from report.autodiff.graph import Node
from report.program import syntax
from report.program.check_plan import Checked, CheckPlan
from report.program.line_layout import WIDTH, CodeLine, call, statement, wrapped
from report.program.variables import Scope

LONG = 100  # columns, about, of an expression before parts of it get names


class Check:
    """The function f over the inputs that are checked, and what takes its central differences."""

    def __init__(self, scope: Scope, plan: CheckPlan | None) -> None:
        self.scope = scope
        self.plan = plan
        self.inputs: Sequence[Checked] = plan.inputs if plan else ()
        self.names = [scope.names[c.quantity.node] for c in self.inputs]
        self.numbers = [c for c in self.inputs if max(c.quantity.node.shape, default=1) == 1]
        self.python = scope.dialect == "python"
        alone = len(self.numbers) == len(self.inputs)
        fits = all(len(self._row(name)) <= WIDTH for name in self.names)
        self.short = bool(self.python and alone and fits and plan and plan.kind == "fixed")

    def _row(self, name: str) -> str:
        """The row of a number in the table of a program, with its difference by the short `slope`."""
        given = f"lambda {name}: {self.scope.f}({', '.join(self.names)})"
        return f'    ("{name}", {name}, d_{name}, slope({given}, {name})),'

    def definitions(self) -> list[list[str]]:
        """The function f, and the function that takes its central difference."""
        if self.plan is None:
            return []
        function = [
            "# The function once more, for the check by central differences",
            *call(f"def {self.scope.f}", self.names, ":"),
            *_Body(self.scope).lines(),
        ]
        if not self.python:
            return [function, self._slopes()]
        return [function, self._short_slope() if self.short else self._slope()]

    def statements(self) -> list[str]:
        """What is said before the table."""
        plan = self.plan
        if plan is None:
            return []
        lines = []
        if self.numbers and self.python and not self.short:
            lines += statement("point = ", syntax.parse(f"[{', '.join(self.names)}]"))
        if plan.left_out:
            verb = "has" if len(plan.left_out) == 1 else "have"
            lines += wrapped(
                f"{', '.join(plan.left_out)} {verb} no slope that is the same on both sides", "# "
            )
        if any(c.kinks for c in plan.inputs):
            lines.append(
                f"# nan at the kinks of {self.scope.f}, where it has no slope on both sides"
            )
        return lines

    def _step(self, of: str) -> tuple[str, list[str]]:
        """The step as an argument, or as a line of its own where it depends on the number."""
        assert self.plan is not None
        h, name = f"{self.plan.h:g}".replace("e-0", "e-"), self.scope.h
        if self.plan.kind == "fixed":
            return f", {name}={h}", []
        size = f"({of} or 1.0)" if self.plan.kind == "relative" else f"max(1.0, {of})"
        return "", [f"{name} = {h} * {size}"]

    def _short_slope(self) -> list[str]:
        """For numbers only."""
        f, x, h = self.scope.f, self.scope.x, self.scope.h
        argument, _ = self._step("")
        return [
            f"def slope({f}, {x}{argument}):",
            f"    return ({f}({x} + {h}) - {f}({x} - {h})) / (2 * {h})",
        ]

    def _slope(self) -> list[str]:
        h, i, f = self.scope.h, self.scope.i, self.scope.f
        argument, step = self._step("abs(kept)")
        given = "*point" if self.numbers else ", ".join(self.names)
        return [
            f"def slope(cells, {i}{argument}):",
            f"    kept = cells[{i}]",
            *(f"    {line}" for line in step),
            f"    cells[{i}] = kept + {h}",
            *statement("above = ", syntax.parse(f"{f}({given})"), "", 4),
            f"    cells[{i}] = kept - {h}",
            *statement("below = ", syntax.parse(f"{f}({given})"), "", 4),
            f"    cells[{i}] = kept",
            f"    return (above - below) / (2 * {h})",
        ]

    def _slopes(self) -> list[str]:
        """For arrays: the differences by all entries."""
        f, x, h = self.scope.f, self.scope.x, self.scope.h
        argument, step = self._step(f"abs({x}[place])")
        some = self._some()
        places = "places" if some else "np.ndindex(found.shape)"
        first = f"np.full(np.shape({x}), np.nan)" if some else f"np.zeros(np.shape({x}))"
        return [
            f"def slopes({f}, {x}{', places' if some else ''}{argument}):",
            f"    found = {first}",
            f"    for place in {places}:",
            *(f"        {line}" for line in step),
            "        e = np.zeros(found.shape)",
            f"        e[place] = {h}",
            f"        found[place] = ({f}({x} + e) - {f}({x} - e)) / (2 * {h})",
            "    return found",
        ]

    def _some(self) -> bool:
        """Whether only some entries of an input are checked."""
        return any(c.kinks or max(c.strides, default=1) > 1 for c in self.inputs)

    def differences(self) -> dict[Node, ast.expr]:
        """The code of the central differences by each input."""
        found: dict[Node, ast.expr] = {}
        for number, checked in enumerate(self.inputs):
            node = checked.quantity.node
            if self.short or not self.python:
                name, f = self.scope.names[node], self.scope.f
                places = f", {_places(checked, name)}" if not self.short and self._some() else ""
                alone = (
                    f if len(self.names) == 1 else f"lambda {name}: {f}({', '.join(self.names)})"
                )
                slope = "slope" if self.short else "slopes"
                found[node] = syntax.parse(f"{slope}({alone}, {name}{places})")
            elif checked in self.numbers:
                found[node] = syntax.parse(f"slope(point, {number})")
            else:
                found[node] = self._entries(checked)
        return found

    def _entries(self, checked: Checked) -> ast.expr:
        """Nested lists of the central differences by a tensor's entries."""
        node, scope = checked.quantity.node, self.scope
        sizes = [n for n in node.shape if n > 1]
        strides = [s for s, n in zip(checked.strides, node.shape, strict=True) if n > 1]
        letters = [c for c in "ijkpqrtuvw" if c not in scope.taken][: len(sizes)]
        row = "".join(f"[{c}]" for c in letters[:-1])
        made = f"slope({scope.names[node]}{row}, {letters[-1]})"
        tests = [f"{c} % {s}" for c, s in zip(letters, strides, strict=True) if s > 1]
        kinks = [
            tuple(i for i, n in zip(p, node.shape, strict=True) if n > 1) for p in checked.kinks
        ]
        tests += [
            " and ".join(f"{c} == {i}" for c, i in zip(letters, place, strict=True))
            for place in kinks
        ]
        if tests:
            made = f"math.nan if {' or '.join(tests)} else {made}"
        for letter, n in zip(reversed(letters), reversed(sizes), strict=True):
            made = f"[{made} for {letter} in {ast.unparse(scope.range(n))}]"
        return syntax.parse(made)


def _places(checked: Checked, name: str) -> str:
    """The places of an array that are checked."""
    node = checked.quantity.node
    letters = "ijkpqrtuvw"[: len(node.shape)]
    ranges = [
        f"range(0, {n}, {s})" if s > 1 else f"range({n})"
        for n, s in zip(node.shape, checked.strides, strict=True)
    ]
    if not checked.kinks and max(checked.strides, default=1) == 1:
        return f"np.ndindex(np.shape({name}))"
    place = f"({', '.join(letters)}{',' if len(letters) == 1 else ''})"
    loops = " ".join(f"for {c} in {r}" for c, r in zip(letters, ranges, strict=True))
    tests = f" if {place} not in {list(checked.kinks)}" if checked.kinks else ""
    return f"[{place} {loops}{tests}]"


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
        lines = self.scope.renumbered([*self.found, *before, CodeLine("return ", code)])
        return [text for line in lines for text in statement(line.head, line.code, "", 4)]

    def shorten(self, node: Node) -> None:
        """Give names to arguments until what is left is not much more than a line.

        This keeps expressions shallow, however deep the graph; `Scope.lines` then looks at each line.
        """

        def size(n: Node) -> int:
            return len(self.names[n]) if n in self.names else self.length.get(n, 4)

        own = len(syntax.template(node, "formula") or node.gate.name) + 4
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
            known = part in self.scope.names and part not in self.names
            self.names[part] = self.scope.names[part] if known else self.scope.fresh()
            return self.names[part]

        room = 12 * bool(node.shape and node is self.graph.result)
        return self.scope.lines(head, node, self.names, width=WIDTH - 4 - room, name=name)
