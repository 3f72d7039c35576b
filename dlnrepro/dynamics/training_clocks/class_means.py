"""Inputs of several classes whose rule lies in a plane: means on a circle in two coordinates, noise in all others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import normal


def around_circle(
    count: int, classes: int, dimension: int, radius: float, noise: float, generators: Sequence[Generator]
) -> Tensor:
    """Inputs of shape (runs, count, dimension), of the classes 0, 1, .., classes - 1, 0, 1, .. in turn.

    The first two coordinates are the class's mean exactly, so that a linear map of these two alone makes no mistake.

    Args:
        count: how many in each run.
        classes: how many, their means evenly spaced.
        dimension: of the inputs, at least 2.
        radius: of the circle.
        noise: standard deviation of the other coordinates.
        generators: one per run.
    """
    angles = 2 * math.pi / classes * labels(count, classes).to(torch.float64)
    means = radius * torch.stack([angles.cos(), angles.sin()], -1)
    rest = noise * normal((count, dimension - 2), generators)
    return torch.cat([means.expand(len(rest), -1, -1), rest], -1)


def labels(count: int, classes: int) -> Tensor:
    """The class of each input, whole numbers of shape (count,)."""
    return torch.arange(count) % classes


def off_span(x: Tensor) -> Tensor:
    """The projection off the span of the inputs, (runs, dimension, dimension), from fewer inputs than dimensions."""
    frame = torch.linalg.qr(x.mT)[0]
    projection: Tensor = torch.eye(x.shape[-1], dtype=x.dtype) - frame @ frame.mT
    return projection
