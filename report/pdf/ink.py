"""Glyphs drawn into WeasyPrint's pages: formulas in the math font, and text.

With `engine` and `blocks`, this is what touches WeasyPrint's inner parts.
"""

import importlib
import re
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

from report.errors import ReportError
from report.pdf import log_errors
from report.typeset import fonts, glyphs
from report.typeset.colours import colour
from report.typeset.drawing import FONT, Drawing


class FormulaImage:
    """A formula as WeasyPrint asks for images: a size, and a way to be drawn."""

    def __init__(self, drawing: Drawing, tex: str) -> None:
        self._drawing, self._tex = drawing, tex

    def get_intrinsic_size(self, _resolution: Any, font_size: float) -> tuple[float, float, Any]:
        """Width and height in CSS pixels, and their ratio."""
        width = self._drawing.width * font_size
        height = (self._drawing.height + self._drawing.depth) * font_size
        return width, height, width / height if width and height else None

    def draw(self, stream: Any, width: float, _height: float, style: Any) -> None:
        """Draw into the page, from the upper left corner, in CSS pixels with y down."""
        if not self._drawing.width:  # only struts: nothing to draw
            return
        em = width / self._drawing.width
        call(stream, "/Formula", self._tex)
        draw_formula(stream, self._drawing, 0, self._drawing.height * em, em, style)


def draw_formula(stream: Any, drawing: Drawing, x: float, y: float, em: float, style: Any) -> None:
    """Draw a formula into a page, from the left end of its baseline, in CSS pixels with y down."""
    font = math_font(style.font_config).in_pdf(stream)
    table = glyphs.table()
    if font.glyph_count != len(table.advances):
        raise ReportError(f"The font {font.family} is not the bundled {fonts.MATH_FILE}.")
    for glyph in drawing.glyphs:
        if glyph not in font.widths:
            font.to_unicode[glyph] = table.characters[glyph]
            font.widths[glyph] = table.advances[glyph]
    import pydyf  # comes with WeasyPrint

    name = f"/{font.hash}".encode()
    size = em * drawing.scale
    stream.push_state()
    stream.set_matrix(size, 0, 0, -size, x, y)
    # for copying and searching, inside, where readers have the same axes as the glyphs
    stream.stream.append(b"/Span\n<</ActualText %b>>\nBDC" % pydyf.String(drawing.text).data)
    for own, stroked, ink in drawing.ink:
        stream.set_color(colour(own) if own else style["color"], stroke=stroked)
        stream.stream.append(ink.replace(FONT, name))
    stream.end_marked_content()
    stream.pop_state()


def call(stream: Any, name: str, tex: str = "") -> None:
    """Give the marked content that has just begun, /Figure, another name; `tex` is what a formula says."""
    items = stream.stream
    for i in range(len(items) - 1, max(len(items) - 16, 1), -1):
        if items[i] == b"BDC":
            items[i - 2] = name
            if tex:
                vars(stream).setdefault("formulas", {})[items[i - 1].get("MCID")] = tex
            return


def forget(stream: Any) -> None:
    """Take the marked content back that has just begun; it is ended where it would have been."""
    stream._tags.popitem()  # noqa: SLF001
    end = len(stream.stream) - stream.stream[::-1].index(b"BDC")
    del stream.stream[end - 3 : end]


class _Font(NamedTuple):
    """A font at a size as Pango has it, from which WeasyPrint makes a font of the PDF."""

    pango: Any
    key: int  # by which a PDF knows it
    size: float  # CSS pixels

    def in_pdf(self, stream: Any) -> Any:
        """The font of the PDF."""
        return stream._fonts.get(self.key) or stream.add_font(self.pango)[0]  # noqa: SLF001


def _font(pango_font: Any) -> _Font:
    key, _, size = importlib.import_module("weasyprint.pdf.stream").get_pango_font_key(pango_font)
    return _Font(pango_font, key, size)


_math_fonts: weakref.WeakKeyDictionary[Any, _Font] = weakref.WeakKeyDictionary()


def math_font(font_config: Any) -> _Font:
    """The math font."""
    if font_config not in _math_fonts:
        ffi_module = importlib.import_module("weasyprint.text.ffi")
        ffi, pango, gobject = ffi_module.ffi, ffi_module.pango, ffi_module.gobject
        font_map = font_config.font_map
        context = ffi.gc(pango.pango_font_map_create_context(font_map), gobject.g_object_unref)
        description = ffi.gc(pango.pango_font_description_new(), pango.pango_font_description_free)
        pango.pango_font_description_set_family(description, ffi.new("char[]", fonts.MATH.encode()))
        pango.pango_font_description_set_absolute_size(description, 16 * ffi_module.TO_UNITS)
        font = pango.pango_font_map_load_font(font_map, context, description)
        _math_fonts[font_config] = _font(ffi.gc(font, gobject.g_object_unref))
    return _math_fonts[font_config]


# --- text -----------------------------------------------------------------------------------------


class _Run(NamedTuple):
    """Glyphs of one font, their advances in CSS pixels and the letters that they stand for; `inked` show something."""

    font: _Font
    shown: list[tuple[int, float, str]]
    inked: list[tuple[int, str]]


