"""The runner of the product's equation: batches, few runs with and without balance, settings that contradict."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from dlnrepro.errors import BudgetSpent
from dlnrepro.runner import Result, silent
from dlnrepro.runners import end_to_end_flow as runner

SETUP: dict[str, Any] = {
    "depth": 3,
    "inputs": 4,
    "hidden": 5,
    "outputs": 3,
    "samples": 20,
    "start_scale": 1.0,
    "layer_factor": 1.0,
    "horizon": 1.0,
    "law_depth": 3,
}
SHORT: dict[str, Any] = {"horizon": 0.2}
CASES: dict[str, dict[str, Any]] = {
    "three-layers": {},
    "one-layer": {"depth": 1},
    "two-wide-layers": {"depth": 2, "hidden": 9},
    "one-output": {"outputs": 1},
    "out-of-balance": {"layer_factor": 2.0},
    "few-inputs": {"inputs": 2},
}
POINTS = {"time": 60}


def _run(seeds: list[int], **changes: Any) -> Result:
    params = runner.Params.model_validate(SETUP | changes)
    return runner.run(params, [torch.Generator().manual_seed(seed) for seed in seeds], silent)


def test_every_measure_and_series_is_returned_with_its_shape() -> None:
    result = _run([0, 1, 2])

    assert set(result.measures) == set(runner.MEASURES)
    assert set(result.series) == set(runner.SERIES)
    assert all(value.shape == (3,) and value.dtype == torch.float64 for value in result.measures.values())
    assert all(value.shape == (3, 60) for value in result.series.values())


@pytest.mark.parametrize(
    "changes", [{}, {"depth": 1}, {"depth": 2, "hidden": 9}, {"outputs": 1}, {"layer_factor": 2.0}, {"inputs": 2}]
)
def test_a_run_has_the_same_bits_alone_and_in_a_batch(changes: dict[str, Any]) -> None:
    together, alone = _run([0, 1, 2, 3], **changes), _run([2], **changes)

    for whole, single in ((together.measures, alone.measures), (together.series, alone.series)):
        for name, value in whole.items():
            assert torch.equal(value[2:3], single[name]), name


@pytest.mark.parametrize("changes", [{}, {"depth": 1, "law_depth": 1}, {"outputs": 1}])
def test_the_product_follows_its_own_equation(changes: dict[str, Any]) -> None:
    measures = _run([0, 1], **changes).measures

    assert float(measures["path_error"].max()) < 1e-8
    assert float(measures["singular_error"].max()) < 1e-11
    assert float(measures["start_imbalance"].max()) < 1e-14
    assert 0.2 < float(measures["progress"].min()) < 1


@pytest.mark.parametrize("changes", [{"law_depth": 1}, {"law_depth": 4}, {"layer_factor": 2.0}])
def test_another_depth_or_layers_out_of_balance_show(changes: dict[str, Any]) -> None:
    measures = _run([0, 1], **changes).measures

    assert float(measures["path_error"].min()) > 1e-2
    assert float(measures["singular_error"].min()) > 1e-1


def test_progress_may_stop_a_run() -> None:
    def progress(fraction: float, _: str) -> None:
        if fraction >= 0.5:
            raise BudgetSpent

    with pytest.raises(BudgetSpent):
        runner.run(runner.Params.model_validate(SETUP), [torch.Generator().manual_seed(0)], progress)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"hidden": 2}, "hidden must be at least"), ({"depth": 1, "layer_factor": 2.0}, "layer_factor must be 1")],
)
def test_settings_that_contradict_one_another_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        runner.Params.model_validate(SETUP | changes)
