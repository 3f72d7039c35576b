"""Parallel deep linear paths that add up to one matrix: M = sum_p W_(p,L) ... W_(p,1), loss 1/2 ||M - M*||_F^2.

Conventions: W_l has the shape (runs, ..., paths, n_l, n_(l-1)). With whitened inputs, the squared loss of a data set is
this loss plus a constant. The loss has the factor 1/2 and is a sum over entries, not a mean; step ratios refer to it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import product, sum_paths
from dlnrepro.dynamics.networks.curvature import check_sharpness, hessian, largest_eigenvalue, sharpness
from dlnrepro.dynamics.networks.squared_gradient import SquaredGradient
from dlnrepro.dynamics.tensors.progress import Progress


def network(weights: Sequence[Tensor]) -> Tensor:
    """The matrix of the network, M = sum_p W_(p,L) ... W_(p,1), of shape (runs, ..., n_L, n_0)."""
    return sum_paths(product(weights))


def loss(weights: Sequence[Tensor], target: Tensor) -> Tensor:
    """The loss 1/2 ||M - M*||_F^2, of shape (runs, ...)."""
    return 0.5 * ((network(weights) - target) ** 2).sum((-2, -1))


def loss_gradient(target: Tensor) -> SquaredGradient:
    """The gradient of the loss in W_1 .. W_L of all paths, as a function of the weights.

    Args:
        target: M*, of a shape that broadcasts with (runs, ..., n_L, n_0).
    """
    return SquaredGradient(target, paths=True)


def mode_contributions(weights: Sequence[Tensor], left: Tensor, right: Tensor) -> Tensor:
    """What each path carries of each mode of the target, with its sign: c_(p,k) = u_k^T M_p v_k.

    Args:
        weights: W_1 .. W_L.
        left: U, of shape (runs, ..., n_L, modes), orthonormal columns.
        right: V, of shape (runs, ..., n_0, modes), orthonormal columns.

    Returns:
        A tensor of shape (runs, ..., paths, modes).
    """
    inner = left[..., None, :, :].mT @ product(weights) @ right[..., None, :, :]
    return torch.diagonal(inner, dim1=-2, dim2=-1)


def shares(contributions: Tensor) -> Tensor:
    """The shares x_p = |c_p| / sum_r |c_r| of the paths, shaped (..., paths, modes); NaN if all c_p are zero."""
    sizes = contributions.abs()
    return sizes / sum_paths(sizes[..., None])[..., None, :, 0]


def largest_share(contributions: Tensor) -> Tensor:
    """The largest share of each mode that one path carries, from contributions of shape (..., paths, modes)."""
    return shares(contributions).amax(-2)


def peak_share(largest: Tensor, learned: Tensor, last: Tensor) -> Tensor:
    """The largest share since a mode is first recorded as learned, of shape (runs,); the last one if it never is.

    Args:
        largest: the largest share of one path at the records, of shape (runs, records).
        learned: whether the mode is learned at a record, of shape (runs, records).
        last: the largest share of one path at the end, of shape (runs,).
    """
    since = learned.cummax(-1).values
    peak = torch.maximum(torch.where(since, largest, 0).amax(-1), last)
    return torch.where(since.any(-1), peak, last)


def off_diagonal_share(weights: Sequence[Tensor], left: Tensor, right: Tensor) -> Tensor:
    """The part of sum_p ||M_p||_F^2 outside the modes of the target, in [0, 1], of shape (runs, ...).

    It is sum_p ||M_p - sum_k c_(p,k) u_k v_k^T||_F^2 / sum_p ||M_p||_F^2, computed from the differences of matrices and
    not as a difference of sums. It is zero if every path has the singular vectors of the target, and larger while
    paths rotate into one another.
    """
    matrices = product(weights)
    kept = mode_contributions(weights, left, right)
    inside = (left[..., None, :, :] * kept[..., None, :]) @ right[..., None, :, :].mT
    outside = ((matrices - inside) ** 2).sum((-3, -2, -1))
    return outside / (matrices**2).sum((-3, -2, -1))


def sharpness_at_zero_loss(weights: Sequence[Tensor], progress: Progress) -> Tensor:
    """The largest eigenvalue of the whole Hessian of networks at zero loss, checked against that of J J^T.

    Args:
        weights: W_1 .. W_L, each of shape (runs, ..., paths, n_l, n_(l-1)); the matrix of each network is its target.
        progress: called with the fraction of the columns of the Hessian that is done; may raise to stop.

    Returns:
        The sharpness, of shape (runs, ...), without the dimension of the paths.

    Raises:
        Disagreement: the two eigenvalues differ.
    """
    flat = [weight.flatten(0, -4) for weight in weights]
    target = network(flat)
    whole = largest_eigenvalue(hessian(lambda current: loss(current, target), flat, progress))
    check_sharpness(whole, sharpness(flat))
    return whole.reshape(weights[0].shape[:-3])
