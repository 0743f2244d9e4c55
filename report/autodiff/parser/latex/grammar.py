r"""Tokens -> tree: which signs bind what, without a look at shapes.

A sum reaches to the next + or -, a function without brackets over the factors up to the next function.
What may be read in two ways is refused here where no shape could decide.
"""

from __future__ import annotations

import itertools

from report.autodiff.parser.latex.atoms import _KIND, split_at
from report.autodiff.parser.latex.cursor import (
    _ACCENTS,
    _BARS,
    _CLOSE,
    _FONTS,
    _FRACTIONS,
    _NO_VALUE,
    _OPEN,
    RELATIONS,
)
from report.autodiff.parser.latex.environments import _Environments
from report.autodiff.parser.latex.functions import BIG, COMMANDS, FUNCTIONS
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import (
    Applied,
    Compared,
    Fraction,
    Group,
    Joined,
    Number,
    Part,
    Product,
    Script,
    Sign,
    Sum,
)
from report.errors import nearest

MAX_PARTS = 1000  # of one sum or product
_TIMES = {r"\cdot": r"\cdot", r"\times": r"\times", r"\odot": r"\odot", r"\circ": r"\odot", r"\otimes": r"\otimes",
          "*": "*", r"\ast": "*", r"\star": "*", "/": "/", r"\div": "/", r"\bullet": r"\cdot", r"\circledast": "*",
          r"\oslash": r"\oslash", r"\bigodot": r"\odot"}  # fmt: skip
_END_OF_TERM = frozenset(["+", "-", ",", ";", "&", r"\\", ":", r"\mid", r"\colon", ".", "}", "!"])
_AND = frozenset({r"\land", r"\wedge"})
_OR = frozenset({r"\lor", r"\vee"})


