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
from functools import reduce
from typing import Any

import numpy as np

from report.autodiff.gates import GATES

LONGEST = 12  # of an axis over which a label runs that has no end on the page
_TOKEN = re.compile(
    r"\\left|\\right|\\begin\{cases\}|\\end\{cases\}|\\text\{[^}]*\}|\\[A-Za-z]+|\\\\|\\[|]"
    r"|[0-9]+(?:\.[0-9]+)?|[A-Za-z]|𝟏|𝟎|𝟙|[-+=<>&|(){}\[\],;:^_./]"
)
_SPACES = re.compile(r"(?<!\\)\\[,;:! ]|\\textstyle|\\mathopen")
_END = frozenset(
    ["+", "-", "=", "<", ">", "&", ",", ";", "}", ")", "]", ":", r"\\", r"\right", r"\end{cases}"]
) | {r"\le", r"\leq", r"\ge", r"\geq", r"\ne", r"\land", r"\lor", r"\colon", "|", r"\}"}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "log": np.log, "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh,
    "tanh": np.tanh, "arcsin": np.arcsin, "arccos": np.arccos, "arctan": np.arctan, "sgn": np.sign,
    "sigma": GATES["sigmoid"].forward, "erf": GATES["erf"].forward, "Phi": GATES["normal_cdf"].forward,
    "varphi": GATES["normal_pdf"].forward, "ReLU": GATES["relu"].forward, "GELU": GATES["gelu"].forward,
    "swish": GATES["swish"].forward, "softplus": GATES["softplus"].forward, "clip": np.clip,
    "det": np.linalg.det, "tr": np.trace,
}  # fmt: skip
_REDUCTIONS = ("sum", "mean", "var", "std", "prod", "softmax", "logsumexp", "max", "min", "cumsum")
_RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": np.equal, "<": np.less, ">": np.greater, r"\le": np.less_equal, r"\leq": np.less_equal,
    r"\ge": np.greater_equal, r"\geq": np.greater_equal,
    r"\ne": np.not_equal,
}  # fmt: skip


class Unread(Exception):
    """A formula with something that this reader does not know."""


class Ones:
    """c 𝟏, as long as what it stands beside; `row`: 𝟏ᵀ."""

    def __init__(self, c: Any = 1.0, row: bool = False) -> None:
        self.c, self.row = c, row


class Repeated:
    """x 𝟏ᵀ, a matrix with the same column again and again (axis 1), or 𝟏 xᵀ with the same row (axis 0)."""

    def __init__(self, c: Any, axis: int) -> None:
        self.c, self.axis = c, axis


@dataclass
class Known:
    """What a reader knows: the numbers of x or q_{1}, of ∂f/∂x as `slopes`, and of other derivatives."""

    names: dict[str, Any]
    slopes: dict[str, Any] = field(default_factory=dict)
    ratios: dict[tuple[str, ...], Any] = field(default_factory=dict)
    letter: str = "f"


def read(
    text: str, known: Known, labels: Mapping[str, int] | None = None, shape: tuple[int, ...] = ()
) -> Any:
    """The number or array of a formula; `shape` is that of the array, to which e and I adapt."""
    reader = _Reader(text, known, labels or {}, shape)
    value = reader.expression()
    if reader.next != "":
        raise Unread(f"{reader.tokens[reader.at :]} is left of {text}")
    return _plain(value)


def words(text: str) -> tuple[str, ...]:
    """The signs of a formula, without the spaces that only move things."""
    return tuple(_TOKEN.findall(_SPACES.sub(" ", text)))


