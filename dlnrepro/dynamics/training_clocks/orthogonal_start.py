"""A target that lacks modes, and an initialization (start) with scaled orthogonal layers.

The target is M = U diag(s_1 .. s_r) V^T with fewer modes than dimensions. The layers are W_l = start^(1/L) Q_l with
orthogonal Q_l, so they are balanced. Their product is start x U Q V^T, where Q is the orthogonal factor of
I + misalignment x G and G is Gaussian. Without misalignment the product has the singular vectors of the target.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.networks.chain import product
from dlnrepro.dynamics.starts.draws import normal, orthonormal
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.per_run import each_run


def draw_orthogonal_start(
    strengths: Tensor,
    width: int,
    depth: int,
    start: Tensor,
    misalignment: float,
    generators: Sequence[Generator],
) -> tuple[Tensor, Weights]:
    """M, of shape (runs, width, width), and W_1 .. W_L of the same shape.

    Each run draws U, V, G and then Q_1 .. Q_(L-1). The last layer is chosen such that the product is right.

    Args:
        strengths: s_1 .. s_r, the singular values of the target, of shape (runs, r).
        width: n_0 = ... = n_L, at least r.
        depth: L.
        start: the singular value of the initial product, of shape (runs,).
        misalignment: the factor of G, at least 0.
        generators: one per run.
    """
    left, right = orthonormal(width, width, generators), orthonormal(width, width, generators)
    modes = strengths.shape[-1]
    target = left[..., :modes] * strengths[:, None, :] @ right[..., :modes].mT
    turned = torch.eye(width, dtype=torch.float64) + misalignment * normal((width, width), generators)
    whole = left @ orthogonal_factor(turned) @ right.mT
    inner = [orthonormal(width, width, generators) for _ in range(depth - 1)]
    last = whole @ product(inner).mT if inner else whole
    scale = each_run(lambda one: one ** (1 / depth), start)[:, None, None]
    return target, [scale * frame for frame in (*inner, last)]


def orthogonal_factor(matrix: Tensor) -> Tensor:
    """The orthogonal matrix nearest to a square one in the Frobenius norm: A B^T for A diag(s) B^T."""
    left, _, right = torch.linalg.svd(matrix)
    nearest: Tensor = left @ right
    return nearest
