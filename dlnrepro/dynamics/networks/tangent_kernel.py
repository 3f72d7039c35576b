"""The linearisation of a deep linear network in its weights: its kernel, and the gradient flow of the linear model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.curvature import gauss_newton
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.processor import decomposed


def tangent_kernel(weights: Sequence[Tensor]) -> Tensor:
    """The tangent kernel K = J J^T, where J is the Jacobian of vec(W_L ... W_1), row by row, in all weights.

    Args:
        weights: W_l of shape (runs, ..., n_l, n_(l-1)).

    Returns:
        Shape (runs, ..., n_L n_0, n_L n_0).
    """
    return gauss_newton([weight[..., None, :, :] for weight in weights])


def linear_flow(kernel: Tensor, start: Tensor, target: Tensor, times: Tensor) -> Tensor:
    """Gradient flow of 1/2 ||f - Z||_F^2 of the model linearised at time 0: f(t) = Z + e^(-K t) (f(0) - Z).

    Args:
        kernel: K at time 0, of shape (runs, n_L n_0, n_L n_0).
        start: f(0), of shape (runs, n_L, n_0).
        target: Z, of the same shape.
        times: of shape (points,).

    Returns:
        Shape (runs, points, n_L, n_0).
    """

    def follow(matrix: Tensor, residual: Tensor) -> Tensor:
        rates, modes = decomposed(torch.linalg.eigh, matrix)
        # Negative eigenvalues of K come from rounding; over a long time they would grow.
        decay = torch.exp(-rates.clamp_min(0) * times[:, None])
        path: Tensor = (decay * (modes.mT @ residual.reshape(-1))) @ modes.mT
        return path

    moved = each_run(follow, kernel, start - target)
    return target[:, None] + moved.reshape(*moved.shape[:2], *start.shape[1:])
