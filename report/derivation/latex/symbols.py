"""Names, numbers and matrices in LaTeX."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from report import number_format
from report.autodiff.gates import ATOM, PRODUCT, SUM
from report.autodiff.graph import Shape
from report.autodiff.parser.latex import tokens
from report.derivation.latex.printed import (
    First,
    Last,
    Printed,
    Sign,
    Start,
    coloured,
    fraction,
    put,
)

VALUE, GRADIENT = "#0072B2", "#D55E00"  # the two signal colours: a forward value, a gradient
MAX_ROWS, MAX_COLUMNS = 8, 6  # a larger matrix is shown by its corners
GREEK = tokens.GREEK - {"omicron"}  # TeX has no sign for it
ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde"}


@lru_cache(maxsize=4096)
def symbol(name: str, shape: Shape = (), labels: str = "") -> Printed:
    r"""A name as a textbook sets it: x1 -> x_{1}, W -> \mathbf{W}, theta_hat -> \hat{\theta}.

    `labels` stand behind the subscripts that it has.
    """
    if not name.isidentifier():  # LaTeX, as h_{t-1}
        return _in_latex(name, shape, labels)
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
    is_word = False
    if shape:
        is_word = len(base) > 1 and base.isascii() and base.isalpha() and base not in GREEK
        body = rf"\boldsymbol{{{letter}}}" if base in GREEK else rf"\mathbf{{{letter}}}"
    else:
        body = letter if len(base) == 1 or base in GREEK else rf"\operatorname{{{letter}}}"
    if accent:
        body = f"{accent}{{{body}}}"
    if labels:
        subscripts.append(labels)
    start = Start(First.WORD) if is_word and not accent else Start()
    if subscripts:
        text, last = f"{body}_{{{','.join(subscripts)}}}", Last.SUBSCRIPT
    else:
        text, last = body, Last.WORD if is_word and not accent else Last.OTHER
    return Printed(text, ATOM, start, last, name=name)


NUMBERED = "{}_"  # of names with a number behind, among those that are taken
_NUMBER = re.compile(r"\d+")
OURS = frozenset({"e", "I", "sigma", "delta"})  # e^x, 𝐈, σ(x), δ_ij


def taken_by(names: Iterable[str]) -> frozenset[str]:
    """The signs of ours that names of the user are set like, so that another notation stands for them.

    With x1 or x_1 among the names x_1 is no entry of x, for which `NUMBERED` stands.
    """
    names = list(names)
    numbered = {name[: m.start()].rstrip("_{") for name in names for m in _NUMBER.finditer(name)}
    ours = OURS & {re.split(r"[_0-9]", name, maxsplit=1)[0] for name in names}
    return ours | {NUMBERED.format(name) for name in numbered}


def identity(taken: Container[str]) -> Printed:
    """The sign of the identity matrix."""
    return put(r"\mathbb{I}" if "I" in taken else r"\mathbf{I}")


def unit_vector(place: str, taken: Container[str]) -> Printed:
    """The vector with its 1 at a position."""
    letter = "u" if "e" in taken else "e"
    return put(rf"\mathbf{{{letter}}}_{{\left[", place, r"\right]}", signs=_UNIT_VECTOR)


_UNIT_VECTOR = frozenset({Sign.UNIT_VECTOR})


def _in_latex(name: str, shape: Shape, labels: str) -> Printed:
    """A name that was given in LaTeX, bold where it is a tensor."""
    found = re.match(r"\\[A-Za-z]+\{[^{}]*\}|\\?[A-Za-z]+", name)
    base = found[0] if found else name[:1]
    rest = name[len(base) :]
    text = rf"\boldsymbol{{{base}}}{rest}" if shape else name
    has_subscript = name.endswith("}") and "_{" in name
    if labels:
        text = f"{text[:-1]},{labels}}}" if has_subscript else f"{text}_{{{labels}}}"
        has_subscript = True
    return Printed(text, last=Last.SUBSCRIPT if has_subscript else Last.OTHER, name=name)


def entry_symbol(name: str, place: Sequence[int], shape: Shape) -> Printed:
    """An entry of a tensor as a textbook writes it, counted from 1: W_{12}, W_{f,12}."""
    labels = [str(p + 1) for p, n in zip(place, shape, strict=True) if n > 1]
    return symbol(name, (), ("," if max(shape, default=0) > 9 else "").join(labels))


def number_tex(value: Any, colour: str | None = None) -> Printed:
    """A scalar, with the binding of a sum when its sign asks for brackets in a product."""
    return coloured(_number(value, number_format.number_latex(value)), colour)


def constant_tex(value: float) -> Printed:
    """A number of a formula, which is written with all its digits."""
    return _number(value, number_format.written_latex(value))


def _number(value: Any, text: str) -> Printed:
    x = float(value)
    is_scaled = "10^" in text
    binding = SUM if math.copysign(1, x) < 0 and x else PRODUCT if is_scaled else ATOM
    start = Start(First.MINUS if binding == SUM else First.DIGIT, number=math.isfinite(x))
    last = Last.DIGIT if math.isfinite(x) and not is_scaled else Last.OTHER
    return Printed(text, binding, start, last, numbers=x)


def tensor(value: Any, colour: str | None = None, among: Any = ()) -> Printed:
    """A scalar or a matrix of numbers; a vector stands as a column, a large matrix by its corners.

    It gets the precision that it has `among` other numbers, which it is a part of.
    """
    array = np.asarray(value, dtype=float)
    if array.size == 1 and array.ndim == 0:
        return number_tex(array.item(), colour)
    return coloured(matrix(array, np.ravel(among)), colour)


def matrix(
    array: np.ndarray, among: Sequence[float] | np.ndarray = (), *, exactly: bool = False
) -> Printed:
    """A vector or matrix with all its numbers at one precision; stacks are written side by side.

    `exactly`: as in a formula, with all the digits that they are written with.
    """
    if array.ndim > 2:
        blocks = array.reshape(-1, *array.shape[-2:])
        shown: list[str] = [matrix(b, among, exactly=exactly) for b in blocks[:3]]
        listed = r",\; ".join([*shown, *[r"\cdots"] * (len(blocks) > 3)])
        return Printed(rf"\left[{listed}\right]", signs=_OF_NUMBERS, numbers=array)
    grid = array.reshape(-1, 1) if array.ndim == 1 else array
    rows, columns = _kept(grid.shape[0], MAX_ROWS), _kept(grid.shape[1], MAX_COLUMNS)
    corner = grid[np.ix_([r for r in rows if r is not None], [c for c in columns if c is not None])]
    shown = _aligned(corner, among)
    if exactly and any(_shown(t) != v for t, v in zip(shown, corner.flat, strict=True)):
        shown = [number_format.written_latex(v) for v in corner.flat]
    texts = iter(shown)
    body = []
    for r in rows:
        if r is None:
            body.append(" & ".join(r"\ddots" if c is None else r"\vdots" for c in columns))
        else:
            body.append(" & ".join(r"\cdots" if c is None else next(texts) for c in columns))
    text = r"\begin{bmatrix*}[r]" + r" \\ ".join(body) + r"\end{bmatrix*}"
    return Printed(text, start=Start(First.ROWS), signs=_OF_NUMBERS, numbers=array)


_OF_NUMBERS = frozenset({Sign.MATRIX})


def listed(numbers: np.ndarray) -> Printed:
    """A vector in one line, for a subscript: a column would be too tall."""
    flat = np.ravel(numbers)
    places = _kept(flat.size, MAX_ROWS)
    texts = iter(_aligned(flat[[k for k in places if k is not None]], ()))
    shown = r",\,".join(r"\vdots" if k is None else next(texts) for k in places)
    return Printed(rf"\left[{shown}\right]")


def _shown(text: str) -> float:
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
    texts = [_with_room(s.replace(number_format.MINUS, "-")) for s in shown]
    empty = np.tile(np.all(grid == 0, axis=0), len(grid)) if grid.ndim == 2 else [False] * grid.size
    return ["0" if none else text for text, none in zip(texts, empty, strict=True)]


def _with_room(shown: str) -> str:
    """A number and, where it is 0, the room of the decimals of others."""
    number, room = number_format.with_room(shown)
    return rf"{number}\hphantom{{{room}}}" if room else number


def dimensions(shape: Shape) -> str:
    r"""3 \times 1; a plain vector of n numbers is written n."""
    return r" \times ".join(str(n) for n in shape) if shape else "1"


def partial(of: str, by: str) -> Printed:
    r"""The fraction \partial f / \partial x."""
    return fraction(put(r"\partial ", of), put(r"\partial ", by))
