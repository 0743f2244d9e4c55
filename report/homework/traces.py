"""The traces of a homework's questions."""

from __future__ import annotations

from typing import Any

from report.autodiff import unselected_branches
from report.autodiff.descent import descend
from report.autodiff.differentiate import trace
from report.autodiff.hessian import curvature
from report.autodiff.inputs import read_inputs
from report.autodiff.jacobian import Forward, forward_mode, jacobian
from report.autodiff.parser import is_latex
from report.autodiff.trace import Trace
from report.errors import ReportError
from report.homework.all_faults import Placed, faults_of, together
from report.homework.homework import Homework, Question


def trace_question(question: Question) -> Trace:
    """The trace of a question with the inputs it has, with every value in its gate's domain."""
    q = question
    found = trace(q.function, q.inputs, q.wrt, q.unfolded, q.start)
    if found.unchosen:
        raise ReportError(f"{found.unchosen}\n{unselected_branches.REMEDY}")
    return found


def asked_of(question: Question, trace: Trace) -> dict[str, Any]:
    """What a question asks for beyond its trace, as it stands in the trace's JSON."""
    more: dict[str, Any] = {}
    if question.hessian:
        more["hessian"] = curvature(trace).to_dict()
    if question.plan is not None:
        more["steps"] = descend(trace, question.plan).to_dict()
    if question.jacobian:
        more["jacobian"] = jacobian(trace).to_dict()
    if question.direction is not None:
        more["direction"] = forward_of(question, trace).to_dict()
    return more


def forward_of(question: Question, trace: Trace) -> Forward:
    """Forward mode along the direction of a question."""
    try:
        direction = read_inputs(question.direction or {}, is_latex(question.function))
    except ReportError as error:
        raise ReportError(f"direction: {error}") from None
    return forward_mode(trace, direction)


def traces_of(work: Homework, only: Question | None = None) -> dict[str, Trace]:
    """The traces of all questions, or of one, by id; ReportError with all that is wrong with them."""
    traces: dict[str, Trace] = {}
    found: list[Placed] = []
    for question in work.questions if only is None else (only,):
        try:
            traces[question.id] = trace_question(question)
        except ReportError as error:
            found += faults_of(work, question, error)
    if found:
        raise together(found)
    return traces
