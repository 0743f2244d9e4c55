r"""How a name in LaTeX and an input's key are compared: \hat{y}, y_hat and "\hat y" are one name.

The normal form has no fonts, braces and underscores; a Greek command is its English name, an accent and
a prime are words behind, a label in brackets stands as it is.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence

from report.autodiff.inputs import CONSTANTS, NAME
from report.autodiff.parser.latex.tokens import Token, tokens_of
from report.autodiff.parser.source import Places

_ACCENT = {r"\hat": "hat", r"\widehat": "hat", r"\bar": "bar", r"\overline": "bar", r"\tilde": "tilde",
           r"\widetilde": "tilde", r"\dot": "dot", r"\ddot": "ddot", r"\check": "check", r"\breve": "breve",
           r"\mathring": "ring"}  # fmt: skip
_SIGNS = {"*": "star", r"\star": "star", r"\ast": "star", "'": "prime", r"\prime": "prime", r"\dagger": "dagger",
          "+": "plus", "-": "-", r"\#": "", r"\_": ""}  # fmt: skip
_DROPPED = frozenset(
    {"{", "}", "_", "^", ",", "(", ")", "[", "]", r"\vec", r"\underline", r"\|", "&"}
)


def normal(key: str) -> str:
    r"""The normal form of an input's key, written plainly (y_hat, h_t) or in LaTeX (\\hat{y}, h_{t-1})."""
    if re.fullmatch(r"[A-Za-z0-9_]+", key):
        return re.sub(r"^var(?=(epsilon|theta|kappa|pi|rho|sigma|phi))", "", key).replace("_", "")
    label = label_of(tokens_of(Places(key), key))
    return key if label is None else label


def label_of(tokens: Sequence[Token]) -> str | None:
    """The tokens of a name or of a label as one word; None where they are no label, as a sum of products is not."""
    words: list[str] = []
    accents: list[str] = []
    for token in tokens:
        if token.kind in ("letter", "num"):
            words.append(token.text)
            words += accents
            accents = []
        elif token.kind == "word":
            words.append(re.sub(r"[^A-Za-z0-9]", "", token.text))
            words += accents
            accents = []
        elif token.text in _ACCENT:
            accents.append(_ACCENT[token.text])
        elif token.text in _SIGNS:
            words.append(_SIGNS[token.text])
        elif token.text not in _DROPPED:
            return None
    return "".join(words)


def identifier(tokens: Sequence[Token], taken: Sequence[str] = ()) -> str:
    r"""A name for a line that a program may use: \hat{y} -> y_hat, z^{[1]} -> z1, h_{t-1} -> h_t_1."""
    text = ""
    accents: list[str] = []
    raised = False
    word_before = 0
    for token in tokens:
        if token.kind == "letter" and len(token.text) == 1 == word_before and text:  # _{KL}
            text += token.text
            continue
        word_before = len(token.text) if token.kind == "letter" else 0
        if token.kind in ("letter", "num", "word"):
            word = re.sub(r"[^A-Za-z0-9]", "", token.text)
            joined = (
                token.kind == "num"
                or not text
                or text.endswith("_")
                or (raised and len(word) == 1 and token.kind == "num")
            )
            text += word if joined or not text else f"_{word}"
            for accent in accents:
                text += f"_{accent}"
            accents = []
        elif token.text in _ACCENT:
            accents.append(_ACCENT[token.text])
        elif token.text in ("^", "_"):
            raised = token.text == "^"
        elif token.text in _SIGNS and token.text not in "+-":
            text += f"_{_SIGNS[token.text]}"
    text = text[:38] or "value"
    if not NAME.fullmatch(text) or keyword.iskeyword(text) or text in CONSTANTS:
        text = f"{text}_line" if text[:1].isalpha() else f"v_{text}"
    while text in taken:
        text += "_"
    return text
