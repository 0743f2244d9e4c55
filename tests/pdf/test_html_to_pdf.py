"""A PDF: conforming, tagged, searchable, with the fonts and files it should hold."""

import base64
import io
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import page
import pypdf
import pytest

from report import ReportError, pdf, typeset
from tests.pdf import documents

MATHML = "http://www.w3.org/1998/Math/MathML"
BLUE, VERMILLION = (0, 0.447059, 0.698039), (0.835294, 0.368627, 0)


@pytest.fixture(scope="module")
def reader() -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(documents.rendered()))


def read(body: str, style: str = "") -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf.render(documents.page(body, style))))


def catalog(reader: pypdf.PdfReader) -> Any:
    return reader.root_object


def content(reader: pypdf.PdfReader, number: int = 0) -> str:
    contents = reader.pages[number].get_contents()
    assert contents is not None
    return contents.get_data().decode("latin-1")


def elements(reader: pypdf.PdfReader) -> Iterator[Any]:
    """All structure elements, parents before children."""
    waiting = [catalog(reader)["/StructTreeRoot"]["/K"][0]]
    while waiting:
        element = waiting.pop().get_object()
        yield element
        children = element["/K"] if isinstance(element["/K"], list) else [element["/K"]]
        waiting += [
            x for x in reversed(children) if not isinstance(x, int) and "/S" in x.get_object()
        ]


def faults(data: bytes, profile: str) -> list[str]:
    """What keeps a file from conforming."""
    found = page.validate_pdf_bytes(data, profile=profile)
    return [f"{failure.rule_id}: {failure.message}" for failure in found.failures]


@pytest.mark.parametrize("profile", ["ua1", "3a"])
def test_conforms(profile: str) -> None:
    assert faults(documents.rendered(), profile) == []


def test_every_font_is_embedded_and_bundled(reader: pypdf.PdfReader) -> None:
    fonts = {}
    for sheet in reader.pages:
        resources: Any = sheet["/Resources"]
        for font in resources["/Font"].values():
            descendant = font["/DescendantFonts"][0]
            name = descendant["/BaseFont"].split("+")[1]
            fonts[name] = descendant["/FontDescriptor"].keys() & {"/FontFile2", "/FontFile3"}
            assert "/ToUnicode" in font
    assert fonts.keys() == {
        "STIX-Two-Text",
        "STIX-Two-Text-Bold",
        "STIX-Two-Text-Italic",
        "STIX-Two-Math",
        "Source-Code-Pro",
        "Source-Code-Pro-Bold",
        "Source-Code-Pro-Italic",
        "DejaVu-Sans",
    }
    assert all(fonts.values())


def test_formulas_are_found_by_searching() -> None:
    product, sigmoid = typeset.img(r"f = 2 \mathbf{W}\mathbf{x} + 0.25"), typeset.img("σ(x) ⊙ y")
    found = read(f"<p>{product}</p><p>and {sigmoid}</p>")
    text = found.pages[0].extract_text().replace(" ", "")
    assert "f=2Wx+0.25" in text
    assert "σ(x)⊙y" in text


def test_formulas_are_copied_as_one_line() -> None:
    found = content(read(typeset.img(r"\frac{a}{b}")))
    assert "/Span\n<</ActualText (a/b)>>\nBDC" in found


def test_what_stands_for_letters_has_their_axes() -> None:
    """Readers put the text of a span where its last letter ended, with the matrix that holds then."""
    found = content(read(f"<p>with respect to {typeset.img('w_1', display=False)} and more</p>"))
    spans = re.findall(r"/Span\n<</ActualText [^\n]*>>\nBDC(.*?)\nEMC", found, re.DOTALL)
    assert len(spans) == 1
    assert " Tf" in spans[0]
    assert not re.search(r"\n(q|Q|.* cm)(\n|$)", spans[0])


def test_labels_of_figures_are_text() -> None:
    text = read(documents.figure()).pages[0].extract_text()
    for label in ("Sigmoid gate", "∂f/∂x = −0.25", "q1 ≤ q2"):
        assert label in text


