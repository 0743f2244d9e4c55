"""The symbolic layer: scalar graphs as sympy expressions, their derivatives, and their LaTeX.

sympy is imported when a function is called, not with this module.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

import numpy as np

from report import numbers
from report.calls import call, is_named, written_out
from report.graph import CONSTANT, Gate, Graph, Node, topological
from report.printers.notation import symbol

MAX_SIZE = 60  # gates in a formula, written out, of which a closed form is sought
MIN_NAMED = 20  # operations in a closed form whose repeated parts get names
MIN_SAVED = 5  # operations that names must save in a shorter one
MAX_OPERATIONS = 150  # in a closed form; a longer one is not for reading


@dataclass(frozen=True, eq=False)
class ClosedForm:
    """The derivative of a scalar function by one input, as a sympy expression."""

    expression: Any
    symbols: Mapping[str, Any]  # of each input

    @property
    def latex(self) -> str:
        """The formula with the inputs' names as everywhere in the report."""
        return latex(self.expression, {s: symbol(name) for name, s in self.symbols.items()})

    def derivative(self, name: str) -> ClosedForm:
        """Its derivative by an input: one entry of the Hessian."""
        return ClosedForm(shortest(derivative(self.expression, self.symbols[name])), self.symbols)

    def at(self, point: Mapping[str, float]) -> float:
        """Its value at a point, computed with 30 digits."""
        import mpmath
        import sympy

        used = self.expression.free_symbols
        names = [name for name, symbol in self.symbols.items() if symbol in used]
        function = sympy.lambdify(
            [self.symbols[n] for n in names], written_out(self.expression), modules="mpmath"
        )
        with mpmath.workdps(30):
            return float(function(*(mpmath.mpf(float(point[n])) for n in names)))


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
    symbols = {n: ordered_symbol(i) for i, n in enumerate(graph.inputs)}
    try:
        whole = expression(graph.result, {node: symbols[n] for n, node in graph.inputs.items()})
        found = derivative(whole, symbols[name])
        return ClosedForm(shortest(found), symbols) if found.count_ops() <= MAX_OPERATIONS else None
    except (TypeError, ValueError, NotImplementedError):  # a condition that sympy cannot hold
        return None


@lru_cache(maxsize=1024)
def local_derivative(
    gate: Gate,
    place: int,
    arguments: tuple[Any, ...],
    options: tuple[tuple[str, Any], ...] = (),
) -> str | None:
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
    return latex(derivative, names)


Definition = tuple[str, str]  # a name and what it stands for, in LaTeX


@lru_cache(maxsize=256)
def named(
    forms: tuple[ClosedForm, ...], taken: frozenset[str]
) -> tuple[tuple[str, tuple[Definition, ...]], ...]:
    """Each formula with names for the parts that repeat in it, and what these names stand for.

    A part has the same name in all formulas, and no name begins like one that is `taken`. A short formula
    stays as it is.
    """
    import sympy

    from report.printers.terms import first_name

    meanings: dict[Any, Any] = {}  # of each name, over the inputs
    known: dict[Any, Any] = {}  # and the other way round
    definitions: dict[Any, Any] = {}  # over the inputs and other names
    wholes = []
    for form in forms:
        parts, whole = _with_parts(form.expression)
        placed: dict[Any, Any] = {}
        for s, part in parts:
            written = part.xreplace(placed)
            meaning = written.xreplace(meanings)
            if meaning not in known:
                # a product stands where its first input would: sympy's symbols are in alphabetical order
                at = first_name(written) if written.is_Mul else _LAST
                name = sympy.Symbol(f"v{at:04d} {len(known)}", real=True)
                known[meaning], definitions[name], meanings[name] = name, written, meaning
            placed[s] = known[meaning]
        wholes.append(whole.xreplace(placed))
    letter = next((c for c in _LETTERS if not any(n.startswith(c) for n in taken)), "part_")
    numbered = [letter] if len(known) == 1 else [f"{letter}{i + 1}" for i in range(len(known))]
    names = {name: symbol(text) for name, text in zip(definitions, numbered, strict=True)}
    names |= {s: symbol(name) for form in forms for name, s in form.symbols.items()}
    return tuple(
        (
            latex(whole, names),
            tuple((names[s], latex(definitions[s], names)) for s in _used(whole, definitions)),
        )
        for whole in wholes
    )


