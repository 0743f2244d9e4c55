r"""Printed formulas with a sign, a transpose, an index, an axis changed: reading back must find it.

    python -m benchmarks.misprints [COUNT] [SEED]

Changes are drawn from all formulas of the problem files: forward rows, what flows back, closed forms, forms
in entries. One that is not found is told, with whether it is found at other inputs (then it is equal at
these only) or never (then it says the same, as X ⊙ Y does for Y ⊙ X).
"""

import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from report import ReportError, trace
from report.autodiff.trace import Trace
from report.derivation import Derivation, derive
from report.derivation.elements import Equation
from report.homework.homework import read_homework
from report.homework.traces import traces_of
from report.homework.variants import draw
from report.readback import read_back

RULES = [
    ("sign", r" \+ ", " - "),
    ("sign", r" - ", " + "),
    ("sign", r"^-", ""),
    ("transpose", r"\^\{\\top\}", ""),
    ("transpose", r"\\mathbf\{W\}(?!\^)", r"\\mathbf{W}^{\\top}"),
    ("product", r"\\odot", "+"),
    ("index", r"(?<=_\{)ij(?=\})", "ji"),
    ("index", r"(?<=_\{)i(?=\})", "j"),
    ("index", r"(?<=_\{)k(?=\})", "1"),
    ("index", r"(?<=_\{)1(?=\})", "2"),
    ("axis", r"\\text\{rows\}", r"\\text{columns}"),
    ("axis", r"\\text\{columns\}", r"\\text{rows}"),
    ("power", r"\^\{2\}", "^{3}"),
    ("number", r"\\frac\{1\}\{2\}", r"\\frac{1}{3}"),
    ("function", r"\\sin", r"\\cos"),
    ("function", r"\\tanh", r"\\sin"),
    ("function", r"\\log", r"\\exp"),
]
Mutant = tuple[str, str, Derivation]  # the kind, the changed formula, and the derivation with it


def changes(text: str) -> Iterator[tuple[str, Any]]:
    """The formulas that a formula becomes with one thing changed, and what kind of thing."""
    for kind, pattern, instead in RULES:
        for place in re.finditer(pattern, text):
            changed = text[: place.start()] + place.expand(instead) + text[place.end() :]
            if changed != text:
                yield kind, changed


def _of_equation(e: Equation | None) -> Iterator[tuple[str, str, Equation]]:
    for kind, text in changes(e.symbols[0]) if e is not None else ():
        assert e is not None
        yield kind, text, replace(e, symbols=(text,))


def mutants(d: Derivation) -> Iterator[Mutant]:
    """The derivation with one formula changed, for each change of each formula, and without the other formulas."""
    alone = replace(d, formula=(), forward=(), backward=(), gradients=())
    for row in d.forward:
        for kind, text in changes(row.symbols):
            yield kind, text, replace(alone, forward=(replace(row, symbols=text),))
    for step in d.backward:
        for branch in step.branches:
            bare = replace(branch, local=None, derived=(), summed=None, together=None, total=None)
            made = [(k, t, replace(bare, entries=e)) for k, t, e in _of_equation(branch.entries)]
            made += [
                (kind, text, replace(bare, symbols=(text,), chain=(), entries=None))
                for kind, text in changes(branch.symbols[0] if branch.symbols else "")
            ]
            for kind, text, one in made:
                new = replace(step, branches=(one,), entry=None)
                yield kind, text, replace(alone, backward=(new,))
    for g in d.gradients:
        wrong = [(k, t, replace(g, closed=t, entry=None)) for k, t in changes(g.closed or "")]
        wrong += [(k, t, replace(g, entry=e, closed=None)) for k, t, e in _of_equation(g.entry)]
        for kind, text, bad in wrong:
            yield kind, text, replace(alone, gradients=(bad,))


def is_found(found: Trace, mutant: Derivation) -> bool:
    """Whether reading back finds that a formula is wrong, or that it is none."""
    read = read_back(found, mutant)
    return bool(read.failures or read.unreadable)


def drawn(traces: Sequence[Trace], count: int, seed: int) -> list[tuple[Trace, Mutant]]:
    """Some changes of the formulas of some traces, the same ones for the same seed."""
    chosen = [(found, mutant) for found in traces for mutant in mutants(derive(found))]
    random.Random(seed).shuffle(chosen)
    return chosen[:count]


def elsewhere(found: Trace, text: str) -> bool | None:
    """Whether a change is found at other inputs; None where the function has no such formula there."""
    rng = np.random.default_rng(1)
    inputs = {
        q.name: q.value
        if q.node.name in found.graph.integers
        else np.asarray(q.value) + 0.1 * rng.normal(size=np.shape(q.value))
        for q in found.inputs
    }
    try:
        other = trace(found.function, inputs, found.wrt)
    except ReportError:
        return None
    return next((is_found(other, m) for _, t, m in mutants(derive(other)) if t == text), None)


def problems() -> list[Trace]:
    """The traces of all problem files."""
    files = [p for p in sorted(Path("problems").glob("*.toml")) if p.name != "class.toml"]
    return [t for p in files for t in traces_of(draw(read_homework(p), None)).values()]


def main(count: int, seed: int) -> None:
    missed: dict[str, int] = {}
    chosen = drawn(problems(), count, seed)
    for found, (kind, text, mutant) in chosen:
        if is_found(found, mutant):
            continue
        why = {True: "equal at these inputs", False: "equal", None: "equal, or not tried"}
        said = why[elsewhere(found, text)]
        missed[said] = missed.get(said, 0) + 1
        print(f"{kind} in {found.function!r}: {text} ({said})", flush=True)
    right = missed.get("equal", 0)  # no change at all
    found_ones, wrong = len(chosen) - sum(missed.values()), len(chosen) - right
    print(
        f"{len(chosen)} changes: {found_ones} found, {found_ones / wrong:.1%} of those that change"
    )
    print(f"not found: {missed}")


if __name__ == "__main__":
    main(*(int(a) for a in (*sys.argv[1:], *("500", "0")[len(sys.argv) - 1 :])))
