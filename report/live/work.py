"""What the page's worker computes: the graph and the numbers at once, then the document, then files.

Each function takes the homework's text and a question's id, and returns HTML or the bytes of a file.
Formulas are read, never run; only `with_runs` and `download` run programs, those that are generated.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from report import answering, checks, derivation, document, figure, number_format, pipeline, student
from report.autodiff.descent import descend
from report.autodiff.parser.latex.names import normal
from report.autodiff.trace import Trace, as_lists
from report.derivation import Derivation
from report.derivation.latex.symbols import GRADIENT, symbol, tensor
from report.derivation.latex.symbols import partial as partial_symbol
from report.document.formulas import BROWSER
from report.editions import EDITIONS
from report.errors import ReportError
from report.homework import variants
from report.homework.guesses import guess
from report.homework.homework import Homework, Question, read_homework_text
from report.homework.traces import trace_question
from report.readback import ReadBack, printable, read_back

MAX_GATES = 3000  # of a question on the live page
MAX_LINES, MAX_WIDTH = 60, 200  # of what a student's program prints
KEPT = 20  # derivations of which is known what can be read back
SEED = "live"  # of random inputs in a file that names no seed
_NO_FIGURE = figure.Figure((), "", (), "")


@lru_cache(maxsize=8)
def homework_of(text: str, name: str) -> Homework:
    """The homework of a text, its random inputs drawn."""
    found = read_homework_text(text, name)
    if variants.has_random_inputs(found):
        return variants.draw(found, found.seed or SEED)
    return found


@lru_cache(maxsize=4)
def _traced(text: str, name: str, question: str) -> tuple[Homework, Question, Trace]:
    work = homework_of(text, name)
    asked = work.question(question)
    found = trace_question(asked)
    if len(found.gates) > MAX_GATES:
        raise ReportError(
            f"the function has {len(found.gates)} gates; the live page takes {MAX_GATES}: use report build"
        )
    return work, asked, found


def ready() -> None:
    """Nothing: the process has started when it has answered."""


# ---------------------------------------------------------------- values and graph


def quick(text: str, name: str, question: str) -> dict[str, str]:
    """The reading of the formula, the graph and the results, as HTML."""
    _, _, found = _traced(text, name, question)
    template = document.environment(BROWSER).get_template("live/quick.html.j2")
    parts: Any = template.module  # macros
    drawn = figure.draw(found, browser=True, folds=True)
    written = found.graph.written_out
    return {
        "echo": str(parts.echo(_formula(found), found.graph.readings)),
        "graph": str(parts.graph(question, drawn.panels, drawn.caption, document.steps(found))),
        "results": str(parts.results(_results(found))),
        "folds": str(parts.folds(sorted({written[n] for n in found.quantities if n in written}))),
    }


def _formula(found: Trace) -> list[Any]:
    return [
        BROWSER.display(f"{line.left} = {line.symbols[0]}") for line in derivation.formula(found)
    ]


def _results(found: Trace) -> list[dict[str, Any]]:
    f = derivation.formula(found)[-1].left
    rows = [
        {"name": BROWSER.tex(f), "kind": "value", "number": number_format.show(found.value, 12)}
    ]
    for name, gradient in found.gradients.items():
        shape = np.shape(gradient)
        rows.append(
            {
                "name": BROWSER.tex(partial_symbol(symbol(found.letter), symbol(name, shape))),
                "kind": "gradient",
                "number": BROWSER.display(tensor(gradient, GRADIENT))
                if shape
                else number_format.show(float(gradient), 12),
            }
        )
    return rows


# ---------------------------------------------------------------- the document


def whole(text: str, name: str, question: str) -> str:
    """The question as in the report, with the checks that need no program to run."""
    work, asked, found = _traced(text, name, question)
    derived = _derived(found)
    programs = answering.programs_of(work, asked, found)
    descent = None if asked.plan is None else descend(found, asked.plan)
    done = answering.work_of(work, asked, derived, _NO_FIGURE, found, programs, descent)
    done, _ = answering.with_second_derivatives(done)
    shown = document.view(done, browser=True)
    checked = checks.verify(found, derived, {})
    return document.question_html(document.Answer(done, (), checked, shown))


# What was read back of derivations with the same formulas, the newest last.
_read: dict[Any, ReadBack] = {}


def _derived(found: Trace) -> Derivation:
    """The derivation without what cannot be read back; whether it can, its formulas and sizes decide."""
    derived = derivation.derive(found)
    said: list[tuple[str, ...]] = [
        (e.left, *e.symbols)
        for step in derived.backward
        for e in (row.equation for row in step.rows)
    ]
    said += [
        (g.left, g.closed or "", *(g.entry.symbols if g.entry else ())) for g in derived.gradients
    ]
    key = (tuple(said), tuple(np.shape(q.value) for q in found.inputs))
    if key not in _read:
        _read[key] = read_back(found, derived)
        if len(_read) > KEPT:
            del _read[next(iter(_read))]
    return printable(derived, _read[key])[0]


def with_runs(text: str, name: str, question: str) -> str:
    """The question as in the report, its generated programs run and checked."""
    work, asked, _ = _traced(text, name, question)
    view = partial(document.view, browser=True)
    (answer,) = answering.answers_of(replace(work, questions=(asked,)), view)
    return document.question_html(answer)


def gradients(text: str, name: str, question: str) -> dict[str, Any]:
    """Every gradient asked for, as numbers and lists."""
    _, _, found = _traced(text, name, question)
    return {key: as_lists(g) for key, g in found.gradients.items()}


def value(text: str, name: str, question: str) -> float:
    """The function's value."""
    return _traced(text, name, question)[2].value


