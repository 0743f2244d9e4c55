"""Everything that touches the inner parts of mathra and WeasyPrint.

Neither offers what a document with math as text needs, so this file reads the drawing that mathra
makes and draws glyphs into WeasyPrint's pages. Both are pinned: another version raises a
ReportError, and tests/pdf/test_contract.py says which of the parts used here it changed.
"""

import base64
import binascii
import contextlib
import functools
import importlib
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from report.errors import ReportError
from report.pdf import blocks, figures, ink, log_errors, page_margins, pdf_2, preflight, rows
from report.pdf.patches import mend
from report.typeset import fonts, more_fonts
from report.typeset.addresses import BLOCK, DISPLAYED, INLINE, PAGE, PICTURE, ROW
from report.typeset.drawing import Drawing
from report.typeset.mathra_layout import check_version

PYDYF = "0.13.0"
WEASYPRINT = "70.0"


# --- WeasyPrint: formulas and blocks as images ----------------------------------------------------

_OURS = (DISPLAYED, INLINE, PAGE, BLOCK, PICTURE, ROW)


class Images(dict[Any, Any]):  # WeasyPrint asks for a dict
    """WeasyPrint's cache of images, in which ours are found by their addresses.

    `pages` has the page of each anchor, as soon as the pages are made.
    """

    def __init__(
        self, drawing: Callable[[str, bool], Drawing], taken: Sequence[rows.Row] = ()
    ) -> None:
        super().__init__()
        self._drawing, self._rows = drawing, taken
        self.pages: dict[str, int] = {}

    def __contains__(self, address: object) -> bool:
        return str(address).startswith(_OURS) or super().__contains__(address)

    def __missing__(self, address: str) -> Any:
        if address.startswith(BLOCK):
            return blocks.block(address, self._drawing)
        if address.startswith(PAGE):
            return blocks.PageNumber(self.pages, address.removeprefix(PAGE))
        if address.startswith(PICTURE):
            return figures.load(address)
        if address.startswith(ROW):
            return self._rows[int(address.removeprefix(ROW))]
        tex = unquote(address.partition(":")[2].partition(":")[2])
        image = self[address] = ink.FormulaImage(
            self._drawing(tex, address.startswith(DISPLAYED)), tex
        )
        return image


# --- WeasyPrint: a document, strictly -------------------------------------------------------------

_turn = threading.Lock()  # loggers and environment belong to the process
_EMBEDDED = re.compile(r"data:(image/(?:svg\+xml|png));base64,([A-Za-z0-9+/=]*)")
VARIANTS = {"ua-1": "pdf/a-3a", "ua-2": "pdf/a-4f"}  # what WeasyPrint writes for a standard
_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)  # taken out again: it would be no fact
_STYLE = (
    "img.math,img.eq,img.lines,img.row{overflow:visible}"  # the ink of italics may stand out of their box
    "img.row{display:block}"
)


def write_pdf(
    source: str,
    *,
    base: str | None,
    drawing: Callable[[str, bool], Drawing],
    attachments: Sequence[tuple[str, bytes, str]],
    finish: Callable[[Any, Any], None],
    standard: str = "ua-1",
) -> bytes:
    """Write HTML as PDF/A-3a, or PDF/A-4f where the standard is "ua-2", to be finished by ``finish(document, pdf)`` before it is closed.

    ``attachments`` are name, content and description. Raises ReportError for whatever WeasyPrint
    would only log.
    """
    weasyprint = preflight.load()
    check_version("weasyprint", weasyprint.__version__, WEASYPRINT)
    check_version("pydyf", importlib.import_module("pydyf").__version__, PYDYF)
    mend()
    refused = (
        importlib.import_module("weasyprint.urls").URLFetchingError,
        importlib.import_module("weasyprint.css.tokens").InvalidValues,
    )

    def settle(document: Any, pdf: Any) -> None:
        finish(document, pdf)
        _settle(pdf)

    added = more_fonts.faces(source)
    files = {face.family: face.file for face in added}
    with _turn, fonts.closed(files), _anew(), log_errors.strictly(refused):
        fetch = _OnlyEmbedded()
        page = _parsed(source, base, fetch)
        images = Images(drawing, rows.take(page.etree_element, drawing))
        document = page.render(
            font_config=_font_configuration(added),
            cache=images,
            stylesheets=[_stylesheet("\n".join([*_taken_styles(page), _STYLE]))],
            pdf_variant=VARIANTS[standard],
            pdf_tags=True,
        )
        for number, made in enumerate(document.pages, 1):
            images.pages.update(dict.fromkeys(made.anchors, number))
        rows.tag(document)
        body = page.etree_element.find("body").attrib
        if "data-left" in body:
            page_margins.draw_margins(document, body["data-left"], body.get("data-right", ""))
        if standard == "ua-2":
            pdf_2.note_targets(document)
        written: bytes = document.write_pdf(
            attachments=[
                weasyprint.Attachment(
                    string=data,
                    name=name,
                    description=description,
                    created=_NO_DATE,
                    modified=_NO_DATE,
                    url_fetcher=fetch,
                )
                for name, data, description in attachments
            ],
            pdf_variant=VARIANTS[standard],
            pdf_tags=True,
            finisher=settle,
        )
        for made in document.pages:
            vars(made).pop("paint", None)  # that holds the page: so all of it goes at once
        return written


