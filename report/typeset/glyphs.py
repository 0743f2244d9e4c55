"""The glyphs of the math font: how wide each one is, and which character it shows.

Both are read from a table beside the font, because reading the font itself takes a tenth of a
second. ``python -m report.pdf.glyphs`` writes that table anew when the font changes.
"""

import json
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from report import resources
from report.typeset import fonts

_TABLE = "STIXTwoMath-Regular.json"
_UNKNOWN = "\ufffd"


class Glyphs(NamedTuple):
    """One entry a glyph id: advance width in thousandths of an em, and a character."""

    advances: list[int]
    characters: str


@cache
def table() -> Glyphs:
    """The glyphs of the bundled math font."""
    file = resources.path(f"{fonts.FOLDER}/{_TABLE}")
    return Glyphs(**json.loads(file.read_text(encoding="utf-8")))


def plain_letters(text: str) -> str:
    """Text with letters as people type them: the math letters 𝐖, 𝑥, ℝ become W, x, ℝ."""
    if text.isascii():
        return text
    return "".join(
        unicodedata.normalize("NFKC", character) if character >= "\U0001d400" else character
        for character in text
    )


def derive(font: Path) -> Glyphs:
    """The table of a font file with a MATH table.

    Script-size forms, tall brackets and their parts count as the character that they stand for.
    """
    from fontTools.ttLib import TTFont  # slow to import, and never at run time

    with TTFont(font) as file:
        order = file.getGlyphOrder()
        shown: dict[str, str] = {}
        for code, name in sorted(file.getBestCmap().items()):
            shown.setdefault(name, plain_letters(chr(code)))
        for base, form in _forms(file):
            if base in shown:
                shown.setdefault(form, shown[base])
        scale = 1000 / file["head"].unitsPerEm
        return Glyphs(
            advances=[round(file["hmtx"][name][0] * scale) for name in order],
            characters="".join(
                letter if len(letter := shown.get(name, _UNKNOWN)) == 1 else _UNKNOWN
                for name in order
            ),
        )


def _forms(file: Any) -> Iterator[tuple[str, str]]:
    """Pairs of a glyph name and the name of another form of it."""
    variants = file["MATH"].table.MathVariants
    for coverage, constructions in (
        (variants.VertGlyphCoverage, variants.VertGlyphConstruction),
        (variants.HorizGlyphCoverage, variants.HorizGlyphConstruction),
    ):
        for base, construction in zip(coverage.glyphs, constructions, strict=True):
            for record in construction.MathGlyphVariantRecord:
                yield base, record.VariantGlyph
            if construction.GlyphAssembly:
                for part in construction.GlyphAssembly.PartRecords:
                    yield base, part.glyph
    for lookup in file["GSUB"].table.LookupList.Lookup:
        for subtable in lookup.SubTable:
            actual = getattr(subtable, "ExtSubTable", subtable)
            for base, form in getattr(actual, "mapping", {}).items():
                yield base, form
            for base, alternates in getattr(actual, "alternates", {}).items():
                for form in alternates:
                    yield base, form


if __name__ == "__main__":
    folder = resources.path(fonts.FOLDER)
    found = derive(folder / fonts.MATH_FILE)
    (folder / _TABLE).write_text(
        json.dumps(found._asdict(), ensure_ascii=False, separators=(",", ":")) + "\n",
        encoding="utf-8",
    )
