"""When a network learns each mode of its target: the modes' shares along a descent, and when they pass a level."""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.per_run import each_run

_TINY = 1e-300
_SHORTEST = 1e-9


def mode_shares(whole: Tensor, target: Target, finals: Tensor) -> Tensor:
    """u_i^T W v_i over its final value, mode by mode.

    Args:
        whole: W, of shape (runs, ..., rows, columns).
        target: whose singular vectors they are.
        finals: the modes' final values, of shape (runs, modes).

    Returns:
        Shape (runs, ..., modes).
    """
    values = target.carried(whole)
    return values / finals.reshape(finals.shape[0], *[1] * (whole.dim() - 3), -1)


def passing_times(shares: Tensor, level: float) -> Tensor:
    """The step at which a share first passes a level, interpolated between steps, for it grows by a factor a step.

    It is 0 for a share that starts above the level, and the last step for one that never passes it; NaN for one that
    is not finite throughout.

    Args:
        shares: one value per step, of shape (runs, ..., steps).
        level: above 0.
    """
    above = shares >= level
    after = above.to(torch.int64).argmax(-1, keepdim=True).clamp_min(1)
    low = shares.gather(-1, after - 1)[..., 0].clamp_min(_TINY)
    high = shares.gather(-1, after)[..., 0].clamp_min(_TINY)
    passed = after[..., 0] - 1 + each_run(torch.log, level / low) / each_run(torch.log, high / low)
    times = torch.where(above.any(-1), passed, torch.full_like(passed, float(shares.shape[-1] - 1)))
    times = torch.where(above[..., 0], torch.zeros_like(times), times)
    return torch.where(torch.isfinite(shares).all(-1), times, torch.nan)


def following_shares(shares: Tensor, level: float) -> Tensor:
    """The share of the next mode at the first step at which a mode has reached a level, of shape (runs, modes - 1).

    For a mode that never reaches it, the last step counts. It is NaN for a mode that is not finite throughout.

    Args:
        shares: one value per step, of shape (runs, modes, steps).
        level: above 0.
    """
    reached = passing_times(shares, level)[:, :-1].ceil()
    index = torch.nan_to_num(reached).to(torch.int64)[..., None]
    return torch.where(torch.isfinite(reached), shares[:, 1:].gather(-1, index)[..., 0], torch.nan)


def time_ratios(times: Tensor) -> Tensor:
    """T_{i+1} / T_i, of shape (runs, modes - 1).

    Args:
        times: T_i >= 0, of shape (runs, modes); a time of 0 counts as 1e-9.
    """
    return times[:, 1:] / times[:, :-1].clamp_min(_SHORTEST)
