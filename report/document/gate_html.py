"""A gate's sign beside its number in the text, as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from report.autodiff.form import Form
from report.autodiff.graph import Node
from report.autodiff.trace import Trace
from report.figure import gate_signs
from report.figure.font_metrics import TextRun, line

SIZE = 11.0  # points
_ARITHMETIC = {Form.SUM, Form.DIFFERENCE, Form.PRODUCT, Form.QUOTIENT}
_OVER = {"ˆ": "\u0302", "¯": "\u0304", "˜": "\u0303"}  # accents as marks on the letter before


def sign(node: Node, trace: Trace, room: float) -> Markup:
    """The sign of a gate, as in the figure where it is not wider than `room` points.

    Behind a number, what is computed with a constant would read as a sum or product with that number:
    there the sign stands alone. A sign of names that is wider stands in the definition beside it.
    """
    runs = gate_signs.sign(node, trace.name_of, SIZE, room)
    is_wide = line(runs).width > room
    if is_wide and gate_signs.names_operands(node):
        return Markup()
    if node.gate.form in _ARITHMETIC or is_wide:
        return kind(node.gate.sign)
    return runs_html(runs)


def kind(text: str) -> Markup:
    """The sign of a gate with any operands."""
    return runs_html(gate_signs.plain_runs(text, SIZE))


def runs_html(runs: Iterable[TextRun]) -> Markup:
    """Runs as HTML."""
    parts: list[tuple[str, str]] = []  # tags, and the text in them
    for run in runs:
        if run.accent and parts:
            tags, text = parts[-1]
            parts[-1] = tags, text + _OVER[run.text]
            continue
        tags = {"italic": "i", "bold": "b"}.get(run.face, "")
        level = "sup" if run.raised > 0 else "sub" if run.raised < 0 else ""
        parts.append((f"{tags} {level}", run.text))
    return Markup("").join(_tagged(tags.split(), text) for tags, text in parts)


def _tagged(tags: Sequence[str], text: str) -> Markup:
    found = Markup.escape(text)
    for tag in tags:
        found = Markup("<{0}>{1}</{0}>").format(Markup(tag), found)  # noqa: S704 - one of four
    return found
