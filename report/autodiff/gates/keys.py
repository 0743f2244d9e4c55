"""An index x[...] as an option of a gate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any


class Key(tuple[Any, ...]):
    """An index: whole numbers, slices, None and `...`; a `Place` stands for an argument.

    Written as NumPy writes it, with {1} for the argument of that number: "0, :, {1}", or {1} - 1 where
    its positions count from 1.
    """

    def __str__(self) -> str:
        return ", ".join(map(_part, self))

    __repr__ = __str__


class Place(int):
    """The number of the argument that holds an index, and where its positions start: at 0, or at 1."""

    start: int

    def __new__(cls, number: int, start: int = 0) -> Place:
        """The argument of that number, whose positions start there."""
        place = super().__new__(cls, number)
        place.start = start
        return place

    def __eq__(self, other: object) -> bool:
        return int(self) == other and self.start == getattr(other, "start", 0)

    __hash__ = int.__hash__


def entry_place(key: Iterable[Any], shape: Sequence[int]) -> tuple[int, ...] | None:
    """The place of the one entry that an index of plain numbers picks; None for any other index."""
    parts = list(key)
    plain = all(isinstance(part, int) and not isinstance(part, Place) for part in parts)
    if not shape or not plain or len(parts) != len(shape):
        return None
    inside = all(-n <= k < n for k, n in zip(parts, shape, strict=True))
    return tuple(k % n for k, n in zip(parts, shape, strict=True)) if inside else None


def counted(
    key: Iterable[Any], shape: Sequence[int], held: Callable[[Place, int], str]
) -> list[str]:
    """The parts of an index into a tensor of that shape as mathematics has them: positions count from 1.

    A slice has both its ends, 2:4, and its step between them where that is not 1, 1:2:5. `held` writes the
    positions in the argument of a number, on an axis of so many entries.
    """
    parts = list(key)
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    written = []
    axis = 0
    for part in parts:
        if part is None or part is Ellipsis:
            written.append("new" if part is None else "...")
            axis += len(shape) - taken if part is Ellipsis else 0
            continue
        n = shape[axis]
        axis += 1
        if isinstance(part, Place):
            written.append(held(part, n))
        elif isinstance(part, slice):
            written.append(_counted_slice(range(n)[part], n))
        else:
            written.append(str(int(part) % n + 1))
    return written


def _counted_slice(places: range, n: int) -> str:
    if places == range(n):
        return ":"
    last = places.start + places.step * (len(places) - 1) + 1
    step = f":{places.step}" if places.step != 1 and len(places) > 1 else ""
    return f"{places.start + 1}{step}:{last}"


def _part(part: Any) -> str:
    match part:
        case Place():
            return f"{{{int(part)}}} - {part.start}" if part.start else f"{{{int(part)}}}"
        case slice():
            ends = [part.start, part.stop] + [part.step] * (part.step is not None)
            return ":".join("" if end is None else str(end) for end in ends)
        case _:
            return "..." if part is Ellipsis else str(part)
