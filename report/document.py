"""Answers -> HTML: what the report shows, in which order, through the Jinja templates.

Nothing here computes: an `Answer` holds what the other modules found about one question, and the
functions below put it into words, tables and formulas that fit the column.
"""

from __future__ import annotations

import base64
from collections.abc import Container, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from markupsafe import Markup

from report import numbers, resources
from report.checks import Comparison, Entry, Verification, error_text
from report.curvature import Curvature
from report.derivation import Derivation, Equation, ForwardRow, Gradient, Step
from report.errors import ReportError
from report.figure import margin
from report.homework import Homework, Question, place
from report.kinds import Flow, Kind
from report.pdf import (
    aligned,
    fit,
    formula,
    img,
    listing,
    mathml,
    page_number,
    picture,
    stacked,
)
from report.printers.latex import VALUE, symbol, tensor
from report.statement import inline, render
from report.tracing import Quantity, Trace

if TYPE_CHECKING:
    from jinja2 import Environment

    from report.figure import Figure
    from report.program import Output, Program

# The text column is 150 mm wide; at 11 pt an em is 3.881 mm.
EM = 11 * 25.4 / 72
COLUMN = 150 / EM
CHECK_DIGITS = 10  # the same in the verification table
SIGN = 46.0  # points that a gate's sign may take in the margin
MAX_ALIGNED = 12  # let-lines in one block
COLUMN_DIGITS = 7  # significant digits of the largest number in a column
MAX_SOURCE = 500  # lines of a program that are shown; the file inside the PDF is complete
MAX_OUTPUT = 400  # lines of its output
MAX_ENDS = 60  # rows of a large table shown at its start and at its end
MAX_ROWS = 60  # gradient entries in the verification table; the rest is summed up in one line
DIALECTS = {"python": "Python program", "numpy": "NumPy program"}


Row = TypeVar("Row")


@dataclass(frozen=True, eq=False)
class Run:
    """A generated program and what it printed."""

    program: Program
    output: Output


@dataclass(frozen=True, eq=False)
class Answer:
    """Everything found about one question."""

    question: Question
    trace: Trace
    derivation: Derivation
    figure: Figure
    runs: tuple[Run, ...]
    verification: Verification
    curvature: Curvature | None = None
    missing: tuple[Program, ...] = ()  # programs that are not possible, with the reason


def html(
    homework: Homework,
    answers: Sequence[Answer],
    making: Mapping[str, Any],
    *,
    browser: bool = False,
) -> str:
    """The whole report as one HTML page: for `report.pdf`, or with MathML for a browser.

    `making` tells how to make it again: `command`, `file` (the homework with its inputs) and
    `versions` (name -> version). Raises ReportError for text or LaTeX that cannot be set.
    """
    token = _browser.set(browser)
    try:
        return (
            environment()
            .get_template("report.html.j2")
            .render(
                homework=homework,
                answers=[_placed(homework, a, i) for i, a in enumerate(answers, 1)],
                making=making,
                css=safe(resources.path("assets/report.css").read_text(encoding="utf-8")),
                entries=sum(len(a.verification.entries) for a in answers),
                faces=_faces() if browser else "",
            )
        )
    finally:
        _browser.reset(token)


