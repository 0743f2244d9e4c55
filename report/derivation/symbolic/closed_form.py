"""The symbolic layer: scalar graphs as sympy expressions, their derivatives, and their LaTeX.

sympy is imported when a function is called, not with this module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from report.autodiff.graph import Gate, Graph, Node, topological
from report.derivation.latex.printed import Printed, put
from report.derivation.latex.printer import NONE_TAKEN, Taken
from report.derivation.latex.symbols import symbol, taken_by
from report.derivation.symbolic.expressions import (
    SYMPY_FAULTS,
    derivative,
    expression,
    ordered_symbol,
    written_out,
)
from report.derivation.symbolic.size import is_scalar, written_size

MAX_SIZE = 60  # gates in a formula, written out, of which a closed form is sought
MAX_OPERATIONS = 150  # in a closed form; a longer one is not for reading


@dataclass(frozen=True, eq=False)
class ClosedForm:
    """The derivative of a scalar function by one input, as a sympy expression."""

    expression: Any
    symbols: Mapping[str, Any]  # of each input
    taken: Taken = NONE_TAKEN  # signs of ours that names of the user are set like

    @property
    def latex(self) -> Printed:
        """The formula with the inputs' names as everywhere in the report."""
        names = {s: symbol(name) for name, s in self.symbols.items()}
        return expression_latex(self.expression, names, self.taken)

    def derivative(self, name: str) -> ClosedForm:
        """Its derivative by an input, term by term: one entry of the Hessian."""
        return replace(self, expression=_term_by_term(self.expression, self.symbols[name]))

    @property
    def shortest(self) -> ClosedForm:
        """The same, as short as it can be written at once."""
        import sympy

        return replace(self, expression=shortest(sympy.sympify(self.expression).doit()))

    def with_gates(
        self, graph: Graph, names: Mapping[Node, str], always: Container[Node] = ()
    ) -> ClosedForm:
        """The same with the values of gates by name, where a function such as σ(w x + b) repeats, or `always`."""
        known = {node: self.symbols[name] for name, node in graph.inputs.items()}
        found, symbols = self.expression, dict(self.symbols)
        for gate in reversed(graph.nodes):
            value = expression(gate, known)
            repeats = value.is_Function and found.count(value) > 2
            if gate in names and (repeats or (gate in always and found.has(value))):
                symbols[names[gate]] = ordered_symbol(len(symbols))
                found = found.xreplace({value: symbols[names[gate]]})
        return replace(self, expression=found, symbols=symbols)

    def at(self, point: Mapping[str, float], digits: int = 30) -> float:
        """Its value at a point, computed with that many digits; NaN where these leave a division by 0."""
        import mpmath
        import sympy

        symbols, function = self._function
        if function is None:
            whole = written_out(self.expression)
            numbers = {s: sympy.Float(float(point[n]), digits) for n, s in symbols.items()}
            return float(whole.subs(numbers).evalf(digits))
        with mpmath.workdps(digits), suppress(ZeroDivisionError):
            return float(function(*(mpmath.mpf(float(point[name])) for name in symbols)))
        return math.nan

    @cached_property
    def _function(self) -> tuple[Mapping[str, Any], Callable[..., Any] | None]:
        """The inputs that stand in it, and what computes it of their numbers.

        None with a condition within a condition, which sympy does not print.
        """
        import sympy

        used = self.expression.free_symbols
        symbols = {name: s for name, s in self.symbols.items() if s in used}
        whole = written_out(self.expression)
        with suppress(TypeError):
            return symbols, sympy.lambdify(list(symbols.values()), whole, modules="mpmath")
        return symbols, None


def _term_by_term(e: Any, by: Any) -> Any:
    """The derivative with the terms of sums and of the product rule apart, as one would write them first."""
    import sympy

    found = []
    for term in sympy.Add.make_args(e):
        factors = sympy.Mul.make_args(term)
        for i, factor in enumerate(factors):
            slope = derivative(factor, by)
            if slope == 0:
                continue
            others = (*sympy.Mul.make_args(slope), *factors[:i], *factors[i + 1 :])
            number = sympy.Mul(*(f for f in others if f.is_number))
            rest = sympy.Mul(*(f for f in others if not f.is_number))
            apart = rest.is_Add and number != 1  # else sympy multiplies it out
            found.append(sympy.Mul(number, rest, evaluate=not apart))
    return sympy.Add(*found, evaluate=len(found) < 2)


def inputs_as_read(graph: Graph) -> list[Node]:
    """The inputs in the order in which the function names them, so that y z stays y z."""
    inputs = graph.inputs.values()
    read = list(dict.fromkeys(a for gate in graph.nodes for a in gate.args if a in inputs))
    return [*read, *(n for n in inputs if n not in read)]


def closed_form(graph: Graph, name: str) -> ClosedForm | None:
    """df/dname of a scalar function, the shortest of a few equal forms.

    None when the function is not scalar or its formula too long to be read. It depends on the formula
    alone, so that it is found once for all the variants of a question.
    """
    return _closed_form(_Formula(_structure(graph), graph), name)


@dataclass(frozen=True)
class _Formula:
    """A graph, equal to another one of the same formula."""

    structure: tuple[Any, ...]
    graph: Graph = field(compare=False)


