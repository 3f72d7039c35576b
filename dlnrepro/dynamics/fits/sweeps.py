"""The positions of a sweep, and one number per run from the values along it.

Conventions: values have shape (runs, points) and positions (points,). Positions rise where a first position is wanted.
A NaN among the values gives NaN.
"""

from __future__ import annotations

import torch
from torch import Tensor


def falling_sweep(low: float, high: float, points: int) -> Tensor:
    """Positions that fall from `high` to `low`, evenly spaced in the logarithm, of shape (points,)."""
    return high * (low / high) ** torch.linspace(0, 1, points, dtype=torch.float64)


def largest_where(values: Tensor, where: Tensor) -> Tensor:
    """The largest value of each run where the mask holds; that of the whole sweep if the mask holds nowhere."""
    mask = where | ~where.any(-1, keepdim=True)
    return torch.where(mask, values, -torch.inf).amax(-1)


def from_here_on(holds: Tensor) -> Tensor:
    """Whether a condition holds at a point and at all later points, of shape (runs, points)."""
    return holds.flip(-1).cummin(-1).values.flip(-1)


def largest_from_here_on(values: Tensor) -> Tensor:
    """The largest value at a point and all later points, of the same shape: from there on the series stays below it."""
    return values.flip(-1).cummax(-1).values.flip(-1)


def first_position(holds: Tensor, positions: Tensor, values: Tensor) -> Tensor:
    """The first position at which a condition holds, of shape (runs,); the last position if it holds nowhere.

    Args:
        holds: the condition, of shape (runs, points).
        positions: of shape (points,).
        values: the values of which the condition is one, of shape (runs, points); where one is not finite, the run gets
            NaN.
    """
    found = torch.where(holds, positions, positions[-1]).amin(-1)
    return torch.where(torch.isfinite(values).all(-1), found, torch.nan)


def lasting_fall(values: Tensor, level: float, positions: Tensor) -> Tensor:
    """The position from which on values stay at a level or below, of shape (runs, ...).

    It is interpolated linearly between the last position with a value above the level and the next position. It is the
    first position if no value is above the level, and the last position if the last value is.

    Args:
        values: of shape (runs, ..., points); NaN counts as above the level.
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
    """The positions at which the heights of one run first reach each level, (levels,); NaN for a level never reached.

    They are interpolated linearly between the first point at the level or above and the point before it.

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
