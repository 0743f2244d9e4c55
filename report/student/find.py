"""The numbers that a program printed -> the values and gradients of a trace that they stand for.

By name where there are names; else by place and number: the rest is laid along the rest of the trace,
forward and then backward, so that as many numbers as possible agree. What only its place speaks for is
taken for a wrong number only where numbers that depend on it are not right either: a number of a step
that the trace does not have (2 + b before a is added) is none of the trace's.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from report.autodiff.graph import Array
from report.autodiff.trace import Quantity, Trace
from report.student.alignment import in_order
from report.student.labels import LIKELY, SURE, Labels, Reading, in_columns
from report.student.printed import Item, Number, read_output
from report.student.ruler import Own, Ruler, in_shape, place_in
from report.student.walk import Key, held_after, keys_of, truth, uses_of

NOTHING: Mapping[Key, Array] = MappingProxyType({})
_PLACE = re.compile(r"(?:\[[\d, ]+\])+")
_MAX_NAMED = 500  # names that tell whether gates are counted alike
_MAX_PAIRS = 400_000  # numbers times keys that are laid along each other
_UNNAMED = -0.5  # a wrong number without words
_GIVEN = -1.5  # a bare number is seldom one that is given


@dataclass(frozen=True, eq=False)
class Found:
    """The student's numbers by key, and how many printed numbers stand for none of the trace's.

    `guessed` says of each number that only its place, or the word for a function, speaks for which
    number of the output it is; `hinted` are those with such a word.
    """

    own: dict[Key, Own]
    guessed: Mapping[Key, int]
    hinted: Container[Key]
    other: int


class Finder:
    """Where the numbers of an output stand in a trace.

    `place` may be asked again with more known of what the student computed: numbers that follow from a
    mistake are found by their size as right ones are.
    """

    def __init__(self, trace: Trace, output: str) -> None:
        self.trace = trace
        self.ruler = Ruler(trace)
        self.labels = Labels(trace)
        sizes = [int(np.prod(k[0].shape)) for k in keys_of(trace) if not k[0].is_input or k[1]]
        self.scalars = sizes.count(1)
        self.read = list(self._readings(in_columns(read_output(output))))
        self.read = list(self._gathered(self.read))

    def straight(self) -> Found | None:
        """Bare numbers that are as many, and of the sizes, as the values and gradients are, one by one."""
        asked = {q.node for q in self.trace.inputs if q.name in self.trace.wrt}
        keys = [
            k
            for k in keys_of(self.trace)
            if (
                not k[0].is_input
                if not k[1]
                else k[0] in (asked if k[0].is_input else self.trace.needed)
            )
        ]
        bare = all(not r.words for _, r in self.read)
        numbers = [i for item, _ in self.read for i in item.apart()] if bare else []
        if not keys or [i.size for i in numbers] != [int(np.prod(k[0].shape)) for k in keys]:
            return None
        own = {k: in_shape(i.numbers[0], k, i.line) for i, k in zip(numbers, keys, strict=True)}
        return Found(own, {}, (), 0)

    def place(
        self, expected: Mapping[Key, Array] = NOTHING, refused: Container[tuple[int, Key]] = ()
    ) -> Found:
        """The numbers by key; `expected` are those that follow from mistakes, `refused` bad guesses."""
        search = _Search(self, expected, refused)
        search.by_name(self.read)
        search.by_place()
        search.drop_unsupported()
        return Found(search.own, search.guessed, search.hinted, len(search.left))

    def _readings(self, items: Iterable[Item]) -> Iterator[tuple[Item, Reading]]:
        before: tuple[Quantity, int] | None = None
        for item in items:
            here = before is not None and before[1] == item.line
            reading = self.labels.read(
                item.label, item.heading, before[0] if before and here else None
            )
            yield item, reading
            if reading.keys and reading.sure == SURE:
                before = self.trace.quantities[reading.keys[0][0]], item.line

    def _gathered(self, read: Sequence[tuple[Item, Reading]]) -> Iterator[tuple[Item, Reading]]:
        """The entries of one tensor, each printed by itself under a name that is not the trace's, together."""
        groups: dict[str, list[Item]] = {}
        for item, reading in read:
            if not reading.keys and not reading.foreign and item.label and item.size == 1:
                groups.setdefault(_PLACE.sub("[]", item.label), []).append(item)
        first = {id(g[0]): self._together(label, g) for label, g in groups.items() if len(g) > 1}
        gone = {id(i) for label, g in groups.items() if len(g) > 1 and first[id(g[0])] for i in g}
        for item, reading in read:
            whole = first.get(id(item))
            if whole is not None:
                yield whole, self.labels.read(whole.label, whole.heading)
            elif id(item) not in gone:
                yield item, reading

    def _together(self, label: str, items: Sequence[Item]) -> Item | None:
        """Items as one, where their numbers can be those of a tensor of the trace."""
        numbers = [item.numbers[0] for item in items]
        whole = Item(label.replace("[]", ""), items[0].heading, tuple(numbers), items[0].line)
        return whole if self.is_tensor(whole) else None

    def is_tensor(self, item: Item) -> bool:
        """Whether numbers without a name of the trace are the entries of one of its tensors.

        They are where they agree with it, or are more than the trace has numbers.
        """
        number = item.joined()
        alike = [
            k for k in keys_of(self.trace) if int(np.prod(k[0].shape)) == number.value.size > 1
        ]
        return bool(alike) and (
            self.scalars < number.value.size or any(self._agrees(k, number) for k in alike)
        )

    def _agrees(self, key: Key, number: Number) -> bool:
        own = in_shape(number, key, 0)
        return self.ruler.agrees(key, own, truth(self.trace, key))


