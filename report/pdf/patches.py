"""The parts of WeasyPrint and pydyf that are replaced: what a document is made of, and what saves time.

The savings told are medians of eight pairs of warm builds of homework1 with and without the one
replacement (WeasyPrint 70.0), taken once on a busy machine: they may be off by a tenth. Slowness with many boxes and many tags is known to its authors:
https://github.com/Kozea/WeasyPrint/issues/578
"""

from __future__ import annotations

import functools
import importlib
import re
import zlib
from typing import Any

from report.pdf import breaking, styles


@functools.cache
def mend() -> None:
    """Change some functions, once in a process."""
    _break_blocks()
    _make_no_empty_boxes()
    styles.mend()
    _cut_fonts()
    pydyf: Any = importlib.import_module("pydyf")
    pydyf.zlib = _Compression
    pydyf.PDF.page_references = property(_page_references)
    _write_at_once(pydyf)


def _break_blocks() -> None:
    """Have blocks laid out by themselves: equations and listings that may break over pages."""
    layout: Any = importlib.import_module("weasyprint.layout.block")
    usual = layout.block_level_layout_switch

    def switch(context: Any, box: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(getattr(box, "replacement", None), breaking.Block):
            return breaking.lay_out(context, box, *arguments, **named)
        return usual(context, box, *arguments, **named)

    layout.block_level_layout_switch = switch


def _make_no_empty_boxes() -> None:
    """Have no boxes made for notes and in margins, which no page has, and markers made in lists only.

    WeasyPrint's own rules for them hold for every element, which would get six, and for every page, which
    would get sixteen, each with all styles. Saves 17 %, and 4 % of a class.
    """
    sheet = importlib.import_module("weasyprint.html").UA_STYLESHEET
    sheet.page_rules = [
        rule for rule in sheet.page_rules if rule[1][0][1] in (None, "@footnote", "@note-area")
    ]
    matcher = sheet.matcher
    for_all = matcher.other_selectors
    matcher.other_selectors = [rule for rule in for_all if rule[3] is None]
    matcher.lower_local_name_selectors["li"] += [rule for rule in for_all if rule[3] == "marker"]


_DOUBLE_ARROW = 1582  # the glyph ⇔ of the math font
_KEPT = 64  # fonts cut to some glyphs


def _cut_fonts() -> None:
    """Drop the table MATH of a font with ⇔ first, which HarfBuzz 6 cannot cut to that glyph; pin variable fonts.

    A font that was cut to the same glyphs in another document is taken from there: saves 5 % of a class.
    """
    fonts: Any = importlib.import_module("weasyprint.pdf.fonts")
    usual = fonts.Font.subset
    fonts.ffi = _AnyLength(fonts.ffi)
    ffi, harfbuzz, subset = fonts.ffi, fonts.harfbuzz, fonts.harfbuzz_subset
    known: dict[Any, bytes] = {}

    def cut(font: Any, to_unicode: Any, hinting: Any) -> None:
        if "fvar" in font.tables:
            usual(font, to_unicode, hinting)
            _pin(font)
            return
        key = (
            font.name,
            len(font.file_content),
            tuple(sorted(to_unicode)),
            tuple(font.missing),
            hinting,
        )
        if key not in known:
            whole = font.file_content
            if _DOUBLE_ARROW in to_unicode:
                drop(font, to_unicode)
            usual(font, to_unicode, hinting)
            if font.file_content is whole:  # it could not be cut, and has told so
                return
            if len(known) >= _KEPT:
                known.clear()
            known[key] = font.file_content
        font.file_content = known[key]

    def drop(font: Any, to_unicode: Any) -> None:
        wanted = subset.hb_subset_input_create_or_fail()
        codes = ffi.new("hb_codepoint_t[]", sorted(to_unicode))
        glyphs = subset.hb_subset_input_glyph_set(wanted)
        harfbuzz.hb_set_add_sorted_array(glyphs, codes, len(codes))
        dropped = subset.hb_subset_input_set(wanted, subset.HB_SUBSET_SETS_DROP_TABLE_TAG)
        tag = ffi.new("hb_codepoint_t[]", [harfbuzz.hb_tag_from_string(b"MATH", -1)])
        harfbuzz.hb_set_add_sorted_array(dropped, tag, 1)
        subset.hb_subset_input_set_flags(wanted, subset.HB_SUBSET_FLAGS_RETAIN_GIDS)
        face = subset.hb_subset_or_fail(font.hb_face, wanted)
        font.hb_face = ffi.gc(face, harfbuzz.hb_face_destroy)
        subset.hb_subset_input_destroy(wanted)

    fonts.Font.subset = cut


class _AnyLength:
    """cffi, for arrays as long as what they are made of: for each other length it reads all declarations. Saves 20 ms."""

    def __init__(self, ffi: Any) -> None:
        self._ffi = ffi

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ffi, name)

    def new(self, kind: str, *given: Any) -> Any:
        """Memory of a kind, with what is given in it."""
        return self._ffi.new(_LENGTH.sub("[]", kind) if given else kind, *given)


