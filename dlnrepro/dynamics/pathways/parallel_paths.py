"""Parallel deep linear paths that add up to one matrix: M = sum_p W_{p,L} ... W_{p,1}, loss 1/2 ||M - M*||_F^2.

Conventions: W_l has shape (runs, ..., paths, n_l, n_{l-1}). With whitened inputs the loss of a data set is this
one, plus a constant. The loss has its factor 1/2, no mean: step ratios are computed for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import prefixes, product, pull_back
from dlnrepro.dynamics.networks.curvature import check_sharpness, hessian, largest_eigenvalue, sharpness
from dlnrepro.dynamics.tensors.progress import Progress


def network(weights: Sequence[Tensor]) -> Tensor:
    """The network's matrix M = sum_p W_{p,L} ... W_{p,1}, of shape (runs, ..., n_L, n_0)."""
    return sum_paths(product(weights))


def loss(weights: Sequence[Tensor], target: Tensor) -> Tensor:
    """1/2 ||M - M*||_F^2, of shape (runs, ...)."""
    return 0.5 * ((network(weights) - target) ** 2).sum((-2, -1))


def loss_gradient(weights: Sequence[Tensor], target: Tensor) -> list[Tensor]:
    """The loss's gradient on every layer of every path, shaped as the weights."""
    partial = prefixes(weights)
    residual = (sum_paths(partial[-1]) - target)[..., None, :, :]
    return pull_back(weights, partial, residual)


def mode_contributions(weights: Sequence[Tensor], left: Tensor, right: Tensor) -> Tensor:
    """c_{p,k} = u_k^T M_p v_k: what each path carries of each mode of the target, signed.

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
    """x_p = |c_p| / sum |c| along the first of the last two dimensions (paths, modes); NaN where all are zero."""
    sizes = contributions.abs()
    return sizes / sum_paths(sizes[..., None])[..., None, :, 0]


def largest_share(contributions: Tensor) -> Tensor:
    """The largest path's share of each mode, from contributions of shape (..., paths, modes)."""
    return shares(contributions).amax(-2)


def peak_share(largest: Tensor, learned: Tensor, last: Tensor) -> Tensor:
    """The largest share from the record on at which a mode is learned, of shape (runs,); the last one if it never is.

    Args:
        largest: the largest path's share at the records, of shape (runs, records).
        learned: whether the mode is learned at a record, of shape (runs, records).
        last: the largest path's share at the end, of shape (runs,).
    """
    since = learned.cummax(-1).values
    peak = torch.maximum(torch.where(since, largest, 0).amax(-1), last)
    return torch.where(since.any(-1), peak, last)


def off_diagonal_share(weights: Sequence[Tensor], left: Tensor, right: Tensor) -> Tensor:
    """The part of sum_p ||M_p||_F^2 outside the target's own modes, in [0, 1], of shape (runs, ...).

    Zero if every path has the target's singular vectors; larger while paths rotate into one another. It is
    measured from the parts themselves, P_k being the projection on mode k, not as a difference of sums.
    """
    matrices = product(weights)
    kept = mode_contributions(weights, left, right)
    inside = (left[..., None, :, :] * kept[..., None, :]) @ right[..., None, :, :].mT
    outside = ((matrices - inside) ** 2).sum((-3, -2, -1))
    return outside / (matrices**2).sum((-3, -2, -1))


def sum_paths(matrices: Tensor) -> Tensor:
    """The sum over the paths' dimension, the third from last, one path after the other.

    A plain loop, so that the order of additions, and with it every bit, does not depend on how many runs there are.
    """
    total, *others = matrices.unbind(-3)
    for matrix in others:
        total = total + matrix
    return total


def sharpness_at_zero_loss(weights: Sequence[Tensor], progress: Progress) -> Tensor:
    """The largest eigenvalue of the whole Hessian of networks at zero loss, checked against that of J J^T.

    Args:
        weights: W_1 .. W_L; the networks' own matrices are the targets.
        progress: of the columns of the Hessian.

    Returns:
        Shape (runs, ...), what lies before the paths' dimension.

    Raises:
        Disagreement: the two eigenvalues differ.
    """
    flat = [weight.flatten(0, -4) for weight in weights]
    target = network(flat)
    whole = largest_eigenvalue(hessian(lambda current: loss(current, target), flat, progress))
    check_sharpness(whole, sharpness(flat))
    return whole.reshape(weights[0].shape[:-3])
