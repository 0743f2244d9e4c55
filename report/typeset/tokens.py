"""LaTeX math as words with partners, and the environments and wrappers made of them."""

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass


def word_set(words: str) -> frozenset[str]:
    """The words of a string."""
    return frozenset(words.split())


OPENING = word_set(r"( [ \{ \lbrace \lbrack \langle \lfloor \lceil \lvert \lVert")
BARS = word_set(r"| \| \Vert \vert")
BIG = re.compile(r"\\[bB]igg?[lrm]?")

_CLOSING = word_set(r") ] \} \rbrace \rbrack \rangle \rfloor \rceil \rvert \rVert")
_ANY_CLOSING = ")"
_STRICT = {"{": "}", r"\left": r"\right", r"\begin": r"\end"}
_STRICT_ENDS = frozenset(_STRICT.values())
_ENDS = dict.fromkeys(_CLOSING, _ANY_CLOSING) | {word: word for word in _STRICT_ENDS | BARS}
_TOKEN = re.compile(r"\\operatorname\*|\\[A-Za-z]+|\\.|:=|\s+|.", re.DOTALL)


class Tokens:
    """LaTeX as words, and for each opening word the place of its partner."""

    def __init__(self, tex: str) -> None:
        found = list(_TOKEN.finditer(tex))
        self._tex = tex
        self._starts = [match.start() for match in found] + [len(tex)]
        self.words = [match[0] for match in found]
        self.partner = dict(self._pairs())

    def __bool__(self) -> bool:
        return bool(self.words)

    def text(self, start: int, end: int) -> str:
        """The LaTeX from one word up to another."""
        return self._tex[self._starts[start] : self._starts[end]]

    def outer_pairs(self) -> list[tuple[int, int]]:
        """The pairs that are in no other one."""
        found, i = [], 0
        while i < len(self.words):
            if i in self.partner:
                found.append((i, self.partner[i]))
            i = self.partner.get(i, i) + 1
        return found

    def around(self, pairs: list[tuple[int, int]]) -> tuple[list[str], list[str]]:
        """The LaTeX around pairs, with the opening and closing words, and the LaTeX inside."""
        outside, inside, at = [], [], 0
        for start, end in pairs:
            outside.append(self.text(at, start + 1))
            inside.append(self.text(start + 1, end))
            at = end
        return [*outside, self.text(at, len(self.words))], inside

    def skip_spaces(self, i: int) -> int:
        """The first place from i on that is not white space."""
        while i < len(self.words) and self.words[i].isspace():
            i += 1
        return i

    def number_goes_on(self, i: int) -> bool:
        """Whether the word at i is a digit, or a decimal point before one."""
        word, after = (*self.words[i : i + 2], "", "")[:2]
        return word.isdigit() or (word == "." and after.isdigit())

    def _pairs(self) -> Iterator[tuple[int, int]]:
        """Partners, by one look at each word. Brackets without one stay alone."""
        waiting: list[tuple[str, int]] = []  # the closing word, and the place of the opening one
        delimits = False  # whether the word belongs to \\left or \\right
        for i, word in enumerate(self.words):
            if delimits and not word.isspace():
                delimits = False
            elif word in _STRICT:
                waiting.append((_STRICT[word], i))
            elif word in BARS and not (waiting and waiting[-1][0] == word):
                waiting.append((word, i))
            elif word in OPENING:
                waiting.append((_ANY_CLOSING, i))
            elif word in _ENDS:
                _forget(waiting, {_ANY_CLOSING, *BARS} if word in _STRICT_ENDS else BARS - {word})
                if waiting and waiting[-1][0] == _ENDS[word]:
                    yield waiting.pop()[1], i
            if word in {r"\left", r"\right"}:
                delimits = True


def _forget(waiting: list[tuple[str, int]], brackets: Set[str]) -> None:
    """Give up the last brackets that still wait for a partner, if they are of these kinds."""
    while waiting and waiting[-1][0] in brackets:
        waiting.pop()


def unscaled(latex: str) -> tuple[str, float]:
    r"""The formula inside ``\scalebox{factor}{$...$}``, if that is all there is, and the factor."""
    if not latex.startswith(r"\scalebox"):
        return latex, 1.0
    tokens = Tokens(latex)
    around, inside = tokens.around(tokens.outer_pairs())
    match around, inside:
        case [r"\scalebox{", "}{", "}"], [factor, formula] if _FACTOR.fullmatch(factor):
            if formula[:1] == formula[-1:] == "$":
                return formula[1:-1], float(factor)
    return latex, 1.0


def spaced(latex: str) -> str:
    """The same with room between the rows of matrices that hold fractions."""
    tokens = Tokens(latex)
    starts = sorted(
        start
        for i, end in tokens.partner.items()
        if tokens.words[i] == r"\begin" and not _FRACTIONS.isdisjoint(tokens.words[i:end])
        for start in _row_starts(tokens, i, end)
    )
    pieces = [
        tokens.text(i, j) for i, j in zip([0, *starts], [*starts, len(tokens.words)], strict=True)
    ]
    return _STRUT.join(pieces)