@functools.lru_cache(maxsize=8)
def _font_configuration(added: tuple[more_fonts.Face, ...] = ()) -> Any:
    """The bundled fonts, which all documents of a process have in common, and those added."""
    return importlib.import_module("weasyprint.text.fonts").FontConfiguration()


def _parsed(source: str, base: str | None, fetch: Any) -> Any:
    """The HTML as WeasyPrint has it; what is XML too is read by expat, in a tenth of the time."""
    weasyprint = preflight.load()
    try:
        root = ET.fromstring(source)  # noqa: S314 - of our own making, without entities
    except ET.ParseError:
        return weasyprint.HTML(string=source, base_url=base, url_fetcher=fetch)
    page = object.__new__(weasyprint.HTML)
    page.base_url, page.url_fetcher, page.media_type = base, fetch, "print"
    wrapper = importlib.import_module("cssselect2").ElementWrapper
    page.wrapper_element = wrapper.from_html_root(root, content_language=None)
    page.etree_element = root
    return page


def _taken_styles(page: Any) -> list[str]:
    """The stylesheets in the head of a page, taken out of it: most documents have the same."""
    found = []
    for parent in page.etree_element.iter("head"):
        for element in parent.findall("style"):
            found.append(element.text or "")
            parent.remove(element)
    return found


@contextlib.contextmanager
def _anew() -> Iterator[None]:
    """Have stylesheets read again after a fault, which may be one of theirs: it shall be told again."""
    try:
        yield
    except ReportError:
        _stylesheet.cache_clear()
        raise


@functools.lru_cache(maxsize=8)
def _stylesheet(css: str) -> Any:
    return preflight.load().CSS(string=css, url_fetcher=_OnlyEmbedded())


def _settle(pdf: Any) -> None:
    """Put bytes in the place of all objects: pydyf asks for them twice, to write and to name them.

    Saves 21 % of a warm build of homework1.
    """
    for number, item in enumerate(pdf.objects):
        if item.free != "f":
            pdf.objects[number] = _settled()(item)


@functools.cache
def _settled() -> Any:
    """A class for objects of a PDF that do not change any more."""
    pydyf: Any = importlib.import_module("pydyf")

    class Settled(pydyf.Object):
        data = b""
        compressible = False

        def __init__(self, item: Any) -> None:
            super().__init__()
            self.number, self.generation = item.number, item.generation
            self.compressible, self.data = item.compressible, item.data

    return Settled


class _OnlyEmbedded:
    """WeasyPrint's fetcher of addresses, without a way to the network or to files."""

    _fail_on_errors = False

    def __call__(self, address: str) -> Any:
        found = _EMBEDDED.fullmatch(address)
        if not found:
            raise PermissionError("a document loads nothing from outside")
        response = importlib.import_module("weasyprint.urls").URLFetcherResponse
        try:
            content = base64.b64decode(found[2], validate=True)
        except binascii.Error as error:
            raise ValueError("not base64") from error
        return response(address, content, {"Content-Type": found[1]})
