"""Notation of choices and of conditions in brackets 𝟙[...]."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from report.autodiff.form import Form
from report.autodiff.gates import CALL, PRODUCT, SUM
from report.autodiff.graph import Node
from report.derivation.latex.printer import Signs

if TYPE_CHECKING:
    from report.derivation.latex.printer import Printer


def _where(p: Printer, node: Node) -> tuple[str, int]:
    c, a, b = (p.write(arg)[0] for arg in node.args)
    text = choice(c, a, b, r" \odot " if node.shape else " ")
    return text, SUM if text.startswith(r"\begin") else PRODUCT


def _condition(p: Printer, node: Node) -> tuple[str, int]:
    return joined_conditions(node.gate.form, [p.write(a)[0] for a in node.args]), CALL


def choice(condition: str, a: str, b: str, times: str = " ") -> str:
    """a where a condition holds, else b, as cases; between something and 0 as a product with 𝟙[...]."""
    bare = _bare_condition(condition)
    if bare is None:
        if b in ("0", "𝟎"):
            return _product(a, times, rf"𝟙\left[{condition} \ne 0\right]")
        if a in ("0", "𝟎"):
            return _product(b, times, rf"𝟙\left[{condition} = 0\right]")
        bare = rf"{condition} \ne 0"
    return rf"\begin{{cases}} {a} & \text{{if }} {bare} \\ {b} & \text{{otherwise}} \end{{cases}}"


def _product(a: str, times: str, b: str) -> str:
    space = r" \, " if times == " " else times
    return b if a in ("1", "𝟏") else f"{a}{space}{b}"


def _bare_condition(text: str) -> str | None:
    """What stands in the bracket 𝟙[...]; None of a number."""
    match = re.fullmatch(r"𝟙\\left\[(.*)\\right\]", text)
    return match[1] if match else None


def joined_conditions(form: Form | None, texts: list[str]) -> str:
    """Conditions joined by and, or, not in one bracket 𝟙[...]; numbers are conditions by their name."""
    parts = [_bare_condition(t) or t for t in texts]
    inner = [rf"\left({t}\right)" if r"\l" in t and _JOINED.search(t) else t for t in parts]
    sign = {Form.AND: r" \land ", Form.OR: r" \lor "}.get(form or Form.NOT)
    if sign is None:
        inner = [
            t if t.startswith(r"\left(") or " " not in t else rf"\left({t}\right)" for t in inner
        ]
        return rf"𝟙\left[\lnot {inner[0]}\right]"
    return rf"𝟙\left[{sign.join(inner)}\right]"


_JOINED = re.compile(r"\\l(?:and|or)\b")


JOINED = (Form.AND, Form.OR, Form.NOT)
SIGNS: Signs = {
    Form.CHOICE: _where,
    **dict.fromkeys(JOINED, _condition),
}
