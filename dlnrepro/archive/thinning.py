"""A choice of points of a curve, such that the curve through them looks like the whole curve.

Half of the points are spread evenly over the horizontal axis as it is drawn, logarithmic or not. The other half are
chosen one by one, each where the line through the points so far is furthest from the curve. So a staircase over ten
decades keeps its stairs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def seen(values: np.ndarray, logarithmic: bool) -> np.ndarray:
    """Numbers as an axis shows them, from 0 to 1; NaN for what has no place on it."""
    usable = np.isfinite(values) & ((values > 0) | (not logarithmic))
    places = np.full(len(values), np.nan)
    # Halved, for the distance of two doubles may be more than a double can hold.
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
        logarithmic: of the horizontal and of the vertical axis.
        limit: how many points may be kept, at least 4.
    """
    places = seen(positions, logarithmic[0])
    usable = np.flatnonzero(np.isfinite(places))
    if len(usable) <= limit:
        return usable
    x = places[usable]
    if (np.diff(x) < 0).any():
        # Not to be drawn from left to right: a curve along its own course.
        x = np.linspace(0.0, 1.0, len(usable))
    heights = [seen(curve, logarithmic[1])[usable] for curve in curves]
    chosen = {int(np.abs(x - target).argmin()) for target in np.linspace(0.0, 1.0, limit // 2)}
    while len(chosen) < limit:
        far = sum((_error(x, height, sorted(chosen)) for height in heights), np.zeros(len(x)))
        # Two points at one place cannot both lie on the line: what is chosen is chosen.
        far[list(chosen)] = 0.0
        if far.max() <= 0:
            break
        chosen.add(int(far.argmax()))
    return usable[sorted(chosen)]


def _error(x: np.ndarray, height: np.ndarray, chosen: list[int]) -> np.ndarray:
    """How far a curve runs from the straight lines between its chosen points; 0 where it has no height."""
    there = [index for index in chosen if np.isfinite(height[index])]
    # Where nothing of a curve is kept yet, whatever it has is far off.
    drawn = np.interp(x, x[there], height[there]) if there else height - 1.0
    error: np.ndarray = np.nan_to_num(np.abs(height - drawn))
    return error
