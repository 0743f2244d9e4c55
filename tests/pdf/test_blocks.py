"""Listings as blocks: what they show, where they break, how they are tagged."""

import re

import numpy as np
import pypdf
import pypdfium2
import pytest

from report import pdf, typeset
from report.document.listings import highlighted
from report.typeset import addresses
from tests.pdf import documents
from tests.pdf.test_html_to_pdf import elements, read

MONO = '.code { font: 8pt/11pt "Source Code Pro"; margin: 0 0 8pt } .lines { display: block }'

SHAPE = re.compile(r"^q \S+ 0 0 -\S+ (\S+) (\S+) cm .* f Q$", re.MULTILINE)  # where a letter is


def document(*listings: str, style: str = "") -> pypdf.PdfReader:
    return read("".join(f'<p class="code">{listing}</p>' for listing in listings), MONO + style)


def lines(count: int) -> list[list[addresses.Piece]]:
    return [[("", f"line {i} of the listing")] for i in range(count)]


def test_a_listing_is_text_line_by_line() -> None:
    source = [
        [("k", "def "), ("", "f(x):")],
        [("", "    "), ("k", "return"), ("", " x²  "), ("c", "# σ")],
        [],
    ]
    text = document(typeset.listing([*source, [("", "f(1)")]])).pages[0].extract_text()
    assert [line.strip() for line in text.split("\n")] == [
        "def f(x):",
        "return x²  # σ",
        "f(1)",
    ]


def test_numbers_of_lines_are_no_part_of_the_text() -> None:
    page = document(typeset.listing(lines(12), numbered=True)).pages[0]
    assert page.extract_text().split("\n") == [f"line {i} of the listing" for i in range(12)]
    content = page.get_contents()
    assert content is not None
    code, artifact = re.split(r"/Artifact\s+BMC", content.get_data().decode("latin-1"))[-2:]
    assert code.count(" Tj") == 12
    assert artifact.count(" Tj") == 0


def test_numbers_of_lines_look_as_text() -> None:
    """Beside each line stands what the line says, in the same places, but paler."""
    text = [[("", f"{i + 1:2}")] for i in range(10)]
    html = f'<p class="code">{typeset.listing(text, numbered=True)}</p>'
    page = pypdfium2.PdfDocument(pdf.render(documents.page(html, MONO))).get_page(0)
    dark = 255 - page.render(scale=8, grayscale=True).to_numpy().astype(float)
    places = np.flatnonzero(dark.any(axis=0))
    [gap] = np.flatnonzero(np.diff(places) > 20)
    numbers, code = (
        dark[:, places[gap] - 80 : places[gap] + 1],
        dark[:, places[-1] - 80 : places[-1] + 1],
    )
    assert np.corrcoef(numbers.ravel(), code.ravel())[0, 1] > 0.98


def test_a_listing_goes_on_on_the_next_page() -> None:
    reader = document(typeset.listing(lines(150)))
    pages = [page.extract_text().count("of the listing") for page in reader.pages]
    assert sum(pages) == 150
    assert pages[0] == pages[1] == 63  # lines of 11 pt in a page of 247 mm


@pytest.mark.parametrize(("least", "on_the_next"), [(1, 1), (2, 2), (3, 3)])
def test_few_lines_do_not_stand_alone(least: int, on_the_next: int) -> None:
    style = f".lines {{ orphans: {least}; widows: {least} }}"
    reader = document(typeset.listing(lines(64)), style=style)
    assert reader.pages[1].extract_text().count("of the listing") == on_the_next


def test_a_listing_that_begins_low_begins_on_the_next_page() -> None:
    style = ".lines { orphans: 3; widows: 3 }"
    reader = document(typeset.listing(lines(62)), typeset.listing(lines(5)), style=style)
    assert [page.extract_text().count("of the listing") for page in reader.pages] == [62, 5]


def test_long_lines_are_wrapped_inside_of_the_column() -> None:
    words = " ".join(f"word{i}" for i in range(40))
    letters = "x" * 300
    reader = document(typeset.listing([[("", words)], [("c", letters)]], numbered=True))
    shown = reader.pages[0].extract_text()
    assert re.sub(r"\s+", " ", shown).startswith(words)
    assert max(len(line) for line in shown.split("\n")) <= 94  # 160 mm of letters of 4.8 pt
    assert shown.count("x") == 300


