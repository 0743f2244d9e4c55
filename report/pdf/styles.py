"""Styles, and lines of text set in them, which documents of a process have in common.

Two documents of one stylesheet have elements of the same styles, and most of the same sentences. WeasyPrint
finds them out for each document, and what boxes need of a style for each box. With `patches`, this is what
is replaced of WeasyPrint; the savings told there and here are measured in the same way, those of a class by
the least time of 20 students.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable
from typing import Any

from report.pdf import ink

_KEPT = 2048  # styles, and lines of text: those of some five documents


def mend() -> None:
    """Change some functions."""
    _set_at_once()
    _share_styles()
    _measure_faces_once()
    _resolve_lengths_once()
    _keep_lines()
    _draw_known_shapes()
    _pass_bare_boxes()


def _set_at_once() -> None:
    """Have a property that no rule sets be the parent's or the initial one, without asking what else it could be.

    A length of a side may be set by its logical name too. Saves 9 %.
    """
    css: Any = importlib.import_module("weasyprint.css")
    asked = {"float", "display", "position", "page", *css.INHERITED, *css.INITIAL_NOT_COMPUTED}
    initial = {
        name: value
        for name, value in css.INITIAL_VALUES.items()
        if name not in asked
        and not name.startswith("text_decoration_")
        and not css.check_math(value)
    }
    logical = {
        name: tuple({named(block="ttb", inline=direction) for direction in ("ltr", "rtl")})
        for name, named in css.PHYSICAL_FUNCTIONS.items()
    }
    usual = css.ComputedStyle.__missing__

    @functools.wraps(usual)
    def missing(style: Any, name: str) -> Any:
        if name in style.cascaded or any(n in style.cascaded for n in logical.get(name, ())):
            return usual(style, name)
        if name in initial:
            value = style[name] = initial[name]
        elif name in css.INHERITED and style.parent_style is not None:
            value = style[name] = style.parent_style[name]
        else:
            return usual(style, name)
        return value

    css.ComputedStyle.__missing__ = missing


def _share_styles() -> None:
    """Have elements with the same rules in a parent of the same style share theirs, in all documents.

    WeasyPrint copies a style before it changes it for one box. A length in vw or vh would be that of the
    first document; the stylesheet has none. Saves 8 % of a class.
    """
    css: Any = importlib.import_module("weasyprint.css")
    usual = css.StyleFor.set_computed_styles
    known: dict[Any, Any] = {}

    @functools.wraps(usual)
    def set_computed_styles(
        self: Any,
        element: Any,
        parent: Any,
        root: Any = None,
        pseudo_type: str | None = None,
        base_url: str | None = None,
        target_collector: Any = None,
    ) -> None:
        def find() -> Any:
            usual(self, element, parent, root, pseudo_type, base_url)
            return computed[element, pseudo_type]

        computed = self.get_computed_styles()
        if not hasattr(element, "tag"):  # a page: its style is changed, and it has no anchor
            find()
            return
        cascaded = self.get_cascaded_styles().get((element, pseudo_type), {})
        above = self.font_config if parent is None else computed[parent, None]
        rules = tuple(  # of backgrounds and lines at a text there may be several
            (name, tuple(value) if isinstance(value, list | set) else value, weight)
            for name, (value, weight) in cascaded.items()
        )
        key = (id(above), pseudo_type, base_url, rules)  # a style keeps the one above alive
        found = computed[element, pseudo_type] = ink.once(known, key, find, _KEPT)
        if target_collector and found["anchor"]:
            target_collector.collect_anchor(found["anchor"])

    css.StyleFor.set_computed_styles = set_computed_styles


def _measure_faces_once() -> None:
    """Have the key of a style's face, and the height of its lines, found once. Saves 3 % of a class."""
    line_break: Any = importlib.import_module("weasyprint.text.line_break")
    usual, usual_strut = line_break._font_style_cache_key, line_break.strut  # noqa: SLF001

    @functools.wraps(usual)
    def face(style: Any, include_size: bool = False) -> str:
        name = "face_and_size" if include_size else "face"
        found: str = _of(style, name, lambda style: usual(style, include_size))
        return found

    @functools.wraps(usual_strut)
    def strut(style: Any) -> tuple[float, float]:
        found: tuple[float, float] = _of(style, "strut", usual_strut)
        return found

    inline: Any = importlib.import_module("weasyprint.layout.inline")
    line_break._font_style_cache_key = face  # noqa: SLF001
    line_break.strut = inline.strut = strut


_LENGTHS = (
    *(f"{what}_{side}" for what in ("margin", "padding") for side in ("left", "right", "top", "bottom")),
    *(f"{least}{side}" for least in ("", "min_", "max_") for side in ("width", "height")),
)  # fmt: skip