class _Reader:
    def __init__(self, text: str, known: Known, labels: Any, shape: Any) -> None:
        self.tokens = [*words(text), ""]
        self.at = 0
        self.known, self.labels, self.shape = known, dict(labels), shape
        self.names = {_bare(k): v for k, v in known.names.items()}
        self.slopes = {_bare(k): v for k, v in known.slopes.items()}

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
        total = _times(-1.0, total) if minus else total
        while self.next in ("+", "-"):
            sign = 1.0 if self.take() == "+" else -1.0
            total = _plus(total, _times(sign, self.term()))
        return total

    def term(self) -> Any:
        product = self.side_by_side()
        while self.skip(r"\odot"):
            product = _hadamard(product, self.side_by_side())
        return product

    def side_by_side(self) -> Any:
        product = self.factor()
        while self.next not in _END and self.next not in ("", r"\odot"):
            if self.skip(r"\otimes"):
                product = np.kron(product, self.factor())
                continue
            if not (self.skip(r"\cdot") or self.skip(r"\times")) and re.match(r"[0-9]", self.next):
                raise Unread(f"a number behind a factor: {' '.join(self.tokens)}")
            product = _times(product, self.factor())
        return product

    def factor(self) -> Any:
        base = self.atom()
        while self.next in ("^", "_"):
            if self.take() == "^":
                base = self.power(base, self.group())
            else:
                base = self.subscript(base, self.group())
        return base

    def power(self, base: Any, exponent: list[str]) -> Any:
        if exponent == [r"\top"]:
            if isinstance(base, Ones | Repeated):
                return _turned(base)
            return np.swapaxes(base, -1, -2) if np.ndim(base) > 1 else base
        if exponent[0] == r"\odot":  # of each entry
            exponent = exponent[1:]
            if "".join(exponent) == "-1":
                return 1 / base
        if exponent == ["-", r"\top"]:
            return np.swapaxes(np.linalg.inv(base), -1, -2)
        if "".join(exponent) == "-1" and np.ndim(base) >= 2 and base.shape[-2] == base.shape[-1]:
            return np.linalg.inv(base)
        if "/" in exponent:  # x^{3/2}
            above, below = (float(n) for n in "".join(exponent).split("/"))
            return np.power(base, above / below)
        return np.power(base, self.value(exponent), dtype=float)

    def subscript(self, base: Any, sub: list[str]) -> Any:
        if sub[:1] == [r"\left"]:
            return self.indexed(base, sub)
        return _entry(base, self.places(sub, _rank(base)))

    # ------------------------------------------------------------ atoms

    def atom(self) -> Any:
        token = self.take()
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", token):
            return float(token)
        if token == "{":
            inner = self.expression()
            self.take("}")
            return inner
        if token == r"\left":
            return self.bracket()
        if token == r"\frac":
            return self.fraction()
        if token == r"\sqrt":
            return np.sqrt(self.value(self.group()))
        if token in (r"\sum", r"\prod"):
            return self.limited(np.add if token == r"\sum" else np.multiply)
        if (
            token in (r"\max", r"\min")
            and self.next == "_"
            and "axis" not in self.tokens[self.at + 2]
        ):
            return self.limited(np.maximum if token == r"\max" else np.minimum)
        if token == "𝟙":
            self.take(r"\left")
            self.take("[")
            holds = np.asarray(self.condition(), dtype=float)
            self.closed("]")
            return holds if holds.ndim else float(holds)
        if token in ("𝟏", "𝟎"):
            return Ones(1.0 if token == "𝟏" else 0.0)
        if token == r"\begin{cases}":
            return self.cases()
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
        inner = self.expression()
        if self.next == ",":
            inner = self.list_from(inner)
        self.closed({"(": ")"}.get(kind, kind))
        if kind == "|":
            return np.abs(inner)
        if kind == r"\|":
            return self.norm(inner)
        return inner

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
                if found := re.fullmatch(r"\\text\{axis }(\d)", part):
                    axis = int(found[1])
                elif part == "1":
                    order = 1
                elif part == r"\text{kept}":
                    continue
                else:
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
        found: dict[tuple[int, ...], float] = {}
        for place in itertools.product(range(1, LONGEST), repeat=len(labels)):
            with self.labelled(dict(zip(labels, place, strict=True))):
                value = self.value(inner)
            if not np.isnan(value):
                found[tuple(p - 1 for p in place)] = value
        shape = tuple(max(p[d] for p in found) + 1 for d in range(len(labels)))
        array = np.full(shape, np.nan)
        for place, value in found.items():
            array[place] = value
        return array if len(shape) == 2 else array.reshape(-1, 1)

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
        return np.divide(*_fitted(_plain(self.value(above)), _plain(self.value(below))))

    def cases(self) -> Any:
        rows = []
        while True:
            value = _plain(self.expression())
            self.take("&")
            if self.take().startswith(r"\text{otherwise"):
                self.take(r"\end{cases}")
                break
            rows.append((self.condition(), value))
            self.take(r"\\")
        for holds, chosen in reversed(rows):
            value = np.where(holds, chosen, value)
        return value if np.ndim(value) else float(value)

    # ------------------------------------------------------------ indices

    def indexed(self, base: Any, sub: list[str]) -> Any:
        """X[0, :], as NumPy has it."""
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
        if re.fullmatch(r"-?[0-9]*:-?[0-9]*(:-?[0-9]*)?", text):
            return slice(*(int(n) if n else None for n in text.split(":")))
        if re.fullmatch(r"-?[0-9]+", text):
            return int(text)
        if text.startswith(r"\left["):
            return [int(n) for n in re.findall(r"[0-9]+", text)]
        return np.asarray(self.value(part), dtype=int).squeeze()

    def unit(self, is_vector: bool) -> Any:
        """e_{[0]} or rows of I, as long as the array that is told: a row's length where ᵀ stands or does not."""
        rows, columns = (*self.shape, 1)[:2]
        if self.next != "_":
            return np.eye(rows)
        self.take("_")
        sub = self.group()
        turned = self.tokens[self.at : self.at + 3] == ["^", "{", r"\top"]
        n = (columns if turned else rows) if is_vector else (rows if turned else columns)
        return self.indexed(np.eye(n), sub)

    # ------------------------------------------------------------ names and functions

    def name_or_function(self, token: str) -> Any:
        accent = token if token in (r"\hat", r"\bar", r"\tilde") else ""
        if accent:
            self.take("{")
            token = self.take()
        is_bold = token in (r"\mathbf", r"\boldsymbol")
        if is_bold or token == r"\operatorname":
            base = "".join(self.group()).lstrip("\\")
        else:
            base = token.lstrip("\\")
        if accent:
            self.take("}")
            base = f"{accent}{{{base}}}"
        if is_bold and base in ("e", "I") and base not in self.names:
            return self.unit(base == "e")
        mark = self.at
        sub = self.group() if self.skip("_") else []
        for own in (sub[:n] for n in range(len(sub), -1, -1)):
            key = _bare(f"{base}_{{{''.join(own)}}}" if own else base)
            if key in self.names:
                return self.named(key, sub[len(own) :], is_bold)
        self.at = mark
        if base == "e":
            return math.e
        if base == "pi":
            return math.pi
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
        return _entry(value, self.places(labels, _rank(value)))

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

    def called(self, name: str) -> Any:
        power: list[str] = []
        note = ""
        if name == "log" and self.next in (r"\sigma", r"\det", r"\operatorname"):
            return np.log(self.name_or_function(self.take()))
        while self.next in ("^", "_"):
            if self.take() == "^":
                power = self.group()
            else:
                note = "".join(self.group())
        braced = self.skip("{")
        if not self.skip(r"\left", "("):
            raise Unread(f"{name} is no name here, and has no argument: {' '.join(self.tokens)}")
        first = self.expression()
        if name == "diag" and isinstance(first, Repeated):
            first = first.c if first.axis else first.c.T
            self.closed(")")
            return first
        if name in _REDUCTIONS and isinstance(first, Ones | Repeated):
            raise Unread(f"{name} of what is as long as need be")
        args = [_plain(first)]
        while self.skip(","):
            args.append(_plain(self.expression()))
        self.closed(")")
        if braced:
            self.take("}")
        if power == [r"\top"] and name == "cumsum":
            return np.flip(_reduced(name, note, np.flip(args[0])))
        value = self.applied(name, note, args)
        return self.power(value, power) if power else value

    def applied(self, name: str, note: str, args: list[Any]) -> Any:
        if name in ("max", "min") and len(args) > 1:
            return reduce(np.maximum if name == "max" else np.minimum, args)
        if name in ("LeakyReLU", "ELU"):
            row, option = {"LeakyReLU": ("leaky_relu", 0.01), "ELU": ("elu", 1.0)}[name]
            return GATES[row].forward(*args, float(note or option))
        if name == "PReLU":
            return GATES["prelu"].forward(*args)
        if name in _REDUCTIONS:
            return _reduced(name, note, args[0])
        if name == "diag" and not note:
            (a,) = args
            return np.diag(a[:, 0]) if a.shape[1] == 1 else np.diag(a).reshape(-1, 1)
        if name == "reshape":
            array = np.reshape(args[0], [int(n) for n in note.split(r"\times")])
            return array.reshape(-1, 1) if array.ndim == 1 else array
        if name == "transpose":
            return np.transpose(args[0], [int(n) for n in note.split(",")])
        if name == "onehot":
            return np.eye(int(note))[np.asarray(args[0], dtype=int).squeeze()]
        if note or name not in _FUNCTIONS:
            raise Unread(f"{name}_{note}")
        return _FUNCTIONS[name](*args)

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
        if end is not None:
            labels, first = [below[0]], int(self.value(below[2:]))
        else:
            first, end = 1, LONGEST
            named = text.partition(r"\colon")[0].partition(r"\ne")[0]
            labels = re.findall(r"[a-z]", named)
            if r"\colon" in below:
                condition = below[below.index(r"\colon") + 1 :]
            elif r"\ne" in below:
                condition = below
        start, total, stop = self.at, None, self.at
        is_there = r"\ne" not in below  # the entry that is left out of a product
        runs = list(itertools.product(range(first, end + 1), repeat=len(labels)))
        for place in runs or [(first,)]:
            with self.labelled(dict(zip(labels, place, strict=True))):
                self.at = start
                value = self.term()
                stop = self.at
                holds = not condition or self.holds(condition)
            holds = holds and bool(runs)
            is_there |= not holds and not np.isnan(value)
            if holds and not (np.isnan(value) and (text.find("=") != 1)):
                total = value if total is None else by(total, value)
        self.at = stop
        if not is_there:
            return math.nan
        return (
            0.0 if total is None and by is np.add else math.nan if total is None else float(total)
        )

    def over_copies(self, over: str) -> Any:
        axis = {r"\text{all entries}": None, r"\text{rows}": 0, r"\text{columns}": 1}.get(over, -1)
        if axis == -1:
            raise Unread(over)
        value = np.sum(_plain(self.factor()), axis=axis)
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
            left: Any = _plain(self.expression())
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
            right = _plain(self.expression())
            holds, left = np.logical_and(holds, relation(*_fitted(left, right))), right
        return holds


