"""The distance of the gradients of local learning from those of back-propagation, layer by layer.

Conventions: gradients and weights are those of one run, W_l of shape (n_l, n_(l-1)); the lists run from W_1 to W_L.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Distances(NamedTuple):
    """Distances of gradients g from the wanted gradients g*, each of shape (L,).

    Attributes:
        error: ||g - g*||_F / ||g*||_F.
        misalignment: 1 - cosine between g and g*.
        transport: ||Q^T Q g - g*||_F / ||g*||_F with Q = W_L ... W_(l+1).
    """

    error: Tensor
    misalignment: Tensor
    transport: Tensor


def distances(gradients: Sequence[Tensor], wanted: Sequence[Tensor], weights: Sequence[Tensor]) -> Distances:
    """The distances of gradients g from the gradients g* of back-propagation."""
    above = torch.eye(weights[-1].shape[-2], dtype=torch.float64)
    rows = []
    for weight, mine, theirs in zip(weights[::-1], gradients[::-1], wanted[::-1], strict=True):
        # 1 - cos without cancellation: half the squared distance between the matrices at norm 1.
        gap = mine / torch.linalg.matrix_norm(mine) - theirs / torch.linalg.matrix_norm(theirs)
        misalignment = 0.5 * gap.square().sum()
        rows.append((_relative(mine, theirs), misalignment, _relative(above.mT @ above @ mine, theirs)))
        above = above @ weight
    error, misalignment, transport = (torch.stack(values[::-1]) for values in zip(*rows, strict=True))
    return Distances(error, misalignment, transport)


def orthogonality_gap(weight: Tensor) -> Tensor:
    """||W W^T - I||_F, of shape (runs, ...): 0 for orthonormal rows.

    Args:
        weight: W, of shape (runs, ..., rows, columns).
    """
    gap: Tensor = torch.linalg.matrix_norm(weight @ weight.mT - torch.eye(weight.shape[-2], dtype=torch.float64))
    return gap


def _relative(matrix: Tensor, wanted: Tensor) -> Tensor:
    distance: Tensor = torch.linalg.matrix_norm(matrix - wanted) / torch.linalg.matrix_norm(wanted)
    return distance
