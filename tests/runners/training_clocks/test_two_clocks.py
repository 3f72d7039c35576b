"""The two-clocks runner: the sweep against single runs, and what decay does alone."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.training_clocks import weight_decay
from dlnrepro.dynamics.training_clocks.cross_entropy import cross_entropy_gradient
from dlnrepro.runners.training_clocks import two_clocks as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup(
    "two-clocks-weight-decay",
    inputs=16,
    hidden=8,
    samples=8,
    radius=2.5,
    scale=1.5,
    decays=[0.08, 0.04],
    step_size=0.05,
    steps=500,
    accuracy=0.9,
)
SHORT: dict[str, Any] = {"steps": 30, "learned": 0.9, "structured": 0.9, "accuracy": 0.4}
CASES: dict[str, dict[str, Any]] = {
    "three-layers": {},
    "two-layers": {"depth": 2},
    "no-decay": {"decay_on": "nothing"},
    "one-decay": {"decays": [0.08]},
    "six-layers": {"depth": 6, "scale": 1.0},
    "early-tail": {"tail": [1e-3, 1.0]},
}
CONTRADICTIONS = [
    (
        {"samples": 16},
        ["samples: expected fewer than 16, the inputs, so that they do not span all dimensions, found 16"],
    ),
    ({"samples": 24}, ["samples: expected at most 16, as many as inputs, found 24"]),
    ({"decays": [0.02, 0.04]}, ["decays: expected values that fall strictly, found [0.02, 0.04]"]),
    ({"tail": [0.5, 1e-7]}, ["tail: expected a range [low, high] with low below high, found [0.5, 1e-7]"]),
]
POINTS = {"decay": 2}

_run = partial(run_seeds, runner, SETUP)


def test_a_sweep_gives_the_numbers_of_its_single_computations() -> None:
    both, single = _run([0]).series, _run([0], decays=[0.04]).series

    for name in ("classifier", "representation", "generalisation"):
        torch.testing.assert_close(both[name][:, 1:], single[name])


@pytest.mark.slow
def test_off_the_span_decay_acts_alone() -> None:
    assert float(_run([0, 1]).measures["off_span_error"].max()) < 1e-12
    assert float(_run([0, 1], decay_on="nothing").measures["off_span_error"].min()) > 0.5


def test_a_decay_of_another_size_is_noticed_by_the_off_span_law(monkeypatch: pytest.MonkeyPatch) -> None:
    right = cross_entropy_gradient

    def half(weights: Any, x: Tensor, hot: Tensor) -> tuple[Tensor, list[Tensor]]:
        risk, parts = right(weights, x, hot)
        return risk, [part - 0.04 * weight for part, weight in zip(parts, weights, strict=True)]

    monkeypatch.setattr(weight_decay, "cross_entropy_gradient", half)

    assert float(_run([0], decays=[0.08]).measures["off_span_error"]) > 0.1


def test_without_decay_the_second_clock_never_stops() -> None:
    result = _run([0, 1], decay_on="nothing")

    assert torch.equal(result.series["representation"], torch.full((2, 2), 500.0, dtype=torch.float64))
    assert bool(result.measures["representation_slope"].isnan().all())
    assert torch.equal(result.measures["classifier_spread"], torch.ones(2, dtype=torch.float64))


@pytest.mark.slow
def test_the_tail_under_decay_has_the_power_one_half() -> None:
    measures = _run([0, 1], decays=[0.1], step_size=0.1, steps=1500, scale=1.0, tail=[1e-6, 1e-3]).measures

    torch.testing.assert_close(measures["theta"], torch.full((2,), 0.5, dtype=torch.float64), rtol=0.01, atol=0)


def test_both_routes_agree_unless_nothing_decays() -> None:
    assert float(_run([0, 1], **SHORT).measures["route_error"].max()) < 1e-13
    assert float(_run([0, 1], decay_on="nothing", **SHORT).measures["route_error"].min()) > 1e-3


def test_the_hypotheses_are_measured() -> None:
    measures = _run(range(16), **SHORT, scale=2.0, radius=3.0).measures

    assert float(measures["start_gain"].log().mean().exp()) == pytest.approx(8, rel=0.1)
    assert float(measures["noise_share"].mean()) == pytest.approx(14 / (14 + 9), rel=0.05)


def test_a_run_that_diverges_is_nan() -> None:
    measures = _run([0], step_size=1.0, scale=10.0).measures

    assert all(torch.isnan(value).all() for value in measures.values())
