"""What stands below a name: indices that are numbers, that run, or that are a label given as an input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass

from report.autodiff.parser.latex.tokens import Token
from report.autodiff.parser.latex.tree import Group, Letter, Number, Part, Product, Script, Sum


@dataclass(frozen=True)
class Run:
    """An index that takes all its values at once: from `first` to `last`, with `offset` added."""

    name: str
    first: int
    last: int
    offset: int = 0

    def moved(self, by: int) -> Run:
        """The same index with a number added."""
        return Run(self.name, self.first, self.last, self.offset + by)

    @property
    def values(self) -> range:
        """Its values."""
        return range(self.first + self.offset, self.last + self.offset + 1)


@dataclass(frozen=True)
class Linear:
    """A whole number plus multiples of letters."""

    number: int
    letters: Mapping[str, int]


def linear(part: Part) -> Linear | None:
    """An index as a linear form; None for anything else, such as a name with an index of its own."""
    match part:
        case Number(text=text):
            return Linear(int(text), {}) if text.isdigit() else None
        case Letter(accents=()):
            return Linear(0, {part.base: 1})
        case Group(kind="(" | "{" | "[", parts=(inner,)):
            return linear(inner)
        case Sum(terms=terms):
            number, letters = 0, dict[str, int]()
            for sign, term in terms:
                found = linear(term)
                if found is None:
                    return None
                s = -1 if sign == "-" else 1
                number += s * found.number
                for name, n in found.letters.items():
                    letters[name] = letters.get(name, 0) + s * n
            return Linear(number, {k: n for k, n in letters.items() if n})
        case Product(factors=factors) if all(
            op in ("", r"\cdot", r"\times", "*") for op, _ in factors
        ):
            total = Linear(1, {})
            for _, factor in factors:
                found = linear(factor)
                if found is None or (found.letters and total.letters):
                    return None
                a, b = (total, found) if found.letters else (found, total)
                total = Linear(a.number * b.number, {k: n * a.number for k, n in b.letters.items()})
            return total
    return None


def walk(part: Part) -> Iterator[Part]:
    """A part and all parts below it, without what stands in scripts."""
    stack: list[object] = [part]
    while stack:
        node = stack.pop()
        if isinstance(node, Part):
            yield node
        if isinstance(node, tuple):
            stack += node
        elif isinstance(node, Part) and is_dataclass(node):
            stack += [getattr(node, f.name) for f in fields(node) if f.name not in ("start", "end")]


def split(tokens: Sequence[Token], at: str = ",") -> list[list[Token]]:
    """Tokens between commas that stand in no bracket."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind in ("char", "cmd"):
            depth += {"{": 1, "(": 1, "[": 1, r"\{": 1, "}": -1, ")": -1, "]": -1, r"\}": -1}.get(
                token.text, 0
            )
            if token.text == at and not depth:
                parts.append([])
                continue
        parts[-1].append(token)
    return parts


def letters_of(tokens: Sequence[Token]) -> list[str]:
    """The letters among tokens."""
    return [t.text for t in tokens if t.kind == "letter"]


def scripts_in(part: Part) -> Iterator[Script]:
    """The names with something below or above them."""
    for p in walk(part):
        if isinstance(p, Script):
            yield p