# ---------------------------------------------------------------- numbers and matrices


def _bare(name: str) -> str:
    return re.sub(r"\\operatorname\{(\w+)\}", r"\1", name).replace("\\", "")


def _plain(x: Any) -> Any:
    return x.c if isinstance(x, Ones | Repeated) else x


def _turned(x: Ones | Repeated) -> Any:
    if isinstance(x, Ones):
        return Ones(x.c, not x.row)
    return Repeated(np.transpose(x.c), 1 - x.axis)


def _rank(value: Any) -> int:
    return sum(n != 1 for n in np.shape(value))


def _entry(value: Any, places: list[float]) -> float:
    """An entry by labels that count from 1; beside a bracket that is 0 it need not exist."""
    array = np.squeeze(value)
    if np.isnan(places).any():
        return math.nan
    at = [round(p) - 1 for p in places]
    if any(not 0 <= p < n for p, n in zip(at, array.shape, strict=True)):
        return math.nan
    return float(array[tuple(at)])


def _plus(a: Any, b: Any) -> Any:
    if isinstance(a, Ones) and isinstance(b, Ones) and a.row == b.row:
        return Ones(a.c + b.c, a.row)
    return np.add(*_fitted(_plain(a), _plain(b)))


def _hadamard(a: Any, b: Any) -> Any:
    for x, other in ((a, b), (b, a)):
        if isinstance(x, Repeated) and x.axis == 0 and np.shape(other) == np.shape(x.c)[::-1]:
            return Repeated(x.c * other.T, 0)
    return np.multiply(*_fitted(_plain(a), _plain(b)))


