"""A tensor that is put together entry by entry, as the gradient of one that is used entry by entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from report.autodiff.form import Form
from report.autodiff.gates.keys import entry_place
from report.autodiff.gates.table import GATES, apply
from report.autodiff.graph import Node, constant, make

MAX_ENTRIES = 6  # in a row or column of what is told entry by entry
MAX_DEPTH = 2 * MAX_ENTRIES**2  # of a sum with so many terms, each with a factor


def by_entries(node: Node) -> Node:
    """A small tensor whose entries are put in their places one by one as the column or matrix of them."""
    is_small = 1 <= len(node.shape) <= 2 and max(node.shape) <= MAX_ENTRIES
    entries = _entries(node) if is_small else None
    if not entries:
        return node
    *_, last = node.shape
    numbers = [entries.get(place, constant(0.0)) for place in np.ndindex(node.shape)]
    if len(node.shape) == 1:
        return _stacked(numbers)
    return _stacked([_stacked(numbers[i : i + last]) for i in range(0, len(numbers), last)])


def _stacked(parts: Sequence[Node]) -> Node:
    return make(GATES["stack"], tuple(parts), {"axis": 0})


def _entries(node: Node, depth: int = MAX_DEPTH) -> dict[tuple[int, ...], Node] | None:
    """The entries that are not 0 by their places, of a sum of them; None of any other node."""
    if not depth:
        return None
    match node.gate.form, node.args:
        case Form.PUT_BACK, (number,) if not number.shape:
            place = entry_place(node.params["key"], node.shape)
            return None if place is None else {place: number}
        case ((Form.SUM | Form.DIFFERENCE), (a, b)) if a.shape == b.shape:
            first, second = _entries(a, depth - 1), _entries(b, depth - 1)
            if first is not None and second is not None and not first.keys() & second.keys():
                is_sum = node.gate.form is Form.SUM
                return first | (second if is_sum else _each("negative", second))
        case Form.NEGATIVE, (a,) if (found := _entries(a, depth - 1)) is not None:
            return _each("negative", found)
        case Form.PRODUCT, (a, b) if not a.shape or not b.shape:
            factor, rest = (a, b) if not a.shape else (b, a)
            if (found := _entries(rest, depth - 1)) is not None:
                return _each("multiply", found, factor)
    return None


def _each(
    gate: str, entries: Mapping[tuple[int, ...], Node], *first: Node
) -> dict[tuple[int, ...], Node]:
    return {place: apply(GATES[gate], (*first, x), {}) for place, x in entries.items()}


def is_entry(node: Node) -> bool:
    """Whether a gate picks one entry by numbers."""
    is_picked = node.gate.form is Form.PICKED
    return is_picked and entry_place(node.params["key"], node.args[0].shape) is not None
