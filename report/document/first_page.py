"""Whether the forward pass comes before the graph of the first question, and whether that may break.

A graph of less than a page stays whole, so that much may be left of the first page before one; the table
of the forward pass may go on overleaf. What leaves less of a page blank comes first. Where much is left
either way, a graph with an overview of its rows may break between them. Heights are estimates.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from report.document.formulas import COLUMN, EM, height_of, width_of
from report.figure import Figure

PAGES = {"a4": 257.0, "letter": 245.4}  # millimetres of text on a page
MAX_ROWS = 215.0  # of a graph's rows and its caption that stand on one page
MAX_BLANK = 65.0  # left before them
TOP = 36.0  # title and name, the heads of table, question and graph, with what is between them
LINE, LETTERS = 4.8, 95  # millimetres of a line of text, and how many letters stand in one
GAP = 1.6  # em between formulas side by side
BETWEEN = 0.5  # em between formulas one below the other
APART = 3.5  # millimetres between rows of a graph
HEADS = 14.0  # millimetres of a heading and the head of a table
SMALL, SMALL_LETTERS = 4.2, 110  # millimetres of a line of a caption, and its letters


@dataclass(frozen=True)
class Heights:
    """How high, in millimetres, what stands on the first page is, as it is estimated.

    Above graph and forward pass stand a table of results, text, lines and inputs; `forward` is the table of
    the forward pass, `overview` the boxes before the rows of a graph, `rows` are those with its caption.
    """

    above: float
    forward: float
    overview: float
    rows: float

    @classmethod
    def of(
        cls,
        figure: Figure,
        statement: str,
        results: Sequence[str],
        lines: Sequence[str],
        inputs: Sequence[str],
        forward: Sequence[Sequence[str]],
    ) -> Self:
        """Estimated from a figure, a statement's text and formulas in LaTeX; `forward` has those of each row."""
        told = sum(math.ceil(len(line) / LETTERS) for line in statement.splitlines())
        formulas = [*([line] for line in lines), *_rows(results), *_rows(inputs)]
        caption = SMALL * math.ceil(len(figure.caption) / SMALL_LETTERS)
        panels = [panel.height + APART for panel in figure.panels]
        overview = panels.pop(0) + SMALL if figure.overview else 0.0
        return cls(
            TOP + told * LINE + _high(formulas),
            HEADS + _high(forward),
            overview,
            sum(panels) + caption,
        )


def arranged(heights: Heights, paper: str) -> tuple[bool, bool]:
    """Whether the forward pass comes before the graph, and whether the rows of the graph stay on one page."""
    page = PAGES[paper]
    first = heights.above + heights.overview
    later = (heights.above + heights.forward) % page + heights.overview
    is_later = _blank(later, heights.rows, page) < _blank(first, heights.rows, page)
    blank = _blank(later if is_later else first, heights.rows, page)
    return is_later, heights.rows <= MAX_ROWS and (blank <= MAX_BLANK or not heights.overview)


def _blank(y: float, rows: float, page: float) -> float:
    """Millimetres left of a page that is filled up to y, before rows of a graph that have no room there."""
    return page - y % page if y % page + rows > page else 0.0


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
