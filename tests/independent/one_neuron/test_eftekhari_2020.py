"""Eftekhari, 2002.09852: a network with a one-neuron layer reaches the best rank-one solution at a known rate."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.independent.flow import gradient_flow, normal, orthogonal, product

LEFT, RIGHT = orthogonal(3, 1), orthogonal(3, 2)
STRENGTHS = torch.tensor([2.0, 1.2, 0.3]).double()
TARGET = LEFT @ torch.diag(STRENGTHS) @ RIGHT.T


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_distance_falls_at_the_rate_of_the_two_largest_singular_values(depth: int) -> None:
    u, v = (vector / vector.norm() for vector in (normal(3, 1, seed=3), normal(3, 1, seed=4)))
    root = 0.5 ** (1 / depth)
    start = [root * v.T, *[torch.full((1, 1), root, dtype=torch.float64)] * (depth - 2), root * u]

    def loss(weights: list[Tensor]) -> Tensor:
        return 0.5 * (product(weights) - TARGET).square().sum()

    best = STRENGTHS[0] * LEFT[:, :1] @ RIGHT[:, :1].T
    rate = float((STRENGTHS[0] - STRENGTHS[1]) * STRENGTHS[0] ** (1 - 2 / depth))
    times = [8 / rate, 12 / rate]
    near, nearer = (float((product(weights) - best).norm()) for weights in gradient_flow(start, loss, times))
    assert near < 0.1
    assert math.log(near / nearer) / (times[1] - times[0]) == pytest.approx(rate, rel=0.01)
