"""The flow runner: batches, both laws in few runs, and settings that contradict one another."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from dlnrepro.errors import BudgetSpent
from dlnrepro.runner import Result, silent
from dlnrepro.runners import one_neuron_flow as runner

SETUP: dict[str, Any] = {
    "depth": 3,
    "inputs": 5,
    "hidden": 4,
    "outputs": 4,
    "strengths": [2.0, 1.2, 0.7],
    "jitter": 0.1,
    "start": "drawn",
    "overlap_low": 0.25,
    "overlap_high": 5.0,
    "start_low": 0.3,
    "start_high": 1.0,
    "layer_factor": 1.0,
    "input_spread": 1.0,
    "first_rate": 1.0,
    "horizon": 4.0,
    "window_start": 1.0,
    "descent_horizon": 2.0,
    "step_size": 0.02,
    "halvings": 1,
}
SHORT: dict[str, Any] = {"horizon": 1.0, "window_start": 0.3, "descent_horizon": 0.5}
CASES: dict[str, dict[str, Any]] = {
    "drawn": {},
    "all-hypotheses-broken": {"depth": 4, "layer_factor": 2.0, "input_spread": 5.0, "first_rate": 2.0},
    "anti-aligned": {"depth": 2, "start": "anti-aligned"},
    "outside-range": {"start": "outside-range"},
}
POINTS = {"time": 120, "step_size": 2}


def _run(seeds: list[int], **changes: Any) -> Result:
    params = runner.Params.model_validate(SETUP | changes)
    return runner.run(params, [torch.Generator().manual_seed(seed) for seed in seeds], silent)


def test_every_measure_and_series_is_returned_with_its_shape() -> None:
    result = _run([0, 1, 2])

    assert set(result.measures) == set(runner.MEASURES)
    assert set(result.series) == set(runner.SERIES)
    assert all(value.shape == (3,) and value.dtype == torch.float64 for value in result.measures.values())
    for name, meaning in runner.SERIES.items():
        assert result.series[name].shape == (3, 2 if meaning.axis == "step_size" else 120), name


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"depth": 4, "layer_factor": 2.0, "input_spread": 5.0, "first_rate": 2.0},
        {"depth": 2, "start": "anti-aligned", "horizon": 6.0},
        {"start": "outside-range", "horizon": 100.0},
    ],
)
def test_a_run_has_the_same_bits_alone_and_in_a_batch(changes: dict[str, Any]) -> None:
    together, alone, longer = (_run(seeds, **changes) for seeds in ([0, 1, 2, 3], [2], [2, 9, 8, 7, 6, 5, 4]))

    for values, single, first in (
        (together.measures, alone.measures, longer.measures),
        (together.series, alone.series, longer.series),
    ):
        for name, value in values.items():
            assert torch.equal(value[2:3].nan_to_num(7), single[name].nan_to_num(7)), name
            assert torch.equal(first[name][:1].nan_to_num(7), single[name].nan_to_num(7)), name


@pytest.mark.parametrize("depth", [2, 3])
def test_the_flow_follows_the_closed_form_and_descent_follows_the_flow(depth: int) -> None:
    measures = _run([0, 1], depth=depth).measures

    assert float(measures["closed_form_error"].max()) < 1e-8
    assert float(measures["drift"].max()) < 1e-9
    assert float((measures["descent_order"] - 1).abs().max()) < 0.05


@pytest.mark.parametrize("changes", [{"layer_factor": 3.0}, {"input_spread": 12.0}])
def test_off_its_hypotheses_the_flow_leaves_the_closed_form_but_conserves_the_imbalance(
    changes: dict[str, float],
) -> None:
    measures = _run([0, 1], **changes).measures

    assert float(measures["closed_form_error"].min()) > 0.1
    assert float(measures["descent_order"].abs().max()) < 0.1
    assert float(measures["drift"].max()) < 1e-9


def test_unequal_rates_break_the_conservation_law() -> None:
    measures = _run([0, 1], first_rate=2.0).measures

    assert float(measures["drift"].min()) > 0.2
    assert float(measures["drift_order"].abs().max()) < 0.1


@pytest.mark.parametrize(
    ("depth", "start", "power"),
    [(3, "anti-aligned", -3.0), (4, "anti-aligned", -2.0), (2, "outside-range", -1.0), (3, "outside-range", -0.75)],
)
def test_the_collapse_has_its_power(depth: int, start: str, power: float) -> None:
    measures = _run([0], depth=depth, start=start, horizon=1e4, window_start=100.0).measures

    assert abs(float(measures["power"]) - power) < 0.01


def test_two_anti_aligned_layers_collapse_at_twice_sigma_1() -> None:
    measures = _run([0, 1], depth=2, start="anti-aligned", horizon=10.0, window_start=3.0).measures

    torch.testing.assert_close(measures["rate_ratio"], torch.ones(2, dtype=torch.float64), rtol=1e-4, atol=0)


def test_progress_may_stop_the_flow_and_the_descents() -> None:
    for limit in (0.2, 0.7):
        seen: list[float] = []

        def progress(fraction: float, _: str, seen: list[float] = seen, limit: float = limit) -> None:
            seen.append(fraction)
            if fraction > limit:
                raise BudgetSpent

        params = runner.Params.model_validate(SETUP)
        with pytest.raises(BudgetSpent):
            runner.run(params, [torch.Generator().manual_seed(seed) for seed in range(4)], progress)
        assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strengths": [1.0, 2.0]}, "strengths must fall strictly"),
        ({"outputs": 6}, "outputs no more than inputs"),
        ({"strengths": [2.0, 1.2, 0.7, 0.3], "start": "outside-range"}, "fewer than outputs"),
        ({"start_low": 2.0}, "low end of a range"),
        ({"window_start": 4.0}, "window_start must lie before horizon"),
        ({"descent_horizon": 1000.0, "step_size": 1e-4}, "at most 10"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        runner.Params.model_validate(SETUP | changes)
