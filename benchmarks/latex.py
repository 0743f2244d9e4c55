r"""The report through pdflatex: `python -m benchmarks.latex HOMEWORK.toml FOLDER [NAME=VALUE]...`.

Writes FOLDER/report.tex and runs pdflatex until its page numbers stand still,
as any author does.
"""

import re
import subprocess
import sys
from pathlib import Path

from benchmarks import content
from report.homework.homework import Homework

_SIGNS = {
    "−": "-", "–": "--", "σ": r"$\sigma$", "∂": r"$\partial$", "×": r"$\times$", "‖": r"$\|$",
    "·": r"$\cdot$", "²": "$^2$", "Σ": r"$\Sigma$", "⊙": r"$\odot$", "𝟎": "0", "≈": r"$\approx$",
    "…": r"\dots{}", "’": "'", "“": "``", "”": "''", "√": r"$\surd$", "≤": r"$\le$", "ᵀ": "$^T$",
    "\u2009": r"\,", "⊤": "$^T$", "√‾": r"$\surd$", "μ": r"$\mu$", "≥": r"$\ge$", "⋅": r"$\cdot$", "⋮": r"$\vdots$",
    **{c: f"$^{d}$" for c, d in zip("⁰¹³⁴⁵⁶⁷⁸⁹⁻", "013456789-", strict=True)},
}  # fmt: skip
_COLOURS = {"#0072B2": "value", "#D55E00": "gradient", "#595959": "grey", "#000000": "black"}
_PREAMBLE = r"""\documentclass[10pt,%(paper)spaper]{article}
\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}\usepackage{lmodern}
\usepackage[left=30mm,right=20mm,top=21mm,bottom=19mm]{geometry}
\usepackage{amsmath,amssymb,mathtools,booktabs,longtable,xcolor,fancyhdr,tikz,listings}
\usepackage[hidelinks]{hyperref}
\definecolor{value}{HTML}{0072B2}\definecolor{gradient}{HTML}{D55E00}
\definecolor{grey}{HTML}{595959}\definecolor{fill}{HTML}{F2F2F2}
\setlength{\parindent}{0pt}\setlength{\parskip}{4pt}\allowdisplaybreaks
\pagestyle{fancy}\fancyhf{}\lhead{%(title)s}\rhead{%(author)s}
\cfoot{Page \thepage\ of \pageref{LastPage}}
\lstset{basicstyle=\ttfamily\footnotesize,language=Python,numbers=left,numberstyle=\tiny\color{gray},
columns=fullflexible,keepspaces,breaklines,keywordstyle=\bfseries,commentstyle=\color{gray},
stringstyle=\color{gray},showstringspaces=false,extendedchars=true,inputencoding=utf8}
\lstdefinestyle{terminal}{language={},numbers=none,backgroundcolor=\color{fill}}
\title{%(title)s}\author{%(author)s}\date{%(due)s}
\AtEndDocument{\label{LastPage}}
\begin{document}\maketitle
"""


def write(work: Homework) -> str:
    """The document."""
    heading = {
        "paper": work.paper,
        "title": text(work.title),
        "author": text(work.author),
        "due": text(work.due_text),
    }
    return "\n\n".join([_PREAMBLE % heading, *map(block, content.blocks(work)), r"\end{document}"])


def block(item: content.Block) -> str:
    match item:
        case content.Heading(title, level):
            return rf"\{'sub' * (level - 1)}section*{{{text(title)}}}"
        case content.Paragraph(words):
            return mixed(words)
        case content.Formulas(lines, label, boxed):
            body = r"\\".join(rf"{math(left)} &= {math(right)}" for left, right in lines)
            if boxed:
                return rf"\[\boxed{{\begin{{aligned}}{body}\end{{aligned}}}}\]"
            if not lines[0][0]:
                return rf"\[{math(lines[0][1])}\]"
            tag = rf"\tag*{{\textit{{{label}}}}}" if label else ""
            return rf"\begin{{align*}}{body}{tag}\end{{align*}}"
        case content.Table(head, rows, small):
            columns = "l" * (len(head) - 1) + "r"
            body = "".join(" & ".join(map(mixed, row)) + r"\\" + "\n" for row in rows)
            size = r"{\scriptsize\setlength{\tabcolsep}{3pt}" if small else "{"
            top = rf"\toprule {' & '.join(head)}\\ \midrule\endhead"
            return (
                rf"{size}\begin{{longtable}}{{{columns}}}{top} {body}\bottomrule\end{{longtable}}}}"
            )
        case content.Drawing():
            return _drawing(item)
        case content.Listing(_, source, numbered):
            style = "" if numbered else "[numbers=none,language={}]"
            return f"\\begin{{lstlisting}}{style}\n{_ascii(source)}\n\\end{{lstlisting}}"
        case content.Terminal(command, output):
            shown = _ascii(f"{command}\n{output}".rstrip())
            begin, end = r"\begin{lstlisting}[style=terminal]", r"\end{lstlisting}"
            return f"{begin}\n{shown}\n{end}"
    raise TypeError(item)


