"""The output of a program: a table of every value, with its gradient and the central difference of f."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping

import numpy as np

from report.autodiff.graph import Array, Node
from report.autodiff.kinks import kinks
from report.autodiff.trace import Quantity
from report.program import syntax
from report.program.line_layout import WIDTH, statement
from report.program.variables import Scope

DIGITS = 12  # of each number, at least
DECIMALS = 13  # at most, of numbers without an exponent
SURE = 15  # digits that a float64 has for certain
HEADS = "value", "gradient", "central difference"


def number_form(numbers: Array, plain: bool = True) -> str:
    """How the numbers of a column are written, so that their points stand in line: 16.13f or 18.11e.

    Each has twelve digits at least, and room for a sign; an exponent where their sizes differ much, or
    where they may not be `plain`.
    """
    sizes = np.abs(numbers[np.isfinite(numbers) & (numbers != 0)])
    least, most = (math.floor(math.log10(x)) for x in (sizes.min(initial=1), sizes.max(initial=1)))
    decimals = max(DIGITS - 1 - least, DIGITS - 1)
    whole = most + 1
    if plain and decimals <= DECIMALS and whole + decimals <= SURE:
        return f"{whole + decimals + 2}.{decimals}f"
    width = max((len(f"{x: .{DIGITS - 1}e}") for x in numbers), default=DIGITS + 6)
    return f"{width}.{DIGITS - 1}e"


class Columns:
    """How wide the columns are, and how their numbers are written.

    A difference has eight digits or nine, which is about as many as it knows.
    """

    def __init__(self, scope: Scope) -> None:
        quantities = shown(scope)
        labels = [q.name + "".join(f"[{n - 1}]" for n in axes(scope, q)) for q in quantities]
        self.name = max(map(len, [*labels, "f"]), default=1)
        numbers = (
            [np.ravel(q.value) for q in quantities],
            [np.ravel(np.asarray(q.gradient)) for q in quantities if has_gradient(scope, q)],
        )
        columns = [np.concatenate([np.zeros(0), *found]) for found in numbers]
        # beside a kink, what rounding leaves of a 0 counts
        plain = not kinks(scope.trace)
        forms = [number_form(column, plain) for column in columns]
        (value, decimals), (gradient, own) = (
            (int(w), d) for w, _, d in (f.partition(".") for f in forms)
        )
        few = f"{DIGITS - 5}e" if own[-1] == "e" else f"{DIGITS - 1 - gradient + int(own[:-1])}f"
        self.widths = [value, gradient + (own[-1] == "f"), len(HEADS[2]) + 1]
        self.zeros = any(np.any(column == 0) for column in columns)
        precisions = zip(self.widths, (decimals, own, few), strict=True)
        self.specs = [f"{w}.{d}" for w, d in precisions]

    def head(self, count: int) -> str:
        """The first line, over so many columns of numbers."""
        cells = [f"{{{w!r}:>{n}}}" for w, n in zip(HEADS[:count], self.widths, strict=False)]
        return f"""print(f"{{'':{self.name}}} {" ".join(cells)}")"""


def shown(scope: Scope) -> list[Quantity]:
    """What has a row in the table: the inputs whose gradient is asked for, and the gates."""
    trace = scope.trace
    asked = [q for q in trace.inputs if q.node in trace.needed and q.gradient is not None]
    return [*asked, *trace.gates]


def has_gradient(scope: Scope, q: Quantity) -> bool:
    """Whether the program computes the gradient of a value."""
    return q.gradient is not None and q.node in scope.trace.needed


def gradients(scope: Scope) -> list[Quantity]:
    """What has a gradient: the gates in reverse order, then the inputs."""
    order = (*reversed(scope.trace.gates), *scope.trace.inputs)
    return [q for q in order if has_gradient(scope, q)]


def axes(scope: Scope, q: Quantity) -> list[int]:
    """The entries along each axis that a value has in the program: a list has none for a single entry."""
    return [n for n in q.node.shape if n > 1 or scope.dialect == "numpy"]


def definitions(scope: Scope, columns: Columns) -> list[list[str]]:
    """The functions that print."""
    number = [
        "def number(x, column):",
        '    return format(x, column) if x else format(0, column.split(".")[0])  # an exact 0',
    ]
    show = [
        "def show(name, *numbers):",
        "    if isinstance(numbers[0], list):",
        "        for i, entries in enumerate(zip(*numbers)):",
        '            show(f"{name}[{i}]", *entries)',
        "    else:",
        f"        {_print(columns)}",
    ]
    nested = scope.dialect == "python" and has_tensors(scope)
    return [number] * columns.zeros + [show] * nested


def has_tensors(scope: Scope) -> bool:
    """Whether the entries of some row have to be looked for, one by one."""
    return any(axes(scope, q) for q in shown(scope))


def _print(columns: Columns, name: str = "name", numbers: str = "numbers") -> str:
    form = "number" if columns.zeros else "format"
    return f'print(f"{{{name}:{columns.name}}}", *map({form}, {numbers}, COLUMNS))'


def statements(scope: Scope, columns: Columns, differences: Mapping[Node, ast.expr]) -> list[str]:
    """The part of the program that prints; `differences` is the code for those of an input."""
    specs = ", ".join(f'"{spec}"' for spec in columns.specs)
    count = 3 if differences else 2 if gradients(scope) else 1
    lines = [f"COLUMNS = {specs}", columns.head(count)]
    rows = [_row(scope, q, differences) for q in shown(scope)]
    if not scope.trace.gates:
        value = scope.code(scope.trace.graph.result) if scope.trace.result is None else None
        name = scope.names.get(scope.trace.graph.result, "")
        shown_value = ast.unparse(value) if value is not None else name
        rows.insert(0, [f'("{scope.trace.letter}", {shown_value})'])
    lists = scope.dialect == "python" and has_tensors(scope)
    lines.append(f"for {'row' if lists else 'name, *numbers'} in [")
    line = ""
    for row in rows:
        if len(row) > 1:
            lines += [line] * bool(line) + row
            line = ""
        elif len(line) + len(row[0]) + 2 > WIDTH:
            lines += [line] * bool(line)
            line = f"    {row[0]},"
        else:
            line = f"{line} {row[0]}," if line else f"    {row[0]},"
    lines += [line] * bool(line)
    if lists:
        return [*lines, "]:", "    show(*row)"]
    if not has_tensors(scope):
        return [*lines, "]:", f"    {_print(columns)}"]
    return [
        *lines,
        "]:",
        "    for place in np.ndindex(np.shape(numbers[0])):",
        '        entry = name + "".join(f"[{at}]" for at in place)',
        "        row = [np.asarray(cells)[place] for cells in numbers]",
        f"        {_print(columns, 'entry', 'row')}",
    ]


def _row(scope: Scope, q: Quantity, differences: Mapping[Node, ast.expr]) -> list[str]:
    """A row as a tuple: in one line, or in several."""
    parts = [_quoted(q.name), syntax.name(scope.names[q.node])]
    if has_gradient(scope, q):
        parts.append(syntax.name(scope.slopes[q.node]))
    if q.node in differences:
        parts.append(differences[q.node])
    *lines, last = statement("", ast.Tuple(parts, ast.Load()), ",", 4)
    return [*lines, last] if lines else [last.strip().removesuffix(",")]


def _quoted(name: str) -> ast.expr:
    """A name in quotation marks as programs have them; one in LaTeX has braces and backslashes."""
    return syntax.name(f'"{name}"') if name.isidentifier() else ast.Constant(name)
