"""The fonts inside a page for a browser, cut to the characters that it shows."""

from __future__ import annotations

import base64
import html
import io
import re
import unicodedata
from functools import lru_cache

from report import resources

_FACES = {  # file in assets/fonts -> what a stylesheet calls it
    "STIXTwoText-Regular.otf": ("STIX Two Text", "400", "normal"),
    "STIXTwoText-Italic.otf": ("STIX Two Text", "400", "italic"),
    "STIXTwoText-Bold.otf": ("STIX Two Text", "700", "normal"),
    "STIXTwoMath-Regular.otf": ("STIX Two Math", "400", "normal"),
    "SourceCodePro-Regular.ttf": ("Source Code Pro", "400", "normal"),
}
# Beside those that HarfBuzz keeps by itself: letters cut for indices and under accents.
_FEATURES = ("dtls", "flac", "ssty")
# In every page: what a script may write into it, and so that similar pages share a cut.
_USUAL = frozenset(
    [
        *map(chr, range(0x20, 0x7F)),
        *"–—‘’“”‹›…−·⋅×÷±≈≤≥≠∂∇∑∏√∞∈→⊙⊤‖⋮⋯⋱𝟏𝟎𝟙✓✗",
        *"⁰¹²³⁴⁵⁶⁷⁸⁹⁻",
        *"\n\u00a0\u2002\u2009\u2061\u2062\u2063",  # spaces, and what MathML says between signs
    ]
)
# A browser shows a letter that is an identifier by itself as another one, in italics.
_ITALICS = {
    chr(int(unicodedata.decomposition(italic).removeprefix("<font> "), 16)): italic
    for first, end in (
        (0x1D434, 0x1D455),
        (0x1D456, 0x1D468),
        (0x1D6A4, 0x1D6A6),
        (0x1D6E2, 0x1D71C),
    )
    for italic in map(chr, range(first, end))
} | {"h": "ℎ"}


def faces(page: str) -> str:
    """The rules of a stylesheet that hold the fonts of a page."""
    shown = html.unescape(re.sub(r"<[^>]*>", " ", page))
    alone = html.unescape("".join(re.findall(r"<mi>([^<]|&[^;]*;)</mi>", page)))
    letters = frozenset(shown) | {_ITALICS.get(x, x) for x in alone} | _USUAL
    return "\n".join(
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-style: {style}; '
        f"src: url(data:font/woff2;base64,{_cut(file, letters)}); }}"
        for file, (family, weight, style) in _FACES.items()
    )


@lru_cache(maxsize=32)
def _cut(file: str, letters: frozenset[str]) -> str:
    import uharfbuzz
    from fontTools.ttLib import TTFont

    wanted = uharfbuzz.SubsetInput()
    wanted.sets(uharfbuzz.SubsetInputSets.UNICODE).update(map(ord, letters))
    wanted.sets(uharfbuzz.SubsetInputSets.LAYOUT_FEATURE_TAG).update(map(_tag, _FEATURES))
    wanted.flags = uharfbuzz.SubsetFlags.NO_HINTING | uharfbuzz.SubsetFlags.NOTDEF_OUTLINE
    face = uharfbuzz.Face(resources.path(f"assets/fonts/{file}").read_bytes())
    cut = uharfbuzz.subset(face, wanted).blob.data
    made = io.BytesIO()
    with TTFont(io.BytesIO(cut), recalcTimestamp=False, recalcBBoxes=False, lazy=True) as font:
        font.flavor = "woff2"
        font.save(made)
    return base64.b64encode(made.getvalue()).decode()


def _tag(feature: str) -> int:
    return int.from_bytes(feature.encode())
