"""Letters that no bundled font has: set where a font is at hand, told where there is none."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from report import ReportError, build, pdf
from report.attachments import MADE_WITH
from report.classroom import workers
from report.classroom.batch import batch
from report.typeset import more_fonts
from report.verify import read_files, verify

LETTERS = "李明 राम สมชาย 김さ"
WORK = f"""title = "作"
author = "{LETTERS}"
[[question]]
function = "x**2"
statement = "明"
inputs = {{x = 3}}
"""


@pytest.fixture(autouse=True)
def _none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A system without fonts but for those in a folder of the test."""
    settings = (
        f"<fontconfig><dir>{tmp_path}/fonts</dir><cachedir>{tmp_path}/c</cachedir></fontconfig>"
    )
    Path(tmp_path, "fonts").mkdir()
    Path(tmp_path, "fonts.conf").write_text(settings)
    monkeypatch.setenv("FONTCONFIG_FILE", f"{tmp_path}/fonts.conf")
    monkeypatch.chdir(tmp_path)
    for found in (more_fonts._others, more_fonts._chosen):
        found.cache_clear()
    yield
    for found in (more_fonts._others, more_fonts._chosen):
        found.cache_clear()


def make_font(file: str, family: str, letters: str, *, size: int = 500) -> None:
    """A font whose letters are squares."""
    letters = "".join(sorted({" ", *letters}))
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, size), (size, size), (size, 0)):
        pen.lineTo(corner)
    pen.closePath()
    square = pen.glyph()
    names = [".notdef", *(f"u{ord(c):04X}" for c in letters)]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(c): name for c, name in zip(letters, names[1:], strict=True)})
    font.setupGlyf(dict.fromkeys(names, square))
    font.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable(
        {"familyName": family, "styleName": "Regular", "psName": family.replace(" ", "")}
    )
    font.setupOS2()
    font.setupPost()
    font.font["head"].created = font.font["head"].modified = 0
    font.save(file)


def page(text: str) -> str:
    return f'<html lang="en"><head><title>x</title></head><body><h1>{text}</h1></body></html>'


def families(made: bytes) -> set[str]:
    """The fonts of a PDF."""
    fonts = pypdf.PdfReader(io.BytesIO(made)).pages[0]["/Resources"]["/Font"].values()  # type: ignore[index]
    return {str(f.get_object()["/BaseFont"]).partition("+")[2] for f in fonts}


def test_letters_come_from_the_fewest_fonts_at_hand() -> None:
    make_font("fonts/one.ttf", "Aleph", "李")
    make_font("fonts/two.ttf", "Beth", "李明")
    make_font("fonts/three.ttf", "Noto Serif Thai", "สม")
    assert {f.family for f in more_fonts.faces("李明 สม é α")} == {"Beth", "Noto Serif Thai"}
    assert more_fonts.missing("李明 สม ร") == "ร"
    made = pdf.render(page("李明 สม"))
    assert {"Beth", "Noto-Serif-Thai"} <= families(made)
    assert "李明" in pypdf.PdfReader(io.BytesIO(made)).pages[0].extract_text()


def test_chinese_characters_have_the_form_that_goes_with_the_other_letters() -> None:
    for form in ("JP", "KR", "SC"):
        make_font(f"fonts/{form}.ttf", f"Noto Serif CJK {form}", "李明김さ")
    for text, form in (("李明", "SC"), ("李さ", "JP"), ("李김", "KR")):
        assert [f.family for f in more_fonts.faces(text)] == [f"Noto Serif CJK {form}"]


def test_a_report_says_which_fonts_it_has_and_has_the_same_bytes_with_the_same_fonts() -> None:
    Path("hw.toml").write_text(WORK)
    make_font("fonts/a.ttf", "Noto Sans", LETTERS + "作")
    build("hw.toml", "a.pdf")
    said = json.loads(read_files("a.pdf")[MADE_WITH])["fonts"]
    assert said.keys() == {"Noto Sans"}
    assert not verify("a.pdf").differences
    Path("fonts/a.ttf").rename("fonts/b.ttf")
    for found in (more_fonts._others, more_fonts._chosen):
        found.cache_clear()
    build("hw.toml", "b.pdf")
    assert Path("a.pdf").read_bytes() == Path("b.pdf").read_bytes()


@pytest.mark.parametrize(
    ("letters", "package"), [("李", "fonts-noto-cjk"), ("さ", "fonts-noto-cjk"), ("김", "fonts-noto-cjk"),
                             ("ร", "fonts-noto-core"), ("र", "fonts-noto-core")],
)  # fmt: skip
def test_without_a_font_the_message_names_the_package(letters: str, package: str) -> None:
    with pytest.raises(ReportError, match=rf"No font .*{letters}[^\n]*\n.*{package}"):
        pdf.render(page(letters))


def test_a_student_whose_name_has_no_font_gets_the_id_in_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "local", lambda tasks, jobs: map(workers.work, tasks))
    Path("hw.toml").write_text('title = "One"\n[[question]]\nfunction = "x**2"\ninputs = {x = 3}\n')
    Path("roster.csv").write_text("id,name\n1,Ada\n2,李明\n", encoding="utf-8")
    found = batch("hw.toml", "roster.csv", "out", editions=["sheet"])
    assert not found.failures
    assert found.progress.built == 2
    assert any("of: 2. No font" in note and "fonts-noto-cjk" in note for note in found.notes)
    words = [pypdf.PdfReader(f"out/sheet/{i}.pdf").pages[0].extract_text() for i in (1, 2)]
    assert "Ada" in words[0]
    assert "李" not in words[1]
    assert "2" in words[1]
    again = batch("hw.toml", "roster.csv", "out", editions=["sheet"])
    assert again.progress.kept == 2
