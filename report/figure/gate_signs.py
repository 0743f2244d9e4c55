"""How gates and names are written in the figure: constants stand in the gate, as textbooks draw it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from report import number_format
from report.autodiff.form import Form
from report.autodiff.gates.keys import Place, counted
from report.autodiff.graph import Node, Shape
from report.derivation.latex.options import over
from report.derivation.latex.symbols import GREEK
from report.figure.font_metrics import SMALLEST, TextRun, width

LONGEST = 48.0  # points that a gate's name may take
DIGITS = 4  # significant digits of every number in a figure
MULTIPLY, THIN = "×", "\u2009"
_ACCENTS = {"hat": "ˆ", "bar": "¯", "tilde": "˜"}
_RAISED = {**dict(zip("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "−0123456789", strict=True)), "ⁿ": "n", "ᵀ": "⊤"}
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
_SMALL = _RAISED | _LOWERED
_VARIABLES = "xyzuvw"
_PARTS = re.compile(
    r"(?P<raised>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹ⁿᵀ]+)|(?P<lowered>[₀₁₂₃₄₅₆₇₈₉]+)|(?<![A-Za-z0-9])(?P<letter>[A-Za-z])(?![A-Za-z])"
)


def number_text(value: Any) -> str:
    """A number to four significant digits: −0.1234, 1.2×10⁻⁷."""
    return number_format.show(np.asarray(value).item(), DIGITS).replace(" × ", "×")


def shape(of: Shape) -> str:
    """A shape as it is written on an edge: (3×1)."""
    return f"({'×'.join(map(str, of))})"


def name(text: str, of: Shape, size: float, longest: float = 1e9) -> list[TextRun]:
    """A name as a textbook sets it: one letter italic, a tensor bold, digits as a subscript.

    A name wider than `longest` points is shortened in its middle.
    """
    base, _, rest = text.partition("_")
    subscripts: list[str] = []
    accent = ""
    if match := re.fullmatch(r"([A-Za-z]+?)(\d+)", base):
        base, digits = match.groups()
        subscripts.append(digits)
    for part in filter(None, rest.split("_")):
        if part in _ACCENTS and not accent:
            accent = _ACCENTS[part]
        else:
            subscripts.append(part)
    letter = _letter(base)
    face = "bold" if of else "italic" if len(letter) == 1 else "roman"
    small = max(0.72 * size, SMALLEST)
    runs = [TextRun(_shortened(letter, face, size, longest), size, face)]
    if accent:
        runs.append(TextRun(accent, size, face, accent=True))
    if subscripts:
        room = max(longest - width(runs[0].text, face, size), 0.4 * longest)
        text = _shortened(",".join(subscripts), "roman", small, room)
        for part in re.split("(,)", text):
            face = "italic" if len(part) == 1 and part.isalpha() else "roman"
            runs.append(TextRun(part, small, face, -0.2 * size))
    return runs


def _letter(base: str) -> str:
    """The Greek letter that a word names, else the word."""
    if base not in GREEK:
        return base
    case = "CAPITAL" if base[0].isupper() else "SMALL"
    return unicodedata.lookup(f"GREEK {case} LETTER {base.replace('ambda', 'amda')}")


def _shortened(text: str, face: str, size: float, longest: float) -> str:
    head, tail = (len(text) + 1) // 2, len(text) // 2
    short = text
    while head > 1 and width(short, face, size) > longest:
        head, tail = (head - 1, tail) if head > tail else (head, tail - 1)
        short = f"{text[:head]}…{text[len(text) - tail :]}"
    return short


def sign(
    node: Node, name_of: Callable[[Node], str], size: float, longest: float = LONGEST
) -> list[TextRun]:
    """What stands in a gate: products with their operands, others with a constant operand.

    `name_of` names inputs and gates; no name is wider than `longest` points.
    """
    args, form = node.args, node.gate.form
    if form is Form.PICKED:
        key = _shortened(index(node, name_of), "roman", size, longest)
        return plain_runs(f"[{key}]", size)
    if form in _PRODUCTS and not node.params:
        operands = [_operand(a, name_of, size, longest) for a in args]
        raised = _PRODUCTS[form](args)
        turned = [
            [*runs, *plain_runs("ᵀ", size)] if i in raised else runs
            for i, runs in enumerate(operands)
        ]
        apart = [[replace(runs[0], text=THIN + runs[0].text), *runs[1:]] for runs in turned[1:]]
        return [*turned[0], *(run for runs in apart for run in runs)]
    constants = [i for i, a in enumerate(args) if a.is_constant]
    if not constants:
        text = "transpose" if form is Form.TRANSPOSE else node.gate.sign
        return [*plain_runs(text, size), *_options(node.params, len(args[0].shape))]
    if len(args) == 2 and len(constants) == 1:
        place = constants[0]
        ways = _compared(node.gate.sign) if form is Form.COMPARISON else _WITH_CONSTANT.get(form)
        if ways:
            return ways[place](args[place], size)
    variables = iter(_VARIABLES)
    written = [_constant(a) if a.is_constant else next(variables, "·") for a in args]
    return plain_runs(f"{node.gate.sign}({', '.join(written)})", size)


def index(node: Node, name_of: Callable[[Node], str]) -> str:
    """The index of a gate that picks entries, counted from 1: 2, 1:3."""

    def held(place: Place, n: int) -> str:
        arg = node.args[place]
        if arg.value is None:
            return name_of(arg) if place.start else f"{name_of(arg)}+1"
        places = [str((int(k) - place.start) % n + 1) for k in np.ravel(arg.value)]
        return f"({', '.join(places)})" if arg.shape else places[0]

    return ", ".join(counted(node.params["key"], node.args[0].shape, held))


def names_operands(node: Node) -> bool:
    """Whether the sign itself says which operand is which."""
    return node.gate.form in _PRODUCTS or node.gate.form is Form.PICKED


# Which operands of a product of vectors and matrices are turned, as the tables write them.
_PRODUCTS: Mapping[Form | None, Callable[[tuple[Node, ...]], tuple[int, ...]]] = {
    Form.MATRIX_PRODUCT: lambda args: (0,) if len(args[0].shape) == 1 else (),
    Form.INNER: lambda args: (0,),
    Form.OUTER: lambda args: (1,),
    Form.TRANSPOSE: lambda args: (0,),
}


def _operand(
    node: Node, name_of: Callable[[Node], str], size: float, longest: float
) -> list[TextRun]:
    if node.is_constant:
        return plain_runs(_constant(node), size)
    return name(name_of(node), node.shape, size, longest)


def _constant(node: Node, *, signed: bool = False) -> str:
    """A constant as it stands in a gate; a negative one in brackets where it follows a sign."""
    value = np.asarray(node.value)
    if value.size != 1:
        is_identity = value.ndim == 2 and np.array_equal(value, np.eye(*value.shape))
        return "I" if is_identity else f"[{'×'.join(map(str, value.shape))}]"
    if node.gate.form is Form.PRODUCT and any(a.name for a in node.args):  # 2π
        return "".join(map(_constant, node.args))
    if node.name is not None:
        return _letter(node.name)
    text = number_text(value).removeprefix("1×")
    return f"({text})" if signed and text.startswith(number_format.MINUS) else text


def _before(mark: str) -> Callable[[Node, float], list[TextRun]]:
    """The constant in front of the sign: 2 − x."""
    return lambda c, size: plain_runs(f"{_constant(c)}{THIN}{mark}{THIN}x", size)


def _after(mark: str) -> Callable[[Node, float], list[TextRun]]:
    """The constant behind the sign: −2, ×3."""
    return lambda c, size: plain_runs(f"{mark}{_constant(c, signed=True)}", size)


def _compared(mark: str) -> tuple[Callable[[Node, float], list[TextRun]], ...]:
    """The constant on its side of a comparison: 0 < x, x < 0."""
    return (
        lambda c, size: plain_runs(f"{_constant(c)} {mark} x", size),
        lambda c, size: plain_runs(f"x {mark} {_constant(c)}", size),
    )


def _base(c: Node, size: float) -> list[TextRun]:
    text = _constant(c, signed=True)
    if "×" in text and not text.startswith("["):
        text = f"({text})"
    return [*plain_runs(text, size), TextRun("x", SMALLEST, "italic", 0.36 * size)]


def _exponent(c: Node, size: float) -> list[TextRun]:
    exponent = [
        TextRun(r.text, max(0.72 * r.size, SMALLEST), r.face, 0.36 * size)
        for r in plain_runs(_constant(c), size)
    ]
    return [TextRun("x", size, "italic"), *exponent]


# For each gate of two arguments: how it is written with its first, with its second one constant.
_WITH_CONSTANT: Mapping[Form | None, tuple[Callable[[Node, float], list[TextRun]], ...]] = {
    Form.SUM: (_after("+"), _after("+")),
    Form.DIFFERENCE: (_before("−"), _after("−")),
    Form.PRODUCT: (_after(MULTIPLY), _after(MULTIPLY)),
    Form.QUOTIENT: (lambda c, size: plain_runs(f"{_constant(c)}/x", size), _after("÷")),
    Form.POWER: (_base, _exponent),
}


def _options(params: Mapping[str, Any], rank: int) -> list[TextRun]:
    axis, order = params.get("axis"), params.get("axes")
    if order is not None:
        text = ",".join(str(a % rank + 1) for a in order)
    elif axis is None or not rank:
        return []
    else:
        axes = [a % rank for a in (axis if isinstance(axis, tuple) else (axis,))]
        text = over(axes, rank).replace(r"\text{", "").replace("}", "")
    return [TextRun(f"\u00a0{text}", SMALLEST, "roman", -1.5)]


def plain_runs(text: str, size: float) -> list[TextRun]:
    """A sign or number, its single letters in italics and its small raised characters set as such."""
    runs: list[TextRun] = []
    end = 0
    for match in _PARTS.finditer(text):
        if match.start() > end:
            runs.append(TextRun(text[end : match.start()], size))
        if letter := match["letter"]:
            runs.append(TextRun(letter, size, "bold" if letter.isupper() else "italic"))
        else:
            face = "italic" if match[0] == "ⁿ" else "roman"
            small = "".join(_SMALL[c] for c in match[0])
            height = 0.36 * size if match["raised"] else -0.18 * size
            runs.append(TextRun(small, max(0.72 * size, SMALLEST), face, height))
        end = match.end()
    if end < len(text):
        runs.append(TextRun(text[end:], size))
    return runs
