"""The measures of letters: advance and ink of every character of the faces that figures use.

They are read from a table beside the fonts, because reading the fonts themselves takes a tenth of a
second. ``python -m report.figure.measures`` writes that table anew when a font changes.
"""

from __future__ import annotations

import base64
import json
import struct
from functools import cache
from pathlib import Path
from typing import NamedTuple

from report import resources

FILES = {
    "roman": "STIXTwoText-Regular.otf",
    "italic": "STIXTwoText-Italic.otf",
    "bold": "STIXTwoText-Bold.otf",
    "math": "STIXTwoMath-Regular.otf",
}
_FOLDER = "assets/fonts"
_TABLE = "measures.json"
_NUMBERS = struct.Struct("<5h")


class Letter(NamedTuple):
    """Advance and ink of a character in em, from its origin, y up."""

    advance: float
    left: float
    bottom: float
    right: float
    top: float


class Face:
    """A face: whether it has a character, and the character's measures.

    `characters` are all that it has, `measures` five numbers of two bytes for each of them.
    """

    def __init__(self, characters: str, measures: str) -> None:
        self._places = {character: i for i, character in enumerate(characters)}
        self._measures = base64.b64decode(measures)
        self._letters: dict[str, Letter] = {}

    def __contains__(self, character: str) -> bool:
        return character in self._places

    def __getitem__(self, character: str) -> Letter:
        """The measures; those of a space where the face lacks the character."""
        if character not in self._letters:
            place = self._places.get(character, self._places[" "])
            numbers = _NUMBERS.unpack_from(self._measures, place * _NUMBERS.size)
            self._letters[character] = Letter(*(number / 1000 for number in numbers))
        return self._letters[character]


@cache
def _tables() -> dict[str, dict[str, str]]:
    file = resources.path(f"{_FOLDER}/{_TABLE}")
    tables: dict[str, dict[str, str]] = json.loads(file.read_text(encoding="utf-8"))
    return tables


@cache
def face(name: str) -> Face:
    """The face of that name: roman, italic, bold or math."""
    return Face(**_tables()[name])


def derive(font: Path) -> dict[str, str]:
    """The table of a font file: its characters, and their measures in thousandths of an em."""
    from fontTools.pens.boundsPen import ControlBoundsPen
    from fontTools.ttLib import TTFont

    with TTFont(font) as file:
        assert file["head"].unitsPerEm == 1000
        outlines, advances = file.getGlyphSet(), file["hmtx"]
        characters = sorted(file.getBestCmap().items())
        measures = b""
        for _, name in characters:
            pen = ControlBoundsPen(outlines)
            outlines[name].draw(pen)
            ink = map(round, pen.bounds or (0, 0, 0, 0))
            measures += _NUMBERS.pack(advances[name][0], *ink)
        return {
            "characters": "".join(chr(code) for code, _ in characters),
            "measures": base64.b64encode(measures).decode(),
        }


if __name__ == "__main__":
    folder = resources.path(_FOLDER)
    found = {name: derive(folder / file) for name, file in FILES.items()}
    (folder / _TABLE).write_text(
        json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
    )
