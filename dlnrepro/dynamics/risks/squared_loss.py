"""Squared loss on second moments: R(W) = 1/2 tr(W S W^T) - tr(W Z^T), with S of the inputs and Z = E y x^T.

It differs from 1/2 E ||y - W x||^2 by a constant, so no samples are needed. Where S has the right singular vectors of
Z = sum_i sigma_i u_i v_i^T, S = V diag(lambda) V^T, the problem separates into modes, with the solution
sigma_i / lambda_i in mode i.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.squared_gradient import SquaredGradient
from dlnrepro.dynamics.starts.draws import normal
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.arrays import Array, array_of
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.processor import decomposed


def commuting_moment(target: Target, variances: Tensor) -> Tensor:
    """S = V diag(lambda) V^T, of shape (runs, n_0, n_0), with V the right singular vectors of the target.

    Args:
        target: the target Z, whose right singular vectors are V.
        variances: lambda, of shape (runs, n_0).
    """
    return target.right * variances[:, None] @ target.right.mT


def mode_variances(target: Target, moment: Tensor) -> Tensor:
    """lambda_i = v_i^T S v_i for the modes of the target, of shape (runs, modes)."""
    modes = target.strengths.shape[-1]
    return torch.diagonal(target.right.mT @ moment @ target.right, dim1=-2, dim2=-1)[:, :modes]


def leading_modes(target: Target, moment: Tensor, rank: int) -> Tensor:
    """The sum over i <= rank of sigma_i / lambda_i u_i v_i^T: the first modes in the order of sigma, fully learned."""
    finals = target.strengths / mode_variances(target, moment)
    return target.with_strengths(finals[:, :rank])


def unit_symmetric(size: int, generators: Sequence[Generator]) -> Tensor:
    """Random symmetric matrices of spectral norm 1, of shape (runs, size, size), from Gaussian entries."""

    def scaled(draw: Tensor) -> Tensor:
        whole = draw + draw.mT
        unit: Tensor = whole / torch.linalg.matrix_norm(whole, ord=2)
        return unit

    return each_run(scaled, normal((size, size), generators))


def regression_gradient(moment: Tensor, cross: Tensor) -> SquaredGradient:
    """The function from weights W_1 .. W_L to the gradients of R(W_L ... W_1), computed from dR/dW = W S - Z.

    Args:
        moment: S, of a shape that broadcasts with (runs, ..., n_0, n_0).
        cross: Z, of a shape that broadcasts with (runs, ..., n_L, n_0).
    """
    return SquaredGradient(cross, moment)


def spread_moment(size: int, spread: float) -> Tensor:
    """The diagonal of S, of shape (size,): falling eigenvalues, evenly spaced in the logarithm, with product 1.

    Args:
        size: n_0.
        spread: largest over smallest eigenvalue; 1 for white inputs.
    """
    return spread ** torch.linspace(0.5, -0.5, size, dtype=torch.float64)


def squared_loss_gradient(cross: Tensor, spread: float) -> SquaredGradient:
    """`regression_gradient` with S the diagonal of `spread_moment`.

    Args:
        cross: Z, of a shape that broadcasts with (runs, ..., n_L, n_0).
        spread: largest over smallest eigenvalue of S; 1 for white inputs.
    """
    return SquaredGradient(cross, spread_moment(cross.shape[-1], spread))


def squared_loss_field(cross: Tensor, spread: float) -> Callable[[int, Array], Array]:
    """The function from a run's number and its product W to dR/dW = W S - Z, with S the diagonal of `spread_moment`.

    Args:
        cross: Z, of shape (runs, n_L, n_0).
        spread: largest over smallest eigenvalue of S; 1 for white inputs.
    """
    outputs, moment = array_of(cross), array_of(spread_moment(cross.shape[-1], spread))

    def field(run: int, whole: Array) -> Array:
        gradient: Array = whole * moment - outputs[run]
        return gradient

    return field


def reduced_rank(moment: Tensor, cross: Tensor, rank: int) -> Tensor:
    """The minimum of R among matrices of a rank: the best rank-k approximation of Z S^(-1/2), times S^(-1/2).

    For S = V diag(lambda) V^T it keeps the modes with the largest sigma^2 / lambda, which explain most of the variance.
    Descent from a small initialization learns the modes with the largest sigma first, which may be other modes.

    Args:
        moment: S, positive definite, of shape (runs, n_0, n_0).
        cross: Z, of shape (runs, n_L, n_0).
        rank: k >= 1; if k is at least the rank of Z, the result is the least-squares solution.

    Source: reduced-rank regression, Izenman 1975.
    """

    def best(inputs: Tensor, outputs: Tensor) -> Tensor:
        variances, basis = decomposed(torch.linalg.eigh, inputs)
        whitening = basis / variances.sqrt() @ basis.mT
        left, strengths, right = decomposed(torch.linalg.svd, outputs @ whitening, full_matrices=False)
        kept: Tensor = left[:, :rank] * strengths[:rank] @ right[:rank] @ whitening
        return kept

    return each_run(best, moment, cross)