def _resolve_lengths_once() -> None:
    """Have the lengths of boxes taken from their style at once, where none depends on another box.

    Saves 4 % of a class.
    """
    usual = importlib.import_module("weasyprint.layout.percent").resolve_percentages

    def lengths(style: Any) -> dict[str, Any]:
        """The lengths that hold wherever a box of the style is; none where some do not."""
        if style["border_collapse"] != "separate" or style["box_sizing"] != "content-box":
            return {}
        found: dict[str, Any] = {}
        for name in _LENGTHS:
            length = style[name]
            if length == "auto":
                found[name] = 0 if name.startswith("min_") else length
            elif getattr(length, "unit", None) == "px":
                found[name] = length.value
            else:
                return {}
        borders = [f"border_{side}_width" for side in ("top", "right", "bottom", "left")]
        return found | {name: style[name] for name in borders}

    @functools.wraps(usual)
    def resolve_percentages(box: Any, containing_block: Any) -> None:
        if found := _of(box.style, "lengths", lengths):
            vars(box).update(found)
        else:
            usual(box, containing_block)

    for name in ("absolute", "block", "column", "float", "grid", "inline", "page", "table"):
        module: Any = importlib.import_module(f"weasyprint.layout.{name}")
        module.resolve_percentages = resolve_percentages


def _keep_lines() -> None:
    """Have a text broken at a width once. Saves 5 % of a class."""
    inline: Any = importlib.import_module("weasyprint.layout.inline")
    usual = inline.split_first_line
    known: dict[Any, Any] = {}

    @functools.wraps(usual)
    def split_first_line(
        text: str, style: Any, context: Any, max_width: float | None, *options: Any, **named: Any
    ) -> Any:
        key = (text, id(style), max_width, options, *named.items())
        # the style is kept too: one that is gone could leave its identity
        line, _ = ink.once(
            known,
            key,
            lambda: (usual(text, style, context, max_width, *options, **named), style),
            _KEPT,
        )
        return line

    inline.split_first_line = split_first_line


# letters that stand beside each other, each at its own place
_LATIN = re.compile("[\\x20-\\x7e\\xa0-\\u024f\\u2010-\\u2026]*")


def _draw_known_shapes() -> None:
    """Have a line of Latin letters drawn as it was shaped before. Saves 3 % of a class."""
    drawn: Any = importlib.import_module("weasyprint.draw")
    usual = drawn.draw_text
    plain = {
        "visibility": "visible", "text_decoration_line": "none", "direction": "ltr",
        "letter_spacing": "normal", "word_spacing": 0, "font_kerning": "auto",
    }  # fmt: skip

    def is_plain(style: Any) -> bool:
        return all(style[name] == value for name, value in plain.items())

    @functools.wraps(usual)
    def draw_text(
        stream: Any, textbox: Any, offset_x: float, text_overflow: str, block_ellipsis: Any
    ) -> None:
        style, layout = textbox.style, textbox.pango_layout
        is_whole = text_overflow == "clip" and block_ellipsis == "none"
        is_seen = textbox.text.strip() and _LATIN.fullmatch(layout.text)
        is_spread = layout.justification_spacing or not _of(style, "is_plain", is_plain)
        if is_whole and is_seen and not is_spread:
            stream.set_color(style["color"])
            ink.kept(style, layout.text).draw(
                stream, textbox.position_x, textbox.position_y + textbox.baseline
            )
        else:
            usual(stream, textbox, offset_x, text_overflow, block_ellipsis)

    drawn.draw_text = draw_text


_CORNERS = [
    f"border_{place}_radius" for place in ("top_left", "top_right", "bottom_right", "bottom_left")
]


def _pass_bare_boxes() -> None:
    """Have nothing laid out or drawn for the ground and the border of a box without any. Saves 3 % of a class."""
    drawn: Any = importlib.import_module("weasyprint.draw")
    grounds: Any = importlib.import_module("weasyprint.layout.background")
    usual, usual_border = grounds.layout_box_backgrounds, drawn.draw_border
    bare = {**dict.fromkeys(_CORNERS, (0, 0)), "background": None}

    def is_bare(style: Any) -> bool:
        return (
            style["border_collapse"] == "separate"
            and not any(
                style[f"border_{side}_width"] for side in ("top", "right", "bottom", "left")
            )
            and all((0, "px") in style[corner] for corner in _CORNERS)
            and style["border_image_source"][0] == style["mask_border_source"][0] == "none"
            and all(kind == "none" for kind, _ in style["background_image"])
            and getattr(style["background_color"], "alpha", 1) == 0
            and not style["box_shadow"]
            and style["column_width"] == style["column_count"] == "auto"
        )

    @functools.wraps(usual)
    def layout_box_backgrounds(page: Any, box: Any, images: Any, **named: Any) -> None:
        if box is page or not _of(box.style, "is_bare", is_bare):
            usual(page, box, images, **named)
            return
        for name, value in bare.items():
            setattr(box, name, value)
        for child in box.all_children():
            layout_box_backgrounds(page, child, images)

    @functools.wraps(usual_border)
    def draw_border(stream: Any, box: Any) -> None:
        if not _of(box.style, "is_bare", is_bare):
            usual_border(stream, box)

    grounds.layout_box_backgrounds = layout_box_backgrounds
    drawn.draw_border = draw_border


def _of(style: Any, name: str, find: Callable[[Any], Any]) -> Any:
    """What is found of a style, kept with it."""
    own = vars(style)
    if name not in own:
        own[name] = find(style)
    return own[name]
