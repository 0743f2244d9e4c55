"""What a question asks beyond values and gradients, number by number: J[0,1], H[0,1], tangent, step2.f, step2.w[0].

These are also the names of the columns in which a class answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from report.autodiff.descent import descend
from report.autodiff.hessian import curvature
from report.autodiff.jacobian import jacobian
from report.autodiff.trace import Trace
from report.homework.homework import Question
from report.homework.traces import forward_of

JACOBIAN, HESSIAN, TANGENT, STEP = "J", "H", "tangent", "step"
Place = tuple[int, ...]


@dataclass(frozen=True)
class Further:
    """A number: the kind, its value, and what tells it from the others of the kind.

    `name` and `place` are the input (or "" for the function's value) of a step, of a column of a
    Jacobian and of the second input of a Hessian; `row` is the entry of the result of a Jacobian, `by` the
    first input of a Hessian with its place, `step` counts from 1, `at` is the place in the matrix.
    """

    kind: str
    value: float
    name: str = ""
    place: Place = ()
    row: Place = ()
    by: tuple[str, Place] = ("", ())
    step: int = 0
    at: Place = ()

    @property
    def column(self) -> str:
        """The name by which the number is answered."""
        if self.kind == STEP:
            return f"step{self.step}.{_indexed(self.name or 'f', self.place)}"
        return _indexed(self.kind, self.at)


def _indexed(name: str, place: Place) -> str:
    return f"{name}[{','.join(map(str, place))}]" if place else name


def further_answers(question: Question, trace: Trace) -> tuple[Further, ...]:
    """All such numbers of a question: of its Hessian, Jacobian, direction and steps."""
    return (
        *_hessian(question, trace),
        *_jacobian(question, trace),
        *_tangent(question, trace),
        *_steps(question, trace),
    )


def _hessian(question: Question, trace: Trace) -> Iterator[Further]:
    found = curvature(trace) if question.hessian else None
    if found is None or found.direction is not None:
        return
    for i, by in enumerate(found.labels):
        for j, (name, place) in enumerate(found.labels[i:], i):  # it is symmetric
            yield Further(HESSIAN, float(found.matrix[i, j]), name, place, by=by, at=(i, j))


def _jacobian(question: Question, trace: Trace) -> Iterator[Further]:
    if question.jacobian:
        found = jacobian(trace)
        for i, row in enumerate(found.rows):
            for j, (name, place) in enumerate(found.columns):
                value = float(found.matrix[i, j])
                yield Further(JACOBIAN, value, name, place, row=row, at=(i, j))


def _tangent(question: Question, trace: Trace) -> Iterator[Further]:
    if question.direction is not None:
        yield Further(TANGENT, forward_of(question, trace).value)


def _steps(question: Question, trace: Trace) -> Iterator[Further]:
    if question.plan is None:
        return
    found = descend(trace, question.plan)
    for step in range(1, len(found.values)):
        yield Further(STEP, found.values[step], step=step)
        for name, point in found.points[step].items():
            for place in np.ndindex(np.shape(point)):
                yield Further(STEP, float(np.asarray(point)[place]), name, place, step=step)
