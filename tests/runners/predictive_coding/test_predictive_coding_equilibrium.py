"""The equilibrium runner: exact where theory says so, elsewhere by known amounts."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.claimfile.parameters import parameter_faults
from dlnrepro.runners.predictive_coding import predictive_coding_equilibrium as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup(
    "pcalm-equilibrium-is-backprop",
    inputs=3,
    outputs=2,
    samples=5,
    start="random",
    steps=900,
    penalty=1.0,
    dual_step=1.0,
    step_ratio=0.9,
)
SHORT: dict[str, Any] = {"steps": 40}
CASES: dict[str, dict[str, Any]] = {
    "multipliers": {"steps": 150, "hidden": 2, "spread": 0.1},
    "no-multipliers": {"dual_step": 0.0, "start": "forward"},
    "leak": {"leak": 0.02},
}
CONTRADICTIONS = [
    (
        {"law_dual_step": "another"},
        ["law_dual_step: expected `same` or a number from 0 to 100, found 'another'"],
    ),
]

_run = partial(run_seeds, runner, SETUP)


def test_with_multipliers_the_end_is_back_propagation_and_its_rate_the_spectral_radius() -> None:
    measures = _run([0, 1]).measures

    for name in ("gradient_error", "multiplier_error", "activity_error"):
        assert float(measures[name].max()) < 1e-12, name
    torch.testing.assert_close(measures["gradient_cosine"], torch.ones(2, dtype=torch.float64))
    torch.testing.assert_close(measures["rate_ratio"], torch.ones(2, dtype=torch.float64), rtol=0.05, atol=0)


def test_without_multipliers_the_end_is_the_rescaled_error() -> None:
    measures = _run([0, 1], dual_step=0.0, start="forward").measures

    assert float(measures["plain_credit_error"].max()) < 1e-12
    assert float(measures["gradient_error"].min()) > 0.1
    assert float(measures["last_move"].max()) < 1e-15


@pytest.mark.slow
def test_a_leak_leaves_an_error_in_proportion_to_itself() -> None:
    large, small = (_run([0], leak=leak).measures["multiplier_error"] for leak in (1e-3, 1e-4))

    torch.testing.assert_close(large / small, torch.full((1,), 10.0, dtype=torch.float64), rtol=0.02, atol=0)


def test_a_distance_that_tends_to_a_constant_has_the_rate_zero() -> None:
    measures = _run([0], dual_step=0.0, start="forward").measures

    assert abs(float(measures["rate_ratio"])) < 1e-6


def test_both_routes_agree_unless_multipliers_leak() -> None:
    assert float(_run([0, 1], steps=40).measures["route_error"].max()) < 1e-12
    assert float(_run([0, 1], steps=40, leak=0.01).measures["route_error"].min()) > 1e-3
    assert float(_run([0], steps=40).measures["predicted_decay"]) == pytest.approx(
        float(_run([0], steps=40).measures["spectral_radius"]) ** 40
    )


@pytest.mark.slow
def test_a_step_above_the_limit_diverges_and_stays_undecided() -> None:
    measures = _run([0, 1], step_ratio=2.0, steps=6000).measures

    assert bool(measures["gradient_error"].isnan().all())
    assert float(measures["spectral_radius"].min()) > 1


@pytest.mark.slow
def test_a_rate_without_multipliers_is_another_than_that_of_the_network() -> None:
    right, wrong = (_run([0], law_dual_step=alpha).measures for alpha in ("same", 0.0))

    assert torch.equal(_run([0], law_dual_step=1.0).measures["rate_ratio"], right["rate_ratio"])
    assert float((wrong["rate_ratio"] / right["rate_ratio"] - 1).abs()) > 0.1


def test_a_penalty_of_zero_is_refused() -> None:
    ((place, fault),) = parameter_faults(runner.Params, SETUP | {"penalty": 0.0})

    assert (place, fault.wording) == (("penalty",), "expected a number above 0, or a range [low, high], found 0")
