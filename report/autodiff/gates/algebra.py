"""Gates: linear algebra. The rules are those of the Matrix Cookbook, for NumPy's shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from report.autodiff.form import Form
from report.autodiff.gates import code, compounds, elimination, entries
from report.autodiff.gates.arithmetic import absolute, sign, square
from report.autodiff.gates.functions import log, ratio, sqrt
from report.autodiff.gates.indexing import fit_to, identity, reshape, swap_last
from report.autodiff.gates.reductions import REDUCTION, spread, total
from report.autodiff.gates.shapes import (
    diagonal,
    inner_product,
    kronecker,
    matrix_product,
    of_square_matrix,
    one_square_matrix,
    outer_product,
    reduced,
    solution,
    square_matrix,
)
from report.autodiff.gates.table import CALL, MATRIX_PRODUCT, POWER, PRODUCT, function, gate, named
from report.autodiff.graph import _OPERATORS, Array, OutOfDomain, Shape, shape_of
from report.errors import ReportError

SINGULAR = 1e15  # a condition number above this leaves no correct digit

# ---------------------------------------------------------------- square matrices, in numbers


def _inv(a: Array) -> Array:
    if a.dtype == object:
        return elimination.inverse(a)
    y = np.linalg.inv(a)
    _check_condition(a, y)
    return y


def _solve(a: Array, b: Array) -> Array:
    if a.dtype == object or b.dtype == object:
        return elimination.solution(a, b)
    _inv(a)  # for its check
    return np.linalg.solve(a, b)


def _det(a: Array) -> Array:
    return elimination.determinant(a) if a.dtype == object else np.linalg.det(a)


def _check_condition(a: Array, inverse: Array) -> None:
    """OutOfDomain when a matrix is singular but for rounding, which LAPACK itself lets pass.

    The scale of rows and columns, as in diag(1e8, 1e-8), costs no digit. So the measure is the smallest
    condition number that scaling them can give, the spectral radius of |A⁻¹| |A| (F. L. Bauer, 1963),
    and that is at most the largest quotient of entries after a step of power iteration.
    """
    sizes, inverses = np.abs(a), np.abs(inverse)
    v = np.ones((*np.shape(a)[:-1], 1))
    for _ in range(20):
        w = inverses @ (sizes @ v)
        if not np.any(w / v > SINGULAR):
            return
        v = w / np.max(w, axis=-2, keepdims=True)
    raise OutOfDomain("but for rounding, its rows depend on each other")


def _logdet(a: Array) -> Array:
    if a.dtype == object:
        return np.log(elimination.determinant(a))
    signs, y = np.linalg.slogdet(a)
    if np.any(signs <= 0):
        raise OutOfDomain(f"it is {'0' if np.any(signs == 0) else 'negative'}")
    _inv(a)  # for its check
    return y


def _cofactor(a: Array) -> Array:
    """The matrix of cofactors, det(A) A^-T, each by itself: it keeps its digits beside large ones, and A may be singular."""
    if a.dtype == object:
        return elimination.cofactors(a)
    c = np.empty_like(a)
    for i, j in np.ndindex(a.shape[-2:]):
        minor = np.delete(np.delete(a, i, axis=-2), j, axis=-1)
        c[..., i, j] = (-1.0) ** (i + j) * np.linalg.det(minor)
    return c


def _variant_of_norm(shapes: Sequence[Shape], params: dict[str, Any]) -> str:
    """The gate for the order of a norm, which is taken out of its options."""
    order, axis = params.pop("ord", None), params.get("axis")
    if not shapes[0] and axis is None and order in (None, 1, 2):
        params.clear()
        return "abs"
    if order is None or (order == "fro" and (isinstance(axis, tuple) or len(shapes[0]) == 2)):
        return "norm"
    if order not in (1, 2) or isinstance(order, bool):
        raise ReportError("the order of a norm is 1, 2 or 'fro'")
    if isinstance(axis, tuple) or (axis is None and sum(n > 1 for n in shapes[0]) > 1):
        raise ReportError(
            f"norm(X, {order}) of a matrix is another norm; write norm(X) for the root of the "
            "sum of squares, sum(abs(X)), or give an axis"
        )
    return "l1_norm" if order == 1 else "norm"


# ---------------------------------------------------------------- rows

# fmt: off

# products
matmul = gate(
    "matmul", np.matmul,
    lambda g, y, a, b: _matmul_left(g, a, b),
    lambda g, y, a, b: _matmul_right(g, a, b),
    entry=entries.matmul, shape=matrix_product, form=Form.MATRIX_PRODUCT, sign="@", latex="{0:3} {1:3}", binding=MATRIX_PRODUCT,
    numpy="{0:2} @ {1:3}", usage="A @ B", group="linear algebra",
    summary="matrix product, of vectors, matrices or stacks of matrices",
    why=r"As $(\mathbf{AB})_{ij} = \sum_k A_{ik} B_{kj}$, the gradient of "
    r"$\mathbf{A}$ is the upstream gradient times $\mathbf{B}^{\top}$, that of $\mathbf{B}$ is "
    r"$\mathbf{A}^{\top}$ times the upstream gradient.",
    jacobian=(lambda y, a, b: b.T, lambda y, a, b: a),
)
dot = gate(
    "dot", np.dot, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a,
    shape=inner_product, widened=compounds.dot, form=Form.INNER, commutative=True, order=(1, 7), sign="·", latex=r"{0:5}^{{\top}} {1:3}", binding=MATRIX_PRODUCT,
    numpy="np.dot({0}, {1})",
    definition=lambda a, b: total(a * b),
    usage="dot(a, b)", group="linear algebra",
    summary="inner product of two vectors; with a matrix, the product @",
    why=r"The derivative of $\sum_k a_k b_k$ by $a_i$ is $b_i$.",
)
outer = gate(
    "outer", np.multiply.outer, lambda g, y, a, b: g @ b, lambda g, y, a, b: g.T @ a,
    shape=outer_product, widened=compounds.outer, form=Form.OUTER, order=(1, 8), sign="⊗", latex=r"{0:3} {1:5}^{{\top}}", binding=MATRIX_PRODUCT,
    numpy="np.outer({0}, {1})",
    definition=lambda a, b: reshape(a, shape=(-1, 1)) @ reshape(b, shape=(1, -1)),
    usage="outer(a, b)",
    group="linear algebra", summary="outer product of two vectors: every entry times every entry",
    why="Entry $(i, j)$ is $a_i b_j$: the gradient of $a_i$ is the sum over $j$ of the "
    "upstream gradient times $b_j$.",
)
kron = gate(
    "kron", np.kron, lambda g, y, a, b: _blocks(g, a, b, 0), lambda g, y, a, b: _blocks(g, a, b, 1),
    entry=entries.kron, shape=kronecker, widened=compounds.kron, sign="⊗", latex=r"{0:3} \otimes {1:3}", binding=PRODUCT,
    numpy="np.kron({0}, {1})", usage="kron(A, B)", group="linear algebra",
    summary="Kronecker product: a block A[i, j]·B for each entry of A",
    why=r"Each entry of $\mathbf{A}$ multiplies a block that is $\mathbf{B}$: its gradient is "
    r"the sum over this block of the upstream gradient times $\mathbf{B}$.",
)

# square matrices
trace = gate(
    "trace", np.trace, lambda g, y, a: g * identity(a),
    shape=one_square_matrix, linear=True, sign="tr", latex=function(named("tr")),
    numpy="np.trace({0})",
    definition=lambda a: total(diag(a)),
    usage="trace(A)", group="linear algebra", summary="sum of the diagonal",
    why=r"The derivative of $\sum_k A_{kk}$ by $A_{ij}$ is 1 for $i = j$ and 0 else: the identity "
    r"matrix.",
)
det = gate(
    "det", _det, lambda g, y, a: _each_matrix(g) * cofactor(a),
    shape=of_square_matrix, sign="det", latex=function(r"\det"), python="det({0:matrix})",
    numpy="np.linalg.det({0})", usage="det(A)", group="linear algebra", summary="determinant",
    why="Expanded along a row, the determinant is linear in each entry, with its cofactor as "
    r"the slope: $\det(\mathbf{A}) \, \mathbf{A}^{-\top}$.",
)
logdet = gate(
    "logdet", _logdet, lambda g, y, a: _each_matrix(g) * flip(inv(a)),
    shape=of_square_matrix, sign="log det", latex=function(r"\log\det"), binding=POWER, python="logdet({0:matrix})",
    numpy="np.linalg.slogdet({0})[1]", domain="the determinant must be positive",
    definition=lambda a: log(det(a)),
    usage="logdet(A)", group="linear algebra", summary="logarithm of the determinant",
    why=r"The gradient of the determinant divided by the determinant is $\mathbf{A}^{-\top}$.",
)
inv = gate(
    "inv", _inv, lambda g, y, a: -(flip(y) @ g @ flip(y)),
    shape=square_matrix, form=Form.INVERSE, sign="A⁻¹", latex="{0:5}^{{-1}}", binding=POWER, python="inv({0:matrix})",
    numpy="np.linalg.inv({0})", domain="the matrix must be invertible", usage="inv(A)",
    group="linear algebra", summary="inverse matrix",
    why=r"From $\mathbf{A} \mathbf{A}^{-1} = \mathbf{I}$ follows $d(\mathbf{A}^{-1}) = "
    r"-\mathbf{A}^{-1} \, d\mathbf{A} \, \mathbf{A}^{-1}$.",
)
solve = gate(
    "solve", _solve,
    lambda g, y, a, b: -_times_row(solve(a.T, g), y), lambda g, y, a, b: solve(a.T, g),
    shape=solution, form=Form.INVERSE, sign="A⁻¹b", latex="{0:5}^{{-1}} {1:3}", binding=MATRIX_PRODUCT,
    python="solve({0:rows}, {1:first})", numpy="np.linalg.solve({0}, {1})",
    domain="the matrix must be invertible",
    definition=lambda a, b: inv(a) @ b,
    usage="solve(A, b)", group="linear algebra",
    summary="the x with A x = b, without forming the inverse",
    why=r"From $\mathbf{A}\mathbf{x} = \mathbf{b}$ follows $d\mathbf{x} = "
    r"\mathbf{A}^{-1}(d\mathbf{b} - d\mathbf{A}\,\mathbf{x})$: the gradient of "
    r"$\mathbf{b}$ solves the transposed system.",
    jacobian=(None, lambda y, a, b: inv(a)),
)
diag = gate(
    "diag", np.diag, lambda g, y, a: diag(g),
    entry=entries.diag, shape=diagonal, linear=True, symmetric=True, sign="diag", latex=function(named("diag")),
    numpy="np.diag({0})", usage="diag(v), diag(A)", group="linear algebra",
    summary="a vector as a diagonal matrix, or the diagonal of a matrix",
    why="Each entry of the diagonal is an entry of the argument: the gradient passes unchanged.",
)

# norms
norm = gate(
    "norm", lambda x, axis=None, keepdims=False: _norm(x, axis, keepdims),
    lambda g, y, x, axis=None, keepdims=False: _scale(g, x, axis) * ratio(x, _scale(y, x, axis)),
    variant=_variant_of_norm, varied={"ord": None}, squared="squared_norm",
    shape=reduced, sign="‖·‖", latex=r"\left\|{0}\right\|", params=REDUCTION, of_matrix=(r"\left\|{0}\right\|_{{F}}", CALL),
    python="math.hypot(*{0:axis})", numpy=code.np_norm, kink=lambda x, axis=None, keepdims=False:
    np.all(x == 0, axis=axis), convention="gradient 0 where every entry is 0",
    definition=lambda x, axis=None, keepdims=False: sqrt(total(square(x), axis=axis, keepdims=keepdims)),
    usage="norm(x), norm(X, axis=1)", group="linear algebra",
    summary="L2 norm of a vector, Frobenius norm of a matrix",
    why=r"The derivative of $\sqrt{\sum_k x_k^2}$ by $x_i$ is $x_i$ over the norm.",
)
squared_norm = gate(
    "squared_norm", lambda x: np.sum(x * x), lambda g, y, x: g * (2 * x),
    of_matrix=(r"\left\|{0}\right\|_{{F}}^{{2}}", POWER), shape=lambda x: (), sign="‖·‖²", latex=r"\left\|{0}\right\|^{{2}}", binding=POWER,
    numpy="np.sum({0:5} ** 2)",
    definition=lambda x: total(square(x)), family="norm",
    usage="norm(x)**2",
    group="linear algebra", summary="sum of the squared entries",
    why=r"The derivative of $\sum_k x_k^2$ by $x_i$ is $2x_i$.",
    formula="norm({0}) ** 2",
)
l1_norm = gate(
    "l1_norm", lambda x, axis=None, keepdims=False: np.sum(np.abs(x), axis=axis, keepdims=keepdims),
    lambda g, y, x, axis=None, keepdims=False: _scale(g, x, axis) * sign(x),
    of_matrix=(r"\operatorname{{sum}}\left(\operatorname{{abs}}\left({0}\right)\right)", CALL),
    shape=reduced, sign="‖·‖₁", latex=r"\left\|{0}\right\|_{{1}}", params=REDUCTION,
    numpy=code.called("np.sum", "np.abs({0})"), kink=lambda x, axis=None, keepdims=False: x == 0,
    convention="derivative 0 at an entry of 0",
    definition=lambda x, axis=None, keepdims=False: total(absolute(x), axis=axis, keepdims=keepdims),
    family="norm",
    usage="norm(x, 1), norm(X, 1, axis=0)",
    group="linear algebra", summary="L1 norm: sum of the absolute values",
    why=r"The derivative of $\sum_k |x_k|$ by $x_i$ is the sign of $x_i$.",
    formula=code.called("norm", "{0}, 1"),
)

# gates that only backward passes need; users do not call them
cofactor = gate(
    "cofactor", _cofactor,
    lambda g, y, a: flip(inv(a)) * _each_matrix(_inner(y, g)) - flip(inv(a)) @ flip(g) @ y,
    entry=entries.cofactor, shape=square_matrix, form=Form.COFACTOR, order=(4, 9), sign="cof", latex=r"\det\left({0}\right) {0:5}^{{-\top}}",
    binding=PRODUCT, python="cofactor({0:matrix})", numpy="cofactor({0})",
)

# fmt: on


_SQUARES = 1e-290, 1e290  # a sum of squares between these has lost nothing to their size


def _norm(x: Array, axis: Any, keepdims: bool) -> Array:
    """The length, of entries so small or large that their squares are no numbers as well."""
    squares = np.sum(x * x, axis=axis, keepdims=keepdims)
    if np.all((squares > _SQUARES[0]) & (squares < _SQUARES[1])):
        return np.sqrt(squares)
    top = np.max(np.abs(x), axis=axis, keepdims=True)
    scaled = x / np.where(top == 0, 1.0, top)
    return np.sqrt(np.sum(scaled * scaled, axis=axis, keepdims=keepdims)) * np.reshape(
        top, np.shape(squares)
    )


def flip(a: Any) -> Any:
    """The transpose of a matrix, or of each matrix of a stack."""
    return a.T if len(shape_of(a)) <= 2 else swap_last(a)


def _scale(g: Any, x: Any, axis: Any) -> Any:
    """A number for all entries stays a number; one for each row or column is spread."""
    return g if axis is None and not shape_of(g) else spread(g, x, axis)


def _each_matrix(g: Any) -> Any:
    """One number for each matrix of a stack, ready to multiply its entries."""
    return reshape(g, shape=(*shape_of(g), 1, 1)) if shape_of(g) else g


def _inner(a: Any, b: Any) -> Any:
    """The inner product of each pair of matrices of two stacks."""
    return total(a * b) if len(shape_of(a)) == 2 else total(a * b, axis=(-2, -1))


# ---------------------------------------------------------------- the rules of products


def _matmul_left(g: Any, a: Any, b: Any) -> Any:
    """dF/da for a @ b: g bᵀ, with NumPy's rules for vectors and stacks of matrices."""
    da, db = len(shape_of(a)), len(shape_of(b))
    if db == 1:
        if da == 1:
            return g * b
        return outer(g, b) if da == 2 else reshape(g, shape=(*shape_of(g), 1)) * b
    if da == 1:
        return fit_to(b @ g if db == 2 else _columns(b, g), a)
    return fit_to(g @ flip(b), a)


