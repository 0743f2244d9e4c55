"""Notation of sums, products, quotients and powers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from report.autodiff.form import Form
from report.autodiff.gates import ATOM, CALL, GATES, MATRIX_PRODUCT, POWER, PRODUCT, SUM
from report.autodiff.graph import CONSTANT, Node
from report.autodiff.simplify.constants import is_number
from report.autodiff.simplify.nodes import is_identity, is_symmetric, same
from report.derivation.latex.printed import (
    First,
    Last,
    Printed,
    Sign,
    bracketed,
    fraction,
    put,
)
from report.derivation.latex.printer import Notations, is_of_entries, is_square
from report.derivation.latex.symbols import constant_tex, dimensions

if TYPE_CHECKING:
    from report.derivation.latex.printer import Printer


def _add(p: Printer, node: Node) -> Printed:
    """A second term with a sign of its own is taken away; a negative number put in gets brackets.

    So does a sum that the user adds: it is a gate of its own.
    """
    a, b = node.args
    left, right = p.bracketed(a, SUM), p.bracketed(b, SUM)
    if b.span is not None and b.gate.form in _TERMS and p.leaf(b) is None:
        right = bracketed(right)
    if right.minus:
        return put(left, " - ", right.unsigned, binding=SUM)
    return put(left, " + ", bracketed(right) if right.is_negative else right, binding=SUM)


_TERMS = frozenset({Form.SUM, Form.DIFFERENCE})


def _multiply(p: Printer, node: Node) -> Printed:
    a, b = node.args
    one_line = _in_fraction(p, a, b)
    if one_line is not None:
        return one_line
    if (inside := _with_number(p, a, b)) is not None:
        return p.write(inside)
    if (unsigned := _unsigned(p, a)) is not None:
        product = Node(node.gate, (unsigned, b), node.params, node.shape)
        return put("-", p.bracketed(product, PRODUCT), binding=SUM)
    left, right = p.bracketed(a, PRODUCT), p.bracketed(b, PRODUCT)
    if a.is_constant and not a.shape and p.write(a).minus:
        return _side_by_side(p.write(a), right, SUM)  # a leading minus needs no brackets: −2 x
    if a.shape and b.shape:
        left, right = _widened(left, a, b), _widened(right, b, a)
        # next to ⊙ a matrix product gets brackets, so that nobody wonders which comes first
        left = bracketed(left) if _is_juxtaposed(p, a) else left
        right = bracketed(right) if _is_juxtaposed(p, b) else right
        return put(left, r" \odot ", right, binding=PRODUCT)
    if _is_juxtaposed(p, a):  # (xᵀy) z
        left = bracketed(left)
    if a.shape and _is_juxtaposed(p, b):  # A (xᵀy)
        right = bracketed(right)
    if left.colour or Sign.DOT in right.signs or _repeats(p, a, b):
        return put(left, r" \cdot ", right, binding=PRODUCT)
    return _side_by_side(left, right, PRODUCT)


def _unsigned(p: Printer, a: Node) -> Node | None:
    """A first factor without its minus, which stands before the whole product: −xy for (−x) y."""
    if a.is_constant or p.leaf(a) is not None:
        return None
    if a.gate.form is Form.NEGATIVE:
        return a.args[0]
    if a.gate.form is not Form.PRODUCT or (first := _unsigned(p, a.args[0])) is None:
        return None
    return Node(a.gate, (first, a.args[1]), a.params, a.shape)


def _negative(p: Printer, node: Node) -> Printed | None:
    """Behind a minus a function's call needs no bracket, as log σ(x) does before a factor; e^x - 1 is none."""
    a = node.args[0]
    is_function = a.gate.form is None and len(a.args) == 1 and p.leaf(a) is None
    written = p.write(a)
    is_call = is_function and written.endswith(r"\right)")
    return put("-", written, binding=SUM) if is_call and not written.minus else None


def _repeats(p: Printer, a: Node, b: Node) -> bool:
    """x · x, as xx would look like a name, and x · x · x."""
    if same(a, b):
        return True
    is_product = a.gate.form is Form.PRODUCT and p.leaf(a) is None
    return is_product and same(a.args[1], b) and _repeats(p, a.args[0], b)


