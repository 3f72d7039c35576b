"""The runner of flat minima: batches, few runs, and settings that contradict one another."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from dlnrepro.dynamics.tangent import tangent_kernel
from dlnrepro.errors import BudgetSpent, Disagreement
from dlnrepro.runner import Result, silent
from dlnrepro.runners import flattest_minima as runner

SETUP: dict[str, Any] = {
    "depth": 3,
    "inputs": 3,
    "hidden": 3,
    "outputs": 2,
    "strengths": [2.0, 1.0],
    "jitter": 0.1,
    "strongest": 0.7,
    "points": 4,
    "iterations": 40,
    "law_depth": 3,
}
SHORT: dict[str, Any] = {"inputs": 2, "hidden": 2, "points": 2, "iterations": 1}
CASES: dict[str, dict[str, Any]] = {
    "three-layers": {},
    "two-layers": {"depth": 2},
    "wide-and-not-flattened": {"hidden": 5, "iterations": 0},
}
POINTS = {"disturbance": 2}


def _run(seeds: list[int], **changes: Any) -> Result:
    params = runner.Params.model_validate(SETUP | changes)
    return runner.run(params, [torch.Generator().manual_seed(seed) for seed in seeds], silent)


def test_every_measure_and_series_is_returned_with_its_shape() -> None:
    result = _run([0, 1, 2], iterations=0)

    assert set(result.measures) == set(runner.MEASURES)
    assert set(result.series) == set(runner.SERIES)
    assert all(value.shape == (3,) and value.dtype == torch.float64 for value in result.measures.values())
    assert all(value.shape == (3, 4) for value in result.series.values())


@pytest.mark.parametrize(
    "changes", [{"iterations": 10}, {"depth": 2, "iterations": 10}, {"hidden": 5, "iterations": 0}]
)
def test_a_run_has_the_same_bits_alone_and_in_a_batch(changes: dict[str, Any]) -> None:
    together, alone = _run([0, 1, 2, 3], **changes), _run([2], **changes)

    for whole, single in ((together.measures, alone.measures), (together.series, alone.series)):
        for name, value in whole.items():
            assert torch.equal(value[2:3], single[name]), name


def test_flattening_finds_the_least_sharpness_and_equal_gains() -> None:
    measures = _run([0, 1]).measures

    assert float(measures["formula_error"].max()) < 1e-12
    assert float(measures["moved"].max()) < 1e-13
    assert float(measures["disturbed_ratio"].min()) > 1.01
    torch.testing.assert_close(measures["flattened_ratio"], torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-9)
    assert float(measures["gain_error"].max()) < 1e-4


def test_a_wrong_tangent_kernel_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "tangent_kernel", lambda layers: 1.001 * tangent_kernel(layers))

    with pytest.raises(Disagreement, match="sharpness"):
        _run([0], iterations=0)


def test_progress_may_stop_a_run() -> None:
    def progress(_: float, __: str) -> None:
        raise BudgetSpent

    with pytest.raises(BudgetSpent):
        runner.run(runner.Params.model_validate(SETUP), [torch.Generator().manual_seed(0)], progress)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"strengths": [1.0, 1.0]}, "strengths must fall strictly"), ({"hidden": 1}, "no more than inputs, hidden")],
)
def test_settings_that_contradict_one_another_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        runner.Params.model_validate(SETUP | changes)
