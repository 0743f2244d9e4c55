"""Formulas: LaTeX laid out once, with its size and with what is read aloud and copied."""

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from report.errors import ReportError
from report.typeset import addresses, glyphs, mathra_layout, numbers
from report.typeset.colours import is_colour
from report.typeset.drawing import Drawing
from report.typeset.tokens import spaced, unscaled


@dataclass(frozen=True)
class Formula:
    """A formula that is laid out.

    ``width``, ``height`` (above the baseline) and ``depth`` (below it) are in em of the text
    around it. ``speech`` is the formula in words, ``text`` in one line of plain characters.
    """

    width: float
    height: float
    depth: float
    speech: str
    text: str


@lru_cache(maxsize=2048)
def drawing(tex: str, display: bool) -> Drawing:
    """The layout of a formula. Raises ReportError naming LaTeX that cannot be typeset."""
    return numbers.put_in(tex, display, _laid_out) or _laid_out(tex, display)


def _laid_out(tex: str, display: bool) -> Drawing:
    bare, scale = unscaled(tex)
    try:
        found = mathra_layout.typeset(spelled(bare), display)
    except ValueError as error:
        raise ReportError(f"This LaTeX cannot be typeset: {shortened(tex)}\n{error}") from None
    for mark in found.marks:
        if mark.colour and not is_colour(mark.colour):
            raise ReportError(
                f"This LaTeX cannot be typeset: {shortened(tex)}\nno colour: {mark.colour}"
            )
    return replace(
        found.scaled(scale),
        speech=_one_by_one(bare, display) or _in_words(bare, _spoken(_visible(found.speech))),
        text=glyphs.plain_letters(_visible(found.text)),
    )


def formula(tex: str, display: bool = False) -> Formula:
    """Lay out LaTeX math, as in running text or as a displayed formula.

    Raises ReportError naming what cannot be typeset, and why.
    """
    found = drawing(tex, display)
    return Formula(found.width, found.height, found.depth, found.speech, found.text)


def img(tex: str, display: bool = False, alt: str | None = None) -> str:
    """HTML for a formula: an image on the baseline, in the size and colour of the text around it.

    ``alt`` is read aloud instead of the formula's own words.
    """
    found = drawing(tex, display)
    words = html.escape(alt or found.speech or "blank")
    return (
        f'<img class="math" src="{addresses.url(tex, display)}" alt="{words}"'
        f' style="vertical-align:{-found.depth:.4g}em"/>'
    )


def aligned(
    lines: Sequence[tuple[str, str]], left: float, *, label: str = "", kind: str = "eq"
) -> str:
    """HTML for an equation in displayed lines, as a block of class `kind`.

    Each line is LaTeX left and right of a place `left` em from the start, where the left sides end
    and behind which the right sides begin. The label stands in the margin before the first line.
    """
    spoken = [drawing(side, True).speech for line in lines for side in line if side]
    words = " ".join([f"{label}:", *spoken] if label else spoken)
    return addresses.equation(label, lines, left, words, kind)


# --- LaTeX that mathra reads otherwise ------------------------------------------------------------

