"""LaTeX math taken apart, as far as it takes to break it over lines.

A row of math is read as a list of items: a letter with its scripts, a fraction, what stands
between two brackets, an operator, a relation. Nothing more is understood, and what is not known
stays whole. The time that it takes grows with the length and with nothing else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from report.typeset.tokens import BARS, BIG, OPENING, Tokens, word_set


class ItemKind(Enum):
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
    kind: ItemKind
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
_CLASSES = {ItemKind.RELATION: "mathrel", ItemKind.SUM: "mathbin", ItemKind.PRODUCT: "mathbin"}


def parse_items(tex: str) -> list[Item]:
    """The items of a row of math."""
    items: list[Item] = []
    operand = False  # whether a sum can go on here; else + and - are signs of what follows
    for item in _items(Tokens(tex), ""):
        sign = item.kind is ItemKind.SUM and not operand
        if item.kind is ItemKind.NAME and items and items[-1].tex in {"d", r"\mathrm{d}"}:
            items[-1] = replace(items[-1], kind=ItemKind.PREFIX)  # of a differential, dx
        items.append(replace(item, kind=ItemKind.PREFIX) if sign else item)
        if item.kind not in {ItemKind.SPACE, ItemKind.CLINGING}:
            operand = item.kind in {ItemKind.NAME, ItemKind.FACTOR, ItemKind.TEXT}
    return items


def join(items: list[Item]) -> str:
    """The LaTeX of a row of items, words of the same kind of text as one."""
    joined: list[Item] = []
    for item in items:
        last = joined[-1] if joined else None
        if last and last.kind is item.kind is ItemKind.TEXT and not last.scripts:
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
    tokens = Tokens(core)
    if not tokens or not (pairs := tokens.outer_pairs()):
        return [], []
    first = tokens.words[0]
    if first == r"\left" or first in OPENING | BARS or BIG.fullmatch(first):
        return _fence(tokens, pairs[0])
    if first not in _FRAMES:
        return [], []
    braces = [pair for pair in pairs if tokens.words[pair[0]] == "{"]
    return tokens.around(braces[_FRAMES[first] :])


def groups(scripts: str) -> tuple[list[str], list[str]]:
    """The groups among the scripts of an item, and the LaTeX around them, as frame() has it."""
    tokens = Tokens(scripts)
    pairs = [pair for pair in tokens.outer_pairs() if tokens.words[pair[0]] == "{"]
    return tokens.around(pairs) if pairs else ([], [])


def letters(item: Item) -> list[Item]:
    """A number or a word, letter by letter; any other item as it is."""
    if item.core.isdigit() or re.fullmatch(r"\d+\.\d+", item.core):
        parts = re.findall(r"\.?\d", item.core)
    elif word := re.fullmatch(
        r"(\\(?:text\w*|math\w*|operatorname\*?))\s*\{([^\\{}$]+)\}", item.core
    ):
        parts = [f"{word[1]}{{{letter}}}" for letter in word[2]]
    else:
        return [item]
    found = [Item(part, ItemKind.TEXT, colour=item.colour) for part in parts]
    return [*found[:-1], replace(found[-1], scripts=item.scripts)]


def _fence(tokens: Tokens, pair: tuple[int, int]) -> tuple[list[str], list[str]]:
    """What stands between two brackets, and these as brackets that grow."""
    start, end = pair
    words = tokens.words
    if words[start] == r"\left":
        return [tokens.text(start, start + 2), tokens.text(end, end + 2)], [
            tokens.text(start + 2, end)
        ]
    last = end - 1 if BIG.fullmatch(words[end - 1]) else end
    return [rf"\left{words[start]}", rf"\right{words[end]}"], [tokens.text(start + 1, last)]


# --- items ----------------------------------------------------------------------------------------

_KINDS = {
    word: kind
    for kind, words in {
        ItemKind.RELATION: r"= < > := \le \leq \ge \geq \ne \neq \approx \equiv \sim \simeq \cong"
        r" \propto \in \notin \subset \subseteq \supset \supseteq \to \mapsto \gets \rightarrow"
        r" \leftarrow \Rightarrow \Leftarrow \Leftrightarrow \implies \iff \coloneqq \leqslant"
        r" \geqslant \ll \gg \mathrel \xrightarrow \longrightarrow \Longrightarrow \doteq",
        ItemKind.SUM: r"+ - \pm \mp \cup \cap \vee \wedge \lor \land \oplus \ominus \setminus",
        ItemKind.PRODUCT: r"\cdot \times \odot \otimes \circ \ast * \star \div \bullet / \mathbin",
        ItemKind.PREFIX: r"\sum \prod \coprod \int \iint \iiint \oint \bigcup \bigcap \lim \limsup"
        r" \liminf \max \min \sup \inf \arg \det \gcd \dim \ker \sin \cos \tan \cot \sec \csc"
        r" \arcsin \arccos \arctan \sinh \cosh \tanh \coth \exp \log \ln \lg \operatorname"
        r" \operatorname* \partial \nabla \neg \lnot \forall \exists ( [ \{ \langle \displaystyle"
        r" \textstyle \scriptstyle \scriptscriptstyle 𝟙",
        ItemKind.PUNCTUATION: ", ;",
        ItemKind.GAP: r"\quad \qquad",
        ItemKind.SPACE: r"\, \: \; \! \> ~ \thinspace \medspace \thickspace \enspace \hspace \kern"
        r" \mkern",
        ItemKind.CLINGING: r"! ? . : \mid \colon | \| ) ] \} \rangle \tag \label \nonumber \notag \right"
        r" \limits \nolimits",
        ItemKind.TEXT: r"\text \textrm \textit \textbf \textsf \texttt \mbox",
        ItemKind.FACTOR: r"{ \left \begin \frac \dfrac \tfrac \cfrac \binom \sqrt \boxed \underbrace"
        r" \overbrace \overline \scalebox",
    }.items()
    for word in words.split()
} | {"\\ ": ItemKind.SPACE}

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
_FRAMES = dict.fromkeys(word_set(r"\frac \dfrac \tfrac \sqrt \boxed \underbrace \overbrace"), 0)
_FRAMES |= {r"\overset": 1, r"\underset": 1, "{": 0}

_DERIVATIVE = re.compile(r"\\[dt]?frac\s*\{\s*(?:d|\\mathrm\{d\}|\\partial)\s*(?:\^\{?\w\}?)?\s*\}")
_FENCE = re.compile(r"\{\s*\\left\b")
_PLAIN_TEXT = re.compile(r"(\\\w+)\s*\{([^\\{}$]*)\}")


def _items(tokens: Tokens, colour: str) -> Iterator[Item]:
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
            yield from _items(Tokens(core[1:-1]), colour)
        elif word == r"\textcolor" and not scripts:
            paint, _, painted = core.removeprefix(word).partition("}")
            yield from _painted(painted.strip(), paint.strip() + "}")
        elif _KINDS.get(word) is ItemKind.TEXT and (text := _PLAIN_TEXT.fullmatch(core + scripts)):
            for part in re.findall(r"\s*\S+\s*|\s+", text[2]):
                yield Item(f"{text[1]}{{{part}}}", ItemKind.TEXT, colour=colour)
        else:
            yield Item(core, _kind(word, core), scripts, colour)


def _painted(latex: str, colour: str) -> Iterator[Item]:
    """The items of coloured math, or one item of it all if nothing is added or compared there."""
    latex = latex[1:-1] if latex[:1] == "{" else latex
    items = list(_items(Tokens(latex), colour))
    if len(items) > _LONG or any(item.kind in _BETWEEN for item in items[1:]) or len(items) == 1:
        yield from items
    else:
        yield Item(latex, ItemKind.FACTOR, colour=colour)


_LONG = 8
_BETWEEN = {
    ItemKind.RELATION,
    ItemKind.SUM,
    ItemKind.PRODUCT,
    ItemKind.PUNCTUATION,
    ItemKind.GAP,
    ItemKind.TEXT,
}


def _kind(word: str, core: str) -> ItemKind:
    if word in {r"\overset", r"\underset", r"\stackrel"}:
        last = core.rstrip("}").rpartition("{")[2].strip()
        return ItemKind.RELATION if _KINDS.get(last) is ItemKind.RELATION else ItemKind.FACTOR
    if (word in OPENING | BARS and len(core) > len(word)) or BIG.fullmatch(word):
        return ItemKind.FACTOR
    if _DERIVATIVE.match(core):
        return ItemKind.PREFIX
    return _KINDS.get(word, ItemKind.FACTOR if word.isdigit() else ItemKind.NAME)


def _nucleus(tokens: Tokens, i: int) -> int:
    """The end of the item that starts at i, without its scripts."""
    words, partner = tokens.words, tokens.partner
    word = words[i]
    if BIG.fullmatch(word):
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


def _scripts(tokens: Tokens, end: int) -> int:
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
