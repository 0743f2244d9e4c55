"""What the page of a question shows, as the templates want it."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from report import number_format
from report.autodiff.trace import Quantity, Trace
from report.derivation import Derivation, Equation, Gradient, parts
from report.derivation.gate_families import GateFamily
from report.derivation.latex.symbols import partial, symbol
from report.document import backward, gate_html, tables, walk
from report.document.answer import DIALECTS, Answer, ProgramRun, Work
from report.document.descent import descent_view, loop_view
from report.document.first_page import MAX_ROWS, Heights
from report.document.formulas import (
    BROWSER,
    COLUMN,
    PDF,
    Setter,
    given,
    safe,
    width_of,
)
from report.document.hessian import hessian_view
from report.document.jacobian import forward_view, jacobian_view
from report.document.listings import highlighted
from report.document.precision import precision
from report.document.statement import inline, render
from report.figure import Figure
from report.homework.homework import Question
from report.program import Program
from report.typeset import picture

if TYPE_CHECKING:
    from report.student import OwnRun

MAX_SOURCE = 500  # lines of a program that are shown; the file inside the PDF is complete
MAX_OUTPUT = 180  # lines of its output
LAST = 12  # of them that stand behind what is left out: the function's value among them
LEFT_OUT = "..."
MAX_OWN_OUTPUT = 150  # lines of the output of a student's program, some three pages
MAX_WIDTH = 2000  # letters of a line of it
BOX = COLUMN - 3  # em inside the frame of a gradient
SHORT = 9  # numbers of a gradient that the summary shows
SHORT_ROWS, SHORT_COLUMNS = 5, 4  # of a matrix that it shows, if that has more
MAX_IN_BOX = 8  # names that a gradient's frame, which no page break may cut, can tell


def view(work: Work, *, browser: bool = False) -> dict[str, Any]:
    """What the page of a question shows that needs no output of its programs.

    `browser` as for `html`. Raises ReportError for LaTeX or characters that cannot be set.
    """
    setter = BROWSER if browser else PDF
    q, trace, derivation = work.question, work.trace, work.derivation
    linked = _linked(derivation)
    told = {line.left for line in derivation.formula}  # let-lines, which stand above
    same = precision(
        tables.scalar_values(derivation.forward),
        backward.scalar_gradients(trace, derivation, work.detail),
    )
    gradients = [replace(g, numbers=same(g.numbers)) for g in derivation.gradients]
    shared = [e for e in shared_names(trace, derivation) if e.left not in told]
    told_parts = parts.lines(trace, derivation.function)
    formula = [] if tells(q.statement, derivation) else derivation.formula
    heights = Heights.of(
        work.figure,
        q.statement,
        [f"{g.left} = {g.numbers}" for g in gradients],
        [f"{e.left} = {e.symbols[0]}" for e in formula],
        [given(i) for i in trace.inputs],
        [tables.in_row(row) for row in derivation.forward],
    )
    return {
        "id": q.id,
        "title": safe(inline(q.title, setter.math)),
        "points": q.points,
        "statement": safe(render(q.statement, setter.math)) if q.statement else "",
        "part": _parts(q),
        "f": derivation.function,
        "formula": setter.function_lines(derivation) if formula else [],
        "inputs": [setter.display(given(i)) for i in trace.inputs],
        "wanted": [] if q.statement else [_wanted(setter, derivation, g) for g in gradients],
        "graph_later": False,
        "heights": heights,
        "unused": [i.name for i in trace.inputs if not _used(trace, i)],
        "figure": graph(setter, work.figure, q.id, linked, trace if setter.browser else None),
        "short": len(derivation.forward) <= tables.WHOLE
        and not any(a.shape for r in derivation.forward for a in r.quantity.node.args),
        "forward": tables.forward(setter, q.id, derivation.forward, linked, same),
        "value": number_format.show(trace.value, 12),
        "short_value": same.alone(trace.value),
        "signs": setter.sentence(" ".join(s for s in work.legend if s.at_once)),
        "legend": setter.sentence(" ".join(s for s in work.legend if not s.at_once)),
        "steps": backward.steps(setter, q.id, trace, derivation, work.detail, same),
        "followed": len(derivation.backward) + len({f.quantity for f in derivation.flows}),
        "kinds": [_kind(setter, k) for k in derivation.kinds],
        "flows": tables.flows(setter, q.id, trace, derivation.flows),
        "gradients": [_short(setter, q.id, g) for g in gradients],
        "results": [_told(g) for g in gradients] + told_parts
        if all(map(_is_short, gradients))
        else [],
        "frames": _frames(setter, gradients, {*told, *(e.left for e in shared)}),
        "parts": [setter.display(line) for line in told_parts],
        "where": setter.definitions(shared, "with") if shared else "",
        "sources": {p.name: _source(setter, p) for p in work.programs if p.source},
        "missing": [
            f"There is no {DIALECTS[p.dialect]}: {p.reason}." for p in work.programs if not p.source
        ],
        "hessian": hessian_view(
            setter, work, {*told, *(e.left for g in gradients for e in g.where)}
        ),
        "jacobian": jacobian_view(setter, trace, work.jacobian, work.any_entry)
        if work.jacobian
        else None,
        "forward_mode": forward_view(setter, trace, work.forward) if work.forward else None,
        "descent": descent_view(setter, trace, work.descent) if work.descent else None,
        "gates": len(trace.gates),
    }


def outcome(setter: Setter, answer: Answer) -> dict[str, Any]:
    """What the page of a question shows of its programs' outputs."""
    shown = answer.shown_runs
    if answer.own and answer.question.programs is None:
        shown = ()  # the student's own stand in their place
    names = [run.program.name for run in shown]
    own = [_own_run(setter, run) for run in answer.own]
    works = [run.work for run in answer.own]
    return {
        "own": own,
        "loop": loop_view(setter, answer.loop, answer.steps_checked) if answer.loop else None,
        "runs": [
            _run(setter, run, answer.shown["sources"][run.program.name], names) for run in shown
        ],
        "kept": [run.program.name for run in answer.runs if run not in shown],
        "verification": tables.verification(setter, answer.verification, answer.trace, works),
    }