@cache
def environment() -> Environment:
    """The templates, with what they call on."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(resources.path("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["tex"] = tex
    environment.filters["terminal"] = _terminal
    environment.filters["plain"] = _plain
    environment.filters["display"] = display
    environment.filters["sentence"] = sentence
    environment.filters["show"] = numbers.show
    environment.globals["page_of"] = _page_of  # a filter of a constant would be called once
    return environment


# ---------------------------------------------------------------- formulas and words


def safe(written: str) -> Markup:
    """HTML of our own making: of formulas, of statements made safe, and the stylesheet."""
    return Markup(written)  # noqa: S704


_FACES = {  # file in assets/fonts -> what a stylesheet calls it
    "STIXTwoText-Regular.otf": ("STIX Two Text", "400", "normal"),
    "STIXTwoText-Italic.otf": ("STIX Two Text", "400", "italic"),
    "STIXTwoText-Bold.otf": ("STIX Two Text", "700", "normal"),
    "STIXTwoMath-Regular.otf": ("STIX Two Math", "400", "normal"),
    "SourceCodePro-Regular.ttf": ("Source Code Pro", "400", "normal"),
}


@cache
def _faces() -> Markup:
    """The fonts inside the stylesheet, so that a page for a browser is one file as well."""
    rules = []
    for file, (family, weight, style) in _FACES.items():
        data = base64.b64encode(resources.path(f"assets/fonts/{file}").read_bytes()).decode()
        rules.append(
            f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-style: {style}; '
            f"src: url(data:font/otf;base64,{data}); }}"
        )
    return safe("\n".join(rules))


# Whether formulas are written as MathML, for a browser, or as images that only `report.pdf` knows.
_browser: ContextVar[bool] = ContextVar("browser", default=False)


def tex(source: str) -> Markup:
    """A formula in running text."""
    return _formula_html(source, is_display=False)


def display(source: str, width: float = COLUMN) -> Markup:
    """A formula in display style, broken where it is wider than `width` em."""
    return _formula_html(fit(source, width), is_display=True)


def _formula_html(source: str, *, is_display: bool) -> Markup:
    if _browser.get():
        written = mathml(source, is_display)
        return safe(written.replace('display="block"', 'displaystyle="true"'))
    return safe(img(source, display=is_display))


def _page_of(anchor: str) -> Markup:
    """The number of the page on which an anchor is; a page for a browser has none."""
    return Markup("") if _browser.get() else safe(page_number(anchor))


def sentence(text: str) -> Markup:
    """Plain words with $math$ between them."""
    return safe(inline(text, math))


def math(source: str, is_display: bool) -> str:
    """A formula of a statement: in the line, or displayed between two paragraphs."""
    if is_display:
        return f'<p class="formula">{display(source)}</p>'
    wide = formula(source).width > COLUMN  # too wide for a line of text: broken over several
    return str(display(source) if wide else tex(source))


def equation(
    eq: Equation, left: float, width: float = COLUMN, *, label: str = "", kind: str = "eq"
) -> Markup:
    """An equation: the left side once, symbols first, the numbers put in under them.

    Steps that fit on one line share it; a formula too wide for a line is broken inside. The left side
    is set `left` em wide, the label in the margin; `kind` is its class.
    """
    room = width - left
    if len(eq.numbers) <= 1:  # a plain result may follow its symbols on the same line
        steps = _packed([*eq.symbols, *eq.numbers], room)
    else:
        steps = [*_packed(eq.symbols, room), *_packed(eq.numbers, room)]
    lines = [("" if i else eq.left, fit(step, room)) for i, step in enumerate(steps)]
    if not _browser.get():
        return safe(aligned(lines, left, label=label, kind=kind))
    return Markup("").join(
        Markup(
            '<p class="{}"><span class="label">{}</span>'
            '<span class="left" style="width:{:.3f}em">{}</span>{}</p>'
        ).format(
            " ".join(
                name
                for name in kind.split()
                if (name != "pair" or i == 0) and (name != "end" or i == len(lines) - 1)
            ),
            "" if i else label,
            left,
            before and _formula_html(before, is_display=True),
            _formula_html(after, is_display=True),
        )
        for i, (before, after) in enumerate(lines)
    )


def _packed(steps: Sequence[str], room: float) -> list[str]:
    """Lines of one or more steps, each step behind its equals sign."""
    lines: list[str] = []
    for step in steps:
        if lines and _width(f"{lines[-1]} = {step}") <= room:
            lines[-1] += f" = {step}"
        else:
            lines.append(f"{{}}= {step}")
    return lines


def _width(source: str) -> float:
    return formula(source, display=True).width


# ---------------------------------------------------------------- one question


def _placed(homework: Homework, answer: Answer, number: int) -> dict[str, Any]:
    try:
        return _view(answer, number)
    except ReportError as error:  # LaTeX or characters of the statement that cannot be set
        raise ReportError(f"{place(homework, answer.question)}: {error}") from None


def _view(answer: Answer, number: int) -> dict[str, Any]:
    q, trace, derivation = answer.question, answer.trace, answer.derivation
    linked = _linked(answer)
    return {
        "id": q.id,
        "number": number,
        "title": safe(inline(q.title, math)),
        "points": q.points,
        "statement": safe(render(q.statement, math)) if q.statement else "",
        "function": q.function.strip(),
        "f": derivation.function,
        "formula": function_lines(derivation),
        "inputs": [given(i) for i in trace.inputs],
        "unused": [i.name for i in trace.inputs if not _used(trace, i)],
        "wrt": [tex(symbol(n, np.shape(g))) for n, g in trace.gradients.items()],
        "figure": graph(answer.figure, q.id, linked),
        "short": len(derivation.forward) <= 14
        and not any(a.shape for r in derivation.forward for a in r.quantity.node.args),
        "forward": _forward(q.id, _ends(derivation.forward), linked),
        "more_forward": max(0, len(derivation.forward) - 2 * MAX_ENDS),
        "value": numbers.show(trace.value, 12),
        "short_value": numbers.show(trace.value),
        "steps": [_step(q.id, trace, s) for s in derivation.backward],
        "kinds": [_kind(k) for k in derivation.kinds],
        "flows": _flows(q.id, trace, _ends(derivation.flows)),
        "more_flows": max(0, len(derivation.flows) - 2 * MAX_ENDS),
        "gradients": [_gradient(g) for g in derivation.gradients],
        "runs": [_run(r) for r in answer.runs],
        "missing": [f"There is no {DIALECTS[p.dialect]}: {p.reason}." for p in answer.missing],
        "hessian": _hessian(answer) if answer.curvature is not None else None,
        "verification": _verification(answer.verification, trace),
        "gates": len(trace.gates),
    }


def function_lines(derivation: Derivation) -> list[Markup]:
    """The function as displayed lines: let-lines stand in blocks, aligned at their equals signs."""
    lines = [f"{line.left} &= {line.symbols[0]}" for line in derivation.formula]
    if len(lines) == 1:
        return [display(lines[0].replace("&=", "=", 1))]
    blocks = [lines[i : i + MAX_ALIGNED] for i in range(0, len(lines), MAX_ALIGNED)]
    return [
        display(r"\begin{aligned} " + r" \\ ".join(block) + r" \end{aligned}") for block in blocks
    ]


def _used(trace: Trace, quantity: Quantity) -> bool:
    node = quantity.node
    return trace.graph.result is node or any(node in q.node.args for q in trace.gates)


def given(q: Quantity) -> Markup:
    """An input and its value."""
    shown = tensor(q.value, VALUE)[0]
    return display(f"{symbol(q.name, q.node.shape)} = {shown}")


def _linked(answer: Answer) -> set[str]:
    """The gates that have a place of their own in the backward pass, which links lead to."""
    names = {step.quantity.name for step in answer.derivation.backward}
    return names | {flow.quantity.name for flow in _ends(answer.derivation.flows)}


def graph(figure: Figure, question: str = "", linked: Container[str] = ()) -> dict[str, Any]:
    """A figure as the templates take it, with links to the gates of a question that are `linked`."""
    return {
        "panels": [
            {
                "svg": safe(panel.svg[panel.svg.index("<svg") :]) if _browser.get() else "",
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
        "caption": " ".join(filter(None, [figure.caption, figure.note])),
    }


def _forward(
    question: str, rows: Sequence[ForwardRow], linked: Container[str]
) -> list[dict[str, Any]]:
    """The forward table; the scalars of its last column share one precision."""
    scalars = [row for row in rows if not row.quantity.node.shape]
    values = numbers.column((row.quantity.value for row in scalars), COLUMN_DIGITS)
    aligned = {row.name: value for row, value in zip(scalars, values, strict=True)}
    return [
        {
            "number": row.quantity.number,
            "anchor": f"{question}-{row.quantity.name}" if row.quantity.name in linked else "",
            "symbols": display(f"{row.name} = {row.symbols}", 50 / EM),
            "numbers": display(row.numbers, 52 / EM) if row.numbers else "",
            "value": aligned.get(row.name)
            or display(tensor(row.quantity.value, VALUE)[0], 40 / EM),
            "tensor": bool(row.quantity.node.shape),
        }
        for row in rows
    ]


def _step(question: str, trace: Trace, step: Step) -> dict[str, Any]:
    left = max((_width(row.equation.left) for row in step.rows), default=0.0)
    starts = _starts(step)
    return {
        "anchor": f"{question}-{step.quantity.name}",
        "tensor": bool(step.shapes),
        "number": step.quantity.number,
        "name": step.quantity.name,
        "sign": margin.sign(step.quantity.node, trace, SIGN),
        "definition": tex(step.definition),
        "shapes": tex(step.shapes) if step.shapes else "",
        "rows": [
            equation(row.equation, left, label=row.label, kind=_class(starts, i))
            for i, row in enumerate(step.rows)
        ],
        "why": sentence(step.why) if step.why else "",
    }


def _class(starts: list[bool], i: int) -> str:
    """The class of a row: where what goes to one argument begins, and where it ends."""
    ends = i + 1 < len(starts) and starts[i + 1] and i > 0
    return f"eq{' pair' if starts[i] else ''}{' end' if ends else ''}"


def _starts(step: Step) -> list[bool]:
    """Which rows begin what a gate sends to one more of its arguments."""
    labels = [row.label for row in step.rows]
    return [
        label in ("local", "Jacobian")
        or (label == "downstream" and before not in ("local", "Jacobian"))
        for before, label in zip(["", *labels], labels, strict=False)
    ]


def _kind(kind: Kind) -> dict[str, Any]:
    return {
        "sign": margin.kind(kind.sign),
        "count": kind.count,
        "definition": tex(kind.definition),
        "rules": [display(rule) for rule in kind.rules],
        "why": sentence(kind.why) if kind.why else "",
    }


def _flows(question: str, trace: Trace, flows: Sequence[Flow]) -> list[dict[str, Any]]:
    """The table of what flows back, each column with one precision."""
    columns = [
        numbers.column((getattr(f, name) for f in flows), COLUMN_DIGITS)
        for name in ("upstream", "local", "downstream")
    ]
    rows: list[dict[str, Any]] = []
    seen = set()
    for flow, upstream, local, downstream in zip(flows, *columns, strict=True):
        q = flow.quantity
        rows.append(
            {
                "number": q.number,
                "anchor": "" if q.name in seen else f"{question}-{q.name}",
                "sign": margin.sign(q.node, trace, SIGN),
                "target": tex(flow.target),
                "upstream": upstream,
                "local": local,
                "downstream": downstream,
            }
        )
        seen.add(q.name)
    return rows


def _ends(rows: Sequence[Row]) -> Sequence[Row]:
    """All rows, or of very many the first and the last."""
    return rows if len(rows) <= 2 * MAX_ENDS else [*rows[:MAX_ENDS], *rows[-MAX_ENDS:]]


def _gradient(g: Gradient) -> dict[str, Any]:
    closed = () if g.closed is None else (g.closed,)
    return {
        "name": g.name,
        "whole": equation(Equation(g.left, closed, (g.numbers,)), _width(g.left), COLUMN - 3),
        "entry": equation(g.entry, _width(g.entry.left), COLUMN - 3) if g.entry else "",
        "where": [display(f"{e.left} = {e.symbols[0]}", COLUMN - 3) for e in g.where],
        "here": [display(f"{e.left} = {e.symbols[0]}", COLUMN - 6) for e in g.here],
        "long": g.closed is None,
        "used": g.used,
        "left_tex": tex(g.left),
        "short": _short(g),
    }


def _short(g: Gradient) -> Markup:
    """The gradient for the summary at the front: its numbers if they are few."""
    if np.size(g.value) <= 9:
        return display(g.numbers)
    return Markup("{} numbers").format(np.size(g.value))


def _hessian(answer: Answer) -> dict[str, Any]:
    """The second derivatives: the matrix, each entry in closed form where it is short, the check."""
    found = answer.curvature
    assert found is not None
    names = [_entry_symbol(name, place, answer.trace) for name, place in found.labels]
    f = answer.derivation.function
    order = r",\ ".join(names)
    matrix = tensor(found.matrix)[0]
    left = rf"\nabla^{{2}} {f}" if found.direction is None else rf"\nabla^{{2}} {f}\,\mathbf{{v}}"
    entries = []
    if found.direction is None and len(names) <= 3:
        for i, g in enumerate(answer.derivation.gradients):
            for h in answer.derivation.gradients[i:]:
                if g.scalar is not None:
                    square = names_of(g.name, h.name)
                    left_side = rf"\frac{{\partial^{{2}} {f}}}{{{square}}}"
                    closed = g.scalar.derivative(h.name).latex
                    entries.append(equation(Equation(left_side, (closed,)), _width(left_side)))
    return {
        "order": tex(order) if len(names) <= 24 else "",
        "count": len(names),
        "matrix": display(f"{left} = {matrix}"),
        "entries": entries,
        "product": found.direction is not None,
        "error": error_text(found.error),
    }


def names_of(first: str, second: str) -> str:
    """The lower line of a second derivative."""
    a, b = symbol(first), symbol(second)
    return rf"\partial {a}^{{2}}" if first == second else rf"\partial {a}\,\partial {b}"


def _run(run: Run) -> dict[str, Any]:
    source, output = run.program.source.splitlines(), run.output.text.rstrip("\n").splitlines()
    return {
        "dialect": run.program.dialect,
        "name": run.program.name,
        "source": _listing(_highlighted("\n".join(source[:MAX_SOURCE])), numbered=True),
        "more_source": max(0, len(source) - MAX_SOURCE),
        "output": _terminal(run.output.command, "\n".join(output[:MAX_OUTPUT])),
        "more_output": max(0, len(output) - MAX_OUTPUT),
    }


def _listing(lines: list[list[tuple[str, str]]], *, numbered: bool = False) -> Markup:
    return safe(listing(lines, numbered, as_text=_browser.get()))


def _terminal(command: str, output: str = "") -> Markup:
    """A command and what it prints."""
    printed = output.rstrip("\n").split("\n") if output else []
    return _listing([[("k", command)], *([("", line)] for line in printed)])


def _plain(text: str) -> Markup:
    return _listing([[("", line)] for line in text.split("\n")])


def _highlighted(source: str) -> list[list[tuple[str, str]]]:
    """The lines of a program in pieces; comments, strings and keywords are marked, nothing else."""
    from pygments.lexers.python import PythonLexer
    from pygments.token import Token

    marks = {
        Token.Comment: "c",
        Token.Literal.String: "c",
        Token.Keyword: "k",
        Token.Operator.Word: "k",
    }
    lines: list[list[tuple[str, str]]] = [[]]
    for kind, text in PythonLexer().get_tokens(source.rstrip("\n")):
        mark = next((m for k, m in marks.items() if kind in k), "")
        for i, piece in enumerate(text.split("\n")):
            if i:
                lines.append([])
            if piece:
                lines[-1].append((mark, piece))
    while lines and not lines[-1]:
        lines.pop()
    return lines


# ---------------------------------------------------------------- verification


def _verification(v: Verification, trace: Trace) -> dict[str, Any]:
    rows = _comparisons(v.entries[:MAX_ROWS], trace)
    largest = v.largest
    ways = {"difference": "central differences", "closed": "the closed form"}
    ways |= {d: f"the {DIALECTS[d]}" for d in v.dialects}
    return {
        "rows": rows,
        "more": len(v.entries) - len(rows),
        "heads": ["central difference", "closed form", *(DIALECTS[d] for d in v.dialects)],
        "largest": [(ways[w], error_text(e)) for w, e in largest.items()],
        "comparisons": v.comparisons,
        "kinks": ", ".join(v.kinks),
        "dialects": len(v.dialects),
        "sampled": v.sampled,
    }


def _comparisons(entries: Sequence[Entry], trace: Trace) -> list[dict[str, Any]]:
    """A row for each gradient entry; every way's numbers with one precision."""
    ways = [[e.difference, e.closed, *e.programs.values()] for e in entries]
    columns = [_ways_column(column) for column in zip(*ways, strict=True)]
    traces = numbers.column((e.trace for e in entries), CHECK_DIGITS)
    return [
        {
            "entry": tex(
                rf"\partial {symbol(trace.letter)} / \partial {_entry_symbol(e.name, e.place, trace)}"
            ),
            "trace": traces[i],
            "cells": [_stack(column[i]) for column in columns],
        }
        for i, e in enumerate(entries)
    ]


def _stack(cell: tuple[str, str] | None) -> Markup:
    """A number with its error below it."""
    if cell is None:
        return Markup("–")
    if _browser.get():
        return Markup('{}<br/><span class="error">{}</span>').format(*cell)
    return safe(stacked(cell))


def _ways_column(comparisons: Sequence[Comparison | None]) -> list[tuple[str, str] | None]:
    """Value and relative error of each comparison; None where none was made."""
    made = [c for c in comparisons if c is not None]
    shown = iter(numbers.column((c.value for c in made), CHECK_DIGITS))
    return [(next(shown), error_text(c.error)) if c is not None else None for c in comparisons]


def _entry_symbol(name: str, place: tuple[int, ...], trace: Trace) -> str:
    """An entry of an input as a textbook writes it, labels from 1: W_{12}."""
    shape = np.shape(trace.gradients[name])
    written = symbol(name)
    labels = ",".join(str(p + 1) for p, n in zip(place, shape, strict=True) if n > 1)
    if not labels:
        return written
    labels = labels if "," not in labels or max(shape) > 9 else labels.replace(",", "")
    return rf"\left({written}\right)_{{{labels}}}" if "_" in written else f"{written}_{{{labels}}}"
