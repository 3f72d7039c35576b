"""Kim and Lee, 2606.05219: the sharpness of parallel paths, and the symmetry that large steps restore."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.independent.flow import balanced, orthogonal


def test_the_sharpness_of_aligned_paths_is_the_sum_over_paths_of_the_worst_mode() -> None:
    depth, paths, size = 3, 2, 2
    left, right = orthogonal(size, 1), orthogonal(size, 2)
    parts = torch.tensor([[1.1, 0.5], [0.6, 0.4]]).double()  # path, mode
    target = left @ torch.diag(parts.sum(0)) @ right.T

    def loss(flat: Tensor) -> Tensor:
        layers = flat.reshape(paths, depth, size, size)
        return 0.5 * ((layers[:, 2] @ layers[:, 1] @ layers[:, 0]).sum(0) - target).square().sum()

    flat = torch.cat([torch.stack(balanced(left, part, right, depth)).reshape(-1) for part in parts])
    hessian: Tensor = torch.autograd.functional.hessian(loss, flat)  # type: ignore[no-untyped-call]
    law = depth * (parts ** (2 - 2 / depth)).sum(0).max()
    assert float(torch.linalg.eigvalsh(hessian)[-1]) == pytest.approx(float(law), rel=1e-12)


def shares(step_in_units_of_the_edge: float, steps: int) -> tuple[float, float]:
    """The largest share of two scalar paths of three layers, and step size times sharpness, after descent.

    Descent starts close to the solution in which the first path carries the whole target of 1, whose sharpness is 3.
    """
    step_size = 2 * step_in_units_of_the_edge / 3
    weights = np.array([[1.0, 1.0, 1.0], [0.02, 0.02, 0.02]])
    weights[0] += 1e-6
    for _ in range(steps):
        error = weights.prod(1).sum() - 1
        others = weights.prod(1, keepdims=True) / weights
        weights = weights - step_size * error * others
    products = weights.prod(1)
    sharpness = ((products[:, None] / weights) ** 2).sum()
    return products.max() / products.sum(), step_size * sharpness


def test_small_steps_leave_one_path_with_everything() -> None:
    share, _ = shares(0.95, 5000)
    assert share > 0.999


def test_large_steps_move_signal_to_the_other_path_up_to_the_limit_of_stability() -> None:
    share, edge = shares(1.1, 60_000)
    assert share < 0.95
    assert edge <= 2.0 + 1e-6
