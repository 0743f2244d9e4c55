"""A program of gradient descent: the forward and the backward pass in a loop, and the update of each input.

It is written from the gates' rules as the other programs are, and knows nothing of the steps that the
report shows: what it prints is an independent check of them.
"""

from __future__ import annotations

import math

import numpy as np

from report.autodiff.descent import MEMORY, METHODS, SECOND, TINY, Descent
from report.autodiff.graph import Array
from report.autodiff.trace import Trace
from report.errors import CheckError
from report.program.backward import backward
from report.program.generate import Program, forward_lines, input_lines, loop_source
from report.program.line_layout import WIDTH
from report.program.list_code import Unprintable
from report.program.output_code import number_form
from report.program.variables import Dialect, Scope

MAX_ENTRIES = 8  # of all inputs together that are printed one by one; beyond, the norm of each
_TOLERANCE = 1e-9  # relative to the largest number of a column: programs print twelve digits


def generate_loop(trace: Trace, descent: Descent, name: str) -> Program:
    """The program of a descent: with the standard library for numbers, with NumPy for tensors."""
    tensors = any(q.node.shape for q in (*trace.inputs, *trace.gates))
    dialect: Dialect = "numpy" if tensors else "python"
    scope = Scope(trace, dialect)
    try:
        passes = [*forward_lines(scope), *backward(scope)]
    except Unprintable as error:
        return Program(name, dialect, "", str(error))
    plan, step = descent.plan, scope.claim("step")
    rate = scope.claim("rate")
    before, updates = _updates(scope, descent, rate, step)
    heads, cells = _printed(scope, descent, step)
    body = [*passes, *cells, *updates]
    inputs = [*input_lines(scope), f"{rate} = {plan.rate!r}", *before]
    loop = [*heads, f"for {step} in range({plan.steps + 1}):"]
    loop += [f"    {line}" if line else "" for line in body]
    head = f'"""{plan.steps} steps of {METHODS[plan.method]} by backpropagation"""'
    return Program(name, dialect, loop_source(scope, head, inputs, loop))


def _updates(scope: Scope, descent: Descent, rate: str, step: str) -> tuple[list[str], list[str]]:
    """What stands before the loop, and how each input is changed at its end."""
    before, lines = [], ["# Update"]
    root = "np.sqrt" if scope.dialect == "numpy" else "math.sqrt"
    for name in descent.names:
        node = scope.trace.graph.inputs[name]
        w, g = scope.names[node], scope.slopes[node]
        match descent.plan.method:
            case "sgd":
                lines.append(f"{w} = {w} - {rate} * {g}")
            case "momentum":
                v = scope.claim(f"v_{w}")
                before.append(f"{v} = 0.0")
                lines += [f"{v} = {MEMORY} * {v} + {g}", f"{w} = {w} - {rate} * {v}"]
            case _:
                m, s = scope.claim(f"m_{w}"), scope.claim(f"s_{w}")
                before.append(f"{m} = {s} = 0.0")
                lines += [
                    f"{m} = {MEMORY} * {m} + {1 - MEMORY:.1g} * {g}",
                    f"{s} = {SECOND} * {s} + {1 - SECOND:.1g} * {g} ** 2",
                    f"{w} = {w} - {rate} * {m} / (1 - {MEMORY} ** ({step} + 1)) / (",
                    f"    {root}({s} / (1 - {SECOND} ** ({step} + 1))) + {TINY}",
                    ")",
                ]
    return before, lines


def _printed(scope: Scope, descent: Descent, step: str) -> tuple[list[str], list[str]]:
    """The lines that print the head of a table, and a row of it: the step, the value, and the inputs.

    Of an input stand all entries in it, or its norm where there are many.
    """
    trace = scope.trace
    form = number_form(np.array(descent.values))
    result = scope.names[trace.graph.result] + ".item()" * bool(trace.graph.result.shape)
    heads, cells = [("step", "4"), (trace.letter, form)], [f"{{{step}:4}}", f"{{{result}:{form}}}"]
    for name, place, numbers in columns(descent):
        w = scope.names[trace.graph.inputs[name]]
        form = number_form(np.array(numbers))
        if place is None:
            heads.append((f"norm({name})", form))
            cells.append(f"{{np.linalg.norm({w}):{form}}}")
        else:
            entry = "".join(f"[{i}]" for i in place)
            heads.append((name + entry, form))
            cells.append(f"{{{w}{entry}:{form}}}")
    return _print([_head(name, form.partition(".")[0]) for name, form in heads]), _print(cells)


def _head(name: str, width: str) -> str:
    """A name over a column, in an f-string."""
    if name.isascii() and not set(name) & set("{}\\'\""):
        return f"{{'{name}':>{width}}}"
    return name.rjust(int(width)).replace("\\", r"\\").replace("{", "{{").replace("}", "}}")


def _print(cells: list[str]) -> list[str]:
    """A statement that prints cells side by side, in as many lines as it needs."""
    parts: list[str] = []
    for cell in cells:
        if parts and len(parts[-1]) + len(cell) < WIDTH - 14:
            parts[-1] += f" {cell}"
        else:
            parts.append(cell)
    if len(parts) == 1 and len(parts[0]) < WIDTH - 14:
        return [f'print(f"{parts[0]}")']
    return ["print(", *(f'    f"{part}",' for part in parts), ")"]


def _one_by_one(descent: Descent) -> bool:
    return sum(np.size(w) for w in descent.points[0].values()) <= MAX_ENTRIES


def columns(descent: Descent) -> list[tuple[str, tuple[int, ...] | None, list[float]]]:
    """What is told of each step beside the value: (input, entry or None for its norm, numbers)."""
    found: list[tuple[str, tuple[int, ...] | None, list[float]]] = []
    for name in descent.names:
        points: list[Array] = [np.asarray(p[name]) for p in descent.points]
        if _one_by_one(descent):
            places = np.ndindex(points[0].shape)
            found += [(name, place, [float(p[place]) for p in points]) for place in places]
        else:
            found += [(name, None, [math.sqrt(float(np.sum(p * p))) for p in points])]
    return found


def check_loop(descent: Descent, output: str) -> int:
    """How many numbers of the steps a program's output confirms; CheckError for one that differs."""
    expected = [list(map(float, range(len(descent.values)))), list(descent.values)]
    expected += [numbers for _, _, numbers in columns(descent)]
    try:
        rows = [[float(word) for word in line.split()] for line in output.splitlines()[1:]]
    except ValueError:
        raise CheckError("the loop's output cannot be read") from None
    if len(rows) != len(descent.values) or {len(row) for row in rows} != {len(expected)}:
        raise CheckError("the loop does not print a row for each step")
    for column, wanted in zip(zip(*rows, strict=True), expected, strict=True):
        size = max(1.0, *map(abs, wanted))
        for step, (found, number) in enumerate(zip(column, wanted, strict=True)):
            if not abs(found - number) <= _TOLERANCE * size:
                raise CheckError(f"step {step}: the loop prints {found:.12g}, not {number:.12g}")
    return sum(map(len, expected[1:]))
