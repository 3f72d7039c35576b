"""The clock runner: batches, Oja's flow and what breaks it, and settings that contradict one another."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from dlnrepro.errors import BudgetSpent
from dlnrepro.runner import Result, silent
from dlnrepro.runners import one_neuron_clock as runner

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


def _run(seeds: list[int], **changes: Any) -> Result:
    params = runner.Params.model_validate(SETUP | changes)
    return runner.run(params, [torch.Generator().manual_seed(seed) for seed in seeds], silent)


def test_every_measure_and_series_is_returned_with_its_shape() -> None:
    result = _run([0, 1, 2])

    assert set(result.measures) == set(runner.MEASURES)
    assert set(result.series) == set(runner.SERIES)
    assert all(value.shape == (3,) and value.dtype == torch.float64 for value in result.measures.values())
    assert all(value.shape == (3, 61) for value in result.series.values())


@pytest.mark.parametrize("changes", [{}, {"depth": 4, "layer_factor": 2.0, "input_spread": 3.0}])
def test_a_run_has_the_same_bits_alone_and_in_a_batch(changes: dict[str, Any]) -> None:
    together, alone, longer = (_run(seeds, **changes) for seeds in ([0, 1, 2, 3], [2], [2, 9, 8, 7, 6, 5, 4]))

    for values, single, first in (
        (together.measures, alone.measures, longer.measures),
        (together.series, alone.series, longer.series),
    ):
        for name, value in values.items():
            assert torch.equal(value[2:3], single[name]), name
            assert torch.equal(first[name][:1], single[name]), name


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


def test_progress_may_stop_a_run() -> None:
    def progress(fraction: float, _: str) -> None:
        if fraction > 0.3:
            raise BudgetSpent

    params = runner.Params.model_validate(SETUP)
    with pytest.raises(BudgetSpent):
        runner.run(params, [torch.Generator().manual_seed(seed) for seed in range(3)], progress)


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
