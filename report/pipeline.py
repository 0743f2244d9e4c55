"""The way through the house: homework file -> answers -> document -> PDF.

`build` writes the report, `check_table` runs the checks only, `trace_json` gives the trace; a `seed`
decides the random inputs of each. The PDF appears under its name only when everything has agreed and
all of it is written. `make` gives the PDFs of a homework with plain numbers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report import files
from report.answering import answers_of, placed
from report.attachments import HOMEWORK
from report.autodiff.trace import Trace
from report.doing import doing
from report.editions import EDITIONS
from report.errors import CheckError, ReportError, nearest, shown
from report.homework import variants
from report.homework.all_faults import all_faults, faults_of, together
from report.homework.homework import (
    FileFaults,
    Homework,
    place,
    read_homework,
    with_detail,
)
from report.homework.questions import date_text
from report.homework.traces import asked_of, trace_question, traces_of
from report.plain_values import as_path, as_text

if TYPE_CHECKING:
    from report.document import Answer
    from report.pdf.html_to_pdf import Pdf

_LONG = 10  # pages of a report without a list of contents
_VERSIONED = ("numpy", "sympy", "matplotlib", "jinja2", "weasyprint", "mathra")


@dataclass(frozen=True)
class Summary:
    """What `build` made."""

    path: Path
    questions: int
    gates: int
    checks: int
    pages: int
    seconds: float
    readings: tuple[str, ...] = ()  # what was chosen where a spelling could mean something else
    faults: tuple[str, ...] = ()  # what is not right with the author's own programs, in a draft

    def __str__(self) -> str:
        def count(n: int, what: str) -> str:
            return f"{n} {what}{'' if n == 1 else 's'}"

        checked = f"{count(self.checks, 'check')} passed, " if self.checks else ""
        line = (
            f"{self.path}: {count(self.questions, 'question')}, {count(self.gates, 'gate')}, "
            f"{checked}{count(self.pages, 'page')}, {self.seconds:.1f} s"
        )
        return "\n".join([line, *self.readings, *self.faults])


def build(
    homework: str | os.PathLike[str],
    out: str | os.PathLike[str],
    overrides: Mapping[str, Any] | None = None,
    inputs: str | os.PathLike[str] | None = None,
    seed: Any = None,
    edition: str = "solution",
    detail: str | None = None,
    standard: str = "ua-1",
    draft: bool = False,
) -> Summary:
    """Build the report of a homework file as a PDF, or as a web page where `out` ends in .html.

    `overrides` maps "q1.x1" to a value, `inputs` is a TOML file of values, `edition` one of EDITIONS,
    `detail` "brief" or "full" where it is not to be that of the file;
    `standard` is "ua-1" (with PDF/A-3a) or "ua-2" (PDF 2.0, with PDF/A-4f). The programs of their own that
    questions name are run; one that fails or differs is a failed check, unless it is a `draft`.
    Where `out` is a symbolic link, the file that it points to is written. Raises ReportError for bad
    input, CheckError (a ReportError) when two ways to a number do not agree; then nothing is written.
    """
    start = time.perf_counter()
    target = as_path(out)
    files.check_target(target, *(as_path(file) for file in (homework, inputs) if file is not None))
    edition = _edition(edition)
    work = with_detail(_read(homework, overrides, inputs, seed), detail)
    if target.suffix.lower() == ".html":
        return _build_page(work, target, edition, start, draft)
    made = make(work, (edition,), date_shown(), standard, draft=draft)
    files.write(target, made.pdfs[edition])
    return Summary(
        path=target,
        questions=len(made.traces),
        gates=sum(len(t.gates) for t in made.traces),
        checks=made.checks,
        pages=made.pdfs[edition].pages,
        seconds=time.perf_counter() - start,
        readings=_readings(work, made.traces),
        faults=made.faults,
    )


def _read(
    homework: str | os.PathLike[str],
    overrides: Mapping[str, Any] | None,
    inputs: str | os.PathLike[str] | None,
    seed: Any,
) -> Homework:
    """The homework of a file with plain numbers; ReportError with all that is wrong with the file."""
    doing("reading the homework")
    try:
        work = read_homework(homework, overrides, inputs)
    except FileFaults as error:
        raise all_faults(error) from None
    try:
        return variants.draw(work, seed)
    except ReportError as error:
        found = [placed for question in work.questions for placed in faults_of(work, question)]
        raise (together(found) if found else error) from None


def _build_page(work: Homework, target: Path, edition: str, start: float, draft: bool) -> Summary:
    if edition != "solution":
        raise ReportError(f"the edition {edition!r} is a PDF; let the output's name end in .pdf")
    answers, written = _page(work, draft=draft, own=True)
    files.write(target, written.encode())
    return Summary(
        path=target,
        questions=len(answers),
        gates=sum(len(a.trace.gates) for a in answers),
        checks=sum(a.verification.comparisons + a.verification.formulas for a in answers),
        pages=1,
        seconds=time.perf_counter() - start,
        readings=_readings(work, [a.trace for a in answers]),
        faults=_own_faults(work, answers),
    )


def _readings(work: Homework, traces: Sequence[Trace]) -> tuple[str, ...]:
    """A line for each question in which a spelling had to be chosen."""
    pairs = [
        (q.id, (*q.typed, *t.graph.readings)) for q, t in zip(work.questions, traces, strict=True)
    ]
    return tuple(f"{name}: {'; '.join(said)}" for name, said in pairs if said)


def page(work: Homework) -> str:
    """The solution of a homework with plain numbers as one HTML file for a browser, with MathML."""
    return _page(work)[1]


def _page(work: Homework, *, draft: bool = False, own: bool = False) -> tuple[list[Answer], str]:
    from report import document

    answers = answers_of(work, partial(document.view, browser=True), browser=True, own=own)
    _refuse(work, answers, draft)
    return answers, document.html(work, answers, making(work, date_shown()), browser=True)


def _edition(edition: Any) -> str:
    """An edition's name; ReportError for what is none."""
    own = as_text(edition)
    if own in EDITIONS:
        return str(own)
    near = nearest(own or "", EDITIONS) or f"; there are: {', '.join(EDITIONS)}"
    raise ReportError(f"there is no edition {shown(edition)}{near}")


