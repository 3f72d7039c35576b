"""Descent in stages: the same as one descent where the step size does not change, and kicks where they are due."""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.pathways.stages import Stage, descend_in_stages, stairs
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.training.descent import descend
from dlnrepro.runner import silent

START = [torch.full((2, 1, 1), 1.0, dtype=torch.float64)]
ONE = [torch.ones(2, 1, 1, dtype=torch.float64)]


def _gradient(weights: Weights) -> list[Tensor]:
    return [weights[0] - 3]


def _observe(weights: Weights) -> dict[str, Tensor]:
    return {"weight": weights[0][:, 0, 0]}


def test_stages_of_one_step_size_are_one_descent() -> None:
    stages = [Stage(0.1, 7, 0.0), Stage(0.1, 5, 0.0)]

    staged, series = descend_in_stages(START, _gradient, stages, ONE, [0, 3, 7, 11], _observe, silent)
    whole, expected = descend(START, _gradient, lambda _: 0.1, 12, [0, 3, 7, 11], _observe, silent)

    assert torch.equal(staged[0], whole[0])
    assert torch.equal(series["weight"], expected["weight"])


def test_a_kick_displaces_the_weights_before_its_stage() -> None:
    stages = [Stage(0.5, 1, 0.0), Stage(0.5, 1, 0.25)]

    staged, _ = descend_in_stages(START, _gradient, stages, ONE, [0], _observe, silent)

    # 1 -> 2 by the first stage, 2.25 by the kick, and half of the way to 3 by the second stage.
    assert staged[0].flatten().tolist() == [2.625, 2.625]
    assert START[0].flatten().tolist() == [1.0, 1.0]


def test_stairs_rise_evenly_and_stop_before_the_last_step_size() -> None:
    assert stairs(1.0, 3.0, 4, 10, 0.0) == [Stage(size, 10, 0.0) for size in (1.0, 1.5, 2.0, 2.5)]
    assert stairs(1.0, 3.0, 0, 10, 0.0) == []


def test_progress_is_reported_as_a_fraction_of_the_whole() -> None:
    told: list[float] = []
    stages = [Stage(0.1, 300, 0.0), Stage(0.2, 100, 0.0)]

    descend_in_stages(START, _gradient, stages, ONE, [0], _observe, lambda fraction, _: told.append(fraction))

    assert told == sorted(told)
    assert 0.97 < told[-1] <= 1
