"""Terms that differ only in numbers taken together, as in the convolution Σ_a Σ_b K_ab g_{i-a+1, j-b+1}.

Where a term stands for each place (a, b) of a grid, and its labels grow by the same amount from place to
place, one term with labels says all: a sum over a and b or, of terms δ_ia δ_jb E(a, b), E(i, j). What is
found is put back: the numbers in it must give each term again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from report.autodiff.gates import GATES

Place = tuple[int, ...]
Terms = dict[Place, Any]
MIN_TERMS = 3  # that a sum sign is worth
BRACKETS = "≤≥"  # signs of comparisons that bound a label


def gathered(walk: Any, e: Any) -> Any:
    """An entry with the terms of its sums taken together, as far as they are alike."""
    import sympy

    if not e.args or not e.has(sympy.Add):
        return e
    if not e.is_Add:
        parts = [gathered(walk, a) if isinstance(a, sympy.Expr) else a for a in e.args]
        return e if parts == list(e.args) else e.func(*parts)
    terms = [_evened(walk, gathered(walk, t)) for t in e.args]
    return _by_deltas(walk, terms) or _by_entries(walk, terms) or e


def _by_deltas(walk: Any, terms: Sequence[Any]) -> Any:
    """Σ_ab δ_ia δ_jb E(a, b) = E(i, j)."""
    import sympy

    found: Terms = {}
    labels: tuple[Any, ...] = ()
    for term in terms:
        factors = sympy.Mul.make_args(term)
        deltas = dict(map(_place_of, filter(_is_delta, factors)))
        own = tuple(sorted(deltas, key=str))
        if not own or (labels and own != labels) or any(x not in walk.sizes for x in own):
            return None
        labels = own
        rest = sympy.Mul(*(f for f in factors if not _is_delta(f)))
        found[tuple(deltas[x] for x in own)] = rest
    sizes = [walk.sizes[x] for x in labels]
    if len(found) != len(terms) or not _is_grid(found, sizes):
        return None
    return _one_term(walk, found, labels)


def _is_delta(e: Any) -> bool:
    import sympy

    return isinstance(e, sympy.KroneckerDelta) and any(a.is_Integer for a in e.args)


def _place_of(delta: Any) -> tuple[Any, int]:
    """The label of δ_ia and the number a."""
    label, at = sorted(delta.args, key=lambda x: bool(x.is_Integer))
    return label, int(at)


def _by_entries(walk: Any, terms: Sequence[Any]) -> Any:
    """K_11 E(1, 1) + K_12 E(1, 2) + ... = Σ_a Σ_b K_ab E(a, b), over all entries of K."""
    import sympy

    if len(terms) < MIN_TERMS:
        return None
    for entry in sympy.Mul.make_args(terms[0]):
        node = walk.nodes.get(type(entry).__name__)
        found: Terms = {}
        for term in terms:
            alike: list[Any] = [
                f for f in sympy.Mul.make_args(term) if _is_entry_at_numbers(f, entry.func)
            ]
            if len(alike) == 1:
                found[tuple(int(a) for a in alike[0].args)] = term
        sizes = [n for n in node.shape if n != 1] if node is not None else []
        if len(found) != len(terms) or not _is_grid(found, sizes):
            continue
        labels = tuple(walk.fresh(n) for n in sizes)
        term = _one_term(walk, found, labels)
        if term is not None:
            return walk.sum(term, *labels)
    return None


def _is_entry_at_numbers(e: Any, kind: Any) -> bool:
    return e.func is kind and bool(e.args) and all(a.is_Integer for a in e.args)


def _is_grid(found: Terms, sizes: Sequence[int]) -> bool:
    return len(found) == prod(sizes) and bool(sizes) and set(found) == set(_places(sizes))


def _places(sizes: Sequence[int]) -> list[Place]:
    return list(product(*(range(1, n + 1) for n in sizes)))


# ---------------------------------------------------------------- one term for all


def _one_term(walk: Any, found: Terms, labels: Sequence[Any]) -> Any:
    """The term with labels that is each of those found; None where there is none."""
    import sympy

    places = sorted(found)
    bound: dict[Any, Any] = {}
    for place in places[1:]:  # labels that sums run over have other names in each term
        ours, theirs = (_dummies(found[p]) for p in (places[0], place))
        if len(ours) != len(theirs):
            return None
        bound |= dict(zip(theirs, ours, strict=True))
    terms = {p: t.xreplace(bound) for p, t in found.items()}
    term = _general([terms[p] for p in places], places, labels)
    if term is None:
        return None
    numbers = ({x: sympy.Integer(n) for x, n in zip(labels, p, strict=True)} for p in places)
    is_each = all(
        _plain(term.xreplace(at)) == _plain(terms[p]) for p, at in zip(places, numbers, strict=True)
    )
    return term if is_each else None


def _dummies(e: Any) -> list[Any]:
    """The labels of the sums in an expression, in their order."""
    import sympy
    from sympy.concrete.expr_with_limits import ExprWithLimits

    parts: Any = sympy.preorder_traversal(e)
    return [limit[0] for x in parts if isinstance(x, ExprWithLimits) for limit in x.limits]


def _plain(e: Any) -> Any:
    """The same with labels such as 1 + (i - 1) added up."""
    import sympy

    return e.replace(lambda x: isinstance(x, sympy.UnevaluatedExpr), lambda x: x.args[0]).doit(
        deep=False
    )


def _general(all_of: list[Any], places: list[Place], labels: Sequence[Any]) -> Any:
    """An expression that is each of these at its place."""
    first = all_of[0]
    if all(e == first for e in all_of):
        return first
    steps = [e - first for e in all_of] if hasattr(first, "is_Integer") else []
    if steps and all(getattr(s, "is_Integer", False) for s in steps):
        return _line(first, dict(zip(places, steps, strict=True)), labels)
    if any(type(e) is not type(first) or len(e.args) != len(first.args) for e in all_of):
        return None
    parts = []
    for same_place in zip(*map(_ordered, all_of), strict=True):
        part = _general(list(same_place), places, labels)
        if part is None:
            return None
        parts.append(part)
    return first.func(*parts) if parts else None


def _ordered(e: Any) -> list[Any]:
    """The arguments; factors and terms by what they are and by their labels, since numbers differ."""
    if not (e.is_Mul or e.is_Add):
        return list(e.args)
    return sorted(e.args, key=lambda a: (type(a).__name__, sorted(map(str, a.free_symbols))))


def _line(first: Any, steps: Mapping[Place, Any], labels: Sequence[Any]) -> Any:
    """first + c (a - 1) + d (b - 1), which is `steps` more at each place; None where they are not even."""
    ones = (1,) * len(labels)
    slopes = []
    for k in range(len(labels)):
        two = tuple(2 if i == k else 1 for i in range(len(labels)))
        slopes.append(steps.get(two, 0))
    line = first + sum(c * (x - 1) for c, x in zip(slopes, labels, strict=True))
    for place, step in steps.items():
        if step != sum(c * (n - m) for c, n, m in zip(slopes, place, ones, strict=True)):
            return None
    return line


# ---------------------------------------------------------------- brackets


def _evened(walk: Any, term: Any) -> Any:
    """A term whose brackets 𝟙[i ≤ 2] and 𝟙[i ≥ 2] of an axis of 3 are 𝟙[1 ≤ i ≤ 2] and 𝟙[2 ≤ i ≤ 3]."""
    import sympy

    def even(f: Any) -> Any:
        gate = GATES.get(getattr(f, "gate", ""))
        if gate is None or gate.sign not in BRACKETS:
            return f
        if f.args[0] not in walk.sizes or not f.args[1].is_Integer:
            return f
        label, end = f.args
        first, last = (1, end) if gate.sign == "≤" else (end, walk.sizes[label])
        return walk.call("within")(label - first + 1, sympy.Integer(1), last - first + 1)

    return sympy.Mul(*map(even, sympy.Mul.make_args(term)))
