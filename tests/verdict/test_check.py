"""One measure in one arm: what counts as inside, and the exact bound on the share that it shows."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from dlnrepro.claimfile.interval import interval
from dlnrepro.verdict.check import check, share_lower_bound
from dlnrepro.verdict.outcome import Outcome


@pytest.mark.parametrize(("successes", "runs", "bound"), [(20, 20, 0.8609), (16, 16, 0.8293), (0, 16, 0.0)])
def test_the_bound_on_a_share_has_its_known_values(successes: int, runs: int, bound: float) -> None:
    assert share_lower_bound(successes, runs) == pytest.approx(bound, abs=5e-5)


@given(runs=st.integers(1, 60), data=st.data())
def test_the_bound_on_a_share_is_the_beta_quantile(runs: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(1, runs))
    assert share_lower_bound(successes, runs) == pytest.approx(beta.ppf(0.05, successes, runs - successes + 1))


@given(values=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=4, max_size=4))
def test_no_value_counts_twice_and_only_finite_ones_decide(values: list[float]) -> None:
    found = check("near", Outcome((0, 1, 2, 3), {"value": values}), "value", interval(at_most=0.0), 0)
    assert found.inside + found.outside + found.undecided == 4
    assert found.undecided == sum(not math.isfinite(value) for value in values)
    assert found.inside == sum(math.isfinite(value) and value <= 0 for value in values)


def test_a_run_without_a_number_is_undecided_and_a_number_without_a_run_is_refused() -> None:
    found = check("near", Outcome((0, 1, 2, 3), {"value": [-1.0]}), "value", interval(at_most=0.0), 0)
    assert (found.inside, found.outside, found.undecided, found.holds) == (1, 0, 3, False)
    with pytest.raises(ValueError, match=r"^expected at most 1 numbers of value, found 2$"):
        check("near", Outcome((0,), {"value": [-1.0, 0.0]}), "value", interval(at_most=0.0), 0)