@dataclass(frozen=True, eq=False)
class Made:
    """The PDFs of one homework by edition, the traces of its questions, and how many checks passed.

    `faults` says what is not right with the author's own programs, which a draft may have.
    """

    pdfs: Mapping[str, Pdf]
    traces: tuple[Trace, ...]
    checks: int
    faults: tuple[str, ...] = ()


def make(
    work: Homework,
    editions: Collection[str],
    date: str = "",
    standard: str = "ua-1",
    *,
    draft: bool = False,
) -> Made:
    """The PDFs of a homework with plain numbers, all of them from the same answers.

    `date` is the date of making to show, if any. A solution and a key are made only when everything
    agrees, a sheet holds no results to check. Raises ReportError for an unknown edition, else as
    `build`.
    """
    editions = tuple(map(_edition, editions))
    from report import document, pdf

    answers: list[Answer] = []
    if set(editions) - {"sheet"}:
        answers = answers_of(work, document.view if "solution" in editions else None, own=True)
        _refuse(work, answers, draft)
    from report.document.sheet_and_key import key, sheet

    traces = tuple(a.trace for a in answers) or tuple(traces_of(work).values())
    pdfs = {}
    for edition in editions:
        doing(f"setting the pages of the {edition}")
        if edition == "solution":
            pdfs[edition] = solution(work, answers, date, standard)
        else:
            pdfs[edition] = pdf.render(
                (sheet if edition == "sheet" else key)(work, traces), standard=standard
            )
    checks = sum(a.verification.comparisons + a.verification.formulas for a in answers)
    return Made(pdfs, traces, checks, _own_faults(work, answers))


def solution(
    work: Homework, answers: Sequence[Answer], date: str = "", standard: str = "ua-1"
) -> Pdf:
    """The PDF of answers in which everything agrees; the rest as for `make`."""
    from report import document, pdf
    from report.attachments import attachments
    from report.typeset import more_fonts

    made = making(work, date)
    page = document.html(work, answers, made)
    carried = attachments(work, answers, date, more_fonts.described(page))
    found = pdf.render(page, attachments=carried, standard=standard)
    if found.pages > _LONG and len(answers) > 1:
        page = document.html(work, answers, made, contents=True)
        found = pdf.render(page, attachments=carried, standard=standard)
    return found


def trace_json(
    homework: str | os.PathLike[str],
    question: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    inputs: str | os.PathLike[str] | None = None,
    seed: Any = None,
) -> str:
    """The trace of one question as JSON; of all questions, by id, when there are several."""
    import json

    work = _read(homework, overrides, inputs, seed)
    traces = traces_of(work, None if question is None else work.question(question))
    if len(traces) == 1:
        (name, found), *_ = traces.items()
        return found.to_json(_asked(work, name, found))
    whole = {
        "format": "report-traces",
        "version": 2,
        "questions": {
            name: found.to_dict() | _asked(work, name, found) for name, found in traces.items()
        },
    }
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _asked(work: Homework, name: str, found: Trace) -> dict[str, Any]:
    question = work.question(name)
    with placed(work, question):
        return asked_of(question, found)


