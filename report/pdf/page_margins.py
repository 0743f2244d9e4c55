"""What stands in the margins of every page: the title, whose work it is, the number of the page.

Drawn here and not by WeasyPrint, which would lay out three more boxes for each page. With `inner`,
`ink`, `blocks` and `vectors`, this is what touches WeasyPrint's inner parts.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pydyf

from report.pdf import ink
from report.typeset.colours import colour

_SIZE, _GREY = 9 * 96 / 72, "#555"  # CSS pixels
_MIDDLE = 0.32  # em from the baseline to the middle of a line
_GAP = 2.0  # em at least between what stands left and right


def draw_margins(document: Any, left: str, right: str) -> None:
    """Have each page of a document drawn with its margins: `left` from the second page on."""
    root = document.pages[0]._page_box.children[0]  # noqa: SLF001
    style = ink.varied(root.style, font_size=_SIZE, line_height="normal")
    left, right = " ".join(left.split()), " ".join(right.split())
    name = _fitted(style, right, root.width * (0.6 if left else 1))
    title = _fitted(style, left, root.width - _GAP * _SIZE - (name.width if name else 0))
    for number, page in enumerate(document.pages, 1):
        said = ink.Text(style, f"Page {number} of {len(document.pages)}")
        page.paint = partial(_paint, page, page.paint, title if number > 1 else None, name, said)


def _fitted(style: Any, text: str, room: float) -> ink.Text | None:
    """As much of a text as there is room for."""
    if not text:
        return None
    found, kept = ink.Text(style, text), len(text)
    while found.width > room and kept > 1:
        kept = min(kept - 1, int(kept * room / found.width))
        found = ink.Text(style, text[:kept].rstrip() + "…")
    return found


def _paint(
    page: Any,
    paint: Callable[[Any, float], None],
    title: ink.Text | None,
    name: ink.Text | None,
    said: ink.Text,
    stream: Any,
    scale: float = 1,
) -> None:
    paint(stream, scale)
    box = page._page_box  # noqa: SLF001
    left, right = box.content_box_x(), box.content_box_x() + box.width
    top = box.margin_top / 2 + _MIDDLE * _SIZE
    bottom = box.margin_height() - box.margin_bottom / 2 + _MIDDLE * _SIZE
    stream.begin_marked_content("Artifact", pydyf.Dictionary({"Type": "/Pagination"}))
    with stream.stacked():
        stream.transform(a=scale, d=scale)
        stream.set_color(colour(_GREY))
        if title:
            title.draw(stream, left, top)
        for text, y in ((name, top), (said, bottom)):
            if text:
                text.draw(stream, right - text.width, y)
    stream.end_marked_content()
