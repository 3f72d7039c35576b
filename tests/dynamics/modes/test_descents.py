"""The product along a descent at every recorded step, and the sweep of starts."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.modes.descents import falling_sweep, product_path, relative_distance
from dlnrepro.runner import silent


def test_a_sweep_falls_by_one_factor_from_its_high_end_to_its_low_end() -> None:
    torch.testing.assert_close(
        falling_sweep(1e-4, 1e-1, 4), torch.tensor([1e-1, 1e-2, 1e-3, 1e-4], dtype=torch.float64)
    )


def test_the_products_of_two_scalar_layers_shrink_by_the_square_of_each_step_s_factor() -> None:
    weights = [torch.full((2, 3, 1, 1), start, dtype=torch.float64) for start in (2.0, 3.0)]

    path = product_path(weights, lambda layers: layers, 0.1, 6, 2, silent)

    assert path.shape == (2, 3, 4, 1, 1)
    expected = 6 * 0.9 ** (2 * torch.tensor([0.0, 2.0, 4.0, 6.0], dtype=torch.float64))
    torch.testing.assert_close(path[1, 2, :, 0, 0], expected, rtol=1e-14, atol=0)


def test_a_distance_is_relative_to_the_second_matrix() -> None:
    other = torch.eye(2, dtype=torch.float64)

    assert relative_distance(3 * other, other).item() == 2
    assert relative_distance(other, other).item() == 0
