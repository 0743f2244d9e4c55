"""Listings as blocks: what they show, where they break, how they are tagged."""

import re

import pypdf
import pytest

from report import pdf
from report.pdf import blocks
from tests.pdf import documents
from tests.pdf.test_document import elements, read

MONO = '.code { font: 8pt/11pt "Source Code Pro"; margin: 0 0 8pt } .lines { display: block }'


def document(*listings: str, style: str = "") -> pypdf.PdfReader:
    return read("".join(f'<p class="code">{listing}</p>' for listing in listings), MONO + style)


def lines(count: int) -> list[list[blocks.Piece]]:
    return [[("", f"line {i} of the listing")] for i in range(count)]


def test_a_listing_is_text_line_by_line() -> None:
    source = [
        [("k", "def "), ("", "f(x):")],
        [("", "    "), ("k", "return"), ("", " x²  "), ("c", "# σ")],
        [],
    ]
    text = document(pdf.listing([*source, [("", "f(1)")]])).pages[0].extract_text()
    assert [line.strip() for line in text.split("\n")] == [
        "def f(x):",
        "return x²  # σ",
        "",
        "f(1)",
    ]


def test_numbers_of_lines_are_no_part_of_the_text() -> None:
    found = document(pdf.listing(lines(12), numbered=True)).pages[0].get_contents()
    assert found is not None
    content = found.get_data().decode("latin-1")
    code, artifact = re.split(r"/Artifact\s+BMC", content)[-2:]
    assert code.count(" Tj") == 12
    assert artifact.count(" Tj") == 12


def test_a_listing_goes_on_on_the_next_page() -> None:
    reader = document(pdf.listing(lines(150)))
    pages = [page.extract_text().count("of the listing") for page in reader.pages]
    assert sum(pages) == 150
    assert pages[0] == pages[1] == 63  # lines of 11 pt in a page of 247 mm


@pytest.mark.parametrize(("least", "on_the_next"), [(1, 1), (2, 2), (3, 3)])
def test_few_lines_do_not_stand_alone(least: int, on_the_next: int) -> None:
    style = f".lines {{ orphans: {least}; widows: {least} }}"
    reader = document(pdf.listing(lines(64)), style=style)
    assert reader.pages[1].extract_text().count("of the listing") == on_the_next


def test_a_listing_that_begins_low_begins_on_the_next_page() -> None:
    style = ".lines { orphans: 3; widows: 3 }"
    reader = document(pdf.listing(lines(62)), pdf.listing(lines(5)), style=style)
    assert [page.extract_text().count("of the listing") for page in reader.pages] == [62, 5]


def test_long_lines_are_wrapped_inside_of_the_column() -> None:
    words = " ".join(f"word{i}" for i in range(40))
    letters = "x" * 300
    reader = document(pdf.listing([[("", words)], [("c", letters)]], numbered=True))
    shown = reader.pages[0].extract_text()
    assert re.sub(r"\s+", " ", shown).startswith(words)
    assert max(len(line) for line in shown.split("\n")) <= 94  # 160 mm of letters of 4.8 pt
    assert shown.count("x") == 300


def test_letters_that_need_shaping_are_left_to_pango() -> None:
    found = pdf.listing([[("", "x = 'שלום'")], [("k", "a & b")]])
    assert found == (
        '<span class="lines"><span class="line">x = &#x27;שלום&#x27;\n</span>'
        '<span class="line"><span class="k">a &amp; b</span>\n</span></span>'
    )
    assert "a & b" in document(found).pages[0].extract_text()


def test_every_letter_has_a_glyph_of_its_own() -> None:
    letters = sorted(blocks._PLACED)
    reader = document(pdf.listing([[("", "".join(letters))], [("k", "".join(letters))]]))
    shown = reader.pages[0].extract_text()
    assert [letter for letter in letters if shown.count(letter) != 2 and letter != " "] == []


def test_code_is_tagged_as_code() -> None:
    reader = document(pdf.listing(lines(3), numbered=True))
    [code] = [element for element in elements(reader) if element["/S"] == "/Code"]
    assert "/Alt" not in code
    assert "/A" not in code


def test_a_listing_may_be_empty() -> None:
    assert len(document(pdf.listing([])).pages) == 1


def test_the_same_bytes() -> None:
    page = documents.page(f'<p class="code">{pdf.listing(lines(80), numbered=True)}</p>', MONO)
    assert pdf.render(page) == pdf.render(page)
