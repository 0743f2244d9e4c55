"""Figures drawn into WeasyPrint's pages: the SVG that `report.figure` has matplotlib write.

That is paths of lines and curves and texts at their places, nothing else; drawn here, a figure takes
a tenth of the time that WeasyPrint's reader of all of SVG takes, and its labels are set by the measures
that placed them. With `engine`, `ink` and `blocks`, this is what touches WeasyPrint's inner parts.
"""

import base64
import re
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from report.errors import ReportError
from report.pdf import ink
from report.typeset.addresses import PICTURE
from report.typeset.colours import colour

_SVG = "{http://www.w3.org/2000/svg}"
_STEPS = {"M": ("m", 2), "L": ("l", 2), "C": ("c", 6), "z": ("h", 0)}
_STEP = re.compile(r"([A-Za-z])([^A-Za-z]*)")
_PLACE = re.compile(r"translate\((\S+) (\S+)\)")
_PATH = {"fill", "stroke", "stroke-width"}
_TEXT = {"font-size", "font-family", "font-style", "font-weight", "fill"}


def load(address: str) -> "Picture":
    """The figure of an address. Raises ReportError for SVG of another kind."""
    try:
        root = ET.fromstring(base64.b64decode(address.removeprefix(PICTURE)))  # noqa: S314 - ours
        return Picture(root)
    except (ET.ParseError, KeyError, TypeError, ValueError) as error:
        raise ReportError(f"This figure cannot be drawn: {error}") from None


class _Shape(NamedTuple):
    """Operators of a path, y down, with its colours as CSS ("" for none) and its line's width."""

    operators: str
    fill: str
    stroke: str
    thickness: float


class _Label(NamedTuple):
    """A text whose baseline starts at a place, with the CSS properties that its face has."""

    x: float
    y: float
    text: str
    colour: str
    face: tuple[tuple[str, Any], ...]


class Picture:
    """A figure as WeasyPrint asks for images: a size, and a way to be drawn."""

    def __init__(self, root: ET.Element) -> None:
        left, top, self._width, self._height = map(float, root.attrib["viewBox"].split())
        if root.tag != f"{_SVG}svg" or left or top:
            raise ValueError("its picture does not start in the corner")
        self._marks = [_mark(child) for child in root if child.tag not in _UNSEEN]

    def get_intrinsic_size(self, _resolution: Any, _font_size: float) -> tuple[float, float, float]:
        """Width and height in CSS pixels, and their ratio."""
        return self._width * 96 / 72, self._height * 96 / 72, self._width / self._height

    def draw(self, stream: Any, width: float, _height: float, style: Any) -> None:
        """Draw into the page, from the upper left corner, in CSS pixels with y down."""
        scale = width / self._width
        with stream.stacked():
            stream.transform(a=scale, d=scale)
            for mark in self._marks:
                if isinstance(mark, _Shape):
                    _draw_shape(stream, mark)
            labels = [mark for mark in self._marks if isinstance(mark, _Label)]
            for key in dict.fromkeys((label.colour, label.face) for label in labels):
                same = [label for label in labels if (label.colour, label.face) == key]
                _draw_labels(stream, same, style)


_UNSEEN = {f"{_SVG}defs", f"{_SVG}metadata"}


def _mark(element: ET.Element) -> _Shape | _Label:
    said = dict(part.split(": ", 1) for part in element.attrib["style"].split("; "))
    if element.tag == f"{_SVG}path" and said.keys() <= _PATH:
        fill, stroke = (said.get(name, "none").replace("none", "") for name in ("fill", "stroke"))
        return _Shape(_operators(element), fill, stroke, float(said.get("stroke-width", 1)))
    place = _PLACE.fullmatch(element.attrib.get("transform", ""))
    if element.tag == f"{_SVG}text" and said.keys() <= _TEXT and place and not len(element):
        face: tuple[tuple[str, Any], ...] = (
            ("font_family", (said["font-family"].strip("'"),)),
            ("font_size", float(said["font-size"].removesuffix("px"))),
            ("font_style", said.get("font-style", "normal")),
            ("font_weight", int(said.get("font-weight", 400))),
            ("lang", "en"),
        )
        colour = said.get("fill", "#000000")
        return _Label(float(place[1]), float(place[2]), element.text or "", colour, face)
    raise ValueError(f"it holds a <{element.tag.removeprefix(_SVG)}> that is drawn otherwise")


def _operators(path: ET.Element) -> str:
    found = []
    for letter, points in _STEP.findall(path.attrib["d"]):
        operator, count = _STEPS[letter]
        numbers = points.split()
        if len(numbers) != count:
            raise ValueError(f"its path has the step {letter}{points}")
        found.append(" ".join([*numbers, operator]))
    return "\n".join(found)


def _draw_shape(stream: Any, shape: _Shape) -> None:
    if shape.fill:
        stream.set_color(colour(shape.fill))
    if shape.stroke:
        stream.set_color(colour(shape.stroke), stroke=True)
        stream.set_line_width(shape.thickness)
        stream.set_line_join(1)
    paint = {(True, True): "B", (True, False): "f", (False, True): "S"}.get(
        (bool(shape.fill), bool(shape.stroke)), "n"
    )
    stream.stream.append(f"{shape.operators}\n{paint}".encode())


def _draw_labels(stream: Any, labels: list[_Label], style: Any) -> None:
    """Labels of one colour and face."""
    letters = ink.letters(
        ink.varied(style, **dict(labels[0].face)), stream, "".join(label.text for label in labels)
    )
    stream.set_color(colour(labels[0].colour))
    placed = (operator for x in labels for operator in letters.place(x.x, x.y, x.text))
    stream.stream.append("\n".join(["BT", *placed, "ET"]).encode())
