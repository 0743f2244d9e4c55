r"""Sums over axes and indices, transposes and entries of values."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from report.autodiff.gates import Key
from report.autodiff.parser.latex.tree import Part
from report.autodiff.parser.latex.values import (
    ATOM,
    PRODUCT,
    SIGN,
    OneByOne,
    Operand,
    Unsized,
    Value,
    _Building,
)


class _Axes(_Building):
    """Sums over axes and indices, transposes and entries of values."""

    def total(self, a: Value, part: Part) -> Value:
        """The sum of all entries of one value."""
        if not a.shape:
            return a
        if a.axes:
            axes = tuple(range(-len(a.shape), 0))
            return Value(
                self.gate("sum", [a.node], part, axis=axes if len(axes) > 1 else axes[0]),
                f"sum({a.text}, axis={axes})",
                ATOM,
                a.axes,
            )
        return Value(self.gate("sum", [a.node], part), f"sum({a.text})")

    def along(self, a: Value, axis: int, part: Part) -> Value:
        """The sum along one axis of a matrix."""
        if a.axes:
            raise OneByOne
        return Value(self.gate("sum", [a.node], part, axis=axis), f"sum({a.text}, axis={axis})")

    def over_index(self, how: str, a: Value, index: str, part: Part) -> Value:
        """The sum, product or extreme over an index."""
        axis = a.axes.index(index)
        left = tuple(x for x in a.axes if x != index)
        if left or a.shape:
            return Value(
                self.gate(how, [a.node], part, axis=axis),
                f"{how}({a.text}, axis={axis})",
                ATOM,
                left,
            )
        return Value(self.gate(how, [a.node], part), f"{how}({a.text})")

    def contracted(self, a: Value, b: Value, index: str, part: Part) -> Value:
        """The sum over an index of a b, where a is a number for each index: a dot or matrix product."""
        shared = (set(a.axes) & set(b.axes)) - {index}
        if shared or len(a.axes) > 2 or len(b.axes) + len(b.shape) > 2 or a.shape:
            (a, b), axes = self.aligned([a, b], part)
            product = self.gate("multiply", [a.node, b.node], part)
            text = f"{a.within(PRODUCT)} * {b.within(SIGN)}"
            return self.over_index("sum", Value(product, text, PRODUCT, axes), index, part)
        if len(a.axes) == 1 and len(b.axes) == 1 and not b.shape:
            return Value(self.gate("dot", [a.node, b.node], part), f"dot({a.text}, {b.text})")
        left = a.axes != (index,) and a.axes[-1] != index  # (i, p): turn it
        x, xt = a.node, a.text if a.binding == ATOM else f"({a.text})"
        other = tuple(i for i in a.axes if i != index)
        y, yt = b.node, b.within(ATOM)
        rest = tuple(i for i in b.axes if i != index)
        if not other and (rest or b.shape):  # Σ_i a_i b_i: Bᵀ a
            if b.axes[0] == index and len(y.shape) == 2:
                y, yt = self.gate("transpose", [y], part), f"{yt}.T"
            return Value(self.gate("matmul", [y, x], part), f"{yt} @ {xt}", PRODUCT, rest)
        if left:
            x, xt = self.gate("transpose", [x], part), f"{xt}.T"
        if len(b.axes) == 2 and b.axes[0] != index:
            y, yt = self.gate("transpose", [y], part), f"{yt}.T"
        return Value(self.gate("matmul", [x, y], part), f"{xt} @ {yt}", PRODUCT, (*other, *rest))

    def taken(self, a: Value, key: tuple[Any, ...], part: Part) -> Value:
        """Entries by a fixed key, counted from 0, behind the indices in front."""
        whole = (*(slice(None) for _ in a.axes), *key)
        node = self.gate("index", [a.node], part, key=Key(whole))
        shown = ", ".join(
            f"{'' if k.start is None else k.start}:{'' if k.stop is None else k.stop}"
            if isinstance(k, slice)
            else str(k)
            for k in whole
        )
        return Value(node, f"{a.within(ATOM)}[{shown}]", ATOM, a.axes)

    def stacked(self, values: Sequence[Value], part: Part) -> Value:
        """Values one after another along a new first axis."""
        e = self.located(ast.List([self.hole(part) for _ in values], ast.Load()), part)
        return Value(
            self.reader.stacked(e, [v.node for v in values]),
            f"[{', '.join(v.text for v in values)}]",
        )

    def turned(self, a: Operand, part: Part) -> Operand:
        """The transpose; of a vector with one axis a row, which is no gate."""
        if isinstance(a, Unsized):
            kinds = {"column": "row", "row": "column"}
            make = a.make
            if a.kind in kinds:
                return Unsized(
                    kinds[a.kind], lambda n: replace(make(n), row=not make(n).row), a.alike
                )
            if a.kind == "matrix":
                wide = a.wide
                turned = (
                    None
                    if wide is None
                    else lambda m, n: self.sized(self.turned(wide(n, m), part), part)
                )
                return Unsized(
                    "matrix", lambda n: self.sized(self.turned(make(n), part), part), wide=turned
                )
            other = {"rows": "columns", "columns": "rows"}[a.kind]
            return Unsized(other, lambda n: self.sized(self.turned(make(n), part), part), a.alike)
        if not a.shape:
            return a
        if len(a.shape) == 1:
            return replace(a, row=not a.row)
        if a.axes:
            raise OneByOne
        if len(a.shape) > 2 and self.printed:
            return Value(self.gate("swap_last", [a.node], part), f"swapaxes({a.text}, -2, -1)")
        if len(a.shape) > 2:
            raise self.error(
                "the transpose of a value with more than two axes has several readings", part
            )
        return Value(self.gate("transpose", [a.node], part), f"{a.within(ATOM)}.T")
