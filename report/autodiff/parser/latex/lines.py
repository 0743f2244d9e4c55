r"""The lines of a function in LaTeX: what stands in math, with a name on the left or without.

Lines end at \\ and, where another name follows, at commas, wide spaces and words. A condition on the inputs
("x > 0") says nothing about the value; "i = 1, ..., n" says how far an index runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from report.autodiff.parser.latex.segments import (
    DOTS,
    NOTES,
    at_top,
    depth_of,
    segments_of,
    unwrapped,
)
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.source import Places
from report.errors import ReportError


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


def lines_of(places: Places, tokens: list[Token]) -> tuple[list[Line], list[Range]]:
    """The lines of a function and the ranges that are told."""
    lines: list[Line] = []
    ranges: list[Range] = []
    segments = list(segments_of(places, unwrapped(places, tokens)))
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


def _is_note(tokens: Sequence[Token]) -> bool:
    """A condition on what stands in the formula; a bare sign of a range."""
    signs = [t.text for _, t in at_top(tokens) if t.kind in ("char", "cmd")]
    if any(s in ("=", r"\equiv") for s in signs) and not any(
        s in (r"\forall", r"\sim") for s in signs
    ):
        return False
    return any(s in NOTES for s in signs)


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
        for at, t in at_top(tokens)
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
                depth += depth_of(tokens[first])
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
        and after[0][0].text in DOTS
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
        dots = [i for i, t in enumerate(inner) if t.text in DOTS]
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
            inside = (
                all(t.side == "" for t in left[:at]) and sum(depth_of(t) for t in left[:at]) == 0
            )
            if not inside:
                continue
            for end in range(at, len(left)):
                depth += depth_of(left[end])
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
        depth += depth_of(token)
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