class _Grammar(_Environments):
    """Reads tokens; `is_name` tells whether a word is the name of a value."""

    def whole(self) -> Part:
        """All the tokens as one expression."""
        part = self.expression()
        if self.token is not None:
            raise self.odd(self.token)
        return part

    def expression(self) -> Part:
        """Terms with their signs."""
        terms: list[tuple[str, Part]] = []
        sign, first = "+", self.token
        if first is None:
            raise self.missing()
        while self.next in ("+", "-"):
            sign = "-" if (self.take().text == "-") == (sign == "+") else "+"
        while True:
            terms.append((sign, self.term()))
            if len(terms) > MAX_PARTS:
                raise self.error(
                    f"more than {MAX_PARTS} terms; give parts of it names on lines of their own"
                )
            if self.next not in ("+", "-"):
                break
            sign = self.take().text
        if terms == [("+", terms[0][1])]:
            return terms[0][1]
        return Sum(first.start, terms[-1][1].end, tuple(terms))

    def term(self) -> Part:
        """Factors side by side or with a sign between."""
        factors: list[tuple[str, Part]] = [("", self.factor())]
        while (op := self.operator()) is not None:
            if len(factors) > MAX_PARTS:
                raise self.error(
                    f"more than {MAX_PARTS} factors; give parts of it names on lines of their own"
                )
            minus = op and self.next == "-"
            if minus or (op and self.next == "+"):
                raise self.error(f"put a bracket round what follows {op}: {op} (-x)")
            if not op and len(factors) > 1 and factors[-1][0] == "/" and not self.is_big():
                raise self.error(
                    r"this has two readings: the factor after a / belongs below (write \frac{a}{b c}) or "
                    r"beside the fraction (write \frac{a}{b} c)"
                )
            if not op and self.token is not None and self.token.kind == "num":
                raise self.error(
                    r"a number stands before the other factors, or after \cdot; for a power write x^{2}"
                )
            factors.append((op, self.factor()))
        if len(factors) == 1:
            return factors[0][1]
        self.check_bars(factors)
        return Product(factors[0][1].start, factors[-1][1].end, tuple(factors))

    def check_bars(self, factors: list[tuple[str, Part]]) -> None:
        """|a|b|c| is |a| b |c| or |a |b| c|."""
        bars = [i for i, (_, f) in enumerate(factors) if _is_plain_bar(f)]
        for a, b in itertools.pairwise(bars):
            if b > a + 1 and not any(op for op, _ in factors[a + 1 : b + 1]):
                raise self.error(
                    r"these bars have two readings; write \lvert a \rvert for a bar that opens and one that closes",
                    factors[a][1],
                )

    def is_big(self) -> bool:
        return self.next in (r"\sum", r"\prod")

    def operator(self) -> str | None:
        """The sign before the next factor, "" for none; None where the term ends."""
        token = self.token
        if token is None or token.kind == "end":
            return None
        if token.kind in ("char", "cmd"):
            text = token.text
            if text in _TIMES:
                self.at += 1
                return _TIMES[text]
            if (
                text in _END_OF_TERM
                or text in _CLOSE
                or text in RELATIONS
                or text in _AND
                or text in _OR
            ):
                return None
            if token.side in ("R", "m") or (token.side == "r" and text in _BARS):
                return None
            if (
                text in _BARS
                and token.side not in ("L", "l")
                and self.bars
                and self.bars[-1] == _KIND.get(text, text)
            ):
                return None
            if text in (r"\quad", r"\qquad"):
                return None
        elif token.kind == "word" and token.font == "text" and not self.is_head(token):
            return None
        return ""

    def factor(self) -> Part:
        with self.deeper():
            return self.scripted(self.atom())

    def atom(self) -> Part:  # noqa: C901 - one branch for each kind of sign
        token = self.take()
        if token.kind == "num":
            return Number(token.start, token.end, token.text)
        if token.text in ("D", "KL", "kl") and (divergence := self.divergence(token)) is not None:
            return divergence
        if token.kind == "letter" and not token.font:
            return self.letter(token)
        if token.kind in ("letter", "word"):
            return self.word(token)
        if token.kind == "begin":
            return self.environment(token)
        text = token.text
        if token.kind == "end":
            raise self.error(f"\\end{{{text}}} without its \\begin", token)
        if text == "{":
            return Group(
                token.start,
                self.tokens[self.at - 1].end,
                "{",
                (self.inner(self.braced(token), token),),
            )
        if text in _OPEN and token.side not in ("R", "m"):
            return self.bracket(token)
        if token.side == "L" and text == ".":
            return self.bracket(token)
        if text in _FRACTIONS:
            above = self.argument(token)
            below = self.argument(token)
            return Fraction(token.start, self.tokens[self.at - 1].end, above, below)
        if text == r"\sqrt":
            return self.root(token)
        if text in _ACCENTS:
            return self.accented(token)
        if text in _FONTS or text in (r"\overbrace", r"\underbrace", r"\mathopen"):
            return self.with_font(token)
        if text in BIG:
            return self.big(token)
        if text in (
            r"\indicator",
            r"\ones",
            r"\zeros",
            r"\infty",
            r"\dots",
            r"\cdots",
            r"\ldots",
            r"\vdots",
            r"\ddots",
            r"\degree",
        ):
            return Sign(
                token.start, token.end, {r"\cdots": r"\dots", r"\ldots": r"\dots"}.get(text, text)
            )
        if text in _NO_VALUE:
            raise self.no_value(token)
        if text.startswith("\\") and text[1:] in FUNCTIONS:
            return self.function(token, FUNCTIONS[text[1:]])
        if (
            text.startswith("\\")
            and text[1:].isalpha()
            and text not in (*_TIMES, *RELATIONS, r"\right", r"\quad", r"\qquad")
        ):
            near = nearest(text[1:], COMMANDS, 0.7)
            raise self.error(f"unknown command {text}{near or '; write what it stands for'}", token)
        if text in _CLOSE or text == "}":
            raise self.error("something is missing here: a value, or an opening bracket", token)
        raise self.error("something is missing here: a value", token)

    def divergence(self, token: Token) -> Part | None:
        r"""D_{KL}(p \| q) and KL(p \| q); None where D is a name and no divergence stands here."""
        mark = self.at
        words = [token.text]
        if self.next == "_":
            self.at += 1
            words += [t.text for t in self.script(token)]
        opening = self.token
        if "".join(words).lower() in ("dkl", "kl") and self.next in ("(", "["):
            assert opening is not None
            self.at += 1
            inner = self.up_to(")" if opening.text == "(" else "]")
            parts = split_at(inner, (r"\|", r"\parallel", r"\Vert", "||"))
            if len(parts) == 1:  # p || q
                parts = [p for p in split_at(inner, ("|", r"\mid")) if p]
            if len(parts) == 2:
                self.at += len(inner) + 1
                end = self.tokens[self.at - 1].end
                group = Group(opening.start, end, "(", self.each(parts, opening))
                return Applied(token.start, end, "kl_div", group, None, None, True)
        self.at = mark
        return None

    def whole_condition(self) -> Part:
        """All the tokens as a condition."""
        part = self.condition()
        if self.token is not None:
            raise self.odd(self.token)
        return part

    def condition(self) -> Part:
        """Comparisons, joined by or."""
        parts = [self.both()]
        while self.next in _OR or self.is_word("or"):
            self.at += 1
            parts.append(self.both())
        return (
            parts[0]
            if len(parts) == 1
            else Joined(parts[0].start, parts[-1].end, "or", tuple(parts))
        )

    def both(self) -> Part:
        parts = [self.compared()]
        while self.next in _AND or self.is_word("and"):
            self.at += 1
            parts.append(self.compared())
        return (
            parts[0]
            if len(parts) == 1
            else Joined(parts[0].start, parts[-1].end, "and", tuple(parts))
        )

    def compared(self) -> Part:
        token = self.token
        if token is None:
            raise self.missing()
        if self.next in (r"\lnot", r"\neg") or self.is_word("not"):
            self.at += 1
            inner = self.compared()
            return Joined(token.start, inner.end, "not", (inner,))
        parts, relations = [self.expression()], []
        while self.next in RELATIONS or (self.next == r"\not" and self.at + 1 < len(self.tokens)):
            sign = self.take()
            if sign.text == r"\not":
                following = RELATIONS.get(self.take().text)
                if following not in ("==", "in"):
                    raise self.error(r"write \ne", sign)
                relations.append("!=" if following == "==" else "notin")
            else:
                relations.append(RELATIONS[sign.text])
            parts.append(self.expression())
        if not relations:
            return parts[0]
        return Compared(parts[0].start, parts[-1].end, tuple(parts), tuple(relations))


def _is_plain_bar(part: Part) -> bool:
    if isinstance(part, Script):
        part = part.base
    return isinstance(part, Group) and part.kind in ("|", r"\|") and part.plain