def _parts(question: Question) -> dict[str, str]:
    """The letters of a statement's parts before the headings that answer them, if it has these parts."""
    has = [f"({letter})" in question.statement for letter in "abc"]
    a, b = ("(a) ", "(b) ") if has[0] and has[1] else ("", "")
    return {"a": a, "own": b, "python": b, "numpy": "(c) " if b and has[2] else b}


def tells(statement: str, derivation: Derivation) -> bool:
    """Whether the statement displays the function or has its formula, which then stands on the page already."""
    if len(derivation.formula) != 1:
        return False
    wanted = _bare(derivation.formula[0].symbols[-1])
    written = (side for math in _MATH.findall(statement) for side in math.split("="))
    return "$$" in statement or any(_bare(side) == wanted for side in written)


def _wanted(setter: Setter, derivation: Derivation, g: Gradient) -> Markup:
    """A gradient as it stands in a line of text."""
    by = symbol(g.name, np.shape(g.value))
    return setter.tex(rf"\partial {derivation.function}/\partial {by}")


_MATH = re.compile(r"\$([^$]+)\$")
_SPACING = re.compile(r"\\(?:left|right|[,;!])|[{}\s]")


def _bare(latex: str) -> str:
    """A formula without what only sizes and spaces it."""
    return _SPACING.sub("", latex)


def _used(trace: Trace, quantity: Quantity) -> bool:
    node = quantity.node
    return trace.graph.result is node or any(node in q.node.args for q in trace.gates)


