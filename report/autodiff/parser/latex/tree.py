"""What a formula in LaTeX is made of, before names and shapes are known."""

from __future__ import annotations

from dataclasses import dataclass

from report.autodiff.parser.latex.tokens import Token


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a formula, from `start` to `end` in the text."""

    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Number(Part):
    """1, 0.5."""

    text: str


@dataclass(frozen=True, eq=False)
class Letter(Part):
    r"""A letter or word, with its accents: x, \theta, \hat{y}, \mathrm{ReLU}; `font` as in Token."""

    base: str
    font: str = ""
    accents: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Sign(Part):
    r"""A sign that is a value: \infty, \indicator, \dots."""

    text: str


@dataclass(frozen=True, eq=False)
class Script(Part):
    """A part with what stands below, above and with primes beside it."""

    base: Part
    below: tuple[Token, ...] | None = None
    above: tuple[Token, ...] | None = None
    primes: int = 0


@dataclass(frozen=True, eq=False)
class Group(Part):
    r"""(a, b), [a], \{a\}; `kind` is the opening bracket, or "{" for braces that only hold together."""

    kind: str
    parts: tuple[Part, ...]
    close: str = ""
    plain: bool = True  # of bars: without \left, \lvert and their like
    sign: str = ","  # between the parts: a comma, a semicolon, or a bar


@dataclass(frozen=True, eq=False)
class Fraction(Part):
    """a over b."""

    above: Part
    below: Part


@dataclass(frozen=True, eq=False)
class Derivative(Part):
    r"""A derivative that is a number that is known; `through`: what stands behind a bar, of one of several ways."""

    of: tuple[Token, ...]
    by: Part
    through: tuple[Token, ...] = ()


@dataclass(frozen=True, eq=False)
class Root(Part):
    """A square root, or one of another degree."""

    inner: Part
    degree: Part | None = None


@dataclass(frozen=True, eq=False)
class Applied(Part):
    """A known function with its argument; `bracketed`: the argument stood in brackets."""

    name: str
    inner: Part
    below: tuple[Token, ...] | None
    above: tuple[Token, ...] | None
    bracketed: bool


@dataclass(frozen=True, eq=False)
class Big(Part):
    r"""\sum, \prod, \max, \min over indices, and what they reach over."""

    name: str
    below: tuple[Token, ...] | None
    above: tuple[Token, ...] | None
    body: Part


@dataclass(frozen=True, eq=False)
class Cases(Part):
    """Values with their conditions; None for the rest of the cases."""

    rows: tuple[tuple[Part, Part | None], ...]


@dataclass(frozen=True, eq=False)
class Matrix(Part):
    """A matrix written out."""

    rows: tuple[tuple[Part, ...], ...]
    kind: str


@dataclass(frozen=True, eq=False)
class Sum(Part):
    """Terms with their signs, + or -."""

    terms: tuple[tuple[str, Part], ...]


@dataclass(frozen=True, eq=False)
class Product(Part):
    r"""Factors, each with the sign before it: "" for none, \cdot, \odot, \times, \otimes, *, /."""

    factors: tuple[tuple[str, Part], ...]


@dataclass(frozen=True, eq=False)
class Compared(Part):
    """a < b = c; `relations` stand between the parts."""

    parts: tuple[Part, ...]
    relations: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Joined(Part):
    r"""Conditions joined by "and" or "or", or one that is turned by "not"."""

    how: str
    parts: tuple[Part, ...]
