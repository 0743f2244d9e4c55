"""The output of a program: every gate's value and every gradient, in the order of the report's tables."""

from __future__ import annotations

import numpy as np

from report.autodiff.trace import Quantity
from report.program.line_layout import WIDTH, call, statement
from report.program.variables import Scope

DIGITS = 12  # significant digits
MAX_LABEL = 44  # columns of a gate's name and formula


def definitions(scope: Scope) -> list[str]:
    """The functions that print, fitted to the size of the trace's numbers."""
    values = [q.value for q in scope.trace.gates] or [np.float64(scope.trace.value)]
    values += [q.gradient for q in scope.quantities if q.gradient is not None]
    texts = [f"{x:#.{DIGITS}g}" for value in values for x in np.asarray(value).flat]
    whole = max(len(t.partition(".")[0]) for t in texts) + 2
    rest = max(len(t.partition(".")[2]) for t in texts)
    plus = " + 0" * any(np.any(np.asarray(value) == 0) for value in values)  # turns -0.0 into 0.0
    split = f'whole, _, rest = f"{{x{plus}:#.{DIGITS}g}}".partition(".")'
    columns = max((np.shape(value)[-1] for value in values if np.ndim(value)), default=0)
    width = label_width(scope)
    if not columns:
        return [
            "",
            "def show(name, x):",
            f'    """Print a name and its number: {DIGITS} significant digits, points aligned."""',
            f"    {split}",
            f'    print(f"  {{name:<{width}}}  {{whole:>{whole}}}.{{rest}}")',
            "",
        ]
    python = scope.dialect == "python"
    fitting = (WIDTH - 2) // (whole + 1 + rest)
    rows = ['        print(("  " + "".join(map(number, row))).rstrip())']
    if columns > fitting:  # the rest of a long row stands further in
        fitting = max(1, (WIDTH - 6) // (whole + 1 + rest))
        rows = [
            f"        for i in range(0, len(row), {fitting}):",
            f'            part = "".join(map(number, row[i:i + {fitting}]))',
            '            print((("      " if i else "  ") + part).rstrip())',
        ]
    return [
        "",
        "def number(x):",
        f'    """A number with {DIGITS} significant digits, points aligned."""',
        f"    {split}",
        f'    return f"{{whole:>{whole}}}.{{rest:<{rest}}}"',
        "",
        "",
        "def show(name, x):",
        '    """Print a name and its number, or the rows of a tensor below it."""',
        f"    if not {'isinstance(x, list)' if python else 'np.ndim(x)'}:",
        f'        print(f"  {{name:<{width}}}  {{number(x)}}".rstrip())',
        "        return",
        '    print(f"  {name}")',
        f"    for row in {'rows(x)' if python else 'np.reshape(x, (-1, x.shape[-1]))'}:",
        *rows,
        "",
    ]


def statements(scope: Scope) -> list[str]:
    """The part of the program that prints."""
    gates = scope.trace.gates
    lines = ["", "# Output", 'print("forward pass")']
    for q in gates:
        lines += call("show", [f'"{_label(scope, q)}"', scope.names[q.node]])
    if not gates:
        value = scope.printer(scope.names, {}).code(scope.trace.graph.result)
        lines += statement(f'show("{scope.trace.letter}", ', value, ")")
    slopes = gradients(scope)
    if slopes:
        lines += ["print()", 'print("backward pass")']
    for q in slopes:
        lines += call("show", [f'"{_slope_label(scope, q)}"', scope.slopes[q.node]])
    return lines


def gradients(scope: Scope) -> list[Quantity]:
    """What has a gradient: the gates in reverse order, then the inputs."""
    order = (*reversed(scope.trace.gates), *scope.trace.inputs)
    return [q for q in order if q.gradient is not None]


def label_width(scope: Scope) -> int:
    """Columns of the names of all single numbers."""
    labels = [_label(scope, q) for q in scope.trace.gates if not q.node.shape]
    labels += [_slope_label(scope, q) for q in gradients(scope) if not q.node.shape]
    return max((len(label) for label in labels if len(label) <= MAX_LABEL), default=8)


def _label(scope: Scope, q: Quantity) -> str:
    """A gate in the output: with its formula where there is room, a tensor with its shape."""
    label = scope.label(q)
    return (label if len(label) <= MAX_LABEL else q.name) + _shape(q)


def _slope_label(scope: Scope, q: Quantity) -> str:
    return f"d{scope.trace.letter}/d{q.name}{_shape(q)}"


def _shape(q: Quantity) -> str:
    return f"  {q.node.shape}" if q.node.shape else ""