_BOLD_DIGITS = str.maketrans("0123456789", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")
_DOUBLE_DIGITS = str.maketrans("0123456789", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡")
_DIGITS = re.compile(r"\\(mathbf|boldsymbol|bm|mathbb|mathds)\s*\{\s*([0-9]+)\s*\}")
_SIGNS = re.compile(r"\\(?:mathbf|boldsymbol|bm)\s*\{\s*\\(nabla|partial|ell)\s*\}")
_GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*\}"
_FRACTION = re.compile(rf"(\\[dt]?frac\s*)({_GROUP})\s*({_GROUP})")
_HIGH = r"left|right|[dt]?frac|begin|sum|prod|int|sqrt|over|stack|big|lim|max|min|substack|rule"
_LINE = rf"((?:[^\\^]|\^(?!\{{[^{{}}]*[\\^])|\\(?!{_HIGH}))*?)"
_LOW = re.compile(rf"\\left\({_LINE}\\right\)")
_FUNCTION_OF = re.compile(
    rf"(\\(?:sin|cos|tan|arcsin|arccos|arctan|asin|acos|atan|sinh|cosh|tanh|log|exp|det)(?:\^\{{\d+\}})?)"
    rf"\{{\\left\({_LINE}\\right\)\}}"
)
_NAME = re.compile(
    rf"(\\operatorname\s*\{{[^{{}}]+\}})(?=(?:\s*[_^]\s*(?:{_GROUP}|\w))*"
    r"\s*(?:[-+]|\\(?:cdot|odot|times|otimes|oplus|div|pm|circ)(?![A-Za-z])))"
)
_BOLD_SIGNS = {"nabla": "𝛁", "partial": "𝛛", "ell": "\\boldsymbol{l}"}


def spelled(tex: str) -> str:
    """LaTeX for mathra, which leaves bold and double-struck digits light and matrices tight."""
    if "frac" in tex:
        if "matrix}" in tex or "array}" in tex:
            tex = spaced(tex)
        tex = _with_braces(tex)
    if r"\left(" in tex:
        tex = of_their_height(tex)
    if r"\operatorname" in tex:
        tex = _NAME.sub(
            r"{\1}", tex
        )  # a sign follows: a name, not a function, and a letter like others
    if "\\b" not in tex and "\\math" not in tex:
        return tex
    tex = _DIGITS.sub(
        lambda found: found[2].translate(
            _DOUBLE_DIGITS if found[1] in {"mathbb", "mathds"} else _BOLD_DIGITS
        ),
        tex,
    )
    return _SIGNS.sub(lambda found: _BOLD_SIGNS[found[1]], tex)


def _with_braces(tex: str) -> str:
    """Fractions in braces, which make them letters among others, as LaTeX has them: no space beside."""
    return _FRACTION.sub(
        lambda found: f"{{{found[1]}{_with_braces(found[2])}{_with_braces(found[3])}}}", tex
    )


def of_their_height(tex: str) -> str:
    """Plain brackets round what is no higher than a line: stretched ones bring a space before them."""
    tex = _FUNCTION_OF.sub(r"\1(\2)", tex)
    before = ""
    while tex != before:
        before, tex = tex, _LOW.sub(r"(\1)", tex)
    return tex


def shortened(tex: str) -> str:
    """LaTeX for an error message."""
    return tex if len(tex) <= 200 else f"{tex[:150]} ... {tex[-40:]}"


def _visible(text: str) -> str:
    """Text without what only directs it, such as zero-width spaces."""
    if text.isascii():
        return text
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cf")


# --- words ----------------------------------------------------------------------------------------

_NUMBER = r"(?:negative )?[\d.]+(?: times 10 to the power, (?:negative )?\d+, end exponent)?"
_ROW = rf"{_NUMBER}(?:, {_NUMBER})*"
_MATRIX = re.compile(rf"(matrix \d+ by \d+: row 1: {_ROW}(?:; row \d+: {_ROW})*)(?= )")
_SIZE = re.compile(r" colon (\d+(?: times \d+)*)(?= comma|$)")
_WORD = re.compile(r"\\mathrm\{([A-Za-z]{2,})\}")
_APART = r"\qquad"  # between formulas that stand side by side


def _one_by_one(tex: str, display: bool) -> str:
    """The words of formulas side by side, with a pause between; empty for one alone."""
    parts = tex.split(_APART)
    is_whole = all(p.count("{") == p.count("}") for p in parts)
    is_whole &= all(p.count(r"\left") == p.count(r"\right") for p in parts)
    if len(parts) == 1 or not is_whole or r"\begin{aligned}" in tex:
        return ""
    return "; ".join(drawing(part, display).speech for part in parts if part.strip())


def _in_words(tex: str, speech: str) -> str:
    """Words of several letters as words, where a matrix ends, what a size is."""
    for word in _WORD.findall(tex):
        speech = speech.replace(" ".join(word), word, 1)
    if r"\colon" in tex:
        speech = _SIZE.sub(lambda m: f" of size {m[1].replace('times', 'by')}", speech)
    return _MATRIX.sub(r"\1, end matrix", speech)


_PHRASES = (
    ("to the ⊤", "transpose"),
    ("to the ⊺", "transpose"),
    ("⊙", "element-wise times"),
    ("∘", "composed with"),
    ("⊗", "outer product"),
    ("⊕", "circled plus"),
    ("⋮", "and so on down"),
    ("⋱", "and so on diagonally"),
    ("↦", "maps to"),
    ("←", "becomes"),
    ("⌊", "floor of"),
    ("⌋", "end floor"),
    ("⌈", "ceiling of"),
    ("⌉", "end ceiling"),
    ("≔", "is defined as"),
    ("ℓ", "ell"),
    ("Ξ", "capital xi"),
    ("∵", "because"),
    ("∴", "therefore"),
    ("𝟙", "indicator"),
)


@lru_cache(maxsize=2048)
def _spoken(speech: str) -> str:
    """Words for the signs that mathra leaves as they are."""
    if speech.isascii():
        return speech
    for sign, words in _PHRASES:
        speech = speech.replace(sign, words)
    if speech.count("‖") % 2 == 0:
        speech = re.sub("‖([^‖]*)‖", r"norm of\1end norm", speech)
    return " ".join("".join(map(_word, speech)).split())


def _word(letter: str) -> str:
    if letter.isalnum():
        return glyphs.plain_letters(letter)
    if letter >= "\u2030":
        return f" {unicodedata.name(letter, '').lower()} "
    return letter
