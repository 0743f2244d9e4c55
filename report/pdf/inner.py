"""Everything that touches the inner parts of mathra and WeasyPrint.

Neither offers what a document with math as text needs, so this file reads the drawing that mathra
makes and draws glyphs into WeasyPrint's pages. Both are pinned: another version raises a
ReportError, and tests/pdf/test_contract.py says which of the parts used here it changed.
"""

import base64
import binascii
import contextlib
import functools
import gc
import html
import importlib
import re
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote
from xml.etree import ElementTree as ET

from report.errors import ReportError
from report.pdf import blocks, faults, fonts, glyphs, ink, preflight, running, vectors
from report.pdf.drawing import Drawing, Line, Rectangle, Run

MATHRA = "1.5.0"
PYDYF = "0.13.0"
WEASYPRINT = "70.0"


def check_version(package: str, found: str, wanted: str) -> None:
    """Raise ReportError where a package is not the one that this file was written for."""
    if found != wanted:
        raise ReportError(
            f"The PDF needs {package} {wanted}, and {package} {found} is installed. Run:\n"
            f"    python -m pip install {package}=={wanted}"
        )


# --- mathra: from LaTeX to placed glyphs ----------------------------------------------------------


_HEAD = re.compile(r'viewBox="0 (\S+) (\S+) (\S+)".*?<title[^>]*>([^<]*)</title>', re.DOTALL)
_ELEMENT = re.compile(r"<(\w+)((?: [\w-]+=\"[^\"]*\")*)/?>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_PLACE = re.compile(r"translate\((\S+) (\S+)\)(?: scale\((\S+)\))?")


@functools.cache
def _tex_to_svg() -> Callable[..., str]:
    import mathra  # not where no formula is asked for

    check_version("mathra", mathra.core_version, MATHRA)
    return mathra.tex_to_svg


_OVERSHOOT = 0.1  # em that a rule may stand out of the box of a formula


def typeset(tex: str, display: bool) -> Drawing:
    """Lay out LaTeX. Raises ValueError with mathra's reason where it cannot."""
    svg = _tex_to_svg()(tex, display=display, strict=True)
    head = _HEAD.search(svg)
    start = svg.rfind("</defs>")
    end = svg.rfind("<text ")
    if head is None or start < 0 or end < start:
        raise ReportError(f"mathra {MATHRA} drew {tex!r} in a way that report does not know.")
    top, width, height = (float(number) / 1000 for number in head.groups()[:3])
    marks = tuple(_marks(svg[start:end]))
    for mark in marks:
        if isinstance(mark, Rectangle) and not (
            -top - height - _OVERSHOOT < mark.y < mark.y + mark.height < -top + _OVERSHOOT
        ):
            raise ValueError("it would draw a line outside of its box: leave out | or \\smash")
    return Drawing(
        width=width,
        height=-top,
        depth=round(top + height, 6),
        speech=html.unescape(head[4]),
        text=html.unescape(svg[svg.index(">", end) + 1 : svg.index("</text>", end)]),
        marks=marks,
    )


def measure(tex: str) -> float:
    """The width of displayed LaTeX in em. Raises ValueError as typeset() does."""
    svg = _tex_to_svg()(tex, display=True, strict=True)
    start = svg.index('viewBox="') + 9
    return float(svg[start : svg.index('"', start)].split()[2]) / 1000


def _marks(body: str) -> Iterator[Run | Rectangle | Line]:
    advances = glyphs.table().advances
    run: Run | None = None  # the glyphs so far, and where the next one would stand by itself
    pen = 0.0
    for tag, text in _ELEMENT.findall(body):
        if tag == "g":
            continue
        found = dict(_ATTRIBUTE.findall(text))
        colour = found.get("fill" if tag != "line" else "stroke", "")
        if tag == "use":
            x, y, size = _place(found)
            glyph = int(found["href"].rpartition("-g")[2])
            if run and (run.y, run.size, run.colour) == (y, size, colour):
                kern = round((pen - x) / size * 1000, 1)
                move = f">{kern:g}<" if kern else ""
                run = run._replace(
                    codes=f"{run.codes}{move}{glyph:04x}", glyphs=(*run.glyphs, glyph)
                )
            else:
                if run:
                    yield run
                run = Run(x, y, size, colour, f"{glyph:04x}", (glyph,))
            pen = x + advances[glyph] * size / 1000
            continue
        if run:
            yield run
            run = None
        if tag == "rect":
            x, y, width, height = _lengths(found, "x", "y", "width", "height")
            if width and height:  # else a strut, which viewers would show as a hairline
                yield Rectangle(x, y, width, height, colour)
        elif tag == "line":
            x1, y1, x2, y2, thickness = _lengths(found, "x1", "y1", "x2", "y2", "stroke-width")
            yield Line(x1, y1, x2, y2, thickness, "" if colour == "currentColor" else colour)
        else:
            raise ValueError(f"it needs a <{tag}> drawing, which the PDF cannot hold as text")
    if run:
        yield run


def _place(found: dict[str, str]) -> tuple[float, float, float]:
    if "transform" not in found:
        x, y = _lengths(found, "x", "y")
        return x, y, 1.0
    place = _PLACE.fullmatch(found["transform"])
    if not place:
        raise ValueError(f"it needs the transformation {found['transform']}")
    return float(place[1]) / 1000, float(place[2]) / 1000, float(place[3] or 1)


def _lengths(found: dict[str, str], *names: str) -> tuple[float, ...]:
    return tuple(float(found[name]) / 1000 for name in names)


# --- WeasyPrint: formulas and blocks as images ----------------------------------------------------

_DISPLAYED, _INLINE = "math:display:", "math:inline:"
_OURS = (_DISPLAYED, _INLINE, blocks.PAGE, blocks.PREFIX, vectors.PREFIX)


def url(tex: str, display: bool) -> str:
    """The address under which the document's images find a formula."""
    return (_DISPLAYED if display else _INLINE) + quote(tex, safe="")


class Images(dict):  # type: ignore[type-arg]  # WeasyPrint asks for a dict
    """WeasyPrint's cache of images, in which ours are found by their addresses.

    `pages` has the page of each anchor, as soon as the pages are made.
    """

    def __init__(self, drawing: Callable[[str, bool], Drawing]) -> None:
        super().__init__()
        self._drawing = drawing
        self.pages: dict[str, int] = {}

    def __contains__(self, address: object) -> bool:
        return str(address).startswith(_OURS) or super().__contains__(address)

    def __missing__(self, address: str) -> Any:
        if address.startswith(blocks.PREFIX):
            return blocks.block(address, self._drawing)
        if address.startswith(blocks.PAGE):
            return blocks.PageNumber(self.pages, address.removeprefix(blocks.PAGE))
        if address.startswith(vectors.PREFIX):
            return vectors.load(address)
        tex = unquote(address.partition(":")[2].partition(":")[2])
        image = self[address] = ink.Formula(self._drawing(tex, address.startswith(_DISPLAYED)))
        return image


# --- WeasyPrint: what it does more slowly, or otherwise, than it should ---------------------------


@functools.cache
def _mend() -> None:
    """Change some functions, once in a process."""
    _set_labels_whole()
    _break_blocks()
    _split_lines_once()
    _break_after_last_word()
    _compute_styles_faster()
    _resolve_lengths_faster()
    _leave_margins_free()
    _make_no_notes()
    pydyf: Any = importlib.import_module("pydyf")
    pydyf.zlib = _Compression
    pydyf.PDF.page_references = property(_page_references)


def _break_blocks() -> None:
    """Have blocks laid out by themselves."""
    layout: Any = importlib.import_module("weasyprint.layout.block")
    usual = layout.block_level_layout_switch

    def switch(context: Any, box: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(getattr(box, "replacement", None), blocks.Block):
            return blocks.lay_out(context, box, *arguments, **named)
        return usual(context, box, *arguments, **named)

    layout.block_level_layout_switch = switch


_FACE = (  # what decides about the letters of a text and their places, besides its font
    "direction", "font_kerning", "font_size", "hyphenate_character", "hyphenate_limit_chars",
    "hyphenate_limit_zone", "hyphens", "letter_spacing", "overflow_wrap", "tab_size",
    "text_decoration_line", "white_space", "word_break", "word_spacing",
)  # fmt: skip
_LINES = 5000  # first lines to remember


def _split_lines_once() -> None:
    """Remember what is the first line of a text, and the name of its font.

    Each text is measured three times or more, and most texts of a report are those of the last one.
    """
    layout: Any = importlib.import_module("weasyprint.text.line_break")
    usual, usual_name = layout.split_first_line, layout._font_style_cache_key  # noqa: SLF001
    known: dict[tuple[Any, ...], Any] = {}

    def name(style: Any, include_size: bool = False) -> str:
        names = style.__dict__.setdefault("names", {})
        if include_size not in names:
            names[include_size] = usual_name(style, include_size)
        found: str = names[include_size]
        return found

    def split(
        text: str,
        style: Any,
        context: Any,
        max_width: float | None,
        justification_spacing: float,
        is_line_start: bool = True,
        minimum: bool = False,
    ) -> Any:
        try:
            face = style.face
        except AttributeError:
            face = style.face = name(style) + str([style[n] for n in _FACE])
        text_and_face = text, face, justification_spacing
        line = known.get(text_and_face)  # that has room enough
        if line is not None and (max_width is None or line[3] <= max_width):
            return line
        key = *text_and_face, max_width, is_line_start, minimum
        line = known.get(key)
        if line is None:
            line = usual(
                text, style, context, max_width, justification_spacing, is_line_start, minimum
            )
            if len(known) >= _LINES:
                known.clear()
            # all of it, not without the space at its end, for which there was no room
            whole = line[2] is None and line[1] == len(text.encode())
            fits = whole and (max_width is None or line[3] <= max_width)
            known[text_and_face if fits else key] = line
        return line

    layout._font_style_cache_key = name  # noqa: SLF001
    for name_of_user in ("inline", "preferred"):
        user: Any = importlib.import_module(f"weasyprint.layout.{name_of_user}")
        user.split_first_line = split


def _break_after_last_word() -> None:
    """Let the space at the end of a text hang over, where what comes next goes to another line.

    WeasyPrint has a text that fits without this space, and only so, broken after its first word.
    """
    layout: Any = importlib.import_module("weasyprint.layout.inline")
    usual = layout.split_first_line

    def split(
        text: str, style: Any, context: Any, room: Any, spacing: Any, *arguments: Any, **named: Any
    ) -> Any:
        found = usual(text, style, context, room, spacing, *arguments, **named)
        bare = text.rstrip(" ")
        if found[2] is None or room is None or not bare or bare == text:
            return found
        if usual(bare, style, context, room, spacing, *arguments, **named)[2] is not None:
            return found
        return usual(text, style, context, None, spacing, *arguments, **named)

    layout.split_first_line = split


_SPECIFIED = ("float", "display", "position", "page")  # what is computed from what is specified


def _compute_styles_faster() -> None:
    """Take what no rule sets from the parent, or from the specification, without further ado.

    That is nearly every property of nearly every box; the way to all values takes ten times as long.
    """
    css: Any = importlib.import_module("weasyprint.css")
    inherited, physical = css.INHERITED, css.PHYSICAL_FUNCTIONS
    initial = {
        name: value
        for name, value in css.INITIAL_VALUES.items()
        if name not in {*inherited, *css.INITIAL_NOT_COMPUTED, *_SPECIFIED}
        and not name.startswith("text_decoration_")
    }
    logical = {
        name(block="ttb", inline=inline) for name in physical.values() for inline in ("ltr", "rtl")
    }
    usual = css.ComputedStyle.__missing__

    def missing(style: Any, name: str) -> Any:
        cascaded = style.cascaded
        if name not in cascaded:
            if name in inherited and style.parent_style is not None:
                value = style[name] = style.parent_style[name]
                return value
            # margin-left may be set as margin-inline-start
            if name in initial and (name not in physical or logical.isdisjoint(cascaded)):
                value = style[name] = initial[name]
                return value
        return usual(style, name)

    css.ComputedStyle.__missing__ = missing


def _resolve_lengths_faster() -> None:
    """Take lengths in pixels as they are; each box asks for fourteen of them."""
    percent: Any = importlib.import_module("weasyprint.layout.percent")
    dimension: Any = importlib.import_module("weasyprint.css.properties").Dimension
    usual = percent.resolve_one_percentage

    def resolve(box: Any, name: str, refer_to: Any) -> None:
        value = box.style[name]
        if value.__class__ is dimension and value.unit == "px":
            setattr(box, name, value.value)
        else:
            usual(box, name, refer_to)

    percent.resolve_one_percentage = resolve


def _leave_margins_free() -> None:
    """Have no boxes made for the margins of a page, in which `running` draws."""
    layout: Any = importlib.import_module("weasyprint.layout")
    layout.make_margin_boxes = lambda _context, _page, _state: iter(())


def _make_no_notes() -> None:
    """Have no pseudo-elements made for notes, which no page has, and markers made in lists only.

    WeasyPrint's own rules for them hold for every element, which would get six, each with all styles.
    """
    matcher = importlib.import_module("weasyprint.html").UA_STYLESHEET.matcher
    for_all = matcher.other_selectors
    matcher.other_selectors = [rule for rule in for_all if rule[3] is None]
    matcher.lower_local_name_selectors["li"] += [rule for rule in for_all if rule[3] == "marker"]


class _Compression:
    """What pydyf uses of zlib, at the level that takes half of the time for 2 % more bytes."""

    compress = staticmethod(zlib.compress)

    @staticmethod
    def compressobj(level: int) -> Any:
        return zlib.compressobj(min(level, 6))


def _page_references(pdf: Any) -> tuple[bytes, ...]:
    """The references of all pages, which are asked for once for every tag."""
    numbers = pdf.pages["Kids"][::3]
    known = getattr(pdf, "known_page_references", ())
    if len(known) != len(numbers):
        known = pdf.known_page_references = tuple(b"%d 0 R" % number for number in numbers)
    return known


class _Whole(str):
    """Text that counts as one letter."""

    __slots__ = ()

    def __iter__(self) -> Iterator[str]:
        yield str(self)


def _set_labels_whole() -> None:
    """Have the text of SVG figures laid out label by label, in English.

    WeasyPrint does it letter by letter, which takes longer and loses kerning, and in the language
    of the system, which may choose other forms of a letter.
    """
    svg: Any = importlib.import_module("weasyprint.svg")
    properties = importlib.import_module("weasyprint.css.properties")
    letter_by_letter = svg.text

    def text(image: Any, node: Any, font_size: float) -> None:
        places = (node.get(name, "") for name in ("x", "y", "dx", "dy", "rotate"))
        if all(len(place.split()) < 2 for place in places) and "textLength" not in node.attrib:
            node._etree_node.text = _Whole(node.text or "")  # noqa: SLF001
        letter_by_letter(image, node, font_size)

    for tag, draw in svg.TAGS.items():
        if draw is letter_by_letter:
            svg.TAGS[tag] = text
    svg.text = text
    properties.INITIAL_VALUES["lang"] = "en"


# --- WeasyPrint: a document, strictly -------------------------------------------------------------

_turn = threading.Lock()  # loggers, environment and garbage collection belong to the process
_EMBEDDED = re.compile(r"data:(image/(?:svg\+xml|png));base64,([A-Za-z0-9+/=]*)")
_VARIANT = "pdf/a-3a"
_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)  # taken out again: it would be no fact
_STYLE = (
    "img.math,img.eq,img.lines{overflow:visible}"  # the ink of italics may stand out of their box
)


def write_pdf(
    source: str,
    *,
    base: str | None,
    drawing: Callable[[str, bool], Drawing],
    attachments: Sequence[tuple[str, bytes, str]],
    finish: Callable[[Any, Any], None],
) -> bytes:
    """Write HTML as PDF/A-3a, to be finished by ``finish(document, pdf)`` before it is closed.

    ``attachments`` are name, content and description. Raises ReportError for whatever WeasyPrint
    would only log.
    """
    weasyprint = preflight.load()
    check_version("weasyprint", weasyprint.__version__, WEASYPRINT)
    check_version("pydyf", importlib.import_module("pydyf").__version__, PYDYF)
    _mend()
    refused = (
        importlib.import_module("weasyprint.urls").URLFetchingError,
        importlib.import_module("weasyprint.css.tokens").InvalidValues,
    )

    def settle(document: Any, pdf: Any) -> None:
        finish(document, pdf)
        _settle(pdf)

    with _turn, fonts.closed(), _anew(), faults.strictly(refused), _seldom_collecting():
        fetch = _OnlyEmbedded()
        images = Images(drawing)
        page = _parsed(source, base, fetch)
        document = page.render(
            font_config=_font_configuration(),
            cache=images,
            stylesheets=[_stylesheet(css) for css in (*_taken_styles(page), _STYLE)],
            pdf_variant=_VARIANT,
        )
        for number, made in enumerate(document.pages, 1):
            images.pages.update(dict.fromkeys(made.anchors, number))
        body = page.etree_element.find("body").attrib
        if "data-left" in body:
            running.place(document, body["data-left"], body.get("data-right", ""))
        return document.write_pdf(
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
            pdf_variant=_VARIANT,
            finisher=settle,
        )


@functools.cache
def _font_configuration() -> Any:
    """The bundled fonts, which all documents of a process have in common."""
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
    """Put bytes in the place of all objects: pydyf asks for them twice, to write and to name them."""
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


@contextlib.contextmanager
def _seldom_collecting() -> Iterator[None]:
    """A layout makes many objects that live until it is done: look for garbage less often."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
