"""How near the worst run of a criterion comes to its bound, and how far from it the nearest control run is.

Differences are computed from the numbers as they are printed, so that a reader who subtracts them finds the same.
"""

from __future__ import annotations

import math
from decimal import Decimal

from dlnrepro.claimfile.interval import Interval
from dlnrepro.report.words.numbers import number
from dlnrepro.settings.numerals import numeral
from dlnrepro.verdict.distances import Distances, Run, Unit, distances
from dlnrepro.verdict.judge import Judged


def distances_of(item: Judged) -> Distances:
    """The runs of a judged criterion on one axis."""
    return distances(item.interval, item.holds_in, item.fails_in)


def use(item: Judged) -> float:
    """How much of its tolerance the worst run uses: 0 none, 1 all, above 1 too much; -1 without a worst run.

    The tolerance is half the width of an interval with two bounds, and else the distance of the bound from 0. A value
    exactly on its bound uses none: that is a counted measure, such as a share of 1 that must be at least 1.
    """
    worst = distances_of(item).worst
    return -1.0 if worst is None else _use(worst.interval, worst.value)


def on_its_threshold(item: Judged) -> bool:
    """Whether the worst run lies on an end of its interval that belongs to it: a counted measure, such as a share."""
    worst = distances_of(item).worst
    if worst is None:
        return False
    return worst.value in (worst.interval.low, worst.interval.high) and _use(worst.interval, worst.value) == 0


def margin_words(item: Judged) -> str:
    """A worst run's value and its margin, such as `0.25, 0.25 inside the threshold 0.5 (50 % of the threshold)`.

    If runs have different thresholds, the threshold is that of the worst run.
    """
    found = distances_of(item)
    assert found.worst is not None
    assert found.axis is not None
    worst, bounds = found.worst.value, found.worst.interval
    the = "the" if found.axis.unit == "measure" else "its"
    bound = bounds.low if bounds.low - worst > worst - bounds.high else bounds.high
    # A threshold of the claim file is printed as it is there, and a computed one like a measured number.
    computed = any(isinstance(given, str) for given in item.interval.values())
    inside, shown = bounds.contains(worst), number(bound) if computed else numeral(bound, 10)
    if worst == bound:
        return f"{number(worst)}, exactly on {the} threshold {shown}" + (
            "" if inside else ", which does not belong to the interval"
        )
    margin = difference(worst, bound, shown)
    if inside:
        return f"{number(worst)}, {margin} inside {the} threshold {shown}{_used(bounds, worst)}"
    held = " (almost all runs lie inside)" if item.holds else ""
    return f"{number(worst)}, {margin} outside {the} threshold {shown}{held}"


def distance_words(item: Judged) -> str | None:
    """How far the worst run and the nearest control run are apart; None where there is nothing to compare."""
    found = distances_of(item)
    if found.worst is None or found.nearest is None or found.gap is None or found.axis is None:
        return None
    unit = found.axis.unit
    worst = f"the worst run ({number(found.worst.value)}{place_words(unit, found.worst)})"
    nearest = f"{number(found.nearest.value)}{place_words(unit, found.nearest)}, {found.nearest.arm}"
    control = f"the nearest control run ({nearest})"
    if found.gap > 0:
        between = difference(found.worst.place, found.nearest.place, number(found.nearest.place))
        return f"distance between {worst} and {control}: {between}{_UNITS[unit]}"
    the = "the" if unit == "measure" else "its"
    return f"{control} lies no further outside {the} interval than {worst}, so the two are not separated"


_UNITS: dict[Unit, str] = {
    "measure": "",
    "threshold": " times the threshold",
    "tolerance": " times half the width of the interval",
    "distance": "",
}


def relative_scale(unit: Unit) -> str:
    """What a scale shows if runs have different thresholds, as it follows the name of the scale."""
    of_unit: dict[Unit, str] = {
        "measure": "",
        "threshold": ", each divided by the size of its own threshold",
        "tolerance": ", each as its distance from the middle of its own interval, divided by half its width",
        "distance": ", each as its distance from its own interval (inside, it is negative)",
    }
    return of_unit[unit]


def place_words(unit: Unit, run: Run) -> str:
    """Where a run lies relative to its own threshold, as it follows the run's value; nothing if all have the same."""
    return relative_words(unit, run.place)


def relative_words(unit: Unit, place: float | None) -> str:
    """A place relative to a threshold, such as `, 0.5 times its threshold`; nothing in the unit of the measure."""
    if place is None or unit == "measure":
        return ""
    if unit == "threshold":
        return f", {number(abs(place))} times its threshold"
    if unit == "tolerance":
        return f", {number(place)} times half the width of its interval from the middle"
    side = "outside" if place > 0 else "inside"
    return f", {number(abs(place))} {side} its threshold"


def slack_words(item: Judged) -> str | None:
    """How many times as far out as the worst run the threshold is; None where such a factor has no meaning."""
    return None if item.slack is None else factor_words(item.slack)


def factor_words(slack: float) -> str:
    """The slack of a criterion in words, such as `slack 12: the threshold is 12 times as far out as the worst run`."""
    if math.isinf(slack):
        return "slack infinite: the worst run has the best possible value"
    if slack < 1:
        return f"slack {number(slack)}: below 1, because the worst run lies outside"
    return f"slack {number(slack)}: the threshold is {number(slack)} times as far out as the worst run"


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
    use = _use(bounds, value if alike else printed)
    if not 0 < use <= 1:
        return ""
    if math.isfinite(bounds.low) and math.isfinite(bounds.high):
        return f" (uses {_percent(use)} of the tolerance)"
    bound = bounds.high if math.isfinite(bounds.high) else bounds.low
    if math.isfinite(bounds.high) == (bound > 0):
        return f" ({_percent(use)} of the threshold)"
    ratio = 1 / use
    times = numeral(ratio, 3 if ratio >= 1.005 else 6)
    return " (hardly more than the threshold)" if times == "1" else f" ({times} times the threshold)"


def _percent(use: float) -> str:
    """A share of at most 1 in percent; one near 1 keeps the digits that tell it from 1."""
    if use < 0.00995:
        return "less than 1 %"
    if use > 0.99995:
        return "more than 99.99 %"
    return f"{100 * use:.0f} %" if use < 0.995 else f"{numeral(100 * use, 4)} %"
