"""The report as neutral blocks, from which the peers' documents are written.

The numbers, formulas, programs and outputs are those of the report itself: a peer computes what the
report computes (trace, derivation, layout of the graph, programs really run, checks), all but the
HTML, and then writes the same headings, tables, formulas and listings in its own language.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from report import figure, number_format, program
from report.autodiff.trace import Trace
from report.checks import Verification, error_text, verify
from report.derivation import Branch, Derivation, Equation, Gradient, Step, derive
from report.derivation.latex.symbols import VALUE, symbol, tensor
from report.document.answer import DIALECTS, MANY
from report.document.backward import MAX_AGAIN, MIN_ROWS
from report.document.precision import COLUMN_DIGITS
from report.document.tables import MAX_ENTRIES
from report.figure import LARGE, alt_text
from report.figure.fold import rows
from report.figure.font_metrics import Ink
from report.figure.overview import overview
from report.figure.svg import Step as PathStep
from report.figure.svg import arrowhead, curve, outline
from report.figure.units import plan
from report.homework.homework import Homework, Question, read_homework
from report.homework.traces import trace_question
from report.pipeline import making


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 or 2."""

    text: str
    level: int


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
    paths: tuple[tuple[tuple[PathStep, ...], float, str, str], ...]
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
    from report.homework.overrides import parse_overrides

    return read_homework(path, parse_overrides(list(overrides)) if overrides else None, None)


def blocks(work: Homework) -> Iterator[Block]:
    """The report, from top to bottom: the results first, then the questions, then how to make it again."""
    found = [_question(question) for question in work.questions]
    yield Table(
        ("Question", "value", "gradient", "checks"),
        tuple((f"Question {i}", *results) for i, (results, _) in enumerate(found, 1)),
    )
    for number, (question, (_, told)) in enumerate(zip(work.questions, found, strict=True), 1):
        yield Heading(f"Question {number}. {question.title}", 1)
        yield from told
    made = making(work)
    yield Heading("Reproduce", 2)
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    yield Paragraph(f"{made['command']}. Made with {versions}.")


