"""What people type in place of Python's syntax: x², 2x, (a + b)(c + d), sin x, sin^2(x), |x|, ‖x‖, α, ⊙, √x.

`as_python` writes a line again in Python's syntax, token by token, and tells for each character of it
where it stood. A product without a sign becomes `%` and a dot `//`, which a formula has no other use
for: the parser decides by the shapes of the two what they mean. What can be read in two ways is refused
with both.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Sequence

from report.autodiff.inputs import CONSTANTS
from report.autodiff.parser.names import FORMS
from report.autodiff.parser.typed_brackets import in_bars, in_rows
from report.autodiff.parser.typed_tokens import BESIDE, KEYWORDS, Token, Unreadable, tokens_of

_LONGEST = 100  # letters of a product of names
_WORD = re.compile(r"[A-Za-z_]\w+")
# A line that may need to be written again; most formulas are Python's as they stand.
_UNUSUAL = re.compile(
    r"[^\x00-\x7f]|[\^|]|(?!(?<!\w)[bfru]')[\w)\]]'|[\w)\].][ \t]+[\w(]|\d[A-Za-z_(]|[)\]]\s*[\w(]|\b(?:lambda|sigma)\b|\.[*/^']|[;?]"
)
_APPLIED = re.compile(r"(?<![A-Za-z_])([A-Za-z_]\w*+)\s*+\(")  # what is no word is passed over once
_HEAD = re.compile(r"\s*([A-Za-z]\w*)\s*\(([^()=]*)\)\s*=(?!=)")
_BRACES = re.compile(r"\^\{([^{}]*)\}")  # x^{2}
_MINUS_ONE = (["-1"], ["-", "1"], ["(", "-", "1", ")"])  # S⁻¹, S^-1, S^(-1)


def as_python(
    line: str,
    is_value: Callable[[str], bool],
    products: Callable[[str], Sequence[Sequence[str]]],
    matlab: bool = False,
) -> tuple[str, list[int] | None]:
    """The line in Python's syntax, and the column in `line` of each of its characters (None: the same).

    `is_value` tells the names that stand for values, `products` those that are written side by side in a
    word which is no name; in the text of `matlab`, where .* goes entry by entry,
    * is the product of matrices and ' the transpose. Raises Unreadable for what has two readings.
    """
    if not (
        matlab
        or _UNUSUAL.search(line)
        or any(map(is_value, _APPLIED.findall(line)))
        or any(map(products, words(line)))
    ):
        return line, None

    def is_transposed(name: str) -> bool:
        return name in (")", "]") or (is_value(name) and not is_value(f"{name}_prime"))

    tokens = tokens_of(_BRACES.sub(r"^(\1)", line), is_transposed, matlab)
    if any(t.kind == "name" and keyword.iskeyword(t.text) for t in tokens):
        return line, None  # the parser says what is not possible
    tokens = _joined(_called(in_bars(in_rows(tokens), is_value), is_value), products)
    tokens = _applied(tokens)
    tokens = _multiplied(_raised(tokens, is_value))
    text, columns, end = "", [], 0
    for token in tokens:
        gap = " " * (token.spaced and bool(text))
        text += gap + token.text
        columns += [end] * len(gap) + [token.column] * len(token.text)
        end = token.column + 1
    head = len(line) - len(line.lstrip())
    return " " * head + text, [*range(head), *columns]


def head_of_function(line: str) -> re.Match[str] | None:
    """The left side of `f(x, y) = ...`, whose first group is the name."""
    found = _HEAD.match(line)
    return found if found and found[1] not in FORMS else None


DEF = re.compile(r"\s*def\s+\w+\s*\([^()]*\)\s*(?:->[^:]*)?:\s*(?:#.*)?")
_BEFORE = re.compile(  # of code that is pasted, and of a spreadsheet
    r"\s*(?:=(?!=)|return\b|lambda\s+[\w\s,]+:|def\s+\w+\s*\([^()]*\)\s*:\s*return\b)\s*|\s*(?:import|from)\s+\w.*"
)
_GIVEN = re.compile(r"(\s*[^\W\d]\w*\s*)(:=|<-|←)")
_MATLAB = re.compile(r"[\w)\]']\s*\.[*/^]|[\w)\]]\.'|[\w)\]]'\s*\*(?!\*)")


def before_expression(line: str) -> int:
    """How many characters of a line say nothing: return, =, a lambda's arguments, an import."""
    found = _BEFORE.match(line)
    return found.end() if found else 0


def with_equals(line: str) -> str:
    """A line in which a name is given by =, and not by := or an arrow."""
    found = _GIVEN.match(line)
    return found[1] + "=".ljust(len(found[2])) + line[found.end() :] if found else line


