"""The flattest global minima of deep linear networks on white inputs, R = 1/2 ||W_L ... W_1 - Z||_F^2.

Let s be the largest singular value of Z, u and v its singular vectors, b_l = ||W_l ... W_1 v|| and
c_l = ||(W_L ... W_(l+1))^T u||. By the direction u v^T of the output space, the largest eigenvalue of the Hessian is

    lambda >= sum_l c_l^2 b_(l-1)^2 >= L prod_l (c_l b_(l-1))^(2/L) >= L s^(2-2/L).

The second step is the inequality of the arithmetic and the geometric mean; the third one uses c_l b_l >= s and
b_0 = c_L = 1. Equality requires b_l = s^(l/L): at the flattest minima every layer has the same gain along the top
singular vector.

Source: Mulayoff, Michaeli 2020 (arXiv:2002.04710) for the statement; this proof is derived here.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.chain import prefixes
from dlnrepro.dynamics.networks.gaps import singular_triples


def least_sharpness(strength: float, depth: int) -> float:
    """The least sharpness of a global minimum, L s^(2-2/L).

    Args:
        strength: s, the largest singular value of the target.
        depth: L, the number of layers.
    """
    return float(depth * strength ** (2 - 2 / depth))


def gain_error(weights: Sequence[Tensor], depth: int) -> Tensor:
    """The largest |b_l / s^(l/L) - 1| over l = 1 .. L-1, of shape (...); it is 0 at a flattest minimum.

    Args:
        weights: W_1 .. W_L, each of shape (..., n_l, n_(l-1)); s and v belong to their product.
        depth: L in s^(l/L); a value other than the number of layers makes the formula wrong on purpose.
    """
    partial = prefixes(weights)
    _, strengths, right = singular_triples(partial[-1])
    axis, top = right[..., :, :1], strengths[..., 0]
    errors = []
    for layer, matrix in enumerate(partial[:-1], start=1):
        gain = torch.linalg.vector_norm((matrix @ axis)[..., 0], dim=-1)
        errors.append((gain / top ** (layer / depth) - 1).abs())
    return torch.stack(errors).amax(0)
