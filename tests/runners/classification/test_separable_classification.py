"""The classification runner: what it finds in few runs."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.classification import training
from dlnrepro.dynamics.stiff_flow.path import Path, follow
from dlnrepro.errors import Disagreement
from dlnrepro.runners.classification import separable_classification as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("rank-one-alignment", tolerance=3e-9, steps=1000)
FEW: dict[str, Any] = {"data": "under-determined", "inputs": 10, "samples": 6}
SHORT: dict[str, Any] = {
    "horizon": 500.0,
    "points": 20,
    "steps": 60,
    "layers_window": [1.0, 30.0],
    "direction_window": [1.0, 30.0],
    "constants_window": [2.0, 20.0],
}
CASES: dict[str, dict[str, Any]] = {
    "flow": {"samples": 16, "hidden": 3, "tolerance": 1e-7},
    "flipped": {"data": "flipped"},
    "squared": {"loss": "squared", "depth": 2},
    "normalised": FEW | {"method": "normalised", "coordinate_rates": 3.0},
    "six-normalised-layers": FEW | {"method": "normalised", "depth": 6},
    "sign": FEW | {"method": "sign", "step_size": 0.01},
    "adam": FEW | {"method": "adam", "step_size": 0.01, "loss": "exponential"},
}
CONTRADICTIONS = [
    (
        {"data": "under-determined"},
        ["samples: expected fewer than 4, the inputs, for `data: under-determined`, found 40"],
    ),
    ({"samples": 8}, ["samples: expected more than 8, twice as many as inputs, for `data: separable`, found 8"]),
    (
        FEW | {"method": "adam", "second_layer_rate": 2.0, "coordinate_rates": 5.0},
        [
            "second_layer_rate: expected 1 for `method: adam`, found 2",
            "coordinate_rates: expected 1 for `method: adam`, found 5",
        ],
    ),
    (
        {"layers_window": [1e11, 1e10], "direction_window": [1e11, 1e11]},
        [
            "layers_window: expected a range [low, high] with low below high, found [1e11, 1e10]",
            "direction_window: expected a range [low, high] with low below high, found [1e11, 1e11]",
        ],
    ),
]

_run = partial(run_seeds, runner, SETUP)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_gradient_flow_obeys_every_law_at_every_depth(depth: int) -> None:
    found = _run([7], depth=depth).measures

    assert float(found["log_inverse_risk"]) == pytest.approx(1e12, rel=1e-6)
    assert float(found["imbalance_drift"]) < 1e-8
    assert float(found["lemma_over_bound"]) <= 1
    assert float(found["growth_exponent"]) == pytest.approx(1, abs=0.01)
    assert float(found["rank_one_slope"]) == pytest.approx(-2, abs=0.02)
    assert float(found["alignment_slope"]) == pytest.approx(-4, abs=0.2)
    assert float(found["direction_slope"]) == pytest.approx(-1, abs=0.005)
    assert float(found["direction_constant"]) == pytest.approx(1, abs=0.001)
    assert float(found["margin_constant"]) == pytest.approx(1, abs=0.001)


def test_where_nothing_grows_slopes_and_constants_are_undefined_and_all_else_is_finite() -> None:
    for changes in ({"data": "flipped"}, {"loss": "squared"}):
        found = _run([0, 1], **changes).measures

        for name in runner.MEASURES:
            fitted = name.endswith(("slope", "constant", "by_depth", "exponent"))
            assert bool(found[name].isnan().all() if fitted else found[name].isfinite().all()), name


@pytest.mark.slow
def test_unequal_coordinates_align_as_the_square_of_the_norm_and_alternating_rates_do_not_align() -> None:
    equal = _run([0]).measures
    unequal = _run([0], coordinate_rates=2.0).measures
    alternating = _run([0], alternating_rates=2.0, horizon=1e6).measures

    assert float(equal["gradient_error"]) < 1e-8
    assert float(equal["alignment_slope"]) == pytest.approx(-4, abs=0.02)
    assert float(unequal["gradient_error"]) > 0.1
    assert float(unequal["alignment_slope"]) == pytest.approx(-2, abs=0.1)
    assert float(unequal["rank_one_slope"]) == pytest.approx(-2, abs=0.02)
    assert float(alternating["rank_one_slope"]) > -0.5
    assert float(alternating["rank_one_gap"]) > 1e-3


@pytest.mark.slow
def test_the_flow_of_unequal_coordinates_finds_the_margin_of_its_own_norm() -> None:
    found = _run([0], **FEW, coordinate_rates=5.0).measures

    assert float(found["direction"]) > 0.1
    assert float(found["rates_direction"]) < 1e-3


def test_support_vectors_that_do_not_span_slow_the_turn_to_the_power_one_over_depth() -> None:
    found = _run([0], spanning=False).measures

    assert float(found["direction_slope"]) == pytest.approx(-1 / 3, abs=0.01)


@pytest.mark.slow
def test_a_wide_network_obeys_the_laws_and_comes_to_rest_where_the_risk_has_a_minimum() -> None:
    found = _run([3], hidden=24).measures
    rest = _run([3], hidden=24, data="flipped").measures

    assert float(found["log_inverse_risk"]) == pytest.approx(1e12, rel=1e-6)
    assert float(found["imbalance_drift"]) < 1e-8
    assert float(found["lemma_over_bound"]) <= 1
    assert float(found["rank_one_slope"]) == pytest.approx(-2, abs=0.02)
    assert float(found["alignment_slope"]) == pytest.approx(-4, abs=0.2)
    assert float(found["direction_constant"]) == pytest.approx(1, abs=0.001)
    assert float(rest["log_inverse_risk"]) < 5
    assert float(rest["imbalance_drift"]) < 1e-8


def test_the_memory_of_a_wide_network_holds_its_paths_and_no_matrix_of_its_weights() -> None:
    params = runner.Params.model_validate(SETUP | {"hidden": 128})
    weights = 128 * (4 + 128 + 1)

    assert params.memory(4) > 8 * 2 * 4 * 41 * weights
    assert params.memory(4) < 8 * weights**2 / 5


@pytest.mark.slow
def test_a_run_that_diverges_is_nan_and_leaves_the_other_runs_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def losing(*arguments: Any) -> Path:
        nonlocal calls
        calls += 1
        path = follow(*arguments)
        return Path(np.full_like(path.points, np.nan), float("nan")) if calls == 2 else path

    monkeypatch.setattr(training, "follow", losing)
    broken = _run([0, 1, 2], horizon=1e5).measures
    monkeypatch.undo()
    whole = _run([0, 1, 2], horizon=1e5).measures

    for name in ("log_inverse_risk", "rank_one_gap", "direction", "gradient_error", "lemma_over_bound"):
        assert bool(broken[name][1].isnan()), name
        assert torch.equal(broken[name][[0, 2]], whole[name][[0, 2]]), name


def test_two_routes_that_disagree_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "follow", lambda *given: follow(*given)._replace(route_gap=1e-3))

    with pytest.raises(Disagreement, match=r"expected paths within 1e-6 of each other, found 0\.001"):
        _run([0], horizon=1e5)
