"""`report new`: a formula in any spelling -> a homework file with inputs that fit, and how the formula was read."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from report.autodiff.differentiate import trace
from report.autodiff.parser import free_names, is_latex
from report.autodiff.parser.free_names import FreeName
from report.autodiff.trace import Trace
from report.errors import ReportError

MAX_TRIED = 3000  # combinations of shapes
RANGES = (
    (-2.0, 2.0),
    (0.1, 0.9),
)  # that inputs are drawn from; the second for logarithms and roots
_SHAPES: Mapping[int, tuple[tuple[int, ...], ...]] = {
    0: ((), (3,), (2,), (2, 3), (3, 2), (2, 2), (3, 3)),
    1: ((3,), (2,), (3, 2), (2, 3), (2, 2), ()),
    2: ((2, 3), (3, 2), (3, 3), (2, 2), (3,), (2,), ()),
    3: ((2, 3, 2),),
}


def draft(formula: str, title: str = "Homework") -> str:
    """A homework file for a formula, its inputs drawn at random.

    Names and shapes are those with which the formula gives one number; ReportError where none does.
    """
    latex = is_latex(formula)
    names = free_names.of_latex(formula) if latex else free_names.of_expression(formula)
    found, bounds = _fitting(formula, names)
    return _toml(formula, found, bounds, title)


def _fitting(formula: str, names: list[FreeName]) -> tuple[Trace, tuple[float, float]]:
    """A trace over the first shapes that fit, and where its inputs lie."""
    fault: ReportError | None = None
    for tried, shapes in enumerate(_combinations(names)):
        if tried > MAX_TRIED:
            break
        for low, high in RANGES:
            inputs = {
                n.name: _numbers(s, low, high, i)
                for i, (n, s) in enumerate(zip(names, shapes, strict=True))
            }
            try:
                return trace(formula, inputs), (low, high)
            except ReportError as error:
                fault = fault or error
                if "domain" not in str(error) and "finite" not in str(error):
                    break
    raise fault or ReportError("no inputs were found with which this formula gives one number")


def _combinations(names: list[FreeName]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Shapes for every name, the likely ones first: what has indices keeps its axes."""
    choices = []
    for name in names:
        shapes = _SHAPES[min(name.axes, 3)]
        known = (name.axes, name.axes + 1)  # x_i may be a row
        choices.append([s for s in shapes if not name.certain or len(s) in known])
    ranks = [list(range(len(c))) for c in choices]
    most = sum(len(r) - 1 for r in ranks)
    for total in range(most + 1):
        for places in _with_sum(ranks, total):
            yield tuple(c[p] for c, p in zip(choices, places, strict=True))


def _with_sum(ranks: list[list[int]], total: int) -> Iterator[tuple[int, ...]]:
    """All places whose sum is a number."""
    if not ranks:
        if total == 0:
            yield ()
        return
    first, *rest = ranks
    for place in first[: total + 1]:
        for others in _with_sum(rest, total - place):
            yield (place, *others)


def _numbers(shape: tuple[int, ...], low: float, high: float, salt: int) -> Any:
    """Numbers between two bounds, no two alike."""
    count = itertools.count(1)

    def entry() -> float:
        return (
            round(low + (high - low) * math.modf(next(count) * 0.6180339887 + 0.37 * salt)[0], 2)
            or 0.5
        )

    def nested(left: tuple[int, ...]) -> Any:
        return [nested(left[1:]) for _ in range(left[0])] if left else entry()

    return nested(shape)


def _toml(formula: str, found: Trace, bounds: tuple[float, float], title: str) -> str:
    """The file, with how the formula was read as a comment."""
    from report.derivation import formula as lines
    from report.homework.toml import write_pairs

    read = [f"#   {e.left} = {e.symbols[0]}" for e in lines(found)]
    expression = found.graph.expression or found.function
    read += [
        "# which is, as an expression,",
        *(f"#   {line.strip()}" for line in expression.split("\n") if line.strip()),
    ]
    inputs: dict[str, Any] = {}
    for q in found.inputs:
        if q.name in found.graph.integers:  # labels and indices
            inputs[q.name] = q.value.tolist()
            continue
        drawn: dict[str, Any] = {"uniform": [bounds[0], bounds[1]], "digits": 1}
        inputs[q.name] = {**drawn, "shape": list(q.node.shape)} if q.node.shape else drawn
    head = write_pairs({"title": title, "seed": 1})
    question = write_pairs({"function": formula})
    given = "\n".join(f"{_key(name)} = {_value(value)}" for name, value in inputs.items())
    return (
        f"{head.rstrip()}\n\n[[question]]\n# This is read as\n"
        + "\n".join(read)
        + f"\n{question.rstrip()}\n\n"
        f"[question.inputs] # drawn at random; write numbers in place of what is in braces\n{given}\n"
    )


def _key(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else "'" + name + "'"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + "}"
    return str(value)


def new(formula: str, out: str | None) -> str:
    """The homework file as text, or where it was written, with the reading."""
    title = (
        "Homework"
        if out is None
        else Path(out).stem.replace("-", " ").replace("_", " ").capitalize()
    )
    text = draft(formula, title)
    if out is None:
        return text
    path = Path(out)
    if path.suffix != ".toml":
        raise ReportError(f"{out!r} is no name of a homework file; it ends in .toml")
    if path.exists():
        raise ReportError(f"{path} is there already; name another file")
    from report import files

    files.write(path, text.encode())
    read = [line[2:].rstrip() for line in text.split("\n") if line.startswith("# ")]
    return "\n".join([f"{path}: fill in the inputs, then: report build {path}", *read])
