"""Rates and powers read off a falling series, by least squares over the part of it that a theory speaks of."""

from __future__ import annotations

import torch
from torch import Tensor

from dlnrepro.dynamics.networks.gaps import slope

FEWEST = 8
"""With fewer points than this in the window there is no slope to speak of."""


def log_slope(x: Tensor, values: Tensor, inside: Tensor) -> Tensor:
    """The slope d log(values) / dx over the chosen points of each run, of shape (runs,).

    It is 0, the limit of ever slower decay, for a run with fewer than eight points inside: such a series never came
    to the window, or never left what precedes it. It is NaN for a run whose values are not all finite.

    Args:
        x: of shape (runs, points); a time gives a rate, the logarithm of a time a power.
        values: positive inside, of shape (runs, points).
        inside: which points count, of shape (runs, points).
    """
    slopes = []
    for run in range(len(values)):  # one by one: the logarithms of a batch depend on a run's place in it
        chosen = inside[run]
        if not bool(torch.isfinite(values[run]).all()):
            slopes.append(torch.full((), torch.nan, dtype=values.dtype))
        elif int(chosen.sum()) < FEWEST:
            slopes.append(torch.zeros((), dtype=values.dtype))
        else:
            slopes.append(slope(x[run][chosen], values[run][chosen].log()))
    return torch.stack(slopes)
