"""One measure in one arm: what counts as inside, and the exact interval of the share that it shows."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

from dlnrepro.claimfile.interval import interval
from dlnrepro.verdict.check import check, share_interval
from dlnrepro.verdict.outcome import Outcome


@pytest.mark.parametrize(
    ("successes", "runs", "low", "high"),
    [(16, 16, 0.7941, 1.0), (0, 16, 0.0, 0.2059), (15, 16, 0.6977, 0.9984), (256, 256, 0.9857, 1.0)],
)
def test_the_interval_of_a_share_has_its_known_ends(successes: int, runs: int, low: float, high: float) -> None:
    assert list(share_interval(successes, runs)) == pytest.approx([low, high], abs=5e-5)


def test_without_runs_the_share_may_be_anything() -> None:
    assert share_interval(0, 0) == (0.0, 1.0)


@given(runs=st.integers(1, 256), data=st.data(), confidence=st.sampled_from([0.5, 0.95, 0.999]))
def test_the_ends_of_the_interval_of_a_share_are_quantiles_of_the_beta_distribution(
    runs: int, data: st.DataObject, confidence: float
) -> None:
    successes = data.draw(st.integers(0, runs))
    low, high = share_interval(successes, runs, confidence)
    side = (1 - confidence) / 2
    assert low == (pytest.approx(beta.ppf(side, successes, runs - successes + 1)) if successes else 0.0)
    assert high == (pytest.approx(beta.ppf(1 - side, successes + 1, runs - successes)) if successes < runs else 1.0)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_the_interval_of_a_share_covers_it_at_least_as_often_as_it_says(share: float) -> None:
    runs = 32
    chances = [binom.pmf(successes, runs, share) for successes in range(runs + 1)]
    covered = [low <= share <= high for low, high in (share_interval(k, runs) for k in range(runs + 1))]
    assert sum(chance for chance, inside in zip(chances, covered, strict=True) if inside) >= 0.95


@given(values=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=4, max_size=4))
def test_no_value_counts_twice_and_only_finite_ones_decide(values: list[float]) -> None:
    found = check("near", Outcome((0, 1, 2, 3), {"value": values}), "value", interval(at_most=0.0))
    assert found.inside + found.outside + found.undecided == 4
    assert found.undecided == sum(not math.isfinite(value) for value in values)
    assert found.inside == sum(math.isfinite(value) and value <= 0 for value in values)


def test_a_run_without_a_number_is_undecided_and_a_number_without_a_run_is_refused() -> None:
    found = check("near", Outcome((0, 1, 2, 3), {"value": [-1.0]}), "value", interval(at_most=0.0))
    assert (found.inside, found.outside, found.undecided, found.holds) == (1, 0, 3, False)
    with pytest.raises(ValueError, match=r"^expected at most 1 numbers of value, found 2$"):
        check("near", Outcome((0,), {"value": [-1.0, 0.0]}), "value", interval(at_most=0.0))


def test_a_run_that_is_left_out_is_neither_the_worst_nor_in_the_range() -> None:
    outcome = Outcome((0, 1, 2), {"value": [1.0, 9.0, 1.1]})
    found = check("arm", outcome, "value", interval(at_most=2), meets=[True, False, True])
    assert (found.left_out_seeds, found.numbers, found.min, found.max) == ((1,), [1.0, 1.1], 1.0, 1.1)
    none_left = check("arm", outcome, "value", interval(at_most=2), meets=[False] * 3)
    assert (none_left.counted, none_left.numbers, none_left.max) == (0, [1.0, 9.0, 1.1], 9.0)
