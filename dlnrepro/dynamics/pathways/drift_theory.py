"""How a path that carries almost nothing of a mode gains on one that carries it all, beyond the edge of stability.

Aligned, balanced paths with a mode of strength 1: w_p <- w_p + eta w_p^(L-1) r, r = 1 - sum_q w_q^L, and the step ratio
gamma = eta L. Beyond gamma = 2 a single path has no stable minimum; it goes in a cycle of two steps, along which its
residual does not average to zero. A small path sees that mean alone, and to leading order

    z = w^-(L-2) falls by (L-2) eta <r> in each step,

by a constant, whatever w is: so it takes a number of steps in proportion to z to regain a share, and z ~ (start
scale)^-(L-2). At depth 2 it is log w that moves, and with it log of the winner: shares stay. Near the onset the cycle
is 1 + m +- x with x^2 = 3 (gamma - 2) / (4 (L-1) (5L-4)) and <r> = L (L-1) x^2, so

    <r> = 3 L (gamma - 2) / (4 (5 L - 4)) + O((gamma - 2)^2).

All derived here. Other strengths only rescale: w by s^(1/L), r by s, eta by s^-(2-2/L).
"""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.fits.bisection import bisect

LARGEST = 2.45
"""A little beyond this step ratio the cycle of two gives way to one of four."""


def cycle_residual(step_ratios: Tensor, depth: int) -> Tensor:
    """<r>: the mean residual of a single path on its cycle of two steps; 0 up to gamma = 2, where it converges.

    The cycle's lower point a solves f(f(a)) = a, f(w) = w + (gamma/L) w^(L-1) (1 - w^L), next below the fixed point 1.

    Args:
        step_ratios: gamma <= LARGEST, of any shape.
        depth: L >= 3.
    """

    def moved(weight: Tensor) -> Tensor:
        return weight + step_ratios / depth * weight ** (depth - 1) * (1 - weight**depth)

    def above(weight: Tensor) -> Tensor:
        return weight - moved(moved(weight))

    # w - f(f(w)) changes sign once between the weight at which half of the mode is carried and just below 1.
    turn = torch.full_like(step_ratios, 0.5 ** (1 / depth))
    near = 1 - 1e-3 * (step_ratios - 2).clamp_min(0) ** 0.5
    low = bisect(above, turn, near)
    mean = 1 - (low**depth + moved(low) ** depth) / 2
    return torch.where(step_ratios > 2, mean, torch.zeros_like(mean))


def onset_slope(depth: int) -> float:
    """The drift of z per step over gamma - 2 at the onset: (L-2) (2/L) 3 L / (4 (5L-4)) = 3 (L-2) / (2 (5L-4))."""
    return 3 * (depth - 2) / (2 * (5 * depth - 4))
