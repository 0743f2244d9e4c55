"""Documents for the tests of the PDF backend, and a corpus of formulas."""

import base64
from functools import cache

from report import pdf, typeset

STYLE = """
@page { size: A4; margin: 25mm }
body { font: 11pt/15pt "STIX Two Text" }
pre, code { font: 9pt/12pt "Source Code Pro" }
table { border-collapse: collapse }
td, th { padding: 2pt 6pt }
.contents a::after { content: target-counter(attr(href), page); float: right }
.figure { position: relative }
.figure a { position: absolute; left: 20pt; top: 20pt; width: 60pt; height: 20pt }
"""

SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="300" height="90" viewBox="0 0 300 90">
<rect x="10" y="10" width="120" height="50" fill="none" stroke="#000000"/>
<path d="M 130 35 L 260 35" stroke="#000000" fill="none"/>
<g transform="translate(20 40)"><text style="font-size: 12px; font-family: 'STIX Two Text'"
>Sigmoid gate</text></g>
<text x="200" y="30" text-anchor="middle" font-size="10" font-family="STIX Two Math"
fill="#0072B2">∂f/∂x = −0.25</text>
<text x="140" y="60" font-size="9" font-family="Source Code Pro">q1 ≤ q2</text></svg>"""

ATTACHMENTS = (
    pdf.Attachment("trace.json", b'{"version": 1}', "Data", "application/json", "The trace"),
    pdf.Attachment("homework.toml", b"x1 = -1\n", "Source", "application/toml", "The homework"),
    pdf.Attachment("program.py", b"print(1)\n", "Supplement", "text/x-python", "A program"),
)


@cache
def rendered() -> bytes:
    """The PDF of a document with everything that a report holds."""
    return pdf.render(everything(), attachments=ATTACHMENTS)


def figure(alt: str = "A graph with two gates") -> str:
    """The SVG above as an image."""
    data = base64.b64encode(SVG.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{alt}">'


def page(body: str, style: str = "", margins: str = "") -> str:
    """A document with this body; `margins` are attributes that say what stands in its margins."""
    return (
        '<!DOCTYPE html><html lang="en"><head><title>Homework 1</title>'
        f'<meta name="author" content="Ada Lovelace"><style>{STYLE}{style}</style></head>'
        f"<body{margins}>{body}</body></html>"
    )


@cache
def everything() -> str:
    """A document with everything that a report holds."""
    gradient = typeset.img(r"\frac{\partial f}{\partial W}")
    sum_ = typeset.img(r"x_1 w_1 + \frac{a}{b}")
    aligned = typeset.img(
        r"\begin{aligned} a &= \cancel{b} + c \\ &= \textcolor{#D55E00}{d} \end{aligned}", True
    )
    img = typeset.img
    rows = "".join(
        f'<tr><th scope="row">q{i}</th><td>{img(f"q_{i}")}</td><td>−0.{i:02}</td></tr>'
        for i in range(1, 60)
    )
    code = "".join(
        f"<span><b>def</b> f{i}(x):  <i># gate</i></span>\n    return x * {i}\n" for i in range(50)
    )
    body = f"""
