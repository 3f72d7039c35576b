"""Numbers that others have printed, next to ours: how far apart they are, and whether they agree.

What a printed number says ends with its last digit: rounding there leaves half a unit of that digit, and cutting off
there a whole unit. So ours agrees "to the last digit" if it differs by at most one unit, or by as many units as the
claim allows with its reason, in every run. A claim also says what the printed number is (its key `runs`):

* a number that `every` run has by theory agrees to the last digit in every run, or it differs;
* that of `one` run of a random draw also agrees "within the runs", if it lies between our smallest and largest run. A
  further run of ours would lie outside this range with the chance 2 / (n + 1), so about one of nine such numbers is
  expected to differ for n = 16 runs, even if the printed number is right;
* the `mean` or the `median` of several runs agrees to the last digit if ours is that near, and within the runs if it
  lies in an interval around ours: two standard errors of our mean, or the exact 95 % interval of our median by order
  statistics. The error of the printed mean or median is not known and not added, so the comparison is strict.

A result with other settings, or of the quick profile, is not compared. Nothing here changes a verdict.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dlnrepro.claimfile.printed.numerals import last_unit
from dlnrepro.claimfile.schema import Claim, Criterion, Printed
from dlnrepro.verdict.check import Check
from dlnrepro.verdict.judge import Judged
from dlnrepro.verdict.outcome import Outcome

Agreement = Literal["to the last digit", "within the runs", "differs", "not compared"]

_ROUNDING = 1e-9
"""Relative rounding error of a difference in units."""

_OUTSIDE = 0.025
"""The largest chance that the median lies outside its interval on one side."""


@dataclass(frozen=True)
class PrintedNumber:
    """A number that others have printed, and ours.

    Attributes:
        criterion: the id of the criterion to which it belongs.
        printed: its text, whose last digit counts.
        where: where it is printed.
        note: how its setting differs, or why more than one unit is allowed; None without a note.
        arm: the arm whose runs it is compared with.
        measure: the measure, or the series if `at` is a number.
        at: the point of the series.
        runs: what the printed number is.
        allowed: by how many units ours may differ.
        ours: our number: of `every` run the one that is furthest from the printed number, of `one` run the median.
        low, high: our smallest and our largest run.
        count: how many runs of ours there are; None for a series, whose report has their range alone.
        units: ours minus the printed number, in units of its last digit.
        agreement: whether the two agree.
    """

    criterion: str
    printed: str
    where: str
    note: str | None
    arm: str
    measure: str
    at: float | None
    runs: Literal["every", "one", "mean", "median"]
    allowed: float
    ours: float | None
    low: float | None
    high: float | None
    count: int | None
    units: float | None
    agreement: Agreement


Point = Callable[[str, str, float], tuple[float, float, float] | None]
"""The smallest run, the median and the largest run of a series at a point of its axis, by arm, series and point."""


@dataclass(frozen=True)
class _Ours:
    """Our number for a printed one: the mean or median of our runs, their range, and an interval for it."""

    middle: float
    low: float
    high: float
    interval: tuple[float, float]
    count: int | None


def compared(
    claim: Claim,
    criteria: Sequence[Judged],
    outcomes: Mapping[str, Outcome],
    point: Point,
    same_setting: bool,
) -> list[PrintedNumber]:
    """Every printed number of a claim next to ours.

    Args:
        claim: the claim, with the printed numbers of its criteria.
        criteria: its criteria with their checks, which say what runs are left out.
        outcomes: arm -> its measured numbers.
        point: the series of its figures at a point; None where no figure has it.
        same_setting: whether the settings are those of the claim file; other results are not compared.
    """
    found = []
    for criterion, item in zip(claim.criteria, criteria, strict=True):
        for printed in criterion.printed or ():
            for text, arm, measure, at in _each(claim, criterion, printed):
                if not same_setting:
                    ours = None
                elif at is not None:
                    ours = _of_series(point(arm, measure, at))
                else:
                    ours = _of_runs(_values(item, outcomes, arm, measure), printed.runs)
                found.append(_compared(criterion.id, printed, text, arm, measure, at, ours))
    return found


def _each(claim: Claim, criterion: Criterion, printed: Printed) -> Iterator[tuple[str, str, str, float | None]]:
    """Each printed number with its arm, its measure or series, and the point of a series."""
    arms = printed.arm or criterion.holds_in[:1]
    if printed.arm is None and printed.series is not None:
        arms = next((figure.arms[:1] for figure in claim.figures if printed.series in figure.y), arms)
    measures = printed.measure or (criterion.measure,)
    if printed.series is not None:
        measures = (printed.series,)
    points: Sequence[float | None] = printed.at or (None,)
    for number, text in enumerate(printed.value):
        yield text, arms[number % len(arms)], measures[number % len(measures)], points[number % len(points)]


def _values(item: Judged, outcomes: Mapping[str, Outcome], arm: str, measure: str) -> list[float]:
    """The finite numbers of a measure in an arm, of the runs that are not left out."""
    outcome = outcomes.get(arm)
    if outcome is None:
        return []
    check: Check | None = next((check for check in (*item.holds_in, *item.fails_in) if check.arm == arm), None)
    left_out = set(check.left_out_seeds) if check is not None else set()
    values = zip(outcome.seeds, outcome.measures.get(measure, ()), strict=False)
    return [value for seed, value in values if seed not in left_out and value is not None and math.isfinite(value)]


def _of_series(found: tuple[float, float, float] | None) -> _Ours | None:
    """The runs of a series at a point, of which a report has the range and the median."""
    if found is None:
        return None
    low, middle, high = found
    return _Ours(middle, low, high, (low, high), None)


def _of_runs(values: Sequence[float], runs: str) -> _Ours | None:
    """The runs of a measure, with the interval in which a printed number may lie; None without runs."""
    if not values:
        return None
    low, high = min(values), max(values)
    if runs == "mean":
        middle = statistics.fmean(values)
        error = 2 * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
        return _Ours(middle, low, high, (middle - error, middle + error), len(values))
    interval = median_interval(values) if runs == "median" else (low, high)
    return _Ours(statistics.median(values), low, high, interval, len(values))


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """The exact two-sided 95 % confidence interval of a median, by order statistics; the range of fewer than 6 values.

    The median lies below the k-th smallest of n values if fewer than k of them do, which has the chance
    P(Binomial(n, 1/2) < k); the interval reaches from the k-th smallest to the k-th largest with the largest such k.
    """
    ordered, chance, rank = sorted(values), 0.0, 0
    for below in range(len(ordered) // 2):
        chance += math.comb(len(ordered), below) / 2 ** len(ordered)
        if chance > _OUTSIDE:
            break
        rank = below
    return ordered[rank], ordered[-1 - rank]


def _compared(
    criterion: str, printed: Printed, text: str, arm: str, measure: str, at: float | None, ours: _Ours | None
) -> PrintedNumber:
    """A printed number next to ours."""
    number, unit = float(text), last_unit(text)
    shown, units = None, None
    agreement: Agreement = "not compared"
    if ours is not None:
        shown = ours.middle
        if printed.runs == "every":
            shown = max((ours.low, ours.high), key=lambda value: abs(value - number))
        units = (shown - number) / unit
        agreement = _agreement(number, unit, printed, ours)
    return PrintedNumber(
        criterion=criterion,
        printed=text,
        where=printed.where,
        note=printed.note,
        arm=arm,
        measure=measure,
        at=at,
        runs=printed.runs,
        allowed=printed.units,
        ours=shown,
        low=None if ours is None else ours.low,
        high=None if ours is None else ours.high,
        count=None if ours is None else ours.count,
        units=units,
        agreement=agreement,
    )


def _agreement(number: float, unit: float, printed: Printed, ours: _Ours) -> Agreement:
    """Whether a printed number agrees with ours."""
    allowed = printed.units * unit * (1 + _ROUNDING)
    if abs(ours.low - number) <= allowed and abs(ours.high - number) <= allowed:
        return "to the last digit"
    if printed.runs in {"mean", "median"} and abs(ours.middle - number) <= allowed:
        return "to the last digit"
    low, high = ours.interval
    if printed.runs != "every" and low - unit / 2 <= number <= high + unit / 2:
        return "within the runs"
    return "differs"