# ---------------------------------------------------------------- inputs that a formula asks for


def guessed(function: str, inputs: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the inputs in `own`, of shapes with which the formula can be read; `own` where none fit.

    `inputs` stay as they are, and so does what `own` holds of the right shape, but for ones, which stand
    where nobody has written a number.
    """
    try:
        found = {normal(n): v for n, v in guess(function, inputs, number=True).inputs.items()}
    except ReportError:
        return dict(own)
    fitting = {
        name: (value, found[normal(name)]) for name, value in own.items() if normal(name) in found
    }
    return {
        name: value if np.shape(value) == np.shape(new) and np.any(np.asarray(value) != 1) else new
        for name, (value, new) in fitting.items()
    }


# ---------------------------------------------------------------- a student's own work


def own_numbers(text: str, name: str, question: str, written: str) -> str:
    """Numbers that a student wrote down, held against the trace, as HTML; nothing runs."""
    _, _, found = _traced(text, name, question)
    lines = student.parse_answers(Path("what you typed"), written, question, found.letter)
    return _own(found, student.diagnose(found, lines))


def own_program(text: str, name: str, question: str, file: str, source: str) -> str:
    """A student's program, run behind fences and held against the trace, as HTML."""
    _, _, found = _traced(text, name, question)
    run = student.check_program(found, student.parse_program(Path(file), source))
    fault = run.ended.fault or ("" if run.work.printed else run.fault)
    return _own(found, run.work, run.ended.text, fault)


def _own(found: Trace, work: student.OwnWork, output: str = "", fault: str = "") -> str:
    """What a student's own work is worth; `fault` says why a program is no good."""
    first = work.first
    gate = ""
    if first is not None:
        gate = first.causes[0].gate if first.causes else found.name_of(first.key[0])
    lines = output.rstrip("\n").split("\n")
    context = {
        "rows": student.rows(replace(work, lines=work.printed)),
        "headline": "" if first is None else student.headline(work),
        "causes": student.causes(work),
        "agrees": work.agrees and not fault,
        "first": gate,
        "count": len(work.printed),
        "output": "\n".join(line[:MAX_WIDTH] for line in lines[:MAX_LINES]),
        "more": max(0, len(lines) - MAX_LINES),
        "fault": fault,
    }
    return document.environment(BROWSER).get_template("live/own.html.j2").render(context)


# ---------------------------------------------------------------- files


def download(text: str, name: str, kind: str, question: str) -> tuple[bytes, str, str]:
    """A file for the user: its bytes, its media type and its name."""
    work = homework_of(text, name)
    stem = "homework" if name == "homework.toml" else name.rpartition("/")[2].removesuffix(".toml")
    if kind in EDITIONS:
        made = pipeline.make(work, (kind,), pipeline.date_shown())
        suffix = "" if kind == "solution" else f"-{kind}"
        return bytes(made.pdfs[kind]), "application/pdf", f"{stem}{suffix}.pdf"
    if kind == "html":
        return pipeline.page(work).encode(), "text/html; charset=utf-8", f"{stem}.html"
    _, asked, found = _traced(text, name, question)
    if kind == "svg":
        panels = figure.draw(found).panels
        if len(panels) == 1:
            return panels[0].svg.encode(), "image/svg+xml", f"{stem}-{question}.svg"
        files = {f"{stem}-{question}-{i}.svg": p.svg for i, p in enumerate(panels, 1)}
        return _zipped(files), "application/zip", f"{stem}-{question}-graph.zip"
    if kind == "trace":
        return found.to_json().encode(), "application/json", f"{stem}-{question}.json"
    programs = answering.programs_of(work, asked, found)
    sources = {p.name: p.source for p in programs if p.source}
    if not sources:
        raise ReportError(f"there is no program: {programs[0].reason}")
    return _zipped(sources), "application/zip", f"{stem}-{question}-programs.zip"


def _zipped(sources: Mapping[str, str]) -> bytes:
    """Files in an archive, which has the same bytes each time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, source in sources.items():
            archive.writestr(zipfile.ZipInfo(file), source)
    return out.getvalue()
