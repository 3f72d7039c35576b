"""Arora, Cohen, Hu, Luo, 1905.13655: how singular values move, and that depth widens the gaps between them."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.independent.flow import balanced, gradient_descent, gradient_flow, gradients, normal, orthogonal, product

TARGET = normal(3, 3, seed=1)


def loss(weights: list[Tensor]) -> Tensor:
    """A loss of the product that is not quadratic."""
    return torch.log(torch.cosh(product(weights) - TARGET)).sum()


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_singular_values_move_by_the_law(depth: int) -> None:
    start = balanced(orthogonal(3, 2), torch.tensor([1.5, 0.8, 0.3]).double(), orthogonal(3, 3), depth)
    before, now, after = gradient_flow(start, loss, [0.099, 0.1, 0.101])
    values = [torch.linalg.svdvals(product(weights)) for weights in (before, after)]
    left, strengths, right = torch.linalg.svd(product(now))
    (gradient,) = gradients([product(now)], loss)
    law = -depth * strengths ** (2 - 2 / depth) * torch.diag(left.T @ gradient @ right.T)
    torch.testing.assert_close((values[1] - values[0]) / 0.002, law, rtol=0, atol=1e-4 * float(law.abs().max()))


def test_depth_widens_the_gap_between_singular_values_as_the_start_becomes_small() -> None:
    measurement = normal(4, 4, seed=5)
    strengths = torch.linalg.svdvals(measurement)

    def one_measurement(weights: list[Tensor]) -> Tensor:
        return 0.5 * ((measurement * product(weights)).sum() - 1).square()

    def ratio(scale: float, depth: int) -> float:
        start = [scale ** (1 / depth) * orthogonal(4, 10 + layer) for layer in range(depth)]
        values = torch.linalg.svdvals(product(gradient_descent(start, one_measurement, 0.01, 1500)))
        return float(values[1] / values[0])

    powers = [math.log10(ratio(1e-3, depth) / ratio(1e-4, depth)) for depth in (1, 2, 3)]
    assert powers[0] == pytest.approx(0, abs=0.05)
    # The second singular value grows by exp(2 strengths[1] t) in two layers, and the first by exp(2 strengths[0] t). In
    # three layers the first one has grown before the second one has moved.
    assert powers[1] == pytest.approx(1 - float(strengths[1] / strengths[0]), abs=0.1)
    assert powers[2] > 0.8
