"""The runner of single modes: batches, closed forms of few runs, and settings that contradict one another."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from dlnrepro.runner import Result, silent
from dlnrepro.runners import mode_flow as runner

SETUP: dict[str, Any] = {
    "depth": 3,
    "inputs": 5,
    "hidden": 4,
    "outputs": 4,
    "strengths": [2.0, 1.2],
    "jitter": 0.1,
    "start_low": 0.02,
    "start_high": 0.05,
    "basis": "aligned",
    "layer_factor": 1.0,
    "input_spread": 1.0,
    "law_depth": 3,
    "horizon": 4.0,
    "step_size": 0.02,
    "halvings": 1,
}
SHORT: dict[str, Any] = {"horizon": 0.5}
CASES: dict[str, dict[str, Any]] = {
    "aligned": {},
    "two-wide-layers": {"depth": 2, "hidden": 7},
    "random-basis": {"basis": "random"},
    "out-of-balance": {"layer_factor": 2.0},
}
POINTS = {"time": 100, "step_size": 2}


def _run(seeds: list[int], **changes: Any) -> Result:
    params = runner.Params.model_validate(SETUP | changes)
    return runner.run(params, [torch.Generator().manual_seed(seed) for seed in seeds], silent)


def test_every_measure_and_series_is_returned_with_its_shape() -> None:
    result = _run([0, 1, 2])

    assert set(result.measures) == set(runner.MEASURES)
    assert set(result.series) == set(runner.SERIES)
    assert all(value.shape == (3,) and value.dtype == torch.float64 for value in result.measures.values())
    for name, series in runner.SERIES.items():
        assert result.series[name].shape == (3, {"time": 100, "step_size": 2}[series.axis]), name


@pytest.mark.parametrize("changes", [{}, {"depth": 2, "hidden": 7}, {"basis": "random"}, {"layer_factor": 2.0}])
def test_a_run_has_the_same_bits_alone_and_in_a_batch(changes: dict[str, Any]) -> None:
    together, alone = _run([0, 1, 2, 3], **changes), _run([2], **changes)

    for whole, single in ((together.measures, alone.measures), (together.series, alone.series)):
        for name, value in whole.items():
            assert torch.equal(value[2:3], single[name]), name


@pytest.mark.parametrize("depth", [2, 4])
def test_the_flow_follows_the_closed_form_and_descent_to_first_order(depth: int) -> None:
    measures = _run([0, 1], depth=depth, law_depth=depth, step_size=0.01).measures

    assert float(measures["closed_form_error"].max()) < 1e-7
    torch.testing.assert_close(measures["descent_order"], torch.ones(2, dtype=torch.float64), rtol=0, atol=0.1)


@pytest.mark.parametrize(
    "changes", [{"law_depth": 2}, {"basis": "random"}, {"layer_factor": 2.0}, {"input_spread": 4.0}]
)
def test_a_broken_hypothesis_shows(changes: dict[str, Any]) -> None:
    measures = _run([0, 1], **changes).measures

    assert float(measures["closed_form_error"].min()) > 0.1
    assert float((measures["descent_order"] - 1).abs().min()) > 0.5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strengths": [2.0, 2.0]}, "strengths must fall strictly"),
        ({"hidden": 1}, "no more than inputs, hidden or outputs"),
        ({"start_low": 0.1}, "must lie below"),
        ({"strengths": [2.0, 0.05]}, "must lie below"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        runner.Params.model_validate(SETUP | changes)
