"""Which shapes fit a gate, and the shape of its result.

Each function takes the shapes of the arguments and the gate's options; ReportError, with the shapes
and what to do, when they do not fit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from report.autodiff.graph import Shape
from report.errors import ReportError


def shapes_text(*shapes: Shape) -> str:
    """Shapes as a reader writes them: (3, 3) and (2,)."""
    return " and ".join(str(tuple(s)) for s in shapes)


# ---------------------------------------------------------------- entry by entry


def broadcast(*shapes: Shape, **_: Any) -> Shape:
    """NumPy's broadcasting."""
    if not any(shapes):
        return ()
    first = shapes[0]
    if all(s == first for s in shapes):
        return first
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ReportError(f"shapes {shapes_text(*shapes)} do not fit together") from None


def pair(a: Shape, b: Shape, **_: Any) -> Shape:
    """Two tensors of one shape, made one number. Broadcasting here is nearly always a mistake."""
    if a != b:
        raise ReportError(
            f"both arguments need the same shape, not {shapes_text(a, b)}; use reshape"
        )
    return ()


def pair_within(a: Shape, b: Shape, delta: float = 1.0) -> Shape:
    """Two tensors of one shape, made one number, with a bound on their distance."""
    if delta <= 0:
        raise ReportError(f"delta is {delta:.12g}; it must be positive")
    return pair(a, b)


# ---------------------------------------------------------------- along axes


def axes_of(shape: Shape, axis: Any) -> tuple[int, ...]:
    """The axes meant by `axis` (None: all), counted from 0."""
    if axis is None:
        return tuple(range(len(shape)))
    wanted = axis if isinstance(axis, tuple) else (axis,)
    if not all(is_integer(a) for a in wanted):
        raise ReportError("axis must be an integer or a tuple of integers")
    if any(not -len(shape) <= a < len(shape) for a in wanted):
        raise ReportError(f"there is no axis {axis} in shape {shapes_text(shape)}")
    axes = tuple(a % len(shape) for a in wanted)
    if len(set(axes)) != len(axes):
        raise ReportError(f"axis {axis} names an axis twice")
    return axes


def is_integer(value: Any) -> bool:
    """Whether a value is a whole number, and not True or False."""
    return isinstance(value, int) and not isinstance(value, bool)


def kept(shape: Shape, axis: Any) -> Shape:
    """The shape after a reduction with keepdims."""
    axes = axes_of(shape, axis)
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def reduced(shape: Shape, axis: Any = None, keepdims: bool = False, **_: Any) -> Shape:
    """A reduction over one axis, several or all."""
    if keepdims not in (True, False):
        raise ReportError("keepdims must be True or False")
    axes = axes_of(shape, axis)
    return kept(shape, axis) if keepdims else tuple(n for i, n in enumerate(shape) if i not in axes)


def count(shape: Shape, axis: Any) -> int:
    """How many entries a reduction over `axis` takes together."""
    return math.prod(shape[a] for a in axes_of(shape, axis))


def variance(shape: Shape, axis: Any = None, keepdims: bool = False, ddof: int = 0) -> Shape:
    """A reduction that divides by the number of entries less ddof."""
    if not is_integer(ddof) or ddof < 0:
        raise ReportError("ddof must be a whole number, 0 or 1")
    if count(shape, axis) <= ddof:
        raise ReportError(f"ddof={ddof} leaves nothing to divide by in shape {shapes_text(shape)}")
    return reduced(shape, axis, keepdims)


def along(shape: Shape, axis: Any = None) -> Shape:
    """A gate that works along one axis (None: the last) and keeps the shape, such as softmax."""
    if not shape:
        raise ReportError("a vector or matrix is needed, not a number")
    if axis is None:
        if shape[-1] == 1 and math.prod(shape) > 1:
            raise ReportError(
                f"along the last axis of shape {shapes_text(shape)} there is only one entry; "
                "say which axis is meant, such as axis=0"
            )
    elif not is_integer(axis):
        raise ReportError("axis must be an integer")
    axes_of(shape, axis)
    return shape


def running(shape: Shape, axis: Any = None) -> Shape:
    """cumsum: along one axis, which may be left out for a vector only."""
    if axis is None and len(shape) != 1:
        raise ReportError(f"an axis is needed for shape {shapes_text(shape)}, such as axis=0")
    if axis is not None and not is_integer(axis):
        raise ReportError("axis must be an integer")
    axes_of(shape, axis)
    return shape


# ---------------------------------------------------------------- linear algebra


