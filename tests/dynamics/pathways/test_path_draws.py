"""Starts of paths of full matrices: the product of the first path, and the scale of Gaussian layers."""

from __future__ import annotations

import torch

from dlnrepro.dynamics.networks.chain import largest_imbalance, product
from dlnrepro.dynamics.pathways.path_draws import first_path_alone, gaussian_paths
from dlnrepro.dynamics.starts.draws import orthonormal
from tests.runners.running import seeded


def test_the_first_path_alone_carries_the_target_in_balanced_layers() -> None:
    left, right = orthonormal(4, 2, seeded([0, 1])), orthonormal(5, 2, seeded([2, 3]))
    strengths = torch.tensor([[2.0, 0.5], [1.0, 0.7]], dtype=torch.float64)
    layers = first_path_alone(left, strengths, right, [3, 6], 3, seeded([4, 5]))
    whole = product(layers)
    target = left @ torch.diag_embed(strengths) @ right.mT

    assert [layer.shape for layer in layers] == [(2, 3, 3, 5), (2, 3, 6, 3), (2, 3, 4, 6)]
    torch.testing.assert_close(whole[:, 0], target, rtol=0, atol=1e-14)
    assert not bool(whole[:, 1:].any())
    assert float(largest_imbalance(layers).max()) < 1e-14


def test_gaussian_paths_have_their_own_scales_over_the_root_of_the_fan_in() -> None:
    layers = gaussian_paths([1.0, 0.1], [100, 60, 40], seeded([0, 1]))

    assert [layer.shape for layer in layers] == [(2, 2, 60, 100), (2, 2, 40, 60)]
    for layer in layers:
        spread = layer.std((-2, -1)) * layer.shape[-1] ** 0.5
        torch.testing.assert_close(spread, torch.tensor([[1.0, 0.1]] * 2, dtype=torch.float64), rtol=0.05, atol=0)
    assert not torch.allclose(layers[0][:, 0], 10 * layers[0][:, 1])
