"""Trace -> the source of a program for one question: inputs, forward pass, backward pass, check, output."""

from __future__ import annotations

import ast
import math
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from types import CodeType

import numpy as np

from report.autodiff.graph import Node
from report.autodiff.parser import python_text
from report.autodiff.parser.typed_tokens import BESIDE, DOT
from report.autodiff.trace import Quantity, Trace
from report.program import check_plan, library, list_code, output_code, syntax
from report.program.backward import backward
from report.program.gradient_check import Check
from report.program.library import FUNCTIONS, source
from report.program.line_layout import WIDTH, CodeLine, commented, literal, wrapped
from report.program.variables import Dialect, Scope, math_names

MAX_NUMBERS = 50_000  # in a program's inputs, gates and gradients together
MAX_STEPS = 1_000_000  # of explicit loops, in one forward pass
MAX_FORMULA = 30  # lines of the function in the program's docstring
_INDEX = re.compile(r"\[[^\[\]]{0,40}\]")


@dataclass(frozen=True)
class Program:
    """A program for one question; where a dialect is not possible, `reason` says why."""

    name: str
    dialect: Dialect
    source: str
    reason: str = ""
    fragile: bool = False  # whether float64 may not hold what is on its way

    @property
    def command(self) -> str:
        """How a reader runs it."""
        return f"$ python3 {self.name}"


def generate(trace: Trace, *, dialect: Dialect, name: str = "program.py") -> Program:
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
    steps = loop_steps(trace.graph.nodes)
    if dialect == "python" and steps > MAX_STEPS:
        return Program(name, dialect, "", f"explicit loops would take {steps} steps")
    try:
        return Program(
            name, dialect, _source(trace, dialect), fragile=trace.rounded or any(trace.extremes)
        )
    except list_code.Unprintable as error:
        return Program(name, dialect, "", str(error))


def loop_steps(nodes: Iterable[Node]) -> int:
    """About how many additions and multiplications the loops of these gates take."""
    total = 0
    for node in nodes:
        sizes = [math.prod(a.shape) for a in node.args] + [math.prod(node.shape)]
        if not node.gate.elementwise and len(node.args) == 2 and len(node.args[0].shape) > 1:
            sizes.append(math.prod(node.shape) * node.args[0].shape[-1])
        elif "matrix" in syntax.template(node, "python"):
            sizes.append(math.prod(node.args[0].shape) * node.args[0].shape[-1])
        total += max(sizes)
    return total


def _source(trace: Trace, dialect: Dialect) -> str:
    """The source; raises `Unprintable` when a gate has no code in the dialect."""
    scope = Scope(trace, dialect)
    plan = check_plan.plan(trace, loop_steps(trace.graph.nodes) if dialect == "python" else 0)
    check = Check(scope, plan)
    columns = output_code.Columns(scope)
    passes = [forward_lines(scope), backward(scope)]
    defined = [*check.definitions(), *output_code.definitions(scope, columns)]
    last = [*check.statements(), *output_code.statements(scope, columns, check.differences())]
    inputs = [*_renamed(scope), *_settings(scope), *input_lines(scope)]
    return _whole(scope, _docstring(scope), inputs, [*passes, *defined, last])


def _renamed(scope: Scope) -> list[str]:
    """Which variables stand for names that no variable can have, or that the program needs itself."""
    others = [
        f"{name} is {q.name}" for q in scope.quantities if (name := scope.names[q.node]) != q.name
    ]
    return wrapped(f"Here {', '.join(others)}", "# ") if others else []


def _settings(scope: Scope) -> list[str]:
    """What NumPy need not warn of: of a number whose square is infinite, a slope is 0 all the same."""
    is_large, _ = scope.trace.extremes
    is_told = is_large and scope.dialect == "numpy"
    return ['np.seterr(over="ignore")  # 1 / inf is 0'] if is_told else []


def loop_source(scope: Scope, docstring: str, inputs: list[str], loop: list[str]) -> str:
    """A program of inputs and a loop, with the functions and imports that it needs."""
    return _whole(scope, [docstring], inputs, [loop])


def _whole(scope: Scope, docstring: list[str], inputs: list[str], code: list[list[str]]) -> str:
    """A program of its inputs and the parts of its code, with the functions and imports that these need."""
    text = "\n".join(chain(*code))  # the variants of a question have the same
    functions = _functions(scope, text)
    inputs = [*inputs, *range_lines(scope, _names(text))]
    parts = [*functions, *("\n".join(part) for part in (inputs, *code) if part)]
    if scope.dialect == "python":
        parts = [re.sub(r"\bmath\.(\w+)", r"\1", part) for part in parts]
    used = frozenset().union(*map(_names, parts))
    lines = _joined(parts)
    head = [*docstring, *_imports(scope, used)]
    first = next(line for line in lines.split("\n") if not line.startswith("#"))
    return "\n".join([*head, *([""] * (2 if first.startswith("def ") else 1)), lines]) + "\n"


def _joined(parts: Iterable[str]) -> str:
    """The parts of a program, with two empty lines round the definition of a function."""
    whole, before = "", ""
    for part in parts:
        apart = any(re.search("^def ", p, re.MULTILINE) for p in (before, part))
        whole += ("\n" * (3 if apart else 2) if whole else "") + part
        before = part
    return whole


