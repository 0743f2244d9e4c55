"""A question -> everything about it: derived, drawn, programmed, run, read back and checked.

`answers_of` answers all questions of a homework; the programs of the next ones run while one is written.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.autodiff.descent import Descent, descend
from report.autodiff.trace import Trace
from report.doing import doing
from report.errors import ReportError
from report.homework.homework import Homework, Question, located
from report.homework.traces import forward_of, traces_of

if TYPE_CHECKING:
    from report.derivation import Derivation
    from report.document import Answer, Work
    from report.figure import Figure
    from report.program import Program, Running
    from report.readback import ReadBack
    from report.student import OwnRun

Side = tuple[str, str, Any]  # what is told, its formula, its numbers
_AHEAD = 3  # questions whose programs run at a time


def answers_of(
    work: Homework,
    view: Callable[[Work], Mapping[str, Any]] | None = None,
    *,
    browser: bool = False,
    own: bool = False,
) -> list[Answer]:
    """Everything about every question, and what `view` makes of it; programs run in the meantime.

    For a `browser` the figures have elements that a script finds. With `own` the student's own programs
    are run too.
    """
    doing("forward and backward pass")
    traces = traces_of(work)  # so that all faults are found before anything is run
    begun: deque[_Begun] = deque()
    answers: list[Answer] = []
    waiting = deque(work.questions)
    while waiting or begun:
        while waiting and len(begun) < _AHEAD:
            question = waiting.popleft()
            begun.append(_begin(work, question, traces[question.id]))
        answers.append(_finish(begun.popleft(), view, browser))
        if own and answers[-1].question.program:
            answers[-1] = replace(answers[-1], own=_own(work, answers[-1]))
    return answers


def _own(work: Homework, answer: Answer) -> tuple[OwnRun, ...]:
    """The student's own programs of a question, run and checked."""
    from report import student

    runs = []
    with placed(work, answer.question):
        for name in answer.question.program:
            own = student.read_program(own_file(work.path, name))
            runs.append(student.check_program(answer.trace, own))
    return tuple(runs)


def own_file(homework: Path, name: str) -> Path:
    """Where a program that a homework names is: beside it. ReportError for a link to elsewhere."""
    folder = homework.parent
    if (folder / name).resolve().parent != folder.resolve():
        raise ReportError(f"program {name} leads out of the folder of the homework file")
    return folder / name


@dataclass(frozen=True, eq=False)
class _Begun:
    """A question with its trace, whose programs run."""

    work: Homework
    question: Question
    trace: Trace
    written: tuple[Program, ...]
    running: tuple[Running, ...]
    descent: Descent | None
    loop: Running | None


def _begin(work: Homework, question: Question, found: Trace) -> _Begun:
    from report import program

    with placed(work, question):
        written = programs_of(work, question, found)
        # NumPy takes the longest to start.
        running = [program.start(p) for p in reversed(written) if p.source]
        descent = None if question.plan is None else descend(found, question.plan)
        loop = None if descent is None else loop_of(question, found, descent)
        looping = program.start(loop) if loop is not None and loop.source else None
        return _Begun(work, question, found, written, tuple(reversed(running)), descent, looping)


def loop_of(question: Question, found: Trace, descent: Descent) -> Program:
    """The program of the steps of a question."""
    from report.program.loop import generate_loop

    return generate_loop(found, descent, f"{question.id}_steps.py")


def programs_of(work: Homework, question: Question, found: Trace) -> tuple[Program, ...]:
    """The programs of a question: with the standard library, and with NumPy where there are tensors."""
    from report import program

    written = [program.generate(found, dialect="python", name=f"{question.id}.py")]
    if any(q.node.shape for q in (*found.inputs, *found.gates)):
        name = f"{question.id}_numpy.py"
        written.append(program.generate(found, dialect="numpy", name=name))
    return tuple(written)


