"""Starts that only the general runner has: their products and imbalances."""

from __future__ import annotations

import pytest
import torch

from dlnrepro.dynamics.general.starts import balanced_gaussian, balanced_with_offset, identity_layers
from dlnrepro.dynamics.networks.chain import imbalance, product, relative_imbalance
from dlnrepro.dynamics.starts.draws import orthonormal, uniform
from tests.runners.running import seeded


@pytest.mark.parametrize("offset", [-2.0, 0.0, 3.0])
def test_layers_with_an_offset_have_their_product_and_their_imbalance(offset: float) -> None:
    left, right = orthonormal(5, 3, seeded([0, 1])), orthonormal(4, 3, seeded([2, 3]))
    strengths = uniform((3,), 0.1, 2.0, seeded([4, 5]))

    layers = balanced_with_offset(left, strengths, right, offset, seeded([6, 7]))

    torch.testing.assert_close(product(layers), left * strengths[:, None] @ right.mT)
    expected = offset * torch.eye(3, dtype=torch.float64).expand(2, -1, -1)
    torch.testing.assert_close(imbalance(layers)[0], expected, rtol=1e-12, atol=1e-12)


def test_a_balanced_gaussian_start_has_its_norm_and_is_balanced() -> None:
    layers = balanced_gaussian([4, 6, 5, 3], 1.5, seeded([0, 1]))

    torch.testing.assert_close(torch.linalg.matrix_norm(product(layers)), torch.full((2,), 1.5, dtype=torch.float64))
    assert float(relative_imbalance(layers).max()) < 1e-14
    assert [tuple(layer.shape[1:]) for layer in balanced_gaussian([4, 3], 1.0, seeded([0]))] == [(3, 4)]


def test_identities_carry_the_power_of_their_scale() -> None:
    layers = identity_layers([3, 4, 2], torch.tensor([0.5, 2.0], dtype=torch.float64))

    expected = torch.tensor([0.25, 4.0], dtype=torch.float64)[:, None, None] * torch.eye(2, 3, dtype=torch.float64)
    assert torch.equal(product(layers), expected)
