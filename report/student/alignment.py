"""Two sequences laid along each other, as Needleman and Wunsch lay proteins (J. Mol. Biol. 48, 443, 1970)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
Target = TypeVar("Target")
_SKIPPED_ITEM, _SKIPPED_TARGET = -1.0, -0.3


def in_order(
    items: Sequence[Item], targets: Sequence[Target], score: Callable[[Item, Target], float | None]
) -> list[tuple[int, int]]:
    """Pairs in order whose scores add up to most; what is left out costs a little."""
    n, m = len(items), len(targets)
    best = np.zeros((n + 1, m + 1))
    best[:, 0] = _SKIPPED_ITEM * np.arange(n + 1)
    best[0, :] = _SKIPPED_TARGET * np.arange(m + 1)
    step = np.zeros((n + 1, m + 1), dtype=np.int8)  # 1 pair, 2 item left out, 3 key left out
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            paired = score(items[i - 1], targets[j - 1])
            options = [best[i - 1, j] + _SKIPPED_ITEM, best[i, j - 1] + _SKIPPED_TARGET]
            if paired is not None:
                options.append(best[i - 1, j - 1] + paired)
            choice = int(np.argmax(options))
            best[i, j], step[i, j] = options[choice], (2, 3, 1)[choice]
    pairs: list[tuple[int, int]] = []
    i, j = n, m
    while i and j:
        kind = step[i, j]
        if kind == 1:
            pairs.append((i - 1, j - 1))
        i, j = i - (kind != 3), j - (kind != 2)
    return pairs[::-1]
