"""Graph -> LaTeX: the matrix form of a formula or of a backward graph.

`latex(node, leaf)` walks a graph down to what `leaf` names. The notation of a gate is the `latex`
column of its row; only products, constants and the spreading gates need more than a template.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from report import numbers
from report.gates import ATOM, CALL, MATRIX_PRODUCT, POWER, PRODUCT, SUM, Key, Place, axes_of
from report.graph import CONSTANT, Gate, Node, Shape

VALUE, GRADIENT = "#0072B2", "#D55E00"  # the two signal colours: a forward value, a gradient
MAX_ROWS, MAX_COLUMNS = 8, 6  # a larger matrix is shown by its corners
GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "chi",
        "psi",
        "omega",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Xi",
        "Pi",
        "Sigma",
        "Upsilon",
        "Phi",
        "Psi",
        "Omega",
    ]
)
ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde"}

# A leaf says how a node is written without looking below it: (LaTeX, binding), or None to go on.
Leaf = Callable[[Node], "tuple[str, int] | None"]


def latex(node: Node, leaf: Leaf | None = None) -> str:
    """The formula of a node, down to inputs or to what `leaf` writes."""
    return _Printer(leaf or (lambda _: None)).write(node)[0]


def equation(node: Node, leaf: Leaf) -> str:
    """One gate over its arguments: `leaf` writes every argument, as a name or as a number."""
    return _Printer(lambda n: None if n is node else leaf(n)).write(node)[0]


# ---------------------------------------------------------------- names and numbers


@lru_cache(maxsize=4096)
def symbol(name: str, shape: Shape = ()) -> str:
    r"""A name as a textbook sets it: x1 -> x_{1}, W -> \mathbf{W}, theta_hat -> \hat{\theta}."""
    base, _, rest = name.partition("_")
    accent = None
    subscripts = []
    if match := re.fullmatch(r"([A-Za-z]+?)(\d+)", base):
        base, digits = match.groups()
        subscripts.append(digits)
    for part in rest.split("_") if rest else ():
        if part in ACCENTS and accent is None:
            accent = ACCENTS[part]
        elif part:
            subscripts.append(part if part.isdigit() or len(part) == 1 else rf"\text{{{part}}}")
    letter = rf"\{base}" if base in GREEK else base
    if shape:
        body = rf"\boldsymbol{{{letter}}}" if base in GREEK else rf"\mathbf{{{letter}}}"
    else:
        body = letter if len(base) == 1 or base in GREEK else rf"\operatorname{{{letter}}}"
    if accent:
        body = f"{accent}{{{body}}}"
    return f"{body}_{{{','.join(subscripts)}}}" if subscripts else body


def entry_symbol(name: str, place: Sequence[int], shape: Shape) -> str:
    """An entry of a tensor as a textbook writes it, counted from 1: W_{12}, W_{f,12}."""
    written = symbol(name)
    labels = [str(p + 1) for p, n in zip(place, shape, strict=True) if n > 1]
    if not labels:
        return written
    joined = ("," if max(shape) > 9 else "").join(labels)
    if written.endswith("}") and "_{" in written:
        return f"{written[:-1]},{joined}}}"
    return f"{written}_{{{joined}}}"


def number(value: Any, colour: str | None = None) -> tuple[str, int]:
    """A scalar, with the binding of a sum when its sign asks for brackets in a product."""
    text = numbers.latex(value)
    binding = SUM if text.startswith("-") else PRODUCT if r"\times" in text else ATOM
    return coloured(text, colour), binding


def tensor(value: Any, colour: str | None = None) -> tuple[str, int]:
    """A scalar or a matrix of numbers; a vector stands as a column, a large matrix by its corners."""
    array = np.asarray(value, dtype=float)
    if array.size == 1 and array.ndim == 0:
        return number(array.item(), colour)
    return coloured(matrix(array), colour), ATOM


def coloured(text: str, colour: str | None) -> str:
    """LaTeX in a colour, or as it is."""
    return rf"\textcolor{{{colour}}}{{{text}}}" if colour else text


def matrix(array: np.ndarray) -> str:
    """A vector or matrix with all its numbers at one precision; stacks are written side by side."""
    if array.ndim > 2:
        blocks = array.reshape(-1, *array.shape[-2:])
        shown = [matrix(b) for b in blocks[:3]]
        return r"\left[" + r",\; ".join(shown + [r"\cdots"] * (len(blocks) > 3)) + r"\right]"
    grid = array.reshape(-1, 1) if array.ndim == 1 else array
    rows, columns = _kept(grid.shape[0], MAX_ROWS), _kept(grid.shape[1], MAX_COLUMNS)
    corner = grid[np.ix_([r for r in rows if r is not None], [c for c in columns if c is not None])]
    texts = iter(_aligned(corner))
    body = []
    for r in rows:
        if r is None:
            body.append(" & ".join(r"\ddots" if c is None else r"\vdots" for c in columns))
        else:
            body.append(" & ".join(r"\cdots" if c is None else next(texts) for c in columns))
    return r"\begin{bmatrix*}[r]" + r" \\ ".join(body) + r"\end{bmatrix*}"


def _kept(n: int, most: int) -> list[int | None]:
    """Which of n rows are shown; None stands for the dots between."""
    if n <= most:
        return list(range(n))
    return [*range(most - 2), None, n - 1]


def _aligned(grid: np.ndarray) -> list[str]:
    shown = numbers.column(grid.reshape(-1), digits=5)
    if any("×" in s for s in shown):
        return [numbers.latex(v, 4) for v in grid.reshape(-1)]
    return [s.replace(numbers.MINUS, "-") for s in shown]


def uncoloured(text: str) -> str:
    """LaTeX without its colours (what is coloured here holds no braces but for sub- and superscripts)."""
    return _COLOUR.sub("", text).replace("}", "").replace("{", "")


def _bare(text: str) -> str:
    """LaTeX from the first sign that the eye meets."""
    return _COLOUR.sub("", text).lstrip("{")


_COLOUR = re.compile(r"\\textcolor\{[^}]*\}")


def dimensions(shape: Shape) -> str:
    r"""3 \times 1; a plain vector of n numbers is written n."""
    return r" \times ".join(str(n) for n in shape) if shape else "1"


def partial(of: str, by: str) -> str:
    r"""The fraction \partial f / \partial x."""
    return rf"\frac{{\partial {of}}}{{\partial {by}}}"


# ---------------------------------------------------------------- the walk


@lru_cache(maxsize=1024)
def _template(text: str) -> tuple[tuple[str, int | None, int], ...]:
    """(literal, argument, binding asked for) of each piece of a row's notation."""
    pieces = []
    for literal, field, spec, _ in string.Formatter().parse(text):
        pieces.append((literal, int(field) if field else None, int(spec or 0)))
    return tuple(pieces)