def is_matlab(line: str) -> bool:
    """Whether a line has MATLAB's operators that go entry by entry."""
    return _MATLAB.search(line.split("#", 1)[0]) is not None


def _called(tokens: list[Token], is_value: Callable[[str], bool]) -> list[Token]:
    """Names before a bracket, and names of gates, are calls; sigma is the sigmoid where it is applied."""
    made = list(tokens)
    for i, token in enumerate(tokens):
        if token.kind != "name":
            continue
        following = tokens[i + 1] if i + 1 < len(tokens) else None
        before_bracket = following is not None and following.text == "("
        if i and tokens[i - 1].text == ".":  # x.sum(), F.relu(x)
            if before_bracket:
                made[i] = Token("call", token.text, token.column, token.spaced)
            continue
        name = "sigmoid" if token.text == "sigma" else token.text
        if is_value(token.text):
            continue
        if (name in FORMS or before_bracket) and following is not None:
            option = following.text == "="
            if not option and (
                before_bracket or following.starts or following.text in ("**", "^", "-")
            ):
                made[i] = Token("call", name, token.column, token.spaced)
    return made


def words(line: str) -> set[str]:
    """The names in a line, of more than one letter."""
    return set(_WORD.findall(line))


def products_read(
    line: str, written: str, products: Callable[[str], Sequence[Sequence[str]]]
) -> dict[str, None]:
    """What is told of the names of a line that are products where it is written in Python's syntax."""
    gone = sorted(words(line) - words(written))
    return {
        f"{name} is the product {' '.join(way)}": None for name in gone for way in products(name)
    }


def product_of_names(name: str, is_value: Callable[[str], bool]) -> list[list[str]]:
    """The ways to write a name that is none as a product of values, as Wx is of W and x: two at most."""
    known: dict[str, list[list[str]]] = {}  # of its ends: xxxx is a product in very many ways

    def ways(end: str) -> list[list[str]]:
        if end not in known:
            found = []
            for cut in range(len(end) - 1, 0, -1):
                first, rest = end[:cut], end[cut:]
                if (is_value(first) or first in CONSTANTS) and rest[0] not in "_0123456789":
                    found += [[first, *other] for other in [[rest]] * is_value(rest) or ways(rest)]
            known[end] = [] if end in FORMS or keyword.iskeyword(end) else found[:2]
        return known[end]

    return [] if is_value(name) or len(name) > _LONGEST else ways(name)


def _joined(tokens: list[Token], products: Callable[[str], Sequence[Sequence[str]]]) -> list[Token]:
    """Wx is W x where both are values and Wx is none."""
    made: list[Token] = []
    for place, token in enumerate(tokens):
        after = tokens[place + 1].text if place + 1 < len(tokens) else ""
        ways: Sequence[Sequence[str]] = ()
        if token.kind == "name" and after not in (".", "=") and (made or [token])[-1].text != ".":
            ways = products(token.text)
        if len(ways) > 1:
            told = " or ".join(" ".join(way) for way in ways[:2])
            raise Unreadable(f"{token.text} can be read as {told}; write one of them", token.column)
        column = token.column
        for part in ways[0] if ways else ():
            spaced = token.spaced and column == token.column
            made.append(Token("name", KEYWORDS.get(part, part), column, spaced))
            column += len(part)
        made += [] if ways else [token]
    return made


def _applied(tokens: list[Token]) -> list[Token]:
    """sin x is sin(x), sin 2x is sin(2x), sin^2(x) is sin(x)**2."""
    made: list[Token] = []
    i = 0
    while i < len(tokens):
        token = tokens[i]
        made.append(token)
        i += 1
        if token.kind != "call" or i == len(tokens) or token.text not in FORMS:
            continue
        exponent: list[Token] = []
        if tokens[i].text in ("**", "^") and i + 1 < len(tokens):
            end = i + 2 + (tokens[i + 1].text == "-")
            exponent, i = tokens[i:end], end
            if "".join(t.text for t in exponent[1:]) == "-1":
                made[-1], exponent = _inverse(token), []
        if i < len(tokens) and tokens[i].text == "(":
            end = _end_of_bracket(tokens, i)
            made += _applied(tokens[i:end])
            i = end
        elif i < len(tokens) and tokens[i].starts:
            argument, i = _argument(token, tokens, i)
            at = argument[0].column
            made += [Token("open", "(", at), *argument, Token("close", ")", argument[-1].column)]
        elif tokens[i - 1].text != token.text:
            raise Unreadable(f"{token.text} needs its argument: {token.text}(x)", token.column)
        made += exponent
    return made


