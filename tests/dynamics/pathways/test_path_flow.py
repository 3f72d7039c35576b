"""The implicit flow of parallel paths: against explicit steps of the same flow, and against conserved quantities."""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import prefixes, relative_imbalance
from dlnrepro.dynamics.networks.curvature import gauss_newton
from dlnrepro.dynamics.pathways import parallel_paths
from dlnrepro.dynamics.pathways.path_draws import gaussian_paths
from dlnrepro.dynamics.pathways.path_flow import _jacobian_square, path_flow
from dlnrepro.dynamics.pathways.plain_paths import plain_descent
from dlnrepro.runner import silent
from tests.runners.running import seeded

WIDTHS = [4, 5, 5, 3]


def _start(scale: float) -> tuple[list[Tensor], Tensor]:
    weights = gaussian_paths([scale, scale], WIDTHS, seeded(range(3)))
    target = torch.zeros(3, 3, 4, dtype=torch.float64)
    target[:, 0, 0], target[:, 1, 1] = 1.0, 0.5
    return weights, target


def test_its_matrix_is_the_square_of_the_jacobian() -> None:
    weights, _ = _start(1.0)

    torch.testing.assert_close(_jacobian_square(weights, prefixes(weights)), gauss_newton(weights))


def test_finer_steps_come_closer_to_small_explicit_steps() -> None:
    weights, target = _start(0.4)
    left = torch.eye(3, dtype=torch.float64)[:, :2].expand(3, 3, 2)
    right = torch.eye(4, dtype=torch.float64)[:, :2].expand(3, 4, 2)
    explicit = plain_descent(weights, target, 0.05, 4000, silent)

    gaps = []
    for change, steps in ((0.1, 300), (0.02, 1500)):
        flow = path_flow(weights, target, steps, change, silent)
        torch.testing.assert_close(parallel_paths.network(flow), parallel_paths.network(explicit), rtol=0, atol=1e-4)
        apart = parallel_paths.mode_contributions(flow, left, right)
        gaps.append(float((apart - parallel_paths.mode_contributions(explicit, left, right)).abs().max()))

    assert gaps[1] < 0.6 * gaps[0] < 0.1


def test_the_flow_learns_from_a_tiny_initialization_and_keeps_layers_balanced() -> None:
    weights, target = _start(1e-4)

    flow = path_flow(weights, target, 500, 0.1, silent)

    assert float(parallel_paths.loss(flow, target).max()) < 1e-20
    matrices = [layer.flatten(0, 1) for layer in flow]
    biggest = torch.linalg.matrix_norm(matrices[0]) > 0.5
    assert float(relative_imbalance(matrices)[biggest].max()) < 1e-2


def test_a_run_that_is_lost_does_not_change_another_one() -> None:
    weights, target = _start(0.1)
    whole = path_flow(weights, target, 50, 0.1, silent)
    weights[0][1] = torch.nan

    broken = path_flow(weights, target, 50, 0.1, silent)

    assert bool(torch.isnan(parallel_paths.network(broken)[1]).all())
    for one, other in zip(broken, whole, strict=True):
        assert torch.equal(one[[0, 2]], other[[0, 2]])
