"""The signs of a derivation that a reader may not know, each with what it means, and no others."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

import numpy as np

from report.autodiff.form import Form
from report.autodiff.graph import Node
from report.autodiff.trace import Trace
from report.derivation.elements import Derivation, Equation
from report.derivation.quantity_names import Notation

_BRACKET = r"$𝟙\left[\cdot\right]$ is 1 where the condition holds and 0 elsewhere."
_BRACKET_AT_A_TIE = _BRACKET[:-1] + "; but at a tie in a max or min each gets its share."
# What a formula holds -> what is said of it, in the order in which it is said.
_SIGNS = (
    (r"\\odot(?!\s*[({0-9])", r"$\odot$ multiplies entry by entry."),
    (
        r"\^\{\\odot",
        r"$\mathbf{A}^{\odot n}$ is the power of each entry.",
    ),
    (r"\^\{\\top\}", r"Vectors are columns, and $\mathbf{x}^{\top}$ is a row."),
    ("𝟙", _BRACKET),
    ("𝟏", r"$𝟏$ is a vector or matrix of ones, as large as its place asks for."),
    (
        r"[rxnmp]\}?_\{\\text\{(?:rows|columns)\}",
        "What has rows or columns below its name goes over these: over the rows, it is taken of each column.",
    ),
    (
        r"\\operatorname\{reshape\}",
        r"$\operatorname{reshape}$ puts the entries, row by row, into the shape below it.",
    ),
    (
        r"\\operatorname\{broadcast\}",
        r"$\operatorname{broadcast}$ repeats the entries to the shape below it.",
    ),
    (
        r"cumsum\}\^\{\\top\}",
        r"$\operatorname{cumsum}^{\top}$ sums up from the end.",
    ),
    (
        r"\\operatorname\{onehot\}",
        r"$\operatorname{onehot}_{n}$ makes of each number $k$ a row of $n$ zeros but for a 1 at position $k + 1$.",
    ),
    (
        r"\\mathbf\{e\}_\{\\left\[",
        r"$\mathbf{e}_{\left[i\right]}$ is the unit vector with its 1 at position $i$.",
    ),
    (
        r"\\mathbf\{I\}_\{\d+\}\\right\)_\{\\left\[",
        r"$\left(\mathbf{I}_{n}\right)_{\left[i{:}j\right]}$ holds these rows of the $n \times n$ identity matrix.",
    ),
    (
        r"_\{\\left\[(?:[^]]*[^]:\d])?\d+:\d+(?![\d:])",
        r"The slice $i{:}j$ goes from $i$ to $j$.",
    ),
    (
        r"_\{\\left\[[^]]*\d:-?\d+:\d",
        r"The slice $i{:}s{:}j$ goes from $i$ to $j$ in steps of $s$.",
    ),
    (
        r"\\operatorname\{scatter\}",
        r"$\operatorname{scatter}$ puts entries back at the places that they were taken from, with zeros elsewhere.",
    ),
    (
        r"\\operatorname\{BCE\}_\{\\sigma\}\\left\(",
        r"$\operatorname{BCE}_{\sigma}$ is the mean of $-y \log p - (1 - y) \log(1 - p)$ with $p = \sigma(z)$.",
    ),
    (
        r"\\operatorname\{BCE\}\\left\(",
        r"$\operatorname{BCE}$ is the mean of $-y \log p - (1 - y) \log(1 - p)$.",
    ),
    (
        r"\\operatorname\{softplus\}\\left\(",
        r"$\operatorname{softplus}(z) = \log(1 + e^{z})$ has the slope $\sigma(z)$.",
    ),
    (
        r"\\(?:Phi|varphi)\\left\(",
        r"$\Phi$ is the distribution function of the standard normal, $\varphi$ its density.",
    ),
)
# The part of a derivative that comes through one gate: the fraction between \left. and \right|, the gate.
_PART = re.compile(
    r"\\left\.(\\frac\{(?:(?!\\right).)*)\\right\|_\{(?!\d+\})([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}"
)
# The derivative of a gate by one of several equal arguments.
_BY_ONE_ARGUMENT = re.compile(r"\\left\.\\frac\{(?:(?!\\right).)*\\right\|_\{\d+\}")
# A function of one number over a vector or matrix, as in a rule.
_OF_TENSOR = re.compile(
    r"\\(?:sigma|log|exp|operatorname\{sgn\})\\left\(\\(?:mathbf|boldsymbol)|e\^\{\\mathbf"
)


def legend(notation: Notation, derivation: Derivation) -> tuple[str, ...]:
    """Sentences with $math$."""
    text = "\n".join(_formulas(derivation))
    gates = [q.node for q in notation.trace.gates]
    said = [sentence for sign, sentence in _SIGNS if re.search(sign, text)]
    if _BRACKET in said and any(n.gate.ties for n in gates):
        said[said.index(_BRACKET)] = _BRACKET_AT_A_TIE
    said += dict.fromkeys(n.gate.note for n in gates if n.gate.note)
    if any(_is_by_entries(n) for n in gates) or _OF_TENSOR.search(text):
        copies = "; those by a stretched operand belong to its copies, over which what flows back is summed"
        said.insert(
            0,
            "Functions of one number, quotients, roots and powers are taken of each entry of a vector or "
            "matrix; the entries of such a local derivative are the diagonal of the Jacobian"
            f"{copies if _has_stretched_slope(notation.trace) else ''}.",
        )
    if any(_is_stretched(n) for n in gates):
        said.append("A row or a column beside a matrix is repeated to the size of the matrix.")
    if r"\delta_" in text and not any(r"\delta" in name for name in notation.name.values()):
        said.append(r"$\delta_{ij}$ is 1 where $i = j$ and 0 elsewhere.")
    if part := _PART.search(text):
        gate = part[2].partition(r",\,")[0]
        said.append(f"${part[0]}$ is the part of ${part[1]}$ that comes back through ${gate}$.")
    numbered = ["the bar"] if _BY_ONE_ARGUMENT.search(text) else []
    if any(re.search(r",\\,\d+$", found[2]) for found in _PART.finditer(text)):
        numbered.append("the comma")
    if numbered:
        said.append(
            f"A number behind {' or '.join(numbered)} is that of the argument: the derivative is by "
            "this argument alone."
        )
    if _counts_from_zero(gates):
        from_the_end = (
            "; a negative position counts from the end, so add the length of the axis to it first"
        )
        said.append(
            "Positions in the data count from 0, those in a formula from 1: 0 is the first"
            f"{from_the_end if _counts_from_the_end(notation.trace) else ''}."
        )
    return tuple(said)


def _formulas(derivation: Derivation) -> Iterator[str]:
    for step in derivation.backward:
        yield step.definition
        yield from _written(row.equation for row in step.rows)
    for g in derivation.gradients:
        yield g.closed or ""
        yield from _written((*((g.entry,) if g.entry else ()), *g.where, *g.here))


def _written(equations: Iterable[Equation]) -> Iterator[str]:
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


def _counts_from_the_end(trace: Trace) -> bool:
    """Whether an index among the data is negative."""
    indices = (
        a for q in trace.gates for i, a in enumerate(q.node.args) if i in q.node.gate.integers
    )
    return any(
        bool(np.any(trace.quantities[a].value < 0)) for a in indices if a in trace.quantities
    )
