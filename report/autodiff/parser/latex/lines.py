r"""The lines of a function in LaTeX: what stands in math, with a name on the left or without.

Lines end at \\ and, where another name follows, at commas, wide spaces and words. A condition on the inputs
("x > 0") says nothing about the value; "i = 1, ..., n" says how far an index runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from report.autodiff.parser.latex.cursor import RELATIONS
from report.autodiff.parser.latex.functions import function_name
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.source import Places
from report.errors import ReportError

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
_DOTS = frozenset({r"\dots", r"\ldots", r"\cdots", r"\dotsc", r"\dotsb"})
_NOTES = (frozenset(RELATIONS) - {"=", r"\equiv"}) | {
    r"\sim", r"\to", r"\colon", r"\mapsto", r"\forall", r"\subset", r"\subseteq", r"\gg", r"\ll", r"\propto", r"\succ", r"\succeq",
}  # fmt: skip


@dataclass
class Line:
    """A line: the tokens of its left side (none for a bare expression), and what it equals."""

    left: list[Token]
    right: list[list[Token]]
    params: list[list[Token]] | None = None  # of f(x, y) = ...
    labels: list[Token] = field(default_factory=list)


@dataclass
class Range:
    """An index that runs to a bound: i = 1, ..., n."""

    index: str
    first: list[Token]
    last: list[Token]


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
                kept[b : b + 2] = [r"\\"[0], r"\\"[1]] if b + 2 <= len(text) else kept[b : b + 2]
                if b + 2 > len(text):
                    kept += ["\\", "\\"]
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


def lines_of(places: Places, tokens: list[Token]) -> tuple[list[Line], list[Range]]:
    """The lines of a function and the ranges that are told."""
    lines: list[Line] = []
    ranges: list[Range] = []
    segments = list(_segments(places, _unwrapped(places, tokens)))
    at = 0
    while at < len(segments):
        segment, hard, after_word = segments[at]
        at += 1
        if not segment:
            continue
        more = _range(segment, [s for s, _, _ in segments[at : at + 2]])
        if more is not None:
            found, used = more
            ranges.append(found)
            at += used
            continue
        if _is_note(segment) or (
            at < len(segments) and _is_name(segment) and _leads_to_note(segments[at:])
        ):
            continue
        cut = _equals(segment)
        if not cut:
            if (
                _is_name(segment)
                and (lines or at < len(segments))
                and (after_word or "$" in places.text)
            ):
                continue  # where σ is the sigmoid
            if lines and hard and _starts_with_operator(segment):
                lines[-1].right[-1] += segment
                continue
            lines.append(Line([], [segment]))
            continue
        pieces = _pieces(segment, cut)
        left = _without_colon(pieces[0])
        if not left:
            if not lines:
                raise places.at("something is missing here: a name before =", segment[0].start)
            lines[-1].right += pieces[1:]
            continue
        lines.append(_named(places, left, pieces[1:]))
    return lines, ranges


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


def _unwrapped(  # noqa: C901 - what begins and ends
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


def _segments(  # noqa: C901 - one branch for each kind of cut
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
        depth += _depth(token)
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


def _depth(token: Token) -> int:
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


def _at_top(tokens: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    depth = 0
    for at, token in enumerate(tokens):
        change = _depth(token)
        depth += change
        if depth <= 0 and not change:
            yield at, token


def _has_relation(tokens: Sequence[Token]) -> bool:
    return any(
        t.text in RELATIONS or t.text in _NOTES or t.text in _DOTS
        for _, t in _at_top(tokens)
        if t.kind in ("char", "cmd")
    )


def _is_note(tokens: Sequence[Token]) -> bool:
    """A condition on what stands in the formula; a bare sign of a range."""
    signs = [t.text for _, t in _at_top(tokens) if t.kind in ("char", "cmd")]
    if any(s in ("=", r"\equiv") for s in signs) and not any(
        s in (r"\forall", r"\sim") for s in signs
    ):
        return False
    return any(s in _NOTES for s in signs)


def _is_name(tokens: Sequence[Token]) -> bool:
    """A single name, with scripts."""
    if any(a.text == "^" and b.kind == "num" for a, b in pairwise(tokens)):
        return False
    plain = [t for t in tokens if t.text not in ("{", "}", "_", "^")]
    return (
        bool(plain)
        and len(plain) <= 4
        and plain[0].kind in ("letter", "word")
        and all(t.kind in ("letter", "word", "num") for t in plain)
        and (len(plain) == 1 or any(t.text in ("_", "^") for t in tokens))
    )


def _leads_to_note(rest: Sequence[tuple[list[Token], bool, bool]]) -> bool:
    for segment, hard, _ in rest:
        if hard:
            return False
        if _is_note(segment):
            return True
        if not _is_name(segment):
            return False
    return False


def _equals(tokens: Sequence[Token]) -> list[int]:
    return [
        at
        for at, t in _at_top(tokens)
        if t.text
        in (
            "=",
            r"\triangleq",
            r"\coloneqq",
            r"\equiv",
            r"\doteq",
            r"\coloneq",
            r"\stackrel",
            r"\overset",
        )
        and t.kind in ("char", "cmd")
    ]


def _pieces(tokens: list[Token], cuts: list[int]) -> list[list[Token]]:
    pieces, first = [], 0
    for cut in cuts:
        if cut < first:
            continue
        pieces.append(tokens[first:cut])
        first = cut + 1
        if tokens[cut].text in (r"\stackrel", r"\overset"):  # \overset{def}{=}
            depth = groups = 0
            while first < len(tokens) and groups < 2:
                depth += _depth(tokens[first])
                first += 1
                groups += depth == 0
    pieces.append(tokens[first:])
    return pieces


def _without_colon(tokens: list[Token]) -> list[Token]:
    while tokens and tokens[-1].text in (":", r"\colon"):
        tokens = tokens[:-1]
    return tokens


def _starts_with_operator(tokens: Sequence[Token]) -> bool:
    return tokens[0].kind in ("char", "cmd") and tokens[0].text in (
        "+",
        "-",
        r"\cdot",
        r"\times",
        r"\odot",
        r"\pm",
    )


def _range(segment: list[Token], after: Sequence[list[Token]]) -> tuple[Range, int] | None:
    r"""i = 1, \dots, n or i \in \{1, \dots, n\}."""
    tokens = [t for t in segment if t.text != r"\forall"]
    if (
        (
            len(tokens) >= 3
            and tokens[0].kind == "letter"
            and tokens[1].text == "="
            and len(after) == 2
        )
        and len(after[0]) == 1
        and after[0][0].text in _DOTS
        and after[1]
    ):
        return Range(tokens[0].text, tokens[2:], after[1]), 2
    if (
        len(tokens) >= 5
        and tokens[0].kind == "letter"
        and tokens[1].text == r"\in"
        and tokens[2].text in (r"\{", r"\lbrace")
    ):
        inner = tokens[3:-1]
        dots = [i for i, t in enumerate(inner) if t.text in _DOTS]
        if dots and dots[0] >= 2 and dots[0] + 2 < len(inner) + 1:
            return Range(tokens[0].text, inner[: dots[0] - 1], inner[dots[0] + 2 :]), 0
    return None


def _named(places: Places, left: list[Token], right: list[list[Token]]) -> Line:
    """A line with its name and, in f(x, y) = ..., with what f is a function of."""
    while (
        left
        and left[0].kind == "cmd"
        and left[0].text in (r"\log", r"\ln", r"\min", r"\max", r"\underset")
    ):
        if left[0].text in (r"\min", r"\max", r"\underset"):
            raise places.at(
                "an optimum is not a value that can be computed from the inputs; write the function itself",
                left[0].start,
            )
        left = left[1:]
    for at, token in enumerate(left):
        if (
            token.kind in ("char", "cmd")
            and token.text in ("(", "[", r"\{")
            and at
            and left[at - 1].text not in ("^", "_")
        ):
            depth = 0
            inside = all(t.side == "" for t in left[:at]) and sum(_depth(t) for t in left[:at]) == 0
            if not inside:
                continue
            for end in range(at, len(left)):
                depth += _depth(left[end])
                if not depth:
                    break
            if end + 1 != len(left):
                raise _equation(places, left)
            return Line(left[:at], right, _split(left[at + 1 : end]))
    return Line(left, right)


def _split(tokens: Sequence[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += _depth(token)
        if depth == 0 and token.text in (",", ";", r"\mid", "|", r"\|"):
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _equation(places: Places, left: Sequence[Token]) -> ReportError:
    return places.at(
        "this is an equation: a line has one name on its left side, as in z = w x + b",
        left[0].start,
    )
