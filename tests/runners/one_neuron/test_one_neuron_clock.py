"""The clock runner: Oja's flow and what breaks it, and settings that contradict one another."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError

from dlnrepro.runners.one_neuron import one_neuron_clock as runner
from tests.runners.running import run_seeds

SETUP: dict[str, Any] = {
    "depth": 3,
    "inputs": 5,
    "hidden": 4,
    "outputs": 4,
    "strengths": [2.0, 1.2, 0.7, 0.3],
    "jitter": 0.1,
    "overlap_low": 0.25,
    "overlap_high": 5.0,
    "start_low": 0.1,
    "start_high": 3.0,
    "layer_factor": 1.0,
    "input_spread": 1.0,
    "horizon": 5.0,
    "clock_depth": 3,
}
SHORT: dict[str, Any] = {"horizon": 1.0}
CASES: dict[str, dict[str, Any]] = {
    "three-layers": {},
    "out-of-balance-and-unwhitened": {"depth": 4, "layer_factor": 2.0, "input_spread": 3.0},
}
POINTS = {"clock": 61}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("overlap", [(0.25, 5.0), (-5.0, -0.2)])
def test_the_directions_follow_ojas_flow_at_every_depth(depth: int, overlap: tuple[float, float]) -> None:
    low, high = overlap

    measures = _run([0, 1], depth=depth, clock_depth=depth, overlap_low=low, overlap_high=high).measures

    assert float(measures["direction_error"].max()) < 1e-8


@pytest.mark.parametrize("changes", [{"clock_depth": 2}, {"layer_factor": 3.0}, {"input_spread": 12.0}])
def test_each_broken_hypothesis_leaves_it(changes: dict[str, Any]) -> None:
    assert float(_run([0, 1], **changes).measures["direction_error"].min()) > 0.02


def test_the_overlap_of_the_start_is_where_it_was_asked_for() -> None:
    overlaps = _run([0, 1, 2], overlap_low=-1.0, overlap_high=-0.5).measures["start_overlap"]

    assert bool(((overlaps > -1.0) & (overlaps < -0.5)).all())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strengths": [1.0, 2.0, 0.5, 0.1]}, "strengths must fall strictly"),
        ({"outputs": 3}, "as many as outputs"),
        ({"start_low": 4.0}, "low end of a range"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        runner.Params.model_validate(SETUP | changes)
