"""The runner of sequential learning: times and plateaus of few runs, and settings that contradict."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from dlnrepro.runners.modes import sequential_regression as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup(
    "sequential-learning",
    inputs=6,
    hidden=5,
    outputs=4,
    strengths=[4.0, 2.0, 1.0],
    start=[1e-5, 1e-3],
    points=3,
    step_size=0.05,
    steps=400,
)
SHORT: dict[str, Any] = {"steps": 200}
CASES: dict[str, dict[str, Any]] = {
    "two-layers": {},
    "one-layer": {"depth": 1},
    "three-variances": {"hidden": 9, "variances": [3.0, 1.0, 0.5]},
    "one-variance": {"variances": [12.0], "law": "strengths"},
    "large-starts": {"start": [0.3, 1.0]},
}
CONTRADICTIONS: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"strengths": [2.0, 2.0, 0.7], "start": [1e-3, 1e-3], "variances": [1.0] * 7},
        [
            "strengths: expected values that fall strictly, found [2, 2, 0.7]",
            "start: expected a range [low, high] with low below high, found [0.001, 0.001]",
        ],
    ),
    (
        {"strengths": [5.0, 4.0, 3.0, 2.0, 1.0], "variances": [1.0] * 7},
        [
            "strengths: expected at most 4 values, as many as outputs, found 5 values",
            "variances: expected at most 6 values, as many as inputs, found 7 values",
        ],
    ),
    (
        {"step_size": 0.12},
        ["step_size: expected a step size below 1 / (2 sigma_1), which is 0.114 for the largest sigma_1, found 0.12"],
    ),
]
POINTS = {"step": 150, "mode": 3, "start": 3}

_run = partial(run_seeds, runner, SETUP)


def test_two_layers_learn_in_sequence_and_one_layer_at_once() -> None:
    two, one = _run([0, 1]).measures, _run([0, 1], depth=1).measures

    assert float(two["time_slope_error"].max()) < 1e-3
    assert float(two["next_share"].max()) < 1e-2
    assert float(two["plateau"].max()) < 5e-3
    assert float(two["end_distance"].max()) < 1e-3
    torch.testing.assert_close(one["time_slope_error"], torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-3)
    torch.testing.assert_close(one["next_share"], torch.full((2,), 0.9, dtype=torch.float64), rtol=0, atol=0.01)
    torch.testing.assert_close(one["interval_slope_error"], torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-3)


def test_powers_of_the_start_are_those_of_the_formulas() -> None:
    two, one = _run([0, 1], start=[1e-8, 1e-5], steps=900).measures, _run([0, 1], depth=1).measures

    assert float(two["next_share_power_error"].max()) < 5e-3
    assert float(two["plateau_power_error"].max()) < 5e-3
    assert float(two["plateau_limit"].max()) < 1e-3
    assert float(one["next_share_power_error"].min()) > 0.5
    assert float(one["plateau_power_error"].min()) > 0.5
    assert float(one["plateau_limit"].min()) > 0.1


def test_the_descent_follows_strengths_where_reduced_rank_regression_does_not() -> None:
    by_rank = _run([0, 1], variances=[12.0]).measures
    by_strength = _run([0, 1], variances=[12.0], law="strengths").measures

    assert float(by_rank["plateau"].min()) > 0.1
    assert float(by_strength["plateau"].max()) < 0.01
    assert float(by_rank["order_gap"].min()) > 1


def test_a_run_that_diverges_is_nan() -> None:
    measures = _run([0], start=[9.0, 10.0], step_size=0.1).measures

    assert all(torch.isnan(measures[name]).all() for name in ("time_slope_error", "next_share", "plateau"))