def _inverse(token: Token) -> Token:
    name = f"arc{token.text}"
    if name not in FORMS:
        raise Unreadable(
            f"{token.text}^-1(x) can be read as the inverse function or as 1/{token.text}(x); "
            f"write 1/{token.text}(x)",
            token.column,
        )
    return Token("call", name, token.column, token.spaced)


def _argument(token: Token, tokens: list[Token], i: int) -> tuple[list[Token], int]:
    """What a function without brackets is applied to: one factor, or some that stand close, as in sin 2x."""
    start = i
    if tokens[i].kind == "number" and i + 1 < len(tokens) and tokens[i + 1].kind == "name":
        i += 1
    while (
        i + 1 < len(tokens)
        and tokens[i].kind == tokens[i + 1].kind == "name"
        and not tokens[i + 1].spaced
    ):
        i += 1
    if tokens[i].kind == "call":
        inner = _applied(tokens[i:])
        end = _end_of_bracket(inner, 1)
        return inner[:end], len(tokens) - (len(inner) - end)
    i += 1
    while i < len(tokens) and tokens[i].text in ("[", "."):
        i = _end_of_bracket(tokens, i) if tokens[i].text == "[" else i + 2
    argument = tokens[start:i]
    written = "".join(t.text for t in argument)
    if i < len(tokens) and tokens[i].text in ("**", "^"):
        raise Unreadable(
            f"{token.text} {written}^.. can be read as {token.text}({written}**..) or "
            f"{token.text}({written})**..; write one of them",
            token.column,
        )
    if i < len(tokens) and tokens[i].starts and tokens[i].kind != "call":  # sin x cos y
        more = tokens[i].text
        raise Unreadable(
            f"{token.text} {written} {more} can be read as {token.text}({written})*{more} or "
            f"{token.text}({written}*{more}); write one of them",
            token.column,
        )
    return _multiplied(argument), i


def _end_of_bracket(tokens: list[Token], start: int) -> int:
    """The place after the bracket that opens at `start`; that of the last token where none closes."""
    depth = 0
    for i in range(start, len(tokens)):
        depth += (tokens[i].kind == "open") - (tokens[i].kind == "close")
        if depth == 0:
            return i + 1
    return len(tokens)


def _raised(tokens: list[Token], is_value: Callable[[str], bool]) -> list[Token]:
    """x^2 is a power, x^T a transpose, and S^-1 is S.I: the inverse of a matrix, one over a number."""
    made: list[Token] = []
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if token.text == "^":
            after = [t.text for t in tokens[i + 1 : i + 5]]
            length = next((len(m) for m in _MINUS_ONE if after[: len(m)] == m), 0)
            following = tokens[i + 1].text if i + 1 < len(tokens) else ""
            if following == ".T" or (following == "T" and not is_value("T")):
                made.append(Token("sign", ".T", token.column))
                i += 2
                continue
            if made and made[-1].kind != "number" and length:
                made.append(Token("sign", ".I", token.column))
                i += 1 + length
                continue
            token = Token("sign", "**", token.column, token.spaced)
        made.append(token)
        i += 1
    return made


def _multiplied(tokens: list[Token]) -> list[Token]:
    """2x, x y, (a + b)(c + d): a sign between operands that stand side by side."""
    made: list[Token] = []
    for token in tokens:
        before = made[-1] if made else None
        if before is not None and before.ends and token.starts and not _is_made(made, token):
            if before.kind == "number" and token.kind == "number":
                raise Unreadable("an operator is missing between two numbers", token.column)
            start = _start_of_operand(made)
            if start and made[start - 1].text == "/":
                over = "".join(
                    t.text for t in made[_start_of_operand(made[: start - 1]) : start - 1]
                )
                a, b = "".join(t.text for t in made[start:]), token.text
                raise Unreadable(
                    f"{over}/{a} {b} can be read as {over}/({a} * {b}) or ({over}/{a}) * {b}; "
                    "write one of them",
                    made[start].column,
                )
            made.append(Token("sign", BESIDE, token.column))
        made.append(token)
    return made


def _is_made(tokens: list[Token], token: Token) -> bool:
    """Whether a bracket applies a layer that has just been made: nn.ReLU()(x)."""
    if token.text != "(" or tokens[-1].text != ")":
        return False
    first = tokens[_start_of_operand(tokens)]
    return first.kind == "call" and first.text[0].isupper()


def _start_of_operand(tokens: list[Token]) -> int:
    """Where the operand begins that ends with the last token."""
    at, depth = len(tokens), 0
    while at:
        at -= 1
        depth += (tokens[at].kind == "close") - (tokens[at].kind == "open")
        follows = tokens[at].text in ("[", "(") and at and tokens[at - 1].kind in ("name", "call")
        if depth == 0 and not follows and tokens[at].text not in (".T", ".I"):
            return at
    return 0
