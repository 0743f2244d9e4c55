"""Which characters a text may hold: those that can be seen."""

from __future__ import annotations

import re
import unicodedata

from report.errors import ReportError

_JOINERS = "\u00ad\u200b\u200c\u200d\u2060"  # format characters that only join or part letters
_ESCAPES = {"\t": "a tab", "\f": "a form feed", "\b": "a backspace", "\r": "a carriage return"}


def check_characters(text: str, what: str) -> None:
    r"""Raise ReportError for a control character, a direction mark, a private or broken character.

    Line breaks are fine, and tabs at the beginning of a line. A tab, form feed or backspace within
    one is most often LaTeX read by TOML: "\theta" in double quotes is a tab and "heta".
    """
    if text.isascii() and text.replace("\n", "").isprintable():
        return
    for found in re.finditer(r"[^\n -~]", text):
        character, at = found.group(), found.start()
        start = text.rfind("\n", 0, at) + 1
        if _is_seen(character) or (character == "\t" and not text[start:at].strip()):
            continue
        name = _ESCAPES.get(character) or unicodedata.name(character, "a control character")
        remedy = (
            "LaTeX with backslashes stands in single quotes '...' or '''...'''"
            if character in _ESCAPES
            else "remove it"
        )
        line = text.count("\n", 0, at) + 1
        raise ReportError(f"{what} holds U+{ord(character):04X} ({name}) in line {line}; {remedy}")


def _is_seen(character: str) -> bool:
    category = unicodedata.category(character)
    return character in _JOINERS or category not in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