@dataclass(frozen=True, eq=False)
class _Loose:
    """A number or tensor that no name has placed yet."""

    number: Number
    reading: Reading
    line: int
    order: int  # counted over all numbers


class _Search:
    def __init__(
        self, finder: Finder, expected: Mapping[Key, Array], refused: Container[tuple[int, Key]]
    ) -> None:
        self.finder = finder
        self.trace = finder.trace
        self.ruler = finder.ruler
        self.labels = finder.labels
        self.expected = expected
        self.refused = refused
        self.own: dict[Key, Own] = {}
        self.guessed: dict[Key, int] = {}
        self.hinted: set[Key] = set()
        self.left: list[_Loose] = []
        self.numbers = 0
        self.again: set[int] = set()  # loose numbers that stand in their place already

    # ------------------------------------------------------------ by name

    def by_name(self, read: Sequence[tuple[Item, Reading]]) -> None:
        """Place what has a name that leaves no doubt."""
        trusted = self._trusts_numbers(read)
        placed: list[tuple[Item, Reading]] = []
        entries: list[tuple[Item, Reading]] = []
        for item, reading in read:
            sure = reading.sure == SURE and (trusted or not reading.numbered)
            if reading.foreign and not (sure and not reading.gradient):
                continue
            if sure and reading.place:
                entries.append((item, reading))
            elif sure and (self._fits(item, reading.keys[0]) or self._lacks(item, reading.keys[0])):
                placed.append((item, reading))
            else:
                self._loosen(item, reading, sure)
        slopes = {r.keys[0] for _, r in read if r.sure == SURE and r.gradient}
        computed = next((i.line for i, r in read if not _is_given(r)), np.inf)
        for item, reading in placed:
            late = item.line > computed
            key = self._meant(reading.keys[0], item.joined(), late=late, slopes=slopes)
            if key is None:
                continue
            self._claim(key, in_shape(item.joined(), key, item.line))
        self._entries(entries)

    def _trusts_numbers(self, read: Sequence[tuple[Item, Reading]]) -> bool:
        """Whether names such as q3 are counted as the trace counts: no more of them fit elsewhere."""
        here = elsewhere = 0
        rivals = [k for k in keys_of(self.trace) if not k[0].is_input]
        numbered = [(i, r) for i, r in read if r.numbered and r.keys]
        for item, reading in numbered[:_MAX_NAMED]:
            key, number = reading.keys[0], item.joined()
            if self._stands_for(key, number, reading.place):
                here += 1
            elif any(
                self._stands_for(other, number, reading.place)
                for other in rivals
                if other[1] == key[1]
            ):
                elsewhere += 1
        return here >= elsewhere

    def _stands_for(self, key: Key, number: Number, place: tuple[int, ...]) -> bool:
        """Whether a number is a key's, or what a key has at a place, counted from 0 or from 1."""
        if not place:
            return self._agrees(key, number)
        true = np.asarray(truth(self.trace, key))
        for start in (0, 1):
            at = place_in(true.shape, tuple(i - start for i in place))
            if at is not None and true[at].shape == number.value.shape:
                own = Own(number.value, number.unit, number.digits)
                if self.ruler.agrees(key, own, true[at]):
                    return True
        return False

    def _fits(self, item: Item, key: Key) -> bool:
        size = int(np.prod(key[0].shape))
        return item.size == size or (len(item.numbers) == 1 and item.numbers[0].value.ndim > 0)

    def _lacks(self, item: Item, key: Key) -> bool:
        """Whether one number stands where a gradient has several entries, and is none of them."""
        number = item.numbers[0]
        if item.size != 1 or number.value.ndim or not key[1] or int(np.prod(key[0].shape)) == 1:
            return False
        true = np.asarray(truth(self.trace, key))
        own = Own(
            np.full(true.shape, number.value), np.full(true.shape, number.unit), number.digits
        )
        return not np.any(self.ruler.close(key, own, true))

    def _meant(self, key: Key, number: Number, *, late: bool, slopes: Container[Key]) -> Key | None:
        """What an input's name stands for: the input, its gradient ({"w1": 0.0315}), or a step down (None)."""
        node, slope = key[0], (key[0], True)
        if not node.is_input or key[1] or self._agrees(key, number):
            return key
        if self.trace.quantities[node].gradient is None or self._agrees(slope, number):
            return slope if self._agrees(slope, number) else key
        if not late or number.value.shape != node.shape:
            return key
        given = truth(self.trace, key)
        near = np.max(np.abs(number.value - given)) <= 0.5 * np.max(np.abs(given))
        return None if slope in slopes or near else slope

    def _loosen(self, item: Item, reading: Reading, sure: bool) -> None:
        """Keep what has no place yet, a name's first number for the name."""
        size = int(np.prod(reading.keys[0][0].shape)) if reading.keys else 0
        if reading.keys and 1 < size == item.size:
            self._leave(item.joined(), reading, item.line)
            return
        if not reading.keys and len(item.numbers) > 1 and self.finder.is_tensor(item):
            self._leave(item.joined(), reading, item.line)
            return
        for i, part in enumerate(item.apart()):
            own = reading if i == 0 and not item.above else self.labels.read("", part.heading)
            if own is reading and sure and self._fits(part, reading.keys[0]):
                key = reading.keys[0]
                self._claim(key, in_shape(part.numbers[0], key, part.line))
            else:
                self._leave(part.numbers[0], own, part.line)

    def _leave(self, number: Number, reading: Reading, line: int) -> None:
        self.numbers += 1
        self.left.append(_Loose(number, reading, line, self.numbers))

    def _claim(self, key: Key, own: Own) -> None:
        """Take a number for a key; of several the first that is right, else the first."""
        before = self.own.get(key)
        if before is None or (not self._right(key, before) and self._right(key, own)):
            self.own[key] = own

    def _right(self, key: Key, own: Own) -> bool:
        """Whether a number is the true one, or the one that follows from the mistakes known so far."""
        if own.value.shape != key[0].shape:
            return False
        if self.ruler.agrees(key, own, truth(self.trace, key)):
            return True
        return key in self.expected and self.ruler.agrees(key, own, self.expected[key])

    def _entries(self, entries: Sequence[tuple[Item, Reading]]) -> None:
        """Put single entries together; they are counted from 0 where one of a tensor has a 0."""
        from_one = {
            r.keys[0][0]: min(min(q.place) for _, q in entries if q.keys[0][0] is r.keys[0][0]) > 0
            for _, r in entries
        }
        for item, reading in entries:
            key = reading.keys[0]
            shape, number = key[0].shape, item.numbers[0]
            place = place_in(shape, tuple(i - from_one[key[0]] for i in reading.place))
            if place is None or number.value.shape != shape[len(place) :]:
                continue
            own = self.own.get(key)
            if own is None or own.value.shape != shape:
                own = Own(np.full(shape, np.nan), np.zeros(shape), 0, item.line)
            own.value[place], own.unit[place] = number.value, number.unit
            self.own[key] = Own(
                own.value, own.unit, max(own.digits, number.digits), own.line, own.text
            )

    # ------------------------------------------------------------ by place and number

    def by_place(self) -> None:
        """Lay the loose numbers along the keys that have none."""
        self._by_likely_name()
        keys = [k for k in keys_of(self.trace) if k not in self.own]
        loose = [n for n in self.left if not n.reading.foreign]
        self.again = {n.order for n in loose if any(self._agrees(k, n.number) for k in self.own)}
        if not keys or not loose or len(keys) * len(loose) > _MAX_PAIRS:
            return
        for i, j in in_order(loose, keys, self._score):
            item, key = loose[i], keys[j]
            own = in_shape(item.number, key, item.line)
            self.own[key] = own
            if not self._right(key, own):
                self.guessed[key] = item.order
            self.left.remove(item)

    def _by_likely_name(self) -> None:
        """Place what names the only gate of its kind, or one whose number it is."""
        for item in list(self.left):
            if item.reading.sure != LIKELY and not item.reading.numbered:
                continue
            open_ = [
                k for k in item.reading.keys if k not in self.own or not self._right(k, self.own[k])
            ]
            right = [k for k in open_ if self._agrees(k, item.number)]
            if right:
                self.own[right[0]] = in_shape(item.number, right[0], item.line)
                self.left.remove(item)
        for item in list(self.left):
            free = [k for k in item.reading.keys if k not in self.own]
            rivals = [n for n in self.left if set(n.reading.keys) & set(free)]
            alone = len(free) == len(item.reading.keys) == len(rivals) == 1
            if alone and item.reading.sure == LIKELY:
                key = free[0]
                refused = (item.order, key) in self.refused or item.reading.foreign
                if self._size_fits(key, item.number) and not refused:
                    self.own[key] = in_shape(item.number, key, item.line)
                    self.guessed[key] = item.order
                    self.hinted.add(key)
                    self.left.remove(item)

    def _size_fits(self, key: Key, number: Number) -> bool:
        return bool(number.value.size == int(np.prod(key[0].shape)))

    def _agrees(self, key: Key, number: Number) -> bool:
        if not self._size_fits(key, number):
            return False
        return self._right(key, in_shape(number, key, 0))

    def _score(self, item: _Loose, key: Key) -> float | None:
        """How well a number stands for a key; None: not at all."""
        if not self._size_fits(key, item.number) or (item.order, key) in self.refused:
            return None
        tends = item.reading.gradient
        if tends is not None and tends != key[1]:
            return None
        given = key[0].is_input and not key[1]
        if self._agrees(key, item.number):
            rarely = _GIVEN if given and not item.reading.words else 0.0
            return 2.0 + rarely + 0.05 * min(item.number.digits, 12) + (key in item.reading.keys)
        if item.reading.words or given or item.order in self.again:
            return None  # a name of the student's own says nothing of a number that fits nowhere
        return _UNNAMED

    # ------------------------------------------------------------ what only its place speaks for

    def drop_unsupported(self) -> None:
        """Let go of guesses on which right numbers would depend."""
        uses = uses_of(self.trace)
        for key in [k for k in keys_of(self.trace) if k in self.guessed]:
            after = held_after(key, uses, self.own)
            right = [k for k in after if self._right(k, self.own[k])]
            if (after and len(right) == len(after)) or (not after and self._alone(key)):
                own = self.own.pop(key)
                del self.guessed[key]
                number = Number(own.value, own.unit, own.digits, own.text)
                self._leave(number, Reading(), own.line)

    def _alone(self, key: Key) -> bool:
        """Whether a guess has no right number for its neighbour: the output may be about anything."""
        return (
            not any(self._right(k, own) for k, own in self.own.items() if k != key)
            and len(self.own) < 3
        )


def _is_given(reading: Reading) -> bool:
    """Whether a label names an input, and not its gradient."""
    return bool(reading.keys) and reading.keys[0][0].is_input and not reading.gradient
