"""Values as LaTeX has them, and what is done with them: products side by side, powers, norms, functions.

A vector with one axis is a column on paper. An index under which many terms are read at once runs along
the first axes of a value (`Value.axes`); what cannot be done for all terms at once raises OneByOne.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from report.autodiff.gates import GATES
from report.autodiff.graph import CONSTANT, Array, Node, Shape, constant
from report.autodiff.parser.latex.tree import Part
from report.autodiff.parser.parser import _Reader
from report.autodiff.parser.source import Places
from report.errors import ReportError

SUM, PRODUCT, SIGN, POWER, ATOM = 1, 2, 3, 4, 9


class OneByOne(Exception):
    """What an index runs over cannot be read at once; the terms are read one by one."""


class NoEntry(ReportError):
    """An entry is asked for that does not exist."""


@dataclass(frozen=True, eq=False)
class Value:
    """A node, how it is written as an expression, the indices along its first axes, and whether it is a row."""

    node: Node
    text: str
    binding: int = ATOM
    axes: tuple[str, ...] = ()
    row: bool = False

    @property
    def shape(self) -> Shape:
        """The shape for one value of every index."""
        return self.node.shape[len(self.axes) :]

    def within(self, binding: int) -> str:
        """The text, in brackets where it binds weaker."""
        return self.text if self.binding >= binding else f"({self.text})"


@dataclass(frozen=True, eq=False)
class Unsized:
    r"""I, \\mathbf{1} and what is made of them, as large as what stands beside it.

    `kind`: "matrix", "column" or "row" of n entries, "rows" (1 bᵀ: n rows) or "columns" (x 1ᵀ). `alike`:
    the n of them are equal. `wide` makes a matrix of m rows and n columns where these are two numbers.
    """

    kind: str
    make: Callable[[int], Value]
    alike: bool = False
    wide: Callable[[int, int], Value] | None = None


Operand = Value | Unsized


def is_number(shape: Shape) -> bool:
    """Whether a value has one entry."""
    return math.prod(shape) == 1


class _Building:
    """Builds values through the reader of expressions, so that both have the same gates and messages."""

    def __init__(
        self, places: Places, inputs: Mapping[str, Array], unfold: Collection[str]
    ) -> None:
        self.places = places
        self.reader = _Reader(places, inputs, unfold)
        self.indices: dict[str, Any] = {}  # that of the outer sum first
        self.reader.names = {}
        self.by_entry = False  # inside a sum or mean of all entries
        self.printed = False  # whether the text is one that this program printed
        self.expected: Shape = ()  # the shape of what was printed

    # ------------------------------------------------------------ places

    def located(self, e: Any, part: Part) -> Any:
        """An expression that stands where a part of the formula stands."""
        line, column = self.places.line_of(part.start)
        last, end = self.places.line_of(part.end)
        return ast.copy_location(
            e, ast.Name("_", lineno=line, col_offset=column, end_lineno=last, end_col_offset=end)
        )

    def hole(self, part: Part) -> ast.expr:
        """Stands for an operand that is a node already."""
        found: ast.expr = self.located(ast.Name("_"), part)
        return found

    def error(self, message: str, part: Part) -> ReportError:
        """An error at a part of the formula."""
        return self.places.at(message, part.start)

    # ------------------------------------------------------------ nodes

    def number(self, value: float, text: str = "") -> Value:
        """A constant."""
        written = text or f"{value:.17g}"
        return Value(constant(value), written, ATOM if value >= 0 else SIGN)

    def array(self, value: Any, axes: tuple[str, ...] = ()) -> Value:
        """A constant tensor."""
        node = constant(value)
        text = repr(np.asarray(value, dtype=float).tolist()).replace(".0,", ",").replace(".0]", "]")
        return Value(node, text, ATOM, axes)

    def operation(self, op: ast.operator, a: Node, b: Node, part: Part) -> Node:
        """The gate of an operator."""
        e = self.located(ast.BinOp(self.hole(part), op, self.hole(part)), part)
        e.left.end_lineno, e.left.end_col_offset = e.left.lineno, e.left.col_offset
        return self.reader.operation(e, [a, b])

    def gate(self, name: str, args: Sequence[Node], part: Part, **options: Any) -> Node:
        """A gate, exactly."""
        return self.reader.apply(self.hole(part), GATES[name], list(args), options or None)

    def call(
        self, name: str, args: Sequence[Node], part: Part, listed: bool = False, **options: Any
    ) -> Node:
        """What a function of expressions makes of its arguments."""
        holes: list[ast.expr] = [self.hole(part) for _ in args]
        keywords = [
            ast.keyword(k, ast.parse(repr(v), mode="eval").body) for k, v in options.items()
        ]
        given: list[ast.expr] = [ast.List(holes, ast.Load())] if listed else holes
        e = ast.Call(ast.Name(name), given, keywords)
        for inner in ast.walk(e):
            if isinstance(inner, (ast.expr, ast.keyword)):
                self.located(inner, part)
        self.reader.parts_of_call(e)
        return self.reader.call(e, list(args))

    # ------------------------------------------------------------ entry by entry

    def aligned(self, values: Sequence[Value], part: Part) -> tuple[list[Value], tuple[str, ...]]:
        """Values whose nodes broadcast as the values do, with all their indices in front, that of the outer sum first."""
        found_in = dict.fromkeys(a for v in values for a in v.axes)
        axes = tuple(sorted(found_in, key=[*self.indices, *found_in].index))
        rank = max(len(v.shape) for v in values)
        found = []
        for v in values:
            node, text = v.node, v
            if v.axes and (v.axes != axes or len(v.shape) != rank):
                order = tuple(a for a in axes if a in v.axes)
                if order != v.axes:
                    places = (
                        *(v.axes.index(a) for a in order),
                        *range(len(v.axes), len(node.shape)),
                    )
                    node = self.gate("transpose", [node], part, axes=places)
                    text = Value(node, f"transpose({v.text}, {places})")
                sizes = iter(node.shape)
                front = tuple(next(sizes) if a in v.axes else 1 for a in axes)
                shape = (*front, *(1,) * (rank - len(v.shape)), *v.shape)
                if shape != node.shape and node.gate is CONSTANT:
                    node = constant(np.reshape(node.value, shape))
                    text = Value(node, repr(node.value.tolist()))
                elif shape != node.shape:
                    node = self.gate("reshape", [node], part, shape=shape)
                    text = Value(node, f"reshape({text.text}, {shape})")
            found.append(replace(text, node=node))
        return found, axes

    def fitted(  # noqa: C901 - one branch for each pair of shapes
        self, a: Value, b: Value, part: Part, what: str
    ) -> tuple[Value, Value]:
        """Two values that are taken entry by entry; a vector beside a matrix is one for each row or column."""
        if a.shape == b.shape:
            if len(a.shape) == 1 and a.row != b.row and (a.row or b.row):
                return replace(a, row=True), replace(b, row=True)
            return a, b
        if is_number(a.shape) or is_number(b.shape):
            return self.flat_number(a, b.shape), self.flat_number(b, a.shape)
        for v, m, swap in ((a, b, False), (b, a, True)):
            if len(v.shape) == 1 and len(m.shape) == 2:
                (n,), (rows, columns) = v.shape, m.shape
                as_row, as_column = n == columns, n == rows and not v.row
                if self.printed and v.row and as_row:
                    return a, b
                if min(rows, columns) == 1 and rows != columns:
                    if columns == 1 and v.row:  # a column and a row
                        if self.printed:
                            return a, b
                        break
                    if rows == n and columns == 1:
                        turned = self.reshaped(v, (n, 1), part)
                        return (m, turned) if swap else (turned, m)
                    break
                if as_column and self.printed:  # not written as a row
                    turned = self.reshaped(v, (n, 1), part)
                    return (m, turned) if swap else (turned, m)
                if as_row and as_column:
                    raise self.error(
                        f"this has two readings: a vector of {n} beside a {rows} by {columns} matrix is {what} each column "
                        r"(write b \mathbf{1}^\top) or each row (write \mathbf{1} b^\top)", part,
                    )  # fmt: skip
                if as_row:
                    return a, b
                if as_column:
                    turned = self.reshaped(v, (n, 1), part)
                    return (m, turned) if swap else (turned, m)
        if len(a.shape) == len(b.shape) == 2:
            ones = [
                i for i in (0, 1) if a.shape[i] != b.shape[i] and 1 not in (a.shape[i], b.shape[i])
            ]
            crossed = (
                {1} & {a.shape[0], b.shape[0]}
                and {1} & {a.shape[1], b.shape[1]}
                and a.shape != b.shape
            )
            crossed = crossed and a.shape[0] != b.shape[0] and a.shape[1] != b.shape[1]
            if not ones and (self.printed or not crossed):
                return a, b
        if self.printed and max(len(a.shape), len(b.shape)) > 2:  # stacks, as NumPy has them
            return a, b
        raise self.error(f"shapes {a.shape} and {b.shape} do not fit together", part)

    def flat_number(self, a: Value, beside: Shape) -> Value:
        """A value of one entry as a number, where its axes would change what stands beside it."""
        if is_number(a.shape) and len(a.shape) > len(beside):
            return self.as_number(a)
        return a

    def as_number(self, a: Value) -> Value:
        """A value of one entry without axes of its own."""
        if a.shape == () or not is_number(a.shape):
            return a
        lead = a.node.shape[: len(a.axes)]
        part = Part(0, 0)
        return Value(
            self.gate("reshape", [a.node], part, shape=lead),
            f"reshape({a.text}, {lead})",
            ATOM,
            a.axes,
        )

    def reshaped(self, a: Value, shape: Shape, part: Part) -> Value:
        """The same entries in another shape."""
        if a.axes:
            raise OneByOne
        return Value(
            self.gate("reshape", [a.node], part, shape=shape), f"reshape({a.text}, {shape})"
        )

    def entrywise(
        self,
        op: ast.operator,
        sign: str,
        binding: int,
        a: Value,
        b: Value,
        part: Part,
        what: str = "taken with",
    ) -> Value:
        """An operator, entry by entry."""
        a, b = self.fitted(a, b, part, what)
        row = (a.row or b.row) and not is_number(a.shape if a.row else b.shape)
        (a, b), axes = self.aligned([a, b], part)
        right = binding + 1 if sign in ("-", "/", "*") else binding
        if sign == "**":
            text = f"{a.within(POWER + 1)}**{b.within(POWER)}"
        else:
            text = f"{a.within(binding)} {sign} {b.within(right)}"
        return Value(self.operation(op, a.node, b.node, part), text, binding, axes, row)

    def add(self, a: Operand, b: Operand, part: Part, minus: bool = False) -> Operand:
        """a + b or a - b."""
        if isinstance(a, Unsized) or isinstance(b, Unsized):
            return self.add_unsized(a, b, part, minus)
        op: ast.operator = ast.Sub() if minus else ast.Add()
        return self.entrywise(op, "-" if minus else "+", SUM, a, b, part, "added to")

    def add_unsized(self, a: Operand, b: Operand, part: Part, minus: bool) -> Operand:
        if isinstance(a, Unsized) and isinstance(b, Unsized):
            if {a.kind, b.kind} in ({"matrix", "rows"}, {"matrix", "columns"}):
                other = b if a.kind == "matrix" else a  # has one side, and I has two of them
                shape = other.make(1).shape
                n = shape[1 if other.kind == "rows" else 0]
                return self.add(a.make(n), b.make(n), part, minus)
            if a.kind != b.kind:
                raise self.error(
                    "nothing here says how large these are; write their size below, as in I_{3}",
                    part,
                )
            left, right = a, b
            return Unsized(
                a.kind,
                lambda n: self.sized(self.add(left.make(n), right.make(n), part, minus), part),
                a.alike and b.alike,
            )
        known, pending = (b, a) if isinstance(a, Unsized) else (a, b)
        assert isinstance(known, Value)
        assert isinstance(pending, Unsized)
        if self.printed and not known.shape and pending.kind in ("column", "row"):
            make = pending.make
            return Unsized(
                pending.kind,
                lambda n: self.sized(
                    self.add(make(n), known, part, minus)
                    if pending is a
                    else self.add(known, make(n), part, minus),
                    part,
                ),
                pending.alike,
            )
        made = self.beside(pending, known, part)
        return (
            self.add(made, known, part, minus)
            if isinstance(a, Unsized)
            else self.add(known, made, part, minus)
        )

    def beside(self, pending: Unsized, known: Value, part: Part) -> Value:
        """I or ones as large as a value that it stands beside, entry by entry."""
        shape = known.shape
        is_line = pending.kind in ("column", "row")
        if self.printed and pending.alike and is_line and len(shape) != 1:
            return self.reshaped(pending.make(1), (), part)  # c 𝟏 of any shape
        n = 0
        if (pending.kind == "matrix" and len(shape) == 2 and shape[0] == shape[1]) or (
            pending.kind == "column" and shape and (len(shape) == 1 or shape[1] == 1)
        ):
            n = shape[0]
        elif pending.kind == "row" and (len(shape) == 1 or (len(shape) == 2 and shape[0] == 1)):
            n = shape[-1]
        elif pending.kind in ("rows", "columns") and len(shape) == 2:
            n = shape[0 if pending.kind == "rows" else 1]
        if not n or known.axes:
            what = "the identity" if pending.kind == "matrix" else "a vector of ones"
            raise self.error(f"{what} does not fit a value of shape {shape}", part)
        made = pending.make(n)
        if pending.kind == "column" and len(shape) == 2:
            made = self.reshaped(made, (n, 1), part)
        return made

    def each_way(self, a: Unsized, f: Callable[[Value], Value]) -> Unsized:
        """Something done with each entry of what has no size yet."""
        make, wide = a.make, a.wide
        both = None if wide is None else lambda m, n: f(wide(m, n))
        return replace(a, make=lambda n: f(make(n)), wide=both)

    def sized(self, a: Operand, part: Part) -> Value:
        """A value whose size is known; ReportError for one whose is not."""
        if isinstance(a, Unsized):
            what = "identity matrix" if a.kind == "matrix" else "vector of ones"
            raise self.error(
                f"nothing here says how large this {what} is; write its size below, as in I_{{3}}",
                part,
            )
        return a

    def negative(self, a: Operand, part: Part) -> Operand:
        """-a."""
        if isinstance(a, Unsized):
            return self.each_way(a, lambda x: self.sized(self.negative(x, part), part))
        e = self.located(ast.UnaryOp(ast.USub(), self.hole(part)), part)
        return replace(
            a,
            node=self.reader.sign(e, [a.node]),
            text=f"-{a.within(PRODUCT)}",
            binding=SIGN if a.binding > PRODUCT else PRODUCT,
        )
