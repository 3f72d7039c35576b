"""The steps, or the times, that are recorded."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.records import decades, even_grid, log_grid

Spacing = Literal["linear", "log", "every", "last"]


def recorded_steps(spacing: Spacing, steps: int, points: int, reach: int = 0) -> list[int]:
    """The recorded steps, from 0 to `steps`, in rising order; the last step is always recorded.

    Args:
        spacing: `linear` and `log`: at most `points` steps from 0 on, evenly spaced, or evenly in the logarithm;
            `every`: all steps; `last`: the last `points` steps.
        steps: the number of steps.
        points: as `spacing` says.
        reach: for `linear` and `log`, the steps up to this distance from a recorded step are recorded too, because a
            formula compares them with it.
    """
    if spacing == "every":
        return list(range(steps + 1))
    if spacing == "last":
        return list(range(max(0, steps + 1 - points), steps + 1))
    chosen = log_grid(steps, points) if spacing == "log" else [int(step) for step in even_grid(steps, points)]
    near = {step + distance for step in chosen for distance in range(-reach, reach + 1)}
    return sorted(step for step in near if 0 <= step <= steps)


def recorded_times(spacing: Spacing, time: float, points: int, spans: float) -> Tensor:
    """The recorded times of a flow, of shape (points,).

    Args:
        spacing: `linear`: evenly from 0 on; `log`: 0, and then evenly in the logarithm.
        time: the last time.
        points: the number of times.
        spans: for `log`, the number of decades from the first time after 0 to the last one.
    """
    if spacing == "log":
        later = decades(time, spans, points - 1)
        return torch.cat([torch.zeros_like(later[:1]), later])
    grid: Tensor = torch.linspace(0, time, points, dtype=torch.float64)
    return grid
