"""The power theta with which the gradient vanishes at the end of training, |grad F| ~ (F - F*)^theta, and the clock.

Under gradient flow d(F - F*)/dt = -|grad F|^2. So for theta > 1/2 the time T(eta), at which F - F* first is eta, grows
as eta^-(2 theta - 1), and for theta = 1/2 as log(1/eta).

Source: Tan, Gai, Zhang 2026 (arXiv:2606.05863).
"""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.fits.slopes import log_slope
from dlnrepro.dynamics.tensors.per_run import each_run

LEAST = 1e-300
"""Gaps of zero or below, which lie in no window, count as this before the logarithm."""


def tail_theta(gap: Tensor, square: Tensor, window: tuple[float, float]) -> Tensor:
    """Theta, the slope of log |grad F| against log(F - F*) where the gap lies in the window, of shape (runs, points).

    It is 0 where fewer than eight records lie in the window, as for `log_slope`.

    Args:
        gap: F - F*, of shape (runs, points, records).
        square: |grad F|^2, of the same shape.
        window: the range of the gap, without its ends.
    """
    rows = gap.flatten(0, 1)
    return log_slope(_logs(rows), square.flatten(0, 1).sqrt(), _inside(rows, window)).view(gap.shape[:2])


def farthest_theta(gap: Tensor, square: Tensor, window: tuple[float, float]) -> Tensor:
    """`tail_theta` at the point of a sweep where it is farthest from 1/2, of shape (runs,); arguments as there."""
    theta = tail_theta(gap, square, window)
    farthest = (theta - 0.5).abs().argmax(-1, keepdim=True)
    return theta.gather(-1, farthest)[:, 0]


def tail_powers(gap: Tensor, square: Tensor, times: Tensor, window: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Theta and the power 2 theta - 1 of the clock, -slope of log t against log(F - F*), each of shape (runs,).

    Both are 0 for a run that ends above the window, and NaN for one that has diverged.

    Args:
        gap: F - F*, of shape (runs, records).
        square: |grad F|^2, of the same shape.
        times: of the same shape.
        window: the range of the gap, without its ends.
    """
    inside = _inside(gap, window) & (gap[:, -1:] <= window[0])
    logs = _logs(gap)
    theta = log_slope(logs, square.sqrt(), inside)
    clock = torch.where(torch.isfinite(theta), -log_slope(logs, times, inside), torch.nan)
    return theta, clock


def _inside(gap: Tensor, window: tuple[float, float]) -> Tensor:
    """Which gaps lie in the window, without its ends."""
    return (gap < window[1]) & (gap > window[0])


def _logs(gap: Tensor) -> Tensor:
    """Their logarithms, run by run."""
    return each_run(torch.log, gap.clamp_min(LEAST))
