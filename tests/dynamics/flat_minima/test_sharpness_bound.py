"""The least sharpness and the gains, against random minima and a search over layers' scales."""

from __future__ import annotations

import numpy as np
import torch

from dlnrepro.dynamics.flat_minima.sharpness_bound import gain_error, least_sharpness
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.networks.tangent_kernel import tangent_kernel
from dlnrepro.dynamics.starts.draws import gaussian


def test_random_weights_are_at_least_as_sharp_as_the_bound_for_their_product() -> None:
    weights = gaussian([3, 4, 4, 2], 1.0, [torch.Generator().manual_seed(seed) for seed in range(200)])
    tops = torch.linalg.svdvals(product(weights))[:, 0]
    sharp = torch.linalg.eigvalsh(tangent_kernel(weights))[:, -1]

    ratios = [float(value) / least_sharpness(float(top), 3) for value, top in zip(sharp, tops, strict=True)]
    assert 1 <= min(ratios) < 1.5


def test_scalars_with_one_product_are_flattest_at_equal_size() -> None:
    scales = np.exp(np.linspace(-1, 1, 41))
    first, second = np.meshgrid(scales, scales)
    third = 8.0 / (first * second)
    sharp = (first * second) ** 2 + (first * third) ** 2 + (second * third) ** 2
    fine = np.exp(np.linspace(0.5, 0.9, 4001))
    best = (2 * (fine * 8 / fine**2) ** 2 + fine**4).min()

    assert sharp.min() >= least_sharpness(8.0, 3)
    assert abs(best / least_sharpness(8.0, 3) - 1) < 1e-6


def test_gains_are_measured_along_the_top_singular_vector() -> None:
    layers = [torch.diag(torch.tensor(values, dtype=torch.float64))[None] for values in ([2.0, 7.0], [2.0, 0.1])]

    torch.testing.assert_close(gain_error(layers, 2), torch.zeros(1, dtype=torch.float64))
    crooked = [2 * layers[0], layers[1] / 2]
    torch.testing.assert_close(gain_error(crooked, 2), torch.ones(1, dtype=torch.float64))
