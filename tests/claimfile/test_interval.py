"""Intervals: what lies inside, by how much a number lies outside, and which keys make none."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dlnrepro.claimfile.interval import interval

FINITE = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("keys", "inside", "outside"),
    [
        ({"above": 0}, [1e-300, 5], [0, -1]),
        ({"at_least": 0}, [0, 1], [-1e-300]),
        ({"below": 1}, [0.999], [1, 2]),
        ({"at_most": 1}, [1, -7], [1.0000001]),
        ({"above": 0, "at_most": 2}, [2, 1], [0, 2.1]),
        ({"equals": -2, "within": 0.1}, [-2, -2.1, -1.9], [-2.11, -1.89, 2]),
        ({"equals": 1, "within": 0}, [1], [1 + 1e-15]),
    ],
)
def test_bounds_are_open_or_closed_as_their_words_say(
    keys: dict[str, float], inside: list[float], outside: list[float]
) -> None:
    found = interval(**keys)
    assert all(found.contains(value) for value in inside)
    assert not any(found.contains(value) for value in outside)


@given(low=FINITE, high=FINITE, value=FINITE)
def test_the_excess_is_positive_exactly_outside(low: float, high: float, value: float) -> None:
    assume(low <= high)
    found = interval(at_least=low, at_most=high)
    assert (found.excess(value) > 0) == (not found.contains(value))


def test_nan_lies_in_no_interval() -> None:
    assert not interval(at_most=1).contains(math.nan)
    assert not interval(above=-1e308, below=1e308).contains(math.nan)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, "expected one or two of above, below, at_least, at_most, or equals with within, found none"),
        ({"above": 2, "below": 1}, "expected an interval with numbers in it, found the empty one > 2 and < 1"),
        ({"above": 1, "at_most": 1}, "expected an interval with numbers in it, found the empty one > 1 and ≤ 1"),
        ({"above": 1, "at_least": 0}, "expected one lower and one upper bound at most, found above, at_least"),
        ({"equals": 1}, "expected 'equals' together with 'within' and no other bound, found equals"),
        ({"equals": 1, "within": -1}, "expected a number of at least 0, found -1"),
        (
            {"equals": 1, "within": 1, "above": 0},
            "expected 'equals' together with 'within' and no other bound, found equals, within, above",
        ),
    ],
)
def test_keys_that_make_no_interval_are_refused(keys: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match="expected") as error:
        interval(**keys)
    assert str(error.value) == words
