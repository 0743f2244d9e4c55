"""The signs of a derivation that a reader may not know, each with what it means, and no others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from report.autodiff.form import Form
from report.autodiff.graph import Node
from report.autodiff.trace import Trace
from report.derivation.elements import Derivation, Equation, Part
from report.derivation.latex import Printed, Taken
from report.derivation.latex.printed import Sign, bracketed, put
from report.derivation.latex.symbols import identity, unit_vector
from report.derivation.quantity_names import Notation

_BRACKET = r"$𝟙\left[\cdot\right]$ is 1 where the condition holds and 0 elsewhere."
_BRACKET_AT_A_TIE = _BRACKET[:-1] + "; but at a tie in a max or min each gets its share."


def _sentences(taken: Taken) -> Iterator[tuple[Sign, str]]:
    """What is said of a sign, in the order in which it is said."""
    yield Sign.TIMES_BY_ENTRIES, r"$\odot$ multiplies entry by entry."
    yield Sign.POWER_BY_ENTRIES, r"$\mathbf{A}^{\odot n}$ is the power of each entry."
    yield Sign.ROW, r"Vectors are columns, and $\mathbf{x}^{\top}$ is a row."
    yield Sign.TRUTH, _BRACKET
    yield Sign.ONES, r"$𝟏$ is a vector or matrix of ones, as large as its place asks for."
    yield (
        Sign.ALONG_AXIS,
        "What has rows or columns below its name goes over these: over the rows, it is taken of each column.",
    )
    yield (
        Sign.RESHAPE,
        r"$\operatorname{reshape}$ puts the entries, row by row, into the shape below it.",
    )
    yield (
        Sign.TRANSPOSE,
        r"$\operatorname{transpose}$ puts the axes, counted from 1, into the order below it.",
    )
    yield (
        Sign.BROADCAST,
        r"$\operatorname{broadcast}$ repeats the entries to the shape below it.",
    )
    yield Sign.SUM_FROM_END, r"$\operatorname{cumsum}^{\top}$ sums up from the end."
    yield (
        Sign.ONE_HOT,
        r"$\operatorname{onehot}_{n}$ makes of each number $k$ a row of $n$ zeros but for a 1 at position $k + 1$.",
    )
    unit = unit_vector("i", taken)
    yield Sign.UNIT_VECTOR, f"${unit}$ is the unit vector with its 1 at position $i$."
    rows = put(bracketed(put(identity(taken), "_{n}")), r"_{\left[i{:}j\right]}")
    yield (
        Sign.ROWS_OF_IDENTITY,
        rf"${rows}$ holds these rows of the $n \times n$ identity matrix.",
    )
    yield Sign.SLICE, r"The slice $i{:}j$ goes from $i$ to $j$."
    yield Sign.SLICE_IN_STEPS, r"The slice $i{:}s{:}j$ goes from $i$ to $j$ in steps of $s$."
    yield (
        Sign.SCATTER,
        r"$\operatorname{scatter}$ puts entries back at the places that they were taken from, with zeros elsewhere.",
    )


def legend(notation: Notation, derivation: Derivation) -> tuple[str, ...]:
    """Sentences with $math$."""
    formulas = list(_formulas(derivation))
    held = frozenset[Sign]().union(*(formula.signs for formula in formulas))
    gates = [q.node for q in notation.trace.gates]
    said = [sentence for sign, sentence in _sentences(notation.taken) if sign in held]
    if _BRACKET in said and any(n.gate.ties for n in gates):
        said[said.index(_BRACKET)] = _BRACKET_AT_A_TIE
    notes = dict.fromkeys(n.gate.note for n in gates if n.gate.note)
    said += notes | dict.fromkeys(note for formula in formulas for note in formula.notes)
    if any(_is_by_entries(n) for n in gates) or Sign.OF_ENTRIES in held:
        copies = "; those by a stretched operand belong to its copies, over which what flows back is summed"
        said.insert(
            0,
            "Functions of one number, quotients, roots and powers are taken of each entry of a vector or "
            "matrix; the entries of such a local derivative are the diagonal of the Jacobian"
            f"{copies if _has_stretched_slope(notation.trace) else ''}.",
        )
    if any(_is_stretched(n) for n in gates):
        said.append("A row or a column beside a matrix is repeated to the size of the matrix.")
    if Sign.DELTA in held:
        said.append(r"$\delta_{ij}$ is 1 where $i = j$ and 0 elsewhere.")
    parts = [formula for formula in formulas if isinstance(formula, Part)]
    if parts:
        part = parts[0]
        said.append(
            f"${part}$ is the part of ${part.whole}$ that comes back through ${part.gate}$."
        )
    numbered = ["the bar"] if Sign.BY_ARGUMENT in held else []
    if any(part.place for part in parts):
        numbered.append("the comma")
    if numbered:
        said.append(
            f"A number behind {' or '.join(numbered)} is that of the argument: the derivative is by "
            "this argument alone."
        )
    if _counts_from_zero(gates):
        said.append(
            "Positions in the data count from 0, those in a formula from 1: 0 is the first."
        )
    return tuple(said)


def _formulas(derivation: Derivation) -> Iterator[Printed]:
    for step in derivation.backward:
        yield step.definition
        yield from _written(row.equation for row in step.rows)
    for g in derivation.gradients:
        if g.closed is not None:
            yield g.closed
        yield from _written((*((g.entry,) if g.entry else ()), *g.where, *g.here))


def _written(equations: Iterable[Equation]) -> Iterator[Printed]:
    for equation in equations:
        yield from (equation.left, *equation.symbols, *equation.numbers)


def _is_by_entries(node: Node) -> bool:
    arithmetic = (Form.SUM, Form.DIFFERENCE, Form.PRODUCT, Form.NEGATIVE)
    return math.prod(node.shape) > 1 and node.gate.elementwise and node.gate.form not in arithmetic


def _is_stretched(node: Node) -> bool:
    return node.gate.elementwise and any(a.shape and a.shape != node.shape for a in node.args)


def _has_stretched_slope(trace: Trace) -> bool:
    """Whether a local derivative is larger than what it is by, which was stretched."""
    return any(
        q.node.gate.elementwise
        and q.node.gate.form not in (Form.SUM, Form.DIFFERENCE)
        and any(
            a in trace.quantities
            and a.shape != q.node.shape
            and any(c.gate == q.name for c in trace.quantities[a].contributions)
            for a in q.node.args
        )
        for q in trace.gates
    )


def _counts_from_zero(gates: Iterable[Node]) -> bool:
    """Whether class numbers or positions are among the data."""
    return any(
        n.gate.roles.get(place) in ("label", "index")
        or (place in n.gate.integers and not a.is_constant)
        for n in gates
        for place, a in enumerate(n.args)
    )
