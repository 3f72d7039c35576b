"""The flow runner: both laws in few runs, and settings that contradict one another."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from dlnrepro.runners.one_neuron import one_neuron_flow as runner
from tests.runners.running import run_seeds

SETUP: dict[str, Any] = {
    "depth": 3,
    "inputs": 5,
    "hidden": 4,
    "outputs": 4,
    "strengths": [2.0, 1.2, 0.7],
    "jitter": 0.1,
    "start": "drawn",
    "overlap_low": 0.25,
    "overlap_high": 5.0,
    "start_low": 0.3,
    "start_high": 1.0,
    "layer_factor": 1.0,
    "input_spread": 1.0,
    "first_rate": 1.0,
    "horizon": 4.0,
    "window_start": 1.0,
    "descent_horizon": 2.0,
    "step_size": 0.02,
    "halvings": 1,
}
SHORT: dict[str, Any] = {"horizon": 1.0, "window_start": 0.3, "descent_horizon": 0.5}
CASES: dict[str, dict[str, Any]] = {
    "drawn": {},
    "all-hypotheses-broken": {"depth": 4, "layer_factor": 2.0, "input_spread": 5.0, "first_rate": 2.0},
    "anti-aligned": {"depth": 2, "start": "anti-aligned"},
    "outside-range": {"start": "outside-range"},
}
POINTS = {"time": 120, "step_size": 2}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.parametrize("depth", [2, 3])
def test_the_flow_follows_the_closed_form_and_descent_follows_the_flow(depth: int) -> None:
    measures = _run([0, 1], depth=depth).measures

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


@pytest.mark.parametrize(
    ("depth", "start", "power"),
    [(3, "anti-aligned", -3.0), (4, "anti-aligned", -2.0), (2, "outside-range", -1.0), (3, "outside-range", -0.75)],
)
def test_the_collapse_has_its_power(depth: int, start: str, power: float) -> None:
    measures = _run([0], depth=depth, start=start, horizon=1e4, window_start=100.0).measures

    assert abs(float(measures["power"]) - power) < 0.01


def test_two_anti_aligned_layers_collapse_at_twice_sigma_1() -> None:
    measures = _run([0, 1], depth=2, start="anti-aligned", horizon=10.0, window_start=3.0).measures

    torch.testing.assert_close(measures["rate_ratio"], torch.ones(2, dtype=torch.float64), rtol=1e-4, atol=0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strengths": [1.0, 2.0]}, "strengths must fall strictly"),
        ({"outputs": 6}, "outputs no more than inputs"),
        ({"strengths": [2.0, 1.2, 0.7, 0.3], "start": "outside-range"}, "fewer than outputs"),
        ({"start_low": 2.0}, "low end of a range"),
        ({"window_start": 4.0}, "window_start must lie before horizon"),
        ({"descent_horizon": 1000.0, "step_size": 1e-4}, "at most 10"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        runner.Params.model_validate(SETUP | changes)
