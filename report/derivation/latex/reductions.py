"""Notation of gates that spread, sum or compare entries, and of functions with options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from report.autodiff.form import Form
from report.autodiff.gates import CALL, GATES, MATRIX_PRODUCT, PRODUCT, SUM, axes_of
from report.autodiff.graph import CONSTANT, Node
from report.autodiff.simplify.constants import is_number
from report.derivation.latex.arithmetic import row
from report.derivation.latex.options import below_name, options, over
from report.derivation.latex.printed import (
    First,
    Last,
    Printed,
    bracketed,
    put,
)
from report.derivation.latex.printer import Notations
from report.derivation.latex.symbols import dimensions, symbol

if TYPE_CHECKING:
    from report.derivation.latex.printer import Printer


def _broadcast(p: Printer, node: Node) -> Printed:
    (a,) = node.args
    if node.span is not None:
        return _stretched(p, node)
    is_told = node in p.told
    if not a.shape:
        ones = put(f"𝟏_{{{dimensions(node.shape)}}}") if is_told else put("𝟏")
        if p.write(a).minus:  # a leading minus needs no brackets
            return put(p.write(a), r"\,", ones, binding=SUM)
        if is_number(a, 1) and p.leaf(a) is None:
            return ones
        return put(p.bracketed(a, PRODUCT), r"\,", ones, binding=PRODUCT)
    if len(node.shape) == 2 and a.shape in (
        (node.shape[0], 1),
        (node.shape[1],),
        (1, node.shape[1]),
    ):
        rows, columns = (f"_{{{n}}}" if is_told else "" for n in node.shape)
        if a.shape == (node.shape[0], 1) and node.shape[1] != 1:
            ones = put(rf"\,𝟏{columns}^{{\top}}")
            return put(p.bracketed(a, MATRIX_PRODUCT), ones, binding=MATRIX_PRODUCT)
        if len(a.shape) == 1:
            one = put(p.bracketed(a, CALL), r"^{\top}")
            return put(rf"𝟏{rows}\,", one, binding=MATRIX_PRODUCT)
        share, rest = _share(p, a)  # that of a mean stands before the ones
        is_row = rest.gate.form is Form.RESHAPED and rest.span is None
        is_row = is_row and len(rest.args[0].shape) == 1 and p.leaf(rest) is None
        one = row(p, rest.args[0]) if is_row else p.bracketed(rest, MATRIX_PRODUCT)
        return put(*share, rf"𝟏{rows}\,", one, binding=MATRIX_PRODUCT)
    return _stretched(p, node)


def _share(p: Printer, node: Node) -> tuple[tuple[str, ...], Node]:
    """1/n as it stands in front of a product, and the rest of it."""
    if node.gate.form is not Form.PRODUCT or p.leaf(node) is not None:
        return (), node
    share, rest = node.args
    is_share = share.is_constant and not share.shape and share.gate is not CONSTANT
    first = p.write(share).start.first if is_share else First.OTHER
    return ((p.write(share), " "), rest) if first is First.FRACTION else ((), node)


def _stretched(p: Printer, node: Node) -> Printed:
    """Entries repeated to a shape that is told: what a user asks for, and what has more axes than a matrix."""
    name = rf"\operatorname{{broadcast}}_{{{dimensions(node.shape)}}}"
    return put(name, bracketed(p.write(node.args[0])), binding=CALL)


def _sum_to(p: Printer, node: Node) -> Printed:
    (a,) = node.args
    text = p.bracketed(a, MATRIX_PRODUCT)
    if node.shape and len(a.shape) == 2:
        if node.shape == (a.shape[0], 1):
            return put(text, r"\,𝟏", binding=MATRIX_PRODUCT)
        if node.shape == (1, a.shape[1]):
            return put(r"𝟏^{\top}", text, binding=MATRIX_PRODUCT)
        if node.shape == (a.shape[1],):
            return put(p.bracketed(a, CALL), r"^{\top}𝟏", binding=MATRIX_PRODUCT)
    extra = len(a.shape) - len(node.shape)
    axes = [i for i, n in enumerate(a.shape) if i < extra or node.shape[i - extra] != n]
    kept = r",\,\text{kept}" if not extra else ""
    below = f"_{{{over(axes, len(a.shape))}{kept}}}" if node.shape else ""
    return put(r"\operatorname{sum}", below, bracketed(p.write(a)), binding=CALL)


def _total(p: Printer, node: Node) -> Printed | None:
    """Sums over the rows or columns of a matrix in a formula that rules made: Aᵀ𝟏 and A𝟏; else by name."""
    (a,) = node.args
    axis = node.params.get("axis")
    if node.span is not None or not isinstance(axis, int) or len(a.shape) != 2:
        return None
    ones = Node(GATES["sum_to"], (a,), shape=node.shape)
    if node.params.get("keepdims") or axis % 2 == 0:
        return _sum_to(p, ones)
    return put(p.bracketed(a, MATRIX_PRODUCT), r"\,𝟏", binding=MATRIX_PRODUCT)


def _is_extreme(p: Printer, node: Node) -> Printed:
    """𝟙[x = max(x)]: which entries are the largest, of all or along an axis."""
    (a,) = node.args
    sign = r"\max" if node.gate.form is Form.LARGEST else r"\min"
    axis = node.params.get("axis")
    kept = {"keepdims": True} if len(a.shape) > 2 and axis is not None else {}
    below = below_name(options(node.gate, {**node.params, **kept}, a.shape))
    turned = r"^{\top}" if len(a.shape) == 2 and axis in (0, -2) and a.shape[1] > 1 else ""
    inside = put(p.write(a), f" = {sign}", below, bracketed(p.write(a)), turned)
    return put(r"𝟙\left[", inside, r"\right]", binding=CALL, condition=inside)


def _others(p: Printer, node: Node) -> Printed:
    """The products of all entries but one, by their entry: [Π_{k ≠ i} x_k]_i."""
    (a,) = node.args
    rank = len(a.shape)
    own, new = "ijk"[:rank], ("k" if rank == 1 else "klm" if rank == 2 else "lmn")[:rank]
    if not 0 < rank <= 3:
        return put("1")
    axes = axes_of(a.shape, node.params.get("axis"))
    at = "".join(new[i] if i in axes else own[i] for i in range(rank))
    pair = ["".join(x[i] + "," * (i != axes[-1]) for i in axes) for x in (new, own)]
    first, second = pair if len(axes) == 1 else [f"({x})" for x in pair]
    text = p.write(a)
    if text.name is not None:
        factor = symbol(text.name, (), at)
    else:
        factor = put(bracketed(text), f"_{{{at}}}")
    head = rf"\left[\textstyle\prod_{{{first} \ne {second}}} "
    end = rf"\right]_{{{own}}}"
    return put(head, factor, end, binding=CALL, last=Last.SUBSCRIPT)


NOTATIONS: Notations = {
    Form.COPIES: _broadcast,
    Form.SUMMED: _sum_to,
    Form.TOTAL: _total,
    Form.OTHERS: _others,
    Form.LARGEST: _is_extreme,
    Form.SMALLEST: _is_extreme,
}