def test_a_line_that_goes_on_is_marked_and_hangs() -> None:
    [content] = [
        page.get_contents().get_data().decode("latin-1")
        for page in document(typeset.listing([[("", "word " * 40)], [("", "end")]])).pages
    ]
    places = re.findall(r"1 0 0 -1 (\S+) (\S+) Tm", content)
    lines_of_text, marks = places[:4], SHAPE.findall(content)
    assert [float(x) for x, _ in lines_of_text[:3]] == [0, *[pytest.approx(12.8, abs=0.1)] * 2]
    assert float(lines_of_text[3][0]) == 0
    assert all(float(x) < 0 for x, _ in marks)
    assert [float(y) for _, y in marks] == [
        pytest.approx(float(y), abs=0.01) for _, y in lines_of_text[1:3]
    ]


def test_a_listing_breaks_at_an_empty_line_that_is_near() -> None:
    source = lines(120)
    source[58] = source[59] = []
    pages = [
        re.findall(r"line (\d+) of", page.extract_text())
        for page in document(typeset.listing(source, True)).pages
    ]
    assert (pages[0][-1], pages[1][0]) == ("57", "60")
    content = document(typeset.listing(source, True)).pages[1].get_contents()
    digits = SHAPE.findall(content.get_data().decode("latin-1"))
    assert (
        len(digits) == 39 * 2 + 21 * 3
    )  # 61 to 120: an empty line at the break is on neither page


def test_a_name_stays_with_the_numbers_below_it() -> None:
    source = [[("", f"    {i}.0 of the listing")] for i in range(100)]
    source[60] = [("", "  dW  (3, 3)")]
    first, second = [
        page.extract_text() for page in document(typeset.listing(source, shaded=True)).pages
    ]
    assert "dW" not in first
    assert "dW" in second
    assert " 59.0" in first


def test_few_rows_of_one_name_do_not_stand_alone() -> None:
    """A break is rather before the rows of a name, where they begin near it; 63 lines fill a page."""
    for begins, broken in ((61, 61), (58, 58), (50, 63), (64, 61)):
        rows = [f"W[{i}]" if i >= begins else f"v[{i}]" for i in range(100)]
        source = [[("", f"{row} {i} of the listing")] for i, row in enumerate(rows)]
        reader = document(typeset.listing(source, shaded=True))
        assert reader.pages[0].extract_text().count("of the listing") == broken


@pytest.mark.parametrize(
    ("program", "head"),
    [
        (["for row in [", "    (1, 2),", "    (3, 4),", "]:", "    show(row)"], "for row in ["),
        (["X = f([", "    1,", "])", "y = 1"], "X = f(["),
        (["X = f([", "    1,", "])", "y = 1", "z = 2", "w = 3"], "X = f(["),
        (["s = '('", "w = 1  # ("], "line"),  # no brackets
        (["def f(x):", "    return x", "y = 1", "z = 2", "w = 3"], "def f(x):"),
    ],
)
def test_brackets_and_blocks_of_a_program_stay_together(program: list[str], head: str) -> None:
    """Wherever the page ends in them, the next one begins with their first line or behind them."""
    for before in range(63 - len(program), 63):
        text = [f"line {i}" for i in range(before)] + program + ["line"] * 30
        source = highlighted("\n".join(text))
        reader = document(typeset.listing(source, numbered=True))
        found = reader.pages[1].extract_text(extraction_mode="layout").split("\n")[0]
        assert re.fullmatch(rf"\s*({re.escape(head)}|line.*|[wyz] = .*)", found), found


def test_no_last_line_of_a_function_stands_alone() -> None:
    source = lines(100)
    source[64] = []  # the page ends before line 63
    pages = [
        re.findall(r"line (\d+) of", page.extract_text())
        for page in document(typeset.listing(source)).pages
    ]
    assert (pages[0][-1], pages[1][0]) == ("60", "61")


def test_a_listing_whose_first_lines_belong_together_begins_on_the_next_page() -> None:
    source = [[("c", '"""A program')], [], *lines(4), [("c", '"""')], [], *lines(20)]
    style = "div { height: 625pt } .lines { orphans: 5; widows: 2 }"  # 6 lines are left
    body = f'<div>text</div><p class="code">{typeset.listing(source)}</p>'
    reader = read(body, MONO + style)
    assert "program" not in reader.pages[0].extract_text()
    assert "program" in reader.pages[1].extract_text()


