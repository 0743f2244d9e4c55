"""The signs of a derivation that a reader may not know, each with what it means, and no others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from report.autodiff.gates import Place
from report.autodiff.graph import Node
from report.derivation.elements import Derivation, Equation, Part, Sentence
from report.derivation.latex import Printed
from report.derivation.latex.printed import Sign, bracketed, put
from report.derivation.latex.printer import filled, signs_of
from report.derivation.latex.symbols import identity, unit_vector
from report.derivation.quantity_names import Notation

_BRACKET = r"$𝟙\left[\cdot\right]$ is 1 where the condition holds and 0 elsewhere."
_BRACKET_AT_A_TIE = _BRACKET[:-1] + "; but at a tie in a max or min each gets its share."


def _sentences(notation: Notation, text: str) -> Iterator[tuple[Sign, str]]:
    """What is said of a sign, in the order in which it is said; `text` holds all formulas."""
    taken = notation.taken
    yield Sign.TIMES_BY_ENTRIES, r"$\odot$ multiplies entry by entry."
    yield Sign.POWER_BY_ENTRIES, r"$\mathbf{A}^{\odot n}$ is the power of each entry."
    yield Sign.FUNCTION_BY_ENTRIES, r"A function with $\odot$ above it is taken of each entry."
    yield (
        Sign.STRETCHED,
        "A row or a column that is added to a matrix, or combined with it entry by entry, is repeated to its size.",
    )
    yield Sign.SIGMOID, f"${filled(_SIGMOID, (), taken)}$."
    yield Sign.FROBENIUS, r"$\left\|\mathbf{A}\right\|_{F}^{2}$ is the sum of the squared entries."
    yield Sign.ROW, rf"Vectors are columns, and $\mathbf{{x}}^{{\top}}$ is a row{_rows(notation)}."
    yield Sign.TRUTH, _BRACKET
    yield Sign.ONES, r"$𝟏$ is a vector or matrix of ones, of the size that its place asks for."
    yield Sign.ALONG_AXIS, " ".join(_along_axes(text))
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
        r"$\operatorname{onehot}_{n}$ turns each number $k$ into a row of $n$ entries: 1 at position $k + 1$, else 0.",
    )
    i, j, k = _labels(notation)
    unit = unit_vector(i, taken)
    yield Sign.UNIT_VECTOR, f"${unit}$ is the unit vector with its 1 at position ${i}$."
    yield (
        Sign.PLACE,
        rf"$\left[{i}\right]$ below a name picks entry ${i}$, of a matrix row ${i}$ as a vector.",
    )
    yield Sign.STACKED, r"$\left[\cdot\,;\;\cdot\right]$ stacks one above the other."
    rows = put(bracketed(put(identity(taken), "_{n}")), rf"_{{\left[{i}{{:}}{j}\right]}}")
    yield (
        Sign.ROWS_OF_IDENTITY,
        rf"${rows}$ holds these rows of the $n \times n$ identity matrix.",
    )
    yield (
        Sign.SLICE,
        rf"The slice ${i}{{:}}{j}$ goes from ${i}$ to ${j}$, both counted from 1 and included.",
    )
    yield (
        Sign.SLICE_IN_STEPS,
        rf"The slice ${i}{{:}}{k}{{:}}{j}$ goes from ${i}$ to ${j}$ in steps of ${k}$.",
    )
    yield (
        Sign.SCATTER,
        r"$\operatorname{scatter}$ puts entries back at the places that they were taken from, with zeros elsewhere.",
    )


_SIGMOID = (
    r"{sigma}\left(x\right) = 1 / \left(1 + {exp}-x{end}\right)"
    r" = {exp}x{end} / \left(1 + {exp}x{end}\right)"
)


def _labels(notation: Notation) -> list[str]:
    """Three letters that stand for numbers: no names, where there are so many others."""
    return [*notation.letters, *"ijk"][:3]


def _rows(notation: Notation) -> str:
    """Which inputs and let-lines are rows, though they look like vectors."""
    rows = [
        notation.name[q.node]
        for q in notation.trace.quantities.values()
        if len(q.node.shape) == 2
        and q.node.shape[0] == 1 < q.node.shape[1]
        and q.name[0].islower()
        and (q.node.is_input or q.node.name)
    ]
    return f"; {_listed(rows)} {'is a row' if len(rows) == 1 else 'are rows'}" if rows else ""


def _listed(formulas: Iterable[str]) -> str:
    *before, last = (f"${formula}$" for formula in formulas)
    return f"{', '.join(before)} and {last}" if before else last


# A name with rows or columns below it; the bars of a norm stand around what it is of.
_ALONG = re.compile(
    r"(\\operatorname\{(?:[^{}]|\\_)*\}|\\[a-zA-Z]+|\\right\\\|)"
    r"_\{((?:[^{}]|\\text\{[^{}]*\})*?\\text\{(rows|columns)\}(?:[^{}]|\\text\{[^{}]*\})*)\}"
)


def _along_axes(text: str) -> Iterator[str]:
    """For what stands over the rows or the columns: what that means."""
    found: dict[str, dict[str, None]] = {}
    for name, below, axis in _ALONG.findall(text):
        whole = r"\left\|\cdot\right\|" if name == r"\right\|" else name
        found.setdefault(axis, {})[f"{whole}_{{{below}}}"] = None
    for axis, names in found.items():
        each = {"rows": "column", "columns": "row"}[axis]
        taken = "is taken" if len(names) == 1 else "are taken"
        yield f"{_listed(names)} {taken} over the {axis}: one for each {each}."
    kept = [n for names in found.values() for n in names if r"\text{kept}" in n]
    if kept:
        yield "With “kept” the result is a matrix of one row or column."


def legend(
    notation: Notation, derivation: Derivation, more: Iterable[Printed] = (), *, full: bool = False
) -> tuple[Sentence, ...]:
    """Sentences with $math$; `full` where every line of a step is shown, `more` what stands beside it."""
    formulas = [*_formulas(derivation, full=full), *more]
    gates = [q.node for q in notation.trace.gates]
    held = frozenset[Sign]().union(*(formula.signs for formula in formulas), *map(signs_of, gates))
    function = [*_written(derivation.formula), *(row.symbols for row in derivation.forward)]
    at_once = frozenset[Sign]().union(*(formula.signs for formula in function))
    text = "\n".join(formulas)
    is_shared = any(n.gate.ties for n in gates)
    said = [
        Sentence(_BRACKET_AT_A_TIE if words == _BRACKET and is_shared else words, sign in at_once)
        for sign, words in _sentences(notation, text)
        if sign in held
    ]
    notes = dict.fromkeys(n.gate.note for n in gates if n.gate.note)
    said += [Sentence(note, at_once=True) for note in notes]
    others = dict.fromkeys(note for formula in formulas for note in formula.notes)
    said += [Sentence(note) for note in others if note not in notes]
    by_entries = [words for sign, words in _BY_ENTRIES if sign in held]
    if by_entries:
        *before, last = by_entries
        what = f"{', '.join(before)} and {last}" if before else last
        words = (
            f"{what[0].upper()}{what[1:]} act on each entry of a vector or matrix; the entries "
            "of such a local derivative are the diagonal of the Jacobian."
        )
        said.insert(0, Sentence(words))
    if Sign.DELTA in held:
        i, j, _ = _labels(notation)
        said.append(Sentence(rf"$\delta_{{{i}{j}}}$ is 1 where ${i} = {j}$ and 0 elsewhere."))
    parts = [formula for formula in formulas if isinstance(formula, Part)]
    if parts:
        part = parts[0]
        words = f"${part}$ is the part of ${part.whole}$ that comes back through ${part.gate}$."
        said.append(Sentence(words))
    numbered = ["the bar"] if Sign.BY_ARGUMENT in held else []
    if any(part.place for part in parts):
        numbered.append("the comma")
    if numbered:
        words = (
            f"A number behind {' or '.join(numbered)} says which argument of the gate varies, while the "
            "others stay fixed."
        )
        said.append(Sentence(words))
    if _counts_from_zero(gates):
        words = "Positions in the data count from 0, those in a formula from 1."
        said.append(Sentence(words, at_once=True))
    return tuple(said)


_BY_ENTRIES = (
    (Sign.OF_ENTRIES, "functions of numbers"),
    (Sign.QUOTIENTS, "quotients"),
    (Sign.POWERS, "powers"),
)


def _formulas(derivation: Derivation, *, full: bool) -> Iterator[Printed]:
    for step in derivation.backward:
        yield step.definition
        yield from _written(
            row.equation for row in step.rows if full or row.label not in _ONLY_FULL
        )
        cases = (b.jacobian for b in step.branches if len(b.derived) > 1 and b.jacobian)
        yield from (side for jacobian in cases for side in jacobian.symbols)
    for g in derivation.gradients:
        if g.closed is not None:
            yield g.closed
        yield from _written((*((g.entry,) if g.entry else ()), *g.where, *g.here))


_ONLY_FULL = ("entry", "Jacobian")  # lines that the short form of a step leaves out


def _written(equations: Iterable[Equation]) -> Iterator[Printed]:
    for equation in equations:
        yield from (equation.left, *equation.symbols, *equation.numbers)


def _counts_from_zero(gates: Iterable[Node]) -> bool:
    """Whether class numbers or positions are among the data."""
    return any(
        n.gate.roles.get(place) in ("label", "index")
        or (Place(place) in n.params.get("key", ()) and not a.is_constant)
        for n in gates
        for place, a in enumerate(n.args)
    )
