"""Programs, what they print, and other text in lines; and numbers of pages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from markupsafe import Markup

from report.document.formulas import for_browser, safe
from report.typeset import listing as pdf_listing
from report.typeset import page_number

Piece = tuple[str, str]  # how it is set, and a text without breaks


def listing(lines: list[list[Piece]], *, numbered: bool = False, shaded: bool = False) -> Markup:
    """Lines in the mono font, with numbers outside of the text or on a ground of their own."""
    return safe(pdf_listing(lines, numbered, shaded=shaded, as_text=for_browser.get()))


def terminal(command: str, output: str = "") -> Markup:
    """A command and what it prints."""
    printed = output.rstrip("\n").split("\n") if output else []
    return listing([[("k", command)], *([("", line)] for line in printed)], shaded=True)


def unhighlighted(text: str) -> Markup:
    """Text as it stands."""
    return listing([[("", line)] for line in text.split("\n")])


def highlighted(source: str) -> list[list[Piece]]:
    """The lines of a program in pieces; comments, strings and keywords are marked, nothing else."""
    lines: list[list[Piece]] = []
    for paragraph in _paragraphs(source.rstrip("\n")):
        lines += _highlighted(paragraph)
    return lines


def _paragraphs(source: str) -> Iterator[str]:
    """The parts of a program between empty lines outside of strings."""
    part: list[str] = []
    within = False
    for line in source.split("\n"):
        part.append(line)
        within ^= line.count('"""') % 2 == 1
        if not line and not within:
            yield "\n".join(part)
            part = []
    yield "\n".join(part)


@lru_cache(maxsize=512)  # most paragraphs are alike in the programs for a class
def _highlighted(paragraph: str) -> list[list[Piece]]:
    from pygments.lexers.python import PythonLexer
    from pygments.token import Token

    marks = {
        Token.Comment: "c",
        Token.Literal.String: "c",
        Token.Keyword: "k",
        Token.Operator.Word: "k",
    }
    lines: list[list[Piece]] = [[]]
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(paragraph):
        mark = next((m for k, m in marks.items() if kind in k), "")
        for i, piece in enumerate(text.split("\n")):
            if i:
                lines.append([])
            if piece:
                lines[-1].append((mark, piece))
    return lines


def page_of(anchor: str) -> Markup:
    """The number of the page on which an anchor is; a page for a browser has none."""
    return Markup("") if for_browser.get() else safe(page_number(anchor))
