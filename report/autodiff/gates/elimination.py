"""Determinants, inverses, solutions and cofactors by Gaussian elimination, of numbers that LAPACK does not know."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from report.autodiff.graph import Array


def _each(f: Callable[..., Array]) -> Callable[..., Array]:
    """A function of one matrix, for each matrix of a stack."""

    def over(a: Array, *more: Array) -> Array:
        found = [f(m, *more) for m in a.reshape(-1, *a.shape[-2:])]
        shape = (*a.shape[:-2], *np.shape(found[0]))
        return np.array(found, dtype=object).reshape(shape)[()]

    return over


def _triangle(rows: Array, n: int) -> tuple[Array, float]:
    """The rows with zeros meant below the diagonal of the first n columns, and the sign of the exchanges."""
    rows, sign = rows.astype(object), 1.0
    for k in range(n):
        p = k + int(np.argmax(np.abs(rows[k:, k])))
        if rows[p, k] == 0:
            continue
        if p != k:
            rows[[k, p]], sign = rows[[p, k]], -sign
        below = rows[k + 1 :, k] / rows[k, k]
        rows[k + 1 :, k + 1 :] = rows[k + 1 :, k + 1 :] - np.outer(below, rows[k, k + 1 :])
        rows[k + 1 :, k] = rows[k + 1 :, k] * 0
    return rows, sign


@_each
def determinant(a: Array) -> Array:
    """The product of the pivots, with the sign of the exchanges of rows."""
    rows, whole = _triangle(a, len(a))
    for k in range(len(a)):
        whole = whole * rows[k, k]
    return whole


@_each
def solution(a: Array, b: Array) -> Array:
    """The x with A x = b, for a vector or a matrix b. Raises LinAlgError where there is none."""
    n = len(a)
    rows, _ = _triangle(np.concatenate([a, b.reshape(n, -1)], axis=1), n)
    x = rows[:, n:]
    for k in reversed(range(n)):
        if rows[k, k] == 0:
            raise np.linalg.LinAlgError("singular matrix")
        x[k] = (x[k] - rows[k, k + 1 : n] @ x[k + 1 :]) / rows[k, k]
    return x.reshape(b.shape)


def inverse(a: Array) -> Array:
    """Raises LinAlgError where there is none."""
    return solution(a, np.eye(a.shape[-1]))


@_each
def cofactors(a: Array) -> Array:
    """det(A) A^-T; of a singular matrix the determinants of what is left without a row and a column.

    These have the signs of a chess board.
    """
    whole = determinant(a)
    if whole != 0:
        return whole * inverse(a).T
    c = np.empty(a.shape, dtype=object)
    for i, j in np.ndindex(a.shape):
        minor = np.delete(np.delete(a, i, axis=0), j, axis=1)
        c[i, j] = (-1.0) ** (i + j) * (determinant(minor) if minor.size else a[i, j] ** 0)
    return c
