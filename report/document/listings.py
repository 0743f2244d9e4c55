"""Programs, what they print, and other text in lines; and numbers of pages."""

from __future__ import annotations

from markupsafe import Markup

from report.document.formulas import for_browser, safe
from report.pdf import listing as pdf_listing
from report.pdf import page_number


def listing(
    lines: list[list[tuple[str, str]]], *, numbered: bool = False, shaded: bool = False
) -> Markup:
    """Lines in the mono font, with numbers outside of the text or on a ground of their own."""
    return safe(pdf_listing(lines, numbered, shaded=shaded, as_text=for_browser.get()))


def terminal(command: str, output: str = "") -> Markup:
    """A command and what it prints."""
    printed = output.rstrip("\n").split("\n") if output else []
    return listing([[("k", command)], *([("", line)] for line in printed)], shaded=True)


def plain(text: str) -> Markup:
    """Text as it stands."""
    return listing([[("", line)] for line in text.split("\n")])


def highlighted(source: str) -> list[list[tuple[str, str]]]:
    """The lines of a program in pieces; comments, strings and keywords are marked, nothing else."""
    from pygments.lexers.python import PythonLexer
    from pygments.token import Token

    marks = {
        Token.Comment: "c",
        Token.Literal.String: "c",
        Token.Keyword: "k",
        Token.Operator.Word: "k",
    }
    lines: list[list[tuple[str, str]]] = [[]]
    for kind, text in PythonLexer().get_tokens(source.rstrip("\n")):
        mark = next((m for k, m in marks.items() if kind in k), "")
        for i, piece in enumerate(text.split("\n")):
            if i:
                lines.append([])
            if piece:
                lines[-1].append((mark, piece))
    while lines and not lines[-1]:
        lines.pop()
    return lines


def page_of(anchor: str) -> Markup:
    """The number of the page on which an anchor is; a page for a browser has none."""
    return Markup("") if for_browser.get() else safe(page_number(anchor))
