"""Rows of tables as images: they look, break, lead and are tagged as WeasyPrint has them."""

import io
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pypdf
import pypdfium2
import pytest

from report import pdf, resources, typeset
from report.pdf import rows
from report.typeset.formula_html import drawing
from tests.pdf import documents
from tests.pdf.test_html_to_pdf import elements

WIDTHS = (19, 12, 30.5, 40, 24, 14.5, 10)
HEAD = """<thead><tr><th>Gate</th><th colspan="3">chain rule</th><th class="num before">numbers</th>
<th class="num">gradient</th><th></th></tr></thead>"""
LINE = """<tbody id="q{i}"><tr>
<th class="n" scope="row"><a href="#top"><b class="no">{i}</b><i>x</i><sup>2</sup></a></th>
<td class="left">{left}</td><td colspan="2">{chain} or else {square}</td>
<td class="num near">−{i}.25 × 10⁻³</td><td class="num gradient">0<span class="room">.50</span></td>
<td class="num value">{i}.50</td></tr></tbody>
"""


def table(count: int = 4) -> str:
    """A table with all that its cells may hold."""
    square, chain = typeset.img("a^2"), typeset.img("{} = q_1 W", True)
    lines = ""
    for i in range(1, count + 1):
        left = typeset.img(rf"\frac{{\partial f}}{{\partial q_{{{i}}}}}", True)
        lines += LINE.format(i=i, left=left, chain=chain, square=square)
    columns = "".join(f'<col style="width:{mm}mm"/>' for mm in WIDTHS)
    start = f'<table class="backward" style="width:{sum(WIDTHS)}mm">'
    return f"{start}<colgroup>{columns}</colgroup>{HEAD}{lines}</table>"


def results() -> str:
    """A table of results, whose gradients stand side by side."""
    lines = ""
    for i in range(1, 4):
        items = (
            typeset.img(rf"\frac{{\partial f}}{{\partial {name}}} = -{i}.5", True) for name in "wxb"
        )
        told = " ".join(f'<span class="item">{item}</span>' for item in items)
        value = f'{typeset.img("f")} = <span class="value">−{i}.25</span>'
        lines += f"""<tr><th scope="row"><a href="#top">Question {i}</a></th><td>{value}</td>
<td class="all">{told}</td><td class="num">{i}5 agree</td></tr>"""
    columns = "".join(f'<col style="width:{mm}mm"/>' for mm in (20, 25, 95, 20))
    heads = '<th>Question</th><th>value</th><th>gradient</th><th class="num">checks</th>'
    return f"""<table class="glance short set"><colgroup>{columns}</colgroup>
<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"""


def made(body: str) -> bytes:
    style = resources.path("assets/report.css").read_text(encoding="utf-8")
    return pdf.render(documents.page(f'<p id="top">Top</p>{body}', style))


@pytest.fixture
def as_usual(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tables laid out by WeasyPrint alone."""
    with monkeypatch.context() as changed:
        changed.setattr(rows, "take", lambda *_: [])
        yield


def pictures(data: bytes) -> list[np.ndarray]:
    pages = pypdfium2.PdfDocument(data)
    return [page.render(scale=2).to_numpy().astype(float) for page in pages]


def kinds(data: bytes) -> list[str]:
    """The elements of the tree but for those that mean nothing."""
    found = (element["/S"] for element in elements(pypdf.PdfReader(io.BytesIO(data))))
    return [kind for kind in found if kind not in ("/NonStruct", "/Span")]


ROWS, LONG, RESULTS = table(), table(60), results()
OURS = {body: made(body) for body in (ROWS, LONG, RESULTS)}


@pytest.mark.parametrize("body", [ROWS, LONG, RESULTS])
@pytest.mark.usefixtures("as_usual")
def test_rows_look_and_break_as_those_of_weasyprint(body: str) -> None:
    ours, usual = pictures(OURS[body]), pictures(made(body))
    assert len(ours) == len(usual)
    for one, other in zip(ours, usual, strict=True):
        dark = (other < 128).mean()
        assert (np.abs(one - other) > 64).mean() < dark / 100
    assert len(ours) == (2 if body is LONG else 1)


@pytest.mark.usefixtures("as_usual")
def test_rows_are_tagged_as_those_of_weasyprint() -> None:
    assert kinds(OURS[LONG]) == kinds(made(LONG))


@pytest.mark.usefixtures("as_usual")
def test_cells_have_the_same_headers_names_and_words() -> None:
    def cells(data: bytes) -> list[tuple[Any, ...]]:
        found = elements(pypdf.PdfReader(io.BytesIO(data)))
        return [
            (e["/S"], len(e["/A"].get("/Headers", ())), e["/A"].get("/ColSpan"), e.get("/Alt"))
            for e in found
            if e["/S"] in ("/TH", "/TD", "/Formula")
        ]

    assert cells(OURS[ROWS]) == cells(made(ROWS))


@pytest.mark.usefixtures("as_usual")
def test_links_of_rows_lead_on_and_their_anchors_are_where_they_were() -> None:
    def found(data: bytes) -> tuple[list[Any], list[float]]:
        reader = pypdf.PdfReader(io.BytesIO(data))
        pages: list[Any] = list(reader.pages)
        links = [link.get_object() for page in pages for link in page["/Annots"]]
        tops = [float(place["/Top"]) for _, place in sorted(reader.named_destinations.items())]  # type: ignore[arg-type]
        return [(link["/Dest"], link["/Contents"]) for link in links], tops

    links, tops = found(OURS[LONG])
    usual, places = found(made(LONG))
    assert len(links) == 60
    assert links == usual
    assert tops == pytest.approx(places, abs=0.1)


@pytest.mark.parametrize(
    "change",
    [
        ('<td colspan="2">', '<td colspan="2"><div>a block</div>'),
        ('<td class="num value">', '<td class="num value" rowspan="1">'),
        ('<col style="width:10mm"/>', "<col/>"),
        ('<col style="width:10mm"/>', ""),
    ],
)
def test_other_tables_stay_as_they_are(change: tuple[str, str]) -> None:
    root = ET.fromstring(f"<body>{ROWS.replace(*change)}</body>")
    before = ET.tostring(root)
    assert rows.take(root, drawing) == []
    assert ET.tostring(root) == before
