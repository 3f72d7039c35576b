"""The flow runner: both laws in few runs, and settings that contradict one another."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.runners.one_neuron import one_neuron_flow as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup(
    "one-neuron-flow",
    strengths=[2.0, 1.2, 0.7],
    jitter=0.1,
    start=[0.3, 1.0],
    horizon=4.0,
    descent_horizon=2.0,
    step_size=0.02,
)
SHORT: dict[str, Any] = {"horizon": 1.0, "window_start": 0.3, "descent_horizon": 0.5}
CASES: dict[str, dict[str, Any]] = {
    "drawn": {},
    "all-hypotheses-broken": {"depth": 4, "layer_factor": 2.0, "input_spread": 5.0, "first_rate": 2.0},
    "anti-aligned": {"depth": 2, "directions": "anti-aligned"},
    "outside-range": {"directions": "outside-range"},
}
CONTRADICTIONS = [
    (
        {"strengths": [1.0, 2.0], "start": [2.0, 1.0]},
        [
            "strengths: expected values that fall strictly, found [1, 2]",
            "start: expected a range [low, high], found [2, 1]",
        ],
    ),
    ({"overlap": [5.0, 5.0]}, ["overlap: expected a range [low, high] with low below high, found [5, 5]"]),
    (
        {"strengths": [2.0, 1.2, 0.7, 0.3], "directions": "outside-range"},
        [
            "strengths: expected at most 3 values, so that u and v can lie outside the range of the target, "
            "found 4 values"
        ],
    ),
    ({"window_start": 4.0}, ["window_start: expected a time before horizon, 4, found 4"]),
    (
        {"descent_horizon": 1000.0, "step_size": 1e-4},
        ["step_size: expected at most 1e7 steps of the finest descent, found 2e7 steps"],
    ),
]
POINTS = {"time": 120, "step_size": 2}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("outputs", [4, 6])
def test_the_flow_follows_the_closed_form_and_descent_follows_the_flow(depth: int, outputs: int) -> None:
    measures = _run([0, 1], depth=depth, outputs=outputs).measures

    assert float(measures["closed_form_error"].max()) < 1e-8
    assert float(measures["drift"].max()) < 1e-9
    assert float((measures["descent_order"] - 1).abs().max()) < 0.05


@pytest.mark.parametrize("changes", [{"layer_factor": 3.0}, {"input_spread": 12.0}])
def test_off_its_hypotheses_the_flow_leaves_the_closed_form_but_conserves_the_imbalance(
    changes: dict[str, float],
) -> None:
    measures = _run([0, 1], **changes).measures

    assert float(measures["closed_form_error"].min()) > 0.1
    assert float(measures["descent_order"].abs().max()) < 0.1
    assert float(measures["drift"].max()) < 1e-9


def test_unequal_rates_break_the_conservation_law() -> None:
    measures = _run([0, 1], first_rate=2.0).measures

    assert float(measures["drift"].min()) > 0.2
    assert float(measures["drift_order"].abs().max()) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("depth", "directions", "power"),
    [(3, "anti-aligned", -3.0), (4, "anti-aligned", -2.0), (2, "outside-range", -1.0), (3, "outside-range", -0.75)],
)
def test_the_collapse_has_its_power(depth: int, directions: str, power: float) -> None:
    measures = _run([0], depth=depth, directions=directions, horizon=1e4, window_start=100.0).measures

    assert abs(float(measures["power"]) - power) < 0.01


def test_two_anti_aligned_layers_collapse_at_twice_sigma_1() -> None:
    measures = _run([0, 1], depth=2, directions="anti-aligned", horizon=10.0, window_start=3.0).measures

    torch.testing.assert_close(measures["rate_ratio"], torch.ones(2, dtype=torch.float64), rtol=1e-4, atol=0)
