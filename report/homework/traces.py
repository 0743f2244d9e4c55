"""The traces of a homework's questions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from report.autodiff import unselected_branches
from report.autodiff.descent import descend
from report.autodiff.differentiate import trace
from report.autodiff.gates.definitions import opened
from report.autodiff.hessian import curvature
from report.autodiff.inputs import read_inputs
from report.autodiff.jacobian import Forward, forward_mode, jacobian
from report.autodiff.parser import is_latex
from report.autodiff.trace import Trace
from report.errors import MAX_FAULTS, Faults, ReportError, joined
from report.homework.homework import FileFaults, Homework, Question, located
from report.homework.random_inputs import is_random


def trace_question(question: Question) -> Trace:
    """The trace of a question with the inputs it has, with every value in its gate's domain."""
    entry = () if question.jacobian and question.entry is None else question.entry
    unfold = opened() if question.unfold is None else question.unfold
    found = trace(question.function, question.inputs, question.wrt, unfold, entry)
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
    direction = read_inputs(question.direction or {}, is_latex(question.function))
    return forward_mode(trace, direction)


def traces_of(work: Homework, only: Question | None = None) -> dict[str, Trace]:
    """The traces of all questions, or of one, by id."""
    traces: dict[str, Trace] = {}
    faults = Faults()
    trace_all(work, work.questions if only is None else (only,), traces, faults)
    faults.end()
    return traces


def trace_all(
    work: Homework, questions: Iterable[Question], traces: dict[str, Trace], faults: Faults
) -> None:
    """Trace the questions that can be traced; what is wrong with the others is noted."""
    for question in questions:
        with faults.collected():
            try:
                traces[question.id] = trace_question(question)
            except ReportError as error:
                raise located(work, question, error) from None


def all_faults(error: FileFaults) -> ReportError:
    """What is wrong with a file, and what is with the functions of the questions that can be read."""
    faults = Faults()
    faults.found = list(error.faults)
    plain = [q for q in error.readable.questions if not any(map(is_random, q.inputs.values()))]
    try:
        trace_all(error.readable, plain[: MAX_FAULTS - len(faults.found)], {}, faults)
    except ReportError as whole:
        return whole
    return joined(faults.found)
