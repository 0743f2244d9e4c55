"""A local derivative that is told case by case, of an entry by the same entry and by another one, as a name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from report.autodiff.parser.latex.names import normal
from report.autodiff.parser.latex.printed import PrintedNames, derivative
from report.derivation.elements import Equation
from report.derivation.latex.letters import LETTERS


def with_cases(names: PrintedNames, told: Sequence[Equation], letter: str) -> PrintedNames:
    """The names, and ∂p_k/∂z_i with the labels of both, where equations tell it for some labels `only`.

    `letter` is the name of the function. What no equation tells is 0. ReportError for what cannot be read.
    """
    if not any(e.only for e in told):
        return names
    known = names.copy()
    for e in told:
        local = known.formula(e.left)
        upstream, by = local.upstream(letter), local.by
        of, own = upstream.labels(LETTERS)[0], by.labels(LETTERS)[0]
        every = {**of, **own}
        numbers = known.formula(e.symbols[-1]).at_once(every)
        if numbers is None:
            continue
        label = derivative(upstream.label.removeprefix(derivative(normal(letter), "")), by.label)
        if label in known.values:
            found = known.values[label].copy()
        else:
            found = np.zeros((*of.values(), *own.values()), dtype=numbers.dtype)
        at = dict(zip(every, np.indices(numbers.shape), strict=True))
        alike = [at[a] == at[b] for a, b in zip(own, of, strict=True)]
        here = ~np.logical_and.reduce(alike) if e.only else np.ones(numbers.shape, dtype=bool)
        found[tuple(at[x][here] for x in (*of, *own))] = numbers[here]
        known.add(label, found)
    return known