def filled(template: str, arguments: list[str]) -> str:
    """A row's notation over arguments that need no brackets."""
    return "".join(
        literal + (arguments[place] if place is not None else "")
        for literal, place, _ in _template(template)
    )


class _Printer:
    def __init__(self, leaf: Leaf) -> None:
        self.leaf = leaf
        self.done: dict[Node, tuple[str, int]] = {}

    def write(self, node: Node) -> tuple[str, int]:
        if node not in self.done:
            self.done[node] = self.leaf(node) or self.gate(node)
        return self.done[node]

    def gate(self, node: Node) -> tuple[str, int]:
        gate = node.gate
        if node.is_input:
            return symbol(str(node.name), node.shape), ATOM
        if gate is CONSTANT:
            return _constant(node)
        special = _SPECIAL.get(gate.name)
        if special is not None:
            written = special(self, node)
            if written is not None:
                return written
        return self.fill(gate, node), gate.binding

    def fill(self, gate: Gate, node: Node) -> str:
        text = ""
        for literal, place, binding in _template(gate.latex):
            text += literal
            if place is not None:
                text += self.bracketed(node.args[place], binding)
        return text

    def bracketed(self, node: Node, binding: int) -> str:
        text, own = self.write(node)
        tall = binding >= CALL and text.startswith(
            r"\frac"
        )  # a script would be that of its letters
        return rf"\left({text}\right)" if own < binding or tall else text


