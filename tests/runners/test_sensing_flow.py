"""The runner of one measurement: batches, ends of few runs, and settings that contradict one another."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from dlnrepro.runner import Result, silent
from dlnrepro.runners import sensing_flow as runner

SETUP: dict[str, Any] = {
    "depth": 3,
    "inputs": 4,
    "hidden": 3,
    "outputs": 3,
    "measured": [1.0, 0.6, 0.3],
    "jitter": 0.1,
    "value": 2.0,
    "largest_start": 1e-3,
    "smallest_start": 1e-4,
    "points": 2,
    "layer_factor": 1.0,
    "settling": 12.0,
    "law_depth": 3,
}
SHORT: dict[str, Any] = {"largest_start": 0.1, "smallest_start": 0.03, "settling": 1.0}
CASES: dict[str, dict[str, Any]] = {
    "three-layers": {},
    "one-layer": {"depth": 1},
    "two-wide-layers": {"depth": 2, "hidden": 5},
    "out-of-balance": {"layer_factor": 3.0},
}
POINTS = {"time": 80, "start": 2}


def _run(seeds: list[int], **changes: Any) -> Result:
    params = runner.Params.model_validate(SETUP | changes)
    return runner.run(params, [torch.Generator().manual_seed(seed) for seed in seeds], silent)


def test_every_measure_and_series_is_returned_with_its_shape() -> None:
    result = _run([0, 1, 2])

    assert set(result.measures) == set(runner.MEASURES)
    assert set(result.series) == set(runner.SERIES)
    assert all(value.shape == (3,) and value.dtype == torch.float64 for value in result.measures.values())
    for name, series in runner.SERIES.items():
        assert result.series[name].shape == (3, {"time": 80, "start": 2}[series.axis]), name


@pytest.mark.parametrize("changes", [{}, {"depth": 1}, {"depth": 2, "hidden": 5}, {"layer_factor": 3.0}])
def test_a_run_has_the_same_bits_alone_and_in_a_batch(changes: dict[str, Any]) -> None:
    together, alone = _run([0, 1, 2, 3], **changes), _run([2], **changes)

    for whole, single in ((together.measures, alone.measures), (together.series, alone.series)):
        for name, value in whole.items():
            assert torch.equal(value[2:3], single[name]), name


@pytest.mark.parametrize(("depth", "low", "high"), [(1, 0.4, 0.8), (2, 1e-3, 0.2), (3, 1e-4, 5e-3), (4, 1e-5, 2e-3)])
def test_the_end_is_the_law_s_and_the_gap_widens_with_depth(depth: int, low: float, high: float) -> None:
    measures = _run([0, 1], depth=depth, law_depth=depth).measures

    assert float(measures["law_error"].max()) < 1e-6
    assert float(measures["misfit"].max()) < 1e-6
    assert low < float(measures["gap_ratio"].min()) <= float(measures["gap_ratio"].max()) < high


@pytest.mark.parametrize("changes", [{"law_depth": 2}, {"layer_factor": 10.0}])
def test_a_wrong_law_or_layers_out_of_balance_show(changes: dict[str, Any]) -> None:
    assert float(_run([0, 1], **changes).measures["law_error"].min()) > 0.1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"measured": [1.0, 1.0]}, "must fall strictly"),
        ({"hidden": 2}, "no more than inputs, hidden or outputs"),
        ({"smallest_start": 1e-3}, "smallest_start must lie below"),
        ({"value": 1e-3}, "value must exceed"),
        ({"depth": 1, "layer_factor": 2.0}, "layer_factor must be 1"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        runner.Params.model_validate(SETUP | changes)
