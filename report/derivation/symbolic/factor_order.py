"""In which order factors and terms stand: numbers first, then derivatives, names as they are named, sums last."""

from __future__ import annotations

from functools import cache
from typing import Any

from report.autodiff.form import Form
from report.autodiff.gates import GATES, SUM
from report.derivation.latex.letters import LETTERS

BRACKETS = frozenset({Form.COMPARISON, Form.BRACKET})


def first_name(e: Any) -> int:
    """The place of the first name in an expression, in which names are e000, e001, ... or v0000, ..."""
    import sympy

    symbols = (s.name for s in e.atoms(sympy.Symbol))
    entries = (type(f).__name__ for f in e.atoms(sympy.Function))
    names = (n for n in (*symbols, *entries) if n[0] in "ev" and n[1:].isdigit())
    return min((int(n[1:]) for n in names), default=999)


def form_of(e: Any) -> Form | None:
    """What a function of entries that is a gate is written as."""
    name = getattr(e, "gate", None)
    return None if name is None else GATES[name].form


def is_equation(e: Any) -> bool:
    """Whether an expression is 𝟙[a = b]."""
    return form_of(e) is Form.COMPARISON and GATES[e.gate].sign == "="


def is_limited(e: Any) -> bool:
    """Whether an expression is a sum, a product or an extreme over labels."""
    from sympy.concrete.expr_with_limits import ExprWithLimits

    return isinstance(e, ExprWithLimits)


def is_plain_number(e: Any) -> bool:
    """Whether an expression holds no entry: sympy takes a sum whose labels are all bound for a number."""
    from sympy.concrete.expr_with_limits import ExprWithLimits

    return bool(e.is_number) and not e.has(ExprWithLimits)


def is_coefficient(e: Any) -> bool:
    """Whether a number stands in front; log 2 does not."""
    import sympy

    return is_plain_number(e) and not e.has(sympy.log)


def is_wide(e: Any) -> bool:
    """Whether an expression ends with a sum, which what follows would seem to belong to."""
    return is_limited(e) or (e.is_Mul and any(is_limited(a) for a in e.args))


def goes_on(e: Any) -> bool:
    """Whether what follows an expression would seem to belong to it: a sum, log σ(x)."""
    name = getattr(e, "gate", None)
    return is_wide(e) or (name in GATES and GATES[name].binding == SUM)


def has_extreme(e: Any) -> bool:
    """Whether an expression ends with a max or min, whose term could go on; a Σ ends at a + or -."""
    return any(
        hasattr(a, "limits") and hasattr(a, "gate") for a in (e, *(e.args if e.is_Mul else ()))
    )


def by_labels(factors: list[Any]) -> list[Any]:
    """Factors of entry (i, j) of an outer product, a_i (1 - a_i) x_j: those of i before those of j."""
    labels = [{s.name for s in f.free_symbols if s.is_integer} for f in factors]
    if any(len(own) != 1 for own in labels) or any(is_wide(f) for f in factors):
        return factors
    order = LETTERS.index
    places = [min(map(order, own)) for own in labels]
    return [f for _, f in sorted(zip(places, factors, strict=True), key=lambda pair: pair[0])]


def rank(e: Any) -> tuple[int, bool, bool, int, str]:
    """Where a factor stands: constants, derivatives, names, functions, brackets, sums, logarithms, and what is wide."""
    import sympy

    is_power = e.is_Pow and e.base.is_number and not e.base.has(sympy.log)  # 2^x
    base = e.base if e.is_Pow and not is_power else e
    form = form_of(base)
    groups = [
        hasattr(base, "is_number_entry"),
        hasattr(base, "is_partial_entry"),
        is_power,
        hasattr(base, "is_first_entry"),
        base.is_Symbol or hasattr(base, "is_name_entry"),
        bool(base.args) and not (base.is_Add or form in _LATE or isinstance(base, _late_types())),
        isinstance(base, sympy.KroneckerDelta) or form in BRACKETS,
        base.is_Add or isinstance(base, sympy.UnevaluatedExpr),
        isinstance(base, sympy.log),
        form is Form.CHOICE or isinstance(base, sympy.Piecewise),
        is_limited(base) and not isinstance(base, sympy.Sum),
        True,
    ]
    return (
        groups.index(True),
        not base.is_Symbol
        and hasattr(base, "is_name_entry"),  # a scalar stands before the entries of tensors: α w_i
        e.is_Pow and not e.exp.is_number,
        first_name(e),
        _reading(e),
    )


def _reading(e: Any) -> str:
    """What decides between factors that are alike: sin before cos, δ_i before δ_j, then the alphabet."""
    import sympy

    if form_of(e) in BRACKETS and e.args[0].is_Symbol:
        return str(e.args[0])
    if isinstance(e, sympy.KroneckerDelta):
        return min((str(a) for a in e.args if not a.is_Integer), default="")
    return str(e).replace("sin(", "bsin(")


_LATE = BRACKETS | {Form.CHOICE}


@cache
def _late_types() -> tuple[Any, ...]:
    import sympy
    from sympy.concrete.expr_with_limits import ExprWithLimits

    wide = (sympy.Piecewise, ExprWithLimits)
    return (sympy.KroneckerDelta, sympy.UnevaluatedExpr, sympy.log, *wide)