def _constant(node: Node) -> tuple[str, int]:
    if node.name is not None:
        return symbol(node.name, node.shape), ATOM
    value = np.asarray(node.value)
    if value.ndim == 0:
        fraction = numbers.as_fraction(value.item())
        if fraction is not None:
            sign, binding = ("-", SUM) if fraction[0] < 0 else ("", MATRIX_PRODUCT)
            return rf"{sign}\frac{{{abs(fraction[0])}}}{{{fraction[1]}}}", binding
        return number(value.item())
    for filled, sign in ((1, "𝟏"), (0, "𝟎")):
        if (value == filled).all():
            return sign, ATOM
    return matrix(value), ATOM


def _add(p: _Printer, node: Node) -> tuple[str, int]:
    """A second term with a sign of its own is taken away; a negative number put in gets brackets."""
    a, b = node.args
    left, right = p.bracketed(a, SUM), p.bracketed(b, SUM)
    if right.startswith("-"):
        return f"{left} - {right[1:]}", SUM
    if _bare(right).startswith("-"):
        right = rf"\left({right}\right)"
    return f"{left} + {right}", SUM


def _multiply(p: _Printer, node: Node) -> tuple[str, int]:
    a, b = node.args
    left, right = p.bracketed(a, PRODUCT), p.bracketed(b, PRODUCT)
    if a.is_constant and not a.shape and p.write(a)[0].startswith("-"):
        left = p.write(a)[0]  # a leading minus needs no brackets: −2 x
        return _side_by_side(left, right), SUM
    if a.shape and b.shape:
        left, right = _widened(left, a, b), _widened(right, b, a)
        # next to ⊙ a matrix product gets brackets, so that nobody wonders which comes first
        left = rf"\left({left}\right)" if _is_juxtaposed(p, a) else left
        right = rf"\left({right}\right)" if _is_juxtaposed(p, b) else right
        return rf"{left} \odot {right}", PRODUCT
    if _is_juxtaposed(p, a):  # (xᵀy) z
        left = rf"\left({left}\right)"
    if left.startswith(r"\textcolor") or r"\cdot" in right:
        return rf"{left} \cdot {right}", PRODUCT
    return _side_by_side(left, right), PRODUCT


def _log_product(p: _Printer, node: Node) -> tuple[str, int] | None:
    """x ⊙ log(y) of tensors, where x log y is 0 for x = 0."""
    a, b = node.args
    if not a.shape or not b.shape:
        return None
    left = p.bracketed(a, PRODUCT)
    left = rf"\left({left}\right)" if _is_juxtaposed(p, a) else left
    return rf"{left} \odot \log\left({p.write(b)[0]}\right)", PRODUCT


def _widened(text: str, x: Node, other: Node) -> str:
    """A vector that a rule has made a column, beside a matrix: x 𝟏ᵀ."""
    made = x.gate.name == "reshape" and x.span is None and len(x.args[0].shape) == 1
    if made and x.shape[1:] == (1,) and len(other.shape) == 2 and other.shape[1] > 1:
        return rf"\left({text}\,𝟏^{{\top}}\right)"
    return text


def _side_by_side(left: str, right: str) -> str:
    """Two factors, with a dot where the second would be read as part of the first."""
    dot = _starts_with_number(right) or (right.startswith("𝟏") and left[-1:].isdigit())
    space = r" \," if right.startswith("𝟙") else ""
    return rf"{left} \cdot {right}" if dot else f"{left}{space} {right}"


def _is_juxtaposed(p: _Printer, node: Node) -> bool:
    """Whether a node is written as factors side by side that are no numbers."""
    return p.write(node)[1] == MATRIX_PRODUCT and node.gate.name in _JUXTAPOSED


_JUXTAPOSED = frozenset({"matmul", "outer", "dot", "solve", "sum_to", "broadcast_to"})


