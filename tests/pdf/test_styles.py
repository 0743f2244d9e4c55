"""What `report.pdf.styles` replaces finds what WeasyPrint finds, in each document that it is asked for."""

import importlib
import io
import re
from typing import Any

import pypdf
import pypdfium2
import pytest

from report import pdf
from report.pdf import engine, patches, preflight
from report.typeset import fonts
from tests.pdf import documents

STYLE = """@page { size: 320px 200px; margin: 10px }
p { margin-block-start: 7px; color: red; border-right: 2px solid } b { float: left }
div { direction: rtl; padding-inline-end: 3px; text-decoration: underline; line-height: 1.7 }
section { background: blue; width: 50%; margin: 0 auto; min-height: 20px }
td { box-sizing: border-box; width: 80px; border: 1px solid; padding: 1px 5% }
table { border-collapse: collapse; margin: 4px } code { font: 8px monospace; white-space: pre-wrap }"""
GROUNDS = f"""{STYLE}
i {{ background: yellow; border-radius: 4px }} b {{ border: 1px dotted; box-shadow: 1px 1px }}
table {{ border-collapse: separate; outline: 1px solid green }} code {{ border-bottom: 2px solid blue }}"""
WORDS = "some words that are more than a line of so narrow a page, and some more of them"
BODIES = [
    f"<div id='a'><p>{WORDS} <b>y</b> <i>z</i><span style='width: 40px'>{WORDS}</span></p></div>",
    f"<div id='b'><p>{WORDS} <b>y</b> <i>z</i><span style='width: 50px'>x</span></p></div>",
    f"<section><p>{WORDS}</p><p style='margin: 1em'>{WORDS}</p><code>a  b</code></section>",
    f"<table><tr><td>{WORDS}</td><td id='a'>1</td></tr><tr><td colspan='2'>2</td></tr></table>",
]
REPLACED = [
    ("css", "ComputedStyle", "__missing__"),
    ("css", "StyleFor", "set_computed_styles"),
    ("text.line_break", "", "_font_style_cache_key"),
    *((f"layout.{name}", "", "resolve_percentages") for name in ("block", "inline", "page", "table")),
    ("layout.inline", "", "split_first_line"),
    ("layout.inline", "", "strut"),
    ("layout.background", "", "layout_box_backgrounds"),
]  # fmt: skip


def module(name: str) -> Any:
    return importlib.import_module(f"weasyprint.{name}")


def boxes(body: str) -> list[list[dict[str, Any]]]:
    """What each box of each page is, with all of its style."""
    logical = re.compile("(block|inline)_(start|end|size)")
    names = [name for name in module("css").INITIAL_VALUES if not logical.search(name)]
    html = f"<html lang=en><style>{STYLE}</style><body>{body}"
    with fonts.closed():
        whole = preflight.load().HTML(string=html)
        pages = whole.render(font_config=engine._font_configuration()).pages
    plain = (str, int, float, type(None))
    return [
        [
            {name: box.style[name] for name in names}
            | {
                name: value
                for name, value in vars(box).items()
                if isinstance(value, plain) or name.endswith("radius")
            }
            for box in page._page_box.descendants()
        ]
        for page in pages
    ]


LINES = """<p>AVATAR, Tőrök; “first” – ﬁ\u00a0nal … <b>bold</b> <i>italic</i> <code>x =  1</code> </p>
<p style="text-align: justify; width: 40mm">An affine office file is offered to fluffy fish in flight.</p>
<p style="letter-spacing: 2pt">apart</p><p style="font-kerning: none">AVATAR</p><p>AVATAR</p><p><u>under</u> Ελλάδα, 10 × 2</p>"""


def test_lines_are_drawn_and_read_as_those_of_weasyprint(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn() -> tuple[str, bytes]:
        written = pdf.render(documents.page(LINES))
        text = pypdf.PdfReader(io.BytesIO(written)).pages[0].extract_text()
        return text, pypdfium2.PdfDocument(written)[0].render(scale=3).to_numpy().tobytes()

    ours = [drawn(), drawn()]  # the second time all of it is known
    draw = module("draw")
    monkeypatch.setattr(draw, "draw_text", draw.draw_text.__wrapped__)
    assert ours == [drawn()] * 2


def test_grounds_and_borders_are_drawn_as_those_of_weasyprint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def drawn(body: str) -> list[bytes]:
        written = pdf.render(f"<html lang=en><title>t</title><style>{GROUNDS}</style><body>{body}")
        pages = pypdfium2.PdfDocument(written)
        return [page.render(scale=2).to_numpy().tobytes() for page in pages]

    ours = [drawn(body) for body in (*BODIES, *BODIES)]
    draw, grounds = module("draw"), module("layout.background")
    monkeypatch.setattr(draw, "draw_border", draw.draw_border.__wrapped__)
    usual = grounds.layout_box_backgrounds.__wrapped__
    monkeypatch.setattr(grounds, "layout_box_backgrounds", usual)
    assert ours == [drawn(body) for body in BODIES] * 2


def test_styles_lengths_and_lines_are_those_of_weasyprint(monkeypatch: pytest.MonkeyPatch) -> None:
    preflight.load()
    patches.mend()
    ours = [boxes(body) for body in (*BODIES, *BODIES)]  # the second time all of it is known
    for name, owner, function in REPLACED:
        place = getattr(module(name), owner) if owner else module(name)
        monkeypatch.setattr(place, function, getattr(place, function).__wrapped__)
    theirs = [boxes(body) for body in BODIES]
    assert {len(pages) for pages in theirs} == {1, 2}
    assert ours == theirs * 2
