"""The distance of a linear head's layers from rank one, from its conserved imbalances; and blocks of imbalances.

For neighbouring layers of the head, M_k = W_{k+1}^T W_{k+1} - W_k W_k^T is constant under gradient flow, for any layers
below the head. So W_k W_k^T is W_{k+1}^T W_{k+1} up to a fixed matrix. The last layer is a row, so it has rank one. For
large norms the excess therefore tends to a constant,

    ||W_k||_F^2 - ||W_k||_2^2  ->  E_k = E_{k+1} - tr M_k + u_k^T M_k u_k,    E_L = 0,

with u_k the top left singular vector of W_k. The initialization (start) and this direction determine it, without a
free parameter. The rank-one gap is about E_k / (2 ||W_k||_F^2). Relative corrections are of order E_k / ||W_k||_F^2.
Derived here.

Conventions: a path of one run is a list of W_k, each of shape (points, n_k, n_{k-1}); the first point is the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dlnrepro.dynamics.fits.slopes import FEWEST, log_slope
from dlnrepro.dynamics.networks.chain import imbalance
from dlnrepro.dynamics.networks.gaps import singular_triples

GROWN = 2
"""Slopes are fitted where the smallest norm of a head layer is at least this times the largest one at the start."""


@dataclass(frozen=True)
class Excess:
    """The law for the excess, compared with a path.

    Attributes:
        ratio: the excess over E_k, for the hidden layer where this is farthest from 1, of shape (points,).
        gap: the largest rank-one gap that the law gives at the layers' norms, of shape (points,), in [0, 1].
    """

    ratio: Tensor
    gap: Tensor


def observe_excess(head: Sequence[Tensor]) -> Excess:
    """`Excess` of a head of at least two layers, of which the last is a row."""
    start = imbalance([layer[0] for layer in head])
    predicted = torch.zeros(len(head[0]), dtype=torch.float64)
    ratios, gaps = [], []
    for layer, constant in zip(head[-2::-1], start[::-1], strict=True):
        left, strengths, _ = singular_triples(layer)
        top = left[..., 0]
        predicted = predicted - torch.trace(constant) + ((top @ constant) * top).sum(-1)
        squares = strengths**2
        ratios.append(squares[:, 1:].sum(-1) / predicted)
        share = (predicted / squares.sum(-1)).clamp(0, 1)
        gaps.append(share / (1 + (1 - share).sqrt()))
    ratio = torch.stack(ratios)
    worst = (ratio - 1).abs().argmax(0, keepdim=True)
    return Excess(ratio.gather(0, worst)[0], torch.stack(gaps).amax(0))


def block_drift(below: Tensor, above: Tensor, chosen: Tensor) -> Tensor:
    """||(M - M(0))_SS||_F: the change of the imbalance M of two neighbouring layers in the block S of chosen neurons.

    Args:
        below: W_l along a path, of shape (points, n_l, n_{l-1}).
        above: W_{l+1}, of shape (points, n_{l+1}, n_l).
        chosen: which of the n_l neurons between the two layers are in S, booleans of shape (n_l,).

    Returns:
        Of shape (points,); 0 if no neuron is chosen.
    """
    moved = imbalance([below, above])[0]
    moved = (moved - moved[:1])[:, chosen][:, :, chosen]
    size: Tensor = torch.linalg.matrix_norm(moved)
    return size


def grown_slope(head: Sequence[Tensor], norm: Tensor, gap: Tensor) -> Tensor:
    """The slope of log gap against log norm where the head has grown; NaN if that is at fewer than eight points.

    Args:
        head: the layers of the head along a path.
        norm: the smallest ||W_k||_F over these layers, of shape (points,).
        gap: a gap of the head along the path, of shape (points,).
    """
    grown = norm >= GROWN * torch.stack([torch.linalg.matrix_norm(layer[0]) for layer in head]).amax()
    if int(grown.sum()) < FEWEST:
        return torch.full((), torch.nan, dtype=torch.float64)
    return log_slope(norm.log()[None], gap[None], grown[None])[0]
