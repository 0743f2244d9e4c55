"""Notation of choices and of conditions in brackets 𝟙[...]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from report.autodiff.form import Form
from report.autodiff.gates import CALL, POWER, PRODUCT, SUM
from report.autodiff.graph import Node
from report.derivation.latex.printed import Printed, bracketed, joined, put
from report.derivation.latex.printer import Notations

if TYPE_CHECKING:
    from report.derivation.latex.printer import Printer


def _where(p: Printer, node: Node) -> Printed:
    c, a, b = (p.write(arg) for arg in node.args)
    return choice(c, a, b, r" \odot " if node.shape else " ")


def _condition(p: Printer, node: Node) -> Printed:
    return joined_conditions(node.gate.form, [p.write(a) for a in node.args])


def choice(condition: Printed, a: Printed, b: Printed, times: str = " ") -> Printed:
    """a where a condition holds, else b, as cases; between something and 0 as a product with 𝟙[...]."""
    inside = condition.condition
    if inside is None:
        if b in ("0", "𝟎"):
            return _product(a, times, put(condition, r" \ne 0"))
        if a in ("0", "𝟎"):
            return _product(b, times, put(condition, " = 0"))
        inside = put(condition, r" \ne 0")
    first, second = (r"\begin{cases} ", a, r" & \text{if } ", inside), (b, r" & \text{otherwise}")
    return put(*first, r" \\ ", *second, r" \end{cases}", binding=SUM)


def _product(a: Printed, times: str, condition: Printed) -> Printed:
    bracket = put(r"𝟙\left[", condition, r"\right]", binding=PRODUCT, condition=condition)
    if a in ("1", "𝟏"):
        return bracket
    return put(a, r" \, " if times == " " else times, bracket, binding=PRODUCT)


def joined_conditions(form: Form | None, texts: list[Printed]) -> Printed:
    """Conditions joined by and, or, not, in one bracket 𝟙[...]; numbers are conditions by their name."""
    parts = [text.condition or text for text in texts]
    if form is Form.NOT:
        (part,) = parts
        inside = put(r"\lnot ", bracketed(part) if part.binding < POWER else part, binding=SUM)
    else:
        sign = r" \land " if form is Form.AND else r" \lor "
        inside = joined(sign, [bracketed(x) if x.binding < SUM else x for x in parts], SUM - 1)
    return put(r"𝟙\left[", inside, r"\right]", binding=CALL, condition=inside)


JOINED = (Form.AND, Form.OR, Form.NOT)
NOTATIONS: Notations = {
    Form.CHOICE: _where,
    **dict.fromkeys(JOINED, _condition),
}
