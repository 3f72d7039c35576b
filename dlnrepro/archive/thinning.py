"""A choice of points of a curve, so that the curve through them looks like the whole curve.

Half of the points are spread evenly over the horizontal axis as it is drawn, logarithmic or not. The other half are
chosen one by one, each at the place where the line through the points so far is furthest from the curve. So a
staircase over ten decades keeps its stairs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def seen(values: np.ndarray, logarithmic: bool) -> np.ndarray:
    """Places of numbers on an axis, from 0 to 1; NaN for a number that has no place on it."""
    usable = np.isfinite(values) & ((values > 0) | (not logarithmic))
    places = np.full(len(values), np.nan)
    # Halved, because the distance between two doubles may be too large for a double.
    places[usable] = np.log10(values[usable]) if logarithmic else values[usable] / 2
    if usable.any():
        low, high = places[usable].min(), places[usable].max()
        places = (places - low) / (high - low if high > low else 1.0)
    return places


def kept(positions: np.ndarray, curves: Sequence[np.ndarray], logarithmic: tuple[bool, bool], limit: int) -> np.ndarray:
    """The indices of at most `limit` points, in their order.

    Args:
        positions: x of shape (points,).
        curves: y of shape (points,), one or more over the same x.
        logarithmic: whether the horizontal and whether the vertical axis is logarithmic.
        limit: how many points may be kept, at least 4.
    """
    places = seen(positions, logarithmic[0])
    usable = np.flatnonzero(np.isfinite(places))
    if len(usable) <= limit:
        return usable
    x = places[usable]
    if (np.diff(x) < 0).any():
        # The positions are not sorted, so the points are spread evenly along the curve's own course.
        x = np.linspace(0.0, 1.0, len(usable))
    heights = [seen(curve, logarithmic[1])[usable] for curve in curves]
    chosen = {int(np.abs(x - target).argmin()) for target in np.linspace(0.0, 1.0, limit // 2)}
    while len(chosen) < limit:
        far = sum((_error(x, height, sorted(chosen)) for height in heights), np.zeros(len(x)))
        # Two points at one place cannot both lie on the line: a point that was chosen is not chosen again.
        far[list(chosen)] = 0.0
        if far.max() <= 0:
            break
        chosen.add(int(far.argmax()))
    return usable[sorted(chosen)]


def _error(x: np.ndarray, height: np.ndarray, chosen: list[int]) -> np.ndarray:
    """The distance of a curve from the straight lines between its chosen points; 0 at points without a height."""
    there = [index for index in chosen if np.isfinite(height[index])]
    # If no point of a curve is kept yet, all its points count as far away: their distance is 1.
    drawn = np.interp(x, x[there], height[there]) if there else height - 1.0
    error: np.ndarray = np.nan_to_num(np.abs(height - drawn))
    return error
