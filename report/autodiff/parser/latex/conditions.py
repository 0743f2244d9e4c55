r"""Comparisons, indicators and cases: where a condition holds, else."""

from __future__ import annotations

from typing import Any

import numpy as np

from report.autodiff.graph import CONSTANT, constant
from report.autodiff.parser.latex.indices import linear, walk
from report.autodiff.parser.latex.name_values import _Names
from report.autodiff.parser.latex.tree import (
    Cases,
    Compared,
    Group,
    Joined,
    Letter,
    Number,
    Part,
    Sign,
)
from report.autodiff.parser.latex.values import ATOM, OneByOne, Operand, Value, is_number

_COMPARED = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}

_GATE_OF = {
    "==": "equal",
    "!=": "not_equal",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
}


class _Conditions(_Names):
    """Comparisons, indicators and cases: where a condition holds, else."""

    def condition(self, part: Part) -> Any:
        """True, False, or the Value of a condition on values."""
        if isinstance(part, Joined):
            found = [self.condition(p) for p in part.parts]
            if part.how == "not":
                (only,) = found
                if isinstance(only, bool):
                    return not only
                return Value(
                    self.gate("logical_not", [only.node], part), f"~({only.text})", ATOM, only.axes
                )
            decisive = part.how == "or"
            if any(f is decisive for f in found):
                return decisive
            rest = [f for f in found if not isinstance(f, bool)]
            if not rest:
                return not decisive
            return self.both(rest, "logical_or" if decisive else "logical_and", part)
        if isinstance(part, Group) and len(part.parts) == 1:
            return self.condition(part.parts[0])
        if not isinstance(part, Compared) and self.printed:  # a mask
            mask = self.sized(self.lower(part), part)
            node = self.gate("not_equal", [mask.node, constant(0.0)], part)
            return Value(node, f"{mask.text} != 0", ATOM, mask.axes)
        if not isinstance(part, Compared):
            raise self.error("a condition is a comparison, such as x > 0", part)
        found = [
            self.compared(a, r, b, part)
            for a, r, b in zip(part.parts, part.relations, part.parts[1:], strict=False)
        ]
        if any(f is False for f in found):
            return False
        rest = [f for f in found if f is not True]
        return True if not rest else self.both(rest, "logical_and", part)

    def both(self, values: list[Value], gate: str, part: Part) -> Value:
        result = values[0]
        sign = "&" if gate == "logical_and" else "|"
        for value in values[1:]:
            (a, b), axes = self.aligned([result, value], part)
            node = self.gate(gate, [a.node, b.node], part)
            result = Value(node, f"({a.text}) {sign} ({b.text})", 0, axes)
        return result

    def compared(self, a: Part, relation: str, b: Part, part: Part) -> Any:
        if relation in ("in", "notin"):
            return self.membership(a, b, relation == "in", part)
        if isinstance(a, Group) and isinstance(b, Group) and len(a.parts) == len(b.parts) > 1:
            each = zip(a.parts, b.parts, strict=True)  # (k, l) ≠ (i, j)
            pairs = tuple(Compared(part.start, part.end, pair, (relation,)) for pair in each)
            how = "or" if relation == "!=" else "and"
            return self.condition(Joined(part.start, part.end, how, pairs))
        left, right = self.fixed_index(a), self.fixed_index(b)
        if left is not None and right is not None:
            if isinstance(left, int) and isinstance(right, int):
                return bool(_COMPARED[relation](left, right))
            mask = self.mask(_COMPARED[relation], left, right)
            return Value(
                self.gate("equal", [mask.node, constant(1.0)], part),
                f"{mask.text} == 1",
                0,
                mask.axes,
            )
        x, y = self.value(a), self.value(b)
        if is_number(x.shape) and is_number(y.shape):
            x, y = self.as_number(x), self.as_number(y)
        elif x.shape != y.shape and x.shape and y.shape and not self.printed:
            raise self.error(f"shapes {x.shape} and {y.shape} do not fit together", part)
        else:
            x, y = self.fitted(x, y, part, "compared with")
        (x, y), axes = self.aligned([x, y], part)
        m, n = x.node, y.node
        if (
            m.is_constant
            and n.is_constant
            and not axes
            and not x.shape
            and not y.shape
            and m.gate is CONSTANT
            and n.gate is CONSTANT
        ):
            return bool(_COMPARED[relation](m.value, n.value))
        return Value(
            self.gate(_GATE_OF[relation], [m, n], part),
            f"{x.within(1)} {relation} {y.within(1)}",
            0,
            axes,
            x.row or y.row,
        )

    def fixed_index(self, part: Part) -> Any:
        """A side that is made of indices and numbers only."""
        form = linear(part)
        if form is None or any(name not in self.indices for name in form.letters):
            return None
        return self.index_of(form, part)

    def membership(self, a: Part, b: Part, inside: bool, part: Part) -> Any:
        if isinstance(b, Group) and len(b.parts) == 2 and b.kind in ("[", "("):
            low, high = b.parts
            below = "<=" if b.kind == "[" else "<"
            above = "<=" if b.close == "]" else "<"
            found = self.condition(Compared(part.start, part.end, (low, a, high), (below, above)))
        elif isinstance(b, Group) and b.kind == r"\{":
            equal = tuple(Compared(part.start, part.end, (a, each), ("==",)) for each in b.parts)
            found = self.condition(
                Joined(part.start, part.end, "or", equal) if len(equal) > 1 else equal[0]
            )
        else:
            raise self.error("this set is not known; write the condition as a comparison", part)
        if inside:
            return found
        if isinstance(found, bool):
            return not found
        return Value(
            self.gate("logical_not", [found.node], part), f"~({found.text})", ATOM, found.axes
        )

    def indicator(self, condition: Part, part: Part) -> Value:
        """1 where a condition holds, else 0."""
        found = self.condition(condition)
        if isinstance(found, bool):
            return self.number(float(found))
        return self.chosen(found, self.number(1), self.number(0), part)

    def chosen(self, condition: Value, a: Value, b: Value, part: Part) -> Value:
        """a where a condition holds, else b."""
        if a.shape != b.shape and is_number(a.shape) and is_number(b.shape):
            a, b = self.as_number(a), self.as_number(b)
        rank = max(len(a.shape), len(b.shape))
        if a.shape != b.shape and a.shape and b.shape and not self.printed:
            raise self.error(f"shapes {a.shape} and {b.shape} do not fit together", part)
        if not condition.shape and rank and condition.axes:
            raise OneByOne
        if self.printed:
            wide = max((condition, a, b), key=lambda v: len(v.shape))
            condition, a, b = (
                self.fitted(v, wide, part, "chosen with")[0] for v in (condition, a, b)
            )
        (condition, a, b), axes = self.aligned([condition, a, b], part)
        c, x, y = condition.node, a.node, b.node
        node = self.call("where", [c, x, y], part)
        row = len(node.shape) - len(axes) == 1 and (condition.row or a.row or b.row)
        return Value(node, f"where({condition.text}, {a.text}, {b.text})", ATOM, axes, row)

    def lower_cases(self, part: Cases) -> Operand:
        """Nested choices; without an otherwise one of the cases must hold."""
        rows: list[tuple[Any, Part]] = []
        result: Value | None = None
        for value, condition in part.rows:
            if condition is None:
                result = self.value(value)
                break
            found = self.condition(condition)
            if found is False:
                continue
            if found is True:
                result = self.value(value)
                break
            rows.append((found, value))
        if result is None:
            if not rows:
                raise self.error("none of these cases holds", part)
            if any(c.axes for c, _ in rows) and not _complementary(part):
                raise OneByOne
            self.must_hold.append(([c for c, _ in rows], part)) if not _complementary(
                part
            ) else None
            result = self.value(rows.pop()[1])
        for condition, value in reversed(rows):
            result = self.chosen(condition, self.value(value), result, part)
        return result


def _complementary(part: Cases) -> bool:
    """Whether two cases hold for all numbers: x >= 0 and x < 0."""
    if len(part.rows) != 2:
        return False
    a, b = (c for _, c in part.rows)
    if (
        not isinstance(a, Compared)
        or not isinstance(b, Compared)
        or len(a.relations) != 1
        or len(b.relations) != 1
    ):
        return False
    opposite = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
    sides = [_sketch(p) for p in (*a.parts, *b.parts)]
    return sides[:2] == sides[2:] and opposite.get(a.relations[0]) == b.relations[0]


def _sketch(part: Part) -> str:
    """A part without its place."""
    return repr(
        [
            (type(p).__name__, getattr(p, "text", getattr(p, "base", "")))
            for p in walk(part)
            if isinstance(p, (Letter, Number, Sign))
        ]
    )
