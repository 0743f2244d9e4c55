"""Names, numbers and matrices in LaTeX."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from report import number_format
from report.autodiff.gates import ATOM, PRODUCT, SUM
from report.autodiff.graph import Shape
from report.autodiff.parser.latex import tokens

VALUE, GRADIENT = "#0072B2", "#D55E00"  # the two signal colours: a forward value, a gradient
MAX_ROWS, MAX_COLUMNS = 8, 6  # a larger matrix is shown by its corners
GREEK = tokens.GREEK - {"omicron"}  # TeX has no sign for it
ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde"}


@lru_cache(maxsize=4096)
def symbol(name: str, shape: Shape = ()) -> str:
    r"""A name as a textbook sets it: x1 -> x_{1}, W -> \mathbf{W}, theta_hat -> \hat{\theta}."""
    if not name.isidentifier():  # LaTeX, as h_{t-1}
        return _in_latex(name, shape)
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


def _in_latex(name: str, shape: Shape) -> str:
    """A name that was given in LaTeX, bold where it is a tensor."""
    base, rest = re.fullmatch(r"(\\[A-Za-z]+\{[^{}]*\}|\\?[A-Za-z]+|.)(.*)", name).groups()  # type: ignore[union-attr]
    return rf"\boldsymbol{{{base}}}{rest}" if shape else name


def entry_symbol(name: str, place: Sequence[int], shape: Shape) -> str:
    """An entry of a tensor as a textbook writes it, counted from 1: W_{12}, W_{f,12}."""
    written = symbol(name)
    labels = [str(p + 1) for p, n in zip(place, shape, strict=True) if n > 1]
    if not labels:
        return written
    joined = ("," if max(shape) > 9 else "").join(labels)
    return subscripted(written, joined)


def subscripted(name: str, labels: str) -> str:
    """A name with labels below it, behind those that it has: q_{1} -> q_{1,ij}."""
    if name.endswith("}") and "_{" in name:
        return f"{name[:-1]},{labels}}}"
    return f"{name}_{{{labels}}}"


def number_tex(value: Any, colour: str | None = None) -> tuple[str, int]:
    """A scalar, with the binding of a sum when its sign asks for brackets in a product."""
    text = number_format.number_latex(value)
    binding = SUM if text.startswith("-") else PRODUCT if r"\times" in text else ATOM
    return coloured(text, colour), binding


def constant_tex(value: float) -> tuple[str, int]:
    """A number of a formula, which is written with all its digits, with its binding."""
    text = number_format.written_latex(value)
    return text, SUM if text.startswith("-") else PRODUCT if r"\times" in text else ATOM


def tensor(value: Any, colour: str | None = None, among: Any = ()) -> tuple[str, int]:
    """A scalar or a matrix of numbers; a vector stands as a column, a large matrix by its corners.

    It gets the precision that it has `among` other numbers, which it is a part of.
    """
    array = np.asarray(value, dtype=float)
    if array.size == 1 and array.ndim == 0:
        return number_tex(array.item(), colour)
    return coloured(matrix(array, np.ravel(among)), colour), ATOM


def coloured(text: str, colour: str | None) -> str:
    """LaTeX in a colour, or as it is."""
    return rf"\textcolor{{{colour}}}{{{text}}}" if colour else text


def matrix(
    array: np.ndarray, among: Sequence[float] | np.ndarray = (), *, exactly: bool = False
) -> str:
    """A vector or matrix with all its numbers at one precision; stacks are written side by side.

    `exactly`: as in a formula, with all the digits that they are written with.
    """
    if array.ndim > 2:
        blocks = array.reshape(-1, *array.shape[-2:])
        shown = [matrix(b, among, exactly=exactly) for b in blocks[:3]]
        return r"\left[" + r",\; ".join(shown + [r"\cdots"] * (len(blocks) > 3)) + r"\right]"
    grid = array.reshape(-1, 1) if array.ndim == 1 else array
    rows, columns = _kept(grid.shape[0], MAX_ROWS), _kept(grid.shape[1], MAX_COLUMNS)
    corner = grid[np.ix_([r for r in rows if r is not None], [c for c in columns if c is not None])]
    shown = _aligned(corner, among)
    if exactly and any(_number(t) != v for t, v in zip(shown, corner.flat, strict=True)):
        shown = [number_format.written_latex(v) for v in corner.flat]
    texts = iter(shown)
    body = []
    for r in rows:
        if r is None:
            body.append(" & ".join(r"\ddots" if c is None else r"\vdots" for c in columns))
        else:
            body.append(" & ".join(r"\cdots" if c is None else next(texts) for c in columns))
    return r"\begin{bmatrix*}[r]" + r" \\ ".join(body) + r"\end{bmatrix*}"


def _number(text: str) -> float:
    """The number that LaTeX shows, where it shows one without a power of ten."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _kept(n: int, most: int) -> list[int | None]:
    """Which of n rows are shown; None stands for the dots between."""
    if n <= most:
        return list(range(n))
    return [*range(most - 2), None, n - 1]


def _aligned(grid: np.ndarray, among: Sequence[float] | np.ndarray) -> list[str]:
    shown = number_format.column([*grid.reshape(-1), *among], digits=5)[: grid.size]
    if any("×" in s for s in shown):
        return [number_format.number_latex(v, 4) for v in grid.reshape(-1)]
    return [s.replace(number_format.MINUS, "-") for s in shown]


def uncoloured(text: str) -> str:
    """LaTeX without its colours (what is coloured here holds no braces but for sub- and superscripts)."""
    return COLOUR.sub("", text).replace("}", "").replace("{", "")


def bare(text: str) -> str:
    """LaTeX from the first sign that the eye meets."""
    return COLOUR.sub("", text).lstrip("{")


def without_font(text: str) -> str:
    """LaTeX with the letters of vectors and matrices as those of numbers."""
    return _BOLD.sub(r"\1", text)


COLOUR = re.compile(r"\\textcolor\{[^}]*\}")
_BOLD = re.compile(r"\\(?:mathbf|boldsymbol)\{([^{}]*)\}")


def dimensions(shape: Shape) -> str:
    r"""3 \times 1; a plain vector of n numbers is written n."""
    return r" \times ".join(str(n) for n in shape) if shape else "1"


def partial(of: str, by: str) -> str:
    r"""The fraction \partial f / \partial x."""
    return rf"\frac{{\partial {of}}}{{\partial {by}}}"
