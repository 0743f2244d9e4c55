"""The addresses that stand in HTML for what the PDF draws by itself: formulas, listings, figures, page numbers."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

BLOCK, PAGE, PICTURE, ROW = "block:", "page:", "picture:", "row:"
DISPLAYED, INLINE = "math:display:", "math:inline:"


# What may stand in a listing: the characters that the mono font surely has.
_RANGES = (*range(0x20, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x180), *range(0x3B1, 0x3CA))
_PLACED = frozenset(map(chr, _RANGES)) | frozenset("ΓΔΘΛΞΠΣΦΨΩ–—‘’“”…−≈≤≥≠∂∑√∞")


Piece = tuple[str, str]  # how it is set ("" plain, "k" bold, "c" grey), and a text without breaks


def listing(
    lines: Sequence[Sequence[Piece]],
    numbered: bool = False,
    *,
    shaded: bool = False,
    paired: int = 0,
    as_text: bool = False,
) -> str:
    """HTML for lines in the mono font, whose numbers, if any, stand outside of the text.

    It stands in a paragraph of its own; `lines` are pieces of text and how they are set, `shaded` says
    whether they have a ground of their own. Of lines that stand below `paired` others, short ones at the end
    may stand in two columns, with the last of those others over each. Lines with letters that need more than
    a place each are written `as_text`, as a browser needs all.
    """
    letters = {letter for line in lines for _, text in line for letter in text}
    if as_text or not letters <= _PLACED:
        shown = ("".join(_span(kind, piece) for kind, piece in line) for line in lines)
        body = "\n</span>".join(f'<span class="line">{line}' for line in shown)
        return f'<span class="lines{" shaded" * shaded}">{body}\n</span></span>'
    return _image("lines", "listing", "code", [numbered, shaded, paired, lines])


def _span(kind: str, piece: str) -> str:
    safe = html.escape(piece)
    return f'<span class="{kind}">{safe}</span>' if kind else safe


def equation(
    label: str, lines: Sequence[tuple[str, str]], left: float, words: str, kind: str
) -> str:
    """HTML for lines of LaTeX as a block; see `formula.aligned`. `words` are read aloud."""
    return _image(kind, "equation", words, [label, left, lines])


def _image(kind: str, what: str, words: str, content: Any) -> str:
    data = json.dumps([what, *content], ensure_ascii=False, separators=(",", ":")).encode()
    address = BLOCK + base64.b64encode(data).decode()
    return f'<img class="{kind}" src="{address}" alt="{html.escape(words or "blank")}"/>'


def page_number(anchor: str) -> str:
    """HTML for the number of the page on which an anchor is; as wide as four digits, flush right."""
    return f'<img class="page" src="{PAGE}{html.escape(anchor)}" alt="page"/>'


def url(tex: str, display: bool) -> str:
    """The address under which the document's images find a formula."""
    return (DISPLAYED if display else INLINE) + quote(tex, safe="")


def picture(svg: str) -> str:
    """The address under which the document's images find a figure."""
    return PICTURE + base64.b64encode(svg.encode()).decode()