def text(words: str) -> str:
    """Plain words, escaped."""
    escaped = re.sub(r"([#$%&_{}])", r"\\\1", words.replace("\\", r"\textbackslash{}"))
    escaped = escaped.replace("^", r"\^{}").replace("~", r"\~{}")
    return "".join(_SIGNS.get(c, c) for c in escaped)


def mixed(words: str) -> str:
    """Words with $math$ between them."""
    parts = re.split(r"(\$[^$]+\$|\\quad)", words)
    return "".join(
        f"${math(p[1:-1])}$" if p[:1] == "$" else p if p == r"\quad" else text(p) for p in parts
    )


def math(tex: str) -> str:
    for code, name in _COLOURS.items():
        tex = tex.replace(code, name)
    return tex.replace("𝟎", r"\mathbf{0}").replace("𝟙", r"\mathbf{1}").replace("𝛁", r"\nabla ")


def _ascii(code: str) -> str:
    """Code without the signs that listings cannot read in UTF-8."""
    return "".join(c if c.isascii() else {"−": "-", "×": "x"}.get(c, "?") for c in code)


def _drawing(item: content.Drawing) -> str:
    parts = [r"\begin{center}\begin{tikzpicture}[x=1pt,y=-1pt]"]
    for steps, width, colour, fill in item.paths:
        path = ""
        for kind, points in steps:
            places = [f"({x:.2f},{y:.2f})" for x, y in points]
            if kind == "Z":
                path += " -- cycle"
            elif kind == "C":
                path += f" .. controls {places[0]} and {places[1]} .. {places[2]}"
            else:
                path += f" -- {places[0]}" if kind == "L" else f" {places[0]}"
        look = f"line width={width}pt,draw={_COLOURS.get(colour, 'black')}"
        look += f",fill={_COLOURS.get(fill, 'fill')}" if fill else ""
        parts.append(rf"\path[{look}]{path};")
    for ink in item.texts:
        face = {"bold": r"\bfseries ", "italic": r"\itshape "}.get(ink.face, "")
        look = rf"\fontsize{{{ink.size:.1f}}}{{{ink.size:.1f}}}\selectfont {face}"
        colour = _COLOURS.get(ink.colour, "black")
        place = f"({ink.x:.2f},{ink.y:.2f})"
        parts.append(
            rf"\node[anchor=base west,inner sep=0,text={colour}] at {place} {{{look}{text(ink.text)}}};"
        )
    return "\n".join([*parts, r"\end{tikzpicture}\end{center}", text(item.caption)])


def typeset(folder: Path) -> None:
    """Run pdflatex until what it writes for itself stands still."""
    before = b""
    for _ in range(4):
        command = ["pdflatex", "-interaction=batchmode", "-halt-on-error", "report.tex"]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        if done.returncode:
            log = (folder / "report.log").read_text(encoding="utf-8", errors="replace")
            sys.exit(log[log.find("\n!") :][:600])
        now = b"".join((folder / f"report.{kind}").read_bytes() for kind in ("aux", "out"))
        if now == before:
            return
        before = now


def build(work: Homework, folder: Path) -> None:
    """Compute, write and set the report."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("aux", "out", "pdf"):
        (folder / f"report.{kind}").unlink(missing_ok=True)
    (folder / "report.tex").write_text(write(work), encoding="utf-8")
    typeset(folder)


def main() -> None:
    homework, folder, *overrides = sys.argv[1:]
    build(content.read(homework, overrides), Path(folder))


if __name__ == "__main__":
    main()
