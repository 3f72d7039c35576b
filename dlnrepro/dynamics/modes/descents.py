"""Descents along which learning times, plateaus and factors are measured: the product or its error at every step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.modes.learning_times import mode_shares
from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import Progress
from dlnrepro.dynamics.tensors.records import Record
from dlnrepro.dynamics.training.descent import descend


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
        weights: the initial W_1 .. W_L, each of shape (runs, ..., n_l, n_(l-1)).
        gradient: from weights to the gradients.
        step_size: eta.
        steps: the number of steps, a multiple of `every`.
        every: the number of steps between two records; the first record is made at step 0.
        progress: of the descent.
    """
    records = range(0, steps + 1, every)
    _, recorded = descend(weights, gradient, lambda _: step_size, steps, records, _product, progress)
    return recorded["product"].movedim(-1, -3)


def settling_path(
    weights: Sequence[Tensor],
    gradient: Callable[[Weights], Weights],
    step_sizes: Tensor,
    target: Target,
    finals: Tensor,
    steps: int,
    progress: Progress,
) -> dict[str, Tensor]:
    """The distance of W from the solution sum_k a_k u_k v_k^T at every step, for several step sizes.

    Args:
        weights: the initial W_1 .. W_L, the same at all step sizes, each of shape (runs, n_l, n_(l-1)).
        gradient: from weights of shape (runs, points, ...) to the gradients.
        step_sizes: eta, of shape (runs, points).
        target: the target Z, which has the singular vectors u_k and v_k.
        finals: the final values a_k, of shape (runs, modes).
        steps: the number of steps.
        progress: of all descents together.

    Returns:
        `error` is u_1^T W v_1 / a_1 - 1, and `distance` the relative distance of W from the solution in the Frobenius
        norm; both have the shape (runs, points, steps + 1).
    """
    solution, sizes = target.with_strengths(finals), step_sizes[..., None, None]
    length = torch.linalg.matrix_norm(solution)[:, None]

    def moves(weights: Weights) -> Weights:
        return [sizes * part for part in gradient(weights)]

    def observe(weights: Weights) -> Record:
        whole = product(weights)
        error = mode_shares(whole, target, finals)[..., 0] - 1
        return {"error": error, "distance": torch.linalg.matrix_norm(whole - solution[:, None]) / length}

    swept = [layer[:, None].expand(-1, step_sizes.shape[-1], -1, -1) for layer in weights]
    return descend(swept, moves, lambda _: 1.0, steps, range(steps + 1), observe, progress)[1]


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