def _matmul_right(g: Any, a: Any, b: Any) -> Any:
    """dF/db for a @ b: aᵀ g, with NumPy's rules for vectors and stacks of matrices."""
    da, db = len(shape_of(a)), len(shape_of(b))
    if da == 1:
        if db == 1:
            return g * a
        if db == 2:
            return outer(a, g)
        return reshape(a, shape=(shape_of(a)[0], 1)) * reshape(
            g, shape=(*shape_of(g)[:-1], 1, shape_of(g)[-1])
        )
    if db == 1:
        if da == 2:
            return a.T @ g
        return fit_to(a * reshape(g, shape=(*shape_of(g), 1)), b)
    return fit_to(flip(a) @ g, b)


def _columns(b: Any, g: Any) -> Any:
    """Stacked matrices times stacked vectors."""
    product = b @ reshape(g, shape=(*shape_of(g), 1))
    return reshape(product, shape=shape_of(product)[:-1])


def _blocks(g: Any, a: Any, b: Any, wanted: int) -> Any:
    """dF/da (wanted 0) or dF/db (1) of a Kronecker product: entry (i p, j q) is a[i, j] b[p, q]."""
    (m, n), (p, q) = shape_of(a), shape_of(b)
    blocks = reshape(g, shape=(m, p, n, q))
    if wanted == 0:
        return total(blocks * reshape(b, shape=(1, p, 1, q)), axis=(1, 3))
    return total(blocks * reshape(a, shape=(m, 1, n, 1)), axis=(0, 2))


def _times_row(u: Any, x: Any) -> Any:
    """u xᵀ, for vectors and for matrices of columns."""
    return outer(u, x) if len(shape_of(x)) == 1 else u @ x.T


_OPERATORS.update(matmul=matmul)
