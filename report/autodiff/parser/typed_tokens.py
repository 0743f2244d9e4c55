"""A typed line as tokens, with the signs that Python has for what is typed: ⊙ is *, x₁ is x_1, ½ is (1/2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from report.autodiff.gates import GATES
from report.autodiff.inputs import ACCENTS, ascii_name

KEYWORDS = {"lambda": "lambda_"}  # names that are words of Python
BESIDE, DOT = "%", "//"  # the products whose meaning the shapes decide
_SIGNS = {
    "×": "*", "⊙": "*", "∘": "*", "∗": "*", "·": DOT, "⋅": DOT, "−": "-", "–": "-", "÷": "/", "∕": "/",
    "≤": "<=", "≥": ">=", "≠": "!=", "ᵀ": ".T", "⊤": ".T", "½": "(1/2)", "⅓": "(1/3)", "¼": "(1/4)",
    "∛": "cbrt", "√": "sqrt", "∑": "sum", "∏": "prod", "¾": "(3/4)", "⅔": "(2/3)", "′": "_prime", "π": "pi", "\u00a0": " ", "\u2009": " ", "‖": "||", "∥": "||", "⟩": ")", "∞": "inf",
}  # fmt: skip
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
_CALLED = frozenset(_SIGNS.values()) & GATES.keys()
_NO_LETTERS = "₀-₉⁰¹²³⁴-⁹½⅓¼¾⅔ᵀ"
_TOKEN = re.compile(
    r"(?P<space>[ \t]+)"
    r"|(?P<number>(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d[\d_]*)?)"
    rf"|(?P<name>[^\W\d{_NO_LETTERS}](?:[^\W{_NO_LETTERS}]|[{ACCENTS}])*[₀-₉]*)"
    r"|(?P<lowered>[₀-₉]+)"
    r"|(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)"
    r"|(?P<string>'[^']*'|\"[^\"]*\")"
    r"|(?P<sign>\*\*|//|\|\||[<>=!]=|\.[*/^']|.)"
)
_ENTRYWISE = {".*": "*", "./": "/", ".^": "**", ".'": ".T"}  # in MATLAB and Julia
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


class Unreadable(Exception):
    """Why a line cannot be read, and at which of its columns."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True)
class Token:
    """A token, at its column of the line as it was typed."""

    kind: str  # number, name, call (a name that is applied), string, sign, open, close
    text: str
    column: int
    spaced: bool = False  # white space stands before it

    @property
    def starts(self) -> bool:
        """Whether an operand begins with it."""
        return self.kind in ("number", "name", "call", "string") or self.text == "("

    @property
    def ends(self) -> bool:
        """Whether an operand ends with it."""
        return self.kind in ("number", "name", "string") or self.text in (")", "]", ".T", ".I")


def tokens_of(line: str, is_transposed: Callable[[str], bool], matlab: bool) -> list[Token]:
    """The tokens of a line. Raises Unreadable for a sign that has no place in a formula."""
    found: list[Token] = []
    spaced = False
    for match in _TOKEN.finditer(line):
        kind, text = str(match.lastgroup), match[0]
        if kind == "space" or not _SIGNS.get(text, text).strip():
            spaced = True
            continue
        name = found[-1].text if found and found[-1].ends and not spaced else ""
        if text[0] == "'" and name and (matlab or is_transposed(name)):  # the rest is no text
            found.append(Token("sign", ".T", match.start()))
            found += [
                replace(t, column=t.column + match.start() + 1)
                for t in tokens_of(line[match.start() + 1 :], is_transposed, matlab)
            ]
            return found
        if text[0] == "'" and name:
            raise Unreadable(
                f"{name}' can be read as the transpose {name}.T or as a name of its own, "
                f"{name}_prime; write one of them",
                match.start(),
            )
        _check_sign(line, match)
        for token in _spelled(kind, text, match.start(), matlab):
            found.append(Token(token.kind, token.text, token.column, spaced))
            spaced = False
    return found


def _check_sign(line: str, match: re.Match[str]) -> None:
    """Unreadable for a sign that has no place here."""
    text, rest = match[0], line[match.end() :]
    if text in "∑∏" and not rest.lstrip().startswith("("):
        name = _SIGNS[text]
        raise Unreadable(
            f"{name} is written with brackets, {name}(x), over all entries; with an index it is LaTeX: "
            rf"\{name}_{{i=1}}^n x_i",
            match.start(),
        )
    if text == "?":
        raise Unreadable("a choice is written where(x > 0, a, b)", match.start())


def _spelled(kind: str, text: str, column: int, matlab: bool) -> list[Token]:
    """A token of the text as tokens of Python."""
    if kind == "lowered":
        return [Token("name", "_" + ascii_name(text), column)]
    if text in _ENTRYWISE:
        return [Token("sign", _ENTRYWISE[text], column)]
    if text == "*" and matlab:
        return [Token("sign", BESIDE, column)]
    if text == "⟨":
        return [Token("call", "dot", column), Token("open", "(", column)]
    if kind == "raised":
        exponent = "".join(_RAISED[c] for c in text)
        return [Token("sign", "^", column), Token("number", exponent, column)]
    if kind == "name":
        return [Token("name", KEYWORDS.get(name := ascii_name(text), name), column)]
    if kind != "sign":
        return [Token(kind, text, column)]
    spelled = _SIGNS.get(text, text)
    if spelled in _CALLED:
        return [Token("call", spelled, column)]
    if spelled[0] == "(" and len(spelled) > 1:
        return [Token("number", spelled, column)]
    kind = "open" if spelled in _OPENING else "close" if spelled in _CLOSING else "sign"
    if spelled in (BESIDE, DOT) and text.isascii():
        raise Unreadable(
            f"{spelled} is not possible in a function, as it jumps; a comment begins with #", column
        )
    return [Token(kind, spelled, column)]
