"""Random inputs: the numbers that a key gives, everywhere the same; what is no random input is refused."""

from __future__ import annotations

import _pydecimal
import hashlib
import math
from collections import Counter
from decimal import Decimal
from statistics import NormalDist, fmean, pstdev
from typing import Any

import pytest

from report import ReportError
from report.homework import random_inputs
from report.homework.random_inputs import Stream, read_random


def drawn(table: dict[str, Any], *key: str) -> Any:
    return read_random(table, "x").draw(*(key or ("a",)))


def several(table: dict[str, Any], count: int) -> list[Any]:
    return drawn({**table, "shape": count}, "several")


# ---------------------------------------------------------------- the stream


def test_the_stream_is_sha_256_in_counter_mode() -> None:
    parts = b"\0\0\0\0\0\0\0\2ab\0\0\0\0\0\0\0\1c"  # each part behind its length
    blocks = [hashlib.sha256(parts + n.to_bytes(8, "big")).digest() for n in range(2)]
    stream = Stream("ab", "c")
    assert stream.below(1 << 256) == int.from_bytes(blocks[0], "big")
    assert stream.below(256) == blocks[1][0]
    assert stream.below(16) == blocks[1][1] >> 4
    assert stream.below(1) == 0


def test_parts_of_a_key_do_not_run_together() -> None:
    keys = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("", "abc")]
    assert len({Stream(*key).below(1 << 64) for key in keys}) == len(keys)


def test_numbers_below_n_are_equally_likely() -> None:
    stream = Stream("die")
    counts = Counter(stream.below(6) for _ in range(6000))
    assert set(counts) == set(range(6))
    squares = sum((n - 1000) ** 2 / 1000 for n in counts.values())
    assert squares < 20.5  # chi-squared with 5 degrees of freedom: one in a thousand is above


# ---------------------------------------------------------------- the numbers


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"uniform": [-3, 3], "digits": 1}, -1.0),
        ({"normal": [0, 1], "shape": [2, 2]}, [[-0.42, 0.61], [-1.49, 0.94]]),
        ({"integers": [1, 9], "shape": 5}, [6, 9, 7, 3, 5]),
        ({"choice": [0.5, 1, 2]}, 1),
    ],
)
def test_a_key_gives_these_numbers_on_every_machine(table: dict[str, Any], expected: Any) -> None:
    assert drawn(table, "1815", "q1", "x1") == expected


