"""Chen, Lin, Zhang, 2201.02761: where a network with a one-neuron layer ends, and how long it takes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.independent.flow import gradient_flow, orthogonal, product

LEFT, RIGHT = orthogonal(3, 1), orthogonal(3, 2)
STRENGTHS = torch.tensor([2.0, 1.2, 0.3]).double()
TARGET = LEFT @ torch.diag(STRENGTHS) @ RIGHT.T


def loss(weights: list[Tensor]) -> Tensor:
    """Half the squared distance of the product from the target."""
    return 0.5 * (product(weights) - TARGET).square().sum()


def layers(strength: float, left: list[float], right: list[float], depth: int) -> list[Tensor]:
    """A balanced chain with a product of this strength; its vectors are given in the basis of the target."""
    u, v = (torch.tensor(part).double() / torch.tensor(part).double().norm() for part in (left, right))
    root = strength ** (1 / depth)
    first, last = (RIGHT @ v).reshape(1, 3), (LEFT @ u).reshape(3, 1)
    return [root * first, *[torch.full((1, 1), root, dtype=torch.float64)] * (depth - 2), root * last]


@pytest.mark.parametrize(
    ("left", "right", "mode"),
    [([0.5, 1.0, 0.3], [0.2, 0.4, 1.0], 0), ([0.0, 1.0, 0.3], [0.0, 0.4, 1.0], 1)],
)
def test_the_limit_is_the_first_mode_that_the_start_has(left: list[float], right: list[float], mode: int) -> None:
    end = product(gradient_flow(layers(0.3, left, right, 3), loss, [20.0])[0])
    limit = STRENGTHS[mode] * torch.outer(LEFT[:, mode], RIGHT[:, mode])
    assert float((end - limit).norm()) < 1e-4


def test_the_escape_time_of_two_layers_grows_with_the_logarithm_of_the_inverse_start() -> None:
    reached = []
    for strength in (1e-4, 1e-6):
        times = [0.01 * step for step in range(100, 800)]
        path = gradient_flow(layers(strength, [0.7, 0.5, 0.2], [0.6, 0.3, 0.6], 2), loss, times)
        reached.append(next(t for t, weights in zip(times, path, strict=True) if float(product(weights).norm()) > 1))
    assert reached[1] - reached[0] == pytest.approx(math.log(100) / (2 * float(STRENGTHS[0])), abs=0.02)


def test_a_network_of_three_layers_that_opposes_the_target_collapses_as_the_inverse_cube_of_time() -> None:
    start = layers(1.0, [1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], 3)

    def along_the_first_mode(weights: list[Tensor]) -> Tensor:
        # Rounding would start the other modes, so only the first one is kept.
        return 0.5 * (LEFT[:, 0] @ product(weights) @ RIGHT[:, 0] - STRENGTHS[0]).square()

    first, last = (float(product(weights).norm()) for weights in gradient_flow(start, along_the_first_mode, [50, 500]))
    assert math.log(last / first) / math.log(10) == pytest.approx(-3, abs=0.1)
