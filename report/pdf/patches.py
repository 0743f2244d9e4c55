"""What WeasyPrint does more slowly, or otherwise, than it should: the parts of it that are replaced."""

from __future__ import annotations

import functools
import importlib
import zlib
from collections.abc import Iterator
from typing import Any

from report.pdf import blocks


@functools.cache
def mend() -> None:
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
