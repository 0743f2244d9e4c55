"""Letters drawn as shapes: seen on the page, and neither found nor copied with the text beside them."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from report import resources
from report.typeset import fonts

_FILES = ("SourceCodePro-Regular.ttf", "DejaVuSansMono.ttf")  # the first that has a letter
_EM = 1000


def width(text: str, size: float) -> float:
    """The advance of letters of the code's face, in the unit of the size."""
    return size * sum(_shape(letter)[0] for letter in text)


def place(x: float, y: float, text: str, size: float) -> Iterator[str]:
    """PDF's operators that fill them from the left end of a baseline, in CSS pixels with y down."""
    for letter in text:
        advance, path = _shape(letter)
        yield f"q {size / _EM:.6f} 0 0 {-size / _EM:.6f} {x:.2f} {y:.2f} cm {path} f Q"
        x += size * advance


@cache
def _shape(letter: str) -> tuple[float, str]:
    """The advance of a letter in em, and its path in thousandths."""
    faces = (_face(file) for file in _FILES)
    font, glyph = next((font, g) for font in faces if (g := font.get_nominal_glyph(ord(letter))))
    pen = _Pen(font.face.upem)
    font.draw_glyph_with_pen(glyph, pen)
    return font.get_glyph_h_advance(glyph) / font.face.upem, " ".join(pen.path)


@cache
def _face(file: str) -> Any:
    import uharfbuzz  # slow to import

    return uharfbuzz.Font(uharfbuzz.Face(resources.path(f"{fonts.FOLDER}/{file}").read_bytes()))


class _Pen:
    """What HarfBuzz draws with, which gives the names; PDF has cubic curves only."""

    def __init__(self, units: int) -> None:
        self.path: list[str] = []
        self._units, self._at = units, (0.0, 0.0)

    def _add(self, operator: str, *points: tuple[float, float]) -> None:
        numbers = " ".join(f"{n * _EM / self._units:.0f}" for point in points for n in point)
        self.path.append(f"{numbers} {operator}")
        self._at = points[-1]

    def moveTo(self, to: tuple[float, float]) -> None:  # noqa: N802
        self._add("m", to)

    def lineTo(self, to: tuple[float, float]) -> None:  # noqa: N802
        self._add("l", to)

    def qCurveTo(self, control: tuple[float, float], to: tuple[float, float]) -> None:  # noqa: N802
        self._add("c", _towards(control, self._at), _towards(control, to), to)

    def curveTo(self, *points: tuple[float, float]) -> None:  # noqa: N802
        self._add("c", *points)

    def closePath(self) -> None:  # noqa: N802
        self.path.append("h")


def _towards(control: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """The control of a cubic curve near an end, for the one of a quadratic curve."""
    return (end[0] + 2 * control[0]) / 3, (end[1] + 2 * control[1]) / 3
