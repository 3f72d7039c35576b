"""The clock runner: Oja's flow, and what breaks it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from dlnrepro.runners.one_neuron import one_neuron_clock as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("one-neuron-oja-clock", horizon=5.0)
SHORT: dict[str, Any] = {"horizon": 1.0}
CASES: dict[str, dict[str, Any]] = {
    "three-layers": {},
    "out-of-balance-and-unwhitened": {"depth": 4, "layer_factor": 2.0, "input_spread": 3.0},
    "one-mode": {"strengths": [2.5], "overlap": [0.1, 0.9]},
}
CONTRADICTIONS = [
    (
        {"strengths": [1.0, 2.0, 0.5, 0.1], "start": [4.0, 0.1]},
        [
            "strengths: expected values that fall strictly, found [1, 2, 0.5, 0.1]",
            "start: expected a range [low, high], found [4, 0.1]",
        ],
    ),
    ({"outputs": 3}, ["strengths: expected at most 3 values, as many as outputs, found 4 values"]),
    ({"inputs": 3}, ["strengths: expected at most 3 values, as many as inputs, found 4 values"]),
]
POINTS = {"clock": 61}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("overlap", [(0.25, 5.0), (-5.0, -0.2)])
def test_the_directions_follow_ojas_flow_at_every_depth(depth: int, overlap: tuple[float, float]) -> None:
    measures = _run([0, 1], depth=depth, overlap=overlap).measures

    assert float(measures["direction_error"].max()) < 1e-8


@pytest.mark.parametrize(
    "changes", [{"inputs": 4, "outputs": 6}, {"strengths": [2.5, 1.5]}, {"strengths": [2.5], "overlap": [0.1, 0.9]}]
)
def test_the_target_may_have_any_shape_and_rank(changes: dict[str, Any]) -> None:
    assert float(_run([0, 1], **changes).measures["direction_error"].max()) < 1e-8


@pytest.mark.parametrize("changes", [{"law_depth": 2}, {"layer_factor": 3.0}, {"input_spread": 12.0}])
def test_each_broken_hypothesis_leaves_it(changes: dict[str, Any]) -> None:
    assert float(_run([0, 1], **changes).measures["direction_error"].min()) > 0.02


def test_the_overlap_of_the_start_is_where_it_was_asked_for() -> None:
    overlaps = _run([0, 1, 2], overlap=[-1.0, -0.5]).measures["start_overlap"]

    assert bool(((overlaps > -1.0) & (overlaps < -0.5)).all())
