"""Zeros of functions of one number per run, by bisection."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def bisect(function: Callable[[Tensor], Tensor], low: Tensor, high: Tensor) -> Tensor:
    """The root of an elementwise increasing function between `low` and `high`, to the last bits.

    The certificate is the bracket itself: 120 halvings leave neighbouring floats. Where the function does not
    change sign, the end nearer to its zero is returned.
    """
    for _ in range(120):
        middle = (low + high) / 2
        below = function(middle) < 0
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return (low + high) / 2
