"""Traces and derivations that show themselves in Jupyter, marimo and their like."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from report.autodiff import differentiate
from report.autodiff.trace import Quantity, Trace
from report.errors import ReportError

MAX_GATES = 200  # of a trace that is drawn


class NotebookTrace(Trace):
    """A trace that a notebook shows as its graph and its tables."""

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """The trace as HTML with MathML, and as plain text beside it."""
        bundle = {"text/plain": _text(self)}
        if len(self.gates) <= MAX_GATES:
            bundle["text/html"] = _html(self)
        return bundle


def trace(
    function: str | Callable[..., Any],
    inputs: Mapping[str, Any] = MappingProxyType({}),
    wrt: Collection[str] | None = None,
    unfold: Collection[str] = (),
    entry: tuple[int, ...] | None = None,
) -> NotebookTrace:
    """Evaluate and differentiate a formula, or a Python function, which is read and never run.

    `inputs` maps names to numbers, nested lists or arrays; `wrt` lists the inputs whose gradients are
    asked for (by default all but those used as an index or a label); the gates named in `unfold` are
    written out in simpler ones; of a result that is a vector an `entry`, counted from 0, is followed
    (() is the first). Raises ReportError for anything that is not a formula over these inputs
    with one finite number as its result and finite gradients. A notebook shows the result.
    """
    found = differentiate.trace(function, inputs, wrt, unfold, entry)
    return NotebookTrace(**{f.name: getattr(found, f.name) for f in fields(found)})


@dataclass(frozen=True)
class Shown:
    """The derivation of a question, for a notebook to show."""

    html: str
    text: str

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """The derivation as HTML with MathML, and its results as plain text."""
        return {"text/html": self.html, "text/plain": self.text}


def show(
    function: str | Callable[..., Any] | Trace,
    inputs: Mapping[str, Any] = MappingProxyType({}),
    wrt: Collection[str] | None = None,
    unfold: Collection[str] = (),
    entry: tuple[int, ...] | None = None,
) -> Shown:
    """The whole derivation of a formula, a Python function or a trace, as in the report.

    Its checks are those that need no program to run. Raises ReportError as `trace` does.
    """
    from report import checks, derivation, document, figure
    from report.homework.homework import Question
    from report.readback import printable, read_back

    found = function if isinstance(function, Trace) else trace(function, inputs, wrt, unfold, entry)
    if found.unchosen:
        raise ReportError(found.unchosen)
    derived = derivation.derive(found)
    derived, read = printable(derived, read_back(found, derived))
    question = Question("q1", found.function, {q.name: q.value for q in found.inputs}, found.wrt)
    drawn = figure.draw(found, browser=True)
    work = document.Work(question, found, derived, drawn, None, ())
    checked = checks.verify(found, derived, {}, read)
    answer = document.Answer(work, (), checked, document.view(work, browser=True))
    body = document.question_html(answer)
    return Shown(
        f'<div class="report-trace document">{_style(whole=True)}{body}</div>', _text(found)
    )


# ---------------------------------------------------------------- how it looks


def _html(found: Trace) -> str:
    from report import derivation, document, figure
    from report.derivation.latex.symbols import GRADIENT, VALUE, symbol, tensor
    from report.document.formulas import BROWSER

    def number(value: Any, colour: str) -> Any:
        return "—" if value is None else BROWSER.display(tensor(value, colour))

    def row(q: Quantity, symbols: str = "") -> dict[str, Any]:
        name = symbol(q.name, q.node.shape)
        return {
            "number": q.number or "",
            "symbols": BROWSER.display(f"{name} = {symbols}" if symbols else name),
            "value": number(q.value, VALUE),
            "gradient": number(q.gradient, GRADIENT),
        }

    rows = [row(q) for q in found.inputs]
    rows += [row(r.quantity, r.symbols) for r in derivation.forward_rows(found)]
    template = document.environment(BROWSER).get_template("live/trace.html.j2")
    drawn = figure.draw(found, browser=True)
    return template.render(
        panels=drawn.panels, rows=rows, letter=found.letter, style=_style(whole=False)
    )


def _style(*, whole: bool) -> Any:
    from markupsafe import Markup

    from report import document, resources

    css = resources.path("assets/live/stepper.css").read_text(encoding="utf-8")
    css = css[: css.index("@media (prefers-color-scheme")].replace(":root", ".report-trace")
    notebook = resources.path("assets/live/notebook.css").read_text(encoding="utf-8")
    css += (document.scoped_css(".report-trace") if whole else "") + notebook
    return Markup("<style>{}</style>").format(Markup(css))  # noqa: S704 - our own files


def _text(found: Trace) -> str:
    """The trace as plain lines: inputs, gates, gradients."""
    from report import number_format

    def short(value: Any) -> str:
        if value is None:
            return "—"
        shape = getattr(value, "shape", ())
        return f"{list(shape)}" if shape else number_format.show(float(value))

    lines = [f"{found.letter} = {number_format.show(found.value, 12)}"]
    lines += [
        f"{q.number or ' ':>4}  {q.name} = {short(q.value)}, gradient {short(q.gradient)}"
        for q in (*found.inputs, *found.gates)[:MAX_GATES]
    ]
    return "\n".join(lines)
