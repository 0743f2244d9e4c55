"""The trace: every number that a report shows, unrounded, and its JSON form.

A `Trace` lists the inputs and the gates of a function with what passes each of them: the value on the
way forward, the gradient on the way back, and every contribution to that gradient by itself, since a
value that feeds several gates collects a sum.

A gradient or contribution is None (null in JSON, to be shown as "—") where there is none: for an input
used as an index, a label, a mask or a target, and where a derivative is infinite or undefined but nothing that
was asked for depends on it, such as that of x**3 by the 3 when x is negative and only x was asked for.
The gradients asked for are always finite numbers. A value is NaN (null in JSON) where it is outside a
gate's domain and no `where` chooses it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from report.autodiff.graph import Array, Graph, Node

FORMAT = "report-trace"
VERSION = 2  # 2: may hold the second derivatives (hessian) and the steps of a descent (steps)
LARGE = 1e150
FUNCTION_NAMES = ("f", "F", "L", "phi", "objective", *(f"f_{i}" for i in range(1000)))


@dataclass(frozen=True, eq=False)
class Contribution:
    """What one consumer sends back to one of its arguments."""

    gate: str  # the consumer's name
    argument: int  # which of its arguments, from 0
    value: Array | None  # the shape of the argument; None where there is no finite one


@dataclass(frozen=True, eq=False)
class Quantity:
    """An input (number 0) or a gate's output (numbered from 1 in topological order)."""

    number: int
    name: str
    node: Node
    value: Array
    gradient: Array | None  # the shape of value; the sum of the contributions, 1 for the result
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, eq=False)
class Trace:
    """A function evaluated and differentiated at one point.

    `value` is the function's value, `gradients` maps every name asked for (`wrt`) to dF/dname in the
    shape of the input. `inputs` and `gates` hold everything else, `graph` the formula's structure.
    `unchosen` tells of a value that is outside a gate's domain where no `where` chooses it; `rounded` says that
    float64 has too few digits for some number, so that all come from extended precision.
    """

    graph: Graph
    inputs: tuple[Quantity, ...]
    gates: tuple[Quantity, ...]
    wrt: tuple[str, ...]
    value: float
    gradients: dict[str, Array]
    quantities: dict[Node, Quantity]  # of every input and gate
    unchosen: str = ""
    rounded: bool = False
    parts: tuple[
        tuple[str, tuple[int, ...]], ...
    ] = ()  # let-lines (z, ()) and entries (W, (0, 1)) asked for

    @property
    def function(self) -> str:
        """The formula as it was written."""
        return self.graph.text

    @property
    def result(self) -> Quantity | None:
        """The gate or input that is the function's value; None when the function is a constant."""
        return self.quantities.get(self.graph.result)

    @property
    def letter(self) -> str:
        """The name of the function itself: that of a last line with a name (L = ...), else f.

        Where an input or another line is called f, it is another letter.
        """
        result = self.graph.result
        if result.name and result in self.quantities and not result.is_input:
            return result.name
        taken = {*self.graph.inputs, *self.graph.lets}
        return next(name for name in FUNCTION_NAMES if name not in taken)

    @cached_property
    def extremes(self) -> tuple[bool, bool]:
        """Whether it has values so large that their squares are no numbers, and so small that these are 0."""
        sizes = [np.abs(q.value) for q in (*self.inputs, *self.gates)]
        is_small = any(np.any((n > 0) & (n < 1 / LARGE)) for n in sizes)
        return any(np.any(n > LARGE) for n in sizes), is_small

    @cached_property
    def needed(self) -> frozenset[Node]:
        """The inputs and gates whose gradients are asked for, or lead to one that is."""
        lets = [self.graph.lets[name] for name, place in self.parts if not place]
        return self.graph.between(self.wrt, lets)

    def part(self, name: str, place: tuple[int, ...]) -> Array:
        """The gradient by a let-line or by an entry of an input."""
        node = self.graph.inputs[name] if place else self.graph.lets[name]
        return np.asarray(self.quantities[node].gradient)[place]

    def name_of(self, node: Node) -> str:
        """The name of an input or gate."""
        return self.quantities[node].name

    def arguments(self, node: Node) -> list[Any]:
        """The numbers that a gate computes from."""
        return [a.value if a.is_constant else self.quantities[a].value for a in node.args]

    def to_json(self, more: Mapping[str, Any] = MappingProxyType({})) -> str:
        """The trace as JSON: format `report-trace`, version 2, with `more` keys.

        Keys: format, version, function, value, result (the name of the last gate), wrt, inputs
        (name, shape, value, gradient, contributions, asked, used, role), gates (number, name,
        gate, the arguments by name or, for a constant, by value, params, shape, value, gradient,
        contributions) and gradients; where a question asks for them, hessian (order, and matrix or
        direction and product) and steps (method, rate, and the value and inputs of each). An index among the params is written as in NumPy, with {1} for
        the argument of that number. A gradient that does not exist is null, and so is a value outside a
        gate's domain. Numbers are written so that they read back as the same float64.
        """
        return (
            json.dumps({**self.to_dict(), **more}, indent=1, ensure_ascii=False, allow_nan=False)
            + "\n"
        )

    def to_dict(self) -> dict[str, Any]:
        """What `to_json` writes, as plain dictionaries, lists and numbers."""
        used = {a for q in self.gates for a in q.node.args} | {self.graph.result}
        return {
            "format": FORMAT,
            "version": VERSION,
            "function": self.function,
            "value": self.value,
            "result": self.result.name if self.result else None,
            "wrt": list(self.wrt),
            "inputs": [
                {
                    "name": q.name,
                    "shape": list(q.node.shape),
                    **_passing(q),
                    "asked": q.name in self.wrt,
                    "used": q.node in used,
                    "role": self.graph.integers.get(q.name),
                }
                for q in self.inputs
            ],
            "gates": [
                {
                    "number": q.number,
                    "name": q.name,
                    "gate": q.node.gate.name,
                    "arguments": [self._argument(a) for a in q.node.args],
                    "params": {key: _option(value) for key, value in q.node.params.items()},
                    "shape": list(q.node.shape),
                    **_passing(q),
                }
                for q in self.gates
            ],
            "gradients": {
                **{name: as_lists(g) for name, g in self.gradients.items()},
                **{written_part(part): as_lists(self.part(*part)) for part in self.parts},
            },
        }

    def _argument(self, node: Node) -> Any:
        return as_lists(node.value) if node.is_constant else self.name_of(node)


def written_part(part: tuple[str, tuple[int, ...]]) -> str:
    """A let-line or an entry as it is named in `wrt`: z, W[0,1]."""
    name, place = part
    return f"{name}[{','.join(map(str, place))}]" if place else name


def _passing(q: Quantity) -> dict[str, Any]:
    return {
        "value": as_lists(q.value),
        "gradient": as_lists(q.gradient),
        "contributions": [
            {"gate": c.gate, "argument": c.argument, "value": as_lists(c.value)}
            for c in q.contributions
        ],
    }


def _option(value: Any) -> Any:
    """A gate's option in JSON: an axis as a number, a shape as a list, an index as NumPy writes it."""
    if isinstance(value, tuple):
        return [_option(v) for v in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def as_lists(value: Any) -> Any:
    """Numbers as Python floats and nested lists; None stays None, and NaN becomes None."""
    if value is None:
        return None
    array = np.asarray(value)
    gone = np.isnan(array)
    if gone.any():
        array = array.astype(object)
        array[gone] = None
    return array.tolist()