def _finish(
    begun: _Begun, view: Callable[[Work], Mapping[str, Any]] | None, browser: bool
) -> Answer:
    from report import figure, program
    from report.checks import verify
    from report.derivation import derive
    from report.derivation.descent import updates_in_numbers
    from report.document import Answer, ProgramRun
    from report.program.loop import check_loop
    from report.readback import printable, read_back, read_sides

    name = f"question {begun.question.id}: "
    with placed(begun.work, begun.question):
        found = begun.trace
        doing(f"{name}deriving")
        derivation = derive(found)
        doing(f"{name}reading every formula back")  # while the programs run
        derivation, read = printable(derivation, read_back(found, derivation))
        doing(f"{name}drawing the graph")
        drawn = figure.draw(found, browser=browser)
        done = work_of(
            begun.work, begun.question, derivation, drawn, found, begun.written, begun.descent
        )
        sides, put_in = _of_steps(done)
        read += read_sides(found, sides, put_in=put_in)
        done, more = with_second_derivatives(done)
        read += more
        done, more = _with_any_entry(done)
        read += more
        for side, names in updates_in_numbers(begun.descent) if begun.descent else ():
            read += read_sides(found, [side], names)
        doing(f"{name}setting formulas")
        shown = view(done) if view else {}
        doing(f"{name}waiting for its programs")
        runs: list[ProgramRun] = []
        printed: dict[str, program.Printed] = {}
        for r in begun.running:
            output = program.finish(r)
            numbers = program.parse_output(output.text, found)
            same = (run.program.name for run in runs if numbers.same(printed[run.program.dialect]))
            runs.append(ProgramRun(r.program, output, next(same, "")))
            printed[r.program.dialect] = numbers
        doing(f"{name}checking every gradient")
        checked = verify(found, derivation, printed, read)
        loop, confirmed = None, 0
        if begun.loop is not None and begun.descent is not None:
            loop = ProgramRun(begun.loop.program, program.finish(begun.loop))
            confirmed = check_loop(begun.descent, loop.output.text)
        return Answer(done, tuple(runs), checked, shown, loop, confirmed)


def work_of(
    homework: Homework,
    question: Question,
    derivation: Derivation,
    drawn: Figure,
    found: Trace,
    programs: tuple[Program, ...],
    descent: Descent | None,
) -> Work:
    """A question with all that it asks for beside its derivation."""
    from report.autodiff.hessian import curvature
    from report.autodiff.jacobian import jacobian
    from report.document import Work

    return Work(
        question,
        found,
        derivation,
        drawn,
        curvature(found) if question.hessian else None,
        programs,
        descent,
        jacobian(found) if question.jacobian else None,
        forward_of(question, found) if question.direction is not None else None,
        homework.detail,
    )


def with_second_derivatives(work: Work) -> tuple[Work, ReadBack]:
    """The work with the formulas of second derivatives that can be read back."""
    from report.readback import ReadBack, readable

    if work.curvature is None:
        return work, ReadBack(0, (), ())
    second, read = readable(work.trace, work.derivation, work.curvature)
    return replace(work, second=second), read


def _with_any_entry(work: Work) -> tuple[Work, ReadBack]:
    """The work with the gradients of any entry of a vector, read back at every entry."""
    from report.derivation.any_entry import at_entry, of_any_entry
    from report.readback import ReadBack, printable, read_back

    read = ReadBack(0, (), ())
    if work.jacobian is None or len(work.jacobian.rows[0]) != 1:
        return work, read
    derivation = of_any_entry(work.trace)
    for (at,) in work.jacobian.rows:
        derivation, own = printable(derivation, read_back(*at_entry(work.trace, derivation, at)))
        read += own
    return replace(work, any_entry=derivation), read


def _of_steps(work: Work) -> tuple[list[Side], list[Side]]:
    """The formulas of first steps, which stand beside a derivation; then those with numbers put in."""
    from report.derivation.descent import first_steps

    steps = first_steps(work.trace, work.descent) if work.descent is not None else ()
    sides: list[Side] = [(step.left, step.side, step.value) for step in steps]
    return sides, [(step.left, step.put_in, step.value) for step in steps if step.put_in]


@contextlib.contextmanager
def placed(work: Homework, question: Question) -> Iterator[None]:
    """Messages say which question they are about."""
    try:
        yield
    except ReportError as error:
        raise located(work, question, error) from None
