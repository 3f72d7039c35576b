"""Closed forms for two-layer networks that learn modes one after another, by gradient descent on squared loss.

A mode of strength sigma and input variance lambda, aligned and balanced, moves by the scalar recursion

    w <- w (1 + eta (sigma - lambda w))^2,

exactly as the matrices do. From a small w it grows by (1 + eta sigma)^2 a step; near its end sigma / lambda the error
shrinks by 1 - 2 eta sigma, which changes sign at eta sigma = 1/2 and passes -1 at eta sigma = 1.

Everything here was derived for this project; the setting is that of Gidel, Bach, Lacoste-Julien 2019
(arXiv:1904.13262).
"""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.per_run import each_run


def time_slopes(strengths: Tensor, step_size: float) -> Tensor:
    """dT_i / d ln(1/epsilon) in steps: 1 / ln(1 + eta sigma_i), for weights that start at epsilon times a given draw.

    The product starts at epsilon^2 and grows by (1 + eta sigma_i)^2 a step. Whatever shifts T_i by a constant, such as
    the draw, does not enter.

    Args:
        strengths: sigma, of shape (runs, modes).
        step_size: eta.
    """
    return each_run(lambda row: 1 / torch.log1p(step_size * row), strengths)


def plateau_exponents(strengths: Tensor) -> Tensor:
    """The power of epsilon by which descent with small steps approaches the sum of the first k modes, k < modes.

    With w_0 = epsilon^2, mode k is learned at the time ln(1/w_0) / (2 sigma_k). The next one, growing at the rate
    2 sigma_{k+1}, has reached w_0^(1 - sigma_{k+1} / sigma_k) by then. Two kinds of error are left to settle: of mode k
    itself, of order 1, at the rate 2 sigma_k; and of the entries u_k v_j^T and u_j v_k^T of a start that is not
    aligned, of order w_0^((1 - sigma_j / sigma_k) / 2), at the rate sigma_k - sigma_j. Either of them meets what grows
    at

        w_0^((sigma_k - sigma_{k+1}) / (sigma_k + sigma_{k+1})).

    Args:
        strengths: sigma, falling, of shape (runs, modes); input variances are equal.

    Returns:
        Shape (runs, modes - 1).
    """
    before, after = strengths[:, :-1], strengths[:, 1:]
    return 2 * (before - after) / (before + after)


def contraction_factor(step_ratios: Tensor, depth: int) -> Tensor:
    """1 - L eta sigma: the factor by which a step multiplies a small error of a mode of a balanced network.

    For input variance 1 a mode of L layers has curvature L sigma^(2-2/L), so the step ratio is eta sigma for two.
    One layer has curvature 1; with depth 1 the formula is deliberately wrong for two layers.

    Args:
        step_ratios: eta sigma^(2-2/L), of any shape.
        depth: L.
    """
    return 1 - depth * step_ratios
