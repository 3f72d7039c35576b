"""How a path that carries almost nothing of a mode gains on one that carries it all, above the stability limit.

Aligned, balanced paths with a mode of strength 1 move by w_p <- w_p + eta w_p^(L-1) r with the residual
r = 1 - sum_q w_q^L; the step ratio is gamma = eta L. Above gamma = 2, a single path has no stable minimum. It settles
in a cycle of two steps, along which the mean residual <r> is above zero. A small path with the layer scalar w responds
to this mean only, and to leading order

    z = w^-(L-2) falls by (L-2) eta <r> in each step,

which does not depend on w. So the number of steps until the path has regained a share is proportional to z, and z is
proportional to (initialization scale)^-(L-2). At depth 2, log w of all paths moves by the same amount, and shares stay.
Near gamma = 2 the cycle is 1 + m +- x with x^2 = 3 (gamma - 2) / (4 (L-1) (5L-4)) and <r> = L (L-1) x^2, so

    <r> = 3 L (gamma - 2) / (4 (5 L - 4)) + O((gamma - 2)^2).

Source: all derived here. Another strength s only rescales w by s^(1/L), r by s, and eta by s^-(2-2/L).
"""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.fits.bisection import bisect

LARGEST = 2.45
"""Slightly above this step ratio, the cycle of two steps becomes unstable, and one of four steps replaces it."""


def cycle_residual(step_ratios: Tensor, depth: int) -> Tensor:
    """The mean residual <r> of a single path over its cycle of two steps; 0 up to gamma = 2, where descent converges.

    The lower point a of the cycle is the largest solution below 1 of f(f(a)) = a with
    f(w) = w + (gamma/L) w^(L-1) (1 - w^L); 1 is the fixed point.

    Args:
        step_ratios: gamma <= LARGEST, of any shape.
        depth: L >= 3, the number of layers.

    Returns:
        <r> >= 0, shaped as the step ratios.
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
    """The fall of z per step over gamma - 2 near gamma = 2: (L-2) (2/L) 3 L / (4 (5L-4)) = 3 (L-2) / (2 (5L-4))."""
    return 3 * (depth - 2) / (2 * (5 * depth - 4))
