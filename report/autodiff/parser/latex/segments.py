r"""The pieces of a function in LaTeX: what is math, between \\, commas, wide spaces and words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from report.autodiff.parser.latex.cursor import RELATIONS
from report.autodiff.parser.latex.functions import function_name
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.source import Places

_DISPLAY = frozenset(
    [
        "equation",
        "align",
        "alignat",
        "gather",
        "multline",
        "eqnarray",
        "displaymath",
        "math",
        "flalign",
        "aligned",
        "alignedat",
        "split",
        "gathered",
        "array",
        "subequations",
    ]
)
_REGION = re.compile(
    r"\$\$(?P<a>.+?)\$\$|(?<!\\)\$(?P<b>[^$]+?)\$|\\\[(?P<c>.+?)\\\]|\\\((?P<d>.+?)\\\)"
    r"|(?P<e>\\begin\{(?P<name>equation|align|alignat|gather|multline|eqnarray|displaymath|math|flalign)(?P<star>\*?)\}"
    r".*?\\end\{(?P=name)(?P=star)\})",
    re.DOTALL,
)
DOTS = frozenset({r"\dots", r"\ldots", r"\cdots", r"\dotsc", r"\dotsb"})
_OF_A_NAME = frozenset("{}_^'(),:")
NOTES = (frozenset(RELATIONS) - {"=", r"\equiv"}) | {
    r"\sim", r"\to", r"\colon", r"\mapsto", r"\forall", r"\subset", r"\subseteq", r"\gg", r"\ll", r"\propto", r"\succ", r"\succeq",
}  # fmt: skip


def regions(places: Places) -> str:
    """The text with all that is no math blanked out, at the same columns."""
    text = places.text
    text = re.sub(r"(?<!\\)%[^\n]*", lambda m: " " * len(m[0]), text)
    found = list(_REGION.finditer(text))
    kept = [" " if c != "\n" else c for c in text]
    rest = list(text)
    for match in found:
        for group in "abcde":
            if match[group] is not None:
                a, b = match.span(group)
                kept[a:b] = text[a:b]
                end = b if b + 2 <= len(text) else len(kept)
                kept[end : end + 2] = "\\\\"
        rest[match.start() : match.end()] = " " * (match.end() - match.start())
    outside = "".join(rest)
    if not found:
        return text if "$" not in text.replace(r"\$", "") else _unclosed(places, text)
    if (at := outside.replace(r"\$", "  ").find("$")) >= 0:
        raise places.at("this $ has no partner", at)
    words = re.sub(
        r"\\(begin|end)\{\w+\*?\}|\\(noindent|par|medskip|bigskip|smallskip|item)\b", "", outside
    )
    if re.search(r"[\\^_=+*/<>{}&]|(?<![A-Za-z]\s)\b\d+\b(?![).:])", words):
        at = next(i for i, c in enumerate(outside) if not c.isspace())
        raise places.at(
            "this stands outside the math; put all of the formula between the signs $ and $", at
        )
    return "".join(kept)


def _unclosed(places: Places, text: str) -> str:
    raise places.at("this $ has no partner", text.find("$"))


def _holds_lines(tokens: Sequence[Token]) -> bool:
    """Whether an array, which begins here, holds lines such as h = ... and no entries."""
    depth = 0
    for token in tokens:
        depth += {"begin": 1, "end": -1}.get(token.kind, 0)
        depth += {"{": 1, "}": -1}.get(token.text, 0) if token.kind == "char" else 0
        if depth < 0:
            break
        if token.text == "=" and not depth:
            return True
    return False


def unwrapped(  # noqa: C901 - what begins and ends
    places: Places, tokens: list[Token]
) -> Iterator[Token]:
    """Without the environments that only arrange lines."""
    opened: list[Token] = []
    inner: list[str] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        name = token.text.rstrip("*")
        if token.kind == "begin":
            is_matrix = name == "array" and not _holds_lines(tokens[at:])
            plain = name in _DISPLAY and not inner and not is_matrix
            if not plain:
                inner.append(token.text)
            else:
                opened.append(token)
                if (
                    name in ("alignat", "alignedat", "array")
                    and at < len(tokens)
                    and tokens[at].text == "{"
                ):
                    while at < len(tokens) and tokens[at].text != "}":
                        at += 1
                    at += 1
                if (
                    at < len(tokens)
                    and tokens[at].text == "["
                    and at + 2 < len(tokens)
                    and tokens[at + 2].text == "]"
                ):
                    at += 3
                continue
        elif token.kind == "end":
            if inner:
                inner.pop()
            elif opened:
                begun = opened.pop()
                if begun.text != token.text:
                    raise places.at(
                        f"\\end{{{token.text}}} does not close \\begin{{{begun.text}}}", token.start
                    )
                continue
            else:
                raise places.at(f"\\end{{{token.text}}} without its \\begin", token.start)
        elif token.text == "&" and token.kind == "char" and not inner:
            continue
        yield token
    if opened:
        raise places.at(
            f"\\begin{{{opened[-1].text}}} without its \\end{{{opened[-1].text}}}", opened[-1].start
        )


def segments_of(  # noqa: C901 - one branch for each kind of cut
    places: Places, tokens: Iterator[Token]
) -> Iterator[tuple[list[Token], bool, bool]]:
    r"""Pieces between \\, commas, wide spaces and words; whether a line begins there, or a word stood before."""
    parts: list[tuple[list[Token], str]] = []
    current: list[Token] = []
    start = "line"
    depth = 0
    skip = 0
    listed = list(tokens)
    for at, token in enumerate(listed):
        if skip:
            skip -= 1
            continue
        if depth <= 0 and _begins_line(places, listed, at) and _equals(current):
            parts.append((current, start))
            current, start = [], "line"
        depth += depth_of(token)
        cut = ""
        if depth <= 0:
            if token.kind == "cmd" and token.text in (r"\\", r"\cr"):
                cut = "line"
                following = listed[at + 1 : at + 4]
                if following and following[0].text == "[" and not following[0].spaced:
                    skip = next((i for i, t in enumerate(listed[at + 1 :], 1) if t.text == "]"), 0)
            elif token.text in (r"\quad", r"\qquad"):
                cut = "space"
            elif token.kind == "char" and token.text in (",", ";"):
                cut = "comma"
            elif (
                token.kind == "char"
                and token.text == "."
                and not token.side
                and (
                    at + 1 == len(listed)
                    or listed[at + 1].text in (r"\\", r"\quad", r"\qquad")
                    or listed[at + 1].kind == "end"
                    or listed[at + 1].text.startswith(".")
                    or (listed[at + 1].kind == "word" and listed[at + 1].font == "text")
                )
            ):
                cut = "stop"
            elif token.kind == "word" and token.font == "text" and _is_prose(token, listed, at):
                cut = "word"
        if cut:
            parts.append((current, start))
            current = []
            start = (
                cut if not (cut == "space" and start == "comma" and not parts[-1][0]) else "comma"
            )
            if cut in ("comma", "space") and not parts[-1][0] and start != "comma":
                start = parts[-1][1]
        else:
            current.append(token)
    parts.append((current, start))
    merged: list[tuple[list[Token], str]] = []
    for part, how in parts:
        if how == "space" and merged and merged[-1][0] and not _has_relation(part):
            if [t.kind for t in part] == ["char", "num", "char"] and part[0].text == "(":
                continue  # the number of an equation
            merged[-1] = (merged[-1][0] + part, merged[-1][1])
        else:
            merged.append((part, how))
    for part, how in merged:
        yield part, how == "line", how == "word"


def _begins_line(places: Places, tokens: Sequence[Token], at: int) -> bool:
    """Whether a line of the text begins here with a name and =, as one of NumPy does."""
    if not at or "\n" not in places.text[tokens[at - 1].end : tokens[at].start]:
        return False
    for token in tokens[at:]:
        if token.text == "=":
            return token is not tokens[at]
        if token.kind not in ("letter", "word", "num") and token.text not in _OF_A_NAME:
            return False
    return False


def _equals(tokens: Sequence[Token]) -> bool:
    return any(t.text == "=" for _, t in at_top(tokens))


def _is_prose(token: Token, tokens: Sequence[Token], at: int) -> bool:
    """Whether a word is no name: not followed by a sign that only a name has."""
    if at + 1 < len(tokens) and tokens[at + 1].text in ("=", "_", "^", "("):
        return False
    if at and tokens[at - 1].text in ("_", "^"):
        return False
    return function_name(token.text) is None and not (
        re.fullmatch(r"[A-Za-z]+", token.text)
        and at + 1 < len(tokens)
        and tokens[at + 1].text == ":"
    )


def depth_of(token: Token) -> int:
    """1 for what opens a bracket, -1 for what closes one."""
    if token.kind in ("begin", "end"):
        return 1 if token.kind == "begin" else -1
    if token.kind in ("char", "cmd"):
        if token.text == "." or token.text in ("|", r"\|"):
            return {"L": 1, "R": -1}.get(token.side, 0)
        if token.text in ("{", "(", "[", r"\{", r"\langle", r"\lbrace", r"\lvert", r"\lVert"):
            return -1 if token.side == "R" else 1
        if token.text in ("}", ")", "]", r"\}", r"\rangle", r"\rbrace", r"\rvert", r"\rVert"):
            return 1 if token.side == "L" else -1
    return 0


def at_top(tokens: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    """The tokens outside of brackets, and where they stand."""
    depth = 0
    for at, token in enumerate(tokens):
        change = depth_of(token)
        depth += change
        if depth <= 0 and not change:
            yield at, token


def _has_relation(tokens: Sequence[Token]) -> bool:
    return any(
        t.text in RELATIONS or t.text in NOTES or t.text in DOTS
        for _, t in at_top(tokens)
        if t.kind in ("char", "cmd")
    )
