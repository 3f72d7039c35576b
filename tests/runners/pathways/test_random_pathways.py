"""The matrix runner: starts, and that it finds what theory says in a few runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from dlnrepro.claimfile.parameters import parameter_faults
from dlnrepro.dynamics.networks.curvature import hessian, largest_eigenvalue
from dlnrepro.dynamics.pathways import parallel_paths
from dlnrepro.errors import Disagreement
from dlnrepro.runner import silent
from dlnrepro.runners.pathways import random_pathways as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup(
    "trained-pathway-sharpness",
    depth=3,
    path_scales=[1.0, 0.5],
    step_ratio=2.6,
    stairs=2,
    stair_steps=50,
    hold_steps=3000,
    cool_steps=600,
)
SHORT: dict[str, Any] = {"stair_steps": 5, "hold_steps": 30, "cool_steps": 10}
CASES: dict[str, dict[str, Any]] = {
    "random": {},
    "single-path": {"start": "single-path", "mode": 2},
    "three-paths-and-four-layers": {"path_scales": [1.0, 0.5, 0.7], "depth": 4, "law_depth": 3},
    "two-wide-layers": {"hidden": 9, "depth": 2},
}
CONTRADICTIONS = [
    (
        {"strengths": [0.5, 1.0], "mode": 3},
        ["strengths: expected values that do not rise, found [0.5, 1]"],
    ),
    (
        {"strengths": [1.0, 0.9, 0.8, 0.7], "mode": 5, "jitter": 0.0},
        [
            "strengths: expected at most 3 values, as many as outputs, found 4 values",
            "mode: expected at most 4, the number of strengths, found 5",
        ],
    ),
]

_run = partial(run_seeds, runner, SETUP)


def test_above_the_window_the_end_is_the_flattest_solution() -> None:
    measures = _run([0, 1]).measures

    assert float(measures["factor_error"].max()) < 1e-3
    assert float((measures["share"] - 0.5).max()) < 1e-3
    assert float(measures["share_drop"].min()) > 0.4


def test_a_peak_counts_only_once_the_mode_is_learned() -> None:
    """With two layers shares are kept once learned; before, they are those of noise, and now and then larger."""
    changes = {
        "depth": 2,
        "start_scale": 0.05,
        "step_ratio": 0.5,
        "stairs": 0,
        "path_scales": [1.0, 0.9],
    }
    result = _run(list(range(8)), hold_steps=1000, **changes)

    early = result.series["mode_share"].amax(-1) - result.measures["share"]
    assert float(early.max()) > 0.2
    assert float(result.measures["share_drop"].max()) < 0.05


def test_a_small_step_keeps_the_winner() -> None:
    measures = _run([0, 1], step_ratio=0.5, stairs=0, start_scale=0.05).measures

    assert float(measures["share"].min()) > 0.9
    torch.testing.assert_close(measures["sharpness_ratio"], torch.ones(2, dtype=torch.float64), rtol=0.05, atol=0)


def test_the_single_path_start_is_a_minimum_of_sharpness_s1() -> None:
    measures = _run(
        [0, 1], start="single-path", path_scales=[0.0, 0.0], step_ratio=1.5, stairs=0, kick=0.0, hold_steps=20
    ).measures

    assert float(measures["loss"].max()) < 1e-28
    torch.testing.assert_close(measures["sharpness_ratio"], torch.ones(2, dtype=torch.float64), rtol=1e-12, atol=0)
    torch.testing.assert_close(measures["share"], torch.ones(2, dtype=torch.float64), rtol=1e-12, atol=0)


@pytest.mark.slow
def test_the_whole_hessian_of_a_trained_network_is_as_sharp_as_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sharpness is read from J J^T; here the trained weights are caught, and differentiated twice."""
    caught: list[tuple[Sequence[Tensor], Tensor]] = []
    loss = parallel_paths.loss

    def catch(weights: Sequence[Tensor], target: Tensor) -> Tensor:
        caught.append((weights, target))
        return loss(weights, target)

    monkeypatch.setattr(parallel_paths, "loss", catch)
    measures = _run([0, 1]).measures
    weights, target = caught[-1]

    whole = largest_eigenvalue(hessian(lambda given: loss(given, target), weights, silent))

    single = 3 * 1.0 ** (2 - 2 / 3)
    torch.testing.assert_close(measures["sharpness_ratio"], whole / single, rtol=1e-3, atol=0)


def test_the_second_ratio_is_the_one_of_the_drawn_singular_value() -> None:
    result = _run([0, 1], strengths=[2.0, 1.0], jitter=0.3, hold_steps=10, cool_steps=10)
    fixed = _run([0, 1], strengths=[2.0, 1.0], jitter=0.0, hold_steps=10, cool_steps=10)
    single = _run([0, 1], strengths=[2.0], hold_steps=10, cool_steps=10)

    expected = torch.full((2,), 2.6 * 0.5 ** (4 / 3), dtype=torch.float64)
    torch.testing.assert_close(fixed.measures["second_ratio"], expected, rtol=1e-12, atol=0)
    assert float((result.measures["second_ratio"] / expected).min()) != 1
    assert bool((result.measures["second_ratio"] / expected < 1.3 ** (4 / 3)).all())
    assert not bool(single.measures["second_ratio"].any())


def test_a_gradient_that_is_wrong_in_the_hidden_layers_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    right = parallel_paths.loss_gradient

    def wrong(target: Tensor) -> Callable[[Sequence[Tensor]], list[Tensor]]:
        def gradient(weights: Sequence[Tensor]) -> list[Tensor]:
            first, *hidden, last = right(target)(weights)
            return [first, *(3 * layer for layer in hidden), last]

        return gradient

    monkeypatch.setattr(parallel_paths, "loss_gradient", wrong)
    with pytest.raises(Disagreement, match="the gradient"):
        _run([0])


def test_a_run_that_diverges_is_nan() -> None:
    measures = _run([0, 1], step_ratio=10.0, stairs=0, hold_steps=300, start_scale=2.0).measures

    assert all(torch.isnan(measures[name]).all() for name in ("share", "peak_share", "limit", "factor_error", "loss"))


def test_a_single_path_is_refused() -> None:
    ((place, fault),) = parameter_faults(runner.Params, SETUP | {"path_scales": [1.0]})

    assert (place, fault.wording) == (("path_scales",), "expected a list of length 2 or more, found [1.0]")
