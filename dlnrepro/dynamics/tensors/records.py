"""Records of a training run: a thinned grid of steps to observe at, and the observations stacked into series."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

Record = Mapping[str, Tensor]
"""The numbers that an observer returns at one recorded time: name -> tensor of shape (runs, ...)."""


def log_grid(steps: int, points: int) -> list[int]:
    """At most max(points, 3) distinct steps from 0 to `steps`, ends included, evenly spaced in the logarithm."""
    if steps <= 0:
        return [0]
    exponents = [index / max(points - 2, 1) * math.log(steps) for index in range(max(points - 1, 2))]
    return sorted({0, steps, *(round(math.exp(exponent)) for exponent in exponents)})


def even_grid(steps: int, points: int) -> Tensor:
    """At most `points` distinct steps from 0 to `steps`, ends included, evenly spaced, as whole numbers (records,)."""
    grid: Tensor = torch.linspace(0, steps, min(points, steps + 1), dtype=torch.float64).round().to(torch.int64)
    return grid


def decades(last: float, count: float, points: int) -> Tensor:
    """Times that end at `last` exactly, evenly spaced in the logarithm over `count` decades, of shape (points,)."""
    grid: Tensor = last * 10 ** torch.linspace(-count, 0, points, dtype=torch.float64)
    grid[-1] = last
    return grid


def every(stride: int, steps: int) -> list[int]:
    """Every `stride`-th step from 0 on, and the last step."""
    return sorted({*range(0, steps, stride), steps})


def thinned(values: Tensor, stride: int) -> Tensor:
    """Every `stride`-th record along the last dimension from the first on, and the last record."""
    return torch.cat([values[..., :-1:stride], values[..., -1:]], dim=-1)


def stack(records: Sequence[Record]) -> dict[str, Tensor]:
    """Series from records: each name becomes a tensor whose last dimension is that of the recorded times."""
    return {name: torch.stack([record[name] for record in records], dim=-1) for name in records[0]}
