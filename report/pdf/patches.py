"""The parts of WeasyPrint and pydyf that are replaced: what a document is made of, and what saves time.

The savings told are medians of eight pairs of warm builds of homework1 with and without the one
replacement (WeasyPrint 70.0), taken once on a busy machine: they may be off by a tenth. Slowness with many boxes and many tags is known to its authors:
https://github.com/Kozea/WeasyPrint/issues/578
"""

from __future__ import annotations

import functools
import importlib
import zlib
from typing import Any

from report.pdf import breaking


@functools.cache
def mend() -> None:
    """Change some functions, once in a process."""
    _break_blocks()
    _make_no_notes()
    _cut_fonts()
    pydyf: Any = importlib.import_module("pydyf")
    pydyf.zlib = _Compression
    pydyf.PDF.page_references = property(_page_references)


def _break_blocks() -> None:
    """Have blocks laid out by themselves: equations and listings that may break over pages."""
    layout: Any = importlib.import_module("weasyprint.layout.block")
    usual = layout.block_level_layout_switch

    def switch(context: Any, box: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(getattr(box, "replacement", None), breaking.Block):
            return breaking.lay_out(context, box, *arguments, **named)
        return usual(context, box, *arguments, **named)

    layout.block_level_layout_switch = switch


def _make_no_notes() -> None:
    """Have no pseudo-elements made for notes, which no page has, and markers made in lists only.

    WeasyPrint's own rules for them hold for every element, which would get six, each with all styles.
    Saves 17 %.
    """
    matcher = importlib.import_module("weasyprint.html").UA_STYLESHEET.matcher
    for_all = matcher.other_selectors
    matcher.other_selectors = [rule for rule in for_all if rule[3] is None]
    matcher.lower_local_name_selectors["li"] += [rule for rule in for_all if rule[3] == "marker"]


_DOUBLE_ARROW = 1582  # the glyph ⇔ of the math font


def _cut_fonts() -> None:
    """Drop the table MATH of a font with ⇔ first, which HarfBuzz 6 cannot cut to that glyph; pin variable fonts."""
    fonts: Any = importlib.import_module("weasyprint.pdf.fonts")
    usual = fonts.Font.subset
    ffi, harfbuzz, subset = fonts.ffi, fonts.harfbuzz, fonts.harfbuzz_subset

    def cut(font: Any, to_unicode: Any, hinting: Any) -> None:
        if _DOUBLE_ARROW in to_unicode:
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
        usual(font, to_unicode, hinting)
        if "fvar" in font.tables:
            _pin(font)

    fonts.Font.subset = cut


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
    """What pydyf uses of zlib, at the level that takes half of the time for 2 % more bytes. Saves 13 %."""

    compress = staticmethod(zlib.compress)

    @staticmethod
    def compressobj(level: int) -> Any:
        return zlib.compressobj(min(level, 6))


def _page_references(pdf: Any) -> tuple[bytes, ...]:
    """The references of all pages, which are asked for once for every tag. Saves 11 %."""
    numbers = pdf.pages["Kids"][::3]
    known = getattr(pdf, "known_page_references", ())
    if len(known) != len(numbers):
        known = pdf.known_page_references = tuple(b"%d 0 R" % number for number in numbers)
    return known
