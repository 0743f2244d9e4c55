"""Every equation of a derivation, read back from its own LaTeX and evaluated with the trace's numbers.

What is false is a failure, and so is what cannot be read: such a formula may not be printed. Where the
numbers of a computer are too short for a formula that is right (1 - tanh² far out), it is read again with
numbers of more digits. What a gate on its kink has, a convention says and no formula.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from report.autodiff import extended
from report.autodiff.differentiate import with_more_digits
from report.autodiff.form import Form
from report.autodiff.graph import Array, OutOfDomain, topological
from report.autodiff.kinks import kinks
from report.autodiff.parser.latex import value_of
from report.autodiff.parser.latex.names import normal
from report.autodiff.rounding_error import ROUNDING, scales
from report.autodiff.trace import Trace
from report.derivation import Derivation
from report.derivation.elements import Branch, Equation, Gradient, Step
from report.derivation.index_form.walk import LETTERS
from report.derivation.latex.indexing import one_less
from report.derivation.latex.symbols import symbol, without_font
from report.errors import ReportError
from report.readback.arrays import Unread
from report.readback.reading import Known, read, words

TOLERANCE = 1e-9
NO_NUMBER = "no number at these inputs"
UNREADABLE = (
    Unread,
    ReportError,  # of a gate that is given what it cannot take
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
)
_NO_NUMBERS = (OutOfDomain, np.linalg.LinAlgError)  # of a matrix without an inverse
MAX_PLACES = 6  # entries at which a form in entries is read; of more some, spread over all
MAX_SUMMED = 36  # entries of a gate over which a local derivative in entries is summed
GOLDEN = (math.sqrt(5) - 1) / 2
MAX_ENTRIES = 4000  # of a tensor in a formula that is read
_THROUGH = re.compile(r"\\left\.(.*)\\right\|_\{(.*)\}")
_FRACTION = re.compile(
    r"(?:\\left\.)?\\frac\{\\partial (.*)\}\{\\partial (.*?)\}(?:\\right\|_\{\d\})?"
)
_BRACED = r"(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*"
_DERIVATIVE = re.compile(
    rf"\\frac\{{\\partial {_BRACED}\}}\{{\\partial {_BRACED}\}}|\\left\.\\frac\{{\\partial {_BRACED}\}}\{{\\partial {_BRACED}\}}\\right\|_\{{\d\}}"
)
# stands for numbers, or leaves out some of them
_SHORTENED = re.compile(r"\\text\{the numbers|\\[cdlv]?dots\b|\\text\{NaN\}")


class _Shortened(Unread):
    """A formula that leaves out some of its numbers: nothing to be compared."""


@dataclass(frozen=True)
class ReadBack:
    """How many formulas were read back, and what is wrong with which."""

    formulas: int
    failures: tuple[str, ...]
    unread: tuple[str, ...] = ()

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The formulas that nobody can read; one that only has no number at these inputs is none of them."""
        return tuple(u for u in self.unread if not u.endswith(f"({NO_NUMBER})"))

    def __add__(self, other: ReadBack) -> ReadBack:
        return ReadBack(
            self.formulas + other.formulas,
            self.failures + other.failures,
            self.unread + other.unread,
        )


def read_back(trace: Trace, derivation: Derivation) -> ReadBack:
    """Read every equation of a derivation; see `Equation`."""
    reader = _Equations(trace, trace)
    with np.errstate(all="ignore"):  # what is no number is said to be none
        reader.whole(derivation)
        failures = reader.failures
        if failures and extended.steps(trace.graph) <= extended.MAX_STEPS:
            again = _Equations(trace, with_more_digits(trace))
            again.whole(derivation)
            failures = [f for f in failures if f in again.failures or f not in again.right]
    return ReadBack(reader.formulas, tuple(failures), tuple(reader.unread))


Side = tuple[str, str, Array]  # what is told, its formula, the numbers of it


def read_sides(
    trace: Trace, sides: Sequence[Side], names: Mapping[str, Array] | None = None
) -> ReadBack:
    """Read formulas that stand beside a derivation, in the names of the trace, or in `names` of their own."""
    reader = _Equations(trace, trace)
    if names is not None:
        reader.known = Known(dict(names))
    with np.errstate(all="ignore"):
        for left, side, expected in sides:
            reader.same(left, side, expected, float(np.max(np.abs(expected), initial=0.0)))
    return ReadBack(reader.formulas, tuple(reader.failures), tuple(reader.unread))


