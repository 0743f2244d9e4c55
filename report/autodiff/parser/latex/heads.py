r"""Functions with their arguments, and sums with what they reach over."""

from __future__ import annotations

from report.autodiff.gates import GATES
from report.autodiff.parser.latex.atoms import _Atoms
from report.autodiff.parser.latex.cursor import _ACCENTS, _FONTS
from report.autodiff.parser.latex.functions import BIG, FUNCTIONS, function_name
from report.autodiff.parser.latex.options import options_below
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import (
    Applied,
    Big,
    Letter,
    Number,
    Part,
    Product,
    Script,
    Sign,
    Sum,
)

_BELONGS = (
    "this has two readings: it belongs to the function before it, or is a factor of its own; put brackets round "
    "the argument"
)
# \det A^\top, \operatorname{tr} A B: products of matrices, and transposes, need no brackets
_NUMBERS_OF_MATRICES = frozenset({"trace", "det", "logdet"})
_ANGLES = frozenset({"sin", "cos", "tan", "sec", "csc", "cot", "sinh", "cosh", "tanh", "coth"})


class _Heads(_Atoms):
    """Functions with their arguments, and sums with what they reach over."""

    def function(self, token: Token, name: str) -> Part:
        """A known function with its argument."""
        below = above = None
        while self.next in ("^", "_"):
            sign = self.take()
            script = self.script(sign)
            if sign.text == "^":
                above = script
            else:
                below = script
        following = self.token
        if self.next == "'":
            raise self.error(
                "this is a derivative, not a value that can be computed from the inputs", following
            )
        if following is None:
            raise self.error(f"{token.text} needs its argument", token)
        if self.next in (
            "(",
            "[",
            r"\{",
            r"\lbrace",
            r"\lparen",
            r"\lbrack",
        ) and following.side not in ("R", "r"):
            inner: Part = self.atom()
            if (
                self.next == "^"
                and [t.text for t in self.peek_script()] in ([r"\top"], ["T"])
                and name in _NUMBERS_OF_MATRICES
            ):
                inner = self.scripted(inner)
            return Applied(token.start, inner.end, name, inner, below, above, True)
        if self.next == "{":  # \\log{\\left(x\\right)}
            mark = self.at
            inside = self.braced(self.take())
            sub = type(self)(self.places, inside, self.is_name)
            if sub.next in ("(", "["):
                group = sub.atom()
                if sub.token is None:
                    return Applied(token.start, group.end, name, group, below, above, True)
            self.at = mark
        inner = self.bare_argument(name)
        return Applied(token.start, inner.end, name, inner, below, above, False)

    def bare_argument(self, name: str) -> Part:
        """The argument of a function without brackets: factors up to the next function or sign."""
        factors: list[tuple[str, Part]] = []
        matrix = name in _NUMBERS_OF_MATRICES or name == "diag"
        while True:
            token = self.token
            if self.next == "-" and not factors:
                raise self.error("put the argument in brackets", token)
            if factors and self.is_function(token):
                break
            first = self.factor()
            factors.append(("", first))
            if _is_letter(first) and self.next == "(" and self.is_called(first):
                factors.append(("", self.factor()))
                first = Number(first.start, first.end, "")  # f(x), of which nothing more is asked
            mark = self.at
            op = self.operator()
            if op is None:
                break
            if op:
                self.at = mark
                self.check_bare_operator(op)
                break
            if self.is_function(self.token):
                break
            if (
                not matrix
                and name not in _ANGLES
                and not _is_number(first)
                and not _is_turned(first)
            ):
                raise self.error(_BELONGS)
            if not matrix and (not _is_simple(first) or not self.is_simple_next()):
                raise self.error(_BELONGS)
        if len(factors) == 1:
            return factors[0][1]
        return Product(factors[0][1].start, factors[-1][1].end, tuple(factors))

    def is_called(self, head: Part) -> bool:
        """Whether a name before a bracket is a function."""
        letter = head.base if isinstance(head, Script) else head
        return isinstance(letter, Letter) and not self.is_name(
            letter.base + "".join(letter.accents)
        )

    def check_bare_operator(self, op: str) -> None:
        if op in ("/", "*", r"\oslash"):
            raise self.error(
                f"this has two readings: the {op} is inside the function's argument or behind it; put brackets round the argument"
            )
        if op == r"\cdot" or op == r"\times":
            mark = self.at
            self.at += 1
            following = self.token
            self.at = mark
            if (
                following is not None
                and not self.is_function(following)
                and following.text not in ("(", "[")
            ):
                raise self.error(
                    f"this has two readings: the {op} is inside the function's argument or behind it; put brackets round the argument"
                )

    def is_function(self, token: Token | None) -> bool:
        if token is None:
            return False
        if token.kind == "cmd":
            return token.text in BIG or token.text[1:] in FUNCTIONS
        if token.kind == "word":
            return not self.is_name(token.text) and function_name(token.text) is not None
        return bool(token.kind == "letter" and token.text == "sigma" and not self.is_name("sigma"))

    def is_simple_next(self) -> bool:
        token = self.token
        if token is None:
            return False
        if token.kind == "letter":
            return token.text != "e" or self.is_name("e")
        return token.kind in ("num", "word") or token.text in _ACCENTS or token.text in _FONTS

    def big(self, token: Token, name: str = "") -> Part:
        """A sum, product or extreme, over indices or without."""
        name = name or BIG[token.text]
        below = above = None
        mark = self.at
        while self.next in ("^", "_"):
            sign = self.take()
            if sign.text == "_":
                below = self.script(sign)
            else:
                above = self.script(sign)
        if below is not None and options_below(name, below) is not None:  # of axis 0
            self.at = mark
            return self.function(token, name)
        if GATES[name].of_two and below is None:
            if above is not None:
                raise self.error(f"write the power behind the bracket: (\\{name}(a, b))^2", token)
            return self.function(token, name)
        minus = self.next == "-"
        if minus:
            self.at += 1
        body = self.term()
        if minus:
            body = Sum(body.start, body.end, (("-", body),))
        return Big(token.start, body.end, name, below, above, body)


def _is_letter(part: Part) -> bool:
    return isinstance(part.base if isinstance(part, Script) else part, Letter)


def _is_number(part: Part) -> bool:
    if isinstance(part, Script):
        part = part.base
    return isinstance(part, Number) or (isinstance(part, Letter) and part.base == "pi")


def _is_turned(part: Part) -> bool:
    return isinstance(part, Script) and [t.text for t in part.above or ()] in (
        [r"\top"],
        ["T"],
        ["t"],
    )


def _is_simple(part: Part) -> bool:
    """A number or a name: what a function without brackets takes several of."""
    if isinstance(part, Script):
        part = part.base
    return isinstance(part, (Number, Letter, Sign))
