"""The aligned runner: bad settings, and measures that must come out as theory has them."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.claimfile.parameters import parameter_faults
from dlnrepro.dynamics.pathways.closed_forms import largest_stable_share
from dlnrepro.runners.pathways import aligned_pathways as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("symmetry-restoration", start_scale=0.4, ratios=[1.7, 3.1], points=8, steps=6000, window=100)
SHORT: dict[str, Any] = {"steps": 200}
CASES: dict[str, dict[str, Any]] = {
    "two-paths": {},
    "three-layers-and-paths": {"depth": 3, "paths": 3},
    "law-of-another-depth": {"depth": 5, "law_depth": 4},
}
CONTRADICTIONS = [
    (
        {"losers": [0.9, 0.8], "ratios": [5.0, 3.1], "window": 6002},
        [
            "losers: expected a range [low, high], found [0.9, 0.8]",
            "ratios: expected a range [low, high], found [5, 3.1]",
            "window: expected at most 6000, the number of steps, found 6002",
        ],
    ),
    ({"steps": 50}, ["window: expected at most 50, the number of steps, found 100"]),
]

_run = partial(run_seeds, runner, SETUP)


def test_a_strength_rescales_nothing_that_is_measured() -> None:
    """Weights x s^(1/L) and steps / S1 leave shares and eta x sharpness as they are."""
    one, nine = _run([0, 1], steps=1500), _run([0, 1], steps=1500, strength=9.0)

    for name in ("share", "law_error", "limit_low", "limit_high", "under_bound"):
        torch.testing.assert_close(nine.measures[name], one.measures[name], rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(nine.measures["loss"], 81 * one.measures["loss"], rtol=1e-3, atol=1e-20)


def test_shares_follow_the_stability_limit_and_not_another_depths() -> None:
    right, wrong = _run([0, 1]), _run([0, 1], law_depth=3)

    assert float(right.measures["under_bound"].max()) < 0.02
    assert float(right.measures["over_bound"].max()) < 0.01
    assert float(wrong.measures["over_bound"].min()) > 0.1
    ratios = right.series["step_ratio"][0]
    assert torch.equal(right.series["stable_share"][0], largest_stable_share(ratios, 2, 4))


def test_two_layers_keep_their_shares() -> None:
    assert float(_run([0, 1, 2], depth=2, ratios=[1.7, 2.4]).measures["share_change"].max()) < 1e-12


def test_a_run_that_diverges_is_nan_and_not_a_number_that_could_pass() -> None:
    measures = _run([0, 1], ratios=[9.0, 10.0], depth=5, start_scale=1.0).measures

    for name in ("share", "spread", "limit_low", "limit_high", "loss", "leaving_ratio", "equality_ratio"):
        assert torch.isnan(measures[name]).all(), name


def test_a_sweep_that_never_leaves_or_equals_reports_its_last_ratio() -> None:
    measures = _run([0], losers=[0.0, 0.0], ratios=[2.1, 2.5], steps=500).measures

    assert float(measures["leaving_ratio"]) == pytest.approx(1.25)
    assert float(measures["equality_ratio"]) == pytest.approx(2.5 / 2**1.5)
    assert float(measures["law_error"]) == 0


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"window": 99}, "window: expected a multiple of 2, found 99"),
        ({"depth": 1}, "depth: expected a number of at least 2, found 1"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(changes: dict[str, Any], line: str) -> None:
    assert [f"{place[0]}: {fault.wording}" for place, fault in parameter_faults(runner.Params, SETUP | changes)] == [
        line
    ]


def test_the_memory_estimate_covers_the_tensors() -> None:
    params = runner.Params.model_validate(SETUP)

    assert params.memory(16) > 8 * 16 * 8 * 2 * (4 + runner.RECORDS)