_LETTERS = "stuvzabcdeghjklmnoprwy"  # q is for gates
_LAST = 9999


def _with_parts(expression: Any) -> tuple[list[tuple[Any, Any]], Any]:
    """What repeats in an expression, and the expression over it; nothing does where little is saved."""
    import sympy

    parts, (whole,) = sympy.cse(expression, order="canonical")
    parts, whole = _worth_a_name(parts, whole)
    size = expression.count_ops()
    saved = size - whole.count_ops() - sum(part.count_ops() for _, part in parts)
    return (parts, whole) if size >= MIN_NAMED or saved >= MIN_SAVED else ([], expression)


def _used(whole: Any, definitions: Mapping[Any, Any]) -> list[Any]:
    """The names that an expression uses, itself or in what they stand for."""
    used: set[Any] = set()
    below = [whole]
    while below:
        more = (below.pop().free_symbols & definitions.keys()) - used
        used |= more
        below += [definitions[s] for s in more]
    return [s for s in definitions if s in used]


def _worth_a_name(parts: list[tuple[Any, Any]], whole: Any) -> tuple[list[tuple[Any, Any]], Any]:
    """Names for parts of some length only; short ones such as x*w are written where they stand."""
    kept: list[tuple[Any, Any]] = []
    short: dict[Any, Any] = {}
    for name, part in parts:
        written = part.xreplace(short)
        if written.count_ops() <= 1:
            short[name] = written
        else:
            kept.append((name, written))
    return kept, whole.xreplace(short)


def derivative(expression: Any, by: Any) -> Any:
    """sympy's derivative without the impulses that it puts where a function jumps.

    Beside the jump they are 0, and on it the gate's convention decides.
    """
    import sympy

    return sympy.diff(expression, by).replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))


def is_scalar(graph: Graph) -> bool:
    """Whether every value of the function is a scalar that sympy has a formula for."""
    return all(
        not n.shape and (n.is_input or n.is_constant or n.gate.sympy is not None)
        for n in topological(graph.result)
    )


def written_size(node: Node, names: Container[Node] = ()) -> int:
    """How many gates the formula of a node has when it is written out, repeats and all.

    The nodes in `names` are written as one name.
    """
    size: dict[Node, int] = {}
    for n in topological(node, leaves=names):
        size[n] = 1 if n in names else 1 + sum(size[a] for a in n.args if a in size)
    return size[node]


def expression(node: Node, known: Mapping[Node, Any]) -> Any:
    """A scalar graph as a sympy expression over the `known` nodes."""
    import sympy

    made: dict[Node, Any] = dict(known)
    for n in topological(node, leaves=made):
        if n in made:
            continue
        if n.is_constant:
            made[n] = constant(n)
        elif is_named(n.gate):
            made[n] = call(n.gate.name, tuple(n.params.items()))(*(made[a] for a in n.args))
        else:
            assert n.gate.sympy is not None, n.gate.name
            made[n] = n.gate.sympy(sympy, *(made[a] for a in n.args), **n.params)
    return made[node]


def constant(node: Node) -> Any:
    """A constant as it was written: 1/3 stays a fraction, pi stays pi, 0.1 the float that it is."""
    import sympy

    if node.name == "pi":
        return sympy.pi
    if node.gate is CONSTANT or node.gate.sympy is None:
        return number(float(np.asarray(node.value).item()))
    return node.gate.sympy(sympy, *(constant(a) for a in node.args), **node.params)