def _in_fraction(p: Printer, a: Node, b: Node) -> Printed | None:
    """2 times x / y is 2x / y, and 1/2 times it x / 2y."""
    if b.gate.form is not Form.QUOTIENT or b.is_constant or p.leaf(b) is not None:
        return None
    above, below = (a.args[0], a.args[1]) if a.gate.form is Form.QUOTIENT else (a, None)
    if p.leaf(a) is not None or any(n is not None and not is_number(n) for n in (above, below)):
        return None
    x, y = b.args
    written = p.write(x)
    first = written.start.first
    is_tall = Sign.PARTIAL in written.signs
    if first in (First.ROWS, First.MINUS) or (first is First.FRACTION and not is_tall):
        return None
    sign = "-" if above.value < 0 else ""
    top = put() if abs(above.value) == 1 else constant_tex(abs(above.value))
    bottom = p.write(y)
    if below is not None:
        bottom = _side_by_side(p.write(below), p.bracketed(y, PRODUCT))
    if is_tall:  # it stands behind the fraction
        text = p.bracketed(x, PRODUCT)
        if x.shape and y.shape and _is_juxtaposed(p, x):
            text = bracketed(text)
        return _behind(sign, fraction(top or put("1"), bottom), text, x, y)
    if not is_number(x, 1):
        top = _side_by_side(top, p.bracketed(x, PRODUCT)) if top else written
    return put(sign, fraction(top or put("1"), bottom), binding=SUM if sign else ATOM)


def _behind(sign: str, front: Printed, text: Printed, x: Node, y: Node) -> Printed:
    """x / y as a fraction over y times x, both written."""
    is_by_entries = bool(x.shape and y.shape)
    binding = SUM if sign else PRODUCT if is_by_entries else MATRIX_PRODUCT
    return put(sign, front, r" \odot " if is_by_entries else " ", text, binding=binding)


def _with_number(p: Printer, number: Node, b: Node) -> Node | None:
    """A product or copies with a number put into the fraction that they begin with: x / 3y z for 1/3 x / y z."""
    if b.gate.form not in (Form.PRODUCT, Form.COPIES) or p.leaf(b) is not None:
        return None
    first, *rest = b.args
    if _in_fraction(p, number, first) is not None:
        inside = Node(GATES["multiply"], (number, first), shape=first.shape)
    elif (found := _with_number(p, number, first)) is not None:
        inside = found
    else:
        return None
    return Node(b.gate, (inside, *rest), b.params, b.shape)


def _widened(text: Printed, x: Node, other: Node) -> Printed:
    """A vector that a rule has made a column, beside a matrix: x 𝟏ᵀ."""
    made = x.gate.form is Form.RESHAPED and x.span is None and len(x.args[0].shape) == 1
    if made and x.shape[1:] == (1,) and len(other.shape) > 2:
        return put(rf"\operatorname{{reshape}}_{{{dimensions(x.shape)}}}", bracketed(text))
    if made and x.shape[1:] == (1,) and len(other.shape) == 2 and other.shape[1] > 1:
        return bracketed(put(text, r"\,𝟏^{\top}"))
    return text


def _side_by_side(left: Printed, right: Printed, binding: int = PRODUCT) -> Printed:
    """Two factors, with a dot where the second would be read as part of the first."""
    first = right.start.first
    if right.needs_dot or (first is First.ONES and left.last is Last.DIGIT):
        return put(left, r" \cdot ", right, binding=binding)
    left = put(left, r" \,", last=left.last) if first is First.TRUTH else left
    return _beside(left, right, binding)


def _is_juxtaposed(p: Printer, node: Node) -> bool:
    """Whether a node is written as factors side by side that are no numbers."""
    return p.write(node).binding == MATRIX_PRODUCT and node.gate.form in _JUXTAPOSED


_JUXTAPOSED = frozenset(
    {Form.MATRIX_PRODUCT, Form.OUTER, Form.INNER, Form.INVERSE, Form.SUMMED, Form.COPIES}
)


def _log_product(p: Printer, node: Node) -> Printed | None:
    """x ⊙ log(y) of tensors, where x log y is 0 for x = 0."""
    a, b = node.args
    if not a.shape or not b.shape:
        return None
    left = p.bracketed(a, PRODUCT)
    left = bracketed(left) if _is_juxtaposed(p, a) else left
    return put(left, r" \odot \log", bracketed(p.write(b)), binding=PRODUCT)


def _matmul(p: Printer, node: Node) -> Printed:
    """Vectors are columns: x @ A is Aᵀx, and x @ y is xᵀy."""
    a, b = node.args
    if len(a.shape) == 1 and len(b.shape) == 2:
        return _beside(_transposed(p, b), p.bracketed(a, MATRIX_PRODUCT))
    left = row(p, a) if len(a.shape) == 1 else _of_product(p, a)
    if b.gate.form is Form.COFACTOR and len(b.shape) == 2 and p.leaf(b) is None:
        determinant, inverse = _determinant_and_inverse(p, b)
        return put(determinant, " ", _beside(left, inverse), binding=MATRIX_PRODUCT)
    return _beside(left, _of_product(p, b))


