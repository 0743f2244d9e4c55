"""The tables of a question: forward pass, what flows back, verification.

Their columns are measured here, each as wide as what stands in it, and laid out as they are: a table whose
columns WeasyPrint finds takes twice the time. Widths are millimetres.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from report import number_format
from report.autodiff.trace import Trace
from report.checks import CheckedEntry, Comparison, Verification, error_text
from report.derivation import ForwardRow
from report.derivation.gate_families import Flow
from report.derivation.latex.symbols import VALUE, entry_symbol, symbol, tensor
from report.document import gate_html
from report.document.answer import DIALECTS
from report.document.formulas import Setter, height_of, width_of
from report.document.precision import COLUMN_DIGITS, Precision
from report.figure.font_metrics import width as text_width

if TYPE_CHECKING:
    from report.student import OwnWork

COLUMN = 160.0
GAP = 8 * 25.4 / 72  # right of each column but the last: the padding of its cells
WIDE_GAP = 12.0  # between the columns of a table that need not fill the page
NEARLY = 0.15  # of its width may be free beside a table before it is made to fill the page
TEXT = 9.0  # points: what is written in a table
EM = TEXT * 25.4 / 72
SIGN = 46.0  # points that a gate's sign may take beside its number
CHECK_DIGITS = 10  # the same in the verification table
GATE = 19.0  # millimetres of a gate's number and sign
SLACK = 1e-6  # em: a formula is not broken because of rounding
TALL = 4.0  # em: a row so high may stand alone on a page
MAX_ENDS = 60  # rows of a large table shown at its start and at its end
WHOLE = 14  # rows of a table that no page break parts
ITEM_GAP = 1.9  # em behind each gradient in the table of results
MAX_ENTRIES = 6  # of a gradient whose entries the verification shows one by one

Row = TypeVar("Row")

ERROR = "largest relative error"
YOUR_PROGRAM = "your program"
WORDS = {True: "agrees", False: "differs", None: "not printed"}


def ends(rows: Sequence[Row]) -> Sequence[Row]:
    """All rows, or of very many the first and the last."""
    return rows if len(rows) <= 2 * MAX_ENDS else [*rows[:MAX_ENDS], *rows[-MAX_ENDS:]]


# ---------------------------------------------------------------- columns


def _columns(sizes: Sequence[float], left: int) -> dict[str, Any]:
    """The width of a table and of its columns, of which `left` are set flush left, the others right.

    The gap between two columns belongs to the one that has room for it on that side.
    """
    gap = _gap(COLUMN - sum(sizes) - 0.01 * len(sizes), len(sizes) - 1)
    wide = (size + gap * ((i < left) + (i > left)) for i, size in enumerate(sizes))
    # rounded up: a word would wrap in a column that is a hair too narrow
    widths = [math.ceil(100 * width) / 100 for width in wide]
    return {"width": f"{sum(widths):.2f}", "columns": [f"{width:.2f}" for width in widths]}


def _gap(room: float, count: int) -> float:
    """The gap between columns that leave so much room: a table that nearly fills the page fills it."""
    gap = max(room / count, GAP)
    fills = count * (gap - WIDE_GAP) < NEARLY * COLUMN
    return gap if fills else min(gap, WIDE_GAP)


def _limits(sizes: Sequence[float], room: float) -> list[float]:
    """As wide as columns may be: those that are wide share what the others leave."""
    left, shares = room, [0.0] * len(sizes)
    for done, i in enumerate(sorted(range(len(sizes)), key=lambda i: sizes[i])):
        shares[i] = min(sizes[i], left / (len(sizes) - done))
        left -= shares[i]
    return shares


def _text(words: Iterable[str], size: float = TEXT, face: str = "roman") -> float:
    """The width of the longest of some texts."""
    shown = ("".join(number_format.with_room(w)) for w in words)
    return max((text_width(w, face, size) for w in shown), default=0.0) * 25.4 / 72


def _formulas(latex: Iterable[str]) -> float:
    return max((width_of(source) for source in latex), default=0.0) * EM


# ---------------------------------------------------------------- the results at the front


def results(answers: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns of the table of results, of which that of the gradients takes what the others leave.

    None where a row takes more than a line: WeasyPrint finds them then.
    """
    is_told = all(a["results"] and not any(run["fault"] for run in a["own"]) for a in answers)
    numbers = [f"Question {a['number']}" for a in answers]
    values = [_formulas([a["f"]]) + _text([f" = {a['short_value']}"]) for a in answers]
    checks = [f"{a['verification']['comparisons']} agree" for a in answers]
    left = [max([_text(["value"], face="bold"), *values]) + GAP]
    if len(answers) > 1:
        left.insert(0, max(_text(["Question"], face="bold"), _text(numbers)) + GAP)
    right = max(_text(["checks"], face="bold"), _text(checks)) + GAP
    room = COLUMN - sum(left) - right
    wide = [EM * sum(width_of(item) + ITEM_GAP for item in a["results"]) for a in answers]
    fits = is_told and all(width <= room for width in wide)
    return [f"{width:.2f}" for width in (*left, room, right)] if fits else []