def _question(question: Question) -> tuple[tuple[str, str, str], list[Block]]:
    """What a question gives, and its blocks."""
    trace = trace_question(question)
    tensors = [q.node.shape for q in (*trace.inputs, *trace.gates) if q.node.shape]
    programs = [
        found
        for dialect, name in (("python", f"{question.id}.py"), ("numpy", f"{question.id}_numpy.py"))
        if dialect == "python" or tensors
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

    told: list[Block] = [*_statement(question, trace, derivation)]
    told += [Heading("Computational graph", 2), drawing]
    told += [Heading("Forward pass", 2), _forward(derivation)]
    told += [Heading("Backward pass", 2), *_backward(trace, derivation)]
    told += [Heading("The gradient", 2), *map(_gradient, derivation.gradients)]
    many = sum(int(np.prod(shape)) for shape in tensors) > MANY
    shown = [
        (p, o) for p, o in zip(programs, outputs, strict=True) if not many or p.dialect == "numpy"
    ]
    for i, (run, output) in enumerate(shown):
        title = "The same program, vectorised" if i else "A program that implements the graph"
        told += [Heading(f"{title}: {run.name}", 2), Listing(run.name, run.source.rstrip("\n"))]
        if i and output.text == shown[0][1].text:
            told.append(Paragraph(f"{run.command} prints the same as {shown[0][0].name}."))
        else:
            told.append(Terminal(run.command, output.text.rstrip("\n")))
    told += [Heading("Verification", 2), *_verification(trace, checked)]
    gradients = " \\quad ".join(f"${g.left} = {g.numbers}$" for g in derivation.gradients)
    value = f"${derivation.function} = {tensor(trace.value, VALUE)}$"
    return (value, gradients, f"{checked.comparisons} agree"), told


def _statement(question: Question, trace: Trace, derivation: Derivation) -> Iterator[Block]:
    for part in question.statement.split("\n\n"):
        text = " ".join(part.split())
        if text.startswith("$$"):
            yield Formulas((("", text.strip("$ ")),))
        elif text:
            yield Paragraph(text)
    if "$$" not in question.statement:
        yield Formulas(tuple((line.left, line.symbols[0]) for line in derivation.formula))
    yield Paragraph(
        " \\quad ".join(f"${symbol(q.name, q.node.shape)} = {tensor(q.value, VALUE)}$" for q in trace.inputs)
    )  # fmt: skip


# ---------------------------------------------------------------- forward and backward


def _forward(derivation: Derivation) -> Table:
    scalars = [r.quantity.value for r in derivation.forward if not r.quantity.node.shape]
    column = iter(number_format.column(scalars, COLUMN_DIGITS))
    rows = []
    for row in derivation.forward:
        node, value = row.quantity.node, row.quantity.value
        shown = f"${tensor(value, VALUE)}$" if node.shape else next(column)
        put_in = f"${row.numbers}$" if row.numbers else "–"
        rows.append((str(row.quantity.number), f"${row.name} = {row.symbols}$", put_in, shown))
    return Table(("Gate", "computes", "with numbers", "value"), tuple(rows))


def _backward(trace: Trace, derivation: Derivation) -> Iterator[Block]:
    if derivation.legend:
        yield Paragraph(" ".join(derivation.legend))
    told: set[str] = set()
    for is_scalar, group in groupby(derivation.backward, key=lambda s: not s.shapes):
        steps = list(group)
        if is_scalar and (len(steps) >= MIN_ROWS or len(steps) == len(derivation.backward)):
            yield _table(trace, steps)
            yield from _reasons(steps, told)
        else:
            for step in steps:
                yield from _lines(trace, step)
                yield from _reasons([step], told)


def _table(trace: Trace, steps: Sequence[Step]) -> Table:
    """A row for each argument, and one where paths meet."""
    cells: list[tuple[str, str, str, str]] = []
    values = []
    for step in steps:
        label = f"{step.quantity.number} {step.quantity.node.gate.sign}"
        for branch in step.branches:
            local = branch.local
            assert local is not None
            derivative = _math(local.left, local.symbols[-1:] or local.numbers[-1:])
            cells.append(
                (
                    label,
                    _math(branch.left, branch.chain),
                    derivative,
                    _math("", branch.numbers[:-1]),
                )
            )
            values.append(branch.value)
            if branch.total is not None:
                total = branch.total
                cells.append(
                    ("", _math(total.left, total.symbols), "", _math("", total.numbers[:-1]))
                )
                values.append(trace.quantities[branch.argument].gradient)
    column = number_format.column(values, COLUMN_DIGITS)
    rows = tuple((*cell, value) for cell, value in zip(cells, column, strict=True))
    return Table(("Gate", "chain rule", "local derivative", "numbers", "gradient"), rows)


def _math(left: str, sides: Sequence[str]) -> str:
    return f"${left} = {' = '.join(sides)}$" if sides else ""


def _lines(trace: Trace, step: Step) -> Iterator[Block]:
    """A step with tensors: what it computes, and a line or two for each argument."""
    sizes = rf" \quad ${step.shapes}$" if step.shapes else ""
    yield Paragraph(f"{step.quantity.number} \\quad ${step.definition}${sizes}")
    first = [step.arrived] if step.quantity.node is trace.graph.result else []
    shown = [*first, *(e for branch in step.branches for e in _of_branch(branch))]
    yield Formulas(tuple((e.left, " = ".join([*e.symbols, *e.numbers])) for e in shown))


def _of_branch(branch: Branch) -> Iterator[Equation]:
    yield from branch.derived
    if branch.summed is not None:
        yield branch.summed
    again = branch.hands_on and np.size(branch.value) > MAX_AGAIN  # the numbers stand above
    yield Equation(branch.left, branch.symbols, () if again else branch.numbers[-2:])
    for more in (None if branch.summed else branch.entries, branch.together, branch.total):
        if more is not None:
            yield more


def _reasons(steps: Sequence[Step], told: set[str]) -> Iterator[Block]:
    """The reason of each kind of gate, once."""
    words = [w for s in steps for w in (s.why, *s.notes) if w and w not in told]
    told.update(words)
    if words:
        yield Paragraph(" ".join(dict.fromkeys(words)))


def _gradient(gradient: Gradient) -> Formulas:
    closed = () if gradient.closed is None else (gradient.closed,)
    sides = gradient.here[-1].symbols if gradient.here else closed
    lines = [(gradient.left, " = ".join([*sides, gradient.numbers]))]
    if gradient.here:
        lines.append((gradient.left, " = ".join(closed)))
    if gradient.entry:
        lines.append((gradient.entry.left, " = ".join(gradient.entry.symbols)))
    lines += [(e.left, " = ".join(e.symbols)) for e in (*gradient.here[:-1], *gradient.where)]
    return Formulas(tuple(lines), boxed=True)


# ---------------------------------------------------------------- what was checked


def _verification(trace: Trace, checked: Verification) -> Iterator[Block]:
    """The entries of small gradients one by one, of larger ones the largest error."""
    ways = ("central difference", "closed form", *(DIALECTS[d] for d in checked.dialects))
    cells = []
    for name, gradient in trace.gradients.items():
        entries = [e for e in checked.entries if e.name == name]
        of = rf"\partial {symbol(trace.letter)} / \partial {symbol(name, np.shape(gradient))}"
        compared = [[e.difference, e.closed, *e.programs.values()] for e in entries]
        if len(entries) <= MAX_ENTRIES:
            for e, others in zip(entries, compared, strict=True):
                place = "".join(str(p + 1) for p in e.place)
                shown = (number_format.show(c.value, 10) if c else "–" for c in others)
                at = f"_{{{place}}}" if place else ""
                cells.append((f"${{{of}}}{at}$", number_format.show(e.trace, 10), *shown))
        worst = [
            error_text(max((c.error for c in way if c), default=0.0))
            for way in zip(*compared, strict=True)
        ]
        cells.append((f"relative error of ${of}$", f"{len(entries)} entries", *worst))
    yield Table(("gradient", "trace", *ways), tuple(cells), small=True)
    yield Paragraph(f"All {checked.comparisons} comparisons agree.")


# ---------------------------------------------------------------- the graph


def _drawing(trace: Trace) -> Drawing:
    what = plan(trace)
    wide = 150 / figure.POINT
    placed = rows(what, wide, 215 / figure.POINT)
    many = len(placed) >= LARGE and not what.grouped
    if many and (whole := overview(trace, wide)):
        placed.insert(0, whole)
    y = 0.0
    for row in placed:
        row.shift(0.0, y)
        y += row.height + 14.0
    routes = [route for row in placed for route in row.routes]
    vertices = [v for row in placed for v in row.vertices]
    pieces = [v.piece.moved(v.x, v.y) for v in vertices]
    grey, black = "#595959", "#000000"
    paths = [(tuple(curve(route)), 0.6, grey, "") for route in routes]
    paths += [(tuple(head), 0.1, grey, grey) for route in routes if (head := arrowhead(route))]
    paths += [
        (tuple(outline(v)), 0.8, grey if v.grey else black, "#F2F2F2") for v in vertices if v.body
    ]
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
        caption=" ".join(alt_text.reading(what, placed)),
    )