def test_a_program_does_not_begin_with_a_few_lines_at_the_foot_of_a_page() -> None:
    program = typeset.listing(lines(30), numbered=True)
    for free, begun in ((9, 0), (12, 12)):  # 63 lines fill a page
        reader = document(typeset.listing(lines(62 - free)), program)
        assert reader.pages[0].extract_text().count("of the listing") == 62 - free + begun


def test_a_ground_reaches_no_further_than_its_lines() -> None:
    reader = document(typeset.listing(lines(3), shaded=True))
    content = reader.pages[0].get_contents()
    assert content is not None
    [(x, y, width, height)] = re.findall(
        r"(\S+) (\S+) (\S+) (\S+) re\s+f\b", content.get_data().decode("latin-1")
    )
    assert float(x) == pytest.approx(-9.33, abs=0.01)
    assert float(y) == pytest.approx(-6.67, abs=0.01)
    assert float(height) == pytest.approx(3 * 11 * 96 / 72 + 2 * 6.67, abs=0.02)
    assert float(width) == pytest.approx(160 * 96 / 25.4 - 16 + 2 * 9.33, abs=0.02)


def test_letters_that_need_shaping_are_left_to_pango() -> None:
    found = typeset.listing([[("", "x = 'שלום'")], [("k", "a & b")]])
    assert found == (
        '<span class="lines"><span class="line">x = &#x27;שלום&#x27;\n</span>'
        '<span class="line"><span class="k">a &amp; b</span>\n</span></span>'
    )
    assert "a & b" in document(found).pages[0].extract_text()


def test_every_letter_has_a_glyph_of_its_own() -> None:
    letters = sorted(addresses._PLACED)
    reader = document(typeset.listing([[("", "".join(letters))], [("k", "".join(letters))]]))
    shown = reader.pages[0].extract_text()
    assert [letter for letter in letters if shown.count(letter) != 2 and letter != " "] == []


def test_code_is_tagged_as_code() -> None:
    reader = document(typeset.listing(lines(3), numbered=True))
    [code] = [element for element in elements(reader) if element["/S"] == "/Code"]
    assert "/Alt" not in code
    assert "/A" not in code


def test_a_listing_may_be_empty() -> None:
    assert len(document(typeset.listing([])).pages) == 1


def test_the_same_bytes() -> None:
    page = documents.page(f'<p class="code">{typeset.listing(lines(80), numbered=True)}</p>', MONO)
    assert pdf.render(page) == pdf.render(page)


LINES = [(r"\frac{\partial f}{\partial q}", r"{}= \frac{1}{2}"), ("", r"{}= 0.5")]


def equation(label: str = "") -> pypdf.PdfReader:
    style = ".eq { display: block; margin: 3pt 0; line-height: 1.2 } body { font-size: 11pt }"
    return read(typeset.aligned(LINES, 2.0, label=label), style)


def test_lines_of_an_equation_are_aligned_at_the_equals_sign() -> None:
    found = equation().pages[0].get_contents()
    assert found is not None
    em = 11 * 96 / 72
    starts = re.findall(r"\S+ 0 0 -\S+ (\S+) (\S+) cm", found.get_data().decode("latin-1"))[1:]
    left, *right = [(float(x), float(y)) for x, y in starts]
    width = typeset.formula(LINES[0][0], True).width
    assert left[0] + width * em == pytest.approx(2 * em, abs=0.01)
    assert [x for x, _ in right] == [pytest.approx(2 * em, abs=0.01)] * 2  # the sign brings its gap
    assert left[1] == right[0][1] < right[1][1]


def test_an_equation_is_one_formula_with_its_label() -> None:
    reader = equation("local")
    [formula] = [element for element in elements(reader) if element["/S"] == "/Formula"]
    assert formula["/Alt"].startswith("local: fraction, partial f, over partial q, end fraction")
    assert formula["/Alt"].endswith("equals 0.5")
    assert reader.pages[0].extract_text().split()[0] == "local"