def _cofactor(p: Printer, node: Node) -> Printed:
    determinant, inverse = _determinant_and_inverse(p, node)
    return put(determinant, " ", inverse, binding=PRODUCT)


def _determinant_and_inverse(p: Printer, node: Node) -> tuple[Printed, Printed]:
    """What the matrix of cofactors is the product of: det A and A⁻ᵀ, which is A⁻¹ of a symmetric A."""
    (a,) = node.args
    sign = "-1" if is_symmetric(a) else r"-\top"
    return put(r"\det", bracketed(p.write(a))), put(p.bracketed(a, CALL), f"^{{{sign}}}")


def _beside(left: Printed, right: Printed, binding: int = MATRIX_PRODUCT) -> Printed:
    """Two factors, with a space where one of them is a word: W hidden."""
    is_word = right.start.first is First.WORD or left.last is Last.WORD
    return put(left, r" \, " if is_word else " ", right, binding=binding)


def _of_product(p: Printer, node: Node) -> Printed:
    """A factor of a product of matrices, where a matrix of ones is 𝟏𝟏ᵀ and a row 𝟏ᵀ, no column."""
    written = p.write(node)
    least, own = MATRIX_PRODUCT, written.binding
    is_matrix = len(node.shape) == 2 and node.shape[1] > 1
    if is_matrix and written.last is Last.ONES and is_filled_matrix(node):
        written = put(written, r"\,𝟏^{\top}" if node.shape[0] > 1 else r"^{\top}")
        least = PRODUCT  # a factor may stand in front of 𝟏𝟏ᵀ anywhere
    return bracketed(written) if own < least else written


def is_filled_matrix(node: Node) -> bool:
    """Whether a matrix holds one number everywhere, which is written c 𝟏."""
    return node.gate is CONSTANT or (node.gate.form is Form.COPIES and not node.args[0].shape)


def _outer(p: Printer, node: Node) -> Printed:
    a, b = node.args
    return _beside(p.bracketed(a, MATRIX_PRODUCT), row(p, b))


def _dot(p: Printer, node: Node) -> Printed:
    a, b = node.args
    return _beside(row(p, a), p.bracketed(b, MATRIX_PRODUCT))


def row(p: Printer, node: Node) -> Printed:
    """A vector as a row: xᵀ, xᵀA for x @ A, and 𝟏ᵀA for the sums of columns."""
    a, *b = node.args or (node,)
    if node.gate.form is Form.SUMMED and p.leaf(node) is None and len(a.shape) == 2:
        return put(r"𝟏^{\top}", p.bracketed(a, MATRIX_PRODUCT))
    if node.gate.form is Form.MATRIX_PRODUCT and p.leaf(node) is None and len(a.shape) == 1:
        return put(row(p, a), " ", p.bracketed(b[0], MATRIX_PRODUCT))
    return put(p.bracketed(node, CALL), r"^{\top}")


def _transposed(p: Printer, node: Node) -> Printed:
    if node.gate.form is Form.TRANSPOSE and not node.params and p.leaf(node) is None:
        return p.bracketed(node.args[0], MATRIX_PRODUCT)
    if _is_inverse(node) and p.leaf(node) is None:
        return _inverse(p, node, transposed=True)
    return put(p.bracketed(node, CALL), r"^{\top}")


def _inverse(p: Printer, node: Node, *, transposed: bool = False) -> Printed:
    """A⁻¹, or A^{-ᵀ} of a transpose; for solve times the right side."""
    a, *right = node.args
    turned = a.gate.form is Form.TRANSPOSE and not a.params and p.leaf(a) is None
    sign = r"-\top" if turned != transposed else "-1"
    base = p.bracketed(a.args[0] if turned else a, CALL)
    inverse = put(base, f"^{{{sign}}}", binding=POWER)
    if not right:
        return inverse
    return put(inverse, " ", p.bracketed(right[0], MATRIX_PRODUCT), binding=MATRIX_PRODUCT)


def _is_inverse(node: Node) -> bool:
    return node.gate.form is Form.INVERSE and len(node.args) == 1


_SIGNED = frozenset({Form.NEGATIVE, Form.PRODUCT, Form.QUOTIENT})


