"""What the parts of a program share: its dialect, and which variable holds what."""

from __future__ import annotations

import ast
import builtins
import inspect
import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Literal, Protocol

import numpy as np

from report.autodiff.gates import GATES
from report.autodiff.graph import Array, Node
from report.autodiff.trace import Quantity, Trace
from report.program import syntax
from report.program.array_code import ArrayPrinter
from report.program.library import FUNCTIONS, lists
from report.program.line_layout import WIDTH, CodeLine, text
from report.program.list_code import ListPrinter

Dialect = Literal["python", "numpy"]

_OWN = {
    "COLUMNS", "above", "at", "below", "cells", "entries", "entry", "found", "kept", "name", "nan", "numbers", "place", "point",
    "number", "row", "show", "slope", "slopes",
}  # fmt: skip
_RESERVED = {*dir(builtins), *keyword.kwlist, "math", "np", *_OWN}
_RESERVED |= {name for functions in FUNCTIONS.values() for name in functions}
_RANGES = "nmprsuvw"  # names for ranges


@cache
def math_names() -> frozenset[str]:
    """What programs import from `math`, by the names that stand in their code."""
    columns = [gate.python for gate in GATES.values() if isinstance(gate.python, str)]
    found = re.findall(r"\bmath\.(\w+)", "\n".join([inspect.getsource(lists), *columns]))
    return frozenset({*found, "exp", "log", "nan", "pi", "prod", "sqrt"})


class Printer(Protocol):
    """What prints expressions over named nodes."""

    def code(self, node: Node) -> ast.expr:
        """The code of a node in terms of the named ones."""

    def parts(self, node: Node) -> Sequence[Node]:
        """What can get a name of its own, to make the code of a node shorter."""


class Scope:
    """The variables of a program.

    `names` and `slopes` hold the variable of each value and of its gradient, `f` the name of the
    function. A name of the trace is kept where Python, the program itself or another variable does not
    have it already; what is printed always shows the trace's own.
    """

    def __init__(self, trace: Trace, dialect: Dialect) -> None:
        self.trace = trace
        self.dialect = dialect
        self.quantities = (*trace.inputs, *trace.gates)
        self.taken = _RESERVED | math_names()
        self.names = {q.node: self.claim(q.name) for q in self.quantities}
        self.slopes = {q.node: self.claim(f"d_{self.names[q.node]}") for q in self.quantities}
        self.f = self.claim(self.free(trace.letter, "f", "function"))
        self.h, self.i = self.free("h", "eps"), self.free("i", "k")  # inside of functions only
        self.x = self.free("x", "at")
        self.ranges = self._ranges() if dialect == "python" else {}
        self.far = any(map(_is_far, (q.value for q in self.quantities)))
        self.temporary: dict[str, str] = {}
        self.numbered = 0
        self.labels: dict[Quantity, str] = {}
        self.told = {q.node: q.name for q in self.quantities}

    def claim(self, wanted: str) -> str:
        """A name for a variable that nothing else in the program has."""
        if not wanted.isidentifier() or not wanted.isascii():  # a name in LaTeX: h_{t-1}
            wanted = "_".join(re.findall(r"[A-Za-z0-9]+", wanted)) or "x"
        while wanted in self.taken:
            wanted += "_"
        self.taken.add(wanted)
        return wanted

    def free(self, *names: str) -> str:
        """The first of some names that nothing else in the program has, else the last of them."""
        return next((name for name in names if name not in self.taken), names[-1])

    def _ranges(self) -> dict[int, str]:
        """Names for the ranges over axes: n = range(3)."""
        sizes = dict.fromkeys(n for q in self.quantities for n in q.node.shape if n > 1)
        free = [c for c in _RANGES if c not in self.taken]
        self.taken.update(free[: len(sizes)])
        return dict(zip(sizes, free, strict=False))

    def range(self, n: int) -> ast.expr:
        """The range over n entries, by its name where it has one."""
        return syntax.name(self.ranges[n]) if n in self.ranges else syntax.parse(f"range({n})")

    def fresh(self) -> str:
        """A name for an intermediate result; `renumbered` makes t1, t2, ... of them in the end."""
        name = self.claim(f"t_{len(self.temporary) + 1}_")
        self.temporary[name] = ""
        return name

    def renumbered(self, lines: list[CodeLine]) -> list[CodeLine]:
        """Statements whose intermediate results are named t1, t2, ... in the order of definition.

        A result that nothing reads, because what it was for was written in another way, is left out.
        """
        read = {n.id for line in lines for n in ast.walk(line.code) if isinstance(n, ast.Name)}
        unread = self.temporary.keys() - read
        lines = [line for line in lines if line.head.partition(" ")[0] not in unread]
        for line in lines:
            name = line.head.partition(" ")[0]
            if self.temporary.get(name) == "":
                self.numbered += 1
                while f"t{self.numbered}" in self.taken:
                    self.numbered += 1
                self.temporary[name] = f"t{self.numbered}"
        result = []
        for line in lines:
            name, space, rest = line.head.partition(" ")
            for node in ast.walk(line.code):
                if isinstance(node, ast.Name):
                    node.id = self.temporary.get(node.id) or node.id
            head = (self.temporary.get(name) or name) + space + rest
            result.append(CodeLine(head, line.code, line.comment, line.brief))
        return result

    def label(self, q: Quantity) -> str:
        """A gate as the report writes it: q1 = x1 * w1."""
        if q not in self.labels:
            self.labels[q] = f"{q.name} = {syntax.formula(q.node, self.told)}"
        return self.labels[q]

    def printer(
        self, names: Mapping[Node, str], name: Callable[[Node], str] | None = None
    ) -> Printer:
        """A printer for expressions over named nodes; `name` gives parts of them their names."""
        if self.dialect == "numpy":
            return ArrayPrinter(names, self.far)
        taken = frozenset(self.taken)
        return ListPrinter(names, self.range, taken, name or (lambda node: self.fresh()))

    def code(self, node: Node) -> ast.expr:
        """A short expression that needs no name."""
        return self.printer({}).code(node)

    def lines(
        self,
        head: str,
        node: Node,
        names: Mapping[Node, str],
        *,
        width: int = WIDTH,
        name: Callable[[Node], str] | None = None,
    ) -> list[CodeLine]:
        """The statement `head` code; parts of the code get names first where a line cannot hold it."""
        known = dict(names)
        before: list[CodeLine] = []
        while True:
            printer = self.printer(known, name)
            code = printer.code(node)
            before += [CodeLine(f"{n} = ", c) for n, c in getattr(printer, "before", ())]
            known |= getattr(printer, "held", {})
            parts = [p for p in printer.parts(node) if p not in known and not p.is_constant]
            if not parts or len(head) + len(text(code)) <= width:
                return [*before, CodeLine(head, code)]
            part = max(parts, key=lambda arg: len(text(printer.code(arg))))
            variable = name(part) if name else self.fresh()
            before += self.lines(f"{variable} = ", part, known, width=width, name=name)
            known[part] = variable


def _is_far(value: Array) -> bool:
    """Whether the squares of some numbers leave the float64 range, or its digits."""
    size = np.max(np.abs(value))
    return bool(size > 1e150 or 0 < size < 1e-140)
