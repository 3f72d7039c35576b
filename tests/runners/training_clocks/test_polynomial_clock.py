"""The polynomial-clock runner: powers that can be computed by hand."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.runners.training_clocks import polynomial_clock as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup(
    "polynomial-clock",
    width=5,
    jitter=0.0,
    start=0.5,
    misalignment=0.3,
    step_size=0.2,
    horizon=300.0,
    gaps=[5e-5, 1e-3],
)
SHORT: dict[str, Any] = {"horizon": 20.0, "step_size": 0.4, "gaps": [0.02, 0.3]}
CASES: dict[str, dict[str, Any]] = {
    "three-layers": {},
    "one-layer": {"depth": 1},
    "six-layers": {"depth": 6},
    "out-of-balance": {"layer_factor": 2.0},
    "decay": {"decay": 0.05, "depth": 2},
}
CONTRADICTIONS = [
    (
        {"width": 2, "gaps": [1e-3, 1e-6]},
        [
            "gaps: expected a range [low, high] with low below high, found [0.001, 1e-6]",
            "strengths: expected fewer than 2 values, so that the target lacks a mode, found 2 values",
        ],
    ),
    (
        {"jitter": 0.3},
        ["jitter: expected a smaller value, so that no strength can pass its neighbour, found 0.3"],
    ),
    (
        {"horizon": 1e6, "step_size": 0.01},
        ["horizon: expected at most 10000, which is 1000000 steps of size 0.01, found 1e6"],
    ),
]

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_an_aligned_start_falls_by_the_power_of_its_depth(depth: int) -> None:
    """Exactly: each missing mode obeys s' = -L s^(3-2/L) alone, so that |grad F|^2 = sum L s^(4-2/L)."""
    measures = _run([0], depth=depth, misalignment=0.0, horizon=700.0).measures

    assert float(measures["theta_error"]) < 1e-9
    assert float(measures["clock_error"]) < 0.02
    assert float(measures["imbalance"]) < 1e-14


@pytest.mark.slow
def test_the_flow_s_own_solution_is_reached() -> None:
    """S^(-(2-2/L)) grows by 2L-2 in a unit of time: the gap at the end, with small steps, from s = 0.5."""
    result = _run([0], misalignment=0.0, step_size=0.02, horizon=200.0)
    strength = (0.5 ** (-4 / 3) + 4 * 200.0) ** (-3 / 4)

    assert float(result.measures["end_gap"]) == pytest.approx(3 / 2 * strength**2, rel=1e-3)
    assert float(result.series["law"][0, -1]) == pytest.approx(3 / 2 * 800.0 ** (-3 / 2), rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"depth": 1}, {"decay": 0.05, "horizon": 300.0}, {"layer_factor": 1.3}])
def test_one_layer_decay_or_imbalance_leave_a_power_of_one_half(changes: dict[str, Any]) -> None:
    window = {"step_size": 0.05, "horizon": 100.0, "gaps": [1e-6, 1e-4]}
    measures = _run([0, 1], **window | changes).measures

    assert float((measures["theta"] - 0.5).abs().max()) < 0.01


@pytest.mark.slow
def test_the_minimum_under_decay_is_that_of_descent() -> None:
    measures = _run([0], decay=0.05, horizon=1000.0).measures

    assert abs(float(measures["end_gap"])) < 1e-12


def test_a_window_that_is_never_left_has_no_power() -> None:
    measures = _run([0], horizon=10.0).measures

    assert bool(measures["theta"].isnan().all())
    assert bool(measures["clock_slope"].isnan().all())


def test_both_routes_agree_unless_there_is_decay() -> None:
    short: dict[str, Any] = {"horizon": 2.0, "gaps": [0.02, 0.3]}

    assert float(_run([0, 1], **short).measures["route_error"].max()) < 1e-13
    assert float(_run([0, 1], decay=0.05, **short).measures["route_error"].min()) > 0.01


def test_gaussian_layers_are_not_balanced_and_strengths_are_drawn() -> None:
    short: dict[str, Any] = {"horizon": 2.0, "gaps": [0.02, 0.3]}
    drawn = _run([0, 1], layers="gaussian", jitter=0.1, **short).measures

    assert float(drawn["imbalance"].min()) > 0.1
    assert float(drawn["step_sharpness"][0]) != float(drawn["step_sharpness"][1])
    assert float(_run([0], **short).measures["step_sharpness"]) == pytest.approx(0.2 * 3)


def test_a_run_that_diverges_is_nan() -> None:
    measures = _run([0], step_size=1.0, strengths=[10.0, 5.0]).measures

    assert all(torch.isnan(measures[name]).all() for name in ("theta", "clock_slope", "end_gap", "relation_error"))
