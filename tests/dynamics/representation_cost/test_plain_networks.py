"""The plain networks against the tied layers, and the optimiser against costs that are known by heart."""

from __future__ import annotations

import math

import pytest
import torch

from dlnrepro.dynamics.representation_cost.formulas import Architecture
from dlnrepro.dynamics.representation_cost.plain_networks import least_squared_norm, plain_network
from dlnrepro.dynamics.representation_cost.tied_layers import build, predictor
from dlnrepro.dynamics.starts.draws import normal
from tests.runners.running import seeded

CASES: list[tuple[Architecture, int, int]] = [
    ("fully-connected", 3, 4),
    ("diagonal", 3, 1),
    ("convolutional", 3, 1),
    ("group", 3, 1),
    ("k-support", 2, 1),
]


@pytest.mark.parametrize(("architecture", "depth", "outputs"), CASES)
def test_a_plain_network_has_the_predictor_of_its_tied_layers(
    architecture: Architecture, depth: int, outputs: int
) -> None:
    sizes = {"inputs": 6, "outputs": outputs, "hidden": 5, "kernel": 4, "part": 2}
    layers = build(architecture, depth, **sizes)
    theta = [normal((layer.count,), seeded([0])) for layer in layers]

    plain = plain_network(architecture, **sizes)([values[0] for values in theta])

    torch.testing.assert_close(plain, predictor(layers, theta)[0], rtol=1e-13, atol=1e-13)


def test_the_optimiser_finds_the_cost_of_two_diagonal_layers() -> None:
    """Two scalars a b = w_i cost at least 2 |w_i|."""
    network = plain_network("diagonal", 3, 1, 1, 1, 1)
    start = [values[0] for values in (normal((3,), seeded([0])), normal((3,), seeded([1])))]

    cost = least_squared_norm(network, start, torch.tensor([[2.0], [-0.5], [0.1]], dtype=torch.float64))

    assert cost == pytest.approx(2 * 2.6, rel=1e-9)


def test_the_optimiser_works_where_autograd_is_off() -> None:
    with torch.inference_mode():
        start = [normal((2,), seeded([3]))[0] for _ in range(3)]
        target = torch.tensor([[1.0], [8.0]], dtype=torch.float64)
        assert least_squared_norm(plain_network("diagonal", 2, 1, 1, 1, 1), start, target) == pytest.approx(
            15, rel=1e-9
        )


def test_weights_that_cannot_realise_a_predictor_cost_nan() -> None:
    """One hidden unit gives matrices of rank one only."""
    network = plain_network("fully-connected", 2, 2, 1, 1, 1)
    start = [torch.tensor([0.3, 0.7]).double(), torch.tensor([0.5, -0.2]).double()]

    assert math.isnan(least_squared_norm(network, start, torch.eye(2, dtype=torch.float64)))
