"""The report as neutral blocks, from which the peers' documents are written.

The numbers, formulas, programs and outputs are those of the report itself: a peer computes what the
report computes (trace, derivation, layout of the graph, programs really run, checks), all but the
HTML, and then writes the same headings, tables, formulas and listings in its own language.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from report import figure, number_format, program
from report.autodiff.trace import Trace
from report.checks import error_text, verify
from report.derivation import Derivation, Equation, Gradient, derive
from report.derivation.latex.symbols import VALUE, symbol, tensor
from report.figure.fold import rows
from report.figure.font_metrics import Ink
from report.figure.svg import Step, curve, outline
from report.figure.units import plan
from report.homework.homework import Homework, Question, read_homework
from report.homework.traces import trace_question
from report.pipeline import making


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 or 2."""

    text: str
    level: int
    page: bool = False  # whether it begins a page


@dataclass(frozen=True)
class Paragraph:
    """Words with math between them."""

    text: str  # with $math$


@dataclass(frozen=True)
class Formulas:
    """Lines of displayed math, each a left and a right side."""

    lines: tuple[tuple[str, str], ...]
    label: str = ""
    boxed: bool = False


@dataclass(frozen=True)
class Table:
    """Cells are words with math between them."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    small: bool = False


@dataclass(frozen=True)
class Drawing:
    """Paths (steps, line width, colour, fill) and texts, in points from the upper left."""

    width: float
    height: float
    paths: tuple[tuple[tuple[Step, ...], float, str, str], ...]
    texts: tuple[Ink, ...]
    caption: str


@dataclass(frozen=True)
class Listing:
    """Code."""

    name: str
    source: str
    numbered: bool = True


@dataclass(frozen=True)
class Terminal:
    """A command and what it printed."""

    command: str
    output: str


Block = Heading | Paragraph | Formulas | Table | Drawing | Listing | Terminal


def read(path: str, overrides: Sequence[str] = ()) -> Homework:
    from report.homework.homework import parse_overrides

    return read_homework(path, parse_overrides(list(overrides)) if overrides else None, None)


def blocks(work: Homework) -> Iterator[Block]:
    """The report, from top to bottom; everything is computed on the way."""
    for number, question in enumerate(work.questions, 1):
        yield Heading(f"Question {number}. {question.title}", 1, page=True)
        yield from _question(work, question)
    made = making(work)
    yield Heading("How to make this document again", 1, page=True)
    yield Terminal(f"$ {made['command']}", "")
    yield Listing("The homework file, with the inputs used", made["file"], numbered=False)
    yield Paragraph(", ".join(f"{name} {version}" for name, version in made["versions"].items()))


def _question(work: Homework, question: Question) -> Iterator[Block]:
    trace = trace_question(question)
    programs = [
        found
        for dialect, name in (("python", f"{question.id}.py"), ("numpy", f"{question.id}_numpy.py"))
        if dialect == "python" or any(q.node.shape for q in (*trace.inputs, *trace.gates))
        if (found := program.generate(trace, dialect=dialect, name=name)).source
    ]
    running = [program.start(p) for p in programs]
    derivation = derive(trace)
    drawing = _drawing(trace)
    outputs = [program.finish(r) for r in running]
    printed = {
        p.dialect: program.parse_output(o.text, trace)
        for p, o in zip(programs, outputs, strict=True)
    }
    checked = verify(trace, derivation, printed)
    if checked.failures:
        sys.exit("\n".join(checked.failures))

    for part in question.statement.split("\n\n"):
        text = " ".join(part.split())
        if text.startswith("$$"):
            yield Formulas((("", text.strip("$ ")),))
        elif text:
            yield Paragraph(text)
    yield Heading("The function and the inputs", 2)
    yield Formulas(tuple((line.left, line.symbols[0]) for line in derivation.formula))
    yield Paragraph(
        " \\quad ".join(f"${symbol(q.name, q.node.shape)} = {tensor(q.value, VALUE)[0]}$" for q in trace.inputs)
    )  # fmt: skip
    yield Heading("Computational graph", 2)
    yield drawing
    yield Heading("Forward pass", 2)
    yield _forward(derivation)
    yield Heading("Backward pass", 2)
    if derivation.legend:
        yield Paragraph(" ".join(derivation.legend))
    for step in derivation.backward:
        sizes = rf"\quad ${step.shapes}$" if step.shapes else ""
        yield Paragraph(f"{step.quantity.number}. ${step.definition}${sizes}")
        for row in step.rows:
            yield Formulas(_lines(row.equation), label=row.label)
        if step.why:
            yield Paragraph(step.why)
    yield Heading("The gradient", 2)
    for gradient in derivation.gradients:
        yield from _gradient(gradient)
    for run, output in zip(programs, outputs, strict=True):
        yield Heading(f"Program {run.name}", 2)
        yield Listing(run.name, run.source.rstrip("\n"))
        yield Terminal(run.command, output.text.rstrip("\n"))
    yield Heading("Verification", 2)
    heads = ("entry", "trace", "central difference", "closed form", *checked.dialects)
    cells = []
    for e in checked.entries[:60]:
        place = "".join(str(p + 1) for p in e.place)
        entry = rf"$\partial f / \partial {{{symbol(e.name)}}}_{{{place}}}$"
        ways = (e.difference, e.closed, *e.programs.values())
        cells.append(
            (
                entry,
                number_format.show(e.trace, 10),
                *(
                    f"{number_format.show(c.value, 10)} ({error_text(c.error)})" if c else "–"
                    for c in ways
                ),
            )
        )
    yield Table(heads, tuple(cells), small=True)
    yield Paragraph(f"All {checked.comparisons} comparisons agree.")


def _forward(derivation: Derivation) -> Table:
    rows = []
    for row in derivation.forward:
        node, value = row.quantity.node, row.quantity.value
        shown = f"${tensor(value, VALUE)[0]}$" if node.shape else number_format.show(value)
        put_in = f"${row.numbers}$" if row.numbers else ""
        rows.append((str(row.quantity.number), f"${row.name} = {row.symbols}$", put_in, shown))
    return Table(("Gate", "computes", "with numbers", "value"), tuple(rows))


def _lines(equation: Equation) -> tuple[tuple[str, str], ...]:
    right = [*equation.symbols, *equation.numbers]
    return tuple((equation.left if i == 0 else "", text) for i, text in enumerate(right))


def _gradient(gradient: Gradient) -> Iterator[Block]:
    closed = () if gradient.closed is None else (gradient.closed,)
    lines = _lines(Equation(gradient.left, closed, (gradient.numbers,)))
    if gradient.entry:
        lines += _lines(gradient.entry)
    yield Formulas(lines, boxed=True)
    for where in gradient.where:
        yield Paragraph(f"with ${where.left} = {where.symbols[0]}$")


def _drawing(trace: Trace) -> Drawing:
    placed = rows(plan(trace), 150 / figure.POINT, 215 / figure.POINT)
    y = 0.0
    for row in placed:
        row.shift(0.0, y)
        y += row.height + 14.0
    vertices = [v for row in placed for v in row.vertices]
    pieces = [v.piece.moved(v.x, v.y) for v in vertices]
    paths = [(tuple(curve(route)), 0.6, "#595959", "") for row in placed for route in row.routes]
    paths += [(tuple(outline(v)), 0.8, "#000000", "#F2F2F2") for v in vertices if v.body]
    paths += [
        (tuple(("L" if i else "M", (p,)) for i, p in enumerate(s.points)), 0.55, s.colour, "")
        for piece in pieces
        for s in piece.strokes
    ]
    return Drawing(
        width=max(row.width for row in placed),
        height=y,
        paths=tuple(paths),
        texts=tuple(ink for piece in pieces for ink in piece.inks),
        caption="On every edge stands the value above and the gradient below.",
    )
