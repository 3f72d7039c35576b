"""Numbers that others have printed: how far ours lies from them in units of their last digit, and what agrees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from scipy.stats import binom

from dlnrepro.claimfile.loader import read_claim
from dlnrepro.claimfile.printed.numerals import last_unit, significant_digits
from dlnrepro.verdict.judge import judge
from dlnrepro.verdict.outcome import Outcome
from dlnrepro.verdict.printed import PrintedNumber, compared, median_interval

Write = Callable[..., Path]


def _nowhere(arm: str, series: str, at: float) -> None:
    """No point of any series."""
    del arm, series, at


def _identity(arm: str, series: str, at: float) -> tuple[float, float, float]:
    """A series whose median is its axis."""
    del arm, series
    return 1, at, 9


SIXTEEN = [1 + place / 1000 for place in range(-7, 9)]


def printed_next_to(
    write_claim: Write,
    text: str,
    values: Sequence[float | None] = (1.0, 1.01, 0.99, 1.02),
    same_setting: bool = True,
    noise: float = 1e-4,
) -> PrintedNumber:
    """The only printed number of the toy claim, whose key `printed` has this text, next to these values of ours."""
    claim = read_claim(write_claim(("    why: the noise", f"    printed: {{where: here, {text}}}\n    why: the noise")))
    outcomes = {
        arm: Outcome(tuple(range(len(values))), {"value": list(values), "noise": [noise, *[1e-4] * (len(values) - 1)]})
        for arm in ("near", "far")
    }
    criteria = judge(claim, outcomes).criteria
    (found,) = compared(claim, criteria, outcomes, _nowhere, same_setting)
    return found


@pytest.mark.parametrize(
    ("text", "unit", "digits"),
    [
        ("0.640", 1e-3, 3),
        ("0.64057971", 1e-8, 8),
        ("25", 1, 2),
        ("-1.01e-6", 1e-8, 3),
        ("8e-70", 1e-70, 1),
        ("1.0e3", 100, 2),
        (".5", 0.1, 1),
        ("100", 1, 3),
    ],
)
def test_the_unit_of_the_last_digit_follows_from_how_a_number_is_written(text: str, unit: float, digits: int) -> None:
    assert last_unit(text) == pytest.approx(unit, rel=1e-12)
    assert significant_digits(text) == digits


def test_a_zero_at_the_end_is_a_digit(write_claim: Write) -> None:
    assert printed_next_to(write_claim, "value: 1.00").units == pytest.approx(2)
    assert printed_next_to(write_claim, "value: 1.0").units == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("text", "agreement", "ours"),
    [
        ("value: 1.0", "to the last digit", 1.02),
        ("value: 1.00", "differs", 1.02),
        ("value: 1.00, units: 2, note: two hundredths are lost", "to the last digit", 1.02),
        ("value: 1.00, runs: one", "within the runs", 1.005),
        ("value: 1.03, runs: one", "differs", 1.005),
        ("value: 0.9, runs: one", "differs", 1.005),
        ("value: 1.00, runs: median", "to the last digit", 1.005),
        ("value: 1.000, runs: mean", "within the runs", 1.005),
        ("value: 1.030, runs: mean", "differs", 1.005),
        ("value: 5, measure: noise", "differs", 1e-4),
    ],
)
def test_what_agrees_depends_on_what_the_printed_number_is(
    write_claim: Write, text: str, agreement: str, ours: float
) -> None:
    found = printed_next_to(write_claim, text)
    assert found.agreement == agreement
    assert found.ours == pytest.approx(ours)


def test_a_number_of_one_run_may_be_rounded_into_our_range(write_claim: Write) -> None:
    assert printed_next_to(write_claim, "value: 1.0, runs: one", [1.04, 1.2]).agreement == "within the runs"
    assert printed_next_to(write_claim, "value: 1.0, runs: one", [1.06, 1.2]).agreement == "differs"


def test_runs_without_a_number_and_runs_that_are_left_out_are_not_compared(write_claim: Write) -> None:
    found = printed_next_to(write_claim, "value: 1.0, runs: one", [7.0, None, 1.0, 1.1], noise=1.0)
    assert (found.low, found.high, found.count) == (1.0, 1.1, 2)


def test_a_result_with_other_settings_or_without_runs_is_not_compared(write_claim: Write) -> None:
    other = printed_next_to(write_claim, "value: 1.0", same_setting=False)
    assert (other.agreement, other.ours, other.units) == ("not compared", None, None)
    assert printed_next_to(write_claim, "value: 1.0", [None, None]).agreement == "not compared"


def test_each_of_several_numbers_has_its_own_measure_arm_or_point(write_claim: Write) -> None:
    text = "{value: [1.0, 5.0], where: here, arm: [near, far]}"
    series = "{value: [2, 3.0], where: there, arm: far, series: height, at: [4, 9], runs: one}"
    claim = read_claim(write_claim(("    why: the", f"    printed: [{text}, {series}]\n    why: the")))
    outcomes = {arm: Outcome((0,), {"value": [value], "noise": [0.0]}) for arm, value in {"near": 1, "far": 5}.items()}
    found = compared(claim, judge(claim, outcomes).criteria, outcomes, _identity, True)
    assert [(item.arm, item.measure, item.at, item.ours) for item in found] == [
        ("near", "value", None, 1),
        ("far", "value", None, 5),
        ("far", "height", 4, 4),
        ("far", "height", 9, 9),
    ]


def test_a_printed_number_that_differs_does_not_change_the_verdict(write_claim: Write) -> None:
    outcomes = {"near": Outcome((0,), {"value": [1.0], "noise": [0.0]}), "far": Outcome((0,), {"value": [5.0]})}
    words = [
        judge(read_claim(write_claim(("    why: the", f"{printed}    why: the"))), outcomes)
        for printed in ("", "    printed: {value: 7.000, where: here}\n")
    ]
    assert words[0] == words[1]
    assert words[0].word == "reproduced"


@pytest.mark.parametrize("count", [1, 5, 6, 16, 17, 100])
def test_the_interval_of_a_median_is_the_smallest_symmetric_one_of_95_percent(count: int) -> None:
    low, high = median_interval(list(map(float, range(count, 0, -1))))
    rank = int(low)
    assert high == count + 1 - rank
    assert binom.cdf(rank, count, 0.5) > 0.025 or rank == (count + 1) // 2
    assert rank == 1 or binom.cdf(rank - 1, count, 0.5) <= 0.025


def test_the_median_interval_of_sixteen_runs_leaves_out_three_on_each_side() -> None:
    assert median_interval(SIXTEEN) == (SIXTEEN[3], SIXTEEN[-4])