def _starts_with_number(text: str) -> bool:
    """Whether a factor needs a dot before it: what the eye meets first is a digit or a sign."""
    bare = re.sub(r"^(\\textcolor\{[^}]*\}\{|\\left\(|\\frac\{)+", "", text)
    return bool(re.match(r"[0-9-]", bare))


def _matmul(p: _Printer, node: Node) -> tuple[str, int]:
    """Vectors are columns: x @ A is Aᵀx, and x @ y is xᵀy."""
    a, b = node.args
    if len(a.shape) == 1 and len(b.shape) == 2:
        return f"{_transposed(p, b)} {p.bracketed(a, MATRIX_PRODUCT)}", MATRIX_PRODUCT
    left = _row(p, a) if len(a.shape) == 1 else p.bracketed(a, MATRIX_PRODUCT)
    return f"{left} {p.bracketed(b, MATRIX_PRODUCT)}", MATRIX_PRODUCT


def _outer(p: _Printer, node: Node) -> tuple[str, int]:
    a, b = node.args
    return f"{p.bracketed(a, MATRIX_PRODUCT)} {_row(p, b)}", MATRIX_PRODUCT


def _dot(p: _Printer, node: Node) -> tuple[str, int]:
    a, b = node.args
    return f"{_row(p, a)} {p.bracketed(b, MATRIX_PRODUCT)}", MATRIX_PRODUCT


def _row(p: _Printer, node: Node) -> str:
    """A vector as a row: xᵀ, xᵀA for x @ A, and 𝟏ᵀA for the sums of columns."""
    a, *b = node.args or (node,)
    if node.gate.name == "sum_to" and p.leaf(node) is None and len(a.shape) == 2:
        return rf"𝟏^{{\top}}{p.bracketed(a, MATRIX_PRODUCT)}"
    if node.gate.name == "matmul" and p.leaf(node) is None and len(a.shape) == 1:
        return f"{_row(p, a)} {p.bracketed(b[0], MATRIX_PRODUCT)}"
    return rf"{p.bracketed(node, CALL)}^{{\top}}"


def _transposed(p: _Printer, node: Node) -> str:
    if node.gate.name == "transpose" and not node.params and p.leaf(node) is None:
        return p.bracketed(node.args[0], MATRIX_PRODUCT)
    if node.gate.name == "inv" and p.leaf(node) is None:
        return _inverse(p, node)[0].replace("-1}", r"-\top}")
    return rf"{p.bracketed(node, CALL)}^{{\top}}"


def _inverse(p: _Printer, node: Node) -> tuple[str, int]:
    """A⁻¹, or A^{-ᵀ} of a transpose; for solve times the right side."""
    a, *right = node.args
    turned = a.gate.name == "transpose" and not a.params and p.leaf(a) is None
    sign = r"-\top" if turned else "-1"
    inverse = rf"{p.bracketed(a.args[0] if turned else a, CALL)}^{{{sign}}}"
    if not right:
        return inverse, POWER
    return f"{inverse} {p.bracketed(right[0], MATRIX_PRODUCT)}", MATRIX_PRODUCT


def _divide(p: _Printer, node: Node) -> tuple[str, int] | None:
    """A sign above stands in front of the fraction, and so does all that is too tall to stand there."""
    a, b = node.args
    above, binding = p.write(a)
    if above.startswith("-") and a.gate.name in ("negative", "multiply") and p.leaf(a) is None:
        return rf"-\frac{{{above[1:]}}}{{{p.write(b)[0]}}}", SUM
    if not b.shape and binding >= PRODUCT and _bare(above).startswith((r"\frac", r"\begin")):
        return rf"\frac{{1}}{{{p.write(b)[0]}}} {above}", MATRIX_PRODUCT
    if a.gate is CONSTANT and not a.shape and p.leaf(a) is None and a.value < 0:
        return rf"-\frac{{{number(-a.value)[0]}}}{{{p.write(b)[0]}}}", SUM
    return None


