"""How sharp a criterion is: scales, spreads, ranges of thresholds and resolutions, against numbers made by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlnrepro.claimfile.interval import Interval, interval
from dlnrepro.verdict.rule import BAD
from dlnrepro.verdict.sharpness import (
    Sample,
    Threshold,
    on_scale,
    quantiles,
    resolution,
    scale_of,
    spread_of,
    thresholds,
)

AT_MOST = interval(at_most=1e-2)
NEAR_TWO = interval(equals=2.0, within=0.1)


def sample(*values: float, undecided: int = 0) -> Sample:
    """Sixteen runs: the given values, and as many further runs with the last one as are needed."""
    return Sample((*values, *[values[-1]] * (16 - len(values))), undecided)


def test_quantiles_are_interpolated_between_runs() -> None:
    assert quantiles([4.0, 0.0, 2.0, 1.0, 3.0]) == (0.0, 0.2, 1.0, 2.0, 3.0, 3.8, 4.0)
    assert quantiles([]) == ()


@pytest.mark.parametrize(
    ("values", "bounds", "scale"),
    [
        ([1e-6, 1e-4], AT_MOST, "logarithmic"),
        ([0.0, 1e-4], AT_MOST, "logarithmic"),
        ([1e-3, 2e-3], AT_MOST, "linear"),
        ([-1e-6, 1e-2], AT_MOST, "linear"),
        ([0.0, 0.0], interval(at_most=0.0), "linear"),
    ],
)
def test_a_measure_that_spans_decades_and_is_not_negative_is_compared_by_its_logarithm(
    values: list[float], bounds: Interval, scale: str
) -> None:
    assert scale_of(values, bounds) == scale


def test_a_spread_is_the_interquartile_range_in_units_or_in_decades() -> None:
    assert spread_of([1.0, 2.0, 3.0, 4.0, 5.0], on_scale("linear", [])) == 2.0
    values = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
    assert spread_of(values, on_scale("logarithmic", values)) == pytest.approx(2.0)
    with_zero = [0.0, 0.0, 1e-3, 1e-2, 1e-1]
    assert spread_of(with_zero, on_scale("logarithmic", with_zero)) == pytest.approx(1.0)


def test_thresholds_range_from_the_worst_run_to_the_first_control_run_that_would_pass() -> None:
    arms, controls = [sample(1e-4, 1e-3)], [sample(0.5, 0.3)]
    (found,) = thresholds(["at_most"], AT_MOST, arms, controls, "almost all")
    assert found == Threshold("at_most", 1e-2, 1e-3, 0.3)
    (found,) = thresholds(["at_most"], AT_MOST, arms, [], "almost all")
    assert found.loosest is None
    bounds = interval(at_least=5.0)
    (found,) = thresholds(["at_least"], bounds, [sample(9.0, 7.0)], [sample(1.0, 3.0)], "every")
    assert found == Threshold("at_least", 5.0, 7.0, 3.0)
    keys = ["equals", "within"]
    (found,) = thresholds(keys, NEAR_TWO, [sample(2.03, 1.96)], [sample(2.5)], "almost all")
    assert (found.key, found.tightest, found.loosest) == pytest.approx(("within", 0.04, 0.5))


def test_one_run_outside_in_many_may_stay_outside_unless_every_run_must_lie_inside() -> None:
    values = (5e-3, *[1e-3] * 63)
    (almost,) = thresholds(["at_most"], AT_MOST, [Sample(values, 0)], [], "almost all")
    (every,) = thresholds(["at_most"], AT_MOST, [Sample(values, 0)], [], "every")
    assert (almost.tightest, every.tightest) == (1e-3, 5e-3)


def test_a_criterion_that_is_broken_or_uninformative_has_no_range_of_thresholds() -> None:
    assert thresholds(["at_most"], AT_MOST, [sample(1.0)], [], "almost all") == []
    assert thresholds(["at_most"], AT_MOST, [sample(1e-3)], [sample(1e-3)], "almost all") == []


def test_two_thresholds_are_moved_one_at_a_time() -> None:
    bounds = interval(at_least=1.0, at_most=2.0)
    found = thresholds(["at_least", "at_most"], bounds, [sample(1.4, 1.6)], [sample(3.0)], "almost all")
    assert found == [Threshold("at_least", 1.0, 1.4, None), Threshold("at_most", 2.0, 1.6, 3.0)]


def test_a_shift_or_a_factor_is_noticed_when_a_fifth_of_the_runs_leave_the_interval() -> None:
    found = resolution(NEAR_TWO, [Sample((2.0,) * 10, 0)])
    assert found is not None
    assert (found.up, found.down, found.larger, found.smaller) == pytest.approx((0.1, 0.1, 1.05, 0.95))
    spread_out = resolution(NEAR_TWO, [Sample((1.92, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.04, 2.08), 0)])
    assert spread_out is not None
    assert (spread_out.up, spread_out.down) == pytest.approx((0.06, 0.1))


def test_a_factor_says_nothing_of_a_measure_near_zero_and_one_threshold_resolves_nothing() -> None:
    found = resolution(interval(equals=0.0, within=0.1), [Sample((0.0, 0.01), 0)])
    assert found is not None
    assert (found.larger, found.smaller) == (None, None)
    assert resolution(AT_MOST, [Sample((1e-3,), 0)]) is None
    assert resolution(NEAR_TWO, [Sample((), 4)]) is None


@given(st.lists(st.floats(1.9, 2.1), min_size=1, max_size=40), st.booleans())
def test_with_the_smallest_shift_that_is_noticed_at_most_four_fifths_of_the_runs_stay_inside(
    values: list[float], upwards: bool
) -> None:
    found = resolution(NEAR_TWO, [Sample(tuple(values), 0)])
    assert found is not None
    shift = math.nextafter(found.up, 9) + 1e-12 if upwards else -found.down - 1e-12
    inside = sum(NEAR_TWO.contains(value + shift) for value in values)
    assert inside <= BAD * len(values) + 1e-9
