r"""The names that LaTeX needs from outside, guessed from its letters: the form fills itself with them.

Only what stands in the form depends on the guess; the reader of LaTeX decides what the formula means.
"""

from __future__ import annotations

import re

_GREEK = (
    "alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|rho|tau|upsilon|phi|"
    "varphi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Phi|Psi|Omega"
)
_ACCENTS = {"hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde", "widetilde": "tilde"}  # fmt: skip
_WORDS = re.compile(
    r"\\(?:text\w*|operatorname\*?|label|tag|mathrm|begin|end|hspace|vspace)\s*\{[^{}]*\}"
)
_FONTS = re.compile(r"\\(?:mathbf|mathbb|mathcal|mathit|mathsf|boldsymbol|bm|vec)(?![A-Za-z])")
_RANGE = re.compile(r"\\(?:sum|prod|max|min)\w*\s*_\s*\{?\s*([A-Za-z])\s*(?:=|\\in)")
_UPPER = re.compile(r"\\(?:sum|prod)\w*\s*_\s*\{[^{}]*\}\s*\^\s*\{?\s*([A-Za-z])(?![A-Za-z])")
_NAME = re.compile(
    r"(?:\\(?P<accent>" + "|".join(_ACCENTS) + r")\s*\{?\s*)?(?:\\(?P<greek>" + _GREEK
    + r")(?![A-Za-z])|\\[A-Za-z]+|(?P<letter>[A-Za-z]))\s*\}*(?:\s*_\s*(?:\{(?P<long>[^{}]*)\}|(?P<one>\w)))?"
)  # fmt: skip
_HEAD = re.compile(r"^\s*(?P<name>[^=(]*?)\s*(?:\([^=]*\))?\s*(?::=|=)")


def free_names(text: str) -> set[str]:
    """The inputs that LaTeX seems to need, named as a homework file names them: x_1 is x1, W is W."""
    plain = _FONTS.sub(" ", _WORDS.sub(" ", text))
    plain = re.sub(r"\^\s*\{?\s*(?:T|\\top|\\intercal)\s*\}?", " ", plain)
    bound = {*_RANGE.findall(plain), *_UPPER.findall(plain)}
    given: set[str] = set()
    found: set[str] = set()
    for line in re.split(r"\\\\|\n", plain):
        head = _HEAD.match(line)
        body = line[head.end() :] if head else line
        found |= {name for name in _names(body, bound) if name not in given}
        if head:
            given |= set(_names(head["name"], bound))
    return found - given - bound


def _names(text: str, bound: set[str]) -> list[str]:
    found = []
    for match in _NAME.finditer(text):
        base = match["greek"] or match["letter"]
        if not base or base in ("e", "d") or (base in ("i", "j", "k", "n", "m") and base in bound):
            continue
        below = re.sub(r"\W", "", match["long"] or match["one"] or "")
        if below and all(c in bound or c.isdigit() for c in below) and not below.isdigit():
            below = ""
        accent = f"_{_ACCENTS[match['accent']]}" if match["accent"] else ""
        found.append(f"{base}{below}{accent}")
    return found
