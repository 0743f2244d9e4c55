"""LaTeX as tokens: what only moves or colours things is gone, signs of Unicode are commands.

Nothing is expanded: there are no macros here, and what would define or load something is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from report.autodiff.parser.source import Places
from report.errors import ReportError, shown

MAX_LATEX = 40_000  # characters of one function
MAX_DEPTH = 40  # of braces inside each other
_BRACES = re.compile(r"(?<!\\)[{}]")
_POWER_OF_TEN = re.compile(r"(?<![A-Za-z\\_^])\d+(?:\.\d+)?[eE][-+]?\d+")
GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "omicron",
        "pi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "chi",
        "psi",
        "omega",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Xi",
        "Pi",
        "Sigma",
        "Upsilon",
        "Phi",
        "Psi",
        "Omega",
    ]
)
_LETTERS = {  # commands that are a letter -> the name of the letter
    **{name: name for name in GREEK},
    **{f"var{name}": name for name in ("epsilon", "theta", "kappa", "pi", "rho", "sigma", "phi")},
    **{f"var{name}": name for name in GREEK if name[0].isupper()},
    "ell": "ell", "hbar": "hbar", "imath": "i", "jmath": "j",
}  # fmt: skip
_SPACES = frozenset(
    [r"\,", r"\;", r"\:", r"\!", r"\>", r"\/", r"\displaystyle", r"\textstyle", r"\scriptstyle", r"\scriptscriptstyle", r"\limits", r"\nolimits", r"\nonumber", r"\notag", r"\mathstrut", r"\strut", r"\thinspace", r"\medspace", r"\thickspace", r"\negthinspace", r"\allowbreak", r"\nobreak", r"\noindent", r"\centering", r"\relax", r"\null", r"\hfill", r"\par", r"\smallskip", r"\medskip", r"\bigskip", r"\newline", r"\qed", r"\bf", r"\rm", r"\it", r"\boldmath", r"\small", r"\normalsize", r"\large", r"\mathord", r"\mathbin", r"\mathrel", r"\mathop", r"\mathinner", r"\mathopen", r"\mathclose", r"\mathpunct", r"\ensuremath", r"\boxed", r"\fbox", r"\smash", r"\mathclap", r"\mathstrut", r"\rlap", r"\llap"]
) | {"\\\n", "\\\t", "\\ "}  # fmt: skip
_WITH_ARGUMENT = frozenset(
    [
        r"\label",
        r"\tag",
        r"\tag*",
        r"\hspace",
        r"\hspace*",
        r"\vspace",
        r"\vspace*",
        r"\phantom",
        r"\hphantom",
        r"\vphantom",
        r"\color",
        r"\ref",
        r"\eqref",
        r"\cite",
        r"\footnote",
        r"\kern",
    ]
)
_SIZES = frozenset(
    rf"\{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m")
)
_WORDS = {
    r"\text": "text", r"\textrm": "text", r"\textnormal": "text", r"\mbox": "text", r"\hbox": "text",
    r"\textit": "text", r"\textbf": "text", r"\textsf": "text", r"\texttt": "text", r"\textsc": "text",
    r"\intertext": "text", r"\shortintertext": "text", r"\textup": "text", r"\emph": "text",
    r"\operatorname": "op", r"\operatorname*": "op", r"\operatornamewithlimits": "op", r"\DeclareMathOperator": "",
    r"\mathrm": "rm", r"\mathsf": "rm", r"\mathtt": "rm", r"\mathit": "rm", r"\mathup": "rm", r"\mathnormal": "rm",
    r"\mathbf": "bf", r"\boldsymbol": "bf", r"\bm": "bf", r"\mathbfit": "bf", r"\pmb": "bf", r"\symbf": "bf",
    r"\mathcal": "cal", r"\mathscr": "cal", r"\mathfrak": "cal", r"\mathbb": "bb", r"\mathds": "bb", r"\mathbbm": "bb",
}  # fmt: skip
_FORBIDDEN = re.compile(
    r"\\(def|edef|gdef|xdef|let|futurelet|newcommand|renewcommand|providecommand|newenvironment|csname|endcsname"
    r"|input|include|includegraphics|usepackage|documentclass|write|openout|read|catcode|expandafter|loop|repeat"
    r"|DeclareMathOperator|newtheorem|special|immediate|uppercase|lowercase|romannumeral|afterassignment)\b"
)
_UNICODE = {
    "·": r"\cdot", "⋅": r"\cdot", "∙": r"\cdot", "×": r"\times", "−": "-", "–": "-", "÷": "/", "∕": "/", "⁄": "/",
    "≤": r"\le", "⩽": r"\le", "≥": r"\ge", "⩾": r"\ge", "≠": r"\ne", "∑": r"\sum", "∏": r"\prod", "√": r"\sqrt",
    "‖": r"\|", "∥": r"\|", "∣": "|", "⊙": r"\odot", "∘": r"\circ", "⊗": r"\otimes", "⊤": r"\top", "∞": r"\infty",
    "∂": r"\partial", "∇": r"\nabla", "∫": r"\int", "∈": r"\in", "⟨": r"\langle", "⟩": r"\rangle", "′": "'",
    "″": "''", "…": r"\dots", "⋯": r"\dots", "≔": ":=", "≈": r"\approx", "±": r"\pm", "∧": r"\land", "∨": r"\lor",
    "¬": r"\lnot", "→": r"\to", "←": r"\gets", "𝟙": r"\indicator", "𝟏": r"\ones", "𝟎": r"\zeros", "ℓ": r"\ell",
    "ᵀ": r"^\top", "°": r"^\circ", "ϵ": r"\epsilon", "ϕ": r"\phi", "\u00a0": " ", "\u2009": " ", "\u202f": " ",
    "“": "", "”": "", "*": "*", "∗": "*", "⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil",
}  # fmt: skip
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿⁱ", "0123456789-+ni", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₋₊ₙᵢⱼₖₜₘ", "0123456789-+nijktm", strict=True))
_TOKEN = re.compile(
    r"(?P<comment>(?<!\\)%[^\n]*\n?)|(?P<space>[\s~]+)|(?P<num>[0-9]+(?:\.[0-9]+)?(?:\{,\}[0-9]{3})*|\.[0-9]+)"
    r"|(?P<cmd>\\(?:[A-Za-z]+\*?|.|\n))|(?P<letter>[A-Za-z])|(?P<odd>[^\x00-\x7f])|(?P<char>[\x21-\x7e])"
)


@dataclass(frozen=True)
class Token:
    r"""A piece of the text, from column `start` to `end` of the whole.

    `kind`: num, letter (x, theta), word (of \\operatorname, \\mathbf and their like, with its `font`),
    cmd (with its backslash), begin and end (of an environment) or char. `spaced`: a blank stands before it.
    """

    kind: str
    text: str
    start: int
    end: int
    font: str = ""
    spaced: bool = False
    side: str = ""  # of a bracket after \left, \right and their like: l, r, or m


def tokens_of(places: Places, text: str) -> list[Token]:
    """The tokens of LaTeX; ReportError for a text that is too long and for commands that do more than write."""
    if len(text) > MAX_LATEX:
        raise ReportError(
            f"the function has {len(text)} characters of LaTeX; {MAX_LATEX} are possible"
        )
    if found := _FORBIDDEN.search(text):
        raise places.at(
            f"\\{found[1]} is not possible: a formula defines no macros and reads no files; write it out",
            found.start(),
        )
    if found := _POWER_OF_TEN.search(text):
        raise places.at(
            f"{found[0]} has two readings: a power of ten (write 10^{{-5}}), or Euler's number and a sum",
            found.start(),
        )
    _check_depth(places, text)
    return list(_sided(places, _joined(places, list(_plain(places, text, 0)))))


def _check_depth(places: Places, text: str) -> None:
    depth = 0
    for found in _BRACES.finditer(text):
        depth += 1 if found[0] == "{" else -1
        if depth > MAX_DEPTH:
            raise places.at(
                f"more than {MAX_DEPTH} braces inside each other; give parts of it names on lines of their own",
                found.start(),
            )


def _plain(places: Places, text: str, start: int) -> Iterator[Token]:
    at, spaced = 0, False
    while at < len(text):
        found = _TOKEN.match(text, at)
        here = start + at
        if found is None:
            raise places.at(f"{shown(text[at])} cannot be read", here)
        kind, part = str(found.lastgroup), found[0]
        at = found.end()
        if part.endswith("*") and len(part) > 2 and part not in (*_WITH_ARGUMENT, *_WORDS):
            part, at = part[:-1], at - 1
        if kind in ("comment", "space"):
            spaced = True
            continue
        if kind == "odd":
            for token in _of_unicode(places, part, here):
                yield replace(token, start=here, end=here + 1, spaced=spaced)
        elif kind == "cmd":
            name = part[1:]
            if part in _SPACES:
                spaced = True
                continue
            if name in _LETTERS:
                yield Token("letter", _LETTERS[name], here, start + at, "", spaced)
            else:
                yield Token("cmd", part, here, start + at, "", spaced)
        else:
            text_ = part.replace("{,}", "") if kind == "num" else part
            yield Token(kind, text_, here, start + at, "", spaced)
        spaced = False


def _of_unicode(places: Places, sign: str, at: int) -> Iterator[Token]:
    if sign in _UNICODE:
        yield from _plain(places, _UNICODE[sign], at)
    elif sign in _RAISED or sign in _LOWERED:
        yield Token("char", "^" if sign in _RAISED else "_", at, at + 1)
        yield Token("raised", {**_RAISED, **_LOWERED}[sign], at, at + 1)
    else:
        name = unicodedata.name(sign, "a control character")
        if found := re.fullmatch(
            r"GREEK (SMALL|CAPITAL) LETTER (\w+)", name.replace("LAMDA", "LAMBDA")
        ):
            word = found[2].lower() if found[1] == "SMALL" else found[2].capitalize()
            if word in GREEK:
                yield Token("letter", word, at, at + 1)
                return
        plain = unicodedata.normalize("NFKC", sign)
        if plain != sign:
            yield from _plain(places, plain, at)
            return
        raise places.at(
            f"{sign} U+{ord(sign):04X} ({name}) cannot be read; write it as a LaTeX command", at
        )


def _joined(places: Places, tokens: list[Token]) -> Iterator[Token]:
    """Words and names of environments as one token; what has no meaning is left out with its argument."""
    at = 0
    raised: list[Token] = []
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token.kind == "raised":  # x⁻¹ is x^{-1}
            raised = [
                replace(
                    token,
                    kind="num"
                    if token.text.isdigit()
                    else "letter"
                    if token.text.isalpha()
                    else "char",
                )
            ]
            while (
                at + 1 < len(tokens)
                and tokens[at + 1].kind == "raised"
                and tokens[at].start == tokens[at - 1].end
            ):
                more = tokens[at + 1]
                kind = "num" if more.text.isdigit() else "letter" if more.text.isalpha() else "char"
                if kind == "num" == raised[-1].kind:
                    raised[-1] = replace(raised[-1], text=raised[-1].text + more.text, end=more.end)
                else:
                    raised.append(replace(more, kind=kind))
                at += 2
            yield replace(token, kind="char", text="{")
            yield from raised
            yield replace(token, kind="char", text="}")
        elif token.text in (r"\begin", r"\end"):
            inner, at = _argument(places, tokens, at, token)
            name = "".join(t.text for t in inner)
            yield replace(token, kind=token.text[1:], text=name, end=tokens[at - 1].end)
        elif token.text in _WITH_ARGUMENT or token.text == r"\textcolor":
            _, at = _argument(places, tokens, at, token)
        elif token.text in _WORDS and at < len(tokens):
            inner, after = _argument(places, tokens, at, token)
            whole = places.text[inner[0].start : inner[-1].end] if inner else ""
            font = _WORDS[token.text]
            is_letter = len(inner) == 1 and inner[0].kind == "letter"  # \boldsymbol{\mu} too
            if (
                font in ("text", "op")
                or is_letter
                or (
                    re.fullmatch(r"[A-Za-z][A-Za-z0-9 _-]*", whole)
                    and not _SINGLE_LETTERS.fullmatch(whole)
                )
                or whole == "1"
            ):
                at = after
                if is_letter:
                    yield replace(inner[0], font=font, spaced=token.spaced, start=token.start)
                else:
                    end = tokens[at - 1].end
                    yield Token(
                        "word",
                        whole.replace("~", " ").strip(),
                        token.start,
                        end,
                        font,
                        token.spaced,
                    )
            # else: a font for several things, which changes nothing
        else:
            yield token


_SINGLE_LETTERS = re.compile(r"[A-Za-z](?: +[A-Za-z])+")  # \mathbf{A x} is A times x


def _argument(places: Places, tokens: list[Token], at: int, of: Token) -> tuple[list[Token], int]:
    """The tokens of the next argument, and where it ends."""
    if at >= len(tokens):
        raise places.at(f"{of.text} needs its argument in braces", of.start)
    if tokens[at].text != "{":
        return [tokens[at]], at + 1
    depth, first = 0, at + 1
    for end in range(at, len(tokens)):
        if tokens[end].kind == "char":
            depth += {"{": 1, "}": -1}.get(tokens[end].text, 0)
        if not depth:
            return tokens[first:end], end + 1
    raise places.at("this brace is not closed", tokens[at].start)


def _sided(places: Places, tokens: Iterator[Token]) -> Iterator[Token]:
    r"""Brackets know whether \left or \right stands before them."""
    side: str | None = None
    for token in tokens:
        if token.text in (r"\left", r"\right", r"\middle"):
            side = {r"\left": "L", r"\right": "R", r"\middle": "m"}[token.text]
            word = token
        elif token.kind == "cmd" and token.text in _SIZES:
            side = {"l": "l", "r": "r"}.get(token.text[-1], "") if token.text[-1] in "lrm" else ""
            side = side or "b"
        elif side is not None:
            yield replace(token, side="" if side == "b" else side)
            side = None
        else:
            yield token
    if side is not None:
        raise places.at(
            "a bracket must follow", word.start if side in "LRm" else len(places.text) - 1
        )