def test_normal_numbers_are_those_of_the_decimal_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another implementation of decimal arithmetic, written in Python alone, gives the same digits."""
    table = {"normal": [0.1, 2.5], "digits": 10, "shape": 40}
    found = drawn(table)
    for name in ("Decimal", "localcontext"):
        monkeypatch.setattr(random_inputs, name, getattr(_pydecimal, name))
    context = _pydecimal.Context(
        prec=50, rounding=_pydecimal.ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999
    )
    monkeypatch.setattr(random_inputs, "_CONTEXT", context)
    assert drawn(table) == found


def test_no_binary_floating_point_function_takes_part(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"normal": [0, 1], "digits": 10, "shape": 20}
    found = drawn(table)
    for name in ("log", "sqrt", "cos", "sin", "exp", "pow", "erf"):
        monkeypatch.setattr(math, name, None)
    assert drawn(table) == found


def test_uniform_numbers_have_their_decimals_and_both_ends() -> None:
    counts = Counter(several({"uniform": [-0.3, 0.3], "digits": 1}, 7000))
    assert sorted(counts) == [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3]
    assert sum((n - 1000) ** 2 / 1000 for n in counts.values()) < 22.5  # 6 degrees of freedom
    assert all(math.copysign(1, x) == 1 for x in counts if x == 0)


@pytest.mark.parametrize("digits", [0, 1, 3, 10])
def test_numbers_are_rounded_before_they_are_used(digits: int) -> None:
    for table in ({"uniform": [-100, 100]}, {"normal": [5, 30]}):
        for x in several({**table, "digits": digits}, 200):
            exponent = Decimal(repr(x)).normalize().as_tuple().exponent
            assert isinstance(exponent, int)
            assert -exponent <= digits


def test_normal_numbers_are_normal() -> None:
    numbers = sorted(several({"normal": [3, 2], "digits": 6}, 4000))
    expected = NormalDist(3, 2)
    gap = max(abs(expected.cdf(x) - i / len(numbers)) for i, x in enumerate(numbers))
    assert gap < 1.95 / math.sqrt(len(numbers))  # Kolmogorov: one in a thousand is above
    assert fmean(numbers) == pytest.approx(3, abs=0.15)
    assert pstdev(numbers) == pytest.approx(2, abs=0.1)


def test_integers_and_choices() -> None:
    assert set(several({"integers": [1, 9]}, 300)) == set(range(1, 10))
    assert all(type(n) is int for n in several({"integers": [-2, 2]}, 20))
    assert set(several({"choice": [0.5, 7]}, 50)) == {0.5, 7}
    assert drawn({"choice": [[1, 2], [3, 4]]}) in ([1, 2], [3, 4])
    assert drawn({"integers": [4, 4]}) == 4


def test_shapes() -> None:
    rows = drawn({"uniform": [0, 1], "shape": [3, 2]})
    assert [len(row) for row in rows] == [2, 2, 2]
    assert len({x for row in rows for x in row}) > 1
    assert drawn({"integers": [1, 2], "shape": []}) in (1, 2)


@pytest.mark.parametrize(
    ("table", "count"),
    [
        ({"integers": [1, 9]}, 9),
        ({"integers": [1, 9], "shape": 2}, 81),
        ({"uniform": [-3, 3], "digits": 1}, 61),
        ({"choice": [1, 1, 2]}, 2),
        ({"normal": [0, 1], "digits": 0}, 13),
    ],
)
def test_how_many_values_there_can_be(table: dict[str, Any], count: int) -> None:
    assert read_random(table, "x").variety == count


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "a table of nothing"),
        ({"digits": 1}, "names one of uniform"),
        ({"uniform": [0, 1], "normal": [0, 1]}, "names one of uniform"),
        ({"Uniform": [0, 1]}, "names one of uniform"),
        ({"uniform": 1}, "takes two numbers, such as [-3, 3]"),
        ({"uniform": [0]}, "takes two numbers"),
        ({"uniform": [0, "1"]}, "takes two numbers"),
        ({"uniform": [0, True]}, "takes two numbers"),
        ({"uniform": [0, math.inf]}, "takes two numbers"),
        ({"uniform": [0, math.nan]}, "takes two numbers"),
        ({"uniform": [0, 1e300]}, "numbers up to 1e+15"),
        ({"uniform": [3, -3]}, "there is no number of 2 decimals from 3 to -3"),
        ({"uniform": [0.01, 0.09], "digits": 1}, "no number of 1 decimals from 0.01 to 0.09"),
        ({"uniform": [0, 1], "digits": -1}, "digits is -1"),
        ({"uniform": [0, 1], "digits": 11}, "from 0 to 10"),
        ({"uniform": [0, 1], "digits": 1.5}, "digits is 1.5"),
        ({"uniform": [0, 1], "digits": True}, "digits is True"),
        ({"uniform": [0, 1], "digit": 1}, "unknown key 'digit'; did you mean digits?"),
        ({"integers": [1, 9], "digits": 1}, "unknown key 'digits'"),
        ({"integers": [1, 2.5]}, "two whole numbers"),
        ({"integers": [1, 10**400]}, "numbers up to"),
        ({"integers": [9, 1]}, "no number of 0 decimals"),
        ({"normal": [0, 0]}, "a positive standard deviation"),
        ({"normal": [0, -1]}, "a positive standard deviation"),
        ({"choice": []}, "takes a list"),
        ({"choice": "ab"}, "takes a list"),
        ({"choice": [1, "a"]}, "holds 'a'"),
        ({"choice": [1, math.nan]}, "holds nan"),
        ({"choice": [[1, 2]], "shape": 2}, "beside shape"),
        ({"integers": [1, 9], "shape": 0}, "shape is 0"),
        ({"integers": [1, 9], "shape": [2, -1]}, "write shape = 3"),
        ({"integers": [1, 9], "shape": [2, True]}, "write shape = 3"),
        ({"integers": [1, 9], "shape": "3"}, "write shape = 3"),
        ({"integers": [1, 9], "shape": [1000, 1000]}, "more than 100000 entries"),
        ({"integers": [1, 9], "shape": [1] * 9}, "write shape = 3"),
    ],
    ids=range(35),
)
def test_what_is_no_random_input_is_refused(table: dict[str, Any], words: str) -> None:
    with pytest.raises(ReportError, match=r"^hw\.toml: input x") as caught:
        read_random(table, "hw.toml: input x")
    assert words in str(caught.value)
