"""The runner of one measurement: ends of few runs."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from dlnrepro.runners.factorisation import sensing_flow as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("depth-widens-singular-gaps", hidden=3, outputs=3, start=[1e-4, 1e-3])
SHORT: dict[str, Any] = {"start": [0.03, 0.1], "settling": 1.0}
CASES: dict[str, dict[str, Any]] = {
    "three-layers": {},
    "one-layer": {"depth": 1},
    "two-wide-layers": {"depth": 2, "hidden": 5},
    "out-of-balance": {"layer_factor": 3.0},
    "random": {"basis": "random"},
}
CONTRADICTIONS = [
    (
        {"measured": [1.0, 1.0], "start": [1e-3, 1e-3]},
        [
            "measured: expected values that fall strictly, found [1, 1]",
            "start: expected a range [low, high] with low below high, found [0.001, 0.001]",
        ],
    ),
    ({"hidden": 2}, ["measured: expected at most 2 values, as many as hidden, found 3 values"]),
    ({"value": 1e-3}, ["value: expected more than 0.00209, the largest measurement of an initialization, found 0.001"]),
    ({"depth": 1, "layer_factor": 2.0}, ["layer_factor: expected 1 for a single layer, found 2"]),
]
POINTS = {"time": 80, "start": 2}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.slow
@pytest.mark.parametrize(("depth", "low", "high"), [(1, 0.4, 0.8), (2, 1e-3, 0.2), (3, 1e-4, 5e-3), (4, 1e-5, 2e-3)])
def test_the_end_is_the_law_s_and_the_gap_widens_with_depth(depth: int, low: float, high: float) -> None:
    measures = _run([0, 1], depth=depth).measures

    assert float(measures["law_error"].max()) < 1e-6
    assert float(measures["misfit"].max()) < 1e-6
    assert low < float(measures["gap_ratio"].min()) <= float(measures["gap_ratio"].max()) < high


@pytest.mark.parametrize("changes", [{"law_depth": 2}, {"layer_factor": 10.0}])
def test_a_wrong_law_or_layers_out_of_balance_show(changes: dict[str, Any]) -> None:
    assert float(_run([0, 1], **changes).measures["law_error"].min()) > 0.1


def test_from_random_layers_the_gap_has_the_power_of_the_depth() -> None:
    measures = _run([0, 1], depth=2, basis="random", patience=4.0, start=[1e-5, 1e-3]).measures

    assert float(measures["misfit"].max()) < 1e-6
    assert float(measures["gap_exponent_error"].abs().max()) < 0.1


def test_a_large_start_has_another_power() -> None:
    assert float(_run([0, 1], start=[0.1, 0.3]).measures["gap_exponent_error"].abs().min()) > 0.15
