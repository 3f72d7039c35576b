"""The last stage of a network with a one-neuron layer: how the parts of W - Z_(1) fall near Z_(1) = sigma_1 u_1 v_1^T.

With M = U^T (W - Z_(1)) V in the basis of the target, the linearised flow has the parts and the rates

    strength           M_11                               L sigma_1^(2-2/L)
    modes k >= 2       p_k = (M_k1 + M_1k) / sqrt(2)      sigma_1^(1-2/L) (sigma_1 - sigma_k)
                       q_k = (M_k1 - M_1k) / sqrt(2)      sigma_1^(1-2/L) (sigma_1 + sigma_k)
    outside the range  M_k1 or M_1k                       sigma_1^(1-2/L) sigma_1

and all other entries of M are of second order. The slowest part is p_2. Gradient descent with the step size eta
multiplies a part of rate r by 1 - eta r at every step. This was derived for this project by linearising the
flow; the setting is that of Eftekhari 2020 (arXiv:2002.09852) and Chen, Lin, Zhang 2022 (arXiv:2201.02761).
"""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.per_run import each_run


def first_order_parts(target: Target, whole: Tensor) -> Tensor:
    """The parts of W - Z_(1) over sigma_1, in the order strength, p_2 .., q_2 .., rows and columns outside the range.

    Args:
        target: Z.
        whole: W, of shape (runs, rows, columns).

    Returns:
        Shape (runs, rows + columns - 1).
    """
    modes = target.strengths.shape[-1]
    matrix = target.left.mT @ (whole - target.best_rank_one) @ target.right
    left, right = matrix[:, 1:, 0], matrix[:, 0, 1:]
    ours, theirs = left[:, : modes - 1], right[:, : modes - 1]
    parts = [matrix[:, :1, 0], (ours + theirs) / 2**0.5, (ours - theirs) / 2**0.5]
    return torch.cat([*parts, left[:, modes - 1 :], right[:, modes - 1 :]], dim=-1) / target.strengths[:, :1]


def part_rates(target: Target, depth: int) -> Tensor:
    """The rates of the parts in the order of `first_order_parts`, of shape (runs, rows + columns - 1).

    Args:
        target: Z.
        depth: L in the formula.
    """
    first, others = target.strengths[:, :1], target.strengths[:, 1:]
    outside = target.left.shape[-1] + target.right.shape[-1] - 2 * target.strengths.shape[-1]
    gaps = torch.cat([depth * first, first - others, first + others, first.expand(-1, outside)], dim=-1)
    return _scale(first, depth) * gaps


def falling_distance(parts: Tensor, rates: Tensor, steps: Tensor, step_size: float, anchors: Tensor) -> Tensor:
    """The distance that the linearised descent predicts from the parts at one record of each run, (runs, records).

    Args:
        parts: over the records, of shape (runs, parts, records).
        rates: of shape (runs, parts).
        steps: the steps of the records, of shape (records,).
        step_size: eta.
        anchors: the record of each run at which the prediction begins, of shape (runs,).
    """

    def distance(run_parts: Tensor, run_rates: Tensor, anchor: Tensor) -> Tensor:
        factors = (1 - step_size * run_rates)[:, None] ** (steps - steps[anchor])
        squares = (run_parts[:, anchor][:, None] * factors).square()
        return squares.sum(0).sqrt()

    return each_run(distance, parts, rates, anchors)


def slowest_part(parts: Tensor, rates: Tensor) -> Tensor:
    """The norm of the parts with the smallest rate: p_2, or all parts outside the range if there is one mode only.

    Args:
        parts: of shape (runs, parts, records).
        rates: of shape (runs, parts).

    Returns:
        Shape (runs, records).
    """
    slowest = rates <= rates.amin(-1, keepdim=True) * (1 + 1e-9)
    norm: Tensor = torch.linalg.vector_norm(parts * slowest[..., None], dim=1)
    return norm


def limit_rate(strengths: Tensor, modes: Tensor, depth: int) -> Tensor:
    """The rate sigma_k^(1-2/L) (sigma_k - sigma_(k+1)) near Z_(k), from weights without the modes before k, (runs,).

    Args:
        strengths: sigma_k of the target, of shape (runs, modes).
        modes: k >= 1 of each run, whole numbers of shape (runs,).
        depth: L.
    """
    padded = torch.cat([strengths, torch.zeros_like(strengths[:, :1])], dim=-1)
    index = (modes - 1).clamp_min(0)[:, None]
    own, after = padded.gather(-1, index), padded.gather(-1, index + 1)
    return (_scale(own, depth) * (own - after))[:, 0]


def _scale(strength: Tensor, depth: int) -> Tensor:
    """sigma^(1-2/L), of the shape of sigma."""
    return each_run(lambda value: value ** (1 - 2 / depth), strength)
