"""Determinants, inverses and cofactors by Gaussian elimination, of numbers that LAPACK does not know."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from report.autodiff.graph import Array


def _each(f: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """A function of one matrix, for each matrix of a stack."""

    def over(a: Array) -> Array:
        found = [f(m) for m in a.reshape(-1, *a.shape[-2:])]
        shape = (*a.shape[:-2], *np.shape(found[0]))
        return np.array(found, dtype=object).reshape(shape)[()]

    return over


@_each
def determinant(a: Array) -> Array:
    """The product of the pivots, with the sign of the exchanges of rows."""
    a, whole = a.copy(), 1.0
    for k in range(len(a)):
        p = k + int(np.argmax(np.abs(a[k:, k])))
        if a[p, k] == 0:
            return a[p, k]
        if p != k:
            a[[k, p]], whole = a[[p, k]], -whole
        a[k + 1 :] = a[k + 1 :] - np.outer(a[k + 1 :, k] / a[k, k], a[k])
        whole = whole * a[k, k]
    return whole


@_each
def inverse(a: Array) -> Array:
    """Raises LinAlgError where there is none."""
    n = len(a)
    rows = np.concatenate([a, np.eye(n)], axis=1)
    for k in range(n):
        p = k + int(np.argmax(np.abs(rows[k:, k])))
        if rows[p, k] == 0:
            raise np.linalg.LinAlgError("singular matrix")
        rows[[k, p]] = rows[[p, k]]
        rows[k] = rows[k] / rows[k, k]
        others = np.arange(n) != k
        rows[others] = rows[others] - np.outer(rows[others, k], rows[k])
    return rows[:, n:]


@_each
def cofactors(a: Array) -> Array:
    """The determinant of what is left without a row and a column, with the signs of a chess board."""
    c = np.empty(a.shape, dtype=object)
    for i, j in np.ndindex(a.shape):
        minor = np.delete(np.delete(a, i, axis=0), j, axis=1)
        c[i, j] = (-1.0) ** (i + j) * (determinant(minor) if minor.size else a[i, j] ** 0)
    return c
