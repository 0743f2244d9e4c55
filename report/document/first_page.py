"""Whether the graph of the first question fits on the first page, under what stands above it.

A graph of less than a page stays whole. Where it would move to the next page and leave much of the first
one blank, the forward pass, whose table may go on overleaf, comes before it. Heights are estimates.
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
SMALL, SMALL_LETTERS = 4.2, 110  # millimetres of a line of a caption, and its letters


def leaves_first_page(
    figure: Figure,
    statement: str,
    results: Sequence[str],
    lines: Sequence[str],
    inputs: Sequence[str],
) -> bool:
    """Whether a graph is too high; above it stand a table of results, text, lines and inputs."""
    told = sum(math.ceil(len(line) / LETTERS) for line in statement.splitlines())
    rows = (*lines, *_rows(results), *_rows(inputs))
    above = TOP + told * LINE + EM * sum(_height(row) + BETWEEN for row in rows)
    caption = SMALL * math.ceil(len(figure.caption) / SMALL_LETTERS)
    return above + sum(p.height + APART for p in figure.panels) + caption > PAGE


def _height(row: str | Sequence[str]) -> float:
    return height_of(row) if isinstance(row, str) else max(map(height_of, row))


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
