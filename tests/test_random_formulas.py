"""A fixed sample of random formulas; `benchmarks.random_formulas` runs thousands."""

import pytest

from benchmarks.random_formulas import judged


@pytest.mark.parametrize("first", range(0, 50, 10))
def test_no_right_formula_is_refused_and_no_digit_is_wrong(first: int) -> None:
    found = {seed: judged(seed) for seed in range(first, first + 10)}
    assert {seed: wrong for seed, wrong in found.items() if wrong} == {}
    assert sum(wrong == [] for wrong in found.values()) >= 5
