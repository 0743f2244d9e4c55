"""What is found about one question: the work before its programs have run, and the answer after."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from report.autodiff.descent import Descent
    from report.autodiff.hessian import Curvature
    from report.autodiff.jacobian import Forward, Jacobian
    from report.autodiff.trace import Trace
    from report.checks import Verification
    from report.derivation import Derivation
    from report.derivation.elements import Sentence
    from report.derivation.hessian_blocks import SecondDerivative
    from report.figure import Figure
    from report.homework.homework import Question
    from report.program import Output, Program
    from report.student import OwnRun


DIALECTS = {"python": "Python program", "numpy": "NumPy program"}
MANY = 40  # entries of a question's tensors beyond which only the vectorised program is shown


@dataclass(frozen=True, eq=False)
class ProgramRun:
    """A generated program and what it printed.

    `same_as` is the name of a program before it that printed the same numbers, line by line; "" if there is none.
    """

    program: Program
    output: Output
    same_as: str = ""


@dataclass(frozen=True, eq=False)
class Work:
    """What is found about one question before its programs have run."""

    question: Question
    trace: Trace
    derivation: Derivation
    figure: Figure
    curvature: Curvature | None
    programs: tuple[Program, ...]  # also those that are not possible, which say why
    descent: Descent | None = None  # the steps that are asked for
    jacobian: Jacobian | None = None
    forward: Forward | None = None  # forward mode along a direction
    detail: str = "brief"  # or "full": every step apart
    any_entry: Derivation | None = None  # the gradients of any entry of the result, a vector
    second: tuple[SecondDerivative, ...] = ()  # what of the curvature is a short formula

    @property
    def legend(self) -> tuple[Sentence, ...]:
        """What the signs of the steps mean, as many as are shown."""
        told = self.derivation
        return told.full_legend if self.detail == "full" else told.legend


@dataclass(frozen=True, eq=False)
class Answer:
    """Everything found about one question; `shown` is what `view` makes of the work."""

    work: Work
    runs: tuple[ProgramRun, ...]
    verification: Verification
    shown: Mapping[str, Any]
    loop: ProgramRun | None = None  # the program of the steps
    steps_checked: int = 0  # numbers of the steps that its output confirms
    own: tuple[OwnRun, ...] = ()  # the student's own programs

    @property
    def question(self) -> Question:
        """The question."""
        return self.work.question

    @property
    def trace(self) -> Trace:
        """Its trace."""
        return self.work.trace

    @property
    def shown_runs(self) -> tuple[ProgramRun, ...]:
        """The programs that the report shows: those asked for, or as many as have room.

        All of them are checked, and stand inside the file.
        """
        asked = self.question.programs
        if asked is None:
            tensors = [q.node.shape for q in (*self.trace.inputs, *self.trace.gates)]
            many = sum(math.prod(shape) for shape in tensors if shape) > MANY
            asked = ("numpy",) if many else tuple(DIALECTS)
        return tuple(run for run in self.runs if run.program.dialect in asked) or self.runs
