"""The two-clocks runner: the sweep against single runs, and settings that contradict one another."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from dlnrepro.dynamics.training_clocks.cross_entropy import risk_gradient
from dlnrepro.runners.training_clocks import two_clocks as runner
from tests.runners.running import run_seeds

SETUP: dict[str, Any] = {
    "depth": 3,
    "dimension": 16,
    "width": 8,
    "classes": 3,
    "samples": 8,
    "radius": 2.5,
    "noise": 1.0,
    "scale": 1.5,
    "decays": [0.08, 0.04],
    "decay_on": "layers",
    "step_size": 0.05,
    "steps": 500,
    "learned": 0.2,
    "structured": 0.05,
    "accuracy": 0.9,
    "tail_from": 1e-3,
    "tail_to": 1e-7,
}
SHORT: dict[str, Any] = {"steps": 30, "learned": 0.9, "structured": 0.9, "accuracy": 0.4}
CASES: dict[str, dict[str, Any]] = {
    "three-layers": {},
    "two-layers": {"depth": 2},
    "no-decay": {"decay_on": "nothing"},
    "one-decay": {"decays": [0.08]},
    "six-layers": {"depth": 6, "scale": 1.0},
}
POINTS = {"decay": 2}

_run = partial(run_seeds, runner, SETUP)


def test_a_sweep_is_so_many_runs() -> None:
    both, single = _run([0]).series, _run([0], decays=[0.04]).series

    for name in ("classifier", "representation", "generalisation"):
        torch.testing.assert_close(both[name][:, 1:], single[name])


def test_off_the_span_decay_acts_alone() -> None:
    assert float(_run([0, 1]).measures["off_span_error"].max()) < 1e-12
    assert float(_run([0, 1], decay_on="nothing").measures["off_span_error"].min()) > 0.5


def test_a_decay_of_another_size_is_noticed_by_the_off_span_law(monkeypatch: pytest.MonkeyPatch) -> None:
    right = risk_gradient

    def half(weights: Any, x: Tensor, hot: Tensor) -> tuple[Tensor, list[Tensor]]:
        risk, parts = right(weights, x, hot)
        return risk, [part - 0.04 * weight for part, weight in zip(parts, weights, strict=True)]

    monkeypatch.setattr(runner, "risk_gradient", half)

    assert float(_run([0], decays=[0.08]).measures["off_span_error"]) > 0.1


def test_without_decay_the_second_clock_never_stops() -> None:
    result = _run([0, 1], decay_on="nothing")

    assert torch.equal(result.series["representation"], torch.full((2, 2), 500.0, dtype=torch.float64))
    assert torch.equal(result.measures["representation_slope"], torch.zeros(2, dtype=torch.float64))
    assert torch.equal(result.measures["classifier_spread"], torch.ones(2, dtype=torch.float64))


def test_the_tail_under_decay_has_the_power_one_half() -> None:
    measures = _run([0, 1], decays=[0.1], step_size=0.1, steps=1500, scale=1.0, tail_to=1e-6).measures

    torch.testing.assert_close(measures["theta"], torch.full((2,), 0.5, dtype=torch.float64), rtol=0.01, atol=0)


def test_a_run_that_diverges_is_nan() -> None:
    measures = _run([0], step_size=1.0, scale=10.0).measures

    assert all(torch.isnan(value).all() for value in measures.values())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"samples": 16}, "fewer than dimension"),
        ({"samples": 9}, "multiple of 8"),
        ({"decays": [0.02, 0.04]}, "decays must fall"),
        ({"tail_to": 0.5}, "tail_from must lie above"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        runner.Params.model_validate(SETUP | changes)
