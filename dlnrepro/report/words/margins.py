"""How near the worst run of a criterion comes to its bound, and how far from it the nearest control run is.

Differences are computed from the numbers as they are printed, so that a reader who subtracts them finds the same.
"""

from __future__ import annotations

import math
from decimal import Decimal

from dlnrepro.claimfile.interval import Interval, interval
from dlnrepro.report.words.numbers import number
from dlnrepro.settings.numerals import numeral
from dlnrepro.verdict.judge import Judged, nearest_control


def bounds_of(item: Judged) -> Interval:
    """The interval of a judged criterion."""
    return interval(**item.interval)


def use(item: Judged) -> float:
    """How much of its tolerance the worst run uses: 0 none, 1 all, above 1 too much; -1 without a worst run.

    The tolerance is half the width of an interval with two bounds, and else the distance of the bound from 0. A value
    exactly on its bound uses none: that is a counted measure, such as a share of 1 that must be at least 1.
    """
    return -1.0 if item.worst is None else _use(bounds_of(item), item.worst)


def margin_words(item: Judged, worst: float) -> str:
    """A worst run's value and its margin, such as `1.004, 0.006 inside the bound 1.01 (uses 40 % of the tolerance)`."""
    bounds = bounds_of(item)
    bound = bounds.low if bounds.low - worst > worst - bounds.high else bounds.high
    inside, shown = bounds.contains(worst), numeral(bound, 10)
    if worst == bound:
        return f"{number(worst)}, exactly on the bound {shown}" + (
            "" if inside else ", which does not belong to the interval"
        )
    margin = difference(worst, bound, shown)
    if inside:
        return f"{number(worst)}, {margin} inside the bound {shown}{_used(bounds, worst)}"
    allowed = f"{item.misses} {'run' if item.misses == 1 else 'runs'}"
    may = f" (allowed in {allowed} per arm)" if item.misses and item.holds else ""
    return f"{number(worst)}, {margin} outside the bound {shown}{may}"


def distance_words(item: Judged) -> str | None:
    """How far the worst run and the nearest control run are apart; None where there is nothing to compare."""
    if item.worst is None or item.gap is None:
        return None
    nearest = nearest_control(bounds_of(item), item.worst, item.fails_in)
    assert nearest is not None
    arm, value = nearest
    runs = f"the worst run ({number(item.worst)}) and the nearest control run ({number(value)}, {arm})"
    if item.gap > 0:
        return f"distance between {runs}: {difference(item.worst, value, number(value))}"
    return f"{runs} overlap: this control run lies no further outside the interval"


def difference(first: float, second: float, shown: str) -> str:
    """The distance between two numbers as they are printed; the exact one where they are printed alike.

    Args:
        first: a number that is printed by `number`.
        second: the other number.
        shown: how the other number is printed.
    """
    printed = Decimal(shown) - Decimal(number(first))
    if printed == 0 or (printed > 0) != (second > first):
        return numeral(abs(second - first), 2)
    return number(float(abs(printed)))


def _use(bounds: Interval, value: float) -> float:
    """How much of the tolerance a value uses."""
    if value in (bounds.low, bounds.high) and bounds.contains(value):
        return 0.0
    if math.isfinite(bounds.low) and math.isfinite(bounds.high):
        half = (bounds.high - bounds.low) / 2
        return abs(value - (bounds.low + half)) / half if half else float(value != bounds.low)
    bound = bounds.high if math.isfinite(bounds.high) else bounds.low
    if bound == 0 or value * bound <= 0:
        return 0.0 if bounds.contains(value) else math.inf
    ratio = value / bound
    return ratio if math.isfinite(bounds.high) == (bound > 0) else 1 / ratio


def _used(bounds: Interval, value: float) -> str:
    """How much of the tolerance a value inside uses; nothing where 0 is the bound, or lies between value and bound."""
    printed = float(number(value))
    alike = printed in (bounds.low, bounds.high) or not bounds.contains(printed)
    share = 100 * _use(bounds, value if alike else printed)
    if not 0 < share <= 100:
        return ""
    percent = "less than 1 %" if share < 0.995 else f"{share:.0f} %"
    if math.isfinite(bounds.low) and math.isfinite(bounds.high):
        return f" (uses {percent} of the tolerance)"
    bound = bounds.high if math.isfinite(bounds.high) else bounds.low
    if math.isfinite(bounds.high) == (bound > 0):
        return f" ({percent} of the bound)"
    return f" (the bound is {percent} of this value)"
