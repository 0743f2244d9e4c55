r"""Letters, accents, fonts, roots and brackets."""

from __future__ import annotations

from report.autodiff.parser.latex.cursor import _ACCENTS, _BARS, _CLOSE, _OPEN, _Cursor
from report.autodiff.parser.latex.functions import BIG, function_name
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import Group, Letter, Part, Root, Script, Sign

_KIND = {r"\lbrace": r"\{", r"\lvert": "|", r"\vert": "|", r"\lVert": r"\|", r"\Vert": r"\|", r"\lbrack": "[",
         r"\lparen": "("}  # fmt: skip


class _Atoms(_Cursor):
    """Letters, accents, fonts, roots and brackets."""

    def scripted(self, base: Part) -> Part:
        """Whatever stands below, above and beside."""
        below: tuple[Token, ...] | None = None
        above: tuple[Token, ...] | None = None
        primes = 0
        while (token := self.token) is not None and token.kind in ("char", "cmd"):
            if token.text == "'" or token.text == r"\prime":
                self.at += 1
                primes += 1
            elif token.text in ("^", "_"):
                self.at += 1
                script = self.script(token)
                if token.text == "_":
                    if below is not None:
                        raise self.error("two subscripts on one thing; write one: x_{i,j}", token)
                    below = script
                elif [t.text for t in script] in ([r"\prime"], [r"\prime", r"\prime"]):
                    primes += len(script)
                elif above is not None:
                    both = (tuple(t.text for t in above), tuple(t.text for t in script))
                    raise self.error(
                        f"two superscripts on one thing; use a bracket: (x^{{{''.join(both[0])}}})^{{{''.join(both[1])}}}",
                        token,
                    )
                else:
                    above = script
            elif token.text == "!":
                raise self.odd(token)
            else:
                break
        if below is None and above is None and not primes:
            return base
        return Script(base.start, self.tokens[self.at - 1].end, base, below, above, primes)

    def letter(self, token: Token) -> Part:
        return Letter(token.start, token.end, token.text, token.font)

    def word(self, token: Token) -> Part:
        r"""\operatorname{ReLU}, \mathrm{d}, \mathbf{x}, \text{loss}."""
        text = token.text
        if token.kind == "letter" and token.font not in ("op", "text"):
            return Letter(token.start, token.end, text, token.font)
        if text == "1" and token.font in ("bf", "bb"):
            return Sign(token.start, token.end, r"\indicator")
        if text == "0" and token.font in ("bf", "bb"):
            return Sign(token.start, token.end, r"\zeros")
        if self.is_name(text) or self.is_name_with_script(text):  # logit_{max}
            return Letter(token.start, token.end, text, token.font)
        if (name := function_name(text)) is not None:
            if name in BIG.values() and self.next in ("_", r"\limits"):
                return self.big(token, name)
            return self.function(token, name)
        if text.replace(" ", "").lower() in ("argmax", "argmin"):
            raise self.error(
                "this is an arg max or arg min, not a value that can be computed from the inputs",
                token,
            )
        if (
            token.font in ("bf", "rm", "cal")
            and text.isalpha()
            and 1 < len(text) <= 3
            and all(map(self.is_name, text))
        ):
            at = token.end - 1 - len(text)
            self.tokens[self.at : self.at] = [
                Token("letter", c, at + i + 1, at + i + 2) for i, c in enumerate(text[1:], 0)
            ]
            return Letter(token.start, token.end, text[0])
        return Letter(token.start, token.end, text, token.font or "word")

    def is_name_with_script(self, text: str) -> bool:
        """Whether a word is a name with what stands below it, or with the beginning of that."""
        below = self.peek_script() if self.next == "_" else ()
        ends = [at for at, t in enumerate(below) if t.text in (",", ";")]
        whole = [t.text.replace(",", "").replace(";", "") for t in below]
        labels = ("".join(whole[:end]) for end in (*ends, len(below)))
        return any(label and self.is_name(text + label) for label in labels)

    def accented(self, token: Token) -> Part:
        inner = self.argument(token)
        end = self.tokens[self.at - 1].end
        accent = _ACCENTS[token.text]
        while isinstance(inner, Group) and inner.kind == "{" and len(inner.parts) == 1:
            inner = inner.parts[0]
        base, script = (inner.base, inner) if isinstance(inner, Script) else (inner, None)
        if not isinstance(base, Letter):
            if not accent:
                return inner
            raise self.error(f"{token.text} stands over the name of a value only", token)
        named = Letter(
            token.start,
            end,
            base.base,
            base.font,
            (*base.accents, accent) if accent else base.accents,
        )
        if script is None:
            return named
        return Script(token.start, end, named, script.below, script.above, script.primes)

    def with_font(self, token: Token) -> Part:
        inner = self.argument(token)
        if token.text in (r"\overbrace", r"\underbrace"):
            if self.next in ("_", "^"):
                self.script(self.take())
            return Group(token.start, inner.end, "{", (inner,))
        return (
            inner
            if isinstance(inner, (Letter, Script))
            else Group(token.start, inner.end, "{", (inner,))
        )

    def root(self, token: Token) -> Part:
        degree = None
        if self.next == "[":
            opening = self.take()
            first = self.at
            while self.next != "]":
                self.take()
            degree = self.inner(self.tokens[first : self.at], opening)
            self.at += 1
        inner = self.argument(token)
        return Root(token.start, self.tokens[self.at - 1].end, inner, degree)

    def bracket(self, opening: Token) -> Part:
        text = opening.text
        kind = _KIND.get(text, text)
        if opening.side == "L":
            return self.between(opening, kind)
        is_bar = text in _BARS
        if kind == "[" and (inner := self.up_to("]")) and (cells := split_at_bars(inner)):
            self.at += len(inner) + 1
            end = self.tokens[self.at - 1].end
            return Group(opening.start, end, kind, self.each(cells, opening), "]", True, "|")
        outer, self.bars = self.bars, [*self.bars, kind] if is_bar else []
        parts = self.listed()
        self.bars = outer
        closing = self.token
        wanted = _OPEN[text]
        if closing is None or closing.kind == "end":
            raise self.error(f"this {text} is not closed", opening)
        half_open = (text, closing.text) in (("[", ")"), ("(", "]"))
        if closing.text != wanted and not half_open:
            raise self.error(
                f"{closing.text} does not close {text}"
                if closing.text in _CLOSE
                else "this cannot stand here",
                closing,
            )
        self.at += 1
        plain = is_bar and not opening.side and not closing.side
        return Group(opening.start, closing.end, kind, parts, closing.text, plain, self.sign)

    def between(self, opening: Token, kind: str) -> Part:
        r"""From \left to its \right, whatever the brackets are."""
        depth, first = 1, self.at
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            depth += {"L": 1, "R": -1}.get(token.side, 0)
            if not depth:
                break
            self.at += 1
        else:
            raise self.error(r"\left without its \right", opening)
        closing = self.take()
        inner = self.tokens[first : self.at - 1]
        if kind == r"\{" and closing.text == "." and inner and inner[0].kind == "begin":
            return self.inner(
                [
                    Token("begin", "cases", inner[0].start, inner[0].end),
                    *self.without_columns(inner)[1:-1],
                    Token("end", "cases", inner[-1].start, inner[-1].end),
                ],
                opening,
            )
        if kind == "[" and closing.text == "]" and (cells := split_at_bars(inner)):
            return Group(
                opening.start, closing.end, kind, self.each(cells, opening), "]", False, "|"
            )
        sub = type(self)(self.places, inner, self.is_name)
        sub.depth = self.depth
        with sub.deeper():
            parts = sub.listed()
        if sub.token is not None:
            raise sub.odd(sub.token)
        if opening.text == "." or closing.text == ".":
            raise self.error("a bracket with one side is no value here", opening)
        close = _KIND.get(closing.text, closing.text)
        if (
            kind in _BARS
            and closing.text not in _BARS
            and closing.text not in (r"\rvert", r"\rVert")
        ):
            raise self.error(f"{closing.text} does not close {opening.text}", closing)
        if kind in ("(", "[", r"\{") and closing.text not in (")", "]", r"\}", r"\rbrace"):
            raise self.error(f"{closing.text} does not close {opening.text}", closing)
        return Group(opening.start, closing.end, kind, parts, close, False, sub.sign)

    def listed(self) -> tuple[Part, ...]:
        """Expressions or conditions with commas between."""
        if self.token is None:
            raise self.missing()
        parts, sign = [self.condition()], ","
        while self.next in (",", ";"):
            sign = self.take().text
            parts.append(self.condition())
        self.sign = sign
        return tuple(parts)

    def each(self, cells: list[list[Token]], near: Token) -> tuple[Part, ...]:
        """Several expressions, each of its own tokens."""
        return tuple(self.inner(cell, near) for cell in cells)

    def up_to(self, bracket: str) -> list[Token]:
        """The tokens before the bracket that closes what is open here; none where it is missing."""
        depth = 0
        for end in range(self.at, len(self.tokens)):
            token = self.tokens[end]
            if not depth and token.text == bracket and token.kind in ("char", "cmd"):
                return self.tokens[self.at : end]
            depth += _DEPTH.get(token.text, 0) if token.kind in ("char", "cmd") else 0
        return []


_DEPTH = {"(": 1, "[": 1, "{": 1, r"\{": 1, ")": -1, "]": -1, "}": -1, r"\}": -1}


def split_at(tokens: list[Token], signs: tuple[str, ...]) -> list[list[Token]]:
    """The tokens between signs that stand in no inner bracket."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        written = token.kind in ("char", "cmd")
        if written and not depth and token.text in signs:
            parts.append([])
            continue
        depth += _DEPTH.get(token.text, 0) if written else 0
        parts[-1].append(token)
    return parts


def split_at_bars(tokens: list[Token]) -> list[list[Token]]:
    """[A | B], whose bars have blanks on both sides; nothing where the bars are others."""
    parts = split_at(tokens, ("|", r"\mid"))
    if len(parts) == 1 or not all(p and p[0].spaced for p in parts[1:]):
        return []
    signs = [t for t in tokens if t.text == "|" and not t.spaced]
    return [] if signs else parts
