"""Mirrored data and axial starts: what the reflection leaves fixed, and the law of the collapse."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch

from dlnrepro.dynamics.classification.maximum_margin import maximum_margin
from dlnrepro.dynamics.classification.mirrored_data import axial_start, late_norm, mirrored_pairs, pull_at_zero
from dlnrepro.dynamics.networks.chain import imbalance, product


def _generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def test_points_come_with_their_mirror_image_inside_the_ball_and_the_axis_has_the_largest_margin() -> None:
    points = mirrored_pairs(4, 6, _generators(0, 1))

    assert points.shape == (2, 12, 4)
    assert torch.equal(points[:, ::2, 0], points[:, 1::2, 0])
    assert torch.equal(points[:, ::2, 1:], -points[:, 1::2, 1:])
    assert float(torch.linalg.vector_norm(points, dim=-1).max()) < 1
    solution = maximum_margin(points[0].numpy())
    assert solution is not None
    np.testing.assert_allclose(solution.direction, [1, 0, 0, 0], atol=1e-9)


def test_a_start_is_balanced_of_rank_one_and_has_the_product_asked_for() -> None:
    size = torch.tensor([0.7, 1.9], dtype=torch.float64)

    weights = axial_start([4, 5, 3, 1], size, -1.0, 0.3, _generators(0, 1))

    whole = product(weights)[:, 0]
    expected = -size[:, None] * torch.tensor([np.cos(0.3), np.sin(0.3), 0, 0], dtype=torch.float64)
    torch.testing.assert_close(whole, expected)
    for matrix in imbalance(weights):
        assert float(matrix.abs().max()) < 1e-15
    assert float(torch.linalg.matrix_norm(weights[0], ord=2)[0]) == pytest.approx(0.7 ** (1 / 3), rel=1e-12)


@pytest.mark.parametrize("depth", [3, 4, 6])
def test_the_collapse_solves_the_equation_of_the_norm(depth: int) -> None:
    """w' = -g_0 w^(L-1), by the slope of the law between two close times."""
    slope, time = torch.tensor([0.3], dtype=torch.float64), 50.0

    norm = late_norm(slope, torch.tensor([time - 1e-3, time, time + 1e-3], dtype=torch.float64), depth)[0]

    assert float((norm[2] - norm[0]) / 2e-3) == pytest.approx(-0.3 * float(norm[1]) ** (depth - 1), rel=1e-6)


def test_a_run_draws_the_same_alone_and_in_a_batch() -> None:
    assert torch.equal(mirrored_pairs(5, 3, _generators(0, 1, 2))[1:2], mirrored_pairs(5, 3, _generators(1)))


@pytest.mark.parametrize("loss", ["logistic", "exponential"])
def test_the_pull_at_zero_is_the_slope_of_the_risk_there(
    loss: Literal["logistic", "exponential"],
) -> None:
    points = mirrored_pairs(4, 6, _generators(0, 1))
    predictor = torch.zeros(2, 4, 1, dtype=torch.float64, requires_grad=True)
    margins = points @ predictor
    losses = torch.nn.functional.softplus(-margins) if loss == "logistic" else torch.exp(-margins)

    (slope,) = torch.autograd.grad(losses.mean(1).sum(), predictor)

    torch.testing.assert_close(pull_at_zero(points, loss), -slope[:, 0, 0])
    assert float(slope[:, 1:].abs().max()) < 1e-15
