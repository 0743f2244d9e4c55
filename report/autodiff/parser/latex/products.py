r"""Products side by side, divisions and powers of values."""

from __future__ import annotations

import ast
import math
from dataclasses import replace

import numpy as np

from report.autodiff.graph import CONSTANT, constant
from report.autodiff.parser.latex.axes import _Axes
from report.autodiff.parser.latex.tree import Part
from report.autodiff.parser.latex.values import (
    ATOM,
    POWER,
    PRODUCT,
    SIGN,
    OneByOne,
    Operand,
    Unsized,
    Value,
    is_number,
)

MAX_POWER = 12  # of a matrix, written out as products


class _Products(_Axes):
    """What is done with values as a whole."""

    # ------------------------------------------------------------ products

    def times(self, a: Operand, b: Operand, part: Part, sign: str = "") -> Operand:
        r"""Two factors side by side (sign ""), or with \\cdot, \\times, \\odot, \\otimes between them."""
        if isinstance(a, Unsized) or isinstance(b, Unsized):
            return self.times_unsized(a, b, part, sign)
        if sign == r"\otimes":
            return self.outer(a, b, part)
        if (is_number(a.shape) and is_number(b.shape)) or not a.shape or not b.shape:
            if a.shape and b.shape and a.shape != b.shape:
                a, b = self.as_number(a), self.as_number(b)
            return self.scaled(a, b, part)
        if sign == r"\odot":
            return self.scaled(a, b, part)
        if sign == "*":
            raise self.error(
                r"this has two readings: * is a product entry by entry (write \odot) or a convolution (write the sum)",
                part,
            )
        return self.matrix_product(a, b, part, sign)

    def scaled(self, a: Value, b: Value, part: Part) -> Value:
        return self.entrywise(ast.Mult(), "*", PRODUCT, a, b, part, "multiplied into")

    def matrix_product(self, a: Value, b: Value, part: Part, sign: str) -> Value:
        """A product of vectors and matrices, in the order in which they stand."""
        ranks = len(a.shape), len(b.shape)
        if max(ranks) > 2:
            return self.stacked_product(a, b, part)
        if ranks == (1, 1):
            return self.vector_product(a, b, part, sign)
        if (
            sign == r"\cdot"
            and ranks == (2, 2)
            and a.shape == b.shape
            and a.shape[1] == 1
            and a.shape[0] > 1
        ):
            return self.matmul(self.sized(self.turned(a, part), part), b, part)
        if sign == r"\times" and 1 in (*a.shape, *b.shape):
            raise self.error(r"a cross product is not known here; write its entries", part)
        if is_number(a.shape) or is_number(b.shape):
            fits = a.shape[-1] == b.shape[0] and ranks == (2, 2)
            fits |= self.printed and ranks == (2, 1) and b.row  # a vector of one entry and a row
            if not fits:
                small, other = (a, b) if is_number(a.shape) else (b, a)
                small = self.as_number(small)
                return (
                    self.scaled(small, other, part)
                    if is_number(a.shape)
                    else self.scaled(other, small, part)
                )
        if ranks == (2, 1) and b.row:
            if a.shape[1] == 1:
                return self.outer(self.flat(a, part), b, part)
            raise self.error(
                f"a matrix of shape {a.shape} beside a row of {b.shape[0]} entries is no product",
                part,
            )
        if ranks == (1, 2) and not a.row and b.shape[0] == 1 and a.shape != (1,):
            return self.outer(a, self.flat(b, part), part)
        if ranks == (2, 2) and a.shape[1] != b.shape[0] and a.shape == b.shape and a.shape[1] == 1:
            raise self.error(
                r"two columns beside each other are no product; write x^\top y for the inner product, x y^\top for the outer, "
                r"x \odot y for the product entry by entry", part,
            )  # fmt: skip
        return self.matmul(a, b, part)

    def block(self, v: Value, part: Part) -> Value:
        """A block with two axes."""
        if len(v.shape) > 1:
            return v
        n = math.prod(v.shape)
        return self.reshaped(v, (1, n) if v.row else (n, 1), part)

    def flat(self, a: Value, part: Part) -> Value:
        return self.reshaped(a, (math.prod(a.shape),), part)

    def vector_product(self, a: Value, b: Value, part: Part, sign: str) -> Value:
        if sign == r"\times":
            raise self.error(r"a cross product is not known here; write its entries", part)
        if (a.row and not b.row) or sign == r"\cdot":
            return self.inner(a, b, part)
        if b.row and not a.row:
            return self.outer(a, b, part)
        raise self.error(
            r"two vectors beside each other are no product; write x^\top y for the inner product, x y^\top for the outer, "
            r"x \odot y for the product entry by entry", part,
        )  # fmt: skip

    def inner(self, a: Value, b: Value, part: Part) -> Value:
        """The inner product of two vectors, or of two tensors of one shape."""
        if a.shape != b.shape:
            raise self.error(f"shapes {a.shape} and {b.shape} do not fit together", part)
        if not a.axes and not b.axes:
            if len(a.shape) > 1:
                return self.total(self.scaled(a, b, part), part)
            return Value(self.gate("dot", [a.node, b.node], part), f"dot({a.text}, {b.text})")
        if len(a.shape) != 1:
            raise OneByOne
        if not (set(a.axes) & set(b.axes)) and len(a.axes) <= 1 and len(b.axes) <= 1:
            if not a.axes or not b.axes:
                rows, single = (a, b) if a.axes else (b, a)
                return Value(
                    self.gate("matmul", [rows.node, single.node], part),
                    f"{rows.within(PRODUCT)} @ {single.within(SIGN)}",
                    PRODUCT,
                    rows.axes,
                )
            turned = self.gate("transpose", [b.node], part)
            return Value(
                self.gate("matmul", [a.node, turned], part),
                f"{a.within(PRODUCT)} @ {b.within(ATOM)}.T",
                PRODUCT,
                (*a.axes, *b.axes),
            )
        (a, b), axes = self.aligned([a, b], part)
        product = self.gate("multiply", [a.node, b.node], part)
        return Value(
            self.gate("sum", [product], part, axis=-1),
            f"sum({a.within(PRODUCT)} * {b.within(SIGN)}, axis=-1)",
            ATOM,
            axes,
        )

    def outer(self, a: Value, b: Value, part: Part) -> Value:
        if a.axes or b.axes:
            raise OneByOne
        if not a.shape or not b.shape:
            return self.scaled(a, b, part)
        if self.printed and 2 in (len(a.shape), len(b.shape)):  # of matrices, also with one row
            a, b = self.block(a, part), self.block(b, part)
        elif max(a.shape) == math.prod(a.shape) and max(b.shape) == math.prod(b.shape):
            return Value(self.call("outer", [a.node, b.node], part), f"outer({a.text}, {b.text})")
        return Value(self.call("kron", [a.node, b.node], part), f"kron({a.text}, {b.text})")

    def matmul(self, a: Value, b: Value, part: Part) -> Value:
        if a.axes or b.axes:
            return self.batched_product(a, b, part)
        node = self.operation(ast.MatMult(), a.node, b.node, part)
        row = len(a.shape) == 1
        return Value(node, f"{a.within(PRODUCT)} @ {b.within(SIGN)}", PRODUCT, (), row)

    def batched_product(self, a: Value, b: Value, part: Part) -> Value:
        """A product in which one factor has a value for each index: W x_i is X Wᵀ."""
        if len(a.axes) + len(b.axes) != 1:
            raise OneByOne
        if a.axes and len(a.shape) == 1 and len(b.shape) == 2:  # x_iᵀ W
            if a.shape[0] != b.shape[0]:
                raise self.error(f"shapes {a.shape} and {b.shape} do not fit together", part)
            return Value(
                self.gate("matmul", [a.node, b.node], part),
                f"{a.within(PRODUCT)} @ {b.within(SIGN)}",
                PRODUCT,
                a.axes,
                a.row,
            )
        if b.axes and len(b.shape) == 1 and len(a.shape) == 2 and not b.row:
            if a.shape[1] != b.shape[0]:
                raise self.error(f"shapes {a.shape} and {b.shape} do not fit together", part)
            turned = self.gate("transpose", [a.node], part)
            return Value(
                self.gate("matmul", [b.node, turned], part),
                f"{b.within(PRODUCT)} @ {a.within(ATOM)}.T",
                PRODUCT,
                b.axes,
            )
        raise OneByOne

    def stacked_product(self, a: Value, b: Value, part: Part) -> Value:
        if a.axes or b.axes:
            raise OneByOne
        if self.printed and a.shape == b.shape[: len(a.shape)] and len(a.shape) == len(b.shape) - 2:
            return self.scaled(self.reshaped(a, (*a.shape, 1, 1), part), b, part)
        return Value(
            self.operation(ast.MatMult(), a.node, b.node, part),
            f"{a.within(PRODUCT)} @ {b.within(SIGN)}",
            PRODUCT,
        )

    def times_unsized(self, a: Operand, b: Operand, part: Part, sign: str = "") -> Operand:  # noqa: C901 - a table of kinds
        if isinstance(a, Unsized) and isinstance(b, Unsized):
            left, right = a, b
            kinds = (a.kind, b.kind)
            if kinds in (("matrix", "matrix"), ("matrix", "column"), ("row", "matrix")):
                return Unsized("matrix" if b.kind == "matrix" and a.kind == "matrix" else "column" if b.kind == "column" else "row",
                               lambda n: self.sized(self.times(left.make(n), right.make(n), part), part))  # fmt: skip
            if kinds in (("column", "row"), ("rows", "columns")):

                def wide(m: int, n: int) -> Value:
                    return self.sized(self.times(left.make(m), right.make(n), part), part)

                return Unsized("matrix", lambda n: wide(n, n), wide=wide)
            raise self.error(
                r"nothing here says how large these are; write their size below, as in \mathbf{1}_{3}",
                part,
            )
        # of one vector, whose product with a vector is none with a number
        thin = any(isinstance(x, Unsized) and x.kind in ("rows", "columns") for x in (a, b))
        if isinstance(a, Value) and is_number(a.shape) and not (a.shape and thin):
            pending, number = b, self.as_number(a)
            assert isinstance(pending, Unsized)
            return self.each_way(pending, lambda x: self.scaled(number, x, part))
        if isinstance(b, Value) and is_number(b.shape) and not (b.shape and thin):
            left_, right_ = a, self.as_number(b)
            assert isinstance(left_, Unsized)
            return self.each_way(left_, lambda x: self.scaled(x, right_, part))
        if sign == r"\odot":
            pending_, other = (a, b) if isinstance(a, Unsized) else (b, a)
            assert isinstance(pending_, Unsized)
            assert isinstance(other, Value)
            if self.printed and len(other.shape) == 1 and pending_.kind in ("columns", "rows"):
                return self.each_way(pending_, lambda x: self.scaled(other, x, part))
            made = self.beside(pending_, other, part)
            return (
                self.scaled(made, other, part) if a is pending_ else self.scaled(other, made, part)
            )
        for zeros in (a, b) if self.printed else ():
            if isinstance(zeros, Unsized) and zeros.alike and self.is_zero(zeros):
                return zeros
        if isinstance(a, Unsized):
            assert isinstance(b, Value)
            make = a.make
            if a.kind == "column":
                if b.row or (len(b.shape) == 2 and b.shape[0] == 1):
                    vector = b if len(b.shape) == 1 else self.flat(b, part)
                    return Unsized("rows", lambda n: self.outer(make(n), vector, part), a.alike)
                raise self.error(
                    r"a column of ones beside this is no product; is a \top missing?", part
                )
            if a.kind == "row" and self.is_plain_ones(a):
                return (
                    self.total(b, part)
                    if len(b.shape) == 1 or b.shape[1] == 1
                    else replace(self.along(b, 0, part), row=True)
                )
            if a.kind == "rows":  # times what has a size: still n rows
                kind = "rows" if len(b.shape) == 2 and b.shape[1] > 1 else "column"
                return Unsized(
                    kind,
                    lambda n: self.column_of(self.times(make(n), b, part), kind, part),
                    a.alike,
                )
            return self.times(a.make(b.shape[0]), b, part)
        assert isinstance(b, Unsized)
        if b.kind == "row":
            if not a.row and (len(a.shape) == 1 or a.shape[1] == 1):
                vector = a if len(a.shape) == 1 else self.flat(a, part)
                make = b.make
                return Unsized("columns", lambda n: self.outer(vector, make(n), part), b.alike)
            raise self.error(r"a row of ones beside this is no product; is a \top missing?", part)
        if b.kind == "column" and self.is_plain_ones(b):
            return (
                self.total(a, part)
                if (len(a.shape) == 1 and a.row) or a.shape[0] == 1
                else self.along(a, 1, part)
            )
        if b.kind == "columns":
            make, kind = b.make, "row" if len(a.shape) == 1 else "columns"
            return Unsized(kind, lambda n: self.sized(self.times(a, make(n), part), part), b.alike)
        if b.wide is not None and len(a.shape) == 2:
            rows, wide_ = a.shape[-1], b.wide
            return Unsized(
                "columns", lambda n: self.sized(self.times(a, wide_(rows, n), part), part)
            )
        return self.times(a, b.make(a.shape[-1]), part)

    def column_of(self, a: Operand, kind: str, part: Part) -> Value:
        """A product with n rows; a column of them is a vector."""
        value = self.sized(a, part)
        return self.flat(value, part) if kind == "column" and len(value.shape) > 1 else value

    def is_filled(self, a: Unsized) -> bool:
        """Whether all entries are one number, so that the size does not matter entry by entry."""
        return a.alike and a.kind in ("column", "row")

    def is_zero(self, a: Unsized) -> bool:
        """Whether all entries are 0."""
        made = a.make(1).node
        return made.gate is CONSTANT and not np.any(made.value)

    def is_plain_ones(self, a: Unsized) -> bool:
        if not a.alike:
            return False
        made = a.make(2).node
        return made.gate is CONSTANT and np.array_equal(made.value, np.ones(2))

    def divided(self, a: Operand, b: Value, part: Part) -> Operand:
        """a over b, of which b is a number, or both are tensors of one shape."""
        if isinstance(a, Unsized):
            if not is_number(b.shape) and a.kind == "matrix":
                return self.divided(self.beside(a, b, part), b, part)
            if not is_number(b.shape) and self.is_filled(a):
                return self.divided(self.reshaped(a.make(1), (), part), b, part)
            return self.each_way(a, lambda x: self.sized(self.divided(x, b, part), part))
        if not is_number(b.shape) and (a.shape != b.shape or len(a.shape) > 1):
            square = len(b.shape) == 2 and b.shape[0] == b.shape[1]
            if square and a.shape != b.shape and not self.printed:
                raise self.error(r"a matrix stands below the line; write its inverse, A^{-1}", part)
            both = len(a.shape) == len(b.shape) == 2  # rows or columns, which entrywise checks
            column = a.shape in ((*b.shape, 1), b.shape[:-1])
            fits = is_number(a.shape) or a.shape == b.shape or both or b.row or column
            fits = fits or self.printed
            if not fits:
                raise self.error(f"shapes {a.shape} and {b.shape} do not fit together", part)
        return self.entrywise(ast.Div(), "/", PRODUCT, a, b, part, "divided into")

    # ------------------------------------------------------------ powers

    def inverse(self, a: Value, part: Part) -> Value:
        """A^{-1} of a square matrix, 1 over a number."""
        if is_number(a.shape):
            return self.entrywise(ast.Div(), "/", PRODUCT, self.number(1), a, part)
        if a.axes:
            raise OneByOne
        if len(a.shape) == 1 or 1 in a.shape:
            raise self.error("a vector has no inverse; write 1 over its entries", part)
        return Value(self.call("inv", [a.node], part), f"inv({a.text})")

    def power(self, a: Value, n: Value, part: Part, entrywise: bool = False) -> Value:
        """a to the power of a number; a square matrix times itself, other tensors entry by entry."""
        square = len(n.shape) == 2 and n.shape[0] == n.shape[1]
        same = is_number(a.shape) or a.shape == n.shape
        fits = same and (entrywise or not square)
        if not is_number(n.shape) and not fits:
            raise self.error("a power has a number above", part)
        square = len(a.shape) == 2 and a.shape[0] == a.shape[1] > 1
        if square and self.by_entry and not entrywise:
            raise self.error(
                "this has two readings: the matrix times itself (give it a name on a line of its own), or the power of "
                r"each entry (write A^{\odot 2})", part,
            )  # fmt: skip
        if square and not entrywise:
            value = n.node.value if n.node.gate is CONSTANT else None
            if value is None or not float(value).is_integer() or not 1 <= value <= MAX_POWER:
                raise self.error(
                    r"this power of a matrix is not known; write A^{\odot n} for the power of each entry",
                    part,
                )
            result = a
            for _ in range(int(value) - 1):
                result = self.matmul(result, a, part)
            return result
        if (
            a.node.gate is CONSTANT
            and n.node.gate is CONSTANT
            and not a.axes
            and not n.axes
            and a.node.name is None
        ):
            with np.errstate(all="ignore"):
                value = np.power(a.node.value, n.node.value)
            if np.isfinite(value).all() and not np.shape(value):
                return Value(constant(value), f"{a.within(ATOM)}**{n.within(POWER)}", POWER)
        return self.entrywise(ast.Pow(), "**", POWER, a, n, part)