# ---------------------------------------------------------------- the forward pass


def scalar_values(rows: Sequence[ForwardRow]) -> list[float]:
    """The numbers in the column of values."""
    return [float(row.quantity.value) for row in ends(rows) if not row.quantity.node.shape]


def forward(
    setter: Setter,
    question: str,
    rows: Sequence[ForwardRow],
    linked: Container[str],
    same: Precision,
) -> dict[str, Any]:
    """The forward table; the scalars of its last column share one precision."""
    shown = [replace(row, numbers=row.numbers and same(row.numbers)) for row in ends(rows)]
    scalars = [row for row in shown if not row.quantity.node.shape]
    aligned = {row.name: same.values[float(row.quantity.value)] for row in scalars}
    tensors = {
        row.name: tensor(row.quantity.value, VALUE) for row in shown if row.name not in aligned
    }
    written: list[list[str]] = [
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
            "symbols": setter.display(f"{row.name} = {row.symbols}", limits[0] / EM + SLACK),
            "numbers": setter.display(row.numbers, limits[1] / EM + SLACK) if row.numbers else "–",
            "value": aligned.get(row.name)
            or setter.display(tensors[row.name], limits[2] / EM + SLACK),
            "tensor": row.name in tensors,
            "tall": row.name in tensors and height_of(tensors[row.name]) > TALL,
        }
        for row in shown
    ]
    return {"rows": cells, "more": len(rows) - len(shown), **_columns([first, *limits], left=3)}


def in_row(row: ForwardRow) -> list[str]:
    """The formulas of a row of the forward table."""
    return [row.symbols, *filter(None, [row.numbers]), tensor(row.quantity.value, VALUE)]


# ---------------------------------------------------------------- what flows back


def backward_columns(
    lefts: Sequence[str],
    chains: Sequence[str],
    local: Sequence[str],
    numbers: Sequence[str],
    values: Sequence[str],
) -> tuple[dict[str, Any], list[float]]:
    """The columns of the backward table from what stands in them.

    And how wide, in em, a formula of each may be: chain, local derivative, numbers, and one that takes the
    place of the first two.
    """
    heads = [_text([head], face="bold") for head in ("local derivative", "numbers")]
    value = max(_text(values), _text(["gradient"], face="bold"))
    left = _formulas(lefts)
    room = COLUMN - GATE - left - value - 3 * GAP
    sizes = [_formulas(chains), max(_formulas(local), heads[0]), max(_formulas(numbers), heads[1])]
    limits = _limits(sizes, room)
    gap = _gap(room - sum(limits) + 3 * GAP, 3)
    widths = [GATE, left, limits[0] + gap, limits[1] + gap, limits[2] + gap, value]
    both = limits[0] + gap + limits[1]
    layout = {"width": f"{sum(widths):.2f}", "columns": [f"{width:.2f}" for width in widths]}
    return layout, [limit / EM + SLACK for limit in (*limits, both)]


def flows(setter: Setter, question: str, trace: Trace, lines: Sequence[Flow]) -> dict[str, Any]:
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
                "target": setter.tex(flow.target),
                "upstream": upstream,
                "local": local,
                "downstream": downstream,
            }
        )
        seen.add(q.name)
    return {"rows": rows, "more": len(lines) - len(shown)}


# ---------------------------------------------------------------- the verification


