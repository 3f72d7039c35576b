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


def next_share_exponents(strengths: Tensor, step_size: float) -> Tensor:
    """The powers of epsilon in the share of mode i + 1 at the time at which mode i is learned, i < modes.

    With g_i = ln(1 + eta sigma_i), mode i is learned at the step ln(1/epsilon) / g_i. At this step mode i + 1, which
    starts at epsilon^2 and grows at the rate 2 g_(i+1), has reached epsilon^(2 - 2 g_(i+1) / g_i).

    Args:
        strengths: sigma in falling order, of shape (runs, modes).
        step_size: eta.

    Returns:
        Shape (runs, modes - 1).
    """
    rates = each_run(lambda row: torch.log1p(step_size * row), strengths)
    return 2 - 2 * rates[:, 1:] / rates[:, :-1]


def plateau_exponents(strengths: Tensor, variances: Tensor, step_size: float) -> tuple[Tensor, Tensor]:
    """Two powers of epsilon that bound its power in the smallest distance from the sum of the first k modes, k < modes.

    Let g_i = ln(1 + eta sigma_i). Mode k is learned at the step ln(1/epsilon) / g_k. At this step mode k + 1, which
    grows at the rate 2 g_(k+1), has reached epsilon^(2 - 2 q) with q = g_(k+1) / g_k. Two kinds of error still decay.
    The error of mode k itself is of order 1, and a step multiplies it by 1 - 2 eta sigma_k. The entries u_k v_j^T and
    u_j v_k^T, with j = k + 1, of an initialization that is not aligned are of order epsilon^(1 - q). A step multiplies
    them by 1 - eta mu, where mu is the smaller eigenvalue of

        [[lambda_j sigma_k / lambda_k, -sigma_j], [-sigma_j, sigma_k]],

    which is sigma_k - sigma_j for white inputs. With m = -ln(1 - eta mu) and d = -ln(1 - 2 eta sigma_k), they become
    equal to mode k + 1 at

        epsilon^((1 - q) (1 + m / (2 g_j + m)))   and   epsilon^((2 - 2 q) d / (2 g_j + d)).

    The smaller power wins as epsilon vanishes. Before, the power that is measured lies between them. For white inputs
    and small steps both are 2 (sigma_k - sigma_(k+1)) / (sigma_k + sigma_(k+1)).

    Args:
        strengths: sigma in falling order, of shape (runs, modes).
        variances: lambda of the modes, of shape (runs, modes), for which sigma^2 / lambda falls, too.
        step_size: eta, below 1 / (2 sigma_1).

    Returns:
        The smaller and the larger power, each of shape (runs, modes - 1).
    """

    def exponents(sigma: Tensor, spread: Tensor) -> Tensor:
        growth = torch.log1p(step_size * sigma)
        before, after = sigma[:-1], sigma[1:]
        slow = spread[1:] * before / spread[:-1]
        least = (slow + before) / 2 - (((slow - before) / 2) ** 2 + after**2).sqrt()
        mixed = -torch.log1p(-step_size * least)
        own = -torch.log1p(-2 * step_size * before)
        left, twice = 1 - growth[1:] / growth[:-1], 2 * growth[1:]
        return torch.stack([left * (1 + mixed / (twice + mixed)), 2 * left * own / (twice + own)])

    both = each_run(exponents, strengths, variances)
    return both.amin(1), both.amax(1)


def contraction_factor(step_ratios: Tensor, depth: int) -> Tensor:
    """The factor 1 - L r by which a step multiplies a small error of a mode of a balanced network.

    For input variance 1 a mode of L layers has the curvature L sigma^(2-2/L), so the step ratio r is
    eta sigma^(2-2/L), which is eta sigma for two layers and eta for one.

    Args:
        step_ratios: r = eta sigma^(2-2/L), of any shape.
        depth: L; with another value than that of the network the factor is deliberately wrong.
    """
    return 1 - depth * step_ratios


def largest_curvature(finals: Tensor, variances: Tensor, outputs: int) -> Tensor:
    """The largest curvature c of the loss at the balanced solution of two layers, of shape (runs,).

    Let S have the variance lambda_j along v_j, and let a_i = sigma_i / lambda_i be the value of mode i, or 0 if there
    is none. At balanced layers, moving W_2 by x u_i f_j^T and W_1 by y f_i v_j^T moves the entry (i, j) of W by
    x sqrt(a_j) + y sqrt(a_i), and the loss has the curvature lambda_j (a_i + a_j). Descent converges to this solution
    if eta < 2 / c. Layers out of balance, p_i q_i = a_i, have the curvature lambda_j (p_j^2 + q_i^2). For i = j = 1
    it is at least 2 sigma_1, so no solution is stable for eta > 1 / sigma_1; for white inputs c is 2 sigma_1.

    Args:
        finals: a_i, of shape (runs, modes).
        variances: lambda_j along v_1 .. v_(n_0), of shape (runs, n_0).
        outputs: n_L.
    """
    runs, modes = finals.shape
    left, right = (finals.new_zeros(runs, size) for size in (outputs, variances.shape[-1]))
    left[:, :modes] = right[:, :modes] = finals
    return (variances[:, None] * (left[:, :, None] + right[:, None])).amax((-2, -1))
