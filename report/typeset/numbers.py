"""Formulas that differ in their numbers only, laid out once: all figures of the math font are equally wide.

So the rows of a table, and the variants of a question, have a layout in common, into which each number is put.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from report.errors import ReportError
from report.typeset.drawing import Drawing, GlyphRun, Mark

_NUMBER = re.compile(r"[0-9]+\.[0-9]+")
_CODE = re.compile(r">[^<]*<|[0-9a-f]{4}")  # space between glyphs, or a glyph
_SIGNS = "0123456789."

Lay = Callable[[str, bool], Drawing]
Places = tuple[tuple[int, int], ...]  # which glyphs of which marks are figures


def put_in(tex: str, display: bool, lay: Lay) -> Drawing | None:
    """The drawing of LaTeX with numbers that have a point; None where it has none, or does not draw them as they are.

    `lay` lays out LaTeX, with other numbers of as many figures.
    """
    numbers = _NUMBER.findall(tex)
    if not numbers or any(len(str(k)) >= len(number) for k, number in enumerate(numbers)):
        return None
    known = [_stand_in(place, number) for place, number in enumerate(numbers)]
    waiting = iter(known)
    form = _form(_NUMBER.sub(lambda _: next(waiting), tex), display, lay)
    return form(numbers) if form else None


def _stand_in(place: int, number: str) -> str:
    """A number of as many figures that tells its place among others."""
    point = number.index(".")
    figures = str(place).zfill(len(number) - 1)
    return f"{figures[:point]}.{figures[point:]}"


@functools.lru_cache(maxsize=512)
def _form(tex: str, display: bool, lay: Lay) -> Callable[[Sequence[str]], Drawing] | None:
    """What puts numbers into the layout of a formula; None where they do not stand there one after the other."""
    numbers = _NUMBER.findall(tex)
    try:
        drawing = lay(tex, display)
    except ReportError:  # which shall be told of the formula itself
        return None
    codes = dict(zip(_SIGNS, _codes(lay), strict=True))
    places = _places(drawing.marks, numbers, {code: sign for sign, code in codes.items()})
    if not places or any(
        _NUMBER.findall(text) != numbers for text in (drawing.speech, drawing.text)
    ):
        return None
    speech, text = _NUMBER.split(drawing.speech), _NUMBER.split(drawing.text)

    def filled(numbers: Sequence[str]) -> Drawing:
        return replace(
            drawing,
            speech=_joined(speech, numbers),
            text=_joined(text, numbers),
            marks=_with_figures(
                drawing.marks, places, [codes[c] for c in "".join(numbers) if c != "."]
            ),
        )

    return filled


def _joined(pieces: Sequence[str], numbers: Sequence[str]) -> str:
    """Numbers between the pieces of a text."""
    return "".join(part for pair in zip(pieces, (*numbers, ""), strict=True) for part in pair)


@functools.cache
def _codes(lay: Lay) -> tuple[str, ...]:
    """The codes of figures and of the point, in the size of the text."""
    (run,) = lay(_SIGNS, False).marks
    assert isinstance(run, GlyphRun)
    return tuple(_CODE.findall(run.codes))


def _places(marks: Sequence[Mark], numbers: Sequence[str], signs: Mapping[str, str]) -> Places:
    """The places of the figures of numbers; none where they are not drawn one after the other."""
    text, at = "", list[tuple[int, int]]()
    for i, mark in enumerate(marks):
        for j, code in enumerate(_CODE.findall(mark.codes) if isinstance(mark, GlyphRun) else ()):
            text += signs.get(code, " ")
            at.append((i, j))
        text += " "
        at.append((i, 0))
    found = [*_NUMBER.finditer(text)]
    if [number[0] for number in found] != list(numbers):
        return ()
    return tuple(at[k] for number in found for k in range(*number.span()) if text[k] != ".")


def _with_figures(marks: Sequence[Mark], places: Places, codes: Sequence[str]) -> tuple[Mark, ...]:
    """Marks with the codes of other figures in these places."""
    changed: dict[int, list[str]] = {}
    for (i, j), code in zip(places, codes, strict=True):
        mark = marks[i]
        assert isinstance(mark, GlyphRun)
        changed.setdefault(i, _CODE.findall(mark.codes))[j] = code
    return tuple(
        mark._replace(codes="".join(changed[i]), glyphs=_glyphs(changed[i]))
        if i in changed and isinstance(mark, GlyphRun)
        else mark
        for i, mark in enumerate(marks)
    )


def _glyphs(codes: Sequence[str]) -> tuple[int, ...]:
    return tuple(int(code, 16) for code in codes if not code.startswith(">"))
