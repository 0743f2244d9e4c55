"""Whether the forward pass comes before the graph of the first question.

A graph of less than a page stays whole, so that much may be left of the first page before one; the table
of the forward pass may go on overleaf. What leaves less of a page blank comes first. Heights are estimates.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from report.document.formulas import COLUMN, EM, height_of, width_of
from report.figure import Figure

PAGE = 257.0  # millimetres of text on a page of A4
TOP = 36.0  # title and name, the heads of table, question and graph, with what is between them
LINE, LETTERS = 4.8, 95  # millimetres of a line of text, and how many letters stand in one
GAP = 1.6  # em between formulas side by side
BETWEEN = 0.5  # em between formulas one below the other
APART = 3.5  # millimetres between rows of a graph
HEADS = 14.0  # millimetres of a heading and the head of a table
SMALL, SMALL_LETTERS = 4.2, 110  # millimetres of a line of a caption, and its letters


def forward_first(
    figure: Figure,
    statement: str,
    results: Sequence[str],
    lines: Sequence[str],
    inputs: Sequence[str],
    forward: Sequence[Sequence[str]],
) -> bool:
    """Whether less stays blank so.

    Above both stand a table of results, text, lines and inputs; `forward` are the formulas of each row.
    """
    told = sum(math.ceil(len(line) / LETTERS) for line in statement.splitlines())
    above = (
        TOP + told * LINE + _high([*([line] for line in lines), *_rows(results), *_rows(inputs)])
    )
    caption = SMALL * math.ceil(len(figure.caption) / SMALL_LETTERS)
    graph = sum(p.height + APART for p in figure.panels) + caption
    end = (above + HEADS + _high(forward)) % PAGE
    return _blank(end, graph) < _blank(above, graph)


def _blank(y: float, graph: float) -> float:
    """Millimetres left of a page that is filled up to y, before a graph that has no room there."""
    return PAGE - y if y + graph > PAGE else 0.0


def _high(rows: Iterable[Sequence[str]]) -> float:
    return EM * sum(max(map(height_of, row)) + BETWEEN for row in rows)


def _rows(formulas: Iterable[str]) -> list[list[str]]:
    """Formulas side by side, in as many rows as they need."""
    rows: list[list[str]] = []
    room = 0.0
    for formula in formulas:
        wide = width_of(formula) + GAP
        if wide > room:
            rows.append([])
            room = COLUMN
        rows[-1].append(formula)
        room -= wide
    return rows
