"""Descents from which learning times and plateaus are read: the product at every step, and what is swept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.dynamics.training.descent import descend


def falling_sweep(low: float, high: float, points: int) -> Tensor:
    """Numbers that fall from `high` to `low`, evenly spaced in the logarithm, of shape (points,)."""
    return high * (low / high) ** torch.linspace(0, 1, points, dtype=torch.float64)


def product_path(
    weights: Sequence[Tensor],
    gradient: Callable[[Weights], Weights],
    step_size: float,
    steps: int,
    every: int,
    progress: Progress,
) -> Tensor:
    """The product W along gradient descent, of shape (runs, ..., records, n_L, n_0).

    Args:
        weights: W_1 .. W_L at the start, each of shape (runs, ..., n_l, n_{l-1}).
        gradient: from weights to the gradients.
        step_size: eta.
        steps: how many steps are taken, a multiple of `every`.
        every: a product is recorded after so many steps, and at the start.
        progress: of the descent.
    """
    records = range(0, steps + 1, every)
    _, recorded = descend(weights, gradient, lambda _: step_size, steps, records, _product, progress)
    return recorded["product"].movedim(-1, -3)


def _product(weights: Weights) -> Record:
    return {"product": product(weights)}


def relative_distance(matrix: Tensor, other: Tensor) -> Tensor:
    """||W - W'||_F / ||W'||_F, of shape (...).

    Args:
        matrix: W, of shape (..., rows, columns).
        other: W', of a shape that broadcasts with it.
    """
    distance: Tensor = torch.linalg.matrix_norm(matrix - other) / torch.linalg.matrix_norm(other)
    return distance
