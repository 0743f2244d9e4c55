"""Whatever a document says: nothing is loaded, and what cannot be set is named."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from report import ReportError, pdf
from tests.pdf import documents

SECRET = "the content of a file"


@pytest.fixture
def visits() -> Iterator[tuple[str, list[object]]]:
    """The address of a server on this machine, and who called it."""
    called: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)

        def listen() -> None:
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                called.append(connection)
                connection.close()

        done = threading.Event()
        thread = threading.Thread(target=listen)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/x", called
        done.set()
        thread.join()


@pytest.mark.parametrize(
    "body",
    [
        '<img alt="x" src="{url}">',
        '<img alt="x" src="{url}.svg">',
        '<object data="{url}">x</object>',
        '<embed src="{url}">',
        '<link rel="stylesheet" href="{url}">',
        '<link rel="attachment" href="{url}">',
        '<a rel="attachment" href="{url}">x</a>',
        '<p style="background: url({url})">x</p>',
        '<ul style="list-style-image: url({url})"><li>x</li></ul>',
        "<style>@import url({url});</style>x",
        "<style>p::before {{ content: url({url}) }}</style><p>x</p>",
        "<style>@font-face {{ font-family: x; src: url({url}) }} p {{ font-family: x }}</style>x",
        "<style>@color-profile --x {{ src: url({url}) }}</style>x",
        '<svg width="9" height="9"><title>x</title><image href="{url}" width="5" height="5"/></svg>',
    ],
)
def test_nothing_is_loaded(body: str, visits: tuple[str, list[object]], tmp_path: Path) -> None:
    url, called = visits
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    for address in (url, secret.as_uri(), str(secret), "data:text/css,p{color:red}"):
        with pytest.raises(ReportError) as error:
            pdf.render(documents.page(f"<h1>x</h1>{body.format(url=address)}"))
        assert SECRET not in str(error.value)
    assert called == []


def test_a_reference_into_another_file_draws_nothing(visits: tuple[str, list[object]]) -> None:
    url, called = visits
    pdf.render(
        documents.page(f'<svg width="9" height="9"><title>x</title><use href="{url}#a"/></svg>')
    )
    assert called == []


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "data:,x"])
def test_links_lead_to_the_web_or_to_mail(address: str) -> None:
    with pytest.raises(ReportError, match="neither web nor mail"):
        pdf.render(documents.page(f'<h1>x</h1><p><a href="{address}">x</a></p>'))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("日本", ["“日” (U+65E5, CJK UNIFIED IDEOGRAPH-65E5)", "“本” (U+672C"]),
        ("👩", ["“👩” (U+1F469, WOMAN)"]),
        ("<code>ไทย</code>", ["U+0E44, THAI CHARACTER SARA AI MAIMALAI"]),
        ("<b>\x01</b>", ["U+0001 (a control character)"]),
        ("\ue000", ["U+E000 (private use)"]),
        ("\ud800", ["U+D800 (half of a character)"]),
    ],
)
def test_characters_without_a_glyph_are_named(text: str, named: list[str]) -> None:
    with pytest.raises(ReportError) as error:
        pdf.render(documents.page(f"<h1>x</h1><p>{text}</p>"))
    for name in named:
        assert name in str(error.value)


def test_characters_of_labels_without_a_glyph_are_named() -> None:
    svg = documents.figure().replace("alt", 'title="x" alt')
    assert pdf.render(documents.page(svg))
    with pytest.raises(ReportError, match="CJK UNIFIED"):
        pdf.render(documents.page('<svg height="9"><title>x</title><text>日</text></svg>'))


@pytest.mark.parametrize(
    "text",
    [
        "Ελλάδα Привет Việt Nam Łódź İstanbul",
        "שלום مرحبا Հայ ქართული",
        "≤ ∂ σ ‖ ⊙ ✓ ✗ − × → ℝ 𝟙 ½ €",
        "<code>┌─┐ │ σ ∂ ≤ ⊙ ✗ − × ∇ ‖</code>",
        "<b>∂ ✗ ש</b> <i>∂ ✗ ש</i>",
        "a\u202eb\u202c \u200f \u2066x\u2069",
        "a\u200bb\u200cc\u200d\ufeff\u00ad\u2060\x00",
        "<pre>a\tb\r\nc</pre>",
        "{{ 7 * 7 }} {% raw %} $x$ \\foo &lt;b&gt;",
    ],
)
def test_other_scripts_and_invisible_characters_are_set(text: str) -> None:
    assert pdf.render(documents.page(f"<h1>x</h1><p>{text}</p>")).startswith(b"%PDF-1.7")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('<p style="colour: red">x</p>', "unknown property"),
        ('<p><a href="#nowhere">x</a></p>', "No anchor #nowhere"),
        ("<div>" * 900, "nested too deeply"),
        ('<img alt="x" src="math:inline:%5Cnonsense">', r"unsupported command: \\nonsense"),
        ('<img alt="x" src="math:x">', "loads nothing"),
    ],
)
def test_faults_are_named(body: str, reason: str) -> None:
    with pytest.raises(ReportError, match=reason):
        pdf.render(documents.page(f"<h1>x</h1>{body}"))


def test_images_need_words() -> None:
    with pytest.raises(ReportError, match="no required alt"):
        pdf.render(documents.page(documents.figure(alt="")))


def test_a_document_needs_a_language() -> None:
    with pytest.raises(ReportError, match="lang"):
        pdf.render("<html><title>x</title><body>x")
