"""Zeros of functions of one number per run, by bisection."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def bisect(function: Callable[[Tensor], Tensor], low: Tensor, high: Tensor) -> Tensor:
    """The root of an elementwise increasing function between `low` and `high`, to the last digit.

    120 halvings leave an interval of two neighbouring floats, which proves the root. If the function does not change
    sign between `low` and `high`, the end that is nearer to its root is returned.

    Args:
        function: from a tensor to the values of the function, of the same shape.
        low: the lower ends.
        high: the upper ends, of the same shape.
    """
    for _ in range(120):
        middle = (low + high) / 2
        below = function(middle) < 0
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return (low + high) / 2
