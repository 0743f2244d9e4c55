"""The report through Typst: `python -m benchmarks.typst HOMEWORK.toml FOLDER [NAME=VALUE]...`.

Writes FOLDER/report.typ and has Typst's library set it in this process, with its own fonts only, which
is its quickest way.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import content, peers
from report.homework.homework import Homework

_COLOURS = {"#0072B2": "value", "#D55E00": "gradient", "#595959": "grey", "#000000": "black"}
_PREAMBLE = """\
#let value = rgb("#0072B2")
#let gradient = rgb("#D55E00")
#let grey = rgb("#595959")
#let lined(body) = {{
  show raw.line: it => {{
    place(dx: -2.2em, text(size: 0.8em, fill: gray, str(it.number)))
    it.body
  }}
  body
}}
#set document(title: {title}, author: {author}, date: none)
#set page(paper: "{paper}", margin: (left: 30mm, right: 20mm, top: 21mm, bottom: 19mm),
  header: [{heading} #h(1fr) {name}],
  footer: context [#h(1fr) Page #counter(page).display() of #counter(page).final().first()])
#set text(size: 10pt)
#set par(spacing: 0.9em)
#show raw: set text(size: 8pt)
#show math.equation.where(block: true): set align(left)
#text(size: 22pt, weight: "bold", {title})

{name} #h(1em) {due}
"""


def write(work: Homework) -> str:
    """The document."""
    head = _PREAMBLE.format(
        title=string(work.title),
        author=string(work.author),
        paper={"a4": "a4", "letter": "us-letter"}[work.paper],
        heading=text(work.title),
        name=text(work.author),
        due=text(work.due_text),
    )
    return "\n\n".join([head, *map(block, content.blocks(work))])


def block(item: content.Block) -> str:
    match item:
        case content.Heading(title, level):
            return f"{'=' * level} {text(title)}"
        case content.Paragraph(words):
            return mixed(words)
        case content.Formulas(lines, label, boxed):
            if not lines[0][0]:
                return f"#align(center)[$ {math(lines[0][1])} $]"
            body = " \\ ".join(f"{math(left)} &= {math(right)}" for left, right in lines)
            if boxed:
                return f"#box(stroke: 0.8pt, inset: 6pt)[$ {body} $]"
            named = f"#place(dx: -22mm, dy: 0.8em)[_{label}_]" if label else ""
            return f"{named}$ {body} $"
        case content.Table(head, rows, small):
            cells = "".join(f"[{mixed(cell)}], " for row in rows for cell in row)
            heads = ", ".join(f"[*{text(h)}*]" for h in head)
            size = "#set text(size: 7pt)\n" if small else ""
            made = f"table(columns: {len(head)}, stroke: none, table.header({heads}), {cells})"
            return f"#[{size}#{made}]"
        case content.Drawing():
            return _drawing(item)
        case content.Listing(_, source, numbered):
            code = f"raw(block: true, lang: {string('python' if numbered else 'toml')}, {string(source)})"
            return f"#{'lined(' if numbered else ''}{code}{')' if numbered else ''}"
        case content.Terminal(command, output):
            shown = string(f"{command}\n{output}".rstrip())
            look = 'fill: rgb("#f4f4f2"), inset: 5pt, width: 100%, breakable: true'
            return f"#block({look}, raw(block: true, {shown}))"
    raise TypeError(item)


def string(words: str) -> str:
    """A string of Typst's code."""
    escaped = words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def text(words: str) -> str:
    """Plain words, escaped."""
    return re.sub(r"([\\#$*_`<>@\[\]~=/+-])", r"\\\1", words)


def mixed(words: str) -> str:
    """Words with $math$ between them."""
    parts = re.split(r"(\$[^$]+\$|\\quad)", words)
    return "".join(
        f"${math(p[1:-1])}$" if p[:1] == "$" else "#h(1em)" if p == r"\quad" else text(p)
        for p in parts
    )


def _drawing(item: content.Drawing) -> str:
    parts = []
    for steps, width, colour, fill in item.paths:
        path = []
        for kind, points in steps:
            places = [f"({x:.2f}pt, {y:.2f}pt)" for x, y in points]
            if kind == "M":
                path.append(f"curve.move({places[0]})")
            elif kind == "L":
                path.append(f"curve.line({places[0]})")
            elif kind == "C":
                path.append(f"curve.cubic({', '.join(places)})")
            else:
                path.append("curve.close()")
        look = f"stroke: {width}pt + {_COLOURS.get(colour, 'black')}"
        look += f', fill: rgb("{fill}")' if fill else ""
        parts.append(f"#place(curve({look}, {', '.join(path)}))")
    for ink in item.texts:
        look = f"size: {ink.size:.1f}pt, fill: {_COLOURS.get(ink.colour, 'black')}"
        look += {"bold": ', weight: "bold"', "italic": ', style: "italic"'}.get(ink.face, "")
        look += ', bottom-edge: "baseline", top-edge: "baseline"'
        where = f"dx: {ink.x:.2f}pt, dy: {ink.y:.2f}pt"
        parts.append(f"#place({where}, text({look}, {string(ink.text)}))")
    size = f"width: {item.width:.1f}pt, height: {item.height:.1f}pt"
    return f"#align(center, box({size})[{''.join(parts)}])\n\n{text(item.caption)}"


# --- LaTeX math in Typst's ------------------------------------------------------------------------

_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|[0-9.]*[0-9]|\s+|.", re.DOTALL)
_PLAIN = {
    "partial": "∂", "cdot": "⋅", "odot": "⊙", "times": "×", "sigma": "σ", "sum": "∑", "colon": ":",
    "top": "⊤", "quad": "quad", "|": "‖", "dots": "…", "cdots": "⋯", "vdots": "⋮", "ddots": "⋱",
    ",": "thin", ";": "thick", "!": "", "qquad": "wide", "pi": "π", "prod": "∏", "mathcal": "cal",
    "nabla": "∇", "le": "≤", "ge": "≥", "in": "∈", "neq": "≠", "infty": "∞", "ln": "ln", "{": "{",
    "}": "}", " ": "space", "mid": "bar.v", "%": "%", "alpha": "α", "beta": "β", "gamma": "γ",
    "delta": "δ", "epsilon": "ε", "theta": "θ", "lambda": "λ", "mu": "μ", "otimes": "⊗",
}  # fmt: skip
_STYLED = {
    "mathbf": "bold(upright({}))", "boldsymbol": "bold({})", "mathrm": "upright({})",
    "sqrt": "sqrt({})", "hat": "hat({})", "bar": "macron({})", "tilde": "tilde({})",
    "mathcal": "cal({})", "operatorname": "op(upright({}))",
}  # fmt: skip
_NAMED = frozenset({"sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "ln", "max", "min"})
_ESCAPED = frozenset('/"#$*~`,;&')
_ENVIRONMENTS = {"bmatrix": '"["', "pmatrix": '"("', "bmatrix*": '"["', "cases": '"{"'}


def math(tex: str) -> str:
    """LaTeX of the kind that the report writes, in Typst's notation."""
    return " ".join(_Reader(tex).upto(None)).strip()


class _Reader:
    def __init__(self, tex: str) -> None:
        self.tokens = _TOKEN.findall(tex)
        self.place = 0

    def next(self) -> str | None:
        while self.place < len(self.tokens):
            token: str = self.tokens[self.place]
            self.place += 1
            if not token.isspace():
                return token
        return None

    def upto(self, *ends: str | None) -> Iterator[str]:
        """What stands before one of these tokens, which is taken too."""
        while (token := self.next()) not in ends:
            if token is None:
                raise ValueError(f"{''.join(self.tokens)!r} does not end in {ends}")
            yield self.one(token)

    def argument(self) -> str:
        token = self.next() or ""
        return " ".join(self.upto("}")) if token == "{" else self.one(token)

    def raw(self) -> str:
        """A braced argument as it stands."""
        end = self.tokens.index("}", self.place)
        found = "".join(self.tokens[self.place + 1 : end])
        self.place = end + 1
        return found

    def one(self, token: str) -> str:
        if token == "{":
            return " ".join(self.upto("}")) or "zws"
        if token in "_^":
            return f"{token}({self.argument()})"
        if token[0] != "\\":
            return f"\\{token}" if token in _ESCAPED else token
        name = token[1:]
        if name == "frac":
            return f"frac({self.argument()}, {self.argument()})"
        if name == "textcolor":
            return f"#text(fill: {_COLOURS[self.raw()]})[${self.argument()}$]"
        if name in ("text", "mathrm"):
            return f'upright("{self.raw()}")'
        if name in _STYLED:
            return _STYLED[name].format(self.argument())
        if name in ("left", "right"):
            return self.fence(name)
        if name == "begin":
            return self.matrix()
        return name if name in _NAMED else _PLAIN[name]

    def fence(self, side: str) -> str:
        mark = self.next() or ""
        shown = {".": "", "\\|": "‖", "|": "|", "\\{": "{", "\\}": "}"}.get(mark, mark)
        if side == "right":
            return shown
        inside = " ".join(self.upto("\\right"))
        close = self.fence("right")
        return f"lr({shown} {inside} {close})" if shown and close else f"{shown} {inside} {close}"

    def matrix(self) -> str:
        name = self.raw()
        if self.tokens[self.place] == "[":
            self.place = self.tokens.index("]", self.place) + 1
        rows: list[list[str]] = [[]]
        cell: list[str] = []
        while (token := self.next()) != "\\end":
            assert token is not None
            if token in ("&", "\\\\"):
                rows[-1].append(" ".join(cell))
                cell = []
                if token == "\\\\":
                    rows.append([])
            else:
                cell.append(self.one(token))
        rows[-1].append(" ".join(cell))
        self.raw()
        body = "; ".join(", ".join(row) for row in rows)
        return f"mat(delim: {_ENVIRONMENTS[name]}, align: #right, {body})"


def main() -> None:
    homework, folder, *overrides = sys.argv[1:]
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    source = place / "report.typ"
    source.write_text(write(content.read(homework, overrides)), encoding="utf-8")
    peers.lend("typst")
    import typst

    typst.compile(str(source), output=str(place / "report.pdf"), ignore_system_fonts=True)


if __name__ == "__main__":
    main()