def _power(p: _Printer, node: Node) -> tuple[str, int] | None:
    """Roots, and sin²(x), as a textbook writes the square of a function's value."""
    a = node.args[0]
    exponent = node.args[1].value if node.gate.name == "power" else 2.0
    if exponent is None or np.shape(exponent):
        return None
    if exponent == 0.5:
        return rf"\sqrt{{{p.write(a)[0]}}}", CALL
    share = node.args[1] if node.gate.name == "power" else None
    if (
        share is not None
        and share.gate.name == "divide"
        and all(n.is_constant and not n.args for n in share.args)
    ):
        above, below = (p.write(n)[0] for n in share.args)
        return rf"{p.bracketed(a, CALL)}^{{{above}/{below}}}", POWER
    head = rf"\{a.gate.name}\left("
    text = p.write(a)[0]
    if exponent in (2, 3, 4) and a.gate.name in _POWERED and text.startswith(head):
        return rf"\{a.gate.name}^{{{exponent:g}}}\left({text[len(head) :]}", POWER
    return None


_POWERED = frozenset({"sin", "cos", "tan", "sinh", "cosh", "tanh", "log"})


def _unit(p: _Printer, node: Node) -> tuple[str, int] | None:
    """A change of unit applied to 1 is the factor alone."""
    is_one = node.args[0].value is not None and np.all(node.args[0].value == 1)
    return (node.gate.latex.format("").rstrip(), PRODUCT) if is_one else None


def _broadcast(p: _Printer, node: Node) -> tuple[str, int]:
    (a,) = node.args
    text = p.bracketed(a, PRODUCT)
    if not a.shape:
        bare = p.write(a)[0]
        if bare.startswith("-"):  # a leading minus needs no brackets
            return rf"{bare}\,𝟏", SUM
        return ("𝟏", ATOM) if text == "1" else (rf"{text}\,𝟏", PRODUCT)
    if len(node.shape) == 2 and a.shape in (
        (node.shape[0], 1),
        (node.shape[1],),
        (1, node.shape[1]),
    ):
        if a.shape == (node.shape[0], 1) and node.shape[1] != 1:
            return rf"{p.bracketed(a, MATRIX_PRODUCT)}\,𝟏^{{\top}}", MATRIX_PRODUCT
        if len(a.shape) == 1:
            return rf"𝟏\,{p.bracketed(a, CALL)}^{{\top}}", MATRIX_PRODUCT
        is_row = a.gate.name == "reshape" and a.span is None and len(a.args[0].shape) == 1
        row = _row(p, a.args[0]) if is_row and p.leaf(a) is None else p.bracketed(a, MATRIX_PRODUCT)
        share = _SHARE.match(row)  # of a mean; it stands before the ones
        before = share[0] if share else ""
        return rf"{before}𝟏\,{row[len(before) :]}", MATRIX_PRODUCT
    return rf"\operatorname{{broadcast}}\left({p.write(a)[0]}\right)", CALL


_SHARE = re.compile(r"\\frac\{1\}\{\d+\} ")


def _sum_to(p: _Printer, node: Node) -> tuple[str, int]:
    (a,) = node.args
    text = p.bracketed(a, MATRIX_PRODUCT)
    if node.shape and len(a.shape) == 2:
        if node.shape == (a.shape[0], 1):
            return rf"{text}\,𝟏", MATRIX_PRODUCT
        if node.shape == (1, a.shape[1]):
            return rf"𝟏^{{\top}}{text}", MATRIX_PRODUCT
        if node.shape == (a.shape[1],):
            return rf"{p.bracketed(a, CALL)}^{{\top}}𝟏", MATRIX_PRODUCT
    extra = len(a.shape) - len(node.shape)
    over = [i for i, n in enumerate(a.shape) if i < extra or node.shape[i - extra] != n]
    below = rf"_{{\text{{axis }}{','.join(map(str, over))}}}" if node.shape else ""
    return rf"\operatorname{{sum}}{below}\left({p.write(a)[0]}\right)", CALL


