"""The gap of matrices to rank one and the sines of angles, each computed without cancellation.

Conventions: the gap is 0 for rank one and never negative; matrices have shape (..., rows, columns), vectors
(..., size). A run whose entries are not finite gets NaN, and does not change the results of any other run.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.processor import decomposed


def singular_triples(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """U, s, V of the reduced singular value decomposition; NaN where the matrix is not finite.

    Args:
        matrix: of shape (..., rows, columns).

    Returns:
        U (..., rows, k), s (..., k) in falling order, V (..., columns, k), with matrix = U diag(s) V^T.
    """
    finite = torch.isfinite(matrix).all(-1).all(-1)[..., None]
    left, strengths, right = decomposed(
        torch.linalg.svd, torch.where(finite[..., None], matrix, torch.zeros_like(matrix)), full_matrices=False
    )
    nan = torch.full_like(strengths, torch.nan)
    return (
        torch.where(finite[..., None], left, torch.nan),
        torch.where(finite, strengths, nan),
        torch.where(finite[..., None], right.mT, torch.nan),
    )


def rank_one_gap(matrix: Tensor) -> Tensor:
    """The gap to rank one, 1 - ||W||_2 / ||W||_F in [0, 1]: zero exactly for rank one.

    With t = (sum of the smaller squared singular values) / ||W||_F^2 it equals t / (1 + sqrt(1 - t)).
    """
    _, strengths, _ = singular_triples(matrix)
    squares = strengths**2
    tail = squares[..., 1:].sum(-1) / squares.sum(-1)
    return tail / (1 + (1 - tail).sqrt())


def hidden_rank_one_gap(weights: Sequence[Tensor]) -> Tensor:
    """The largest `rank_one_gap` of W_1 .. W_(L-1), of shape (runs, ...); W_l has shape (runs, ..., n_l, n_(l-1))."""
    return torch.stack([rank_one_gap(weight) for weight in weights[:-1]]).amax(0)


def sine(first: Tensor, second: Tensor) -> Tensor:
    """The sine of the angle between two vectors, in [0, 1], from the part of `first` perpendicular to `second`."""
    axis = second / torch.linalg.vector_norm(second, dim=-1, keepdim=True)
    unit = first / torch.linalg.vector_norm(first, dim=-1, keepdim=True)
    perpendicular = unit - (unit * axis).sum(-1, keepdim=True) * axis
    length: Tensor = torch.linalg.vector_norm(perpendicular, dim=-1)
    return length