def _linked(derivation: Derivation) -> set[str]:
    """The gates that have a place of their own in the backward pass, which links lead to."""
    names = {step.quantity.name for step in derivation.backward}
    return names | {flow.quantity.name for flow in tables.ends(derivation.flows)}


def graph(
    setter: Setter,
    figure: Figure,
    question: str = "",
    linked: Container[str] = (),
    walked: Trace | None = None,
) -> dict[str, Any]:
    """A figure as the templates take it, with links to the gates of a question that are `linked`.

    A script can walk through that of the trace `walked`.
    """
    return {
        "steps": walk.steps(walked) if walked and figure.panels else None,
        "panels": [
            {
                "svg": safe(panel.svg[panel.svg.index("<svg") :]) if setter.browser else "",
                "src": picture(panel.svg),
                "alt": panel.alt,
                "width": panel.width,
                "height": panel.height,
                "spots": [
                    {
                        "target": f"{question}-{s.name}",
                        "name": s.name,
                        "x": s.x,
                        "y": s.y,
                        "w": s.width,
                        "h": s.height,
                    }
                    for s in panel.hotspots
                    if s.name in linked
                ],
            }
            for panel in figure.panels
        ],
        "overview": figure.overview,
        "whole": sum(p.height for p in figure.panels[bool(figure.overview) :]) < MAX_ROWS,
        "caption": (*figure.reading, *filter(None, [figure.note])),
    }


def _kind(setter: Setter, kind: GateFamily) -> dict[str, Any]:
    return {
        "sign": gate_html.kind(kind.sign),
        "count": kind.count,
        "definition": setter.tex(kind.definition),
        "rules": [setter.display(rule) for rule in kind.rules],
        "why": setter.sentence(kind.why) if kind.why else "",
    }


def shared_names(trace: Trace, derivation: Derivation) -> list[Equation]:
    """What several gradients use by name, once for all of them: gradients, the last gate's first, then gates.

    Empty where no two of them use the same name: each then tells its own, unless that is too tall for a box.
    """
    place: dict[str, tuple[bool, int]] = {}
    for q in trace.gates:
        name = symbol(q.name, q.node.shape)
        place[name] = (True, q.number)
        place[partial(derivation.function, name)] = (False, -q.number)
    for g in derivation.gradients:
        for e in g.where:
            place.setdefault(e.left, (True, len(place)))
    used = [e for g in derivation.gradients for e in g.where if e.left in place]
    first = {e.left: e for e in reversed(used)}
    if len(first) == len(used) <= MAX_IN_BOX:
        return []
    return sorted(first.values(), key=lambda e: place[e.left])


@dataclass
class _Frame:
    """What stands in one frame: gradients, what is said of them, and their equations."""

    gradients: list[dict[str, Any]]
    lines: list[Equation]
    reasons: Sequence[Equation]  # why a simpler form holds here
    general: Sequence[Equation]
    where: Sequence[Equation]

    @property
    def is_plain(self) -> bool:
        """Whether it is one formula, beside which another one may stand."""
        (told, *more), (line, *lines) = self.gradients, self.lines
        notes = self.reasons or self.general or self.where or more or lines or line.numbers
        return not notes and told["used"] and not told["long"]

    def html(self, setter: Setter) -> dict[str, Any]:
        """As the template takes it."""
        left = max(width_of(e.left) for e in (*self.lines, *self.general))
        return {
            "gradients": self.gradients,
            "lines": [setter.equation(e, left, BOX) for e in self.lines],
            "here": setter.definitions(self.reasons, "since", BOX) if self.reasons else "",
            "general": [
                setter.equation(e, left, BOX, label="" if i else "in general")
                for i, e in enumerate(self.general)
            ],
            "where": setter.definitions(self.where, "with", BOX) if self.where else "",
        }


