"""Weights with a given product: balanced ones, random reparametrisations of them, and the nearest to random weights.

Conventions: W_l has shape (runs, paths, n_l, n_(l-1)), and the network is M = sum_p W_(p,L) ... W_(p,1).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.flat_minima.reparametrisations import random_reparametrisations, reparametrised
from dlnrepro.dynamics.representation_cost.fibre import (
    LANDING,
    ON_FIBRE,
    TOUCHING,
    infeasibility,
    least_norm_point,
    onto_fibre,
)
from dlnrepro.dynamics.representation_cost.tied_layers import Pattern, fully_connected
from dlnrepro.dynamics.starts.balanced import hidden_frames, layers_between
from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.arrays import Weights
from dlnrepro.dynamics.tensors.progress import Progress, part_of


def equal_split(target: Target, hidden: Sequence[int], paths: int, generators: Sequence[Generator]) -> Weights:
    """Balanced layers of paths that each carry the share 1/P of every singular value of a target.

    Args:
        target: Z, with its singular values and vectors.
        hidden: n_1 .. n_(L-1), each at least the number of singular values; their frames are drawn path by path.
        paths: P.
        generators: one per run.
    """
    modes = target.strengths.shape[-1]
    shares = target.strengths / paths
    of_path = []
    for _ in range(paths):
        frames = [target.right[..., :modes], *hidden_frames(hidden, modes, generators), target.left[..., :modes]]
        of_path.append(layers_between(frames, shares))
    return [torch.stack(layers, 1) for layers in zip(*of_path, strict=True)]


def disturbed(weights: Sequence[Tensor], strength: float, generators: Sequence[Generator]) -> Weights:
    """Weights G_l W_l G_(l-1)^-1 of the same paths, with random G_l of singular values between e^-t and e^t.

    Args:
        weights: W_1 .. W_L, of one path.
        strength: t.
        generators: one per run.
    """
    strengths = torch.tensor([strength], dtype=torch.float64)
    widths = [weight.shape[-2] for weight in weights[:-1]]
    return reparametrised(weights, random_reparametrisations(widths, strengths, generators))


def landed(weights: Sequence[Tensor], target: Tensor, progress: Progress) -> Weights:
    """Weights of one path whose product is a target, reached from given weights by damped Gauss-Newton steps.

    The weights of a run that does not reach the target are NaN.

    Args:
        weights: W_1 .. W_L, of one path.
        target: Z, of shape (runs, n_L, n_0).
        progress: called with the fraction of the steps done; may raise to stop.
    """
    patterns, values = _in_rows(weights)
    values = onto_fibre(patterns, values, target, LANDING, progress)
    reached = (infeasibility(patterns, values, target) <= ON_FIBRE)[:, None]
    return _as_layers([torch.where(reached, value, torch.nan) for value in values], weights)


def least_norm(weights: Sequence[Tensor], target: Tensor, iterations: int, progress: Progress) -> Weights:
    """Weights of one path with the product Z at which sum_l ||W_l||_F^2 is stationary among all such weights.

    No formula for the least norm is used (`dlnrepro.dynamics.representation_cost.fibre`).

    Args:
        weights: W_1 .. W_L, of one path, with the product Z.
        target: Z, of shape (runs, n_L, n_0).
        iterations: the number of steps; 0 leaves the weights as they are.
        progress: called with the fraction of the steps done; may raise to stop.
    """
    if iterations == 0:
        return list(weights)
    patterns, values = _in_rows(weights)
    values = least_norm_point(patterns, values, target, iterations, part_of(progress, 0, 0.9))
    values = onto_fibre(patterns, values, target, TOUCHING, part_of(progress, 0.9, 0.1))
    return _as_layers(values, weights)


def _in_rows(weights: Sequence[Tensor]) -> tuple[list[Pattern], Weights]:
    """The patterns of full layers, and the entries of each layer in one row, of shape (runs, n_l n_(l-1))."""
    widths = [weights[0].shape[-1], *(weight.shape[-2] for weight in weights)]
    return fully_connected(widths), [weight[:, 0].reshape(len(weight), -1) for weight in weights]


def _as_layers(values: Sequence[Tensor], weights: Sequence[Tensor]) -> Weights:
    """Rows of entries as the layers of one path, in the shapes of given weights."""
    return [value.reshape(weight.shape) for value, weight in zip(values, weights, strict=True)]