def _divide(p: Printer, node: Node) -> Printed | None:
    """A sign above stands in front of the fraction, and so does all that is too tall to stand there."""
    a, b = node.args
    above, below = p.write(a), p.write(b)
    is_written_out = p.leaf(a) is None
    has_sign = above.minus and a.gate.form in _SIGNED
    sign = "-" if has_sign and is_written_out else ""
    is_tall = above.start.first in (First.FRACTION, First.ROWS)
    if Sign.PARTIAL in above.signs or (not b.shape and above.binding >= PRODUCT and is_tall):
        text = above.unsigned if sign else p.bracketed(a, PRODUCT)
        if a.shape and b.shape and not sign and _is_juxtaposed(p, a):
            text = bracketed(text)
        return _behind(sign, fraction("1", below), text, a, b)
    if is_identity(a) and b.shape:  # I over a matrix would read as its inverse
        return put(above, r" \odot ", p.bracketed(b, CALL), r"^{\odot -1}", binding=PRODUCT)
    if sign:
        return put("-", fraction(above.unsigned, below), binding=SUM)
    if a.gate is CONSTANT and not a.shape and is_written_out and a.value < 0:
        return put("-", fraction(constant_tex(-a.value), below), binding=SUM)
    return None


def _power(p: Printer, node: Node) -> Printed | None:
    """Roots, and sin²(x), as a textbook writes the square of a function's value.

    The square of a matrix is a product of matrices: that of its entries is D ⊙ D, or a power with ⊙.
    """
    a = node.args[0]
    by_entries = r"\odot " if len(node.shape) > 1 else ""
    exponent = node.args[1].value if len(node.args) > 1 else 2.0
    if exponent is None or np.shape(exponent):
        return None
    if exponent == 0.5 and not is_square(a):
        return put(r"\sqrt{", p.write(a), "}", binding=CALL)
    share = node.args[1] if len(node.args) > 1 else None
    if (
        share is not None
        and share.gate.form is Form.QUOTIENT
        and all(n.is_constant and not n.args for n in share.args)
    ):
        above, below = (p.write(n) for n in share.args)
        return put(p.bracketed(a, CALL), f"^{{{by_entries}", above, "/", below, "}", binding=POWER)
    is_call = p.leaf(a) is None and not (a.gate.of_matrix and is_of_entries(a))
    if exponent in (2, 3, 4) and a.gate.powered and is_call:
        name = rf"\{a.gate.name}^{{{by_entries}{exponent:g}}}"
        return put(name, bracketed(p.write(a.args[0])), binding=POWER)
    if not by_entries:
        return None
    base = p.write(a)
    if exponent == 2 and base.binding == ATOM:
        return put(base, r" \odot ", base, binding=PRODUCT)
    written = put("2") if share is None else p.bracketed(share, PRODUCT)
    return put(p.bracketed(a, CALL), f"^{{{by_entries}", written, "}", binding=POWER)


def _unit(p: Printer, node: Node) -> Printed | None:
    """A change of unit applied to 1 is the factor alone."""
    is_one = node.args[0].value is not None and np.all(node.args[0].value == 1)
    return put(node.gate.latex.format("").rstrip(), binding=PRODUCT) if is_one else None


def _transpose(p: Printer, node: Node) -> Printed | None:
    axes, rank = node.params.get("axes"), len(node.shape)
    if axes is None and "axes" in node.gate.params and rank > 2:
        axes = range(rank)[::-1]
    if axes is None:
        inner = node.args[0]
        is_inverse = _is_inverse(inner) and p.leaf(inner) is None
        return _transposed(p, inner) if is_inverse else None
    p.tell(node.args[0])
    order = ",".join(str(a % rank + 1) for a in axes)  # on paper axes count from 1
    name = rf"\operatorname{{transpose}}_{{{order}}}"
    return put(name, bracketed(p.write(node.args[0])), binding=CALL)


NOTATIONS: Notations = {
    Form.SUM: _add,
    Form.NEGATIVE: _negative,
    Form.PRODUCT: _multiply,
    Form.LOG_PRODUCT: _log_product,
    Form.MATRIX_PRODUCT: _matmul,
    Form.OUTER: _outer,
    Form.INNER: _dot,
    Form.INVERSE: _inverse,
    Form.COFACTOR: _cofactor,
    Form.QUOTIENT: _divide,
    Form.POWER: _power,
    Form.UNIT: _unit,
    Form.TRANSPOSE: _transpose,
}