def number(value: float) -> Any:
    """Whole numbers and 1/3 exactly, all others as the float64 that they are."""
    import sympy

    fraction = numbers.as_fraction(value)
    if fraction is not None:
        return sympy.Rational(*fraction)
    return sympy.Integer(int(value)) if float(value).is_integer() else sympy.Float(value)


@cache
def ordered_symbol(i: int) -> Any:
    """Real symbols whose order, which decides how sympy sorts factors, is the order of the inputs."""
    import sympy

    return sympy.Symbol(f"v{i:04d}", real=True)


def latex(expression: Any, names: Mapping[Any, str]) -> str:
    """LaTeX by sympy's printer, with the names given."""
    from report.printers.terms import entry_latex

    written, more = _bracketed(expression, names)
    return entry_latex(written, {**names, **more})


def _bracketed(expression: Any, names: Mapping[Any, str]) -> tuple[Any, dict[Any, str]]:
    """What is 1 where a condition holds and else 0 as a symbol, which is written 𝟙[...]."""
    import sympy

    from report.printers.terms import entry_latex

    signs: dict[Any, str] = {}

    def sign(e: Any) -> Any:
        (first, condition), (last, _) = e.args
        if (first, last) == (0, 1):
            condition = sympy.Not(condition)
        tex = entry_latex(condition, names)
        dummy = sympy.Dummy(real=True)
        signs[dummy] = rf"𝟙\left[{tex}\right]"
        return dummy

    def is_truth(e: Any) -> bool:
        return (
            isinstance(e, sympy.Piecewise)
            and len(e.args) == 2
            and {e.args[0][0], e.args[1][0]} == {sympy.Integer(0), sympy.Integer(1)}
        )

    return expression.replace(is_truth, sign), signs


@cache
def printer() -> Any:
    """sympy's LaTeX printer with the notation of the report for steps, signs and entries."""
    import sympy
    from sympy.printing.latex import LatexPrinter
    from sympy.printing.precedence import PRECEDENCE

    class ReportPrinter(LatexPrinter):
        def _print_Heaviside(self, e: Any, exp: str | None = None) -> str:  # noqa: N802
            terms = sympy.Add.make_args(e.args[0])
            above = sympy.Add(*(t for t in terms if not t.could_extract_minus_sign()))
            below = -sympy.Add(*(t for t in terms if t.could_extract_minus_sign()))
            condition = f"{self._print(above)} > {self._print(below)}"
            if above.is_number:
                condition = f"{self._print(below)} < {self._print(above)}"
            text = rf"𝟙\left[{condition}\right]"
            return text if exp is None else rf"{text}^{{{exp}}}"

        def _print_sign(self, e: Any, exp: str | None = None) -> str:
            power = "" if exp is None else f"^{{{exp}}}"
            return rf"\operatorname{{sgn}}{power}\left({self._print(e.args[0])}\right)"

        def _print_Mul(self, e: Any) -> str:  # noqa: N802
            number, rest = e.as_coeff_Mul()
            if number.is_Rational and not number.is_Integer and rest.has(sympy.Sum):
                return f"{self._print(number)} {self.parenthesize(rest, PRECEDENCE['Mul'])}"
            return str(super()._print_Mul(e))

        def _print_Piecewise(self, e: Any) -> str:  # noqa: N802
            rows = []
            for value, when in e.args:
                otherwise = when is sympy.true
                condition = (
                    r"\text{otherwise}" if otherwise else rf"\text{{if }} {self._print(when)}"
                )
                rows.append(f"{self._print(value)} & {condition}")
            return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"

        def _print_Float(self, e: Any) -> str:  # noqa: N802
            return numbers.latex(float(e))

        def _as_ordered_terms(self, e: Any, order: Any = None) -> list[Any]:
            terms = super()._as_ordered_terms(e, order)
            return sorted(
                terms, key=lambda t: bool(t.could_extract_minus_sign())
            )  # y - x, not -x + y

    return ReportPrinter


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
