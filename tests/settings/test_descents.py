"""Settings of descents at step sizes that are halved: what they measure, on a weight that decays by a known factor."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.runner import silent
from dlnrepro.settings.descents import DESCENT_POINTS, HalvedDescents


def test_each_descent_has_half_the_step_size_and_all_are_measured_at_the_same_times() -> None:
    params = HalvedDescents.model_validate({"step_size": 0.021, "halvings": 2})
    start = [torch.tensor([[[1.0]], [[3.0]]], dtype=torch.float64)]
    shapes = []

    def measure(path: list[torch.Tensor]) -> dict[str, torch.Tensor]:
        shapes.append(path[0].shape)
        return {"end": path[0][:, -1, 0, 0]}

    sizes, measured = params.descents(start, lambda weights: weights, 2.0, measure, silent)

    assert params.coarse_steps(2.0) == 100
    assert sizes.tolist() == [0.02, 0.01, 0.005]
    assert shapes == [(2, DESCENT_POINTS + 1, 1, 1)] * 3
    assert measured["end"][1].tolist() == pytest.approx([3 * 0.98**100, 3 * 0.99**200, 3 * 0.995**400], rel=1e-12)
