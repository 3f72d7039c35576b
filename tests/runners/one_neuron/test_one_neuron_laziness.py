"""The laziness runner: how its numbers scale with the output scale."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from dlnrepro.runners.one_neuron import one_neuron_laziness as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("one-neuron-not-lazy", jitter=0.1, start=[0.5, 1.0])
SHORT: dict[str, Any] = {"horizon": 1.0}
CASES: dict[str, dict[str, Any]] = {
    "three-layers": {},
    "two-scaled-layers": {"depth": 2, "output_scale": 10.0},
    "four-layers": {"depth": 4},
}
CONTRADICTIONS = [
    (
        {"strengths": [2.0, 1.2, 1.3, 0.3], "overlap": [2.0, 1.25]},
        [
            "strengths: expected values that fall strictly, found [2, 1.2, 1.3, 0.3]",
            "overlap: expected a range [low, high] with low below high, found [2, 1.25]",
        ],
    ),
    ({"inputs": 2}, ["strengths: expected at most 2 values, as many as inputs, found 4 values"]),
]
POINTS = {"time": 61}

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
