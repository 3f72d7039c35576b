"""Exponential lines: what a predicted rate makes of a series, drawn through one of its points.

In the logarithm of a position, such a line is a power.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.per_run import each_run


def exponential_line(positions: Tensor, values: Tensor, rates: Tensor, anchors: Tensor) -> Tensor:
    """y_a e^(r (x - x_a)): the line of rate r through the point a of each run, of shape (runs, points).

    Args:
        positions: x, of shape (points,).
        values: y, of shape (runs, points).
        rates: r, of shape (runs,).
        anchors: a, a whole number or one for each run, of shape (runs,); negative ones count from the end.
    """
    index = (anchors % values.shape[-1]).expand(len(values))[:, None]
    return values.gather(-1, index) * each_run(torch.exp, rates[:, None] * (positions - positions[index]))


def first_inside(inside: Tensor) -> Tensor:
    """The first point of each run that is inside, of shape (runs,); 0 if there is none.

    Args:
        inside: which points are, of shape (runs, points).
    """
    return inside.to(torch.int64).argmax(-1)


def last_inside(inside: Tensor) -> Tensor:
    """The last point of each run that is inside, of shape (runs,); -1, which is the last of all, if there is none.

    Args:
        inside: which points are, of shape (runs, points).
    """
    return torch.where(inside, torch.arange(inside.shape[-1]), -1).amax(-1)
