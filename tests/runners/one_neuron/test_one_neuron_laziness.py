"""The laziness runner: how its numbers scale with the output scale."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from dlnrepro.runners.one_neuron import one_neuron_laziness as runner
from tests.runners.running import run_seeds

SETUP: dict[str, Any] = {
    "depth": 3,
    "inputs": 5,
    "hidden": 4,
    "outputs": 4,
    "strengths": [2.0, 1.2, 0.7, 0.3],
    "jitter": 0.1,
    "overlap_low": 0.25,
    "overlap_high": 1.25,
    "start_low": 0.5,
    "start_high": 1.0,
    "output_scale": 1.0,
    "horizon": 30.0,
}
SHORT: dict[str, Any] = {"horizon": 1.0}
CASES: dict[str, dict[str, Any]] = {
    "three-layers": {},
    "two-scaled-layers": {"depth": 2, "output_scale": 10.0},
    "four-layers": {"depth": 4},
}
POINTS = {"time": 60}

_run = partial(run_seeds, runner, SETUP)


def test_the_network_itself_converges_and_its_linearisation_does_not() -> None:
    result = _run([0, 1])

    assert float(result.measures["distance_to_first"].max()) < 1e-6
    assert float(result.series["linear_distance"][:, -1].min()) > 0.2
    torch.testing.assert_close(
        result.series["linearisation"][:, 0], torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-14
    )


def test_all_departures_from_the_lazy_regime_fall_as_one_over_the_scale() -> None:
    near, far = _run([0, 1], output_scale=100.0).measures, _run([0, 1], output_scale=1000.0).measures

    for name in ("weight_move", "kernel_change", "linear_error"):
        ratio = near[name] / far[name]
        torch.testing.assert_close(ratio, torch.full((2,), 10.0, dtype=torch.float64), rtol=0.1, atol=0)


def test_a_lazy_network_follows_the_linear_model_at_all_times() -> None:
    """Not at the end alone: a wrong time scale of either would show on the way."""
    result = _run([0, 1], output_scale=1000.0)

    assert float(result.series["linearisation"].max()) < 0.01
    assert torch.equal(result.measures["linear_error"], result.series["linearisation"].amax(-1))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strengths": [2.0, 1.2, 1.3, 0.3]}, "strengths must fall strictly"),
        ({"strengths": [2.0, 1.2]}, "as many as the smaller one"),
        ({"overlap_low": 2.0}, "low end of a range"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        runner.Params.model_validate(SETUP | changes)
