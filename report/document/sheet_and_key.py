"""Other editions of a homework: the sheet that a student fills in, the key that a teacher marks by.

Both are HTML in the design of the report. A sheet holds the statement, the inputs, the graph without
numbers and tables without entries; a key holds the results and how far an answer may be from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from report import number_format, resources
from report.autodiff.trace import Quantity, Trace
from report.derivation import Derivation, derive, parts
from report.derivation.latex.symbols import GRADIENT, entry_symbol, partial, symbol, tensor
from report.document import environment
from report.document.formulas import EM, PDF, given, safe
from report.document.further_views import blanks, listed
from report.document.statement import inline, render
from report.document.views import graph, tells
from report.errors import ReportError
from report.homework import written_answers
from report.homework.homework import Homework, Question, place

LINE = 6.0  # millimetres that a handwritten line takes
MAX_LINES = 4  # of a tensor's entries; a larger one gets a page of the student's own
MAX_COLUMNS = 4  # of a matrix for which half the width of a page is enough
MAX_GATES = 100  # in the tables of a sheet; what is between the first and the last is left out
TALL = 12.0  # millimetres of a row between which and its neighbours a page may end
MAX_KEPT = 110.0  # millimetres of a table that stays on one page
MAX_ENTRIES = 12  # of a gradient that a key lists one by one


def sheet(homework: Homework, traces: Sequence[Trace]) -> str:
    """The sheet of a homework. Raises ReportError for text or LaTeX that cannot be set.

    How to fill in a graph is said once, and a graph may go on overleaf.
    """
    views = _each(homework, traces, _blank)
    told: set[str] = set()
    for view in views:
        caption = view["figure"]["caption"]
        view["figure"]["caption"] = [s for s in caption if s not in told]
        told.update(caption)
    return _page("sheet.html.j2", homework, views)


def key(homework: Homework, traces: Sequence[Trace]) -> str:
    """The key of a homework: every value asked for, and the numbers between which an answer is right."""
    return _page("key.html.j2", homework, _each(homework, traces, _results), tolerance=_percent())


def _percent() -> str:
    return f"{100 * written_answers.TOLERANCE:g} %"


def _page(template: str, homework: Homework, answers: list[Any], **more: Any) -> str:
    css = safe(resources.path("assets/report.css").read_text(encoding="utf-8"))
    found = environment(PDF).get_template(template)
    return found.render(homework=homework, answers=answers, css=css, **more)


def _each(homework: Homework, traces: Sequence[Trace], view: Any) -> list[dict[str, Any]]:
    views = []
    for number, (question, trace) in enumerate(zip(homework.questions, traces, strict=True), 1):
        try:
            heading = {
                "id": question.id,
                "number": number,
                "title": safe(inline(question.title, PDF.math)),
                "points": question.points,
            }
            views.append(heading | view(question, trace))
        except ReportError as error:
            raise ReportError(f"{place(homework, question)}: {error}") from None
    return views


# ---------------------------------------------------------------- the sheet


def _blank(question: Question, trace: Trace) -> dict[str, Any]:
    from report import figure

    derivation = derive(trace)
    gates = trace.gates
    if len(gates) > MAX_GATES:
        gates = (*gates[: MAX_GATES // 2], *gates[-MAX_GATES // 2 :])
    symbols = {row.quantity.name: f"{row.name} = {row.symbols}" for row in derivation.forward}
    back = [q for q in gates[::-1] if q.node in trace.needed and q.gradient is not None]
    backward = [_backward(derivation, trace, q) for q in back]
    return {
        "statement": safe(render(question.statement, PDF.math)) if question.statement else "",
        "f": derivation.function,
        "formula": [] if tells(question.statement, derivation) else PDF.function_lines(derivation),
        "inputs": [PDF.display(given(q)) for q in trace.inputs],
        "figure": {**graph(PDF, figure.draw(trace, numbers=False)), "whole": False},
        "forward": [
            {
                "number": q.number,
                "symbols": PDF.display(symbols[q.name], 70 / EM),
                "height": _height(q),
            }
            for q in gates
        ],
        "backward": backward,
        "short": [
            _stays_whole([_height(q) for q in gates]),
            _stays_whole([row["height"] for row in backward]),
        ],
        "tall": TALL,
        "left_out": len(trace.gates) - len(gates),
        "gradients": [
            {
                "name": PDF.tex(partial(derivation.function, symbol(q.name, q.node.shape))),
                "height": _height(q),
                "narrow": q.node.shape[1:] <= (MAX_COLUMNS,),
            }
            for q in trace.inputs
            if q.name in trace.gradients
        ]
        + [
            {"name": PDF.tex(part), "height": LINE, "narrow": True}
            for part in parts.names(trace, derivation.function)
        ],
        "further": blanks(PDF, question, trace, derivation),
    }


def _backward(derivation: Derivation, trace: Trace, q: Quantity) -> dict[str, Any]:
    """A gate's row: its gradient, and for each argument the local derivative.

    A gate that mixes the entries of tensors has none that could be written down; there the row asks for
    what goes down to the argument instead.
    """
    own = symbol(q.name, q.node.shape)
    of = own if q.node.gate.elementwise or not q.node.shape else derivation.function
    args = dict.fromkeys(a for a in q.node.args if a in trace.needed)
    names = [_slash(of, symbol(trace.name_of(a), a.shape)) for a in args]
    rows = [_height(trace.quantities[a]) for a in args]
    return {
        "number": q.number,
        "gradient": PDF.tex(_slash(derivation.function, own)),
        "height": max(_height(q), sum(rows)),
        "local": [
            {"name": PDF.tex(name), "height": height}
            for name, height in zip(names, rows, strict=True)
        ],
    }


def _stays_whole(rows: Sequence[float]) -> bool:
    """Whether a table of rows of these heights stays on one page."""
    return sum(rows) <= MAX_KEPT and max(rows, default=0.0) < TALL


def _slash(of: str, by: str) -> str:
    return rf"\partial {of} / \partial {by}"


def _height(q: Quantity) -> float:
    """Room for the entries in handwriting, in millimetres."""
    rows = q.node.shape[0] if q.node.shape else 1
    return LINE * min(rows, MAX_LINES) + 1.0


# ---------------------------------------------------------------- the key


def _results(question: Question, trace: Trace) -> dict[str, Any]:
    f = symbol(trace.letter)
    asked: list[tuple[str, float]] = [(f, trace.value)]
    large = []
    for name, gradient in trace.gradients.items():
        array = np.asarray(gradient)
        by = symbol(name, array.shape)
        if array.size > MAX_ENTRIES:
            large.append(PDF.display(f"{partial(f, by)} = {tensor(array, GRADIENT)}"))
            continue
        asked += [
            (_slash(f, entry_symbol(name, at, array.shape)), float(array[at]))
            for at in np.ndindex(array.shape)
        ]
    more, formulas = listed(question, trace, f)
    large += [PDF.display(text) for text in (*formulas, *parts.lines(trace, f))]
    asked += [(name, value) for name, value, _ in more]
    is_gradient = {name: slope for name, _, slope in more}
    names, values = zip(*asked, strict=True)
    most = [written_answers.allowed(value, np.inf) for value in values]
    columns = (
        number_format.column(values),
        number_format.column([v - m for v, m in zip(values, most, strict=True)]),
        number_format.column([v + m for v, m in zip(values, most, strict=True)]),
    )
    rows = [
        {
            "name": PDF.tex(name),
            "value": value,
            "low": low,
            "high": high,
            "gradient": is_gradient.get(name, name != f),
        }
        for name, value, low, high in zip(names, *columns, strict=True)
    ]
    return {"rows": rows, "large": large}
