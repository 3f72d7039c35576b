"""How far the runs of a criterion lie from their thresholds, and how far its controls lie from them.

If all runs have the same interval, values are compared as they are measured. If their intervals differ, because the
thresholds are formulas, each run has a place relative to its own interval, and all places are compared with one
interval:

* interval with one end, whose thresholds all have the same sign: place = value / |threshold|, and the threshold is at
  1 (or at -1 if they are negative). The unit is the "threshold".
* interval with two ends: place = (value - middle) / (half the width), and the interval reaches from -1 to 1. The unit
  is the "tolerance".
* otherwise, because a threshold or a width is 0: the place says how far the value lies outside its interval (inside,
  it is negative), and the threshold is at 0. The unit is the "distance".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from dlnrepro.claimfile.interval import Interval, interval
from dlnrepro.verdict.bounds import Bounds, intervals
from dlnrepro.verdict.check import Check

Unit = Literal["measure", "threshold", "tolerance", "distance"]
"""The unit of places: the measure's own if all runs have the same interval, else as above."""

Counted = tuple[str, float, Interval]
"""A run that counts: its arm, its value, and its own interval."""


@dataclass(frozen=True)
class Axis:
    """One axis for all runs of a criterion: its unit, and the interval in which their places must lie."""

    unit: Unit
    interval: Interval

    def place(self, value: float, own: Interval) -> float:
        """The place of a value whose run has an interval of its own; NaN if its threshold, or its width, is 0."""
        if self.unit == "measure":
            return value
        if self.unit == "distance":
            return own.excess(value)
        middle, unit = (0.0, abs(_end(own))) if self.unit == "threshold" else ((own.low + own.high) / 2, _half(own))
        return (value - middle) / unit if unit else math.nan

    def places(self, bounds: Bounds, check: Check) -> list[tuple[float, bool]]:
        """The place of each run of a check that has one, also of runs that are left out, and whether it lies inside."""
        own = intervals(bounds, check.thresholds, len(check.seeds))
        runs = [
            (self.place(value, mine), mine.contains(value))
            for value, mine in zip(check.values, own, strict=True)
            if value is not None and mine is not None
        ]
        return [run for run in runs if math.isfinite(run[0])]


@dataclass(frozen=True)
class Run:
    """A run that counts: its arm, its value, its own interval, and its place on the common axis."""

    arm: str
    value: float
    interval: Interval
    place: float


@dataclass(frozen=True)
class Distances:
    """The runs of a criterion on one axis.

    Attributes:
        axis: the axis; None if no run has an interval.
        arms: the runs in which it must hold.
        controls: the runs in which it must fail.
    """

    axis: Axis | None
    arms: tuple[Run, ...]
    controls: tuple[Run, ...]

    @property
    def worst(self) -> Run | None:
        """The run that lies furthest outside its interval, or nearest to its bound if all lie inside."""
        return max(self.arms, key=self._excess, default=None)

    @property
    def nearest(self) -> Run | None:
        """The control run that is nearest to the worst run; None if one of the two is missing.

        If some control run lies no further outside than the worst run, controls and runs overlap: then it is the
        control run that lies furthest inside.
        """
        worst, innermost = self.worst, min(self.controls, key=self._excess, default=None)
        if worst is None or innermost is None or self._excess(innermost) <= self._excess(worst):
            return None if worst is None else innermost
        return min(self.controls, key=lambda run: abs(run.place - worst.place))

    @property
    def gap(self) -> float | None:
        """The distance between the worst run and the nearest control run, negative if controls and runs overlap."""
        worst, nearest = self.worst, self.nearest
        if worst is None or nearest is None:
            return None
        distance = abs(nearest.place - worst.place)
        return distance if self._excess(nearest) > self._excess(worst) else 0.0 - distance

    def _excess(self, run: Run) -> float:
        """How far a run lies outside, in the unit of the axis."""
        return self.axis.interval.excess(run.place) if self.axis is not None else math.nan


def distances(bounds: Bounds, arms: Iterable[Check], controls: Iterable[Check]) -> Distances:
    """The runs of a criterion on one axis.

    Args:
        bounds: the keys that give its interval.
        arms: its checks where it must hold.
        controls: its checks where it must fail.
    """
    return compared(bounds, counted_runs(bounds, arms), counted_runs(bounds, controls))


def compared(bounds: Bounds, arms: Sequence[Counted], controls: Sequence[Counted]) -> Distances:
    """The runs of a criterion on one axis, from the runs that count where it must hold, and in its controls."""
    axis = axis_of(bounds, [own for _, _, own in (*arms, *controls)])
    if axis is None:
        return Distances(None, (), ())

    def placed(runs: Sequence[Counted]) -> tuple[Run, ...]:
        """Some runs with their places on the axis."""
        return tuple(Run(arm, value, own, axis.place(value, own)) for arm, value, own in runs)

    return Distances(axis, placed(arms), placed(controls))


def counted_runs(bounds: Bounds, checks: Iterable[Check]) -> list[Counted]:
    """The runs of some checks that count."""
    found = []
    for check in checks:
        own = intervals(bounds, check.thresholds, len(check.seeds))
        for place in check.places:
            value, mine = check.values[place], own[place]
            if value is not None and mine is not None:
                found.append((check.arm, value, mine))
    return found


def axis_of(bounds: Bounds, known: Sequence[Interval]) -> Axis | None:
    """The axis for runs with these intervals, which have the same keys; None if the interval depends on a run."""
    if not any(isinstance(bound, str) for bound in bounds.values()):
        (fixed,) = intervals(bounds, {}, 1)
        assert fixed is not None
        return Axis("measure", fixed)
    if not known:
        return None
    first = known[0]
    if all((own.low, own.high) == (first.low, first.high) for own in known):
        return Axis("measure", first)
    if math.isfinite(first.low) and math.isfinite(first.high):
        if all(_half(own) > 0 for own in known):
            return Axis("tolerance", _with_openness(-1.0, 1.0, first))
    elif all(_end(own) > 0 for own in known) or all(_end(own) < 0 for own in known):
        end = math.copysign(1.0, _end(first))
        if math.isfinite(first.low):
            return Axis("threshold", _with_openness(end, math.inf, first))
        return Axis("threshold", _with_openness(-math.inf, end, first))
    if first.low_open or first.high_open:
        return Axis("distance", interval(below=0.0))
    return Axis("distance", interval(at_most=0.0))


def _with_openness(low: float, high: float, like: Interval) -> Interval:
    """An interval whose ends are open where those of another interval are."""
    keys = {}
    if math.isfinite(low):
        keys["above" if like.low_open else "at_least"] = low
    if math.isfinite(high):
        keys["below" if like.high_open else "at_most"] = high
    return interval(**keys)


def _end(own: Interval) -> float:
    """The finite end of an interval with one end."""
    return own.low if math.isfinite(own.low) else own.high


def _half(own: Interval) -> float:
    """Half the width of an interval."""
    return (own.high - own.low) / 2