def test_an_equation_that_must_not_break_goes_to_the_next_page() -> None:
    tall = [("", rf"{{}}= \frac{{{i}}}{{x}}") for i in range(8)]
    style = ".eq { display: block; break-inside: avoid } p { height: 220mm; margin: 0 }"
    reader = read(f"<p>word</p>{typeset.aligned(tall, 0.0)}", style)
    assert [page.extract_text().count("x") for page in reader.pages] == [0, 8]


def test_an_equation_may_break_between_its_lines() -> None:
    tall = [("", rf"{{}}= \frac{{{i}}}{{x}}") for i in range(8)]
    style = ".eq { display: block; orphans: 1; widows: 1 } p { height: 220mm; margin: 0 }"
    reader = read(f"<p>word</p>{typeset.aligned(tall, 0.0)}", style)
    counts = [page.extract_text().count("x") for page in reader.pages]
    assert sum(counts) == 8
    assert all(counts)


def test_short_lines_at_the_end_stand_in_two_columns() -> None:
    """A grader who runs the program sees one column: the command tells that it stands in two here."""
    head = [[("k", "$ run")], [("", "     number")]]
    long = [[("", f"row {i} " + "of many words " * 5)] for i in range(10)]
    short = [[("", f"{f'{i}.0':>11}")] for i in range(120)]
    pages = document(typeset.listing([*head, *long, *short], shaded=True, paired=2)).pages
    places: list[tuple[str, float, float]] = []

    def seen(text: str, _outer: object, matrix: list[float], *_: object) -> None:
        if text.strip():
            places.append((text.strip(), round(matrix[4]), round(matrix[5])))

    pages[0].extract_text(visitor_text=seen)
    where = {text: (x, y) for text, x, y in places}
    assert len(pages) == 2  # rows: 2, 10, 1 and 60; a page has 63
    assert where["0.0"][1] == where["50.0"][1]  # down the left column, then down the right one
    assert where["0.0"][0] == where["49.0"][0] < where["50.0"][0] == where["99.0"][0]
    text = pages[0].extract_text()
    assert "$ run  # its last lines are set in two columns" in text
    heads = [(x, y) for name, x, y in places if name == "number"]
    assert len(heads) == 3  # as it is printed, and over each column
    assert heads[0][1] < heads[1][1] == heads[2][1]
    assert heads[2][0] - heads[1][0] == where["50.0"][0] - where["0.0"][0]
    numbers = [re.findall(r"\d+\.0", page.extract_text()) for page in pages]
    assert [float(number) for number in numbers[0] + numbers[1]] == [*range(120)]  # as copied
    assert [page.extract_text().count("row") for page in pages] == [10, 0]


@pytest.mark.parametrize(("words", "columns"), [(9, 1), (1, 2)])
def test_what_heads_the_rows_stands_over_them_on_the_next_page_too(
    words: int, columns: int
) -> None:
    """It is decoration there: what is tagged as code has it once."""
    head = [[("k", "$ run")], [("", "     number")]]
    rows = [[("", f"x[{i}] {'words ' * words}")] for i in range(150)]
    first, *others = document(typeset.listing([*head, *rows], shaded=True, paired=2)).pages
    assert first.extract_text().count("number") == 1 + columns * (columns > 1)
    assert {page.extract_text().count("number") for page in others} == {columns}
    for page in others:
        content = page.get_contents()
        assert content is not None
        code, decoration = re.split(r"/Artifact\s+BMC", content.get_data().decode("latin-1"))[-2:]
        assert (code.count(" Tm"), decoration.count(" Tm")) == (
            len(_starts(page)) - columns,
            columns,
        )


def test_few_short_lines_stay_below_each_other() -> None:
    source = [[("k", "$ run")], *lines(20)]
    pairs = document(typeset.listing(source, shaded=True, paired=2)).pages[0]
    plain = document(typeset.listing(source[:9], shaded=True, paired=2)).pages[0]
    rows = [len({y for _, y in _starts(page)}) for page in (pairs, plain)]
    assert rows == [2 + 1 + 10, 9]
    assert "two here" not in plain.extract_text()


def _starts(page: pypdf.PageObject) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []

    def seen(text: str, _outer: object, matrix: list[float], *_: object) -> None:
        if text.strip():
            found.append((round(matrix[4]), round(matrix[5])))

    page.extract_text(visitor_text=seen)
    return found
