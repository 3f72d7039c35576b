"""The runner of step-size sweeps: factors of few runs, and settings that contradict one another."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from dlnrepro.runners.modes import regression_step_sizes as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup(
    "step-size-limit",
    inputs=6,
    hidden=5,
    outputs=4,
    strengths=[4.0, 2.0, 1.0],
    ratios=[0.3, 0.9],
    points=3,
    steps=500,
)
SHORT: dict[str, Any] = {"steps": 100}
CASES: dict[str, dict[str, Any]] = {
    "two-layers": {},
    "one-layer": {"depth": 1, "law_depth": 2},
    "wide-and-spread": {"hidden": 9, "variance": 1.5, "other_variances": [0.5, 2.0]},
    "random": {"basis": "random"},
    "five-step-sizes": {"points": 5},
}
CONTRADICTIONS = [
    (
        {"strengths": [2.0, 2.0, 0.7], "ratios": [0.9, 0.9], "start": [1e-3, 1e-4]},
        [
            "strengths: expected values that fall strictly, found [2, 2, 0.7]",
            "start: expected a range [low, high], found [0.001, 0.0001]",
            "ratios: expected a range [low, high] with low below high, found [0.9, 0.9]",
        ],
    ),
    ({"hidden": 2}, ["strengths: expected at most 2 values, as many as hidden, found 3 values"]),
    ({"depth": 1}, ["law_depth: expected a number for `depth: 1`, whose factor has another formula, found 'same'"]),
]
POINTS = {"step": 101, "step ratio": 3}

_run = partial(run_seeds, runner, SETUP)


def test_two_layers_settle_by_their_factor_and_one_layer_by_its_own() -> None:
    two, one = _run([0, 1]), _run([0, 1], depth=1, law_depth=2)

    assert float(two.measures["factor_error"].max()) < 1e-4
    assert float(_run([0, 1], law_depth=1).measures["factor_error"].min()) > 0.2
    assert float(two.measures["end_distance"].max()) < 1e-12
    torch.testing.assert_close(
        two.measures["turning_ratio"], torch.full((2,), 0.5, dtype=torch.float64), rtol=0, atol=1e-4
    )
    first = 1 - 0.3 * torch.ones(2, dtype=torch.float64) / one.measures["turning_ratio"]
    torch.testing.assert_close(one.series["factor"][:, 0], first, rtol=0, atol=1e-4)


def test_above_the_limit_nothing_settles() -> None:
    result = _run([0, 1], ratios=[1.05, 1.08], points=2)

    assert float(result.measures["least_end_distance"].min()) > 0.05
    assert bool(torch.isnan(result.series["factor"]).all())


def test_inputs_that_are_not_white_have_the_limit_of_their_largest_curvature() -> None:
    measures = _run([0, 1], variance=3.0, other_variances=[0.4, 2.0], ratios=[0.4, 0.95], steps=1500).measures

    assert float(measures["factor_error"].max()) < 1e-4
    assert float(measures["end_distance"].max()) < 1e-3


def test_from_random_layers_the_strongest_mode_has_its_factor_at_large_steps() -> None:
    measures = _run([0, 1], basis="random", ratios=[0.75, 0.95], steps=800).measures

    assert float(measures["factor_error"].max()) < 1e-3
    assert float(_run([0, 1], basis="random", ratios=[1.05, 1.1]).measures["least_end_distance"].min()) > 0.05


def test_a_run_that_diverges_is_nan() -> None:
    measures = _run([0], ratios=[1.9, 2.0]).measures

    assert all(torch.isnan(value).all() for name, value in measures.items() if name != "least_end_distance")
