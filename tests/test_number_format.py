"""How the numbers of one tensor are written: in one notation, true to the digits that they show."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.number_format import column, together, with_room

SMALL = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([1.09, 0.7310, 1.168], ["1.090", "0.731", "1.168"]),
        ([-0.00409, 5e-5, 0.01022], ["−0.00409", "0.00005", "0.01022"]),
        ([1.75, -0.0307, 0.0008], ["1.7500", "−0.0307", "0.0008"]),
        ([1e-9, 0, -3000], ["1 × 10⁻⁹", "0", "−3 × 10³"]),
        ([1.536e-7, -3.07e-7], ["1.536 × 10⁻⁷", "−3.070 × 10⁻⁷"]),
        ([0.4, 0.1, -0.52], ["0.40", "0.10", "−0.52"]),
        ([1, 0, 4], ["1", "0", "4"]),
        ([0.0, -0.0], ["0", "0"]),
        ([9.9996, 1], ["10.000", "1.000"]),
        ([1.0625, -1.3125, 2], ["1.063", "−1.313", "2.000"]),
        ([2e6, 3], ["2 × 10⁶", "3 × 10⁰"]),
    ],
)
def test_together(values: list[float], shown: list[str]) -> None:
    assert together(values, 4) == shown


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.25, 0, -22.5], ["0.25", "0\u2008\u2007\u2007", "−22.50"]),
        ([0.0, 3, -4], ["0", "3", "−4"]),
        ([math.inf, 2.5], ["inf", "2.5"]),
        ([-0.0, 0.5], ["0\u2008\u2007", "0.5"]),
    ],
)
def test_a_zero_in_a_column_is_0_and_room(values: list[float], shown: list[str]) -> None:
    assert column(values) == shown


def test_the_room_of_a_zero_is_that_of_the_decimals_of_the_others() -> None:
    assert [with_room(shown) for shown in column([0.25, 0, -22.5])] == [
        ("0.25", ""),
        ("0", ".00"),
        ("−22.50", ""),
    ]


def read(text: str) -> float:
    mantissa, _, power = text.replace("−", "-").partition(" × 10")
    return float(mantissa) * 10.0 ** int(power.translate(SMALL) or 0)


entries = st.one_of(
    st.just(0.0),
    st.builds(
        lambda sign, digits, power: sign * digits * 10.0**power,
        st.sampled_from([-1, 1]), st.floats(1, 9.9999), st.integers(-12, 12),
    ),
)  # fmt: skip


@given(st.lists(entries, min_size=1, max_size=9))
def test_four_digits_of_the_largest_are_right_and_none_vanishes(values: list[float]) -> None:
    shown = together(values, 4)
    largest = max(map(abs, values))
    allowed = 0.5000001 * 10.0 ** (math.floor(math.log10(largest)) - 3) if largest else 0.0
    for value, text in zip(values, shown, strict=True):
        assert abs(read(text) - value) <= allowed
        assert (read(text) == 0) == (value == 0)
    assert len({"×" in text for text in shown if text != "0"}) <= 1
    assert len({len(t.partition(".")[2].partition(" ")[0]) for t in shown if t != "0"}) <= 1
