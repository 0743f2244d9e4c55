"""Entries as sympy holds them: a function of its labels with the name of its tensor, and positions in the data."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np

from report.autodiff.gates.entries import Labels, NoIndexForm
from report.autodiff.graph import Node
from report.autodiff.graph import constant as constant_node
from report.derivation.latex.printed import Printed, Sign, bracketed, put
from report.derivation.latex.symbols import tensor


def with_labels(name: Printed, labels: Iterable[str]) -> Printed:
    """The name with labels in its place: single letters side by side, others with commas.

    Numbers stay in square brackets where the place is `[@]`.
    """
    texts = list(labels)
    plain = name.replace("[@]", "@")
    if not texts:
        text = plain.replace("_{@}", "").replace(",@", "").replace("@", "")
    elif plain != name and all(t.isdecimal() for t in texts):
        text = name.replace("[@]", r"\left[" + r",\,".join(texts) + r"\right]")
    elif all(len(t) == 1 for t in texts):
        text = plain.replace("@", "".join(texts))
    else:
        text = plain.replace(",@", r";\,@").replace("@", ", ".join(texts))
    return Printed(text, name.binding, name.start, name.last, name.signs, name.notes)


@cache
def entry_symbol(kind: str) -> Any:
    """A symbol for a scalar, of which the printer knows its place among factors."""
    import sympy

    return type("Scalar", (sympy.Symbol,), {f"is_{kind}_entry": True})


@cache
def entry_function(name: Printed, order: int, is_first: bool, axes: tuple[int, ...]) -> Any:
    """A tensor as a function of the labels of its entries, of which each runs over one of `axes`.

    `order` is its place among factors.
    """
    import sympy

    class Named(sympy.Function):
        def _latex(self, printer: Any, exp: str | None = None) -> Printed:
            text = with_labels(name, [printer._print(a) for a in self.args])
            if exp is None:
                return text
            return put(bracketed(text) if Sign.FRACTION in text.signs else text, f"^{{{exp}}}")

    kind = "partial" if Sign.PARTIAL in name.signs else "first" if is_first else "name"
    traits = {"is_real": True, "is_number": False, f"is_{kind}_entry": True, "axes": axes}
    return type(f"e{order:03d}", (Named,), traits)


def varying(value: Any, ix: Labels) -> tuple[Any, Labels]:
    """An array without the axes along which all entries are the same, and the labels of the others."""
    own: list[Any] = []
    for label in ix:
        first = value.take([0], axis=len(own))
        if np.all(value == first):
            value = value.take(0, axis=len(own))
        else:
            own.append(label)
    return value, tuple(own)


def picked(w: Any, index: Node, ix: Labels, n: int, start: int) -> Any:
    """A position that the data count from `start` as a label of an axis of n entries, which counts from 1.

    Position i of E is the row with the label i + 1 where they start at 0.
    """
    import sympy

    if index.is_constant:
        places = (np.asarray(index.value) - start) % n + 1
        value, own = varying(places, ix)
        if value.ndim == 1 and np.array_equal(value, np.arange(1, value.size + 1)):
            return own[0]
        if value.ndim > 1:
            table = put(tensor(value), "_{@}")
            return w.named(constant_node(value), table, own)
        return w.entry(constant_node(places), ix)
    return _position(n)(w.entry(index, ix)) + sympy.Integer(1 - start)


def is_position(e: Any) -> bool:
    """Whether an expression is a position that is a number of the data."""
    return hasattr(e, "size")


def is_place(e: Any) -> bool:
    """Whether an expression is such a position, as a label that counts from 1."""
    return is_position(e) or is_position(e - 1)


@cache
def _position(n: int) -> Any:
    import sympy

    class Position(sympy.Function):
        def _latex(self, printer: Any, exp: str | None = None) -> str:
            return str(printer._print(self.args[0]))

    return type("position", (Position,), {"is_integer": True, "size": n})


# ---------------------------------------------------------------- letters for labels


Used = frozenset[str]


def lettered(
    e: Any,
    used: Used,
    letters: str,
    around: Used | None = None,
    known: dict[Any, tuple[Any, Used]] | None = None,
    kept: dict[Any, str] | None = None,
) -> tuple[Any, Used]:
    """An expression with letters for the labels of its sums, and all letters that are in use in it.

    A sum that stands in it again has the letters that it has already, where none is in use `around` it.
    In `kept` are letters that labels had in a form before, which they keep; those of new ones are put in.
    """
    import sympy
    from sympy.concrete.expr_with_limits import ExprWithLimits

    around = used if around is None else around
    known = {} if known is None else known
    kept = {} if kept is None else kept
    if isinstance(e, ExprWithLimits):
        if e in known and not known[e][1] & around:
            return known[e][0], used | known[e][1]
        before = used
        new: dict[Any, Any] = {}
        for limit in reversed(e.limits):
            told = kept.get(limit[0], "")
            letter = next((c for c in (told, *letters) if c and c not in used), None)
            if letter is None:
                raise NoIndexForm
            kept[limit[0]] = letter
            new[limit[0]] = sympy.Symbol(letter, integer=True)
            used |= {letter}
        within = around | (used - before)
        function, inner = lettered(e.function.xreplace(new), used, letters, within, known, kept)
        limits = [(new[d], *(end.xreplace(new) for end in ends)) for d, *ends in e.limits]
        known[e] = e.func(function, *limits), (used | inner) - before
        return known[e][0], used | inner
    if not e.args or not e.has(ExprWithLimits):
        return e, used
    parts, all_used = [], used
    for arg in e.args:
        part, more = lettered(arg, used if e.is_Add else all_used, letters, around, known, kept)
        parts.append(part)
        all_used |= more
    return e.func(*parts), all_used
