"""A gate's sign in the text beside its derivation: what stands in the figure, as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from report.autodiff.form import Form
from report.autodiff.graph import Node
from report.autodiff.trace import Trace
from report.figure import gate_signs
from report.figure.font_metrics import TextRun, line

SIZE = 11.0  # points
_OVER = {"ˆ": "\u0302", "¯": "\u0304", "˜": "\u0303"}  # accents as marks on the letter before


def sign(node: Node, trace: Trace, room: float) -> Markup:
    """The sign of a gate; where it would be wider than `room` points for its names, the kind of gate."""
    runs = gate_signs.sign(node, trace.name_of, SIZE, room)
    is_cut = line(runs).width > room or any("…" in run.text for run in runs)
    if is_cut and gate_signs.names_operands(node):
        return kind(node.gate.sign if node.gate.form is Form.PICKED else node.gate.name)
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
