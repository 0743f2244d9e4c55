r"""LaTeX -> Graph: the tree of each line, typed by the names and shapes of the inputs.

A sum over an index is read for all its terms at once where that can be (x_i is x, a sum of products a dot
product), else term by term. Lines are read when their names are met, in whatever order they stand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from report.autodiff.graph import Graph, constant
from report.autodiff.parser.latex.brackets import _Brackets
from report.autodiff.parser.latex.lines import lines_of
from report.autodiff.parser.latex.segments import regions
from report.autodiff.parser.latex.state import Definition
from report.autodiff.parser.latex.tokens import tokens_of
from report.autodiff.parser.latex.tree import (
    Applied,
    Big,
    Cases,
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
    Sum,
)
from report.autodiff.parser.latex.values import Operand, Unsized, Value, is_number
from report.errors import ReportError

MAX_LINES = 400


class _LatexReader(_Brackets):
    """Reads one function."""

    def graph(self) -> Graph:
        """The graph of the function."""
        text = regions(self.places)
        if len(text) > len(self.places.text):
            text = text[: len(self.places.text)]
        lines, self.ranges = lines_of(self.places, tokens_of(self.places, text))
        if not lines:
            at = len(self.places.text) - len(self.places.text.lstrip())
            raise self.places.at(
                "the function holds no formula; write one such as $w^\\top x + b$", at
            )
        if len(lines) > MAX_LINES:
            raise ReportError(f"the function has {len(lines)} lines; {MAX_LINES} are possible")
        self.heads = {line.left[0].text for line in lines if line.params and line.left}
        self.words = {t.text for line in lines for t in line.left} - self.heads | {
            t.text for line in lines for p in line.params or () for t in p
        }
        bare: list[Definition] = []
        for line in lines:
            definition = self.define(line)
            if not line.left:
                bare.append(definition)
        result = self.result(bare)
        value = self.sized(self.line_value(result), result.bodies[0])
        if value.shape and not is_number(value.shape) and self.reader.entry is None:
            raise self.error(
                f"the function's result has shape {value.shape}; backpropagation starts from a single number: "
                r"take \sum_i, \|\cdot\|^2 or \operatorname{mean}(\cdot) of it", result.bodies[0],
            )  # fmt: skip
        self.check_equal()
        graph = self.reader.graph(value.node)
        self.check_cases()
        return replace(graph, expression=self.expression(value))

    def expression(self, value: Value) -> str:
        """The function in the syntax of expressions."""
        lines = [
            f"{name} = {v.text}"
            for name, v in self.lets
            if v.node is not value.node or name == value.text
        ]
        return "\n".join(
            lines if value.text in (name for name, _ in self.lets) else [*lines, value.text]
        )

    def lower(self, part: Part) -> Operand:
        """The value of a part."""
        return _LOWER[type(part)](self, part)

    def lower_number(self, part: Number) -> Operand:
        value = float(part.text)
        if not math.isfinite(value):
            raise self.error("this number is too large for a float64", part)
        text = part.text.lstrip("0") if part.text.isdigit() else part.text
        return Value(constant(value), text or "0")

    def lower_sign(self, part: Sign) -> Operand:
        if part.text == r"\indicator" or part.text == r"\ones":
            return self.ones(1.0)
        if part.text == r"\zeros":
            return self.ones(0.0)
        if part.text == r"\infty":
            raise self.error("infinity is not a number; a sum goes to a bound", part)
        raise self.error(r"dots say nothing exactly; write a sum: \sum_{i=1}^{n} w_i x_i", part)

    def lower_sum(self, part: Sum) -> Operand:
        terms = [(sign, self.lower(term), term) for sign, term in part.terms]
        # what has a size first: it says how large I and 1 are
        order = (
            sorted(range(len(terms)), key=lambda i: isinstance(terms[i][1], Unsized))
            if isinstance(terms[0][1], Unsized)
            else range(len(terms))
        )
        total: Operand | None = None
        for i in order:
            sign, value, where = terms[i]
            if total is None:
                total = self.negative(value, where) if sign == "-" else value
            else:
                total = self.add(total, value, where, minus=sign == "-")
        assert total is not None
        return total

    def lower_product(self, part: Product) -> Operand:
        return self.multiplied(self.factors(part), part)

    def multiplied(self, factors: list[tuple[str, Operand, Part]], part: Part) -> Operand:
        r"""Factors in their order: \\odot binds weaker than a product side by side."""
        groups: list[list[tuple[str, Operand, Part]]] = [[]]
        for op, value, where in factors:
            if op == r"\odot":
                groups.append([])
            groups[-1].append(("" if op == r"\odot" else op, value, where))
        products = [(self.side_by_side(g), g[0][2]) for g in groups]
        result, _ = products[0]
        for value, where in products[1:]:
            result = self.times(result, value, where, r"\odot")
        return result

    def side_by_side(self, factors: list[tuple[str, Operand, Part]]) -> Operand:
        result: Operand | None = None
        pending: list[tuple[str, Operand, Part]] = []
        lead = next(
            (i for i, (_, v, _) in enumerate(factors) if isinstance(v, Unsized) or v.shape), 0
        )
        if (
            lead
            and factors[lead][0] in ("", r"\cdot")
            and not any(op == "/" for op, _, _ in factors[lead:])
        ):
            number = self.side_by_side(factors[:lead])  # λ W x is λ (W x)
            _, value, where = factors[lead]
            return self.times(
                number, self.side_by_side([("", value, where), *factors[lead + 1 :]]), where
            )
        for op, value, where in factors:
            if result is None:
                if isinstance(value, Unsized) or pending:
                    pending.append((op, value, where))
                    if isinstance(value, Value) and value.shape:
                        result = self.folded(pending)
                        pending = []
                    continue
                result = value
            elif op == "/":
                result = self.divided(result, self.as_scalar(value, where), where)
            elif op == r"\oslash":
                result = self.divided(result, self.sized(value, where), where)
            else:
                result = self.times(result, value, where, op)
        if pending:
            result = self.folded_left(pending)
        assert result is not None
        return result

    def folded(self, pending: list[tuple[str, Operand, Part]]) -> Operand:
        """I A, 1ᵀ x and the like, from the right: what has a size says how large the others are."""
        result = pending[-1][1]
        for i in range(len(pending) - 2, -1, -1):
            result = self.times(pending[i][1], result, pending[i][2], pending[i + 1][0])
        return result

    def folded_left(self, pending: list[tuple[str, Operand, Part]]) -> Operand:
        result = pending[0][1]
        for op, value, where in pending[1:]:
            result = (
                self.divided(result, self.as_scalar(value, where), where)
                if op == "/"
                else self.times(result, value, where, op)
            )
        return result

    def as_scalar(self, value: Operand, part: Part) -> Value:
        return self.sized(value, part)

    def factors(self, part: Product) -> list[tuple[str, Operand, Part]]:
        """The factors of a product, functions with their arguments as one."""
        found: list[tuple[str, Operand, Part]] = []
        parts = part.factors
        at = 0
        while at < len(parts):
            op, factor = parts[at]
            following = parts[at + 1] if at + 1 < len(parts) and parts[at + 1][0] == "" else None
            applied = self.application(factor, following[1]) if following is not None else None
            if applied is not None:
                found.append((op, applied, factor))
                at += 2
                continue
            found.append((op, self.lower(factor), factor))
            at += 1
        return found

    def no_value(self, part: Part) -> Operand:
        raise self.error("a comparison stands in cases, in an indicator or below a sum only", part)


_LOWER: dict[type[Part], Callable[[_LatexReader, Any], Operand]] = {
    Number: _LatexReader.lower_number,
    Letter: _LatexReader.lower_letter,
    Sign: _LatexReader.lower_sign,
    Script: _LatexReader.lower_script,
    Group: _LatexReader.lower_group,
    Fraction: _LatexReader.lower_fraction,
    Root: _LatexReader.lower_root,
    Applied: _LatexReader.lower_applied,
    Big: _LatexReader.lower_big,
    Cases: _LatexReader.lower_cases,
    Matrix: _LatexReader.lower_matrix,
    Sum: _LatexReader.lower_sum,
    Product: _LatexReader.lower_product,
    Compared: _LatexReader.no_value,
    Joined: _LatexReader.no_value,
}
