"""The second route by autograd: it agrees with right gradients, and refuses wrong ones."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from dlnrepro.dynamics.networks.curvature import sharpness
from dlnrepro.dynamics.pathways import parallel_paths
from dlnrepro.dynamics.pathways.aligned_paths import aligned_sharpness, descend_aligned
from dlnrepro.dynamics.pathways.plain_paths import (
    aligned_matrices,
    check_aligned_steps,
    check_gradient,
    check_sharpness,
    plain_descent,
    plain_gradient,
    plain_network,
)
from dlnrepro.errors import Disagreement
from dlnrepro.runner import silent


def _drawn(depth: int) -> tuple[list[Tensor], Tensor]:
    generator = torch.Generator().manual_seed(depth)
    widths = [4, *[5] * (depth - 1), 3]
    weights = [
        torch.randn(6, 2, after, before, generator=generator, dtype=torch.float64) for before, after in pairwise(widths)
    ]
    return weights, torch.randn(6, 3, 4, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_both_routes_agree_on_network_gradient_and_sharpness(depth: int) -> None:
    weights, target = _drawn(depth)

    torch.testing.assert_close(plain_network(weights), parallel_paths.network(weights), rtol=1e-12, atol=1e-12)
    check_gradient(parallel_paths.loss_gradient(target)(weights), weights, target)
    check_sharpness(sharpness(weights), weights)


def test_the_gradient_is_the_slope_of_the_loss_by_finite_differences() -> None:
    weights, target = _drawn(3)
    gradient = plain_gradient(weights, target)

    moved = [layer.clone() for layer in weights]
    moved[1][2, 1, 0, 3] += 1e-6
    rise = parallel_paths.loss(moved, target)[2] - parallel_paths.loss(weights, target)[2]

    torch.testing.assert_close(rise / 1e-6, gradient[1][2, 1, 0, 3], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_gradient_that_is_wrong_in_one_layer_is_an_error(layer: int) -> None:
    weights, target = _drawn(3)
    gradient = parallel_paths.loss_gradient(target)(weights)
    gradient[layer] = 3 * gradient[layer]

    with pytest.raises(Disagreement, match=r"^the gradient: the program and automatic differentiation differ"):
        check_gradient(gradient, weights, target)


def test_a_wrong_sharpness_is_an_error_and_a_lost_run_is_not() -> None:
    weights, _ = _drawn(3)
    found = sharpness(weights)
    weights[0][1] = torch.nan

    check_sharpness(found, weights)
    with pytest.raises(Disagreement, match=r"differ relatively by 1\.0e-2$"):
        check_sharpness(1.01 * found, weights)


def test_plain_descent_is_the_descent_of_the_other_route_also_in_inference_mode() -> None:
    weights, target = _drawn(3)
    expected = [0.1 * layer for layer in weights]
    for _ in range(3):
        gradient = parallel_paths.loss_gradient(target)(expected)
        expected = [layer - 0.05 * slope for layer, slope in zip(expected, gradient, strict=True)]

    with torch.inference_mode():
        found = plain_descent([0.1 * layer for layer in weights], target, 0.05, 3, silent)

    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)


def test_layer_scalars_move_as_full_matrices_do_and_wrong_steps_are_an_error() -> None:
    generator = torch.Generator().manual_seed(1)
    start = torch.rand(3, 5, 2, generator=generator, dtype=torch.float64)
    sizes = torch.linspace(0.1, 0.5, 5, dtype=torch.float64)
    found = descend_aligned(start, 1.5, 4, sizes, 3, 2, (), silent).weights

    check_aligned_steps(found, start, 1.5, 4, sizes, 3)
    with pytest.raises(Disagreement, match="the first steps"):
        check_aligned_steps(found, start, 1.5, 4, 1.001 * sizes, 3)
    check_sharpness(aligned_sharpness(start[:, 0], 4), aligned_matrices(start[:, 0], 4))
