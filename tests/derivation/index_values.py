"""Numbers of an index form: its sums, brackets and names, read term by term at one entry."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import sympy
from sympy.concrete.expr_with_limits import ExprWithLimits

from report.autodiff.gates import GATES
from report.autodiff.graph import Array, Node, evaluate
from report.derivation.index_form.walk import IndexForm


def entries(entry: IndexForm, node: Node, known: Mapping[Node, Array]) -> Array:
    """What an index form says of every entry of `node`; `known` are the numbers of inputs."""
    found = np.full(node.shape, np.nan)
    tensors = {name: evaluate([n], dict(known))[n] for name, n in entry.nodes.items()}
    for at, where in entry_places(entry, node):
        assert np.isnan(found[where])  # each entry is told once
        found[where] = _value(entry.expression, at, tensors)
    assert not np.isnan(found).any()  # and none is left out
    return found


def entry_places(entry: IndexForm, node: Node) -> Iterator[tuple[dict[Any, int], tuple[int, ...]]]:
    """Each choice of labels, and the place of the entry that it means."""
    for place in itertools.product(*(range(1, n + 1) for n in entry.ranges.values())):
        at = dict(zip(entry.ranges, place, strict=True))
        where = tuple(round(_value(sympy.sympify(x), at, {})) for x in entry.labels)
        yield at, tuple(0 if n == 1 else w - 1 for w, n in zip(where, node.shape, strict=True))


def _value(e: Any, at: Mapping[Any, int], tensors: Mapping[str, Array]) -> float:
    name = type(e).__name__
    if e in at:
        return at[e]
    if isinstance(e, ExprWithLimits):
        return _over(e, at, tensors)
    if e.is_Mul:
        return _product(e.args, at, tensors)
    if isinstance(e, sympy.Piecewise):
        chosen = next(part for part, condition in e.args if _holds(condition, at, tensors))
        return _value(chosen, at, tensors)
    if e.is_Symbol:
        return float(np.asarray(tensors[e.name]).item())
    if e.is_Number or not e.args:
        return float(e)
    args = [_value(a, at, tensors) for a in e.args]
    if name in tensors:
        return _entry(tensors[name], [round(a) for a in args])
    return _called(e, name, args)


def _called(e: Any, name: str, args: list[float]) -> float:
    """A function of numbers."""
    if isinstance(e, sympy.KroneckerDelta):
        return float(args[0] == args[1])
    if isinstance(e, sympy.UnevaluatedExpr):
        return args[0]
    if e.is_Add:
        return math.fsum(args)
    if name == "position":
        return args[0] % e.size
    if name.startswith("f_"):
        return float(GATES[e.gate].forward(*map(np.float64, args), **e.params))
    return float(e.func(*(sympy.Float(a, 17) for a in args)))


def _product(factors: Any, at: Mapping[Any, int], tensors: Mapping[str, Array]) -> float:
    """Brackets first: where one is 0, the entry beside it need not exist."""
    result = 1.0

    def key(f: Any) -> tuple[bool, bool]:
        is_bracket = getattr(f, "gate", "") in _BRACKETS or isinstance(f, sympy.KroneckerDelta)
        return not is_bracket, any(type(e).__name__ in tensors for e in sympy.preorder_traversal(f))

    for f in sorted(factors, key=key):
        result *= _value(f, at, tensors)
        if result == 0:
            return 0.0
    return result


_BRACKETS = {"equal", "less_equal", "greater_equal", "within"}


def _over(e: Any, at: Mapping[Any, int], tensors: Mapping[str, Array]) -> float:
    """A sum, product, max or min over labels, the last of its limits outside."""
    (label, first, last), rest = e.limits[-1], e.limits[:-1]
    terms = []
    for n in range(round(_value(first, at, tensors)), round(_value(last, at, tensors)) + 1):
        inside = {**at, label: n}
        inner = e.func(e.function, *rest) if rest else e.function
        terms.append(_value(inner, inside, tensors))
    combine: dict[str, Callable[[list[float]], float]] = {
        "Sum": math.fsum,
        "Product": math.prod,
        "max": max,
        "min": min,
    }
    return float(combine[type(e).__name__](terms))


def _holds(condition: Any, at: Mapping[Any, int], tensors: Mapping[str, Array]) -> bool:
    if condition in (sympy.true, sympy.false):
        return bool(condition)
    if isinstance(condition, (sympy.And, sympy.Or)):
        found = [_holds(c, at, tensors) for c in condition.args]
        return all(found) if isinstance(condition, sympy.And) else any(found)
    left, right = (_value(a, at, tensors) for a in condition.args)
    return bool(type(condition)(sympy.Float(left, 17), sympy.Float(right, 17)))


def _entry(tensor: Array, labels: list[int]) -> float:
    """The entry at labels, which count from 1; axes of length 1 have none."""
    array = np.squeeze(tensor)
    assert array.ndim == len(labels)
    assert all(1 <= label <= n for label, n in zip(labels, array.shape, strict=True))
    return float(array[tuple(label - 1 for label in labels)])
