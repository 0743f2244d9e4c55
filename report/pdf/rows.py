"""Rows of tables, each laid out here and drawn as one image.

A table of numbers has many cells with little in each, and boxes for all of them are half of the time of a
document: this saves 35 %. So WeasyPrint gets a table with one cell in each row: the rules, the air above and below, and where a
page may end are those of the stylesheet. What stands in the row, its tags and its links are made here. With
`ink`, `breaking` and `blocks`, this is what touches WeasyPrint's inner parts.
"""

import functools
import importlib
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from report.pdf import ink
from report.pdf.breaking import Block
from report.typeset.addresses import DISPLAYED, INLINE, ROW
from report.typeset.colours import colour
from report.typeset.drawing import Drawing

_MM = 96 / 25.4  # CSS pixels
_WIDTH = re.compile(r"width:([0-9.]+)mm")

# What the stylesheet says of what stands in such a cell.
_COLOURS = {"value": "#0072B2", "gradient": "#D55E00"}
_RIGHT = {"num", "left"}  # classes of cells that are set flush right
_GAPS = {"near": 0.28, "before": 0.9}  # em that stay free right of them
_AFTER = 0.5  # em behind a gate's number
_ITEM = 1.6  # em behind one of several gradients, and a space
_SMALL, _RISE = 0.72, 0.36  # em: the size of a raised text, and how far it is raised
_FACES: dict[str, dict[str, Any]] = {"b": {"font_weight": 700}, "i": {"font_style": "italic"}}
_RISES = {"sup": _RISE, "sub": -_RISE}

_Drawn = Callable[[str, bool], Drawing]


class _Piece(NamedTuple):
    """A text that is set in one way, or a formula."""

    text: str
    formula: Drawing | None = None
    element: Any = None  # of the formula
    link: Any = None
    face: Mapping[str, Any] = {}
    rise: float = 0.0  # em
    after: float = 0.0  # em
    is_shown: bool = True


@dataclass(frozen=True)
class _Cell:
    element: ET.Element
    left: float  # CSS pixels
    width: float
    runs: tuple[tuple[_Piece, ...], ...]  # formulas, and texts that are tagged as one
    classes: frozenset[str]


class _OtherError(Exception):
    """A table of another kind."""


# ---------------------------------------------------------------- from HTML


def take(root: ET.Element, drawing: _Drawn) -> list["Row"]:
    """The rows of tables whose columns have their widths; each is left with one cell, an image of the row.

    A table stays as it is where a cell is more than a line of texts and formulas, or reaches over two rows.
    """
    taken: list[Row] = []
    for table in root.iter("table"):
        lines = list(table.iter("tr"))
        try:
            edges = _edges(table)
            rows = [Row(_cells(line, edges, drawing)) for line in lines]
        except _OtherError:
            continue
        for line, row in zip(lines, rows, strict=True):
            is_head = all(cell.element.tag == "th" for cell in row.cells)
            for cell in row.cells:
                line.remove(cell.element)
            whole = ET.SubElement(line, "th" if is_head else "td")
            ET.SubElement(whole, "img", {"class": "row", "src": f"{ROW}{len(taken)}", "alt": "row"})
            taken.append(row)
        for columns in table.findall("colgroup"):
            table.remove(columns)
    return taken


def _edges(table: ET.Element) -> list[float]:
    """Where columns begin and the last one ends, in CSS pixels."""
    said = [_WIDTH.fullmatch(column.get("style", "")) for column in table.iterfind("colgroup/col")]
    widths = [float(found[1]) * _MM for found in said if found]
    if not widths or len(widths) < len(said):
        raise _OtherError
    return list(itertools.accumulate(widths, initial=0.0))


def _cells(line: ET.Element, edges: Sequence[float], drawing: _Drawn) -> Iterator[_Cell]:
    column = 0
    for element in line:
        end = column + int(element.get("colspan", 1))
        if end >= len(edges) or "rowspan" in element.attrib:
            raise _OtherError
        pieces = _pieces(element, drawing, _Piece(""))
        runs = (tuple(run) for _, run in groupby(pieces, lambda p: (id(p.link), id(p.element))))
        classes = frozenset(element.get("class", "").split())
        yield _Cell(element, edges[column], edges[end] - edges[column], tuple(runs), classes)
        column = end


