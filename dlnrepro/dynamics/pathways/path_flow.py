"""Gradient flow of paths of full matrices, by implicit steps whose number grows with the logarithm of the time.

From a small initialization, a path of L layers of scale alpha needs a time of order alpha^-(L-2) to learn a mode, while
a mode that is learned already moves in a time of order 1. An explicit step may not be longer than the second time. Here
one step of length h solves the linearised flow for the residual R = M - M*,

    (1 + h J J^T) R' = R,   W <- W - h J^T R',

where J is the Jacobian of M in the weights, so what is learned does not limit h. Each run chooses h such that no layer
of any path changes by more than a given part of its norm. The method is of first order in this part. Derived here.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import prefixes, pull_back, sum_paths
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import Progress

LONGEST = 1e12
"""The longest step: when everything is learned, a step is as long as this, and the weights no longer move."""

FIRST, RISE, FALL = 1e-3, 1.5, 0.5
"""The length of the first step, and the factors between which two consecutive lengths may differ."""


def path_flow(weights: Sequence[Tensor], target: Tensor, steps: int, change: float, progress: Progress) -> Weights:
    """The weights after a number of implicit steps of gradient flow of 1/2 ||M - M*||_F^2.

    Args:
        weights: W_1 .. W_L, each of shape (runs, ..., paths, n_l, n_(l-1)); left unchanged.
        target: M*, of a shape that broadcasts with (runs, ..., n_L, n_0).
        steps: the number of steps.
        change: the largest relative change of the norm of a layer in one step, well below 1.
        progress: called with the fraction done about a hundred times; may raise to stop.
    """
    current = list(weights)
    length = torch.full(current[0].shape[:-3], FIRST, dtype=torch.float64)
    for step in range(steps):
        if step % max(1, steps // 100) == 0:
            progress(step / steps, f"step {step} of {steps} of the flow")
        partial = prefixes(current)
        residual = sum_paths(partial[-1]) - target
        relaxed = _relaxed(residual, length[..., None, None] * _jacobian_square(current, partial))
        moves = pull_back(current, partial, relaxed[..., None, :, :])
        rate = torch.stack([_norm(move) / _norm(layer) for move, layer in zip(moves, current, strict=True)])
        wanted = change / rate.amax(0).amax(-1)  # the length at which a layer changes by exactly this part
        taken = torch.minimum(length, wanted)[..., None, None, None]
        current = [layer - taken * move for layer, move in zip(current, moves, strict=True)]
        length = torch.minimum(torch.maximum(wanted, FALL * length), RISE * length).clamp_max(LONGEST)
    return current


def _relaxed(residual: Tensor, matrix: Tensor) -> Tensor:
    """The solution of (1 + matrix) R' = R for the entries of R, shaped as the residual; NaN if not finite."""
    finite = torch.isfinite(matrix).all(-1).all(-1)[..., None, None]
    size = matrix.shape[-1]
    factor = torch.linalg.cholesky(torch.eye(size, dtype=matrix.dtype) + torch.where(finite, matrix, 0.0))
    solved = torch.cholesky_solve(residual.reshape(*residual.shape[:-2], size, 1), factor)
    return torch.where(finite, solved.reshape(residual.shape), torch.nan)


def _jacobian_square(weights: Sequence[Tensor], partial: Sequence[Tensor]) -> Tensor:
    """J J^T = sum_p sum_l (A A^T) kron (B^T B), as in `dlnrepro.dynamics.networks.curvature`, by one product."""
    rows, columns = weights[-1].shape[-2], weights[0].shape[-1]
    lead = weights[0].shape[:-3]
    after = torch.eye(rows, dtype=weights[0].dtype).expand(*weights[0].shape[:-2], rows, rows)
    before = torch.eye(columns, dtype=weights[0].dtype).expand(*weights[0].shape[:-2], columns, columns)
    lefts, rights = [], []
    for layer in range(len(weights) - 1, -1, -1):
        right = partial[layer - 1] if layer else before
        lefts.append((after @ after.mT).flatten(-2))
        rights.append((right.mT @ right).flatten(-2))
        after = after @ weights[layer]
    summed = torch.cat(lefts, -2).mT @ torch.cat(rights, -2)
    parts = summed.reshape(*lead, rows, rows, columns, columns)
    return parts.transpose(-3, -2).reshape(*lead, rows * columns, rows * columns)


def _norm(layers: Tensor) -> Tensor:
    """The Frobenius norm of each layer."""
    return (layers * layers).sum((-2, -1)).sqrt()
