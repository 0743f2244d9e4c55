"""The traces of a homework's questions."""

from __future__ import annotations

from report.autodiff import unselected_branches
from report.autodiff.differentiate import trace
from report.autodiff.trace import Trace
from report.errors import ReportError
from report.homework.homework import Homework, Question, place


def trace_question(question: Question) -> Trace:
    """The trace of a question with the inputs it has, with every value in its gate's domain."""
    found = trace(question.function, question.inputs, question.wrt, question.unfold or ())
    if found.unchosen:
        raise ReportError(f"{found.unchosen}\n{unselected_branches.REMEDY}")
    return found


def traces_of(work: Homework, only: Question | None = None) -> dict[str, Trace]:
    """The traces of all questions, or of one, by id."""
    traces = {}
    for question in work.questions if only is None else (only,):
        try:
            traces[question.id] = trace_question(question)
        except ReportError as error:
            raise ReportError(f"{place(work, question)}: {error}") from None
    return traces
