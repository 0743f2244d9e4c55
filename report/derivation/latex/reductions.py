"""Notation of gates that spread, sum or compare entries, and of functions with options."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from report.autodiff.form import Form
from report.autodiff.gates import ATOM, CALL, MATRIX_PRODUCT, PRODUCT, SUM, axes_of
from report.autodiff.graph import Node
from report.derivation.latex.arithmetic import row
from report.derivation.latex.options import below_name, options, over
from report.derivation.latex.printer import Signs
from report.derivation.latex.symbols import dimensions, without_font

if TYPE_CHECKING:
    from report.derivation.latex.printer import Printer


def _broadcast(p: Printer, node: Node) -> tuple[str, int]:
    (a,) = node.args
    if node.span is not None:
        return _stretched(p, node)
    text = p.bracketed(a, PRODUCT)
    is_told = node in p.told
    if not a.shape:
        bare, ones = p.write(a)[0], rf"𝟏_{{{dimensions(node.shape)}}}" if is_told else "𝟏"
        if bare.startswith("-"):  # a leading minus needs no brackets
            return rf"{bare}\,{ones}", SUM
        return (ones, ATOM) if text == "1" else (rf"{text}\,{ones}", PRODUCT)
    if len(node.shape) == 2 and a.shape in (
        (node.shape[0], 1),
        (node.shape[1],),
        (1, node.shape[1]),
    ):
        rows, columns = (f"_{{{n}}}" if is_told else "" for n in node.shape)
        if a.shape == (node.shape[0], 1) and node.shape[1] != 1:
            return rf"{p.bracketed(a, MATRIX_PRODUCT)}\,𝟏{columns}^{{\top}}", MATRIX_PRODUCT
        if len(a.shape) == 1:
            return rf"𝟏{rows}\,{p.bracketed(a, CALL)}^{{\top}}", MATRIX_PRODUCT
        is_row = a.gate.form is Form.RESHAPED and a.span is None and len(a.args[0].shape) == 1
        one = row(p, a.args[0]) if is_row and p.leaf(a) is None else p.bracketed(a, MATRIX_PRODUCT)
        share = _SHARE.match(one)  # of a mean; it stands before the ones
        before = share[0] if share else ""
        return rf"{before}𝟏{rows}\,{one[len(before) :]}", MATRIX_PRODUCT
    return _stretched(p, node)


def _stretched(p: Printer, node: Node) -> tuple[str, int]:
    """Entries repeated to a shape that is told: what a user asks for, and what has more axes than a matrix."""
    text = p.write(node.args[0])[0]
    return rf"\operatorname{{broadcast}}_{{{dimensions(node.shape)}}}\left({text}\right)", CALL


_SHARE = re.compile(r"\\frac\{1\}\{\d+\} ")


def _sum_to(p: Printer, node: Node) -> tuple[str, int]:
    (a,) = node.args
    text = p.bracketed(a, MATRIX_PRODUCT)
    if node.shape and len(a.shape) == 2:
        if node.shape == (a.shape[0], 1):
            return rf"{text}\,𝟏", MATRIX_PRODUCT
        if node.shape == (1, a.shape[1]):
            return rf"𝟏^{{\top}}{text}", MATRIX_PRODUCT
        if node.shape == (a.shape[1],):
            return rf"{p.bracketed(a, CALL)}^{{\top}}𝟏", MATRIX_PRODUCT
    extra = len(a.shape) - len(node.shape)
    axes = [i for i, n in enumerate(a.shape) if i < extra or node.shape[i - extra] != n]
    below = f"_{{{over(axes, len(a.shape))}}}" if node.shape else ""
    return rf"\operatorname{{sum}}{below}\left({p.write(a)[0]}\right)", CALL


def _is_extreme(p: Printer, node: Node) -> tuple[str, int]:
    """𝟙[x = max(x)]: which entries are the largest, of all or along an axis."""
    (a,) = node.args
    sign = r"\max" if node.gate.form is Form.LARGEST else r"\min"
    below = below_name(options(node.gate, node.params, a.shape))
    text = p.write(a)[0]
    return rf"𝟙\left[{text} = {sign}{below}\left({text}\right)\right]", CALL


def _others(p: Printer, node: Node) -> tuple[str, int]:
    """The products of all entries but one, by their entry: [Π_{k ≠ i} x_k]_i."""
    (a,) = node.args
    rank = len(a.shape)
    own, new = "ijk"[:rank], ("k" if rank == 1 else "klm" if rank == 2 else "lmn")[:rank]
    if not 0 < rank <= 3:
        return "1", ATOM
    axes = axes_of(a.shape, node.params.get("axis"))
    at = "".join(new[i] if i in axes else own[i] for i in range(rank))
    pair = ["".join(x[i] + "," * (i != axes[-1]) for i in axes) for x in (new, own)]
    first, second = pair if len(axes) == 1 else [f"({x})" for x in pair]
    text = p.write(a)[0]
    name = without_font(text)
    if not re.fullmatch(r"\\?[A-Za-z]+(_\{[^{}\\]*\})?", name):
        name = rf"\left({text}\right)"
    name = rf"{name[:-1]},{at}}}" if name.endswith("}") else rf"{name}_{{{at}}}"
    return rf"\left[\textstyle\prod_{{{first} \ne {second}}} {name}\right]_{{{own}}}", CALL


SIGNS: Signs = {
    Form.COPIES: _broadcast,
    Form.SUMMED: _sum_to,
    Form.OTHERS: _others,
    Form.LARGEST: _is_extreme,
    Form.SMALLEST: _is_extreme,
}
