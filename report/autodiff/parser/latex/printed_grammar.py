"""The grammar of printed formulas: that of LaTeX, and derivatives as names."""

from __future__ import annotations

from dataclasses import replace

from report.autodiff.parser.latex.grammar import _Grammar
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import Derivative, Letter, Part, Script
from report.errors import ReportError


class _PrintedGrammar(_Grammar):
    """Derivatives as names."""

    def atom(self) -> Part:
        token = self.token
        if token is not None and token.text == r"\frac" and token.kind == "cmd":
            mark = self.at
            self.at += 1
            found = self.derivative(token)
            if found is not None:
                return found
            self.at = mark
        return super().atom()

    def derivative(self, token: Token) -> Part | None:
        sides = []
        for _ in range(2):
            if self.next != "{":
                return None
            sides.append(self.braced(self.take()))
            if not sides[-1] or sides[-1][0].text != r"\partial":
                return None
        by = self.inner(sides[1][1:], token)
        if not isinstance(by.base if isinstance(by, Script) else by, Letter):
            raise self.error("a derivative is one by a name", token)
        return Derivative(token.start, self.tokens[self.at - 1].end, sides[0][1:], by)

    def between(self, opening: Token, kind: str) -> Part:
        if opening.text != ".":
            return super().between(opening, kind)
        end = next((i for i in range(self.at, len(self.tokens)) if self.tokens[i].side == "R"), 0)
        inner = self.inner(self.tokens[self.at : end], opening)
        self.at = end + 1
        if not isinstance(inner, Derivative) or self.next != "_":
            raise self.error("a bar stands behind a derivative", opening)
        return replace(inner, through=self.script(self.take()))

    def bare_argument(self, name: str) -> Part:
        """A bracket behind log softmax(z)_k is a factor of its own."""
        mark = self.at
        try:
            return super().bare_argument(name)
        except ReportError:
            self.at = mark
            return self.factor()
