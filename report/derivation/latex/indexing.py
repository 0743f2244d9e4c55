"""Notation of gates that move entries: indices, what is put back, joined parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from report.autodiff.by_entries import MAX_ENTRIES
from report.autodiff.form import Form
from report.autodiff.gates import CALL, MATRIX_PRODUCT, POWER, Place
from report.autodiff.gates.keys import counted, entry_place
from report.autodiff.graph import Node, Shape
from report.derivation.latex.arithmetic import row
from report.derivation.latex.printed import (
    Last,
    Printed,
    Sign,
    bracketed,
    coloured,
    joined,
    put,
)
from report.derivation.latex.printer import Notations
from report.derivation.latex.symbols import (
    MAX_ROWS,
    NUMBERED,
    dimensions,
    entry_symbol,
    identity,
    listed,
    unit_vector,
)

if TYPE_CHECKING:
    from report.derivation.latex.printer import Printer


def _reshape(p: Printer, node: Node) -> Printed:
    """A change of shape that a rule needs is not written where it only adds an axis of length 1.

    In front NumPy has such axes anyway; in a matrix a vector is a row or a column by what stands beside it.
    """
    (a,) = node.args
    same = [n for n in a.shape if n != 1] == [n for n in node.shape if n != 1]
    short, long = sorted((a.shape, node.shape), key=len)
    flat = len(long) <= 2 or long[len(long) - len(short) :] == short
    if node.span is None and same and flat:
        return p.write(a)
    p.tell(a)
    name = rf"\operatorname{{reshape}}_{{{dimensions(node.shape)}}}"
    return put(name, bracketed(p.write(a)), binding=CALL)


def _index(p: Printer, node: Node) -> Printed:
    """X[0, :] with its index, counted from 1, as a subscript in square brackets; an entry x_1 without them."""
    base, shape = p.bracketed(node.args[0], CALL), node.args[0].shape
    at = entry_place(node.params["key"], shape)
    if base.name and at and min(shape) > 1 and NUMBERED.format(base.name) not in p.taken:
        return entry_symbol(base.name, at, shape)
    if base.last is Last.SUBSCRIPT:
        base = bracketed(base)
    key = _key(p, node, shape)
    return put(base, r"_{\left[", key, r"\right]}", binding=CALL, last=Last.SUBSCRIPT)


def _scatter(p: Printer, node: Node) -> Printed:
    """What is put back, by unit vectors e and rows of the identity I: e₁ gᵀ, Iᵀ g, onehot(i)ᵀ g."""
    g, *indices = node.args
    if not node.shape:  # of a number, back as it was
        return p.write(g)
    key = list(node.params["key"])
    plain = len(key) <= len(node.shape) <= 2 and None not in key and Ellipsis not in key
    if not plain or any(len(i.shape) > 1 for i in indices):
        name = put(r"\operatorname{scatter}_{\left[", _key(p, node, node.shape), r"\right]}")
        return put(name, bracketed(p.write(g)), binding=CALL)
    key += [slice(None)] * (len(node.shape) - len(key))
    left, *rest = [_Selector(p, node, part, n) for part, n in zip(key, node.shape, strict=True)]
    right = rest[0] if rest else None
    text = p.bracketed(g, MATRIX_PRODUCT)
    if right is not None and len(g.shape) == 1:
        if left.is_unit:
            text = row(p, g)
        elif not right.is_unit:  # one entry for each pair of places
            text = put(r"\operatorname{diag}", bracketed(p.write(g)))
    before = left.text if left.is_unit else left.transposed
    after = put() if right is None else right.transposed if right.is_unit else right.text
    parts = [before, text, after] if g.shape else [text, before, after]
    parts = [x for x in parts if x and (g.shape or x != "1")]
    return joined(" ", parts, MATRIX_PRODUCT if len(parts) > 1 else POWER)


class _Selector:
    """The matrix or vector that picks along one axis; nothing where all is picked."""

    def __init__(self, p: Printer, node: Node, part: Any, n: int) -> None:
        self.is_unit = False
        if isinstance(part, Place):
            held = node.args[part]
            if held.is_constant and np.array_equal(held.value, np.arange(n)):
                self.text = put()  # all, each once
                return
            if held.shape:
                below = listed(held.value) if held.is_constant else _in_line(p.write(held))
                below = put(below, f" - {part.start}") if part.start else below
                self.text = put(rf"\operatorname{{onehot}}_{{{n}}}", bracketed(below))
                return
            self.is_unit, self.text = True, unit_vector(_held(p, held, n, part.start), p.taken)
            return
        (written,) = counted((part,), (n,), lambda place, n: "")
        if isinstance(part, slice):
            whole = bracketed(put(identity(p.taken), f"_{{{n}}}"))
            rows = put(whole, r"_{\left[", _place(written), r"\right]}", signs=_ROWS_OF_IDENTITY)
            self.text = put() if written == ":" else rows
        else:
            self.is_unit, self.text = True, unit_vector(written, p.taken)

    @property
    def transposed(self) -> Printed:
        """Its transpose."""
        return put(self.text, r"^{\top}") if self.text else self.text


_ROWS_OF_IDENTITY = frozenset({Sign.ROWS_OF_IDENTITY})


def _key(p: Printer, node: Node, shape: Shape) -> Printed:
    parts = counted(
        node.params["key"], shape, lambda place, n: _held(p, node.args[place], n, place.start)
    )
    return joined(r",\,", [_place(part) for part in parts])


def _place(part: str) -> Printed:
    """One part of an index: a position, a slice, a new axis."""
    if isinstance(part, Printed):
        return put(part, signs=frozenset({Sign.PLACE}))
    if part == "new":
        return put(r"\text{new}")
    ends = part.split(":") if part != ":" else []
    signs = {1: Sign.PLACE, 2: Sign.SLICE, 3: Sign.SLICE_IN_STEPS}
    sign = None if part == "..." else signs.get(len(ends))
    return Printed(part, signs=frozenset({sign} if sign else ()))


def _held(p: Printer, index: Node, n: int, start: int) -> Printed:
    """Positions that are data: one more than they are where these start at 0."""
    text = put() if index.is_constant else p.write(index)
    places = index.value if index.is_constant else text.numbers
    if places is None or (not index.is_constant and np.size(places) > MAX_ROWS):
        return text if start else put(text, " + 1")
    return _counted_from_1(places, n, start)


def _counted_from_1(places: Any, n: int, start: int = 0) -> Printed:
    shown = r",\,".join(str((int(k) - start) % n + 1) for k in np.ravel(places))
    return Printed(rf"\left[{shown}\right]" if np.shape(places) else shown)


def _in_line(written: Printed) -> Printed:
    """A column of indices, too tall for a subscript, as a list."""
    numbers = written.numbers
    return written if numbers is None else coloured(listed(numbers), written.colour)


def _joined(p: Printer, node: Node) -> Printed:
    """[x; y] one below the other and [A | B] side by side; vectors that are stacked are rows [xᵀ; yᵀ].

    A few numbers are a column, and columns of them the rows of a matrix.
    """
    if rows := rows_of_numbers(node):
        return in_rows([[p.write(a) for a in row] for row in rows])
    first, axis = node.args[0], node.params.get("axis", 0) % len(node.shape)
    stacked = node.gate.form is Form.STACKED
    are_rows = stacked and len(first.shape) == 1 and axis == 0
    parts = [row(p, a) if are_rows else p.write(a) for a in node.args]
    shown = parts if len(parts) <= 6 else [*parts[:4], put(r"\ldots"), parts[-1]]
    if len(node.shape) > 2:
        name = rf"\operatorname{{{'stack' if stacked else 'concat'}}}_{{\text{{axis }}{axis + 1}}}"
        return put(name, bracketed(joined(", ", shown)), binding=CALL)
    signs = frozenset() if axis else frozenset({Sign.STACKED})
    between = r"\,|\," if axis else r";\;"
    return put(r"\left[", joined(between, shown), r"\right]", binding=CALL, signs=signs)


def rows_of_numbers(node: Node) -> list[list[Node]]:
    """The rows of a small matrix or column that is made of numbers; none of anything else."""
    if (
        node.gate.form is not Form.STACKED
        or node.params.get("axis")
        or max(node.shape) > MAX_ENTRIES
    ):
        return []
    if not node.args[0].shape:
        return [[a] for a in node.args]
    rows = [rows_of_numbers(a) if len(a.shape) == 1 else [] for a in node.args]
    return [[a for [a] in row] for row in rows] if all(rows) else []


def in_rows(rows: Sequence[Sequence[Printed]]) -> Printed:
    """A matrix of formulas, whose fractions are as large as on a line."""
    cells = [[put(r"\displaystyle ", a) for a in row] for row in rows]
    lines = joined(r" \\ ", [joined(" & ", row) for row in cells])
    return put(r"\begin{bmatrix}", lines, r"\end{bmatrix}", binding=CALL)


def _one_hot(p: Printer, node: Node) -> Printed | None:
    """The unit vector of a class that is a number of the formula; labels that count from 1 less 1."""
    (label,) = node.args
    start = node.option("start")
    if not label.shape and label.is_constant:
        return unit_vector(_counted_from_1(label.value, node.shape[-1], start), p.taken)
    if not start:
        return None
    name = rf"\operatorname{{onehot}}_{{{node.shape[-1]}}}"
    return put(name, bracketed(put(p.write(label), f" - {start}")))


NOTATIONS: Notations = {
    Form.ONE_HOT: _one_hot,
    Form.RESHAPED: _reshape,
    Form.PICKED: _index,
    Form.PUT_BACK: _scatter,
    Form.JOINED: _joined,
    Form.STACKED: _joined,
}
