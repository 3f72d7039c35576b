"""How sharp a criterion is, from the numbers of its runs: spread, gap, range of thresholds, and resolution.

A measure is compared on a logarithmic scale where all its values and thresholds are positive or zero and span more than
1.7 decades, and on a linear scale otherwise. On a logarithmic scale a zero counts as the smallest positive value.

* The spread of an arm is the interquartile range of its runs: in units of the measure, or in decades.
* The gap is the distance between the worst run and the nearest control run, in units of the spread of the arm that has
  the worst run. It is negative if arms and controls overlap.
* The range of thresholds holds every threshold for which all arms and controls would be decided as they are now.
* The resolution of an interval with two ends is the smallest shift, and the smallest factor, of the measure that it
  notices. A change is noticed if at most 80 % of the runs of some arm still lie inside, because the rule then breaks
  the criterion with a probability of at least 96.8 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from dlnrepro.claimfile.interval import Interval
from dlnrepro.verdict.check import Quantifier
from dlnrepro.verdict.rule import BAD, Decision, almost_all, every

Scale = Literal["linear", "logarithmic"]

DECADES = 1.7
"""A measure that spans more decades than this is compared on a logarithmic scale."""

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""The shares of the runs below the quantiles of a distribution: smallest, 5 %, quartiles, 95 %, largest."""


@dataclass(frozen=True)
class Sample:
    """The runs of one arm that count for a criterion: their finite values, and how many have no number."""

    values: tuple[float, ...]
    undecided: int


@dataclass(frozen=True)
class Threshold:
    """One number of an interval, and the numbers that would give the same decisions in all arms and controls.

    Attributes:
        key: the key of the claim file.
        value: the threshold.
        tightest: the tightest threshold with which every arm still holds.
        loosest: the loosest threshold with which every control still fails; None if there is no limit.
    """

    key: str
    value: float
    tightest: float
    loosest: float | None


@dataclass(frozen=True)
class Resolution:
    """The smallest changes of the measure that an interval with two ends notices; None if it notices none.

    Attributes:
        up, down: the smallest shift, in units of the measure, upwards and downwards.
        larger, smaller: the smallest factor above 1, and the largest factor below 1; None also if zero lies in the
            interval, since a factor says nothing of a measure near zero.
    """

    up: float
    down: float
    larger: float | None
    smaller: float | None


def quantiles(values: Sequence[float]) -> tuple[float, ...]:
    """The quantiles of some values at `QUANTILES`, interpolated linearly; nothing without values."""
    ordered = sorted(values)
    return tuple(_quantile(ordered, share) for share in QUANTILES) if ordered else ()


def scale_of(values: Sequence[float], bounds: Interval) -> Scale:
    """The scale on which values and thresholds are compared."""
    known = [*values, *(bound for bound in (bounds.low, bounds.high) if math.isfinite(bound))]
    positive = [value for value in known if value > 0]
    if not positive or any(value < 0 for value in known):
        return "linear"
    return "logarithmic" if math.log10(max(positive) / min(positive)) > DECADES else "linear"


def on_scale(scale: Scale, values: Sequence[float]) -> Callable[[float], float]:
    """The function that gives the place of a value on a scale: the value itself, or its decimal logarithm.

    `values` are all values that are compared; on a logarithmic scale the smallest positive one stands for zero.
    """
    if scale == "linear":
        return float
    least = min((value for value in values if value > 0), default=1.0)
    return lambda value: math.log10(max(value, least))


def spread_of(values: Sequence[float], place: Callable[[float], float]) -> float:
    """The interquartile range of some values on a scale; 0 without values."""
    ordered = sorted(map(place, values))
    return _quantile(ordered, 0.75) - _quantile(ordered, 0.25) if ordered else 0.0


