"""What `report.pdf.styles` replaces finds what WeasyPrint finds, in each document that it is asked for."""

import importlib
import re
from typing import Any

import pytest

from report.pdf import engine, patches, preflight
from report.typeset import fonts

STYLE = """@page { size: 320px 200px; margin: 10px }
p { margin-block-start: 7px; color: red; border-right: 2px solid } b { float: left }
div { direction: rtl; padding-inline-end: 3px; text-decoration: underline; line-height: 1.7 }
section { background: blue; width: 50%; margin: 0 auto; min-height: 20px }
td { box-sizing: border-box; width: 80px; border: 1px solid; padding: 1px 5% }
table { border-collapse: collapse; margin: 4px } code { font: 8px monospace; white-space: pre-wrap }"""
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
            | {name: value for name, value in vars(box).items() if isinstance(value, plain)}
            for box in page._page_box.descendants()
        ]
        for page in pages
    ]


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
