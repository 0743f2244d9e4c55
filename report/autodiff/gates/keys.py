"""An index x[...] as an option of a gate."""

from __future__ import annotations

from typing import Any


class Key(tuple[Any, ...]):
    """An index: whole numbers, slices, None and `...`; a `Place` stands for an argument.

    Written as NumPy writes it, with {1} for the argument of that number: "0, :, {1}".
    """

    def __str__(self) -> str:
        return ", ".join(map(_part, self))

    __repr__ = __str__


class Place(int):
    """The number of the argument that holds an index."""


def _part(part: Any) -> str:
    match part:
        case Place():
            return f"{{{int(part)}}}"
        case slice():
            ends = [part.start, part.stop] + [part.step] * (part.step is not None)
            return ":".join("" if end is None else str(end) for end in ends)
        case _:
            return "..." if part is Ellipsis else str(part)
