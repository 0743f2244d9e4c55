"""LaTeX of entries: sympy's printer with the notation of sums, products and brackets of a textbook.

A factor 𝟙[a = b] with the label of a sum stands below the sum sign, Σ_{k: a = b}; numbers stand in
front, then derivatives, then the entries in the order in which they are named, and sums last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from report import number_format
from report.autodiff.form import Form
from report.autodiff.gates import ATOM
from report.derivation.latex.printed import (
    First,
    Printed,
    bracketed,
    fraction,
    joined,
    literal,
    put,
)
from report.derivation.latex.printer import NONE_TAKEN, Taken, filled
from report.derivation.symbolic.factor_order import (
    BRACKETS,
    by_labels,
    first_name,
    form_of,
    goes_on,
    has_extreme,
    is_coefficient,
    is_equation,
    is_limited,
    is_plain_number,
    is_wide,
    rank,
)

ADD, MUL = 40, 50  # sympy's precedences


def entry_latex(expression: Any, tex: Mapping[Any, str], taken: Taken = NONE_TAKEN) -> Printed:
    """LaTeX of an entry; `tex` is how the symbols of scalars are written, `taken` the signs that give way."""
    return _written(expression, tuple(tex.items()), taken)


@lru_cache(maxsize=2048)  # the variants of a question have the same formulas
def _written(expression: Any, tex: tuple[tuple[Any, str], ...], taken: Taken) -> Printed:
    settings = {"symbol_names": dict(tex), "inv_trig_style": "full", "fold_frac_powers": True}
    printer = _entry_printer()(settings)
    printer.signs, printer.notes, printer.taken = set(), {}, taken
    text: Printed = printer._print(expression)
    return text


@cache
def extreme_of(name: str) -> Any:
    """max or min of a term over labels, as sympy's Sum is the sum; the last label stands first."""
    from sympy.concrete.expr_with_limits import ExprWithLimits

    traits = {"is_commutative": True, "is_real": True, "gate": name}
    return type(name, (ExprWithLimits,), traits)


@cache
def _entry_printer() -> Any:
    methods: dict[str, Callable[..., str]] = {
        "_print_Mul": _product,
        "_print_Add": _sum,
        "_print_Pow": _power,
        "_print_Sum": lambda p, e: _limited(p, r"\sum", e.function, e.limits),
        "_print_Product": _product_of_all,
        "_print_max": _extreme,
        "_print_min": _extreme,
        "_print_KroneckerDelta": _delta,
        "_print_ExpBase": _exponential,
        "_print_Exp1": lambda p, e: r"\exp\left(1\right)" if "e" in p.taken else "e",
        "_print_UnevaluatedExpr": lambda p, e: p._print(e.args[0]),
        "parenthesize": _parenthesize,
        "_add_parens": lambda p, text: bracketed(text),
        "_print": _noted,
    }
    return type("EntryPrinter", (printer(),), methods)


def _noted(p: Any, e: Any, **kwargs: Any) -> Printed:
    """An expression as it is printed, with what its parts hold: sympy's own methods drop that.

    Of a gate's arguments the gate tells what it keeps.
    """
    (signs, notes), (p.signs, p.notes) = (p.signs, p.notes), (set(), {})
    text = super(type(p), p)._print(e, **kwargs)
    if not isinstance(text, Printed):
        text = _told_of(e, text)
    if not (getattr(e, "is_Function", False) and hasattr(e, "gate")):
        text = text.holding(frozenset(p.signs), tuple(p.notes))
    p.signs, p.notes = signs | text.signs, notes | dict.fromkeys(text.notes)
    return text


def _told_of(e: Any, text: str) -> Printed:
    """What sympy has printed, with how it begins."""
    import sympy

    if not isinstance(e, sympy.Expr) or e.has(sympy.Symbol, sympy.Function):
        if isinstance(e, sympy.Pow) and e.base.is_Number and e.base.is_positive:
            return _told_of(e.base, text)
        return Printed(text)
    start, last, signs = literal(text)  # a number
    return Printed(text, ATOM, start, last, signs)


