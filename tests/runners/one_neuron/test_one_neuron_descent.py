"""The descent runner: ends of few runs, and settings that contradict one another."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from dlnrepro.dynamics.networks import chain
from dlnrepro.dynamics.networks.chain import pull_back
from dlnrepro.runners.one_neuron import one_neuron_descent as runner
from tests.runners.running import run_seeds

SETUP: dict[str, Any] = {
    "depth": 3,
    "inputs": 5,
    "bottleneck": 1,
    "hidden": 4,
    "outputs": 4,
    "strengths": [2.0, 1.2, 0.7, 0.3],
    "jitter": 0.0,
    "basis": "random",
    "missing": 0,
    "tilt": 0.0,
    "overlap_low": 0.5,
    "overlap_high": 1.25,
    "start_low": 0.3,
    "start_high": 2.0,
    "step_size": 0.02,
    "momentum": 0.0,
    "horizon": 60.0,
    "rate_depth": 3,
    "law": "overlap",
}
SHORT: dict[str, Any] = {"step_size": 0.1, "horizon": 15.0}
CASES: dict[str, dict[str, Any]] = {
    "three-layers": {},
    "four-layers-and-drawn-strengths": {"jitter": 0.1, "depth": 4, "rate_depth": 4},
    "momentum": {"depth": 2, "momentum": 0.9},
    "two-neurons": {"bottleneck": 2},
    "missing-mode": {"basis": "diagonal", "missing": 1, "tilt": 1e-6, "overlap_low": -5.0},
    "one-output": {"outputs": 1, "strengths": [2.0], "overlap_high": 1.0},
}

_run = partial(run_seeds, runner, SETUP)


def test_a_start_in_the_set_converges_at_the_predicted_rate_with_a_rising_overlap() -> None:
    measures = _run([0, 1], overlap_low=1.0).measures

    assert float(measures["distance_to_first"].max()) < 1e-12
    assert float(measures["overlap_drop"].max()) < 1e-14
    torch.testing.assert_close(measures["rate_ratio"], torch.ones(2, dtype=torch.float64), rtol=0.012, atol=0)


@pytest.mark.slow
def test_the_fitted_rate_s_excess_falls_with_the_step_size() -> None:
    """Descent multiplies the distance by 1 - eta r, and unbalances the layers a little: both of first order."""
    coarse, fine = (_run([0, 1], overlap_low=1.0, step_size=size).measures["rate_ratio"] for size in (0.02, 0.01))

    torch.testing.assert_close((coarse - 1) / (fine - 1), torch.full((2,), 2.0, dtype=torch.float64), rtol=0.02, atol=0)


def test_a_start_without_the_first_mode_ends_at_the_second_critical_point() -> None:
    measures = _run([0, 1], basis="diagonal", missing=1, overlap_low=-1.0, overlap_high=1.0).measures

    expected = torch.full((2,), (4 + 1.44) ** 0.5 / 2, dtype=torch.float64)
    torch.testing.assert_close(measures["distance_to_first"], expected, rtol=1e-9, atol=0)
    assert float(measures["distance_to_limit"].max()) < 1e-9
    assert torch.equal(measures["rate_ratio"], torch.zeros(2, dtype=torch.float64))


def test_two_neurons_learn_two_modes() -> None:
    measures = _run([0, 1], bottleneck=2).measures

    torch.testing.assert_close(
        measures["distance_to_first"], torch.full((2,), 0.6, dtype=torch.float64), rtol=1e-6, atol=0
    )


def test_a_run_that_diverges_is_nan() -> None:
    measures = _run([0], step_size=1.0, start_low=50.0, start_high=60.0).measures

    assert all(torch.isnan(measures[name]).all() for name in ("distance_to_first", "overlap_drop", "rate_ratio"))


def test_a_transposed_factor_in_the_chain_rule_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With square layers a transposed factor has the right shape; only the outcome tells."""

    def wrong(weights: list[torch.Tensor], partial: list[torch.Tensor], gradient: torch.Tensor) -> list[torch.Tensor]:
        crooked = [*weights[:-1], weights[-1].mT]
        return pull_back(crooked, partial, gradient)

    assert chain.pull_back is pull_back
    monkeypatch.setattr(runner, "pull_back", wrong)

    assert float(_run([0, 1]).measures["overlap_drop"].max()) > 1e-3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strengths": [2.0, 2.0, 0.7, 0.3]}, "strengths must fall strictly"),
        ({"strengths": [2.0, 1.2]}, "as many as the smaller one of inputs and outputs"),
        ({"missing": 4}, "missing must leave a mode"),
        ({"bottleneck": 5}, "no wider than the other layers"),
        ({"overlap_low": 2.0}, "low end of a range"),
        ({"horizon": 1e5, "step_size": 1e-4}, "at most 10"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        runner.Params.model_validate(SETUP | changes)
