"""When a network learns each mode of its target: the modes' shares along a descent, and when they pass a level."""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.starts.targets import Target
from dlnrepro.dynamics.tensors.per_run import each_run

_TINY = 1e-300
_SHORTEST = 1e-9


def mode_shares(whole: Tensor, target: Target, finals: Tensor) -> Tensor:
    """The shares u_i^T W v_i / a_i of the modes, where a_i is the final value.

    Args:
        whole: W, of shape (runs, ..., rows, columns).
        target: the target Z, which has the singular vectors u_i and v_i.
        finals: the final values a_i, of shape (runs, modes).

    Returns:
        Shape (runs, ..., modes).
    """
    values = target.carried(whole)
    return values / finals.reshape(finals.shape[0], *[1] * (whole.dim() - 3), -1)


def passing_times(shares: Tensor, level: float) -> Tensor:
    """The step at which a share first reaches a level, of shape (runs, ...).

    Between two steps the logarithm of the share is interpolated linearly, because a share grows by a factor per step.
    The step is 0 for a share that starts above the level, the last step for a share that never reaches the level, and
    NaN for a share that is not finite at all steps.

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
    """The share of the next mode at the time at which a mode reaches a level, of shape (runs, modes - 1, points).

    Between two steps the logarithms of shares are interpolated linearly. If a mode never reaches the level, the last
    step counts. The share is NaN if a mode is not finite at all steps.

    Args:
        shares: one value per step, of shape (runs, modes, points, steps).
        level: above 0.
    """
    times = passing_times(shares, level)[:, :-1]
    before = torch.nan_to_num(times).floor().to(torch.int64).clamp_max(shares.shape[-1] - 2)[..., None]
    after = shares[:, 1:]
    low, high = (after.gather(-1, index)[..., 0].abs().clamp_min(_TINY) for index in (before, before + 1))
    part = times - before[..., 0]

    def between(one: Tensor, other: Tensor, place: Tensor) -> Tensor:
        return one * torch.exp(place * torch.log(other / one))

    return each_run(between, low, high, part)


def interval_ratios(times: Tensor, slopes: Tensor) -> Tensor:
    """The relative intervals T_(i+1) / T_i - 1 over those of a vanishing initialization, of shape (runs, modes - 1).

    Args:
        times: T_i in steps, of shape (runs, modes); a time of 0 counts as 1e-9.
        slopes: the slopes of T_i in ln(1/epsilon), of shape (runs, modes), to which T_i becomes proportional.
    """
    found, law = (part[:, 1:] / part[:, :-1].clamp_min(_SHORTEST) - 1 for part in (times, slopes))
    return found / law
