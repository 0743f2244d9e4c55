r"""Where a user's name is also a sign of ours, the sign gives way: e, I, sigma and delta beside e^x, 𝐈, σ(x), δ_ij.

While a derivation is made, such a name of the user is marked. What is not marked and looks like it is
ours, and gets another notation: exp(x), 𝕀, sigmoid(x), 𝟙[i = j]. Then the marks are taken off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from report.autodiff.graph import Shape
from report.derivation.latex.printed import Printed
from report.derivation.latex.symbols import symbol

MARK = "\ue000"  # of no alphabet
OURS = frozenset({"e", "I", "sigma", "delta"})
T = TypeVar("T")


def is_ours(name: str) -> bool:
    """Whether a name is set like a sign of ours."""
    return re.split(r"[_0-9]", name, maxsplit=1)[0] in OURS


def own_symbol(name: str, shape: Shape = (), labels: str = "") -> Printed:
    """The LaTeX of a user's name, marked where it is also a sign of ours."""
    written = symbol(name, shape, labels)
    return Printed(MARK + written, name=name) if is_ours(name) else written


def given_way(made: T, names: Collection[str]) -> T:
    """A derivation, or a part of it, in which signs of ours give way to a user's `names`; without marks."""
    bases = {re.split(r"[_0-9]", name, maxsplit=1)[0] for name in names} & OURS
    if not bases:
        return made
    rules = [rule for base, rule in _RULES.items() if base in bases]

    def text(written: str) -> str:
        for rule in rules:
            written = rule(written)
        return written.replace(MARK, "")

    changed: T = _in_texts(made, text)
    return changed


def _in_texts(x: Any, text: Callable[[str], str]) -> Any:
    """What is made of texts, with every text changed."""
    if isinstance(x, str):
        return text(x)
    if isinstance(x, tuple) and type(x) is tuple:
        return tuple(_in_texts(part, text) for part in x)
    if is_dataclass(x) and not isinstance(x, type) and type(x).__module__ in _OF_TEXT:
        kept = {f.name: getattr(x, f.name) for f in fields(x)}
        changed = {k: _in_texts(v, text) for k, v in kept.items() if k not in _NO_TEXT}
        return replace(x, **changed)
    return x


_OF_TEXT = frozenset({"report.derivation.elements", "report.derivation.gate_families"})
_NO_TEXT = frozenset({"quantity", "label"})


def _as_exp(text: str) -> str:
    r"""e^{x} as \exp(x), and the unit vector with another letter."""
    text = re.sub(rf"(?<!{MARK})\\mathbf\{{e\}}_\{{\\left\[", r"\\mathbf{u}_{\\left[", text)
    found = _EULER.search(text)
    while found:
        end = _closing(text, found.end() - 1)
        inner = text[found.end() : end]
        text = rf"{text[: found.start()]}\exp\left({inner}\right){text[end + 1 :]}"
        found = _EULER.search(text)
    return text


_EULER = re.compile(
    rf"(?<![{MARK}\\A-Za-z{{])e\^\{{|(?<=\{{)(?<!\\mathbf\{{)(?<!\\hat\{{)(?<!\\bar\{{)(?<!\\tilde\{{)e\^\{{"
)


def _closing(text: str, at: int) -> int:
    """Where the brace at a place closes."""
    depth = 0
    for i in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if not depth:
            return i
    return len(text)


def _as_bracket(text: str) -> str:
    """δ_ij as 𝟙[i = j]."""

    def bracket(found: re.Match[str]) -> str:
        a, b = found[1].split(", ") if ", " in found[1] else (found[1][0], found[1][1:])
        return rf"𝟙\left[{a} = {b}\right]"

    return re.sub(rf"(?<!{MARK})\\delta_\{{([^{{}}]*)\}}", bracket, text)


_RULES: dict[str, Callable[[str], str]] = {
    "e": _as_exp,
    "I": lambda text: re.sub(rf"(?<!{MARK})\\mathbf\{{I\}}", r"\\mathbb{I}", text),
    "sigma": lambda text: re.sub(
        rf"(?<!{MARK})\\sigma\\left\(", r"\\operatorname{sigmoid}\\left(", text
    ),
    "delta": _as_bracket,
}
