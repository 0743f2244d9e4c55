"""Formulas for a page in a browser."""

import re
from functools import cache
from html import escape
from typing import Any

from report.typeset.formula_html import formula, of_their_height


def mathml(tex: str, display: bool = False) -> str:
    """The MathML Core element of LaTeX math, with the LaTeX as its annotation.

    What a page shows and math_core does not know is one line of plain characters. Raises ReportError
    naming what cannot be typeset either.
    """
    import math_core  # not for a PDF

    converter = _converter()
    spelled = of_their_height(tex)
    for pattern, replacement in _SPELLINGS:
        spelled = pattern.sub(replacement, spelled)
    try:
        return str(converter.convert_with_local_state(spelled, displaystyle=display))
    except math_core.LatexError:
        return _in_words(tex, display)


def _in_words(tex: str, display: bool) -> str:
    text, source = (escape(t, quote=False) for t in (formula(tex, display).text, tex))
    block = ' display="block"' if display else ""
    return (
        f'<math{block}><semantics><mtext>{text}</mtext><annotation encoding="application/x-tex">'
        f"{source}</annotation></semantics></math>"
    )


@cache
def _converter() -> Any:
    from math_core import LatexToMathML  # not for a PDF

    return LatexToMathML(macros={"substack": "{#1}"}, annotation=True, fancy_error=False)


# What the PDF's layout reads, in the words of math_core; struts and scales are for pages only.
_SPELLINGS = (
    (re.compile(r"\\textcolor\{#([0-9A-Fa-f]{6})\}\{"), r"{\\color[HTML]{\1}"),
    (re.compile(r"\\color\{#([0-9A-Fa-f]{6})\}"), r"\\color[HTML]{\1}"),
    (re.compile(r"\\rule(?:\[[^]]*\])?\{[^{}]*\}\{[^{}]*\}"), ""),
    (re.compile(r"\\(?:math)?strut(?![A-Za-z])"), ""),
    (re.compile(r"\\begin\{([bpvBV]?matrix)\*\}(?:\[\w\])?"), r"\\begin{\1}"),
    (re.compile(r"\\end\{([bpvBV]?matrix)\*\}"), r"\\end{\1}"),
    (re.compile(r"\\scalebox\{[^{}]*\}\{\$(.*)\$\}", re.DOTALL), r"{\1}"),
)
