"""The flow runner: the clock and the bounds, what breaks them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.training import gradient_flow as flow_module
from dlnrepro.runners.spherical import spherical_flow as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("spherical-directional-rate", horizon=20.0)
SHORT: dict[str, Any] = {"horizon": 2.0}
CASES: dict[str, dict[str, Any]] = {
    "sphere": {},
    "six-layers": {"depth": 6},
    "gaussian": {"depth": 1, "input_law": "gaussian", "inputs": 4},
    "printed-constants": {"depth": 4, "inputs": 5, "law_constants": "printed"},
    "sample": {"samples": 13, "stretch": 3.0, "layer_factor": 0.5},
}
CONTRADICTIONS = [
    (
        {"angle": [2.5, 2.4], "norm": [2.0, 1.4]},
        ["angle: expected a range [low, high], found [2.5, 2.4]", "norm: expected a range [low, high], found [2, 1.4]"],
    ),
    ({"depth": 1, "layer_factor": 2.0}, ["layer_factor: expected 1 for depth 1, found 2"]),
    ({"law_constants": "printed"}, ["law_constants: expected `derived` for depth 2 in the formulas, found 'printed'"]),
]
POINTS = {"time": 41}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize(("law", "inputs"), [("sphere", 2), ("sphere", 4), ("gaussian", 3)])
def test_a_balanced_network_turns_by_the_clock_within_its_bounds(depth: int, law: str, inputs: int) -> None:
    measures = _run([0, 1], depth=depth, input_law=law, inputs=inputs).measures

    assert float(measures["identity_error"].max()) < 1e-7
    assert float(measures["bound_share"].max()) < 1 + 1e-7
    assert float(measures["start_imbalance"].max()) < 1e-14


def test_two_layers_turn_evenly_and_other_depths_do_not() -> None:
    two, one, four = (_run([0], depth=depth).measures["rate_ratio"] for depth in (2, 1, 4))

    assert abs(float(two) - 1) < 1e-7
    assert float(one) < 0.5
    assert float(four) > 1.5


@pytest.mark.parametrize(
    "changes",
    [
        {"stretch": 4.0},
        {"layer_factor": 0.5},
        {"samples": 100},
        {"law_depth": 3},
        {"depth": 1, "law_depth": 2},
    ],
)
def test_each_broken_hypothesis_breaks_the_clock(changes: dict[str, Any]) -> None:
    assert float(_run([0, 1], **changes).measures["identity_error"].min()) > 0.03


def test_the_velocity_is_that_of_the_risk_unless_the_risk_is_that_of_a_sample() -> None:
    changes = {"depth": 3, "input_law": "gaussian", "stretch": 2.0}

    assert float(_run([0, 1], **changes).measures["velocity_error"].max()) < 1e-4
    assert float(_run([0, 1], **changes, samples=100).measures["velocity_error"].min()) > 0.01


def test_the_start_has_the_angle_and_norm_asked_for() -> None:
    series = _run([0, 1], depth=3, angle=[1.1, 1.1], norm=[0.7, 0.7]).series

    torch.testing.assert_close(series["angle"][:, 0], torch.full((2,), 1.1, dtype=torch.float64), rtol=1e-12, atol=0)
    torch.testing.assert_close(series["norm"][:, 0], torch.full((2,), 0.7, dtype=torch.float64), rtol=1e-12, atol=0)


def test_printed_constants_exceed_their_phase_and_derived_ones_do_not() -> None:
    falling = {"depth": 4, "angle": [1.8, 2.2]}
    rising = {"depth": 4, "angle": [0.3, 0.5], "norm": [1.2, 1.4]}

    assert float(_run([0, 1], **falling, law_constants="printed").measures["first_share"].min()) > 1.01
    assert float(_run([0, 1], **rising, law_constants="printed").measures["second_share"].min()) > 1.005
    assert float(_run([0, 1], **falling).measures["bound_share"].max()) < 1 + 1e-7
    measures = _run([0, 1], **rising).measures
    assert float(measures["second_share"].max()) < 1 + 1e-7
    assert float(measures["turning_time"].max()) == 0


def test_a_flow_that_stops_early_is_nan_and_spares_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    solve, calls = flow_module._solve, []

    def failing(*given: Any) -> Any:
        calls.append(given)
        path = solve(*given)
        return np.full_like(path, np.nan) if len(calls) == 1 else path

    monkeypatch.setattr(flow_module, "_solve", failing)
    measures = _run([0, 1]).measures

    for name in set(measures) - {"start_imbalance"}:
        assert torch.isnan(measures[name]).tolist() == [True, False], name
