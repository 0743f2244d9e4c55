"""Formulas for a page in a browser."""

import re
from functools import cache
from typing import Any

from report.errors import ReportError
from report.typeset.formula_html import of_their_height, shortened


def mathml(tex: str, display: bool = False) -> str:
    """The MathML Core element of LaTeX math, with the LaTeX as its annotation.

    Raises ReportError naming what cannot be converted.
    """
    import math_core  # not for a PDF

    converter = _converter()
    tex = of_their_height(tex)
    for pattern, replacement in _SPELLINGS:
        tex = pattern.sub(replacement, tex)
    try:
        return str(converter.convert_with_local_state(tex, displaystyle=display))
    except math_core.LatexError as error:
        raise ReportError(
            f"This LaTeX cannot be converted to MathML: {shortened(tex)}\n{error}"
        ) from None


@cache
def _converter() -> Any:
    from math_core import LatexToMathML  # not for a PDF

    return LatexToMathML(macros={"substack": "{#1}"}, annotation=True, fancy_error=False)


# What the PDF's layout reads, in the words of math_core; struts and scales are for pages only.
_SPELLINGS = (
    (re.compile(r"\\textcolor\{#([0-9A-Fa-f]{6})\}\{"), r"{\\color[HTML]{\1}"),
    (re.compile(r"\\color\{#([0-9A-Fa-f]{6})\}"), r"\\color[HTML]{\1}"),
    (re.compile(r"\\rule(?:\[[^]]*\])?\{[^{}]*\}\{[^{}]*\}"), ""),
    (re.compile(r"\\begin\{([bpvBV]?matrix)\*\}(?:\[\w\])?"), r"\\begin{\1}"),
    (re.compile(r"\\end\{([bpvBV]?matrix)\*\}"), r"\\end{\1}"),
    (re.compile(r"\\scalebox\{[^{}]*\}\{\$(.*)\$\}", re.DOTALL), r"{\1}"),
)
