"""Markdown with math: what is set, and that nothing in a text becomes markup or is loaded."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report import ReportError
from report.document.statement import MAX_DEPTH, Math, inline, render

TAGS = {
    "p", "strong", "em", "ul", "ol", "li", "pre", "code", "blockquote", "hr", "br", "span",
    "table", "thead", "tbody", "tr", "th", "td", "i-math", "d-math",
}  # fmt: skip
ATTRIBUTES = {"class", "style", "scope", "start"}


def math(tex: str, display: bool) -> str:
    tag = "d-math" if display else "i-math"
    return f"<{tag}>{html.escape(tex)}</{tag}>"


class Elements(HTMLParser):
    """Every element of an HTML text, with its attributes, and all its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += data


def words(text: str) -> str:
    return " ".join(Elements(render(text, math)).words.split())


# ---------------------------------------------------------------- math


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$x$ is 3", "<p><i-math>x</i-math> is 3</p>"),
        ("so 3 is $x$.", "<p>so 3 is <i-math>x</i-math>.</p>"),
        ("$a$ and $b$", "<p><i-math>a</i-math> and <i-math>b</i-math></p>"),
        (r"$a < b \& c$", r"<p><i-math>a &lt; b \&amp; c</i-math></p>"),
        (r"$x_1 * y_2$ _and_ $*$", "<p><i-math>x_1 * y_2</i-math> <em>and</em> <i-math>*</i-math></p>"),
        (r"$\frac{1}{2}$", r"<p><i-math>\frac{1}{2}</i-math></p>"),
        (r"$\text{5\$}$", r"<p><i-math>\text{5\$}</i-math></p>"),
        ("$a\nb$", "<p><i-math>a\nb</i-math></p>"),
        ("$$x$$", "<d-math>x</d-math>"),
        ("$$\nx\n$$", "<d-math>x</d-math>"),
        ("a\n$$x$$\nb", "<p>a</p>\n<d-math>x</d-math>\n<p>b</p>"),
        ("a $$x$$", "<p>a </p>\n<d-math>x</d-math>"),
        ("$$x$$ $$y$$", "<d-math>x</d-math>\n<d-math>y</d-math>"),
        ("let\n$$\na\n- b\n+ c\n= d\n$$\nbe", "<p>let</p>\n<d-math>a\n- b\n+ c\n= d</d-math>\n<p>be</p>"),
        (r"$$ \text{if $x$} $$", r"<d-math>\text{if $x$}</d-math>"),
        ("> a\n> $$\n> b\n> $$", "<blockquote>\n<p>a</p>\n<d-math>b</d-math>\n</blockquote>"),
        ("- a $$x$$\n- $y$", "<ul>\n<li>a <d-math>x</d-math>\n</li>\n<li><i-math>y</i-math></li>\n</ul>"),
        ("**a $$x$$**", "<p><strong>a <i-math>x</i-math></strong></p>"),
        ("# $$x$$", '<p class="heading"><strong><i-math>x</i-math></strong></p>'),
    ],
)  # fmt: skip
def test_math_between_dollar_signs(text: str, expected: str) -> None:
    assert render(text, math) == expected


@pytest.mark.parametrize(
    "text",
    ["costs $5", "costs $5 and $6", "$5 to $6", r"\$x\$", "$ x$", "$x $", "$", "$$", "$$$", "$$$$", "$$ $$",
     "$x", "$$x", "a $$x", "$x\\$", "`$x$`", "$$\n\nx\n\n$$"],
)  # fmt: skip
def test_other_dollar_signs_are_text(text: str) -> None:
    shown = render(text, math)
    assert "math" not in shown
    assert Elements(shown).words.count("$") == text.count("$")


def test_an_error_of_the_formula_passes_through() -> None:
    def refuse(tex: str, display: bool) -> str:
        raise ReportError(f"{tex} cannot be set")

    with pytest.raises(ReportError, match="x cannot be set"):
        render("a $x$", refuse)


def test_latex_that_toml_has_broken_is_named() -> None:
    with pytest.raises(ReportError, match=r"line break before 'abla'.*single quotes"):
        render("the gradient $\nabla f$ or $x \nabla f$", math)
    with pytest.raises(ReportError, match="a tab"):
        render("$x\theta$", math)


# ---------------------------------------------------------------- text


def test_markdown_has_its_meaning() -> None:
    shown = render(
        "# One\n\n*a* **b** `c`\n\n1. d\n2. e\n\n> f\n\n---\n\n```python\ng < h\n```\n", math
    )
    for part in (
        '<p class="heading"><strong>One</strong></p>',
        "<em>a</em> <strong>b</strong> <code>c</code>",
        "<ol>\n<li>d</li>",
        "<blockquote>\n<p>f</p>",
        "<hr />",
        "<pre><code>g &lt; h\n</code></pre>",
    ):
        assert part in shown


def test_a_table_has_heads_for_its_columns() -> None:
    shown = render("| a | b |\n|---|--:|\n| 1 | $x$ |\n", math)
    assert shown.count('scope="col"') == 2
    assert "<td style=\"text-align:right\"><i-math>x</i-math></td>" in shown  # fmt: skip


def test_quotes_are_set() -> None:
    assert words("\"a\" isn't '$x$' (c)") == "“a” isn’t ‘x’ (c)"


