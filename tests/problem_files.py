"""The files in problems/. All tests of one file share a worker, so that what several need is made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import pytest

from report import answering, document, figure, pipeline, readback
from report.autodiff.trace import Trace
from report.derivation import Derivation
from report.document import Answer
from report.homework.homework import Homework, read_homework
from report.homework.variants import draw
from report.readback import ReadBack

PROBLEMS = sorted((Path(__file__).parents[1] / "problems").glob("*.toml"))
HOMEWORK1 = next(path for path in PROBLEMS if path.stem == "homework1")


def of(name: str) -> pytest.MarkDecorator:
    """The mark of the tests of one file, by its name without its ending."""
    return pytest.mark.xdist_group(f"problem {name}")


def each_problem(*, without: str = "") -> pytest.MarkDecorator:
    """A test of each file, `problem`, but for one."""
    chosen = [path for path in PROBLEMS if path.stem != without]
    cases = [pytest.param(path, id=path.stem, marks=of(path.stem)) for path in chosen]
    return pytest.mark.parametrize("problem", cases)


@dataclass(frozen=True, eq=False)
class Answered:
    """A file with the answers to its questions, as a build finds them."""

    work: Homework
    answers: Sequence[Answer]
    first_read: Sequence[ReadBack]  # of each question, before what cannot be read is left out

    @property
    def html(self) -> str:
        """What a build writes for a browser."""
        shown = []
        for answer in self.answers:
            drawn = figure.draw(answer.trace, browser=True)
            work = replace(answer.work, figure=drawn)
            view = document.view(work, browser=True)
            shown.append(replace(answer, work=work, shown=view))
        making = pipeline.making(self.work, pipeline.date_shown())
        return document.html(self.work, shown, making, browser=True)


@lru_cache(maxsize=2)  # the tests of a file follow each other
def answered(problem: Path) -> Answered:
    """The answers of a file, from which a build makes its PDF and its page for a browser."""
    work = draw(read_homework(problem))
    first_read: dict[Trace, ReadBack] = {}
    read_back = readback.read_back

    def noted(trace: Trace, derivation: Derivation) -> ReadBack:
        found = read_back(trace, derivation)
        first_read.setdefault(trace, found)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readback, "read_back", noted)
        answers = answering.answers_of(work, document.view)
    return Answered(work, answers, [first_read[answer.trace] for answer in answers])
