r"""Functions: known ones with their arguments, and lines such as h(x) = ... with other things put in."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from report.autodiff.gates import GATES
from report.autodiff.graph import CONSTANT, Node, constant
from report.autodiff.inputs import CONSTANTS
from report.autodiff.parser.latex import names
from report.autodiff.parser.latex.entries import _TOP
from report.autodiff.parser.latex.functions import (
    is_along_axis,
    is_entrywise,
    is_power_series,
    is_total,
)
from report.autodiff.parser.latex.options import number_option, options_below
from report.autodiff.parser.latex.state import Definition
from report.autodiff.parser.latex.sums import _Sums
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import (
    Applied,
    Compared,
    Group,
    Joined,
    Letter,
    Number,
    Part,
    Script,
    Sign,
)
from report.autodiff.parser.latex.values import (
    ATOM,
    POWER,
    PRODUCT,
    OneByOne,
    Operand,
    Unsized,
    Value,
    is_number,
)
from report.autodiff.parser.names import FORMS
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


class _Calls(_Sums):
    """Functions: known ones with their arguments, and lines such as h(x) = ... with other things put in."""

    def application(self, head: Part, argument: Part) -> Operand | None:
        """f(x), 1[x > 0], σ(z)_k^2; None where the two parts are factors."""
        inner = argument.base if isinstance(argument, Script) else argument
        if not isinstance(inner, Group) or inner.kind not in ("(", "[", r"\{"):
            return None
        condition = len(inner.parts) == 1 and isinstance(inner.parts[0], (Compared, Joined))
        applied: Operand | None = None
        if condition and self.is_indicator(head):
            applied = self.indicator(inner.parts[0], argument)
        elif isinstance(head, (Letter, Script)):
            applied = self.called(head, inner)
        if applied is None or not isinstance(argument, Script):
            return applied
        return self.with_scripts(applied, argument)

    def is_indicator(self, head: Part) -> bool:
        if isinstance(head, Script) and head.below is None and head.above is None:
            head = head.base
        return (
            (isinstance(head, Sign) and head.text == r"\indicator")
            or (isinstance(head, Number) and head.text == "1")
            or (
                isinstance(head, Letter)
                and head.base in ("I", "1", "mathbb1", "Ind", "indicator")
                and (head.font == "bb" or "I" not in self.known)
            )
        )

    def called(self, head: Letter | Script, group: Group) -> Operand | None:
        """A function that is a letter or a line: σ(z), h_θ(x); None where the name is a value."""
        letter = head.base if isinstance(head, Script) else head
        if not isinstance(letter, Letter):
            return None
        script = head if isinstance(head, Script) else None
        for label, below, above in self.labels(letter, script):
            definition = self.known.get(label)
            if definition is None or self.local(label) is not None:
                continue
            if (
                definition.line is not None
                and definition.params
                and len(definition.params) == len(group.parts)
            ):
                applied = self.with_params(definition, group)
                rest = Script(head.start, head.end, letter, below, above, 0)
                return (
                    applied if below is None and above is None else self.with_scripts(applied, rest)
                )
            return None
        base = self.base_label(letter)
        if self.local(base) is not None or self.is_index(letter.base):
            return None
        power = script.above if script is not None else None
        below = script.below if script is not None else None
        if script is not None and script.primes:
            raise self.error(
                "this is a derivative, not a value that can be computed from the inputs", head
            )
        if base == "sigma" or (base in ("Phi", "varphi", "phi") and self.printed):
            name = {"sigma": "sigmoid", "Phi": "normal_cdf"}.get(base, "normal_pdf")
            return self.apply_function(
                Applied(head.start, group.end, name, group, below, power, True)
            )
        if letter.base in ("e", "i") or base in CONSTANTS or base == "I":
            return None
        named = self.nearest_name(base)
        raise self.error(
            f"{shown(letter.base)} is no input, no line and no function that is known{named}", head
        )

    def with_params(self, definition: Definition, group: Group) -> Operand:
        """A line's value with other things in place of what it is a function of."""
        assert definition.params is not None
        same = all(
            isinstance(part, (Letter, Script))
            and self.label_of_part(part) == param
            and not self.is_local(param)
            for part, param in zip(group.parts, definition.params, strict=True)
        )
        known = all(param in self.known for param in definition.params)
        if same and known:
            return self.line_value(definition)
        if definition.busy:
            raise self.error(f"{definition.name} is defined by itself", group)
        given = {
            param: self.lower(part)
            for param, part in zip(definition.params, group.parts, strict=True)
        }
        definition.busy = True
        self.locals.append(given)
        try:
            return self.lower(definition.bodies[0])
        finally:
            self.locals.pop()
            definition.busy = False

    def label_of_part(self, part: Part) -> str:
        if isinstance(part, Letter):
            return self.base_label(part)
        assert isinstance(part, Script)
        if isinstance(part.base, Letter):
            return self.base_label(part.base) + (
                names.label_of((*(part.below or ()), *(part.above or ()))) or "?"
            )
        return "?"

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
        composite = _COMPOSITE.get(name)
        if composite is not None:
            return composite(self, args, part)
        if name in GATES and GATES[name].of_two:
            return self.extreme(name, args, part)
        if len(args) == 1 and is_entrywise(name):
            return self.unary(name, args[0], part, entrywise)
        return self.general(name, args, part)

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
        return Value(self.call(name, [x.node], part), f"{name}({x.text})", ATOM, x.axes, x.row)

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

    def block(self, v: Value, part: Part) -> Value:
        """A block with two axes."""
        if len(v.shape) > 1:
            return v
        n = math.prod(v.shape)
        return self.reshaped(v, (1, n) if v.row else (n, 1), part)

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