@pytest.mark.parametrize("level", range(1, 7))
def test_headings_leave_the_levels_to_the_document(level: int) -> None:
    assert not re.search(r"<h\d", render(f"{'#' * level} A\n\nB\n=\n", math))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](https://b.c)", "a (https://b.c)"),
        ("[a](<https://b.c> 'title')", "a (https://b.c)"),
        ("<https://b.c>", "https://b.c"),
        ("[a][1]\n\n[1]: https://b.c", "a (https://b.c)"),
        ("[*a* [b](c) d](e)", "[a b (c) d](e)"),
        ("![a](https://b.c/d.png)", "a (https://b.c/d.png)"),
        ("![a](file.png)", "a (file.png)"),
        ("[![a](b)](c)", "a (b) (c)"),
        ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
        ("![a](file:///etc/passwd)", "![a](file:///etc/passwd)"),
        ("[a](data:text/html;base64,xx)", "[a](data:text/html;base64,xx)"),
    ],
)
def test_links_and_images_are_words_with_their_address(text: str, expected: str) -> None:
    assert words(text) == expected


HOSTILE = [
    "<script>alert(1)</script>",
    "<b>bold</b> <!-- c --> <?php ?> <![CDATA[x]]> <!DOCTYPE x> </p>",
    "<img src=x onerror=alert(1)>",
    '<iframe src="file:///etc/passwd"></iframe>',
    "<style>@import url(//evil)</style>",
    "<svg onload=alert(1)>",
    "<a href='javascript:1'>x</a>",
    "&lt;script&gt; &#60;script&#62; &quot; &#0; &#x110000; &bogus;",
    "{{ 7 * 7 }} {% for x in y %} {# c #} {{ config.__class__ }}",
    '$"><script>alert(1)</script>$ $$</d-math><script>$$',
    '`"><script>`',
    '```"><script>\n"><script>\n```',
    '[a](" onmouseover="x)',
    '[a](https://b.c/"onmouseover="x)',
    '![" onerror="alert(1)](x)',
    "|<script>|\n|-|\n|<b>|",
    "[x]: javascript:alert(1)\n[x]",
    "%s %n ${x} $(ls) `ls` \\x00 \\N{BULLET} \\u202e",
    "\\input{/etc/passwd} \\write18{ls}",
    "שלום עולם مرحبا",
    "👩‍🔬 𝕏 ﷽ Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A",
    "a" * 10_000,
    "word " * 2_000,
    "\\" * 10_000,
    "[" * 10_000,
    "![" * 5_000,
    "*a_" * 3_000,
    "$a" * 5_000,
    "$$a\n" * 2_500,
    "`" * 9_999,
    "> - " * 10,
    "\n" * 10_000 + "x",
    "=\n" * 5_000,
    "|a" * 3_000 + "\n" + "|-" * 3_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("way", [render, inline])
def test_hostile_text_stays_text(way: Callable[[str, Math], str], text: str) -> None:
    try:
        found = Elements(way(text, math))
    except ReportError as error:
        assert re.search("markup|words of more", str(error))  # noqa: PT017 - what would take too long may be refused
        return
    assert set(found.tags) <= TAGS
    assert {name for name, _ in found.attributes} <= ATTRIBUTES
    assert all(
        value in ("address", "heading", "col", "text-align:right") or (value or "").isdigit()
        for _, value in found.attributes
    )
    for word in ("alert", "passwd", "config", "write18", "7 * 7"):
        assert (word in found.words) == (word in text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\0b", "U\\+0000"),
        ("a\x1b[31m", "U\\+001B"),
        ("a\n\nb\u202ec", "U\\+202E .* line 3"),
        ("&#x202E;a", "U\\+202E"),
        ("<https://a.b/%E2%80%AE>", "U\\+202E"),
        ("\ud800", "U\\+D800"),
        ("a" * 20_001, "20001 characters"),
        ("> " * MAX_DEPTH + "lost", "nests"),
        ("- " * MAX_DEPTH + "lost", "nests"),
    ],
)
def test_what_cannot_be_shown_is_refused(text: str, words: str) -> None:
    with pytest.raises(ReportError, match=words):
        render(text, math)


@given(st.text(alphabet="ab1 \n\\$*_`[]()<>#!|-+>&;:~\"'", max_size=60))
def test_any_text_gives_elements_that_are_known(text: str) -> None:
    for way in (render, inline):
        found = Elements(way(text, math))
        assert set(found.tags) <= TAGS
        assert {name for name, _ in found.attributes} <= ATTRIBUTES


def test_a_title_has_math_and_no_other_markup() -> None:
    assert inline("*a* `b` <c> [d](e) # $x_1$ \\$5", math) == (
        "*a* `b` &lt;c&gt; [d](e) # <i-math>x_1</i-math> $5"
    )


@pytest.mark.parametrize("text", ["中" * 10_000, "ก" * 10_000, "한국어 " * 4000, "كلمة " * 3000])
def test_a_long_text_of_any_script_is_set(text: str) -> None:
    assert render(text, math) == f"<p>{text.strip()}</p>"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a*" * 3000, "a word of the text has more than 200 pieces of markup"),
        ("&" * 20_000, "words of more than 60 signs with 20000 signs"),
        ("---\n" * 1500, "1500 paragraphs"),
        ("- item\n" * 1500, "the text has 3001 paragraphs, items and cells"),
        ("*a* " * 4000, "4000 pieces of markup"),
        ("ب" * 5000, "words of more than 60 signs with 5000 signs"),
        ("a\u00a0" * 5000, "words of more than 60 signs with 9999 signs"),
        ("\"'a " * 4000, "a paragraph has more than 2000 quote marks"),
    ],
)
def test_a_text_that_takes_seconds_to_lay_out_is_refused(text: str, words: str) -> None:
    with pytest.raises(ReportError, match=words):
        render(text, lambda tex, display: tex)
