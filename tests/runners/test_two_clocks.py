"""The two-clocks runner: batches, the sweep against single runs, and settings that contradict one another."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from dlnrepro.dynamics.cross_entropy import risk_gradient
from dlnrepro.errors import BudgetSpent
from dlnrepro.runner import Result, silent
from dlnrepro.runners import two_clocks as runner

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
}
POINTS = {"decay": 2}


def _run(seeds: list[int], **changes: Any) -> Result:
    params = runner.Params.model_validate(SETUP | changes)
    return runner.run(params, [torch.Generator().manual_seed(seed) for seed in seeds], silent)


def _same(first: Tensor, second: Tensor) -> bool:
    return torch.equal(first.nan_to_num(-7), second.nan_to_num(-7))


def test_every_measure_and_series_is_returned_with_its_shape() -> None:
    result = _run([0, 1, 2])

    assert set(result.measures) == set(runner.MEASURES)
    assert set(result.series) == set(runner.SERIES)
    assert all(value.shape == (3,) and value.dtype == torch.float64 for value in result.measures.values())
    assert all(result.series[name].shape == (3, 2) for name in ("decay", "classifier", "representation"))
    assert len({result.series[name].shape for name in ("step", "risk", "off_span", "error", "gap")}) == 1


@pytest.mark.parametrize("changes", [{}, {"depth": 2}, {"decay_on": "nothing"}, {"decays": [0.08]}])
def test_a_run_has_the_same_bits_alone_and_in_a_batch(changes: dict[str, Any]) -> None:
    short = {"steps": 200} | changes
    together, alone, longer = (_run(seeds, **short) for seeds in ([0, 1, 2, 3], [2], [2, 9, 8, 7, 6, 5, 4]))

    for values, single, first in (
        (together.measures, alone.measures, longer.measures),
        (together.series, alone.series, longer.series),
    ):
        for name, value in values.items():
            assert _same(value[2:3], single[name]), name
            assert _same(first[name][:1], single[name]), name


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


def test_progress_may_stop_a_run() -> None:
    def progress(fraction: float, _: str) -> None:
        if fraction > 0.3:
            raise BudgetSpent

    params = runner.Params.model_validate(SETUP)
    with pytest.raises(BudgetSpent):
        runner.run(params, [torch.Generator().manual_seed(0)], progress)
