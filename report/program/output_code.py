"""The output of a program: a table of every value, with its gradient and the central difference of f."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import numpy as np

from report.autodiff.graph import Node
from report.autodiff.kinks import kinks
from report.autodiff.trace import Quantity
from report.program import syntax
from report.program.line_layout import WIDTH, statement
from report.program.variables import Scope


class Columns:
    """How wide the columns are, and how their numbers are written.

    Each number has twelve digits at least: twelve or thirteen decimals where all are of about one size.
    A difference has eight, which is about as many as it knows.
    """

    def __init__(self, scope: Scope) -> None:
        quantities = shown(scope)
        none = np.zeros(0)
        values = np.concatenate([none, *(np.ravel(q.value) for q in quantities)])
        gradients = [np.ravel(np.asarray(q.gradient)) for q in quantities if has_gradient(scope, q)]
        numbers = np.concatenate([values, *gradients])
        sizes = np.abs(numbers[numbers != 0])
        self.zeros = len(sizes) < len(numbers)
        labels = [q.name + "".join(f"[{n - 1}]" for n in q.node.shape if n > 1) for q in quantities]
        self.name = max(map(len, [*labels, "f"]), default=1)
        even = bool(np.all((sizes >= 0.01) & (sizes < 100)))
        self.fixed = even and not kinks(
            scope.trace
        )  # beside a kink, what rounding leaves of a 0 counts
        decimals = 12 if np.all(sizes >= 0.1) else 13
        if self.fixed:
            width = decimals + 3 + bool(np.any(sizes >= 10))  # with a sign and a point
            self.specs = [f"{width}.{decimals}f", f"{width + 1}.{decimals}f", "12.8f"]
        else:
            columns = (values, np.concatenate([none, *gradients]))
            self.widths = [max([9, *(len(f"{x: .12g}") for x in column)]) for column in columns]
            self.specs = [*(f"< {width}.12g" for width in self.widths), "< .8g"]

    def head(self, count: int) -> str:
        """The first line, over so many columns of numbers."""
        words = ["value", "gradient", "difference"][:count]
        if self.fixed:
            numbers = (int(spec.partition(".")[0]) for spec in self.specs)
            cells = [f"{{{w!r}:>{n}}}" for w, n in zip(words, numbers, strict=False)]
        else:
            shown = zip(words[:-1], self.widths, strict=False)
            cells = [f"{{{' ' + w!r}:{n}}}" for w, n in shown]
            cells.append(f" {words[-1]}")
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


def definitions(scope: Scope, columns: Columns) -> list[list[str]]:
    """The functions that print."""
    number = [
        "def number(x, column):",
        '    return format(x, column) if x else format(0, column.split(".")[0])',
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
    least = 0 if scope.dialect == "numpy" else 1
    return any(n > least for q in shown(scope) for n in q.node.shape)


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
        "    numbers = [np.squeeze(cells) for cells in numbers]",
        "    for place in np.ndindex(numbers[0].shape):",
        '        entry = name + "".join(f"[{at}]" for at in place)',
        "        row = (cells[place] for cells in numbers)",
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