def test_formulas_stand_on_the_baseline() -> None:
    low, deep = typeset.img("x"), typeset.img(r"x_{\frac{a}{b}}")
    found = content(read(f"<p>mmm{low}mmm{deep}mmm</p>"))
    text_line = float(re.findall(r"1 0 0 -1 \S+ (\S+) Tm", found)[0])
    tops = [float(y) for y in re.findall(r"1 0 0 1 \S+ (\S+) cm", found)]
    baselines = [float(y) for y in re.findall(r"\S+ 0 0 -\S+ 0 (\S+) cm", found)][1:]
    assert len(tops) == len(baselines) == 2
    for top, baseline in zip(tops, baselines, strict=True):
        assert top + baseline == pytest.approx(text_line, abs=0.001)


def test_formulas_take_size_and_colour_of_the_text_around() -> None:
    found = content(
        read(
            '<p style="font-size: 20px; color: #0072B2">'
            + typeset.img(r"a \textcolor{#D55E00}{b}")
            + "</p>"
        )
    )
    colours = [
        tuple(map(float, x)) for x in re.findall(r"^(\S+) (\S+) (\S+) rg$", found, re.MULTILINE)
    ]
    assert colours == [pytest.approx(BLUE, abs=1e-5), pytest.approx(VERMILLION, abs=1e-5)]
    assert re.findall(r"(\S+) 0 0 -\S+ 0 \S+ cm", found)[1:] == ["20"]
    assert re.findall(r"/\w+ (\S+) Tf", found) == ["1", "1"]


def test_wide_formulas_shrink_where_the_stylesheet_says_so() -> None:
    wide = typeset.img(" + ".join(f"x_{{{i}}}" for i in range(40)), True)
    found = content(read(f"<p>{wide}</p>", "img { max-width: 100% }"))
    em = float(re.findall(r"(\S+) 0 0 -\S+ 0 \S+ cm", found)[1])
    assert em < 11 / 0.75
    assert max(float(x) for x in re.findall(r"1 0 0 1 (\S+) \S+ Tm", found)) * em < 160 / 25.4 * 96


def test_tags(reader: pypdf.PdfReader) -> None:
    found = list(elements(reader))
    tags = [element["/S"] for element in found]
    for tag in ("/H1", "/H2", "/L", "/LI", "/LBody", "/Table", "/THead", "/Caption", "/Link"):
        assert tag in tags
    figures = [element for element in found if element["/S"] == "/Figure"]
    assert [figure["/Alt"] for figure in figures] == ["A graph with two gates"]
    formulas = [element["/Alt"] for element in found if element["/S"] == "/Formula"]
    assert len(formulas) == 5 + 59 + 1
    assert "fraction, partial f, over partial W, end fraction" in formulas
    assert {cell["/A"]["/Scope"] for cell in found if cell["/S"] == "/TH"} == {"/Column", "/Row"}


def test_every_formula_carries_its_mathml(reader: pypdf.PdfReader) -> None:
    formulas = [e for e in elements(reader) if e["/S"] == "/Formula"]
    assert len(formulas) > 3
    for formula in formulas:
        (file,) = formula["/AF"]
        content = file["/EF"]["/F"]
        assert content["/Subtype"] == "/application/mathml+xml"
        assert ET.fromstring(content.get_data()).tag == f"{{{MATHML}}}math"
    (square,) = (e for e in elements(read(typeset.img("x^2"))) if e["/S"] == "/Formula")
    said = ET.fromstring(square["/AF"][0]["/EF"]["/F"].get_data())
    assert "".join(said.find(f".//{{{MATHML}}}msup").itertext()) in ("x2", "𝑥2")


def test_boxes_of_figures_are_on_the_page(reader: pypdf.PdfReader) -> None:
    for element in elements(reader):
        if element["/S"] in {"/Figure", "/Formula"}:
            left, bottom, right, top = map(float, element["/A"]["/BBox"])
            assert 70 < left < right < 595 - 70
            assert 70 < bottom < top < 842 - 70


def test_header_cells_are_found_by_their_names(reader: pypdf.PdfReader) -> None:
    names = catalog(reader)["/StructTreeRoot"]["/IDTree"]["/Names"]
    assert names[::2] == sorted(names[::2])
    known = {element["/ID"] for element in elements(reader) if "/ID" in element}
    assert set(names[::2]) == known
    used = {
        name
        for element in elements(reader)
        if element["/S"] == "/TD"
        for name in element["/A"]["/Headers"]
    }
    assert used <= known


