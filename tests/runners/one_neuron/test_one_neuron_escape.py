"""The escape runner: the laws in few runs, and settings that contradict one another."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from dlnrepro.claimfile.catalogue import packaged_folder
from dlnrepro.claimfile.loader import load_claim
from dlnrepro.runner import silent
from dlnrepro.runners.one_neuron import one_neuron_escape as runner
from tests.runners.running import quick_setup, run_seeds, seeded

SETUP = quick_setup(
    "one-neuron-escape-time",
    strengths=[3.0, 2.0, 0.4, 0.1],
    start=[0.3, 0.9],
    overlap=[0.25, 5.0],
    scales=[1e-8, 1e-10],
    horizon=1e12,
)
SADDLE: dict[str, Any] = {"approach": "saddle", "scales": [1.0, 1e-3]}
OPPOSED: dict[str, Any] = {"approach": "opposed", "scales": [1e-4, 1e-5]}
CASES: dict[str, dict[str, Any]] = {
    "small": {"layer_factor": 2.0, "scales": [1e-2, 3e-3]},
    "saddle": SADDLE | {"depth": 4},
    "opposed": OPPOSED | {"depth": 2, "scales": [1e-2, 3e-3]},
}
CONTRADICTIONS: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"strengths": [1.0, 2.0, 0.5, 0.1], "start": [2.0, 1.0], "scales": [1e-9, 1e-8], "law_depth": 1},
        [
            "law_depth: expected `same` or a whole number from 2 to 8, found 1",
            "strengths: expected values that fall strictly, found [1, 2, 0.5, 0.1]",
            "start: expected a range [low, high], found [2, 1]",
            "scales: expected values that fall strictly, found [1e-9, 1e-8]",
        ],
    ),
    ({"outputs": 3}, ["strengths: expected at most 3 values, as many as outputs, found 4 values"]),
]
POINTS = {"scale": 2}

_run = partial(run_seeds, runner, SETUP)


def test_the_hidden_directions_are_the_same_at_every_scale() -> None:
    params = runner.Params.model_validate(SETUP)
    (coarse, fine), _ = runner._starts(params, seeded(range(2)))

    for one, other in zip(coarse.weights, fine.weights, strict=True):
        torch.testing.assert_close(one * (1e-10 / 1e-8) ** (1 / 3), other, rtol=1e-12, atol=0)


def test_small_starts_obey_their_laws() -> None:
    two, three = _run([0, 1], depth=2, scales=[1.0, 1e-2]).measures, _run([0, 1]).measures

    assert float((two["slope_ratio"] - 1).abs().max()) < 1e-3
    assert torch.isnan(two["factor_ratio"]).all()
    assert float((three["power"] - 1 / 3).abs().max()) < 2e-3
    assert float((three["factor_ratio"] - 1).abs().max()) < 2e-3
    assert torch.isnan(three["slope_ratio"]).all()


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_delay_at_a_saddle_has_its_slope_and_a_generic_start_none(depth: int) -> None:
    delayed, generic = _run([0, 1], depth=depth, **SADDLE), _run([0], depth=depth, missing=0, **SADDLE)

    assert float((delayed.measures["slope_ratio"] - 1).abs().max()) < 1e-3
    assert float(generic.measures["slope_ratio"].abs().max()) < 1e-2


def test_opposed_starts_obey_their_laws_and_aligned_ones_are_not_delayed() -> None:
    two, three = _run([0, 1], depth=2, **OPPOSED).measures, _run([0, 1], **OPPOSED).measures

    assert float((two["slope_ratio"] - 1).abs().max()) < 0.01
    assert float(three["power_error"].abs().max()) < 0.01
    assert float(_run([0], sign=1, **OPPOSED).measures["power"].abs().max()) < 1e-3


@pytest.mark.parametrize("changes", [{}, SADDLE, OPPOSED])
def test_the_three_routes_to_an_escape_time_agree(changes: dict[str, Any]) -> None:
    measures = _run([0, 1], **changes).measures

    assert float((measures["time_ratio"] - 1).abs().max()) < 1e-3
    assert float(measures["gradient_error"].max()) < 1e-14


def test_the_largest_distance_from_a_saddle_follows_the_draw() -> None:
    far, close = (_run([0, 1], strengths=[3.0, 2.0, third, 0.1], **SADDLE) for third in (0.4, 1.8))

    assert bool((close.measures["least_scale"] < far.measures["least_scale"]).all())
    assert float((close.measures["slope_ratio"] - 1).abs().max()) < 1e-3


def test_unbalanced_layers_keep_the_power_but_not_the_constant() -> None:
    measures = _run([0, 1], layer_factor=10.0).measures

    assert float((measures["power"] - 1 / 3).abs().max()) < 5e-3
    assert float(measures["factor_ratio"].max()) < 0.8


def test_another_depth_s_formula_is_off() -> None:
    assert float(_run([0], law_depth=2, **SADDLE).measures["slope_ratio"]) < 0.95
    assert float(_run([0], law_depth=4, **OPPOSED).measures["power_error"]) < -0.3


def test_a_start_that_has_escaped_already_has_the_escape_time_zero() -> None:
    """With v = +v_1 and a strength above sigma_1 / 2 there is nothing left to wait for, at any tilt."""
    result = _run([0, 1], sign=1, start=[2.0, 2.0], **OPPOSED)

    assert result.series["delay"].tolist() == [[0.0, 0.0]] * 2
    assert result.series["predicted_delay"].tolist() == [[0.0, 0.0]] * 2
    assert result.measures["power"].tolist() == [0.0, 0.0]


def test_a_generic_start_that_has_escaped_already_does_not_leave_the_control_undecided() -> None:
    """The start of seed 148 has more than half of sigma_1 in mode 1; those of its neighbours have less."""
    claim = load_claim(packaged_folder() / "one-neuron-saddle-delay.yaml")
    generic = runner.Params.model_validate(claim.setup | claim.arms["generic"])

    result = runner.run(generic, seeded([147, 148]), silent)

    assert (result.series["delay"] == 0).tolist() == [[False] * 3, [True] * 3]
    assert float(result.measures["slope_ratio"].abs().max()) < 1e-2


def test_a_network_that_has_not_left_by_the_horizon_is_nan() -> None:
    measures = _run([0], horizon=1.0).measures

    assert all(torch.isnan(measures[name]).all() for name in ("power", "power_error", "factor_ratio"))
