"""LaTeX math taken apart, as far as it takes to break it over lines.

A row of math is read as a list of items: a letter with its scripts, a fraction, what stands
between two brackets, an operator, a relation. Nothing more is understood, and what is not known
stays whole. The time that it takes grows with the length and with nothing else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto


class Kind(Enum):
    """What an item is, as far as a line may end beside it."""

    RELATION = auto()
    SUM = auto()  # + and its like, between two operands
    PRODUCT = auto()  # a visible sign of multiplication
    PREFIX = auto()  # belongs to what follows: a function's name, a sum sign, a sign
    PUNCTUATION = auto()
    GAP = auto()  # a wide space, which separates statements
    SPACE = auto()  # a thin one, which belongs to both neighbours
    CLINGING = auto()  # belongs to what comes before: a factorial sign
    NAME = auto()  # a letter or word, whose arguments may follow in brackets
    FACTOR = auto()  # anything else that can be multiplied
    TEXT = auto()


@dataclass(frozen=True)
class Item:
    """One item: its LaTeX without scripts and colour, these two, and its kind."""

    core: str
    kind: Kind
    scripts: str = ""
    colour: str = ""

    @property
    def bracketed(self) -> bool:
        """Whether it may be the arguments of the name before it."""
        return bool(_BRACKETED.match(self.core))

    @property
    def tex(self) -> str:
        """The LaTeX of all of it."""
        bare = self.core + self.scripts
        if not self.colour:
            return bare
        painted = rf"\textcolor{self.colour}{{{bare}}}"
        return rf"\{_CLASSES[self.kind]}{{{painted}}}" if self.kind in _CLASSES else painted


_BRACKETED = re.compile(r"\{?\s*(?:\\left\b|[(\[]|\\[bB]igg?l?\b)")
_CLASSES = {Kind.RELATION: "mathrel", Kind.SUM: "mathbin", Kind.PRODUCT: "mathbin"}


def parse(tex: str) -> list[Item]:
    """The items of a row of math."""
    items = []
    operand = False  # whether a sum can go on here; else + and - are signs of what follows
    for item in _items(_Tokens(tex), ""):
        sign = item.kind is Kind.SUM and not operand
        items.append(replace(item, kind=Kind.PREFIX) if sign else item)
        if item.kind not in {Kind.SPACE, Kind.CLINGING}:
            operand = item.kind in {Kind.NAME, Kind.FACTOR, Kind.TEXT}
    return items


def join(items: list[Item]) -> str:
    """The LaTeX of a row of items, words of the same kind of text as one."""
    joined: list[Item] = []
    for item in items:
        last = joined[-1] if joined else None
        if last and last.kind is item.kind is Kind.TEXT and not last.scripts:
            command, words = last.core[:-1], item.core.partition("{")
            if last.colour == item.colour and command.startswith(f"{words[0]}{{"):
                joined[-1] = replace(item, core=command + words[2])
                continue
        joined.append(item)
    return " ".join(item.tex for item in joined)


def frame(core: str) -> tuple[list[str], list[str]]:
    """The math inside an item, and the LaTeX around it: one more piece than there is inside.

    Both are empty for an item with nothing inside that could be broken.
    """
    tokens = _Tokens(core)
    if not tokens or not (pairs := tokens.outer_pairs()):
        return [], []
    first = tokens.words[0]
    if first == r"\left" or first in _OPENING | _BARS or _BIG.fullmatch(first):
        return _fence(tokens, pairs[0])
    if first not in _FRAMES:
        return [], []
    braces = [pair for pair in pairs if tokens.words[pair[0]] == "{"]
    return _around(tokens, braces[_FRAMES[first] :])


def groups(scripts: str) -> tuple[list[str], list[str]]:
    """The groups among the scripts of an item, and the LaTeX around them, as frame() has it."""
    tokens = _Tokens(scripts)
    pairs = [pair for pair in tokens.outer_pairs() if tokens.words[pair[0]] == "{"]
    return _around(tokens, pairs) if pairs else ([], [])


def letters(item: Item) -> list[Item]:
    """A number or a word, letter by letter; any other item as it is."""
    if item.core.isdigit() or re.fullmatch(r"\d+\.\d+", item.core):
        parts = re.findall(r"\.?\d", item.core)
    elif word := re.fullmatch(r"(\\(?:text\w*|math\w*|operatorname\*?))\s*\{([^\\{}$]+)\}", item.core):
        parts = [f"{word[1]}{{{letter}}}" for letter in word[2]]
    else:
        return [item]
    found = [Item(part, Kind.TEXT, colour=item.colour) for part in parts]
    return [*found[:-1], replace(found[-1], scripts=item.scripts)]


def _around(tokens: "_Tokens", pairs: list[tuple[int, int]]) -> tuple[list[str], list[str]]:
    around, inside, at = [], [], 0
    for start, end in pairs:
        around.append(tokens.text(at, start + 1))
        inside.append(tokens.text(start + 1, end))
        at = end
    return [*around, tokens.text(at, len(tokens.words))], inside


def _fence(tokens: "_Tokens", pair: tuple[int, int]) -> tuple[list[str], list[str]]:
    """What stands between two brackets, and these as brackets that grow."""
    start, end = pair
    words = tokens.words
    if words[start] == r"\left":
        return [tokens.text(start, start + 2), tokens.text(end, end + 2)], [
            tokens.text(start + 2, end)
        ]
    last = end - 1 if _BIG.fullmatch(words[end - 1]) else end
    return [rf"\left{words[start]}", rf"\right{words[end]}"], [tokens.text(start + 1, last)]


def unscaled(latex: str) -> tuple[str, float]:
    r"""The formula inside ``\scalebox{factor}{$...$}``, if that is all there is, and the factor."""
    if not latex.startswith(r"\scalebox"):
        return latex, 1.0
    tokens = _Tokens(latex)
    around, inside = _around(tokens, tokens.outer_pairs())
    match around, inside:
        case [r"\scalebox{", "}{", "}"], [factor, formula] if _FACTOR.fullmatch(factor):
            if formula[:1] == formula[-1:] == "$":
                return formula[1:-1], float(factor)
    return latex, 1.0


def spaced(latex: str) -> str:
    """The same with room between the rows of matrices that hold fractions."""
    tokens = _Tokens(latex)
    starts = sorted(
        start
        for i, end in tokens.partner.items()
        if tokens.words[i] == r"\begin" and not _FRACTIONS.isdisjoint(tokens.words[i:end])
        for start in _row_starts(tokens, i, end)
    )
    pieces = [tokens.text(i, j) for i, j in zip([0, *starts], [*starts, len(tokens.words)], strict=True)]
    return _STRUT.join(pieces)


def _row_starts(tokens: "_Tokens", begin: int, end: int) -> Iterator[int]:
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
    tokens = _Tokens(body)
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
class Table:
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
        left, right = _MATRIX_BRACKETS.get(self.name.removesuffix("*"), (".", "."))
        return [rf"\left{left}", rf"\right{right}"]

    @property
    def tex(self) -> str:
        """The LaTeX of all of it."""
        body = r" \\ ".join(" & ".join(row) for row in self.rows)
        return rf"\begin{{{self.name}}}{self.arguments} {body} \end{{{self.name}}}"


def matrix(columns: list[list[str]]) -> str:
    """The LaTeX of a matrix without brackets."""
    return Table("matrix", "", [list(row) for row in zip(*columns, strict=True)]).tex


_FACTOR = re.compile(r"0?\.\d{1,9}|[1-9](?:\.\d{1,9})?")
_MATRIX_BRACKETS = {
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


def environment(core: str) -> Table | None:
    """The table that an item is, if it is one."""
    found = _ENVIRONMENT.fullmatch(core.strip())
    if not found:
        return None
    name, arguments, body = found.groups()
    if name not in _WITH_ARGUMENT and arguments[-1:] == "}":  # the first cell is a group
        option = arguments[: arguments.index("{")]
        arguments, body = option, arguments.removeprefix(option) + body
    return Table(name, arguments, rows(body))


# --- tokens ---------------------------------------------------------------------------------------

_TOKEN = re.compile(r"\\operatorname\*|\\[A-Za-z]+|\\.|:=|\s+|.", re.DOTALL)
_BIG = re.compile(r"\\[bB]igg?[lrm]?")


class _Tokens:
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
        delimiter = False
        for i, word in enumerate(self.words):
            if delimiter and not word.isspace():  # of \left or \right
                delimiter = False
            elif word in _STRICT:
                waiting.append((_STRICT[word], i))
                delimiter = word == r"\left"
            elif word in _STRICT_ENDS:
                while waiting and waiting[-1][0] in {")", *_BARS}:
                    waiting.pop()
                if waiting and waiting[-1][0] == word:
                    yield waiting.pop()[1], i
                delimiter = word == r"\right"
            elif word in _BARS and waiting and waiting[-1][0] == word:
                yield waiting.pop()[1], i
            elif word in _BARS:
                waiting.append((word, i))
            elif word in _OPENING:
                waiting.append((")", i))
            elif word in _CLOSING:
                unfinished = [closing for closing, _ in waiting[-2:]]
                while unfinished[-1:] != [")"] and unfinished and unfinished[-1] in _BARS:
                    waiting.pop()
                    unfinished.pop()
                if unfinished[-1:] == [")"]:
                    yield waiting.pop()[1], i


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


_STRICT = {"{": "}", r"\left": r"\right", r"\begin": r"\end"}
_STRICT_ENDS = frozenset(_STRICT.values())
_OPENING = _words(r"( [ \{ \lbrace \lbrack \langle \lfloor \lceil \lvert \lVert")
_CLOSING = _words(r") ] \} \rbrace \rbrack \rangle \rfloor \rceil \rvert \rVert")
_BARS = _words(r"| \| \Vert \vert")

# --- items ----------------------------------------------------------------------------------------

_KINDS = {
    word: kind
    for kind, words in {
        Kind.RELATION: r"= < > := \le \leq \ge \geq \ne \neq \approx \equiv \sim \simeq \cong"
        r" \propto \in \notin \subset \subseteq \supset \supseteq \to \mapsto \gets \rightarrow"
        r" \leftarrow \Rightarrow \Leftarrow \Leftrightarrow \implies \iff \coloneqq \leqslant"
        r" \geqslant \ll \gg \mathrel \xrightarrow \longrightarrow \Longrightarrow \doteq",
        Kind.SUM: r"+ - \pm \mp \cup \cap \vee \wedge \lor \land \oplus \ominus \setminus",
        Kind.PRODUCT: r"\cdot \times \odot \otimes \circ \ast * \star \div \bullet / \mathbin",
        Kind.PREFIX: r"\sum \prod \coprod \int \iint \iiint \oint \bigcup \bigcap \lim \limsup"
        r" \liminf \max \min \sup \inf \arg \det \gcd \dim \ker \sin \cos \tan \cot \sec \csc"
        r" \arcsin \arccos \arctan \sinh \cosh \tanh \coth \exp \log \ln \lg \operatorname"
        r" \operatorname* \partial \nabla \neg \lnot \forall \exists ( [ \{ \langle \displaystyle"
        r" \textstyle \scriptstyle \scriptscriptstyle",
        Kind.PUNCTUATION: ", ;",
        Kind.GAP: r"\quad \qquad",
        Kind.SPACE: r"\, \: \; \! \> ~ \thinspace \medspace \thickspace \enspace \hspace \kern"
        r" \mkern",
        Kind.CLINGING: r"! ? . : \mid \colon | \| ) ] \} \rangle \tag \label \nonumber \notag \right"
        r" \limits \nolimits",
        Kind.TEXT: r"\text \textrm \textit \textbf \textsf \texttt \mbox",
        Kind.FACTOR: r"{ \left \begin \frac \dfrac \tfrac \cfrac \binom \sqrt \boxed \underbrace"
        r" \overbrace \overline \scalebox",
    }.items()
    for word in words.split()
} | {"\\ ": Kind.SPACE}

_ARGUMENTS = {
    word: count
    for count, words in {
        1: r"\sqrt \mathbf \mathrm \mathit \mathsf \mathtt \mathbb \mathcal \mathscr \mathfrak"
        r" \mathds \boldsymbol \bm \operatorname \operatorname* \text \textrm \textit \textbf"
        r" \textsf \texttt \mbox \hat \bar \tilde \vec \dot \ddot \check \breve \widehat \widetilde"
        r" \overline \underline \overbrace \underbrace \overrightarrow \boxed \phantom \hphantom"
        r" \vphantom \smash \mathrel \mathbin \mathop \mathord \mathopen \mathclose \mathpunct"
        r" \mathinner \substack \cancel \bcancel \xcancel \sout \tag \label \hspace \mathrlap"
        r" \mathllap \rlap \llap \intertext \xrightarrow \color \pmod",
        2: r"\frac \dfrac \tfrac \cfrac \binom \overset \underset \stackrel \textcolor \colorbox"
        r" \scalebox \rule",
        3: r"\fcolorbox",
    }.items()
    for word in words.split()
}

# Items with math inside that may be broken, and how many of their groups come before it.
_FRAMES = dict.fromkeys(_words(r"\frac \dfrac \tfrac \sqrt \boxed \underbrace \overbrace"), 0)
_FRAMES |= {r"\overset": 1, r"\underset": 1, "{": 0}

_DERIVATIVE = re.compile(r"\\[dt]?frac\s*\{\s*(?:d|\\mathrm\{d\}|\\partial)\s*(?:\^\{?\w\}?)?\s*\}")
_FENCE = re.compile(r"\{\s*\\left\b")
_PLAIN_TEXT = re.compile(r"(\\\w+)\s*\{([^\\{}$]*)\}")


def _items(tokens: _Tokens, colour: str) -> Iterator[Item]:
    i = tokens.skip_spaces(0)
    while i < len(tokens.words):
        word = tokens.words[i]
        end = _nucleus(tokens, i)
        if word.isdigit():
            while tokens.number_goes_on(end):
                end += 1
        core = tokens.text(i, end)
        i = _scripts(tokens, end)
        scripts = tokens.text(end, i).strip()
        i = tokens.skip_spaces(i)
        if word == r"\color":
            colour = core.removeprefix(word).strip()
        elif word == "{" and not scripts and not _FENCE.match(core):
            yield from _items(_Tokens(core[1:-1]), colour)
        elif word == r"\textcolor" and not scripts:
            paint, _, painted = core.removeprefix(word).partition("}")
            yield from _painted(painted.strip(), paint.strip() + "}")
        elif _KINDS.get(word) is Kind.TEXT and (text := _PLAIN_TEXT.fullmatch(core + scripts)):
            for part in re.findall(r"\s*\S+\s*|\s+", text[2]):
                yield Item(f"{text[1]}{{{part}}}", Kind.TEXT, colour=colour)
        else:
            yield Item(core, _kind(word, core), scripts, colour)


def _painted(latex: str, colour: str) -> Iterator[Item]:
    """The items of coloured math, or one item of it all if nothing is added or compared there."""
    latex = latex[1:-1] if latex[:1] == "{" else latex
    items = list(_items(_Tokens(latex), colour))
    if len(items) > _LONG or any(item.kind in _BETWEEN for item in items[1:]) or len(items) == 1:
        yield from items
    else:
        yield Item(latex, Kind.FACTOR, colour=colour)


_LONG = 8
_BETWEEN = {Kind.RELATION, Kind.SUM, Kind.PRODUCT, Kind.PUNCTUATION, Kind.GAP, Kind.TEXT}


def _kind(word: str, core: str) -> Kind:
    if word in {r"\overset", r"\underset", r"\stackrel"}:
        last = core.rstrip("}").rpartition("{")[2].strip()
        return Kind.RELATION if _KINDS.get(last) is Kind.RELATION else Kind.FACTOR
    if (word in _OPENING | _BARS and len(core) > len(word)) or _BIG.fullmatch(word):
        return Kind.FACTOR
    if word == "d" or _DERIVATIVE.match(core):
        return Kind.PREFIX
    return _KINDS.get(word, Kind.FACTOR if word.isdigit() else Kind.NAME)


def _nucleus(tokens: _Tokens, i: int) -> int:
    """The end of the item that starts at i, without its scripts."""
    words, partner = tokens.words, tokens.partner
    word = words[i]
    if _BIG.fullmatch(word):
        i = tokens.skip_spaces(i + 1)
    if i in partner:
        end = partner[i] + 1
        if word in {r"\left", r"\begin"}:  # a delimiter, or the name of the environment
            end = tokens.skip_spaces(end)
            end = partner.get(end, end) + 1
        return min(end, len(words))
    end = i + 1
    known = word in _ARGUMENTS
    if known and words[end : end + 1] == ["["]:
        end = partner.get(end, end) + 1
    for _ in range(_ARGUMENTS.get(word, 0)):
        start = tokens.skip_spaces(end)
        end = _nucleus(tokens, start) if start < len(words) else start
    if not known and word not in _KINDS and re.fullmatch(r"\\[A-Za-z]+", word):
        while words[end : end + 1] == ["{"] and end in partner:  # arguments, perhaps
            end = partner[end] + 1
    return min(end, len(words))


def _scripts(tokens: _Tokens, end: int) -> int:
    """The end of the scripts that follow an item."""
    while True:
        i = tokens.skip_spaces(end)
        word = tokens.words[i] if i < len(tokens.words) else ""
        if word in {"'", r"\limits", r"\nolimits"}:
            end = i + 1
        elif word and word in "_^":
            start = tokens.skip_spaces(i + 1)
            end = _nucleus(tokens, start) if start < len(tokens.words) else start
        else:
            return end