def _product(p: Any, e: Any) -> str:
    """2/3 ∂f/∂q a_i (b_i + c_i) / (3 d_i) Σ_k ..."""
    import sympy

    factors = sympy.Mul.make_args(e)
    if all(map(is_plain_number, factors)):
        return str(super(type(p), p)._print_Mul(e))
    number = sympy.Mul(*filter(is_coefficient, factors))
    sign = "-" if number.could_extract_minus_sign() else ""
    number = -number if sign else number
    above: list[Any] = []
    below: list[Any] = []
    for f in sorted((f for f in factors if not is_coefficient(f)), key=rank):
        inverse = f.is_Pow and is_plain_number(f.exp) and bool(f.exp < 0)
        (below if inverse else above).append(1 / f if inverse else f)
    front = [p._print(f) for f in above if rank(f)[0] <= 1]
    rest = by_labels([f for f in above if rank(f)[0] > 1])
    if below:
        numerator, denominator = number.as_numer_denom()
        top = _row(p, numerator, [f for f in rest if not is_wide(f)])
        front.append(fraction(top or "1", _row(p, denominator, below)))
        rest = [f for f in rest if is_wide(f)]
    elif number != 1:
        front.insert(0, _number(p, number))
    alone = len(rest) == 1 and (sign or front)
    tail = p.parenthesize(rest[0], MUL) if alone else _row(p, sympy.Integer(1), rest)
    tail = _behind(tail) if front else tail
    return put(sign, joined(" ", [*front, *([tail] if tail else [])]))


def _behind(factor: Printed) -> Printed:
    """A factor behind another one, which it could be taken for a part of."""
    if factor.start.first is First.DIGIT:
        return put(r"\cdot ", factor)
    return put(r"\, ", factor) if factor.start.first is First.TRUTH else factor


def _number(p: Any, number: Any) -> Printed:
    """A number in front of something: 1 + π² in brackets."""
    return p.parenthesize(number, MUL) if number.is_Add else p._print(number)


def _row(p: Any, number: Any, factors: Sequence[Any]) -> Printed:
    """A number and factors side by side."""
    if number == 1 and len(factors) == 1:
        return p._print(factors[0])
    texts = [] if number == 1 else [_number(p, number) if factors else p._print(number)]
    for f in factors:
        text = p.parenthesize(f, MUL)
        is_open = goes_on(f) and f is not factors[-1] and text.start.first is not First.BRACKET
        text = _behind(text) if texts else text
        texts.append(bracketed(text) if is_open else text)
    return joined(" ", texts)


def _power(p: Any, e: Any) -> str:
    """A power of 0.5 is a root."""
    import sympy

    root = e.base ** sympy.Rational(e.exp) if e.exp in (0.5, -0.5) else e
    return str(super(type(p), p)._print_Pow(root))