def _units(trace: Trace) -> dict[str, int]:
    """The length of the unit vector at a position that is an input: the row of an entry of a vector."""
    result = trace.graph.result
    if result.gate.form is not Form.PICKED or len(result.args) != 2:
        return {}
    whole, position = result.args
    row = one_less(position)
    return {symbol(str(row.name)): whole.shape[0]} if row is not None and row.is_input else {}


class _Equations:
    """The formulas of a trace, read with the `numbers` of that trace, or of one with more digits."""

    def __init__(self, trace: Trace, numbers: Trace) -> None:
        self.trace = trace
        result = numbers.result
        value = numbers.value if result is None else result.value
        names: dict[str, Array] = {symbol(trace.letter): np.asarray(value)}
        slopes: dict[str, Array] = {}
        for q in numbers.quantities.values():
            names[symbol(q.name)] = np.asarray(q.value)
            if q.gradient is not None:
                slopes[symbol(q.name)] = np.asarray(q.gradient)
        plain = {normal(q.name): np.asarray(q.value)[()] for q in numbers.quantities.values()}
        plain[normal(trace.letter)] = np.asarray(value)[()]
        self.known = Known(
            names, slopes, letter=symbol(trace.letter), plain=plain, units=_units(trace)
        )
        self.sizes = scales(trace)
        self.kinks = kinks(trace)
        self.arrived: dict[str, dict[str, Array]] = {}
        shown = {q.name: symbol(q.name, q.node.shape) for q in trace.quantities.values()}
        for q in numbers.quantities.values():
            for c in q.contributions:
                for through in (shown[c.gate], rf"{shown[c.gate]},\,{c.argument + 1}"):
                    self.arrived.setdefault(through, {})[symbol(q.name)] = c.value
        self.formulas = 0
        self.failures: list[str] = []
        self.unread: list[str] = []
        self.right: set[str] = set()  # what has been compared and does not fail

    # ------------------------------------------------------------ what is read

    def whole(self, derivation: Derivation) -> None:
        """All that is printed, in its order."""
        for e in derivation.formula:
            self.value_of(e.left, e.symbols)
        for row in derivation.forward:
            self.value_of(row.name, (row.symbols,))
        for step in derivation.backward:
            with self.by_convention(step.quantity.name in self.kinks):
                self.step(step)
        on_kinks = [q.node for q in self.trace.gates if q.name in self.kinks]
        bent = {node.name for node in topological(*on_kinks) if node.is_input}
        for gradient in derivation.gradients:
            with self.by_convention(gradient.name in bent):
                self.gradient(gradient)

    @contextmanager
    def by_convention(self, is_on_kink: bool) -> Iterator[None]:
        """What is said meanwhile need not hold on a kink, where a convention decides."""
        known = len(self.failures)
        yield
        if is_on_kink:
            self.formulas -= len(self.failures) - known
            del self.failures[known:]

    def value_of(self, left: str, sides: Sequence[str]) -> None:
        """A name and what it is: a forward row, a let-line, the function."""
        q = next(
            (q for q in self.trace.quantities.values() if self.names(q.name, q.node.shape) == left),
            None,
        )
        if q is None:
            q = self.trace.result
        if q is None:
            return
        for side in sides:
            if side != left:
                self.same(left, side, q.value, self.sizes[q.node].value)

    def names(self, name: str, shape: tuple[int, ...]) -> str:
        return symbol(name, shape)

    def step(self, step: Step) -> None:
        ratios: dict[tuple[str, ...], Any] = {}
        node = step.quantity.node
        if step.entry is not None:
            self.entries(step.entry, self.known, self.known, self.sizes[node].value)
        for branch in step.branches:
            if branch.local is not None and node.shape:
                self.local_entries(branch)
            elif branch.local is not None:
                self.local(branch.local, ratios)
            if branch.jacobian is not None:
                self.local(branch.jacobian, ratios)
            known = replace(self.known, ratios=ratios)
            scale = self.sizes[branch.argument].gradient
            for side in (*branch.chain, *branch.symbols):
                self.same(branch.left, side, branch.value, scale, known)
            if branch.entries is not None:
                self.entries(branch.entries, self.through(branch.entries.left), self.known, scale)
            if branch.together is not None:
                for side in branch.together.symbols:
                    self.same(branch.together.left, side, branch.value, scale)
            if branch.total is not None:
                whole = self.trace.quantities[branch.argument].gradient
                parts = branch.total.symbols[0].split(" + ")
                self.total(branch.total.left, parts, whole, scale)

    def total(self, left: str, parts: Sequence[str], whole: Array, scale: float) -> None:
        """The sum of what several gates send back."""

        def added() -> Any:
            found: Any = 0.0
            for part in parts:
                through = _THROUGH.fullmatch(part)
                if through is None:
                    raise Unread(part)
                found = found + _shaped(_number(through[1], self.through(part)), whole)
            return found

        self.check(left, " + ".join(parts), added, whole, scale)

    def through(self, left: str) -> Known:
        """What is known of the part of a gradient that comes through one gate."""
        found = _THROUGH.fullmatch(left)
        return self.known if found is None else replace(self.known, slopes=self.arrived[found[2]])

    def local(self, e: Equation, ratios: dict[tuple[str, ...], Any]) -> None:
        """The ways to write a local derivative are equal; the chain beside it says whether they are right."""
        found = _FRACTION.fullmatch(e.left)
        if found is None:
            self.unread.append(f"{e.left} = {e.symbols[0]} (no derivative)")
            return
        shape = np.shape(read(found[2], self.known))
        values = []
        for side in e.symbols:
            self.formulas += 1
            with self.noted(f"{e.left} = {side}"):
                values.append(_number(side, self.known, shape))
        ratios[words(e.left)] = None
        if values:
            ratios[words(e.left)] = values[0]
            for side, value in zip(e.symbols[1:], values[1:], strict=False):
                self.compare(f"{e.left} = {side}", value, values[0], 0.0)

    def local_entries(self, branch: Branch) -> None:
        """Upstream × local derivative in entries, summed over the gate's entries, is what flows back."""
        assert branch.local is not None
        e = branch.local
        found = _FRACTION.fullmatch(e.left)
        if found is None:
            self.unread.append(f"{e.left} = {e.symbols[0]} (no derivative)")
            return
        of, by = found.groups()
        letters, own = self.labels(of), self.labels(by)
        tensor = self.array(of)
        shape = [] if tensor is None else [n for n in np.shape(tensor) if n != 1]
        if len(shape) != len(letters) or math.prod(shape) > MAX_SUMMED:
            return
        upstream = rf"\frac{{\partial {self.known.letter}}}{{\partial {of}}}"

        def summed() -> Any:
            total = np.zeros([n for n in np.shape(branch.value) if n != 1], dtype=self.known.kind)
            for place in itertools.product(*(range(1, n + 1) for n in shape)):
                at = dict(zip(letters, place, strict=True))
                total[tuple(at[c] - 1 for c in own)] += read(upstream, self.known, at) * read(
                    e.symbols[0], self.known, at
                )
            return total

        self.check(e.left, e.symbols[0], summed, branch.value, self.sizes[branch.argument].gradient)

    def array(self, name: str) -> Array | None:
        """The tensor that a name with labels is an entry of."""
        found = re.fullmatch(r"(.*?)(?:_\{(.*)\})?", name)
        assert found
        base, below = found[1], found[2] or ""
        for end in range(len(below), -1, -1):
            own = below[:end].rstrip(",; ")
            key = f"{base}_{{{own}}}" if own else base
            if key in self.known.names:
                return self.known.names[key]
        return None

    def places(self, name: str, letters: Sequence[str]) -> list[tuple[int, ...]]:
        """The labels of some entries of a tensor, from 1: of all where they are few, else spread."""
        array = self.array(name)
        sizes = [] if array is None else [n for n in np.shape(array) if n != 1]
        if array is None or len(sizes) != len(letters):
            most = max((n for v in self.known.names.values() for n in np.shape(v)), default=1)
            sizes = [most] * len(letters)
        count = math.prod(sizes)
        if count <= MAX_PLACES:
            chosen = list(range(count))
        else:
            spread = {int(k * GOLDEN * count) % count for k in range(MAX_PLACES)}
            chosen = sorted(spread | {count - 1})
        return (
            [tuple(int(i) + 1 for i in np.unravel_index(c, sizes)) for c in chosen]
            if sizes
            else [()]
        )

    def labels(self, name: str) -> list[str]:
        """The letters below a name that are labels of its entry."""
        below = "".join(re.findall(r"_\{((?:[^{}]|\{[^{}]*\})*)\}", name))
        return list(
            dict.fromkeys(c for c in words(below) if c in LETTERS and c not in self.known.names)
        )

    def entries(self, e: Equation, of: Known, known: Known, scale: float) -> None:
        """An equation of entries, at all labels; `of` knows what stands on its left side."""
        found = _THROUGH.fullmatch(e.left)
        left = found[1] if found else e.left
        letters = self.labels(left)
        by = _FRACTION.fullmatch(left)
        places = self.places(by[2] if by else left, letters)
        array = self.array(by[2] if by else left)
        is_each = array is not None and sum(n != 1 for n in np.shape(array)) == len(letters)
        for side in e.symbols:
            self.formulas += 1
            said = f"{e.left} = {side}"
            with self.noted(said):
                if not self.at_places(said, left, side, letters, places, of, known, scale, is_each):
                    raise Unread(NO_NUMBER)

    def at_places(
        self,
        said: str,
        left: str,
        side: str,
        letters: Sequence[str],
        places: Sequence[Any],
        of: Known,
        known: Known,
        scale: float,
        is_each: bool,
    ) -> int:
        count = 0
        for place in places:
            at = dict(zip(letters, place, strict=True))
            expected = float(read(left, of, at))
            if np.isnan(expected):  # a label is too large
                continue
            value = float(_number(side, known, labels=at))
            if (
                np.isnan(value) and is_each
            ):  # 0/0, or an entry that is none, which this reader tells
                value = float(_as_function(side, known, (), at))
            if np.isnan(value):  # and here another one
                continue
            count += 1
            if not self.compare(said, value, expected, scale):
                break
        return count

    def gradient(self, gradient: Gradient) -> None:
        """The closed form, what stands in it by name, and the entry."""
        where = [e for e in gradient.where if "=" not in e.left]
        if gradient.scalar is not None and self.kinks:
            return  # sympy knows no convention
        shares = any(r"\text{ " in e.symbols[0] for e in where)
        if not np.isfinite(gradient.value).all() or shares:
            return  # where equal numbers share, a bracket is not what it says
        node = self.trace.graph.inputs[gradient.name]
        scale = self.sizes[node].gradient
        names, plain = dict(self.known.names), dict(self.known.plain)
        # gradients are known, as let-lines are: what they use by name is read before them
        for e in sorted(_in_order(where), key=_is_gradient):
            meant = replace(self.known, names=names, plain=plain)
            is_gradient = _is_gradient(e)
            if without_font(e.left) not in names and self.labels(e.left):
                array = None if is_gradient else self.array(e.left)
                self.entries(e, self.known, meant, scale if array is None else np.abs(array).max())
                continue
            if is_gradient:
                self.same(e.left, e.symbols[0], read(e.left, self.known), scale, meant)
                continue
            if self.labels(e.left) and self.array(e.left) is not None:  # said of entries
                self.entries(e, meant, meant, 0.0)
                continue
            self.formulas += 1
            with self.noted(f"{e.left} = {e.symbols[0]}"):
                part = np.asarray(_number(e.symbols[0], meant))
                own = plain.get(normal(e.left))
                if own is not None and np.size(own) == part.size:  # a column for a vector
                    part = part.reshape(np.shape(own))
                names[without_font(e.left)] = part[:, 0] if part.shape[1:] == (1,) else part[()]
                plain[normal(e.left)] = part[()]
        known = replace(self.known, names=names, plain=plain)
        if gradient.closed is not None:
            self.same(gradient.left, gradient.closed, gradient.value, scale, known)
        if gradient.entry is not None:
            self.entries(gradient.entry, self.known, known, scale)

    # ------------------------------------------------------------ how it is compared

    def same(
        self, left: str, side: str, expected: Array, scale: float, known: Known | None = None
    ) -> None:
        """A side must have the numbers that are expected."""
        shape = np.shape(expected)
        self.check(left, side, lambda: _number(side, known or self.known, shape), expected, scale)

    def check(self, left: str, side: str, value: Any, expected: Array, scale: float) -> None:
        if np.size(expected) > MAX_ENTRIES:
            return
        self.formulas += 1
        said = f"{left} = {side}"
        with self.noted(said):
            self.compare(said, value(), expected, scale)

    @contextmanager
    def noted(self, said: str) -> Iterator[None]:
        """A formula that is read meanwhile; one that cannot be read is noted, one that is shortened not counted."""
        try:
            yield
        except _Shortened:
            self.formulas -= 1
        except UNREADABLE as error:
            reason = str(error).partition("\n")[0]
            self.unread.append(f"{said} ({reason})")

    def compare(self, said: str, found: Any, expected: Any, scale: float) -> bool:
        """Whether two sides have the same numbers; a failure where they have not."""
        value, wanted = _shaped(found, expected), np.asarray(expected, dtype=float)
        largest = float(np.max(np.abs(wanted))) if wanted.size else 0.0
        if np.isnan(value).any() and not np.isnan(wanted).any():
            self.unread.append(f"{said} ({NO_NUMBER})")
            return False
        good = value.shape == wanted.shape and np.allclose(
            value,
            wanted,
            rtol=TOLERANCE,
            atol=max(ROUNDING * scale, 1e-13 * largest),
            equal_nan=True,
        )
        what = f"the formula {said} does not have the numbers that it should"
        if good:
            self.right.add(what)
        else:
            self.failures.append(what)
        return bool(good)