def _fitted(a: Any, b: Any) -> tuple[Any, Any]:
    """A vector beside a matrix, in NumPy's reading: one number for each column."""
    if np.ndim(a) != 2 or np.ndim(b) != 2 or a.shape == b.shape:
        return a, b
    if a.shape[1] == 1 and a.shape[0] == b.shape[1] != b.shape[0] > 1:
        return a.T, b
    if b.shape[1] == 1 and b.shape[0] == a.shape[1] != a.shape[0] > 1:
        return a, b.T
    return a, b


def _times_repeated(a: Any, b: Any) -> Any:
    """A product with x 𝟏ᵀ, with 𝟏 xᵀ or with 𝟏𝟏ᵀ."""
    for x, other in ((a, b), (b, a)):
        if np.ndim(_plain(other)) == 0 and not isinstance(other, Ones | Repeated):
            return Repeated(x.c * other, x.axis)
    if isinstance(a, Repeated) and not isinstance(b, Ones | Repeated):
        if a.axis == 0:
            return Repeated(a.c @ b, 0)
        row = np.sum(b, axis=0, keepdims=True)
        return Repeated(a.c * row, 0) if np.ndim(a.c) == 0 else a.c @ row
    if isinstance(b, Repeated) and not isinstance(a, Ones | Repeated) and b.axis == 1:
        return Repeated(np.sum(a, axis=1, keepdims=True) * b.c if np.ndim(b.c) == 0 else a @ b.c, 1)
    raise Unread("how often 1 is added")


