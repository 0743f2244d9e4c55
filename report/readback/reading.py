r"""What a reader makes of a formula in LaTeX: its number, or the numbers of a matrix.

Only what stands on the page counts: names, brackets, signs and which of them come first. Vectors are
columns, 𝟏 is as long as what it stands beside, and a Σ ends at the next + or -. `Unread` is raised
by what is no mathematics to this reader, such as reshape(x).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, reduce
from typing import Any

import numpy as np

from report.autodiff import extended
from report.autodiff.gates import GATES
from report.autodiff.gates.shapes import pair, pair_within
from report.derivation.latex.symbols import without_font
from report.readback import rows
from report.readback.arrays import (
    Identity,
    Ones,
    Repeated,
    Unread,
    axis_of,
    bare,
    determinant,
    entry,
    fitted,
    hadamard,
    inverse,
    is_nan,
    plain,
    plus,
    rank,
    reduced,
    times,
    turned,
)

LONGEST = 12  # of an axis over which a label runs that has no end on the page
_TOKEN = re.compile(
    r"\\left|\\right|\\begin\{bmatrix\*\}\[r\]|\\end\{bmatrix\*\}|\\begin\{cases\}|\\end\{cases\}|\\text\{[^}]*\}|\\[A-Za-z]+|\\\\|\\[|]"
    r"|[0-9]+(?:\.[0-9]+)?|[A-Za-z]|𝟏|𝟎|𝟙|[-+=<>&|(){}\[\],;:^_./]"
)
_SPACES = re.compile(r"(?<!\\)\\[,;:! ]|\\textstyle|\\mathopen")
_END = frozenset(
    ["+", "-", "=", "<", ">", "&", ",", ";", "}", ")", "]", ":", r"\\", r"\right", r"\end{cases}", r"\end{bmatrix*}"]
) | {r"\le", r"\leq", r"\ge", r"\geq", r"\ne", r"\land", r"\lor", r"\colon", "|", r"\}"}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "log": np.log, "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh,
    "tanh": np.tanh, "arcsin": np.arcsin, "arccos": np.arccos, "arctan": np.arctan, "sgn": np.sign,
    "sigma": GATES["sigmoid"].forward, "sigmoid": GATES["sigmoid"].forward, "exp": np.exp, "erf": GATES["erf"].forward, "Phi": GATES["normal_cdf"].forward,
    "varphi": GATES["normal_pdf"].forward, "ReLU": GATES["relu"].forward, "GELU": GATES["gelu"].forward,
    "swish": GATES["swish"].forward, "softplus": GATES["softplus"].forward, "clip": np.clip,
    "det": determinant, "tr": np.trace,
}  # fmt: skip
_REDUCTIONS = ("sum", "mean", "var", "std", "prod", "softmax", "logsumexp", "max", "min", "cumsum")
_MOVES = ("transpose", "reshape")  # of entries
_RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": np.equal, "<": np.less, ">": np.greater, r"\le": np.less_equal, r"\leq": np.less_equal,
    r"\ge": np.greater_equal, r"\geq": np.greater_equal,
    r"\ne": np.not_equal,
}  # fmt: skip


@dataclass
class Known:
    """What a reader knows: the numbers of x or q_{1}, of ∂f/∂x as `slopes`, and of other derivatives."""

    names: dict[str, Any]
    slopes: dict[str, Any] = field(default_factory=dict)
    ratios: dict[tuple[str, ...], Any] = field(default_factory=dict)
    letter: str = "f"
    units: Mapping[str, int] = field(default_factory=dict)  # how long e_{[i]} is, by i
    plain: dict[str, Any] = field(default_factory=dict)  # the numbers by the names as they are told

    def derivative(self, text: str) -> Any:
        """The numbers of a derivative that stands in a formula; None where it is not known."""
        signs = words(text)
        if signs in self.ratios:
            return self.ratios[signs]
        upper = rf"\frac{{\partial {self.letter}}}{{\partial "
        return self.bare_slopes.get(bare(without_font(text.removeprefix(upper)[:-1])))

    @cached_property
    def bare_names(self) -> dict[str, Any]:
        """The numbers by name without fonts."""
        return {bare(k): v for k, v in self.names.items()}

    @cached_property
    def kind(self) -> Any:
        """The type of the numbers: float64, or numbers of more digits."""
        return np.result_type(float, *map(np.asarray, self.names.values()))

    @cached_property
    def longest(self) -> int:
        """The most entries along an axis."""
        return max((n for v in self.names.values() for n in np.shape(v)), default=1)

    @cached_property
    def bare_slopes(self) -> dict[str, Any]:
        """The gradients by name without fonts."""
        return {bare(k): v for k, v in self.slopes.items()}


def read(
    text: str, known: Known, labels: Mapping[str, int] | None = None, shape: tuple[int, ...] = ()
) -> Any:
    """The number or array of a formula; `shape` is that of the array, to which e and I adapt."""
    reader = _Reader(text, known, labels or {}, shape)
    value = reader.expression()
    if reader.next != "":
        raise Unread(f"{reader.tokens[reader.at :]} is left of {text}")
    if isinstance(value, Identity):
        value = value.c * np.eye(shape[0] if shape else 1)
    return plain(value)


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, ...]:
    """The signs of a formula, without the spaces that only move things."""
    return tuple(_TOKEN.findall(_SPACES.sub(" ", text)))


_LOSSES = {
    found[1]: gate
    for gate in reversed(GATES.values())  # of two with one word the first; the other has a note
    if gate.group == "losses" and (found := re.match(r"\\operatorname\{+(\w+)\}", gate.latex))
}


_NOTED = {  # a function told apart from another of its name by what stands below it
    (found[1], found[2]): gate
    for gate in GATES.values()
    if (found := re.match(r"\\operatorname\{+(\w+)\}+_\{+([^{}]+)\}+\\left\(", gate.latex))
}


def _loss(name: str, note: str, args: list[Any]) -> Any:
    """A loss of two arrays, of which columns are vectors; one that has an option has it below."""
    gate = _LOSSES[name]
    flat = [a[:, 0] if np.ndim(a) == 2 and a.shape[1] == 1 else a for a in args]
    if gate.name.startswith("cross_entropy"):
        labels = np.shape(flat[0]) != np.shape(flat[1])
        kind = "_smoothed" if note else "" if labels else "_one_hot"
        gate = GATES[f"cross_entropy{kind}"]
    if note == r"\sigma":
        gate, note = GATES["binary_cross_entropy_with_logits"], ""
    if gate.shape in (pair, pair_within):
        flat = list(np.broadcast_arrays(*flat))
    options = {option: float(note) for option in gate.params if note}
    return np.asarray(gate.forward(*flat, **options)).item()


def _axes(note: str) -> list[int]:
    """The axes of a transpose, in their new order."""
    return [int(n) for n in note.split(",")]


def _padded(x: Any, note: str) -> Any:
    """Zeros round a tensor: (before, after) for each axis, or one pair for a vector, which is a column."""
    ends = [int(n) for n in re.findall(r"\d+", note)]
    pairs = list(zip(ends[::2], ends[1::2], strict=True))
    if np.ndim(x) == 2 and x.shape[1] == 1 and len(pairs) == 1:
        pairs.append((0, 0))
    return np.pad(x, pairs)


class _Reader:
    def __init__(self, text: str, known: Known, labels: Any, shape: Any) -> None:
        self.tokens = [*words(text), ""]
        self.at = 0
        self.known, self.labels, self.shape = known, dict(labels), shape
        self.number: Callable[[float], Any] = extended.extended if known.kind.hasobject else float
        self.lying = False  # whether a vector is read in a bracket that is turned
        self.names = known.bare_names
        self.slopes = known.bare_slopes

    # ------------------------------------------------------------ tokens

    @property
    def next(self) -> str:
        return self.tokens[self.at]

    def take(self, *expected: str) -> str:
        token = self.next
        if expected and token not in expected:
            raise Unread(f"{token!r} in place of {expected}: {' '.join(self.tokens)}")
        self.at += 1
        return token

    def skip(self, *tokens: str) -> bool:
        if self.tokens[self.at : self.at + len(tokens)] != list(tokens):
            return False
        self.at += len(tokens)
        return True

    def group(self) -> list[str]:
        """The tokens in braces, or one."""
        if self.next != "{":
            return [self.take()]
        depth, first = 0, self.at + 1
        while True:
            depth += {"{": 1, "}": -1}.get(self.take(), 0)
            if not depth:
                return self.tokens[first : self.at - 1]

    @contextmanager
    def over(self, tokens: list[str]) -> Iterator[None]:
        """Read other tokens for a while."""
        kept = self.tokens, self.at
        self.tokens, self.at = [*tokens, ""], 0
        yield
        if self.next != "":
            raise Unread(f"{self.tokens[self.at :]} is left of {' '.join(tokens)}")
        self.tokens, self.at = kept

    def value(self, tokens: list[str]) -> Any:
        with self.over(tokens):
            return self.expression()

    # ------------------------------------------------------------ sums and products

    def expression(self) -> Any:
        minus = self.skip("-")
        total = self.term()
        total = times(-1.0, total) if minus else total
        while self.next in ("+", "-"):
            sign = 1.0 if self.take() == "+" else -1.0
            total = plus(total, times(sign, self.term()))
        return total

    def term(self) -> Any:
        product = self.side_by_side()
        while self.skip(r"\odot"):
            product = hadamard(product, self.side_by_side())
        return product

    def side_by_side(self) -> Any:
        product = self.factor()
        while self.next not in _END and self.next not in ("", r"\odot"):
            if self.skip(r"\otimes"):
                product = np.kron(product, self.factor())
                continue
            if not (self.skip(r"\cdot") or self.skip(r"\times")) and re.match(r"[0-9]", self.next):
                raise Unread(f"a number behind a factor: {' '.join(self.tokens)}")
            product = times(product, self.factor())
        return product

    def factor(self) -> Any:
        first = self.at
        base = self.atom()
        is_made = r"\operatorname" in self.tokens[first : self.at]
        while self.next in ("^", "_"):
            if self.take() == "^":
                base = self.power(base, self.group())
            else:
                base = self.subscript(base, self.group(), is_made)
        return base

    def power(self, base: Any, exponent: list[str]) -> Any:
        if isinstance(base, Identity):
            return base
        if exponent == [r"\top"]:
            if isinstance(base, Ones | Repeated):
                return turned(base)
            return np.swapaxes(base, -1, -2) if np.ndim(base) > 1 else base
        if exponent[0] == r"\odot":  # of each entry
            exponent = exponent[1:]
            if "".join(exponent) == "-1":
                return 1 / base
        if exponent == ["-", r"\top"]:
            return np.swapaxes(inverse(base), -1, -2)
        if "".join(exponent) == "-1" and np.ndim(base) >= 2 and base.shape[-2] == base.shape[-1]:
            return inverse(base)
        if "/" in exponent:  # x^{3/2}
            above, below = (self.number(float(n)) for n in "".join(exponent).split("/"))
            return np.cbrt(base) ** above if below == 3 else np.power(base, above / below)
        return np.power(base, self.value(exponent), dtype=self.known.kind)

    def subscript(self, base: Any, sub: list[str], is_made: bool) -> Any:
        if sub[:1] == [r"\left"]:
            is_row = is_made and np.ndim(base) == 2 and base.shape[0] == 1 < base.shape[1]
            if is_row and len(self.key(sub[2:-2])) == 1:  # a vector that is summed to a row
                base = base.T
            return self.indexed(base, sub)
        return entry(base, self.places(sub, rank(base)))

    # ------------------------------------------------------------ atoms

    def atom(self) -> Any:
        token = self.take()
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", token):
            return self.number(float(token))
        if token == "{":
            inner = self.expression()
            self.take("}")
            return inner
        if token in _BEGUN:
            return _BEGUN[token](self)
        if token in (r"\sum", r"\prod"):
            return self.limited(np.add if token == r"\sum" else np.multiply)
        if (
            token in (r"\max", r"\min")
            and self.next == "_"
            and not self.tokens[self.at + 2].startswith(r"\text{")
        ):
            return self.limited(np.maximum if token == r"\max" else np.minimum)
        if token == "𝟙":
            self.take(r"\left")
            self.take("[")
            holds = np.asarray(self.condition(), dtype=float)
            self.closed("]")
            return holds if holds.ndim else float(holds)
        if token in ("𝟏", "𝟎"):
            number = 1.0 if token == "𝟏" else 0.0
            if not self.skip("_"):
                return Ones(number)
            sizes = [int(t) for t in self.group() if t != r"\times"]
            return np.full(sizes if len(sizes) > 1 else (*sizes, 1), number)
        if token == r"\delta" and "delta" not in self.names:
            self.take("_")
            a, b = self.places(self.group(), 2)
            return float(a == b)
        return self.name_or_function(token)

    def closed(self, bracket: str) -> None:
        self.take(r"\right")
        self.take(bracket)

    def bracket(self) -> Any:
        kind = self.take("(", "|", r"\|", "[", ".")
        if kind == ".":
            return self.marked()
        if kind == "[":
            return self.listed()
        whole, lying = self.shape, self.lying
        if kind == "(" and self.is_turned():  # what is inside has the other shape
            self.lying = len(whole) == 1 or whole[1:] == (1,)
            self.shape = (1, *whole) if len(whole) == 1 else whole[::-1]
        inner = self.expression()
        self.shape, self.lying = whole, lying
        if self.next == ",":
            inner = self.list_from(inner)
        self.closed({"(": ")"}.get(kind, kind))
        if kind == "|":
            return np.abs(inner)
        if kind == r"\|":
            return self.norm(inner)
        return inner

    def is_turned(self) -> bool:
        """Whether the bracket that has just opened closes before a ᵀ."""
        depth = 1
        for at in range(self.at, len(self.tokens)):
            depth += {r"\left": 1, r"\right": -1}.get(self.tokens[at], 0)
            if not depth:
                return self.tokens[at + 2 : at + 5] == ["^", "{", r"\top"]
        return False

    def marked(self) -> Any:
        """A derivative by one of several equal arguments, whose number stands behind a bar."""
        first = self.at - 2
        while self.take() != r"\right":
            pass
        self.take("|")
        self.take("_")
        self.group()
        whole = tuple(self.tokens[first : self.at])
        if whole not in self.known.ratios:
            raise Unread(" ".join(whole))
        return self.known.ratios[whole]

    def list_from(self, first: Any) -> Any:
        """The rest of a list, as a column."""
        found = [first]
        while self.skip(","):
            found.append(self.expression())
        return np.reshape(found, (-1, 1))

    def norm(self, inner: Any) -> Any:
        order, axis = 2, None
        if self.skip("_"):
            for part in "".join(self.group()).split(","):
                if part == "1":
                    order = 1
                elif (found := axis_of(part)) is not None:
                    axis = found
                elif part not in ("F", r"\text{kept}"):
                    raise Unread(part)
        if order == 1:
            return np.sum(np.abs(inner), axis=axis, keepdims=axis is not None)
        return np.sqrt(np.sum(np.square(inner), axis=axis, keepdims=axis is not None))

    def listed(self) -> Any:
        """[x; y] and [A | B], or the entries [...]_ij of a tensor."""
        first = self.at
        depth = 1
        while depth:
            depth += {r"\left": 1, r"\right": -1}.get(self.take(), 0)
        inner = self.tokens[first : self.at - 1]
        self.take("]")
        if self.next == "_" and self.tokens[self.at + 1 : self.at + 3] != ["{", r"\left"]:
            self.take()
            return self.filled(inner, self.group())
        with self.over(inner):
            parts = [self.expression()]
            if self.next == ",":  # positions, which count from 0
                return self.list_from(parts[0])
            across = self.next == "|"
            while self.skip(";") or self.skip("|"):
                parts.append(self.expression())
        return np.concatenate([np.atleast_2d(x) for x in parts], axis=int(across))

    def filled(self, inner: list[str], labels: list[str]) -> Any:
        found: dict[tuple[int, ...], Any] = {}
        for place in itertools.product(range(1, LONGEST), repeat=len(labels)):
            with self.labelled(dict(zip(labels, place, strict=True))):
                value = self.value(inner)
            if not is_nan(value):
                found[tuple(p - 1 for p in place)] = value
        shape = tuple(max(p[d] for p in found) + 1 for d in range(len(labels)))
        array = np.full(shape, np.nan, dtype=self.known.kind)
        for place, value in found.items():
            array[place] = value
        return array if len(shape) == 2 else array.reshape(-1, 1)

    def root(self) -> Any:
        """√x, ∛x."""
        if self.skip("["):
            self.take("3")
            self.take("]")
            return np.cbrt(self.value(self.group()))
        return np.sqrt(self.value(self.group()))

    def fraction(self) -> Any:
        above, below = self.group(), self.group()
        if above[:1] == [r"\partial"]:
            whole = (r"\frac", "{", *above, "}", "{", *below, "}")
            if whole in self.known.ratios:
                return self.known.ratios[whole]
            if "".join(above) != r"\partial" + self.known.letter:
                raise Unread(" ".join(whole))
            with self.over(below[1:]):
                names, self.names = self.names, self.slopes
                try:
                    return self.name_or_function(self.take())
                finally:
                    self.names = names
        top, bottom = self.value(above), plain(self.value(below))
        if isinstance(top, Identity):  # entry by entry, as any quotient of matrices
            return hadamard(top, np.divide(1.0, bottom))
        return np.divide(*fitted(plain(top), bottom))

    def matrix(self) -> Any:
        """A matrix of numbers, all of them."""
        table: list[list[Any]] = [[self.expression()]]
        while not self.skip(r"\end{bmatrix*}"):
            if self.take("&", r"\\") == "&":
                table[-1].append(self.expression())
            else:
                table.append([self.expression()])
        return np.array(table, dtype=float)

    def cases(self) -> Any:
        rows = []
        while True:
            value = plain(self.expression())
            self.take("&")
            if self.take().startswith(r"\text{otherwise"):
                self.take(r"\end{cases}")
                break
            rows.append((self.condition(), value))
            self.take(r"\\")
        for holds, chosen in reversed(rows):
            value = np.where(holds, chosen, value)
        return value if np.ndim(value) else np.asarray(value).item()

    # ------------------------------------------------------------ indices

    def indexed(self, base: Any, sub: list[str]) -> Any:
        """X_{[1, :]}, with positions from 1."""
        key = self.key(sub[2:-2])
        if any(part is None for part in key):
            return np.squeeze(base)[key]
        if np.ndim(base) == 2 and base.shape[1] == 1 and len(key) == 1:
            base = base[:, 0]
        picked = base[key]
        return np.reshape(picked, (-1, 1)) if np.ndim(picked) == 1 else picked

    def key(self, tokens: list[str]) -> tuple[Any, ...]:
        parts: list[list[str]] = [[]]
        depth = 0
        for t in tokens:
            depth += {"[": 1, "]": -1}.get(t, 0)
            if t == "," and not depth:
                parts.append([])
            else:
                parts[-1].append(t)
        return tuple(map(self.position, parts))

    def position(self, part: list[str]) -> Any:
        text = "".join(part)
        if text in ("...", r"\text{new}"):
            return Ellipsis if text == "..." else None
        if text == ":":
            return slice(None)
        if re.fullmatch(r"[0-9]+:(-?[0-9]+:)?[0-9]+", text):
            start, *step, last = (int(n) for n in text.split(":"))
            stop = last - 1 + (-1 if step and step[0] < 0 else 1)
            return slice(start - 1, None if stop < 0 else stop, *step)
        if re.fullmatch(r"[0-9]+", text):
            return int(text) - 1
        if text.startswith(r"\left["):
            return [int(n) - 1 for n in re.findall(r"[0-9]+", text)]
        return np.asarray(self.value(part), dtype=int).squeeze() - 1

    def unit_names(self) -> set[str]:
        """The letters that are a unit vector or matrix before what is next: e_{[1]}, and not e_{1}."""
        is_picked = self.tokens[self.at : self.at + 3] == ["_", "{", r"\left"]
        is_sized = self.tokens[self.at + 2 : self.at + 3][0].isdigit() if self.next == "_" else True
        letters = "euI" if is_picked else "I" if is_sized else ""
        return {c for c in letters if c not in self.names}

    def unit(self, is_vector: bool) -> Any:
        """e_{[1]} or rows of I, as long as the array that is told: a row's length where ᵀ stands or does not."""
        if self.next != "_":
            return Identity()
        rows, columns = (*self.shape, 1, 1)[:2]
        self.take("_")
        sub = self.group()
        if len(sub) == 1 and not is_vector:
            return np.eye(int(sub[0]))
        turned = self.tokens[self.at : self.at + 3] == ["^", "{", r"\top"]
        n = (columns if turned else rows) if is_vector else (rows if turned else columns)
        if is_vector and self.lying:
            n = columns if n == rows else rows
        if is_vector:
            n = self.known.units.get("".join(sub[2:-2]), n)
        return self.indexed(np.eye(n), sub)

    # ------------------------------------------------------------ names and functions

    def name_or_function(self, token: str) -> Any:
        accent = token if token in (r"\hat", r"\bar", r"\tilde") else ""
        if accent:
            self.take("{")
            token = self.take()
        if token == r"\mathbb":
            self.group()
            return self.unit(False)
        is_bold = token in (r"\mathbf", r"\boldsymbol")
        if is_bold or token == r"\operatorname":
            base = "".join(self.group()).lstrip("\\")
        else:
            base = token.lstrip("\\")
        if accent:
            self.take("}")
            base = f"{accent}{{{base}}}"
        if is_bold and base in self.unit_names():
            return self.unit(base != "I")
        mark = self.at
        sub = self.group() if self.skip("_") else []
        for own in (sub[:n] for n in range(len(sub), -1, -1)):
            key = bare(f"{base}_{{{''.join(own)}}}" if own else base)
            if key in self.names:
                return self.named(key, sub[len(own) :], is_bold)
        self.at = mark
        if base == "e":
            return math.e if self.number is float else extended.e()
        if base == "pi":
            return self.number(math.pi)
        if base in self.labels:
            return float(self.labels[base])
        return self.called(base)

    def named(self, key: str, labels: list[str], is_bold: bool) -> Any:
        value = self.names[key]
        if labels[:1] in ([","], [";"]):
            labels = labels[1:]
        if is_bold and not labels:
            return np.reshape(value, (-1, 1)) if np.ndim(value) == 1 else value
        if not labels:
            return np.asarray(value).item() if np.size(value) == 1 else self.wrong(key)
        if labels[:2] == [r"\left", "["]:
            return self.indexed(
                value if np.ndim(value) != 1 else np.reshape(value, (-1, 1)), labels
            )
        return entry(value, self.places(labels, rank(value)))

    def wrong(self, key: str) -> Any:
        raise Unread(f"{key} without labels")

    def places(self, tokens: list[str], rank: int) -> list[float]:
        """The labels below a name: each a letter or a digit, or with commas between them."""
        parts: list[list[str]] = [[]]
        depth = 0
        for t in tokens:
            depth += {"{": 1, "(": 1, "}": -1, ")": -1}.get(t, 0)
            if t == "," and not depth:
                parts.append([])
            else:
                parts[-1].append(t)
        if len(parts) == 1 and rank == len(tokens):
            parts = [[t] for t in tokens]
        elif len(parts) == 1 and len(tokens) == 1 and rank == len(tokens[0]):
            parts = [[digit] for digit in tokens[0]]
        if len(parts) != rank:
            raise Unread(f"{rank} labels in {tokens}")
        return [self.value(p) for p in parts]

    def log_of_function(self) -> Any:
        if self.next == r"\sigma" and "sigma" not in self.names:  # far out exact
            self.take()
            return GATES["log_sigmoid"].forward(plain(self.factor()))
        return np.log(self.name_or_function(self.take()))

    def called(self, name: str) -> Any:
        power: list[str] = []
        note = ""
        if name == "log" and self.next in (r"\sigma", r"\det", r"\operatorname"):
            return self.log_of_function()
        while self.next in ("^", "_"):
            if self.take() == "^":
                power = self.group()
            else:
                note = "".join(self.group())
        braced = self.skip("{")
        if not self.skip(r"\left", "("):
            raise Unread(f"{name} is no name here, and has no argument: {' '.join(self.tokens)}")
        whole = self.shape
        if name == "transpose":
            self.shape = tuple(whole[axis] for axis in np.argsort(_axes(note)) if axis < len(whole))
        first = self.expression()
        self.shape = whole
        if name == "diag" and isinstance(first, Repeated):
            first = first.c if first.axis else first.c.T
            self.closed(")")
            return first
        if isinstance(first, Identity) and self.shape:
            first = first.c * np.eye(self.shape[0])
        if name in (*_REDUCTIONS, *_MOVES) and isinstance(first, Ones | Repeated):
            raise Unread(f"{name} of what is as long as need be")
        args = [plain(first)]
        while self.skip(","):
            args.append(plain(self.expression()))
        self.closed(")")
        if braced:
            self.take("}")
        if power == [r"\top"] and name == "cumsum":
            return np.flip(reduced(name, note, np.flip(args[0])))
        value = self.applied(name, note, args)
        return self.power(value, power) if power and power != [r"\odot"] else value

    def applied(self, name: str, note: str, args: list[Any]) -> Any:  # noqa: C901 - by name
        if any(np.ndim(a) == 0 and is_nan(a) for a in args):  # of an entry that is none
            return math.nan
        if name in ("max", "min") and len(args) > 1:
            return reduce(np.maximum if name == "max" else np.minimum, args)
        if name in ("LeakyReLU", "ELU"):
            row, option = {"LeakyReLU": ("leaky_relu", 0.01), "ELU": ("elu", 1.0)}[name]
            return GATES[row].forward(*args, float(note or option))
        if name == "PReLU":
            return GATES["prelu"].forward(*args)
        if (name, note) in _NOTED:
            return _NOTED[name, note].forward(*args)
        if name in _REDUCTIONS:
            return reduced(name, note, args[0])
        if name == "diag" and not note:
            (a,) = args
            return np.diag(a[:, 0]) if a.shape[1] == 1 else np.diag(a).reshape(-1, 1)
        if name == "reshape":
            array = np.reshape(args[0], [int(n) for n in note.split(r"\times")])
            return array.reshape(-1, 1) if array.ndim == 1 else array
        if name == "broadcast":
            shape = tuple(int(n) for n in note.split(r"\times"))
            is_column = (
                np.ndim(args[0]) == 2 and args[0].shape[1] == 1 and shape[-1] == len(args[0])
            )
            value = np.broadcast_to(args[0][:, 0] if is_column else args[0], shape)
            return value.reshape(-1, 1) if value.ndim == 1 else value
        if name == "transpose":
            return np.transpose(args[0], _axes(note))
        if name == "onehot":
            at = np.asarray(args[0], dtype=int)
            hot = np.eye(int(note))[at[:, 0] if at.ndim == 2 and at.shape[1] == 1 else at]
            return hot.reshape(-1, 1) if hot.ndim == 1 else hot  # of one number a column
        if name == "pad":
            return _padded(args[0], note)
        if name == "scatter":
            return self.scattered(args[0], note)
        if name in _LOSSES:
            return _loss(name, note, args)
        gate = GATES.get(name)
        if not note and name in _FUNCTIONS:
            return _FUNCTIONS[name](*args)
        if note or gate is None or not gate.elementwise:
            return rows.called(name, note, args)
        return gate.forward(*args)

    def scattered(self, g: Any, note: str) -> Any:
        """Zeros in the shape of what is told, with g added at the places of an index."""
        key = self.key(list(words(note)[2:-2]))
        out = np.zeros(self.shape, dtype=self.known.kind)
        picked = out[key]
        np.add.at(out, key, np.reshape(g, picked.shape))
        return out

    # ------------------------------------------------------------ labels that run, and conditions

    @contextmanager
    def labelled(self, more: Mapping[str, int]) -> Iterator[None]:
        before = self.labels
        self.labels = {**before, **more}
        yield
        self.labels = before

    def limited(self, by: Any) -> Any:
        """Σ_{k=1}^{n}, Σ_{k: i_k = j}, Π_{k ≠ i} and max_k of the rest of the term."""
        self.take("_")
        below = self.group()
        if below[0].startswith(r"\text"):
            return self.over_copies(below[0])
        end = int(self.value(self.group())) if self.skip("^") else None
        text = "".join(below)
        condition: list[str] = []
        ends: dict[str, int] = {}  # where they stand below the sign
        if end is not None:
            labels, first = [below[0]], int(self.value(below[2:]))
        else:
            first, end = 1, min(LONGEST, self.known.longest)
            named = itertools.takewhile(lambda t: t not in (r"\colon", r"\ne"), below)
            labels = [t for t in named if re.fullmatch("[a-z]", t)]
            ends |= {x: int(n) for x, n in re.findall(r"1\\le(.)\\le(\d+)", text)}
            if r"\colon" in below:
                condition = below[below.index(r"\colon") + 1 :]
            elif r"\ne" in below:
                condition = below
        start, total, stop = self.at, None, self.at
        is_there = (
            r"\ne" not in below or r"\colon" in below
        )  # the entry that is left out of a product
        runs = list(itertools.product(*(range(first, ends.get(x, end) + 1) for x in labels)))
        for place in runs or [(first,)]:
            with self.labelled(dict(zip(labels, place, strict=True))):
                if r"\colon" in below and stop > start and not self.holds(condition):
                    continue
                self.at = start
                value = self.term()
                stop = self.at
                holds = not condition or self.holds(condition)
            holds = holds and bool(runs)
            is_there |= not holds and not is_nan(value)
            if holds and not (is_nan(value) and (text.find("=") != 1)):
                total = value if total is None else by(total, value)
        self.at = stop
        if not is_there:
            return math.nan
        if total is None:
            return by.identity if by in (np.add, np.multiply) and condition != below else math.nan
        return np.asarray(total).item()

    def over_copies(self, over: str) -> Any:
        axis = {r"\text{all entries}": None, r"\text{rows}": 0, r"\text{columns}": 1}.get(over, -1)
        if axis == -1:
            raise Unread(over)
        value = np.sum(plain(self.factor()), axis=axis)
        return value.reshape(-1, 1) if np.ndim(value) else value

    def holds(self, tokens: list[str]) -> bool:
        with self.over(tokens):
            if self.next == "(":  # (k, l) ≠ (i, j)
                a, b = (self.pair() for _ in range(2))
                return a != b
            good = bool(self.condition())
            while self.skip(","):
                good = bool(self.condition()) and good
            return good

    def pair(self) -> tuple[float, ...]:
        self.skip(r"\ne")
        self.take("(")
        found = [self.expression()]
        while self.skip(","):
            found.append(self.expression())
        self.take(")")
        return tuple(found)

    def condition(self) -> Any:
        holds = self.both()
        while self.skip(r"\lor"):
            holds = np.logical_or(holds, self.both())
        return holds

    def both(self) -> Any:
        holds = self.compared()
        while self.skip(r"\land"):
            holds = np.logical_and(holds, self.compared())
        return holds

    def compared(self) -> Any:
        if self.skip(r"\lnot"):
            return np.logical_not(self.compared())
        start = self.at
        try:
            left: Any = plain(self.expression())
            if self.next not in _RELATIONS:  # a number holds where it is not 0
                return np.not_equal(left, 0)
        except Unread:
            self.at = start
            if not self.skip(r"\left", "("):
                raise
            inner = self.condition()
            self.closed(")")
            return inner
        holds: Any = True
        while self.next in _RELATIONS:
            relation = _RELATIONS[self.take()]
            right = plain(self.expression())
            holds, left = np.logical_and(holds, relation(*fitted(left, right))), right
        return holds


_BEGUN: dict[str, Callable[[_Reader], Any]] = {
    r"\left": _Reader.bracket,
    r"\frac": _Reader.fraction,
    r"\sqrt": _Reader.root,
    r"\begin{cases}": _Reader.cases,
    r"\begin{bmatrix*}[r]": _Reader.matrix,
}
