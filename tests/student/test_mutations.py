"""A small sample of programs with one mistake: the first wrong gate is found, the kind is named.

`python -m benchmarks.mutations` measures it over all problems.
"""

from __future__ import annotations

from benchmarks.mutations import STYLES, measure


def test_mistakes_in_the_first_homework_are_found_and_named() -> None:
    alarms, mistakes, _, missed = measure(1, only=("homework1 q1",))
    assert alarms == {f"{style}: right programs": 1 for style in STYLES} | {
        "generated: programs": 2
    }
    count = sum(score.count for score in mistakes.values())
    assert count >= 15
    assert sum(score.number for score in mistakes.values()) >= 0.95 * count, missed
    assert sum(score.kind for score in mistakes.values()) >= 0.8 * count, missed