def _pieces(element: ET.Element, drawing: _Drawn, like: _Piece) -> Iterator[_Piece]:
    """What stands in an element of a cell, set as a piece of it is."""
    if element.text:
        yield like._replace(text=element.text)
    for child in element:
        source, kind = child.get("src", ""), child.get("class", "")
        if child.tag == "img" and source.startswith((DISPLAYED, INLINE)):
            tex = unquote(source.removeprefix(DISPLAYED).removeprefix(INLINE))
            formula = drawing(tex, source.startswith(DISPLAYED))
            yield like._replace(text=tex, formula=formula, element=child)
        elif child.tag in _FACES:
            after = _AFTER if kind == "no" else 0.0
            face = {**like.face, **_FACES[child.tag]}
            yield from _pieces(child, drawing, like._replace(face=face, after=after))
        elif child.tag in _RISES:
            yield from _pieces(child, drawing, like._replace(rise=_RISES[child.tag]))
        elif child.tag == "a" and child.get("href", "").startswith("#"):
            yield from _pieces(child, drawing, like._replace(link=child))
        elif (child.tag, kind) == ("span", "room"):
            yield from _pieces(child, drawing, like._replace(is_shown=False))
        elif (child.tag, kind) == ("span", "value"):
            face = {**like.face, "color": colour(_COLOURS[kind])}
            yield from _pieces(child, drawing, like._replace(face=face))
        elif (child.tag, kind) == ("span", "item"):
            yield from _pieces(child, drawing, like)
        else:
            raise _OtherError
        if child.tail:
            yield like._replace(text=child.tail, after=_ITEM if kind == "item" else 0.0)


# ---------------------------------------------------------------- laid out and drawn


class Row(Block):
    """A row of a table as an image."""

    leaves: Sequence[Sequence[Any]] = ()  # by cell and run, what WeasyPrint's tags are made of

    def __init__(self, cells: Iterator[_Cell]) -> None:
        self.cells = tuple(cells)

    def heights(self, _width: float, style: Any) -> list[float]:
        """Its height in CSS pixels: the cells stand on one baseline."""
        return [sum(self._extent(style))]

    def draw(self, stream: Any, _width: float, _height: float, style: Any) -> None:
        """Draw each cell as a marked content of its own."""
        ink.forget(stream)
        up, _ = self._extent(style)
        for cell, leaves in zip(self.cells, self.leaves, strict=True):
            _draw(stream, cell, leaves, up, style)
        stream.begin_marked_content("Artifact")  # ended by who began that of the image

    def _extent(self, style: Any) -> tuple[float, float]:
        """How far what stands in the cells, and a line of text, reach above and below the baseline."""
        height, baseline = ink.line_of(style)
        runs = itertools.chain.from_iterable(cell.runs for cell in self.cells)
        reach = [(baseline, height - baseline), *(_reach(run, style) for run in runs)]
        return max(up for up, _ in reach), max(down for _, down in reach)


def _reach(run: Sequence[_Piece], style: Any) -> tuple[float, float]:
    """How far a formula, or a text, reaches above and below its baseline."""
    if formula := run[0].formula:
        return formula.height * style["font_size"], formula.depth * style["font_size"]
    height, baseline = ink.line_of(style)
    return baseline, height - baseline


def _draw(stream: Any, cell: _Cell, leaves: Sequence[Any], y: float, style: Any) -> None:
    """Draw a cell, its baseline so far below the top of the row."""
    shades = [_COLOURS[name] for name in cell.classes & _COLOURS.keys()]
    if shades:
        style = ink.varied(style, color=colour(shades[0]))
    em = style["font_size"]
    runs = [[_placed(stream, piece, style) for piece in run] for run in cell.runs]
    x = cell.left
    if cell.classes & _RIGHT:
        gap = sum(_GAPS[name] for name in cell.classes & _GAPS.keys())
        x += cell.width - gap * em - sum(width for run in runs for width, _ in run)
    for pieces, run, leaf in zip(cell.runs, runs, leaves, strict=True):
        up, down = _reach(pieces, style)
        leaf.position_x, leaf.position_y = x, y - up
        leaf.width, leaf.height = sum(width for width, _ in run), up + down
        with stream.marked(leaf, leaf.kind):
            for width, draw in run:
                draw(x, y)
                x += width


