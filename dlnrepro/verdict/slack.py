"""The slack of a criterion: the factor between its threshold and the worst run, or how loose the threshold is.

    upper bound b > 0                    b / value
    lower bound b > 0                    value / b
    value c with the tolerance t         t / |value - c|
    an interval from a to b              as c = (a + b) / 2 with t = (b - a) / 2; if a = 0, as the upper bound b

Bounds below zero are mirrored. The slack of a criterion is the smallest one of its runs. It is below 1 if a run lies
outside, and infinite if the worst run lies exactly at c, or at 0 below an upper bound. A factor has no meaning where a
single bound is zero, and for a run on the other side of zero than an upper bound b > 0, since it is further inside than
every factor says. If it has no meaning for any run, there is no slack.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from dlnrepro.claimfile.interval import Interval


def slack(runs: Iterable[tuple[Interval, float]]) -> float | None:
    """The smallest factor between threshold and value over some runs; None where it has no meaning for any of them.

    Args:
        runs: the interval in which each run must lie, and its value.
    """
    return min((factor for bounds, value in runs if (factor := _of_run(bounds, value)) is not None), default=None)


def _of_run(bounds: Interval, value: float) -> float | None:
    """The factor of one run."""
    low, high = bounds.low, bounds.high
    if high < 0 or (high == 0 and math.isfinite(low)) or (math.isinf(high) and low < 0):
        low, high, value = -high, -low, -value
    if math.isfinite(low) and math.isfinite(high) and low != 0:
        return _ratio((high - low) / 2, abs(value - (low + (high - low) / 2)))
    if math.isfinite(high):
        return _ratio(high, value) if high > 0 and value >= 0 else None
    return max(value, 0.0) / low if low > 0 else None


def _ratio(over: float, under: float) -> float | None:
    """A quotient of numbers that are not negative; None for 0 / 0."""
    return over / under if under else math.inf if over else None
