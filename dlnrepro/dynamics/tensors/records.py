"""Records of a training run: a thinned grid of steps to observe at, and the observations stacked into series."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

Record = Mapping[str, Tensor]
"""What an observer returns at one recorded moment: name -> tensor of shape (runs, ...)."""


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


def stack(records: Sequence[Record]) -> dict[str, Tensor]:
    """Series from records: each name becomes a tensor with the recorded moments as its last dimension."""
    return {name: torch.stack([record[name] for record in records], dim=-1) for name in records[0]}
