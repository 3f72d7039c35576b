"""The runner of sequential learning: times and plateaus of few runs, and settings that contradict."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from dlnrepro.runners.modes import sequential_regression as runner
from tests.runners.running import run_seeds

SETUP: dict[str, Any] = {
    "layers": 2,
    "inputs": 6,
    "hidden": 5,
    "outputs": 4,
    "strengths": [4.0, 2.0, 1.0],
    "jitter": 0.1,
    "variances": [1.0],
    "largest_start": 1e-3,
    "smallest_start": 1e-5,
    "points": 3,
    "step_size": 0.05,
    "steps": 400,
    "law": "reduced-rank",
}
SHORT: dict[str, Any] = {"steps": 200}
CASES: dict[str, dict[str, Any]] = {
    "two-layers": {},
    "one-layer": {"layers": 1},
    "three-variances": {"hidden": 9, "variances": [3.0, 1.0, 0.5]},
    "one-variance": {"variances": [12.0], "law": "strengths"},
    "large-starts": {"largest_start": 1.0, "smallest_start": 0.3},
}
POINTS = {"step": 150, "mode": 3, "start": 3}

_run = partial(run_seeds, runner, SETUP)


def test_two_layers_learn_in_sequence_and_one_layer_at_once() -> None:
    two, one = _run([0, 1]).measures, _run([0, 1], layers=1).measures

    assert float(two["time_slope_error"].max()) < 1e-3
    assert float(two["next_share"].max()) < 1e-2
    assert float(two["plateau"].max()) < 5e-3
    assert float(two["end_distance"].max()) < 1e-3
    torch.testing.assert_close(one["time_slope_error"], torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-3)
    torch.testing.assert_close(one["next_share"], torch.full((2,), 0.9, dtype=torch.float64), rtol=0, atol=0.01)
    torch.testing.assert_close(one["time_ratio"], torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-3)


def test_the_descent_follows_strengths_where_reduced_rank_regression_does_not() -> None:
    by_rank = _run([0, 1], variances=[12.0]).measures
    by_strength = _run([0, 1], variances=[12.0], law="strengths").measures

    assert float(by_rank["plateau"].min()) > 0.1
    assert float(by_strength["plateau"].max()) < 0.01
    assert float(by_rank["order_gap"].min()) > 1


def test_a_run_that_diverges_is_nan() -> None:
    measures = _run([0], largest_start=10.0, smallest_start=9.0, step_size=0.1).measures

    assert all(torch.isnan(measures[name]).all() for name in ("time_slope_error", "next_share", "plateau"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strengths": [2.0, 2.0, 0.7]}, "strengths must fall strictly"),
        ({"strengths": [5.0, 4.0, 3.0, 2.0, 1.0]}, "no more than inputs or outputs"),
        ({"variances": [1.0] * 7}, "no more than inputs"),
        ({"smallest_start": 1e-3}, "smallest_start must lie below"),
        ({"step_size": 0.12}, "step_size must lie below"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        runner.Params.model_validate(SETUP | changes)
