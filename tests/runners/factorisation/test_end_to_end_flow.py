"""The runner of the product's equation: few runs with and without balance."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from dlnrepro.runners.factorisation import end_to_end_flow as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("end-to-end-dynamics", horizon=1.0)
SHORT: dict[str, Any] = {"horizon": 0.2}
CASES: dict[str, dict[str, Any]] = {
    "three-layers": {},
    "one-layer": {"depth": 1},
    "two-wide-layers": {"depth": 2, "hidden": 9},
    "one-output": {"outputs": 1},
    "out-of-balance": {"layer_factor": 2.0},
    "few-inputs": {"inputs": 2},
    "log-cosh": {"loss": "log-cosh"},
    "completion": {"loss": "completion"},
}
CONTRADICTIONS = [
    ({"hidden": 2}, ["hidden: expected at least 3, the smaller one of inputs and outputs, found 2"]),
    ({"depth": 1, "layer_factor": 2.0}, ["layer_factor: expected 1 for a single layer, found 2"]),
    ({"depth": 1, "first_rate": 2.0}, ["first_rate: expected 1 for a single layer, found 2"]),
]
POINTS = {"time": 61}

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.parametrize("changes", [{}, {"depth": 1}, {"outputs": 1}, {"loss": "log-cosh"}, {"loss": "completion"}])
def test_the_product_follows_its_own_equation(changes: dict[str, Any]) -> None:
    measures = _run([0, 1], **changes).measures

    assert float(measures["path_error"].max()) < 1e-8
    assert float(measures["singular_error"].max()) < 1e-7
    assert float(measures["gradient_error"].max()) < 1e-7
    assert float(measures["start_imbalance"].max()) < 1e-14
    assert 0.2 < float(measures["travel"].min()) < 2


@pytest.mark.parametrize("changes", [{"law_depth": 1}, {"law_depth": 4}, {"layer_factor": 2.0}, {"first_rate": 2.0}])
def test_another_depth_or_layers_out_of_balance_show(changes: dict[str, Any]) -> None:
    measures = _run([0, 1], **changes).measures

    assert float(measures["path_error"].min()) > 1e-2
    assert float(measures["singular_error"].min()) > 1e-1


def test_a_layer_that_learns_faster_does_not_follow_the_gradient() -> None:
    assert float(_run([0, 1], first_rate=2.0).measures["gradient_error"].min()) > 0.4


def test_velocities_are_measured_as_well_where_the_motion_is_fast() -> None:
    measures = _run([0, 1], depth=4, start_scale=4.0, horizon=10.0).measures

    assert float(measures["singular_error"].max()) < 1e-6
    assert float(measures["gradient_error"].max()) < 1e-6