def _row_starts(tokens: Tokens, begin: int, end: int) -> Iterator[int]:
    """Where the rows of an environment start, if it is a matrix."""
    words, partner = tokens.words, tokens.partner
    start = partner.get(begin + 1, begin) + 1
    name = tokens.text(begin + 1, start)
    if not _MATRIX.fullmatch(name) or r"\hline" in words[start:end]:
        return
    for option, takers in (("[", "*}"), ("{", "array}")):
        if words[start] == option and name.endswith(takers):
            start = partner.get(start, start) + 1
    yield start
    i = start
    while i < end:
        if words[i] == r"\\":
            i = partner.get(i + 1, i) if words[i + 1] == "[" else i
            if tokens.skip_spaces(i + 1) < end:
                yield i + 1
        i = partner.get(i, i) + 1


_FRACTIONS = frozenset({r"\frac", r"\dfrac", r"\tfrac"})
_MATRIX = re.compile(r"\{(?:[bpvBV]?matrix\*?|array)\}")
_STRUT = r"\rule[-1em]{0pt}{2.4em} "


def rows(body: str) -> list[list[str]]:
    r"""The cells of the rows of an environment: what stands between ``\\`` and ``&``."""
    tokens = Tokens(body)
    found, row, start, i = [], [], 0, 0
    words = tokens.words
    while i < len(words):
        if words[i] in {"&", r"\\"}:
            row.append(tokens.text(start, i).strip())
            if words[i] == r"\\":
                found.append(row)
                row = []
                if words[i + 1 : i + 2] == ["["] and "]" in words[i + 2 : i + 8]:
                    i = words.index("]", i)
            start = i + 1
        i = tokens.partner.get(i, i) + 1
    row.append(tokens.text(start, len(words)).strip())
    return [*found, row] if row != [""] else found


@dataclass(frozen=True)
class TexTable:
    """An environment: its name, the LaTeX between name and body, and its cells."""

    name: str
    arguments: str
    rows: list[list[str]]

    @property
    def is_alignment(self) -> bool:
        """Whether its rows are lines of math, not of a matrix."""
        return bool(_ALIGNMENT.fullmatch(self.name))

    @property
    def columns(self) -> list[list[str]]:
        """The cells, column by column."""
        count = max(map(len, self.rows))
        return [[row[j] if j < len(row) else "" for row in self.rows] for j in range(count)]

    @property
    def brackets(self) -> list[str]:
        """The LaTeX of the brackets that the environment draws."""
        left, right = _BRACKETS.get(self.name.removesuffix("*"), (".", "."))
        return [rf"\left{left}", rf"\right{right}"]

    @property
    def tex(self) -> str:
        """The LaTeX of all of it."""
        body = r" \\ ".join(" & ".join(row) for row in self.rows)
        return rf"\begin{{{self.name}}}{self.arguments} {body} \end{{{self.name}}}"


def matrix(columns: list[list[str]]) -> str:
    """The LaTeX of a matrix without brackets."""
    return TexTable("matrix", "", [list(row) for row in zip(*columns, strict=True)]).tex


_FACTOR = re.compile(r"0?\.\d{1,9}|[1-9](?:\.\d{1,9})?")
_BRACKETS = {
    "bmatrix": ("[", "]"),
    "pmatrix": ("(", ")"),
    "Bmatrix": (r"\{", r"\}"),
    "vmatrix": ("|", "|"),
    "Vmatrix": (r"\|", r"\|"),
    "cases": (r"\{", "."),
}
_ALIGNMENT = re.compile(r"aligned|align\*?|split|alignedat|gathered|gather\*?|multline\*?|eqnarray")
_ENVIRONMENT = re.compile(
    r"\\begin\{([a-zA-Z]+\*?)\}((?:\[\w\])?(?:\{[^{}]*\})?)(.*)\\end\{\1\}", re.DOTALL
)
_WITH_ARGUMENT = {"array", "alignedat"}


def tex_environment(core: str) -> TexTable | None:
    """The table that an item is, if it is one."""
    core = core.strip()
    tokens = Tokens(core)
    name_start = tokens.partner.get(0, -1) + 1
    found = _ENVIRONMENT.fullmatch(core)
    if not found or tokens.partner.get(name_start) != len(tokens.words) - 1:
        return None
    name, arguments, body = found.groups()
    if name not in _WITH_ARGUMENT and arguments[-1:] == "}":  # the first cell is a group
        option = arguments[: arguments.index("{")]
        arguments, body = option, arguments.removeprefix(option) + body
    return TexTable(name, arguments, rows(body))
