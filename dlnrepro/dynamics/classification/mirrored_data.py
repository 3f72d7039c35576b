"""Data that a reflection maps to themselves, and initializations (starts) along the axis that it leaves fixed.

The signed points form pairs (h, q) and (h, -q), h > 0. So the first axis is the maximum-margin direction, and on it the
gradient of any risk of the margins points along it. A balanced start of rank one with the predictor -a e_1 stays on
that axis: W_l = a^(1/L) p_l p_{l-1}^T with p_0 = -e_1. The common norm w of the layers obeys w' = -g w^(L-1), where
g = -(1/n) sum_i l'(-w^L h_i) h_i tends to g_0 = -l'(0) mean(h). So

    w -> ((L-2) g_0 t)^(-1/(L-2))  for L >= 3,      R -> l(0) from above.

Derived here. Conventions: signed points (runs, samples, dimension); weights W_l of shape (runs, n_l, n_{l-1}).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.balanced import layers_between
from dlnrepro.dynamics.starts.draws import directions, normal, uniform
from dlnrepro.dynamics.tensors.per_run import each_run

LOWEST, HIGHEST = 0.3, 0.7
"""The range of the points' height h on the axis, and of their distance from it: every point is in the unit ball."""

SLOPE_AT_ZERO = {"logistic": 0.5, "exponential": 1.0}
"""-l'(0), for each loss l."""


def mirrored_pairs(dimension: int, pairs: int, generators: Sequence[Generator]) -> Tensor:
    """Signed points, each followed by its mirror image, of shape (runs, 2 pairs, dimension)."""
    heights = uniform((pairs, 1), LOWEST, HIGHEST, generators)
    across = normal((pairs, dimension - 1), generators)
    lengths = uniform((pairs, 1), LOWEST, HIGHEST, generators)
    across = lengths * across / torch.linalg.vector_norm(across, dim=-1, keepdim=True)
    both = torch.stack([torch.cat([heights, across], -1), torch.cat([heights, -across], -1)], 2)
    return both.flatten(1, 2)


def axial_start(
    widths: Sequence[int], size: Tensor, side: float, tilt: float, generators: Sequence[Generator]
) -> list[Tensor]:
    """Balanced weights of rank one whose product is side x size x (cos tilt, sin tilt, 0, ...).

    Args:
        widths: n_0 .. n_L, n_L = 1 and n_0 at least 2.
        size: a > 0, of shape (runs,).
        side: 1 points towards the data, -1 away from them.
        tilt: angle to the axis in radians; at 0 the predictor is exactly on the axis.
        generators: one per run.
    """
    runs = len(size)
    axis = torch.zeros(runs, widths[0], dtype=torch.float64)
    axis[:, 0], axis[:, 1] = side * math.cos(tilt), side * math.sin(tilt)
    frames = [
        axis,
        *(directions(width, generators) for width in widths[1:-1]),
        torch.ones(runs, 1, dtype=torch.float64),
    ]
    return layers_between([frame[..., None] for frame in frames], size[:, None])


def pull_at_zero(signed: Tensor, loss: Literal["logistic", "exponential"]) -> Tensor:
    """g_0 = -l'(0) mean(h), of shape (runs,).

    Args:
        signed: points of `mirrored_pairs`.
        loss: the loss l of a margin.
    """
    return SLOPE_AT_ZERO[loss] * signed[:, ::2, 0].mean(-1)


def late_norm(pull: Tensor, times: Tensor, depth: int) -> Tensor:
    """((L-2) g_0 t)^(-1/(L-2)), the layers' norm on the axis at late times, of shape (runs, points), for L >= 3.

    Args:
        pull: g_0, of shape (runs,).
        times: t > 0, of shape (points,).
        depth: L.
    """
    return each_run(lambda value: ((depth - 2) * value * times) ** (-1 / (depth - 2)), pull)
