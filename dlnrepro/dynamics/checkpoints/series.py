"""How the measures of a chain of layers move along a series of checkpoints."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from dlnrepro.dynamics.fits.slopes import slope
from dlnrepro.dynamics.networks.chain import imbalance
from dlnrepro.dynamics.tensors.arrays import Array

FEWEST = 3
"""The fewest checkpoints through which a slope is fitted."""


def change(values: Sequence[float]) -> float:
    """The last value minus the first one."""
    return values[-1] - values[0]


def power(steps: Sequence[float], values: Sequence[float]) -> float:
    """The least-squares slope of log(value) against log(step), over the steps above 0.

    NaN with fewer than three such steps, or if a value is not positive and finite.
    """
    kept = [(step, value) for step, value in zip(steps, values, strict=True) if step > 0]
    return _slope([math.log(step) for step, _ in kept], [value for _, value in kept])


def rate(steps: Sequence[float], values: Sequence[float]) -> float:
    """The least-squares slope of log(value) against the step; NaN as in `power`."""
    return _slope(list(steps), values)


def imbalance_drift(chains: Sequence[Sequence[Array]]) -> float:
    """The largest change of an imbalance D_l = W_(l+1)^T W_(l+1) - W_l W_l^T since the first of several checkpoints.

    max over checkpoints and l of ||D_l - D_l(first)||_F; gradient flow of any loss keeps every D_l. It is 0 for a
    single layer, and NaN for weights that are not finite.

    Args:
        chains: W_1 .. W_L of each checkpoint.

    Source: Arora, Cohen, Hazan 2018 (arXiv:1802.06509) and Du, Hu, Lee 2018 (arXiv:1806.00900).
    """
    found = [imbalance([torch.from_numpy(weight).clone() for weight in weights]) for weights in chains]
    sizes = [
        float(torch.linalg.matrix_norm(now - then))
        for later in found
        for now, then in zip(later, found[0], strict=True)
    ]
    return math.nan if any(map(math.isnan, sizes)) else max(sizes, default=0.0)


def _slope(places: Sequence[float], values: Sequence[float]) -> float:
    """The slope of the logarithms of some values; NaN if they are few, or are not positive and finite."""
    if len(places) < FEWEST or not all(0 < value < math.inf for value in values):
        return math.nan
    x, y = (torch.tensor(row, dtype=torch.float64) for row in (places, [math.log(value) for value in values]))
    return float(slope(x, y))