def _reduction(p: _Printer, node: Node) -> tuple[str, int] | None:
    """sum and its kin over an axis carry the axis as a subscript, var and std also n - 1."""
    notes = [_axes(node)] if node.params.get("axis") is not None else []
    notes += [rf"n-{node.params['ddof']}"] if node.params.get("ddof") else []
    text = p.fill(node.gate, node)
    if not notes:
        return None
    note = r",\,".join(notes)
    if text.endswith(r"\|"):
        return rf"{text}_{{{note}}}", node.gate.binding
    if text.endswith(r"\|_{1}"):
        return rf"{text[:-1]},\,{note}}}", node.gate.binding
    head, bracket, rest = text.partition(r"\left(")
    return rf"{head}_{{{note}}}{bracket}{rest}", node.gate.binding


def _axes(node: Node) -> str:
    axis, rank = node.params["axis"], len(node.args[0].shape)
    axes = ",".join(str(a % rank) for a in (axis if isinstance(axis, tuple) else (axis,)))
    return rf"\text{{axis }}{axes}"


def _is_extreme(p: _Printer, node: Node) -> tuple[str, int]:
    """𝟙[x = max(x)]: which entries are the largest, of all or along an axis."""
    (a,) = node.args
    sign = r"\max" if node.gate.name == "is_largest" else r"\min"
    below = rf"_{{{_axes(node)}}}" if node.params.get("axis") is not None else ""
    text = p.write(a)[0]
    return rf"𝟙\left[{text} = {sign}{below}\left({text}\right)\right]", CALL


def _others(p: _Printer, node: Node) -> tuple[str, int]:
    """The products of all entries but one, by their entry: [Π_{k ≠ i} x_k]_i."""
    (a,) = node.args
    rank = len(a.shape)
    own, new = "ijk"[:rank], ("k" if rank == 1 else "klm" if rank == 2 else "lmn")[:rank]
    if not 0 < rank <= 3:
        return "1", ATOM
    over = axes_of(a.shape, node.params.get("axis"))
    at = "".join(new[i] if i in over else own[i] for i in range(rank))
    pair = ["".join(x[i] + "," * (i != over[-1]) for i in over) for x in (new, own)]
    first, second = pair if len(over) == 1 else [f"({x})" for x in pair]
    entry = _BOLD.sub(r"\1", p.bracketed(a, CALL))
    name = rf"{entry[:-1]},{at}}}" if re.search(r"_\{[^{}]*\}$", entry) else rf"{entry}_{{{at}}}"
    return rf"\left[\textstyle\prod_{{{first} \ne {second}}} {name}\right]_{{{own}}}", CALL


_BOLD = re.compile(r"\\(?:mathbf|boldsymbol)\{([^{}]*)\}")


def _with_parameter(p: _Printer, node: Node) -> tuple[str, int] | None:
    """LeakyReLU and its kin with a number that is not 1 below their name."""
    return with_parameter(p.fill(node.gate, node), node.params), CALL


def with_parameter(text: str, params: Mapping[str, Any]) -> str:
    """A function's notation with its option below the name, unless that is 1."""
    values = [number(v)[0] for v in params.values() if isinstance(v, float) and v != 1]
    head, bracket, rest = text.partition(r"\left(")
    return rf"{head}_{{{','.join(values)}}}{bracket}{rest}" if values else text


def _reshape(p: _Printer, node: Node) -> tuple[str, int]:
    """A change of shape that a rule needs is not written where it only adds axes of length 1."""
    (a,) = node.args
    same = [n for n in a.shape if n != 1] == [n for n in node.shape if n != 1]
    if node.span is None and same:
        return p.write(a)
    shape = dimensions(node.shape)
    return rf"\operatorname{{reshape}}_{{{shape}}}\left({p.write(a)[0]}\right)", CALL


def _index(p: _Printer, node: Node) -> tuple[str, int]:
    """X[0, :] with its index as a subscript in square brackets."""
    base = p.bracketed(node.args[0], CALL)
    if _SUBSCRIPT.search(base):
        base = rf"\left({base}\right)"
    return rf"{base}_{{\left[{_key(p, node)}\right]}}", CALL


