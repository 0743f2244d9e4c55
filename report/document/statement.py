r"""Markdown with $math$ -> safe HTML.

Text stays text: raw HTML is shown as it was typed, links and images are shown as words with their
address, and nothing is ever loaded. Headings become bold paragraphs, since the document owns the levels
of its headings. Math is $inline$ or $$display$$; a dollar sign before a space, or one whose partner
stands before a digit ($5 to $6), is a dollar sign, and so is \$.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from report.errors import ReportError
from report.homework.characters import check_characters
from report.homework.keys import MAX_STATEMENT

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_core import StateCore
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

Math = Callable[[str, bool], str]

MAX_MARKUP = 1500  # a second or two of layout
MAX_MATH = 8000  # characters of all formulas of a text, as well
MAX_JOINED = 200  # pieces of markup without a space between them
LONG_WORD = 60  # signs; letters of a script without spaces are no word
MAX_LONG = 4000  # signs of all long words of a paragraph
MAX_QUOTES = 2000  # of a paragraph, as well
MAX_DEPTH = 60  # lists, quotations and emphasis inside each other
# Thai to Tibetan, Burmese, Khmer: lines break between letters, as in Chinese and Japanese
_UNSPACED = (range(0xE00, 0x1000), range(0x1000, 0x10A0), range(0x1780, 0x1800))
_QUOTES = re.compile(r"[\"']")
_SPACES = re.compile(r"[^\S\u00a0\u2007\u202f]+")  # at which lines break
_MATH = re.compile(
    r"\$\$(?P<display>(?:\\.|[^\\$])++)\$\$|\$(?!\s)(?P<inline>(?:\\.|[^\\$])++)(?<!\s)\$(?!\d)",
    re.DOTALL,
)
_BROKEN = re.compile(
    r"\n(abla|eq|eg|ewline|ot|otin|u)\b"
)  # \nabla as double quotes in TOML read it


def render(markdown: str, math: Math) -> str:
    """The HTML of a statement: blocks, for an element that may hold blocks.

    `math(tex, display)` gives the HTML of a formula: a phrase, or for display math a block.
    Raises ReportError for characters that cannot be shown, for nesting without end and for a text of
    more than `MAX_STATEMENT` characters; what `math` raises passes through.
    """
    return _html(_blocks(), markdown, math)


def inline(text: str, math: Math) -> str:
    """The HTML of a title: text and $math$ on one line, no other markup. Errors as in `render`."""
    return _html(_line(), text, math)


def _html(md: MarkdownIt, text: str, math: Math) -> str:
    if len(text) > MAX_STATEMENT:
        raise ReportError(f"the text has {len(text)} characters; {MAX_STATEMENT} are possible")
    check_characters(text, "the text")
    env = {"math": math}
    return (md.renderInline if md is _line() else md.render)(text, env).strip()


@functools.cache
def _blocks() -> MarkdownIt:
    from markdown_it import MarkdownIt

    md = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_DEPTH, "typographer": True})
    md.enable(["table", "smartquotes"])
    ended = ["paragraph", "blockquote", "list"]  # by a formula, without a blank line
    md.block.ruler.before("fence", "math_block", _math_block, {"alt": ended})
    md.core.ruler.push("paragraphs", _paragraphs)
    return _with_rules(md)


@functools.cache
def _line() -> MarkdownIt:
    from markdown_it import MarkdownIt

    md = MarkdownIt("zero", {"maxNesting": MAX_DEPTH, "typographer": True})
    md.enable(["escape", "smartquotes"])
    return _with_rules(md)


def _with_rules(md: MarkdownIt) -> MarkdownIt:
    md.inline.ruler.before("escape", "math_inline", _math_inline)
    md.core.ruler.before("smartquotes", "check", _check)
    for name, rule in _RENDER.items():
        md.add_render_rule(name, rule)
    return md


# ---------------------------------------------------------------- reading


def _math_inline(state: StateInline, silent: bool) -> bool:
    """The rule for $...$, and for $$...$$ within a line."""
    found = _MATH.match(state.src, state.pos) if state.src[state.pos] == "$" else None
    if found is None or not (found["display"] or found["inline"]).strip():
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content = found["display"] or found["inline"]
        token.markup = "$" if found["display"] is None else "$$"
    state.pos = found.end()
    return True


def _math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The rule for $$ at the beginning of a line up to $$ at the end of one, with no blank line between."""
    if state.is_code_block(start):
        return False
    lines: list[str] = []
    for number in range(start, end):
        line = state.src[
            state.bMarks[number] + state.tShift[number] : state.eMarks[number]
        ].rstrip()
        if number == start:
            if not line.startswith("$$"):
                return False
            line = line[2:]
        elif not line or state.sCount[number] < state.blkIndent:
            return False
        before, closing, after = line.partition("$$")
        lines.append(before)
        if not closing:
            continue
        content = "\n".join(lines)
        if after or not content.strip():
            return False
        if not silent:
            token = state.push("math_block", "math", 0)
            token.block, token.markup, token.content = True, "$$", content
            token.map = [start, number + 1]
            state.line = number + 1
        return True
    return False


def _check(state: StateCore) -> None:
    """Refuse what entities such as &#x202E; hide, and nesting that would lose text."""
    for token in state.tokens:
        if token.type == "inline" and len(_QUOTES.findall(token.content)) > MAX_QUOTES:
            raise ReportError(f"a paragraph has more than {MAX_QUOTES} quote marks")
        if token.level >= MAX_DEPTH - 1:
            raise ReportError("the text nests lists or quotations too deeply")
        for part in (token, *(token.children or ())):
            check_characters(part.content, "the text")
            _check_words(part.content if part.type != "inline" else "")
    _check_markup(state.tokens)


