"""Initializations (starts) that only the general runner has: identities, diagonals, and layers with a given offset.

The other starts are those of `dlnrepro.dynamics.starts` and of the topics.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.balanced import balanced_layers
from dlnrepro.dynamics.starts.draws import normal, orthonormal
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run
from dlnrepro.dynamics.tensors.processor import decomposed


def identity_layers(widths: Sequence[int], scales: Tensor) -> Weights:
    """Layers with a number of each run on the diagonal and 0 elsewhere.

    Args:
        widths: n_0 .. n_L.
        scales: of shape (runs,).
    """
    return scaled_layers(
        [
            torch.eye(after, before, dtype=torch.float64).expand(len(scales), -1, -1)
            for before, after in pairwise(widths)
        ],
        scales,
    )


def scaled_layers(layers: Sequence[Tensor], scales: Tensor) -> Weights:
    """Layers times one number for each run, of shape (runs,)."""
    return [scales[:, None, None] * layer for layer in layers]


def diagonal_parts(layers: Sequence[Tensor]) -> Weights:
    """The layers with all entries off the diagonal set to zero."""
    return [layer * torch.eye(*layer.shape[-2:], dtype=layer.dtype) for layer in layers]


def balanced_with_offset(
    left: Tensor, strengths: Tensor, right: Tensor, offset: float, generators: Sequence[Generator]
) -> Weights:
    """Two layers of the product U diag(s) V^T with W_2^T W_2 - W_1 W_1^T = lambda I.

    With a hidden frame F, W_2 = U diag(b) F^T and W_1 = F diag(a) V^T, where a b = s and b^2 - a^2 = lambda.

    Args:
        left: U, orthonormal columns, of shape (runs, n_2, modes).
        strengths: s >= 0, of shape (runs, modes); the hidden layer has as many neurons as modes.
        right: V, orthonormal columns, of shape (runs, n_0, modes).
        offset: lambda.
        generators: one per run, which draw F.
    """
    modes = strengths.shape[-1]
    frame = orthonormal(modes, modes, generators)
    root = (offset * offset + 4 * strengths * strengths).sqrt()
    # Of the two sums, the one without cancellation is computed, and the other one follows from a b = s.
    larger = ((root + abs(offset)) / 2).sqrt()
    smaller = torch.where(larger > 0, strengths / larger, torch.zeros_like(larger))
    last, first = (larger, smaller) if offset >= 0 else (smaller, larger)
    return [frame * first[..., None, :] @ right.mT, left * last[..., None, :] @ frame.mT]


def balanced_gaussian(widths: Sequence[int], norm: float, generators: Sequence[Generator]) -> Weights:
    """Balanced layers of a Gaussian product with this Frobenius norm; a single layer is the product itself.

    Args:
        widths: n_0 .. n_L.
        norm: the norm of the product.
        generators: one per run, which draw the product and then the hidden frames.
    """
    draw = normal((widths[-1], widths[0]), generators)
    scaled = each_run(lambda matrix: norm * matrix / torch.linalg.matrix_norm(matrix), draw)
    if len(widths) == 2:
        return [scaled]
    # One by one: in a batch, LAPACK rounds by where a matrix lies in memory.
    parts = [decomposed(torch.linalg.svd, matrix, full_matrices=False) for matrix in scaled]
    left, strengths, right = (torch.stack(same) for same in zip(*parts, strict=True))
    return balanced_layers(left, strengths, right.mT, widths[1:-1], generators)
