r"""Cases and matrices."""

from __future__ import annotations

from report.autodiff.parser.latex.cursor import _plain_word
from report.autodiff.parser.latex.heads import _Heads
from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import Cases, Matrix, Part

_MATRICES = frozenset(f"{c}matrix" for c in ("", "p", "b", "B", "v", "V", "small")) | {
    "array",
    "psmallmatrix",
    "bsmallmatrix",
}
_IF = frozenset(
    {"if", "for", "when", "where", "", "if ", "case", "as", "provided", "whenever", "while"}
)


class _Environments(_Heads):
    """Cases and matrices."""

    def environment(self, token: Token) -> Part:
        depth, first = 1, self.at
        while self.at < len(self.tokens):
            depth += {"begin": 1, "end": -1}.get(self.tokens[self.at].kind, 0)
            if not depth:
                break
            self.at += 1
        else:
            raise self.error(f"\\begin{{{token.text}}} without its \\end{{{token.text}}}", token)
        closing = self.take()
        if closing.text != token.text:
            raise self.error(
                f"\\end{{{closing.text}}} does not close \\begin{{{token.text}}}", closing
            )
        name = token.text.rstrip("*")
        inner = self.without_columns([token, *self.tokens[first : self.at]])[1:-1]
        rows = self.rows(inner)
        if name in ("cases", "dcases", "rcases"):
            return self.cases(token, closing, rows)
        if name in _MATRICES:
            cells = tuple(tuple(self.inner(cell, token) for cell in row) for row in rows)
            return Matrix(
                token.start, closing.end, cells, {"vmatrix": "|", "Vmatrix": r"\|"}.get(name, "[")
            )
        if name in ("aligned", "split", "gathered", "alignedat"):
            if len(rows) == 1:
                return self.inner([t for row in rows for cell in row for t in cell], token)
            raise self.error(
                "these lines stand inside a formula; write them as lines of their own", token
            )
        raise self.error(f"the environment {token.text} is not known here", token)

    def without_columns(self, tokens: list[Token]) -> list[Token]:
        r"""Without {cc} after \begin{array} and [r] after \begin{bmatrix*}."""
        rest = list(tokens[1:])
        if rest and tokens[0].text in ("array", "alignedat") and rest[0].text == "{":
            while rest and rest.pop(0).text != "}":
                pass
        elif rest and rest[0].text == "[" and tokens[0].text.endswith("*"):
            while rest and rest.pop(0).text != "]":
                pass
        return [tokens[0], *rest]

    def rows(self, tokens: list[Token]) -> list[list[list[Token]]]:
        """Rows of cells; the distance after a row's end and a rule between rows mean nothing."""
        rows: list[list[list[Token]]] = [[[]]]
        depth = 0
        at = 0
        while at < len(tokens):
            token = tokens[at]
            at += 1
            depth += {"begin": 1, "end": -1}.get(token.kind, 0)
            if token.kind == "char":
                depth += {"{": 1, "}": -1}.get(token.text, 0)
            if depth == 0 and token.text in (r"\\", r"\cr") and token.kind == "cmd":
                if at < len(tokens) and tokens[at].text == "[" and not tokens[at].spaced:
                    while at < len(tokens) and tokens[at].text != "]":
                        at += 1
                    at += 1
                rows.append([[]])
            elif depth == 0 and token.text == "&" and token.kind == "char":
                rows[-1].append([])
            elif token.text not in (r"\hline", r"\midrule", r"\toprule", r"\bottomrule"):
                rows[-1][-1].append(token)
        if rows[-1] == [[]] and len(rows) > 1:
            rows.pop()
        return rows

    def cases(self, token: Token, closing: Token, rows: list[list[list[Token]]]) -> Part:
        read: list[tuple[Part, Part | None]] = []
        for row in rows:
            value = [t for t in row[0] if t.text not in (r"\quad", r"\qquad")]
            while value and value[-1].text in (",", ";", "."):
                value.pop()
            words = [t for cell in row[1:] for t in cell]
            if len(row) == 1:  # no &: the condition stands behind \text{if}
                cut = next(
                    (
                        i
                        for i, t in enumerate(value)
                        if (t.kind == "word" and t.font == "text") or t.text == ","
                    ),
                    None,
                )
                if cut is None:
                    raise self.error(
                        "each case is a value, & and its condition", value[0] if value else token
                    )
                value, words = value[:cut], value[cut:]
            read.append((self.inner(value, token), self.case_condition(words, token)))
        if any(condition is None for _, condition in read[:-1]):
            raise self.error("otherwise is the last of the cases", token)
        return Cases(token.start, closing.end, tuple(read))

    def case_condition(self, tokens: list[Token], near: Token) -> Part | None:
        kept = [t for t in tokens if t.text not in (r"\quad", r"\qquad")]
        while kept and kept[-1].text in (",", ";", "."):
            kept.pop()
        while kept and (
            kept[0].text in (",", ":") or (kept[0].kind == "word" and _plain_word(kept[0]) in _IF)
        ):
            kept.pop(0)
        if not kept:
            if any(_plain_word(t) in _IF - {""} for t in tokens if t.kind == "word") or not tokens:
                raise self.error("this case has no condition", near)
            return None
        said = " ".join(_plain_word(t) for t in kept if t.kind == "word")
        if all(t.kind == "word" for t in kept):
            if said in (
                "otherwise",
                "else",
                "other",
                "otherwise.",
                "in all other cases",
                "if otherwise",
            ):
                return None
            raise self.error(
                "this condition is in words; write it as a comparison, or otherwise", kept[0]
            )
        sub = type(self)(self.places, kept, self.is_name)
        sub.depth = self.depth
        return sub.whole_condition()
