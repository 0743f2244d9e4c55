"""Programs in lines, marked as an editor marks them."""

from __future__ import annotations

import re
from keyword import kwlist

from report.document.formulas import Piece

# A string that is not closed ends with its line, one of many lines with the program.
_STRING = (
    r"""(?i:\b[bfru]{1,2})?(?:\"{3}(?s:\\.|.)*?(?:\"{3}|\Z)|'{3}(?s:\\.|.)*?(?:'{3}|\Z)"""
    r"""|"(?:\\(?s:.)|[^"\\\n])*"?|'(?:\\(?s:.)|[^'\\\n])*'?)"""
)
_MARKED = re.compile(rf"(?P<c>#.*|{_STRING})|(?P<k>\b(?:{'|'.join(kwlist)})\b)")


def highlighted(source: str) -> list[list[Piece]]:
    """The lines of a program in pieces; comments, strings and keywords are marked, nothing else."""
    lines: list[list[Piece]] = [[]]

    def add(mark: str, text: str) -> None:
        for i, piece in enumerate(text.split("\n")):
            if i:
                lines.append([])
            if piece:
                lines[-1].append((mark, piece))

    source, end = source.rstrip("\n"), 0
    for found in _MARKED.finditer(source):
        add("", source[end : found.start()])
        add(found.lastgroup or "", found[0])
        end = found.end()
    add("", source[end:])
    return lines
