r"""What stands in brackets, bars, roots, fractions and matrices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from report.autodiff.graph import constant
from report.autodiff.parser.latex.applications import _Applications
from report.autodiff.parser.latex.indices import linear, walk
from report.autodiff.parser.latex.options import options_below
from report.autodiff.parser.latex.tree import (
    Big,
    Compared,
    Fraction,
    Group,
    Joined,
    Letter,
    Matrix,
    Number,
    Part,
    Product,
    Root,
    Script,
    Sign,
)
from report.autodiff.parser.latex.values import (
    ATOM,
    OneByOne,
    Operand,
    Unsized,
    Value,
    is_number,
)


class _Brackets(_Applications):
    """What stands in brackets, bars, roots, fractions and matrices."""

    def lower_script(self, part: Script) -> Operand:
        base = part.base
        if isinstance(base, Letter):
            return self.name(base, part)
        if (
            isinstance(base, Sign)
            and base.text in (r"\indicator", r"\ones", r"\zeros")
            and part.below is not None
        ):
            found = self.grammar(part.below).condition()
            if isinstance(found, Group) and len(found.parts) == 1:
                (found,) = found.parts
            if isinstance(found, (Compared, Joined)):
                value: Operand = self.indicator(found, part)
                return self.with_scripts(value, replace(part, below=None)) if part.above else value
            if isinstance(found, Product) and self.printed:  # 𝟏_{2 × 3}
                shape = [self.whole(factor) for _, factor in found.factors]
                filled = np.full(shape, 0.0 if base.text == r"\zeros" else 1.0)
                return Value(constant(filled), f"broadcast_to({filled.flat[0]:g}, {tuple(shape)})")
            size = self.whole(found)
            ones = self.ones(0.0 if base.text == r"\zeros" else 1.0).make(size)
            return self.with_scripts(ones, replace(part, below=None)) if part.above else ones
        if isinstance(base, Group) and base.kind == r"\|":
            return self.norm(base, part)
        if self.printed and isinstance(base, Group) and base.kind == "[" and part.below:
            free = [t.text for t in part.below if t.kind == "letter"]
            if len(free) == len(part.below) and not any(map(self.is_bound, free)):
                tensor = self.filled(base, free, {}, part)
                return self.raised(tensor, part.above, part) if part.above else tensor
        if (
            isinstance(base, Group)
            and len(base.parts) == 1
            and part.below
            and [t.text for t in part.below] == ["+"]
        ):
            value = self.unary("relu", self.value(base.parts[0]), part)
            return self.with_scripts(value, replace(part, below=None)) if part.above else value
        if (
            isinstance(base, Group)
            and base.kind == "("
            and len(base.parts) > 1
            and not self.printed
        ):
            raise self.error("a list in brackets has no power", part)
        return self.with_scripts(self.lower(base), part)

    def lower_group(self, part: Group) -> Operand:
        if part.kind == r"\|":
            return self.norm(part, None)
        if part.kind == "|":
            return self.bars(part)
        if part.kind == r"\langle":
            if len(part.parts) != 2:
                raise self.error(r"\langle x, y \rangle holds two vectors", part)
            a, b = (self.value(p) for p in part.parts)
            if not a.shape or a.shape != b.shape:
                raise self.error(f"shapes {a.shape} and {b.shape} do not fit together", part)
            return self.inner(a, b, part)
        if part.close and part.kind in ("(", "[") and {"(": ")", "[": "]"}[part.kind] != part.close:
            raise self.error("an interval is no value", part)
        if len(part.parts) == 1:
            (inner,) = part.parts
            if isinstance(inner, (Compared, Joined)):
                if part.kind == "[":
                    return self.indicator(inner, part)
                raise self.error(
                    "a comparison stands in cases, in an indicator or below a sum only", part
                )
            if self.printed and part.kind == "[" and isinstance(inner, Matrix):  # a stack of one
                return self.stacked([self.block(self.value(inner), inner)], part)
            return self.lower(inner)
        return self.concatenated(part)

    def is_bound(self, letter: str) -> bool:
        """Whether a letter has a value here."""
        return letter in self.indices or letter in self.known or self.is_local(letter)

    def filled(self, group: Group, free: list[str], at: dict[str, int], part: Part) -> Value:
        """[a_ij]_ij: a tensor of its entries."""
        with self.indexed(at):
            if not free:
                return self.value(group.parts[0])
            length = self.longest(free[0], [group]) or self.as_long_as(free[0], group)
        if length is None:
            raise self.error(f"nothing says how far {free[0]} runs", part)
        rows = (self.filled(group, free[1:], {**at, free[0]: i + 1}, part) for i in range(length))
        return self.stacked(list(rows), part)

    def as_long_as(self, letter: str, group: Group) -> int | None:
        """How far i runs in a product over k ≠ i: as far as k."""
        for big in (p for p in walk(group) if isinstance(p, Big) and p.below):
            texts = [t.text for t in big.below or () if t.kind == "letter" or t.text == r"\ne"]
            if r"\ne" in texts and letter in texts[(cut := texts.index(r"\ne")) + 1 :]:
                return self.longest(texts[texts.index(letter) - cut - 1], [big.body])
        return None

    def concatenated(self, part: Group) -> Value:
        """[h, x]: vectors one behind the other; (a, b, c): numbers as a vector."""
        values = [self.value(p) for p in part.parts]
        if any(v.axes for v in values):
            raise OneByOne
        if part.kind == "[" and part.sign == "|":  # A | B, side by side
            return self.blocks([values], part)
        rows = [len(v.shape) == 2 or v.row for v in values]
        if part.kind == "[" and part.sign == ";" and all(rows):
            if all(v.row and len(v.shape) == 1 for v in values):  # rows, one below the other
                flat = [replace(v, row=False) for v in values]
                return self.stacked(flat, part)
            return self.blocks([[v] for v in values], part)
        if part.kind == r"\{":
            raise self.error("a set is no value", part)
        if all(not v.shape for v in values):
            return self.stacked(values, part)
        if self.printed and part.kind == "[" and part.sign == ",":  # blocks of a stack
            pairs = zip(values, part.parts, strict=True)  # a column of numbers is a matrix
            values = [self.block(v, p) if isinstance(p, Matrix) else v for v, p in pairs]
            return self.stacked(values, part)
        if part.kind == "(" and any(v.shape for v in values):
            raise self.error(r"write [x; y] for one vector of two", part)
        flat = []
        columns = all(len(v.shape) == 2 and v.shape[1] == 1 for v in values)
        for v in values:
            is_number_alone = v.shape in ((), (1, 1)) and not columns
            if len(v.shape) == 2 and not columns and not is_number_alone:
                raise self.error("only vectors are joined like this; write the block matrix", part)
            flat.append(self.reshaped(v, (1,), part) if is_number_alone else v)
        text = ", ".join(v.text for v in flat)
        return Value(
            self.call("concatenate", [v.node for v in flat], part, listed=True),
            f"concatenate([{text}])",
        )

    def bars(self, part: Group) -> Operand:
        if len(part.parts) != 1:
            raise self.error("bars hold one value", part)
        x = self.value(part.parts[0])
        if is_number(x.shape):
            x = self.as_number(x) if x.shape else x
            return Value(self.call("abs", [x.node], part), f"abs({x.text})", ATOM, x.axes)
        if len(x.shape) == 2 and x.shape[0] == x.shape[1]:
            if x.axes:
                raise OneByOne
            return Value(self.call("det", [x.node], part), f"det({x.text})")
        if self.printed:
            return self.entry_abs(x, part)
        raise self.error(
            r"this has two readings: the length of a vector (write \|x\|_2), or the absolute value of each entry "
            r"(write \operatorname{abs}(x)); bars round a number are its absolute value", part,
        )  # fmt: skip

    def norm(  # noqa: C901 - a branch for each order
        self, group: Group, script: Script | None
    ) -> Operand:
        part: Part = script or group
        if len(group.parts) != 1:
            raise self.error("bars hold one value", part)
        x = self.value(group.parts[0])
        below = [t.text for t in script.below] if script is not None and script.below else []
        above = script.above if script is not None else None
        vector = len(x.shape) == 1 or (len(x.shape) == 2 and 1 in x.shape)
        order = "".join(below)
        if below and any(word in order for word in ("axis", "kept", "rows", "columns")):
            value = self.norm_along(x, script, part)
        elif not x.shape:
            value = Value(self.call("abs", [x.node], part), f"abs({x.text})", ATOM, x.axes)
            if order not in ("", "1", "2"):
                raise self.error("the order of a norm is 1, 2, F or a number", part)
        elif order in ("F", "Fro", "fro", r"\mathrmF", "HS") or (order in ("", "2") and vector):
            if order == "F" and len(x.shape) == 1:
                pass  # of a vector it is the same
            if above is not None and [t.text for t in above] == ["2"] and x.axes:
                square = self.power(x, self.number(2), part, entrywise=True)
                return self.total(square, part)
            value = self.length_of(x, part)
        elif order == "1" and vector:
            if x.axes:
                if len(x.shape) != 1:
                    raise OneByOne
                value = Value(
                    self.call("norm", [x.node], part, ord=1, axis=-1),
                    f"norm({x.text}, 1, axis=-1)",
                    ATOM,
                    x.axes,
                )
            else:
                value = Value(self.call("norm", [x.node], part, ord=1), f"norm({x.text}, 1)")
        elif order in (r"\infty", "max") and vector:
            if x.axes:
                raise OneByOne
            sizes = self.call("abs", [x.node], part)
            value = Value(self.call("max", [sizes], part), f"max(abs({x.text}))")
        elif order == "" and len(x.shape) == 2:
            raise self.error(
                r"this has two readings: the Frobenius norm of a matrix (write \|A\|_F), or its largest stretch, the spectral "
                "norm (which is not known here)", part,
            )  # fmt: skip
        elif (
            vector
            and script is not None
            and script.below
            and (p := linear(self.tree(script.below))) is not None
            and not p.letters
            and p.number > 2
        ):
            if x.axes:
                raise OneByOne
            size = Value(self.call("abs", [x.node], part), f"abs({x.text})", ATOM)
            total = self.total(self.power(size, self.number(p.number), part, entrywise=True), part)
            value = self.power(total, self.number(1 / p.number, f"(1/{p.number})"), part)
        else:
            raise self.error(
                f"the norm of order {order} of a value of shape {x.shape} is not known; write \\|x\\|_1, \\|x\\|_2 of a vector or \\|A\\|_F of a matrix",
                part,
            )
        if above is None:
            return value
        return self.raised(value, above, part)

    def norm_along(self, x: Value, script: Script | None, part: Part) -> Value:
        r"""\|X\|_{1, axis 0}: the norms of the columns of X."""
        below = script.below if script is not None and script.below else ()
        ones = below[0].text == "1" and below[1].text == ","
        options = options_below("norm", below[2:] if ones else below)
        if options is None or x.axes:
            raise self.error("what stands below this norm is not known", part)
        return self.general("norm", [x], part, {"ord": 1, **options} if ones else options)

    def length_of(self, x: Value, part: Part) -> Value:
        if x.axes:
            if len(x.shape) != 1:
                raise OneByOne
            return Value(
                self.call("norm", [x.node], part, axis=-1), f"norm({x.text}, axis=-1)", ATOM, x.axes
            )
        return Value(self.call("norm", [x.node], part), f"norm({x.text})")

    def lower_fraction(self, part: Fraction) -> Operand:
        if isinstance(part.above, Letter) and part.above.base == "d" and "d" not in self.known:
            raise self.error(
                "this is a derivative, not a value that can be computed from the inputs", part
            )
        if (
            isinstance(part.above, Product)
            and isinstance(part.above.factors[0][1], Letter)
            and part.above.factors[0][1].base == "d"
            and "d" not in self.known
        ):
            raise self.error(
                "this is a derivative, not a value that can be computed from the inputs", part
            )
        above = self.lower(part.above)
        below = self.lower(part.below)
        if isinstance(below, Unsized) and isinstance(above, Value):
            below = self.beside(below, above, part)
        return self.divided(above, self.sized(below, part.below), part)

    def lower_root(self, part: Root) -> Operand:
        inner = self.value(part.inner)
        if part.degree is None:
            return self.unary("sqrt", inner, part)
        degree = part.degree
        if not isinstance(degree, Number) or not degree.text.isdigit():
            raise self.error("the degree of a root is a whole number", part)
        n = int(degree.text)
        if n < 1:
            raise self.error("the degree of a root is a whole number", part)
        if n == 2:
            return self.unary("sqrt", inner, part)
        power = self.number(1 / n, f"(1/{n})")
        if n % 2 and (numbers := self.at_inputs(inner)) is not None and np.any(numbers < 0):
            size = self.power(self.entry_abs(inner, part), power, part, entrywise=True)
            sign = Value(
                self.call("sign", [inner.node], part), f"sign({inner.text})", ATOM, inner.axes
            )
            return self.scaled(sign, size, part)
        return self.power(inner, power, part, entrywise=True)

    def entry_abs(self, x: Value, part: Part) -> Value:
        return Value(self.call("abs", [x.node], part), f"abs({x.text})", ATOM, x.axes)

    def lower_matrix(self, part: Matrix) -> Operand:
        """A matrix of numbers, or of blocks."""
        rows = [[self.value(cell) for cell in row] for row in part.rows]
        if any(len(row) != len(rows[0]) for row in rows):
            raise self.error("the rows of this matrix have different lengths", part)
        if any(v.axes for row in rows for v in row):
            raise OneByOne
        if all(is_number(v.shape) for row in rows for v in row):
            if self.printed and len(rows) > 1 == len(rows[0]):  # a vector is a column
                return self.stacked([row[0] for row in rows], part)
            rows = [[self.as_number(v) if v.shape else v for v in row] for row in rows]
            matrix = self.stacked([self.stacked(row, part) for row in rows], part)
        else:
            matrix = self.blocks(rows, part)
        if part.kind == "|":
            return Value(self.call("det", [matrix.node], part), f"det({matrix.text})")
        if part.kind == r"\|":
            raise self.error(r"write \|A\|_F for the norm of a matrix", part)
        return matrix

    def blocks(self, rows: list[list[Value]], part: Part) -> Value:
        if len(rows[0]) == 1 and all(
            len(row[0].shape) <= 1 and not row[0].row for row in rows
        ):  # a column of vectors
            parts = [row[0] if row[0].shape else self.reshaped(row[0], (1,), part) for row in rows]
            return Value(
                self.call("concatenate", [v.node for v in parts], part, listed=True),
                f"concatenate([{', '.join(v.text for v in parts)}])",
            )
        lines = []
        for row in rows:
            cells = [self.block(v, part) for v in row]
            text = ", ".join(v.text for v in cells)
            lines.append(
                cells[0]
                if len(cells) == 1
                else Value(
                    self.call("concatenate", [v.node for v in cells], part, listed=True, axis=1),
                    f"concatenate([{text}], axis=1)",
                )
            )
        if len(lines) == 1:
            return lines[0]
        return Value(
            self.call("concatenate", [v.node for v in lines], part, listed=True),
            f"concatenate([{', '.join(v.text for v in lines)}])",
        )
