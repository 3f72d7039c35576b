"""The descent runner: ends of few runs, and settings that contradict one another."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.dynamics.networks import chain, squared_gradient
from dlnrepro.dynamics.networks.chain import pull_back
from dlnrepro.dynamics.training import descent
from dlnrepro.runners.one_neuron import one_neuron_descent as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup(
    "one-neuron-convergence", jitter=0.0, overlap=[0.5, 1.25], start=[0.3, 2.0], step_size=0.02, horizon=60.0
)
SHORT: dict[str, Any] = {"step_size": 0.1, "horizon": 15.0}
CASES: dict[str, dict[str, Any]] = {
    "three-layers": {},
    "four-layers-and-drawn-strengths": {"jitter": 0.1, "depth": 4},
    "momentum": {"depth": 2, "momentum": 0.9},
    "two-neurons": {"bottleneck": 2},
    "missing-mode": {"basis": "diagonal", "missing": 1, "tilt": 1e-6, "overlap": [-5.0, 1.25]},
    "one-output": {"outputs": 1, "strengths": [2.0], "overlap": [0.5, 1.0]},
}
CONTRADICTIONS = [
    (
        {"strengths": [2.0, 2.0, 0.7, 0.3], "overlap": [2.0, 1.25]},
        [
            "strengths: expected values that fall strictly, found [2, 2, 0.7, 0.3]",
            "overlap: expected a range [low, high] with low below high, found [2, 1.25]",
        ],
    ),
    (
        {"gap": 0.5},
        [
            "strengths: expected values with the relative gap of `gap`, because the jitter is 0, "
            "found [2, 1.2, 0.7, 0.3]"
        ],
    ),
    ({"missing": 4}, ["missing: expected at most 3, so that a mode is left, found 4"]),
    ({"bottleneck": 4, "hidden": 3}, ["bottleneck: expected at most 3, as many as hidden, found 4"]),
    ({"bottleneck": 5, "hidden": 3, "depth": 2}, ["bottleneck: expected at most 4, as many as outputs, found 5"]),
    (
        {"horizon": 1e5, "step_size": 1e-4},
        ["horizon: expected a time that takes at most 1e7 steps, found 1e9 steps"],
    ),
]

_run = partial(run_seeds, runner, SETUP)


def test_a_start_in_the_set_converges_at_the_predicted_rate_with_a_rising_overlap() -> None:
    measures = _run([0, 1], overlap=[1.0, 1.25]).measures

    assert float(measures["distance_to_first"].max()) < 1e-12
    assert float(measures["overlap_drop"].max()) < 1e-14
    for name in ("rate_ratio", "slowest_ratio"):
        torch.testing.assert_close(measures[name], torch.ones(2, dtype=torch.float64), rtol=0.012, atol=0)


def test_the_rate_of_the_slowest_part_is_seen_although_mode_3_is_close() -> None:
    measures = _run([0, 1], strengths=[2.5, 1.5, 1.45, 0.3], gap=0.0, overlap=[1.0, 1.25], step_size=0.01).measures

    for name in ("rate_ratio", "slowest_ratio"):
        torch.testing.assert_close(measures[name], torch.ones(2, dtype=torch.float64), rtol=0.005, atol=0)


def test_the_first_steps_are_those_of_a_plain_network_unless_there_is_momentum() -> None:
    assert float(_run([0, 1]).measures["plain_error"].max()) < 1e-13
    assert float(_run([0, 1], momentum=0.5).measures["plain_error"].min()) > 1e-3


@pytest.mark.slow
def test_the_fitted_rate_s_excess_falls_with_the_step_size() -> None:
    """The prediction contains the factor 1 - eta r of a step, but not that descent unbalances the layers a little."""
    coarse, fine = (_run([0, 1], overlap=[1.0, 1.25], step_size=size).measures["rate_ratio"] for size in (0.02, 0.01))

    torch.testing.assert_close((coarse - 1) / (fine - 1), torch.full((2,), 2.0, dtype=torch.float64), rtol=0.05, atol=0)


def test_a_start_without_the_first_mode_ends_at_the_second_critical_point() -> None:
    measures = _run([0, 1], basis="diagonal", missing=1, overlap=[-1.0, 1.0]).measures

    expected = torch.full((2,), (4 + 1.44) ** 0.5 / 2, dtype=torch.float64)
    torch.testing.assert_close(measures["distance_to_first"], expected, rtol=1e-9, atol=0)
    assert float(measures["distance_to_limit"].max()) < 1e-9
    assert torch.isnan(measures["rate_ratio"]).all()


def test_two_neurons_learn_two_modes() -> None:
    measures = _run([0, 1], bottleneck=2).measures

    torch.testing.assert_close(
        measures["distance_to_first"], torch.full((2,), 0.6, dtype=torch.float64), rtol=1e-6, atol=0
    )


def test_a_run_that_diverges_is_nan() -> None:
    measures = _run([0], step_size=1.0, start=[50.0, 60.0]).measures

    assert all(torch.isnan(measures[name]).all() for name in ("distance_to_first", "overlap_drop", "rate_ratio"))


def test_a_transposed_factor_in_the_chain_rule_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With square layers a transposed factor has the right shape; only the outcome shows it."""

    def wrong(weights: list[torch.Tensor], partial: list[torch.Tensor], gradient: torch.Tensor) -> list[torch.Tensor]:
        crooked = [*weights[:-1], weights[-1].mT]
        return pull_back(crooked, partial, gradient)

    assert chain.pull_back is pull_back
    # The kernel has a chain rule of its own, which is compared with this one elsewhere.
    monkeypatch.setattr(descent, "can_descend", lambda *_: False)
    monkeypatch.setattr(squared_gradient, "pull_back", wrong)

    assert float(_run([0, 1]).measures["overlap_drop"].max()) > 1e-3