def check_table(
    homework: str | os.PathLike[str],
    overrides: Mapping[str, Any] | None = None,
    inputs: str | os.PathLike[str] | None = None,
    seed: Any = None,
) -> tuple[str, bool]:
    """The checks of every question as text, and whether all passed."""
    from report.checks import table

    work = _read(homework, overrides, inputs, seed)
    texts, good = [], True
    for answer in answers_of(work, own=True):
        question, found = answer.question, answer.verification
        faults = [run.fault for run in answer.own if run.fault]
        good = good and not found.failures and not faults
        texts.append(
            "\n".join(
                [
                    *_readings(replace(work, questions=(question,)), [answer.trace]),
                    f"{question.id}: {found.passed} of {found.comparisons} comparisons agree, {found.formulas} printed formulas read back",
                    table(found),
                    *found.failures,
                    *faults,
                ]
            )
        )
    return "\n\n".join(texts) + "\n", good


def check_own(
    homework: str | os.PathLike[str],
    *,
    program: str | os.PathLike[str] | None = None,
    answers: str | os.PathLike[str] | None = None,
    question: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    inputs: str | os.PathLike[str] | None = None,
    seed: Any = None,
) -> tuple[str, bool]:
    """A student's own program (it is run) or numbers against one question, as text; whether all agree."""
    from report import student

    work = _read(homework, overrides, inputs, seed)
    asked = work.question(question)
    with placed(work, asked):
        found = trace_question(asked)
    if program is None:
        assert answers is not None
        own = student.diagnose(found, student.read_answers(answers, asked.id, found.letter))
        return f"{asked.id}: {answers}\n{student.table(own)}\n", own.agrees
    run = student.check_program(found, student.read_program(program))
    said = [f"{asked.id}: {run.program.name}, run in {run.ended.seconds:.1f} s"]
    said += [run.ended.fault] if run.ended.fault else []
    said += [student.table(run.work)] if run.work.printed else [run.fault] if not said[1:] else []
    return "\n".join(said) + "\n", not run.fault


def date_shown() -> str:
    """The date of SOURCE_DATE_EPOCH in words; without it a report shows no date of its making."""
    from datetime import UTC, datetime

    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not epoch:
        return ""
    try:
        made = datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError):
        raise ReportError(
            f"SOURCE_DATE_EPOCH is {epoch[:40]!r}; it is a number of seconds"
        ) from None
    return date_text(made.date())


def making(work: Homework, date: str = "") -> dict[str, Any]:
    """How to make the document again: the command, the homework as used, versions and date."""
    return {
        "command": f"report build {HOMEWORK}",
        "date": date,
        "file": work.to_toml().rstrip("\n"),
        "versions": versions(),
    }


@cache
def versions() -> Mapping[str, str]:
    """What makes a report, by name: this program, Python and the libraries that matter."""
    import platform
    from importlib.metadata import version

    from report.version import __version__

    own = {"report": __version__, "Python": platform.python_version()}
    return own | {name: version(name) for name in _VERSIONED}


def _own_faults(work: Homework, answers: Sequence[Answer]) -> tuple[str, ...]:
    """What is not right with the author's own programs."""
    own = ((a.question, run) for a in answers for run in a.own)
    return tuple(f"{place(work, question)}: {run.fault}" for question, run in own if run.fault)


def _refuse(work: Homework, answers: Sequence[Answer], draft: bool = False) -> None:
    """No report when two ways to a number do not agree; in a draft, those of a student's program may."""
    faults = _own_faults(work, answers)
    if faults and not draft:
        hint = "With --draft there is a report all the same, which says so."
        raise CheckError("\n".join(["a program of your own is not right:", *faults, hint]))
    from report.autodiff.jacobian import TOLERANCE, part_error

    failures = [
        f"{place(work, a.question)}: {failure}"
        for a in answers
        for failure in a.verification.failures
    ]
    failures += [
        f"{place(work, a.question)}: the Hessian differs from differences of the gradient by "
        f"{a.work.curvature.error:.1e} of its largest entry"
        for a in answers
        if a.work.curvature is not None and not a.work.curvature.agrees
    ]
    for a in answers:
        for name in (name for name, at in a.trace.parts if not at):
            error = part_error(a.trace, name)
            if error is not None and error > TOLERANCE:
                failures.append(f"{place(work, a.question)}: the gradient by {name} differs")
        if a.work.jacobian is not None and not a.work.jacobian.agrees:
            failures.append(f"{place(work, a.question)}: the Jacobian differs from differences")
        if a.work.forward is not None and not a.work.forward.agrees:
            failures.append(
                f"{place(work, a.question)}: forward mode differs from the backward pass"
            )
    if failures:
        shown = failures[:10] + [f"... and {len(failures) - 10} more"] * (len(failures) > 10)
        raise CheckError("a check failed, so there is no report:\n" + "\n".join(shown))
