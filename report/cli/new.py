"""`report new`: a formula in any spelling -> a homework file with inputs that fit, and how the formula was read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from report.autodiff.jacobian import MAX_COLUMNS
from report.autodiff.trace import Trace
from report.errors import ReportError
from report.homework.guesses import guess


def draft(formula: str, title: str = "Homework") -> str:
    """A homework file for a formula, its inputs drawn at random.

    Names and shapes are those with which the formula gives one number, or else an entry of a vector or
    a matrix; ReportError where none does.
    """
    found = guess(formula)
    return _toml(formula, found.trace, found.bounds, title)


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
    entry = found.graph.entry
    of_many: dict[str, Any] = {}
    if entry is not None:
        columns = sum(q.value.size for q in found.inputs if q.name not in found.graph.integers)
        is_shown = len(entry) == 1 and columns <= MAX_COLUMNS
        of_many = {"jacobian": True} if is_shown else {"entry": list(entry)}
    question = write_pairs({"function": formula, **of_many})
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
