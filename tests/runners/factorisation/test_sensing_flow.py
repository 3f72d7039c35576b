"""The runner of one measurement: ends of few runs, and settings that contradict one another."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError

from dlnrepro.runners.factorisation import sensing_flow as runner
from tests.runners.running import run_seeds

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

_run = partial(run_seeds, runner, SETUP)


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
