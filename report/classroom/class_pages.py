"""The pages of a whole class: the key of all students, and what the class gets wrong."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from markupsafe import Markup

from report import number_format
from report.derivation.latex.symbols import symbol
from report.document.formulas import PDF
from report.document.sheet_and_key import _page, _percent, _slash
from report.homework.homework import Homework


@dataclass(frozen=True)
class StudentResult:
    """One student's results for the key of a class."""

    id: str
    name: str
    seed: str
    lines: tuple[Markup, ...]  # one for each question


def class_key(homework: Homework, entries: Iterable[StudentResult]) -> str:
    """The results of every student, one after the other."""
    return _page("class-key.html.j2", homework, list(entries), tolerance=_percent())


def class_errors(homework: Homework, students: int, tally: Mapping[str, Mapping[str, int]]) -> str:
    """Which values and gradients a class gets wrong: a picture and a table (see `report.grading`)."""
    from report.classroom.error_plot import label, plot, worst

    svg, height = plot(tally)
    shown = worst(tally)
    said = "; ".join(f"{label(n)}: {c['wrong']} wrong" for n, c in shown.items())
    picture = {"src": _embedded(svg), "alt": f"Bars of wrong answers. {said}.", "height": height}
    return _page(
        "grades.html.j2",
        replace(homework, author="", student_id="", seed=""),
        [(label(name), counts) for name, counts in shown.items()],
        picture=picture,
        students=students,
        total=sum(sum(counts.values()) for counts in tally.values()),
        left_out=len(tally) - len(shown),
        verdicts=list(next(iter(tally.values()), {})),
    )


def result_line(question: str, answer: Mapping[str, Any]) -> Markup:
    """The results of one question in one line: q1: f = 0.336, ∂f/∂w₁ = 0.0315."""
    f = symbol(answer["name"])
    said: list[tuple[str, str]] = [(f, number_format.show(answer["f"]))]
    for name, gradient in answer["gradients"].items():
        said.append((_slash(f, symbol(name, np.shape(gradient))), _flat(gradient)))
    pairs = (Markup("{} = {}").format(PDF.tex(name), number) for name, number in said)
    return Markup("{}: {}").format(question, Markup(",&ensp; ").join(pairs))


def _flat(value: Any) -> str:
    """A number, or a tensor on one line: [1 2; 3 4]."""
    array = np.asarray(value)
    if not array.ndim:
        return number_format.show(array)
    rows = array.reshape(-1, array.shape[-1]) if array.ndim > 1 else array.reshape(1, -1)
    return f"[{'; '.join(' '.join(number_format.show(v) for v in row) for row in rows)}]"


def _embedded(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