_SUBSCRIPT = re.compile(r"_\{(?:[^{}]|\{[^{}]*\})*\}$")


def _scatter(p: _Printer, node: Node) -> tuple[str, int]:
    """What is put back, by unit vectors e and rows of the identity I: e₀ gᵀ, Iᵀ g, onehot(i)ᵀ g."""
    g, *indices = node.args
    key = list(node.params["key"])
    plain = len(key) <= len(node.shape) <= 2 and None not in key and Ellipsis not in key
    if not plain or any(len(i.shape) > 1 for i in indices):
        text = p.write(g)[0]
        return (
            rf"\operatorname{{scatter}}_{{\left[{_key(p, node)}\right]}}\left({text}\right)",
            CALL,
        )
    key += [slice(None)] * (len(node.shape) - len(key))
    left, *rest = [_selector(p, node, part, n) for part, n in zip(key, node.shape, strict=True)]
    right = rest[0] if rest else ""
    text = p.bracketed(g, MATRIX_PRODUCT)
    if rest and len(g.shape) == 1:
        if left.startswith(_UNIT):
            text = _row(p, g)
        elif not right.startswith(_UNIT):  # one entry for each pair of places
            text = rf"\operatorname{{diag}}\left({p.write(g)[0]}\right)"
    left = left if left.startswith(_UNIT) or not left else rf"{left}^{{\top}}"
    right = rf"{right}^{{\top}}" if right.startswith(_UNIT) else right
    parts = [left, text, right] if g.shape else [text, left, right]
    parts = [x for x in parts if x and (g.shape or x != "1")]
    return " ".join(parts), MATRIX_PRODUCT if len(parts) > 1 else POWER


def _selector(p: _Printer, node: Node, part: Any, n: int) -> str:
    """The matrix or vector that picks along one axis; nothing where all is picked."""
    if isinstance(part, Place):
        held = node.args[part]
        below = _VECTOR.sub(_listed, p.write(held)[0])
        if held.shape:
            return rf"\operatorname{{onehot}}\left({below}\right)"
        return rf"{_UNIT}_{{\left[{below}\right]}}"
    if isinstance(part, slice):
        whole = part.indices(n) == (0, n, 1)
        return "" if whole else rf"\mathbf{{I}}_{{\left[{Key((part,))}\right]}}"
    return rf"{_UNIT}_{{\left[{int(part)}\right]}}"


_UNIT = r"\mathbf{e}"


def _where(p: _Printer, node: Node) -> tuple[str, int]:
    c, a, b = (p.write(arg)[0] for arg in node.args)
    text = choice(c, a, b, r" \odot " if node.shape else " ")
    return text, SUM if text.startswith(r"\begin") else PRODUCT


def _condition(p: _Printer, node: Node) -> tuple[str, int]:
    return joined_conditions(node.gate.name, [p.write(a)[0] for a in node.args]), CALL


def choice(condition: str, a: str, b: str, times: str = " ") -> str:
    """a where a condition holds, else b, as cases; between something and 0 as a product with 𝟙[...]."""
    bare = _bare_condition(condition)
    if bare is None:
        if b in ("0", "𝟎"):
            return _product(a, times, rf"𝟙\left[{condition} \ne 0\right]")
        if a in ("0", "𝟎"):
            return _product(b, times, rf"𝟙\left[{condition} = 0\right]")
        bare = rf"{condition} \ne 0"
    return rf"\begin{{cases}} {a} & \text{{if }} {bare} \\ {b} & \text{{otherwise}} \end{{cases}}"


def _product(a: str, times: str, b: str) -> str:
    return b if a in ("1", "𝟏") else f"{a}{times}{b}"


def _bare_condition(text: str) -> str | None:
    """What stands in the bracket 𝟙[...]; None of a number."""
    match = re.fullmatch(r"𝟙\\left\[(.*)\\right\]", text)
    return match[1] if match else None


