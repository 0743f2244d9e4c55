"""The tables of a question: forward pass, what flows back, verification.

Their columns are measured here, each as wide as what stands in it, and laid out as they are: a table whose
columns WeasyPrint finds takes twice the time. Widths are millimetres.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from report import number_format
from report.autodiff.trace import Trace
from report.checks import CheckedEntry, Comparison, Verification, error_text
from report.derivation import ForwardRow
from report.derivation.gate_families import Flow
from report.derivation.latex.symbols import VALUE, entry_symbol, symbol, tensor
from report.document import gate_html
from report.document.answer import DIALECTS
from report.document.formulas import display, height_of, tex, width_of
from report.figure.font_metrics import width as text_width

COLUMN = 150.0
GAP = 8 * 25.4 / 72  # right of each column but the last: the padding of its cells
WIDE_GAP = 12.0  # between the columns of a table that need not fill the page
TEXT = 10.0  # points: what is written in a table
EM = TEXT * 25.4 / 72
NUMBER = 8.5  # points: the numbers of the verification
SIGN = 46.0  # points that a gate's sign may take beside its number
COLUMN_DIGITS = 7  # significant digits of the largest number in a column
CHECK_DIGITS = 10  # the same in the verification table
TALL = 4.0  # em: a row so high may stand alone on a page
MAX_ENDS = 60  # rows of a large table shown at its start and at its end
MAX_ROWS = 60  # gradient entries in the verification table; the rest is summed up in one line

Row = TypeVar("Row")


def ends(rows: Sequence[Row]) -> Sequence[Row]:
    """All rows, or of very many the first and the last."""
    return rows if len(rows) <= 2 * MAX_ENDS else [*rows[:MAX_ENDS], *rows[-MAX_ENDS:]]


# ---------------------------------------------------------------- columns


def _columns(sizes: Sequence[float], left: int) -> dict[str, Any]:
    """The width of a table and of its columns, of which `left` are set flush left, the others right.

    The gap between two columns belongs to the one that has room for it on that side.
    """
    gap = min(max((COLUMN - sum(sizes)) / (len(sizes) - 1), GAP), WIDE_GAP)
    widths = [size + gap * ((i < left) + (i > left)) for i, size in enumerate(sizes)]
    return {"width": f"{sum(widths):.2f}", "columns": [f"{width:.2f}" for width in widths]}


def _limits(sizes: Sequence[float], room: float) -> list[float]:
    """As wide as columns may be: those that are wide share what the others leave."""
    left, shares = room, [0.0] * len(sizes)
    for done, i in enumerate(sorted(range(len(sizes)), key=lambda i: sizes[i])):
        shares[i] = min(sizes[i], left / (len(sizes) - done))
        left -= shares[i]
    return shares


def _text(words: Iterable[str], size: float = TEXT, face: str = "roman") -> float:
    """The width of the longest of some texts."""
    return max((text_width(w, face, size) for w in words), default=0.0) * 25.4 / 72


def _formulas(latex: Iterable[str]) -> float:
    return max((width_of(source) for source in latex), default=0.0) * EM


# ---------------------------------------------------------------- the forward pass


def forward(question: str, rows: Sequence[ForwardRow], linked: Container[str]) -> dict[str, Any]:
    """The forward table; the scalars of its last column share one precision."""
    shown = ends(rows)
    scalars = [row for row in shown if not row.quantity.node.shape]
    values = number_format.column((row.quantity.value for row in scalars), COLUMN_DIGITS)
    aligned = {row.name: value for row, value in zip(scalars, values, strict=True)}
    tensors = {
        row.name: tensor(row.quantity.value, VALUE)[0] for row in shown if row.name not in aligned
    }
    written = [
        [f"{row.name} = {row.symbols}" for row in shown],
        [row.numbers for row in shown if row.numbers],
        list(tensors.values()),
    ]
    heads = [_text([head], face="bold") for head in ("computes", "with numbers", "value")]
    sizes = [max(_formulas(column), head) for column, head in zip(written, heads, strict=True)]
    sizes[2] = max(sizes[2], _text(aligned.values()))
    first = max(_text(["Gate"], face="bold"), _text(str(row.quantity.number) for row in shown))
    limits = _limits(sizes, COLUMN - first - 3 * GAP)
    cells = [
        {
            "number": row.quantity.number,
            "anchor": f"{question}-{row.quantity.name}" if row.quantity.name in linked else "",
            "symbols": display(f"{row.name} = {row.symbols}", limits[0] / EM),
            "numbers": display(row.numbers, limits[1] / EM) if row.numbers else "–",
            "value": aligned.get(row.name) or display(tensors[row.name], limits[2] / EM),
            "tensor": row.name in tensors,
            "tall": row.name in tensors and height_of(tensors[row.name]) > TALL,
        }
        for row in shown
    ]
    return {"rows": cells, "more": len(rows) - len(shown), **_columns([first, *limits], left=3)}


# ---------------------------------------------------------------- what flows back


def flows(question: str, trace: Trace, lines: Sequence[Flow]) -> dict[str, Any]:
    """The table of what flows back, each column with one precision."""
    shown = ends(lines)
    columns = [
        number_format.column((getattr(f, name) for f in shown), COLUMN_DIGITS)
        for name in ("upstream", "local", "downstream")
    ]
    rows: list[dict[str, Any]] = []
    seen = set()
    for flow, upstream, local, downstream in zip(shown, *columns, strict=True):
        q = flow.quantity
        rows.append(
            {
                "number": q.number,
                "anchor": "" if q.name in seen else f"{question}-{q.name}",
                "sign": gate_html.sign(q.node, trace, SIGN),
                "target": tex(flow.target),
                "upstream": upstream,
                "local": local,
                "downstream": downstream,
            }
        )
        seen.add(q.name)
    return {"rows": rows, "more": len(lines) - len(shown)}


# ---------------------------------------------------------------- the verification


def verification(v: Verification, trace: Trace) -> dict[str, Any]:
    """Each gradient entry in every way, and how far each way is from the trace at most."""
    entries = v.entries[:MAX_ROWS]
    names = [
        rf"\partial {symbol(trace.letter)} / \partial "
        + entry_symbol(e.name, e.place, np.shape(trace.gradients[e.name]))
        for e in entries
    ]
    ways = {"difference": "central difference", "closed": "closed form"}
    ways |= {dialect: DIALECTS[dialect] for dialect in v.dialects}
    heads = ["entry", "trace", *ways.values()]
    found = v.largest
    errors = [error_text(found[way]) if way in found else "–" for way in ways]
    name_size = max(_formulas(names) * NUMBER / TEXT, _text(["relative error"], NUMBER))
    for digits in (CHECK_DIGITS, 8, 6):
        columns = _ways(entries, digits)
        sizes = [name_size]
        for head, error, column in zip(heads[1:], ["", *errors], columns, strict=True):
            widest = _text([*column, error], NUMBER)
            sizes.append(max(widest, _text([head], NUMBER, "bold")))
        if sum(sizes) + GAP * len(sizes) <= COLUMN:
            break
    return {
        "heads": heads,
        "rows": [
            {"entry": tex(name), "cells": cells}
            for name, cells in zip(names, zip(*columns, strict=True), strict=True)
        ],
        "errors": ["", *errors],
        "more": len(v.entries) - len(entries),
        "comparisons": v.comparisons,
        "kinks": ", ".join(v.kinks),
        "sampled": v.sampled,
        **_columns(sizes, left=1),
    }


def _ways(entries: Sequence[CheckedEntry], digits: int) -> list[list[str]]:
    """The numbers of the trace and of each other way, every column with one precision."""
    others = [[e.difference, e.closed, *e.programs.values()] for e in entries]
    return [
        number_format.column((e.trace for e in entries), digits),
        *(_way(column, digits) for column in zip(*others, strict=True)),
    ]


def _way(comparisons: Sequence[Comparison | None], digits: int) -> list[str]:
    made = [c for c in comparisons if c is not None]
    shown = iter(number_format.column((c.value for c in made), digits))
    return [next(shown) if c is not None else "–" for c in comparisons]