def test_links_say_where_they_lead(reader: pypdf.PdfReader) -> None:
    every: list[Any] = [note for sheet in reader.pages for note in sheet.annotations or []]
    annotations = [note.get_object() for note in every]
    words = [annotation["/Contents"] for annotation in annotations]
    assert words == ["Question 1", "Question 2", "a link of the web", "Step 2"]
    targets = [x["/Dest"] if "/Dest" in x else x["/A"]["/URI"] for x in annotations]
    assert targets == ["q1", "q2", "https://example.org/", "q2"]
    parents = catalog(reader)["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    links = dict(zip(parents[::2], parents[1::2], strict=True))
    assert {links[x["/StructParent"]]["/S"] for x in annotations} == {"/Link"}


def test_page_numbers_are_artifacts(reader: pypdf.PdfReader) -> None:
    for number, sheet in enumerate(reader.pages, 1):
        shown = sheet.extract_text()
        assert f"Page {number} of {len(reader.pages)}" in shown
        assert "Ada Lovelace" in shown
        assert shown.count("Homework 1") == (number > 1)
        _, margins = content(reader, number - 1).split("/Artifact\n<</Type /Pagination>>\nBDC")
        assert margins.count("BDC") == margins.count("BMC") == 0


def test_attachments_come_back_byte_for_byte(reader: pypdf.PdfReader) -> None:
    assert {name: data for name, [data] in reader.attachments.items()} == {
        file.name: file.data for file in documents.ATTACHMENTS
    }
    files = [file.get_object() for file in catalog(reader)["/AF"]]
    assert [
        (file["/UF"], file["/AFRelationship"], file["/EF"]["/F"]["/Subtype"], file["/Desc"])
        for file in files
    ] == [
        ("homework.toml", "/Source", "/application/toml", "The homework"),
        ("program.py", "/Supplement", "/text/x-python", "A program"),
        ("trace.json", "/Data", "/application/json", "The trace"),
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": "../x"}, "cannot be called"),
        ({"name": "ä.txt"}, "cannot be called"),
        ({"relationship": "Friend"}, "not 'Friend'"),
        ({"mime": "text"}, "MIME"),
    ],
)
def test_attachments_are_checked(change: dict[str, str], reason: str) -> None:
    fields = {"name": "x", "data": b"", "relationship": "Data", "mime": "text/plain"}
    file = pdf.Attachment(**{**fields, "description": "", **change})  # type: ignore[arg-type]
    with pytest.raises(ReportError, match=reason):
        pdf.render(documents.page("<h1>x</h1>"), attachments=[file])


def test_attachments_have_names_of_their_own() -> None:
    file = documents.ATTACHMENTS[0]
    with pytest.raises(ReportError, match=r"Two attachments are called trace\.json"):
        pdf.render(documents.page("<h1>x</h1>"), attachments=[file, file])


def test_metadata(reader: pypdf.PdfReader) -> None:
    assert reader.metadata is not None
    assert reader.metadata.title == "Homework 1"
    assert reader.metadata.author == "Ada Lovelace"
    assert "/CreationDate" not in reader.metadata
    assert catalog(reader)["/Lang"] == "en"


def test_images_in_pixels_are_not_smoothed() -> None:
    # One grey pixel.
    data = base64.b64encode(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a4944415408d7"
            "636800000082008177cd72b60000000049454e44ae426082"
        )
    ).decode()
    found = pdf.render(documents.page(f'<img alt="grey" src="data:image/png;base64,{data}">'))
    assert found.count(b"/Interpolate true") == 0
    assert faults(found, "3a") == []


@pytest.mark.parametrize("tex", [r"a \iff b", r"\Leftrightarrow", "⇔"])
def test_a_double_arrow_is_text_in_a_font_that_is_cut(tex: str) -> None:
    """The one glyph that HarfBuzz cannot cut the font to, with its table MATH."""
    body = f"<p>{typeset.img(tex, display=False)} &#8660;</p>"
    assert read(body).pages[0].extract_text().count("⇔") == 2


@pytest.mark.parametrize("tex", ["&", r"\\", r"\mathstrut \strut"])
def test_a_formula_without_a_glyph_takes_no_room(tex: str) -> None:
    assert "before after" in " ".join(
        read(f"<p>before {typeset.img(tex, display=False)} after</p>")
        .pages[0]
        .extract_text()
        .split()
    )
