"""Closed forms for two-layer networks that learn modes one after another, by gradient descent on the squared loss.

A mode of strength sigma and input variance lambda, aligned and balanced, moves by the scalar recursion

    w <- w (1 + eta (sigma - lambda w))^2,

exactly as in the matrices. A small w grows by (1 + eta sigma)^2 per step. Near its end sigma / lambda each step
multiplies the error by 1 - 2 eta sigma, which changes its sign at eta sigma = 1/2 and passes -1 at eta sigma = 1.

All formulas were derived for this project; the setting is that of Gidel, Bach, Lacoste-Julien 2019 (arXiv:1904.13262).
"""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.per_run import each_run


def time_slopes(strengths: Tensor, step_size: float) -> Tensor:
    """The slopes dT_i / d ln(1/epsilon) = 1 / ln(1 + eta sigma_i) of the learning times, in steps.

    The weights start at epsilon times a given draw. The product is of order epsilon^2 and grows by (1 + eta sigma_i)^2
    per step. The draw shifts T_i only by a constant, which does not change the slope.

    Args:
        strengths: sigma, of shape (runs, modes).
        step_size: eta.

    Returns:
        Shape (runs, modes).
    """
    return each_run(lambda row: 1 / torch.log1p(step_size * row), strengths)


def plateau_exponents(strengths: Tensor) -> Tensor:
    """The powers of epsilon in the smallest distance from the sum of the first k modes, k < modes, for small steps.

        2 (sigma_k - sigma_(k+1)) / (sigma_k + sigma_(k+1))

    With w_0 = epsilon^2, mode k is learned at the time ln(1/w_0) / (2 sigma_k). At this time mode k + 1, which grows at
    the rate 2 sigma_(k+1), has reached w_0^(1 - sigma_(k+1) / sigma_k). Two kinds of error still decay. The error of
    mode k itself is of order 1 and decays at the rate 2 sigma_k. The entries u_k v_j^T and u_j v_k^T of an
    initialization that is not aligned are of order w_0^((1 - sigma_j / sigma_k) / 2), and decay at the rate
    sigma_k - sigma_j. Each of them becomes equal to the growing mode k + 1 at

        w_0^((sigma_k - sigma_(k+1)) / (sigma_k + sigma_(k+1))).

    Args:
        strengths: sigma in falling order, of shape (runs, modes); the variances of the inputs are equal.

    Returns:
        Shape (runs, modes - 1).
    """
    before, after = strengths[:, :-1], strengths[:, 1:]
    return 2 * (before - after) / (before + after)


def contraction_factor(step_ratios: Tensor, depth: int) -> Tensor:
    """The factor 1 - L r by which a step multiplies a small error of a mode of a balanced network.

    For input variance 1 a mode of L layers has the curvature L sigma^(2-2/L), so the step ratio r is
    eta sigma^(2-2/L), which is eta sigma for two layers and eta for one.

    Args:
        step_ratios: r = eta sigma^(2-2/L), of any shape.
        depth: L; with another value than that of the network the factor is deliberately wrong.
    """
    return 1 - depth * step_ratios