def _one_over(name: str) -> Callable[[_Calls, list[Value], Part], Value]:
    def build(reader: _Calls, args: list[Value], part: Part) -> Value:
        (x,) = args
        return reader.entrywise(
            ast.Div(), "/", PRODUCT, reader.number(1), reader.unary(name, x, part), part
        )

    return build


def _log_base(base: float) -> Callable[[_Calls, list[Value], Part], Value]:
    def build(reader: _Calls, args: list[Value], part: Part) -> Value:
        (x,) = args
        whole = reader.unary("log", reader.number(base), part)
        return reader.entrywise(ast.Div(), "/", PRODUCT, reader.unary("log", x, part), whole, part)

    return build


def _half_log(minus: bool) -> Callable[[_Calls, list[Value], Part], Value]:
    def build(reader: _Calls, args: list[Value], part: Part) -> Value:
        """arctanh x: half the logarithm of (1 + x) / (1 - x)."""
        (x,) = args
        one = reader.number(1)
        above = reader.add(one, x, part)
        below = reader.add(one, x, part, minus=True)
        assert isinstance(above, Value)
        assert isinstance(below, Value)
        quotient = reader.entrywise(ast.Div(), "/", PRODUCT, above, below, part)
        return reader.entrywise(
            ast.Div(), "/", PRODUCT, reader.unary("log", quotient, part), reader.number(2), part
        )

    return build


def _log_root(sign: float) -> Callable[[_Calls, list[Value], Part], Value]:
    def build(reader: _Calls, args: list[Value], part: Part) -> Value:
        """arcsinh x and arccosh x: the logarithm of x + the root of x² ± 1."""
        (x,) = args
        square = reader.add(
            reader.power(x, reader.number(2), part, True), reader.number(1), part, minus=sign < 0
        )
        assert isinstance(square, Value)
        whole = reader.add(x, reader.unary("sqrt", square, part), part)
        assert isinstance(whole, Value)
        return reader.unary("log", whole, part)

    return build


def _logit(reader: _Calls, args: list[Value], part: Part) -> Value:
    (x,) = args
    rest = reader.add(reader.number(1), x, part, minus=True)
    assert isinstance(rest, Value)
    return reader.unary("log", reader.entrywise(ast.Div(), "/", PRODUCT, x, rest, part), part)


def _rmse(reader: _Calls, args: list[Value], part: Part) -> Value:
    return reader.unary("sqrt", reader.general("mse", args, part), part)


def _normal_cdf(reader: _Calls, args: list[Value], part: Part) -> Value:
    (x,) = args
    return Value(
        reader.gate("normal_cdf", [x.node], part),
        f"(1 + erf({x.within(PRODUCT)} / sqrt(2))) / 2",
        ATOM,
        x.axes,
    )


def _normal_pdf(reader: _Calls, args: list[Value], part: Part) -> Value:
    (x,) = args
    return Value(
        reader.gate("normal_pdf", [x.node], part),
        f"exp(-{x.within(POWER + 1)}**2 / 2) / sqrt(2*pi)",
        ATOM,
        x.axes,
    )


def _relu6(reader: _Calls, args: list[Value], part: Part) -> Value:
    (x,) = args
    return Value(
        reader.call("clip", [x.node, constant(0.0), constant(6.0)], part),
        f"clip({x.text}, 0, 6)",
        ATOM,
        x.axes,
    )


_COMPOSITE: dict[str, Callable[[_Calls, list[Value], Part], Value]] = {
    "sec": _one_over("cos"),
    "csc": _one_over("sin"),
    "cot": _one_over("tan"),
    "sech": _one_over("cosh"),
    "csch": _one_over("sinh"),
    "coth": _one_over("tanh"),
    "log2": _log_base(2.0),
    "log10": _log_base(10.0),
    "arctanh": _half_log(False),
    "arcsinh": _log_root(1.0),
    "arccosh": _log_root(-1.0),
    "logit": _logit,
    "rmse": _rmse,
    "normal_cdf": _normal_cdf,
    "normal_pdf": _normal_pdf,
    "relu6": _relu6,
}
