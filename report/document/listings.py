"""Programs in lines, marked as an editor marks them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from report.document.formulas import Piece


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