class Text:
    """A line of text, shaped as WeasyPrint shapes it.

    `style` is WeasyPrint's, `width` in CSS pixels.
    """

    def __init__(self, style: Any, text: str) -> None:
        line_break = importlib.import_module("weasyprint.text.line_break")
        ffi = importlib.import_module("weasyprint.text.ffi")
        self._text = text
        self._layout = line_break.create_layout(text, style, None, None, 0)  # owns the fonts
        line, _ = self._layout.get_first_line()
        data = text.encode()
        self._runs: list[_Run] = []
        run = line.runs[0]
        while run != ffi.ffi.NULL:
            item, string = run.data.item, run.data.glyphs
            count = string.num_glyphs
            starts = [item.offset + string.log_clusters[i] for i in range(count)]
            ends = [*starts[1:], item.offset + item.length]
            shown = [
                (info.glyph, info.geometry.width * ffi.FROM_UNITS, data[i:j].decode())
                for info, i, j in zip(string.glyphs[0:count], starts, ends, strict=True)
            ]
            inked = [(glyph, text) for glyph, _, text in shown if glyph != _EMPTY]
            self._runs.append(_Run(_font(item.analysis.font), shown, inked))
            run = run.next
        self.width = sum(width for run in self._runs for _, width, _ in run.shown)
        self._codes: dict[Any, str] = {}

    def draw(self, stream: Any, x: float, y: float) -> None:
        """Draw from the left end of the baseline, in the current colour.

        Raises ReportError where no font has a letter.
        """
        lacking = [text for _, glyph, text in self.shaped if glyph >= _UNKNOWN]
        if lacking:
            raise ReportError(log_errors.missing(list(dict.fromkeys("".join(lacking)))))
        stream.begin_text()
        stream.set_text_matrix(1, 0, 0, -1, x, y)
        for number, (font, shown, inked) in enumerate(self._runs):
            in_pdf = _used(stream, font, inked)
            widths = tuple(in_pdf.widths.get(glyph) for glyph, _, _ in shown)
            stream.set_font_size(in_pdf.hash, font.size)
            # the widths are those of the size at which the document has the letter first
            find = partial(_codes, shown, widths, font.size)
            stream.show_text(once(self._codes, (number, widths), find, _WIDTHS))
        stream.end_text()

    @property
    def shaped(self) -> list[tuple[_Font, int, str]]:
        """The font, the glyph and the letters that it stands for, one after the other."""
        return [(run.font, glyph, text) for run in self._runs for glyph, _, text in run.shown]


_WIDTHS = 8  # ways in which documents have a text's letters first


def _codes(
    shown: Sequence[tuple[int, float, str]], widths: Sequence[float | None], size: float
) -> str:
    """Glyphs as PDF's operators show them, with what their places differ from their widths by."""
    codes = ""
    for (glyph, width, _), own in zip(shown, widths, strict=True):
        if own is None:  # nothing to show
            codes += f">{-width * 1000 / size:.0f}<" if width else ""
            continue
        kern = int(own - width * 1000 / size)
        codes += f"{glyph:04x}>{kern}<" if kern else f"{glyph:04x}"
    return f"<{codes}>"


class Number:
    """A number, whose figures have one width each; see `Text`."""

    def __init__(self, style: Any, stream: Any, text: str) -> None:
        self._letters, self._text = letters(style, stream, text), text
        self.width = self._letters.width(text)

    def draw(self, stream: Any, x: float, y: float) -> None:
        """Draw from the left end of the baseline, in the current colour."""
        shown = self._letters.place(x, y, self._text)
        stream.stream.append("\n".join(["BT", *shown, "ET"]).encode())


_NUMBER = re.compile(r"[0-9.,−–×⁰¹²³⁴⁵⁶⁷⁸⁹⁻ \u2007]+")


def words(style: Any, stream: Any, text: str) -> Text | Number:
    """A text to be drawn into a page, which is a number or a word that may stand in many documents."""
    return Number(style, stream, text) if _NUMBER.fullmatch(text) else kept(style, text)


def kept(style: Any, text: str) -> Text:
    """A text that may stand in many documents."""
    line_break = importlib.import_module("weasyprint.text.line_break")
    face = line_break._font_style_cache_key(style, include_size=True)  # noqa: SLF001
    known = _words.setdefault(style.font_config, {})
    found: Text = once(known, (face, text), lambda: Text(style, text), _KEPT)
    return found


def once(known: dict[Any, Any], key: Any, find: Callable[[], Any], most: int) -> Any:
    """What is known, or is found now and kept; not more than so many are."""
    if key not in known:
        if len(known) >= most:
            known.clear()
        known[key] = find()
    return known[key]


_KEPT = 1000  # words whose shapes are kept
_words: weakref.WeakKeyDictionary[Any, dict[tuple[str, str], Text]] = weakref.WeakKeyDictionary()


