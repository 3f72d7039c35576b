"""The end of training on a target of lower rank: the least loss, and how the modes that the target lacks fall.

The objective is F = 1/2 ||W_L ... W_1 - M||_F^2 + lambda/2 sum_l ||W_l||_F^2 with the weight decay lambda. A singular
value s of the product of balanced layers costs lambda/2 L s^(2/L). Where M has no mode, s obeys s' = -L s^(3-2/L)
without decay. Both are derived here.
"""

from __future__ import annotations

from scipy.optimize import minimize_scalar
from torch import Tensor

from dlnrepro.dynamics.tensors.per_run import each_run


def least_height(strength: float, depth: int, decay: float) -> float:
    """The least value of 1/2 (s - strength)^2 + decay/2 L s^(2/L) over s from strength / 2 to strength.

    Args:
        strength: a singular value of M, above 0.
        depth: L.
        decay: lambda, so small that the minimum lies in this range; 0 for no decay.
    """
    if decay == 0:
        return 0.0

    def height(s: float) -> float:
        return (s - strength) ** 2 / 2 + decay / 2 * depth * float(s ** (2 / depth))

    bounds, options = (strength / 2, strength), {"xatol": 1e-12}
    return float(minimize_scalar(height, bounds=bounds, method="bounded", options=options).fun)


def missing_gap(modes: int, start: Tensor, depth: int, times: Tensor) -> Tensor:
    """The sum of s^2 / 2 over the missing modes: s = ((2L-2) t)^(-L/(2L-2)) late, or s = start e^-t for one layer.

    Args:
        modes: how many modes the target lacks.
        start: their singular value at time 0, of shape (runs,), which matters for one layer only.
        depth: L.
        times: t > 0, of shape (runs, times).
    """
    if depth == 1:
        return modes / 2 * start[:, None] ** 2 * each_run(lambda time: (-2 * time).exp(), times)
    return modes / 2 * each_run(lambda time: ((2 * depth - 2) * time) ** (-depth / (depth - 1)), times)
