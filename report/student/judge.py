"""What a student wrote down, held against the truth and against the student's own earlier numbers.

right    within rounding of the truth, or of what the numbers before it give
follows  not the truth, but what the student's own numbers before it give: the error was made earlier
wrong    neither: the error was made here
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from report.autodiff.graph import Array
from report.autodiff.trace import Trace
from report.student.walk import Key, truth, walk

RIGHT, FOLLOWS, WRONG = "right", "follows", "wrong"
Place = tuple[int, ...]
Answer = TypeVar("Answer")


def judge(
    trace: Trace,
    written: Mapping[Key, Mapping[Answer, tuple[Place, float]]],
    agrees: Callable[[Answer, float], bool],
) -> dict[Answer, tuple[float, str]]:
    """For each answer what follows from the student's own numbers, and the verdict.

    `written` holds for a value or gradient the answers about its entries; `agrees` says whether rounding
    explains the difference of an answer to a number.
    """
    found: dict[Answer, tuple[float, str]] = {}
    wrong: set[Key] = set()  # what is no longer the truth, so that an answer can follow from it

    def settle(key: Key, expected: Array, sources: Sequence[Key]) -> Array:
        answered = written.get(key, {})
        own = np.array(expected, dtype=float)
        true = np.asarray(truth(trace, key))
        after = any(s in wrong for s in sources)
        changed = after and len(answered) < own.size
        for answer, (place, _) in answered.items():
            follows = float(own[place])
            if agrees(answer, float(true[place])):
                verdict = RIGHT
            elif agrees(answer, follows):
                verdict = FOLLOWS if after else RIGHT
            else:
                verdict = WRONG
            found[answer] = (follows, verdict)
            changed = changed or verdict != RIGHT
        for place, number in answered.values():
            own[place] = number
        if changed:
            wrong.add(key)
        return own[()]

    walk(trace, settle)
    return found