def _times(a: Any, b: Any) -> Any:
    """Side by side: a number and anything, or a product of matrices."""
    if (
        np.ndim(_plain(a)) == 0
        and np.ndim(_plain(b)) == 0
        and not isinstance(a, Ones) | isinstance(b, Ones)
    ):
        return 0.0 if a == 0 or b == 0 else a * b
    if isinstance(a, Repeated) or isinstance(b, Repeated):
        return _times_repeated(a, b)
    if isinstance(b, Ones):
        if b.row and (isinstance(a, Ones) or np.ndim(a) == 2):
            return Repeated(_plain(a) * b.c, 1)
        return Ones(a * b.c, b.row) if np.ndim(a) == 0 else np.sum(a, axis=1, keepdims=True) * b.c
    if isinstance(a, Ones):
        if np.ndim(b) == 0:
            return Ones(a.c * b, a.row)
        summed = np.sum(b, axis=0, keepdims=True) * a.c
        return summed if a.row else Repeated(summed, 0)
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    if a.shape[-1] != b.shape[-2]:
        raise Unread(f"a product of {a.shape} and {b.shape}")
    product = a @ b
    return float(product[0, 0]) if product.shape == (1, 1) else product


def _reduced(name: str, note: str, x: Any) -> Any:
    """A reduction along an axis, or of all entries; softmax takes rows, or a whole vector."""
    options: dict[str, Any] = {}
    is_kept = False
    for part in note.split(",") if note else ():
        if found := re.fullmatch(r"(?:\\text\{axis })?(\d)", part):
            options["axis"] = (*options.get("axis", ()), int(found[1]))
        elif found := re.fullmatch(r"n-(\d)", part):
            options["ddof"] = int(found[1])
        elif part == r"\text{kept}":
            is_kept = True
        else:
            raise Unread(part)
    if len(options.get("axis", ())) == 1:
        (options["axis"],) = options["axis"]
    is_column = np.ndim(x) == 2 and x.shape[1] == 1
    if name == "softmax" and "axis" not in options:
        options["axis"] = 0 if is_column else -1
    if name not in ("softmax", "cumsum") and "axis" in options:
        options["keepdims"] = True
    value = GATES[name].forward(x, **options)
    if isinstance(options.get("axis"), int) and name not in ("softmax", "cumsum") and not is_kept:
        value = value.reshape(-1, 1)  # a vector is a column
    return value.reshape(np.shape(x)) if name == "cumsum" else value
