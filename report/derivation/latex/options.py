"""Options of gates in a formula, below the name: sum over axis 0, var with n - 1, LeakyReLU with its slope.

Every option that is not as usual is written, so that gates that differ look different.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from report.autodiff.graph import Gate, Shape
from report.derivation.latex.symbols import constant_tex


def options(gate: Gate, params: Mapping[str, Any], shape: Shape = ()) -> list[str]:
    """What is written of a gate's options, numbers before axes; `shape` is that of its first argument."""
    told = {
        name: value
        for name, value in {**gate.params, **params}.items()
        if value is not None and not is_usual(value, gate.params.get(name))
    }
    first = sorted(told, key=lambda name: not isinstance(told[name], float))
    return [_written(name, told[name], len(shape)) for name in first]


def is_usual(value: Any, default: Any) -> bool:
    """Whether an option need not be written: its default, but for a number that is not 1."""
    return bool(value == default) and (not isinstance(value, float) or value == 1)


def _written(name: str, value: Any, rank: int) -> str:
    if isinstance(value, float):
        return constant_tex(value)
    if value is True:
        return rf"\text{{{WORDS.get(name, name).replace('_', ' ')}}}"
    if name == "ddof":
        return f"n-{value}"
    if name == "axis" and rank:
        axes = value if isinstance(value, tuple) else (value,)
        return over([a % rank for a in axes], rank)
    if name in _BARE:
        return _listed(value)
    return rf"\text{{{name.replace('_', ' ')} }}{_listed(value)}"


def over(axes: Sequence[int], rank: int) -> str:
    """Along which axes: over the rows or the columns of a matrix, else by their numbers from 1."""
    if rank == 2 and len(axes) == 1:
        return (r"\text{rows}", r"\text{columns}")[axes[0]]
    return rf"\text{{axis }}{','.join(str(a + 1) for a in axes)}"


WORDS = {"keepdims": "kept"}
_BARE = frozenset({"classes", "axes", "pad_width", "shape"})  # whose meaning the gate's name says


def _listed(value: Any, depth: int = 0) -> str:
    if not isinstance(value, tuple):
        return str(value)
    text = ",".join(_listed(v, depth + 1) for v in value)
    return f"({text})" if depth else text


def below_name(notes: list[str]) -> str:
    """The options as a subscript."""
    return "_{" + r",\,".join(notes) + "}" if notes else ""


def with_options(template: str, notes: list[str]) -> str:
    """A row's notation with the options below its name, or below the bars of a norm."""
    if not notes:
        return template
    below = below_name(notes).replace("{", "{{").replace("}", "}}")
    if template.endswith(r"\|"):
        return template + below
    if template.endswith(r"\|_{{1}}"):
        return template[: -len("}}")] + below.replace("_{{", r",\,", 1)
    head, bracket, rest = template.partition(r"\left(")
    return f"{head}{below}{bracket}{rest}"
