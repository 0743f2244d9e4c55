"""What PDF 2.0 asks for beside: one file that is PDF/A-4f and PDF/UA-2 (ISO 32000-2, ISO 14289-2)."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pydyf

_HEADINGS = frozenset(f"/H{level}" for level in range(1, 7))

# The identifier of PDF/UA-2; PDF/A-4 asks for no description of it.
PDF_UA_2 = """\
<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about=""
    xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"><pdfuaid:part>2</pdfuaid:part>
    <pdfuaid:rev>2024</pdfuaid:rev>
</rdf:Description>
"""


def note_targets(document: Any) -> None:
    """Have each page remember, once it is painted, which marked content each of its targets begins with."""
    for page in document.pages:
        page.paint = partial(_paint, page, page.paint)


def _paint(page: Any, paint: Callable[..., None], stream: Any, scale: float = 1) -> None:
    paint(stream, scale)
    marked = stream._tags  # noqa: SLF001
    page.named, page.outlined = {}, []  # marked content by anchor, and of each heading
    for box in page._page_box.descendants():  # noqa: SLF001
        if name := box.style["anchor"]:
            page.named.setdefault(name, _begun_with(box, marked))
        if box.bookmark_label and box.style["bookmark_level"] != "none":
            page.outlined.append(_begun_with(box, marked))


def _begun_with(box: Any, marked: Any) -> int | None:
    inside = box.descendants() if hasattr(box, "descendants") else (box,)
    return next((marked[b]["mcid"] for b in inside if b in marked), None)


def lead_to_structure(document: Any, pdf: Any) -> None:
    """Have every link and every line of the outline lead to an element of the structure."""
    objects = {reference.split()[0]: i for i, reference in enumerate(pdf.page_references)}
    root = _object(pdf, pdf.catalog["StructTreeRoot"])
    parents = _object(pdf, root["ParentTree"])["Nums"]
    elements = dict(zip(parents[::2], parents[1::2], strict=True))

    def lead(destination: Any, number: int, mark: int | None) -> None:
        on_page = elements[number]
        destination[0] = on_page[mark] if mark is not None else on_page[0]

    names = pdf.catalog.get("Names", {}).get("Dests", {}).get("Names", ())
    places = {}
    for name, destination in zip(names[::2], names[1::2], strict=True):
        number = objects[destination[0].split()[0]]
        lead(destination, number, document.pages[number].named.get(name.string))
        places[name.string] = destination
    for item in pdf.objects:
        if isinstance(item, dict) and item.get("Subtype") == "/Link" and "Dest" in item:
            item["Dest"] = places[item["Dest"].string]
    marks = ((i, mark) for i, page in enumerate(document.pages) for mark in page.outlined)
    for item, (number, mark) in zip(_outline(pdf), marks, strict=True):
        lead(item["Dest"], number, mark)


def _outline(pdf: Any) -> Iterator[Any]:
    """The lines of the outline in the order of the document."""
    waiting = [_object(pdf, pdf.catalog["Outlines"])] if "Outlines" in pdf.catalog else []
    while waiting:
        item = waiting.pop()
        if "Dest" in item:
            yield item
        waiting += [_object(pdf, item[key]) for key in ("Next", "First") if key in item]


def _object(pdf: Any, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]


def settle_element(element: Any, parent: Any) -> None:
    """No heading in a heading; a caption where it belongs to something; words in a paragraph."""
    above = parent.get("S")
    if element["S"] in _HEADINGS and above in _HEADINGS:
        element["S"] = "/Span"
    elif (element["S"] == "/Caption" and above != "/Table") or (
        element["S"] == "/Span" and above in ("/Document", "/Div", "/Sect")
    ):
        element["S"] = "/P"


def name_no_files(pdf: Any) -> None:
    """Have an empty list of files where there is none: PDF/A-4f asks for a list."""
    names = pdf.catalog.setdefault("Names", pydyf.Dictionary())
    if "EmbeddedFiles" not in names:
        files = pydyf.Dictionary({"Names": pydyf.Array()})
        pdf.add_object(files)
        names["EmbeddedFiles"] = files.reference
