r"""Tokens with a place in them, scripts and arguments, and errors that point to a token."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from report.autodiff.parser.latex.functions import function_name
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import Part
from report.autodiff.parser.source import Places
from report.errors import ReportError

MAX_DEPTH = 40  # of brackets inside each other
_OPEN = {"(": ")", "[": "]", r"\{": r"\}", r"\lbrace": r"\rbrace", r"\langle": r"\rangle", r"\lvert": r"\rvert",
         r"\lVert": r"\rVert", r"\lbrack": r"\rbrack", r"\lparen": r"\rparen", "|": "|", r"\|": r"\|", r"\vert": r"\vert",
         r"\Vert": r"\Vert"}  # fmt: skip
_BARS = frozenset({"|", r"\|", r"\vert", r"\Vert"})
_CLOSE = frozenset(_OPEN.values()) - _BARS
_ACCENTS = {r"\hat": "hat", r"\widehat": "hat", r"\bar": "bar", r"\overline": "bar", r"\tilde": "tilde",
            r"\widetilde": "tilde", r"\dot": "dot", r"\ddot": "ddot", r"\check": "check", r"\breve": "breve",
            r"\acute": "acute", r"\grave": "grave", r"\vec": "", r"\overrightarrow": "", r"\underline": "",
            r"\mathring": "ring"}  # fmt: skip
_FONTS = frozenset(
    [
        r"\mathbf",
        r"\boldsymbol",
        r"\bm",
        r"\mathrm",
        r"\mathsf",
        r"\mathtt",
        r"\mathit",
        r"\mathcal",
        r"\mathscr",
        r"\mathfrak",
        r"\mathbb",
        r"\pmb",
    ]
)
RELATIONS = {"=": "==", "<": "<", ">": ">", r"\le": "<=", r"\leq": "<=", r"\leqslant": "<=", r"\ge": ">=", r"\geq": ">=",
             r"\geqslant": ">=", r"\ne": "!=", r"\neq": "!=", r"\lt": "<", r"\gt": ">", r"\in": "in",
             r"\equiv": "==", r"\notin": "notin"}  # fmt: skip
_FRACTIONS = frozenset({r"\frac", r"\dfrac", r"\tfrac", r"\cfrac", r"\nicefrac", r"\sfrac"})
_NO_VALUE = {
    r"\int": "an integral", r"\iint": "an integral", r"\oint": "an integral", r"\lim": "a limit", r"\partial": "a derivative",
    r"\nabla": "a derivative", r"\arg": "an arg max or arg min", r"\argmax": "an arg max", r"\argmin": "an arg min",
    r"\limsup": "a limit", r"\liminf": "a limit", r"\pm": "two values (±)", r"\mp": "two values (±)",
    r"\Pr": "a probability", r"\to": "a limit", r"\rightarrow": "an arrow", r"\Rightarrow": "an implication",
    r"\implies": "an implication", r"\iff": "an equivalence", r"\lfloor": "a step (it is flat between whole numbers, so no gradient flows back)",
    r"\lceil": "a step (it is flat between whole numbers, so no gradient flows back)", r"\sim": "a distribution", r"\binom": "a binomial coefficient",
    r"\bigcup": "a set", r"\bigcap": "a set", r"\cup": "a set", r"\cap": "a set", r"\forall": "a statement",
    r"\exists": "a statement", r"\propto": "a proportion", r"\approx": "a rounded number", r"\gcd": "no function of real numbers",
    r"\Re": "a complex number", r"\Im": "a complex number",
}  # fmt: skip


class _Cursor(ABC):
    """Tokens with a place in them, scripts and arguments, and errors that point to a token."""

    def __init__(
        self, places: Places, tokens: Sequence[Token], is_name: Callable[[str], bool]
    ) -> None:
        self.places = places
        self.tokens = list(tokens)
        self.at = 0
        self.is_name = is_name
        self.depth = 0
        self.bars: list[str] = []  # that are open
        self.sign = ","  # between what was listed last

    @property
    def next(self) -> str:
        token = self.token
        return token.text if token is not None and token.kind in ("char", "cmd") else ""

    @property
    def token(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self) -> Token:
        token = self.token
        if token is None:
            raise self.missing()
        self.at += 1
        return token

    def missing(self) -> ReportError:
        end = self.tokens[-1].end if self.tokens else 0
        return self.places.at("something is missing here: a value, or a bracket", max(end - 1, 0))

    def error(self, message: str, token: Token | Part | None = None) -> ReportError:
        token = token or self.token
        if token is None:
            return self.missing()
        return self.places.at(message, token.start)

    @contextmanager
    def deeper(self) -> Iterator[None]:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(
                f"more than {MAX_DEPTH} brackets inside each other; give parts of it names on lines of their own"
            )
        yield
        self.depth -= 1

    def odd(self, token: Token) -> ReportError:
        if (
            token.text in _CLOSE
            or (token.text == "}" and token.kind == "char")
            or token.side == "R"
        ):
            return self.error(f"{token.text} closes nothing", token)
        if token.text in RELATIONS and token.kind in ("char", "cmd"):
            return self.error(
                "a comparison stands in cases, in an indicator or below a sum only", token
            )
        if token.text in _NO_VALUE:
            return self.no_value(token)
        if token.text == "!":
            return self.error("a factorial has no gradient here; write the number", token)
        if token.text in (r"\mid", "|", r"\colon", ":"):
            return self.error(
                f"{token.text} stands between two things here; is a bracket missing?", token
            )
        return self.error("this cannot stand here", token)

    def no_value(self, token: Token) -> ReportError:
        return self.error(
            f"this is {_NO_VALUE[token.text]}, not a value that can be computed from the inputs",
            token,
        )

    def script(self, of: Token) -> tuple[Token, ...]:
        """The tokens of a subscript or superscript."""
        token = self.take()
        if token.kind == "char" and token.text == "{":
            inner = self.braced(token)
            if not inner:
                raise self.error("this is empty", token)
            return inner
        if token.kind == "char" and token.text in ("(", "[") and of.text == "^":
            raise self.error(
                f"put what stands above in braces: ^{{{token.text}...{_OPEN[token.text]}}}", token
            )
        if token.kind == "num" and len(token.text) > 1:
            raise self.error(
                f"this has two readings: {of.text}{{{token.text}}}, or {of.text}{token.text[0]} and then {token.text[1:]}; use braces",
                token,
            )
        if token.kind == "cmd" and token.text in (*_ACCENTS, *_FRACTIONS, r"\sqrt", *_FONTS):
            start = self.at - 1
            self.at = start
            self.atom()
            return tuple(self.tokens[start : self.at])
        if token.kind == "char" and token.text in "^_}&,;)]":
            raise self.error("something is missing here: what stands above or below", token)
        return (token,)

    def braced(self, opening: Token) -> tuple[Token, ...]:
        """The tokens up to the brace that closes."""
        depth, first = 1, self.at
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if token.kind == "char":
                depth += {"{": 1, "}": -1}.get(token.text, 0)
                if not depth:
                    return tuple(self.tokens[first : self.at - 1])
        raise self.error("this brace is not closed", opening)

    def inner(self, tokens: Sequence[Token], near: Token) -> Part:
        """Tokens of an argument, as an expression of their own."""
        if not tokens:
            raise self.error("this is empty", near)
        sub = type(self)(self.places, tokens, self.is_name)
        sub.depth = self.depth
        with sub.deeper():
            return sub.whole()

    def argument(self, of: Token) -> Part:
        """The next argument: in braces, or one sign."""
        token = self.token
        if token is None:
            raise self.error(f"{of.text} needs its argument in braces", of)
        if token.kind == "char" and token.text == "{":
            self.at += 1
            return self.inner(self.braced(token), token)
        if token.kind == "num" and len(token.text) > 1 and "." not in token.text:  # \frac12
            self.tokens[self.at : self.at + 1] = [
                Token("num", digit, token.start + i, token.start + i + 1)
                for i, digit in enumerate(token.text)
            ]
        with self.deeper():
            return self.atom()

    def peek_script(self) -> tuple[Token, ...]:
        mark = self.at
        script = self.script(self.take())
        self.at = mark
        return script

    def is_head(self, token: Token) -> bool:
        """Whether a word is a value's name or a function's."""
        return self.is_name(token.text) or function_name(token.text) is not None

    def is_word(self, word: str) -> bool:
        """Whether a word is next that is no name with something below it."""
        token = self.token
        if token is None or token.kind != "word" or _plain_word(token) != word:
            return False
        return [t.text for t in self.tokens[self.at + 1 : self.at + 2]] != ["_"]

    # what the layers above do

    @abstractmethod
    def atom(self) -> Part: ...

    @abstractmethod
    def big(self, token: Token, name: str = "") -> Part: ...

    @abstractmethod
    def condition(self) -> Part: ...

    @abstractmethod
    def factor(self) -> Part: ...

    @abstractmethod
    def function(self, token: Token, name: str) -> Part: ...

    @abstractmethod
    def operator(self) -> str | None: ...

    @abstractmethod
    def term(self) -> Part: ...

    @abstractmethod
    def whole(self) -> Part: ...

    @abstractmethod
    def whole_condition(self) -> Part: ...

    @abstractmethod
    def without_columns(self, tokens: list[Token]) -> list[Token]: ...


def _plain_word(token: Token) -> str:
    return token.text.strip().strip(",.:").strip().lower()