def _is_gradient(e: Equation) -> bool:
    return words(e.left)[:1] == words(r"\frac")


def _in_order(where: Sequence[Equation]) -> list[Equation]:
    """What stands in a formula by name, what another one's meaning uses first."""
    left, done = list(where), list[Equation]()
    while left:
        names = [e.left for e in left]
        free = [e for e in left if not any(n in e.symbols[0] for n in names if n != e.left)]
        done += free or left
        left = [e for e in left if e not in done]
    return done


def _number(
    text: str, known: Known, shape: tuple[int, ...] = (), labels: Mapping[str, int] | None = None
) -> Any:
    """The numbers of a formula, with free `labels` only where it is said of entries. Raises one of UNREADABLE.

    The reader of functions is the reader, and the quicker one for numbers reads what that one cannot; what
    stands in entries is read by the quicker one first.
    """
    if _SHORTENED.search(text):
        raise _Shortened

    def as_function() -> Any:
        value = _as_function(text, known, shape, labels or {})
        if labels is None and np.size(value) != math.prod(shape):  # 𝟏 as wide as need be
            with suppress(*UNREADABLE):
                return read(text, known, shape=shape)
        return value

    def as_numbers() -> Any:
        return read(text, known, labels, shape)

    faults = []
    for read_so in (as_function, as_numbers) if labels is None else (as_numbers, as_function):
        try:
            return read_so()
        except _NO_NUMBERS:
            return math.nan
        except UNREADABLE as error:
            faults.append(str(error).partition("\n")[0])
    raise Unread("; ".join(faults))


def _as_function(text: str, known: Known, shape: tuple[int, ...], labels: Mapping[str, int]) -> Any:
    """The numbers of a formula by the reader of functions. Raises ReportError, and Unread where it is shortened."""
    put_in, values = _without_derivatives(text, known)
    return value_of(put_in, values, shape, labels)


def _without_derivatives(text: str, known: Known) -> tuple[str, dict[str, Any]]:
    """A formula with words for its derivatives, and the numbers of all names. Raises Unread."""
    values = dict(known.plain)

    def named(derivative: re.Match[str]) -> str:
        if known.ratios.get(words(derivative[0]), derivative) is None:  # itself not read
            raise _Shortened
        value = known.derivative(derivative[0])
        if value is None:
            return derivative[0]
        values[name := f"derivative{derivative.start()}"] = np.asarray(value)[()]
        return rf"\operatorname{{{name}}}"

    return _DERIVATIVE.sub(named, text), values


def _shaped(found: Any, expected: Any) -> Any:
    """A number, a column for a vector, or an array that broadcasts to what is expected."""
    value, wanted = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    if value.size == wanted.size:
        return value.reshape(wanted.shape)
    try:
        return np.broadcast_to(value, wanted.shape)
    except ValueError:
        return value