def _imports(scope: Scope, used: frozenset[str]) -> list[str]:
    if scope.dialect == "numpy":
        return [*(["import math", ""] if "math" in used else []), "import numpy as np"]
    names = sorted(used & (math_names() | {"e"}) - set(scope.names.values()))
    if not names:
        return []
    line = f"from math import {', '.join(names)}"
    return (
        [line] if len(line) <= WIDTH else ["from math import (", *(f"    {n}," for n in names), ")"]
    )


@lru_cache(maxsize=256)
def _names(source: str) -> frozenset[str]:
    """The names of variables, functions and attributes in a piece of a program."""
    codes = [compile(source, "", "exec")]
    names: set[str] = set()
    for code in codes:
        names.update(code.co_names)
        codes += [c for c in code.co_consts if isinstance(c, CodeType)]
    return frozenset(names)


def _functions(scope: Scope, text: str) -> tuple[str, ...]:
    """The gates' functions that are called and of those that these call, in the order of definition."""
    functions, used = FUNCTIONS[scope.dialect], _names(text)
    found: set[str] = set()
    while used := (used & functions.keys()) - found:
        found |= used
        used = frozenset().union(*(_names(source(scope.dialect, name)) for name in used))
    names = tuple(name for name in functions if name in found)
    return library.defined(scope.dialect, names, text)


def _docstring(scope: Scope) -> list[str]:
    how = "by backpropagation" + (", vectorised with NumPy" if scope.dialect == "numpy" else "")
    *lets, last = _formula(scope)
    line = f'"""{last} {how}"""'
    if not lets and len(line) <= WIDTH:
        return [line]
    call, _, value = last.partition(" = ")
    function = [
        line.replace("\xa0", " ")
        for part in [*lets, f"{scope.trace.letter} = {value}"]
        for line in textwrap.wrap(
            _INDEX.sub(lambda index: index[0].replace(" ", "\xa0"), part),  # not to be broken
            WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8, break_on_hyphens=False,
        )
    ]  # fmt: skip
    if len(function) > MAX_FORMULA:
        function = [f"    {scope.trace.letter}, a function of {len(scope.trace.gates)} gates"]
    head = f'"""{call} {how}'
    if len(head) > WIDTH:  # the arguments stand below, as the inputs
        head = f'"""{scope.trace.letter} {how}'
    return [head, "", *function, '"""']


def _formula(scope: Scope) -> list[str]:
    """The function in Python's syntax, a line for each statement; of LaTeX only what it depends on."""
    source = python_text(scope.trace.function, scope.trace.graph.inputs)
    arguments = ", ".join(q.name for q in scope.trace.inputs)
    if not source:
        return [f"{scope.trace.letter}({arguments})"]
    # products without a sign, and an entry of the result, stand in the graph only
    if re.search(rf"{BESIDE}|{DOT}", source) or scope.trace.graph.entry is not None:
        return _as_read(scope, arguments)
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
    statements[-1] = f"{scope.trace.letter}({arguments}) = {statements[-1]}"
    return statements


def _as_read(scope: Scope, arguments: str) -> list[str]:
    """The function as its graph has it: the let-lines that it needs, and the result."""
    trace = scope.trace
    names = {q.node: q.name for q in trace.quantities.values() if q.node.name}
    result = trace.graph.result
    lets = [q.node for q in trace.gates if q.node in names and q.node is not result]
    lines = [f"{names[n]} = {syntax.formula(n, names)}" for n in lets]
    whole = names[result] if result.is_input else syntax.formula(result, names)
    return [*lines, f"{trace.letter}({arguments}) = {whole}"]


# ---------------------------------------------------------------- inputs and forward pass


def input_lines(scope: Scope) -> list[str]:
    """The statements that give the inputs their values."""
    lines: list[str] = []
    for q in scope.trace.inputs:
        value = np.asarray(q.value)
        if q.name in scope.trace.graph.integers and np.all(value == np.floor(value)):
            value = value.astype(int)
        name = scope.names[q.node]
        if scope.dialect == "python":
            lines += literal(f"{name} = ", np.squeeze(value))
        elif q.node.shape or (q.node in scope.trace.needed and q.gradient is not None):
            lines += literal(f"{name} = np.array(", value, ")")
        else:
            lines += literal(f"{name} = ", value)
    return lines


def range_lines(scope: Scope, used: frozenset[str]) -> list[str]:
    """The ranges of the loops: n, m = range(3), range(2)."""
    named = [(name, n) for n, name in scope.ranges.items() if name in used]
    if not named:
        return []
    return [
        f"{', '.join(name for name, _ in named)} = {', '.join(f'range({n})' for _, n in named)}"
    ]


def forward_lines(scope: Scope) -> list[str]:
    """The lines of the forward pass."""
    lines: list[CodeLine] = []
    for q in scope.trace.gates:
        names = {a: scope.names[a] for a in q.node.args if a in scope.names}
        *before, last = scope.lines(f"{scope.names[q.node]} = ", q.node, names)
        about = scope.label(q) if scope.dialect == "python" and _differs(last, scope, q) else ""
        lines += [*before, CodeLine(last.head, last.code, about)]
    lines = scope.renumbered(lines)
    return ["# Forward pass: one gate a line", *commented(lines)] if lines else []


def _differs(line: CodeLine, scope: Scope, q: Quantity) -> bool:
    """Whether a statement reads otherwise than the gate."""
    return line.text.replace("math.", "").replace(" ", "") != scope.label(q).replace(" ", "")
