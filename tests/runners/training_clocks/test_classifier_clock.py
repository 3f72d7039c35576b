"""The classifier-clock runner: clocks that can be computed by hand."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.dynamics.networks.chain import pull_back
from dlnrepro.dynamics.training_clocks import cross_entropy
from dlnrepro.errors import Disagreement
from dlnrepro.runners.training_clocks import classifier_clock as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup(
    "classifier-clock", depth=2, inputs=10, hidden=6, samples=8, step_size=0.05, steps=250, levels=[4.0, 8.0]
)
SHORT: dict[str, Any] = {"steps": 60, "levels": [1.0, 2.0]}
CASES: dict[str, dict[str, Any]] = {
    "normalised": {},
    "normalised-in-time": {"depth": 3, "clock": "time"},
    "adam": {"rule": "adam", "step_size": 0.03},
    "plain": {"rule": "plain", "depth": 3, "step_size": 1.0},
    "plain-in-time": {"rule": "plain", "clock": "time", "step_size": 1.0},
    "six-layers": {"depth": 6, "clock": "time", "scale": 1.0},
}
CONTRADICTIONS = [
    ({"samples": 16}, ["samples: expected at most 10, as many as inputs, found 16"]),
    ({"levels": [8.0, 4.0]}, ["levels: expected a range [low, high] with low below high, found [8, 4]"]),
    ({"rule": "adam", "clock": "time"}, ["clock: expected `steps` for `rule: adam`, found 'time'"]),
]
POINTS = {"level": 41}

_run = partial(run_seeds, runner, SETUP)


def test_normalised_steps_keep_an_even_pace() -> None:
    """Every step lowers log R by its size to first order, so that T = (log(1/eps) - log(1/R_0)) / eta."""
    result = _run([0, 1])
    clock = result.series["clock"]

    pace = (clock[:, -1] - clock[:, 0]) * 0.05 / 4.0
    torch.testing.assert_close(pace, torch.ones_like(pace), rtol=0.02, atol=0)
    torch.testing.assert_close(result.measures["slowing"], torch.ones_like(pace), rtol=0.02, atol=0)
    contraction = result.measures["contraction"]
    torch.testing.assert_close(contraction, torch.full_like(contraction, math.exp(-0.05)), rtol=2e-3, atol=0)


@pytest.mark.slow
def test_the_flow_s_clock_is_that_of_plain_descent_with_small_steps() -> None:
    """Two routes to one number: time of the flow from normalised steps, and step size times plain steps."""
    flow = _run([0, 1], clock="time", step_size=0.005, steps=1200, levels=[2.0, 3.0])
    plain = _run([0, 1], rule="plain", clock="time", step_size=0.05, steps=4000, levels=[2.0, 3.0])

    torch.testing.assert_close(flow.series["clock"], plain.series["clock"], rtol=0.01, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_flow_follows_the_law_of_its_depth_alone(depth: int) -> None:
    """The next order is (2-2/L) / log(1/eps); at depth 1 the law is exact except for the direction's convergence."""
    changes = {"depth": depth, "clock": "time", "steps": 1400, "levels": [30.0, 60.0]}

    right = _run([0], **changes, law_depth=depth).measures["law_error"]
    wrong = _run([0], **changes, law_depth=depth + 1).measures["law_error"]

    assert float(right) < 0.06
    assert float(wrong) > 0.12


def test_a_clock_that_never_strikes_is_unknown() -> None:
    measures = _run([0], steps=10).measures

    assert all(torch.isnan(measures[name]).all() for name in ("contraction", "clock_exponent", "slowing"))


@pytest.mark.parametrize("rule", ["plain", "normalised", "adam"])
def test_a_first_layer_that_moves_up_its_gradient_is_an_error(monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    right = pull_back
    monkeypatch.setattr(cross_entropy, "pull_back", lambda *given: [-(parts := right(*given))[0], *parts[1:]])

    with pytest.raises(Disagreement, match="log R by this program and by torch differ by"):
        _run([0], rule=rule, steps=20, step_size=0.01, levels=[1.0, 2.0])


def test_a_run_that_diverges_is_nan() -> None:
    measures = _run([0], rule="plain", step_size=100.0, scale=10.0, depth=4).measures

    assert all(torch.isnan(measures[name]).all() for name in ("log_inverse_risk", "contraction", "clock_exponent"))
