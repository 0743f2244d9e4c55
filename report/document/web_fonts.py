"""The fonts inside a page for a browser, cut to the characters that it shows."""

from __future__ import annotations

import base64
import html
import io
import re
from functools import lru_cache

from report import resources

_FACES = {  # file in assets/fonts -> what a stylesheet calls it
    "STIXTwoText-Regular.otf": ("STIX Two Text", "400", "normal"),
    "STIXTwoText-Italic.otf": ("STIX Two Text", "400", "italic"),
    "STIXTwoText-Bold.otf": ("STIX Two Text", "700", "normal"),
    "STIXTwoMath-Regular.otf": ("STIX Two Math", "400", "normal"),
    "SourceCodePro-Regular.ttf": ("Source Code Pro", "400", "normal"),
}
# In every page, so that most pages share a cut: a process that makes many finds it again.
_USUAL = frozenset(
    [
        *map(chr, range(0x20, 0x7F)),
        *map(chr, range(0x391, 0x3CA)),
        *"–—‘’“”…−·×÷±≈≤≥≠∂∇∑∏√∞∈→⊙⊤⋮⋯⋱𝟏𝟎𝟙δℎ",
        # MathML shows a single letter in italics by itself: all that it may become
        *map(chr, range(0x1D400, 0x1D4A0)),
        *map(chr, range(0x1D6A4, 0x1D6E2)),
    ]
)


def faces(page: str) -> str:
    """The rules of a stylesheet that hold the fonts of a page."""
    shown = frozenset(html.unescape(re.sub(r"<[^>]*>", " ", page))) | _USUAL
    return "\n".join(
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-style: {style}; '
        f"src: url(data:font/woff2;base64,{_cut(file, shown)}); }}"
        for file, (family, weight, style) in _FACES.items()
    )


@lru_cache(maxsize=32)
def _cut(file: str, letters: frozenset[str]) -> str:
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options(
        flavor="woff2",
        layout_features=["*"],
        notdef_outline=True,
        hinting=False,
        desubroutinize=True,
    )
    made = io.BytesIO()
    path = resources.path(f"assets/fonts/{file}")
    with TTFont(path, recalcTimestamp=False, lazy=True) as font:
        cut = subset.Subsetter(options)
        cut.populate(text="".join(sorted(letters)))
        cut.subset(font)
        font.flavor = "woff2"
        font.save(made)
    return base64.b64encode(made.getvalue()).decode()
