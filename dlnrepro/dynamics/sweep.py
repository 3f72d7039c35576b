"""What a sweep comes to: one number per run, from values along the sweep's positions.

Conventions: values have shape (runs, points), positions (points,) in rising order; NaN in a value stays NaN.
"""

from __future__ import annotations

import torch
from torch import Tensor


def largest_where(values: Tensor, where: Tensor) -> Tensor:
    """The largest value of each run where the mask holds, or over the whole sweep if it holds nowhere."""
    mask = where | ~where.any(-1, keepdim=True)
    return torch.where(mask, values, -torch.inf).amax(-1)


def from_here_on(holds: Tensor) -> Tensor:
    """Whether a condition holds at a point and at all later ones, of shape (runs, points)."""
    return holds.flip(-1).cummin(-1).values.flip(-1)


def first_position(holds: Tensor, positions: Tensor, values: Tensor) -> Tensor:
    """The first position at which a condition holds, the last one if it does nowhere.

    Args:
        holds: the condition, of shape (runs, points).
        positions: of shape (points,).
        values: what the condition was read from; a run with a value that is not finite gets NaN.
    """
    found = torch.where(holds, positions, positions[-1]).amin(-1)
    return torch.where(torch.isfinite(values).all(-1), found, torch.nan)
