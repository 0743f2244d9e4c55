r"""A program's output -> the numbers in it, each with the words that stand before it.

Numbers are read as Python, NumPy and PyTorch print them: alone, in lists, `array([...])`,
`tensor([...])`, `[[1. 2.]\n [3. 4.]]`, over several lines, or as bare rows under a label. A number that
is part of a formula (2 * x), of a name (q3, W[0]), of a shape (3, 1) or of a count (gate 3:) is none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from report.autodiff.graph import Array

MAX_ITEMS = 20_000
REPR = 15  # significant digits: a number printed as Python stores it
_NUMBER = re.compile(
    r"(?<![\w.])(?:[-+](?=[\d.ni]))?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf)(?!\w)"
)
_START = re.compile(rf"\[|{_NUMBER.pattern}")
_WRAPPER = re.compile(
    r"\b(?:(?:np|numpy|torch|jnp|tf)\.)?(?:float64|float32|float16|int64|int32|tensor|array|Tensor|"
    r"ndarray|Parameter|Variable|Matrix|matrix|Scalar)\((?=\s*[-+\[\d.(ni])"
)
_TRAILER = re.compile(
    r",\s*(?:dtype|grad_fn|requires_grad|device|shape|size|names?)=(?:<[^<>\n]*>|'[^'\n]*'|\([^()\n]*\)|[\w.]+)"
)
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_WITHIN = re.compile(r"[-+\d.,eEnaif\s\[\]()]*")
_SHAPE = re.compile(r"\(\s*\d+\s*(?:,\s*\d+\s*)*,?\s*\)")
_INDEX = re.compile(r"\[[^\[\]\n]{0,60}\]")
_COUNTED = re.compile(r"(?:^|[\W_])(?:step|gate|node|epoch|layer|iter|iteration|question|part|task|no\.?|number|sample|row|line)\s*#?$", re.IGNORECASE)  # fmt: skip
_OPERATOR = re.compile(r"[*/@^+]|[ \t]+(?:[*/@^+]|-(?=\s))[ \t]*[\w(.\[]|-(?=\s*[\w(.\[])")
_BEFORE = re.compile(r"(?:[*/@^+]|(?<=[\w)\]])\s*-|\w\()[ \t]*$")
_IN_CALL = re.compile(r"(?:^|[^\w.])(?:\w+\.)*[a-z]\w*\((?:[^()\n]|\([^()\n]*\))*$")
_BLANK = " \t\n\r,;|()"


@dataclass(frozen=True, eq=False)
class Number:
    """A number, or a tensor in brackets: its entries, and one unit of the last digit of each.

    A unit of 0 says that the number is printed as it is stored.
    """

    value: Array
    unit: Array
    digits: int  # significant, of the longest entry
    text: str


@dataclass(frozen=True, eq=False)
class Item:
    """Numbers that belong together: a number, a tensor, or bare rows; and the words before them.

    `label` are the words in front, `heading` the last line of words above that has no numbers.
    """

    label: str
    heading: str
    numbers: tuple[Number, ...]
    line: int
    above: bool = field(default=False)  # the label has a line of its own

    @property
    def size(self) -> int:
        """How many numbers there are in all."""
        return sum(n.value.size for n in self.numbers)

    def joined(self) -> Number:
        """All of it as one tensor; a single one keeps its shape."""
        if len(self.numbers) == 1:
            return self.numbers[0]
        return Number(
            np.concatenate([n.value.ravel() for n in self.numbers]),
            np.concatenate([n.unit.ravel() for n in self.numbers]),
            max(n.digits for n in self.numbers),
            " ".join(n.text for n in self.numbers),
        )

    def apart(self) -> list[Item]:
        """Each number by itself, the first with the label."""
        first, *rest = self.numbers
        label = "" if self.above and rest else self.label
        heading = self.label if self.above and rest else self.heading
        return [Item(label, heading, (first,), self.line)] + [
            Item("", heading, (n,), self.line) for n in rest
        ]


def read_output(text: str) -> list[Item]:
    """The numbers of an output in their order, with what stands before them."""
    plain = _plain(text)
    items: list[Item] = []
    label, heading, above, line = "", "", False, 1
    numbers: list[Number] = []
    end = 0
    for start, stop, number in _numbers(plain):
        between = plain[end:start]
        lines = between.split("\n")
        words = lines[-1].strip(_BLANK)
        over = [bare for part in lines[:-1] if (bare := part.strip(_BLANK))]
        fresh = bool(words or over)
        if not fresh and len(lines) > 1 and numbers:  # a new line without any words
            fresh = not above and bool(label)
        if numbers and (fresh or number.value.ndim or numbers[-1].value.ndim):
            items.append(Item(label, heading, tuple(numbers), line, above))
            numbers = []
        if not numbers:
            if not words and over:
                words, above = over.pop(), True
            else:
                above = False
            if over:
                heading = over[-1]
            label, line = words, plain.count("\n", 0, start) + 1
        numbers.append(number)
        end = stop
        if len(items) >= MAX_ITEMS:
            break
    if numbers:
        items.append(Item(label, heading, tuple(numbers), line, above))
    return _as_stored(items[:MAX_ITEMS])


def _plain(text: str) -> str:
    """The text without what only wraps numbers; signs and small digits as ASCII has them."""
    text = unicodedata.normalize("NFKC", _COLOUR.sub("", text)).replace("\N{MINUS SIGN}", "-")
    text = _TRAILER.sub("", _WRAPPER.sub(" ", text))
    return text.expandtabs(4)


def _numbers(text: str) -> Iterator[tuple[int, int, Number]]:
    """Every number and tensor with its place in the text."""
    place = 0
    while match := _START.search(text, place):
        start, place = match.span()
        if match[0] == "[":
            if start and (text[start - 1].isalnum() or text[start - 1] in "_])"):
                index = _INDEX.match(text, start)
                place = index.end() if index else place
            elif found := _tensor(text, start):
                place, number = found
                yield start, place, number
            continue
        shape = _SHAPE.match(text, start - 1) if start else None
        if shape:
            place = shape.end()
        elif not _is_part(text, start, place):
            yield start, place, _number(match[0])


def _is_part(text: str, start: int, end: int) -> bool:
    """Whether a number belongs to a formula, a count or a label."""
    head = text[max(text.rfind("\n", 0, start) + 1, start - 40) : start]
    whole = text[start:end].isdecimal()
    if whole and (text[end : end + 1] == ":" or _COUNTED.search(head)):
        return True
    if whole and not head.strip() and text[end : end + 2] in (") ", ". "):
        return True
    if _OPERATOR.match(text, end):
        return True
    return bool(_BEFORE.search(head) or _IN_CALL.search(head))


def _tensor(text: str, start: int) -> tuple[int, Number] | None:
    """A bracketed tensor from its first bracket; None where it is something else."""
    depth, place = 0, start
    inside = _WITHIN.match(text, start)
    limit = inside.end() if inside else start
    while place < limit:
        depth += {"[": 1, "]": -1}.get(text[place], 0)
        place += 1
        if depth == 0:
            break
    if depth or place == start:
        return None
    nested = _nested(text[start:place])
    if nested is None:
        return None
    try:
        numbers = np.vectorize(_number, otypes=[object])(np.array(nested, dtype=object))
        values = np.vectorize(lambda n: float(n.value), otypes=[float])(numbers)
        units = np.vectorize(lambda n: float(n.unit), otypes=[float])(numbers)
    except (ValueError, TypeError):
        return None
    flat = list(np.asarray(numbers).ravel())
    if not flat:
        return None
    positive = units[units > 0]
    if not any("e" in n.text.lower() for n in flat) and positive.size:
        units = np.full_like(units, positive.min())
    digits = max(n.digits for n in flat)
    return place, Number(values, units, digits, text[start:place])


def _nested(text: str) -> Any:
    """Brackets as lists of texts of numbers; None where they are none, or ragged."""
    stack: list[list[Any]] = [[]]
    for token in re.findall(r"[\[\]]|[^\s,\[\]()]+", text):
        if token == "[":
            stack.append([])
        elif token == "]":
            done = stack.pop()
            stack[-1].append(done)
        elif _NUMBER.fullmatch(token):
            stack[-1].append(token)
        else:
            return None
    found = stack[0][0]
    return found if _regular(found) is not None else None


def _regular(value: Any) -> tuple[int, ...] | None:
    if not isinstance(value, list):
        return ()
    shapes = {_regular(v) for v in value}
    if len(shapes) != 1 or None in shapes:
        return None
    return (len(value), *(shapes.pop() or ()))


def _number(text: str) -> Number:
    """One number: a float, and the unit of its last digit (0 for a whole number)."""
    value = np.float64(text)
    if not np.isfinite(value):
        return Number(np.array(value), np.array(0.0), REPR, text)
    decimal = Decimal(text)
    exponent = decimal.as_tuple().exponent
    assert isinstance(exponent, int)
    bare = text.lower().partition("e")[0]
    rounded = "." in bare and not bare.endswith(".")
    unit = float(Decimal(1).scaleb(exponent)) if rounded or "e" in text.lower() else 0.0
    digits = len(decimal.as_tuple().digits)
    return Number(np.array(value), np.array(unit), digits, text)


def _as_stored(items: list[Item]) -> list[Item]:
    """Where numbers are printed as Python stores them, a short one such as 0.5 is exact too."""
    scalars = [n for i in items for n in i.numbers if not n.value.ndim]
    if not any(n.digits >= REPR for n in scalars):
        return items
    return [
        Item(
            i.label,
            i.heading,
            tuple(_exact(n) if _is_short(n) else n for n in i.numbers),
            i.line,
            i.above,
        )
        for i in items
    ]


def _is_short(number: Number) -> bool:
    return not number.value.ndim and len(number.text.partition(".")[2]) <= 1


def _exact(number: Number) -> Number:
    return Number(number.value, np.zeros_like(number.unit), number.digits, number.text)
