"""Four clusters of points in the plane, with labels that a line separates, that no line separates, or that conflict.

    crossed         the label is the sign of x_1 x_2: no line separates the classes, a ReLU network can
    parted          the label is the sign of x_1: a line separates them
    contradictory   crossed, and the points of the first two clusters occur again with the opposite label

Conventions: points have shape (runs, samples, 4): the plane's two coordinates, a noise coordinate and a constant one.
All points of a run are divided by the length of its longest point. Labels are +-1, of shape (runs, samples).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Generator, Tensor

from dlnrepro.dynamics.starts.draws import normal, uniform

Labelling = Literal["crossed", "parted", "contradictory"]

CENTRES = ((1.0, 1.0), (-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0))
CONSTANT = 0.5
"""The constant coordinate, which gives neurons their biases."""

DIMENSION = 4


def clusters(
    labelling: Labelling, each: int, spread: float, noise: float, generators: Sequence[Generator]
) -> tuple[Tensor, Tensor]:
    """Points and labels, drawn run by run.

    Args:
        labelling: one of the three labellings above.
        each: the number of points in a cluster.
        spread: a point lies within this distance of its cluster's centre, in either coordinate; below 1.
        noise: standard deviation of the third coordinate.
        generators: one per run; the plane's coordinates are drawn first.
    """
    centres = torch.tensor(CENTRES, dtype=torch.float64).repeat_interleave(each, 0)
    plane = centres + uniform(centres.shape, -spread, spread, generators)
    third = noise * normal((4 * each, 1), generators)
    points = torch.cat([plane, third, torch.full_like(third, CONSTANT)], -1)
    points = points / torch.linalg.vector_norm(points, dim=-1).amax(-1)[:, None, None]
    labels = plane[..., 0].sign() if labelling == "parted" else (plane[..., 0] * plane[..., 1]).sign()
    if labelling != "contradictory":
        return points, labels
    return torch.cat([points, points[:, : 2 * each]], 1), torch.cat([labels, -labels[:, : 2 * each]], 1)
