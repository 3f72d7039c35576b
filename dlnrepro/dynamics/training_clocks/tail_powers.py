"""The exponent theta of the gradient at the end of training, |grad F| ~ (F - F*)^theta, and that of the clock.

Under gradient flow d(F - F*)/dt = -|grad F|^2. So the time at which F - F* first falls to delta grows as
delta^(-(2 theta - 1)) for theta > 1/2, and as log(1/delta) for theta = 1/2.

Source: Tan, Gai, Zhang 2026 (arXiv:2606.05863), who write eta for delta.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.fits.slopes import FEWEST, log_slope
from dlnrepro.dynamics.tensors.per_run import each_run

LEAST = 1e-300
"""Gaps of zero or below are replaced by this before the logarithm; they lie in no window."""


def tail_theta(gap: Tensor, square: Tensor, window: tuple[float, float]) -> Tensor:
    """Theta, the slope of log |grad F| against log(F - F*) while the gap lies in the window, of shape (runs, points).

    It is NaN where fewer than eight records lie in the window.

    Args:
        gap: F - F*, of shape (runs, points, records).
        square: |grad F|^2, of the same shape.
        window: the open range of the gap.
    """
    rows = gap.flatten(0, 1)
    inside = _inside(rows, window)
    theta = log_slope(_logs(rows), square.flatten(0, 1).sqrt(), inside)
    return torch.where(inside.sum(-1) >= FEWEST, theta, torch.nan).view(gap.shape[:2])


def farthest_theta(gap: Tensor, square: Tensor, window: tuple[float, float]) -> Tensor:
    """The `tail_theta` that is farthest from 1/2 along a sweep, of shape (runs,); the arguments are the same."""
    theta = tail_theta(gap, square, window)
    farthest = (theta - 0.5).abs().argmax(-1, keepdim=True)
    return theta.gather(-1, farthest)[:, 0]


def tail_powers(gap: Tensor, square: Tensor, times: Tensor, window: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Theta, and the exponent of the clock, -1 times the slope of log t against log(F - F*), each of shape (runs,).

    The exponent is 2 theta - 1 in theory. Both are NaN for a run that ends above the window, or that has diverged.

    Args:
        gap: F - F*, of shape (runs, records).
        square: |grad F|^2, of the same shape.
        times: t, of the same shape.
        window: the open range of the gap.
    """
    inside = _inside(gap, window)
    fitted = (inside.sum(-1) >= FEWEST) & (gap[:, -1] <= window[0])
    logs = _logs(gap)
    theta = torch.where(fitted, log_slope(logs, square.sqrt(), inside), torch.nan)
    clock = torch.where(torch.isfinite(theta), -log_slope(logs, times, inside), torch.nan)
    return theta, clock


def _inside(gap: Tensor, window: tuple[float, float]) -> Tensor:
    """Which gaps lie in the open window."""
    return (gap < window[1]) & (gap > window[0])


def _logs(gap: Tensor) -> Tensor:
    """The natural logarithms of the gaps, run by run."""
    return each_run(torch.log, gap.clamp_min(LEAST))