def _used(stream: Any, font: _Font, shown: Iterable[tuple[int, str]]) -> Any:
    """The font of the PDF with these glyphs and their letters in it."""
    in_pdf = font.in_pdf(stream)
    for glyph, text in shown:
        if glyph in in_pdf.widths:
            continue
        in_pdf.to_unicode.setdefault(glyph, text)
        ffi = importlib.import_module("weasyprint.text.ffi")
        ffi.pango.pango_font_get_glyph_extents(
            font.pango, glyph, stream.ink_rect, stream.logical_rect
        )
        advance = stream.logical_rect.width * 1000 * ffi.FROM_UNITS
        in_pdf.widths[glyph] = round(advance / font.size)
    return in_pdf


TAB = "\N{NO-BREAK SPACE}"  # whose empty glyph stands for a tab when a text is copied
INDENT = 4  # letters of a tab


def letters(style: Any, stream: Any, text: str) -> "Letters":
    """The letters of a text, with those of the same face in the texts before it on a page."""
    line_break = importlib.import_module("weasyprint.text.line_break")
    face = line_break._font_style_cache_key(style, include_size=True)  # noqa: SLF001
    drawn = vars(stream).setdefault("letters", {})
    if face not in drawn:
        known = _shapes.setdefault(style.font_config, {}).setdefault(face, {})
        drawn[face] = Letters(style, known)
    found: Letters = drawn[face]
    found.add(stream, text)
    return found


class Letters:
    """The letters of one face and size, set one after the other: code, numbers, labels of figures.

    What Pango finds out about a letter is `known`.
    """

    def __init__(self, style: Any, known: dict[str, "_Shape"]) -> None:
        self._style, self._size, self._known = style, style["font_size"], known
        self._letters: dict[str, _Letter] = {}

    def add(self, stream: Any, text: str) -> None:
        """Have these letters in the page's fonts.

        Raises ReportError for a letter that no font has, or that stands for nothing by itself.
        """
        known = self._known
        wanted = [letter for letter in dict.fromkeys(text) if letter not in self._letters]
        new = [letter for letter in wanted if letter not in known]
        if new:
            shaped = Text(self._style, " ".join(new))  # spaces keep letters from being joined
            found = {letter: (font, glyph, shaped) for font, glyph, letter in shaped.shaped}
            for letter in new:
                if letter not in found or not 0 < found[letter][1] < _UNKNOWN:
                    raise ReportError(log_errors.missing([letter]))
                known[letter] = _Shape(*found[letter])
        for font, run in groupby(wanted, lambda letter: known[letter].font):
            shown = [(known[letter].glyph, letter) for letter in run]
            meant = [(glyph, "\t" if letter == TAB else letter) for glyph, letter in shown]
            in_pdf = _used(stream, font, meant)
            for glyph, letter in shown:
                advance = in_pdf.widths[glyph] / 1000
                self._letters[letter] = _Letter(in_pdf.hash, f"{glyph:04x}", advance)

    def width(self, text: str) -> float:
        """The advance in CSS pixels."""
        return self._size * sum(self._letters[letter].advance for letter in text)

    def show(self, text: str) -> Iterator[str]:
        """PDF's operators, inside of a text object, that show a text and move behind it."""
        for name, letters in groupby((self._letters[letter] for letter in text), lambda x: x.font):
            yield f"/{name} {self._size:.4f} Tf <{''.join(x.code for x in letters)}> Tj"

    def show_indented(self, levels: int, text: str) -> Iterator[str]:
        """The same behind tabs of four letters: what a viewer copies that takes spaces together."""
        tab, (first, *rest) = self._letters[TAB], self.show(text)
        font, codes = first.removesuffix("> Tj").split("<")
        room = 1000 * tab.advance * (INDENT - 1) * levels
        yield f"{font}[{-room:.0f} <{tab.code * levels}{codes}>] TJ"
        yield from rest

    def place(self, x: float, y: float, text: str) -> Iterator[str]:
        """The same from the left end of a baseline, in CSS pixels with y down."""
        yield f"1 0 0 -1 {x:.4f} {y:.4f} Tm"
        yield from self.show(text)


class _Letter(NamedTuple):
    font: str  # its name in the PDF
    code: str
    advance: float  # em


class _Shape(NamedTuple):
    font: _Font
    glyph: int
    owner: Text  # of the font


_shapes: weakref.WeakKeyDictionary[Any, dict[str, dict[str, _Shape]]] = weakref.WeakKeyDictionary()
_UNKNOWN = 0x10000000  # Pango's flag for a glyph that no font has
_EMPTY = 0x0FFFFFFF  # and its glyph for a character that shows nothing


def line_of(style: Any) -> tuple[float, float]:
    """The height of a line of text, and how far below its top the baseline is, in CSS pixels."""
    height, baseline = importlib.import_module("weasyprint.text.line_break").strut(style)
    return height, baseline


def varied(style: Any, **changes: Any) -> Any:
    """A style like another, but for these properties."""

    def find() -> Any:
        found = importlib.import_module("weasyprint.css").AnonymousStyle(style)
        found.update(changes)
        return found

    known = vars(style).setdefault("varied", {})
    return once(known, tuple(changes.items()), find, _VARIED)


_VARIED = 64  # styles like one
