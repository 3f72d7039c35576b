"""The race runner: the limit of small initializations, and what the second route notices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.pathways import parallel_paths
from dlnrepro.errors import Disagreement
from dlnrepro.runners.pathways import path_race as runner
from tests.runners.running import quick_setup, run_seeds

SETUP = quick_setup("winner-takes-all-matrices", depth=3, hidden=5, scales=[1e-4, 0.01], points=2, flow_steps=350)
SHORT: dict[str, Any] = {"flow_steps": 30, "scales": [0.1, 0.2]}
CASES: dict[str, dict[str, Any]] = {
    "two-modes": {},
    "one-mode-and-descent": {"strengths": [1.0], "descent_steps": 20},
    "three-paths-and-four-layers": {"depth": 4, "paths": 3, "points": 3},
    "two-layers": {"depth": 2, "jitter": 0.0},
}
CONTRADICTIONS = [
    (
        {"scales": [0.1, 0.1], "jitter": 0.9, "strengths": [1.0, 0.6]},
        [
            "scales: expected a range [low, high] with low below high, found [0.1, 0.1]",
            "jitter: expected a spread that cannot change the order of the singular values, found 0.9",
        ],
    ),
]

_run = partial(run_seeds, runner, SETUP)


def test_one_path_takes_each_mode_at_the_rate_of_theory() -> None:
    measures = _run(range(4), scales=[1e-5, 1e-4]).measures

    assert float(measures["losers_share"].max()) < 0.01
    assert float(measures["exponent_gap"].abs().median()) < 0.05
    assert float((measures["sharpness_ratio"] - 1).abs().max()) < 0.01


def test_one_mode_has_the_exponent_of_the_depth() -> None:
    found = _run(range(4), strengths=[0.8], scales=[1e-5, 1e-4]).measures["exponent"]

    assert float((found - 3).abs().median()) < 0.05


def test_two_layers_keep_their_shares() -> None:
    measures = _run(range(4), depth=2).measures

    assert float(measures["exponent"].abs().max()) < 0.01
    assert float(measures["losers_share"].min()) > 0.01


def test_plain_descent_ends_where_the_flow_does_and_is_left_out_on_demand() -> None:
    settings = {"scales": [0.05, 0.1], "flow_steps": 300}

    with_descent = _run(range(2), **settings, descent_steps=1500).measures["descent_gap"]

    assert float(with_descent.max()) < 0.1
    assert bool(torch.isnan(_run(range(2), **settings).measures["descent_gap"]).all())


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
