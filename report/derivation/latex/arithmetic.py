"""Notation of sums, products, quotients and powers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from report.autodiff.form import Form
from report.autodiff.gates import ATOM, CALL, MATRIX_PRODUCT, POWER, PRODUCT, SUM
from report.autodiff.graph import CONSTANT, Node
from report.autodiff.simplify.constants import is_number
from report.autodiff.simplify.nodes import is_symmetric
from report.derivation.latex.printer import Signs, is_square
from report.derivation.latex.symbols import bare, constant_tex, dimensions

if TYPE_CHECKING:
    from report.derivation.latex.printer import Printer


def _add(p: Printer, node: Node) -> tuple[str, int]:
    """A second term with a sign of its own is taken away; a negative number put in gets brackets."""
    a, b = node.args
    left, right = p.bracketed(a, SUM), p.bracketed(b, SUM)
    if right.startswith("-"):
        return f"{left} - {right[1:]}", SUM
    if bare(right).startswith("-"):
        right = rf"\left({right}\right)"
    return f"{left} + {right}", SUM


def _multiply(p: Printer, node: Node) -> tuple[str, int]:
    a, b = node.args
    one_line = _in_fraction(p, a, b)
    if one_line is not None:
        return one_line
    left, right = p.bracketed(a, PRODUCT), p.bracketed(b, PRODUCT)
    if a.is_constant and not a.shape and p.write(a)[0].startswith("-"):
        left = p.write(a)[0]  # a leading minus needs no brackets: −2 x
        return _side_by_side(left, right), SUM
    if a.shape and b.shape:
        left, right = _widened(left, a, b), _widened(right, b, a)
        # next to ⊙ a matrix product gets brackets, so that nobody wonders which comes first
        left = rf"\left({left}\right)" if _is_juxtaposed(p, a) else left
        right = rf"\left({right}\right)" if _is_juxtaposed(p, b) else right
        return rf"{left} \odot {right}", PRODUCT
    if _is_juxtaposed(p, a):  # (xᵀy) z
        left = rf"\left({left}\right)"
    if a.shape and _is_juxtaposed(p, b):  # A (xᵀy)
        right = rf"\left({right}\right)"
    again = left == right or left.endswith(rf"\cdot {right}")  # x · x, as xx would look like a name
    if left.startswith(r"\textcolor") or r"\cdot" in right or again:
        return rf"{left} \cdot {right}", PRODUCT
    return _side_by_side(left, right), PRODUCT


def _in_fraction(p: Printer, a: Node, b: Node) -> tuple[str, int] | None:
    """2 times x / y is 2x / y, and 1/2 times it x / 2y."""
    if b.gate.form is not Form.QUOTIENT or b.is_constant or p.leaf(b) is not None:
        return None
    above, below = (a.args[0], a.args[1]) if a.gate.form is Form.QUOTIENT else (a, None)
    if p.leaf(a) is not None or any(n is not None and not is_number(n) for n in (above, below)):
        return None
    x, y = b.args
    written = p.write(x)[0]
    if bare(written).startswith((r"\begin", "-")):
        return None
    is_tall = r"\frac{\partial" in written
    if bare(written).startswith(r"\frac") and not is_tall:
        return None
    sign = "-" if above.value < 0 else ""
    top = "" if abs(above.value) == 1 else constant_tex(abs(above.value))[0]
    bottom = p.write(y)[0]
    if below is not None:
        bottom = _side_by_side(p.write(below)[0], p.bracketed(y, PRODUCT))
    if is_tall:  # it stands behind the fraction
        text = p.bracketed(x, PRODUCT)
        if x.shape and y.shape and _is_juxtaposed(p, x):
            text = rf"\left({text}\right)"
        return _behind(rf"{sign}\frac{{{top or 1}}}{{{bottom}}}", text, x, y)
    if not is_number(x, 1):
        top = _side_by_side(top, p.bracketed(x, PRODUCT)) if top else written
    return rf"{sign}\frac{{{top or 1}}}{{{bottom}}}", SUM if sign else ATOM


def _behind(fraction: str, text: str, x: Node, y: Node) -> tuple[str, int]:
    """x / y as a fraction over y times x, both written."""
    is_by_entries = bool(x.shape and y.shape)
    binding = PRODUCT if is_by_entries else MATRIX_PRODUCT
    sign = r" \odot" if is_by_entries else ""
    return f"{fraction}{sign} {text}", SUM if fraction.startswith("-") else binding


def _widened(text: str, x: Node, other: Node) -> str:
    """A vector that a rule has made a column, beside a matrix: x 𝟏ᵀ."""
    made = x.gate.form is Form.RESHAPED and x.span is None and len(x.args[0].shape) == 1
    if made and x.shape[1:] == (1,) and len(other.shape) > 2:
        return rf"\operatorname{{reshape}}_{{{dimensions(x.shape)}}}\left({text}\right)"
    if made and x.shape[1:] == (1,) and len(other.shape) == 2 and other.shape[1] > 1:
        return rf"\left({text}\,𝟏^{{\top}}\right)"
    return text


def _side_by_side(left: str, right: str) -> str:
    """Two factors, with a dot where the second would be read as part of the first."""
    dot = _starts_with_number(right) or (right.startswith("𝟏") and left[-1:].isdigit())
    space = r" \," if right.startswith("𝟙") else ""
    return rf"{left} \cdot {right}" if dot else _beside(f"{left}{space}", right)


def _is_juxtaposed(p: Printer, node: Node) -> bool:
    """Whether a node is written as factors side by side that are no numbers."""
    return p.write(node)[1] == MATRIX_PRODUCT and node.gate.form in _JUXTAPOSED


_JUXTAPOSED = frozenset(
    {Form.MATRIX_PRODUCT, Form.OUTER, Form.INNER, Form.INVERSE, Form.SUMMED, Form.COPIES}
)


def _starts_with_number(text: str) -> bool:
    """Whether a factor needs a dot before it: it begins with a digit or a sign, outside of brackets."""
    if text.startswith(r"\left(") and not text.startswith((r"\left(-", r"\left(\textcolor")):
        return False
    bare = re.sub(r"^(\\textcolor\{[^}]*\}\{|\\left\(|\\frac\{)+", "", text)
    return bool(re.match(r"[0-9-]", bare))


def _log_product(p: Printer, node: Node) -> tuple[str, int] | None:
    """x ⊙ log(y) of tensors, where x log y is 0 for x = 0."""
    a, b = node.args
    if not a.shape or not b.shape:
        return None
    left = p.bracketed(a, PRODUCT)
    left = rf"\left({left}\right)" if _is_juxtaposed(p, a) else left
    return rf"{left} \odot \log\left({p.write(b)[0]}\right)", PRODUCT


def _matmul(p: Printer, node: Node) -> tuple[str, int]:
    """Vectors are columns: x @ A is Aᵀx, and x @ y is xᵀy."""
    a, b = node.args
    if len(a.shape) == 1 and len(b.shape) == 2:
        return _beside(_transposed(p, b), p.bracketed(a, MATRIX_PRODUCT)), MATRIX_PRODUCT
    left = row(p, a) if len(a.shape) == 1 else _of_product(p, a)
    if b.gate.form is Form.COFACTOR and len(b.shape) == 2 and p.leaf(b) is None:
        determinant, inverse = _determinant_and_inverse(p, b)
        return f"{determinant} {_beside(left, inverse)}", MATRIX_PRODUCT
    return _beside(left, _of_product(p, b)), MATRIX_PRODUCT


def _cofactor(p: Printer, node: Node) -> tuple[str, int]:
    return " ".join(_determinant_and_inverse(p, node)), PRODUCT


def _determinant_and_inverse(p: Printer, node: Node) -> tuple[str, str]:
    """What the matrix of cofactors is the product of: det A and A⁻ᵀ, which is A⁻¹ of a symmetric A."""
    (a,) = node.args
    sign = "-1" if is_symmetric(a) else r"-\top"
    return rf"\det\left({p.write(a)[0]}\right)", rf"{p.bracketed(a, CALL)}^{{{sign}}}"


def _beside(left: str, right: str) -> str:
    """Two factors, with a space where one of them is a word: W hidden."""
    is_word = _WORD_AHEAD.match(right) or _WORD_BEHIND.search(left)
    return rf"{left} \, {right}" if is_word else f"{left} {right}"


_WORD_AHEAD = re.compile(r"\\mathbf\{[A-Za-z]{2,}\}")
_WORD_BEHIND = re.compile(r"\\mathbf\{[A-Za-z]{2,}\}$")


def _of_product(p: Printer, node: Node) -> str:
    """A factor of a product of matrices, where a matrix of ones is 𝟏𝟏ᵀ, no column."""
    text, own = p.write(node)
    is_matrix = len(node.shape) == 2 and min(node.shape) > 1
    least = MATRIX_PRODUCT
    if is_matrix and text.endswith("𝟏") and is_filled_matrix(node):
        text, least = rf"{text}\,𝟏^{{\top}}", PRODUCT  # a factor may stand in front of 𝟏𝟏ᵀ anywhere
    return rf"\left({text}\right)" if own < least else text


def is_filled_matrix(node: Node) -> bool:
    """Whether a matrix holds one number everywhere, which is written c 𝟏."""
    return node.gate is CONSTANT or (node.gate.form is Form.COPIES and not node.args[0].shape)


def _outer(p: Printer, node: Node) -> tuple[str, int]:
    a, b = node.args
    return _beside(p.bracketed(a, MATRIX_PRODUCT), row(p, b)), MATRIX_PRODUCT


def _dot(p: Printer, node: Node) -> tuple[str, int]:
    a, b = node.args
    return _beside(row(p, a), p.bracketed(b, MATRIX_PRODUCT)), MATRIX_PRODUCT


def row(p: Printer, node: Node) -> str:
    """A vector as a row: xᵀ, xᵀA for x @ A, and 𝟏ᵀA for the sums of columns."""
    a, *b = node.args or (node,)
    if node.gate.form is Form.SUMMED and p.leaf(node) is None and len(a.shape) == 2:
        return rf"𝟏^{{\top}}{p.bracketed(a, MATRIX_PRODUCT)}"
    if node.gate.form is Form.MATRIX_PRODUCT and p.leaf(node) is None and len(a.shape) == 1:
        return f"{row(p, a)} {p.bracketed(b[0], MATRIX_PRODUCT)}"
    return rf"{p.bracketed(node, CALL)}^{{\top}}"


def _transposed(p: Printer, node: Node) -> str:
    if node.gate.form is Form.TRANSPOSE and not node.params and p.leaf(node) is None:
        return p.bracketed(node.args[0], MATRIX_PRODUCT)
    if _is_inverse(node) and p.leaf(node) is None:
        return _inverse(p, node)[0].replace("-1}", r"-\top}")
    return rf"{p.bracketed(node, CALL)}^{{\top}}"


def _inverse(p: Printer, node: Node) -> tuple[str, int]:
    """A⁻¹, or A^{-ᵀ} of a transpose; for solve times the right side."""
    a, *right = node.args
    turned = a.gate.form is Form.TRANSPOSE and not a.params and p.leaf(a) is None
    sign = r"-\top" if turned else "-1"
    inverse = rf"{p.bracketed(a.args[0] if turned else a, CALL)}^{{{sign}}}"
    if not right:
        return inverse, POWER
    return f"{inverse} {p.bracketed(right[0], MATRIX_PRODUCT)}", MATRIX_PRODUCT


def _is_inverse(node: Node) -> bool:
    return node.gate.form is Form.INVERSE and len(node.args) == 1


_SIGNED = frozenset({Form.NEGATIVE, Form.PRODUCT, Form.QUOTIENT})


def _divide(p: Printer, node: Node) -> tuple[str, int] | None:
    """A sign above stands in front of the fraction, and so does all that is too tall to stand there."""
    a, b = node.args
    above, below = p.write(a)[0], p.write(b)[0]
    is_written_out = p.leaf(a) is None
    has_sign = above.startswith("-") and a.gate.form in _SIGNED
    sign = "-" if has_sign and is_written_out else ""
    if r"\frac{\partial" in above or (
        not b.shape and p.write(a)[1] >= PRODUCT and bare(above).startswith((r"\frac", r"\begin"))
    ):
        text = above[1:] if sign else p.bracketed(a, PRODUCT)
        if a.shape and b.shape and not sign and _is_juxtaposed(p, a):
            text = rf"\left({text}\right)"
        return _behind(rf"{sign}\frac{{1}}{{{below}}}", text, a, b)
    if sign:
        return rf"-\frac{{{above[1:]}}}{{{below}}}", SUM
    if a.gate is CONSTANT and not a.shape and is_written_out and a.value < 0:
        return rf"-\frac{{{constant_tex(-a.value)[0]}}}{{{below}}}", SUM
    return None


def _power(p: Printer, node: Node) -> tuple[str, int] | None:
    """Roots, and sin²(x), as a textbook writes the square of a function's value.

    The square of a matrix is a product of matrices: that of its entries is D ⊙ D, or a power with ⊙.
    """
    a = node.args[0]
    by_entries = r"\odot " if len(node.shape) > 1 else ""
    exponent = node.args[1].value if len(node.args) > 1 else 2.0
    if exponent is None or np.shape(exponent):
        return None
    if exponent == 0.5 and not is_square(a):
        return rf"\sqrt{{{p.write(a)[0]}}}", CALL
    share = node.args[1] if len(node.args) > 1 else None
    if (
        share is not None
        and share.gate.form is Form.QUOTIENT
        and all(n.is_constant and not n.args for n in share.args)
    ):
        above, below = (p.write(n)[0] for n in share.args)
        return rf"{p.bracketed(a, CALL)}^{{{by_entries}{above}/{below}}}", POWER
    head = rf"\{a.gate.name}\left("
    text, binding = p.write(a)
    if exponent in (2, 3, 4) and a.gate.powered and text.startswith(head):
        return rf"\{a.gate.name}^{{{by_entries}{exponent:g}}}\left({text[len(head) :]}", POWER
    if not by_entries:
        return None
    if exponent == 2 and binding == ATOM:
        return rf"{text} \odot {text}", PRODUCT
    written = "2" if share is None else p.bracketed(share, PRODUCT)
    return rf"{p.bracketed(a, CALL)}^{{{by_entries}{written}}}", POWER


def _unit(p: Printer, node: Node) -> tuple[str, int] | None:
    """A change of unit applied to 1 is the factor alone."""
    is_one = node.args[0].value is not None and np.all(node.args[0].value == 1)
    return (node.gate.latex.format("").rstrip(), PRODUCT) if is_one else None


def _transpose(p: Printer, node: Node) -> tuple[str, int] | None:
    axes, rank = node.params.get("axes"), len(node.shape)
    if axes is None and "axes" in node.gate.params and rank > 2:
        axes = range(rank)[::-1]
    if axes is None:
        inner = node.args[0]
        is_inverse = _is_inverse(inner) and p.leaf(inner) is None
        return (_transposed(p, inner), POWER) if is_inverse else None
    p.tell(node.args[0])
    order = ",".join(str(a) for a in axes)
    return rf"\operatorname{{transpose}}_{{{order}}}\left({p.write(node.args[0])[0]}\right)", CALL


SIGNS: Signs = {
    Form.SUM: _add,
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
