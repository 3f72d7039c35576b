"""Slopes, rates and powers by least squares, over the part of a series for which a theory holds."""

from __future__ import annotations

import torch
from torch import Tensor

FEWEST = 8
"""A window with fewer points than this gives no meaningful slope."""


def slope(x: Tensor, y: Tensor) -> Tensor:
    """The least-squares slope of y against x along the last dimension, one number per run.

    It is NaN where x is constant. The caller must exclude an x that changes by rounding only.
    """
    centred = x - x.mean(-1, keepdim=True)
    return (centred * (y - y.mean(-1, keepdim=True))).sum(-1) / (centred**2).sum(-1)


def zero_of_line(x: Tensor, y: Tensor) -> Tensor:
    """The x at which the least-squares line through (x, y) is zero, of shape (runs,); the last x if the line is level.

    Args:
        x: of shape (points,).
        y: of shape (runs, points).
    """
    steepness = slope(x, y)
    crossing = x.mean(-1) - y.mean(-1) / steepness
    return torch.where(steepness == 0, x[-1], crossing)


def log_slope(x: Tensor, values: Tensor, inside: Tensor) -> Tensor:
    """The slope d log(values) / dx over the chosen points of each run, of shape (runs,).

    It is 0, the limit of ever slower decay, for a run with fewer than eight points inside: such a series did not reach
    the window. It is NaN for a run whose values are not all finite.

    Args:
        x: of shape (runs, points); the slope is a rate if x is a time, and a power if x is the logarithm of a time.
        values: of shape (runs, points), positive inside.
        inside: which points are used, of shape (runs, points).
    """
    slopes = []
    for run in range(len(values)):  # one by one, because logarithms of a batch depend on the place of a run in it
        chosen = inside[run]
        if not bool(torch.isfinite(values[run]).all()):
            slopes.append(torch.full((), torch.nan, dtype=values.dtype))
        elif int(chosen.sum()) < FEWEST:
            slopes.append(torch.zeros((), dtype=values.dtype))
        else:
            slopes.append(slope(x[run][chosen], values[run][chosen].log()))
    return torch.stack(slopes)


def within(values: Tensor, window: tuple[float, float]) -> Tensor:
    """Which values lie in a window whose ends are included."""
    return (values >= window[0]) & (values <= window[1])


def windowed_slope(x: Tensor, y: Tensor, window: Tensor) -> Tensor:
    """The least-squares slope of log y against log x of one run over the window.

    Points that repeat the end of a run count once (x does not fall along a path). The slope is NaN if y contains NaN,
    and if the window holds fewer than three x: a run that does not get there shows no power.

    Args:
        x: positive, of shape (points,).
        y: positive in the window, of shape (points,).
        window: which points are used, of shape (points,).
    """
    if bool(torch.isnan(y).any()) or int((x[window].diff() != 0).sum()) < 2:
        return torch.full((), torch.nan, dtype=torch.float64)
    return slope(x[window].log(), y[window].log())


def windowed_ratio(value: Tensor, law: Tensor, window: Tensor) -> Tensor:
    """The quotient value / law of one run that is farthest from 1 in the window.

    It is NaN if the values contain NaN, and if the window is empty.

    Args:
        value: of shape (points,).
        law: of shape (points,).
        window: which points are used, of shape (points,).
    """
    ratios = (value / law)[window]
    if bool(torch.isnan(value).any()) or len(ratios) == 0:
        return torch.full((), torch.nan, dtype=torch.float64)
    return ratios[(ratios - 1).abs().argmax()]