def joined_conditions(gate: str, texts: list[str]) -> str:
    """Conditions joined by and, or, not in one bracket 𝟙[...]; numbers are conditions by their name."""
    parts = [_bare_condition(t) or t for t in texts]
    inner = [rf"\left({t}\right)" if r"\l" in t and _JOINED.search(t) else t for t in parts]
    sign = {"logical_and": r" \land ", "logical_or": r" \lor "}.get(gate)
    if sign is None:
        inner = [
            t if t.startswith(r"\left(") or " " not in t else rf"\left({t}\right)" for t in inner
        ]
        return rf"𝟙\left[\lnot {inner[0]}\right]"
    return rf"𝟙\left[{sign.join(inner)}\right]"


_JOINED = re.compile(r"\\l(?:and|or)\b")


def _key(p: _Printer, node: Node) -> str:
    written = str(node.params["key"]).replace(", ", r",\,").replace("None", r"\text{new}")
    written = re.sub(r"\{(\d+)\}", lambda m: p.write(node.args[int(m[1])])[0], written)
    return _VECTOR.sub(_listed, written)


def _listed(vector: re.Match[str]) -> str:
    """A column of indices, too tall for a subscript, as a list."""
    return r"\left[" + vector[1].replace(r" \\ ", r",\,") + r"\right]"


_VECTOR = re.compile(r"\\begin\{bmatrix\*\}\[r\]([^&]*?)\\end\{bmatrix\*\}")


def _joined(p: _Printer, node: Node) -> tuple[str, int]:
    """[x; y] one below the other and [A | B] side by side; vectors that are stacked are rows [xᵀ; yᵀ]."""
    first, axis = node.args[0], node.params.get("axis", 0) % len(node.shape)
    stacked = node.gate.name == "stack"
    are_rows = stacked and len(first.shape) == 1 and axis == 0
    parts = [_row(p, a) if are_rows else p.write(a)[0] for a in node.args]
    shown = parts if len(parts) <= 6 else [*parts[:4], r"\ldots", parts[-1]]
    if len(node.shape) > 2:
        name = rf"\operatorname{{{'stack' if stacked else 'concat'}}}_{{\text{{axis }}{axis}}}"
        return rf"{name}\left({', '.join(shown)}\right)", CALL
    sign = r"\,|\," if axis else r";\;"
    return rf"\left[{sign.join(shown)}\right]", CALL


def _transpose(p: _Printer, node: Node) -> tuple[str, int] | None:
    axes = node.params.get("axes")
    if axes is None:
        inner = node.args[0]
        is_inverse = inner.gate.name == "inv" and p.leaf(inner) is None
        return (_transposed(p, inner), POWER) if is_inverse else None
    order = ",".join(str(a) for a in axes)
    return rf"\operatorname{{transpose}}_{{{order}}}\left({p.write(node.args[0])[0]}\right)", CALL


_SPECIAL: dict[str, Callable[[_Printer, Node], tuple[str, int] | None]] = {
    "add": _add,
    "multiply": _multiply,
    "xlogy": _log_product,
    "matmul": _matmul,
    "outer": _outer,
    "dot": _dot,
    "inv": _inverse,
    "solve": _inverse,
    "divide": _divide,
    "power": _power,
    "square": _power,
    "radians": _unit,
    "degrees": _unit,
    "broadcast_to": _broadcast,
    "sum_to": _sum_to,
    "reshape": _reshape,
    "index": _index,
    "scatter": _scatter,
    "concatenate": _joined,
    "stack": _joined,
    "transpose": _transpose,
    "swap_last": _transpose,
    "where": _where,
    **dict.fromkeys(("logical_and", "logical_or", "logical_not"), _condition),
    "others": _others,
    **dict.fromkeys(("is_largest", "is_smallest"), _is_extreme),
    **dict.fromkeys(("leaky_relu", "elu", "huber"), _with_parameter),
    **dict.fromkeys(("sum", "mean", "prod", "max", "min", "var", "std", "cumsum"), _reduction),
    **dict.fromkeys(("softmax", "log_softmax", "logsumexp", "norm", "l1_norm"), _reduction),
    "reverse_cumsum": _reduction,
}
