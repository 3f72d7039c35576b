"""The drift runner: what it finds on either side of the limit."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.dynamics.pathways.aligned_drift import Drift, observe_drift
from dlnrepro.dynamics.pathways.aligned_paths import descend_aligned
from dlnrepro.errors import Disagreement
from dlnrepro.runners.pathways import path_drift as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("path-escape", ratios=[2.15, 2.4], points=6)
SCALES: dict[str, Any] = {"ratios": [2.4, 2.4], "scales": [0.1, 0.2], "losers": [0.5, 0.7]}
SHORT: dict[str, Any] = {"steps": 1000, "points": 4}
CASES: dict[str, dict[str, Any]] = {
    "step-ratios": {"ratios": [2.3, 2.4], "losers": [0.2, 0.25]},
    "scales-of-three-paths": SCALES | {"paths": 3, "scales": [0.2, 0.3]},
    "law-of-another-depth": {"depth": 5, "law_depth": 3},
}
CONTRADICTIONS = [
    (
        {"losers": [0.9, 0.08], "ratios": [2.42, 2.4]},
        [
            "losers: expected a range [low, high], found [0.9, 0.08]",
            "ratios: expected a range [low, high], found [2.42, 2.4]",
        ],
    ),
    ({"scales": [0.5, 0.9]}, ["scales: expected equal ends, because the sweep is over ratios, found [0.5, 0.9]"]),
    (
        {"ratios": [2.4, 2.4]},
        ["ratios: expected a range to sweep over, because the ends of scales are equal, found [2.4, 2.4]"],
    ),
    ({"law_depth": 2}, ["law_depth: expected a depth of at least 3, for which the formulas hold, found 2"]),
    (
        {"depth": 2},
        ["law_depth: expected a depth of at least 3, for which the formulas hold, found `same`, which is 2"],
    ),
]

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"depth": 3, "losers": [0.005, 0.008]}])
def test_above_the_limit_the_loser_gains_at_the_rate_of_theory(changes: dict[str, Any]) -> None:
    found = _run([0, 1], **changes).measures
    one = torch.ones(2, dtype=torch.float64)

    assert float(found["least_fall"].min()) > 0.4
    torch.testing.assert_close(found["drift_ratio"], one, rtol=0, atol=0.03)
    torch.testing.assert_close(found["onset_gap"], 0 * one, rtol=0, atol=2e-3)
    torch.testing.assert_close(found["onset_slope"], one, rtol=0, atol=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"ratios": [1.5, 1.98]}, {"losers": [0.0, 0.0]}, {"depth": 2, "law_depth": 4}])
def test_below_the_limit_at_zero_and_at_depth_two_it_never_gains(changes: dict[str, Any]) -> None:
    found = _run([0, 1], **changes).measures

    assert float(found["largest_fall"].max()) < 1e-4
    for name in ("drift_ratio", "onset_gap", "onset_slope", "time_ratio"):
        assert bool(found[name].isnan().all()), name


@pytest.mark.slow
def test_a_losing_path_that_is_not_small_follows_another_law() -> None:
    found = _run([0, 1], losers=[0.2, 0.25]).measures

    assert float(found["drift_ratio"].max()) < 0.9
    assert float(found["onset_gap"].min()) > 2e-3


def test_steps_that_are_not_those_of_full_matrices_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        runner, "descend_aligned", lambda start, strength, *given: descend_aligned(start, 0.99 * strength, *given)
    )

    with pytest.raises(Disagreement, match="the first steps"):
        _run([0], steps=500)


def test_the_restoration_time_has_the_exponent_and_the_slope_of_theory_and_not_of_another_depth() -> None:
    right, wrong = _run([0, 1], **SCALES).measures, _run([0, 1], **SCALES, law_depth=3).measures

    assert float(right["exponent_gap"].abs().max()) < 0.1
    torch.testing.assert_close(right["time_ratio"], torch.ones(2, dtype=torch.float64), rtol=0, atol=0.05)
    assert float(wrong["exponent_gap"].max()) < -0.9
    assert float(wrong["time_ratio"].min()) > 2


def test_a_time_that_is_not_reached_has_no_exponent() -> None:
    found = _run([0], **SCALES | {"ratios": [1.9, 1.9], "steps": 1000})

    assert bool(found.measures["exponent_gap"].isnan())
    assert bool(found.measures["time_ratio"].isnan())
    assert bool((found.series["restoration_time"] == 1000).all())


def test_a_lost_run_is_nan_and_does_not_change_other_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def losing(start: torch.Tensor, *rest: Any) -> Drift:
        return observe_drift(torch.where(torch.arange(len(start))[:, None, None] == 1, 50.0, start), *rest)

    monkeypatch.setattr(runner, "observe_drift", losing)
    broken = _run([0, 1, 2], steps=500).measures
    monkeypatch.undo()
    whole = _run([0, 1, 2], steps=500).measures

    for name in runner.MEASURES:
        assert bool(broken[name][1].isnan()), name
        torch.testing.assert_close(broken[name][[0, 2]], whole[name][[0, 2]], rtol=0, atol=0, equal_nan=True)
