"""Numbers put into a printed formula: each with how far its rounding lets it be off, and what comes of that."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from report.autodiff import extended
from report.autodiff.form import Form
from report.autodiff.graph import Array, Node, evaluate, input_node, topological
from report.autodiff.parser.latex.indices import walk
from report.autodiff.parser.latex.reader import _LatexReader
from report.autodiff.parser.latex.tree import Matrix, Number, Part, Script
from report.autodiff.parser.latex.values import Operand, Value
from report.errors import ReportError

ALONE, LARGEST = 6, 5  # digits of a number that stands alone, and of the largest in a matrix
EACH = 4  # of every number of a matrix where they span too much
EACH_OWN = -1  # digits behind the point
MAX_NUMERALS = 100  # in one formula
Shown = tuple[int, int, float]  # where a value stands in a formula, and the largest it is a part of
COARSE = 0.1  # more than a number may be rounded by; a sine of it may be anything
# Of a change, by how much there and back may differ before it is looked at half way, and what of it may be
# done by then: more is a jump, a pole or a bend.
STRAIGHT, HALF_WAY = 0.5, 0.75
BEYOND = 0.1  # of the largest entry of a solution, for its rounding to be told by parts
# each number's node, its value, and how far it may be off
Numerals = dict[Node, tuple[float, float]]


class _NumbersRead(_LatexReader):
    """Makes a node of each number, while there is a place for them."""

    numerals: Numerals | None = None
    behind: int | None = None  # digits after the point, in a matrix
    has_vectors = False  # whether a column of numbers is a vector
    exact: Collection[str] = ()
    shown: Sequence[Shown] = ()

    def lower(self, part: Part) -> Operand:
        if isinstance(part, Number) and self.numerals is not None:
            return self.numeral(part)
        if not isinstance(part, Matrix) or self.numerals is None:
            return super().lower(part)
        self.behind = self.decimals(part)
        try:
            found = super().lower(part)
        finally:
            self.behind = None
        if not self.has_vectors or not isinstance(found, Value) or found.shape[1:] != (1,):
            return found
        return self.reshaped(found, found.shape[:1], part)

    def given(self) -> dict[Node, Array]:
        """The numbers of the inputs, and those that are put in."""
        put_in = {n: np.float64(value) for n, (value, _) in (self.numerals or {}).items()}
        return super().given() | put_in

    def written_out(self, part: Part) -> Array | None:
        """Positions in a list, which are not rounded."""
        kept, self.numerals = self.numerals, None
        try:
            return super().written_out(part)
        finally:
            self.numerals = kept

    def fixed_index(self, part: Part) -> Any:
        """A number that is put in may be rounded, and is compared as a value."""
        found = super().fixed_index(part)
        return None if self.numerals is not None and isinstance(found, int) else found

    def numeral(self, part: Number) -> Operand:
        """A number as it is shown, and half of what its last digit counts."""
        assert self.numerals is not None
        value, places = float(part.text), self.behind
        is_value = any(start <= part.start < end for start, end, _ in self.shown)
        is_exact = part.text == "0" or (places is None and part.text in self.exact)
        if is_exact and not (is_value and value):
            return super().lower(part)
        if places is None:
            places = _places(value, ALONE)
        elif places == EACH_OWN:
            places = max(_behind_point(part), _places(value, EACH))
        node = input_node(f"number{len(self.numerals)}", np.float64(value))
        self.numerals[node] = value, 0.5 * 10.0**-places
        return Value(node, part.text)

    def decimals(self, part: Matrix) -> int:
        """How many digits behind the point the numbers of a matrix have; zeros that all of them end in are not shown."""
        numbers = [n for n in walk(part) if isinstance(n, Number) and n.text != "0"]
        behind = {_behind_point(n) for n in numbers}
        if len(behind) != 1 or any(isinstance(n, Script) for n in walk(part)):  # a power of ten
            return EACH_OWN
        among = (most for start, end, most in self.shown if start <= part.start < end)
        largest = max(*(float(n.text) for n in numbers), *among, 0.0)
        return max(*behind, _places(largest, LARGEST))


def with_room(
    node: Node, known: Mapping[Node, Array], numerals: Numerals, *, is_extended: bool
) -> tuple[Array, Array]:
    """The numbers of a formula, and how far each may be off by the rounding of those put in.

    Raises ReportError where that says nothing: in a wave, over a jump or a pole.
    """
    if node.is_constant:
        return np.asarray(node.value, dtype=float), np.zeros(node.shape)
    if len(numerals) > MAX_NUMERALS:
        raise ReportError("too many numbers")
    computed = extended.evaluate if is_extended else evaluate
    gates = topological(node)
    given = {n: known[n] for n in gates if n in known}
    given |= {n: np.float64(value) for n, (value, _) in numerals.items()}
    waves = [a for n in gates if n.gate.cyclic for a in n.args if not a.is_constant]

    def numbers(given: dict[Node, Any]) -> list[Array]:
        found = computed([node, *waves], given)
        return [np.asarray(found[n]).astype(float) for n in (node, *waves)]

    whole, *angles = numbers(given)
    exactly = _whole(gates)

    def change(n: Node, step: float) -> Array:
        moved, *turned = numbers(given | {n: np.float64(numerals[n][0] + step)})
        if any(np.any(np.abs(t - a) > COARSE) for t, a in zip(turned, angles, strict=True)):
            raise ReportError("a number in it is too coarse")
        return moved - whole

    room = np.zeros_like(whole)
    for n, (_, half) in numerals.items():
        if n in exactly:
            continue
        up, down = change(n, half), change(n, -half)
        most = np.maximum(np.abs(up), np.abs(down))
        if np.any(np.abs(up + down) > STRAIGHT * most):
            inner = np.maximum(np.abs(change(n, half / 2)), np.abs(change(n, -half / 2)))
            if np.any((inner > HALF_WAY * most) & (most > 1e-9 * np.max(np.abs(whole)))):
                raise ReportError("a number in it is too coarse")
        room = room + most
    # beside a matrix that is nearly singular, several roundings together do more than each alone
    solved = any(n.gate.form is Form.INVERSE for n in gates)
    if solved and np.any(room > BEYOND * np.max(np.abs(whole))):
        raise ReportError("a number in it is too coarse")
    return whole, room


def _whole(gates: Iterable[Node]) -> set[Node]:
    """What is given as positions or class numbers, which are not rounded."""
    given = ((n.args[i], role) for n in gates for i, role in n.gate.roles.items())
    return set(topological(*(arg for arg, role in given if role in ("index", "label"))))


def _places(value: float, digits: int) -> int:
    """How many digits behind the point a number of so many has."""
    return digits - 1 - math.floor(math.log10(value)) if value else digits


def _behind_point(part: Number) -> int:
    return len(part.text.partition(".")[2])