def matrix_product(a: Shape, b: Shape) -> Shape:
    """Vectors, matrices or stacks of matrices, as `@` has them."""
    if not a or not b:
        raise ReportError(
            f"@ needs vectors or matrices, not shapes {shapes_text(a, b)}; use * for a scalar"
        )
    inner = b[-2] if len(b) > 1 else b[0]
    if a[-1] != inner:
        raise ReportError(
            f"shapes {shapes_text(a, b)} do not fit for @: the last axis of the left ({a[-1]}) "
            f"must equal the {'second last' if len(b) > 1 else 'only'} axis of the right ({inner})"
        )
    stack = broadcast(a[:-2], b[:-2])
    return (*stack, *a[-2:-1], *(b[-1:] if len(b) > 1 else ()))


def inner_product(a: Shape, b: Shape) -> Shape:
    """Two vectors of the same length."""
    if len(a) == 1 and a == b:
        return ()
    raise ReportError(
        f"two vectors of the same length are needed, not shapes {shapes_text(a, b)}; use @ for matrices"
    )


def outer_product(a: Shape, b: Shape) -> Shape:
    """Two vectors of any lengths."""
    if len(a) == 1 and len(b) == 1:
        return (*a, *b)
    raise ReportError(
        f"two vectors are needed, not shapes {shapes_text(a, b)}; use a @ b.T for columns"
    )


def kronecker(a: Shape, b: Shape) -> Shape:
    """Two matrices of any shapes."""
    if len(a) == 2 and len(b) == 2:
        return (a[0] * b[0], a[1] * b[1])
    raise ReportError(f"two matrices are needed, not shapes {shapes_text(a, b)}")


def square_matrix(a: Shape) -> Shape:
    """A square matrix or a stack of them."""
    if len(a) < 2 or a[-1] != a[-2]:
        raise ReportError(f"a square matrix is needed, not shape {shapes_text(a)}")
    return a


def of_square_matrix(a: Shape) -> Shape:
    """One number for each square matrix."""
    return square_matrix(a)[:-2]


def one_square_matrix(a: Shape) -> Shape:
    """One number for a square matrix."""
    if len(a) != 2 or a[0] != a[1]:
        raise ReportError(f"a square matrix is needed, not shape {shapes_text(a)}")
    return ()


def solution(a: Shape, b: Shape) -> Shape:
    """A square matrix and a vector or a matrix of columns."""
    if len(a) != 2 or a[0] != a[1]:
        raise ReportError(f"a square matrix is needed on the left, not shape {shapes_text(a)}")
    if len(b) not in (1, 2) or b[0] != a[0]:
        raise ReportError(
            f"the right side needs {a[0]} rows, as the matrix has, not shape {shapes_text(b)}"
        )
    return b


def diagonal(a: Shape) -> Shape:
    """A vector becomes a matrix, a square matrix a vector."""
    if len(a) == 1:
        return (a[0], a[0])
    if len(a) == 2 and a[0] == a[1]:
        return a[:1]
    raise ReportError(f"a vector or a square matrix is needed, not shape {shapes_text(a)}")


def einsum_terms(subscripts: str) -> tuple[list[str], str]:
    """The letters of each operand and of the result; without -> those that stand once, in order."""
    left, arrow, right = str(subscripts).replace(" ", "").partition("->")
    operands = left.split(",")
    if not all(c.isalpha() for c in left.replace(",", "") + right):
        raise ReportError('the first argument is text with a letter for each axis: "ij,jk->ik"')
    if not arrow:
        right = "".join(sorted(c for c in set(left) - {","} if left.count(c) == 1))
    return operands, right


def summed_products(*shapes: Shape, subscripts: str) -> Shape:
    """einsum: a letter for each axis, which has one length wherever it stands."""
    operands, right = einsum_terms(subscripts)
    if len(operands) != len(shapes) or any(
        len(o) != len(s) for o, s in zip(operands, shapes, strict=True)
    ):
        raise ReportError(f"{subscripts!r} does not fit shapes {shapes_text(*shapes)}")
    sizes: dict[str, int] = {}
    for letters, shape in zip(operands, shapes, strict=True):
        for letter, n in zip(letters, shape, strict=True):
            if sizes.setdefault(letter, n) != n:
                raise ReportError(
                    f"axis {letter} has {sizes[letter]} entries in one place and {n} in another"
                )
    if len(set(right)) != len(right) or not set(right) <= sizes.keys():
        raise ReportError("each letter of the result stands there once, and in an operand")
    return tuple(sizes[c] for c in right)


# ---------------------------------------------------------------- moving entries


def permuted(a: Shape, axes: Any = None) -> Shape:
    """transpose: the axes reversed, or in the order of `axes`."""
    if axes is None:
        return a[::-1]
    if not isinstance(axes, tuple) or sorted(axes_of(a, axes)) != list(range(len(a))):
        raise ReportError(f"axes must name each axis of shape {shapes_text(a)} once")
    return tuple(a[i] for i in axes_of(a, axes))


