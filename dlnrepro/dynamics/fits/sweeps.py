"""The positions of a sweep, and one number per run from the values along them.

Conventions: values have shape (runs, points), positions (points,), in rising order where a first one is looked for; NaN
in a value stays NaN.
"""

from __future__ import annotations

import torch
from torch import Tensor


def falling_sweep(low: float, high: float, points: int) -> Tensor:
    """Numbers that fall from `high` to `low`, evenly spaced in the logarithm, of shape (points,)."""
    return high * (low / high) ** torch.linspace(0, 1, points, dtype=torch.float64)


def largest_where(values: Tensor, where: Tensor) -> Tensor:
    """The largest value of each run where the mask holds, or over the whole sweep if it holds nowhere."""
    mask = where | ~where.any(-1, keepdim=True)
    return torch.where(mask, values, -torch.inf).amax(-1)


def from_here_on(holds: Tensor) -> Tensor:
    """Whether a condition holds at a point and at all later ones, of shape (runs, points)."""
    return holds.flip(-1).cummin(-1).values.flip(-1)


def largest_from_here_on(values: Tensor) -> Tensor:
    """The largest value at a point and at all later ones: the level below which a series stays, of the same shape."""
    return values.flip(-1).cummax(-1).values.flip(-1)


def first_position(holds: Tensor, positions: Tensor, values: Tensor) -> Tensor:
    """The first position at which a condition holds, the last one if it does nowhere.

    Args:
        holds: the condition, of shape (runs, points).
        positions: of shape (points,).
        values: what the condition was read from; a run with a value that is not finite gets NaN.
    """
    found = torch.where(holds, positions, positions[-1]).amin(-1)
    return torch.where(torch.isfinite(values).all(-1), found, torch.nan)


def lasting_fall(values: Tensor, level: float, positions: Tensor) -> Tensor:
    """The position from which on values stay at a level or below, of shape (runs, ...); else the last position.

    It is interpolated linearly between the last position above and the next one; it is the first position if the
    values are never above.

    Args:
        values: of shape (runs, ..., points); NaN counts as above.
        level: the level.
        positions: of shape (points,).
    """
    lasting = from_here_on((values <= level).flatten(0, -2)).view_as(values)
    after = lasting.to(torch.int64).argmax(-1, keepdim=True)
    before = (after - 1).clamp_min(0)
    high, low = values.gather(-1, before), values.gather(-1, after)
    share = torch.where(after > 0, (high - level) / (high - low), 1.0)
    found = (positions[before] + share * (positions[after] - positions[before]))[..., 0]
    return torch.where(lasting.any(-1), found, positions[-1])


def first_crossings(heights: Tensor, positions: Tensor, levels: Tensor) -> Tensor:
    """The positions at which the heights of one run first reach each level, (levels,); NaN where they never do.

    It is interpolated linearly between the first point at the level or above and the one before it.

    Args:
        heights: of shape (points,), which need not rise.
        positions: of shape (points,).
        levels: of shape (levels,), above the first height.
    """
    peaks = heights.cummax(0).values
    after = torch.searchsorted(peaks, levels)
    never = after >= len(peaks)
    after = after.clamp(1, len(peaks) - 1)
    share = (levels - peaks[after - 1]) / (peaks[after] - peaks[after - 1])
    found = positions[after - 1] + share * (positions[after] - positions[after - 1])
    return torch.where(never, torch.nan, found)
