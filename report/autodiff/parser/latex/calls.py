r"""Functions that are known, with their arguments."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from report.autodiff.gates import GATES
from report.autodiff.graph import CONSTANT, Node
from report.autodiff.parser.latex.entries import _TOP
from report.autodiff.parser.latex.functions import (
    is_along_axis,
    is_entrywise,
    is_power_series,
    is_total,
)
from report.autodiff.parser.latex.options import number_option, options_below
from report.autodiff.parser.latex.sums import _Sums
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import (
    Applied,
    Compared,
    Group,
    Joined,
    Part,
)
from report.autodiff.parser.latex.values import (
    ATOM,
    PRODUCT,
    OneByOne,
    Operand,
    Unsized,
    Value,
    is_number,
)
from report.autodiff.parser.names import FORMS, INSTEAD
from report.errors import ReportError, shown

# a function -> the gate that has what may stand below it as an option
_WITH_OPTION = {"cross_entropy": "cross_entropy_smoothed"}
# a function and what stands below it -> another one
_VARIED = {
    ("binary_cross_entropy", "sigma"): "binary_cross_entropy_with_logits",
    ("gelu", r"\tanh"): "gelu_tanh",
}
_WITH_ENTRY = frozenset(
    {"softmax", "log_softmax", "relu", "sigmoid"}
)  # softmax_k(z) is softmax(z)_k
_INVERSES = {  # sin^{-1}
    "sin": "arcsin",
    "cos": "arccos",
    "tan": "arctan",
    "sinh": "arcsinh",
    "cosh": "arccosh",
    "tanh": "arctanh",
}


# functions that are no gates, by those that are
_WRITTEN_OUT = {
    **{name: INSTEAD[name] for name in ("sec", "csc", "cot", "sech", "coth")},
    **{name: INSTEAD[name] for name in ("arctanh", "arcsinh", "arccosh", "logit", "relu6")},
    "csch": "1 / sinh(x)",
    "log2": "log(x) / log(2)",
    "log10": "log(x) / log(10)",
    "rmse": "sqrt(mse(x, y))",
}


class _Calls(_Sums):
    """Functions that are known, with their arguments."""

    def lower_applied(self, part: Applied) -> Operand:
        return self.apply_function(part)

    def apply_function(self, part: Applied) -> Operand:
        """A known function: its argument, its order or base below, its power above."""
        name, inner = part.name, part.inner
        if (
            name == "log"
            and not part.bracketed
            and isinstance(inner, Applied)
            and inner.name == "softmax"
            and not (part.below or part.above)
        ):  # one function
            return self.apply_function(replace(inner, name="log_softmax"))
        above = tuple(part.above or ())
        inverse = [t.text for t in above] == ["-", "1"]
        if inverse:
            if name not in _INVERSES:
                raise self.error(
                    "this has two readings: the inverse function, or 1 over it; write 1 over it, or the inverse by name",
                    part,
                )
            name = _INVERSES[name]
        by_entries = bool(above) and above[0].text in (r"\odot", r"\circ")
        entrywise = by_entries and len(above) == 1
        arguments = (
            part.inner.parts if isinstance(part.inner, Group) and part.bracketed else (part.inner,)
        )
        if len(arguments) == 1 and isinstance(arguments[0], (Compared, Joined)):
            raise self.error(
                "a comparison stands in cases, in an indicator or below a sum only", arguments[0]
            )
        value = self.function_value(name, arguments, part, entrywise)
        if self.printed and name == "cumsum" and tuple(t.text for t in above) in _TOP:
            options = options_below("cumsum", part.below or ()) or {}
            return self.general("reverse_cumsum", [self.value(arguments[0])], part, options)
        if above and not inverse and not entrywise:
            if tuple(t.text for t in above) in _TOP:
                return self.turned(value, part)
            if any(t.text in ("(", "[") for t in above):
                raise self.error(
                    "this is a derivative or a label, which a function does not have", part
                )
            exponent = self.value(self.tree(above[1:] if by_entries else above))
            value = self.power(self.sized(value, part), exponent, part, entrywise=by_entries)
        return value

    def function_value(
        self, name: str, arguments: Sequence[Part], part: Applied, entrywise: bool
    ) -> Operand:
        with self.entries(is_total(name)):
            args = [self.argument_of(name, a) for a in arguments]
        below = part.below
        if name == "log" and below is not None:
            base = self.value(self.tree(below))
            if not is_number(base.shape):
                raise self.error("the base of a logarithm is a number", part)
            return self.divided(
                self.unary("log", args[0], part, entrywise),
                self.unary("log", base, part, True),
                part,
            )
        options = options_below(_WITH_OPTION.get(name, name), below) if below is not None else None
        if options is not None:
            return self.general(name, args, part, options)
        if name == "scatter" and self.printed and below is not None:
            return self.put_back(args[0], below, part)
        if name in _WITH_ENTRY and below is not None:
            value = self.function_value(name, arguments, replace(part, below=None), entrywise)
            return self.pick(self.sized(value, part), below, part)
        if below is not None and is_entrywise(name) and (option := number_option(name)):
            return self.with_number(name, option, args[0], below, part)
        if below is not None:
            varied = _VARIED.get((name, "".join(t.text for t in below)))
            if varied is not None:
                return self.general(varied, args, part)
            raise self.error("what stands below this function is not known", part)
        if name in _WRITTEN_OUT:
            return self.by_formula(name, args, part)
        if name in GATES and GATES[name].of_two:
            return self.extreme(name, args, part)
        if len(args) == 1 and is_entrywise(name):
            return self.unary(name, args[0], part, entrywise)
        return self.general(name, args, part)

    def by_formula(self, name: str, args: Sequence[Value], part: Part) -> Value:
        """A function that is no gate."""
        count = 1 + ("y" in _WRITTEN_OUT[name])
        if len(args) != count:
            raise self.error(f"{name} takes {count} argument{'s' * (count > 1)}", part)
        formula = ast.parse(_WRITTEN_OUT[name], mode="eval").body
        return self.by_parts(formula, dict(zip("xy", args, strict=False)), part)

    def by_parts(self, e: ast.expr, given: Mapping[str, Value], part: Part) -> Value:
        """A function by its formula over other ones."""

        def of(inner: ast.expr) -> Value:
            return self.by_parts(inner, given, part)

        match e:
            case ast.Name(name):
                return given[name]
            case ast.Constant(float() | int() as number):
                return self.number(float(number))
            case ast.BinOp(left, (ast.Add() | ast.Sub()) as op, right):
                whole = self.add(of(left), of(right), part, minus=isinstance(op, ast.Sub))
                return self.sized(whole, part)
            case ast.BinOp(left, ast.Pow(), right):
                return self.power(of(left), of(right), part, entrywise=True)
            case ast.BinOp(left, ast.Div() as op, right):
                return self.entrywise(op, "/", PRODUCT, of(left), of(right), part)
            case ast.Call(ast.Name(name), [only]):
                return self.unary(name, of(only), part)
            case ast.Call(ast.Name(name), [first, *bounds]) if _are_numbers(bounds):
                x, *rest = (of(a) for a in (first, *bounds))
                node = self.call(name, [x.node, *(v.node for v in rest)], part)
                return Value(node, f"{name}({', '.join(v.text for v in (x, *rest))})", ATOM, x.axes)
            case ast.Call(ast.Name(name), arguments):
                return self.general(name, [of(a) for a in arguments], part)
        raise TypeError(ast.dump(e))

    def with_number(
        self, name: str, option: str, x: Value, below: Sequence[Token], part: Part
    ) -> Value:
        """LeakyReLU and ELU with their constant below."""
        number = self.value(self.tree(below))
        if number.node.gate is not CONSTANT:
            raise self.error(f"the {option} below is a number", part)
        return Value(
            self.call(name, [x.node], part, False, **{option: float(number.node.value)}),
            f"{name}({x.text}, {option}={float(number.node.value)})",
            ATOM,
            x.axes,
        )

    def argument_of(self, name: str, part: Part) -> Value:
        """An argument; one number everywhere that is spread is the number."""
        found = self.lower(part)
        if name == "broadcast_to" and isinstance(found, Unsized) and self.is_filled(found):
            return self.reshaped(found.make(1), (), part)
        value = self.sized(found, part)
        is_list = self.printed and isinstance(part, Group) and part.kind == "["
        return self.reshaped(value, (1,), part) if is_list and not value.shape else value

    def unary(self, name: str, x: Value, part: Part, entrywise: bool = False) -> Value:
        """A function of one number, of each entry of a tensor."""
        if self.printed and name == "log" and x.node.gate.logarithm:  # far out exact
            node = self.gate(x.node.gate.logarithm, x.node.args, part)
            return Value(node, f"log({x.text})", ATOM, x.axes, x.row)
        square = len(x.shape) == 2 and x.shape[0] == x.shape[1] > 1
        if square and is_power_series(name) and not entrywise:
            raise self.error(
                f"this has two readings: the {name} of each entry (write \\{name}^{{\\odot}}(A)), or that of the matrix "
                "(a power series, which is not known here)", part,
            )  # fmt: skip
        own = self.call if name in FORMS else self.gate  # one of backward passes alone
        return Value(own(name, [x.node], part), f"{name}({x.text})", ATOM, x.axes, x.row)

    def general(
        self, name: str, args: list[Value], part: Part, written: dict[str, Any] | None = None
    ) -> Value:
        """Any other function of expressions, over values without running indices."""
        form = FORMS.get(name)
        if self.printed and (form is None or name == "einsum") and name in GATES:
            return self.exactly(name, args, part, written or {})
        if form is None:
            raise self.error(f"unknown function {shown(name)}", part)
        if any(a.axes for a in args):
            return self.general_at_once(name, args, part)
        nodes = [a.node for a in args]
        options: dict[str, Any] = dict(written or {})
        if is_along_axis(name) and len(args[0].shape) == 2 and args[0].shape[1] == 1:
            options.setdefault("axis", 0)
        if form.operands is not None and len(form.operands) != len(args) and form.options:
            slots = list(form.options)[: len(args) - len(form.operands)]
            for slot, given in zip(slots, args[len(form.operands) :], strict=False):
                if given.node.gate is not CONSTANT:
                    raise self.error(f"{slot} of {name} is a number", part)
                value = float(given.node.value)
                options[slot] = (
                    int(value)
                    if value.is_integer() and slot not in ("slope", "alpha", "delta")
                    else value
                )
            nodes = nodes[: len(form.operands)]
        text = ", ".join(
            [*(a.text for a in args[: len(nodes)]), *(f"{k}={v}" for k, v in options.items())]
        )
        if form.operands is None:
            return Value(self.call(name, nodes, part, listed=True), f"{name}([{text}])")
        if name == "trace" and is_number(args[0].shape) and len(args[0].shape) == 2:
            return self.as_number(args[0])
        if name == "diag" and len(args[0].shape) == 2 and args[0].shape[1] == 1:
            nodes = [self.flat(args[0], part).node]
        row = args[0].row and is_along_axis(name)
        node = self.gate_of(name, nodes, args, part, options)
        return Value(node, f"{name}({text})", ATOM, (), row)

    def gate_of(
        self, name: str, nodes: list[Node], args: list[Value], part: Part, options: dict[str, Any]
    ) -> Node:
        """The gate; in what is printed a vector may also be a column."""
        try:
            return self.call(name, nodes, part, **options)
        except ReportError:
            columns = [self.as_column(a, part).node for a in args[: len(nodes)]]
            if not self.printed or [c.shape for c in columns] == [n.shape for n in nodes]:
                raise
            return self.call(name, columns, part, **options)

    def as_column(self, value: Value, part: Part) -> Value:
        """A vector as what it looks like on paper."""
        return self.reshaped(value, (*value.shape, 1), part) if len(value.shape) == 1 else value

    def exactly(self, name: str, args: list[Value], part: Part, written: dict[str, Any]) -> Value:
        """A gate that only backward passes have, or one with all its options written."""
        options = {
            k: (v,) if k in ("size", "stride") and isinstance(v, int) else v
            for k, v in written.items()
        }
        if "axis" in options:  # which a row has two of
            args = [self.block(a, part) if a.row else a for a in args]
        node = self.gate(name, [a.node for a in args], part, **options)
        if any(len(a.shape) == 1 for a in args) and self.at_inputs(Value(node, name)) is None:
            columns = [self.as_column(a, part).node for a in args]
            node = self.gate(name, columns, part, **options)
        return Value(node, f"{name}({', '.join(a.text for a in args)})")

    def put_back(self, value: Value, below: Sequence[Token], part: Part) -> Value:
        """What was picked at its old place, with zeros elsewhere: the shape and the key stand below."""
        size = next(i for i, t in enumerate(below) if t.text == "[")
        key, held = self.key_of(below[size:], part)
        if held and value.shape == (*held[0].shape, 1):  # a column of what lists pick
            value = self.reshaped(value, held[0].shape, part)
        places = held[0].shape if held else ()
        if len(places) == 1 and math.prod(value.shape[:-1]) == places[0]:  # a table of them, listed
            value = self.reshaped(value, (*places, value.shape[-1]), part)
        nodes = [value.node, *(v.node for v in held)]
        shape = tuple(int(t.text) for t in below[:size] if t.kind == "num") or self.expected
        node = self.gate("scatter", nodes, part, key=key, shape=shape)
        return Value(node, f"scatter({value.text})")

    def general_at_once(self, name: str, args: list[Value], part: Part) -> Value:
        if is_along_axis(name) and len(args) == 1 and len(args[0].shape) == 1:
            (x,) = args
            return Value(self.call(name, [x.node], part), f"{name}({x.text})", ATOM, x.axes)
        raise OneByOne

    def extreme(self, name: str, args: list[Value], part: Part) -> Value:
        """max(a, b): the larger of two; max(x): the largest entry."""
        if len(args) == 1:
            if not args[0].shape and not self.printed:
                raise self.error(f"the {name} of one number; write \\{name}(a, b)", part)
            if args[0].axes:
                raise OneByOne
            return Value(self.call(name, [args[0].node], part), f"{name}({args[0].text})")
        result = args[0]
        gate = GATES[name].of_two
        for other in args[1:]:
            a, b = self.fitted(result, other, part, "compared with")
            if result.shape and other.shape and result.shape != other.shape and not self.printed:
                raise self.error(
                    f"shapes {result.shape} and {other.shape} do not fit together", part
                )
            (a, b), axes = self.aligned([a, b], part)
            x, y = a.node, b.node
            zero = a.node.gate is CONSTANT and a.node.name is None and np.all(a.node.value == 0)
            other_zero = (
                b.node.gate is CONSTANT and b.node.name is None and np.all(b.node.value == 0)
            )
            if name == "max" and len(args) == 2 and (zero or other_zero):
                kept, node = (b, y) if zero else (a, x)
                result = Value(
                    self.call("relu", [node], part), f"relu({kept.text})", ATOM, axes, kept.row
                )
            else:
                result = Value(
                    self.call(gate, [x, y], part),
                    f"{gate}({a.text}, {b.text})",
                    ATOM,
                    axes,
                    a.row or b.row,
                )
        return result


def _are_numbers(parts: Sequence[ast.expr]) -> bool:
    return all(isinstance(e, ast.Constant) for e in parts)