def sizes(shape: Any) -> Shape:
    """A shape as an option: a whole number or a tuple of them."""
    wanted = shape if isinstance(shape, tuple) else (shape,)
    if not all(is_integer(n) and n >= -1 for n in wanted):
        raise ReportError("a shape is a tuple of whole numbers, such as (2, 3)")
    return wanted


def reshaped(a: Shape, shape: Any) -> Shape:
    """The same entries in another shape; one size may be -1, to be found."""
    wanted = sizes(shape)
    entries, known = math.prod(a), math.prod(n for n in wanted if n != -1)
    if wanted.count(-1) == 1 and known and entries % known == 0:
        return tuple(entries // known if n == -1 else n for n in wanted)
    if known != entries or -1 in wanted:
        raise ReportError(
            f"{entries} entries of shape {shapes_text(a)} do not fit into shape {shapes_text(wanted)}"
        )
    return wanted


def stretched(a: Shape, shape: Any) -> Shape:
    """broadcast_to: the shape that is asked for, when `a` fits it."""
    wanted = sizes(shape)
    if (
        -1 in wanted
        or len(a) > len(wanted)
        or any(n not in (1, m) for n, m in zip(a[::-1], wanted[::-1], strict=False))
    ):
        raise ReportError(f"shape {shapes_text(a)} does not broadcast to {shapes_text(wanted)}")
    return wanted


def joined(*shapes: Shape, axis: int = 0) -> Shape:
    """concatenate: one behind the other along an axis that they have."""
    first = shapes[0]
    if not first:
        raise ReportError("numbers have no axis to be joined along; use stack")
    (along_,) = axes_of(first, _one(axis))
    if any(_without(s, along_) != _without(first, along_) for s in shapes):
        raise ReportError(f"shapes {shapes_text(*shapes)} differ beyond axis {axis}")
    return (*first[:along_], sum(s[along_] for s in shapes), *first[along_ + 1 :])


def _one(axis: Any) -> int:
    if not is_integer(axis):
        raise ReportError("axis must be an integer")
    return int(axis)


def _without(shape: Shape, axis: int) -> tuple[Any, ...]:
    return (len(shape), *shape[:axis], *shape[axis + 1 :])


def stacked(*shapes: Shape, axis: int = 0) -> Shape:
    """stack: side by side along a new axis."""
    first = shapes[0]
    if any(s != first for s in shapes):
        raise ReportError(f"all need the same shape, not {shapes_text(*shapes)}")
    new = (*first, len(shapes))
    (along_,) = axes_of(new, _one(axis))
    return (*first[:along_], len(shapes), *first[along_:])


def widths(shape: Shape, pad_width: Any) -> tuple[tuple[int, int], ...]:
    """(before, after) of each axis, from a number, a pair, or a pair for each axis."""
    if not shape:
        raise ReportError("a number has no axis to put zeros round; give it one: reshape(x, 1)")
    match pad_width:
        case (int() as n,) | (int() as n) if is_integer(n):
            pairs: Sequence[Any] = [(n, n)] * len(shape)
        case (int() as before, int() as after):
            pairs = [(before, after)] * len(shape)
        case (tuple() as pair_,):
            pairs = [pair_] * len(shape)
        case tuple():
            pairs = pad_width
        case _:
            pairs = ()
    if len(pairs) != len(shape) or any(
        not isinstance(p, tuple) or len(p) != 2 or not all(is_integer(n) and n >= 0 for n in p)
        for p in pairs
    ):
        raise ReportError(
            "pad_width is a number, a pair (before, after), or a pair for each axis "
            f"of shape {shapes_text(shape)}"
        )
    return tuple((int(before), int(after)) for before, after in pairs)


def padded(shape: Shape, pad_width: Any) -> Shape:
    """Every axis with its zeros."""
    return tuple(
        before + n + after
        for n, (before, after) in zip(shape, widths(shape, pad_width), strict=True)
    )


# ---------------------------------------------------------------- labels


def class_labels(z: Shape, labels: Shape) -> Shape:
    """cross_entropy with one label for each row of scores."""
    if not z or labels != z[:-1]:
        raise ReportError(
            f"scores of shape {shapes_text(z)} need labels of shape {shapes_text(z[:-1])} (one class number "
            f"each) or {shapes_text(z)} (one-hot), not {shapes_text(labels)}"
        )
    return ()


def target_rows(z: Shape, p: Shape) -> Shape:
    """cross_entropy with a one-hot row, or a row of probabilities, for each row of scores."""
    if not z:
        raise ReportError("scores for at least one class are needed, not a number")
    return pair(z, p)


def one_hot_rows(labels: Shape, classes: int, start: int = 0) -> Shape:
    """A row of one entry for each class, in place of each label."""
    if not is_integer(classes) or classes < 1:
        raise ReportError("classes is their number, such as 3")
    if start not in (0, 1):
        raise ReportError("class numbers start at 0 or 1")
    return (*labels, classes)
