"""Targets by their modes: Z = sum_k sigma_k u_k v_k^T, with given or drawn strengths, in a drawn or a diagonal basis.

Conventions: strengths fall; modes are numbered from 1; `left` and `right` are square orthogonal matrices, so that every
vector has coordinates in the basis of the target, also outside the range of Z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import orthonormal, uniform
from dlnrepro.errors import NoSuchDraw

_DRAWS = 1000
"""How often strengths are drawn until they fall."""


@dataclass(frozen=True)
class Target:
    """One matrix Z for every run, kept as its singular value decomposition.

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
        return self.with_strengths(self.strengths)

    def with_strengths(self, strengths: Tensor) -> Tensor:
        """The matrix sum_k a_k u_k v_k^T, which has the singular vectors of Z and other strengths.

        Args:
            strengths: a_k of the first modes, of shape (runs, ..., modes).

        Returns:
            Shape (runs, ..., rows, columns).
        """
        modes = strengths.shape[-1]
        left, right = (_spread(basis[..., :modes], strengths.dim() - 2) for basis in (self.left, self.right))
        return left * strengths[..., None, :] @ right.mT

    def carried(self, matrices: Tensor) -> Tensor:
        """The components u_k^T W v_k of matrices W along every mode of the target.

        Args:
            matrices: W, of shape (runs, ..., rows, columns).

        Returns:
            Shape (runs, ..., modes).
        """
        modes, extra = self.strengths.shape[-1], matrices.dim() - 3
        left, right = (_spread(basis[..., :modes], extra) for basis in (self.left, self.right))
        return torch.diagonal(left.mT @ matrices @ right, dim1=-2, dim2=-1)

    def rank_one(self, left: Tensor, right: Tensor) -> Tensor:
        """The matrix u v^T with u = sum_k a_k u_k and v = sum_k b_k v_k.

        Args:
            left: a, of shape (runs, ..., rows).
            right: b, of shape (runs, ..., columns).

        Returns:
            Shape (runs, ..., rows, columns).
        """
        first = _spread(self.left, left.dim() - 2) @ left[..., None]
        second = _spread(self.right, right.dim() - 2) @ right[..., None]
        return first @ second.mT

    @property
    def best_rank_one(self) -> Tensor:
        """The best rank-one matrix sigma_1 u_1 v_1^T, which is nearest to Z, of shape (runs, rows, columns)."""
        return self.mode(torch.ones(len(self.strengths), dtype=torch.int64))

    def direction(self, number: int) -> Tensor:
        """The matrix u_k v_k^T of the mode k = `number`, counted from 1, of shape (runs, rows, columns)."""
        return self.left[:, :, number - 1, None] * self.right[:, None, :, number - 1]

    def mode(self, numbers: Tensor) -> Tensor:
        """The matrix sigma_k u_k v_k^T, with one mode k for each run, and the zero matrix where k is 0.

        Args:
            numbers: k in 0 .. min(rows, columns), whole numbers of shape (runs,).

        Returns:
            Shape (runs, rows, columns).
        """
        runs = torch.arange(numbers.shape[0])
        index = (numbers - 1).clamp_min(0)
        strength = torch.where(numbers > 0, self.strengths[runs, index], 0.0)
        left, right = self.left[runs, :, index], self.right[runs, :, index]
        return strength[:, None, None] * (left[:, :, None] * right[:, None, :])


def _spread(basis: Tensor, extra: int) -> Tensor:
    """A basis (runs, size, modes) with `extra` dimensions of length 1 after that of the runs."""
    return basis.reshape(basis.shape[0], *[1] * extra, *basis.shape[1:])


def rotated(rows: int, columns: int, strengths: Tensor, generators: Sequence[Generator]) -> Target:
    """A target whose two bases are drawn uniformly (Haar); the left one is drawn first."""
    return Target(orthonormal(rows, rows, generators), strengths, orthonormal(columns, columns, generators))


def diagonal(rows: int, columns: int, strengths: Tensor) -> Target:
    """A target that is a diagonal matrix.

    Floating-point arithmetic keeps a coordinate at exactly zero in this basis only, and saddles need exact zeros.
    """
    runs = strengths.shape[0]
    left, right = (torch.eye(size, dtype=torch.float64).expand(runs, size, size) for size in (rows, columns))
    return Target(left, strengths, right)


def draw_strengths(centre: Sequence[float], jitter: float, generators: Sequence[Generator]) -> Tensor:
    """Strengths sigma_k = centre_k (1 + jitter x), with x uniform in [-1, 1) for each mode, of shape (runs, modes).

    If they do not fall strictly, they are drawn again. If the jitter is zero, nothing is drawn.

    Args:
        centre: falling values.
        jitter: in [0, 1).
        generators: one per run.

    Raises:
        NoSuchDraw: none of a thousand draws falls.
    """
    values = torch.tensor(tuple(centre), dtype=torch.float64)
    if jitter == 0:
        return values.expand(len(generators), -1)
    return torch.stack([_falling_draw(values, jitter, generator) for generator in generators])


def _falling_draw(centre: Tensor, jitter: float, generator: Generator) -> Tensor:
    """The first draw of one run that falls strictly."""
    for _ in range(_DRAWS):
        drawn: Tensor = centre * (1 + uniform(centre.shape, -jitter, jitter, [generator])[0])
        if bool((drawn.diff() < 0).all()):
            return drawn
    raise NoSuchDraw("strengths that fall", _DRAWS)
