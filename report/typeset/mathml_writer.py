"""Formulas for a page in a browser."""

import re
from dataclasses import replace
from functools import cache, lru_cache
from html import escape
from itertools import groupby
from typing import Any

from report.typeset.formula_html import formula, of_their_height
from report.typeset.items import Item, ItemKind, join, parse_items
from report.typeset.lines import Level, cut, width_of
from report.typeset.tokens import rows, unscaled, word_set

PHONE = 21.0  # em of math in a line of a narrow screen
_BREAK = "\u200b"  # no space, but a line may end there
_SPACE = 0.25  # em of a space between words


@lru_cache(maxsize=1024)  # the variants of a question have most formulas in common
def mathml(tex: str, display: bool = False) -> str:
    """The MathML Core element of LaTeX math, with the LaTeX as its annotation.

    What a page shows and math_core does not know is one line of plain characters. Raises ReportError
    naming what cannot be typeset either.
    """
    return _element(tex, display, annotated=True) or _in_words(tex, display)


def breakable(tex: str, display: bool = False) -> str:
    """Math in a line of a page: of a long formula, elements between which a narrow screen ends a line.

    What holds it all has the LaTeX, without the colours of ours, as its `data-tex`. Raises ReportError.
    """
    source = _PAINT.sub("{", _spelled(tex)).removeprefix("{}").strip()
    told = f' data-tex="{escape(source)}"'
    parts = _parts(tex)
    elements = [_element(part, display) for part, _ in parts]
    if len(parts) == 1 or not all(elements):
        return _in_line(_element(tex, display) or _in_words(tex, display), told)
    formulas, gaps = (
        [""],
        [""],
    )  # a gap before each formula, of which all but the first are kept whole
    for element, (_, gap) in zip(elements, parts, strict=True):
        formulas[-1] += (_BREAK if formulas[-1] else "") + _in_line(element)
        if gap:
            formulas.append("")
            gaps.append(f'<span style="word-spacing:{gap - _SPACE:g}em"> </span>')
    first, *others = formulas
    later = "".join(
        f'{gap}<span class="next">{other}</span>'
        for gap, other in zip(gaps[1:], others, strict=True)
        if other
    )
    return f"<span{told}>{first}{later}</span>"


# --- elements -------------------------------------------------------------------------------------


def _element(tex: str, display: bool, *, annotated: bool = False) -> str:
    """A math element; nothing for LaTeX that math_core does not know."""
    import math_core  # not for a PDF

    try:
        found = _converter(annotated).convert_with_local_state(_spelled(tex), displaystyle=display)
    except math_core.LatexError:
        return ""
    return str(found)


def _in_words(tex: str, display: bool) -> str:
    text, source = (escape(t, quote=False) for t in (formula(tex, display).text, tex))
    block = ' display="block"' if display else ""
    return (
        f'<math{block}><semantics><mtext>{text}</mtext><annotation encoding="application/x-tex">'
        f"{source}</annotation></semantics></math>"
    )


def _in_line(element: str, told: str = "") -> str:
    """A math element that stands in a line with others, with more attributes."""
    element = element.replace('display="block"', 'displaystyle="true"', 1)
    return element.replace("<math", f"<math{told}", 1)


@cache
def _converter(annotated: bool) -> Any:
    from math_core import LatexToMathML  # not for a PDF

    return LatexToMathML(macros={"substack": "{#1}"}, annotation=annotated, fancy_error=False)


# --- lines ----------------------------------------------------------------------------------------


def _parts(tex: str) -> list[tuple[str, float]]:
    """The formula, cut before relations and behind wide spaces, where it is long before other signs too.

    Each part comes with the em of space that follow it.
    """
    bare, _ = unscaled(tex)
    cells = rows(bare)
    if width_of(bare) <= PHONE / 2 or cells[1:] or cells[0][1:]:
        return [(tex, 0)]
    items = parse_items(bare)
    if any(item.core in _SWITCHES for item in items):
        return [(tex, 0)]
    parts = cut(items, Level.RELATION)
    for level in (Level.SUM, Level.PRODUCT, Level.FACTOR):
        parts = [
            piece
            for part in parts
            for piece in ([part] if width_of(_tex(part)) <= PHONE else cut(part, level))
        ]
    found: list[tuple[str, float]] = []
    for part in parts:
        end = len(part)
        while end and part[end - 1].kind is ItemKind.GAP:
            end -= 1
        found.append((_tex(part[:end]), sum(_WIDE.get(gap.core, 0.0) for gap in part[end:])))
    return found


def _tex(part: list[Item]) -> str:
    """The LaTeX of a part: a sign at its start stands between two things, and a colour is said once."""
    found: list[str] = []
    for colour, group in groupby(part, key=lambda item: item.colour):
        run = [replace(item, colour="") for item in group]
        sign = run[0].kind in _SIGNS and bool(colour or not found)
        bare = f"{{}} {join(run)}" if sign else join(run)
        found.append(rf"\textcolor{colour}{{{bare}}}" if colour else bare)
    return " ".join(found)


_WIDE = {r"\quad": 1.0, r"\qquad": 2.0}
# They hold for all that follows.
_SWITCHES = word_set(r"\displaystyle \textstyle \scriptstyle \scriptscriptstyle \bf \rm \it \cal")
_SIGNS = {ItemKind.RELATION, ItemKind.SUM, ItemKind.PRODUCT}


# --- LaTeX ----------------------------------------------------------------------------------------


def _spelled(tex: str) -> str:
    """LaTeX in the words of math_core."""
    spelled = of_their_height(tex)
    for pattern, replacement in _SPELLINGS:
        spelled = pattern.sub(replacement, spelled)
    return spelled


# Struts and scales are for paper only.
_SPELLINGS = (
    (re.compile(r"\\textcolor\{#([0-9A-Fa-f]{6})\}\{"), r"{\\color[HTML]{\1}"),
    (re.compile(r"\\color\{#([0-9A-Fa-f]{6})\}"), r"\\color[HTML]{\1}"),
    (re.compile(r"\\rule(?:\[[^]]*\])?\{[^{}]*\}\{[^{}]*\}"), ""),
    (re.compile(r"\\(?:math)?strut(?![A-Za-z])"), ""),
    (re.compile(r"\\begin\{([bpvBV]?matrix)\*\}(?:\[\w\])?"), r"\\begin{\1}"),
    (re.compile(r"\\end\{([bpvBV]?matrix)\*\}"), r"\\end{\1}"),
    (re.compile(r"\\scalebox\{[^{}]*\}\{\$(.*)\$\}", re.DOTALL), r"{\1}"),
)
_PAINT = re.compile(r"\{\\color\[HTML\]\{[0-9A-Fa-f]{6}\}")