def _frames(
    setter: Setter, gradients: Sequence[Gradient], elsewhere: Collection[str]
) -> list[dict[str, Any]]:
    """A frame for each gradient; those of one line share it."""
    frames: list[_Frame] = []
    open_to_more = False
    for g in gradients:
        frame = _frame(g, elsewhere)
        if (is_plain := frame.is_plain) and open_to_more:
            frames[-1].gradients += frame.gradients
            frames[-1].lines = backward.side_by_side([*frames[-1].lines, *frame.lines], BOX)
        else:
            frames.append(frame)
        open_to_more = is_plain
    return [frame.html(setter) for frame in frames]


def _frame(g: Gradient, elsewhere: Collection[str]) -> _Frame:
    """The closed form that holds here first, its numbers, and the same in entries."""
    # a constant gradient is its number: not 2 = 2
    closed = () if g.closed in (None, g.numbers.uncoloured) else (g.closed,)
    lead = Equation(g.left, g.here[-1].symbols if g.here else closed, (g.numbers,))
    return _Frame(
        [{"name": g.name, "long": not (g.closed or g.entry), "used": g.used}],
        [*backward.beside(lead, None if g.here else g.entry, BOX)],
        g.here[:-1],
        [*backward.beside(Equation(g.left, closed), g.entry, BOX)] if g.here else [],
        [e for e in g.where if e.left not in elsewhere],
    )


def _short(setter: Setter, question: str, g: Gradient) -> Markup:
    """The gradient for the summary at the front: its numbers, or where they stand if they are many."""
    if _is_short(g):
        return setter.display(_told(g))
    size = " × ".join(map(str, np.shape(g.value)))
    return Markup('{}: <a href="#{}-gradients">{} numbers</a>').format(
        setter.display(g.left), question, size
    )


def _told(g: Gradient) -> str:
    return f"{g.left} = {g.numbers}"


def _is_short(g: Gradient) -> bool:
    """Whether the numbers of a gradient are few enough for the summary."""
    shape = np.shape(g.value)
    is_small = len(shape) == 2 and shape[0] <= SHORT_ROWS and shape[1] <= SHORT_COLUMNS
    return np.size(g.value) <= SHORT or (is_small and width_of(_told(g)) <= COLUMN)


def _source(setter: Setter, program: Program) -> dict[str, Any]:
    source = program.source.splitlines()
    return {
        "dialect": program.dialect,
        "name": program.name,
        "source": setter.listing(highlighted("\n".join(source[:MAX_SOURCE])), numbered=True),
        "more_source": max(0, len(source) - MAX_SOURCE),
    }


def _own_run(setter: Setter, run: OwnRun) -> dict[str, Any]:
    """A program of the student's own: cut after a few pages, with what went wrong."""
    source = run.program.source.rstrip("\n").splitlines()
    output = [line[:MAX_WIDTH] for line in run.ended.text.rstrip("\n").splitlines()]
    return {
        "name": run.program.name,
        "source": setter.listing(highlighted("\n".join(source[:MAX_SOURCE])), numbered=True),
        "more_source": max(0, len(source) - MAX_SOURCE),
        "output": setter.terminal(run.program.command, "\n".join(_cut(output, MAX_OWN_OUTPUT))),
        "more_output": max(0, len(output) - MAX_OWN_OUTPUT),
        "fault": [line for line in run.fault.split("\n") if line],
        "found": len(run.work.printed),
    }


def _cut(lines: list[str], most: int) -> list[str]:
    """Lines with some in the middle left out, where there are too many."""
    if len(lines) <= most:
        return lines
    return [*lines[: most - LAST], LEFT_OUT, *lines[-LAST:]]


def _run(
    setter: Setter, run: ProgramRun, source: Mapping[str, Any], shown: Container[str]
) -> dict[str, Any]:
    output = run.output.text.rstrip("\n").splitlines()
    return {
        **source,
        "same_as": run.same_as if run.same_as in shown else "",
        "output": setter.terminal(
            run.output.command, "\n".join(_cut(output, MAX_OUTPUT)), paired=True
        ),
        "more_output": max(0, len(output) - MAX_OUTPUT),
    }
