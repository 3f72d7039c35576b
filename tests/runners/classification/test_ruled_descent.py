"""The runner of descents by rule: both sides of the rule."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from dlnrepro.runners.classification import ruled_descent as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("descent-by-the-rule", depth=2, hidden=5, steps=300, scale=0.8, gap=0.15)
SHORT: dict[str, Any] = {"steps": 60}
CASES: dict[str, dict[str, Any]] = {
    "separable": {},
    "flipped": {"depth": 3, "data": "flipped"},
    "beyond-the-rule": {"factor": 5000.0, "samples": 37},
}
CONTRADICTIONS = [
    ({"samples": 8}, ["samples: expected more than 8, twice as many as inputs, for `data: separable`, found 8"]),
    (
        {"data": "flipped", "inputs": 20},
        ["samples: expected more than 40, twice as many as inputs, for `data: flipped`, found 40"],
    ),
]

_run = partial(run_seeds, runner, SETUP)


def test_by_the_rule_every_update_is_the_gradient_s_and_stays_in_the_ball() -> None:
    found = _run([0, 1, 2], depth=3).measures

    assert float(found["update_error"].max()) < 1e-10
    assert float((found["step_over_rule"] - 1).abs().max()) < 1e-9
    assert float(found["norm_over_ball"].max()) < 1


def test_the_risk_of_separable_data_vanishes_at_the_pace_of_the_rule_and_not_that_of_flipped_labels() -> None:
    separable = _run([0, 1], steps=4000, gap=0.25, scale=0.9).measures
    flipped = _run([0, 1], steps=4000, gap=0.25, scale=0.9, data="flipped").measures

    torch.testing.assert_close(separable["risk_pace"], torch.ones(2, dtype=torch.float64), rtol=0, atol=0.3)
    torch.testing.assert_close(separable["risk_power"], -torch.ones(2, dtype=torch.float64), rtol=0, atol=0.2)
    assert float(flipped["risk_pace"].max()) < 0.01
    assert float(flipped["risk_power"].min()) > -0.1


def test_by_the_rule_descent_obeys_smoothness_and_stays_close_to_the_flow() -> None:
    found = _run([0, 1, 2]).measures

    assert float(found["start_excess"].max()) <= 0
    assert float(found["worst_fall"].max()) < -0.99
    assert float(found["drift_over_bound"].max()) < 1
    assert float(found["flow_distance"].max()) < 5e-3
    assert float(found["gap_distance"].max()) < 5e-3


def test_the_distance_from_the_flow_is_of_first_order_in_the_step() -> None:
    """Half of the steps of the rule, twice as many: half of the distance at about the same time."""
    whole, half = _run([0, 1, 2], steps=200), _run([0, 1, 2], steps=400, factor=0.5)

    torch.testing.assert_close(half.measures["time"], whole.measures["time"], rtol=0.01, atol=0)
    quotient = whole.measures["flow_distance"] / half.measures["flow_distance"]
    torch.testing.assert_close(quotient, torch.full_like(quotient, 2.0), rtol=0.03, atol=0)


def test_with_steps_far_above_the_rule_nothing_of_this_holds_and_all_is_finite() -> None:
    found = _run([0, 1, 2], factor=1e4, scale=1.0).measures
    undefined = {"update_error", "step_over_rule", "risk_power"}  # of a run whose risk has vanished

    assert float(found["worst_fall"].min()) > -0.5
    assert float(found["drift_over_bound"].min()) > 1
    assert float(found["flow_distance"].min()) > 0.5
    assert all(bool(value.isfinite().all()) for name, value in found.items() if name not in undefined)
