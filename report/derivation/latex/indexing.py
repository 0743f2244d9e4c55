"""Notation of gates that move entries: indices, what is put back, joined parts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from report.autodiff.form import Form
from report.autodiff.gates import CALL, MATRIX_PRODUCT, POWER, Place
from report.autodiff.gates.keys import counted
from report.autodiff.graph import Node, Shape
from report.derivation.latex.arithmetic import row
from report.derivation.latex.printer import Signs
from report.derivation.latex.symbols import dimensions, matrix, uncoloured

if TYPE_CHECKING:
    from report.derivation.latex.printer import Printer


def _reshape(p: Printer, node: Node) -> tuple[str, int]:
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
    shape = dimensions(node.shape)
    return rf"\operatorname{{reshape}}_{{{shape}}}\left({p.write(a)[0]}\right)", CALL


def _index(p: Printer, node: Node) -> tuple[str, int]:
    """X[0, :] with its index, counted from 1, as a subscript in square brackets."""
    base = p.bracketed(node.args[0], CALL)
    if _SUBSCRIPT.search(base):
        base = rf"\left({base}\right)"
    return rf"{base}_{{\left[{_key(p, node, node.args[0].shape)}\right]}}", CALL


_SUBSCRIPT = re.compile(r"_\{(?:[^{}]|\{[^{}]*\})*\}$")


def _scatter(p: Printer, node: Node) -> tuple[str, int]:
    """What is put back, by unit vectors e and rows of the identity I: e₁ gᵀ, Iᵀ g, onehot(i)ᵀ g."""
    g, *indices = node.args
    if not node.shape:  # of a number, back as it was
        return p.write(g)
    key = list(node.params["key"])
    plain = len(key) <= len(node.shape) <= 2 and None not in key and Ellipsis not in key
    if not plain or any(len(i.shape) > 1 for i in indices):
        text = p.write(g)[0]
        return (
            rf"\operatorname{{scatter}}_{{\left[{_key(p, node, node.shape)}\right]}}\left({text}\right)",
            CALL,
        )
    key += [slice(None)] * (len(node.shape) - len(key))
    left, *rest = [_selector(p, node, part, n) for part, n in zip(key, node.shape, strict=True)]
    right = rest[0] if rest else ""
    text = p.bracketed(g, MATRIX_PRODUCT)
    if rest and len(g.shape) == 1:
        if left.startswith(_UNIT):
            text = row(p, g)
        elif not right.startswith(_UNIT):  # one entry for each pair of places
            text = rf"\operatorname{{diag}}\left({p.write(g)[0]}\right)"
    left = left if left.startswith(_UNIT) or not left else rf"{left}^{{\top}}"
    right = rf"{right}^{{\top}}" if right.startswith(_UNIT) else right
    parts = [left, text, right] if g.shape else [text, left, right]
    parts = [x for x in parts if x and (g.shape or x != "1")]
    return " ".join(parts), MATRIX_PRODUCT if len(parts) > 1 else POWER


def _selector(p: Printer, node: Node, part: Any, n: int) -> str:
    """The matrix or vector that picks along one axis; nothing where all is picked."""
    if isinstance(part, Place):
        held = node.args[part]
        if held.shape:
            text = matrix(held.value) if held.is_constant else p.write(held)[0]
            below = _VECTOR.sub(_listed, text)
            return rf"\operatorname{{onehot}}_{{{n}}}\left({below}\right)"
        return rf"{_UNIT}_{{\left[{_held(p, held, n)}\right]}}"
    (written,) = counted((part,), (n,), lambda place, n: "")
    if isinstance(part, slice):
        rows = rf"\left(\mathbf{{I}}_{{{n}}}\right)_{{\left[{written}\right]}}"
        return "" if written == ":" else rows
    return rf"{_UNIT}_{{\left[{written}\right]}}"


_UNIT = r"\mathbf{e}"


def _key(p: Printer, node: Node, shape: Shape) -> str:
    parts = counted(node.params["key"], shape, lambda place, n: _held(p, node.args[place], n))
    return r",\,".join(r"\text{new}" if part == "new" else part for part in parts)


def _held(p: Printer, index: Node, n: int) -> str:
    """Positions that are data, which counts from 0: one more than they are."""
    if index.is_constant:
        places = [str(int(k) % n + 1) for k in np.ravel(index.value)]
        listed = r",\,".join(places)
        return rf"\left[{listed}\right]" if index.shape else places[0]
    if (counted_from_1 := one_less(index)) is not None:
        return p.write(counted_from_1)[0]
    text = p.write(index)[0]
    numbers = _NUMBERS.fullmatch(uncoloured(_VECTOR.sub(_listed, text)))
    if numbers is None:
        return f"{text} + 1"
    places = [str(int(k) % n + 1) for k in re.findall(r"-?\d+", numbers[0])]
    listed = r",\,".join(places)
    return rf"\left[{listed}\right]" if index.shape else places[0]


def one_less(index: Node) -> Node | None:
    """What a position is one less than: a number that counts from 1."""
    if index.gate.form is not Form.DIFFERENCE or index.args[1].value is None:
        return None
    return index.args[0] if np.all(index.args[1].value == 1) else None


def _listed(vector: re.Match[str]) -> str:
    """A column of indices, too tall for a subscript, as a list."""
    return r"\left[" + vector[1].replace(r" \\ ", r",\,") + r"\right]"


_NUMBERS = re.compile(r"(?:\\left\[)?-?\d+(?:,\\,-?\d+)*(?:\\right\])?")
_VECTOR = re.compile(r"\\begin\{bmatrix\*\}\[r\]([^&]*?)\\end\{bmatrix\*\}")


def _joined(p: Printer, node: Node) -> tuple[str, int]:
    """[x; y] one below the other and [A | B] side by side; vectors that are stacked are rows [xᵀ; yᵀ]."""
    first, axis = node.args[0], node.params.get("axis", 0) % len(node.shape)
    stacked = node.gate.form is Form.STACKED
    are_rows = stacked and len(first.shape) == 1 and axis == 0
    parts = [row(p, a) if are_rows else p.write(a)[0] for a in node.args]
    shown = parts if len(parts) <= 6 else [*parts[:4], r"\ldots", parts[-1]]
    if len(node.shape) > 2:
        name = rf"\operatorname{{{'stack' if stacked else 'concat'}}}_{{\text{{axis }}{axis + 1}}}"
        return rf"{name}\left({', '.join(shown)}\right)", CALL
    sign = r"\,|\," if axis else r";\;"
    return rf"\left[{sign.join(shown)}\right]", CALL


SIGNS: Signs = {
    Form.RESHAPED: _reshape,
    Form.PICKED: _index,
    Form.PUT_BACK: _scatter,
    Form.JOINED: _joined,
    Form.STACKED: _joined,
}