def _sum(p: Any, e: Any, order: Any = None) -> str:
    """Terms with a minus sign last; 1 + x and x - 1, but i + 1, i - k + 1 and 4 - i in a label."""
    import sympy

    positions = {a: sympy.Integer(0) for a in e.atoms(sympy.Function) if hasattr(a, "size")}
    labels = e.xreplace(positions)
    is_label = not labels.has(sympy.Function) and all(s.is_integer for s in labels.free_symbols)
    if is_label and e.has(sympy.UnevaluatedExpr) and len(labels.free_symbols) == 1:
        return str(p._print(e.doit().expand()))  # 2 i - 1, not 2 (i - 1) + 1
    is_plain = not any(t.has(sympy.Function, sympy.exp) for t in sympy.Add.make_args(e))
    rises = is_label and not all(
        t.is_number or t.could_extract_minus_sign() for t in sympy.Add.make_args(e)
    )

    def key(t: Any) -> tuple[Any, ...]:
        minus = bool(t.could_extract_minus_sign())
        behind = minus or rises or (is_plain and t.is_number and abs(t) != 1)
        late = is_plain_number(t) == bool(behind)
        has_bracket = any(f.is_Add for f in sympy.Mul.make_args(t))
        last = rises and t.is_number
        return last, minus, late, is_wide(t), first_name(t), has_bracket, str(t)

    texts: list[str] = []
    terms = sorted(sympy.Add.make_args(e), key=key)
    for i, term in enumerate(terms):
        minus = bool(term.could_extract_minus_sign())
        bare = -term if minus else term
        one = p.parenthesize(bare, ADD)
        if has_extreme(bare) and i < len(terms) - 1:
            one = bracketed(one)
        elif _goes_on(bare, terms[i + 1 :]):
            one = _with_sum_in_brackets(p, bare)
        texts += [("-" if minus else "") if i == 0 else (" - " if minus else " + "), one]
    return put(*texts)


def _goes_on(term: Any, rest: Sequence[Any]) -> bool:
    """Whether a term ends with a Σ that what follows would seem to belong to: of entries of the same name."""
    import sympy

    sums = [f for f in sympy.Mul.make_args(term) if isinstance(f, sympy.Sum)]
    if len(sums) != 1:
        return False
    own, behind = ({type(f) for e in es for f in e.atoms(sympy.Function)} for es in (sums, rest))
    return any(hasattr(kind, "is_name_entry") for kind in own & behind)


def _with_sum_in_brackets(p: Any, term: Any) -> Printed:
    """p_i (Σ_k y_k), of a product that ends with a sum."""
    import sympy

    factors = sympy.Mul.make_args(term)
    whole = next(f for f in factors if isinstance(f, sympy.Sum))
    rest = [f for f in factors if f is not whole]
    before, text = sympy.Mul(*rest), bracketed(p._print(whole))
    if not rest:
        return text
    front = p._print(before) if before.is_Rational else p.parenthesize(before, MUL)
    return joined(" ", [front, text])


# ---------------------------------------------------------------- over labels


def _limited(p: Any, sign: str, term: Any, limits: Any) -> str:
    """Σ Σ term; what a label of the sum must fulfil stands below its sign: equations, and ranges of labels."""
    import sympy

    factors = sympy.Mul.make_args(term)
    told = _told(term, limits)
    conditions = [f for f in factors if (is_equation(f) or _is_of_labels(f)) and f.has(*told)]
    bound = [x for x in told if any(c.has(x) for c in conditions)]
    text = ""
    for label, first, end in reversed(limits):
        if label not in bound:
            text += rf"{sign}_{{{label}={p._print(first)}}}^{{{p._print(end)}}} "
    if bound:
        below = r",\,".join(str(x) for x in bound)
        told_of = [
            rf"{x} \ge {p._print(a)}" for x, a, _ in reversed(limits) if x in bound and a != 1
        ]
        fulfilled = r",\,".join([*told_of, *(_unbracketed(p, c) for c in conditions)])
        text += rf"{sign}_{{{below}\colon {fulfilled}}} "
    rest = sympy.Mul(*(f for f in factors if f not in conditions))
    return put(text, p.parenthesize(rest, ADD + 1))


def _is_of_labels(e: Any) -> bool:
    """Whether an expression is a bracket of labels alone, 𝟙[1 ≤ i - k + 1 ≤ 2]."""
    return form_of(e) in BRACKETS and not any(hasattr(x, "axes") for x in _parts(e))


def _unbracketed(p: Any, condition: Any) -> str:
    if is_equation(condition):
        return " = ".join(p._print(a) for a in condition.args)
    return str(p._print(condition)).removeprefix(r"𝟙\left[").removesuffix(r"\right]")


def _parts(e: Any) -> Any:
    import sympy

    return sympy.preorder_traversal(e)


