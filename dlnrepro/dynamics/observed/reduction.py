"""From the points of one run to one number.

A number that does not exist is NaN: of a window without points, of an event that never happens, of a slope against
something that does not change, and of a limit that is not approached in the way that was said.
"""

from __future__ import annotations

import math

import numpy as np

from dlnrepro.dynamics.observed.expression import truth_of, values_of
from dlnrepro.dynamics.observed.measure import Approach, Expression, Interpolation, Measure, Reducer, Window
from dlnrepro.dynamics.observed.records import Array, Mask, Places, RunRecords

SETTLED = 1e-14
"""A quantity that changes by less than this share of itself has arrived at its limit, as far as float64 shows."""

MOST_EXPONENT, HALVINGS = 700.0, 200
"""The largest exponent of the exponential through three points, and how often its interval is halved."""


def window_of(window: Window, run: RunRecords, inside: Mask) -> Places:
    """The indices of the points of a window, in their order.

    Args:
        window: the window.
        run: the records of the run.
        inside: which points the formula has, of shape (points,).
    """
    chosen = inside.copy()
    if window.where is not None:
        holds, known = truth_of(window.where, run)
        chosen &= holds & known
    if window.start is not None:
        chosen &= run.axis >= values_of(window.start, run.fixed)[0]
    if window.end is not None:
        chosen &= run.axis <= values_of(window.end, run.fixed)[0]
    places = np.flatnonzero(chosen)
    if window.points is None:
        return places
    if len(places) < abs(window.points):
        return places[:0]
    return places[-window.points :] if window.points > 0 else places[: -window.points]


def reduced(measure: Measure, run: RunRecords) -> float:
    """The number of a measure in one run, before it is compared with anything."""
    if measure.reducer == "slope":
        return _slope(measure, run)
    if measure.reducer == "first_time":
        return _first_time(measure, run)
    return reduced_formula(measure.of[0], measure, run)


def reduced_formula(expression: Expression, measure: Measure, run: RunRecords) -> float:
    """The number of one formula, reduced as a measure says, in its window."""
    values, inside = values_of(expression, run)
    places = window_of(measure.window, run, inside)
    if not len(places):
        return math.nan
    if measure.reducer == "limit":
        return limit(_clock(measure, run)[places], values[places], measure.approach)
    return _number(measure.reducer, values[places])


def _number(reducer: Reducer, values: Array) -> float:
    """Some values as one; NaN if one of them is NaN and counts."""
    match reducer:
        case "first":
            return float(values[0])
        case "last":
            return float(values[-1])
        case "largest":
            return float(values.max())
        case "smallest":
            return float(values.min())
        case "mean":
            return float(values.mean())
        case "median":
            return float(np.median(values))
    raise ValueError(f"no reducer of points: {reducer}")


def _clock(measure: Measure, run: RunRecords) -> Array:
    """The time of each point."""
    return run.axis if measure.clock is None else run.quantities[measure.clock]


def _slope(measure: Measure, run: RunRecords) -> float:
    """The slope of the least-squares line of y against x in the window."""
    (y, y_inside), (x, x_inside) = (values_of(expression, run) for expression in measure.of)
    places = window_of(measure.window, run, x_inside & y_inside)
    if len(places) < measure.least_points:
        return math.nan
    return line(x[places], y[places])[0]


def line(x: Array, y: Array) -> tuple[float, float]:
    """The slope and the intercept of the least-squares line of y against x; NaN if x is constant."""
    centre, height = x.mean(), y.mean()
    centred = x - centre
    slope = float((centred * (y - height)).sum() / (centred**2).sum())
    return slope, float(height - slope * centre)


def _first_time(measure: Measure, run: RunRecords) -> float:
    """The first time in the window at which an inequality holds."""
    condition = measure.condition
    assert condition is not None
    holds, inside = truth_of(condition, run)
    places = window_of(measure.window, run, inside)
    hit = next(iter(places[holds[places]]), None)
    clock = _clock(measure, run)
    if hit is None:
        return math.nan
    if measure.interpolation == "none" or hit == places[0]:
        return float(clock[hit])
    left, right = (values_of(side, run)[0][hit - 1 : hit + 1] for side in condition.sides)
    return crossing(clock[hit - 1 : hit + 1], left, right, measure.interpolation)


def crossing(times: Array, left: Array, right: Array, interpolation: Interpolation) -> float:
    """The time between two points at which two quantities are equal; NaN if the interpolation has no value.

    The distance d is left - right, or log(left) - log(right), and t = t_0 + (t_1 - t_0) d_0 / (d_0 - d_1).
    """
    first, second = np.log(left) - np.log(right) if interpolation == "log" else left - right
    if first == second:
        return math.nan
    return float(times[0] + (times[1] - times[0]) * first / (first - second))


def limit(times: Array, values: Array, approach: Approach) -> float:
    """The limit that a quantity approaches, from the points of a window.

    * exponential: the constant c of the curve c + a exp(-b t) with b > 0 through three points: the first and the last
      one, and the one that is nearest to the middle of their times. If the change between the last two of them is
      a rounding error, the limit is the last value. It is NaN if there is no such curve.
    * one over time: the value at 1/t = 0 of the least-squares line of the quantity against 1/t. It is NaN with fewer
      than three points, or if a time is not positive.
    """
    if len(times) < 3:
        return math.nan
    if approach == "one over time":
        return line(1 / times, values)[1] if bool((times > 0).all()) else math.nan
    middle = 1 + int(np.abs(times[1:-1] - (times[0] + times[-1]) / 2).argmin())
    t, x = times[[0, middle, -1]], values[[0, middle, -1]]
    before, after = float(x[1] - x[0]), float(x[2] - x[1])
    if abs(after) <= SETTLED * abs(float(x[2])):
        return float(x[2])
    left = _remaining(float(t[1] - t[0]), float(t[2] - t[1]), after / before if before else math.nan)
    return float(x[2]) + after * left


def _remaining(first: float, second: float, ratio: float) -> float:
    """What is left of the way to the limit after the second interval, in units of the change during it.

    With b from (exp(-b first) - exp(-b (first + second))) / (1 - exp(-b first)) = ratio, this is 1/(exp(b second) - 1).

    Args:
        first: the length of the first interval.
        second: the length of the second interval.
        ratio: the change during the second one over that during the first one.
    """

    def found(rate: float) -> float:
        return math.exp(-rate * first) * math.expm1(-rate * second) / math.expm1(-rate * first)

    if not 0 < ratio < second / first:
        return math.nan
    low, high = 0.0, MOST_EXPONENT / max(first, second)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if found(middle) > ratio else (low, middle)
    return 1 / math.expm1(high * second)