def verification(
    setter: Setter, v: Verification, trace: Trace, own: Sequence[OwnWork] = ()
) -> dict[str, Any]:
    """Each gradient in every way, and how far each way is from the trace at most.

    The entries of small gradients stand one by one; of larger ones only the largest error does. `own`
    are the numbers of the student's own programs: they get a column that says whether they agree.
    """
    listed, large = _listed(v.entries)
    names = [
        rf"\partial {symbol(trace.letter)} / \partial "
        + entry_symbol(e.name, e.place, np.shape(trace.gradients[e.name]))
        for e in listed
    ]
    ways = {"difference": "central difference", "closed": "closed form"}
    short = " program" if own else ""  # beside "your program" there is no room for more
    ways |= {dialect: DIALECTS[dialect].removesuffix(short) for dialect in v.dialects}
    heads = [
        *(["gradient", "backprop"] if listed else [ERROR]),
        *ways.values(),
        *([YOUR_PROGRAM] if own else []),
    ]
    sums = [(ERROR + " above" * bool(large), "", "", listed)] if listed else []
    for name, es in large.items():
        by = symbol(name, np.shape(trace.gradients[name]))
        gradient = rf"\partial {symbol(trace.letter)} / \partial {by}"
        sums.append(("of " * bool(listed), gradient, f" ({len(es)} entries)", es))
    errors = [
        [
            *([""] if listed else []),
            *(_largest(es, way) for way in ways),
            *([_together(es, own)] if own else []),
        ]
        for *_, es in sums
    ]
    of = (_text([before + count]) + _formulas([name]) for before, name, count, _ in sums)
    first = max(_formulas(names), _text(heads[:1], face="bold"), *of)
    for digits in (CHECK_DIGITS, 8, 6):
        columns = _numbers(listed, ways, digits)[not listed :]
        if own:
            columns.append([WORDS[agree] for agree in _agree(listed, own)])
        last = zip(*errors, strict=True) if errors else [()] * len(columns)  # no input is asked for
        cells = zip(heads[1:], columns, last, strict=True)
        widths = [max(_text([head], face="bold"), _text([*c, *e])) for head, c, e in cells]
        sizes = [first, *widths]
        if sum(sizes) + GAP * len(sizes) <= COLUMN:
            break
    return {
        "heads": heads,
        "rows": [
            {"entry": setter.tex(name), "spoken": setter.spoken(name), "cells": cells}
            for name, cells in zip(names, zip(*columns, strict=True), strict=True)
        ],
        "errors": [
            {"before": before, "of": name and setter.tex(name), "count": count, "cells": cells}
            for (before, name, count, _), cells in zip(sums, errors, strict=True)
        ],
        "short": len(listed) + len(large) <= WHOLE,
        "comparisons": v.comparisons,
        "formulas": v.formulas,
        "what": _agreed(v),
        "kinks": ", ".join(v.kinks),
        "sampled": v.sampled,
        **_columns(sizes, left=1),
    }


def _agree(entries: Iterable[CheckedEntry], own: Sequence[OwnWork]) -> list[bool | None]:
    """Of each entry, whether the student's own programs have it right; None where none prints it."""
    found = [[work.agrees_at(e.name, e.place) for work in own] for e in entries]
    return [next((a for a in reversed(each) if a is not None), None) for each in found]


def _together(entries: Iterable[CheckedEntry], own: Sequence[OwnWork]) -> str:
    """Of a large gradient, the worst that can be said."""
    found = _agree(entries, own)
    return WORDS[next((worst for worst in (False, None) if worst in found), True)]


def _listed(
    entries: Sequence[CheckedEntry],
) -> tuple[list[CheckedEntry], dict[str, list[CheckedEntry]]]:
    """The entries that stand one by one, and those of large gradients by name."""
    own: dict[str, list[CheckedEntry]] = {}
    for e in entries:
        own.setdefault(e.name, []).append(e)
    large = {name: es for name, es in own.items() if len(es) > MAX_ENTRIES}
    return [e for e in entries if e.name not in large], large


def _largest(entries: Sequence[CheckedEntry], way: str) -> str:
    """The largest relative error of one way."""
    found = [c for e in entries if (c := _comparison(e, way)) is not None]
    return error_text(max(c.error for c in found)) if found else "–"


def _comparison(e: CheckedEntry, way: str) -> Comparison | None:
    return {"difference": e.difference, "closed": e.closed}.get(way) or e.programs.get(way)


def _agreed(v: Verification) -> str:
    """What was compared, in words."""
    taken = [] if v.kinks else ["differences"]
    programs = "the programs" if len(v.dialects) > 1 else "the program"
    return ", ".join(["backpropagation", *taken, "closed form", f"and {programs} at every gate"])


def _numbers(entries: Sequence[CheckedEntry], ways: Iterable[str], digits: int) -> list[list[str]]:
    """The numbers of the trace and of each other way, every column with one precision."""
    others = [[_comparison(e, way) for e in entries] for way in ways]
    return [
        number_format.column((e.trace for e in entries), digits),
        *(_way(column, digits) for column in others),
    ]


def _way(comparisons: Sequence[Comparison | None], digits: int) -> list[str]:
    made = [c for c in comparisons if c is not None]
    shown = iter(number_format.column((c.value for c in made), digits))
    return [next(shown) if c is not None else "–" for c in comparisons]
