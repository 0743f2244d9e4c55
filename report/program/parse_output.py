"""The output of a program -> the numbers that it printed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from report.autodiff.graph import Array, Shape
from report.errors import CheckError

MAX_LINE = 1000  # letters

_ENTRY = re.compile(
    r"  (?:d[A-Za-z]\w*/d)?(?P<name>[A-Za-z]\w*)(?: = .*?)?(?:  \((?P<shape>[\d, ]+)\))?"
    r"(?:\s{2,}(?P<number>-?\d\S*))?\s*"
)
_ROW = re.compile(r"\s{3,}(-?\d\S*)(\s+-?\d\S*)*\s*")
_CHECK = re.compile(r"  (?P<what>[a-z ]+?)  +(?P<number>\S+)")


@dataclass(frozen=True)
class Printed:
    """The numbers in a program's output, by the names of the trace: gate values and all gradients.

    `compared` entries of the gradient were checked by central differences, and `error` is the largest
    difference that the program found (relative to the largest entry, unless the gradient vanishes).
    """

    values: Mapping[str, Array]
    gradients: Mapping[str, Array]
    compared: int = 0
    error: float | None = None


def parse_output(text: str) -> Printed:
    """The numbers in a program's output. Raises CheckError for a line that is not of its kind."""
    sections: dict[str, dict[str, tuple[Shape, list[float]]]] = {
        "forward pass": {},
        "backward pass": {},
    }
    section, current = "", None
    facts: dict[str, float] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > MAX_LINE:
            raise CheckError(f"line {number} of the output is too long to be one of a program")
        if not line.strip():
            continue
        if not line.startswith(" "):
            section, current = line.strip(), None
        elif section in sections:
            entries = sections[section]
            if current is not None and len(entries[current][1]) < math.prod(entries[current][0]):
                if not _ROW.fullmatch(line):
                    raise CheckError(f"line {number} of the output is no row of {current}: {line}")
                entries[current][1].extend(map(float, line.split()))
            elif match := _ENTRY.fullmatch(line):
                current = match["name"]
                shape = tuple(int(n) for n in (match["shape"] or "").replace(",", " ").split())
                entries[current] = shape, [float(match["number"])] if match["number"] else []
            else:
                raise CheckError(f"line {number} of the output cannot be read: {line}")
        elif match := _CHECK.fullmatch(line):
            facts[match["what"]] = float(match["number"])
    values, gradients = (
        {name: _array(name, *found) for name, found in s.items()} for s in sections.values()
    )
    error = facts.get("largest relative difference", facts.get("largest difference"))
    return Printed(values, gradients, int(facts.get("entries compared", 0)), error)


def _array(name: str, shape: Shape, numbers: list[float]) -> Array:
    if len(numbers) != math.prod(shape):
        raise CheckError(f"the output has {len(numbers)} numbers for {name}, which has {shape}")
    return np.array(numbers).reshape(shape) if shape else np.float64(numbers[0])
