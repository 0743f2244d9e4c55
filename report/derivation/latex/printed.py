r"""What a printer hands back: LaTeX with what those who set it beside other things must know of it.

A formula is put together by `put` from printed parts and from literals, the notation that stands in the
source or in a gate's row. Of a literal it is read how it begins and ends and which signs it holds; of a
printed part it is known. So nothing looks into finished LaTeX, where a name of the user may look like
a sign.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto
from functools import lru_cache
from typing import Any, NamedTuple, Self

from report.autodiff.gates import ATOM


class First(Enum):
    """What the eye meets first in a formula."""

    OTHER = auto()
    MINUS = auto()
    DIGIT = auto()
    FRACTION = auto()
    ROWS = auto()  # of a matrix or of cases
    BRACKET = auto()  # \left(
    ONES = auto()  # 𝟏
    TRUTH = auto()  # 𝟙
    WORD = auto()  # a name of several letters


class Last(Enum):
    """What it meets last."""

    OTHER = auto()
    DIGIT = auto()
    ONES = auto()
    BRACKET = auto()  # \right)
    SUBSCRIPT = auto()
    WORD = auto()


class Sign(Enum):
    """What a formula can hold anywhere in it, for the legend and for those who take it in."""

    DOT = auto()
    TIMES_BY_ENTRIES = auto()
    POWER_BY_ENTRIES = auto()
    FUNCTION_BY_ENTRIES = auto()  # of a matrix, where the function of the matrix is another
    ROW = auto()  # xᵀ
    TRUTH = auto()
    ONES = auto()
    ALONG_AXIS = auto()
    RESHAPE = auto()
    TRANSPOSE = auto()
    BROADCAST = auto()
    SCATTER = auto()
    SUM_FROM_END = auto()
    ONE_HOT = auto()
    UNIT_VECTOR = auto()
    ROWS_OF_IDENTITY = auto()
    PLACE = auto()  # a single position in square brackets
    STACKED = auto()  # [x; y]
    SLICE = auto()
    SLICE_IN_STEPS = auto()
    DELTA = auto()
    OF_CODE = auto()  # which no textbook has: windows, einsum, an axis by its number
    BY_ARGUMENT = auto()  # a derivative by one of several equal arguments
    OF_ENTRIES = auto()  # a function of one number, of a vector or matrix
    POWERS = auto()  # of the entries of a vector or matrix
    QUOTIENTS = auto()  # by the entries of a vector or matrix
    STRETCHED = auto()  # a row or a column beside a matrix
    FROBENIUS = auto()
    SIGMOID = auto()
    PARTIAL = auto()
    FRACTION = auto()
    PI = auto()
    MATRIX = auto()  # of numbers


class Start(NamedTuple):
    """How a formula begins: `number` with a digit or sign, also in a bracket or fraction, which is `signed` there."""

    first: First = First.OTHER
    number: bool = False
    signed: bool = False
    colour: str = ""


class Shown(NamedTuple):
    """A part in colour: where it begins and ends in the LaTeX, without the command, and the numbers that it shows.

    Or a factor without a colour, "", that is known all the same.
    """

    begin: int
    end: int
    colour: str
    numbers: Any

    def moved(self, by: int) -> Shown:
        """The same behind so many characters more."""
        return self._replace(begin=self.begin + by, end=self.end + by)


Signs = frozenset[Sign]
NONE: Signs = frozenset()


class Printed(str):
    """LaTeX; `binding` is how tightly its outermost sign binds, `notes` what the rows of its gates say of it.

    `numbers` are the numbers that it shows where it shows nothing else, `condition` what stands in a bracket
    𝟙[...] that is all of it, `name` the name of which it is the symbol, and `shown` its parts in colour.
    """

    binding: int
    start: Start
    last: Last
    signs: Signs
    notes: tuple[str, ...]
    numbers: Any
    condition: Printed | None
    name: str | None
    shown: tuple[Shown, ...]

    def __new__(
        cls,
        text: str,
        binding: int = ATOM,
        start: Start | None = None,
        last: Last = Last.OTHER,
        signs: Signs = NONE,
        notes: tuple[str, ...] = (),
        *,
        numbers: Any = None,
        condition: Printed | None = None,
        name: str | None = None,
        shown: tuple[Shown, ...] = (),
    ) -> Self:
        """The text as it is; nothing is read from it."""
        self = super().__new__(cls, text)
        self.binding, self.start, self.last = binding, start or Start(), last
        self.signs, self.notes = signs, notes
        self.numbers, self.condition, self.name = numbers, condition, name
        self.shown = shown
        return self

    def with_shown(self, of: Callable[[str, Shown], str]) -> Printed:
        """The same with other LaTeX in its parts in colour."""
        text, at = "", 0
        shown = []
        for part in self.shown:
            text += self[at : part.begin]
            begin, at = len(text), part.end
            text += of(self[part.begin : part.end], part)
            shown.append(part._replace(begin=begin, end=len(text)))
        text += self[at:]
        told = self._told | {"shown": tuple(shown)}
        return Printed(text, self.binding, self.start, self.last, self.signs, self.notes, **told)

    @property
    def uncoloured(self) -> str:
        """The LaTeX without its colours."""
        text, at = "", 0
        for part in self.shown:
            command = _command(part.colour) if part.colour else ""
            text += self[at : part.begin - len(command)] + self[part.begin : part.end]
            at = part.end + bool(command)
        return text + self[at:]

    @property
    def minus(self) -> bool:
        """Whether it begins with a minus that can be taken off."""
        return self.start.first is First.MINUS and not self.start.colour

    @property
    def colour(self) -> str:
        """The colour in which it begins."""
        return self.start.colour

    @property
    def is_negative(self) -> bool:
        """Whether the eye meets a minus first, be it that of a number in colour."""
        return self.start.first is First.MINUS

    @property
    def unsigned(self) -> Printed:
        """The same without the minus that it begins with."""
        shown = tuple(part.moved(-1) for part in self.shown if part.begin)
        return Printed(
            self[1:], self.binding, Start(), self.last, self.signs, self.notes, shown=shown
        )

    @property
    def needs_dot(self) -> bool:
        """Whether a factor needs a dot before it: it begins with a digit or a sign, outside of brackets."""
        first, number, signed, _ = self.start
        return number and (first is not First.BRACKET or signed)

    def holding(self, signs: Signs = NONE, notes: tuple[str, ...] = ()) -> Printed:
        """The same with more signs in it, and with more that is said of it."""
        if signs <= self.signs and not notes:
            return self
        signs, notes = self.signs | signs, (*self.notes, *notes)
        return Printed(self, self.binding, self.start, self.last, signs, notes, **self._told)

    def bound(self, binding: int, **told: Any) -> Printed:
        """The same text with another binding."""
        told = self._told | told
        return Printed(self, binding, self.start, self.last, self.signs, self.notes, **told)

    @property
    def _told(self) -> dict[str, Any]:
        return {
            "numbers": self.numbers,
            "condition": self.condition,
            "name": self.name,
            "shown": self.shown,
        }


def put(
    *parts: str, binding: int = ATOM, last: Last | None = None, signs: Signs = NONE, **told: Any
) -> Printed:
    """Printed parts and literals, one behind the other."""
    notes: tuple[str, ...] = ()
    starts = None
    opened = ""  # the literals before the first part that tells how it begins
    end = Last.OTHER
    shown: tuple[Shown, ...] = ()
    for i, part in enumerate(parts):
        if not part:
            continue
        if isinstance(part, Printed):
            start, end, held = part.start, part.last, part.signs
            if part.notes:
                notes += part.notes
            if part.shown:
                before = sum(map(len, parts[:i]))
                shown += tuple(x.moved(before) for x in part.shown)
        else:
            start, end, held = literal(part)
        if not held <= signs:
            signs |= held
        if starts is None:
            if part in _OPENED and not isinstance(part, Printed):
                opened = opened or part
            else:
                starts = _opened(opened, start) if opened else start
    return Printed("".join(parts), binding, starts, last or end, signs, notes, shown=shown, **told)


_OPENED = (r"\left(", r"\frac{")


def _opened(by: str, inner: Start) -> Start:
    """How a bracket or a fraction begins whose first part is known."""
    if by == r"\frac{":
        return Start(First.FRACTION, inner.number)
    signed = bool(inner.colour) or inner.first is First.MINUS
    return Start(First.BRACKET, inner.number, signed)


def bracketed(part: Printed) -> Printed:
    """A part in round brackets."""
    return put(r"\left(", part, r"\right)", last=Last.BRACKET)


def fraction(above: str, below: str, binding: int = ATOM) -> Printed:
    """Above over below."""
    return put(r"\frac{", above, "}{", below, "}", binding=binding)


def coloured(part: Printed, colour: str | None) -> Printed:
    """A part in a colour, or as it is."""
    if not colour:
        return part
    start = part.start._replace(colour=colour)
    command = _command(colour)
    shown = (Shown(len(command), len(command) + len(part), colour, part.numbers),)
    told = {"numbers": part.numbers, "shown": shown}
    return Printed(
        f"{command}{part}}}", part.binding, start, Last.OTHER, part.signs, part.notes, **told
    )


def known(part: Printed) -> Printed:
    """A part without a colour that other LaTeX may take the place of, as of one in colour."""
    shown = part.shown or (Shown(0, len(part), "", part.numbers),)
    return part.bound(part.binding, shown=shown)


def _command(colour: str) -> str:
    return rf"\textcolor{{{colour}}}{{"


def joined(separator: str, parts: list[Printed], binding: int = ATOM) -> Printed:
    """Parts with a literal between them."""
    between: list[str] = []
    for part in parts:
        between += [separator, part] if between else [part]
    return put(*between, binding=binding)


@lru_cache(maxsize=4096)
def literal(text: str) -> tuple[Start, Last, Signs]:
    """How a piece of our own notation begins and ends, and which signs it holds."""
    text = text.strip()
    start = next((s for s, pattern in _STARTS if pattern.match(text)), Start())
    last = next((x for x, pattern in _ENDS if pattern.search(text)), Last.OTHER)
    return start, last, frozenset(sign for sign, pattern in _HELD if pattern.search(text))


_STARTS = tuple(
    (start, re.compile(pattern))
    for start, pattern in (
        (Start(First.MINUS, number=True), "-"),
        (Start(First.DIGIT, number=True), "[0-9]"),
        (Start(First.FRACTION, number=True), r"\\frac\{[0-9-]"),
        (Start(First.FRACTION), r"\\frac"),
        (Start(First.BRACKET), r"\\left\("),
        (Start(First.ROWS), r"\\begin"),
        (Start(First.ONES), "𝟏"),
        (Start(First.TRUTH), "𝟙"),
    )
)
_ENDS = tuple(
    (last, re.compile(pattern))
    for last, pattern in (
        (Last.DIGIT, "[0-9]$"),
        (Last.ONES, "𝟏$"),
        (Last.BRACKET, r"\\right\)$"),
        (Last.SUBSCRIPT, r"_\{[^{}]*\}$"),
    )
)
_HELD = tuple(
    (sign, re.compile(pattern))
    for sign, pattern in (
        (Sign.DOT, r"\\cdot"),
        (Sign.POWER_BY_ENTRIES, r"\^\{\\odot(?!\})"),
        (Sign.FUNCTION_BY_ENTRIES, r"\^\{\\odot\}"),
        (Sign.TIMES_BY_ENTRIES, r"(?<!\^\{)\\odot"),
        (Sign.ROW, r"\^\{\\top\}"),
        (Sign.TRUTH, "𝟙"),
        (Sign.ONES, "𝟏"),
        (Sign.ALONG_AXIS, r"\\text\{(?:rows|columns)\}"),
        (Sign.RESHAPE, r"\{reshape\}"),
        (Sign.TRANSPOSE, r"\{transpose\}"),
        (Sign.BROADCAST, r"\{broadcast\}"),
        (Sign.SCATTER, r"\{scatter\}"),
        (Sign.OF_CODE, r"\{(?:windows|overlap|einsum)\}|\\text\{axis "),
        (Sign.SUM_FROM_END, r"\{cumsum\}\^\{\\top\}"),
        (Sign.ONE_HOT, r"\{onehot\}"),
        (Sign.DELTA, r"\\delta_"),
        (Sign.FROBENIUS, r"\\\|_\{F\}"),
        (Sign.SIGMOID, r"\\sigma\\left|\{sigmoid\}"),
        (Sign.PARTIAL, r"\\partial"),
        (Sign.FRACTION, r"\\frac"),
        (Sign.PI, r"\\pi\b"),
    )
)
