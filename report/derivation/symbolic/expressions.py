"""Gates as functions that sympy does not look into: σ stays σ, and its derivative is σ(x) (1 - σ(x)).

So a formula keeps the names that a textbook has, where sympy would write exponentials and error
functions. The derivative is written as the gate's rule has it where sympy, which differentiates the
gate's definition, agrees, and else as sympy has it: a closed form never takes over a fault of a rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from report import number_format
from report.autodiff.form import Form
from report.autodiff.gates import CALL, GATES, SUM
from report.autodiff.graph import CONSTANT, INPUT, Gate, Node, topological
from report.autodiff.graph import constant as constant_node
from report.derivation.latex.conditions import JOINED, choice, joined_conditions
from report.derivation.latex.options import options, with_options
from report.derivation.latex.printed import Printed, bracketed, put
from report.derivation.latex.printer import Taken, filled

SYMPY_FAULTS = (TypeError, ValueError, NotImplementedError)  # of a condition that it cannot hold


def is_named(gate: Gate) -> bool:
    """Whether a gate has a name in formulas that its definition would only hide."""
    return gate.named


@cache
def call(name: str, params: tuple[tuple[str, Any], ...] = ()) -> Any:
    """The gate of a name with its options as a sympy function."""
    import sympy

    gate = GATES[name]

    class Call(sympy.Function):
        def fdiff(self, argindex: int = 1) -> Any:
            return _slope(self, argindex - 1)

        def _latex(self, printer: Any, exp: str | None = None) -> Printed:
            arguments = [printer._print(a) for a in self.args]
            text = _latex(gate, arguments, self.params, printer.taken)
            if exp is None:
                return text
            if exp in ("2", "3", "4") and gate.powered:
                return put(rf"\{gate.name}^{{{exp}}}", bracketed(arguments[0]))
            # σ²(x) could be σ(σ(x)), and log σ(x)² the logarithm of σ(x)²
            is_call = gate.binding >= CALL and r"\left(" in gate.latex
            return put(text if is_call else bracketed(text), f"^{{{exp}}}")

    return type(f"f_{name}", (Call,), {"is_real": True, "gate": name, "params": dict(params)})


POINTS = (-1.3, 0.7, 2.1)  # where the rule and sympy are compared, beside every kink
DIGITS = 30


def _slope(made: Any, place: int) -> Any:
    """The derivative by an argument, as the rule has it where sympy agrees."""
    places, slope = _slope_over(made.gate, tuple(made.params.items()), len(made.args), place)
    return slope.xreplace(dict(zip(places, made.args, strict=True)))


@cache
def _slope_over(
    name: str, params: tuple[tuple[str, Any], ...], count: int, place: int
) -> tuple[tuple[Any, ...], Any]:
    """Placeholders for the arguments, and the derivative over them."""
    import sympy

    places = tuple(sympy.Dummy(real=True) for _ in range(count))
    made = call(name, params)(*places)
    by_sympy = derivative(written_out(made), places[place])
    leaves, y = [Node(INPUT) for _ in places], Node(INPUT)
    rule = GATES[name].rules_for(count)[place]
    graph = rule(constant_node(1.0), y, *leaves, **made.params) if rule else constant_node(0.0)
    known = {y: made, **dict(zip(leaves, places, strict=True))}
    by_rule = expression(graph if isinstance(graph, Node) else constant_node(graph), known)
    return places, by_rule if _agree(written_out(by_rule), by_sympy, places) else by_sympy


def _agree(a: Any, b: Any, places: tuple[Any, ...]) -> bool:
    """Whether two expressions have the same numbers at a few points, to many digits."""
    for i, _ in enumerate(POINTS):
        at = {s: _exactly(POINTS[(i + j) % len(POINTS)]) for j, s in enumerate(places)}
        gap = (a - b).xreplace(at).evalf(DIGITS)
        if not gap.is_number or abs(gap) > 1e-20:
            return False
    return True


def _exactly(x: float) -> Any:
    import sympy

    return sympy.Rational(str(x))


def _latex(gate: Gate, texts: list[Printed], params: Mapping[str, Any], taken: Taken) -> Printed:
    if gate.form is Form.CHOICE:
        return choice(*texts)
    if gate.form in JOINED:
        return joined_conditions(gate.form, texts)
    if gate.condition:
        inside = filled(gate.condition, texts).bound(SUM)
        return put(r"𝟙\left[", inside, r"\right]", condition=inside)
    written = filled(with_options(gate.latex, options(gate, params)), texts, taken)
    return written.holding(notes=(gate.note,)) if gate.note else written


def written_out(expression: Any) -> Any:
    """An expression with what its functions stand for, as far as sympy knows it."""
    import sympy

    from report.autodiff.gates import GATES

    def meaning(e: Any) -> Any:
        params = {k: exact_number(v) if isinstance(v, float) else v for k, v in e.params.items()}
        definition = GATES[e.gate].sympy
        assert definition is not None
        return definition(sympy, *e.args, **params)

    return expression.replace(lambda e: hasattr(type(e), "gate"), meaning)


def derivative(expression: Any, by: Any) -> Any:
    """sympy's derivative without the impulses that it puts where a function jumps.

    Beside the jump they are 0, and on it the gate's convention decides.
    """
    import sympy

    if expression.has(sympy.Abs, sympy.sign):
        bend, jump = _bend_and_jump()
        real = expression.replace(sympy.Abs, bend).replace(sympy.sign, jump)
        return derivative(real, by).replace(bend, sympy.Abs).replace(jump, sympy.sign)
    return sympy.diff(expression, by).replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))


@cache
def _bend_and_jump() -> tuple[Any, Any]:
    """|x| and sgn x of real numbers: sympy asks whether √x or 1/x is one, and does not know."""
    import sympy

    class Jump(sympy.Function):
        is_real = True

        def fdiff(self, argindex: int = 1) -> Any:
            return sympy.Integer(0)

    class Bend(sympy.Function):
        is_real = True

        def fdiff(self, argindex: int = 1) -> Any:
            return Jump(*self.args)

    return Bend, Jump


def expression(node: Node, known: Mapping[Node, Any], as_written: bool = False) -> Any:
    """A scalar graph as a sympy expression over the `known` nodes.

    `as_written`: a number stays in front of a sum, 2 (a + b), where sympy would multiply it out.
    """
    import sympy

    made: dict[Node, Any] = dict(known)
    for n in topological(node, leaves=made):
        if n in made:
            continue
        if n.is_constant:
            made[n] = constant(n)
            continue
        takes_conditions = n.gate.group == "choices"
        args = [made[a] if takes_conditions else as_number(made[a]) for a in n.args]
        if as_written and n.gate.form is Form.PRODUCT:
            made[n] = times(*args)
        elif is_named(n.gate):
            made[n] = call(n.gate.name, tuple(n.params.items()))(*args)
        else:
            assert n.gate.sympy is not None, n.gate.name
            made[n] = n.gate.sympy(sympy, *args, **n.params)
    return as_number(made[node])


def as_number(e: Any) -> Any:
    """A condition as the number that it is: 1 where it holds, else 0."""
    import sympy

    logic = sympy.logic.boolalg
    is_condition = isinstance(
        e, sympy.core.relational.Relational | logic.BooleanFunction | logic.BooleanAtom
    )
    return sympy.Piecewise((1, e), (0, True)) if is_condition else e


def times(*factors: Any) -> Any:
    """A product in which a number stays in front of a sum: 2 (a + b), as it was written."""
    import sympy

    from report.derivation.symbolic.factor_order import is_plain_number

    number = sympy.Mul(*filter(is_plain_number, factors))
    rest = sympy.Mul(*(f for f in factors if not is_plain_number(f)))
    if rest.is_Add and number != 1 and number != -1:
        rest = sympy.UnevaluatedExpr(rest)
    return number * rest


def constant(node: Node) -> Any:
    """A constant as it was written: 1/3 stays a fraction, pi stays pi, 0.1 the float that it is."""
    import sympy

    if node.name == "pi":
        return sympy.pi
    if node.gate is CONSTANT or node.gate.sympy is None:
        return exact_number(float(np.asarray(node.value).item()))
    return node.gate.sympy(sympy, *(constant(a) for a in node.args), **node.params)


def exact_number(value: float) -> Any:
    """Whole numbers and 1/3 exactly, all others as the float64 that they are."""
    import sympy

    fraction = number_format.as_fraction(value)
    if fraction is not None:
        return sympy.Rational(*fraction)
    return sympy.Integer(int(value)) if float(value).is_integer() else sympy.Float(value)


@cache
def ordered_symbol(i: int) -> Any:
    """Real symbols whose order, which decides how sympy sorts factors, is the order of the inputs."""
    import sympy

    return sympy.Symbol(f"v{i:04d}", real=True)