def _placed(stream: Any, piece: _Piece, style: Any) -> tuple[float, Callable[[float, float], None]]:
    """The width of a piece, and what draws it from the left end of its baseline."""
    em = style["font_size"]
    if formula := piece.formula:

        def draw_formula(x: float, y: float) -> None:
            ink.call(stream, "/Formula", piece.text)
            ink.draw_formula(stream, formula, x, y, em, style)

        return formula.width * em, draw_formula
    size = {"font_size": em * _SMALL} if piece.rise else {}
    changes = {**piece.face, **size}
    set_so = ink.varied(style, **changes) if changes else style
    words = ink.words(set_so, stream, piece.text)

    def draw_words(x: float, y: float) -> None:
        if piece.is_shown:
            stream.set_color(set_so["color"])
            words.draw(stream, x, y - piece.rise * em)

    return words.width + piece.after * em, draw_words


# ---------------------------------------------------------------- tags and links


def tag(document: Any) -> None:
    """Give the rows of a document's pages their tags, which are those of their cells, and their links."""
    table_row = importlib.import_module("weasyprint.formatting_structure.boxes").TableRowBox
    for page in document.pages:
        found = []
        for line in page._page_box.descendants():  # noqa: SLF001
            if isinstance(line, table_row):
                found += [
                    (line, image, list(_tagged(page, image)))
                    for image in line.descendants()
                    if isinstance(getattr(image, "replacement", None), Row)
                ]
        if found:
            page.paint = partial(_paint, page.paint, found)


def _tagged(page: Any, image: Any) -> Iterator[Any]:
    """The cells of a row as WeasyPrint's tags are made of boxes."""
    kinds = _kinds()
    row, top = image.replacement, image.content_box_y()
    leaves = [
        [kinds["Figure" if run[0].formula else "Span"](run[0].element) for run in cell.runs]
        for cell in row.cells
    ]
    image.replacement = row.part(leaves=leaves)
    for cell, own in zip(row.cells, leaves, strict=True):
        children = []
        pairs = zip(cell.runs, own, strict=True)
        for link, inside in groupby(pairs, lambda pair: pair[0][0].link):
            here = [leaf for _, leaf in inside]
            if link is not None:
                here = [kinds[""](link, here)]
                left = image.content_box_x() + cell.left
                area = (left, top, left + cell.width, top + image.height)
                page.links.append(("internal", link.attrib["href"].removeprefix("#"), area, *here))
            children += here
        yield kinds[""](cell.element, children)


def _paint(
    paint: Callable[[Any, float], None],
    rows: Sequence[tuple[Any, Any, list[Any]]],
    stream: Any,
    scale: float = 1,
) -> None:
    paint(stream, scale)
    for line, image, cells in rows:
        line.children = cells
        for leaf in itertools.chain.from_iterable(image.replacement.leaves):
            leaf.position_x += image.content_box_x()
            leaf.position_y += image.content_box_y()


@functools.cache
def _kinds() -> dict[str, Any]:
    """Boxes that have what tags are made of, by the marked content that they are: text, formula, or none."""
    boxes = importlib.import_module("weasyprint.formatting_structure.boxes")

    def made(base: Any, kind: str) -> Any:
        class Tagged(base):
            def __init__(self, element: Any, children: Sequence[Any] = ()) -> None:
                self.element, self.children, self.kind = element, children, kind
                self.element_tag = None if element is None else element.tag
                self.colspan = 1 if element is None else int(element.get("colspan", 1))
                self.style = {"anchor": None}
                self.margin_left = self.padding_left = self.border_left_width = 0
                self.margin_top = self.padding_top = self.border_top_width = 0

        return Tagged

    bases = {"": boxes.Box, "Span": boxes.TextBox, "Figure": boxes.ReplacedBox}
    return {kind: made(base, kind) for kind, base in bases.items()}
