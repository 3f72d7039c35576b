"""Exponential lines: the series that a predicted rate gives, through one point of a measured series.

If the positions are logarithms, such a line is a power.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.tensors.per_run import each_run


def exponential_line(positions: Tensor, values: Tensor, rates: Tensor, anchors: Tensor) -> Tensor:
    """The line y_a e^(r (x - x_a)) of rate r through the point a of each run, of shape (runs, points).

    Args:
        positions: x, of shape (points,).
        values: y, of shape (runs, points).
        rates: r, of shape (runs,).
        anchors: a, one whole number, or one for each run, of shape (runs,); negative numbers count from the end.
    """
    index = (anchors % values.shape[-1]).expand(len(values))[:, None]
    return values.gather(-1, index) * each_run(torch.exp, rates[:, None] * (positions - positions[index]))


def first_inside(inside: Tensor) -> Tensor:
    """The index of the first point of each run that is inside, of shape (runs,); 0 if none is inside.

    Args:
        inside: which points are inside a window, of shape (runs, points).
    """
    return inside.to(torch.int64).argmax(-1)


def last_inside(inside: Tensor) -> Tensor:
    """The index of the last point of each run that is inside, of shape (runs,); -1 if none is inside.

    Args:
        inside: which points are inside a window, of shape (runs, points).
    """
    return torch.where(inside, torch.arange(inside.shape[-1]), -1).amax(-1)
