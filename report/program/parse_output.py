"""The output of a program -> the numbers that it printed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from report.autodiff.graph import Array, Shape
from report.autodiff.trace import Trace
from report.errors import CheckError

MAX_LINE = 1000  # letters

_ROW = re.compile(
    r"(?P<name>\S.{0,200}?)(?P<place>(?:\[\d{1,6}\])*)(?P<numbers>(?:\s+[-+\w.]+){1,3})\s*"
)
_HEAD = re.compile(r"\s+value(\s+gradient)?(\s+central difference)?\s*")


@dataclass(frozen=True)
class Printed:
    """The numbers in a program's output, by the names of the trace, in its shapes.

    `values` and `gradients` are those of the gates and of the inputs asked for, `differences` the central
    differences that the program took: NaN where it took none.
    """

    values: Mapping[str, Array]
    gradients: Mapping[str, Array]
    differences: Mapping[str, Array]

    def same(self, other: Printed) -> bool:
        """Whether another program printed the same numbers, line by line."""
        return all(
            list(mine) == list(its)
            and all(np.array_equal(mine[name], its[name], equal_nan=True) for name in mine)
            for mine, its in (
                (self.values, other.values),
                (self.gradients, other.gradients),
                (self.differences, other.differences),
            )
        )

    @property
    def compared(self) -> int:
        """How many gradient entries have a difference beside them."""
        return sum(int(np.sum(np.isfinite(d))) for d in self.differences.values())

    @property
    def error(self) -> float:
        """The largest gap between the two, relative to the largest gradient entry.

        Where that is next to nothing beside the values, a difference cannot tell it from 0: then it is
        relative to a thousandth of the largest value.
        """
        gaps = [np.abs(d - self.gradients[name]) for name, d in self.differences.items()]
        worst = max((float(np.nanmax(gap, initial=0.0)) for gap in gaps), default=0.0)
        sizes = [1.0 * np.max(np.abs(self.gradients[name])) for name in self.differences]
        sizes += [1e-3 * np.max(np.abs(value)) for value in self.values.values()]
        return worst / max(sizes) if worst else 0.0


def parse_output(text: str, trace: Trace) -> Printed:
    """The numbers in a program's output. Raises CheckError for a line that is not of its kind.

    Where a program has lists, axes of one entry have no place in its output; the trace says where they are.
    """
    shapes = {q.name: q.node.shape for q in (*trace.inputs, *trace.gates)}
    shapes.setdefault(trace.letter, trace.graph.result.shape)
    rows: dict[str, list[list[float]]] = {}
    kept: dict[str, list[int]] = {}  # the axes that have a place
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > MAX_LINE:
            raise CheckError(f"line {number} of the output is too long to be one of a program")
        if not line.strip() or (number == 1 and _HEAD.fullmatch(line)):
            continue
        match = _ROW.fullmatch(line)
        if match is None or match["name"] not in shapes:
            raise CheckError(f"line {number} of the output cannot be read: {line}")
        found = rows.setdefault(match["name"], [])
        axes = kept.setdefault(match["name"], _axes(shapes[match["name"]], match["place"]))
        places = np.unravel_index(len(found), axes) if axes and len(found) < np.prod(axes) else ()
        if match["place"] != "".join(f"[{i}]" for i in places) or (found and not axes):
            raise CheckError(f"line {number} of the output is out of order: {line}")
        try:
            found.append([float(word) for word in match["numbers"].split()])
        except ValueError:
            raise CheckError(f"line {number} of the output cannot be read: {line}") from None
    columns: tuple[dict[str, Array], ...] = ({}, {}, {})
    for name, numbers in rows.items():
        if len(numbers) != np.prod(shapes[name], dtype=int) or len({len(r) for r in numbers}) > 1:
            raise CheckError(
                f"the output has {len(numbers)} rows for {name}, of shape {shapes[name]}"
            )
        for kind, column in zip(columns, zip(*numbers, strict=True), strict=False):
            array = np.array(column).reshape(shapes[name])
            kind[name] = array if array.ndim else np.float64(array)
    return Printed(*columns)


def _axes(shape: Shape, first: str) -> list[int]:
    """The axes that have a place in the output, by that of the first entry."""
    return [n for n in shape if n > 1 or first.count("[") == len(shape)]
