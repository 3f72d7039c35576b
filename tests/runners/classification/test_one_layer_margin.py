"""The runner of one layer: limits of few runs."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.runners.classification import one_layer_margin as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("one-layer-maximum-margin", step_size=4.0, horizon=5000.0)
SHORT: dict[str, Any] = {"horizon": 10.0}
CASES: dict[str, dict[str, Any]] = {
    "flow": {"horizon": 100.0},
    "squared": {"loss": "squared"},
    "flipped": {"data": "flipped"},
    "descent": {"method": "descent", "horizon": 4.0},
    "descent-of-the-exponential-loss": {"method": "descent", "horizon": 4.0, "loss": "exponential", "step_size": 0.5},
}
CONTRADICTIONS = [
    ({"samples": 8}, ["samples: expected more than 8, twice as many as inputs, for `data: separable`, found 8"]),
    (
        {"method": "descent", "horizon": 30.0, "coordinate_rates": 2.0},
        [
            "horizon: expected at most 17.5, which is 10000000 steps of size 4, found 30",
            "coordinate_rates: expected 1 for `method: descent`, found 2",
        ],
    ),
]

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.parametrize("changes", [{}, {"loss": "exponential", "start_scale": 5.0}])
def test_the_flow_ends_at_its_limits(changes: dict[str, Any]) -> None:
    measures = _run([0, 1], **changes).measures

    assert float(measures["residual_error"].max()) < 1e-6
    assert float((measures["loss_constant"] - 1).abs().max()) < 1e-6
    assert float((measures["direction_slope"] + 1).abs().max()) < 0.01


@pytest.mark.slow
def test_the_descent_has_the_flow_s_rest_at_the_same_time() -> None:
    descent = _run([0, 1], method="descent", horizon=9.0, step_size=1.0).measures
    flow = _run([0, 1], horizon=9.0).measures

    torch.testing.assert_close(descent["residual_error"], flow["residual_error"], rtol=0.01, atol=0)
    torch.testing.assert_close(descent["loss_constant"], flow["loss_constant"], rtol=0.01, atol=0)


@pytest.mark.parametrize("changes", [{"loss": "squared"}, {"data": "flipped"}])
def test_without_separation_or_tails_nothing_grows(changes: dict[str, Any]) -> None:
    measures = _run([0, 1], horizon=30.0, **changes).measures

    assert float(measures["residual_error"].min()) > 15
    assert float(measures["direction_slope"].abs().max()) < 1e-6
