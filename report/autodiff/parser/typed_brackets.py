"""Brackets that Python has not: |x| and ‖x‖, and the rows of [1 2; 3 4]."""

from __future__ import annotations

from collections.abc import Callable

from report.autodiff.parser.names import FORMS
from report.autodiff.parser.typed_tokens import Token, Unreadable


def in_bars(tokens: list[Token], is_value: Callable[[str], bool]) -> list[Token]:
    """|x| is abs(x), ‖x‖ norm(x); a bar between operands joins conditions."""
    made: list[Token] = []
    bars: list[tuple[str, int]] = []  # which, and how many brackets are open inside
    depth, skipped = 0, 0
    for place, token in enumerate(tokens):
        if place < skipped:
            continue
        depth += (token.kind == "open") - (token.kind == "close")
        if token.text not in ("|", "||"):
            made.append(token)
            continue
        after = bool(made) and made[-1].ends
        after = after and (made[-1].text not in FORMS or is_value(made[-1].text))
        if bars and bars[-1] == (token.text, depth) and after:
            bars.pop()
            order, skipped = _order(tokens, place + 1) if token.text == "||" else ([], 0)
            made += [*order, Token("close", ")", token.column)]
        elif not after or token.text == "||":
            bars.append((token.text, depth))
            name = "bars" if token.text == "|" else "norm"
            made.append(Token("call", name, token.column, token.spaced))
            made.append(Token("open", "(", token.column))
        else:
            made.append(token)
    if bars:
        raise Unreadable("a bar is not closed: |x| is abs(x), ||x|| is norm(x)", tokens[-1].column)
    return made


def _order(tokens: list[Token], at: int) -> tuple[list[Token], int]:
    """The order of a norm below its bars, ‖x‖_1, as an argument, and where the text goes on."""
    if at >= len(tokens) or not tokens[at].text.startswith("_") or tokens[at].spaced:
        return [], at
    column, name, after = tokens[at].column, tokens[at].text[1:], at + 1
    if not name and after < len(tokens):
        name, after = tokens[after].text, after + 1
    if name == "F":
        return [], after
    return [Token("sign", ",", column), Token("number", name, column)], after


def in_rows(tokens: list[Token]) -> list[Token]:
    """[1 2; 3 4] is [[1, 2], [3, 4]]; a semicolon in round brackets parts arguments."""
    made: list[Token] = []
    brackets: list[
        tuple[str, int]
    ] = []  # "(", "[" of a list or "x[" of an index; where it is in `made`
    parted: set[int] = set()  # the lists in which semicolons part rows
    for token in tokens:
        before = made[-1] if made else None
        kind, at = brackets[-1] if brackets else ("", 0)
        if token.text == ";" and kind == "(":
            made.append(Token("sign", ",", token.column))
            continue
        if token.text == ";" and kind == "[":
            parted.add(at)
            made += [
                Token(k, c, token.column) for k, c in (("close", "]"), ("sign", ","), ("open", "["))
            ]
            continue
        if kind == "[" and before and before.ends and token.starts and token.spaced:
            _check_beside(before, token)
            if token.kind == "number":
                made.append(Token("sign", ",", token.column))
        if token.kind == "open":
            is_index = token.text == "[" and before is not None and before.ends
            brackets.append(("x[" if is_index else token.text, len(made)))
        elif token.kind == "close" and brackets:
            _, at = brackets.pop()
            if at in parted:
                made.insert(at, Token("open", "[", made[at].column))
                made.append(Token("close", "]", token.column))
        made.append(token)
    return made


def _check_beside(before: Token, token: Token) -> None:
    """Unreadable for names side by side in a list: entries, or a product."""
    if before.kind != "number" and token.kind != "number":
        raise Unreadable(
            f"{before.text} {token.text} in a list can be read as two entries, {before.text}, {token.text}, or as "
            f"a product, {before.text} * {token.text}; write one of them",
            token.column,
        )