def _check_words(text: str) -> None:
    """Refuse long words over which line breaking would take seconds."""
    words = (word for word in _SPACES.split(text) if len(word) > LONG_WORD)
    signs = sum(not _ends_lines(c) for word in words for c in word)
    if signs > MAX_LONG:
        raise ReportError(
            f"the text has words of more than {LONG_WORD} signs with {signs} signs in all; {MAX_LONG} are possible"
        )


def _ends_lines(c: str) -> bool:
    """Whether lines break beside a letter, as in scripts without spaces."""
    return unicodedata.east_asian_width(c) in "WF" or any(ord(c) in r for r in _UNSPACED)


def _check_markup(tokens: Sequence[Token]) -> None:
    """Refuse what would take seconds to lay out: markup without end, or within one word."""
    blocks = sum(token.nesting >= 0 and token.type != "inline" for token in tokens)
    pieces = joined = math = 0
    for token in tokens:  # a line of code, and what is to be moved in it, takes time too
        if token.type in ("fence", "code_block"):
            pieces += token.content.count("\n") + token.content.count("\t") // 8
    for part in (part for token in tokens for part in token.children or ()):
        if part.type == "text":
            joined = 0 if _SPACES.search(part.content) else joined
        elif part.nesting >= 0:
            joined, pieces = joined + 1, pieces + 1
        if part.type in ("softbreak", "hardbreak"):
            joined = 0
        math += len(part.content) if part.type.startswith("math") else 0
        if joined > MAX_JOINED:
            raise ReportError(f"a word of the text has more than {MAX_JOINED} pieces of markup")
    if math > MAX_MATH:
        raise ReportError(
            f"the formulas of the text have {math} characters; {MAX_MATH} are possible"
        )
    if 3 * blocks + pieces > MAX_MARKUP:
        raise ReportError(
            f"the text has {blocks} paragraphs, items and cells and {pieces} pieces of markup and lines of code; "
            f"three times the first and the second may be {MAX_MARKUP} together"
        )


def _paragraphs(state: StateCore) -> None:
    """Take display math out of the paragraphs: a block of its own between two of them."""
    tokens: list[Token] = []
    for i, token in enumerate(state.tokens):
        if token.type == "inline" and i and state.tokens[i - 1].type == "paragraph_open":
            opening = tokens.pop()
            tokens += _split(opening, token, state.tokens[i + 1])
        elif not (token.type == "paragraph_close" and state.tokens[i - 1].type == "inline"):
            tokens.append(token)
    state.tokens = tokens


def _split(opening: Token, inline: Token, closing: Token) -> Iterator[Token]:
    pieces: list[list[Token]] = [[]]
    for child in inline.children or ():
        if child.type == "math_inline" and child.markup == "$$" and child.level == 0:
            pieces += [[child], []]
        else:
            pieces[-1].append(child)
    for number, piece in enumerate(pieces):
        if number % 2:
            piece[0].type = "math_block"
            yield piece[0]
        elif words := _trimmed(piece):
            yield opening
            yield inline.copy(children=words)
            yield closing


def _trimmed(piece: list[Token]) -> list[Token]:
    """Without the line breaks at its ends, and nothing when there are only blanks."""
    breaks = ("softbreak", "hardbreak")
    while piece and (
        piece[0].type in breaks or (piece[0].type == "text" and not piece[0].content.strip())
    ):
        piece = piece[1:]
    while piece and (
        piece[-1].type in breaks or (piece[-1].type == "text" and not piece[-1].content.strip())
    ):
        piece = piece[:-1]
    return piece


# ---------------------------------------------------------------- writing


def _formula(display: bool) -> Callable[..., str]:
    def rule(self: Any, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        tex = tokens[i].content.strip()
        if broken := _BROKEN.search(tex):
            raise ReportError(
                f"a formula has a line break before {broken[1]!r}; is it \\n{broken[1]}? LaTeX with "
                "backslashes stands in single quotes '...' or '''...'''"
            )
        return env["math"](tex, display) + ("\n" if display else "")

    return rule


def _fixed(text: str) -> Callable[..., str]:
    return lambda self, tokens, i, options, env: text


def _code(self: Any, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
    return f"<pre><code>{escape(tokens[i].content, quote=False)}</code></pre>\n"


def _image(self: Any, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
    return escape(tokens[i].content, quote=False) + _address(tokens[i].attrGet("src"))


def _link_close(self: Any, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
    opening = next(
        t for t in reversed(tokens[:i]) if t.type == "link_open" and t.level == tokens[i].level
    )
    return "" if opening.markup == "autolink" else _address(opening.attrGet("href"))


def _address(address: Any) -> str:
    return f' <span class="address">({escape(str(address), quote=False)})</span>' if address else ""


def _head_cell(self: Any, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
    tokens[i].attrSet("scope", "col")
    return self.renderToken(tokens, i, options, env)


_RENDER: dict[str, Callable[..., str]] = {
    "math_inline": _formula(display=False),
    "math_block": _formula(display=True),
    "heading_open": _fixed('<p class="heading"><strong>'),
    "heading_close": _fixed("</strong></p>\n"),
    "fence": _code,
    "code_block": _code,
    "image": _image,
    "link_open": _fixed(""),
    "link_close": _link_close,
    "th_open": _head_cell,
}
