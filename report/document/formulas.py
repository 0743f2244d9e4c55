"""Formulas, equations, words and lines of text as HTML: for `report.pdf`, or with MathML for a browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from report.autodiff.trace import Quantity
from report.derivation import Derivation, Equation
from report.derivation.latex.symbols import VALUE, symbol, tensor
from report.document.statement import inline
from report.typeset import aligned, breakable, fit, fitted_lines, formula, img, listing, page_number

# The text column is 160 mm wide; at 10 pt an em is 3.528 mm.
EM = 10 * 25.4 / 72
COLUMN = 160 / EM
MAX_ALIGNED = 12  # let-lines in one block

Piece = tuple[str, str]  # how a part of a line is set, and its text without breaks


def safe(written: str) -> Markup:
    """HTML of our own making: of formulas, of statements made safe, and the stylesheet."""
    return Markup(written)  # noqa: S704


@dataclass(frozen=True)
class Setter:
    """Sets formulas, words and lines: as MathML for a browser, or as images that only `report.pdf` knows."""

    browser: bool

    def tex(self, source: str) -> Markup:
        """A formula in running text."""
        return self._written(source, is_display=False)

    def display(self, source: str, width: float = COLUMN) -> Markup:
        """A formula in display style, broken where it is wider than `width` em."""
        return self._written(fit(source, width), is_display=True)

    def _written(self, source: str, *, is_display: bool) -> Markup:
        if self.browser:
            return safe(breakable(source, is_display))
        return safe(img(source, display=is_display))

    def sentence(self, text: str) -> Markup:
        """Plain words with $math$ between them."""
        return safe(inline(text, self.math))

    def math(self, source: str, is_display: bool) -> str:
        """A formula of a statement: in the line, or displayed between two paragraphs."""
        if is_display:
            return f'<p class="formula">{self.display(source)}</p>'
        wide = formula(source).width > COLUMN  # too wide for a line of text: broken over several
        return str(self.display(source) if wide else self.tex(source))

    def definitions(self, lines: Sequence[Equation], label: str, width: float = COLUMN) -> Markup:
        """What names stand for, one below the other, aligned at their equals signs."""
        left = max(width_of(line.left) for line in lines)
        kinds = ["eq defined first", *["eq defined"] * (len(lines) - 1)]
        return Markup("").join(
            self.equation(line, left, width, label="" if i else label, kind=kinds[i])
            for i, line in enumerate(lines)
        )

    def equation(
        self, eq: Equation, left: float, width: float = COLUMN, *, label: str = "", kind: str = "eq"
    ) -> Markup:
        """An equation: the left side once, symbols first, the numbers put in under them.

        Steps that fit on one line share it; a formula too wide for a line goes on in others. The left side
        is set `left` em wide, the label in the margin; `kind` is its class.
        """
        room = width - left
        if len(eq.numbers) <= 1:  # a plain result may follow its symbols on the same line
            steps = _packed([*eq.symbols, *eq.numbers], room)
        else:
            steps = [*_packed(eq.symbols, room), *_packed(eq.numbers, room)]
        rights = [line for step in steps for line in fitted_lines(step, room)]
        lines = [("" if i else eq.left, line) for i, line in enumerate(rights)]
        if not self.browser:
            return safe(aligned(lines, left, label=label, kind=kind))
        return Markup("").join(
            Markup(
                '<p class="{}"><span class="label">{}</span>'
                '<span class="left" style="width:{:.3f}em">{}</span>{}</p>'
            ).format(
                " ".join(
                    name
                    for name in kind.split()
                    if (name != "pair" or i == 0) and (name != "end" or i == len(lines) - 1)
                ),
                "" if i else label,
                left,
                before and self._written(before, is_display=True),
                self._written(after, is_display=True),
            )
            for i, (before, after) in enumerate(lines)
        )

    def spoken(self, source: str) -> str:
        """A formula's words for a browser, which tells MathML itself but in the head of a row; else nothing."""
        return formula(source).speech if self.browser else ""

    def function_lines(self, derivation: Derivation) -> list[Markup]:
        """The function as displayed lines: let-lines stand in blocks, aligned at their equals signs."""
        lines = [f"{line.left} &= {line.symbols[0]}" for line in derivation.formula]
        if len(lines) == 1:
            return [self.display(lines[0].replace("&=", "=", 1))]
        blocks = [lines[i : i + MAX_ALIGNED] for i in range(0, len(lines), MAX_ALIGNED)]
        return [
            self.display(r"\begin{aligned} " + r" \\ ".join(block) + r" \end{aligned}")
            for block in blocks
        ]

    def listing(
        self,
        lines: list[list[Piece]],
        *,
        numbered: bool = False,
        shaded: bool = False,
        paired: int = 0,
    ) -> Markup:
        """Lines in the mono font, with numbers outside of the text or on a ground of their own.

        Short ones below `paired` others may stand in two columns.
        """
        written = listing(lines, numbered, shaded=shaded, paired=paired, as_text=self.browser)
        return safe(written)

    def terminal(self, command: str, output: str = "", *, paired: bool = False) -> Markup:
        """A command and what it prints: where it is `paired` a table, whose short rows may stand in two columns."""
        printed = output.rstrip("\n").split("\n") if output else []
        lines = [[("k", command)], *([("", line)] for line in printed)]
        return self.listing(lines, shaded=True, paired=2 * paired)  # a command and a head

    def unhighlighted(self, text: str) -> Markup:
        """Text as it stands."""
        return self.listing([[("", line)] for line in text.split("\n")])

    def page_of(self, anchor: str) -> Markup:
        """The number of the page on which an anchor is; a page for a browser has none."""
        return Markup("") if self.browser else safe(page_number(anchor))


PDF, BROWSER = Setter(browser=False), Setter(browser=True)


def _packed(steps: Sequence[str], room: float) -> list[str]:
    """Lines of one or more steps, each step behind its equals sign."""
    lines: list[str] = []
    for step in steps:
        if lines and width_of(f"{lines[-1]} = {step}") <= room:
            lines[-1] += f" = {step}"
        else:
            lines.append(f"{{}}= {step}")
    return lines


def given(q: Quantity) -> str:
    """An input and its value, in LaTeX."""
    return f"{symbol(q.name, q.node.shape)} = {tensor(q.value, VALUE)}"


def width_of(source: str) -> float:
    """The width of a displayed formula in em."""
    return formula(source, display=True).width


def height_of(source: str) -> float:
    """The height of a displayed formula in em, from its lowest to its highest point."""
    drawing = formula(source, display=True)
    return drawing.height + drawing.depth