<h1>Homework {gradient}</h1>
<ul class="contents"><li><a href="#q1">Question 1</a></li>
<li><a href="#q2">Question <b>2</b> {img("x^2")}</a>
<ul><li>nested</li><li>further<ol><li>deeper</li></ol></li></ul></li></ul>
<p>A formula {sum_} in text, <a href="https://example.org/">a <em>link</em>
of the web</a>, and <span style="color: #0072B2">a value {img("f = 0.5")}</span>.</p>
<h2 id="q1">Question 1</h2>
<div class="figure">{figure()}<a href="#q2" title="Step 2"></a></div>
<dl><dt>upstream</dt><dd>what arrives {img("δ")}</dd></dl>
<h2 id="q2">Question 2</h2>
<table><caption>Gates</caption><thead><tr><th>gate</th><th>sign</th><th>value</th></tr></thead>
<tbody>{rows}</tbody></table>
<h3>Program</h3><pre>{code}</pre>
<blockquote><p>מילים, слова, λόγια</p></blockquote>
<div>{aligned}</div>"""
    return page(body, margins=' data-left="Homework 1" data-right="Ada Lovelace"')


@cache
def corpus() -> dict[str, str]:
    """LaTeX as derivations, sympy and hand-written statements have it."""
    import sympy

    x = sympy.symbols("x1:7")
    w = sympy.symbols("w1:7")
    f = sum(sympy.sin(a * b) ** 2 * sympy.exp(-a) / (1 + b**2) for a, b in zip(x, w, strict=True))
    jacobian = sympy.Matrix([[sympy.diff(sympy.tanh(a * b), b) for a in x[:4]] for b in w[:3]])
    numbers = [f"{(7 * i * i + 3 * i) % 19 - 9 + 0.1234:.4f}" for i in range(120)]

    def matrix(columns: int, rows: int) -> str:
        lines = (numbers[i * columns : (i + 1) * columns] for i in range(rows))
        return r" \\ ".join(" & ".join(line) for line in lines)

    terms = [f"x_{{{i}}} w_{{{i}}}" for i in range(30)]
    total, difference = " + ".join(terms), " - ".join(terms)
    statements = r", \quad ".join(f"x_{{{i}}} = {i}" for i in range(30))
    return {
        "fraction": r"\frac{\partial f}{\partial w_1} = -\frac{2 x_1 \sin(x_1 w_1)}"
        r"{\left(2+\sin^2(x_1 w_1)+\cos(x_2 w_2)\right)^2}",
        "elementwise": r"\frac{\partial f}{\partial \mathbf{W}} = 2\,\sigma(\mathbf{W}\mathbf{x})"
        r" \odot \sigma(\mathbf{W}\mathbf{x}) \odot (1-\sigma(\mathbf{W}\mathbf{x}))\,\mathbf{x}^{\top}",
        "cases": r"\operatorname{ReLU}(z) = \begin{cases} z & \text{if } z > 0 \\ 0 &"
        r" \text{otherwise} \end{cases}",
        "sum": r"L = \frac{1}{n}\sum_{i=1}^{n} \left(y_i - \mathbf{w}^{\top}\mathbf{x}_i\right)^2",
        "aligned": r"\begin{aligned} \frac{\partial f}{\partial q_1} &= "
        + " + ".join([r"\textcolor{#D55E00}{-0.5} \cdot \textcolor{#0072B2}{1.25}"] * 9)
        + r" && \text{by the chain rule} \\ &= 5 && \text{in numbers} \end{aligned}",
        "intertext": rf"\begin{{aligned}} a &= {total} \\ \intertext{{{'and so we get ' * 12}}} b &= c"
        r" \end{aligned}",
        "sympy sum": "f = " + sympy.latex(f),
        "sympy derivative": r"\frac{\partial f}{\partial w_1} = "
        + sympy.latex(sympy.diff(sympy.log(f) / (1 + f), w[0])),
        "sympy together": sympy.latex(sympy.together(f)),
        "sympy jacobian": "J = " + sympy.latex(jacobian),
        "matrix": rf"\mathbf{{W}} = \begin{{bmatrix}} {matrix(10, 6)} \end{{bmatrix}}",
        "wide matrix": rf"\mathbf{{W}} = \begin{{pmatrix}} {matrix(24, 3)} \end{{pmatrix}}^{{\top}}",
        "row": rf"x = \left[\begin{{matrix}}{matrix(60, 1)}\end{{matrix}}\right]",
        "brackets": rf"f = 2 \left({total}\right) \left({difference}\right)^{{2}}",
        "plain brackets": rf"f = \sigma({total})^2 - g[{total}]",
        "norm": rf"\left\| {total} \right\|^2",
        "root": rf"\sqrt{{{total}}}",
        "exponent": rf"e^{{{total}}}",
        "brace": rf"\underbrace{{{total}}}_{{\text{{upstream}}}} \cdot y",
        "coloured": rf"f = \textcolor{{#0072B2}}{{{total}}} = {{\color{{#D55E00}} {total}}}",
        "long left side": rf"{total} = 5 \le 7",
        "product": "f = " + " ".join(terms),
        "statements": statements,
        "list": rf"x = \left({', '.join(map(str, range(60)))}\right)",
        "digits": "x = " + "1234567890" * 20,
        "words": rf"\operatorname{{{'abcdefghij' * 12}}}(x) = \text{{{'some words here ' * 12}}}",
        "factorials": "f = " + " + ".join(f"{i}!" for i in range(60)) + r" \tag{1}",
    }
