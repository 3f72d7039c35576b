"""Targets by their modes: Z = sum_k sigma_k u_k v_k^T, with given or drawn strengths, in a drawn or a diagonal basis.

Conventions: strengths fall; modes count from 1; `left` and `right` are whole orthogonal matrices, so that a vector
has coordinates in the target's own basis even outside the range of Z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import orthonormal, uniform


@dataclass(frozen=True)
class Target:
    """A matrix for every run, kept as its singular value decomposition.

    Attributes:
        left: orthogonal, columns u_k, shape (runs, rows, rows).
        strengths: sigma_1 > sigma_2 > ..., shape (runs, min(rows, columns)).
        right: orthogonal, columns v_k, shape (runs, columns, columns).
    """

    left: Tensor
    strengths: Tensor
    right: Tensor

    @property
    def matrix(self) -> Tensor:
        """Z, of shape (runs, rows, columns)."""
        modes = self.strengths.shape[-1]
        return self.left[..., :modes] * self.strengths[..., None, :] @ self.right[..., :modes].mT

    def mode(self, numbers: Tensor) -> Tensor:
        """sigma_k u_k v_k^T with a mode k for each run, and the zero matrix where k is 0.

        Args:
            numbers: k in 0 .. min(rows, columns), whole numbers of shape (runs,).
        """
        runs = torch.arange(numbers.shape[0])
        index = (numbers - 1).clamp_min(0)
        strength = torch.where(numbers > 0, self.strengths[runs, index], 0.0)
        left, right = self.left[runs, :, index], self.right[runs, :, index]
        return strength[:, None, None] * (left[:, :, None] * right[:, None, :])


def rotated(rows: int, columns: int, strengths: Tensor, generators: Sequence[Generator]) -> Target:
    """A target whose two bases are drawn uniformly (Haar); the left one is drawn first."""
    return Target(orthonormal(rows, rows, generators), strengths, orthonormal(columns, columns, generators))


def diagonal(rows: int, columns: int, strengths: Tensor) -> Target:
    """A target that is diagonal itself.

    Only in this basis does arithmetic keep a coordinate at exactly zero, which saddles need.
    """
    runs = strengths.shape[0]
    left, right = (torch.eye(size, dtype=torch.float64).expand(runs, size, size) for size in (rows, columns))
    return Target(left, strengths, right)


def draw_strengths(centre: Sequence[float], jitter: float, generators: Sequence[Generator]) -> Tensor:
    """Strengths sigma_k = centre_k (1 + jitter x), x uniform on [-1, 1) for each mode, of shape (runs, modes).

    Nothing is drawn when the jitter is zero.

    Args:
        centre: falling, so far apart that the jitter cannot change their order.
        jitter: in [0, 1).
        generators: one per run.
    """
    values = torch.tensor(tuple(centre), dtype=torch.float64).expand(len(generators), -1)
    if jitter == 0:
        return values
    return values * (1 + uniform((len(centre),), -jitter, jitter, generators))
