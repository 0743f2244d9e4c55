r"""A function by an upright word, read by the row of the gate table that is written so: \operatorname{bump}_{2}(x)."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from report.autodiff.gates import GATES
from report.autodiff.graph import Gate
from report.derivation.latex.options import WORDS, is_usual
from report.readback.arrays import Unread, axis_of

_WORD = re.compile(r"\\operatorname\{+([\w\\]+)\}+\\left\(")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?|(?=10\^)")
_POWER = re.compile(r"(?:\\times|\\cdot)?10\^\{?(-?\d+)\}?")
_AXES = re.compile(r"\\text\{(?:rows|columns)\}|\\text\{axis \}\d(?:,\d)*")
_NAMED = re.compile(r"\\text\{([^}]*?) ?\}((?:\(?-?\d+\)?,?)*)")


def called(name: str, note: str, args: list[Any]) -> Any:
    """The gate of a word applied to arrays, of which columns are vectors; `note` is what stands below. Raises Unread."""
    rows = [g for g in GATES.values() if len(g.rules) == len(args) and word(g) == name]
    for gate in rows:
        options = _options(gate, note)
        if options is not None:
            if not gate.elementwise and not np.max(options.get("axis") or 0):
                args = [a[:, 0] if np.ndim(a) == 2 and a.shape[1] == 1 else a for a in args]
            value = gate.forward(*args, **options)
            return np.reshape(value, (-1, 1)) if np.ndim(value) == 1 else value
    raise Unread(f"{name}_{note}")


def word(gate: Gate) -> str:
    """The word by which a gate is written; "" where it is none."""
    found = _WORD.match(gate.latex)
    return found[1].replace("\\", "") if found else ""


def _options(gate: Gate, note: str) -> dict[str, Any] | None:
    """The options that stand below a gate's name, in their order; None where they are none of the gate's."""
    found: dict[str, Any] = {}
    left = note
    for name, default in gate.params.items():
        if isinstance(default, float):
            value, rest = _number(left)
            if value is None or is_usual(value, default):
                continue
        elif name == "ddof" and (ddof := re.match(r"n-(\d+)", left)):
            value, rest = int(ddof[1]), left[ddof.end() :]
        elif name == "axis" and (axes := _AXES.match(left)):
            value, rest = _axes(axes[0]), left[axes.end() :]
        elif (named := _NAMED.match(left)) and named[1] == WORDS.get(name, name).replace("_", " "):
            value, rest = _whole(named[2], 1 if name == "axis" else 0), left[named.end() :]
        elif name == "axis" and (over := re.match(r"\\text\{(rows|columns)\}", left)):
            value, rest = int(over[1] == "columns"), left[over.end() :]
        else:
            continue
        found[name], left = value, rest.lstrip(",")
    return None if left else found


def _axes(text: str) -> Any:
    """The axes that a note tells, counted from 0: rows, columns, or their numbers from 1."""
    numbers = tuple(int(n) - 1 for n in re.findall(r"\d", text))
    return (numbers[0] if len(numbers) == 1 else numbers) if numbers else axis_of(text)


def _number(text: str) -> tuple[float | None, str]:
    start = _NUMBER.match(text)
    if start is None:
        return None, text
    value, rest = float(start[0] or 1), text[start.end() :]
    if power := _POWER.match(rest):
        return float(f"{start[0] or 1}e{power[1]}"), rest[power.end() :]
    return value, rest


def _whole(text: str, first: int = 0) -> Any:
    """A whole number or several, counted from `first`; True where there is none."""
    numbers = tuple(int(n) - first for n in re.findall(r"-?\d+", text))
    return (numbers[0] if len(numbers) == 1 else numbers) if numbers else True