def _structure(graph: Graph) -> tuple[Any, ...]:
    """The inputs, and each gate with its arguments by number or, a constant, as it was written."""
    places = {node: i for i, node in enumerate(graph.inputs.values())}
    gates = []
    for node in topological(graph.result):
        if node not in places and not node.is_constant:
            args = tuple(_written(a) if a.is_constant else places[a] for a in node.args)
            gates.append((node.gate.name, node.shape, args, repr(dict(node.params))))
            places[node] = len(places)
    end = _written(graph.result) if graph.result.is_constant else places[graph.result]
    return (*((name, node.shape) for name, node in graph.inputs.items()), *gates, end)


def _written(node: Node) -> tuple[Any, ...]:
    """A constant with all that it is made of: 1/3 is not the float next to it."""
    parts: list[Any] = []
    places: dict[Node, int] = {}
    below = [node]
    while below:
        part = below.pop()
        if part in places:
            parts.append(places[part])
            continue
        places[part] = len(places)
        value = np.asarray(part.value).tobytes()
        parts.append((part.name, part.gate.name, part.shape, value, len(part.args)))
        below += part.args
    return tuple(parts)


@lru_cache(maxsize=256)
def _closed_form(formula: _Formula, name: str) -> ClosedForm | None:
    graph = formula.graph
    if not is_scalar(graph) or written_size(graph.result) > MAX_SIZE:
        return None
    names = {node: n for n, node in graph.inputs.items()}
    symbols = {names[node]: ordered_symbol(i) for i, node in enumerate(inputs_as_read(graph))}
    try:
        whole = expression(graph.result, {node: symbols[n] for n, node in graph.inputs.items()})
        found = derivative(whole, symbols[name])
        return (
            ClosedForm(shortest(found), symbols, taken_by(symbols))
            if found.count_ops() <= MAX_OPERATIONS
            else None
        )
    except SYMPY_FAULTS:
        return None


@lru_cache(maxsize=1024)
def local_derivative(
    gate: Gate,
    place: int,
    arguments: tuple[Any, ...],
    options: tuple[tuple[str, Any], ...] = (),
    taken: Taken = NONE_TAKEN,
) -> Printed | None:
    """d gate / d argument number `place` as sympy derives it, in LaTeX.

    `arguments` are the LaTeX of each argument, or sympy's constant for a constant one, `options` the
    gate's own. None where sympy does not know the gate, or does not know its convention at a kink.
    """
    import sympy

    if gate.sympy is None or gate.kink is not None:
        return None
    args = [ordered_symbol(i) if isinstance(a, str) else a for i, a in enumerate(arguments)]
    derivative = sympy.powsimp(sympy.diff(gate.sympy(sympy, *args, **dict(options)), args[place]))
    names = {s: a for s, a in zip(args, arguments, strict=True) if isinstance(a, str)}
    return expression_latex(derivative, names, taken)


def expression_latex(
    expression: Any, names: Mapping[Any, str], taken: Taken = NONE_TAKEN
) -> Printed:
    """LaTeX by sympy's printer, with the names given."""
    from report.derivation.symbolic.sympy_printer import entry_latex

    written, more = _bracketed(expression, names, taken)
    return entry_latex(written, {**names, **more}, taken)


def _bracketed(
    expression: Any, names: Mapping[Any, str], taken: Taken
) -> tuple[Any, dict[Any, str]]:
    """What is 1 where a condition holds and else 0 as a symbol, which is written 𝟙[...]."""
    import sympy

    from report.derivation.symbolic.sympy_printer import entry_latex

    signs: dict[Any, str] = {}

    def sign(e: Any) -> Any:
        (first, condition), (last, _) = e.args
        if (first, last) == (0, 1):
            condition = sympy.Not(condition)
        dummy = sympy.Dummy(real=True)
        signs[dummy] = put(r"𝟙\left[", entry_latex(condition, names, taken), r"\right]")
        return dummy

    def is_truth(e: Any) -> bool:
        return (
            isinstance(e, sympy.Piecewise)
            and len(e.args) == 2
            and {e.args[0][0], e.args[1][0]} == {sympy.Integer(0), sympy.Integer(1)}
        )

    return expression.replace(is_truth, sign), signs


def shortest(expression: Any) -> Any:
    """The shortest of a few forms that sympy finds at once; long expressions stay as they are."""
    import sympy

    if expression.count_ops() > 60:
        return expression
    if not expression.has(sympy.exp):  # x^n / x is x^{n - 1}
        expression = sympy.powsimp(expression, combine="exp")
    forms = [expression, sympy.factor_terms(expression)]
    if not expression.has(sympy.Float):  # floats would be added up and look like other numbers
        forms.append(sympy.together(expression))
        if expression.count_ops() < 25:
            forms.append(sympy.expand(expression))
    forms = [_same_exponents(form) for form in forms]
    return min(forms, key=lambda e: (e.count_ops(), len(str(e))))


def _same_exponents(expression: Any) -> Any:
    """Exponents that are equal when they are multiplied out, all so: -a - b where another is -(a + b)."""
    import sympy

    equal: dict[Any, list[Any]] = {}
    for power in expression.atoms(sympy.exp):
        equal.setdefault(sympy.expand_mul(power.args[0]), []).append(power)
    same = {p: sympy.exp(e) for e, powers in equal.items() if len(powers) > 1 for p in powers}
    return expression.xreplace(same)
