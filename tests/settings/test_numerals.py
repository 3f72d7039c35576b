"""Numbers and values as text: short, and exact where nothing is rounded."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlnrepro.claimfile.interval import interval
from dlnrepro.claimfile.messages import shown
from dlnrepro.report.words.numbers import number
from dlnrepro.settings.numerals import numeral, setting


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"), (1e-5, "1e-5"), (1e7, "1e7"), (1e-10, "1e-10"), (-2.5e-7, "-2.5e-7"), (4.0, "4"), (12, "12"),
        (100000.0, "100000"), (1e6, "1e6"), (1e100, "1e100"), (10**7, "10000000"), (0.1234567, "0.1234567"),
        (1 / 3, "0.3333333333333333"), (math.inf, "inf"), (-math.inf, "-inf"), (math.nan, "nan"),
    ],
)  # fmt: skip
def test_a_number_is_written_without_empty_digits(value: float, text: str) -> None:
    assert numeral(value) == text


@given(st.floats(allow_nan=False))
def test_a_number_that_is_not_rounded_is_read_back_as_it_is(value: float) -> None:
    assert float(numeral(value)) == value


def test_a_number_of_a_few_digits_is_rounded_to_them() -> None:
    assert numeral(1 / 3, 4) == "0.3333"
    assert number(1.03249e-9) == "1.032e-9"
    assert number(None) == "none"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"), (None, "null"), ("steady", "steady"), ([1, 1e-5, [2.0]], "[1, 1e-5, [2]]"),
        ((0.5, False), "[0.5, false]"), ({"a": 1e7}, "{a: 1e7}"),
    ],
)  # fmt: skip
def test_a_setting_is_written_as_in_a_claim_file(value: object, text: str) -> None:
    assert setting(value) == text


def test_a_message_shows_that_a_number_is_not_a_whole_number() -> None:
    assert [shown(value) for value in (1.0, 1, 1e7, 0.5, -2.0, [1.0, 2])] == [
        "1.0", "1", "1e7", "0.5", "-2.0", "[1.0, 2]",
    ]  # fmt: skip


def test_an_interval_is_written_with_the_same_numbers() -> None:
    assert interval(at_most=1e-7).text == "≤ 1e-7"
    assert interval(above=0.1234567, below=1e6).text == "> 0.1234567 and < 1e6"
    assert interval(equals=-2.0, within=0.02).text == "-2 ± 0.02"