_LENGTH = re.compile(r"\[\d+\]$")


def _pin(font: Any) -> None:
    """Make one weight of a variable font that is cut already: fontTools takes seconds for 40,000 places of glyphs."""
    import uharfbuzz

    face = uharfbuzz.Face(font.file_content)
    given = {"wght": font.weight, "opsz": font.font_size, "ital": int(font.style == 2)}
    wanted = uharfbuzz.SubsetInput()
    wanted.keep_everything()
    wanted.flags |= uharfbuzz.SubsetFlags.RETAIN_GIDS | uharfbuzz.SubsetFlags.NO_HINTING
    for axis in face.axis_infos:
        value = {**given, **font.variations}.get(axis.tag, axis.default_value)
        value = min(max(value, axis.min_value), axis.max_value)
        wanted.pin_axis_location(face, axis.tag, value)
    font.file_content = uharfbuzz.subset(face, wanted).blob.data
    font.tables.remove("fvar")


class _Compression:
    """What pydyf uses of zlib, at the level that takes a third of the time for 6 % more bytes. Saves 14 %.

    What another document held too, such as fonts and the MathML of most formulas, is known: saves 5 % of a class.
    """

    compress = staticmethod(zlib.compress)

    @staticmethod
    def compressobj(level: int) -> Any:
        return _Compressor(min(level, 4))


class _Compressor:
    def __init__(self, level: int) -> None:
        self._level = level

    def compress(self, data: bytes) -> bytes:
        known = _formulas if len(data) <= _SMALL else _fonts
        return known(data, self._level)

    @staticmethod
    def flush() -> bytes:
        return b""


def _compressed(data: bytes, level: int) -> bytes:
    """A window as large as what it is for takes a tenth of the time for a formula."""
    window = min(max(len(data).bit_length(), 10), 15)
    found = zlib.compressobj(level, zlib.DEFLATED, window, window - 7)
    return found.compress(data) + found.flush()


_SMALL = 4096  # bytes, more than those of nearly all formulas
_formulas = functools.lru_cache(maxsize=1024)(_compressed)
_fonts = functools.lru_cache(maxsize=32)(_compressed)  # and the pages between two uses of them


def _page_references(pdf: Any) -> tuple[bytes, ...]:
    """The references of all pages, which are asked for once for every tag. Saves 11 %."""
    numbers = pdf.pages["Kids"][::3]
    known = getattr(pdf, "known_page_references", ())
    if len(known) != len(numbers):
        known = pdf.known_page_references = tuple(b"%d 0 R" % number for number in numbers)
    return known


def _write_at_once(pydyf: Any) -> None:
    """Have texts, whole numbers and what is made of them written without asking what else they are. Saves 1 % of a class."""
    usual = pydyf._to_bytes  # noqa: SLF001

    def to_bytes(item: Any) -> bytes:
        kind = type(item)
        found: bytes = item
        if kind is str:
            found = item.encode("ascii")
        elif kind is int:
            found = b"%d" % item
        elif kind is not bytes:
            found = usual(item)
        return found

    def dictionary(self: Any) -> bytes:
        return b"<<%b>>" % b"".join(
            [b"/%b %b" % (key.encode(), to_bytes(value)) for key, value in self.items()]
        )

    def array(self: Any) -> bytes:
        return b"[%b]" % b" ".join(map(to_bytes, self))

    usual_string = pydyf.String.data.fget

    def string(self: Any) -> bytes:
        text = self.string
        is_plain = type(text) is str and text.isascii() and _MARKS.isdisjoint(text)
        found: bytes = b"(%b)" % text.encode() if is_plain else usual_string(self)
        return found

    pydyf._to_bytes = to_bytes  # noqa: SLF001
    pydyf.Dictionary.data, pydyf.Array.data = property(dictionary), property(array)
    pydyf.String.data = property(string)


_MARKS = frozenset("()\\")  # that a string has a backslash before