def _quantile(ordered: Sequence[float], share: float) -> float:
    """A quantile of sorted values, interpolated linearly."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    # The smaller part of the difference is added, so that equal values give themselves.
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def thresholds(
    keys: Sequence[str], bounds: Interval, arms: Sequence[Sample], controls: Sequence[Sample], runs: Quantifier
) -> list[Threshold]:
    """Each number of an interval that could be moved, with the range in which all decisions stay the same.

    Nothing if an arm does not hold or a control does not fail as required with the interval as it is.

    Args:
        keys: the keys of the claim file that give the interval.
        bounds: the interval.
        arms: the runs of the arms in which the criterion must hold.
        controls: the runs of the controls.
        runs: which draws the criterion speaks of.
    """
    found = [_movable(key, bounds, arms, controls, runs) for key in keys if key != "equals"]
    return [item for item in found if item is not None]


def _movable(
    key: str, bounds: Interval, arms: Sequence[Sample], controls: Sequence[Sample], runs: Quantifier
) -> Threshold | None:
    """One number of an interval with the range in which all decisions stay the same."""
    level, now = _level(key, bounds)
    sign = -1.0 if key in ("above", "at_least") else 1.0
    in_arms = [sorted(map(level, sample.values)) for sample in arms]
    in_controls = [sorted(map(level, sample.values)) for sample in controls]

    def arms_hold(end: float, open_end: bool = False) -> bool:
        """Whether the criterion holds in all arms with the threshold at this level."""
        pairs = zip(arms, in_arms, strict=True)
        return all(_decided(sample, near, end, open_end, runs, False) == "holds" for sample, near in pairs)

    def controls_fail(end: float, open_end: bool = False) -> bool:
        """Whether all controls fail as required with the threshold at this level."""
        pairs = zip(controls, in_controls, strict=True)
        return all(_decided(sample, near, end, open_end, runs, True) == "holds" for sample, near in pairs)

    open_end = key in ("above", "below")
    if not (arms_hold(now, open_end) and controls_fail(now, open_end)):
        return None
    tighter = sorted({value for near in in_arms for value in near if value <= now})
    looser = sorted({value for near in in_controls for value in near if now <= value < math.inf})
    tightest = _first(tighter, arms_hold)
    loosest = _first(looser, lambda end: not controls_fail(end))
    return Threshold(key, sign * now, sign * (now if tightest is None else tightest), loosest and sign * loosest)


def _level(key: str, bounds: Interval) -> tuple[Callable[[float], float], float]:
    """A function that is smaller the further inside a value lies of one bound, and its value on this bound.

    A value that the other bound excludes is never inside, so its level is infinite.
    """
    if key == "within":
        middle = (bounds.low + bounds.high) / 2
        return lambda value: abs(value - middle), (bounds.high - bounds.low) / 2

    def upper(value: float) -> float:
        """The level for an upper bound: the value."""
        within = value > bounds.low if bounds.low_open else value >= bounds.low
        return value if within else math.inf

    def lower(value: float) -> float:
        """The level for a lower bound: minus the value."""
        within = value < bounds.high if bounds.high_open else value <= bounds.high
        return -value if within else math.inf

    return (lower, -bounds.low) if key in ("above", "at_least") else (upper, bounds.high)


def _decided(
    sample: Sample, levels: Sequence[float], end: float, open_end: bool, runs: Quantifier, control: bool
) -> Decision:
    """What the runs of an arm or a control decide with another threshold."""
    inside = sum(level < end or (level == end and not open_end) for level in levels)
    outside = len(levels) - inside
    if control:
        return almost_all(outside, inside, sample.undecided, last=True)
    if runs == "every":
        return every(inside, outside, sample.undecided)
    return almost_all(inside, outside, sample.undecided, last=True)


def _first(ordered: Sequence[float], turns: Callable[[float], bool]) -> float | None:
    """The first of some sorted values for which something is true, if it is true for all later ones too; or None."""
    low, high = 0, len(ordered)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if turns(ordered[middle]) else (middle + 1, high)
    return ordered[low] if low < len(ordered) else None


def resolution(bounds: Interval, arms: Sequence[Sample]) -> Resolution | None:
    """The smallest changes that an interval notices; None if it has one end only, or an arm has no numbers."""
    if not (math.isfinite(bounds.low) and math.isfinite(bounds.high)):
        return None
    ordered = [sorted(sample.values) for sample in arms]
    if not ordered or not all(ordered):
        return None
    # So many runs of an arm must leave the interval that at most 80 % of them remain.
    leaving = [math.ceil((1 - BAD) * len(values) - 1e-9) for values in ordered]
    upper = [values[-count] for values, count in zip(ordered, leaving, strict=True)]
    lower = [values[count - 1] for values, count in zip(ordered, leaving, strict=True)]
    near_zero = bounds.low <= 0 <= bounds.high
    larger = [ratio for ends in zip(upper, lower, strict=True) for ratio in _growth(bounds, *ends)]
    smaller = [ratio for ends in zip(upper, lower, strict=True) for ratio in _shrinkage(bounds, *ends)]
    return Resolution(
        up=max(0.0, min(bounds.high - value for value in upper)),
        down=max(0.0, min(value - bounds.low for value in lower)),
        larger=max(1.0, min(larger)) if larger and not near_zero else None,
        smaller=min(1.0, max(smaller)) if smaller and not near_zero else None,
    )


def _growth(bounds: Interval, upper: float, lower: float) -> list[float]:
    """The factors above 1 that carry a fifth of an arm's runs out of an interval: at its upper or its lower end."""
    found = [bounds.high / upper] if upper > 0 and bounds.high > 0 else []
    return found + ([bounds.low / lower] if lower < 0 and bounds.low < 0 else [])


def _shrinkage(bounds: Interval, upper: float, lower: float) -> list[float]:
    """The factors below 1 that carry a fifth of an arm's runs out of an interval, towards zero."""
    found = [bounds.low / lower] if lower > 0 and bounds.low > 0 else []
    return found + ([bounds.high / upper] if upper < 0 and bounds.high < 0 else [])
