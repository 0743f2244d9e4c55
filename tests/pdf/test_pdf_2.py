"""PDF 2.0: what PDF/UA-2 and PDF/A-4f ask for beside the older standards."""

import io
from functools import cache
from typing import Any

import pypdf

from report import pdf
from tests.pdf import documents
from tests.pdf.test_html_to_pdf import catalog, elements


@cache
def rendered() -> bytes:
    return pdf.render(documents.everything(), attachments=documents.ATTACHMENTS, standard="ua-2")


def reader(data: bytes | None = None) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(data or rendered()))


def test_it_says_what_it_is() -> None:
    assert rendered().startswith(b"%PDF-2.0")
    metadata = catalog(reader())["/Metadata"].get_data().decode()
    for said in ("<pdfuaid:part>2<", "<pdfuaid:rev>2024<", 'pdfaid:part="4"'):
        assert said in metadata
    (space,) = catalog(reader())["/StructTreeRoot"]["/Namespaces"]
    assert space.get_object()["/NS"] == "http://iso.org/pdf2/ssn"


def targets(data: Any) -> list[Any]:
    """The first item of every destination: of links, of names, of the outline."""
    found = []
    for page in data.pages:
        links = [a.get_object() for a in page.get("/Annots", ())]
        found += [link["/Dest"][0].get_object() for link in links if "/Dest" in link]
    names = catalog(data)["/Names"]["/Dests"]["/Names"]
    found += [d.get_object()[0].get_object() for d in names[1::2]]
    waiting = [catalog(data)["/Outlines"]]
    while waiting:
        line = waiting.pop().get_object()
        if "/Dest" in line:
            found.append(line["/Dest"][0].get_object())
        waiting += [line[key] for key in ("/First", "/Next") if key in line]
    return found


def test_every_destination_is_an_element_of_the_structure() -> None:
    found = targets(reader())
    assert len(found) > 3
    assert {target.get("/Type") for target in found} == {"/StructElem"}


def test_a_link_leads_to_the_words_of_its_target() -> None:
    body = '<p><a href="#there">go</a></p><p>between</p><p id="there">Here it is</p>'
    data = reader(pdf.render(documents.page(body), standard="ua-2"))
    page: Any = data.pages[0]
    (link,) = (a.get_object() for a in page["/Annots"])
    element = link["/Dest"][0].get_object()
    (third,) = (e for e in elements(data) if e == element)
    paragraphs = [e for e in elements(data) if e["/S"] == "/P"]
    inside = [
        p
        for p in paragraphs
        if third in [k.get_object() for k in p["/K"] if not isinstance(k, int)]
    ]
    assert inside == [paragraphs[-1]]


def test_headings_hold_no_headings() -> None:
    kinds = {f"/H{level}" for level in range(1, 7)}
    body = '<h2 style="display:flex"><span>One</span></h2><p>a</p>'
    for data in (reader(), reader(pdf.render(documents.page(body), standard="ua-2"))):
        for element in elements(data):
            if element["/S"] in kinds:
                inner = [k.get_object() for k in element["/K"] if not isinstance(k, int)]
                assert not kinds & {k.get("/S") for k in inner}


def test_without_files_the_list_of_files_is_empty() -> None:
    data = reader(pdf.render(documents.page("<p>a</p>"), standard="ua-2"))
    assert catalog(data)["/Names"]["/EmbeddedFiles"]["/Names"] == []