def _told(term: Any, limits: Sequence[Any]) -> list[Any]:
    """The labels that are those of an entry in the term, which tells how far they run; the first stands outside."""
    ends = {
        (x, n)
        for e in _parts(term)
        if hasattr(e, "is_name_entry") or hasattr(e, "is_partial_entry")
        for x, n in zip(e.args, getattr(e, "axes", ()), strict=True)
    }
    return [x for x, _, end in reversed(limits) if (x, end) in ends]


def _left_out(term: Any, labels: Sequence[Any]) -> list[Any]:
    """The equations of labels for which a factor is 1; none where it is no product of all but one."""
    if form_of(term) is not Form.CHOICE or term.args[1] != 1:
        return []
    pairs, left = [], [term.args[0]]
    while left:
        condition = left.pop()
        if form_of(condition) is Form.AND:
            left += condition.args
        elif is_equation(condition) and condition.args[0] in labels:
            pairs.append(condition)
        else:
            return []
    return pairs


def _product_of_all(p: Any, e: Any) -> str:
    """The product of all; of all but one, where the term is 1 at the entry's own labels."""
    term = e.function
    labels = [limit[0] for limit in reversed(e.limits)]
    pairs = _left_out(term, labels)
    if not pairs:
        return _limited(p, r"\prod", term, e.limits)
    factor = term.args[2]
    told = _told(factor, e.limits)
    upto = [rf"{x} \le {p._print(end)}" for x, _, end in reversed(e.limits) if x not in told]
    own = [p._print(next(a for c in pairs if c.has(x) for a in c.args if a != x)) for x in labels]
    names = [str(x) for x in labels]
    if len(labels) > 1:
        own, names = [f"({', '.join(own)})"], [f"({', '.join(names)})"]
    below = rf"{names[0]} \ne {own[0]}"
    if upto:
        below = rf"{names[0]}\colon " + r",\,".join([*upto, below])
    return put(rf"\prod_{{{below}}} ", p.parenthesize(factor, MUL))


def _extreme(p: Any, e: Any) -> str:
    told = _told(e.function, e.limits)
    below = r",\,".join(
        str(x) if x in told and first == 1 else rf"{first} \le {x} \le {end}"
        for x, first, end in reversed(e.limits)
    )
    return put(rf"\{e.gate}_{{{below}}} ", p.parenthesize(e.function, MUL))


# ---------------------------------------------------------------- signs


def _exponential(p: Any, e: Any, exp: str | None = None) -> str:
    (power,) = e.args
    text = filled("{exp}{0}{end}", [p._print(power)], p.taken)
    return text if exp is None else put(bracketed(text), f"^{{{exp}}}")


def _delta(p: Any, e: Any, exp: str | None = None) -> str:
    labels = sorted((p._print(a) for a in e.args), key=lambda text: text.isdigit())
    if "delta" in p.taken:
        return put(r"𝟙\left[", joined(" = ", labels), r"\right]")
    comma = "" if all(len(t) == 1 for t in labels) else ", "
    return put(rf"\delta_{{{comma.join(labels)}}}")


def _parenthesize(p: Any, item: Any, level: int, *args: Any, **kwargs: Any) -> Printed:
    import sympy

    if isinstance(item, sympy.UnevaluatedExpr):
        item = item.args[0]
    if is_limited(item) and level <= MUL:
        return p._print(item)
    return super(type(p), p).parenthesize(item, level, *args, **kwargs)


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
            return put(rf"𝟙\left[{condition}\right]", f"^{{{exp}}}" if exp else "")

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
            return number_format.written_latex(float(e))

        def _as_ordered_terms(self, e: Any, order: Any = None) -> list[Any]:
            terms = super()._as_ordered_terms(e, order)
            return sorted(
                terms, key=lambda t: bool(t.could_extract_minus_sign())
            )  # y - x, not -x + y

    return ReportPrinter
